"""Ways a letter leaves: one module a channel. A channel says what became of one letter."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from duban.registry import Agency


class Fate(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"  # the other side has it
    TEMPORARY = "temporary"  # not now; the letter may be written anew
    PERMANENT = "permanent"  # never at this address
    AMBIGUOUS = "ambiguous"  # it may have arrived; only the same bytes may go again


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate and what was said of it, for a person; never a secret."""

    fate: Fate
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A written letter on its way: `name` is a file-safe name, `payload` its RFC 5322 bytes."""

    name: str
    day: str
    recipient: Agency
    payload: bytes


class Channel(Protocol):
    """Delivers to exactly one recipient at a time."""

    def send(self, parcel: Parcel) -> Outcome:
        """Tries once; raises nothing that the outside world can cause."""
        ...
