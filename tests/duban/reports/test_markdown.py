"""The bulletin as Markdown: every number leads to as many duties as it says."""

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest

from duban.ledger.snapshots import Fact, Place, Snapshot
from duban.reports.asked import Sought
from duban.reports.counting import behind, figures
from duban.reports.figures import Figures
from duban.reports.markdown import markdown
from tests.duban.reports.cases import ONE, QUARTER, TITLE, accepted, snapshot_of

LINK = re.compile(r"\[([^]]*)\]\(/list\?([^)]*)\)")


def link(sought: Sought) -> str:
    return f"/list?{urlencode(sought.query())}"


def page(*facts: Fact) -> str:
    return markdown(figures(snapshot_of(facts), QUARTER), link, state="")


def test_every_number_leads_to_a_list_as_long_as_it_says(large: Snapshot, counted: Figures):
    told = markdown(counted, link, state="")
    found = LINK.findall(told)
    assert len(found) > 400
    for shown, query in found:
        sought = Sought.of(dict(parse_qsl(query)))
        assert len(behind(large, QUARTER, sought)) == int(shown), sought


def test_no_number_of_duties_stands_in_a_table_without_its_link(counted: Figures):
    told = LINK.sub("LINKED", markdown(counted, link, state=""))
    plain = re.compile(r"0|—|LINKED|\d+\.\d%")
    for title in ("总体情况", "各市情况", "各部门情况", "各条款办理情况"):
        section = told.split(f"、{title}\n")[1].split("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
        texts = 1 if title == "总体情况" else 2
        assert len(rows) > 3
        for row in rows[2:]:
            assert all(plain.fullmatch(one) for one in row[texts:]), row


def test_a_zero_leads_nowhere():
    told = page(accepted(ONE, "2026-09-01"))
    assert "超期0项" in told
    assert not [one for one in LINK.findall(told) if one[0] == "0"]


def test_the_state_stands_above_everything_else(counted: Figures):
    told = markdown(counted, link, state="征求意见稿，2026年10月20日前可提出异议。")
    assert told.splitlines()[:3] == [
        f"# {TITLE}",
        "",
        "> 征求意见稿，2026年10月20日前可提出异议。",
    ]
    assert ">" not in markdown(counted, link, state="")


def test_a_simulation_says_so_before_anything_else():
    seen = replace(snapshot_of([ONE]), label="模拟演示")
    told = markdown(figures(seen, QUARTER), link, state="草稿")
    assert told.splitlines()[2:6:2] == ["> 【模拟演示】本件不作公文使用", "> 草稿"]


def test_names_cannot_break_the_page():
    places = [Place("省", "某省", "province"), Place("东", "东|市[*]", "city")]
    seen = snapshot_of([ONE], places=places)
    told = markdown(figures(seen, QUARTER), link, state="<b>")
    assert r"东\|市\[\*\]" in told
    assert r"> \<b\>" in told


def test_sections_follow_the_custom_of_a_circular(counted: Figures):
    heads = re.findall(r"^## (.*)$", markdown(counted, link, state=""), re.M)
    assert heads == [
        "一、总体情况",
        "二、各市情况",
        "三、各部门情况",
        "四、指标进展",
        "五、存在问题",
        "六、下一步要求",
        "七、共同负责和倡导性事项办理情况",
        "八、各条款办理情况",
        "九、统计口径",
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_snapshot_makes_the_same_page(large: Snapshot, language: str):
    seen = replace(large, language=language)
    again = Snapshot.read(seen.packed())
    made = [markdown(figures(one, QUARTER), link, state="") for one in (seen, again)]
    assert made[0] == made[1]
    assert seen.sha256 in made[0]


def test_a_period_without_duties_makes_a_page_too():
    assert "本期没有到期的事项。" in page()
