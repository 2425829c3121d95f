"""Cron lines from the registry's openings: the alarm clock's face, never a second truth."""

from datetime import date

from duban.period import Every, period_of
from duban.registry import Cycle

OPENING_HOUR = 8  # in the notice's zone; the morning chase follows
MONTHS = range(1, 13)


def cron_of(cycle: Cycle, today: date) -> str | None:
    """The cron line that fires on each opening day; None when no more periods will open.

    Args:
        today: decides whether a cycle with an end has ended.
    """
    if cycle.every is Every.ONCE or _has_ended(cycle, today):
        return None
    opening = cycle.opens_on(period_of(cycle.every, today))
    months = sorted((opening.month - 1 + step) % 12 + 1 for step in _steps(cycle.every))
    named = "*" if len(months) == len(MONTHS) else ",".join(str(month) for month in months)
    return f"0 {OPENING_HOUR} {opening.day} {named} *"


def _has_ended(cycle: Cycle, today: date) -> bool:
    return isinstance(cycle.until, date) and cycle.until < today


def _steps(every: Every) -> range:
    return range(0, 12, every.months)
