"""`duban bulletin`: drafted, shown, written out, objected to, withdrawn."""

from collections.abc import Callable
from pathlib import Path
from zipfile import is_zipfile

import pendulum
import pytest

from tests.conftest import Project
from tests.duban.cli.conftest import Run

YEAR = pendulum.today("Asia/Shanghai").year
BY = ("--by", "省")


@pytest.fixture
def drafted(run: Run, tick: Callable[[str], None]) -> Run:
    """Number 1 is a draft of this year."""
    tick("2026-01-05")
    said = run("bulletin", "draft", f"{YEAR}", *BY)
    assert said.code == 0, said.text
    assert said.text.startswith(f"1  {YEAR}  草稿，数据截至 ")
    return run


def test_a_draft_is_listed_and_shown_and_not_drafted_twice(drafted: Run) -> None:
    assert drafted("bulletin", "list").text.startswith(f"1  {YEAR}  草稿")
    assert "It stood already" in drafted("bulletin", "draft", f"{YEAR}", *BY).text
    shown = drafted("bulletin", "show", "1").text
    assert "东市" in shown
    assert "/desk/bulletins/1/duties?measure=" in shown


def test_it_is_written_out_for_word_for_excel_and_as_markdown(
    drafted: Run, project: Project
) -> None:
    for name in ("b.docx", "b.xlsx", "b.md"):
        assert drafted("bulletin", "write", "1", name).text == f"{name} written.\n"
    assert is_zipfile(project.folder / "b.docx")
    assert is_zipfile(project.folder / "b.xlsx")
    assert "东市" in (project.folder / "b.md").read_text(encoding="utf-8")
    assert "none of these" in drafted("bulletin", "write", "1", "b.pdf").text
    assert "There is no folder" in drafted("bulletin", "write", "1", "no/b.md").text
    assert not Path(project.folder / "b.pdf").exists()


def test_an_objection_is_answered_and_an_early_issue_refused(drafted: Run) -> None:
    assert "Objection 1 recorded" in drafted("bulletin", "object", "1", "--text", "漏计", *BY).text
    refused = drafted("bulletin", "issue", "1", *BY)
    assert (refused.code, "Objections are taken through" in refused.text) == (1, True)
    assert drafted("bulletin", "answer", "1", "--text", "已核", *BY).code == 0
    shown = drafted("bulletin", "show", "1").text
    assert "#1 省: 漏计" in shown
    assert "省: 已核" in shown


def test_a_withdrawn_draft_makes_room_for_another(drafted: Run) -> None:
    assert drafted("bulletin", "withdraw", "1", "--reason", "口径", *BY).code == 0
    assert drafted("bulletin", "draft", f"{YEAR}", *BY).text.startswith(f"2  {YEAR}  草稿")
    assert "草稿已撤回" in drafted("bulletin", "list").text


def test_what_is_not_there_or_makes_no_sense_is_one_sentence(
    run: Run, tick: Callable[[str], None]
) -> None:
    tick("2026-01-05")
    assert "There is no such bulletin" in run("bulletin", "show", "7").text
    unsaid = run("bulletin", "answer", "7", "--text", "已核", *BY)
    assert (unsaid.code, "There is no such objection" in unsaid.text) == (1, True)
    assert "'2026年' is no period" in run("bulletin", "draft", "2026年", *BY).text
    ahead = run("bulletin", "draft", "2026", "--cut-off", "2099-01-01", *BY)
    assert (ahead.code, "lies ahead" in ahead.text) == (1, True)
    assert run("bulletin", "list").text.startswith("There are none yet;")
