"""Working days in China and elsewhere."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.calendar import WorkCalendar, add_working_days, working_day

CHINA, WEEKDAYS = WorkCalendar.CHINA, WorkCalendar.WEEKDAYS


@pytest.mark.parametrize(
    ("calendar", "day", "expected"),
    [
        (CHINA, date(2026, 3, 20), (True, False)),
        (CHINA, date(2026, 3, 21), (False, False)),
        (CHINA, date(2026, 2, 17), (False, False)),  # Spring Festival, a Tuesday
        (CHINA, date(2026, 2, 14), (True, False)),  # a Saturday worked in exchange
        (CHINA, date(2026, 10, 1), (False, False)),
        (CHINA, date(2099, 10, 1), (True, True)),  # nobody has announced that year
        (CHINA, date(2099, 10, 3), (False, True)),
        (WEEKDAYS, date(2026, 10, 1), (True, False)),
        (WEEKDAYS, date(2099, 10, 3), (False, False)),
    ],
)
def test_a_working_day(calendar: WorkCalendar, day: date, expected: tuple[bool, bool]):
    assert working_day(calendar, day) == expected


@pytest.mark.parametrize(
    ("calendar", "start", "count", "expected", "provisional"),
    [
        (WEEKDAYS, date(2026, 3, 20), 1, date(2026, 3, 23), False),  # over a weekend
        (WEEKDAYS, date(2026, 3, 16), 5, date(2026, 3, 23), False),  # the first day is not counted
        (CHINA, date(2026, 9, 29), 4, date(2026, 10, 10), False),  # National Day; a Saturday worked
        (CHINA, date(2026, 12, 30), 5, date(2027, 1, 6), True),  # into a year not announced
        (WEEKDAYS, date(2026, 3, 21), 0, date(2026, 3, 21), False),
    ],
)
def test_working_days_are_counted_from_the_day_after(
    calendar: WorkCalendar, start: date, count: int, expected: date, provisional: bool
):
    found = add_working_days(calendar, start, count)
    assert (found.day, found.provisional) == (expected, provisional)


@given(
    st.sampled_from(WorkCalendar),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(1, 30),
)
def test_between_start_and_the_nth_working_day_lie_n(
    calendar: WorkCalendar, start: date, count: int
):
    found = add_working_days(calendar, start, count).day
    days = [start + timedelta(days=n) for n in range(1, (found - start).days + 1)]
    assert sum(working_day(calendar, day)[0] for day in days) == count
    assert working_day(calendar, found)[0]
