"""The official page: A4 by the measures of GB/T 9704-2012, as a Word file that is always the same.

    page = Page("zh", title="通报", author="某省教育厅", day=date(2026, 10, 9))
    page.number("某教督办函〔2026〕12号")
    page.title("关于……的督办函")
    page.to("某市教育局：")
    page.text("正文……")
    page.heading("一、……")
    page.table(["单位", "数量"], [["某市教育局", "3"]], widths=[100, 56])
    page.signature("某省教育厅", "2026年10月9日")
    content = page.content()

Fonts are named, with others in their place where a machine lacks them, and none is embedded. A
notice in English gets the same paper with plain type. Any text may be given: what XML cannot hold,
and what would turn or break a line, becomes a space.
"""

import io
import re
import struct
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

from duban.paper.measures import DOCUMENT, FANG, HEI, KAI, LATIN, SONG, TYPES, WIDTH

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MILLIMETRE = 1440 / 25.4  # twentieths of a point
_DRAWN = 36_000  # of what pictures are measured in, a millimetre
_SIDES = {"left": "left", "centre": "center", "right": "right", "both": "both"}


@dataclass(slots=True)
class _Line:
    """A paragraph. `indent` counts characters; `lead`, `left`, `right`, `first` are points.

    `lead` takes it off the page's grid of 22 lines, which would pull it apart.
    """

    text: str
    font: str = FANG
    size: float | None = None
    align: str = ""
    bold: bool = False
    ink: str = ""
    indent: int = 0
    first: float = 0
    left: float = 0
    right: float = 0
    lead: float | None = None
    keep: bool = False
    turned: bool = False
    ruled: bool = False
    framed: bool = False
    fill: str = ""


class Page:
    """A document under way; every method adds to its end.

    Args:
        language: `zh`, or `en` for plain type.
        title, author, subject: what the file says of itself.
        day: the civil day it is dated, which is all the time that it knows.
        letter: it has the standard's form for letters (信函格式, §10.1): the number stands at the
            right, the first page bears no page number, and no lines enclose the copies. English
            knows no such form.
    """

    def __init__(
        self,
        language: str,
        *,
        title: str,
        author: str,
        day: date,
        subject: str = "",
        letter: bool = False,
    ) -> None:
        self.type = TYPES[language]
        self._language = language
        self._zh = language == "zh"
        self._letter = letter and self._zh
        self._said: list[_Line | str] = []
        self._pictures: list[bytes] = []
        self._signed, self._turning = 0, False
        self._core = _core(title, author, subject, day, "zh-CN" if self._zh else "en-GB")

    def number(self, text: str) -> None:
        """The document number (发文字号), `某教督〔2026〕12号`; two lines from it to the title."""
        self._say(_Line(text, align="right" if self._letter else "centre"))
        self.gap()
        if self._letter:
            self.gap()

    def title(self, text: str) -> None:
        """The title, centred, and an empty line after it."""
        # The grid would give each of its lines two.
        lead = self.type.title * 1.5 if self._zh else None
        size, bold = self.type.title, not self._zh
        self._say(_Line(text, SONG, size, "centre", lead=lead, bold=bold, keep=True))
        self.gap()

    def line(self, text: str, *, align: str = "centre", small: bool = False) -> None:
        """A line of its own, such as a subtitle or a caption."""
        self._say(_Line(text, size=self.type.small if small else None, align=align))

    def to(self, text: str) -> None:
        """To whom it goes (主送), from the margin on."""
        self._say(_Line(text))

    def text(self, text: str) -> None:
        """A paragraph of the body."""
        self._say(_Line(text, align="both" if self._zh else "left", indent=self.type.indent))

    def quote(self, text: str) -> None:
        """A paragraph in another's words."""
        if self._zh:
            self._say(_Line(text, KAI, align="both", indent=self.type.indent))
        else:
            self._say(_Line(text, left=22))

    def heading(self, text: str, level: int = 1) -> None:
        """A heading: 一、 is level 1, （一） level 2."""
        font, indent = HEI if level == 1 else KAI, self.type.indent
        self._say(_Line(text, font, indent=indent, bold=not self._zh, keep=True))

    def gap(self, points: float | None = None) -> None:
        """An empty line, of the body's height unless told otherwise."""
        self._say(_Line("", lead=points))

    def turn(self) -> None:
        """The line that follows begins a page.

        A paragraph that breaks the page would itself make an empty one where no line is left.
        """
        self._turning = True

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        widths: Sequence[float],
        align: Sequence[str] = (),
        fills: Sequence[Sequence[str | None]] = (),
    ) -> None:
        """A table whose header comes again on every page.

        Args:
            widths: of the columns, in millimetres; those of the type area are `WIDTH` together.
            align: left, centre or right for each column; left where nothing is said.
            fills: colours of the cells of each row, `FFC7CE`, or None.
        """
        sides = [*align, *["left"] * (len(widths) - len(align))]
        made = [
            self._row([[text] for text in row], widths, sides, fills[n] if n < len(fills) else ())
            for n, row in enumerate(rows)
        ]
        if header:
            pairs = zip(header, widths, strict=True)
            heads = [self._cell(text, width, bold=True) for text, width in pairs]
            made.insert(0, _row(heads, again=True))
        self._table(made, widths)

    def form(
        self, rows: Sequence[tuple[str, Sequence[str]]], *, label: float = 34, fill: str = ""
    ) -> None:
        """A form: what each row is called, and its paragraphs.

        Args:
            label: the width of the first column, in millimetres.
            fill: the colour behind the names, `DDEBF7`.
        """
        widths = (label, WIDTH - label)
        self._table(
            [
                _row(
                    [
                        self._cell(name, widths[0], fill, bold=True),
                        _cell(self._small(texts, "left"), widths[1]),
                    ]
                )
                for name, texts in rows
            ],
            widths,
        )

    def band(self, text: str, *, fill: str, ink: str = "FFFFFF") -> None:
        """A line in a bar of colour, as coloured slips (三色督办单) have at their top."""
        self._say(_Line(text, HEI, align="centre", bold=not self._zh, fill=fill, ink=ink))
        self.gap(8)

    def picture(self, png: bytes, *, width: float = WIDTH, caption: str = "") -> None:
        """A PNG picture in the middle of the page; `width` in millimetres."""
        self._pictures.append(png)
        self._said.append(_picture(len(self._pictures), png, width, keep=bool(caption)))
        if caption:
            self.line(caption, small=True)

    def attachments(self, name: str, texts: Sequence[str]) -> None:
        """What is attached (附件), one below another; `name` is the word for it and its colon."""
        self.gap()
        em, width = self.type.body, _ems(name)
        for n, text in enumerate(texts, start=1):
            led = f"{n}. " if len(texts) > 1 else ""
            named, first = (name, -width * em) if n == 1 else ("", 0)
            self._say(_Line(f"{named}{led}{text}", left=(2 + width) * em, first=first))

    def signature(self, name: str, day: str, note: str = "") -> None:
        """Who signs and the day: the name stands in the middle above it, the day 4 from the right.

        They stay together, with the last line before them and a note (附注) below, if there is one.
        """
        self._signed = max(len(self._said) - 1, 0)
        self.gap()
        em = self.type.body
        mine, its = _ems(name), _ems(day)
        shift = max(4 + (its - mine) / 2, 1.0)
        self._say(_Line(name, align="right", right=shift * em))
        self._say(_Line(day, align="right", right=(shift + (mine - its) / 2) * em))
        if note:
            self.text(note)
        for one in self._said[-5 if note else -4 : -1]:
            if isinstance(one, _Line):
                one.keep = True

    def copies(self, name: str, text: str) -> None:
        """Who else is told (抄送), at the foot of the page that was signed.

        Args:
            name: the word for it and its colon; further lines begin where the first goes on.
        """
        foot = self.type.foot
        hang = _ems(name) * foot
        line = _Line(
            f"{name}{text}",
            size=foot,
            left=foot + hang,
            right=foot,
            first=-hang,
            ruled=not self._letter,
            framed=True,
        )
        # A frame stands on the page of the paragraph after it, and would part a signature from
        # the line before.
        self._said.insert(self._signed, line)

    def content(self) -> bytes:
        """The file: the same bytes whenever the same was said."""
        # python-docx takes a tenth of a second to load, and most commands make no paper.
        from duban.paper.blank import blank

        empty = blank(self._language, letter=self._letter)
        body = "".join(one if isinstance(one, str) else self._xml(one) for one in self._said)
        parts = {
            **empty.parts,
            DOCUMENT: f"{empty.before}{body}{empty.after}".encode(),
            "docProps/core.xml": self._core,
        }
        return _zipped(_with_pictures(parts, self._pictures))

    def _say(self, line: _Line) -> None:
        line.turned, self._turning = self._turning, False
        self._said.append(line)

    def _xml(self, line: _Line) -> str:
        """The properties in the order in which Word insists on them."""
        em = line.size or self.type.body
        first = _twentieths(line.indent * em or line.first)
        indents = {
            "left": _twentieths(line.left) if line.left else None,
            "right": _twentieths(line.right) if line.right else None,
            "firstLine": first if first > 0 else None,
            "hanging": -first if first < 0 else None,
            "firstLineChars": line.indent * 100 or None,
        }
        made = "".join(
            (
                "<w:keepNext/><w:keepLines/>" if line.keep else "",
                "<w:pageBreakBefore/>" if line.turned else "",
                _FRAMED if line.framed else "",
                _RULED if line.ruled else "",
                _element("shd", val="clear", color="auto", fill=line.fill) if line.fill else "",
                _led(line.lead) if line.lead is not None else "",
                _element("ind", **indents) if any(indents.values()) else "",
                _element("jc", val=_SIDES[line.align]) if line.align else "",
            )
        )
        return f"<w:p>{f'<w:pPr>{made}</w:pPr>' if made else ''}{self._run(line)}</w:p>"

    def _run(self, line: _Line) -> str:
        text = escape(clean(line.text))
        if not text:
            return ""
        made = "".join(
            (
                _font(line.font if line.font != FANG else "") if self._zh else "",
                "<w:b/>" if line.bold else "",
                _element("color", val=line.ink) if line.ink else "",
                _element("sz", val=round(line.size * 2)) if line.size else "",
            )
        )
        properties = f"<w:rPr>{made}</w:rPr>" if made else ""
        return f'<w:r>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'

    # Tables

    def _table(self, rows: Sequence[str], widths: Sequence[float]) -> None:
        """Two tables with nothing between them would become one."""
        if self._said and str(self._said[-1]).startswith("<w:tbl>"):
            self.gap(10)
        columns = "".join(_element("gridCol", w=_wide(width)) for width in widths)
        grid = f"<w:tblGrid>{columns}</w:tblGrid>"
        self._said.append(f"<w:tbl>{_TABLE}{grid}{''.join(rows)}</w:tbl>")

    def _row(
        self,
        cells: Sequence[Sequence[str]],
        widths: Sequence[float],
        sides: Sequence[str],
        fills: Sequence[str | None],
    ) -> str:
        colours = [*fills, *[None] * (len(widths) - len(fills))]
        return _row(
            [
                _cell(self._small(texts, side), width, fill or "")
                for texts, width, side, fill in zip(cells, widths, sides, colours, strict=True)
            ]
        )

    def _cell(self, text: str, width: float, fill: str = "", *, bold: bool = False) -> str:
        """A cell that names what stands beside or below it."""
        return _cell(self._small([text], "centre", bold=bold), width, fill)

    def _small(self, texts: Sequence[str], side: str, *, bold: bool = False) -> str:
        """The paragraphs of a cell; one at least, since no cell is without."""
        size = self.type.small
        font = HEI if bold else FANG
        return "".join(
            self._xml(_Line(text, font, size, side, bold and not self._zh, lead=size * 1.5))
            for text in texts or [""]
        )


def clean(text: str) -> str:
    """The text as a line of a document can hold it."""
    return _UNSEEN.sub(" ", text).strip()


def _ems(text: str) -> float:
    """How wide a text is, in characters of full width."""
    return sum(1 if unicodedata.east_asian_width(one) in "WFA" else 0.5 for one in text)


def _twentieths(points: float) -> int:
    return round(points * 20)


def _wide(millimetres: float) -> int:
    return round(millimetres * _MILLIMETRE)


def _element(name: str, **attributes: object) -> str:
    given = (f' w:{key}="{value}"' for key, value in attributes.items() if value is not None)
    return f"<w:{name}{''.join(given)}/>"


def _led(points: float) -> str:
    line = _twentieths(points)
    return f'<w:snapToGrid w:val="0"/><w:spacing w:after="0" w:line="{line}" w:lineRule="exact"/>'


def _font(font: str) -> str:
    """The hint gives marks that Chinese and others share, as “ and —, to the Chinese font."""
    names = {"ascii": LATIN, "hAnsi": LATIN, "eastAsia": font, "cs": LATIN} if font else {}
    return _element("rFonts", hint="eastAsia", **names)


_RULED = "".join(
    (
        "<w:pBdr>",
        *(_element(s, val="single", sz=8, space=1, color="auto") for s in ("top", "bottom")),
        "</w:pBdr>",
    )
)
_FRAMED = _element(
    "framePr",
    w=_wide(WIDTH),
    hSpace=0,
    wrap="notBeside",
    vAnchor="margin",
    hAnchor="margin",
    xAlign="left",
    yAlign="bottom",
)
_TABLE = (
    '<w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="0" w:type="auto"/>'
    '<w:jc w:val="center"/><w:tblLayout w:type="fixed"/></w:tblPr>'
)


def _row(cells: Sequence[str], *, again: bool = False) -> str:
    """A row is not broken between two pages unless it fills one."""
    more = "<w:tblHeader/>" if again else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{more}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(paragraphs: str, width: float, fill: str = "") -> str:
    shade = _element("shd", val="clear", color="auto", fill=fill) if fill else ""
    size = _element("tcW", w=_wide(width), type="dxa")
    side = '<w:vAlign w:val="center"/>'
    return f"<w:tc><w:tcPr>{size}{shade}{side}</w:tcPr>{paragraphs}</w:tc>"


# Pictures

_PICTURES = "http://schemas.openxmlformats.org/drawingml/2006"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _picture(n: int, png: bytes, width: float, *, keep: bool) -> str:
    across, down = struct.unpack(">II", png[16:24])
    wide = round(width * _DRAWN)
    size = f'cx="{wide}" cy="{round(wide * down / across)}"'
    named = f'id="{n}" name="{n}"'
    shape = (
        f'<a:graphic xmlns:a="{_PICTURES}/main"><a:graphicData uri="{_PICTURES}/picture">'
        f'<pic:pic xmlns:pic="{_PICTURES}/picture"><pic:nvPicPr><pic:cNvPr {named}/><pic:cNvPicPr/>'
        f'</pic:nvPicPr><pic:blipFill><a:blip xmlns:r="{_RELATED}" r:embed="picture{n}"/>'
        "<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>"
        f'<a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr>'
        "</pic:pic></a:graphicData></a:graphic>"
    )
    # On lines of a set height only a strip of it would show.
    lead = '<w:spacing w:line="240" w:lineRule="auto"/><w:jc w:val="center"/>'
    return (
        f"<w:p><w:pPr>{'<w:keepNext/>' if keep else ''}{lead}</w:pPr><w:r><w:drawing>"
        f'<wp:inline xmlns:wp="{_PICTURES}/wordprocessingDrawing"><wp:extent {size}/>'
        f"<wp:docPr {named}/>{shape}</wp:inline></w:drawing></w:r></w:p>"
    )


def _with_pictures(parts: dict[str, bytes], pictures: Sequence[bytes]) -> dict[str, bytes]:
    if not pictures:
        return parts
    links = "".join(
        f'<Relationship Id="picture{n}" Type="{_RELATED}/image" Target="media/{n}.png"/>'
        for n in range(1, len(pictures) + 1)
    )
    kind = '<Default Extension="png" ContentType="image/png"/>'
    return {
        **parts,
        **{f"word/media/{n}.png": png for n, png in enumerate(pictures, start=1)},
        "[Content_Types].xml": _before(parts["[Content_Types].xml"], b"<Override", kind),
        _LINKS: _before(parts[_LINKS], b"</Relationships>", links),
    }


_LINKS = "word/_rels/document.xml.rels"


def _before(part: bytes, mark: bytes, words: str) -> bytes:
    """The part with words put before the first of a mark."""
    head, found, tail = part.partition(mark)
    return head + words.encode() + found + tail


# The file


def _core(title: str, author: str, subject: str, day: date, language: str) -> bytes:
    """What the file says of itself."""
    who = escape(clean(author)[:255])
    moment = f'xsi:type="dcterms:W3CDTF">{day.isoformat()}T00:00:00Z'
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(clean(title)[:255])}</dc:title>"
        f"<dc:subject>{escape(clean(subject)[:255])}</dc:subject>"
        f"<dc:creator>{who}</dc:creator><cp:lastModifiedBy>{who}</cp:lastModifiedBy>"
        f"<cp:revision>1</cp:revision><dcterms:created {moment}</dcterms:created>"
        f"<dcterms:modified {moment}</dcterms:modified><dc:language>{language}</dc:language>"
        "</cp:coreProperties>"
    ).encode()


def _zipped(parts: dict[str, bytes]) -> bytes:
    """A file without the moment at which it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in sorted(parts, key=lambda name: (name != "[Content_Types].xml", name)):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            file.writestr(info, parts[name])
    return out.getvalue()
