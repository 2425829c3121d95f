"""How duties are chased, and which days are worked: chase.yaml, calendar.yaml, and the presets.

Everything here is an office's choice, not the notice's; no statute fixes the days of 催办.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from duban.calendar import Calendar, Span, WorkCalendar
from duban.ladder import (
    GENTLE,
    INFORMING,
    ROUND_OPENERS,
    SOLEMN,
    Anchor,
    Audience,
    Counting,
    Kind,
    Ladder,
    Rung,
)
from duban.registry.clauses import Strict
from duban.registry.papers import PapersFile

A_YEAR, TEN_YEARS = timedelta(days=366), 3660
Name = Annotated[str, Field(min_length=1, max_length=20)]
TAKEN = (*ROUND_OPENERS, *INFORMING, "call")
"""What the ledger keeps beside the rungs' names."""

TONES = (Kind.INQUIRE, Kind.REMIND, Kind.CHASE, Kind.FORMAL, Kind.CIRCULAR)


def _tone(text: object) -> object:
    if text not in TONES:
        raise ValueError(f"'{text}' is no tone; write one of {', '.join(TONES)}")
    return text


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"'{text}' is no time of day; write one like 20:00")
    return text


Tone = Annotated[Kind, BeforeValidator(_tone)]
Clock = Annotated[str, AfterValidator(_clock)]

CHASE_AT = time(8, 30)
"""When the day's chase is, and when letters go that had to wait for a day."""


class WrittenRung(Strict):
    """A rung as chase.yaml writes it; see `duban.ladder.Rung`.

    `approval` left out means: 督办函 and 通报 need a coordinator's yes, the rest does not.
    """

    name: Name
    kind: Tone
    days: Annotated[int, Field(ge=-366, le=366)]
    anchor: Anchor = Anchor.DUE
    counting: Counting = Counting.CALENDAR
    to: tuple[Audience, ...] = (Audience.AGENCY,)
    every: Annotated[int, Field(ge=0, le=366)] = 0
    times: Annotated[int, Field(ge=1, le=60)] = 1
    backoff: Annotated[int, Field(ge=1, le=4)] = 1
    approval: bool | None = None
    title: Annotated[str, Field(max_length=20)] = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> Iterator[str]:
        if self.name in TAKEN:
            yield f"the name '{self.name}' has a meaning already; choose another"
        if not self.to:
            yield "nobody hears it; write to: [agency], or leave to out"
        if self.times > 1 and not self.every:
            yield "it repeats without a gap; say every how many days"
        if sum(self.every * self.backoff**n for n in range(self.times - 1)) > TEN_YEARS:
            yield "it repeats for over ten years; write fewer times or less backoff"
        if self.anchor is not Anchor.DUE and self.days < 1:
            yield f"it must come after '{self.anchor}'; write days from 1 on"
        if self.anchor is Anchor.DUE and self.days > 0 and self.kind in GENTLE:
            yield f"'{self.kind}' is never said after the due day; write kind: chase"

    def rung(self) -> Rung:
        """The rung that the rules use."""
        needed = self.kind in SOLEMN if self.approval is None else self.approval
        return Rung(**self.model_dump(exclude={"approval"}), approval=needed)


class WrittenLadder(Strict):
    """A ladder as chase.yaml writes it."""

    rungs: tuple[WrittenRung, ...]
    note: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if not self.rungs:
            raise ValueError("it has no rungs; write one, or take the ladder out")
        names = [rung.name for rung in self.rungs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"rung '{min(twice)}' stands twice; rename one")
        if self.rungs[0].anchor is Anchor.PREVIOUS:
            raise ValueError("the first rung has none before it; anchor it to due or told")
        return self


class Quiet(Strict):
    """The hours of the notice's zone in which nobody is written to; they may span midnight."""

    after: Clock = "20:00"
    before: Clock = "08:00"

    @model_validator(mode="after")
    def _leaves_the_morning(self) -> Self:
        if self._covers(CHASE_AT):
            raise ValueError(f"the chase is at {CHASE_AT:%H:%M}; leave that hour free")
        return self

    def at(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether it is quiet now."""
        return self._covers(now.astimezone(zone).time())

    def _covers(self, clock: time) -> bool:
        after, before = time.fromisoformat(self.after), time.fromisoformat(self.before)
        if after <= before:
            return after <= clock < before
        return clock >= after or clock < before


class ChaseFile(Strict):
    """All of chase.yaml: ladders beside the presets, which of them is the rule, and limits.

    `objection_days` are the working days in which coordinators can object to a draft bulletin.
    """

    ladder: str = "default"
    quiet: Quiet = Quiet()
    letters_a_week: Annotated[int, Field(ge=1, le=100)] = 5
    objection_days: Annotated[int, Field(ge=0, le=30)] = 3
    ladders: dict[Name, WrittenLadder] = {}


class WrittenSpan(Strict):
    """Days that differ, as calendar.yaml writes them; `to` left out means one day."""

    first: Annotated[date, Field(alias="from")]
    to: date | None = None
    working: bool
    regions: tuple[str, ...] = ()
    school: bool = False
    why: str

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.to is not None and self.to < self.first:
            raise ValueError("it ends before it begins; swap from and to")
        if self.to is not None and self.to - self.first > A_YEAR:
            raise ValueError("it lasts longer than a year; write a line for each year")
        if self.school and self.working:
            raise ValueError("school marks holidays of schools; take it out or set working: false")
        return self

    def span(self) -> Span:
        """The span that the rules use."""
        return Span(
            self.first, self.to or self.first, self.working, frozenset(self.regions), self.school
        )


class CalendarFile(Strict):
    """All of calendar.yaml. `announced`: years whose holidays stand here in full."""

    announced: tuple[int, ...] = ()
    days: tuple[WrittenSpan, ...] = ()


@dataclass(frozen=True)
class Policy:
    """What chase.yaml, calendar.yaml and the presets say, and agencies.yaml of papers."""

    ladders: Mapping[str, Ladder]
    default: str = "default"
    quiet: Quiet = field(default_factory=Quiet)
    letters_a_week: int = 5
    objection_days: int = 3
    spans: tuple[Span, ...] = ()
    announced: frozenset[int] = frozenset()
    papers: PapersFile = field(default_factory=PapersFile)
    _calendars: dict[tuple[WorkCalendar, str, bool], Calendar] = field(
        default_factory=dict[tuple[WorkCalendar, str, bool], Calendar], compare=False, repr=False
    )

    def calendar(self, kind: WorkCalendar, region: str = "", *, school: bool = False) -> Calendar:
        """The calendar of a kind as it holds in a region; one for all regions of the same days."""
        key = kind, region, school
        if key not in self._calendars:
            made = Calendar(kind, self.spans, self.announced).of(region, school=school)
            known = {(one.kind, one.spans): one for one in self._calendars.values()}
            self._calendars[key] = known.get((kind, made.spans), made)
        return self._calendars[key]
