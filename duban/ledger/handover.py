"""Hands an agency's duties to another, after a merger or when an office has ceased to exist."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from duban.batches import batches
from duban.duty import CLOSED, WAITING
from duban.errors import DubanError
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.acts import begin_round
from duban.ledger.change import DUTIES_PER_CHANGE, Change, change
from duban.ledger.database import reading
from duban.ledger.tables import Duty, History
from duban.registry import Registry


class HandOverRefused(DubanError):
    """Duties go from an agency that has left agencies.yaml to another that stands in it."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """What became of the duties; `left` are those that the other agency has itself already."""

    moved: tuple[int, ...]
    left: tuple[int, ...]


def hand_over(
    ledger: Ledger, giver: str, taker: str, *, reason: str, by: str, now: datetime
) -> HandOver:
    """Moves the duties of an agency that are not closed; what waits is assigned anew by letter.

    Where there is nothing to move, the history tells who followed whom nevertheless.

    An agency that still stands in agencies.yaml keeps its duties, since the next tick would open
    them for it again.

    Args:
        giver, taker: ids of agencies.

    Raises:
        HandOverRefused: nothing was moved.
    """
    known = ledger.registry.agencies
    if giver == taker or taker not in known or not reason.strip():
        raise HandOverRefused(
            "Name an agency of agencies.yaml that takes the duties over, and a reason."
        )
    if giver in known:
        raise HandOverRefused(
            f"{known[giver].name} still stands in agencies.yaml; take it out there first."
        )
    found = _unclosed(ledger, giver)
    moved = [
        duty_id
        for batch in batches(found, DUTIES_PER_CHANGE)
        for duty_id in _move(ledger, batch, giver, taker, reason, by, now)
    ]
    if not moved:  # whose figures count for a target asks the history who followed whom
        with change(ledger.engine, now, by) as made:
            made.record("handed-over", None, reason, giver=giver, taker=taker)
    return HandOver(tuple(moved), tuple(one for one in found if one not in set(moved)))


def heirs_of_the_gone(
    connection: Connection, registry: Registry, at: datetime
) -> dict[str, tuple[str, ...]]:
    """Who took the duties of agencies over that are no more in the files, by agency.

    The heir's own heir follows where that one has left too. All by an instant.
    """
    question = select(History.data).where(History.action == "handed-over", History.at <= at)
    told = connection.scalars(question.order_by(History.seq))
    taker = {data["giver"]: data["taker"] for data in told}
    return {giver: tuple(_line_of(giver, taker, registry)) for giver in taker}


def _line_of(giver: str, taker: Mapping[str, str], registry: Registry) -> Iterator[str]:
    seen: set[str] = set()
    while giver in taker and giver not in registry.agencies and giver not in seen:
        seen.add(giver)
        giver = taker[giver]
        yield giver


def _unclosed(ledger: Ledger, agency: str) -> list[int]:
    question = select(Duty.id).where(Duty.agency == agency, Duty.status.not_in(CLOSED))
    with reading(ledger.engine) as connection:
        return list(connection.scalars(question.order_by(Duty.id)))


def _move(
    ledger: Ledger,
    ids: Sequence[int],
    giver: str,
    taker: str,
    reason: str,
    by: str,
    now: datetime,
) -> list[int]:
    with change(ledger.engine, now, by) as made:
        question = select(Duty).where(Duty.id.in_(ids), Duty.agency == giver).order_by(Duty.id)
        rows = made.session.scalars(question.with_for_update()).all()
        taken = _taken(made, rows, taker)
        moving = [duty for duty in rows if _slot(duty) not in taken]
        for duty in moving:
            duty.agency, duty.acknowledged_at = taker, None
            duty.revision += 1  # its run bears the agency's name
            if duty.status in WAITING:
                begin_round(made, ledger, duty, Kind.ASSIGN, duty.due_at)
            made.record("handed-over", duty.id, reason, giver=giver, taker=taker)
        return [duty.id for duty in moving]


def _slot(duty: Duty) -> tuple[str, str, str]:
    return duty.clause, duty.cycle, duty.period


def _taken(made: Change, duties: Sequence[Duty], taker: str) -> set[tuple[str, str, str]]:
    """The slots of these clauses in which the taker has a duty already."""
    clauses = {duty.clause for duty in duties}
    question = select(Duty.clause, Duty.cycle, Duty.period).where(
        Duty.agency == taker, Duty.clause.in_(clauses)
    )
    return {(clause, cycle, period) for clause, cycle, period in made.connection.execute(question)}
