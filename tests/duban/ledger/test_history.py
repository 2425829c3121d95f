"""The chained history: whole as long as nobody touches it, and nobody easily can."""

from datetime import datetime

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from duban.ledger import Ledger, acts
from duban.ledger.change import change, first_broken_link
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import events, head_seq
from tests.conftest import china

NOW = china("2026-02-02")


@pytest.fixture
def written(ledger: Ledger) -> Ledger:
    """A ledger with two duties and an excuse."""
    open_missing(ledger, NOW, clause="small/1")
    acts.waive(ledger, 1, reason="撤并", by="省教育厅", now=NOW)
    return ledger


def broken(ledger: Ledger) -> int | None:
    with reading(ledger.engine) as connection:
        return first_broken_link(connection)


def behind_the_guard(connection: Connection) -> None:
    """What an administrator with bad intent would do first."""
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER history_no_{verb}"))
    else:
        connection.execute(text("ALTER TABLE history DISABLE TRIGGER history_guard"))
        connection.execute(text("SET session_replication_role = replica"))  # no foreign keys


def test_what_happened_is_told_in_order(written: Ledger):
    found = list(events(written))
    assert [event.action for event in found] == ["opened", "opened", "waived"]
    assert [event.seq for event in found] == [1, 2, 3]
    assert (found[-1].actor, found[-1].text, found[-1].at) == ("省教育厅", "撤并", NOW)
    assert [event.seq for event in events(written, duty_id=1)] == [1, 3]
    assert [event.seq for event in events(written, after=2)] == [3]
    assert head_seq(written) == 3


def test_an_untouched_history_is_whole(ledger: Ledger):
    assert broken(ledger) is None
    open_missing(ledger, NOW)
    assert broken(ledger) is None


@pytest.mark.parametrize(
    "statement", ["UPDATE history SET actor = 'nobody'", "DELETE FROM history WHERE seq = 3"]
)
def test_the_database_refuses_to_rewrite_history(written: Ledger, statement: str):
    with (
        pytest.raises(DBAPIError, match="history is append-only"),
        written.engine.begin() as connection,
    ):
        connection.execute(text(statement))
    assert broken(written) is None


def test_postgresql_refuses_to_empty_history(written: Ledger):
    if written.engine.dialect.name != "postgresql":
        return
    with (
        pytest.raises(DBAPIError, match="history is append-only"),
        written.engine.begin() as connection,
    ):
        connection.execute(text("TRUNCATE history CASCADE"))


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE history SET actor = 'nobody' WHERE seq = 2", 2),
        ("""UPDATE history SET data = '{"due": "2027-01-01"}' WHERE seq = 1""", 1),
        ("UPDATE history SET action = 'accepted' WHERE seq = 3", 3),
        ("DELETE FROM history WHERE seq = 2", 2),
        ("DELETE FROM history WHERE seq = 3", 3),  # the tail: the stored head knows
        ("UPDATE chain_head SET seq = 2", 4),
        ("UPDATE history_text SET text = '无此事'", 3),  # its hash is in the chain
    ],
)
def test_what_was_altered_behind_the_guard_is_found(written: Ledger, statement: str, seq: int):
    with written.engine.begin() as connection:
        behind_the_guard(connection)
        if "DELETE" in statement:
            connection.execute(text("DELETE FROM history_text"))
        connection.execute(text(statement))
    assert broken(written) == seq


def test_free_text_can_be_erased_and_the_chain_stays_whole(written: Ledger):
    with written.engine.begin() as connection:
        connection.execute(text("UPDATE history_text SET text = NULL"))
    assert broken(written) is None
    assert [event.text for event in events(written, duty_id=1)] == ["", ""]


def test_a_change_that_fails_leaves_no_trace(written: Ledger):
    def fail() -> None:
        with change(written.engine, NOW, "x") as made:
            made.record("waived", 2)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert head_seq(written) == 3
    assert broken(written) is None


def test_a_moment_without_a_zone_is_refused(written: Ledger):
    naive = datetime.fromisoformat("2026-02-02T09:00")
    with pytest.raises(Exception, match="has no time zone"):
        acts.waive(written, 2, reason="x", by="x", now=naive)
