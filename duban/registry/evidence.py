"""What a clause asks as proof: typed fields, and the check of what an agency puts in.

Evidence is counts and documents of institutions; nothing here asks for a person's data.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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
        """The text, trimmed; ValueError when it is too long."""
        text = given.strip()
        if len(text) > self.max_length:
            raise ValueError(f"has {len(text)} characters; at most {self.max_length}")
        return text


class IntegerField(_Field):
    """A count; `unit` is what is counted."""

    type: Literal["integer"]
    unit: str = ""
    min: int = 0
    max: int | None = None

    def read(self, given: str) -> int:
        """The number; ValueError when it is none or out of bounds."""
        number = _whole(given)
        if number < self.min or (self.max is not None and number > self.max):
            bounds = f"at least {self.min}" + ("" if self.max is None else f", at most {self.max}")
            raise ValueError(f"is {number}; it must be {bounds}")
        return number


class RatioField(_Field):
    """A numerator of a denominator, both counts; written `950/1000`."""

    type: Literal["ratio"]
    numerator: str
    denominator: str

    def read(self, given: str) -> list[int]:
        """[numerator, denominator]; ValueError unless 0 ≤ numerator ≤ denominator > 0."""
        upper, slash, lower = given.partition("/")
        if not slash:
            raise ValueError(f"is '{given}'; write numerator/denominator, for example 950/1000")
        numerator, denominator = _whole(upper), _whole(lower)
        if denominator < 1 or not 0 <= numerator <= denominator:
            raise ValueError(f"is {given}; the first must be 0 to the second, the second above 0")
        return [numerator, denominator]

    def percent(self, values: Mapping[str, Any]) -> float:
        """The share in per cent; 0 when the field was left out."""
        value = values.get(self.key)
        return 100 * value[0] / value[1] if value else 0.0


class DateField(_Field):
    """A civil date."""

    type: Literal["date"]

    def read(self, given: str) -> str:
        """The date as YYYY-MM-DD; ValueError when it is none."""
        try:
            return date.fromisoformat(given.strip()).isoformat()
        except ValueError as error:
            raise ValueError(f"is '{given}'; write a date like 2026-11-24") from error


class UrlField(_Field):
    """A public web address."""

    type: Literal["url"]

    def read(self, given: str) -> str:
        """The address; ValueError unless it is http or https with a host."""
        parts = urlsplit(given.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"is '{given}'; write an address that begins with https://")
        return given.strip()


class FilesField(_Field):
    """Documents or pictures; `kinds` are the file name endings allowed."""

    type: Literal["files"]
    min: Annotated[int, Field(ge=1)] = 1
    max: Annotated[int, Field(ge=1, le=20)] = 10
    kinds: tuple[str, ...] = ("pdf", "docx", "xlsx", "jpg", "jpeg", "png")


EvidenceField: TypeAlias = Annotated[
    TextField | IntegerField | RatioField | DateField | UrlField | FilesField,
    Field(discriminator="type"),
]


def _whole(given: str) -> int:
    try:
        return int(given.strip())
    except ValueError as error:
        raise ValueError(f"is '{given}'; write a whole number") from error
