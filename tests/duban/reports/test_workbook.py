"""The workbook read back by another program: it says what the figures say."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from duban.ledger.snapshots import Place, Snapshot
from duban.reports.asked import Group, Measure
from duban.reports.counting import figures
from duban.reports.figures import Counts, Figures, Line
from duban.reports.tables import EVERYTHING, grouped, named, tells
from duban.reports.texts import ZH
from duban.reports.workbook import write
from duban.words import period_prose, words
from tests.duban.reports.cases import ONE, QUARTER, snapshot_of

Row = dict[str, Any]


def made(figures: Figures, seen: Snapshot) -> bytes:
    sink = BytesIO()
    write(sink, figures, seen)
    return sink.getvalue()


@pytest.fixture(scope="module")
def book(large: Snapshot, counted: Figures) -> Any:
    return load_workbook(BytesIO(made(counted, large)))


def rows(book: Any, sheet: str) -> list[Row]:
    """The rows of a sheet by its headings, which stand in the third line."""
    _, _, head, *lines = book[sheet].iter_rows(values_only=True)
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_the_sheets_stand_in_the_order_of_the_bulletin(book: Any):
    assert book.sheetnames == [
        "总体情况",
        "各市情况",
        "各部门情况",
        "各条款办理情况",
        "指标进展",
        "排名",
        "明细",
        "统计口径",
    ]


def lines(figures: Figures) -> dict[str, Sequence[Line]]:
    return {
        "总体情况": [figures.whole],
        "各市情况": figures.regions,
        "各部门情况": figures.departments,
        "各条款办理情况": figures.clauses,
    }


@pytest.mark.parametrize("sheet", ["总体情况", "各市情况", "各部门情况", "各条款办理情况"])
def test_every_number_of_every_line_is_there(book: Any, counted: Figures, sheet: str):
    found = [pair for line in lines(counted)[sheet] for pair in grouped(line)]
    for row, (group, counts) in zip(rows(book, sheet), found, strict=True):
        assert row["类别"] == ZH.groups[group]
        for one in EVERYTHING:
            assert row[named(ZH, one)] == pytest.approx(value(counts, one))


def value(counts: Counts, one: Measure | str) -> float | None:
    if isinstance(one, Measure):
        return counts[one].value
    share = getattr(counts, one).share
    return None if share is None else float(share)


def test_rates_are_numbers_that_show_as_per_cent(book: Any):
    sheet = book["总体情况"]
    head = [cell.value for cell in sheet[3]]
    cell = sheet.cell(4, head.index("完成率") + 1)
    assert cell.number_format == "0.0%"
    assert 0 < cell.value <= 1


def test_targets_have_a_row_for_each_region_and_period(book: Any, counted: Figures):
    wanted = [
        (
            period_prose(words("zh"), point.period),
            point.ratio.upper,
            point.ratio.lower,
            point.reported.value,
            point.fresh,
        )
        for target in counted.targets
        for line in (target.whole, *target.regions)
        for point in line.trend
    ]
    columns = ("周期", "分子", "分母", "报数单位", "其中当期报数")
    assert [tuple(row[one] for one in columns) for row in rows(book, "指标进展")] == wanted


def test_ranks_are_those_of_the_leagues(book: Any, counted: Figures):
    both = [*counted.region_league, *counted.department_league]
    wanted = [(one.rank, one.line.name) for one in both if tells(one.line.lead)]
    assert [(row["名次"], row["名称"]) for row in rows(book, "排名")] == wanted


def test_the_duties_lead_to_the_same_numbers_when_they_are_filtered(book: Any, counted: Figures):
    """As a reader would: by the columns of the sheet alone."""
    duties = rows(book, "明细")
    for line in (counted.whole, *counted.regions):
        here = [one for one in duties if line.name in ("", one["地区"])]
        for group, counts in (
            (Group.LEAD, line.lead),
            (Group.CO, line.co),
            (Group.SOFT, line.soft),
        ):
            mine = [one for one in here if one["类别"] == ZH.groups[group]]
            for measure, n in filtered(mine).items():
                assert n == counts[measure].value, (line.name, group, measure)


def filtered(duties: list[Row]) -> dict[Measure, int]:
    own = [one for one in duties if one["计入"] == "本期"]
    required = [one for one in own if one["应报情况"] == "应报"]
    state = Counter(one["应报情况"] for one in own)
    status = Counter(one["状态"] for one in required)
    return {
        Measure.TOTAL: len(own),
        Measure.REQUIRED: state["应报"],
        Measure.NIL: state["零报告"],
        Measure.NOT_APPLICABLE: state["不适用"],
        Measure.ACCEPTED: status["销号"],
        Measure.SUBMITTED: status["待审"],
        Measure.OPEN: status["待报"] + status["退回"],
        Measure.OVERDUE: sum(one["亮灯"] == "红" for one in required),
        Measure.ON_TIME: sum(one["时限内报送（含延期）"] == "是" for one in own),
        Measure.JUDGED: sum(one["时限内报送（含延期）"] is not None for one in own),
        Measure.ON_TIME_ORIGINAL: sum(one["原定时限内报送"] == "是" for one in own),
        Measure.JUDGED_ORIGINAL: sum(one["原定时限内报送"] is not None for one in own),
        Measure.EXTENDED: sum(one["时限顺延"] == "是" for one in own),
        Measure.BACKLOG: sum(one["计入"] == "积压" for one in duties),
    }


def test_duties_that_no_number_counts_are_left_out(large: Snapshot, book: Any):
    assert len(rows(book, "明细")) < len(large.facts)


def test_the_notes_end_with_the_digest_of_the_snapshot(large: Snapshot, book: Any):
    lines = [row[0] for row in book["统计口径"].iter_rows(values_only=True)]
    assert len(lines) == 13
    assert lines[-1] == large.sha256


def test_names_stay_text():
    places = [Place("省", "某省", "province"), Place("东", "=1+1", "city")]
    seen = snapshot_of([ONE], places=places)
    book = load_workbook(BytesIO(made(figures(seen, QUARTER), seen)))
    cells = list(cells_of(book))
    assert "=1+1" in [one.value for one in cells]
    assert all(one.data_type != "f" for one in cells)


def cells_of(book: Any) -> Iterator[Any]:
    for sheet in book:
        for row in sheet.iter_rows():
            yield from row


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_snapshot_makes_the_same_bytes(large: Snapshot, language: str):
    seen = replace(large, language=language)
    again = Snapshot.read(seen.packed())
    assert made(figures(seen, QUARTER), seen) == made(figures(again, QUARTER), again)


def test_every_sheet_of_a_simulation_says_so():
    seen = replace(snapshot_of([ONE]), label="模拟演示")
    book = load_workbook(BytesIO(made(figures(seen, QUARTER), seen)))
    *sheets, notes = book.worksheets
    assert {one["A1"].value[:6] for one in sheets} == {"【模拟演示】"}
    assert "【模拟演示】" in notes["A1"].value
    assert book.properties.title.startswith("【模拟演示】")


def test_a_period_without_duties_makes_a_workbook_too():
    seen = snapshot_of([])
    book = load_workbook(BytesIO(made(figures(seen, QUARTER), seen)))
    assert rows(book, "明细") == []
