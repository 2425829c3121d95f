"""Has waiting files inspected, and puts what is to be kept in the place of what was received.

A picture loses its EXIF, so its bytes change. The verdict is committed before the bytes are put
in place, and the state after: whatever a crash leaves on the disk has one of two known hashes, and
the next round either begins anew or finds that only the state is missing.
"""

import fcntl
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Row, select, update

from duban.duty import Status
from duban.intake.verdict import Verdict
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.folder import LOCK, bytes_of, hash_of, pages_of, remove, sync
from duban.ledger.tables import ClauseVersion, Duty, EvidenceFile
from duban.registry import Clause
from duban.registry.evidence import FilesField


class Inspects(Protocol):
    """What judges a file; see `duban.intake`."""

    def inspect(
        self, source: Path, name: str, kinds: Sequence[str], target: Path, previews: Path
    ) -> Verdict:
        """Writes what is to be kept to `target`, and previews to `previews`."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that awaits inspection; `kinds` are the file name endings its field takes.

    `kept_sha256` stands when an earlier inspection came as far as its verdict.
    """

    id: int
    stored_as: str
    name: str
    sha256: str
    kept_sha256: str | None
    kinds: tuple[str, ...]


def waiting(ledger: Ledger) -> list[Waiting]:
    """The files that await inspection: drafts first, since somebody sits before them, then what
    is to be reviewed.
    """
    clauses: dict[tuple[str, str], Clause] = {}
    with reading(ledger.engine) as connection:
        rows = connection.execute(_WAITING).all()
        for key in {(row.clause, row.version) for row in rows}:
            chosen = (ClauseVersion.clause == key[0], ClauseVersion.version == key[1])
            content = connection.scalar(select(ClauseVersion.content).where(*chosen))
            clauses[key] = Clause.model_validate(content)
    return [_waiting(row, clauses[row.clause, row.version]) for row in rows]


_WAITING = (
    select(
        EvidenceFile.id,
        EvidenceFile.stored_as,
        EvidenceFile.name,
        EvidenceFile.sha256,
        EvidenceFile.kept_sha256,
        EvidenceFile.field,
        Duty.clause,
        Duty.version,
    )
    .join(Duty, Duty.id == EvidenceFile.duty_id)
    .where(EvidenceFile.state == "waiting")
    .order_by(
        EvidenceFile.submission_id.is_not(None),
        Duty.status != Status.SUBMITTED,
        EvidenceFile.id,
    )
)


def _waiting(row: Row[Any], clause: Clause) -> Waiting:
    field = clause.field(row.field)
    kinds = field.kinds if isinstance(field, FilesField) else ()
    return Waiting(row.id, row.stored_as, row.name, row.sha256, row.kept_sha256, kinds)


def inspect_waiting(
    ledger: Ledger, folder: Path, inspector: Inspects, now: datetime, limit: int
) -> int:
    """Inspects files that wait, at most `limit`; how many were settled.

    One whose bytes are missing or not those received is left alone: the audit tells of it. While
    another process inspects, this one does nothing.
    """
    done = 0
    with _alone(folder) as mine:
        for one in waiting(ledger) if mine else ():
            if done == limit:
                break
            done += _inspect(ledger, folder, inspector, one, now)
    return done


@contextmanager
def _alone(folder: Path) -> Generator[bool]:
    """Whether no other process inspects the files of this folder; it frees itself at a crash."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _inspect(
    ledger: Ledger, folder: Path, inspector: Inspects, one: Waiting, now: datetime
) -> bool:
    source = bytes_of(folder, one.stored_as)
    found = hash_of(source)
    if found == one.sha256:
        _judge(ledger, folder, inspector, one, now)
        return True
    if found is not None and found == one.kept_sha256:
        _finish(ledger, folder, one, now)
        return True
    return False


def _judge(ledger: Ledger, folder: Path, inspector: Inspects, one: Waiting, now: datetime) -> None:
    source = bytes_of(folder, one.stored_as)
    target, previews = _unfinished(folder, one)
    for left in (target, previews):
        remove(left)
    previews.mkdir()
    verdict = inspector.inspect(source, one.name, one.kinds, target, previews)
    known = settle(ledger, one.id, verdict, now)
    if known and not verdict.refused:
        _put_in_place(folder, one, verdict)
        _finish(ledger, folder, one, now)
    for left in (target, previews):
        remove(left)


def _unfinished(folder: Path, one: Waiting) -> tuple[Path, Path]:
    """Where an inspection writes the bytes to keep, and the previews."""
    return folder / f".{one.stored_as}.kept", folder / f".{one.stored_as}.pages"


def settle(ledger: Ledger, file_id: int, verdict: Verdict, now: datetime) -> bool:
    """Records what inspection says of a waiting file; False when it was taken out meanwhile.

    A refused one is refused at once; both sides see it in the history when it was handed in. A
    fine one stays waiting until its bytes are in place.
    """
    values: dict[str, Any] = (
        {"state": "refused", "refusal": verdict.refused}
        if verdict.refused
        else {
            "kind": verdict.kind,
            "kept_sha256": verdict.sha256,
            "kept_size": verdict.size,
            "picture_hash": verdict.picture_hash,
            "pages": verdict.pages,
            "suspect": ",".join(verdict.suspect),
        }
    )
    with change(ledger.engine, now, "duban") as made:
        row = _set(made, file_id, values)
        if verdict.refused and row and row.submission_id is not None:
            made.record(
                "file-refused", row.duty_id, row.name, file=file_id, why=str(verdict.refused)
            )
        return row is not None


def _set(made: Change, file_id: int, values: dict[str, Any]) -> Row[Any] | None:
    statement = (
        update(EvidenceFile)
        .where(EvidenceFile.id == file_id, EvidenceFile.state == "waiting")
        .values(**values)
        .returning(EvidenceFile.duty_id, EvidenceFile.submission_id, EvidenceFile.name)
    )
    return made.connection.execute(statement).one_or_none()


def _put_in_place(folder: Path, one: Waiting, verdict: Verdict) -> None:
    target, previews = _unfinished(folder, one)
    pages = pages_of(folder, one.stored_as)
    remove(pages)
    if verdict.pages:
        for page in previews.iterdir():
            sync(page)
        previews.rename(pages)
    if verdict.sha256 != one.sha256:
        sync(target)
        target.replace(bytes_of(folder, one.stored_as))
    sync(folder)


def _finish(ledger: Ledger, folder: Path, one: Waiting, now: datetime) -> None:
    """The bytes are in place. One that was taken out meanwhile leaves them to the sweep."""
    with change(ledger.engine, now, "duban") as made:
        _set(made, one.id, {"state": "fine"})
