"""`duban audit`: the history proved whole, also against heads that were kept elsewhere."""

import re
from datetime import date

import pytest
from sqlalchemy import text

from duban.ledger.database import make_engine
from tests.conftest import Project
from tests.duban.cli.conftest import Run


@pytest.fixture
def ticked(run: Run) -> Run:
    for day in ("2026-01-05", "2026-02-02"):
        assert run("tick", "--as-of", day).code == 0
    return run


def cut_off(project: Project, *, after: int) -> None:
    """Takes the end of the history away, and mends the stored head."""
    engine = make_engine(f"sqlite:///{project.folder / 'var' / 'ledger.db'}")
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER history_no_delete"))
        connection.execute(text(f"DELETE FROM history WHERE seq > {after}"))
        connection.execute(
            text(
                "UPDATE chain_head SET seq = :seq, "
                "hash = (SELECT hash FROM history WHERE seq = :seq)"
            ),
            {"seq": after},
        )
    engine.dispose()


def test_an_untouched_ledger_is_whole_under_both_names(ticked: Run):
    assert ticked("audit", "verify").text == "The history is whole.\n"
    assert ticked("verify").text == "The history is whole.\n"
    said = ticked("audit", "verify", "--files")
    assert said.text == "The history is whole.\nEvery file is there, as it was kept.\n"


def test_the_head_is_printed_as_the_log_notes_it(ticked: Run, project: Project):
    log = (project.folder / "var" / "heads.log").read_text().splitlines()
    assert [line.split()[0] for line in log] == ["2026-01-05", "2026-02-02"]
    printed = ticked("audit", "head").text
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d+ [0-9a-f]{64}\n", printed)
    assert date.fromisoformat(printed.split()[0])
    assert printed.split()[1:] == log[-1].split()[1:]


def test_an_end_cut_off_is_told_by_the_log_of_heads(ticked: Run, project: Project):
    cut_off(project, after=6)
    said = ticked("audit", "verify")
    assert said.code == 1
    assert "was cut off." in said.text
    assert said.text.endswith("Restore a backup and compare.")


def test_a_copy_kept_elsewhere_tells_when_the_log_was_altered_too(ticked: Run, project: Project):
    log = project.folder / "var" / "heads.log"
    copy = project.folder / "copy.log"
    copy.write_text(log.read_text())
    cut_off(project, after=6)
    log.unlink()
    told = ticked("audit", "verify").text
    assert "was cut off" not in told
    assert "was cut off." in ticked("audit", "verify", "--heads", str(copy)).text
    missing = ticked("audit", "verify", "--heads", "none.log")
    assert (missing.code, missing.text) == (1, "There is no file none.log.")
