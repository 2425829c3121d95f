"""The papers that simulated agencies hand in: reports, tables, scans and photographs.

Each is made anew from dice, so that no two are alike unless they are meant to be, and each says
that it is simulated. Nothing is read from elsewhere.
"""

import math
import random
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any, cast
from xml.sax.saxutils import escape

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from duban.registry.evidence import FilesField

MARK = "（模拟）"
PHOTO_SIZE = (640, 480)
_A4 = (595, 842)  # points
_SCAN_SCALE = 1.3  # about 94 dots an inch
_RED = (196, 38, 30)


@dataclass(frozen=True, slots=True)
class Paper:
    """A file by its name."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Matter:
    """What a paper speaks of."""

    agency: str
    clause: str
    period: str
    day: date

    @property
    def lines(self) -> tuple[str, ...]:
        """The head of every document."""
        return (
            f"报送单位：{self.agency}{MARK}",
            f"条款：{self.clause}",
            f"周期：{self.period}　填报日期：{self.day.isoformat()}",
        )


def papers(field: FilesField, matter: Matter, rng: random.Random) -> list[Paper]:
    """What an agency hands in for a field: mostly one document, sometimes photographs."""
    stamped = field.seal or "盖章" in field.label
    choice = _STAMPED if stamped else _PLAIN
    fitting = {make: weight for (kind, make), weight in choice.items() if kind in field.kinds}
    made = rng.choices(list(fitting), list(fitting.values()))[0](matter, rng)
    return made[: field.max]


def report(matter: Matter, rng: random.Random) -> list[Paper]:
    """A PDF, of several pages now and then."""
    pages = rng.choices((1, 2, 4), (80, 15, 5))[0]
    return [Paper(f"{matter.clause}情况报告{MARK}.pdf", pdf(matter, rng, pages))]


def table(matter: Matter, rng: random.Random) -> list[Paper]:
    """An xlsx with a row for each county."""
    rows = [list(matter.lines), ["县（市、区）", "应完成", "已完成", "备注"]]
    for name in "甲乙丙丁戊己庚辛"[: rng.randint(4, 8)]:
        owed = rng.randint(8, 90)
        rows.append([f"{name}县{MARK}", str(owed), str(rng.randint(owed // 2, owed)), "合计数"])
    return [Paper(f"{matter.clause}分县汇总表{MARK}.xlsx", xlsx(rows))]


def minutes(matter: Matter, rng: random.Random) -> list[Paper]:
    """A docx."""
    told = rng.sample(_SENTENCES, rng.randint(3, len(_SENTENCES)))
    return [Paper(f"会议纪要{MARK}.docx", docx([*matter.lines, *told]))]


def scan(matter: Matter, rng: random.Random) -> list[Paper]:
    """A stamped page as it comes from an office's scanner: a little askew, on greyish paper."""
    with cast(Any, pypdfium2).PdfDocument(pdf(matter, rng, 1)) as document:
        page = document[0].render(scale=_SCAN_SCALE).to_pil().convert("RGB")
    askew = page.rotate(rng.uniform(-1.2, 1.2), Image.Resampling.BILINEAR, fillcolor="white")
    paper = Image.new("RGB", askew.size, (rng.randint(228, 250),) * 3)
    return [Paper(f"盖章扫描件{MARK}.jpg", _jpeg(Image.blend(askew, paper, 0.25), 80))]


def photographs(matter: Matter, rng: random.Random) -> list[Paper]:
    """One to three pictures from a telephone, with the place where they were taken."""
    del matter
    numbers = rng.sample(range(1000, 10_000), rng.randint(1, 3))
    return [Paper(f"活动照片{MARK}IMG_{number}.jpg", photo(rng)) for number in sorted(numbers)]


Make = Callable[[Matter, random.Random], list[Paper]]
_STAMPED: Mapping[tuple[str, Make], int] = {("pdf", report): 92, ("jpg", scan): 8}
_PLAIN: Mapping[tuple[str, Make], int] = {
    ("pdf", report): 40,
    ("xlsx", table): 25,
    ("docx", minutes): 20,
    ("jpg", photographs): 15,
}
_SENTENCES = (
    "召开专题会议，部署本周期重点任务。",
    "会同有关部门开展联合检查，对发现的问题逐项登记、限期整改。",
    "组织骨干培训，提高工作人员业务能力。",
    "面向家长和学生开展宣传教育，发放宣传材料。",
    "完善工作台账，实行清单管理。",
    "存在的主要问题是专业力量不足、基层基础薄弱。",
    "下一步将加强督促指导，确保按期完成任务。",
)


# Portable documents


def pdf(matter: Matter, rng: random.Random, pages: int) -> bytes:
    """A report with a bar chart and a red stamp; Chinese is drawn with the fonts of the reader."""
    contents = [_page(matter, rng, number, pages) for number in range(1, pages + 1)]
    first = 6
    kids = b" ".join(b"%d 0 R" % (first + 2 * at) for at in range(pages))
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H"
        b"/DescendantFonts[4 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 5 0 R/DW 1000"
        b"/W[1 95 500]/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]"
        b"/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 93>>",
    ]
    for at, content in enumerate(contents):
        bodies += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources<</Font"
            b"<</C 3 0 R/L<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
            % (*_A4, first + 2 * at + 1),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
    return _bound(bodies)


def _bound(bodies: Sequence[bytes]) -> bytes:
    """Objects one after the other, with the table of where each begins."""
    text, starts = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(bodies, 1):
        starts.append(len(text))
        text += b"%d 0 obj%s endobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(bodies) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(text))
    return text + head + rows + tail


def _page(matter: Matter, rng: random.Random, number: int, pages: int) -> bytes:
    top = _A4[1] - 70
    drawn = [_latin(72, top, 11, f"SIMULATED / MONI  {number}/{pages}")]
    for line in (f"工作情况报告{MARK}", *matter.lines, *rng.sample(_SENTENCES, rng.randint(2, 6))):
        top -= 26
        drawn.append(_chinese(72, top, 12, line))
    drawn += [_bars(rng, top - 40), _stamp(rng.randint(330, 470), rng.randint(110, 200))]
    return "\n".join(drawn).encode()


def _latin(x: int, y: int, size: int, text: str) -> str:
    return f"BT /L {size} Tf {x} {y} Td ({text}) Tj ET"


def _chinese(x: int, y: int, size: int, text: str) -> str:
    return f"BT /C {size} Tf {x} {y} Td <{text.encode('utf-16-be').hex()}> Tj ET"


def _bars(rng: random.Random, top: int) -> str:
    """A chart as large as the page leaves room for; no two have the same bars."""
    count = rng.randint(4, 11)
    width = 450 / count
    bars: list[str] = []
    for at in range(count):
        grey, height = rng.uniform(0.1, 0.75), rng.uniform(0.1, 1) * (top - 80)
        bars.append(f"{grey:.2f} g {72 + at * width:.1f} 80 {0.8 * width:.1f} {height:.1f} re f")
    return "\n".join([*bars, "0 g"])


def _stamp(x: int, y: int) -> str:
    """A red ring with a star, as on Chinese papers, but with nobody's name."""
    radius, bend = 56, 31
    ring = (
        f"{x + radius} {y} m "
        f"{x + radius} {y + bend} {x + bend} {y + radius} {x} {y + radius} c "
        f"{x - bend} {y + radius} {x - radius} {y + bend} {x - radius} {y} c "
        f"{x - radius} {y - bend} {x - bend} {y - radius} {x} {y - radius} c "
        f"{x + bend} {y - radius} {x + radius} {y - bend} {x + radius} {y} c S"
    )
    first, *others = (f"{a:.1f} {b:.1f}" for a, b in _star(x, y, 24))
    star = f"{first} m {' l '.join(others)} l f"
    colour = " ".join(f"{part / 255:.2f}" for part in _RED)
    says = _chinese(x - 12, y - 44, 12, "模拟")
    return f"{colour} RG {colour} rg 4 w {ring}\n{star}\n{says}\n0 g"


def _star(x: float, y: float, size: float) -> list[tuple[float, float]]:
    """The corners of a five-pointed star that stands upright."""
    return [
        (x + reach * math.sin(at * math.pi / 5), y + reach * math.cos(at * math.pi / 5))
        for at in range(10)
        for reach in ((size, 0.4 * size)[at % 2],)
    ]


# Office documents

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument."
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LONG_AGO = (2026, 1, 1, 0, 0, 0)


def docx(lines: Iterable[str], *, macros: bool = False) -> bytes:
    """A document of paragraphs; with `macros` it has a part that no office may send."""
    body = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in lines)
    parts = {
        "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    }
    if macros:
        parts["word/vbaProject.bin"] = "nothing that runs"
    return _package(parts, "wordprocessingml.document.main+xml")


def xlsx(rows: Iterable[Iterable[str]]) -> bytes:
    """A workbook with one sheet of texts."""
    cells = "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{escape(one)}</t></is></c>' for one in row)
        + "</row>"
        for row in rows
    )
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="汇总表" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>{cells}</sheetData>'
        "</worksheet>",
    }
    return _package(parts, "spreadsheetml.sheet.main+xml")


def _package(parts: Mapping[str, str], kind: str) -> bytes:
    """The parts with the two that every package has; the first of them is the document."""
    main = next(iter(parts))
    types = [f'<Override PartName="/{main}" ContentType="{_TYPE}{kind}"/>']
    if "xl/worksheets/sheet1.xml" in parts:
        types.append(
            '<Override PartName="/xl/worksheets/sheet1.xml" '
            f'ContentType="{_TYPE}spreadsheetml.worksheet+xml"/>'
        )
    head = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{"".join(types)}</Types>',
        "_rels/.rels": _relations("officeDocument", main),
    }
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**head, **parts}.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _relations(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


# Pictures


def photo(rng: random.Random) -> bytes:
    """A scene with hills, a school and people; its EXIF names a point in the open sea."""
    width, height = PHOTO_SIZE
    light = Image.linear_gradient("L").resize(PHOTO_SIZE)
    above, below = (Image.new("RGB", PHOTO_SIZE, _near(rng, _SKY)) for _ in range(2))
    image = Image.composite(above, below, light)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(2, 4)):
        x, y, size = rng.randint(0, width), rng.randint(height // 3, height), rng.randint(100, 340)
        draw.ellipse((x - size, y - size // 2, x + size, y + size), fill=_near(rng, _HILL))
    _school(draw, rng)
    for _ in range(rng.randint(3, 14)):
        x, y = rng.randint(0, width), rng.randint(height // 2, height)
        draw.ellipse((x - 13, y - 66, x + 13, y - 40), fill=_near(rng, _SKIN))
        draw.rectangle((x - 18, y - 40, x + 18, y + 24), fill=_near(rng, _CLOTH))
    draw.text((20, height - 40), "SIMULATED / MONI", "white", ImageFont.load_default(24))
    return _jpeg(image, 78, exif=_telephone())


def _school(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    left, top = rng.randint(0, 360), rng.randint(90, 250)
    right, bottom = left + rng.randint(150, 270), rng.randint(320, 440)
    draw.rectangle((left, top, right, bottom), fill=_near(rng, _WALL))
    pane = _near(rng, _SKY)
    for x in range(left + 20, right - 30, 50):
        for y in range(top + 20, bottom - 40, 60):
            draw.rectangle((x, y, x + 28, y + 34), fill=pane)
    draw.rectangle((left, top - 30, right, top), fill=_RED)


Colour = tuple[int, int, int]
_SKY, _HILL, _WALL = (170, 195, 220), (95, 135, 85), (205, 185, 155)
_SKIN, _CLOTH = (200, 160, 130), (110, 100, 130)


def _near(rng: random.Random, colour: Colour) -> Colour:
    """The colour in another light: much lighter or darker, a little shifted."""
    light = rng.randint(-60, 60)
    red, green, blue = (min(250, max(5, one + light + rng.randint(-25, 25))) for one in colour)
    return red, green, blue


def _telephone() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "SIMULATED", "MONI 1"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (0.0, 0.0, 0.0), "E", (0.0, 0.0, 0.0)
    return exif


def smaller(picture: bytes) -> bytes:
    """The same picture as a messenger passes it on: half as wide, and packed harder."""
    with Image.open(BytesIO(picture)) as image:
        return _jpeg(image.resize((image.width // 2, image.height // 2)), 60)


def _jpeg(image: Image.Image, quality: int, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, **options)
    return out.getvalue()
