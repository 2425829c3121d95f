"""Formal rungs that a coordinator sends or stops, and what a coordinator said by telephone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, select

from duban.duty import WAITING
from duban.errors import DubanError
from duban.ladder import Occurrence, decide
from duban.ledger import Ledger
from duban.ledger.acts import locked_duty, notice_of
from duban.ledger.change import Change, change
from duban.ledger.chase import lapse, mentions_of
from duban.ledger.database import reading
from duban.ledger.facts import Facts, facts_of
from duban.ledger.letterbox import post
from duban.ledger.tables import Duty, Mention, Proposal

CALL = "call"
"""The rung of a telephone call that came before any written rung was due."""


class NotProposed(DubanError):
    """No formal letter of this duty awaits approval; `duban proposals` lists them."""


class NotWaiting(DubanError):
    """The duty does not wait for its agency, so there is nothing to press for."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A formal rung that awaits a coordinator."""

    duty_id: int
    agency: str
    clause: str
    rung: str
    n: int
    day: date


def proposals(ledger: Ledger) -> list[Proposed]:
    """What awaits approval of a waiting duty in its present round, oldest first.

    Of each duty the highest alone: the lower ones lapse with it.
    """
    question = (
        select(Proposal.duty_id, Duty.agency, Duty.clause, Proposal.rung, Proposal.n, Proposal.day)
        .join(Duty, Duty.id == Proposal.duty_id)
        .where(
            Proposal.state == "proposed",
            Proposal.round == Duty.round,
            Duty.status.in_(WAITING),
        )
        .order_by(Proposal.day, Proposal.id)
    )
    with reading(ledger.engine) as connection:
        highest = {row.duty_id: Proposed(*row) for row in connection.execute(question)}
    return sorted(highest.values(), key=lambda one: (one.day, one.duty_id))


def approve(ledger: Ledger, duty_ids: Sequence[int], *, by: str, now: datetime) -> int:
    """Sends the formal rungs proposed for these duties, all or none of them; how many.

    Raises:
        NotProposed: one of them has none; nothing was sent.
    """
    with change(ledger.engine, now, by) as made:
        for duty_id in duty_ids:
            _approve(made, ledger, duty_id)
        made.session.flush()
        lapse(made, by)
    return len(duty_ids)


def _approve(made: Change, ledger: Ledger, duty_id: int) -> None:
    duty = locked_duty(made, duty_id)
    notice = notice_of(ledger, duty)
    today = made.at.astimezone(notice.zone).date()
    proposal = _decide(made, duty, "approved")
    facts = facts_of(made.connection, ledger, [duty_id], today)[0]
    rung = facts.ladder.rung(proposal.rung)
    if rung is None:
        raise NotProposed(
            f"The ladder of duty {duty_id} has no rung {proposal.rung} any more; decline it."
        )
    said = Occurrence(rung, proposal.n, today)
    post(made, ledger, notice, mentions_of(ledger, facts, said, today))
    duty.next_on = today + timedelta(days=1)
    made.record("approved", duty_id, rung=rung.name, n=proposal.n, kind=rung.kind)


def decline(ledger: Ledger, duty_ids: Sequence[int], *, reason: str, by: str, now: datetime) -> int:
    """Stops the formal rungs proposed for these duties, all or none; the ladder goes on.

    Raises:
        NotProposed: one of them has none; nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        for duty_id in duty_ids:
            proposal = _decide(made, locked_duty(made, duty_id), "declined")
            made.record("declined", duty_id, reason or None, rung=proposal.rung, n=proposal.n)
        made.session.flush()
        lapse(made, by)
    return len(duty_ids)


def _decide(made: Change, duty: Duty, state: str) -> Proposal:
    """The highest proposal of the duty's round, decided; lower ones lapse with it."""
    question = (
        select(Proposal)
        .where(Proposal.duty_id == duty.id, Proposal.round == duty.round)
        .where(Proposal.state == "proposed")
        .order_by(Proposal.day.desc(), Proposal.id.desc())
    )
    found = made.session.scalars(question).all()
    if not found or duty.status not in WAITING:
        raise NotProposed(f"Duty {duty.id} has no formal letter that awaits approval.")
    for one in found:
        one.state, one.decided_at, one.decided_by = "lapsed", made.at, made.actor
    found[0].state = state
    return found[0]


def call(ledger: Ledger, duty_id: int, *, said: str, by: str, now: datetime) -> str:
    """Records a telephone call (电话催办); the rung whose turn it was counts as spoken.

    Args:
        said: with whom, and what was agreed; kept as free text.

    Returns:
        the rung's name, or `call` when none was due.

    Raises:
        NoSuchDuty, NotWaiting: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        duty = locked_duty(made, duty_id)
        if duty.status not in WAITING:
            raise NotWaiting(f"Duty {duty_id} is {duty.status}; nobody has to be called.")
        today = now.astimezone(notice_of(ledger, duty).zone).date()
        facts = facts_of(made.connection, ledger, [duty_id], today)[0]
        rung, n = _turn(made, ledger, facts, today)
        made.connection.execute(
            insert(Mention).values(
                duty_id=duty_id,
                letter_id=None,
                recipient=duty.agency,
                round=duty.round,
                rung=rung,
                n=n,
                day=today,
                said=True,
            )
        )
        if facts.chased.opened:  # else the round's first letter still waits for its turn today
            duty.next_on = today + timedelta(days=1)
        made.record("called", duty_id, said, rung=rung, n=n)
        return rung


def _turn(made: Change, ledger: Ledger, facts: Facts, today: date) -> tuple[str, int]:
    """The rung that a letter would have spoken, else the next number of plain calls."""
    calendar = ledger.registry.calendar(facts.clause, facts.agency)
    step = decide(facts.chased, facts.ladder, calendar, today)
    if step.speak and facts.chased.opened:
        return step.speak.rung.name, step.speak.n
    calls = select(func.count()).where(
        Mention.duty_id == facts.id, Mention.round == facts.round, Mention.rung == CALL
    )
    return CALL, (made.connection.scalar(calls) or 0) + 1
