"""`duban contacts` and `duban ledger`: sheets out and back in, shown first, all or nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.conftest import Project
from tests.duban.cli.conftest import Run

ROSTER, LEDGER = "roster.xlsx", "台账.xlsx"
HEAD = 3


@pytest.fixture
def opened(tick: Callable[[str], None]) -> None:
    """The duties that are open on 2 February 2026."""
    tick("2026-02-02")


def typed_in(path: Path, line: Callable[[dict[str, Any]], bool], **given: Any) -> None:
    """Types into the lines that are meant, by heading."""
    book: Any = load_workbook(path)
    page = book.worksheets[0]
    titles = [cell.value for cell in page[HEAD]]
    lines = [*page.iter_rows(min_row=HEAD + 1)]
    found = [
        row for row in lines if line({t: cell.value for t, cell in zip(titles, row, strict=True)})
    ]
    assert found
    for row in found:
        for title, value in given.items():
            row[titles.index(title)].value = value
    book.save(path)


def of(agency: str, matter: str | None = None) -> Callable[[dict[str, Any]], bool]:
    """The lines of an agency, or that about one matter."""
    return lambda line: (
        agency in (line.get("责任单位"), line.get("单位编号"))
        and matter in (None, line.get("督办事项"))
    )


# The roster


def test_a_sheet_that_is_there_is_not_written_over(run: Run, project: Project, opened: None):
    for export in (("contacts", "template"), ("contacts", "export"), ("ledger", "export")):
        (project.folder / "filled.xlsx").write_text("filled in")
        said = run(*export, "filled.xlsx")
        assert (said.code, said.text) == (
            1,
            "filled.xlsx is there already; name another file, or give --force.",
        )
        assert (project.folder / "filled.xlsx").read_text() == "filled in"
        assert run(*export, "filled.xlsx", "--force").code == 0


def test_contacts_go_out_and_come_back_into_agencies_yaml(run: Run, project: Project):
    assert run("contacts", "export", ROSTER).text == f"{ROSTER}: 8 agencies.\n"
    typed_in(project.folder / ROSTER, of("东/妇联"), 联系电话="0351-1234567")
    before = project.agencies.read_bytes()
    said = run("contacts", "import", ROSTER, "--dry-run")
    assert said.code == 0
    assert "联系电话：（空）→0351-1234567" in said.text
    assert "共8行：新增1，改动0，未变7，已过时0，有误0。" in said.text
    assert project.agencies.read_bytes() == before
    said = run("contacts", "import", ROSTER)
    assert said.code == 1
    assert said.text.endswith("Nothing was changed. Add --yes to do it after this preview.")
    assert project.agencies.read_bytes() == before
    said = run("contacts", "import", ROSTER, "--yes")
    assert said.code == 0
    assert said.text.endswith("1 contacts written; `duban apply` brings them in.\n")
    assert project.load().agencies["东/妇联"].contact.telephone == "0351-1234567"
    said = run("contacts", "import", ROSTER, "--yes")
    assert said.code == 0
    assert "未变8" in said.text


def test_a_wrong_row_keeps_the_whole_roster_out(run: Run, project: Project):
    run("contacts", "template", ROSTER)
    typed_in(project.folder / ROSTER, of("东/妇联"), 联系电话="0351-1234567")
    typed_in(project.folder / ROSTER, of("西/妇联"), 联系电话="abc")
    before = project.agencies.read_bytes()
    said = run("contacts", "import", ROSTER, "--yes")
    assert said.code == 1
    assert "“abc”不像电话号码。" in said.text
    assert said.text.endswith(
        "Nothing was written: mend the rows that are wrong, and import again."
    )
    assert project.agencies.read_bytes() == before
    assert (project.folder / "roster-预览.xlsx").is_file()


def test_what_was_imported_is_in_force_after_apply(run: Run, project: Project, opened: None):
    run("contacts", "export", ROSTER)
    typed_in(project.folder / ROSTER, of("东/妇联"), 通知渠道="east@example.org")
    run("contacts", "import", ROSTER, "--yes")
    said = run("apply", "--yes", "--as-of", "2026-02-03")
    assert said.code == 0
    assert "东市妇联" in said.text


# The ledger


def test_the_ledger_goes_out_is_filled_in_and_comes_back_once(
    run: Run, project: Project, opened: None
):
    said = run("ledger", "export", LEDGER, "--agency", "东市妇联")
    assert said.code == 0
    path = project.folder / LEDGER
    typed_in(path, of("东市妇联", "家长课堂"), 填报1=12, 进展情况="已开课")
    said = run("ledger", "import", LEDGER, "--as", "东市妇联", "--dry-run")
    assert "课堂数：（空）→12" in said.text
    assert "改动1" in said.text
    assert "用表格填入指标草稿" not in run("show", "1:东市妇联:2026Q1").text
    said = run("ledger", "import", LEDGER, "--as", "东市妇联")
    assert said.code == 1
    said = run("ledger", "import", LEDGER, "--as", "东市妇联", "--yes")
    assert said.code == 0
    assert said.text.endswith("1 rows brought in; the agencies submit them in the portal.\n")
    shown = run("show", "1:东市妇联:2026Q1").text
    assert "东/妇联  进展情况：已开课" in shown
    assert "用表格填入指标草稿，尚未报送" in shown
    said = run("ledger", "import", LEDGER, "--as", "东市妇联", "--yes")
    assert said.code == 0
    assert "改动0" in said.text
    assert run("verify").code == 0


def test_a_coordinator_brings_in_what_any_agency_filled_in(
    run: Run, project: Project, opened: None
):
    run("ledger", "export", LEDGER, "--by-region")
    typed_in(project.folder / LEDGER, of("东市妇联", "家长课堂"), 存在问题="师资不足")
    said = run("ledger", "import", LEDGER, "--by", "张三", "--yes")
    assert said.code == 0
    assert "张三  存在问题：师资不足" in run("show", "1:东市妇联:2026Q1").text


def test_an_agency_brings_nothing_in_for_another(run: Run, project: Project, opened: None):
    run("ledger", "export", LEDGER, "--clause", "1")
    typed_in(project.folder / LEDGER, of("西市妇联", "家长课堂"), 填报1=12)
    said = run("ledger", "import", LEDGER, "--as", "东市妇联", "--yes")
    assert said.code == 1
    assert "或者这一事项不由你填报。" in said.text
    assert "尚未报送" not in run("show", "1:西市妇联:2026Q1").text


def test_a_stale_row_keeps_the_whole_sheet_out(run: Run, project: Project, opened: None):
    run("ledger", "export", LEDGER, "--clause", "1")
    for agency in ("东市妇联", "西市妇联"):
        typed_in(project.folder / LEDGER, of(agency), 填报1=12)
    run("extend", "1:东市妇联:2026Q1", "--to", "2099-04-20", "--reason", "汛期", "--by", "李四")
    said = run("ledger", "import", LEDGER, "--by", "张三", "--yes")
    assert said.code == 1
    assert "导出后完成时限由2026-03-20改为2099-04-20；请重新导出再填。" in said.text
    assert "已过时1" in said.text
    assert "尚未报送" not in run("show", "1:西市妇联:2026Q1").text


@pytest.mark.parametrize("who", [(), ("--as", "东市妇联", "--by", "张三")])
def test_it_asks_who_filled_a_sheet_in(run: Run, opened: None, who: tuple[str, ...]):
    run("ledger", "export", LEDGER)
    said = run("ledger", "import", LEDGER, *who, "--yes")
    assert said.code == 1
    assert said.text.endswith("Say who filled it in: --as AGENCY, or --by NAME for a coordinator.")


def test_filters_choose_what_goes_out(run: Run, project: Project, opened: None):
    told = {
        "--agency": ("东市妇联", "东市妇联"),
        "--region": ("西市", "西"),
        "--clause": ("2", "教育局"),
    }
    for option, (value, every) in told.items():
        assert run("ledger", "export", LEDGER, option, value, "--force").code == 0
        book: Any = load_workbook(project.folder / LEDGER)
        agencies = [row[7] for row in book.worksheets[0].iter_rows(HEAD + 1, values_only=True)]
        assert agencies
        assert all(every in one for one in agencies), option
    said = run("ledger", "export", LEDGER, "--status", "submitted", "--force")
    assert said.text == f"{LEDGER}: 0 duties.\n"


def test_a_look_back_is_exported_for_reading(run: Run, project: Project, opened: None):
    assert run("ledger", "export", LEDGER, "--as-of", "2026-02-03").code == 0
    said = run("ledger", "import", LEDGER, "--by", "张三", "--yes")
    assert said.code == 1
    assert "只供查看，不能导入" in said.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ledger", "export", "x.csv"), "x.csv is not named as a workbook; write FILE.xlsx."),
        (("ledger", "export", "no/x.xlsx"), "There is no folder no; make it first."),
        (("ledger", "export", "x.xlsx", "--region", "南"), "There is no region '南'"),
        (("ledger", "export", "x.xlsx", "--as-of", "2999-01-01"), "2999-01-01 is not over yet;"),
        (
            ("ledger", "export", "x.xlsx", "--agency", "南"),
            "There is no agency '南'. `duban contacts export` lists them.",
        ),
        (("ledger", "import", "x.xlsx", "--by", "张三"), "x.xlsx cannot be read; check the path."),
        (("contacts", "import", "x.xlsx"), "x.xlsx cannot be read; check the path."),
        (("contacts", "export", "x.csv"), "x.csv is not named as a workbook; write FILE.xlsx."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    run: Run, opened: None, arguments: tuple[str, ...], told: str
):
    said = run(*arguments)
    assert said.code == 1
    assert told in said.text
