"""Working days: pure functions of a date and of which calendar applies.

China's calendar comes from the State Council's yearly notices (package chinesecalendar: holidays
and the weekends worked in exchange, 调休). Beyond the announced years only weekends are known;
the result is then provisional.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import chinese_calendar

SATURDAY = 5


class WorkCalendar(StrEnum):
    """Whose working days count."""

    CHINA = "china"
    WEEKDAYS = "weekdays"


@dataclass(frozen=True, slots=True)
class CountedDay:
    """A civil day found by counting, and whether an unannounced year made it provisional."""

    day: date
    provisional: bool


@lru_cache(maxsize=4096)
def working_day(calendar: WorkCalendar, day: date) -> tuple[bool, bool]:
    """(is a working day, is provisional)."""
    weekday = day.weekday() < SATURDAY
    if calendar is WorkCalendar.WEEKDAYS:
        return weekday, False
    try:
        return bool(chinese_calendar.is_workday(day)), False  # pyright: ignore[reportUnknownMemberType]
    except NotImplementedError:  # the package's answer for a year nobody has announced
        return weekday, True


def add_working_days(calendar: WorkCalendar, start: date, count: int) -> CountedDay:
    """The count-th working day after start; the first day is not counted (民法典 art. 201)."""
    day, provisional, left = start, False, count
    while left > 0:
        day += timedelta(days=1)
        working, unsure = working_day(calendar, day)
        provisional = provisional or unsure
        left -= working
    return CountedDay(day, provisional)
