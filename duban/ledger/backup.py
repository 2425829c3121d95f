"""Backs up a data folder into one file while everything runs.

The file is a tar: `manifest.json` with the SHA-256 of all that follows, its own in
`manifest.sha256`, then the ledger as `ledger.db` (SQLite, whatever it was kept in), `heads.log`,
`secret.key`, and evidence under `files/`. Who has it can open every link: it is a secret.

Bytes of evidence lie in the folder before their row is committed and are never altered in place, so
the ledger is copied first and then the files it speaks of. What was erased or inspected in between
does not fit that copy; then all is done again.
"""

import gzip
import hashlib
import io
import os
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, Row, func, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from duban.errors import DubanError
from duban.ledger.audit import HEADS, Head, faults, read_heads
from duban.ledger.copying import NotTheSame, Progress, copy_ledger, require_schema, silent
from duban.ledger.database import BUSY_SECONDS, make_engine, open_database, reading
from duban.ledger.folder import bytes_of, hash_of, pages_of, remove, sync
from duban.ledger.tables import ChainHead, Duty, EvidenceFile
from duban.settings import Settings

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
LEDGER, KEY, FILES = "ledger.db", "secret.key", "files"
_TURNS = 5  # so often is begun anew when files change under the backup


class BackupExists(DubanError):
    """There is such a file already; name another one, or replace it with --force."""


class BackupFailed(DubanError):
    """The backup could not be written; nothing of it was kept."""


class NothingThere(DubanError):
    """There is no ledger to back up; look at DUBAN_HOME and DUBAN_DATABASE_URL."""


class Member(BaseModel):
    """What a member of the tar must be."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What is in a backup.

    Attributes:
        duban: the version that made it.
        table_version: the schema of its ledger.
        seq, hash: the last row of its history.
        faults: evidence that was missing or altered when it was made.
    """

    model_config = ConfigDict(extra="forbid")

    format: int
    duban: str
    table_version: str
    made_at: AwareDatetime
    seq: int
    hash: str
    duties: int
    faults: list[str]
    members: dict[str, Member]

    @property
    def files(self) -> int:
        """How many files of evidence there are, previews not counted."""
        return sum(1 for name in self.members if name.count("/") == 1)


@dataclass
class _Shop:
    """The folder in which a backup is put together, beside the files that it links to."""

    folder: Path
    members: dict[str, Member] = field(default_factory=dict[str, Member])

    def add(self, source: Path, name: str) -> Member | None:
        """Takes a file over unless it is there; None if it has gone."""
        if name in self.members:
            return self.members[name]
        kept = self.folder / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not _link(source, kept):
            return None
        return self.note(name)

    def copy(self, source: Path, name: str) -> None:
        """Copies a file that may grow meanwhile; none is no fault."""
        if source.is_file():
            shutil.copyfile(source, self.folder / name)
            self.note(name)

    def note(self, name: str) -> Member:
        """Notes the hash of a file that lies in the folder."""
        path = self.folder / name
        self.members[name] = Member(size=path.stat().st_size, sha256=hash_of(path) or "")
        return self.members[name]

    def drop(self, name: str) -> None:
        """Takes a file out again."""
        self.members.pop(name, None)
        (self.folder / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a ledger holds; `evidence` are the rows whose bytes must be there."""

    table_version: str
    seq: int
    hash: str
    duties: int
    evidence: Sequence[Row[Any]]


def back_up(
    settings: Settings,
    file: Path,
    now: datetime,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Manifest:
    """Writes a backup of ledger, evidence, heads and key to one file, for its owner's eyes only.

    A name that ends in `gz` has it compressed. Faults of evidence are noted in the manifest and
    keep nothing back; a broken history is not backed up, since it could not be restored.

    Raises:
        BackupExists, NothingThere, OtherSchema, NotTheSame, BackupFailed, LedgerUnreadable: there
            is no file, or the one that was there.
    """
    if file.exists() and not force:
        raise BackupExists(f"{file} is there already; name another file, or give --force.")
    engine = _engine_of(settings)
    try:
        if not file.absolute().parent.is_dir():  # known now, not when all has been put together
            raise BackupFailed(f"There is no folder {file.absolute().parent}; make it first.")
        with _shop(settings.files) as shop:
            manifest = _put_together(engine, settings, shop, now, progress)
            _pack(shop, manifest, file, progress)
    except OSError as error:
        raise BackupFailed(
            f"The backup {file} could not be written ({error.strerror}); nothing of it was kept. "
            "Check the folder, its rights and the space left."
        ) from error
    except DBAPIError as error:
        detail = str(error.orig).strip().partition("\n")[0]
        raise BackupFailed(f"The ledger could not be read ({detail}); try again.") from None
    finally:
        engine.dispose()
    return manifest


def _engine_of(settings: Settings) -> Engine:
    """The ledger as it is: a backup before an upgrade must not migrate it."""
    path = sqlite_path(settings.ledger_url)
    if path and not path.is_file():
        raise NothingThere(f"There is no ledger {path}; look at DUBAN_HOME.")
    engine = open_as_is(settings.ledger_url)
    with reading(engine) as connection:
        require_schema(connection)
    return engine


def open_as_is(url: str) -> Engine:
    """An engine on a database that answers; it is not migrated.

    Raises:
        LedgerUnreadable: it does not answer.
    """
    try:
        engine = make_engine(url)
        with engine.connect():
            return engine
    except SQLAlchemyError:
        return open_database(url)  # it says in one sentence what is wrong


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite ledger; None for one on a server."""
    made = make_url(url)
    return Path(made.database or "") if made.drivername.startswith("sqlite") else None


@contextmanager
def _shop(files: Path) -> Generator[_Shop]:
    """Beside the files, so that links to them work; what a crash leaves there is swept away."""
    files.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = files / f".backup-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield _Shop(folder)
    finally:
        remove(folder)


def _link(source: Path, target: Path) -> bool:
    """A second name for the bytes, or a copy where names cannot be had; False if there are none."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        return False
    except OSError:
        try:
            shutil.copyfile(source, target)
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return False
    return True


def _put_together(
    engine: Engine, settings: Settings, shop: _Shop, now: datetime, progress: Progress
) -> Manifest:
    for name in (HEADS, KEY):  # heads before the ledger, which must bear them out
        shop.copy(settings.home / name, name)
    heads = read_heads(shop.folder / HEADS)

    def attempt() -> tuple[Contents, list[str]]:
        shop.drop(LEDGER)
        contents = _copy(engine, shop.folder / LEDGER, heads, progress)
        return contents, _gather(shop, settings.files, contents.evidence, progress)

    contents, found = attempt()
    for _ in range(_TURNS):
        if not found:
            break
        before, (contents, found) = found, attempt()
        if found == before:  # nothing is under way there: it is lost
            break
    shop.note(LEDGER)
    return Manifest(
        format=FORMAT,
        duban=version("duban"),
        table_version=contents.table_version,
        made_at=now,
        seq=contents.seq,
        hash=contents.hash,
        duties=contents.duties,
        faults=found,
        members=shop.members,
    )


def _copy(engine: Engine, target: Path, heads: Sequence[Head], progress: Progress) -> Contents:
    """The ledger at one moment, in a SQLite file of its own, proved whole; what is in it."""
    source = sqlite_path(engine.url.render_as_string(hide_password=False))
    progress("copying the ledger", 0, 1)
    if source:
        _vacuum(source, target)
    copy = open_database(f"sqlite:///{target}")
    try:
        if not source:
            copy_ledger(engine, copy, heads, progress)
        with reading(copy) as connection:
            if source and (broken := faults(connection, heads)):
                raise NotTheSame(
                    f"{broken[0]} A backup of it could not be restored, so none was written; "
                    "keep the data folder as it is, and compare it with an earlier backup."
                )
            contents = contents_of(connection)
    finally:
        copy.dispose()
    progress("copying the ledger", 1, 1)
    return contents


def contents_of(connection: Connection) -> Contents:
    """What a ledger of this version's schema holds."""
    head = connection.execute(select(ChainHead.seq, ChainHead.hash)).one()
    duties = connection.scalar(select(func.count()).select_from(Duty)) or 0
    evidence = connection.execute(_EVIDENCE).all()
    return Contents(require_schema(connection), head.seq, head.hash, duties, evidence)


_EVIDENCE = (
    select(
        EvidenceFile.id,
        EvidenceFile.duty_id,
        EvidenceFile.stored_as,
        EvidenceFile.state,
        EvidenceFile.sha256,
        EvidenceFile.kept_sha256,
    )
    .where(EvidenceFile.state.in_(("waiting", "fine")))
    .order_by(EvidenceFile.id)
)
"""The files whose bytes must be there."""


def _vacuum(source: Path, target: Path) -> None:
    """Unlike a copy of the pages it leaves out what was deleted, and blocks no writer."""
    connection = sqlite3.connect(source, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise BackupFailed(f"The ledger {source} could not be copied ({error}).") from error
    finally:
        connection.close()


def _gather(shop: _Shop, files: Path, rows: Sequence[Row[Any]], progress: Progress) -> list[str]:
    """Takes over the files that the copied ledger speaks of; what is wrong with them."""
    wanted = {_name(row.stored_as) for row in rows}
    for name in [one for one in shop.members if one.startswith(f"{FILES}/")]:
        if name.partition(".pages/")[0] not in wanted:
            shop.drop(name)
    found: list[str] = []
    for done, row in enumerate(rows, 1):
        found += _take(shop, files, row)
        progress("reading files", done, len(rows))
    return found


def _name(stored_as: str) -> str:
    return f"{FILES}/{stored_as}"


def _take(shop: _Shop, files: Path, row: Row[Any]) -> Iterator[str]:
    name = _name(row.stored_as)
    member = shop.add(bytes_of(files, row.stored_as), name)
    if member is None:
        yield f"File {row.id} of duty {row.duty_id} is missing."
    elif member.sha256 not in _hashes_of(row):
        shop.drop(name)
        yield f"File {row.id} of duty {row.duty_id} was altered."
    for page in sorted(pages_of(files, row.stored_as).glob("*.jpg")):
        shop.add(page, f"{name}.pages/{page.name}")


def _hashes_of(row: Row[Any]) -> tuple[str | None, ...]:
    """While it waits for inspection, the bytes received or those to be kept may lie there."""
    if row.state == "fine":
        return (row.kept_sha256 or row.sha256,)
    return row.sha256, row.kept_sha256


def _pack(shop: _Shop, manifest: Manifest, file: Path, progress: Progress) -> None:
    """Temp, fsync, rename: a name in the folder is a whole backup."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            _write(shop, manifest, out, file.name.endswith("gz"), progress)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        sync(file.absolute().parent)
    finally:
        part.unlink(missing_ok=True)


def _write(
    shop: _Shop, manifest: Manifest, out: IO[bytes], squeezed: bool, progress: Progress
) -> None:
    told = manifest.model_dump_json(indent=1).encode()
    seal = hashlib.sha256(told).hexdigest().encode()
    with ExitStack() as stack:
        if squeezed:  # at the least level: pictures get no smaller by more
            out = cast(IO[bytes], stack.enter_context(gzip.open(out, "wb", compresslevel=1)))
        tar = stack.enter_context(tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT))
        when = int(manifest.made_at.timestamp())
        for name, content in ((MANIFEST, told), (SEAL, seal)):
            tar.addfile(_head_of(name, len(content), when), io.BytesIO(content))
        for done, (name, member) in enumerate(manifest.members.items(), 1):
            with (shop.folder / name).open("rb") as content:
                tar.addfile(_head_of(name, member.size, when), content)
            progress("writing", done, len(manifest.members))


def _head_of(name: str, size: int, when: int) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.size, found.mtime, found.mode = size, when, 0o600
    return found
