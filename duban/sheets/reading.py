"""Reads a workbook that somebody sends, without trusting it; cells become plain text."""

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import duban
from duban.errors import DubanError
from duban.intake.archive import Archive, Budget
from duban.intake.verdict import MAX_BYTES, Refusal, Refused
from duban.registry.evidence import plain
from duban.sheets.parsing import as_text

_MEMORY = 2 * 2**30
_CPU_SECONDS = 120
"""What reading may take; 100,000 lines were measured to need 0.3 GB and 5 s."""


class SheetUnreadable(DubanError):
    """The file is no workbook that can be read here; nothing was changed.

    Attributes:
        why: `path`, `size`, `damaged` or `empty`, for a screen that says it in its own words.
    """

    def __init__(self, why: str, told: str) -> None:
        self.why = why
        super().__init__(told)


@dataclass(frozen=True, slots=True)
class GivenRow:
    """A row as it was given: its line in the sheet, from 1, and its texts by column key."""

    sheet: str
    line: int
    texts: Mapping[str, str]


def given_rows(path: Path, keys: Mapping[str, str], needed: Sequence[str]) -> list[GivenRow]:
    """The filled rows of every sheet that has the needed columns.

    Args:
        keys: the column keys by heading, in every language.
        needed: keys without which a sheet is passed over.

    Raises:
        SheetUnreadable: too big, damaged, locked, or without such a sheet.
    """
    with _opened(path) as file:
        _check(file, path)
        file.seek(0)
        rows = [*_parsed(path, file, keys, needed)]
    if not rows:
        wanted = ", ".join(sorted(title for title, key in keys.items() if key in needed))
        raise SheetUnreadable(
            "empty",
            f"{path.name} has no sheet with rows under these headings: {wanted}; "
            "fill in a file that was exported here.",
        )
    return rows


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError:
        raise SheetUnreadable("path", f"{path} cannot be read; check the path.") from None


def _check(file: BinaryIO, path: Path) -> None:
    """Inflates everything once, counting, before a parser sees any of it."""
    size = file.seek(0, 2)
    if size > MAX_BYTES:
        raise _too_big(path)
    try:
        archive = Archive(file, Budget(size))
        for entry in archive.entries:
            for _ in archive.blocks(entry):
                pass
    except Refused as error:
        raise _too_big(path) if error.why is Refusal.BOMB else _damaged(path) from None
    except (BadZipFile, struct.error, zlib.error, ValueError, OSError):
        raise _damaged(path) from None


def _too_big(path: Path) -> SheetUnreadable:
    return SheetUnreadable(
        "size",
        f"{path.name} is larger than what is read here, {MAX_BYTES // 2**20} MB; "
        "export a part of the ledger instead.",
    )


def _damaged(path: Path) -> SheetUnreadable:
    return SheetUnreadable(
        "damaged",
        f"{path.name} is no sound .xlsx file; save it again as .xlsx without a password, "
        "and without lines and columns that are empty.",
    )


def _parsed(
    path: Path, file: BinaryIO, keys: Mapping[str, str], needed: Sequence[str]
) -> Iterator[GivenRow]:
    asked = {"keys": keys, "needed": needed, "memory": _MEMORY, "cpu_seconds": _CPU_SECONDS}
    command = [sys.executable, "-P", "-m", "duban.sheets.parsing", json.dumps(asked)]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=file, stdout=pipe, stderr=nothing, env=_environment()
    ) as parser:
        assert parser.stdout
        for line in parser.stdout:
            sheet, number, texts = json.loads(line)
            yield GivenRow(sheet, number, {key: plain(text) for key, text in texts.items()})
    if parser.returncode:
        raise _damaged(path)


def _environment() -> dict[str, str]:
    """Nothing else is handed on: keys and passwords live there."""
    root = str(Path(duban.__file__).parents[1])
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": root}


def shown_text(cell: object) -> str:
    """What a cell gives back that was written here; see `as_text`."""
    return plain(as_text(cell))
