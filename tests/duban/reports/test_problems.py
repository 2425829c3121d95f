"""What is wrong by the figures, and what is asked: nothing that the figures do not say."""

from dataclasses import replace

import pytest

from duban.duty import Status
from duban.ledger.snapshots import Fact, Part
from duban.reports.asked import Measure
from duban.reports.counting import behind, figures
from duban.reports.figures import Line, Number
from duban.reports.problems import asks, most, problems
from duban.reports.voice import Voice, together
from tests.conftest import china
from tests.duban.reports.cases import EARLY, GOOD, LATE, ONE, QUARTER, snapshot_of, voice
from tests.duban.reports.test_targets import EAST_Q3, WEST_Q2, reported


def test_a_quarter_without_faults_has_no_problems():
    said = voice(GOOD)
    assert problems(said) == []
    assert asks(said) == ["请各单位继续按时报送佐证材料。"]


@pytest.mark.parametrize(
    ("facts", "keys"),
    [
        ([ONE], ["overdue"]),
        ([LATE], ["late"]),
        ([EARLY], ["backlog"]),
        ([EAST_Q3], ["short"]),
        ([WEST_Q2], []),
        ([WEST_Q2, replace(ONE, clause="n/2", agency="东/教育")], ["overdue", "missing"]),
        ([replace(ONE, soft=True)], []),  # never overdue
    ],
)
def test_each_problem_follows_from_a_number_and_has_its_ask(facts: list[Fact], keys: list[str]):
    said = voice(*facts)
    assert [one.key for one in problems(said)] == keys
    assert asks(said) == ([said.t.asks[key] for key in keys] or [said.t.says["go-on"]])


def test_a_problem_says_how_many_and_where():
    facts = [ONE, replace(ONE, agency="西/教育"), replace(ONE, agency="西/妇联")]
    [one] = problems(voice(*facts))
    assert one.title == "部分事项超期未报"
    assert one.sentence == (
        "本期超期事项3项，涉及2个地区、2个部门。按地区看，西市2项、东市1项；按部门看，妇联2项、教育1项。"
    )


def test_evidence_under_review_asks_its_reviewers():
    waits = replace(ONE, status=Status.SUBMITTED, submitted_at=china("2026-09-01"))
    assert asks(voice(waits))[-1].startswith("待审材料1项，审核单位要抓紧审核")


def lines(*numbers: int) -> list[tuple[Line, Number]]:
    line, one = voice(ONE).figures.whole, voice(ONE).figures.whole.lead[Measure.TOTAL]
    return [(replace(line, name=str(n)), replace(one, value=n)) for n in numbers]


@pytest.mark.parametrize(
    ("numbers", "named"),
    [
        ((1, 5), "5 1"),
        ((4, 3, 2, 1), "4 3 2"),
        ((4, 3, 2, 2, 1), "4 3 2 2"),  # equals stand together
        ((9, 1, 1, 1, 1, 1, 1), "9"),  # or not at all
        ((1, 1, 1, 1, 1, 1), "1 1 1 1 1 1"),  # unless there is nobody else
    ],
)
def test_those_with_most_are_named_and_equals_are_treated_alike(
    numbers: tuple[int, ...], named: str
):
    assert " ".join(line.name for line, _ in most(lines(*numbers))) == named


def test_a_number_of_all_groups_leads_to_the_duties_of_all_groups():
    co = replace(GOOD, part=Part.CO, agency="西/妇联")
    seen = snapshot_of([ONE, replace(ONE, soft=True), co])
    for line in figures(seen, QUARTER).lines():
        for measure in (Measure.TOTAL, Measure.OPEN, Measure.OVERDUE):
            number = together(line, measure)
            assert len(behind(seen, QUARTER, number.behind)) == number.value


def test_a_target_that_is_missed_says_by_how_much():
    [zh], [en] = problems(voice(EAST_Q3)), problems(voice(EAST_Q3, language="en"))
    assert zh.sentence == "配备率低于目标5个百分点。"
    assert en.sentence == "配备率: below the aim by 5 percentage points."


def test_a_region_short_of_what_is_asked_of_each_is_a_problem_though_all_together_are_not():
    west = reported("西/教育", "2026Q3", "2026-09-11", (300, 300))
    seen = snapshot_of([EAST_Q3, west])
    assert problems(Voice(figures(seen, QUARTER))) == []
    asked = [replace(one, aim=one.aim and replace(one.aim, each=True)) for one in seen.clauses]
    of_each = Voice(figures(replace(seen, clauses=asked), QUARTER))
    [one] = problems(of_each)
    assert one.sentence == "配备率合计高于目标2.5个百分点，未达到目标的地区1个：东市（90.0%）。"
    assert asks(of_each) == [of_each.t.asks["short"]]


def test_english_says_it_too():
    [one] = problems(voice(ONE, language="en"))
    assert one.sentence.startswith("Overdue: 1; regions concerned: 1, departments: 1.")
