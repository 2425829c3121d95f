"""Workbooks: what is written is what other programs read, and text is never anything else."""

import csv
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from duban import xlsx
from duban.duty import Light
from duban.xlsx import FILLS, Book, Cell, Column, Look, SheetFull, safe
from tests.conftest import china
from tests.libreoffice import converted

HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://evil.example","看")',
    "+861",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    "=cmd|' /C calc'!A0",
    "\t=1",
    "\r\n=1",
    "http://evil.example/",
    "mailto:a@example.org",
    "0012",
    "1e5",
    "2026-11-24",
    "TRUE",
    "#N/A",
    "'=1",
    "<r><t>x</t></r>",
    "_x0041_",
    "a\tb\nc",
    '"quoted", and more',
)
"""Texts that a program might take for a formula, a link, a number, a day, or its own markup."""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def written(rows: Sequence[Sequence[Cell]], **more: Any) -> BytesIO:
    """A workbook with these rows under headings."""
    target = BytesIO()
    with Book(target, **more) as book:
        columns = [Column(f"列{n}") for n in range(max(map(len, rows), default=1))]
        sheet = book.sheet("表", columns)
        for row in rows:
            sheet.row(row)
    target.seek(0)
    return target


def read(file: BytesIO) -> Sequence[Sequence[object]]:
    """The rows below the headings, as a reader other than Excel's gives them."""
    sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
    return sheet.to_python(skip_empty_area=False)[1:]


def opened(file: BytesIO) -> Any:
    """The first sheet with all its looks, whose types openpyxl does not tell."""
    return load_workbook(file).worksheets[0]


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=8))
@example([*HOSTILE])
def test_text_stays_text_in_other_programs(texts: list[str]):
    file = written([[one, "末"] for one in texts])
    assert [row[0] for row in read(file)] == [safe(one) for one in texts]
    file.seek(0)
    sheet = opened(file)
    for n, one in enumerate(texts, 2):
        cell = sheet.cell(n, 1)
        assert unescape(str(cell.value or "")) == safe(one)
        assert cell.data_type == ("s" if safe(one) else "n"), one
        assert cell.hyperlink is None


def test_no_part_of_a_workbook_has_a_formula_or_a_link():
    with ZipFile(written([[one] for one in HOSTILE])) as file:
        whole = b"".join(file.read(name) for name in file.namelist())
        names = file.namelist()
    assert b"<f>" not in whole
    assert b"<hyperlink" not in whole
    assert not [name for name in names if "external" in name.lower()]


def test_text_that_begins_like_a_formula_stays_text_when_somebody_types_into_its_cell():
    sheet = opened(written([[one] for one in HOSTILE]))
    for n, one in enumerate(HOSTILE, 2):
        assert bool(sheet.cell(n, 1).quotePrefix) == (safe(one)[:1] in "=+-@＝"), one


def test_libreoffice_takes_no_text_for_a_formula_a_number_or_a_day(tmp_path: Path):
    file = tmp_path / "book.xlsx"
    file.write_bytes(written([[one, "末"] for one in HOSTILE]).getvalue())
    # Commas, quotes around every text, UTF-8, and cells as they are shown.
    to = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false"
    [found] = converted([file], to, tmp_path)
    with found.open(encoding="utf-8", newline="") as lines:
        shown = [row[0] for row in csv.reader(lines)][1:]
    raw = found.read_text(encoding="utf-8").splitlines()[1:]
    assert [one.replace("\r\n", "\n") for one in shown] == [safe(one) for one in HOSTILE]
    # A number, a day or the result of a formula would stand there without quotes.
    assert all(line.startswith('"') or line == 'c","末"' for line in raw)


NUMBERS = st.integers(-(10**14), 10**14) | st.floats(-1e9, 1e9).map(lambda n: round(n, 6))


@settings(max_examples=20)
@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_numbers_stay_numbers(numbers: list[float]):
    [found] = read(written([numbers]))
    assert found == pytest.approx(numbers)
    assert {type(one) for one in found} == {float}


@settings(max_examples=20)
@given(st.lists(st.dates(date(1901, 1, 1), date(2999, 12, 31)), min_size=1, max_size=20))
def test_days_stay_days(days: list[date]):
    [found] = read(written([days]))
    assert found == days


@pytest.mark.parametrize("cell", [True, china("2026-11-24"), [1], object()])
def test_a_cell_takes_nothing_that_it_could_not_give_back(cell: Any):
    with pytest.raises(TypeError, match="a cell takes text, a number or a day"):
        written([[cell]])


@given(TEXTS)
@example("\ufffe \uffff")
@example("<r><t>rich</t></r>")
@example("字" * 40_000)
@example("𠮷" * 20_000)
def test_text_is_made_fit_for_a_cell_once_and_for_all(text: str):
    fit = safe(text)
    assert safe(fit).strip() == fit.strip()
    assert len(fit.encode("utf-16-le")) <= 2 * xlsx.MOST_TEXT
    assert not [c for c in fit if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]


def test_text_that_is_too_long_says_that_it_was_cut():
    [[found]] = read(written([["字" * 40_000]]))
    assert isinstance(found, str)
    assert len(found) == xlsx.MOST_TEXT
    assert found.endswith("字…")


@settings(max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["甲" * 40, "甲" * 40, "a/b", "A?B", "", "'", "甲", "𠮷" * 31])
def test_every_sheet_gets_a_name_that_excel_takes(names: list[str]):
    target = BytesIO()
    with Book(target) as book:
        for name in names:
            book.sheet(name, [Column("列")])
    target.seek(0)
    found = CalamineWorkbook.from_filelike(target).sheet_names
    assert len({name.casefold() for name in found}) == len(names)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in found)


def test_the_same_rows_at_the_same_moment_make_the_same_bytes():
    rows: list[list[Cell]] = [["甲", 1, date(2026, 11, 24), None]]
    made = datetime(2026, 11, 24, tzinfo=UTC)
    first, second = (written(rows, title="题", made=made).getvalue() for _ in range(2))
    assert first == second


def test_a_file_takes_its_name_only_when_it_is_whole(tmp_path: Path):
    target = tmp_path / "book.xlsx"
    target.write_bytes(b"the one before")
    with pytest.raises(ZeroDivisionError), Book(target) as book:
        book.sheet("表", [Column("列")]).row([1 // 0])
    assert target.read_bytes() == b"the one before"
    with Book(target) as book:
        book.sheet("表", [Column("列")]).row(["完"])
    assert read(BytesIO(target.read_bytes())) == [["完"]]
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


def test_rows_that_no_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(xlsx, "MOST_LINES", 4)
    assert len(read(written([["行"]] * 3))) == 3
    with pytest.raises(SheetFull):
        written([["行"]] * 4)


def test_headings_stay_in_sight_are_filtered_and_are_printed_on_every_page():
    target = BytesIO()
    columns = [Column("编号", 40), Column("内容", 300), Column("号", hidden=True)]
    with Book(target) as book:
        sheet = book.sheet("表", columns, above=["标题", "说明"], frozen=1)
        sheet.row(["1", "字" * 200, "密"])
    found = opened(target)
    assert [found.cell(n, 1).value for n in range(1, 5)] == ["标题", "说明", "编号", "1"]
    assert found.freeze_panes == "B4"
    assert found.auto_filter.ref == "A3:C4"
    assert found.print_title_rows == "$3:$3"
    assert found.print_title_cols == "$A:$A"
    assert found.page_setup.fitToWidth == 2
    assert found.column_dimensions["C"].hidden
    assert found.row_dimensions[4].height == pytest.approx(2 * 16.5)  # 400 columns broad


def test_only_what_is_meant_to_be_typed_into_takes_typing():
    target = BytesIO()
    typed = Look(number="@", typed=True)
    with Book(target) as book:
        sheet = book.sheet("表", [Column("读"), Column("填", look=typed)], protected=True)
        sheet.row(["甲", "乙"], {0: Look(fill=FILLS[Light.RED])})
        sheet.row(["甲", "乙"])
    found = opened(target)
    assert found.protection.sheet
    assert [found.cell(2, n).protection.locked for n in (1, 2)] == [True, False]
    assert found.cell(2, 1).fill.fgColor.rgb == f"FF{FILLS[Light.RED].removeprefix('#')}"
    assert found.cell(3, 1).fill.fgColor.rgb == "FFF2F2F2"
    assert found.cell(3, 2).fill.fill_type is None
