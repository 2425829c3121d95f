"""The page has the measures of GB/T 9704-2012, read back from what Word reads."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest
from docx import Document
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st

from duban.paper.measures import FANG, HEI, KAI, MARGINS, SONG, WIDTH
from duban.paper.page import Page, clean

A_MILLIMETRE = 1440 / 25.4  # twentieths of a point


def page(language: str = "zh", *, letter: bool = False) -> Page:
    day = date(2026, 10, 9)
    return Page(language, title="标题", author="某省教育厅", day=day, subject="12号", letter=letter)


def read(made: Page) -> Any:
    return Document(io.BytesIO(made.content()))


def part(made: Page, name: str) -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(made.content())) as file:
        return ElementTree.fromstring(file.read(name))


def attribute(element: Any, name: str) -> str:
    return element.get(qn(f"w:{name}"))


def fonts(run: Any) -> str | None:
    found = run._r.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
    return None if found is None else attribute(found, "eastAsia")


def test_the_sheet_is_a4_with_the_margins_of_the_standard():
    section = read(page()).sections[0]
    assert (section.page_width.mm, section.page_height.mm) == (
        pytest.approx(210, abs=0.1),
        pytest.approx(297, abs=0.1),
    )
    sides = (section.top_margin, section.right_margin, section.bottom_margin, section.left_margin)
    assert [round(side.mm) for side in sides] == [37, 26, 35, 28] == list(MARGINS)
    assert WIDTH == 156


def test_twenty_two_lines_of_twenty_eight_characters_fill_it():
    made = read(page())
    normal = made.styles["Normal"]
    assert normal.font.size.pt == 16
    [grid] = made.sections[0]._sectPr.findall(qn("w:docGrid"))
    assert attribute(grid, "type") == "lines"
    pitch = int(attribute(grid, "linePitch"))
    assert normal.paragraph_format.line_spacing.pt == pytest.approx(pitch / 20, abs=0.05)
    assert 22 * pitch <= 225 * A_MILLIMETRE < 23 * pitch
    spacing = normal.element.rPr.find(qn("w:spacing"))
    wide = 16 * 20 + int(attribute(spacing, "val"))
    assert 28 * wide <= 156 * A_MILLIMETRE < 29 * wide


def test_title_body_and_headings_have_their_type():
    made = page()
    made.title("关于小事的函")
    made.text("正文")
    made.heading("一、大标题")
    made.heading("（一）小标题", level=2)
    made.quote("“原文”")
    title, _, body, first, second, quote = read(made).paragraphs
    assert (fonts(title.runs[0]), title.runs[0].font.size.pt) == (SONG, 22)
    assert title.alignment == 1  # in the middle
    normal = read(made).styles["Normal"].element.rPr.find(qn("w:rFonts"))
    assert (attribute(normal, "eastAsia"), fonts(body.runs[0])) == (FANG, None)
    assert [fonts(one.runs[0]) for one in (first, second, quote)] == [HEI, KAI, KAI]
    for one in (body, first, second, quote):
        indent = one._p.pPr.find(qn("w:ind"))
        assert (attribute(indent, "firstLineChars"), attribute(indent, "firstLine")) == (
            "200",
            "640",
        )


def test_a_long_title_keeps_its_own_pitch():
    made = page()
    made.title("某省教育厅关于办好家长学校和网上家庭教育指导平台等 3 项工作的函")
    title = read(made).paragraphs[0]
    assert title.paragraph_format.line_spacing.pt == 33
    assert attribute(title._p.pPr.find(qn("w:snapToGrid")), "val") == "0"


def test_page_numbers_stand_outside_between_dashes():
    made = read(page())
    section = made.sections[0]
    assert made.settings.odd_and_even_pages_header_footer
    odd, even = section.footer.paragraphs[0], section.even_page_footer.paragraphs[0]
    assert [one.alignment for one in (odd, even)] == [2, 0]
    for one in (odd, even):
        assert "".join(run.text for run in one.runs) == "—  —"
        field = one._p.find(qn("w:fldSimple"))
        assert attribute(field, "instr") == "PAGE"
        assert [run.font.size.pt for run in one.runs] == [14, 14]


def test_every_font_is_named_with_others_in_its_place_and_none_is_shipped():
    table = part(page(), "word/fontTable.xml")
    named = {attribute(font, "name"): font for font in table}
    for font in (SONG, FANG, HEI, KAI):
        assert "Noto" in attribute(named[font].find(qn("w:altName")), "val")
    with zipfile.ZipFile(io.BytesIO(page().content())) as file:
        assert not [name for name in file.namelist() if "font" in name and "Table" not in name]
        assert not [name for name in file.namelist() if name.endswith((".odttf", ".ttf"))]


@pytest.mark.parametrize(
    ("name", "day", "shifts"),
    [
        # The day is the wider: it stands four characters from the edge.
        ("某局", "2026年10月9日", (4 + 2.25, 4)),
        # The name is the wider: its middle is that of the day.
        ("山西省未成年人保护工作委员会办公室", "2026年1月5日", (1, 1 + 5.5)),
    ],
)
def test_the_signature_stands_over_the_middle_of_its_day(
    name: str, day: str, shifts: tuple[float, float]
):
    made = page()
    made.text("正文")
    made.signature(name, day, "（联系单位：某局）")
    *_, first, second, note = read(made).paragraphs
    assert [first.text, second.text, note.text] == [name, day, "（联系单位：某局）"]
    found = [one.paragraph_format.right_indent.pt / 16 for one in (first, second)]
    assert found == [pytest.approx(one, abs=0.05) for one in shifts]


def test_a_signature_is_never_alone_on_a_page():
    made = page()
    made.text("正文")
    made.signature("某局", "2026年1月5日", "（联系单位：某局）")
    *before, last = read(made).paragraphs
    assert [one.paragraph_format.keep_with_next for one in before] == [True] * 4
    assert not last.paragraph_format.keep_with_next


def test_what_begins_a_page_leaves_no_empty_one_behind():
    """A paragraph that breaks the page would need a line, where none may be left."""
    made = page()
    made.text("正文")
    made.turn()
    made.line("附件1")
    made.line("各条款办理情况")
    before, first, second = read(made).paragraphs
    breaks = [one.paragraph_format.page_break_before for one in (before, first, second)]
    assert breaks == [None, True, None]


def test_the_first_page_of_a_letter_bears_no_number():
    section = read(page(letter=True)).sections[0]
    assert section.different_first_page_header_footer
    assert [one.text for one in section.first_page_footer.paragraphs] == [""]
    for plain in (page(), page("en", letter=True)):
        assert not read(plain).sections[0].different_first_page_header_footer


@pytest.mark.parametrize(("letter", "side", "gaps"), [(True, 2, 2), (False, 1, 1)])
def test_the_number_of_a_letter_stands_at_the_right_two_lines_above_its_title(
    letter: bool, side: int, gaps: int
):
    made = page(letter=letter)
    made.number("某教督函〔2026〕12号")
    made.title("标题")
    number, *between, title, _ = read(made).paragraphs
    assert (number.alignment, [one.text for one in between]) == (side, [""] * gaps)
    assert title.text == "标题"


@pytest.mark.parametrize("letter", [True, False])
def test_copies_stand_at_the_foot_of_the_page_that_is_signed(letter: bool):
    made = page(letter=letter)
    made.text("正文")
    made.signature("某局", "2026年1月5日")
    made.copies("抄送：", "某省妇联。")
    copies, *others = read(made).paragraphs
    assert [one.text for one in others] == ["正文", "", "某局", "2026年1月5日"]
    assert copies.text == "抄送：某省妇联。"
    frame = copies._p.pPr.find(qn("w:framePr"))
    assert [attribute(frame, one) for one in ("vAnchor", "yAlign")] == ["margin", "bottom"]
    # One character from the edges; further lines go on below the first name. No lines in a letter.
    shape = copies.paragraph_format
    found = [shape.left_indent.pt, shape.first_line_indent.pt, shape.right_indent.pt]
    assert found == [4 * 14, -3 * 14, 14]
    assert (copies._p.pPr.find(qn("w:pBdr")) is None) is letter


def test_what_is_attached_stands_below_each_other():
    made = page()
    made.attachments("附件：", ["甲", "乙"])
    _, first, second = read(made).paragraphs
    assert [first.text, second.text] == ["附件：1. 甲", "2. 乙"]
    assert first.paragraph_format.left_indent == second.paragraph_format.left_indent
    assert first.paragraph_format.first_line_indent.pt == -48


def test_two_tables_stay_two():
    made = page()
    made.table(["甲", "乙"], [["一", "二"]], widths=[100, 56])
    made.form([("甲", ["乙"])])
    tags = [one.tag.rpartition("}")[2] for one in read(made).element.body]
    assert tags == ["tbl", "p", "tbl", "sectPr"]


def test_a_table_repeats_its_header_and_breaks_no_row():
    made = page()
    made.table(["甲", "乙"], [["一", "二"]], widths=[100, 56], align=["left", "right"])
    [table] = read(made).tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["甲", "乙"], ["一", "二"]]
    assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
    assert [round(column.width.mm) for column in table.columns] == [100, 56]


def test_a_picture_keeps_its_width_and_its_caption():
    made = page()
    made.picture(dot(), width=120, caption="图1")
    found = read(made)
    assert round(found.inline_shapes[0].width.mm) == 120
    assert found.paragraphs[1].text == "图1"
    assert found.paragraphs[0].paragraph_format.keep_with_next


def dot() -> bytes:
    """A picture of one point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b"")]
    )


def test_the_order_of_properties_is_the_one_that_word_insists_on():
    made = page()
    made.band("橙色督办单", fill="D9730D")
    made.title("标题")
    made.text("正文")
    made.form([("甲", ["乙", "丙"])], fill="F2F2F2")
    made.signature("某局", "2026年1月5日")
    made.copies("抄送：", "某局。")
    body = read(made).element.body
    for element in body.iter(qn("w:pPr"), qn("w:rPr"), qn("w:tcPr")):
        names = [one.tag.rpartition("}")[2] for one in element]
        order = ORDERS[element.tag.rpartition("}")[2]]
        assert names == sorted(names, key=order.index), names


ORDERS = {
    "pPr": ["pStyle", "keepNext", "keepLines", "pageBreakBefore", "framePr", "widowControl",
            "pBdr", "shd", "tabs", "snapToGrid", "spacing", "ind", "jc", "rPr", "sectPr"],
    "rPr": ["rStyle", "rFonts", "b", "bCs", "i", "color", "spacing", "sz", "szCs", "lang"],
    "tcPr": ["tcW", "gridSpan", "vMerge", "tcBorders", "shd", "vAlign"],
}  # fmt: skip
"""As the schema of WordprocessingML (ECMA-376) has them, as far as a page needs them."""


def test_english_is_set_in_plain_type():
    made = page("en")
    made.title("A letter")
    made.text("Words.")
    found = read(made)
    assert found.styles["Normal"].font.size.pt == 11.5
    assert found.sections[0]._sectPr.find(qn("w:docGrid")) is None
    assert found.paragraphs[0].runs[0].bold
    assert found.paragraphs[2].paragraph_format.first_line_indent is None


def test_the_file_says_what_it_is_and_knows_no_time_but_its_day():
    core = read(page()).core_properties
    assert (core.title, core.author, core.subject) == ("标题", "某省教育厅", "12号")
    assert core.last_modified_by == "某省教育厅"
    assert core.created == core.modified
    assert f"{core.created:%Y-%m-%d %H:%M}" == "2026-10-09 00:00"
    with zipfile.ZipFile(io.BytesIO(page().content())) as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_same_words_make_the_same_bytes_and_others_do_not():
    def made(text: str) -> bytes:
        found = page()
        found.text(text)
        found.form([("甲", ["乙"])])
        return found.content()

    assert made("一") == made("一") != made("二")


def words_of(made: Page) -> Iterator[str]:
    return (text.text or "" for text in read(made).element.body.iter(qn("w:t")))


@given(st.text(st.characters(), min_size=1, max_size=80))
def test_any_text_can_be_said_and_stays_one_line(text: str):
    made = page()
    made.text(text)
    made.form([(text, [text])])
    assert set(words_of(made)) <= {clean(text)}
    assert len(read(made).paragraphs) == 1
    assert not set(clean(text)) & set("\n\r\t\u2028\u202e\x00")


def test_a_quote_of_many_lines_is_cast_into_one():
    assert clean("一\n二\r\n三\u202e四") == "一 二 三 四"
