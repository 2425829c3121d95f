"""A workbook that somebody sends is looked at before it is believed."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from duban.sheets import reading
from duban.sheets.reading import SheetUnreadable, given_rows, shown_text
from duban.xlsx import Book, Column
from tests.duban.intake.honest import sample
from tests.duban.intake.hostile import CORPUS, LOCKED

KEYS = {"事项号": "duty", "Duty": "duty", "进展情况": "progress"}


def read(path: Path) -> list[tuple[str, int, dict[str, str]]]:
    return [(one.sheet, one.line, dict(one.texts)) for one in given_rows(path, KEYS, ("duty",))]


def test_rows_are_found_below_their_headings_wherever_these_stand(tmp_path: Path):
    path = tmp_path / "book.xlsx"
    with Book(path) as book:
        book.sheet("说明", [Column("别的")]).row(["7"])
        first = book.sheet("甲", [Column("别的"), Column("事项号")], above=["题", "注"])
        first.row(["x", 7])
        first.row([None, None])
        first.row(["y", 8])
        book.sheet("乙", [Column("Duty"), Column("进展情况")]).row([9, "好"])
    assert read(path) == [
        ("甲", 4, {"duty": "7"}),
        ("甲", 6, {"duty": "8"}),
        ("乙", 2, {"duty": "9", "progress": "好"}),
    ]


def test_lines_are_counted_as_excel_does_when_the_first_are_empty(tmp_path: Path):
    path = tmp_path / "book.xlsx"
    book = Workbook()
    page = book.worksheets[0]
    page["C4"], page["C5"] = "事项号", 7
    book.save(path)
    assert read(path) == [("Sheet", 5, {"duty": "7"})]


def test_of_two_columns_with_one_heading_the_first_counts(tmp_path: Path):
    path = tmp_path / "book.xlsx"
    with Book(path) as book:
        book.sheet("甲", [Column("事项号"), Column("Duty")]).row([7, 8])
    assert read(path) == [("甲", 2, {"duty": "7"})]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("  甲\r\n乙 ", "甲\n乙"),
        (12.0, "12"),
        (-3, "-3"),
        (0.5, "0.5"),
        (1e20, "1e+20"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2026, 11, 24), "2026-11-24"),
        (datetime(2026, 11, 24), "2026-11-24"),  # noqa: DTZ001
        (datetime(2026, 11, 24, 8, 30), "2026-11-24T08:30:00"),  # noqa: DTZ001
        (time(8, 30), "08:30:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_a_cell_is_read_as_a_person_would_have_typed_it(cell: object, text: str):
    assert shown_text(cell) == text


def test_a_file_without_such_a_sheet_is_told_what_it_lacks(tmp_path: Path):
    path = tmp_path / "book.xlsx"
    with Book(path) as book:
        book.sheet("甲", [Column("进展情况")]).row(["好"])
    with pytest.raises(SheetUnreadable, match="under these headings: Duty, 事项号"):
        read(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(SheetUnreadable, match="cannot be read; check the path"):
        read(tmp_path / "nothing.xlsx")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"a,b\n1,2\n", sample("JPEG"), LOCKED], ids=range(5)
)
def test_what_is_no_workbook_is_told(tmp_path: Path, content: bytes):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    with pytest.raises(SheetUnreadable, match=r"book\.xlsx is"):
        read(path)


@pytest.mark.parametrize("what", [what for what, (name, _, _) in CORPUS.items() if "xls" in name])
def test_hostile_workbooks_neither_break_the_reader_nor_are_read(tmp_path: Path, what: str):
    path = tmp_path / "book.xlsx"
    path.write_bytes(CORPUS[what][2]())
    with pytest.raises(SheetUnreadable):
        read(path)


def test_two_cells_at_the_corners_of_a_sheet_end_the_parser_and_not_this_process(tmp_path: Path):
    """The parser makes room for all that lies between them, which is 16 billion cells."""
    path = tmp_path / "book.xlsx"
    book = Workbook()
    page = book.worksheets[0]
    page["A1"], page["A2"], page["XFD1048576"] = "事项号", 7, "x"
    book.save(path)
    assert path.stat().st_size < 10_000
    with pytest.raises(SheetUnreadable, match="without lines and columns that are empty"):
        read(path)


def test_a_file_that_is_too_big_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "book.xlsx"
    with Book(path) as book:
        book.sheet("甲", [Column("事项号")]).row([7])
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    with pytest.raises(SheetUnreadable, match="export a part of the ledger instead"):
        read(path)
