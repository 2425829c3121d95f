"""Working days: China's, an operator's, and what counting them must always come to."""

import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.calendar import ONE_DAY, Calendar, CountedDay, Shift, Span, WorkCalendar
from duban.registry.policy import Quiet

CHINA, WEEKDAYS = Calendar(WorkCalendar.CHINA), Calendar(WorkCalendar.WEEKDAYS)


def span(
    first: str, last: str, *, working: bool = False, regions: str = "", school: bool = False
) -> Span:
    first_day, last_day = date.fromisoformat(first), date.fromisoformat(last)
    return Span(first_day, last_day, working, frozenset(regions), school)


def china(*spans: Span, announced: int = 0) -> Calendar:
    return Calendar(WorkCalendar.CHINA, spans, frozenset([announced]))


@pytest.mark.parametrize(
    ("calendar", "day", "working", "provisional"),
    [
        (CHINA, "2026-03-20", True, False),
        (CHINA, "2026-03-21", False, False),
        (CHINA, "2026-02-13", True, False),
        (CHINA, "2026-02-14", True, False),  # a Saturday worked for the Spring Festival
        (CHINA, "2026-02-15", False, False),
        (CHINA, "2026-02-23", False, False),  # the festival's last day, a Monday
        (CHINA, "2026-02-24", True, False),
        (CHINA, "2026-02-28", True, False),  # the other Saturday worked for it
        (CHINA, "2026-09-20", True, False),  # a Sunday worked for National Day
        (CHINA, "2026-10-01", False, False),
        (CHINA, "2026-10-07", False, False),
        (CHINA, "2026-10-08", True, False),
        (CHINA, "2026-10-10", True, False),  # and a Saturday
        (CHINA, "2026-12-31", True, False),
        (CHINA, "2099-10-01", True, True),  # nobody has announced that year
        (CHINA, "2099-10-03", False, True),
        (WEEKDAYS, "2026-10-01", True, False),
        (WEEKDAYS, "2099-10-03", False, False),
    ],
)
def test_a_day_is_worked_or_not(calendar: Calendar, day: str, working: bool, provisional: bool):
    one = date.fromisoformat(day)
    assert (calendar.working(one), calendar.provisional(one)) == (working, provisional)


def test_an_operator_adds_days_and_the_later_line_has_the_last_word():
    calendar = china(
        span("2026-03-16", "2026-03-20"),
        span("2026-03-18", "2026-03-18", working=True),
        span("2026-03-21", "2026-03-21", working=True),
    )
    week = [date(2026, 3, 15) + timedelta(days=n) for n in range(8)]
    assert [day.day for day in week if calendar.working(day)] == [18, 21]


def test_a_local_day_is_only_its_regions():
    calendar = china(span("2026-03-16", "2026-03-16", regions="东西"))
    monday = date(2026, 3, 16)
    assert [calendar.of(region).working(monday) for region in "东西南"] == [False, False, True]


def test_a_school_holiday_counts_only_where_schools_are_asked_about():
    calendar = china(span("2026-07-10", "2026-08-31", school=True))
    day = date(2026, 7, 15)
    assert calendar.of("东").working(day)
    assert not calendar.of("东", school=True).working(day)


def test_a_year_that_an_operator_has_written_down_is_no_longer_provisional():
    day = date(2099, 10, 1)
    holiday = span("2099-10-01", "2099-10-07")
    assert not china(holiday).provisional(day)  # it was written down
    assert china(holiday).provisional(day - ONE_DAY)  # but the rest of the year was not
    assert not china(holiday, announced=2099).provisional(day - ONE_DAY)


@pytest.mark.parametrize(
    ("calendar", "start", "count", "found", "provisional"),
    [
        (WEEKDAYS, "2026-03-20", 1, "2026-03-23", False),  # over a weekend
        (WEEKDAYS, "2026-03-16", 5, "2026-03-23", False),  # the first day is not counted
        (WEEKDAYS, "2026-03-23", -1, "2026-03-20", False),
        (WEEKDAYS, "2026-03-21", -5, "2026-03-16", False),
        (WEEKDAYS, "2026-03-21", 0, "2026-03-21", False),
        (CHINA, "2026-09-29", 4, "2026-10-10", False),  # National Day; a Saturday worked
        (CHINA, "2026-10-10", -4, "2026-09-29", False),
        (CHINA, "2026-02-13", 2, "2026-02-24", False),
        (CHINA, "2026-02-24", -2, "2026-02-13", False),
        (CHINA, "2026-12-30", 5, "2027-01-06", True),  # into a year not announced
        (CHINA, "2027-01-04", -3, "2026-12-30", True),
    ],
)
def test_working_days_are_counted_from_the_day_after(
    calendar: Calendar, start: str, count: int, found: str, provisional: bool
):
    expected = CountedDay(date.fromisoformat(found), provisional)
    assert calendar.add(date.fromisoformat(start), count) == expected


@pytest.mark.parametrize(
    ("shift", "moved"),
    [
        ("none", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("previous", [30, 30, 30, 30, 30, 30, 30, 8]),
        ("next", [8, 8, 8, 8, 8, 8, 8, 8]),
        ("next-1", [8, 8, 8, 8, 8, 8, 8, 8]),
        ("next-2", [9, 9, 9, 9, 9, 9, 9, 8]),  # a working day stays where it is
        ("next-3", [10, 10, 10, 10, 10, 10, 10, 8]),
    ],
)
def test_a_due_day_in_the_national_day_week_is_shifted(shift: str, moved: list[int]):
    week = [date(2026, 10, n) for n in range(1, 9)]
    assert [CHINA.shifted(day, Shift.parse(shift)).day.day for day in week] == moved


@pytest.mark.parametrize(
    "text", ["", "Next", "next-0", "next-10", "next-", "previous-2", "nächster"]
)
def test_what_is_no_shift_is_refused(text: str):
    with pytest.raises(ValueError, match=r"is no shift; write none, previous, next or next-2"):
        Shift.parse(text)


@pytest.mark.parametrize(
    ("shift", "day", "found", "provisional"),
    [
        ("next", "2099-10-03", "2099-10-05", True),  # moved by a weekend only assumed to be one
        ("next", "2099-10-01", "2099-10-01", True),  # not moved, but it may turn out a holiday
        ("none", "2099-10-03", "2099-10-03", False),  # moves whatever is announced
        ("previous", "2027-01-02", "2027-01-01", True),
        ("next", "2026-10-03", "2026-10-08", False),
    ],
)
def test_a_shift_is_provisional_while_an_announcement_can_change_it(
    shift: str, day: str, found: str, provisional: bool
):
    counted = CHINA.shifted(date.fromisoformat(day), Shift.parse(shift))
    assert counted == CountedDay(date.fromisoformat(found), provisional)


DAYS = st.dates(date(2018, 1, 1), date(2029, 1, 1))
SPANS = st.lists(
    st.tuples(DAYS, st.integers(0, 40), st.booleans()).map(
        lambda one: Span(one[0], one[0] + timedelta(days=one[1]), one[2])
    ),
    max_size=6,
)
CALENDARS = st.tuples(st.sampled_from(WorkCalendar), SPANS).map(
    lambda one: Calendar(one[0], tuple(one[1]))
)


@given(CALENDARS, DAYS, st.integers(-30, 30).filter(bool))
def test_between_start_and_the_nth_working_day_lie_n(calendar: Calendar, start: date, count: int):
    found = calendar.add(start, count).day
    step = ONE_DAY if count > 0 else -ONE_DAY
    passed = [start + step * n for n in range(1, abs((found - start).days) + 1)]
    assert (found > start) == (count > 0)
    assert calendar.working(found)
    assert sum(map(calendar.working, passed)) == abs(count)


@given(CALENDARS, DAYS, st.integers(0, 20), st.integers(0, 20))
def test_counting_on_is_counting_once(calendar: Calendar, start: date, one: int, other: int):
    assert calendar.add(calendar.add(start, one).day, other).day == (
        calendar.add(start, one + other).day
    )


@given(CALENDARS, DAYS, st.integers(1, 20))
def test_counting_back_returns_to_a_working_day(calendar: Calendar, day: date, count: int):
    start = calendar.next_working(day).day
    assert calendar.add(calendar.add(start, count).day, -count).day == start


@given(CALENDARS, DAYS)
def test_the_next_and_the_previous_working_day_enclose_the_day(calendar: Calendar, day: date):
    previous, following = calendar.previous_working(day).day, calendar.next_working(day).day
    assert previous <= day <= following
    assert (previous == day == following) == calendar.working(day)


@given(CALENDARS, DAYS, st.sampled_from(["none", "previous", "next", "next-2", "next-9"]))
def test_a_shift_ends_on_a_working_day_and_is_done_once(
    calendar: Calendar, day: date, notation: str
):
    shift = Shift.parse(notation)
    moved = calendar.shifted(day, shift).day
    assert calendar.shifted(moved, shift).day == moved
    assert calendar.working(moved) or notation == "none"
    assert moved == day or not calendar.working(day)


@given(SPANS, DAYS)
def test_an_operators_word_is_final_wherever_it_reaches(spans: list[Span], day: date):
    said = [one.working for one in spans if one.first <= day <= one.last]
    calendar = Calendar(WorkCalendar.CHINA, tuple(spans))
    assert calendar.working(day) == (said[-1] if said else CHINA.working(day))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_days_and_quiet_hours_are_the_same_wherever_the_server_stands(
    zone: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert CHINA.of("东").add(date(2026, 9, 29), 4).day == date(2026, 10, 10)
        late = datetime(2026, 3, 8, 12, 30, tzinfo=ZoneInfo("UTC"))  # New York's clocks go forward
        shanghai = ZoneInfo("Asia/Shanghai")
        assert Quiet().at(late, shanghai)  # 20:30 there
        assert not Quiet().at(late.replace(hour=11), shanghai)
        assert Quiet().at(late.astimezone(), shanghai)
    finally:
        monkeypatch.undo()
        time.tzset()
