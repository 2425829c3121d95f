"""Puts a backup in place: all of it is proved first, and what was there is moved aside.

A restored ledger sends nothing until somebody says so: what went out after the backup was made is
known to the agencies, and not to it.
"""

import gzip
import hashlib
import re
import secrets
import shutil
import tarfile
import zlib
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from alembic import command
from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, Engine, delete, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema

from duban.errors import DubanError
from duban.ledger.audit import HEADS, faults, read_heads
from duban.ledger.backup import (
    FILES,
    FORMAT,
    KEY,
    LEDGER,
    MANIFEST,
    SEAL,
    Manifest,
    contents_of,
    open_as_is,
    sqlite_path,
)
from duban.ledger.change import change
from duban.ledger.copying import (
    TABLES,
    Progress,
    copy_rows,
    is_used,
    known_schemas,
    schema_of,
    silent,
)
from duban.ledger.database import LedgerUnreadable, alembic_config, open_database, reading
from duban.ledger.folder import remove, sync
from duban.ledger.lock import only_one
from duban.ledger.tables import MirrorRun, Session, Setting
from duban.settings import Settings

_SMALL = 1 << 26  # bytes that the manifest may have; one for 100,000 files has 20 million
_BLOCK = 1 << 20
_NAMES = re.compile(
    "|".join(map(re.escape, (LEDGER, HEADS, KEY)))
    + rf"|{FILES}/[0-9A-Za-z][0-9A-Za-z_-]*(\.pages/[0-9]+\.jpg)?"
)


class BadBackup(DubanError):
    """The file is no whole backup; nothing was changed. Take another one."""


class InUse(DubanError):
    """There is a ledger in use already; nothing was changed."""


class RestoreFailed(DubanError):
    """The backup could not be put in place; everything is as it was."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place; `aside` is where that lies which was there."""

    manifest: Manifest
    aside: tuple[str, ...]


def restore(
    settings: Settings,
    file: Path,
    now: datetime,
    *,
    by: str,
    replace: bool = False,
    progress: Progress = silent,
) -> Restored:
    """Puts a backup where the settings say: the ledger into its database, the rest into `home`.

    Sending is switched off, sessions end, and the mirror is forgotten, so that Prefect's runs are
    made anew. Letters that waited still do.

    Args:
        by: who does it, for the history.
        replace: moves aside what is there, also if it is in use.

    Raises:
        BadBackup: damaged, altered, or made by a newer version; nothing was changed.
        InUse: there is a ledger with a history, and `replace` was not given.
        AlreadyRunning: a `duban up` holds the folder.
        RestoreFailed, LedgerUnreadable: everything is as it was.
    """
    try:
        with only_one(settings.home), _stage(settings.home) as stage:
            manifest = _proved(settings, file, stage, replace, progress)
            with _opened(stage / LEDGER) as engine:
                _disarm(engine, manifest, by, now)
            aside = settings.home / f"before-restore-{now:%Y%m%d-%H%M%S}"
            return Restored(manifest, _put(settings, stage, aside, progress))
    except OSError as error:
        raise RestoreFailed(
            f"{file} could not be restored ({error.strerror or error}); everything is as it was. "
            "Check file, rights and the space left."
        ) from error
    except DBAPIError as error:
        detail = str(error.orig).strip().partition("\n")[0]
        raise RestoreFailed(
            f"The database did not take the ledger ({detail}); everything is as it was."
        ) from None


def _proved(
    settings: Settings, file: Path, stage: Path, replace: bool, progress: Progress
) -> Manifest:
    """Unpacks a backup that may take its place, and proves it."""
    manifest = _read_manifest(file)
    used = _in_use(settings)
    if used and not replace:
        raise InUse(
            f"There is a ledger in use already: {used}; nothing was changed. Name another folder "
            "in DUBAN_HOME, or move this one aside with --replace."
        )
    _unpack(file, manifest, stage, progress)
    with _opened(stage / LEDGER) as engine:
        _prove(engine, stage, manifest)
    return manifest


@contextmanager
def _stage(home: Path) -> Generator[Path]:
    """A folder beside the final places, so that a backup moves into them by its name alone."""
    for left in home.glob(".restore-*"):  # by one that was killed; nobody else is here now
        remove(left)
    stage = home / f".restore-{secrets.token_hex(4)}"
    stage.mkdir(mode=0o700)
    try:
        yield stage
    finally:
        remove(stage)


@contextmanager
def _tar(file: Path) -> Generator[tarfile.TarFile]:
    if not file.is_file():
        raise BadBackup(f"There is no file {file}; nothing was changed.")
    try:
        with tarfile.open(file, "r:gz" if _is_compressed(file) else "r:") as tar:
            yield tar
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadBackup(_damaged(file, str(error))) from error


def _is_compressed(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(2) == b"\x1f\x8b"


def _damaged(file: Path, why: str) -> str:
    return f"{file} is damaged ({why}); nothing was changed. Take another backup."


def _read_manifest(file: Path) -> Manifest:
    with _tar(file) as tar:
        told, seal = _small(tar, file, MANIFEST), _small(tar, file, SEAL)
    if hashlib.sha256(told).hexdigest().encode() != seal:
        raise BadBackup(_damaged(file, "its manifest was altered"))
    _require_readable(file, told)
    try:
        manifest = Manifest.model_validate_json(told)
    except ValidationError as error:
        raise BadBackup(_damaged(file, "its manifest cannot be read")) from error
    if LEDGER not in manifest.members or not all(map(_NAMES.fullmatch, manifest.members)):
        raise BadBackup(_damaged(file, "its manifest names what does not belong there"))
    return manifest


def _small(tar: tarfile.TarFile, file: Path, name: str) -> bytes:
    """The next member, which must have this name."""
    info = tar.next()
    if info is None or info.name != name or not info.isreg() or info.size > _SMALL:
        raise BadBackup(f"{file} is no backup of Duban, or it is damaged; nothing was changed.")
    content = tar.extractfile(info)
    assert content is not None  # it is a regular file
    return content.read()


def _require_readable(file: Path, told: bytes) -> None:
    """Refuses what a newer version wrote, before anything else of it is looked at."""
    try:
        head = _Beginning.model_validate_json(told)
    except ValidationError as error:
        raise BadBackup(_damaged(file, "its manifest cannot be read")) from error
    if head.format > FORMAT or head.table_version not in known_schemas():
        raise BadBackup(
            f"{file} was made by a newer Duban ({head.duban}); nothing was changed. Install that "
            "version."
        )


class _Beginning(BaseModel):
    """What every version says of itself."""

    format: int
    duban: str
    table_version: str


def _unpack(file: Path, manifest: Manifest, stage: Path, progress: Progress) -> None:
    left = dict(manifest.members)
    with _tar(file) as tar:
        for info in tar:
            if info.name in (MANIFEST, SEAL):
                continue
            member = left.pop(info.name, None)
            content = tar.extractfile(info) if info.isreg() else None
            if member is None or content is None or info.size != member.size:
                raise BadBackup(_damaged(file, f"{info.name} does not belong there"))
            if _keep(content, stage / info.name) != member.sha256:
                raise BadBackup(_damaged(file, f"{info.name} was altered"))
            progress("unpacking", len(manifest.members) - len(left), len(manifest.members))
        _read_out(tar)
    if left:
        raise BadBackup(_damaged(file, f"{len(left)} members are missing, as {next(iter(left))}"))


def _read_out(tar: tarfile.TarFile) -> None:
    """To the end of the file, where gzip keeps the checksum of all of it."""
    assert tar.fileobj  # it is open
    while tar.fileobj.read(_BLOCK):
        pass


def _keep(content: IO[bytes], target: Path) -> str:
    """Writes it down to the disk; its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with target.open("xb") as out:
        target.chmod(0o600)
        while block := content.read(_BLOCK):
            digest.update(block)
            out.write(block)
    sync(target)
    return digest.hexdigest()


@contextmanager
def _opened(ledger: Path) -> Generator[Engine]:
    """The unpacked ledger, brought to this version's tables."""
    engine = open_database(f"sqlite:///{ledger}")
    try:
        yield engine
    finally:
        engine.dispose()


def _prove(engine: Engine, stage: Path, manifest: Manifest) -> None:
    """The history is whole and ends where the manifest says, and every file is there."""
    with reading(engine) as connection:
        found = faults(connection, read_heads(stage / HEADS))
        contents = contents_of(connection)
    if found or (contents.seq, contents.hash) != (manifest.seq, manifest.hash):
        why = found[0] if found else "It is not that of the manifest."
        raise BadBackup(f"The ledger in the backup is not sound: {why} Nothing was changed.")
    gone = [
        row.id for row in contents.evidence if f"{FILES}/{row.stored_as}" not in manifest.members
    ]
    if len(gone) > len(manifest.faults):
        raise BadBackup(f"File {gone[0]} is not in the backup; nothing was changed.")


def _disarm(engine: Engine, manifest: Manifest, by: str, now: datetime) -> None:
    """What was true where the backup was made, and is not here."""
    with change(engine, now, by) as made:
        made.session.merge(Setting(name="send", value="off"))
        for table in (MirrorRun, Session):
            made.connection.execute(delete(table))
        made.record("restored", backup=f"{manifest.made_at:%Y-%m-%d %H:%M} UTC", seq=manifest.seq)


def _in_use(settings: Settings) -> str | None:
    """Which ledger is; one that cannot be read counts, since it may be all there is."""
    path = sqlite_path(settings.ledger_url)
    if path and not path.exists():
        return None
    where = str(path) if path else "the database of DUBAN_DATABASE_URL"
    try:
        engine = open_as_is(settings.ledger_url)
        with reading(engine) as connection:
            used = schema_of(connection) is not None and is_used(connection)
    except (DBAPIError, LedgerUnreadable):
        if path is None:
            raise
        return f"{where}, which cannot be read"
    engine.dispose()
    return where if used else None


@dataclass
class _Swap:
    """Moves by name, undone in a block that fails."""

    aside: Path
    done: list[tuple[Path, Path]] = field(default_factory=list[tuple[Path, Path]])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind:
            for source, target in reversed(self.done):
                shutil.move(target, source)

    def exchange(self, staged: Path, final: Path) -> None:
        """Puts what is staged, if anything, where the other was."""
        self._move(final, self.aside / final.name)
        self._move(staged, final)

    def _move(self, source: Path, target: Path) -> None:
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.move(source, target)
            self.done.append((source, target))


def _put(settings: Settings, stage: Path, aside: Path, progress: Progress) -> tuple[str, ...]:
    """Puts all in place, or nothing; where that lies which was there."""
    home, ledger = settings.home, sqlite_path(settings.ledger_url)
    (stage / FILES).mkdir(exist_ok=True, mode=0o700)
    found: list[str] = []
    with ExitStack() as stack:
        swap = stack.enter_context(_Swap(aside))
        if ledger is None:
            found += stack.enter_context(_filled(settings.ledger_url, stage, aside.name, progress))
        for name in (FILES, HEADS):
            swap.exchange(stage / name, home / name)
        if (stage / KEY).exists():
            swap.exchange(stage / KEY, home / KEY)
        if ledger:
            for part in (f"{ledger.name}-wal", f"{ledger.name}-shm"):
                swap.exchange(stage / part, ledger.with_name(part))
            swap.exchange(stage / LEDGER, ledger)  # last: without it nothing starts on the rest
            sync(ledger.parent)
        sync(home)
    return (*([str(aside)] if aside.exists() else []), *found)


@contextmanager
def _filled(url: str, stage: Path, schema: str, progress: Progress) -> Generator[tuple[str, ...]]:
    """The ledger on a server, filled in one transaction that commits when the block ends."""
    schema = schema.replace("-", "_")
    target = open_as_is(url)
    try:
        with _opened(stage / LEDGER) as staged, reading(staged) as here, target.begin() as there:
            aside = schema_of(there) is not None
            if aside:
                _set_aside(there, schema)
            command.upgrade(alembic_config(there), "head")
            copy_rows(here, there, (), progress)
            yield (f"the schema {schema} of the database",) if aside else ()
    finally:
        target.dispose()


def _set_aside(there: Connection, schema: str) -> None:
    """Moves the tables that are there into a schema of their own."""
    present = set(inspect(there).get_table_names())
    there.execute(CreateSchema(schema))
    for name in (*(table.name for table in TABLES), "alembic_version"):
        if name in present:
            there.execute(text(f'ALTER TABLE "{name}" SET SCHEMA "{schema}"'))
    there.execute(text(f'ALTER FUNCTION history_is_append_only() SET SCHEMA "{schema}"'))
