"""Whatever is done to the ledger behind its back is found."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from duban.evidence import Checked, keep_file
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover
from duban.ledger.audit import (
    BadHeads,
    Head,
    faults,
    head_now,
    note_head,
    read_heads,
    verify,
    verify_files,
)
from duban.ledger.change import GENESIS, chain_hash
from duban.ledger.database import make_engine
from duban.ledger.opening import open_missing
from duban.ledger.tables import History
from duban.ledger.uploads import begin, file
from duban.office import Office
from duban.registry import Registry
from tests.conftest import china
from tests.duban.ledger.conftest import duty_of

NOW = china("2026-03-02")
ME = "东/妇联"


def live(ledger: Ledger) -> None:
    """Some forty rows, with texts."""
    open_missing(ledger, china("2026-01-05"))
    for month in range(2, 9):
        open_missing(ledger, china(f"2026-{month:02}-05"))
    acts.waive(ledger, 1, reason="撤并", by="省", now=NOW)
    acts.reopen(ledger, 1, reason="误销", by="省", now=NOW)


@pytest.fixture(scope="module")
def lived(sqlite_template: Path, small: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "ledger.db"
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(f"sqlite:///{path}")
    live(Ledger(engine, small))
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def copy(lived: Path, small: Registry, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger whose guards somebody has taken away."""
    shutil.copyfile(lived, tmp_path / "copy.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'copy.db'}")
    with engine.begin() as connection:
        for verb in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER history_no_{verb}"))
    yield Ledger(engine, small)
    engine.dispose()


Deed = Callable[[Connection, random.Random, int], None]
VALUES = {
    "actor": "'nobody'",
    "action": "'called'",
    "at": "'2020-01-01 00:00:00.000000'",
    "data": "'{\"x\": 1}'",
    "duty_id": "77",
    "text_sha256": "'ab'",
    "hash": "'cd'",
}


def alter(connection: Connection, chance: random.Random, last: int) -> None:
    column, value = chance.choice(list(VALUES.items()))
    seq = chance.randint(1, last)
    connection.execute(text(f"UPDATE history SET {column} = {value} WHERE seq = {seq}"))


def remove(connection: Connection, chance: random.Random, last: int) -> None:
    connection.execute(text(f"DELETE FROM history WHERE seq = {chance.randint(1, last)}"))


def close_the_gap(connection: Connection, chance: random.Random, last: int) -> None:
    seq = chance.randint(1, last)
    connection.execute(text(f"DELETE FROM history WHERE seq = {seq}"))
    for later in range(seq + 1, last + 1):
        connection.execute(text(f"UPDATE history SET seq = {later - 1} WHERE seq = {later}"))


def reorder(connection: Connection, chance: random.Random, last: int) -> None:
    one, other = chance.sample(range(1, last + 1), 2)
    for old, new in ((one, -1), (other, one), (-1, other)):
        connection.execute(text(f"UPDATE history SET seq = {new} WHERE seq = {old}"))


def truncate(connection: Connection, chance: random.Random, last: int) -> None:
    """Cuts the end off and mends the stored head: only a head kept elsewhere tells."""
    seq = chance.randint(1, last)
    connection.execute(text(f"DELETE FROM history WHERE seq >= {seq}"))
    remake(connection, seq)


def make_anew(connection: Connection, chance: random.Random, last: int) -> None:
    seq = chance.randint(1, last)
    connection.execute(text(f"UPDATE history SET actor = 'nobody' WHERE seq = {seq}"))
    remake(connection, seq)


def remake(connection: Connection, seq: int) -> None:
    """Makes the chain from a row on whole in itself, and the stored head with it."""
    link = connection.scalar(select(History.hash).where(History.seq == seq - 1)) or GENESIS
    question = select(History.__table__).where(History.seq >= seq).order_by(History.seq)
    last = seq - 1
    for row in connection.execute(question).mappings().all():
        last, link = row["seq"], chain_hash(link, dict(row))
        connection.execute(text(f"UPDATE history SET hash = '{link}' WHERE seq = {last}"))
    connection.execute(text(f"UPDATE chain_head SET seq = {last}, hash = '{link}'"))


@pytest.mark.parametrize("deed", [alter, remove, close_the_gap, reorder, truncate, make_anew])
def test_every_deed_at_any_row_is_found(copy: Ledger, deed: Deed):
    heads = [head_now(copy, NOW)]
    assert verify(copy, heads) == []
    for seed in range(50):
        with copy.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            deed(connection, random.Random(seed), heads[0].seq)
            assert faults(connection, heads), seed
            connection.rollback()


def test_a_tail_cut_off_and_a_chain_made_anew_are_told_apart(copy: Ledger):
    head = head_now(copy, NOW)
    for deed, told in ((truncate, "was cut off"), (make_anew, "was made anew")):
        with copy.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            deed(connection, random.Random(3), head.seq)
            assert any(told in fault for fault in faults(connection, [head]))
            assert not any(told in fault for fault in faults(connection, []))
            connection.rollback()


def test_an_erased_text_leaves_the_chain_whole_and_an_altered_one_does_not(copy: Ledger):
    with copy.engine.begin() as connection:
        connection.execute(text("UPDATE history_text SET text = NULL"))
    assert verify(copy, [head_now(copy, NOW)]) == []
    with copy.engine.begin() as connection:
        connection.execute(text("UPDATE history_text SET text = '另一个理由'"))
    assert "The history is broken at row" in verify(copy)[0]


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("UPDATE duty SET status = 'accepted' WHERE id = 2", "Duty 2 was altered: status."),
        (
            "UPDATE duty SET due_at = '2030-01-01 00:00:00.000000', agency = 'x' WHERE id = 2",
            "Duty 2 was altered: agency, due_at.",
        ),
        ("UPDATE duty SET closed_at = '2030-01-01 00:00:00.000000' WHERE id = 3", "Duty 3 was a"),
        ("UPDATE duty SET id = 999 WHERE id = 2", "Duty 999 was put in"),
        ("DELETE FROM duty WHERE id = 2", "Duty 2 was removed."),
    ],
)
def test_a_duty_that_is_not_what_its_history_tells_is_found(copy: Ledger, deed: str, told: str):
    with copy.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.execute(text(deed))
        assert told in " ".join(faults(connection, []))
        connection.rollback()


@pytest.fixture
def handed_in(first_quarter: Office) -> Ledger:
    """A version of evidence with a file, and one without."""
    ledger, folder = first_quarter.ledger, first_quarter.settings.files
    number = duty_of(first_quarter, ME, "1")
    source = first_quarter.settings.home.parent / "汇总.pdf"
    source.write_bytes(b"%PDF-1.7")
    drafted = begin(ledger, number, ME, keep_file(folder, "proof", source), NOW)
    evidence = Checked({"classes": 1, "note": "开展"}, ())
    acts.submit(ledger, number, evidence, [], by=ME, now=NOW, cover=Cover(drafts=(drafted,)))
    acts.submit(ledger, number, evidence, [], by=ME, now=NOW)
    return ledger


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("UPDATE submission SET fields = '{\"classes\": 100}' WHERE number = 1", "fields of"),
        ("UPDATE submission SET receipt = 'x' WHERE number = 2", "was put in"),
        ("DELETE FROM submission WHERE number = 2", "was removed"),
        ("UPDATE evidence_file SET sha256 = 'ab'", "were exchanged"),
        ("UPDATE evidence_file SET submission_id = NULL", "were exchanged"),
    ],
)
def test_evidence_that_is_not_what_was_handed_in_is_found(handed_in: Ledger, deed: str, told: str):
    assert verify(handed_in) == []
    with handed_in.engine.begin() as connection:
        connection.execute(text(deed))
    assert any(told in fault for fault in verify(handed_in))


def test_every_altered_or_missing_file_is_found(handed_in: Ledger, first_quarter: Office):
    folder = first_quarter.settings.files
    kept = file(handed_in, 1)
    assert kept is not None
    assert verify_files(handed_in, folder) == []
    path = folder / kept.stored_as
    path.write_bytes(b"%PDF-1.8")
    assert verify_files(handed_in, folder) == [f"File 1 of duty {kept.duty_id} was altered."]
    path.unlink()
    assert verify_files(handed_in, folder) == [f"File 1 of duty {kept.duty_id} is missing."]


def test_a_head_a_day_is_noted(ledger: Ledger, tmp_path: Path):
    log = tmp_path / "home" / "heads.log"
    assert not note_head(ledger, log, NOW)  # nothing has happened
    assert read_heads(log) == []
    open_missing(ledger, NOW)
    assert note_head(ledger, log, NOW)
    assert not note_head(ledger, log, china("2026-03-02", "23:59"))
    open_missing(ledger, china("2026-04-01"))
    assert note_head(ledger, log, china("2026-04-01", "00:30"))
    heads = read_heads(log)
    assert [str(head.day) for head in heads] == ["2026-03-02", "2026-04-01"]
    assert heads[-1] == head_now(ledger, china("2026-04-01"))
    assert verify(ledger, heads) == []


def test_a_line_cut_short_by_a_crash_is_left_out_and_a_strange_one_is_told(
    ledger: Ledger, tmp_path: Path
):
    log = tmp_path / "heads.log"
    open_missing(ledger, NOW)
    note_head(ledger, log, NOW)
    whole = log.read_text()
    log.write_text(whole + "2026-03-0")
    assert len(read_heads(log)) == 1
    log.write_text("something else\n")
    with pytest.raises(BadHeads, match="something else"):
        read_heads(log)
    assert str(Head(NOW.date(), 3, "ab")) == "2026-03-02 3 ab"
