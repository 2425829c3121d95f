"""The bulletin as a document, and what LibreOffice makes of its files."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pypdfium2
import pytest
from docx import Document

from duban.ledger.snapshots import Snapshot
from duban.paper.page import WIDTH
from duban.reports.asked import Measure
from duban.reports.charts import Chart, charts
from duban.reports.counting import figures
from duban.reports.document import docx, widths
from duban.reports.figures import Figures
from duban.reports.workbook import write
from tests.duban.reports.cases import ISSUER, NOTICE, QUARTER, TITLE, snapshot_of
from tests.libreoffice import converted

NUMBER, DAY = "某教督办〔2026〕12号", date(2026, 10, 15)
DRAFT = "征求意见稿，异议请于2026年10月20日前提出。"


def issued(found: Figures, drawn: list[Chart] | None = None) -> bytes:
    return docx(found, number=NUMBER, issued=DAY, draft="", charts=drawn or [])


def draft(found: Figures) -> bytes:
    return docx(found, number="", issued=None, draft=DRAFT, charts=[])


def read(content: bytes) -> Any:
    return Document(BytesIO(content))


def paragraphs(content: bytes) -> list[str]:
    return [one.text for one in read(content).paragraphs if one.text]


def rows(table: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_an_issued_one_has_number_title_addressee_signature_and_day(counted: Figures):
    told = paragraphs(issued(counted))
    assert told[:3] == [NUMBER, TITLE, "各有关单位："]
    at = told.index(ISSUER)
    assert told[at + 1] == "2026年10月15日"
    assert told[at - 3 : at] == [
        "附件：1. 各条款办理情况",
        "2. 共同负责和倡导性事项办理情况",
        "3. 统计口径",
    ]
    assert told[at + 2 :][:2] == ["附件1", "各条款办理情况"]


def test_a_draft_says_so_first_and_has_neither_number_nor_day(counted: Figures):
    told = paragraphs(draft(counted))
    assert told[0] == DRAFT
    assert told[told.index(ISSUER) + 1] == "（待印发）"
    assert not [one for one in told if "〔" in one.replace(NOTICE.number, "")]


def test_both_say_so_on_a_simulation(large: Snapshot):
    found = figures(replace(large, label="模拟演示"), QUARTER)
    assert paragraphs(issued(found))[0] == "【模拟演示】本件不作公文使用"
    assert paragraphs(draft(found))[0] == f"【模拟演示】本件不作公文使用 {DRAFT}"


def test_a_document_is_dated_by_its_day_and_a_draft_by_its_cut_off(counted: Figures):
    days = [read(one).core_properties.created.date() for one in (issued(counted), draft(counted))]
    assert days == [DAY, date(2026, 10, 8)]


def test_the_table_of_regions_says_what_the_figures_say(counted: Figures):
    table = rows(read(issued(counted)).tables[1])
    assert table[0][:5] == ["名次", "地区", "应报", "已销号", "完成率"]
    for row, one in zip(table[1:-2], counted.region_league, strict=True):
        lead = one.line.lead
        wanted = [
            str(one.rank),
            one.line.name,
            *map(str, (lead[Measure.REQUIRED], lead[Measure.ACCEPTED])),
        ]
        assert row[:5] == [*wanted, f"{lead.completion.percent:.1f}%"]
    assert [row[1] for row in table[-2:]] == ["山西省本级", "合计"]


def test_charts_stand_where_they_belong(counted: Figures):
    drawn = charts(counted)
    body = read(issued(counted, drawn))
    captions = [one.text for one in body.paragraphs if one.text in {chart.title for chart in drawn}]
    assert captions == [one.title for one in drawn]
    assert len(body.inline_shapes) == len(drawn)


def test_the_last_line_is_the_digest_of_the_snapshot(large: Snapshot, counted: Figures):
    content = issued(counted)
    assert paragraphs(content)[-1].replace(" ", "") == large.sha256
    assert large.sha256 in read(content).core_properties.subject


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_snapshot_makes_the_same_bytes(large: Snapshot, language: str):
    seen = replace(large, language=language)
    found = [figures(one, QUARTER) for one in (seen, Snapshot.read(seen.packed()))]
    made = [issued(one, charts(one)) for one in found]
    assert made[0] == made[1]


def test_a_period_without_duties_makes_a_document_too():
    told = paragraphs(issued(figures(snapshot_of([]), QUARTER)))
    assert "本期没有到期的事项。" in told


@pytest.mark.parametrize(
    ("head", "row"),
    [
        (["名次", "地区", "应报"], ["1", "太原市", "40"]),
        (["条款", "完成率"], ["很长的标题" * 9, "100.0%"]),
        (["A"] * 14, ["1234567"] * 14),
    ],
)
def test_columns_fill_the_type_area_and_none_vanishes(head: list[str], row: list[str]):
    found = widths(head, [row], 4.2)
    assert sum(found) == pytest.approx(WIDTH)
    assert min(found) > 5


def test_a_table_without_rows_has_widths_too():
    assert widths(["名次", "地区"], [], 4.2) == [pytest.approx(WIDTH / 2)] * 2


@pytest.fixture(scope="module")
def rendered(
    large: Snapshot, counted: Figures, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[str]]:
    """The text of each page of each file, as LibreOffice shows it; one start for all of them."""
    folder = tmp_path_factory.mktemp("rendered")
    (folder / "issued.docx").write_bytes(issued(counted, charts(counted)))
    (folder / "draft.docx").write_bytes(draft(counted))
    english = figures(replace(large, language="en"), QUARTER)
    (folder / "english.docx").write_bytes(issued(english))
    write(folder / "book.xlsx", counted, large)
    found = converted(sorted(folder.iterdir()), "pdf", folder)
    return {one.stem: pages(one) for one in found}


def pages(pdf: Path) -> list[str]:
    with cast(Any, pypdfium2).PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_libreoffice_shows_the_issued_one(rendered: Mapping[str, list[str]], counted: Figures):
    told = [squeezed(one) for one in rendered["issued"]]
    assert 12 <= len(told) <= 20
    assert f"某教督办〔2026〕12号{TITLE}各有关单位：" in told[0]
    assert told[0].endswith("—1—")
    whole = "".join(told)
    for one in counted.region_league:
        lead = one.line.lead
        shown = f"{one.rank}{one.line.name}{lead[Measure.REQUIRED]}{lead[Measure.ACCEPTED]}"
        assert f"{shown}{lead.completion.percent:.1f}%" in whole
    for line in counted.clauses:
        assert squeezed(line.name) in whole


def test_libreoffice_shows_the_draft_and_the_english_one(rendered: Mapping[str, list[str]]):
    assert squeezed(rendered["draft"][0]).startswith(DRAFT)
    assert "bulletin on" in rendered["english"][0]


def test_libreoffice_shows_every_sheet_of_the_workbook(rendered: Mapping[str, list[str]]):
    told = squeezed("".join(rendered["book"]))
    heads = ("项目类别", "地区类别", "部门类别", "条款类别", "指标地区周期", "排名对象", "事项号")
    assert [one for one in heads if one not in told] == []
    assert "#REF" not in told
    assert "###" not in told  # a column too narrow for its number
