"""Periods and days in them, as tables and as laws."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.period import DayInPeriod, Every, Period, add_months, period_of

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
REPEATING = st.sampled_from([every for every in Every if every is not Every.ONCE])


@pytest.mark.parametrize(
    ("every", "day", "name"),
    [
        (Every.ONCE, date(2026, 5, 5), "once"),
        (Every.MONTH, date(2026, 9, 30), "2026-09"),
        (Every.QUARTER, date(2026, 3, 31), "2026Q1"),
        (Every.QUARTER, date(2026, 4, 1), "2026Q2"),
        (Every.QUARTER, date(2026, 12, 31), "2026Q4"),
        (Every.HALF_YEAR, date(2026, 6, 30), "2026H1"),
        (Every.HALF_YEAR, date(2026, 7, 1), "2026H2"),
        (Every.YEAR, date(2024, 2, 29), "2024"),
        (Every.SCHOOL_YEAR, date(2026, 8, 31), "SY2025"),  # the last day of the one before
        (Every.SCHOOL_YEAR, date(2026, 9, 1), "SY2026"),
        (Every.SCHOOL_YEAR, date(2027, 1, 1), "SY2026"),  # runs over New Year
    ],
)
def test_a_day_lies_in_its_period(every: Every, day: date, name: str):
    assert period_of(every, day).name == name


@given(REPEATING, DAYS)
def test_periods_tile_time_without_gaps(every: Every, day: date):
    period = period_of(every, day)
    assert period.start is not None
    assert period.next.start is not None
    assert period.start <= day < period.next.start
    assert period_of(every, period.start) == period
    assert period_of(every, period.next.start - timedelta(days=1)) == period
    assert period.next.previous == period


@given(REPEATING, DAYS, DAYS)
def test_two_periods_of_a_kind_never_share_a_name(every: Every, one: date, other: date):
    first, second = period_of(every, one), period_of(every, other)
    assert (first == second) == (first.name == second.name)


def test_once_goes_nowhere():
    once = Period(Every.ONCE)
    assert once.next == once.previous == once


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(-600, 600))
def test_months_added_can_be_taken_away(day: date, months: int):
    first = day.replace(day=1)
    assert add_months(add_months(first, months), -months) == first


@pytest.mark.parametrize(
    ("text", "every", "day", "expected"),
    [
        ("12-10", Every.YEAR, date(2026, 3, 1), date(2026, 12, 10)),
        ("+01-15", Every.YEAR, date(2026, 3, 1), date(2027, 1, 15)),
        ("2-29", Every.YEAR, date(2024, 3, 1), date(2024, 2, 29)),
        ("2-29", Every.YEAR, date(2026, 3, 1), date(2026, 2, 28)),  # no such day: the last
        ("M1-05", Every.MONTH, date(2026, 9, 9), date(2026, 9, 5)),
        ("M1-31", Every.MONTH, date(2026, 9, 9), date(2026, 9, 30)),
        ("M1-end", Every.MONTH, date(2024, 2, 9), date(2024, 2, 29)),
        ("+M1-10", Every.MONTH, date(2026, 12, 9), date(2027, 1, 10)),
        ("M3-25", Every.QUARTER, date(2026, 8, 1), date(2026, 9, 25)),
        ("M2-end", Every.QUARTER, date(2026, 1, 1), date(2026, 2, 28)),
        ("+M1-15", Every.QUARTER, date(2026, 12, 31), date(2027, 1, 15)),
        ("M6-20", Every.HALF_YEAR, date(2026, 7, 1), date(2026, 12, 20)),
        ("06-15", Every.SCHOOL_YEAR, date(2026, 9, 1), date(2027, 6, 15)),  # after New Year
        ("09-01", Every.SCHOOL_YEAR, date(2027, 8, 31), date(2026, 9, 1)),
        ("+9-30", Every.SCHOOL_YEAR, date(2026, 9, 1), date(2027, 9, 30)),
        ("2025-12-31", Every.ONCE, date(1999, 1, 1), date(2025, 12, 31)),
    ],
)
def test_a_day_is_placed_in_its_period(text: str, every: Every, day: date, expected: date):
    assert DayInPeriod.parse(text, every).on(period_of(every, day)) == expected


@pytest.mark.parametrize(
    ("text", "every", "told"),
    [
        ("12-10", Every.QUARTER, "M1-05"),  # a month of the year, where one of the quarter is due
        ("M1-10", Every.YEAR, "12-10 or"),
        ("M4-01", Every.QUARTER, "no such month"),
        ("M2-01", Every.MONTH, "no such month"),
        ("M0-01", Every.MONTH, "no such month"),
        ("13-01", Every.YEAR, "no such month"),
        ("12-32", Every.YEAR, "no such month"),
        ("12-00", Every.YEAR, "no such month"),  # 0 stands for the last day inside only
        ("12-10", Every.ONCE, "2025-12-31"),
        ("2025-02-30", Every.ONCE, "2025-12-31"),
        ("2025-12-10", Every.YEAR, "12-10 or"),
        ("", Every.YEAR, "12-10 or"),
        ("-M1-01", Every.MONTH, "M1-05"),  # nothing opens before its period
    ],
)
def test_a_day_that_does_not_fit_is_refused_with_one_that_would(text: str, every: Every, told: str):
    with pytest.raises(ValueError, match=told):
        DayInPeriod.parse(text, every)


@given(REPEATING, DAYS, st.data())
def test_what_is_parsed_falls_into_its_month(every: Every, day: date, data: st.DataObject):
    month = data.draw(st.integers(1, every.months))
    which = data.draw(st.integers(1, 28))
    following = data.draw(st.booleans())
    text = f"{'+' if following else ''}{'' if every.months == 12 else 'M'}{month}-{which:02}"
    period = period_of(every, day)
    placed = DayInPeriod.parse(text, every).on(period)
    assert placed.day == which
    assert period_of(every, placed) == (period.next if following else period)
    if every.months == 12:
        assert placed.month == month
