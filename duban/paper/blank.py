"""The empty page by the measures of GB/T 9704-2012, as the parts of a Word file.

python-docx makes it once a language; what is said on it is written in `duban.paper.page`, since a
letter to a large agency has thousands of paragraphs, each of which takes the library milliseconds.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import parser
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from duban.paper.measures import DOCUMENT, FANG, HEI, INSTEAD, KAI, LATIN, MARGINS, TYPES, Type

_KEPT_STYLES = ("Normal", "Default Paragraph Font", "Normal Table", "Table Grid")
_UNWANTED = ("/thumbnail", "/customXml", "/theme", "/stylesWithEffects", "/webSettings")

_LEFT, _CENTRE, _RIGHT = (
    WD_ALIGN_PARAGRAPH.LEFT,
    WD_ALIGN_PARAGRAPH.CENTER,
    WD_ALIGN_PARAGRAPH.RIGHT,
)


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty document: its parts by name, and what stands before and after the body's words."""

    parts: Mapping[str, bytes]
    before: str
    after: str


@cache
def blank(language: str, *, letter: bool = False) -> Blank:
    """The empty page of a language; the first page of a letter bears no number."""
    document = Document()
    _lighten(document)
    _lay_out(document, TYPES[language], zh=language == "zh")
    if letter:
        section = document.sections[0]
        section.different_first_page_header_footer = True
        section.first_page_footer.is_linked_to_previous = False
    out = io.BytesIO()
    document.save(out)
    with zipfile.ZipFile(out) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    before, section, after = parts.pop(DOCUMENT).decode().partition("<w:sectPr")
    return Blank(parts, before, section + after)


def _lighten(document: Any) -> None:
    """Takes out of the library's pattern what no official page needs."""
    package = document.part.package
    for rels in (package.rels, document.part.rels):
        for key in [key for key, rel in rels.items() if rel.reltype.endswith(_UNWANTED)]:
            del rels[key]
    styles = document.styles.element
    for style in list(styles.style_lst):
        if style.name_val not in _KEPT_STYLES and style.styleId not in (
            one.replace(" ", "") for one in (*_KEPT_STYLES, "TableNormal", "DefaultParagraphFont")
        ):
            styles.remove(style)


def _lay_out(document: Any, type_: Type, *, zh: bool) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    top, right, bottom, left = map(Mm, MARGINS)
    section.top_margin, section.right_margin = top, right
    section.bottom_margin, section.left_margin = bottom, left
    section.header_distance, section.footer_distance = Mm(15), Mm(24)
    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is not None:
        section._sectPr.remove(grid)
    if zh:
        pitch = round((type_.leading or 0) * 20)
        section._sectPr.append(_element("w:docGrid", type="lines", linePitch=str(pitch)))
    _set_normal(document, type_, zh=zh)
    _number_pages(document, section, type_, zh=zh)
    if zh:
        _name_fonts(document)


def _set_normal(document: Any, type_: Type, *, zh: bool) -> None:
    """The style that all paragraphs have."""
    normal = document.styles["Normal"]
    normal.font.size = Pt(type_.body)
    properties = normal.element.get_or_add_rPr()
    _fonts(properties, FANG if zh else LATIN)
    if type_.closer:
        size = properties.find(qn("w:sz"))
        size.addprevious(_element("w:spacing", val=str(type_.closer)))
    lang = {"val": "en-US", "eastAsia": "zh-CN"} if zh else {"val": "en-GB"}
    properties.append(_element("w:lang", **lang))
    shape = normal.paragraph_format
    shape.space_before = Pt(0)
    shape.space_after = Pt(0) if zh else Pt(6)
    shape.widow_control = False
    if type_.leading:
        shape.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        shape.line_spacing = Pt(type_.leading)


def _number_pages(document: Any, section: Any, type_: Type, *, zh: bool) -> None:
    """`— 1 —`: on the right of odd pages and the left of even ones, one character from the edge."""
    document.settings.odd_and_even_pages_header_footer = zh
    feet = [(section.footer, _RIGHT)] + ([(section.even_page_footer, _LEFT)] if zh else [])
    for foot, side in feet:
        foot.is_linked_to_previous = False
        said = foot.paragraphs[0]
        said.style = document.styles["Normal"]
        said.alignment = side if zh else _CENTRE
        said.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        said.paragraph_format.line_spacing = Pt(type_.foot * 1.2)
        said.paragraph_format.left_indent = Pt(type_.foot if side is _LEFT and zh else 0)
        said.paragraph_format.right_indent = Pt(type_.foot if side is _RIGHT and zh else 0)
        for text in ("— ", None, " —") if zh else (None,):
            _foot_run(said, text, type_, zh=zh)


def _foot_run(said: Paragraph, text: str | None, type_: Type, *, zh: bool) -> None:
    """A piece of the page's number: the number itself where there is no text."""
    run = said.add_run(text or "")
    run.font.size = Pt(type_.foot)
    if zh:
        _fonts(cast(Any, run)._r.get_or_add_rPr(), "宋体", latin="宋体")
    if text is None:
        field = _element("w:fldSimple", instr="PAGE")
        inner = cast(Any, run)._r
        inner.addprevious(field)
        run.text = "1"
        field.append(inner)


def _name_fonts(document: Any) -> None:
    """Says in the font table what each font may be replaced by."""
    table = next(
        rel.target_part for rel in document.part.rels.values() if rel.reltype.endswith("/fontTable")
    )
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{instead}"/><w:charset w:val="86"/>'
        f'<w:family w:val="{"modern" if name in (HEI, KAI, FANG) else "auto"}"/></w:font>'
        for name, instead in INSTEAD.items()
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    table._blob = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<w:fonts xmlns:w="{space}">{fonts}'
        f'<w:font w:name="{LATIN}"><w:charset w:val="00"/><w:family w:val="roman"/></w:font>'
        "</w:fonts>"
    ).encode()


def _element(tag: str, **attributes: str) -> Any:
    made = cast(Any, parser).OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    return made


def _fonts(properties: Any, font: str, *, latin: str = LATIN) -> None:
    """Names the font of Chinese characters, and that of the others."""
    old = properties.find(qn("w:rFonts"))
    if old is not None:
        properties.remove(old)
    names = {"ascii": latin, "hAnsi": latin, "eastAsia": font, "cs": latin}
    properties.insert(0, _element("w:rFonts", **names))
