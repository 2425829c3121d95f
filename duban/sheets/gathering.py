"""What the ledger knows of duties beside their own rows, for a batch of lines of the 台账."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select

from duban.intake import hide
from duban.ladder import INFORMING, ROUND_OPENERS
from duban.ledger import Ledger
from duban.ledger.browsing import Selection, Then, Today, clause_order
from duban.ledger.database import reading
from duban.ledger.questions import DutyView, Event, events_outside
from duban.ledger.tables import (
    Draft,
    Duty,
    EvidenceFile,
    History,
    Letter,
    Mention,
    Submission,
)

BATCH = 500
"""Duties of which everything is asked at once."""
_PAGE = 5_000

PROGRESS, PROBLEMS = "progress-noted", "problems-noted"
"""Remarks in a duty's history; the newest of each sort stands in the sheet."""

_NO_CHASE = (*ROUND_OPENERS, *INFORMING)
_REVIEWS = ("accepted", "returned", "waived", "reopened")
_TOLD = (PROGRESS, PROBLEMS, "extended", *_REVIEWS)


@dataclass(frozen=True, slots=True)
class Handed:
    """A version of a duty's evidence; of nil returns the statement."""

    number: int
    fields: Mapping[str, Any]
    files: tuple[str, ...]
    nil: bool
    statement: str
    suspect: bool
    dated: date | None


@dataclass(slots=True)
class Known:
    """What is known of one duty.

    Attributes:
        version: that of the clause it was opened under.
        handed: the newest version of its evidence; `own` the newest by the agency that owes it.
        chased: how often its agency was pressed, and the last day.
    """

    version: str = ""
    draft: dict[str, str] = field(default_factory=dict[str, str])
    handed: Handed | None = None
    own: Handed | None = None
    extended: list[Event] = field(default_factory=list[Event])
    review: Event | None = None
    notes: dict[str, Event] = field(default_factory=dict[str, Event])
    chased: tuple[int, date] | None = None


def in_order(when: Today | Then, selection: Selection) -> Iterator[list[DutyView]]:
    """The duties of a selection by clause, due day and number, a batch at a time."""
    seen: set[int] = set()
    for page in _pages(when, selection):
        # What moved while the pages were read may come twice.
        fresh = [duty for duty in page if duty.id not in seen]
        seen.update(duty.id for duty in fresh)
        for at in range(0, len(fresh), BATCH):
            yield fresh[at : at + BATCH]


def _pages(when: Today | Then, selection: Selection) -> Iterator[Sequence[DutyView]]:
    if isinstance(when, Then):
        places = clause_order(when.ledger)
        found = when.page(selection, "number", 0, len(when.found))
        yield sorted(found, key=lambda one: (places[one.clause_key], one.due_at, one.id))
        return
    skip = 0
    while page := when.page(selection, "clause", skip, _PAGE):
        yield page
        skip += _PAGE


def known(
    ledger: Ledger, duties: Sequence[DutyView], until: tuple[datetime, date] | None = None
) -> dict[int, Known]:
    """What is known of each of these duties.

    Args:
        until: a moment behind and its civil day, where nothing later is to show. Drafts are not
            kept by moment, so none show then.
    """
    found: dict[int, Known] = defaultdict(Known)
    with reading(ledger.engine) as connection:
        fill(connection, found, {duty.id: duty.agency.id for duty in duties}, until)
    return found


def fill(
    connection: Connection,
    found: dict[int, Known],
    agencies: Mapping[int, str],
    until: tuple[datetime, date] | None = None,
) -> None:
    """Asks for all duties together; `agencies` by duty."""
    ids = list(agencies)
    for duty_id, version in connection.execute(
        select(Duty.id, Duty.version).where(Duty.id.in_(ids))
    ):
        found[duty_id].version = version
    _hand(connection, found, agencies, until)
    for event in _told(connection, ids, until):
        if event.duty_id is not None:
            _keep(found[event.duty_id], event)
    for duty_id, count, day in connection.execute(_chases(ids, until)):
        found[duty_id].chased = (count, day)
    if until is None:
        rows = select(Draft.duty_id, Draft.agency, Draft.fields).where(Draft.duty_id.in_(ids))
        for duty_id, agency, fields in connection.execute(rows):
            if agency == agencies[duty_id]:
                found[duty_id].draft = fields


def _keep(known: Known, event: Event) -> None:
    if event.action == "extended":
        known.extended.append(event)
    elif event.action in _REVIEWS:
        known.review = event
    else:
        known.notes[event.action] = event


def _told(
    connection: Connection, ids: Collection[int], until: tuple[datetime, date] | None
) -> list[Event]:
    where = History.duty_id.in_(ids) & History.action.in_(_TOLD)
    return events_outside(connection, where & (History.at <= until[0]) if until else where)


def _hand(
    connection: Connection,
    found: dict[int, Known],
    agencies: Mapping[int, str],
    until: tuple[datetime, date] | None,
) -> None:
    question = select(Submission.__table__).where(Submission.duty_id.in_(agencies))
    if until:
        question = question.where(Submission.submitted_at <= until[0])
    rows = connection.execute(question.order_by(Submission.number)).mappings().all()
    newest = {row["duty_id"]: row for row in rows}
    own = {row["duty_id"]: row for row in rows if row["submitted_by"] == agencies[row["duty_id"]]}
    names = _names(connection, {row["id"] for row in (*newest.values(), *own.values())})
    for duty_id, row in newest.items():
        found[duty_id].handed = _handed(row, names)
    for duty_id, row in own.items():
        found[duty_id].own = _handed(row, names)


def _names(connection: Connection, submissions: Collection[int]) -> dict[int, list[str]]:
    """The names of files by submission."""
    found: dict[int, list[str]] = defaultdict(list)
    files = (
        select(EvidenceFile.submission_id, EvidenceFile.name)
        .where(EvidenceFile.submission_id.in_(submissions), EvidenceFile.state != "refused")
        .order_by(EvidenceFile.id)
    )
    for submission_id, name in connection.execute(files):
        found[submission_id].append(name)
    return found


def _handed(row: RowMapping, names: Mapping[int, Sequence[str]]) -> Handed:
    return Handed(
        number=row["number"],
        fields=row["fields"],
        files=tuple(hide(name) for name in names.get(row["id"], ())),
        nil=row["nil"],
        statement=hide(row["statement"] or ""),
        suspect=bool(row["suspect"]),
        dated=row["dated"],
    )


def _chases(ids: Collection[int], until: tuple[datetime, date] | None) -> Any:
    """How often a duty's own agency was pressed by letter or telephone, and the last day."""
    question = (
        select(Mention.duty_id, func.count(), func.max(Mention.day))
        .join(Duty, (Duty.id == Mention.duty_id) & (Duty.agency == Mention.recipient))
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id.in_(ids), Mention.said)
        .where(Mention.rung.not_in(_NO_CHASE))
        .where(or_(Letter.id.is_(None), Letter.state == "sent"))
        .group_by(Mention.duty_id)
    )
    return question.where(Mention.day <= until[1]) if until else question
