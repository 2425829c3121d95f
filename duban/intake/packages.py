"""docx and xlsx: zip archives of XML parts, read part by part and never unpacked."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from xml.etree.ElementTree import ParseError
from zipfile import ZipInfo

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from duban.intake.archive import Archive, Budget
from duban.intake.kinds import OLE, ZIP
from duban.intake.parts import Body, ContentTypes, Part, Relationships
from duban.intake.verdict import Found, Refusal, Refused

_TYPES = "[Content_Types].xml"
_SHARED = "xl/sharedStrings.xml"
_MAIN = {
    "docx": "wordprocessingml.document.main+xml",
    "xlsx": "spreadsheetml.sheet.main+xml",
}
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
_PROGRAM = re.compile(
    r"\.(exe|dll|com|scr|bat|cmd|ps1|vb[se]|jse?|wsf|hta|lnk|jar|msi|sh|bin|html?|mht|rtf|swf)"
)
_HARMLESS_BINARIES = ("printersettings", "printer_settings")
_HEAD = 512


def examine(source: Path, kind: str) -> Found:
    """Reads the whole package; `text` is what its body says.

    A workbook inside a document (Word keeps one behind every chart) is read in the same way; any
    other object inside is refused, and so is whatever is fetched from elsewhere but hyperlinks.

    Raises:
        Refused, and what zipfile and zlib raise on damage.
    """
    with source.open("rb") as file:
        text = _read(file, kind, Budget(source.stat().st_size), inner=False)
    return Found(kind, text)


def _read(file: BinaryIO, kind: str, budget: Budget, *, inner: bool) -> str:
    archive = Archive(file, budget)
    entries = {entry.orig_filename: entry for entry in archive.entries}
    types = _types(archive, entries, kind)
    shared: list[str] = []
    pieces = [
        _read_xml(archive.blocks(entry), entry.orig_filename, shared)
        if types.is_xml(entry.orig_filename)
        else _read_other(archive, entry, inner=inner)
        for entry in sorted(entries.values(), key=_reading_order)
    ]
    return "\n".join(pieces)


def _reading_order(entry: ZipInfo) -> tuple[bool, str]:
    """Cells name their texts by number, so the list of texts is read first."""
    return entry.orig_filename != _SHARED, entry.orig_filename


def _types(archive: Archive, entries: dict[str, ZipInfo], kind: str) -> ContentTypes:
    """The package must say of a part it has that this is the document or the workbook."""
    if _TYPES not in entries:
        raise Refused(Refusal.WRONG_KIND, "a zip archive, but no document")
    types = ContentTypes()
    _parse(archive.blocks(entries[_TYPES]), types)
    if not any(types.of(name).endswith(_MAIN[kind]) for name in entries):
        raise Refused(Refusal.WRONG_KIND, f"a package, but no {kind}")
    return types


def _read_xml(blocks: Iterator[bytes], name: str, shared: list[str]) -> str:
    _check_name(name.lower())
    # Excel's drawings of comments break off lines as HTML does, which is no XML.
    return _parse(blocks, Body(shared), lenient=name.lower().endswith(".vml"))


def _read_other(archive: Archive, entry: ZipInfo, *, inner: bool) -> str:
    name, blocks = entry.orig_filename.lower(), archive.blocks(entry)
    _check_name(name)
    if name.endswith(".rels"):
        return _parse(blocks, Relationships())
    if "/embeddings/" in name and not inner:
        return _read_embedded(b"".join(blocks), archive.budget)
    _check_head(blocks)
    return ""


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.name == "vbaproject.bin" or "macrosheets" in path.parts or "vbadata" in path.name:
        raise Refused(Refusal.MACROS, "a part for macros")
    if "activex" in path.parts or "webextensions" in path.parts:
        raise Refused(Refusal.ACTIVE, "a part that is a program")
    if path.name == "connections.xml":
        raise Refused(Refusal.EXTERNAL, "a connection to other data")
    if _PROGRAM.fullmatch(path.suffix) and not path.name.startswith(_HARMLESS_BINARIES):
        raise Refused(Refusal.ACTIVE, f"a part that ends in {path.suffix}")


def _read_embedded(content: bytes, budget: Budget) -> str:
    if not content.startswith(ZIP):
        raise Refused(Refusal.ACTIVE, "an embedded object")
    return _read(BytesIO(content), "xlsx", budget, inner=True)


def _check_head(blocks: Iterator[bytes]) -> None:
    """Reads an entry that is no XML to its end, so that it is counted, and looks at its start."""
    head = b""
    for block in blocks:
        head = head if len(head) >= _HEAD else head + block[:_HEAD]
    if head.startswith((*_PROGRAMS, OLE, ZIP)):
        raise Refused(Refusal.ACTIVE, "an embedded object")


def _parse(blocks: Iterator[bytes], part: Part, *, lenient: bool = False) -> str:
    """Feeds a part to the parser; no part of an honest document declares a DTD."""
    parser = cast(Any, DefusedXMLParser)(target=part, forbid_dtd=True)
    try:
        for block in blocks:
            parser.feed(block)
        parser.close()
    except DefusedXmlException as error:
        raise Refused(Refusal.BOMB, type(error).__name__) from error
    except ParseError as error:
        if not lenient:
            raise Refused(Refusal.DAMAGED, "a part is no XML") from error
        _check_head(blocks)
    return part.text if isinstance(part, Body) else ""
