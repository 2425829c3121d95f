"""Proves that nothing was altered behind the ledger's back, or says what was.

The chain shows an altered, removed or reordered row; that its end was cut off, or all of it made
anew, shows only against heads kept elsewhere: one a day goes into `heads.log`.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from duban.batches import batches
from duban.errors import DubanError
from duban.ledger import Ledger, bulletins, papers
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading
from duban.ledger.folder import bytes_of, hash_of, sync
from duban.ledger.past import state_now
from duban.ledger.tables import ChainHead, Duty, EvidenceFile, History, Submission

HEADS = "heads.log"
_ROWS = 500


class BadHeads(DubanError):
    """A file of heads has a line that is none: a day, a number and a SHA-256."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the history on a civil day: its seq and its hash."""

    day: date
    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.day} {self.seq} {self.hash}"


def head_now(ledger: Ledger, now: datetime) -> Head:
    """Today's head, in the first notice's zone; seq 0 while nothing has happened."""
    with reading(ledger.engine) as connection:
        row = connection.execute(select(ChainHead.seq, ChainHead.hash)).one()
    return Head(ledger.registry.today(now), row.seq, row.hash)


def note_head(ledger: Ledger, log: Path, now: datetime) -> bool:
    """Adds today's head to the log, unless its last line is of today; whether it was added."""
    head = head_now(ledger, now)
    last = _lines(log)[-1:]
    if head.seq == 0 or (last and last[0].startswith(f"{head.day} ")):
        return False
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{head}\n")
        file.flush()
        os.fsync(file.fileno())
    sync(log.parent)
    return True


def read_heads(log: Path) -> list[Head]:
    """The heads in a log, in its order; none when there is no such file.

    A last line that a crash cut short is left out.

    Raises:
        BadHeads: a line is no head.
    """
    return [_head(line, log) for line in _lines(log)]


def _lines(log: Path) -> list[str]:
    if not log.is_file():
        return []
    *lines, _unfinished = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return [line for line in lines if line.strip()]


def _head(line: str, log: Path) -> Head:
    try:
        day, seq, link = line.split()
        return Head(date.fromisoformat(day), int(seq), link)
    except ValueError as error:
        raise BadHeads(f"{log} has a line that is no head: {line[:80]!r}.") from error


def verify(ledger: Ledger, heads: Sequence[Head] = ()) -> list[str]:
    """What is wrong with the history, and with what it vouches for; empty when all is whole.

    Checked are the chain; every head given; duties against the history that tells of them;
    evidence as handed in, papers as made, and the facts of bulletins, against the hashes there.
    """
    with reading(ledger.engine) as connection:
        return faults(connection, heads)


def faults(connection: Connection, heads: Sequence[Head]) -> list[str]:
    """What `verify` finds, on an open connection."""
    broken = first_broken_link(connection)
    if broken is not None:
        return [f"The history is broken at row {broken}."]
    return [
        *_cut_off(connection, heads),
        *_altered_duties(connection),
        *_altered_evidence(connection),
        *papers.faults(connection),
        *bulletins.faults(connection),
    ]


def _cut_off(connection: Connection, heads: Sequence[Head]) -> Iterator[str]:
    """The first head that the history does not bear out; the later ones cannot be right then."""
    for head in heads:
        found = connection.scalar(select(History.hash).where(History.seq == head.seq))
        if found is None:
            yield f"Row {head.seq} of the history, the last on {head.day}, was cut off."
            return
        if found != head.hash:
            yield f"Row {head.seq} of the history is not that of {head.day}; it was made anew."
            return


def _altered_duties(connection: Connection) -> Iterator[str]:
    told = state_now(connection)
    question = select(Duty.__table__).order_by(Duty.id)
    for row in connection.execute(question).mappings():
        state = told.pop(row["id"], None)
        if state is None:
            yield f"Duty {row['id']} was put in: the history never opened it."
        elif wrong := [name for name, value in state.items() if row[name] != value]:
            yield f"Duty {row['id']} was altered: {', '.join(wrong)}."
    yield from (f"Duty {duty_id} was removed." for duty_id in told)


def _altered_evidence(connection: Connection) -> Iterator[str]:
    """Each version's fields and files have the hashes that the history tells."""
    told = {data["receipt"]: data for data in connection.scalars(_HANDED_IN)}
    files = _hashes(connection)
    for row in connection.execute(_VERSIONS):
        data = told.pop(row.receipt, None)
        if data is None:
            yield f"Version {row.number} of duty {row.duty_id} was put in."
        elif data["evidence_sha256"] != _hash_of_fields(row.fields):
            yield f"The fields of version {row.number} of duty {row.duty_id} were altered."
        elif Counter(data["files"]) != files.get(row.id, Counter()):
            yield f"Files of version {row.number} of duty {row.duty_id} were exchanged."
    yield from (f"The version with receipt {receipt} was removed." for receipt in told)


_HANDED_IN = select(History.data).where(History.action.in_(("submitted", "nil-returned")))
_VERSIONS = select(
    Submission.id, Submission.receipt, Submission.duty_id, Submission.number, Submission.fields
).order_by(Submission.id)


def _hashes(connection: Connection) -> Mapping[int, Counter[str]]:
    question = select(EvidenceFile.submission_id, EvidenceFile.sha256)
    found: dict[int, Counter[str]] = {}
    rows = connection.execute(question.where(EvidenceFile.submission_id.is_not(None)))
    for submission_id, sha256 in rows:
        found.setdefault(submission_id, Counter())[sha256] += 1
    return found


def _hash_of_fields(fields: Mapping[str, Any]) -> str:
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def verify_files(ledger: Ledger, folder: Path) -> list[str]:
    """Files that are missing, or whose bytes are not those that the ledger keeps the hash of."""
    question = select(EvidenceFile.id).where(EvidenceFile.state.in_(("waiting", "fine")))
    with reading(ledger.engine) as connection:
        ids = list(connection.scalars(question.order_by(EvidenceFile.id)))
    return [fault for batch in batches(ids, _ROWS) for fault in _file_faults(ledger, folder, batch)]


def _file_faults(ledger: Ledger, folder: Path, ids: Sequence[int]) -> Iterator[str]:
    question = select(EvidenceFile.__table__).where(EvidenceFile.id.in_(ids))
    with reading(ledger.engine) as connection:
        rows = connection.execute(question.order_by(EvidenceFile.id)).all()
    for row in rows:
        found = hash_of(bytes_of(folder, row.stored_as))
        if found is None:
            yield f"File {row.id} of duty {row.duty_id} is missing."
        elif found not in _hashes_of(row):
            yield f"File {row.id} of duty {row.duty_id} was altered."


def _hashes_of(row: Any) -> tuple[str | None, ...]:
    """While it waits, a crash may have left either the bytes received or those to be kept."""
    if row.state == "fine":
        return (row.kept_sha256 or row.sha256,)
    return row.sha256, row.kept_sha256
