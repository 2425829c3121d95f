"""File names as people gave them, made safe to show and to send back."""

import re
import unicodedata
from urllib.parse import quote

MAX_NAME = 120
_NAMELESS = "未命名"
_MAX_ENDING = 12
# Control, format (bidi marks, zero width), surrogate, private, unassigned, line separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_AWKWARD = re.compile(r'[<>:"|?*%;\x00-\x1f]')
_FALLBACK = re.compile(r"[^A-Za-z0-9._-]+")


def clean_name(given: str) -> str:
    """A name without path, control or direction characters, of 1 to 120 characters.

    The ending is kept when a long name is cut. Cleaning twice changes nothing more.
    """
    text = unicodedata.normalize("NFC", given.encode("utf-8", "ignore").decode())
    text = "".join(one for one in text if unicodedata.category(one) not in _UNSEEN)
    text = re.split(r"[/\\]", text)[-1]
    text = _tidy(" ".join(_AWKWARD.sub("_", text).split()))
    return _cut(text) or _NAMELESS


def _tidy(text: str) -> str:
    return text.strip(". ")


def _cut(text: str) -> str:
    if len(text) <= MAX_NAME:
        return text
    stem, dot, last = text.rpartition(".")
    if not dot or len(last) > _MAX_ENDING:
        return _tidy(text[:MAX_NAME])
    return f"{_tidy(stem[: MAX_NAME - len(last) - 1])}.{last}"


def kept_name(given: str, kind: str) -> str:
    """The clean name with the ending of what is kept: `现场.heic` became `现场.jpg`."""
    name = clean_name(given)
    stem, dot, last = name.rpartition(".")
    same = {"jpeg": "jpg"}
    if same.get(last.lower(), last.lower()) == kind:
        return name
    return _cut(f"{stem if dot else name}.{kind}")


def content_disposition(name: str) -> str:
    """The header that saves a file under this name (RFC 6266): never shown inside the page."""
    clean = clean_name(name)
    plain = _FALLBACK.sub("_", clean).strip("._") or "file"
    if "." in clean and "." not in plain:
        plain = f"file.{plain}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"
