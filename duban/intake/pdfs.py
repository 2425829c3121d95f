"""PDFs: every object is looked at, the first pages are drawn, the text is read."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from duban.intake.foreign import refuse_foreign
from duban.intake.pictures import preview
from duban.intake.verdict import (
    MAX_INFLATED,
    MAX_PAGES,
    PREVIEW_PAGES,
    Found,
    Refusal,
    Refused,
)

PREVIEW_WIDTH, PREVIEW_HEIGHT = 1200, 3600
# A scan of A3 at 600 dots per inch has 70 million.
MAX_SCAN_PIXELS = 100_000_000
MAX_OBJECTS = 200_000
MAX_TEXT = 4_000_000
_MAX_DEPTH = 100
# A page scanned without loss packs up to this well; more than this is no page.
_PACKS = 30
_BLOCK = 1 << 20
# Marks what was only missing from the list of pages, as honest programs leave it.
_KID = ": kid "

# Compared as names, for many a name in a Chinese PDF is GBK and no text to Python.
_ACTIONS = {
    Name.JavaScript,
    Name.Launch,
    Name.SubmitForm,
    Name.ImportData,
    Name.GoToR,
    Name.GoToE,
    Name.Rendition,
    Name.RichMediaExecute,
    Name.Movie,
    Name.Sound,
}
_KEYS = {"/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA", "/RichMediaContent", "/Collection"}
_SUBTYPES = {
    Name.RichMedia,
    Name.FileAttachment,
    Name.Movie,
    Name.Sound,
    Name.Screen,
    Name("/3D"),
}
_UNPACKERS = {
    Name.FlateDecode,
    Name.LZWDecode,
    Name.RunLengthDecode,
    Name.Fl,
    Name.LZW,
    Name.RL,
}


def examine(source: Path, previews: Path) -> Found:
    """Refuses what acts on its own or cannot be read; draws at most ten pages.

    Links to web pages are let through, since they act only when clicked. Rules about the bytes
    come before any parser: the file begins and ends as a PDF and unpacks to a bounded size.

    Raises:
        Refused, and what the two parsers raise on damage.
    """
    data = source.read_bytes()
    _check_frame(data)
    refuse_foreign(data, pdf=True)
    _check_unpacked(data)
    _check_objects(source)
    return _drawn(data, previews)


def _check_frame(data: bytes) -> None:
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Refused(Refusal.DAMAGED, "has no end")
    if data[end + 5 :].strip(b"\r\n\t \0\x1a"):
        raise Refused(Refusal.POLYGLOT, "bytes after the end")


def _check_unpacked(data: bytes) -> None:
    """Unpacks every stream and counts; found by its keyword, whatever the file's index says."""
    allowed = max(MAX_INFLATED, _PACKS * len(data))
    view = memoryview(data)
    for match in re.finditer(rb"stream\r?\n", data):
        for size in _unpacked(view[match.end() :]):
            allowed -= size
            if allowed < 0:
                raise Refused(Refusal.BOMB, "streams that unpack without end")


def _unpacked(packed: memoryview) -> Iterator[int]:
    inflate, block, at = zlib.decompressobj(), b"", 0
    while not inflate.eof:
        if not block:
            block, at = bytes(packed[at : at + 4096]), at + 4096
        try:
            size = len(inflate.decompress(block, _BLOCK))
        except zlib.error:
            return
        yield size
        block = inflate.unconsumed_tail
        if not block and at >= len(packed):
            return


def _check_objects(source: Path) -> None:
    try:
        pdf = Pdf.open(source, suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise Refused(Refusal.ENCRYPTED, "opens with a password only") from error
    with pdf:
        if pdf.is_encrypted:
            raise Refused(Refusal.ENCRYPTED, "has a password for changes")
        _check_count(len(pdf.pages), MAX_PAGES, Refusal.TOO_MANY_PAGES)
        _check_count(len(pdf.objects), MAX_OBJECTS, Refusal.TOO_HEAVY)
        _check_dictionary(pdf.trailer, 0)
        for one in pdf.objects:
            _check_object(one, 0)
        if any(_KID not in str(warning) for warning in pdf.get_warnings()):
            # What this parser had to guess, another may read otherwise.
            raise Refused(Refusal.DAMAGED, "an object that cannot be read for certain")


def _check_count(count: int, most: int, why: Refusal) -> None:
    if count > most:
        raise Refused(why, f"{count}, at most {most}")


def _check_object(one: object, depth: int) -> None:
    """Looks at an object and what lies directly in it; the others come by themselves."""
    if depth > _MAX_DEPTH:
        raise Refused(Refusal.BOMB, "objects nested without end")
    if isinstance(one, Array):
        for inner in cast("Iterator[object]", iter(one)):
            _check_inner(inner, depth)
    elif isinstance(one, Dictionary):
        _check_dictionary(one, depth)
    elif isinstance(one, Stream):
        _check_stream(one)


def _check_inner(inner: object, depth: int) -> None:
    if isinstance(inner, Object) and not inner.is_indirect:
        _check_object(inner, depth + 1)


def _check_dictionary(one: Any, depth: int) -> None:
    items = {str(key): value for key, value in one.items()}
    if found := _KEYS & items.keys():
        raise Refused(Refusal.ACTIVE, f"has {min(found)}")
    for key, bad in (("/S", _ACTIONS), ("/Subtype", _SUBTYPES)):
        value = items.get(key)
        if isinstance(value, Name) and value in bad:
            raise Refused(Refusal.ACTIVE, f"has {value}")
    for value in items.values():
        _check_inner(value, depth)


def _check_stream(one: Stream) -> None:
    head = one.stream_dict
    _check_dictionary(head, 0)
    if "/F" in head:
        raise Refused(Refusal.EXTERNAL, "a stream in another file")
    filters = head.get("/Filter")
    if isinstance(filters, Array) and sum(each in _UNPACKERS for each in cast(Any, filters)) > 1:
        raise Refused(Refusal.BOMB, "a stream packed twice")
    if head.get("/Subtype") == Name.Image:
        _check_picture(head)


def _check_picture(head: Any) -> None:
    sides = [head.get(key, 0) for key in ("/Width", "/Height")]
    if not all(isinstance(side, int) and side >= 0 for side in sides):
        raise Refused(Refusal.DAMAGED, "a picture without a size")
    if sides[0] * sides[1] > MAX_SCAN_PIXELS:
        raise Refused(Refusal.TOO_MANY_PIXELS, f"a picture over {MAX_SCAN_PIXELS} pixels")


def _drawn(data: bytes, previews: Path) -> Found:
    with cast(Any, pypdfium2).PdfDocument(data) as document:
        count = len(document)
        if not count:
            raise Refused(Refusal.DAMAGED, "has no pages")
        drawn = min(count, PREVIEW_PAGES)
        hashes = [_draw(document, at, previews / f"{at + 1}.jpg") for at in range(drawn)]
        return Found("pdf", _text(document), hashes[0], drawn)


def _draw(document: Any, at: int, target: Path) -> str:
    page = document[at]
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise Refused(Refusal.DAMAGED, "a page without a size")
    scale = min(PREVIEW_WIDTH / width, PREVIEW_HEIGHT / height)
    return preview(page.render(scale=scale, may_draw_forms=False).to_pil(), target)


def _text(document: Any) -> str:
    pieces: list[str] = []
    size = 0
    for page in document:
        text = page.get_textpage().get_text_bounded()
        pieces.append(text)
        size += len(text)
        if size > MAX_TEXT:
            break
    return "\n".join(pieces)
