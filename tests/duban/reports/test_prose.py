"""Sentences follow from the figures, and say nothing that the figures do not."""

from dataclasses import replace

import pytest

from duban.ledger.snapshots import Fact, Part, Place
from duban.reports import prose
from duban.reports.counting import figures
from duban.reports.voice import Voice
from tests.conftest import china
from tests.duban.reports.cases import (
    EARLY,
    GOOD,
    LATE,
    NOTICE,
    ONE,
    PLACES,
    QUARTER,
    TITLE,
    snapshot_of,
    voice,
)
from tests.duban.reports.test_targets import EAST_Q2, EAST_Q3, WEST_Q2, reported


def test_the_title_and_the_opening_name_period_and_cut_off():
    said = voice(ONE)
    assert said.title == TITLE
    assert "2026年7月1日至2026年9月30日" in prose.opening(said)
    assert "数据截至2026年10月8日24:00" in prose.opening(said)


def test_the_opening_names_the_notice_and_the_title_its_matter():
    said = voice(ONE)
    told = "根据某省教育厅等三部门某教〔2023〕6号文件（学生心理健康工作），现将2026年第三季度"
    assert prose.opening(said).startswith(told)
    both = [NOTICE, replace(NOTICE, number="某教〔2024〕1号", label="控辍保学工作")]
    several = Voice(figures(replace(snapshot_of([ONE]), notices=both), QUARTER))
    assert "学生心理健康工作等2项工作督办情况" in several.title
    assert "6号文件（学生心理健康工作）、某省教育厅等三部门某教〔2024〕1号文件" in prose.opening(
        several
    )


def test_a_bulletin_of_a_period_under_way_says_until_when():
    at = china("2026-09-05", "23:59:59")
    said = Voice(figures(snapshot_of([GOOD, EARLY], at=at), QUARTER))
    assert said.title == f"{TITLE}（截至2026年9月5日）"
    first, second, *_ = prose.opening(said).split("。")
    assert "现将2026年第三季度截至2026年9月5日24:00的" in first
    assert second.startswith("本期尚未结束")
    over = Voice(figures(snapshot_of([GOOD], at=china("2026-09-30", "23:59:59")), QUARTER))
    assert over.title == TITLE


def test_all_together_is_told_group_by_group():
    soft, co = replace(ONE, soft=True), replace(GOOD, part=Part.CO)
    total, lead, *others = prose.whole(voice(ONE, GOOD, soft, co))
    assert total == (
        "本期到期事项4项，其中牵头单位事项2项，共同负责单位单独报送的事项1项，倡导性事项1项。"
    )
    assert "应报2项" in lead
    assert "已销号1项，完成率50.0%" in lead
    assert "到期办结率50.0%" in lead
    assert "未报（含退回）1项，其中超期1项" in lead
    assert [one[:4] for one in others] == ["共同负责", "倡导性事"]


def test_nothing_is_told_of_what_there_is_not():
    [total, lead] = prose.whole(voice(GOOD))
    assert total.startswith("本期到期事项1项")
    assert "顺延" not in lead
    assert "配合" not in lead
    assert prose.whole(voice()) == ["本期没有到期的事项。"]


def test_a_rate_without_anything_to_judge_is_no_zero():
    [_, lead] = prose.whole(voice(replace(ONE, due_at=china("2026-12-01"))))
    assert "按期率含延期计算为（无可计算的事项）" in lead


def league(*rates: int) -> str:
    """What is said of as many cities, of whose four duties so many are accepted."""
    places = [PLACES[0], *(Place(f"c{n}", f"{n}市", "city") for n in range(len(rates)))]
    facts = [
        replace(GOOD if at < done else ONE, agency=f"c{n}/妇联")
        for n, done in enumerate(rates)
        for at in range(4)
    ]
    found = figures(snapshot_of(facts, places=places), QUARTER)
    return prose.league(Voice(found), found.region_league)


def test_at_most_a_third_is_named_as_first_and_as_last():
    assert league(0, 4, 3, 3, 2, 1) == (
        "按牵头单位到期事项排名，到期办结率居前的是1市（100.0%）；居后的是5市（25.0%）、0市（0.0%）。"
    )
    assert league(0, 4, 3, 2) == (
        "按牵头单位到期事项排名，到期办结率居前的是1市（100.0%）；居后的是0市（0.0%）。"
    )
    nine = league(0, 4, 3, 3, 2, 1, 2, 2, 2, 2, 2, 2)
    assert "居前的是1市（100.0%）、2市（75.0%）、3市（75.0%）；" in nine
    assert nine.endswith("居后的是5市（25.0%）、0市（0.0%）。")


def test_nobody_is_named_among_few_nor_where_all_are_equal():
    assert league(0, 4, 2) == "有到期事项的不足4个，不作先后比较。"
    assert league(2, 2, 2, 2) == "按牵头单位到期事项排名，4个并列，到期办结率均为50.0%。"
    assert league() == "本期没有可排名的到期事项。"


def among_four(*fourth: Fact) -> str:
    """What is said where three cities have done everything in time, and a fourth has these."""
    places = [PLACES[0], *(Place(f"c{n}", f"{n}市", "city") for n in range(4))]
    facts = [replace(GOOD, agency=f"c{n}/妇联") for n in range(3)]
    facts += [replace(one, agency="c3/妇联") for one in fourth]
    found = figures(snapshot_of(facts, places=places), QUARTER)
    return prose.league(Voice(found), found.region_league)


def test_nobody_is_last_who_has_settled_all_that_is_due():
    assert among_four(LATE) == "按牵头单位到期事项排名，名次见表。"
    assert "居后" not in among_four(GOOD, replace(ONE, due_at=china("2026-12-01")))
    assert among_four(GOOD, ONE).endswith("居后的是3市（50.0%）。")


def test_what_decided_between_equal_shares_is_said():
    places = [PLACES[0], *(Place(f"c{n}", f"{n}市", "city") for n in range(4))]
    facts = [replace(one, agency=f"c{n}/妇联") for n, one in enumerate((GOOD, LATE, LATE, ONE))]
    found = figures(snapshot_of(facts, places=places), QUARTER)
    said = prose.league(Voice(found), found.region_league)
    assert said == (
        "按牵头单位到期事项排名，到期办结率居前的是0市（100.0%）；居后的是3市（0.0%）。"
        "到期办结率相同的，依次比较按期率（含延期）、超期项数和积压项数。"
    )


def test_a_target_tells_share_distance_change_and_who_is_short():
    said = voice(EAST_Q2, EAST_Q3, WEST_Q2)
    told, short = prose.target(said, said.figures.targets[0])
    assert told == (
        "配备率（目标不低于95%）：汇总2个单位最近审核通过的数据，已配备学校100，学校110，"
        "比例为90.9%，低于目标4.1个百分点，比上期上升9.1个百分点。"
    )
    assert short == "未达到目标的地区：东市（90.0%）。"


def test_figures_of_another_period_than_the_bulletins_name_it():
    waits = replace(ONE, clause="n/2", agency="西/妇联", period="2026Q2")
    early = replace(waits, original_due_at=EARLY.due_at, due_at=EARLY.due_at)
    said = voice(replace(EAST_Q2, period="2026Q1"), EAST_Q2, early)
    told, _, missing = prose.target(said, said.figures.targets[0])
    assert "：截至2026年第二季度，汇总1个单位最近审核通过的数据" in told
    assert told.endswith("，与2026年第一季度持平。")
    assert missing == "2026年第二季度数据尚未报送的单位：西市妇联。"


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        ((95, 100), "达到目标"),
        ((97, 100), "高于目标2个百分点"),
        ((9499, 10000), "略低于目标"),  # 95.0 when rounded, and short of it
    ],
)
def test_a_target_that_is_nearly_reached_is_not_called_reached(ratio: tuple[int, int], told: str):
    said = voice(reported("东/教育", "2026Q3", "2026-09-10", ratio))
    sentence = prose.target(said, said.figures.targets[0])[0]
    assert f"，{told}。" in sentence
    assert ("比例为95.0%" in sentence) == (ratio == (95, 100))


def test_a_target_without_figures_says_so():
    said = voice(replace(ONE, clause="n/2"))
    told, missing = prose.target(said, said.figures.targets[0])
    assert told == "配备率（目标不低于95%）：尚无审核通过的数据。"
    assert missing == "最近一期数据尚未报送的单位：东市妇联。"


def test_the_notes_tell_span_and_cut_off_and_zone():
    first, second, *_ = prose.notes(voice(ONE))
    assert "2026年7月1日至2026年9月30日" in first
    assert "2026年10月8日24:00（北京时间）" in second


def test_english_says_it_too():
    said = voice(ONE, language="en")
    assert said.title == f"某省教育厅: bulletin on {NOTICE.label}, the duties of quarter 3 of 2026"
    assert prose.whole(said)[0].startswith("Fell due: 1, of which lead 1")
