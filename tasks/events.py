"""Tells the stage what happened in the ledger, as events that automations can listen for."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid5

from duban.events import NEWS, Thing, Told, of_duty, of_letter, of_missed_tick, of_overdue
from duban.ledger import Ledger
from duban.ledger.news import News, identity, letters_of, news, standings
from duban.ledger.news import tell as keep
from duban.ledger.questions import duties
from tasks.stage import EventSpec, Stage

ROWS = 100  # of the history, told in one call
_IDS = UUID("6f6a0d4e-6f0b-5c39-9a53-0f9b1d1c6a11")  # a namespace of our own


def tell(ledger: Ledger, stage: Stage, now: datetime) -> int:
    """Sends what happened since the last time as events; how many.

    Costs one look at the ledger where nothing did. What was sent is kept after it was: a repeat
    has the same ids.

    Raises:
        StageError: the stage did not answer; the rest is told next time.
    """
    sent = 0
    while found := news(ledger, now, NEWS, ROWS):
        events = list(_events(ledger, found))
        if events:
            whose = identity(ledger)
            stage.emit([_spec(whose, one) for one in events])
        keep(ledger, found.then)
        sent += len(events)
    return sent


def _events(ledger: Ledger, found: News) -> Iterator[Told]:
    numbers = {row.duty_id for row in found.rows if row.duty_id is not None} | {*found.overdue}
    views = {one.id: one for one in duties(ledger, ids=sorted(numbers))} if numbers else {}
    stands = standings(ledger, views.keys())
    letters = letters_of(ledger, [row.data["letter"] for row in found.rows if "letter" in row.data])
    for row in found.rows:
        if row.duty_id in views:
            told = of_duty(row, views[row.duty_id], stands[row.duty_id])
        elif row.action == "letter":
            told = of_letter(row, letters[row.data["letter"]])
        else:
            told = of_missed_tick(row) if row.action == "tick-missed" else None
        if told:
            yield told
    for number in found.overdue:
        if number in views:
            yield of_overdue(views[number], stands[number])


def _spec(whose: str, told: Told) -> EventSpec:
    return EventSpec(
        id=str(uuid5(_IDS, f"{whose}:{told.key}")),
        name=told.name,
        at=told.at,
        resource=_labels(told.about),
        related=tuple(_labels(one) for one in told.related),
        payload=dict(told.payload),
    )


def _labels(thing: Thing) -> dict[str, str]:
    role = {"prefect.resource.role": thing.role} if thing.role else {}
    return {"prefect.resource.id": thing.id, "prefect.resource.name": thing.name, **role}
