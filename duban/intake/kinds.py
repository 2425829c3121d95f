"""Which kinds of file are taken, and whether a file's first bytes bear out its name."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, cast

import puremagic

from duban.intake.verdict import Refusal

HEAD_BYTES = 4096
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP = b"PK\x03\x04"

_KINDS = {ending: ending for ending in ("jpg", "png", "webp", "heic", "pdf", "docx", "xlsx")}
_KINDS["jpeg"] = "jpg"
_PHONE_PICTURES = {"heic", "webp"}
_OLD = {"doc", "xls", "ppt", "dot", "xlt", "wps", "et"}
_MACROS = {"docm", "xlsm", "dotm", "xltm", "xlsb", "pptm"}
_HEIC_MAJOR = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
_HEIC = {b"heic", b"heix", b"heim", b"heis"}


def ending(name: str) -> str:
    """The ending of a file name in lower case, without the dot."""
    return PurePath(name).suffix.lower().lstrip(".")


def kind_of_name(name: str, kinds: Sequence[str]) -> str:
    """The kind that a name claims; "" when it is not taken here.

    A phone's HEIC and WEBP are welcome where JPEG or PNG is.
    """
    asked = {_KINDS.get(kind.lower().lstrip(".")) for kind in kinds}
    if asked & {"jpg", "png"}:
        asked |= _PHONE_PICTURES
    kind = _KINDS.get(ending(name), "")
    return kind if kind in asked else ""


def first_look(name: str, head: bytes, kinds: Sequence[str]) -> Refusal | None:
    """Judges a name and the first bytes (4096 are enough) before anything is stored.

    None is no promise: only the inspection reads the rest. It also tells an encrypted docx from
    an old .doc with a new name; both begin alike and pass here.
    """
    kind = kind_of_name(name, kinds)
    if not kind:
        return _why_not(ending(name))
    if not head:
        return Refusal.EMPTY
    fits = bears_out(kind, head) or (kind in ("docx", "xlsx") and head.startswith(OLE))
    return None if fits else Refusal.WRONG_KIND


def _why_not(given: str) -> Refusal:
    if given in _OLD:
        return Refusal.OLD_FORMAT
    return Refusal.MACROS if given in _MACROS else Refusal.NOT_ASKED


def bears_out(kind: str, head: bytes) -> bool:
    """Whether the first bytes are those of the kind; for docx and xlsx only that it is a zip."""
    match kind:
        case "jpg":
            return head.startswith(b"\xff\xd8\xff")
        case "png":
            return head.startswith(b"\x89PNG\r\n\x1a\n")
        case "webp":
            return head.startswith(b"RIFF") and head[8:12] == b"WEBP"
        case "heic":
            return _is_heic(head)
        case "pdf":
            return head.startswith(b"%PDF-")
        case _:
            return head.startswith(ZIP)


def _is_heic(head: bytes) -> bool:
    """puremagic calls every such file an mp4 too; the brands tell HEIC from AVIF and films."""
    if head[4:8] != b"ftyp" or head[8:12] not in _HEIC_MAJOR:
        return False
    end = min(int.from_bytes(head[:4]), 256)
    return bool(_HEIC & {head[at : at + 4] for at in range(8, end, 4)})


def looks_like(head: bytes) -> str:
    """What a content seems to be instead, for the detail of a refusal."""
    try:
        found = cast(list[Any], cast(Any, puremagic).magic_string(head))
    except (ValueError, LookupError):
        found = []
    return str(found[0].extension) if found else "nothing known"
