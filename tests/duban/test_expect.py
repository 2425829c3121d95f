"""Which duties there should be on a day, on the small notice and on the real one."""

import os
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duban.expect import DoneOn, ExpectedDuty, expected_duties
from duban.registry import Registry
from tests.conftest import china


def moment(day: date, hour: int) -> datetime:
    return china(day.isoformat(), f"{hour:02}:30")


MOMENTS = st.builds(moment, st.dates(date(2025, 10, 1), date(2031, 1, 1)), st.integers(0, 23))


def periods(
    registry: Registry,
    now: datetime,
    clause: str,
    done: DoneOn | None = None,
    since: date | None = None,
) -> list[str]:
    """`cycle period` of one clause's duties in the east city."""
    found = expected_duties(registry, now, done or {}, since)
    mine = [duty for duty in found if duty.clause == f"small/{clause}"]
    return [f"{duty.cycle} {duty.period}" for duty in mine if duty.agency.startswith("东")]


@pytest.mark.parametrize(
    ("day", "clause", "expected"),
    [
        ("2026-03-31", "1", ["report 2026Q1"]),  # past its day, until the next opens
        ("2026-04-01", "1", ["report 2026Q2"]),
        ("2025-10-01", "1", ["report 2025Q4"]),  # opens on the day the notice was issued
        ("2025-09-30", "1", []),  # before it
        ("2025-12-31", "2", ["target once"]),
        ("2030-01-01", "2", ["target once"]),  # past its deadline it is still owed
        ("2025-09-30", "2", []),
        ("2026-06-30", "3", ["report 2026-06"]),
        ("2026-06-15", "5", ["report SY2025"]),
        ("2026-09-30", "5", ["report SY2025"]),  # until 1 October, when the next opens
        ("2026-10-01", "5", ["report SY2026"]),
        ("2026-06-30", "6", ["report 2026H1", "report 2026H1"]),  # each: 教育 and 妇联
        ("2026-07-01", "6", []),  # until: 2026-06-30
    ],
)
def test_the_current_periods(small: Registry, day: str, clause: str, expected: list[str]):
    assert periods(small, china(day), clause) == expected


def test_a_civil_day_is_read_in_the_notices_zone(small: Registry):
    before, after = (
        datetime.fromisoformat(f"2026-03-31T{utc}+00:00") for utc in ("15:59", "16:00")
    )
    assert periods(small, before, "1") == ["report 2026Q1"]
    assert periods(small, after, "1") == ["report 2026Q2"]  # midnight in Shanghai


def test_earlier_periods_only_when_asked_for(small: Registry):
    now = china("2026-05-05")
    assert periods(small, now, "1") == ["report 2026Q2"]
    assert periods(small, now, "1", since=date(2026, 1, 1)) == ["report 2026Q1", "report 2026Q2"]
    assert periods(small, now, "1", since=date(2000, 1, 1)) == [
        "report 2025Q4",  # the first after the notice was issued
        "report 2026Q1",
        "report 2026Q2",
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-31", ["report 2026Q1"]),  # the period in which it was done stands
        ("2026-04-01", []),  # no further report, and the year's review opened before
        ("2027-01-31", []),
        ("2027-02-01", ["review 2027"]),
        ("2028-01-31", ["review 2027"]),
        ("2028-02-01", ["review 2028"]),
    ],
)
def test_until_done_ends_one_cycle_and_after_begins_the_other(
    small: Registry, day: str, expected: list[str]
):
    done = {("small/4", "东/妇联"): date(2026, 3, 5)}
    assert periods(small, china(day), "4", done) == expected


def test_one_agencys_being_done_is_nothing_to_another(small: Registry):
    done = {("small/4", "西/妇联"): date(2026, 3, 5)}
    assert periods(small, china("2027-05-01"), "4", done) == ["report 2027Q2"]


@settings(max_examples=50)
@given(now=MOMENTS, back=st.none() | st.integers(0, 1500))
def test_expected_duties_are_unique_open_and_inside_the_notices_time(
    small: Registry, now: datetime, back: int | None
):
    since = None if back is None else now.date() - timedelta(days=back)
    found = expected_duties(small, now, {}, since)
    assert len({duty.key for duty in found}) == len(found)
    for duty in found:
        assert date(2025, 10, 1) <= duty.opens_on <= now.date()
        assert duty.opens_on <= duty.due_at.date()
    # What is current is there whatever is asked for besides.
    assert {duty.key for duty in expected_duties(small, now, {})} <= {d.key for d in found}


@settings(max_examples=50)
@given(now=MOMENTS, later=st.integers(0, 800))
def test_nothing_once_expected_is_forgotten(small: Registry, now: datetime, later: int):
    """What was open today is found again later by asking for what opened since."""
    today = expected_duties(small, now, {})
    oldest = min(duty.opens_on for duty in today)
    then = expected_duties(small, now + timedelta(days=later), {}, since=oldest)
    assert {duty.key for duty in today} <= {duty.key for duty in then}


@pytest.fixture
def time_zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.usefixtures("time_zone")
def test_the_machines_time_zone_changes_nothing(small: Registry):
    def seen_in(zone: str) -> list[ExpectedDuty]:
        os.environ["TZ"] = zone
        time.tzset()
        return expected_duties(small, china("2026-04-01", "00:30"), {}, date(2025, 1, 1))

    assert seen_in("America/Los_Angeles") == seen_in("Pacific/Kiritimati") == seen_in("UTC")


def test_the_due_instant_is_the_cut_off_in_the_notices_zone(small: Registry):
    found: Mapping[str, ExpectedDuty] = {
        duty.clause: duty for duty in expected_duties(small, china("2026-03-01"), {})
    }
    assert found["small/1"].due_at == china("2026-03-20", "23:59:59")
    assert found["small/5"].due_at == china("2026-06-15", "17:30")
    assert found["small/3"].soft
    assert not found["small/1"].soft


def test_the_real_notice_expects_its_targets_years_after(shanxi: Registry):
    found = expected_duties(shanxi, china("2026-11-24"), {})
    targets = {(duty.clause, duty.period) for duty in found if duty.cycle == "target"}
    assert targets == {("shanxi-2023-6/2.2", "once"), ("shanxi-2023-6/2.3", "once")}
    assert len(found) == len({duty.key for duty in found})
