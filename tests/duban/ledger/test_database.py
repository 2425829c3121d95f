"""Opening the ledger: migrated, or refused with one sentence and left as it was."""

import hashlib
import re
import socket
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from duban.ledger import Ledger
from duban.ledger.database import LedgerUnreadable, make_engine, open_database, reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.ledger.tables import Base
from tests.conftest import china


def refused(url: str) -> str:
    """The one sentence of a refusal."""
    with pytest.raises(LedgerUnreadable) as error:
        open_database(url)
    message = str(error.value)
    assert "\n" not in message
    return message


def everything(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_new_ledger_has_every_table(database_url: str):
    engine = open_database(database_url)
    with engine.connect() as connection:
        assert set(Base.metadata.tables) <= set(inspect(connection).get_table_names())
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(database_url: str):
    engine = open_database(database_url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert found == []


def test_opening_again_keeps_what_is_there(ledger: Ledger, database_url: str):
    open_missing(ledger, china("2026-01-05"), clause="small/1")
    again = open_database(database_url)
    assert len(duties(Ledger(again, ledger.registry))) == 2
    again.dispose()


def test_a_newer_ledger_is_refused_and_left_alone(database_url: str):
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'zzzz'"))
    engine.dispose()
    message = refused(database_url)
    assert "was written by a newer Duban; install that version" in message
    engine = make_engine(database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "zzzz"
    engine.dispose()


@pytest.mark.parametrize(
    "content",
    [b"this is no database at all\n" * 200, b"SQLite format 3\x00" + b"\xff" * 4096],
    ids=["another kind of file", "a destroyed database"],
)
def test_a_corrupt_file_is_refused_and_left_byte_for_byte(tmp_path: Path, content: bytes):
    folder = tmp_path / "home"
    folder.mkdir()
    path = folder / "ledger.db"
    path.write_bytes(content)
    before = everything(folder)
    message = refused(f"sqlite:///{path}")
    assert re.search(r"is damaged \(.*\); restore it from a backup", message)
    assert str(path) in message
    assert everything(folder) == before


def test_a_cut_off_ledger_is_refused(tmp_path: Path, sqlite_template: Path):
    path = tmp_path / "cut.db"
    path.write_bytes(sqlite_template.read_bytes()[: 3 * 4096])
    assert "is damaged" in refused(f"sqlite:///{path}")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    message = refused(f"sqlite:///{tmp_path}/nowhere/ledger.db")
    assert "cannot be opened (unable to open database file); check address and rights" in message


def test_an_unreachable_server_is_refused_without_its_password():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = taken.getsockname()[1]
        message = refused(f"postgresql+psycopg://duban:s3cret@127.0.0.1:{port}/ledger")
    assert "cannot be opened (" in message
    assert f"127.0.0.1:{port}/ledger" in message
    assert "s3cret" not in message


def test_a_database_that_is_not_there_is_refused(postgres: str):
    message = refused(postgres.replace("/postgres?", "/nowhere?"))
    assert 'database "nowhere" does not exist' in message


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x/y", ""])
def test_what_is_no_address_is_refused(url: str):
    assert refused(url).startswith("DUBAN_DATABASE_URL is no database address; write sqlite:///")


def test_a_question_cannot_write_on_postgresql_and_blocks_nobody_on_sqlite(ledger: Ledger):
    with reading(ledger.engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM duty")) == 0
        open_missing(ledger, china("2026-01-05"), clause="small/1")  # beside the open question
        assert connection.scalar(text("SELECT count(*) FROM duty")) == 0  # one consistent view
    with reading(ledger.engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM duty")) == 2
