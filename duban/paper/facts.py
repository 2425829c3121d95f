"""What a paper says, before it is put into words."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date

from duban.period import Every
from duban.registry.papers import PaperKind


@dataclass(frozen=True, slots=True)
class Told:
    """A day on which a duty was spoken of, and how: 交办, 催办, 蓝色督办单, 电话催办."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Due:
    """A due day and where it comes from. All are civil days of the notice's zone.

    Attributes:
        cut_off: the time of the day up to which evidence is on time; 24:00 is its end.
        every, rule: how often, and the day in the period as clauses.yaml writes it.
        basis, note: `text`, `plan`, `implied` or `policy`, and what the file says of it.
        nominal: the rule's day before holidays moved it; None where nobody can tell.
        original: the day that the duty began with.
        provisional: it was counted in a year whose holidays nobody had announced.
    """

    day: date
    cut_off: str
    every: Every
    rule: str
    basis: str
    note: str
    nominal: date | None
    original: date
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Plea:
    """What an agency asked for, and the answer: an extension until `until`, on `asked_on`.

    `before` is the due day that was in force; `answer` why it was refused.
    """

    before: date
    asked_on: date | None = None
    until: date | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """A duty as a paper speaks of it.

    Attributes:
        notice, section, quote: the basis, with the clause's exact words.
        shares: agencies that share in it.
        asks: the evidence asked for, a phrase a field.
        told: what was said of it in its present round before, the earliest first.
        soft: it is encouraged only, and never overdue.
    """

    duty: int
    title: str
    notice: str
    section: str
    quote: str
    agency: str
    period: str
    due: Due
    asks: tuple[str, ...]
    shares: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    plea: Plea | None = None
    soft: bool = False

    def days_late(self, day: date) -> int:
        """Whole days from the due day to another; 0 up to it."""
        return max((day - self.due.day).days, 0)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a paper says but its number.

    Attributes:
        name: the rung's own name where it has one, such as 蓝色督办单; else empty.
        day: the civil day that it is dated.
        superior: who above the recipient is told of it by a letter of its own; empty where nobody.
        contact: the office to ask and its telephone; empty where none is known.
        label: marks what is not meant in earnest.
    """

    kind: PaperKind
    language: str
    name: str
    issuer: str
    recipient: str
    day: date
    matters: tuple[Matter, ...]
    superior: str = ""
    contact: str = ""
    label: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it: papers of the same facts differ in their number at most."""
        text = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def number_text(language: str, series: str, year: int, number: int) -> str:
    """A document number as it is written: 晋教督办〔2026〕12号, Supervision Slip No. 12 of 2026."""
    if language == "en":
        return f"{series} No. {number} of {year}"
    return f"{series}〔{year}〕{number}号"
