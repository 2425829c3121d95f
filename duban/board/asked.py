"""What the boards ask the ledger: each a single question, however many duties there are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from duban.board.lists import Listed, Pursued
from duban.duty import Status
from duban.ledger import Ledger
from duban.ledger.browsing import Selection, State, Today
from duban.ledger.database import reading
from duban.ledger.handover import heirs_of_the_gone
from duban.ledger.questions import DutyView
from duban.ledger.tables import Attempt, Duty, Letter, Submission, Suspension, Task, Tick
from duban.ledger.timeline import last_letters, prospects
from duban.markdown import ROWS
from duban.outlook import last_words, next_words
from duban.words import Words

RECENT = timedelta(days=7)
DAYS_OF_TICKS = timedelta(days=30)


def listed(ledger: Ledger, state: State, now: datetime) -> Listed:
    """The first `ROWS` duties in a state by due day, and how many there are in all."""
    today, wanted = Today(ledger, now), Selection(state=state)
    return Listed(today.page(wanted, "due", 0, ROWS), today.count(wanted))


def pursued(
    ledger: Ledger, found: Sequence[DutyView], now: datetime, w: Words
) -> dict[int, Pursued]:
    """What was said last about each of these duties, and what comes next."""
    ids = [one.id for one in found]
    said, ahead, name_of = (
        last_letters(ledger, ids),
        prospects(ledger, ids, now),
        ledger.registry.name_of,
    )
    return {
        one.id: Pursued(
            last_words(said[one.id], w, name_of) if one.id in said else "",
            next_words(one, ahead.get(one.id), w),
        )
        for one in found
    }


@dataclass(frozen=True, slots=True)
class Reported:
    """A duty of a clause with a target, as `duban.targets.HandedIn` has it."""

    clause: str
    agency: str
    period: str
    status: Status
    nil: bool
    opened_at: datetime
    submitted_at: datetime | None
    figures: tuple[int, int] | None
    heirs: tuple[str, ...] = ()


def reported(ledger: Ledger, now: datetime) -> list[Reported]:
    """The duties of every clause with a target, but those waived or not applicable."""
    fields = {
        placed.key: placed.clause.target.field
        for placed in ledger.registry.tracked
        if placed.clause.target
    }
    versions = aliased(Submission)
    newest = select(func.max(versions.number)).where(versions.duty_id == Duty.id)
    question = (
        select(
            Duty.clause,
            Duty.agency,
            Duty.period,
            Duty.status,
            Duty.nil,
            Duty.opened_at,
            Submission.submitted_at,
            Submission.fields,
        )
        .outerjoin(
            Submission,
            (Submission.duty_id == Duty.id) & (Submission.number == newest.scalar_subquery()),
        )
        .where(Duty.clause.in_(fields))
        .where(Duty.status.not_in((Status.WAIVED, Status.NOT_APPLICABLE)))
    )
    with reading(ledger.engine) as connection:
        heirs = heirs_of_the_gone(connection, ledger.registry, now)
        return [_reported(fields[row[0]], row, heirs) for row in connection.execute(question)]


def _reported(field: str, row: Any, heirs: Mapping[str, tuple[str, ...]]) -> Reported:
    clause, agency, period, status, nil, opened, at, given = row
    figures: Any = given.get(field) if given else None
    ratio = (figures[0], figures[1]) if figures else None
    return Reported(
        clause, agency, period, Status(status), nil, opened, at, ratio, heirs.get(agency, ())
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """How letters fare.

    Attributes:
        states: letters by state.
        oldest: when the letter that has waited longest was due out; None if none waits.
        tries: recent attempts by channel and outcome.
        chores: open tasks by kind.
        suspended: addresses that refused for good.
    """

    states: Mapping[str, int]
    oldest: datetime | None
    tries: Mapping[tuple[str, str], int]
    chores: Mapping[str, int]
    suspended: int


def delivery(ledger: Ledger, now: datetime) -> Delivery:
    """How letters fare, with the attempts of the past seven days."""
    states = select(Letter.state, func.count()).group_by(Letter.state)
    oldest = select(func.min(Letter.not_before)).where(Letter.state == "pending")
    tries = (
        select(Attempt.via, Attempt.outcome, func.count())
        .where(Attempt.at > now - RECENT, Attempt.at <= now)
        .group_by(Attempt.via, Attempt.outcome)
    )
    chores = select(Task.kind, func.count()).where(Task.closed_at.is_(None)).group_by(Task.kind)
    suspended = select(func.count()).select_from(Suspension).where(Suspension.lifted_at.is_(None))
    with reading(ledger.engine) as connection:
        return Delivery(
            dict(connection.execute(states).tuples().all()),
            connection.scalar(oldest),
            {(via, outcome): n for via, outcome, n in connection.execute(tries)},
            dict(connection.execute(chores).tuples().all()),
            connection.scalar(suspended) or 0,
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """The looks of one civil day at what should be open: expected N, opened M.

    Attributes:
        expected: what the last look at all clauses found; None if there was none that day.
    """

    day: date
    looks: int
    expected: int | None
    opened: int


def checked(ledger: Ledger, now: datetime) -> Sequence[Checked]:
    """The looks of the past thirty days by civil day, the newest first."""
    question = (
        select(Tick.at, Tick.scope, Tick.expected, Tick.opened)
        .where(Tick.at > now - DAYS_OF_TICKS, Tick.at <= now)
        .order_by(Tick.at, Tick.id)
    )
    looks, opened = Counter[date](), Counter[date]()
    expected: dict[date, int] = {}
    with reading(ledger.engine) as connection:
        for at, scope, found, new in connection.execute(question):
            day = ledger.registry.today(at)
            looks[day] += 1
            opened[day] += new
            if scope == "all":
                expected[day] = found
    return [Checked(d, looks[d], expected.get(d), opened[d]) for d in sorted(looks, reverse=True)]
