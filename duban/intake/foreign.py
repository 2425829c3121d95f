"""Finds a second format inside a picture or a PDF."""

import re
import zipfile
from io import BytesIO

from duban.intake.verdict import Refusal, Refused

# Four-byte marks turn up by chance in 20 MB of pixels; these are long enough not to.
_MARKUP = re.compile(
    rb"<script|<\?php|<html|<!doctype html|<svg[ >]|<iframe|<body[ >]|<!entity", re.IGNORECASE
)
_ZIP_END = b"PK\x05\x06"


def refuse_foreign(data: bytes, *, pdf: bool = False) -> None:
    """Refuses bytes that a browser could take for a page, or an unpacker for an archive.

    Raises:
        Refused: as POLYGLOT.
    """
    if _MARKUP.search(data):
        raise Refused(Refusal.POLYGLOT, "carries markup")
    if not pdf and b"%PDF-1" in data:
        raise Refused(Refusal.POLYGLOT, "carries a PDF")
    if _ZIP_END in data[-(1 << 16) - 22 :] and zipfile.is_zipfile(BytesIO(data)):
        raise Refused(Refusal.POLYGLOT, "carries a zip archive")
