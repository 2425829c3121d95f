"""A backup is all there was at one moment, and a restore is all of it or nothing."""

import hashlib
import io
import json
import re
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    LargeBinary,
    String,
    Table,
    create_engine,
    func,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from duban.evidence import Checked, keep_file
from duban.ledger import Ledger, acts, bulletins, restoring
from duban.ledger.acts import Cover
from duban.ledger.audit import HEADS, verify, verify_files
from duban.ledger.backup import BackupExists, BackupFailed, Manifest, NothingThere, back_up
from duban.ledger.bulletins import period_called
from duban.ledger.change import GENESIS
from duban.ledger.copying import (
    TABLES,
    Changed,
    NotEmpty,
    NotTheSame,
    OtherSchema,
    copy_ledger,
    known_schemas,
    move_ledger,
    schema_of,
)
from duban.ledger.database import alembic_config, make_engine, open_database, reading
from duban.ledger.folder import bytes_of, pages_of
from duban.ledger.lock import AlreadyRunning, only_one
from duban.ledger.opening import open_missing
from duban.ledger.restoring import BadBackup, InUse, RestoreFailed, restore
from duban.ledger.tables import EvidenceFile, Instant
from duban.ledger.uploads import begin
from duban.office import Office
from duban.registry import Registry
from duban.settings import Settings
from tests.conftest import Project, china
from tests.duban.ledger.conftest import duty_of

NOW = china("2026-03-02")
LATER = china("2026-03-09")
ME = "东/妇联"

Rows = dict[str, list[dict[str, Any]]]


def everything(engine: Engine) -> Rows:
    """Every row of every table, in the order of its key."""
    with reading(engine) as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in TABLES
        }


def opened(settings: Settings) -> Engine:
    return open_database(settings.ledger_url)


def live(office: Office) -> None:
    """A ledger with evidence, texts, letters, a draft that waits; and rows in every table."""
    office.tick(china("2026-01-05"))
    office.arm(True, by="省/教育", now=china("2026-01-06"))
    ledger, folder = office.ledger, office.settings.files
    number = duty_of(office, ME, "1")
    source = office.settings.home.parent / "汇总.pdf"
    for content in (b"%PDF-1.7", b"%PDF-1.7 draft"):
        source.write_bytes(content)
        drafted = begin(ledger, number, ME, keep_file(folder, "proof", source), NOW)
        if content == b"%PDF-1.7":
            evidence = Checked({"classes": 1, "note": "开展"}, ())
            acts.submit(
                ledger, number, evidence, [], by=ME, now=NOW, cover=Cover(drafts=(drafted,))
            )
    acts.send_back(ledger, number, reason="缺“签字页”", by="省/教育", now=NOW)
    drafted, _ = bulletins.draft(ledger, period_called("2026Q1"), at=NOW, by="省/教育", now=NOW)
    bulletins.object_to(ledger, drafted, text="有误", by="东", now=NOW)
    with ledger.engine.begin() as connection:
        for table in TABLES:
            if not connection.scalar(select(func.count()).select_from(table)):
                connection.execute(insert(table), [_row(table, n) for n in (1, 2)])
        stored = connection.scalars(select(EvidenceFile.stored_as)).first()
    pages = pages_of(folder, str(stored))
    pages.mkdir()
    (pages / "1.jpg").write_bytes(b"\xff\xd8 page")


def _row(table: Table, n: int) -> dict[str, Any]:
    return {column.name: _value(table, column, n) for column in table.columns}


def _value(table: Table, column: Column[Any], n: int) -> Any:
    """Something of the column's type; nothing in the second row where that may be."""
    kind = column.type
    if column.nullable and n == 2:
        return None
    if column.foreign_keys and not column.primary_key:
        return 1
    if isinstance(kind, Instant):
        return china("2026-02-28", "23:59").replace(microsecond=n)
    if isinstance(kind, String):  # Text too
        return f"{n}督“{column.name}"[: kind.length]
    values: list[tuple[type, Any]] = [
        (Boolean, n == 1),
        (Date, date(2028, 2, 29)),
        (JSON, {"名": [None, 1.5, {"b": "\U0001f4ee", "a": "\n"}]}),
        (LargeBinary, bytes(range(256))),
        (Integer, n),
    ]
    return next(value for one, value in values if isinstance(kind, one))


@pytest.fixture(scope="module")
def template(
    sqlite_template: Path, small: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Office:
    """A data folder to copy, and to look at."""
    project = Project.write(tmp_path_factory.mktemp("lived") / "project")
    settings = project.settings()
    settings.home.mkdir()
    shutil.copyfile(sqlite_template, settings.home / "ledger.db")
    office = Office(settings, Ledger(make_engine(settings.ledger_url), small))
    live(office)
    office.ledger.engine.dispose()
    return office


@pytest.fixture
def lived(template: Office, office: Office) -> Office:
    """The same on either kind of database."""
    home = office.settings.home
    shutil.copytree(template.settings.home, home)
    (home / "ledger.db").rename(home / "copy.db")
    source = make_engine(f"sqlite:///{home / 'copy.db'}")
    copy_ledger(source, office.ledger.engine)
    source.dispose()
    (home / "copy.db").unlink()
    return office


@pytest.fixture
def alone(template: Office, tmp_path: Path) -> Iterator[Office]:
    """The same on SQLite, where the kind of database is not the matter."""
    home = tmp_path / "project" / "var"
    shutil.copytree(template.settings.home, home)
    settings = template.settings.model_copy(update={"home": home})
    engine = make_engine(settings.ledger_url)
    yield Office(settings, Ledger(engine, template.ledger.registry))
    engine.dispose()


Made = tuple[Path, Manifest]


@pytest.fixture(scope="module")
def made(template: Office, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A backup of it, and what is in that."""
    file = tmp_path_factory.mktemp("made") / "backup.tar"
    return file, back_up(template.settings, file, NOW)


@pytest.fixture
def elsewhere(tmp_path: Path, template: Office) -> Settings:
    """Another data folder, with a SQLite ledger in it; it is not there yet."""
    return template.settings.model_copy(update={"home": tmp_path / "new"})


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {one.name: _content(tar, one) for one in tar}


def _content(tar: tarfile.TarFile, one: tarfile.TarInfo) -> bytes:
    found = tar.extractfile(one)
    assert found is not None
    return found.read()


def write(file: Path, contents: dict[str, bytes]) -> None:
    with tarfile.open(file, "w") as tar:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def reseal(contents: dict[str, bytes], **told: Any) -> dict[str, bytes]:
    """Makes manifest and seal fit what is there, as somebody who knows the format could."""
    manifest = json.loads(contents["manifest.json"]) | told
    for name in manifest["members"]:
        content = contents[name]
        digest = hashlib.sha256(content).hexdigest()
        manifest["members"][name] = {"size": len(content), "sha256": digest}
    text = json.dumps(manifest).encode()
    seal = hashlib.sha256(text).hexdigest().encode()
    return contents | {"manifest.json": text, "manifest.sha256": seal}


def altered(contents: dict[str, bytes], folder: Path, *statements: str) -> dict[str, bytes]:
    """The backup with a ledger to which this was done."""
    path = folder / "altered.db"
    path.write_bytes(contents["ledger.db"])
    connection = sqlite3.connect(path)
    for statement in ("DROP TRIGGER history_no_update", *statements):
        connection.execute(statement)
    connection.commit()
    connection.close()
    return contents | {"ledger.db": path.read_bytes()}


def refused(settings: Settings, file: Path) -> str:
    """The one sentence of a refusal that changes nothing, whatever `--replace` allows."""
    before = tree(settings.home)
    with pytest.raises(BadBackup) as error:
        restore(settings, file, LATER, by="me", replace=True)
    assert tree(settings.home) | {"lock": ""} == before | {"lock": ""}
    assert "nothing was changed" in str(error.value).lower()
    assert "\n" not in str(error.value)
    return str(error.value)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def nothing(postgres: str) -> Iterator[str]:
    """The address of a database on PostgreSQL without anything in it."""
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE nothing")
        yield make_url(postgres).set(database="nothing").render_as_string(hide_password=False)
        connection.exec_driver_sql("DROP DATABASE nothing WITH (FORCE)")
    admin.dispose()


# --- copies


def test_every_row_of_every_table_is_the_same_in_a_copy_and_in_the_copy_of_that(
    lived: Office, nothing: str, tmp_path: Path
):
    first = everything(lived.ledger.engine)
    assert all(first.values()), "a table without a row proves nothing"
    engines = [lived.ledger.engine]
    engines += [open_database(url) for url in (nothing, f"sqlite:///{tmp_path / 'copy.db'}")]
    for source, target in pairwise(engines):
        assert copy_ledger(source, target) == sum(map(len, first.values()))
        assert everything(target) == first
    for engine in engines[1:]:
        engine.dispose()


def test_a_copy_goes_on_where_the_ledger_was_and_still_guards_its_history(
    lived: Office, nothing: str
):
    target = open_database(nothing)
    copy_ledger(lived.ledger.engine, target)
    copy = Ledger(target, lived.ledger.registry)
    before = [row["id"] for row in everything(target)["duty"]]
    opening = open_missing(copy, china("2026-08-05"))
    after = [row["id"] for row in everything(target)["duty"]]
    assert after[len(before) :] == [max(before) + n for n in range(1, opening.opened + 1)]
    assert verify(copy) == []
    for deed in ("UPDATE history SET actor = 'x'", "DELETE FROM history", "TRUNCATE duty CASCADE"):
        with pytest.raises(DBAPIError, match="append-only"), target.begin() as connection:
            connection.execute(text(deed))
    target.dispose()


def test_a_copy_into_what_is_not_empty_or_of_another_version_is_refused(
    alone: Office, sqlite_url: str, tmp_path: Path
):
    used = open_database(f"sqlite:///{tmp_path / 'used.db'}")
    open_missing(Ledger(used, alone.ledger.registry), NOW)
    before = everything(used)
    with pytest.raises(NotEmpty, match=r"rows in chain_head\); name an empty one"):
        copy_ledger(alone.ledger.engine, used)
    assert everything(used) == before
    with used.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(OtherSchema, match=r"another version of Duban \(0001, this one writes"):
        copy_ledger(alone.ledger.engine, used)
    used.dispose()


def test_a_copy_of_a_broken_history_is_not_kept(lived: Office, nothing: str):
    target = open_database(nothing)
    engine = lived.ledger.engine
    trigger = "history_no_update" if engine.dialect.name == "sqlite" else "history_guard ON history"
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE history SET actor = 'nobody' WHERE seq = 7"))
    with pytest.raises(NotTheSame, match="broken at row 7"):
        copy_ledger(engine, target)
    assert everything(target)["duty"] == []
    target.dispose()


def test_a_move_from_a_ledger_that_somebody_writes_to_is_undone(alone: Office, tmp_path: Path):
    target = open_database(f"sqlite:///{tmp_path / 'moved.db'}")

    def meanwhile(doing: str, _done: int, _of: int) -> None:
        if doing == "copying history":
            alone.arm(False, by="somebody", now=LATER)

    with pytest.raises(Changed):
        move_ledger(alone.ledger.engine, target, meanwhile)
    assert everything(target)["history"] == []
    assert move_ledger(alone.ledger.engine, target) > 0
    assert everything(target) == everything(alone.ledger.engine)
    target.dispose()


# --- backups


def test_a_backup_restored_elsewhere_is_what_was_but_sends_nothing(
    lived: Office, elsewhere: Settings, tmp_path: Path
):
    before = everything(lived.ledger.engine)
    file = tmp_path / "backup.tar"
    manifest = back_up(lived.settings, file, NOW)
    restored = restore(elsewhere, file, LATER, by="管理员")
    assert restored.manifest == manifest
    assert restored.aside == ()
    engine = opened(elsewhere)
    after = everything(engine)
    assert after["mirror_run"] == after["session"] == []
    assert {"name": "send", "value": "off"} in after["setting"]
    [told] = after["history"][len(before["history"]) :]
    assert (told["action"], told["actor"], told["at"]) == ("restored", "管理员", LATER)
    assert after["history"][:-1] == before["history"]
    changed = {"mirror_run", "session", "setting", "history", "chain_head"}
    same = {name: rows for name, rows in before.items() if name not in changed}
    assert {name: after[name] for name in same} == same  # letters that wait among them
    ledger = Ledger(engine, lived.ledger.registry)
    assert verify(ledger) == []
    assert not Office(elsewhere, ledger).armed()
    assert tree(elsewhere.files) == tree(lived.settings.files)
    assert verify_files(ledger, elsewhere.files) == []
    for name in (HEADS, "secret.key"):
        assert (elsewhere.home / name).read_bytes() == (lived.settings.home / name).read_bytes()
    engine.dispose()


def test_a_backup_is_for_its_owner_only_and_replaces_nothing_unasked(
    template: Office, tmp_path: Path
):
    file = tmp_path / "backup.tar"
    back_up(template.settings, file, NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    with pytest.raises(BackupExists, match="give --force"):
        back_up(template.settings, file, NOW)
    assert file.read_bytes() == before
    back_up(template.settings, file, LATER, force=True)
    assert file.read_bytes() != before
    assert list(tmp_path.iterdir()) == [file]
    assert not list(template.settings.files.glob(".backup-*"))


def test_a_compressed_backup_is_smaller_and_restores_too(
    template: Office, made: Made, elsewhere: Settings, tmp_path: Path
):
    small = tmp_path / "backup.tar.gz"
    back_up(template.settings, small, NOW)
    assert small.stat().st_size < made[0].stat().st_size / 2
    assert restore(elsewhere, small, LATER, by="me").manifest.members == members_of(small)


def members_of(file: Path) -> dict[str, Any]:
    return Manifest.model_validate_json(members(file)["manifest.json"]).members


def test_what_changes_under_a_backup_is_looked_at_again(
    alone: Office, tmp_path: Path, elsewhere: Settings
):
    """A draft goes, and inspection replaces a file, after the ledger was copied."""
    folder, engine = alone.settings.files, alone.ledger.engine
    with reading(engine) as connection:
        first, second = connection.execute(
            select(EvidenceFile.id, EvidenceFile.stored_as).order_by(EvidenceFile.id)
        ).all()

    def meanwhile(doing: str, done: int, _of: int) -> None:
        if (doing, done) != ("copying the ledger", 1) or bytes_of(folder, "kept").exists():
            return
        bytes_of(folder, first.stored_as).unlink()
        bytes_of(folder, "kept").write_bytes(b"kept")
        (folder / "again").hardlink_to(folder / "kept")
        (folder / "again").replace(bytes_of(folder, second.stored_as))
        kept = hashlib.sha256(b"kept").hexdigest()
        with engine.begin() as connection:
            for row, state in ((first, "erased"), (second, "fine")):
                connection.execute(
                    update(EvidenceFile)
                    .where(EvidenceFile.id == row.id)
                    .values(state=state, kept_sha256=kept)
                )

    file = tmp_path / "backup.tar"
    manifest = back_up(alone.settings, file, NOW, progress=meanwhile)
    assert manifest.faults == []
    assert manifest.files == 1
    assert members(file)[f"files/{second.stored_as}"] == b"kept"
    restore(elsewhere, file, LATER, by="me")


def test_evidence_that_is_lost_is_told_and_keeps_no_backup_from_being_made(
    alone: Office, tmp_path: Path, elsewhere: Settings
):
    folder = alone.settings.files
    with reading(alone.ledger.engine) as connection:
        stored = list(connection.scalars(select(EvidenceFile.stored_as).order_by(EvidenceFile.id)))
    bytes_of(folder, stored[0]).unlink()
    bytes_of(folder, stored[1]).write_bytes(b"something else")
    file = tmp_path / "backup.tar"
    manifest = back_up(alone.settings, file, NOW)
    number = duty_of(alone, ME, "1")
    assert manifest.faults == [
        f"File 1 of duty {number} is missing.",
        f"File 2 of duty {number} was altered.",
    ]
    assert restore(elsewhere, file, LATER, by="me").manifest.faults == manifest.faults


def test_a_broken_history_is_not_backed_up(alone: Office, tmp_path: Path):
    (alone.settings.home / HEADS).write_text(f"2026-01-05 3 {'0' * 64}\n")
    with pytest.raises(NotTheSame, match="not that of 2026-01-05"):
        back_up(alone.settings, tmp_path / "backup.tar", NOW)
    assert not (tmp_path / "backup.tar").exists()
    assert not list(alone.settings.files.glob(".backup-*"))


def test_a_backup_of_nothing_or_into_no_folder_is_one_sentence(
    template: Office, elsewhere: Settings
):
    with pytest.raises(NothingThere, match=r"There is no ledger .*; look at DUBAN_HOME"):
        back_up(elsewhere, elsewhere.home / "x.tar", NOW)
    assert not elsewhere.home.exists()
    with pytest.raises(BackupFailed, match=r"There is no folder .*; make it first"):
        back_up(template.settings, elsewhere.home / "x.tar", NOW)


def test_a_backup_while_everything_runs_is_of_one_moment(
    alone: Office, tmp_path: Path, elsewhere: Settings
):
    done = threading.Event()

    def work() -> None:
        for n in range(1, 400):
            alone.arm(bool(n % 2), by=f"n{n}", now=LATER)
            if done.is_set():
                return

    worker = threading.Thread(target=work)
    worker.start()
    try:
        manifest = back_up(alone.settings, tmp_path / "backup.tar", NOW)
    finally:
        done.set()
        worker.join()
    restored = restore(elsewhere, tmp_path / "backup.tar", LATER, by="me")
    assert restored.manifest.seq == manifest.seq


# --- restores


def test_what_is_in_use_is_replaced_only_when_asked_and_moved_aside(lived: Office, made: Made):
    settings = lived.settings
    lived.arm(False, by="later", now=LATER)
    before, files = everything(lived.ledger.engine), tree(settings.files)
    with pytest.raises(InUse, match="move this one aside with --replace"):
        restore(settings, made[0], LATER, by="me")
    assert everything(lived.ledger.engine) == before
    lived.ledger.engine.dispose()
    restored = restore(settings, made[0], LATER, by="me", replace=True)
    engine = opened(settings)
    assert len(everything(engine)["history"]) == made[1].seq + 1
    assert verify(Ledger(engine, lived.ledger.registry)) == []
    engine.dispose()
    folder, *schema = restored.aside
    assert tree(Path(folder) / "files") == files == tree(settings.files)
    assert _aside(settings, folder, schema) == len(before["history"])


def _aside(settings: Settings, folder: str, schema: list[str]) -> int:
    """How long the history is that was moved aside."""
    url = settings.ledger_url
    if not schema:
        url = f"sqlite:///{folder}/ledger.db"
    where = f"{schema[0].split()[2]}." if schema else ""
    engine = make_engine(url)
    with engine.connect() as connection:
        found = connection.scalar(text(f"SELECT count(*) FROM {where}history"))
    engine.dispose()
    return int(found or 0)


def test_a_backup_goes_into_an_empty_database_on_a_server(
    template: Office, made: Made, elsewhere: Settings, nothing: str
):
    settings = elsewhere.model_copy(update={"database_url": nothing})
    (settings.home / ".restore-left").mkdir(parents=True)  # by one that was killed
    assert restore(settings, made[0], LATER, by="me").aside == ()
    engine = opened(settings)
    assert len(everything(engine)["history"]) == made[1].seq + 1
    assert verify(Ledger(engine, template.ledger.registry)) == []
    engine.dispose()
    assert sorted(one.name for one in settings.home.iterdir()) == [
        "files",
        "heads.log",
        "lock",
        "secret.key",
    ]


def test_a_ledger_that_is_destroyed_counts_as_in_use(made: Made, elsewhere: Settings):
    elsewhere.home.mkdir()
    (elsewhere.home / "ledger.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    with pytest.raises(InUse, match=r"ledger\.db, which cannot be read"):
        restore(elsewhere, made[0], LATER, by="me")
    restored = restore(elsewhere, made[0], LATER, by="me", replace=True)
    assert (Path(restored.aside[0]) / "ledger.db").stat().st_size == 4112


def test_nothing_is_restored_under_a_running_product(made: Made, elsewhere: Settings):
    with only_one(elsewhere.home), pytest.raises(AlreadyRunning):
        restore(elsewhere, made[0], LATER, by="me")


def regions(file: Path) -> Iterator[tuple[str, int]]:
    """A byte in the content of each member, and one in its header."""
    with tarfile.open(file) as tar:
        for one in tar:
            yield one.name, one.offset_data + one.size // 2
            yield f"the head of {one.name}", one.offset + 3


def test_a_byte_altered_anywhere_or_a_cut_changes_nothing(
    made: Made, elsewhere: Settings, tmp_path: Path
):
    elsewhere.home.mkdir()
    (elsewhere.home / "something").write_text("of mine")
    whole = made[0].read_bytes()
    bad = tmp_path / "bad.tar"
    for name, position in regions(made[0]):
        content = bytearray(whole)
        content[position] ^= 0x41
        bad.write_bytes(content)
        assert "damaged" in refused(elsewhere, bad), name
    for size in (0, 100, 700, len(whole) // 2, len(whole) - 11_000):
        bad.write_bytes(whole[:size])
        refused(elsewhere, bad)


def test_a_compressed_backup_that_is_damaged_changes_nothing(
    template: Office, elsewhere: Settings, tmp_path: Path
):
    file = tmp_path / "backup.tar.gz"
    back_up(template.settings, file, NOW)
    whole = file.read_bytes()
    elsewhere.home.mkdir()
    checksum = range(len(whole) - 8, len(whole))  # and size, which only the very end tells
    for position in (*range(100, len(whole), len(whole) // 10), *checksum):
        content = bytearray(whole)
        content[position] ^= 0x41
        file.write_bytes(content)
        refused(elsewhere, file)
    file.write_bytes(whole[: len(whole) // 2])
    refused(elsewhere, file)


def forge_history(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    return reseal(altered(contents, folder, "UPDATE history SET actor = 'x' WHERE seq = 5"))


def forge_duty(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    return reseal(altered(contents, folder, "UPDATE duty SET status = 'accepted' WHERE id = 2"))


def forge_heads(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    return reseal(contents | {"heads.log": f"2026-01-05 3 {'0' * 64}\n".encode()})


def wrong_end(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    return reseal(contents, seq=3)


def without_evidence(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    kept = {name: one for name, one in contents.items() if not name.startswith("files/")}
    manifest = json.loads(contents["manifest.json"])["members"]
    return reseal(kept, members={name: one for name, one in manifest.items() if name in kept})


def a_strange_name(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    manifest = json.loads(contents["manifest.json"])["members"] | {"../escaped": {}}
    return reseal(contents | {"../escaped": b"x"}, members=manifest)


def one_more(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    return contents | {"files/0123": b"x"}


def a_later_format(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    return reseal(contents, format=2, something="new")


def a_later_schema(contents: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    del folder
    return reseal(contents, table_version="9999", duban="9.9")


@pytest.mark.parametrize(
    ("forge", "told"),
    [
        (forge_history, "is not sound: The history is broken at row 5"),
        (forge_duty, "is not sound: Duty 2 was altered: status"),
        (forge_heads, "is not sound: Row 3 of the history is not that of 2026-01-05"),
        (wrong_end, "is not sound: It is not that of the manifest"),
        (without_evidence, "File 1 is not in the backup"),
        (a_strange_name, "its manifest names what does not belong there"),
        (one_more, "files/0123 does not belong there"),
        (a_later_format, "made by a newer Duban"),
        (a_later_schema, r"made by a newer Duban \(9.9\)"),
    ],
)
def test_a_backup_made_by_somebody_who_knows_the_format_is_still_proved(
    made: Made,
    elsewhere: Settings,
    tmp_path: Path,
    forge: Callable[[dict[str, bytes], Path], dict[str, bytes]],
    told: str,
):
    elsewhere.home.mkdir()
    bad = tmp_path / "bad.tar"
    write(bad, forge(members(made[0]), tmp_path))
    assert re.search(told, refused(elsewhere, bad))


def test_what_is_no_backup_at_all_is_said_to_be_none(elsewhere: Settings, tmp_path: Path):
    elsewhere.home.mkdir()
    with pytest.raises(BadBackup, match="There is no file"):
        restore(elsewhere, tmp_path / "none.tar", LATER, by="me")
    other = tmp_path / "other.tar"
    write(other, {"readme.txt": b"x"})
    with pytest.raises(BadBackup, match="is no backup of Duban"):
        restore(elsewhere, other, LATER, by="me")
    other.write_bytes(b"no tar at all" * 1000)
    refused(elsewhere, other)


def test_a_restore_that_fails_half_way_puts_everything_back(
    lived: Office, made: Made, monkeypatch: pytest.MonkeyPatch
):
    settings = lived.settings
    lived.arm(False, by="later", now=LATER)
    before, files = everything(lived.ledger.engine), tree(settings.home)
    lived.ledger.engine.dispose()

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restoring, "sync", full)  # stands for a disk that is full at the end
    monkeypatch.setattr(restoring, "_keep", _keep_without_sync)
    with pytest.raises(RestoreFailed, match=r"No space left on device\); everything is as it"):
        restore(settings, made[0], LATER, by="me", replace=True)
    engine = opened(settings)
    assert everything(engine) == before
    engine.dispose()
    assert tree(settings.home) | {"lock": ""} == files | {"lock": ""}


def _keep_without_sync(content: Any, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.read())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def test_an_older_ledger_is_brought_up_to_date_on_its_way(
    made: Made, elsewhere: Settings, tmp_path: Path
):
    """As the first version wrote it: no row, but the tables of then."""
    old = tmp_path / "old.db"
    engine = make_engine(f"sqlite:///{old}")
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), "0001")
    engine.dispose()
    contents = {
        name: one
        for name, one in members(made[0]).items()
        if name in ("manifest.json", "manifest.sha256")
    } | {"ledger.db": old.read_bytes()}
    told = {"table_version": "0001", "seq": 0, "hash": GENESIS, "duties": 0}
    bad = tmp_path / "old.tar"
    write(bad, reseal(contents, members={"ledger.db": {}}, **told))
    restore(elsewhere, bad, LATER, by="me")
    engine = make_engine(elsewhere.ledger_url)
    with engine.connect() as connection:
        assert schema_of(connection) == known_schemas()[0]
    engine.dispose()
