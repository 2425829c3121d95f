"""What honest clerks send is taken, and of a picture nothing is kept but the picture."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Dictionary, Name
from PIL import Image, ImageChops, ImageStat

from duban.intake import Verdict, inspect, near
from tests.duban.intake.honest import (
    KINDS,
    Parts,
    blank_pdf,
    docx,
    docx_parts,
    form,
    paragraph,
    pdf_bytes,
    phone_exif,
    photo,
    rels,
    saved,
    scan,
    table,
    text_pdf,
    xlsx,
    zipped,
)
from tests.duban.intake.hostile import orphan

XMP = b'<?xpacket?><x:xmpmeta xmlns:x="adobe:ns:meta/"><gps>37.87</gps></x:xmpmeta>'
Look = Callable[[str, bytes], Verdict]
Make = Callable[[], bytes]  # made in the test that wants it: to collect tests is to make none


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def look(name: str, data: bytes) -> Verdict:
        (tmp_path / "source").write_bytes(data)
        return inspect(tmp_path / "source", name, KINDS, tmp_path / "kept", tmp_path / "previews")

    return look


def linked(pdf: pikepdf.Pdf) -> pikepdf.Pdf:
    """A table of contents and a link to a web page, as in any longer document."""
    page = pdf.pages[0].obj
    pdf.Root.OpenAction = pikepdf.Array([page, Name.Fit])
    uri = Dictionary(S=Name.URI, URI=b"https://example.org/")
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=uri)
    page.Annots = pikepdf.Array(
        [link, Dictionary(Subtype=Name.Link, Rect=[0, 0, 9, 9], A=goto(page))]
    )
    return pdf


def goto(page: Any) -> Dictionary:
    return Dictionary(S=Name.GoTo, D=pikepdf.Array([page, Name.Fit]))


def rel(kind: str, target: str) -> Parts:
    return {"word/_rels/document.xml.rels": rels((kind, target, True))}


def gif_frames() -> list[Image.Image]:
    return [photo(seed) for seed in range(1, 3)]


def deep_scan() -> Image.Image:
    """The scan in sixteen bits of grey."""
    grey = scan().convert("L")
    return Image.frombytes(
        "I;16", grey.size, bytes(v for one in grey.tobytes() for v in (one, one))
    )


PICTURES: dict[str, tuple[str, Make]] = {
    "a phone's JPEG": (
        "IMG_1.JPG",
        lambda: saved(photo(), "JPEG", exif=phone_exif(), xmp=XMP, comment=b"c"),
    ),
    "a JPEG named jpeg": ("a.jpeg", lambda: saved(photo(), "JPEG", progressive=True)),
    "a grey JPEG": ("a.jpg", lambda: saved(scan(), "JPEG")),
    "a JPEG for printing": ("a.jpg", lambda: saved(photo().convert("CMYK"), "JPEG")),
    "a JPEG in two parts": (
        "a.jpg",
        lambda: saved(photo(), "MPO", save_all=True, append_images=[photo(1)], exif=phone_exif()),
    ),
    "a JPEG with a film behind it": (
        "a.jpg",
        lambda: saved(photo(), "JPEG") + b"\0\0\0\x18ftypmp42" * 99,
    ),
    "a phone's HEIC": ("a.heic", lambda: saved(photo(), "HEIF", exif=phone_exif(), xmp=XMP)),
    "a WEBP": ("a.webp", lambda: saved(photo(), "WEBP", exif=phone_exif(), xmp=XMP)),
    "a clear WEBP": ("a.webp", lambda: saved(photo().convert("RGBA"), "WEBP", lossless=True)),
    "a moving WEBP": (
        "a.webp",
        lambda: saved(photo(), "WEBP", save_all=True, append_images=gif_frames()),
    ),
    "a scan": ("a.png", lambda: saved(scan(), "PNG", exif=phone_exif(), dpi=(300, 300))),
    "a black and white scan": ("a.png", lambda: saved(scan().convert("1"), "PNG")),
    "a screenshot in few colours": ("a.png", lambda: saved(photo().quantize(64), "PNG")),
    "a clear PNG": ("a.png", lambda: saved(photo().convert("RGBA"), "PNG")),
    "a clear PNG in few colours": (
        "a.png",
        lambda: saved(photo().quantize(64), "PNG", transparency=3),
    ),
    "a deep scan": (
        "a.png",
        lambda: saved(deep_scan(), "PNG"),
    ),
    "a moving PNG": (
        "a.png",
        lambda: saved(photo(), "PNG", save_all=True, append_images=gif_frames()),
    ),
}
DOCUMENTS: dict[str, tuple[str, Make]] = {
    "a document": ("报告.docx", lambda: docx()),
    "a document with links": (
        "a.docx",
        lambda: docx(extra=rel("hyperlink", "https://example.org/?a=b")),
    ),
    "a document with a mail address": (
        "a.docx",
        lambda: docx(extra=rel("hyperlink", "mailto:a@b.cn")),
    ),
    "a document with a local link": (
        "a.docx",
        lambda: docx(extra=rel("hyperlink", "file:///D:\\a.docx")),
    ),
    "a document with a chart": (
        "a.docx",
        lambda: docx(extra={"word/embeddings/Microsoft_Excel_Sheet1.xlsx": xlsx()}),
    ),
    "a document with photographs": (
        "a.docx",
        lambda: docx(extra={"word/media/image1.jpeg": saved(photo(), "JPEG")}),
    ),
    "a document with page numbers": (
        "a.docx",
        lambda: docx("<w:p><w:r><w:instrText> PAGE  \\* MERGEFORMAT </w:instrText></w:r></w:p>"),
    ),
    "a document, stored plainly": ("a.docx", lambda: zipped(docx_parts(), zipfile.ZIP_STORED)),
    "a workbook": ("a.xlsx", lambda: xlsx()),
    "a workbook with formulas": (
        "a.xlsx",
        lambda: xlsx(cells='<row><c><f>IF(A1="a|b!c",SUM(B1:B9),0)</f><v>3</v></c></row>'),
    ),
    "a workbook with comments": (
        "a.xlsx",
        lambda: xlsx(extra={"xl/drawings/vmlDrawing1.vml": "<xml><div>一<br>二</div></xml>"}),
    ),
    "a workbook with printer settings": (
        "a.xlsx",
        lambda: xlsx(extra={"xl/printerSettings/printerSettings1.bin": b"P\0r\0"}),
    ),
    "a workbook with a long empty table": (
        "a.xlsx",
        lambda: xlsx(
            cells="".join(f'<row r="{at}"><c s="1"/><c s="1"/></row>' for at in range(20_000))
        ),
    ),
    "a scan as PDF": ("a.pdf", lambda: saved(scan(), "PDF")),
    "a PDF of many pages": ("a.pdf", lambda: text_pdf(["统计表"], pages=12)),
    "a PDF with links": ("a.pdf", lambda: pdf_bytes(linked(blank_pdf()))),
    "a PDF of packed objects": (
        "a.pdf",
        lambda: pdf_bytes(blank_pdf(3), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    ),
    "a PDF for the web": ("a.pdf", lambda: pdf_bytes(blank_pdf(3), linearize=True)),
    "a PDF with a font named in GBK": ("a.pdf", lambda: orphan(b"/BaseFont/#CB#CE#CC#E5/#CB#CE 1")),
    "a PDF with kinds named in GBK": (
        "a.pdf",
        lambda: orphan(b"/S/#CB#CE/Subtype/#CB#CE/Filter/#CB#CE"),
    ),
    "a PDF with blanks at its end": ("a.pdf", lambda: pdf_bytes(blank_pdf()) + b"\r\n\0\0\0"),
}


@pytest.mark.parametrize("what", PICTURES)
def test_a_picture_is_kept_as_bare_pixels(what: str, look: Look, tmp_path: Path):
    name, make = PICTURES[what]
    verdict = look(name, make())
    kept = (tmp_path / "kept").read_bytes()
    assert not verdict.refused, verdict
    assert verdict.kind == ("png" if name.endswith("png") else "jpg")
    assert (verdict.size, verdict.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())
    assert (verdict.pages, len(verdict.picture_hash)) == (1, 64)
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}
        assert dict(image.getexif().get_ifd(0x8825)) == {}
        assert not {"exif", "xmp", "icc_profile", "comment"} & image.info.keys()
        assert not getattr(image, "is_animated", False)
    assert not any(mark in kept for mark in (b"Exif", b"PhoneMaker", b"xpacket", b"gps", b"ftyp"))


def test_a_picture_stands_the_way_it_was_seen(look: Look, tmp_path: Path):
    upright = photo()
    for orientation, turn in (
        (1, None),
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ):
        stored = upright.transpose(turn) if turn else upright
        look("a.jpg", saved(stored, "JPEG", quality=95, exif=phone_exif(orientation)))
        with Image.open(tmp_path / "kept") as image:
            assert image.size == upright.size
            difference = ImageChops.difference(image.convert("RGB"), upright)
        assert max(ImageStat.Stat(difference).mean) < 3


@pytest.mark.parametrize("name", ["a.heic", "a.webp", "a.jpg", "a.png"])
def test_a_picture_looks_as_before(name: str, look: Look, tmp_path: Path):
    formats = {"heic": "HEIF", "webp": "WEBP", "jpg": "JPEG", "png": "PNG"}
    options = {} if name == "a.png" else {"quality": 95}
    look(name, saved(photo(), formats[name[2:]], **options))
    with Image.open(tmp_path / "kept") as image:
        difference = ImageChops.difference(image.convert("RGB"), photo())
    assert max(ImageStat.Stat(difference).mean) < 3


def test_what_is_clear_in_a_png_stays_clear_and_becomes_white_in_a_jpeg(look: Look, tmp_path: Path):
    glass = Image.new("RGBA", (60, 40), (9, 9, 9, 0))
    look("a.png", saved(glass, "PNG"))
    with Image.open(tmp_path / "kept") as image:
        assert image.convert("RGBA").getpixel((5, 5)) == (9, 9, 9, 0)
    look("a.webp", saved(glass, "WEBP", lossless=True, exact=True))
    with Image.open(tmp_path / "kept") as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)


def test_sixteen_bits_of_grey_become_eight(look: Look, tmp_path: Path):
    look("a.png", saved(deep_scan(), "PNG"))
    with Image.open(tmp_path / "kept") as image:
        assert (image.mode, image.tobytes()) == ("L", scan().convert("L").tobytes())


def test_a_preview_is_no_wider_than_1600(look: Look, tmp_path: Path):
    look("a.jpg", saved(photo(size=(3200, 200)), "JPEG"))
    with Image.open(tmp_path / "previews" / "1.jpg") as image:
        assert image.size == (1600, 100)


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_is_kept_as_it_came(what: str, look: Look, tmp_path: Path):
    name, make = DOCUMENTS[what]
    data = make()
    verdict = look(name, data)
    assert not verdict.refused, verdict
    assert f".{verdict.kind}" == Path(name).suffix
    assert (tmp_path / "kept").read_bytes() == data
    assert (verdict.size, verdict.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert verdict.suspect == ()


def test_at_most_ten_pages_of_a_pdf_are_drawn_and_none_is_wider_than_1200(
    look: Look, tmp_path: Path
):
    verdict = look("a.pdf", text_pdf(["统计表"], pages=12))
    drawn = sorted(int(page.stem) for page in (tmp_path / "previews").iterdir())
    assert (verdict.pages, drawn) == (10, list(range(1, 11)))
    with Image.open(tmp_path / "previews" / "10.jpg") as image:
        assert image.width == 1200


def test_a_page_of_extreme_shape_makes_no_huge_preview(look: Look, tmp_path: Path):
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(3, 14_000))
    assert not look("a.pdf", pdf_bytes(pdf)).refused
    with Image.open(tmp_path / "previews" / "1.jpg") as image:
        assert image.height <= 3600


def test_the_first_page_of_a_pdf_is_recognised_again(look: Look):
    one, again = look("a.pdf", saved(form(1), "PDF")), look("b.jpg", saved(form(1), "JPEG"))
    other = look("a.pdf", saved(form(2), "PDF"))
    assert near(one.picture_hash, again.picture_hash)
    assert not near(one.picture_hash, other.picture_hash)


ROSTER = [["序号", "姓 名", "班级"], ["1", "王小明", "三（2）班"], ["2", "李红", "三（1）班"]]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.docx", docx(table(ROSTER)), ("roster",)),
        ("a.xlsx", xlsx(ROSTER), ("roster",)),
        ("a.pdf", text_pdf(["序号 姓名 班级", "1 王小明 三（2）班"]), ("roster",)),
        ("a.docx", docx(paragraph("联系人手机：１３８１２３４５６７８")), ("telephone",)),
        ("a.xlsx", xlsx(cells="<row><c><v>13812345678</v></c></row>"), ("telephone",)),
        ("a.xlsx", xlsx([["身份证号"], ["11010519491231002X"]]), ("id-number",)),
        ("a.pdf", text_pdf(["证件 11010519491231002X"]), ("id-number",)),
        ("a.docx", docx(table(ROSTER[:1])), ()),
        ("a.docx", docx(extra={"word/footnotes.xml": "<a><t>13812345678</t></a>"}), ("telephone",)),
    ],
)
def test_personal_data_in_a_document_is_suspected(
    name: str, data: bytes, expected: tuple[str, ...], look: Look
):
    verdict = look(name, data)
    assert (verdict.refused, verdict.suspect) == ("", expected)
