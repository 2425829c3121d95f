"""Automations: what the stage does by itself when an event comes, or stays away."""

from collections.abc import Mapping
from typing import Any, cast

from tasks.stage.calls import Calls
from tasks.stage.model import AutomationRef, Json


class Automations(Calls):
    """Automations."""

    def automations(self, tag: str) -> list[AutomationRef]:
        """Those that carry the tag, the oldest first."""
        rows = self._pages("/automations/filter", {"sort": "NAME_ASC"})
        found = sorted((row for row in rows if tag in row["tags"]), key=lambda one: one["created"])
        return [
            AutomationRef(row["id"], row["name"], tuple(row["tags"]), row["enabled"], row)
            for row in found
        ]

    def create_automation(self, body: Json) -> str:
        """Create it as `body` says; return its id."""
        return str(self._call("POST", "/automations/", body).json()["id"])

    def update_automation(self, automation_id: str, body: Json) -> None:
        """Bring it to `body`; one that counts or waits begins to count and to wait anew."""
        self._call("PUT", f"/automations/{automation_id}", body)

    def enable_automation(self, automation_id: str, enabled: bool) -> None:
        """Switch it on or off, as a person does in the UI."""
        self._call("PATCH", f"/automations/{automation_id}", {"enabled": enabled})

    def delete_automation(self, automation_id: str) -> None:
        """Delete it; that it is gone already is fine."""
        self._call("DELETE", f"/automations/{automation_id}", allow=(404,))


def holds(wanted: object, found: object) -> bool:
    """Whether everything wanted stands in what was found; Prefect adds ids and defaults."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        inside = cast(Mapping[str, Any], found)
        return all(
            name in inside and holds(value, inside[name])
            for name, value in cast(Mapping[str, Any], wanted).items()
        )
    if isinstance(wanted, list) and isinstance(found, list):
        mine, theirs = cast(list[Any], wanted), cast(list[Any], found)
        return len(mine) == len(theirs) and all(map(holds, mine, theirs))
    return wanted == found
