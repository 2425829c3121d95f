"""Working days: pure functions of a date and of which calendar applies.

China's calendar comes from the State Council's yearly notices (package chinesecalendar: holidays
and the weekends worked in exchange, 调休). Beyond the announced years only weekends are known, and
what is counted there is provisional. Local days and school holidays are what an operator wrote.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

import chinese_calendar

SATURDAY = 5
ONE_DAY = timedelta(days=1)


class WorkCalendar(StrEnum):
    """Whose working days count."""

    CHINA = "china"
    WEEKDAYS = "weekdays"


@dataclass(frozen=True, slots=True)
class CountedDay:
    """A civil day found by counting, and whether an unannounced year made it provisional."""

    day: date
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which an operator says that work is done, or not; both ends belong to it.

    Attributes:
        regions: the regions it is for; empty for all.
        school: it is a school holiday, and binds only what schools do.
    """

    first: date
    last: date
    working: bool
    regions: frozenset[str] = frozenset()
    school: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """Where a due day goes that is no working day: `none`, `previous`, `next`, `next-2` …

    `next-2` is the second working day from there, the custom after long holidays.
    """

    steps: int = 0  # -1: previous; 0: none; n: the nth working day

    @classmethod
    def parse(cls, text: str) -> "Shift":
        """Reads the notation.

        Raises:
            ValueError: the text is none of these.
        """
        if match := re.fullmatch(r"next(?:-([1-9]))?", text):
            return cls(int(match[1] or 1))
        if text not in ("none", "previous"):
            raise ValueError(f"'{text}' is no shift; write none, previous, next or next-2")
        return cls(0 if text == "none" else -1)


@dataclass(frozen=True, eq=False)  # told apart by identity, so that it keys a cache at no cost
class Calendar:
    """A calendar with what an operator wrote into it. `announced`: years known to be whole."""

    kind: WorkCalendar
    spans: tuple[Span, ...] = ()
    announced: frozenset[int] = frozenset()
    _known: dict[date, tuple[bool, bool]] = field(
        default_factory=dict[date, tuple[bool, bool]], repr=False
    )

    def of(self, region: str, *, school: bool = False) -> "Calendar":
        """This calendar as it holds in a region; school holidays count only where asked for."""
        spans = tuple(
            span
            for span in self.spans
            if (not span.regions or region in span.regions) and (school or not span.school)
        )
        return replace(self, spans=spans, _known={})

    def working(self, day: date) -> bool:
        """Whether people work on this day."""
        return self._look(day)[0]

    def provisional(self, day: date) -> bool:
        """Whether nobody has announced this year's holidays yet."""
        return self._look(day)[1]

    def add(self, start: date, count: int) -> CountedDay:
        """The count-th working day after start, or before it where count is negative.

        The first day is not counted (民法典 art. 201).
        """
        day, provisional, left = start, False, abs(count)
        while left > 0:
            day += ONE_DAY if count > 0 else -ONE_DAY
            working, unsure = self._look(day)
            provisional = provisional or unsure
            left -= working
        return CountedDay(day, provisional)

    def next_working(self, day: date) -> CountedDay:
        """The first working day on or after this one."""
        return self.add(day - ONE_DAY, 1)

    def previous_working(self, day: date) -> CountedDay:
        """The last working day on or before this one."""
        return self.add(day + ONE_DAY, -1)

    def shifted(self, day: date, shift: Shift) -> CountedDay:
        """Where the shift puts a due day; a working day stays."""
        working, provisional = self._look(day)
        if working or not shift.steps:
            return CountedDay(day, bool(shift.steps) and provisional)
        found = self.add(day, shift.steps)
        return CountedDay(found.day, found.provisional or provisional)

    def _look(self, day: date) -> tuple[bool, bool]:
        """(is a working day, is provisional)."""
        known = self._known.get(day)
        if known is None:
            known = self._known[day] = self._find(day)
        return known

    def _find(self, day: date) -> tuple[bool, bool]:
        for span in reversed(self.spans):  # the later line of the file has the last word
            if span.first <= day <= span.last:
                return span.working, False
        weekday = day.weekday() < SATURDAY
        if self.kind is WorkCalendar.WEEKDAYS:
            return weekday, False
        try:
            return bool(chinese_calendar.is_workday(day)), False  # pyright: ignore[reportUnknownMemberType]
        except NotImplementedError:  # the package's answer for a year nobody has announced
            return weekday, day.year not in self.announced
