"""Tells what the chase decides about one duty on any day, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from duban.duty import CLOSED, WAITING, Status
from duban.ladder import INFORMING, PROMPT, ROUND_OPENERS, Reason, Step, after, decide
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.facts import Facts, facts_of, holds
from duban.ledger.letterbox import MORNING
from duban.ledger.questions import Event, events
from duban.ledger.tables import Decision, Duty, Letter, Mention, Proposal
from duban.registry import instant


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a duty on a day: to whom, by which letter, and what became of that."""

    recipient: str
    rung: str
    n: int
    letter: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The decision of a day with the facts it rests on, and what was really said that day.

    `foreseen`: the day lies ahead; no evidence comes until then and nothing is approved.
    """

    day: date
    facts: Facts
    step: Step
    said: tuple[Said, ...] = ()
    foreseen: bool = False


def explain(ledger: Ledger, duty_id: int, day: date, now: datetime) -> Explained:
    """The decision about a duty on a civil day of its notice's zone.

    A day behind is seen as that morning's chase saw it, from the history; today as things stand;
    a day ahead by walking there, if nothing happens meanwhile. The ladder and the calendar are
    those in force now.

    Args:
        duty_id: a duty that is there.
    """
    with reading(ledger.engine) as connection:
        clause = connection.execute(select(Duty.clause).where(Duty.id == duty_id)).scalar_one()
        zone = ledger.registry.notices[clause.partition("/")[0]].file.notice.zone
        today = now.astimezone(zone).date()
        facts = facts_of(connection, ledger, [duty_id], min(day, today))[0]
        said = _said(connection, duty_id, day)
        if day <= today:
            facts = _as_of(connection, ledger, facts, day, today)
        kept_back = _kept_back(connection, duty_id, day)
    calendar = ledger.registry.calendar(facts.clause, facts.agency)
    if day > today:
        return Explained(day, facts, _foreseen(ledger, facts, today, day), foreseen=True)
    quiet = day == today and ledger.registry.policy.quiet.at(now, zone)
    step = decide(facts.chased, facts.ladder, calendar, day, quiet=quiet)
    pressed = any(one.rung not in PROMPT for one in said)
    if step.speak and not pressed and (step.speak.rung.name, step.speak.n) in kept_back:
        step = Step(Reason.OVER_BUDGET, day + timedelta(days=1), superseded=(step.speak,))
    return Explained(day, facts, step, said)


def _foreseen(ledger: Ledger, facts: Facts, today: date, day: date) -> Step:
    calendar = ledger.registry.calendar(facts.clause, facts.agency)
    duty, at = facts.chased, today
    if duty.waiting and duty.told_on is None and duty.opened:
        duty = replace(duty, told_on=today)  # the letter that is under way arrives
    while True:
        step = decide(duty, facts.ladder, calendar, at)
        if at == day:
            return step
        duty = after(duty, step, at)
        at = min(step.next_on or day, day)


def _as_of(connection: Connection, ledger: Ledger, facts: Facts, day: date, today: date) -> Facts:
    """The facts as they stood in the morning of a day, before anything was said on it."""
    zone = ledger.registry.notices[facts.clause.partition("/")[0]].file.notice.zone
    morning = instant(day, MORNING, zone) if day < today else None
    known = [one for one in events(ledger, duty_id=facts.id) if morning is None or one.at < morning]
    status, round_, due_at = _replayed(known)
    spoken = _spoken(connection, facts.id, round_, day)
    told = [
        at.astimezone(zone).date()
        for rung, _, _, at in spoken
        if rung in ROUND_OPENERS and at and (morning is None or at < morning)
    ]
    rungs = {rung: on for rung, on, _, _ in spoken if rung not in ROUND_OPENERS}
    proposed = _proposed(connection, facts.id, round_, day)
    counted = [(rung, n) for rung, _, n, _ in spoken] + [(one.rung, one.n) for one in proposed]
    chased = replace(
        facts.chased,
        waiting=status in WAITING,
        closed=status in CLOSED,
        due_on=due_at.astimezone(zone).date() if due_at else facts.chased.due_on,
        told_on=min(told, default=None),
        opened=any(rung in ROUND_OPENERS for rung, *_ in spoken) or round_ == 0,
        heard_on=max([*rungs.values(), *(one.day for one in proposed)], default=None),
        spoken=rungs,
        times={rung: max(n for name, n in counted if name == rung) for rung, _ in counted},
        held_until=holds(connection, day).until(facts.agency, facts.clause),
        awaiting=next((one.rung for one in reversed(proposed) if _awaited(one, morning)), ""),
    )
    return replace(facts, round=round_, chased=chased)


_STATUS_AFTER = {
    "opened": Status.OPEN,
    "submitted": Status.SUBMITTED,
    "returned": Status.RETURNED,
    "accepted": Status.ACCEPTED,
    "reopened": Status.OPEN,
}
_NEW_ROUND = ("opened", "returned", "extended", "reopened")


def _replayed(known: Sequence[Event]) -> tuple[Status, int, datetime | None]:
    """(status, round, due instant) after these events."""
    status, round_, due_at = Status.OPEN, 0, None
    for one in known:
        status = (
            Status(one.data["status"])
            if one.action == "waived"
            else _STATUS_AFTER.get(one.action, status)
        )
        round_ += one.action in _NEW_ROUND
        due_at = datetime.fromisoformat(one.data["due"]) if "due" in one.data else due_at
    return status, round_, due_at


def _spoken(
    connection: Connection, duty_id: int, round_: int, day: date
) -> Sequence[tuple[str, date, int, datetime | None]]:
    """(rung, day, n, delivered at): what a round said before a day, and its opening letter then."""
    question = (
        select(Mention.rung, Mention.day, Mention.n, Letter.sent_at)
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id == duty_id, Mention.round == round_)
        .where(Mention.rung.not_in(INFORMING))
        .where((Mention.day < day) | Mention.rung.in_(ROUND_OPENERS) & (Mention.day <= day))
        .order_by(Mention.day)
    )
    return [tuple(row) for row in connection.execute(question)]


def _proposed(
    connection: Connection, duty_id: int, round_: int, day: date
) -> Sequence[Row[tuple[str, int, date, str, datetime | None]]]:
    """What a round proposed before a day, the last at the end."""
    question = (
        select(Proposal.rung, Proposal.n, Proposal.day, Proposal.state, Proposal.decided_at)
        .where(Proposal.duty_id == duty_id, Proposal.round == round_, Proposal.day < day)
        .order_by(Proposal.day, Proposal.id)
    )
    return connection.execute(question).all()


def _awaited(one: Row[Any], morning: datetime | None) -> bool:
    """Nobody had approved or declined it by that morning, or has by now."""
    decided_since = morning and one.decided_at and one.decided_at >= morning
    return one.state == "proposed" or bool(decided_since)


def _kept_back(connection: Connection, duty_id: int, day: date) -> set[tuple[str, int]]:
    """(rung, n) of what the week's limit kept back on this day or before it."""
    question = select(Decision.rung, Decision.n).where(
        Decision.duty_id == duty_id, Decision.reason == Reason.OVER_BUDGET, Decision.day <= day
    )
    return {(rung, n) for rung, n in connection.execute(question)}


def _said(connection: Connection, duty_id: int, day: date) -> tuple[Said, ...]:
    question: Any = (
        select(Mention.recipient, Mention.rung, Mention.n, Letter.id, Letter.state)
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id == duty_id, Mention.day == day, Mention.said)
        .order_by(Mention.id)
    )
    return tuple(
        Said(recipient, rung, n, letter, state or "telephone")
        for recipient, rung, n, letter, state in connection.execute(question)
    )
