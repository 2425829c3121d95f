"""`duban backup`, `restore` and `move`: what they print, and what they leave."""

from pathlib import Path

import pytest

from duban.ledger import Ledger
from duban.ledger.audit import verify
from duban.ledger.database import make_engine
from duban.ledger.lock import only_one
from duban.ledger.questions import duties
from duban.registry import Registry
from tests.conftest import Project
from tests.duban.cli.conftest import Run


@pytest.fixture
def ticked(run: Run) -> Run:
    assert run("tick", "--as-of", "2026-01-05").code == 0
    return run


@pytest.fixture
def backed_up(ticked: Run) -> Run:
    assert ticked("backup", "b.tar").code == 0
    return ticked


def test_a_backup_says_what_is_in_it_and_that_it_is_a_secret(ticked: Run, project: Project):
    said = ticked("backup", "b.tar")
    assert said.code == 0
    assert said.text.startswith("b.tar: 14 duties, 0 files, history to row ")
    assert said.text.endswith("Keep it like a password: it opens every link.\n")
    assert (project.folder / "b.tar").stat().st_mode & 0o777 == 0o600
    again = ticked("backup", "b.tar")
    assert (again.code, again.text) == (
        1, "b.tar is there already; name another file, or give --force."
    )  # fmt: skip
    assert ticked("backup", "b.tar", "--force").code == 0


def test_a_restore_says_what_to_do_next_and_where_the_old_data_is(backed_up: Run, project: Project):
    refused = backed_up("restore", "b.tar")
    assert refused.code == 1
    assert "There is a ledger in use already" in refused.text
    assert backed_up("send", "on", "--yes", "--by", "省/教育").code == 0
    said = backed_up("restore", "b.tar", "--replace", "--by", "管理员")
    assert said.code == 0
    assert said.text.startswith("restored: 14 duties, 0 files, history to row ")
    assert "Sending is off" in said.text
    assert "then `duban send on`" in said.text
    [aside] = (project.folder / "var").glob("before-restore-*")
    assert f"What was there lies in var/{aside.name};" in said.text
    assert backed_up("verify").text == "The history is whole.\n"
    assert backed_up("backup", "again.tar").code == 0


def test_a_backup_without_a_key_says_that_old_links_need_it(
    ticked: Run, project: Project, monkeypatch: pytest.MonkeyPatch
):
    (project.folder / "var" / "secret.key").unlink()
    assert ticked("backup", "b.tar").code == 0
    monkeypatch.setenv("DUBAN_HOME", "elsewhere")
    assert "set DUBAN_SECRET as before" in ticked("restore", "b.tar").text


def test_a_move_copies_everything_and_shows_no_password(
    ticked: Run, postgres_url: str, small: Registry
):
    said = ticked("move", postgres_url)
    assert said.code == 0, said.text
    assert "rows are the same there, and the history is whole" in said.text
    assert "set DUBAN_DATABASE_URL=postgresql+psycopg://" in said.text
    again = ticked("move", postgres_url)
    assert again.code == 1
    assert "holds a ledger already" in again.text
    engine = make_engine(postgres_url)
    moved = Ledger(engine, small)
    assert len(duties(moved)) == 14
    assert verify(moved) == []
    engine.dispose()


def test_a_move_to_a_server_that_is_not_there_is_one_sentence(ticked: Run):
    said = ticked("move", "postgresql+psycopg://duban:s3cret@127.0.0.1:1/duban")
    assert said.code == 1
    assert "cannot be opened" in said.text
    assert "s3cret" not in said.text
    assert "\n" not in said.text


def test_nothing_is_moved_under_a_running_product_or_where_nothing_is(
    ticked: Run, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    target = f"sqlite:///{tmp_path / 'new.db'}"
    with only_one(project.folder / "var"):
        assert "Another duban up is running" in ticked("move", target).text
    monkeypatch.setenv("DUBAN_HOME", "elsewhere")
    assert "There is no ledger" in ticked("move", target).text
    assert not (project.folder / "elsewhere").exists()
