"""Whose figures count for a target, and how they are told."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from duban.duty import Status
from duban.period import Every
from duban.targets import Ratio, Reckoning, rounded, total, written
from tests.conftest import china

OPENED = china("2026-01-05")
BY_QUARTER = Reckoning(Every.QUARTER, ZoneInfo("Asia/Shanghai"))


@dataclass(frozen=True)
class Figures:
    agency: str
    period: str
    figures: tuple[int, int] | None = (1, 10)
    heirs: tuple[str, ...] = ()
    submitted_at: datetime | None = None
    opened_at: datetime = OPENED
    status: Status = Status.ACCEPTED
    nil: bool = False


def counting(given: list[Figures], upto: str) -> set[str]:
    return {one.agency for one in BY_QUARTER.counted(given, upto)}


def test_the_newest_figures_of_each_agency_count_up_to_the_period():
    given = [
        Figures("东", "2026Q1", (1, 10)),
        Figures("东", "2026Q3", (3, 10)),
        Figures("东", "2026Q2", (2, 10)),
        Figures("西", "2026Q1", (5, 10)),
    ]
    assert BY_QUARTER.periods(given) == ["2026Q1", "2026Q2", "2026Q3"]
    sums = [str(total(BY_QUARTER.counted(given, period))) for period in BY_QUARTER.periods(given)]
    assert sums == ["6/20", "7/20", "8/20"]


def test_of_two_for_one_period_those_handed_in_later_count():
    early = Figures("东", "2026Q1", (1, 10), submitted_at=china("2026-03-01"))
    late = Figures("东", "2026Q1", (2, 10), submitted_at=china("2026-03-02"))
    for given in ([early, late], [late, early]):
        assert BY_QUARTER.counted(given, "2026Q1") == [late]


@pytest.mark.parametrize(
    "left_out",
    [
        Figures("东", "2026Q1", None),
        Figures("东", "2026Q1", nil=True),
        Figures("东", "2026Q1", status=Status.SUBMITTED),
    ],
    ids=["none", "a nil return", "under review"],
)
def test_figures_that_nobody_accepted_do_not_count(left_out: Figures):
    assert BY_QUARTER.counted([left_out], "2026Q1") == []
    assert BY_QUARTER.periods([left_out]) == []


@pytest.mark.parametrize(
    ("moment", "period"),
    [("2026-03-31 23:59:59", "2026Q1"), ("2026-04-01 00:00:00", "2026Q2")],
)
def test_what_is_asked_once_speaks_of_the_quarter_in_which_it_came_by_the_notices_clock(
    moment: str, period: str
):
    once = Figures("东", "once", submitted_at=china(*moment.split()))
    assert BY_QUARTER.spoken_of(once) == period
    assert BY_QUARTER.spoken_of(Figures("东", "2025Q4")) == "2025Q4"


def test_an_agency_that_is_no_more_counts_until_its_heir_has_later_figures():
    gone = Figures("东", "2026Q1", heirs=("教体",))
    heir = Figures("教体", "2026Q2")
    assert counting([gone, heir], "2026Q1") == {"东"}
    assert counting([gone, heir], "2026Q2") == {"教体"}
    assert counting([gone], "2026Q2") == {"东"}


def test_an_heir_counts_beside_whom_it_followed_in_the_period_in_which_both_reported():
    given = [Figures("东", "2026Q1", heirs=("教体",)), Figures("教体", "2026Q1")]
    assert counting(given, "2026Q1") == {"东", "教体"}


def test_the_heir_of_an_heir_follows_both_even_if_the_one_between_never_reported():
    first = Figures("东", "2026Q1", heirs=("教体", "文教"))
    second = Figures("教体", "2026Q2", heirs=("文教",))
    third = Figures("文教", "2026Q3")
    assert counting([first, second], "2026Q2") == {"教体"}
    assert counting([first, second, third], "2026Q3") == {"文教"}
    assert counting([first, third], "2026Q3") == {"文教"}


def test_shares_are_exact_and_shown_with_halves_up():
    assert Ratio(1, 3).share == Fraction(1, 3)
    assert [Ratio(1, 16).percent, Ratio(19, 20).percent, Ratio(0, 7).percent] == [6.3, 95.0, 0.0]


@pytest.mark.parametrize(
    ("share", "points"),
    [
        (Fraction(1, 16), 6.3),  # halves away from zero, on both sides
        (Fraction(-1, 16), -6.3),
        (Fraction(-1, 9999), 0.0),
    ],
)
def test_points_are_rounded_once_and_never_minus_zero(share: Fraction, points: float):
    assert str(rounded(share)) == str(points)


def test_a_change_is_of_the_exact_shares():
    assert (Ratio(9496, 10000).percent, Ratio(9494, 10000).percent) == (95.0, 94.9)
    assert Ratio(9496, 10000).since(Ratio(9494, 10000)) == 0.0
    assert Ratio(9494, 10000).since(Ratio(9485, 10000)) == 0.1


@pytest.mark.parametrize(
    ("ratio", "shown", "distance"),
    [
        (Ratio(9496, 10000), "94.96%", -0.04),
        (Ratio(94999, 100000), "94.999%", -0.001),
        (Ratio(949, 1000), "94.9%", -0.1),
        (Ratio(9489, 10000), "94.9%", -0.1),
        (Ratio(95, 100), "95.0%", 0.0),
        (Ratio(9504, 10000), "95.0%", 0.0),
        (Ratio(1, 1), "100.0%", 5.0),
    ],
)
def test_a_share_short_of_its_target_never_looks_as_if_it_had_reached_it(
    ratio: Ratio, shown: str, distance: float
):
    at = ratio.against(95)
    assert (str(at), at.distance, at.reached) == (shown, distance, ratio.share >= Fraction(95, 100))


def test_points_are_written_without_exponents():
    assert [written(one, "+") for one in (-0.00004, 0.0, 12.0)] == ["-0.00004", "+0.0", "+12.0"]
