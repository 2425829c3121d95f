"""A process of its own that reads a stranger's workbook, so that it may die of it: rows as JSON.

Two cells at the far corners of a sheet make the parser ask for hundreds of gigabytes, which ends
the process. Nothing but the standard library and the parser is loaded here.
"""

import json
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from itertools import islice
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook

_ABOVE = 10
"""The headings stand in one of so many lines."""
_MOST_COLUMNS = 200

Keys = Mapping[str, str]
Row = tuple[str, int, dict[str, str]]
"""The sheet's name, the line from 1, and texts by column key."""


def main() -> None:
    """Reads a workbook from the standard input; what is asked for is JSON in the argument."""
    asked: dict[str, Any] = json.loads(sys.argv[1])
    for what, most in (
        (resource.RLIMIT_AS, asked["memory"]),
        (resource.RLIMIT_CPU, asked["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    book = CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read()))
    for name in book.sheet_names:
        for row in _rows(book.get_sheet_by_name(name), asked["keys"], asked["needed"]):
            sys.stdout.write(json.dumps(row) + "\n")


def _rows(sheet: CalamineSheet, keys: Keys, needed: Sequence[str]) -> Iterator[Row]:
    """The filled rows of a sheet, if it has headings for what is needed."""
    lines = enumerate(sheet.iter_rows(), 1)
    for _, row in islice(lines, _ABOVE):
        places = _places(row, keys)
        if all(key in places for key in needed):
            break
    else:
        return
    for line, row in lines:
        found = {key: as_text(row[n]) for key, n in places.items() if n < len(row)}
        if any(found.values()):
            yield sheet.name, line, found


def _places(row: Sequence[object], keys: Keys) -> dict[str, int]:
    """The column of each key; of two with one heading the first counts."""
    titles = [as_text(one).strip() for one in row[:_MOST_COLUMNS]]
    return {keys[title]: n for n, title in reversed([*enumerate(titles)]) if title in keys}


def as_text(cell: object) -> str:
    """A cell as a person would have typed it: 12 and not 12.0, a day as 2026-11-24."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() if cell.time() == time(0):
            return cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case timedelta() | int() | float():
            return str(cell)
        case _:
            return str(cell)


if __name__ == "__main__":
    main()
