"""What a clause asks as proof: typed fields, and the check of what an agency puts in.

Evidence is counts and documents of institutions; nothing here asks for a person's data.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

_WHOLE = re.compile(r"[+-]?(?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class Fault(ValueError):
    """Something that was put in does not fit: a code with its values; `duban.words` has the text.

    Attributes:
        code: a key of `Words.unfit`.
        values: what the text speaks of.
    """

    def __init__(self, code: str, **values: Any) -> None:
        self.code, self.values = code, values
        super().__init__(f"{code} {values}" if values else code)


def plain(text: str) -> str:
    """The text, trimmed, with plain line ends, without characters that nobody can see or keep."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept).strip()


class _Field(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    label: Annotated[str, Field(min_length=1)]
    required: bool = True
    help: str = ""


class TextField(_Field):
    """Prose, up to `max_length` characters."""

    type: Literal["text"]
    max_length: Annotated[int, Field(gt=0)] = 2000

    def read(self, given: str) -> str:
        """The text, made plain; Fault when it is too long."""
        text = plain(given)
        if len(text) > self.max_length:
            raise Fault("too-long", count=len(text), max=self.max_length)
        return text


class IntegerField(_Field):
    """A count; `unit` is what is counted."""

    type: Literal["integer"]
    unit: str = ""
    min: int = 0
    max: int | None = None

    def read(self, given: str) -> int:
        """The number; Fault when it is none or out of bounds."""
        number = _whole(given)
        if self.max is not None and not self.min <= number <= self.max:
            raise Fault("outside", number=number, min=self.min, max=self.max)
        if number < self.min:
            raise Fault("too-small", number=number, min=self.min)
        return number


class RatioField(_Field):
    """A numerator of a denominator, both counts; written `950/1000`."""

    type: Literal["ratio"]
    numerator: str
    denominator: str

    def read(self, given: str) -> list[int]:
        """[numerator, denominator]; Fault unless 0 ≤ numerator ≤ denominator > 0."""
        upper, slash, lower = unicodedata.normalize("NFKC", given).partition("/")
        if not slash or not upper.strip() or not lower.strip():
            raise Fault("no-ratio", given=_short(given))
        numerator, denominator = _whole(upper), _whole(lower)
        if denominator < 1:
            raise Fault("of-nothing", given=_short(given))
        if not 0 <= numerator <= denominator:
            raise Fault("over-whole", given=_short(given))
        return [numerator, denominator]

    def percent(self, values: Mapping[str, Any]) -> float:
        """The share in per cent; 0 when the field was left out."""
        value = values.get(self.key)
        return 100 * value[0] / value[1] if value else 0.0


class DateField(_Field):
    """A civil date."""

    type: Literal["date"]

    def read(self, given: str) -> str:
        """The date as YYYY-MM-DD; Fault when it is none."""
        return read_day(given).isoformat()


class UrlField(_Field):
    """A public web address."""

    type: Literal["url"]

    def read(self, given: str) -> str:
        """The address; Fault unless it is http or https with a host."""
        address = plain(given)
        if not _is_address(address):
            raise Fault("no-address", given=_short(given))
        return address


class FilesField(_Field):
    """Documents or pictures; `kinds` are the file name endings allowed.

    With `seal` a scan of a stamped paper (盖章件) is asked for.
    """

    type: Literal["files"]
    min: Annotated[int, Field(ge=1)] = 1
    max: Annotated[int, Field(ge=1, le=20)] = 10
    kinds: tuple[str, ...] = ("pdf", "docx", "xlsx", "jpg", "jpeg", "png")
    seal: bool = False


EvidenceField: TypeAlias = Annotated[
    TextField | IntegerField | RatioField | DateField | UrlField | FilesField,
    Field(discriminator="type"),
]


def read_day(given: str) -> date:
    """A civil date as people write it: 2026-11-24, 2026/11/24, 2026年11月24日.

    Raises:
        Fault: no-date.
    """
    found = _DATE.fullmatch(_squeezed(given))
    try:
        return date(*map(int, found.groups())) if found else date.fromisoformat(given.strip())
    except ValueError as error:
        raise Fault("no-date", given=_short(given)) from error


def _whole(given: str) -> int:
    """Full-width digits, commas between thousands and spaces are understood."""
    text = _squeezed(given)
    if not _WHOLE.fullmatch(text):
        raise Fault("no-whole", given=_short(given))
    return int(text.replace(",", ""))


def _squeezed(given: str) -> str:
    return "".join(unicodedata.normalize("NFKC", given).split())


def _is_address(given: str) -> bool:
    try:
        parts = urlsplit(given)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in given


def _short(given: str) -> str:
    """Enough of what was put in to know it again."""
    text = plain(given)
    return text if len(text) <= 40 else f"{text[:40]}…"
