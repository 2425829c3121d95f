"""The alarm clock rings on the registry's opening days, and on no other."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from prefect._vendor.croniter import croniter

from deployments.schedule import OPENING_HOUR, cron_of
from duban.period import Every, period_of
from duban.registry import Cycle, load_registry

PROJECT = Path(__file__).parents[2]
REGISTRY = load_registry(PROJECT / "agencies.yaml", PROJECT / "deployments")
TODAY = date(2026, 11, 24)
REPEATING = [
    (placed.key, cycle)
    for placed in REGISTRY.tracked
    for cycle in placed.clause.cycles
    if cycle.every is not Every.ONCE
]


def openings(cycle: Cycle, start: date, end: date) -> list[date]:
    found: list[date] = []
    period = period_of(cycle.every, start).previous
    while (opens := cycle.opens_on(period)) <= end:
        if opens >= start:
            found.append(opens)
        period = period.next
    return found


@pytest.mark.parametrize(("key", "cycle"), REPEATING, ids=lambda value: str(value)[:30])
def test_it_rings_on_every_opening_day_of_three_years_and_on_no_other(
    key: str, cycle: Cycle
) -> None:
    cron = cron_of(cycle, TODAY)
    assert cron is not None, key
    start, end = date(2027, 1, 1), date(2029, 12, 31)
    rings = croniter(cron, datetime(2026, 12, 31, 23))  # noqa: DTZ001
    days: list[date] = []
    following = cast("Callable[[type[datetime]], datetime]", rings.get_next)  # pyright: ignore[reportUnknownMemberType]
    while (ring := following(datetime)).date() <= end:
        assert ring.hour == OPENING_HOUR
        days.append(ring.date())
    assert days == openings(cycle, start, end)


def a_cycle(**changes: object) -> Cycle:
    fields = {"name": "report", "every": "quarter", "opens": "M1-05", "due": "M3-25"}
    return Cycle.model_validate({**fields, "basis": "policy", **changes})


@pytest.mark.parametrize(
    ("changes", "cron"),
    [
        ({}, "0 8 5 1,4,7,10 *"),
        # The second month of each quarter.
        ({"opens": "M2-05"}, "0 8 5 2,5,8,11 *"),
        ({"every": "month", "due": "M1-25"}, "0 8 5 * *"),
        # A school year opens in its own September, whatever the calendar year.
        ({"every": "school-year", "opens": "09-10", "due": "06-30"}, "0 8 10 9 *"),
        # What happens once has no clock.
        ({"every": "once", "opens": "2026-01-01", "due": "2026-02-01"}, None),
        # A cycle that has ended rings no more; one that ends tomorrow still does.
        ({"until": TODAY - timedelta(days=1)}, None),
        ({"until": TODAY + timedelta(days=1)}, "0 8 5 1,4,7,10 *"),
        # It rings until each agency is done; the ledger knows which is.
        ({"until": "done"}, "0 8 5 1,4,7,10 *"),
    ],
)
def test_a_cycle_has_the_cron_line_of_its_openings(
    changes: dict[str, object], cron: str | None
) -> None:
    assert cron_of(a_cycle(**changes), TODAY) == cron
