"""Files as honest clerks send them, made anew by every run; nothing binary is kept."""

import io
import random
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Any, cast
from xml.sax.saxutils import escape

import pikepdf
import pillow_heif
from PIL import Image, ImageDraw, ImageFilter, ImageFont

cast(Any, pillow_heif).register_heif_opener()

KINDS = ("jpg", "png", "webp", "heic", "pdf", "docx", "xlsx")
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
SHEET_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"

Parts = Mapping[str, str | bytes]


def photo(seed: int = 0, size: tuple[int, int] = (800, 600)) -> Image.Image:
    """Something with the large soft shapes of a photograph."""
    chance = random.Random(seed)
    width, height = size
    image = Image.new("RGB", size, _colour(chance))
    draw = ImageDraw.Draw(image)
    for _ in range(25):
        x, y = chance.randint(-width // 8, width), chance.randint(-height // 8, height)
        box = (x, y, x + chance.randint(30, width // 2), y + chance.randint(30, height // 2))
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape(box, fill=_colour(chance))
    return image.filter(ImageFilter.GaussianBlur(2))


def _colour(chance: random.Random) -> tuple[int, int, int]:
    return chance.randint(0, 255), chance.randint(0, 255), chance.randint(0, 255)


def scan(seed: int = 0, size: tuple[int, int] = (620, 877)) -> Image.Image:
    """White paper with lines of some text."""
    chance = random.Random(seed)
    image = Image.new("L", size, 250)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    for row in range(chance.randint(8, 32)):
        words = (
            "".join(chance.choices("abcdefghijklmno", k=chance.randint(2, 9))) for _ in "12345"
        )
        draw.text((60, 130 + 22 * row), " ".join(words), font=font, fill=20)
    return image


def form(seed: int = 0) -> Image.Image:
    """One and the same table, filled in with other figures each time."""
    chance = random.Random(seed)
    image = Image.new("L", (620, 877), 250)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    for x in range(50, 600, 90):
        draw.line((x, 150, x, 800), fill=0, width=2)
    for y in range(150, 801, 32):
        draw.line((50, y, 590, y), fill=0, width=2)
        for x in range(50, 590, 90):
            draw.text((x + 10, y + 5), str(chance.randint(0, 999)), font=font, fill=0)
    return image


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """The bytes of a picture in one of Pillow's formats."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@cache
def sample(kind: str) -> bytes:
    """A photograph as JPEG, PNG, WEBP or HEIF; it takes its time, so it is made once."""
    return saved(photo(), kind)


def phone_exif(orientation: int = 6) -> Image.Exif:
    """What a phone writes: which way is up, which phone, and where the school is."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "PhoneMaker"
    exif[0x9286] = b"a comment"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (37.0, 52.0, 12.0), "E", (112.0, 33.0, 1.0)
    return exif


def zipped(parts: Parts, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these parts, in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def content_types(overrides: Mapping[str, str]) -> str:
    """The part that says what each part is."""
    lines = "".join(
        f'<Override PartName="/{part}" ContentType="{given}"/>' for part, given in overrides.items()
    )
    return (
        f'<?xml version="1.0"?><Types xmlns="{TYPES}">'
        f'<Default Extension="xml" ContentType="application/xml"/>{lines}</Types>'
    )


def rels(*given: tuple[str, str, bool]) -> str:
    """A .rels part of (type, target, whether it lies outside)."""
    lines = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{escape(target)}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if outside else ''}/>"
        for at, (kind, target, outside) in enumerate(given)
    )
    return f'<?xml version="1.0"?><Relationships xmlns="{RELS}">{lines}</Relationships>'


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def table(rows: list[list[str]]) -> str:
    lines = (
        "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>"
        for row in rows
    )
    return f"<w:tbl>{''.join(lines)}</w:tbl>"


def docx_parts(body: str = "", extra: Parts | None = None) -> dict[str, str | bytes]:
    """The parts of a document as a word processor writes them."""
    return {
        "[Content_Types].xml": content_types({"word/document.xml": WORD_MAIN}),
        "_rels/.rels": rels(("officeDocument", "word/document.xml", False)),
        "word/document.xml": (
            f'<?xml version="1.0" encoding="UTF-8"?><w:document {W}><w:body>'
            f"{body or paragraph('本市已建成家长学校二十所。')}</w:body></w:document>"
        ),
        **(extra or {}),
    }


def docx(body: str = "", extra: Parts | None = None) -> bytes:
    return zipped(docx_parts(body, extra))


def xlsx_parts(
    rows: list[list[str]] | None = None, cells: str = "", extra: Parts | None = None
) -> dict[str, str | bytes]:
    """The parts of a workbook whose cells name their texts by number, as Excel's do."""
    texts = [text for row in rows or [["学校", "人数"], ["一中", "1200"]] for text in row]
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    number = iter(range(len(texts)))
    lines = "".join(
        "<row>" + "".join(f'<c t="s"><v>{next(number)}</v></c>' for _ in row) + "</row>"
        for row in rows or [["学校", "人数"], ["一中", "1200"]]
    )
    return {
        "[Content_Types].xml": content_types({"xl/workbook.xml": SHEET_MAIN}),
        "_rels/.rels": rels(("officeDocument", "xl/workbook.xml", False)),
        "xl/workbook.xml": f'<workbook {S}><sheets><sheet name="一"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": (
            f"<worksheet {S}><sheetData>{lines}{cells}</sheetData></worksheet>"
        ),
        "xl/sharedStrings.xml": f"<sst {S}>{items}</sst>",
        **(extra or {}),
    }


def xlsx(rows: list[list[str]] | None = None, cells: str = "", extra: Parts | None = None) -> bytes:
    return zipped(xlsx_parts(rows, cells, extra))


def blank_pdf(pages: int = 1) -> pikepdf.Pdf:
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
    return pdf


def pdf_bytes(pdf: pikepdf.Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **options)
    return out.getvalue()


def text_pdf(lines: list[str], pages: int = 1) -> bytes:
    """Text in the Chinese font that every reader brings along."""
    pdf = blank_pdf(pages)
    font = pdf.make_indirect(_song())
    shown = " ".join(
        f"BT /F1 14 Tf 60 {760 - 24 * at} Td <{line.encode('utf-16-be').hex()}> Tj ET"
        for at, line in enumerate(lines)
    )
    for page in pdf.pages:
        page.Contents = pdf.make_stream(shown.encode())
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    return pdf_bytes(pdf)


def _song() -> pikepdf.Dictionary:
    name, system = pikepdf.Name, pikepdf.Dictionary
    return system(
        Type=name.Font,
        Subtype=name.Type0,
        BaseFont=name("/STSong-Light"),
        Encoding=name("/UniGB-UCS2-H"),
        DescendantFonts=[
            system(
                Type=name.Font,
                Subtype=name.CIDFontType0,
                BaseFont=name("/STSong-Light"),
                CIDSystemInfo=system(Registry=b"Adobe", Ordering=b"GB1", Supplement=4),
                FontDescriptor=system(
                    Type=name.FontDescriptor,
                    FontName=name("/STSong-Light"),
                    Flags=6,
                    FontBBox=[-25, -254, 1000, 880],
                    ItalicAngle=0,
                    Ascent=880,
                    Descent=-120,
                    CapHeight=880,
                    StemV=93,
                ),
            )
        ],
    )
