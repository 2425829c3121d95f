"""Targets: sums of accepted figures, never means of percentages."""

from dataclasses import replace

import pytest

from duban.duty import Status
from duban.ledger.snapshots import Fact
from duban.period import Every, Period, period_of
from duban.reports.counting import behind, figures
from duban.reports.figures import TargetFigures
from tests.conftest import china
from tests.duban.reports.cases import EARLY, ONE, QUARTER, accepted, snapshot_of


def reported(agency: str, period: str, day: str, ratio: tuple[int, int]) -> Fact:
    """Accepted figures of an agency."""
    one = replace(ONE, clause="n/2", agency=agency, period=period, figures=ratio)
    return accepted(one, day)


def target(*facts: Fact, period: Period = QUARTER) -> TargetFigures:
    """The figures of the clause that has a target."""
    [found] = figures(snapshot_of(facts), period).targets
    return found


EAST_Q2 = reported("东/教育", "2026Q2", "2026-06-10", (80, 100))
EAST_Q3 = reported("东/教育", "2026Q3", "2026-09-10", (90, 100))
WEST_Q2 = reported("西/教育", "2026Q2", "2026-06-11", (10, 10))


def test_the_sum_takes_the_newest_figures_of_each_agency():
    whole = target(EAST_Q2, EAST_Q3, WEST_Q2).whole
    points = [(one.period, one.ratio.upper, one.ratio.lower, one.fresh) for one in whole.trend]
    assert points == [("2026Q2", 90, 110, 2), ("2026Q3", 100, 110, 1)]


def test_the_share_is_of_the_sums_and_no_mean_of_shares():
    whole = target(EAST_Q3, WEST_Q2).whole
    assert whole.latest
    assert whole.latest.ratio.percent == 90.9  # 100 of 110; the mean would be 95


def test_distance_and_change_are_in_points():
    whole = target(EAST_Q2, EAST_Q3).whole
    assert (whole.distance, whole.change, whole.reached) == (-5.0, 10.0, False)


@pytest.mark.parametrize(
    ("ratio", "reached"),
    [
        ((95, 100), True),
        ((9499, 10000), False),  # shown as 95.0
    ],
)
def test_reached_is_decided_on_the_exact_share(ratio: tuple[int, int], reached: bool):
    whole = target(reported("东/教育", "2026Q3", "2026-09-10", ratio)).whole
    assert whole.latest
    assert (whole.latest.ratio.percent, whole.reached) == (95.0, reached)


@pytest.mark.parametrize(
    "left_out",
    [
        replace(WEST_Q2, nil=True),
        replace(WEST_Q2, figures=None),
        replace(WEST_Q2, status=Status.SUBMITTED),
        replace(WEST_Q2, status=Status.RETURNED, submitted_at=None),
        replace(WEST_Q2, clause="n/1"),
    ],
    ids=["a nil return", "without figures", "under review", "sent back", "of another clause"],
)
def test_only_accepted_figures_of_the_clause_count(left_out: Fact):
    latest = target(EAST_Q3, left_out).whole.latest
    assert latest
    assert (latest.ratio.upper, latest.ratio.lower, latest.reported.value) == (90, 100, 1)


def test_figures_of_a_single_deadline_belong_to_the_period_in_which_they_came():
    once = replace(EAST_Q3, period="once", submitted_at=china("2026-05-05"))
    assert [one.period for one in target(once).whole.trend] == ["2026Q2"]


def test_regions_without_figures_stand_without_a_trend():
    waits = replace(ONE, clause="n/2", agency="西/教育")
    found = target(EAST_Q3, waits)
    assert [(one.key, len(one.trend)) for one in found.regions] == [("东", 1), ("西", 0)]


def test_who_owes_the_newest_figures_that_fell_due_is_named():
    early = china("2026-06-20", "23:59:59")
    waits = replace(ONE, clause="n/2", agency="西/教育")
    old = replace(waits, period="2026Q2", original_due_at=early, due_at=early)
    assert target(EAST_Q3, waits, old).missing == ["西市教育"]


def test_figures_of_an_agency_that_is_no_more_give_way_to_later_ones_of_its_heir():
    old = replace(EAST_Q2, heirs=("东/教体",))
    new = reported("东/教体", "2026Q3", "2026-09-11", (90, 100))
    trend = target(old, new, WEST_Q2).whole.trend
    assert [(one.period, one.ratio.lower) for one in trend] == [("2026Q2", 110), ("2026Q3", 110)]
    alone = target(old, replace(new, status=Status.SUBMITTED)).whole.latest
    assert alone
    assert alone.ratio.lower == 100
    both = target(old, replace(new, period="2026Q2")).whole.latest
    assert both
    assert both.ratio.lower == 200


def test_due_days_may_differ_within_the_period_whose_figures_are_owed():
    later = china("2026-09-25", "23:59:59")
    east = replace(ONE, clause="n/2", agency="东/教育", original_due_at=later, due_at=later)
    west = replace(ONE, clause="n/2", agency="西/教育")
    assert target(east, west).missing == ["东市教育", "西市教育"]


def test_who_has_longer_owes_no_figures_yet():
    longer = replace(ONE, clause="n/2", agency="西/教育", due_at=china("2026-10-20"))
    assert target(EAST_Q3, longer).missing == []


def test_a_bulletin_of_an_earlier_period_does_not_tell_what_came_of_later_ones():
    waits = replace(ONE, clause="n/2", agency="西/教育")
    second = target(EAST_Q2, EAST_Q3, WEST_Q2, waits, period=QUARTER.previous)
    assert [one.period for one in second.whole.trend] == ["2026Q2"]
    assert [one.latest and one.latest.period for one in second.regions] == ["2026Q2", "2026Q2"]
    assert (second.owed, second.missing) == ("", [])
    third = target(EAST_Q2, EAST_Q3, WEST_Q2, waits)
    assert (third.owed, third.missing) == ("2026Q3", ["西市教育"])


def test_a_month_tells_the_quarter_that_it_lies_in_and_a_year_its_last():
    facts = [EAST_Q2, EAST_Q3, reported("东/教育", "2026Q4", "2026-10-05", (99, 100))]
    july = period_of(Every.MONTH, china("2026-07-31").date())
    year = period_of(Every.YEAR, july.start) if july.start else july
    newest = [target(*facts, period=one).whole.latest for one in (july, QUARTER, year)]
    assert [one and one.period for one in newest] == ["2026Q3", "2026Q3", "2026Q4"]


def test_a_single_deadline_is_owed_for_the_period_that_it_lies_in():
    once = replace(ONE, clause="n/2", agency="西/教育", period="once", opened_at=EARLY.due_at)
    assert target(EAST_Q2, once).owed == "2026Q3"
    assert target(EAST_Q2, once, period=QUARTER.previous).missing == []


def test_the_list_behind_a_point_holds_the_duties_that_it_sums_up():
    seen = snapshot_of([EAST_Q2, EAST_Q3, WEST_Q2, ONE])
    [found] = figures(seen, QUARTER).targets
    lists = [behind(seen, QUARTER, one.reported.behind) for one in found.whole.trend]
    assert [[fact.id for fact in one] for one in lists] == [[1, 3], [2, 3]]


def test_a_trend_goes_back_eight_periods_at_most():
    quarters = [f"{year}Q{n}" for year in (2024, 2025, 2026) for n in (1, 2, 3, 4)][:11]
    made = [reported("东/教育", one, f"{one[:4]}-01-05", (n, 20)) for n, one in enumerate(quarters)]
    assert [one.period for one in target(*made).whole.trend] == quarters[-8:]
