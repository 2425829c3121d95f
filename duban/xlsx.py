"""Workbooks that are safe to open and may be long: text stays text, rows go to disk one by one.

    with Book(path, title="台账", language="zh") as book:
        sheet = book.sheet("台账", [Column("编号", 8), Column("亮灯", 6)], above=["标题"])
        sheet.row([1, "红"], {1: Look(fill=FILLS[Light.RED])})

Only strings, numbers, days and blanks can be written. A string is never taken for a formula, a
link or a number, neither when the file is opened nor when its cell is typed into.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Self, TypeAlias

from xlsxwriter import Workbook

from duban.duty import Light
from duban.errors import DubanError
from duban.registry.evidence import plain

Cell: TypeAlias = str | int | float | date | None
"""A day is written as a day; a moment is not taken, since a cell has no time zone."""

MOST_LINES = 1_048_576
"""Lines that a sheet holds."""

MOST_TEXT = 32_767
"""Characters that a cell holds; longer text ends with a mark that it was cut."""

FILLS = {
    Light.RED: "#F8B4AD",
    Light.YELLOW: "#FFE699",
    Light.GREEN: "#C6E0B4",
    Light.GREY: "#D9D9D9",
}
"""The lights, pale enough to read black text on."""

_DAY = "yyyy-mm-dd"
_LINE = 16.5
"""Points that a line of text is high."""
_MOST_HIGH = 12
_A4, _A3 = 9, 8
_ON_A4, _ON_A3 = 170, 260
"""Characters abreast that can still be read on a sheet of paper."""

_GREY, _HEAD = "#F2F2F2", "#1F4E78"
_ON_DARK = {"font_color": "white", "bold": True, "align": "center", "valign": "vcenter"}
_FONTS = {"zh": "宋体", "en": "Calibri"}
_STARTERS = frozenset("=+-@\t\r\n|%＝＋－＠")
_CUT = "…"
_NO_XML = {0xFFFE: None, 0xFFFF: None}
_BAD_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


class SheetFull(DubanError):
    """A sheet holds a million lines; write a part of it, or a sheet for each region."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell looks. `fill` is a colour; `number` an Excel number format, `@` for text.

    On a protected sheet only a `typed` cell can be typed into.
    """

    fill: str = ""
    number: str = ""
    bold: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its width in characters, and how its cells look unless told."""

    title: str
    width: float = 12
    look: Look = Look()
    hidden: bool = False


@dataclass
class Sheet:
    """A sheet that rows are added to, in order; made by `Book.sheet`."""

    book: "Book"
    paper: Any
    columns: Sequence[Column]
    head: int
    """The line of the headings, from 0."""
    protected: bool = False
    rows: int = 0

    def row(self, cells: Sequence[Cell], looks: Mapping[int, Look] | None = None) -> int:
        """Adds a row and answers its line, from 0; `looks` of single cells by their column."""
        self.rows += 1
        line = self.head + self.rows
        if line >= MOST_LINES:
            raise SheetFull
        if (height := self._height(cells)) > 1:
            self.paper.set_row(line, height * _LINE)
        for n, cell in enumerate(cells):
            look = looks.get(n) if looks else None
            self._write(line, n, cell, look or self.columns[n].look)
        return line

    def _height(self, cells: Sequence[Cell]) -> int:
        """The lines of text of a row; not every program finds out for itself."""
        found = 1
        for cell, column in zip(cells, self.columns, strict=False):
            if isinstance(cell, str) and not column.hidden and len(cell) * 2 > column.width:
                found = max(found, _lines(cell, column.width))
        return min(found, _MOST_HIGH)

    def allow(self, column: int, first: int, last: int, rule: Mapping[str, Any]) -> None:
        """Says what may be typed from one line through another; `rule` as XlsxWriter takes it."""
        self.paper.data_validation(first, column, last, column, dict(rule))

    def _write(self, line: int, column: int, cell: Cell, look: Look) -> None:
        match safe(cell) if isinstance(cell, str) else cell:
            case None | "":
                self.paper.write_blank(line, column, None, self._format(look))
            case str(text):
                found = self._format(look, quoted=text[:1] in _STARTERS)
                self.paper.write_string(line, column, text, found)
            case date() if not isinstance(cell, datetime):
                found = self._format(replace(look, number=_DAY) if look.number != _DAY else look)
                self.paper.write_datetime(line, column, cell, found)
            case int() | float() if not isinstance(cell, bool):
                self.paper.write_number(line, column, cell, self._format(look))
            case _:
                raise TypeError(f"a cell takes text, a number or a day, not {type(cell).__name__}")

    def _format(self, look: Look, *, quoted: bool = False) -> Any:
        """What cannot be typed into is grey, on a sheet where something can."""
        grey = self.protected and not look.typed and not look.fill
        return self.book.format(look, grey, quoted)

    def finish(self) -> None:
        """Says what goes for all rows, once they are known."""
        last = self.head + max(self.rows, 1)
        if self.columns:
            self.paper.autofilter(self.head, 0, last, len(self.columns) - 1)
        if self.protected:
            self.paper.protect("", _STILL_ALLOWED)


def _lines(text: str, width: float) -> int:
    """How many lines a text takes; what is neither ASCII nor Latin is twice as broad."""
    return sum(
        max(1, math.ceil((len(one) + len(one.encode("utf-8", "replace"))) / 2 / width))
        for one in text[:MOST_TEXT].split("\n")
    )


_STILL_ALLOWED = {
    "autofilter": True,
    "sort": True,
    "format_columns": True,
    "format_rows": True,
    "select_locked_cells": True,
    "select_unlocked_cells": True,
}


@dataclass
class Book:
    """A workbook on its way to the disk; it is whole when the block ends without an error.

    Args:
        target: a path, or an open binary file.
        made: shown as the day of making; the same rows and the same moment make the same bytes.
        language: `zh` or `en`, for the font; it is named and not shipped.
    """

    target: Path | IO[bytes]
    title: str = ""
    language: str = "zh"
    made: datetime | None = None
    sheets: list[Sheet] = field(default_factory=list[Sheet])

    def __post_init__(self) -> None:
        font = {"font_name": _FONTS.get(self.language, _FONTS["en"]), "font_size": 11}
        self._rows = TemporaryDirectory(prefix="duban-xlsx-", ignore_cleanup_errors=True)
        options = {**_SAFE, "default_format_properties": font, "tmpdir": self._rows.name}
        self._book: Any = Workbook(self._beside() or self.target, options)
        self._top = self._book.add_format({"bold": True, "font_size": 16})
        self._over = self._book.add_format({"font_color": "#595959"})
        self._heading = self._book.add_format({**_properties(Look(fill=_HEAD), False), **_ON_DARK})
        self._formats: dict[tuple[Look, bool, bool], Any] = {}
        self._names: set[str] = set()
        properties: dict[str, Any] = {"title": safe(self.title), "author": "Duban"}
        if self.made:
            properties["created"] = self.made
        self._book.set_properties(properties)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._close()
        finally:
            self._book.fileclosed = 1  # or XlsxWriter complains of a book that was given up
            for sheet in self.sheets:
                sheet.paper.row_data_fh.close()
            self._rows.cleanup()

    def sheet(
        self,
        name: str,
        columns: Sequence[Column],
        *,
        above: Sequence[str] = (),
        frozen: int = 0,
        protected: bool = False,
    ) -> Sheet:
        """A new sheet with its headings.

        Args:
            name: made to fit if it is too long, or one is named so already.
            above: lines over the headings, the first of them the title.
            frozen: how many columns stay in sight at the left.
            protected: without a password, so that only `typed` cells are typed into by mistake.
        """
        paper = self._book.add_worksheet(self._free(name))
        for n, column in enumerate(columns):
            paper.set_column(n, n, column.width, None, {"hidden": column.hidden})
        for line, text in enumerate(above):
            paper.write_string(line, 0, safe(text), self._over if line else self._top)
        for n, column in enumerate(columns):
            paper.write_string(len(above), n, safe(column.title), self._heading)
        paper.freeze_panes(len(above) + 1, frozen)
        paper.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        paper.set_landscape()
        broad = sum(column.width for column in columns if not column.hidden)
        paper.set_paper(_A4 if broad <= _ON_A4 else _A3)
        paper.fit_to_pages(math.ceil(broad / _ON_A3), 0)
        paper.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        paper.set_footer("&C&P / &N")
        paper.repeat_rows(len(above))
        if frozen and broad > _ON_A3:
            paper.repeat_columns(0, frozen - 1)
        made = Sheet(self, paper, columns, len(above), protected)
        self.sheets.append(made)
        return made

    def hide(self, sheet: Sheet) -> None:
        """Keeps a sheet for programs; a person finds it under the menu."""
        sheet.paper.hide()

    def _close(self) -> None:
        """Puts the rows together; a file takes its name when it is whole."""
        for sheet in self.sheets:
            sheet.finish()
        self._book.close()
        beside = self._beside()
        if beside is not None and isinstance(self.target, Path):
            beside.replace(self.target)

    def _beside(self) -> Path | None:
        name = self.target if isinstance(self.target, Path) else None
        return name and name.with_name(f".{name.name}.part")

    def format(self, look: Look, grey: bool, quoted: bool) -> Any:
        """The format of a look; `quoted` marks a text so that typing into it keeps it one."""
        key = (look, grey, quoted)
        if key not in self._formats:
            shaded = replace(look, fill=_GREY) if grey else look
            self._formats[key] = self._book.add_format(_properties(shaded, quoted))
        return self._formats[key]

    def _free(self, name: str) -> str:
        """Excel takes 31 characters, and no two names that differ in case alone."""
        base = _start(safe(name).translate(_BAD_IN_NAMES).strip(), 31) or "Sheet"
        found, n = base, 1
        while found.casefold() in self._names:
            n += 1
            found = f"{_start(base, 30 - len(str(n)))} {n}"
        self._names.add(found.casefold())
        return found


_SAFE = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}


def safe(text: str) -> str:
    """The text as a cell can hold it: plain, without what XML forbids, cut where it is too long."""
    kept = text.strip() if text.isprintable() else plain(text).translate(_NO_XML)
    if kept.startswith("<r>") and kept.endswith("</r>"):
        kept = f"{kept} "  # or XlsxWriter copies it into the file as its own runs of rich text
    return kept if _start(kept, MOST_TEXT) == kept else f"{_start(kept, MOST_TEXT - 1)}{_CUT}"


def _start(text: str, most: int) -> str:
    """As much of a text as fits; Excel counts what UTF-16 writes in two parts twice."""
    if 2 * len(text) <= most:
        return text
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def _properties(look: Look, quoted: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "text_wrap": True,
        "valign": "top",
        "border": 1,
        "border_color": "#BFBFBF",
        "bold": look.bold,
        "locked": not look.typed,
        "quote_prefix": quoted,
    }
    if look.fill:
        found |= {"bg_color": look.fill, "pattern": 1}
    if look.number:
        found["num_format"] = look.number
    if look.number == _DAY:
        found["align"] = "center"
    return found
