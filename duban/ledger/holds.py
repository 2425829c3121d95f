"""Silence for an agency or a clause, with reason and end; what was not sent yet is unsaid."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, select, true, update

from duban.duty import WAITING
from duban.errors import DubanError
from duban.ladder import INFORMING
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.tables import Decision, Duty, Hold, Letter, Mention, Proposal


class NoSuchHold(DubanError):
    """There is no such hold in force; `duban holds` lists them."""


class HoldRefused(DubanError):
    """A hold needs an agency or a clause, a reason, and a last day that lies ahead."""


def hold(
    ledger: Ledger,
    *,
    agency: str | None,
    clause: str | None,
    until: date,
    reason: str,
    by: str,
    now: datetime,
) -> int:
    """Begins a hold today; its number. With both an agency and a clause, only where both meet.

    Letters that are written but not yet under way fall silent too: their mentions are taken out,
    and after the hold the chase says what is then due.

    Args:
        until: the last civil day of silence, in the first notice's zone.

    Raises:
        HoldRefused: nothing was recorded.
    """
    today = ledger.registry.today(now)
    if not (agency or clause) or not reason.strip() or until < today:
        raise HoldRefused
    with change(ledger.engine, now, by) as made:
        return begin(made, today, agency=agency, clause=clause, until=until, reason=reason)


def begin(
    made: Change, today: date, *, agency: str | None, clause: str | None, until: date, reason: str
) -> int:
    """Begins a hold as part of a change; its number."""
    row = Hold(
        agency=agency,
        clause=clause,
        begins_on=today,
        until=until,
        reason=reason,
        made_at=made.at,
        made_by=made.actor,
    )
    made.session.add(row)
    made.session.flush()
    _unsay(made, _covered(row), today)
    made.record(
        "held", None, reason, hold=row.id, agency=agency, clause=clause, until=until.isoformat()
    )
    return row.id


def release(ledger: Ledger, hold_id: int, *, by: str, now: datetime) -> None:
    """Ends a hold before its day; the chase looks at the duties it covered today.

    Raises:
        NoSuchHold: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        end(made, ledger.registry.today(now), hold_id)


def end(made: Change, today: date, hold_id: int) -> None:
    """Ends a hold as part of a change.

    Raises:
        NoSuchHold: it is not in force.
    """
    row = made.session.get(Hold, hold_id, with_for_update=True)
    if row is None or row.released_at is not None:
        raise NoSuchHold
    row.released_at = made.at
    made.connection.execute(
        update(Duty).where(_covered(row), Duty.status.in_(WAITING)).values(next_on=today)
    )
    made.record("released", None, hold=row.id)


def holds_in_force(ledger: Ledger, now: datetime) -> Sequence[Hold]:
    """The holds that are in force or still to come to their end, the earliest end first."""
    question = (
        select(Hold.__table__)
        .where(Hold.released_at.is_(None), Hold.until >= ledger.registry.today(now))
        .order_by(Hold.until, Hold.id)
    )
    with reading(ledger.engine) as connection:
        return [Hold(**row) for row in connection.execute(question).mappings()]


def _covered(row: Hold) -> ColumnElement[bool]:
    of_agency = Duty.agency == row.agency if row.agency else true()
    return of_agency & (Duty.clause == row.clause if row.clause else true())


def _unsay(made: Change, covered: ColumnElement[bool], today: date) -> None:
    """Takes the covered duties out of letters that nobody has begun to send.

    What had been approved awaits approval again.
    """
    unwritten = (
        select(Mention.id, Mention.duty_id, Mention.round, Mention.rung, Mention.n)
        .join(Duty, Duty.id == Mention.duty_id)
        .join(Letter, Letter.id == Mention.letter_id)
        .where(covered, Letter.state == "pending", Letter.attempts == 0)
        .where(Letter.kind.not_in(INFORMING))
    )
    rows = made.connection.execute(unwritten).all()
    for row in rows:
        said = (row.duty_id, row.round, row.rung, row.n)
        made.connection.execute(delete(Mention).where(Mention.id == row.id))
        made.connection.execute(delete(Decision).where(*_same(Decision, said)))
        made.connection.execute(
            update(Proposal)
            .where(*_same(Proposal, said), Proposal.state == "approved")
            .values(state="proposed", decided_at=None, decided_by=None)
        )
        made.record("unsaid", row.duty_id, rung=row.rung, n=row.n)
    made.connection.execute(
        update(Duty)
        .where(Duty.id.in_({row.duty_id for row in rows}), Duty.status.in_(WAITING))
        .values(next_on=today)
    )


def _same(
    model: type[Decision] | type[Proposal], said: tuple[int, int, str, int]
) -> list[ColumnElement[bool]]:
    columns = (model.duty_id, model.round, model.rung, model.n)
    return [column == value for column, value in zip(columns, said, strict=True)]
