"""What happens, as events of the stage: pure, from rows of history and the facts they speak of.

An event names a duty, its clause, agency and city; it holds no person, no free text, no address.
Its key is the same whenever it is derived again, so that a repeat is no second event.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from duban.ladder import SOLEMN, Kind
from duban.ledger.news import FailedLetter, Standing
from duban.ledger.questions import DutyView, Event
from duban.words import period_words, words

OVERDUE = "duban.duty.overdue"
ESCALATED = "duban.duty.escalated"
LETTER_FAILED = "duban.letter.failed"
TICK_MISSED = "duban.tick.missed"
OF_DUTIES: Mapping[str, str] = {
    "opened": "duban.duty.opened",
    "submitted": "duban.duty.submitted",
    "nil-returned": "duban.duty.submitted",
    "returned": "duban.duty.returned",
    "accepted": "duban.duty.accepted",
    "spoke": ESCALATED,
    "approved": ESCALATED,
}
"""The event that an action of the history may be."""

NEWS = frozenset({*OF_DUTIES, "letter", "tick-missed"})
"""The actions that can be an event."""

FRESH = timedelta(days=7)
"""A duty found open longer than this is no news: a first start opens hundreds of such at once."""

_GRAVE = frozenset({*SOLEMN, Kind.ESCALATE})
_TOLD = ("version", "rung", "kind")


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that an event concerns; `role` is empty for the one that it is about."""

    id: str
    name: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An event; `at` is when it happened and carries its time zone."""

    key: str
    name: str
    at: datetime
    about: Thing
    related: tuple[Thing, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])


def of_duty(row: Event, duty: DutyView, stands: Standing) -> Told | None:
    """The event that a row of a duty's history is, if it is one."""
    if not _is_news(row, duty, stands):
        return None
    told = {name: row.data[name] for name in _TOLD if name in row.data}
    return _of_duty(f"history:{row.seq}", OF_DUTIES[row.action], row.at, duty, stands, told)


def _is_news(row: Event, duty: DutyView, stands: Standing) -> bool:
    if row.action == "opened":
        return row.at.astimezone(duty.notice.zone).date() - stands.opens_on <= FRESH
    return row.action not in ("spoke", "approved") or row.data.get("kind") in _GRAVE


def of_overdue(duty: DutyView, stands: Standing) -> Told:
    """That a duty's time is up; once for each due instant."""
    key = f"overdue:{duty.id}:{duty.due_at.isoformat()}"
    return _of_duty(key, OVERDUE, duty.due_at, duty, stands, {})


def of_letter(row: Event, letter: FailedLetter) -> Told | None:
    """That a letter was given up; None where it fared otherwise."""
    if row.data.get("state") != "dead":
        return None
    about = Thing(f"duban.letter.{letter.id}", f"{letter.id}")
    payload = {"letter": letter.id, "kind": letter.kind, "channel": letter.channel}
    related = tuple(_place(letter.agency, letter.name, letter.region, letter.region))
    return Told(f"history:{row.seq}", LETTER_FAILED, row.at, about, related, payload)


def of_missed_tick(row: Event) -> Told:
    """That no chase happened for two periods."""
    payload = {name: row.data[name] for name in ("last", "chases") if name in row.data}
    return Told(
        f"history:{row.seq}", TICK_MISSED, row.at, Thing("duban.tick", "chase"), payload=payload
    )


def _of_duty(
    key: str, name: str, at: datetime, duty: DutyView, stands: Standing, told: Mapping[str, Any]
) -> Told:
    w, agency = words(duty.notice.language), duty.agency
    period = period_words(w, duty.period)
    clause = Thing(
        f"duban.clause.{duty.clause_key}", f"{duty.number} {duty.clause.title}", "clause"
    )
    due = duty.due_at.astimezone(duty.notice.zone).date().isoformat()
    return Told(
        key=key,
        name=name,
        at=at,
        about=Thing(f"duban.duty.{duty.id}", f"{duty.number} {agency.name} {period}"),
        related=(
            clause,
            *_place(agency.id, agency.name, agency.region, agency.region_name),
            *_run(stands, agency.name),
        ),
        payload={"duty": duty.id, "period": duty.period, "due": due, **told},
    )


def _run(stands: Standing, name: str) -> Iterator[Thing]:
    if stands.run:
        yield Thing(f"prefect.flow-run.{stands.run}", name, "flow-run")


def _place(agency: str, name: str, region: str, region_name: str) -> Iterator[Thing]:
    yield Thing(f"duban.agency.{agency}", name, "agency")
    yield Thing(f"duban.city.{region}", region_name, "city")
