"""Checks what an agency hands in against what the clause asks for, and keeps its files."""

import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from duban.errors import DubanError
from duban.registry.clauses import Clause
from duban.registry.evidence import EvidenceField, Fault, FilesField
from duban.words import Words, words

MAX_FILE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Complaint:
    """A fault and where it is.

    Attributes:
        key: the field's key; empty where no field is meant.
        name: the field by key and label, or the file by name.
    """

    key: str
    name: str
    fault: Fault

    def told(self, w: Words) -> str:
        """What is wrong and what to do."""
        return w.unfit[self.fault.code].format(**self.fault.values)


class EvidenceRefused(DubanError):
    """What was handed in does not fit what the clause asks for; nothing was recorded."""

    def __init__(self, complaints: Sequence[Complaint] = ()) -> None:
        self.complaints = tuple(complaints)
        lines = (f"{one.name}: {one.told(words('en'))}" for one in complaints)
        super().__init__("\n".join(lines) or None)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that lies safely in the files folder."""

    field: str
    name: str
    size: int
    sha256: str
    stored_as: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Evidence that fits: plain JSON values by field, and which files belong to which field."""

    values: dict[str, Any]
    files: tuple[tuple[str, Path], ...]

    @property
    def sha256(self) -> str:
        """Hash of the values in canonical JSON; the history holds it in place of free text."""
        text = json.dumps(self.values, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def check_evidence(
    clause: Clause, fields: Mapping[str, str], files: Sequence[tuple[str | None, Path]]
) -> Checked:
    """Reads and checks everything, so that all faults are told at once.

    Args:
        clause: the version the duty was opened under.
        fields: raw text by field key.
        files: (field key, path); without a key the clause's only files field is meant.

    Raises:
        EvidenceRefused: with every fault, a line each.
    """
    placed, complaints = _placed(clause, files)
    counts = Counter(key for key, _ in placed)
    values = _checked(clause, fields, counts, complaints)
    return Checked(values, tuple(placed))


def check_sent(clause: Clause, fields: Mapping[str, str], sent: Mapping[str, int]) -> Checked:
    """Checks what was typed, with files that were sent before: how many, by field key.

    Raises:
        EvidenceRefused: with every fault.
    """
    return Checked(_checked(clause, fields, sent, []), ())


def _checked(
    clause: Clause, fields: Mapping[str, str], sent: Mapping[str, int], before: list[Complaint]
) -> dict[str, Any]:
    values, complaints = _values(clause, fields)
    complaints += before
    complaints += _counted(clause, sent)
    told = {one.key for one in complaints}
    complaints += [
        Complaint(field.key, _name(field), Fault(_MISSING.get(field.type, "missing")))
        for field in clause.evidence
        if field.required and field.key not in {*values, *told} and not sent.get(field.key)
    ]
    if complaints:
        raise EvidenceRefused(complaints)
    return values


_MISSING = {"files": "missing-files"}


def _name(field: EvidenceField) -> str:
    return f"{field.key} ({field.label})"


def _values(clause: Clause, fields: Mapping[str, str]) -> tuple[dict[str, Any], list[Complaint]]:
    values: dict[str, Any] = {}
    complaints: list[Complaint] = []
    known = ", ".join(one.key for one in clause.evidence if not isinstance(one, FilesField))
    for key, given in fields.items():
        field = clause.field(key)
        if field is None or isinstance(field, FilesField):
            complaints.append(Complaint("", key, Fault("not-asked", known=known)))
        elif given.strip():
            try:
                values[key] = field.read(given)
            except Fault as fault:
                complaints.append(Complaint(key, _name(field), fault))
    return values, complaints


def _placed(
    clause: Clause, files: Sequence[tuple[str | None, Path]]
) -> tuple[list[tuple[str, Path]], list[Complaint]]:
    fields = {field.key: field for field in _files_fields(clause)}
    placed: list[tuple[str, Path]] = []
    complaints: list[Complaint] = []
    for given, path in files:
        key = given or (next(iter(fields)) if len(fields) == 1 else None)
        if key not in fields:
            fault = Fault("which-field", known=", ".join(fields) or "none")
            complaints.append(Complaint("", path.name, fault))
        elif fault := _file_fault(fields[key], path):
            complaints.append(Complaint(key, path.name, fault))
        else:
            placed.append((key, path))
    return placed, complaints


def _counted(clause: Clause, sent: Mapping[str, int]) -> list[Complaint]:
    return [
        Complaint(
            field.key, _name(field), Fault("files", count=count, min=field.min, max=field.max)
        )
        for field in _files_fields(clause)
        if (count := sent.get(field.key, 0)) and not field.min <= count <= field.max
    ]


def _files_fields(clause: Clause) -> list[FilesField]:
    return [field for field in clause.evidence if isinstance(field, FilesField)]


def _file_fault(field: FilesField, path: Path) -> Fault | None:
    if not path.is_file():
        return Fault("no-file")
    if path.suffix.lower().lstrip(".") not in field.kinds:
        return Fault("wrong-kind", kinds=", ".join(field.kinds))
    size = path.stat().st_size
    if size == 0:
        return Fault("empty-file")
    return Fault("too-big", max=MAX_FILE_BYTES // 2**20) if size > MAX_FILE_BYTES else None


class FileTooBig(DubanError):
    """A file is larger than 20 MB; nothing of it was kept."""


class Writing:
    """A file on its way into the folder, so that it survives a power cut: temp, fsync, rename.

    It is named by a random id, never by the name it came with; until the end that begins with a
    dot. Leaving the block without `finish` takes away what was written.
    """

    def __init__(self, folder: Path, field: str, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._field, self._name = folder, field, name
        self._stored_as = secrets.token_hex(16)
        self._unfinished = folder / f".{self._stored_as}"
        self._file = self._unfinished.open("wb")
        self._digest, self._size = hashlib.sha256(), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._unfinished.unlink(missing_ok=True)

    def write(self, block: bytes) -> None:
        """Adds bytes.

        Raises:
            FileTooBig: with this block it has over 20 MB.
        """
        self._size += len(block)
        if self._size > MAX_FILE_BYTES:
            raise FileTooBig
        self._digest.update(block)
        self._file.write(block)

    def finish(self) -> KeptFile:
        """Has it written down to the disk, and gives it its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._unfinished.rename(self._folder / self._stored_as)
        _sync_folder(self._folder)
        sha256 = self._digest.hexdigest()
        return KeptFile(self._field, self._name, self._size, sha256, self._stored_as)


def keep_file(folder: Path, field: str, source: Path) -> KeptFile:
    """Copies a file into the folder.

    Raises:
        FileTooBig: nothing was kept.
    """
    with source.open("rb") as reader, Writing(folder, field, source.name) as writing:
        while block := reader.read(1 << 20):
            writing.write(block)
        return writing.finish()


@contextmanager
def keeping(folder: Path, files: Iterable[tuple[str, Path]]) -> Generator[list[KeptFile]]:
    """Keeps (field key, path) for the block; a refusal inside it takes the copies away again."""
    kept: list[KeptFile] = []
    try:
        for key, path in files:
            kept.append(keep_file(folder, key, path))
        yield kept
    except DubanError:
        for file in kept:
            (folder / file.stored_as).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
