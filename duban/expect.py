"""Which duties there should be: a pure function of the registry, the day, and what is done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from duban.period import Every, Period, period_of
from duban.registry import Cycle, PlacedClause, Registry, instant

DoneOn = Mapping[tuple[str, str], date]
"""(clause key, agency id) → the day on which accepted evidence showed the matter done."""


@dataclass(frozen=True, slots=True)
class ExpectedDuty:
    """A duty that should be in the ledger. `today` is the civil day in its notice's zone.

    `provisional`: its due day was counted in a year whose holidays nobody has announced.
    """

    clause: str
    version: str
    cycle: str
    agency: str
    period: str
    today: date
    opens_on: date
    due_at: datetime
    soft: bool
    provisional: bool

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it unique: clause, cycle, agency, period."""
        return self.clause, self.cycle, self.agency, self.period


def expected_duties(
    registry: Registry, now: datetime, done: DoneOn, since: date | None = None
) -> list[ExpectedDuty]:
    """Every duty that should be open or have been opened by now.

    Args:
        now: an aware instant; each notice's zone makes its civil day of it.
        done: which agencies have shown which clauses done, and when.
        since: also the periods that opened on or after this day, not only the current ones.
    """
    return [
        duty
        for placed in registry.tracked
        for today in (now.astimezone(placed.notice.zone).date(),)
        for cycle in placed.clause.cycles
        for period in periods_open(placed, cycle, today, since)
        for duty in _duties(registry, placed, cycle, period, done, today)
    ]


def periods_open(
    placed: PlacedClause, cycle: Cycle, today: date, since: date | None = None
) -> Iterator[Period]:
    """The periods that have opened and are current, and those since a day, oldest first.

    A period is current from its opening until the next opens, or while its due day is ahead.
    One that opened before the notice was issued is none.
    """
    period = period_of(cycle.every, today).next  # an opening may lie before the period itself
    found: list[Period] = []
    while _may_matter(placed, cycle, period, today, since):
        if _is_open(placed, cycle, period, today, since):
            found.append(period)
        if cycle.every is Every.ONCE:
            break
        period = period.previous
    yield from reversed(found)


def _may_matter(
    placed: PlacedClause, cycle: Cycle, period: Period, today: date, since: date | None
) -> bool:
    """Whether this period, or one before it, can still be open: bounds the walk into the past."""
    opens = cycle.opens_on(period)
    if opens < placed.notice.issued and cycle.every is not Every.ONCE:
        return False
    oldest = min(since or today, today)
    ends = max(cycle.due_on(period), cycle.opens_on(period.next))
    return ends >= oldest or cycle.every is Every.ONCE


def _is_open(
    placed: PlacedClause, cycle: Cycle, period: Period, today: date, since: date | None
) -> bool:
    opens = cycle.opens_on(period)
    if opens > today or (isinstance(cycle.until, date) and opens > cycle.until):
        return False
    if cycle.every is Every.ONCE:
        return True
    current = today < cycle.opens_on(period.next) or cycle.due_on(period) >= today
    return opens >= placed.notice.issued and (current or (since is not None and opens >= since))


def _duties(
    registry: Registry,
    placed: PlacedClause,
    cycle: Cycle,
    period: Period,
    done: DoneOn,
    today: date,
) -> Iterator[ExpectedDuty]:
    opens_on = cycle.opens_on(period)
    for agency in placed.reporters:
        done_on = done.get((placed.key, agency.id))
        if cycle.until == "done" and done_on is not None and opens_on > done_on:
            continue
        if cycle.after and (done_on is None or opens_on <= done_on):
            continue
        due = cycle.due_day(period, registry.calendar(placed.key, agency.id, school=cycle.school))
        yield ExpectedDuty(
            clause=placed.key,
            version=placed.clause.version,
            cycle=cycle.name,
            agency=agency.id,
            period=period.name,
            today=today,
            opens_on=opens_on,
            due_at=instant(due.day, cycle.cut_off, placed.notice.zone),
            soft=placed.clause.soft,
            provisional=due.provisional,
        )
