"""`duban apply` shows what edited files will do, asks, and does it; `duban applied` lists that."""

import json
import re
from unicodedata import east_asian_width

import pytest

from tests.conftest import Project
from tests.duban.cli.conftest import Run, Said

FEBRUARY = ("--as-of", "2026-02-02")
NEW_CITY = "departments:\n", "  南: {name: 南市, level: city, within: 省}\ndepartments:\n"
EARLIER = "due: M3-20, basis: text", "due: M3-10, basis: text"


@pytest.fixture
def opened(run: Run) -> Run:
    assert run("tick", "--as-of", "2026-02-01").code == 0
    return run


def lines(said: Said) -> list[list[str]]:
    """The cells of the printed table, each row in one piece."""
    found: list[list[str]] = []
    for line in said.text.splitlines():
        if line.startswith("│"):
            cells = [cell.strip() for cell in line.strip("│").split("│")]
            if cells[0]:
                found.append(cells)
            else:
                found[-1] = [f"{a}{b}" for a, b in zip(found[-1], cells, strict=True)]
    return found


def edit(project: Project) -> None:
    """A new city, an earlier due day, a clause that left, another address, the ladder."""
    project.edit(project.agencies, *NEW_CITY)
    project.edit(project.agencies, "youth@example.org", "young@example.org")
    project.edit(project.clauses, *EARLIER)
    text = project.clauses.read_text(encoding="utf-8")
    start, end = text.index("- id: 3\n"), text.index("- id: 4\n")
    project.clauses.write_text(text[:start] + text[end:], encoding="utf-8")
    chase = project.folder / "deployments" / "chase.yaml"
    chase.write_text("ladder: '13710'\n", encoding="utf-8")


def test_it_shows_first_what_it_will_do_and_does_nothing_without_a_yes(
    opened: Run, project: Project
):
    edit(project)
    said = opened("apply", *FEBRUARY)
    assert said.code == 1
    assert lines(said) == [
        ["修改条款", "1", "1 家长课堂（周期安排）"],
        ["撤下条款", "1", "3 每月活动"],
        ["新增单位", "3", "南市教育局、南市妇联、共青团南市委"],
        ["单位信息变更", "1", "共青团东市委（收件地址）"],
        ["催办规则变更", "1", "催办阶梯"],
        ["新立事项", "6", "1 ×1、2 ×1、4 ×1、5 ×1、6 ×2"],
        ["时限有差异，不动", "2", "1 2026-03-20 → 2026-03-10 ×2"],
        ["已撤下，不动", "2", "3 ×2（条款已从文件中撤下）"],
    ]
    assert "加 --move 调整时限" in said.text
    assert "新立 6 项，调整时限 0 项，免办 0 项，变更单位信息 1 个。" in said.text
    assert said.text.endswith("Nothing was applied. Add --yes to apply it after this plan.")
    assert len(applied(opened)) == 1
    assert {width(line) for line in said.text.splitlines() if line[:1] in "┏│└"} == {
        width(said.text.splitlines()[0])
    }


def width(line: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in line)


def applied(run: Run) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("applied", "--json").text)
    return found


def test_told_to_move_and_close_it_does_all_and_then_has_nothing_to_do(
    opened: Run, project: Project
):
    edit(project)
    orders = ("apply", "--move", "--close", *FEBRUARY)
    dry = opened(*orders, "--dry-run")
    assert dry.code == 0
    assert "新立 6 项，调整时限 2 项，免办 2 项，变更单位信息 1 个。" in dry.text
    assert "--move" not in dry.text
    assert len(applied(opened)) == 1
    said = opened(*orders, "--yes", "--by", "王", "--reason", "省厅来函")
    assert said.text.endswith("Applied: 6 opened, 2 moved, 2 closed.\n")
    [newest, first] = applied(opened)
    assert (newest["by"], first["by"]) == ("王", "duban")
    told = opened("show", "1:东市妇联:2026Q1").text
    assert "条款修订，时限由 2026-03-20 调整为 2026-03-10。省厅来函" in told
    assert opened(*orders).text == "没有需要启用的改动。\n"
    assert "opened 0;" in opened("tick", *FEBRUARY).text


def test_an_edit_waits_for_it_and_check_says_so(opened: Run, project: Project):
    assert "`duban apply`" not in opened("check").text
    project.edit(project.agencies, *NEW_CITY)
    assert "opened 2;" in opened("tick", "--as-of", "2026-03-01").text  # March, in two cities
    said = opened("check")
    assert said.code == 0
    assert said.text.endswith(
        "The files differ from what is in force: `duban apply` shows what they would do.\n"
    )
    assert opened("apply", "--yes").code == 0
    assert "`duban apply`" not in opened("check").text


def test_a_comment_is_applied_without_a_word_of_duties(opened: Run, project: Project):
    project.edit(project.agencies, "regions:\n", "# two cities\nregions:\n")
    said = opened("apply", "--yes", "--as-of", "2026-02-01")
    assert said.text.startswith("只改了注释或排版，事项不受影响。\n")


def test_an_earlier_version_comes_back(opened: Run, project: Project):
    project.edit(project.clauses, *EARLIER)
    opened("apply", "--move", "--yes", *FEBRUARY)
    said = opened("apply", "--from", "1", "--move", "--yes", *FEBRUARY)
    assert ["调整时限", "2", "1 2026-03-10 → 2026-03-20 ×2"] in lines(said)
    told = opened("applied").text.splitlines()
    assert [re.split(r"  ", line)[0] for line in told] == ["3", "2", "1"]
    assert told[0].endswith("新立 0 项，调整时限 2 项，免办 0 项，变更单位信息 0 个。")
    assert told[2].endswith("首次启用")
    assert opened("apply", "--from", "9").text == (
        "There is no version 9; `duban applied` lists them."
    )


def test_faults_are_told_all_at_once_and_nothing_is_applied(opened: Run, project: Project):
    project.edit(project.notice, "妇联要制定工作方案", "妇联应制定工作方案")
    project.edit(project.agencies, "coordinator: 省/教育", "coordinator: 省/体育")
    said = opened("apply", "--yes")
    assert said.code == 1
    [agency, text, quote] = said.text.splitlines()
    assert agency.startswith("agencies.yaml:2: coordinator '省/体育' is no agency")
    assert "notice.txt is not the text these clauses were read from" in text
    assert "the quote of clause 4 no longer holds, “妇联要制定工作方案”" in quote
    assert len(applied(opened)) == 1
    assert opened("status").code == 0  # what is in force goes on


def test_on_a_new_folder_it_is_the_first_to_put_the_files_in_force(run: Run, project: Project):
    said = run("apply", "--yes", *FEBRUARY)
    assert "Applied: 14 opened, 0 moved, 0 closed." in said.text
    [first] = applied(run)
    assert first["by"] == "cli"


def test_an_english_notice_is_told_in_english(opened: Run, project: Project):
    project.edit(project.clauses, "language: zh", "language: en")
    project.edit(project.agencies, *NEW_CITY)
    said = opened("apply", "--yes", *FEBRUARY)
    assert ["new agencies", "3", "南市教育局, 南市妇联, 共青团南市委"] in lines(said)
    assert "Opens 7 duties, moves 0 dates, closes 0, changes 0 recipients." in said.text
