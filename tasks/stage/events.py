"""Events: what happened, told to whoever listens on the stage."""

from collections.abc import Sequence

from duban.batches import batches
from tasks.stage.calls import Calls
from tasks.stage.model import EventSpec, Json

EVENT_LIMIT = 100  # events a call; the server takes more, and answers later


class Events(Calls):
    """The event feed."""

    def emit(self, events: Sequence[EventSpec]) -> None:
        """Send events; one whose id the server knows is no second event."""
        for batch in batches(events, EVENT_LIMIT):
            self._call("POST", "/events", [_event(one) for one in batch])


def _event(spec: EventSpec) -> Json:
    if spec.at.tzinfo is None:
        raise ValueError(f"EventSpec.at has no timezone: {spec.at}")
    return {
        "id": spec.id,
        "event": spec.name,
        "occurred": spec.at.isoformat(),
        "resource": spec.resource,
        "related": list(spec.related),
        "payload": spec.payload,
    }
