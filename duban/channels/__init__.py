"""Ways a letter leaves: one module a channel. A channel says what became of one letter."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from duban.registry import Agency

_ROBOTS = {"wecombot", "dingtalk", "feishu"}
_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_AS_TEXT = re.compile(r"[?&]format=text(&|$)")


class Form(StrEnum):
    """What a channel carries."""

    MAIL = "mail"  # RFC 5322 bytes
    MARKDOWN = "markdown"  # UTF-8, as robots read it
    TEXT = "text"  # UTF-8


class Fate(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"  # the other side has it
    TEMPORARY = "temporary"  # not now; the letter may be written anew
    PERMANENT = "permanent"  # never at this address
    AMBIGUOUS = "ambiguous"  # it may have arrived; only the same bytes may go again


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate and what was said of it, for a person; never a secret.

    `pause` closes the address for that long, as a robot's own penalty does.
    """

    fate: Fate
    detail: str = ""
    pause: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `letters` in any `window`, for each address of the channel."""

    letters: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A Word file that goes with a letter."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A written letter on its way: `name` is a file-safe name, `payload` in the channel's form.

    A mail holds its `enclosure` already; a robot's message leads to where it can be had.
    """

    name: str
    day: str
    recipient: Agency
    payload: bytes
    form: Form = Form.MAIL
    enclosure: Enclosure | None = None


class Channel(Protocol):
    """Delivers to exactly one recipient at a time."""

    @property
    def form(self) -> Form:
        """What it carries."""
        ...

    @property
    def limit(self) -> int | None:
        """The most bytes of one payload; None where nothing sets a bound."""
        ...

    @property
    def pace(self) -> Pace | None:
        """How fast an address may be used."""
        ...

    def send(self, parcel: Parcel, address: str) -> Outcome:
        """Tries once; raises nothing that the outside world can cause.

        Args:
            address: the recipient's address with its secrets filled in; ignored by the drop folder.
        """
        ...


def channel_name(address: str | None) -> str:
    """Which channel serves an address as written, its `${NAME}`s still in it; None is `drop`."""
    if not address:
        return "drop"
    scheme, separator, rest = address.partition("://")
    if not separator:
        return "mail"
    name = scheme.lower() if scheme.lower() in _ROBOTS else "apprise"
    return "wecombot-text" if name == "wecombot" and _AS_TEXT.search(rest) else name


def resolve(address: str, environment: Mapping[str, str]) -> str:
    """The address with its secrets filled in; for sending only, never to be kept or shown.

    The registry has refused what names a variable that is not set; one unset since is empty.
    """
    return _REFERENCE.sub(lambda match: environment.get(match[1], ""), address)


def digest(address: str) -> str:
    """16 hex digits that stand for a resolved address where it must not be shown."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]
