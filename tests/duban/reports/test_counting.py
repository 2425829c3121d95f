"""What the figures count: each rule on few duties, and what holds for any duties at all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duban.duty import Status
from duban.ledger.snapshots import Fact, Part, Snapshot
from duban.period import Every, period_of
from duban.reports.asked import Group, Measure, Sought, UnknownQuestion
from duban.reports.counting import behind, figures
from duban.reports.figures import Counts, Figures, Ranked
from tests.conftest import china
from tests.duban.reports.cases import (
    AGENCIES,
    CUT_OFF,
    DUE,
    GOOD,
    ITEMS,
    ONE,
    QUARTER,
    accepted,
    snapshot_of,
)

LATER = DUE + timedelta(days=10)


def lead(*facts: Fact) -> Counts:
    """The counts of leads' duties."""
    return figures(snapshot_of(facts), QUARTER).whole.lead


def values(counts: Counts, *measures: Measure) -> tuple[int, ...]:
    return tuple(counts[one].value for one in measures)


def test_each_duty_is_required_a_nil_return_or_not_applicable():
    counts = lead(
        ONE,
        replace(accepted(ONE, "2026-09-01"), nil=True),
        replace(ONE, status=Status.SUBMITTED, nil=True, submitted_at=china("2026-09-02")),
        replace(ONE, status=Status.RETURNED, nil=True),  # sent back: required again
        replace(ONE, status=Status.NOT_APPLICABLE),
        replace(ONE, status=Status.WAIVED),
    )
    three = (Measure.REQUIRED, Measure.NIL, Measure.NOT_APPLICABLE)
    assert values(counts, Measure.TOTAL, *three) == (6, 2, 2, 2)


def test_a_nil_return_does_not_count_as_accepted_nor_under_review():
    nil = replace(accepted(ONE, "2026-09-01"), nil=True)
    waits = replace(ONE, status=Status.SUBMITTED, nil=True, submitted_at=china("2026-09-02"))
    counts = lead(nil, waits, accepted(ONE, "2026-09-01"))
    assert values(counts, Measure.ACCEPTED, Measure.SUBMITTED, Measure.ON_TIME) == (1, 0, 1)
    assert counts.completion.percent == 100.0


def test_what_came_between_the_two_dates_is_on_time_by_the_later_one_only():
    extended = replace(ONE, due_at=LATER, extended_to=LATER)
    counts = lead(accepted(extended, "2026-09-25"))
    assert counts.on_time_original.percent == 0.0
    assert counts.on_time.percent == 100.0
    assert values(counts, Measure.EXTENDED, Measure.LATE) == (1, 0)


def test_a_return_gives_no_time():
    came_again = accepted(replace(ONE, due_at=LATER), "2026-09-25")
    counts = lead(came_again)
    measures = (Measure.JUDGED, Measure.SETTLED, Measure.ON_TIME, Measure.LATE)
    assert values(counts, *measures) == (1, 1, 0, 1)
    extended = replace(came_again, extended_to=china("2026-09-26"))  # and returned thereafter
    assert values(lead(extended), *measures) == (1, 1, 1, 0)


def test_an_extended_duty_is_judged_by_the_original_date_before_the_date_in_force_has_come():
    counts = lead(replace(ONE, due_at=CUT_OFF + timedelta(days=1)))
    judged = (Measure.JUDGED_ORIGINAL, Measure.JUDGED, Measure.OVERDUE, Measure.OPEN)
    assert values(counts, *judged) == (1, 0, 0, 1)
    assert counts.on_time.percent is None


@pytest.mark.parametrize(
    ("came", "late"),
    [
        ("2026-09-20T23:59:59+08:00", 0),  # the last second of the due day
        ("2026-09-21T00:00:00+08:00", 1),
    ],
)
def test_late_is_what_came_after_the_last_second_of_the_due_day(came: str, late: int):
    moment = china(came[:10], came[11:19])
    counts = lead(replace(ONE, status=Status.ACCEPTED, submitted_at=moment, closed_at=moment))
    assert values(counts, Measure.LATE, Measure.ON_TIME) == (late, 1 - late)


@pytest.mark.parametrize(("at", "over"), [(DUE, 0), (DUE + timedelta(microseconds=1), 1)])
def test_a_duty_is_judged_once_its_last_second_has_passed(at: datetime, over: int):
    whole = figures(snapshot_of([ONE], at=at), QUARTER).whole.lead
    measures = (Measure.JUDGED, Measure.JUDGED_ORIGINAL, Measure.OVERDUE)
    assert values(whole, *measures) == (over, over, over)


def test_the_time_of_a_review_counts_against_nobody():
    waits = replace(ONE, status=Status.SUBMITTED, submitted_at=china("2026-09-01"))
    counts = lead(waits)
    measures = (Measure.JUDGED, Measure.JUDGED_ORIGINAL, Measure.OVERDUE, Measure.SUBMITTED)
    assert values(counts, *measures) == (0, 0, 0, 1)
    assert counts.completion.percent == 0.0


def test_a_duty_belongs_to_the_period_of_its_original_date():
    moved_in = replace(ONE, original_due_at=china("2026-06-30", "23:59:59"), due_at=LATER)
    moved_out = replace(ONE, due_at=china("2026-12-01"))
    first = replace(ONE, original_due_at=china("2026-07-01", "00:00"), due_at=LATER)
    next_one = replace(ONE, original_due_at=china("2026-10-01", "00:00"))
    assert lead(moved_in, moved_out, first, next_one)[Measure.TOTAL].value == 2


def test_what_falls_due_after_the_cut_off_does_not_count_yet():
    at = china("2026-09-05", "23:59:59")
    due, ahead = replace(ONE, original_due_at=at - timedelta(days=1), due_at=at), ONE
    found = figures(snapshot_of([due, ahead, GOOD], at=at), QUARTER)
    assert found.whole.lead[Measure.TOTAL].value == 1
    assert (found.under_way, str(found.last)) == (True, "2026-09-05")
    assert not figures(snapshot_of([due, ahead]), QUARTER).under_way


def test_what_was_due_before_and_is_overdue_still_is_backlog_and_nothing_else():
    early = replace(ONE, original_due_at=china("2026-03-20"), due_at=china("2026-03-20"))
    done = accepted(early, "2026-09-30")
    soft = replace(early, soft=True)
    counts = lead(early, done, soft)
    assert {one for one in Measure if counts.numbers.get(one)} == {Measure.BACKLOG}
    assert counts[Measure.BACKLOG].value == 1


def test_soft_duties_stand_apart_and_are_never_overdue():
    seen = snapshot_of([replace(ONE, soft=True), replace(ONE, soft=True, part=Part.CO)])
    whole = figures(seen, QUARTER).whole
    assert values(whole.soft, Measure.TOTAL, Measure.OPEN, Measure.OVERDUE) == (2, 2, 0)
    assert not any(whole.lead.numbers.values())
    assert not any(whole.co.numbers.values())


def test_lead_and_co_responsible_stand_apart():
    seen = snapshot_of([ONE, replace(accepted(ONE, "2026-09-01"), part=Part.CO)])
    whole = figures(seen, QUARTER).whole
    assert (whole.lead.completion.percent, whole.co.completion.percent) == (0.0, 100.0)


def test_a_shared_duty_counts_with_the_department_that_takes_part():
    seen = snapshot_of([replace(ONE, copied=("东/教育",))])
    found = figures(seen, QUARTER)
    by_name = {one.name: one.lead for one in found.departments}
    measures = (Measure.TOTAL, Measure.SHARED)
    assert values(by_name["妇联"], *measures) == (1, 0)
    assert values(by_name["教育"], *measures) == (0, 1)
    assert behind(seen, QUARTER, by_name["教育"][Measure.SHARED].behind) == list(seen.facts)


def test_only_leads_binding_duties_are_shared():
    one = replace(ONE, copied=("东/教育",))
    whole = figures(
        snapshot_of([replace(one, soft=True), replace(one, part=Part.CO)]), QUARTER
    ).whole
    assert [counts[Measure.SHARED].value for counts in (whole.lead, whole.co, whole.soft)] == [
        0
    ] * 3


def test_several_that_take_part_make_one_shared_duty_of_a_region():
    seen = snapshot_of([replace(ONE, copied=("东/教育", "东/公安"))])
    east = figures(seen, QUARTER).regions[1]
    assert east.lead[Measure.SHARED].value == 1


def ranks(league: Sequence[Ranked]) -> list[tuple[int | None, str]]:
    return [(one.rank, one.line.key) for one in league]


def test_equals_share_a_rank_and_the_next_is_skipped():
    good, bad = accepted(ONE, "2026-09-01"), ONE
    late = accepted(ONE, "2026-09-28")
    facts = [
        *(replace(one, agency="东/甲") for one in (good, good)),
        *(replace(one, agency="东/乙") for one in (good, late)),
        *(replace(one, agency="东/丙") for one in (good, late)),
        *(replace(one, agency="东/丁") for one in (good, bad)),
        replace(good, agency="东/戊", status=Status.NOT_APPLICABLE),
        replace(bad, agency="东/己", due_at=CUT_OFF + timedelta(days=1)),  # nothing is due yet
        replace(bad, agency="东/庚", status=Status.SUBMITTED, submitted_at=DUE),
    ]
    names = {f"东/{one}": one for one in "丁丙乙甲戊己庚"}
    seen = replace(snapshot_of(facts), agencies=names)
    league = figures(seen, QUARTER).department_league
    assert ranks(league) == [
        (1, "甲"),
        (2, "丙"),
        (2, "乙"),
        (4, "丁"),
        *((None, one) for one in "戊己庚"),
    ]


def test_the_first_region_is_not_ranked_among_its_cities():
    facts = [replace(ONE, agency=agency) for agency in ("省/教育", "东/教育", "西/教育")]
    league = figures(snapshot_of(facts), QUARTER).region_league
    assert ranks(league) == [(1, "东"), (1, "西")]


def test_whose_dates_lie_ahead_is_not_behind_those_who_are_done():
    ahead = replace(ONE, agency="西/妇联", due_at=CUT_OFF + timedelta(days=9))
    facts = [GOOD, replace(GOOD, agency="西/妇联"), *[ahead] * 3]
    league = figures(snapshot_of(facts), QUARTER).region_league
    assert [one.line.lead.completion.percent for one in league] == [100.0, 25.0]
    assert ranks(league) == [(1, "东"), (1, "西")]


def test_fewer_overdue_ones_decide_between_equal_rates():
    facts = [*[GOOD, ONE] * 2, *(replace(one, agency="西/妇联") for one in (GOOD, ONE))]
    found = figures(snapshot_of(facts), QUARTER)
    rates = [(one.lead.settled.share, one.lead.on_time.share) for one in found.regions[1:]]
    assert rates[0] == rates[1]
    assert ranks(found.region_league) == [(1, "西"), (2, "东")]


def test_a_backlog_decides_between_regions_that_are_equal_otherwise():
    early = replace(ONE, original_due_at=china("2026-03-20"), due_at=china("2026-03-20"))
    facts = [ONE, early, replace(ONE, agency="西/妇联")]
    assert ranks(figures(snapshot_of(facts), QUARTER).region_league) == [(1, "西"), (2, "东")]


def test_later_events_do_not_change_the_figures_but_a_later_cut_off_may():
    before = snapshot_of([ONE], at=DUE - timedelta(days=1))
    assert figures(before, QUARTER).whole.lead[Measure.OVERDUE].value == 0
    assert figures(snapshot_of([ONE]), QUARTER).whole.lead[Measure.OVERDUE].value == 1


def test_a_question_survives_its_address():
    asked = Sought(Measure.ON_TIME_ORIGINAL, Group.CO, "东", "妇联", "n/1", "2026Q3")
    assert Sought.of(asked.query()) == asked
    with pytest.raises(UnknownQuestion):
        Sought.of({"measure": "nonsense"})


def test_a_bulletin_of_no_period_is_refused():
    with pytest.raises(ValueError, match="month"):
        figures(snapshot_of([ONE]), period_of(Every.ONCE, DUE.date()))


moments = st.datetimes(
    china("2026-05-01").replace(tzinfo=None), china("2026-11-01").replace(tzinfo=None)
).map(lambda moment: china(moment.date().isoformat(), f"{moment:%H:%M:%S}"))


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """Any duty, also such as no ledger would hold."""
    status, due = draw(st.sampled_from(Status)), draw(moments)
    came = draw(moments) if status in (Status.SUBMITTED, Status.ACCEPTED) else None
    names = st.sampled_from(sorted(AGENCIES))
    return replace(
        ONE,
        clause=draw(st.sampled_from([one.key for one in ITEMS])),
        agency=draw(names),
        period=draw(st.sampled_from(["2026Q2", "2026Q3", "once"])),
        part=draw(st.sampled_from(Part)),
        soft=draw(st.booleans()),
        status=status,
        nil=draw(st.booleans()),
        original_due_at=due,
        due_at=due + timedelta(days=draw(st.integers(-5, 40))),
        submitted_at=came,
        copied=tuple(draw(st.lists(names, max_size=3, unique=True))),
        figures=draw(st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9))),
    )


snapshots = st.lists(facts(), max_size=12).map(snapshot_of)


@settings(max_examples=60)
@given(seen=snapshots)
def test_every_number_is_as_long_as_the_list_behind_it(seen: Snapshot):
    for number in figures(seen, QUARTER).numbers():
        assert len(behind(seen, QUARTER, number.behind)) == number.value


@settings(max_examples=60)
@given(seen=snapshots)
def test_what_is_apart_adds_up(seen: Snapshot):
    found = figures(seen, QUARTER)
    for line in found.lines():
        for counts in (line.lead, line.co, line.soft):
            three = values(counts, Measure.REQUIRED, Measure.NIL, Measure.NOT_APPLICABLE)
            done = values(counts, Measure.ACCEPTED, Measure.SUBMITTED, Measure.OPEN)
            assert counts[Measure.TOTAL].value == sum(three)
            assert counts[Measure.REQUIRED].value == sum(done)
    for measure in set(Measure) - {Measure.SHARED, Measure.REPORTED}:
        assert added_up(found, measure) == whole(found, measure)


def added_up(found: Figures, measure: Measure) -> list[list[int]]:
    """A measure by group, added up over each kind of line."""
    kinds = (found.regions, found.departments, found.clauses)
    return [[sum(line.lead[measure].value for line in lines),
             sum(line.co[measure].value for line in lines),
             sum(line.soft[measure].value for line in lines)] for lines in kinds]  # fmt: skip


def whole(found: Figures, measure: Measure) -> list[list[int]]:
    line = found.whole
    return [[counts[measure].value for counts in (line.lead, line.co, line.soft)]] * 3


def test_a_snapshot_read_back_gives_the_same_figures(large: Snapshot, counted: Figures):
    again = Snapshot.read(large.packed())
    assert again.sha256 == large.sha256
    assert figures(again, QUARTER) == counted


def test_all_duties_of_a_large_quarter_are_counted(large: Snapshot, counted: Figures):
    for number in counted.numbers():
        assert len(behind(large, QUARTER, number.behind)) == number.value
