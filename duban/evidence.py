"""Checks what an agency hands in against what the clause asks for, and keeps its files."""

import hashlib
import json
import os
import secrets
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duban.errors import DubanError
from duban.registry.clauses import Clause
from duban.registry.evidence import FilesField

MAX_FILE_BYTES = 20 * 1024 * 1024


class EvidenceRefused(DubanError):
    """What was handed in does not fit what the clause asks for; nothing was recorded."""


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
    faults: list[str] = []
    values = _values(clause, fields, faults)
    placed = _placed(clause, files, faults)
    for field in clause.evidence:
        given = field.key in values or any(key == field.key for key, _ in placed)
        if field.required and not given:
            faults.append(f"{field.key} ({field.label}) is missing; it is required")
    if faults:
        raise EvidenceRefused("\n".join(faults))
    return Checked(values, tuple(placed))


def _values(clause: Clause, fields: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    known = [field.key for field in clause.evidence if not isinstance(field, FilesField)]
    for key, given in fields.items():
        field = clause.field(key)
        if field is None or isinstance(field, FilesField):
            faults.append(f"{key} is not asked for; the fields are {', '.join(known)}")
        elif given.strip():
            try:
                values[key] = field.read(given)
            except ValueError as error:
                faults.append(f"{key} ({field.label}) {error}")
    return values


def _placed(
    clause: Clause, files: Sequence[tuple[str | None, Path]], faults: list[str]
) -> list[tuple[str, Path]]:
    fields = {field.key: field for field in clause.evidence if isinstance(field, FilesField)}
    placed: list[tuple[str, Path]] = []
    for given, path in files:
        key = given or (next(iter(fields)) if len(fields) == 1 else None)
        if key not in fields:
            keys = ", ".join(fields) or "none"
            faults.append(f"{path.name}: say which field it is for; files fields are {keys}")
        elif fault := _file_fault(fields[key], path):
            faults.append(f"{path.name}: {fault}")
        else:
            placed.append((key, path))
    for key, field in fields.items():
        count = sum(1 for one, _ in placed if one == key)
        if count and not field.min <= count <= field.max:
            faults.append(f"{key} ({field.label}) has {count} files; {field.min} to {field.max}")
    return placed


def _file_fault(field: FilesField, path: Path) -> str | None:
    if not path.is_file():
        return "there is no such file"
    if path.suffix.lower().lstrip(".") not in field.kinds:
        return f"is no {', '.join(field.kinds)}"
    size = path.stat().st_size
    if size == 0:
        return "is empty"
    return f"is over {MAX_FILE_BYTES // 2**20} MB" if size > MAX_FILE_BYTES else None


def keep_file(folder: Path, field: str, source: Path) -> KeptFile:
    """Copies a file into the folder so that it survives a power cut: temp, fsync, rename.

    It is named by a random id, never by the name it came with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored_as = secrets.token_hex(16)
    unfinished = folder / f".{stored_as}"
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, unfinished.open("wb") as writer:
        while block := reader.read(1 << 20):
            digest.update(block)
            size += len(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    unfinished.rename(folder / stored_as)
    _sync_folder(folder)
    return KeptFile(field, source.name, size, digest.hexdigest(), stored_as)


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
