"""Counts days anew when a calendar or a ladder has changed; finds dates that have gone wrong."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select, update

from duban.batches import batches
from duban.calendar import Calendar, WorkCalendar
from duban.duty import WAITING
from duban.ladder import decide
from duban.ledger import Ledger
from duban.ledger.acts import clause_of, notice_of
from duban.ledger.change import DUTIES_PER_CHANGE, Change, change, look_again
from duban.ledger.database import reading
from duban.ledger.facts import facts_of
from duban.ledger.tables import Duty, Setting
from duban.period import Every, Period, period_of
from duban.registry import instant

_RULES = "rules"


def recount(ledger: Ledger, now: datetime) -> int:
    """After a change of ladders or calendars the chase looks at every waiting duty again today.

    A due day that was provisional is counted again; where it moves, history says so. Without a
    change this is one question.

    Returns:
        how many due days moved.
    """
    digest = _digest(ledger, now)
    with reading(ledger.engine) as connection:
        if connection.scalar(select(Setting.value).where(Setting.name == _RULES)) == digest:
            return 0
    with change(ledger.engine, now, "duban") as made:
        moved = sum(_recounted(made, ledger, duty) for duty in _provisional(made))
        today = now.date()
        made.connection.execute(
            update(Duty).where(Duty.status.in_(WAITING), Duty.opened_at < now).values(next_on=today)
        )
        made.session.merge(Setting(name=_RULES, value=digest))
    return moved


def _digest(ledger: Ledger, now: datetime) -> str:
    """Changes with the ladders, the local days, and the years that the calendar package knows."""
    policy = ledger.registry.policy
    china = Calendar(WorkCalendar.CHINA)
    years = range(now.year - 1, now.year + 3)
    known = [year for year in years if not china.provisional(date(year, 1, 1))]
    named = {key: one.clause.ladder for key, one in ledger.registry.clauses.items()}
    own = {key: one.ladder for key, one in ledger.registry.agencies.items() if one.ladder}
    content = (
        sorted(policy.ladders.items()),
        policy.default,
        policy.spans,
        sorted(policy.announced),
        known,
        named,
        own,
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _provisional(made: Change) -> Sequence[Duty]:
    question = select(Duty).where(Duty.provisional, Duty.status.in_(WAITING))
    return made.session.scalars(question.order_by(Duty.id)).all()


def _recounted(made: Change, ledger: Ledger, duty: Duty) -> bool:
    notice = notice_of(ledger, duty)
    cycle = clause_of(made.session, duty).cycle(duty.cycle)
    period = _period(cycle.every, duty)
    calendar = ledger.registry.calendar(duty.clause, duty.agency, school=cycle.school)
    due = cycle.due_day(period, calendar)
    duty.provisional = due.provisional
    due_at = instant(due.day, cycle.cut_off, notice.zone)
    if due_at == duty.due_at:
        return False
    before, duty.due_at, duty.original_due_at = duty.due_at, due_at, due_at
    duty.revision += 1
    made.record("shifted", duty.id, due=due_at.isoformat(), before=before.isoformat())
    return True


def _period(every: Every, duty: Duty) -> Period:
    """The period of a duty: the one near its opening that bears its name."""
    period = period_of(every, duty.opens_on)
    near = (period, period.next, period.previous)
    return next(one for one in near if one.name == duty.period)


def misdated(ledger: Ledger, now: datetime) -> list[int]:
    """Waiting duties whose next day is not the one that the rule gives; each is looked at today.

    Catches a date that was lost or altered, which no chase would ever look at again.
    """
    with reading(ledger.engine) as connection:
        ids = list(connection.scalars(select(Duty.id).where(Duty.status.in_(WAITING))))
    wrong = [one for batch in batches(ids, DUTIES_PER_CHANGE) for one in _wrong(ledger, batch, now)]
    for batch in batches(wrong, DUTIES_PER_CHANGE):
        with change(ledger.engine, now, "duban") as made:
            look_again(made, [{"duty": duty_id, "day": now.date()} for duty_id in batch])
            for duty_id in batch:
                made.record("redated", duty_id)
    return wrong


def _wrong(ledger: Ledger, ids: Sequence[int], now: datetime) -> list[int]:
    """Later than the rule says is wrong; earlier costs one look and mends itself."""
    found: list[int] = []
    with reading(ledger.engine) as connection:
        stored = dict(
            connection.execute(select(Duty.id, Duty.next_on).where(Duty.id.in_(ids))).tuples().all()
        )
        for facts in facts_of(connection, ledger, ids, now.date()):
            zone = ledger.registry.notices[facts.clause.partition("/")[0]].file.notice.zone
            today = now.astimezone(zone).date()
            calendar = ledger.registry.calendar(facts.clause, facts.agency)
            step = decide(facts.chased, facts.ladder, calendar, today)
            due = today if step.speak or step.propose else step.next_on
            if due is not None and (stored[facts.id] or date.max) > due:
                found.append(facts.id)
    return found
