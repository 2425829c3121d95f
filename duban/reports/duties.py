"""The duties that a bulletin counts, each with how: what stands behind a workbook's numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from duban.duty import Light, Standing, light
from duban.ledger.snapshots import Fact, Snapshot
from duban.reports.asked import COUNTS, Frame, Measure, excused, group_of, in_period, nil
from duban.reports.texts import Texts
from duban.words import Words, period_prose, words
from duban.xlsx import FILLS, Cell, Look

WIDTHS: Mapping[str, int] = {
    "duty": 8,
    "clause": 30,
    "region": 10,
    "department": 10,
    "agency": 24,
    "shares": 24,
    "period": 11,
    "group": 11,
    "counted": 7,
    "state": 9,
    "original_due": 14,
    "due": 14,
    "submitted": 12,
    "status": 9,
    "light": 7,
    "in_original": 16,
    "in_force": 16,
    "extended": 7,
}
"""The columns by their keys in `Texts.columns`, with their widths in characters."""

_LIT = list(WIDTHS).index("light")


@dataclass(frozen=True)
class Duties:
    """The duties of a snapshot as of a frame's cut-off."""

    seen: Snapshot
    frame: Frame
    t: Texts

    def rows(self) -> Iterator[tuple[list[Cell], dict[int, Look]]]:
        """A row for each duty of the period and of the backlog, by number, and its looks."""
        for fact in self.seen.facts:
            if in_period(fact, self.frame) or COUNTS[Measure.BACKLOG](fact, self.frame):
                told = self._told(fact)
                lit = {_LIT: Look(fill=FILLS[self._light(fact)])}
                yield [told[key] for key in WIDTHS], lit

    @cached_property
    def _words(self) -> Words:
        return words(self.t.language)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.seen.zone)

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        return {one.key: f"{one.number} {one.title}" for one in self.seen.clauses}

    @cached_property
    def _places(self) -> Mapping[str, str]:
        return {one.key: one.name for one in self.seen.places}

    def _told(self, fact: Fact) -> dict[str, Cell]:
        says, names = self.t.says, self.seen.agencies
        region, _, department = fact.agency.partition("/")
        return {
            "duty": fact.id,
            "clause": self._titles.get(fact.clause, fact.clause),
            "region": self._places.get(region, region),
            "department": department,
            "agency": names.get(fact.agency, fact.agency),
            "shares": says["join"].join(names.get(one, one) for one in fact.copied),
            "period": period_prose(self._words, fact.period),
            "group": self.t.groups[group_of(fact)],
            "counted": says["period" if in_period(fact, self.frame) else "earlier"],
            "state": self.t.measures[_state(fact)],
            "original_due": self._day(fact.original_due_at),
            "due": self._day(fact.due_at),
            "submitted": self._day(fact.submitted_at),
            "status": self._words.status[fact.status],
            "light": self._words.lights[self._light(fact)],
            "in_original": self._came(fact, Measure.JUDGED_ORIGINAL, Measure.ON_TIME_ORIGINAL),
            "in_force": self._came(fact, Measure.JUDGED, Measure.ON_TIME),
            "extended": says["yes" if fact.due_at > fact.original_due_at else "no"],
        }

    def _light(self, fact: Fact) -> Light:
        return light(Standing(fact.status, fact.due_at, fact.soft), self.frame.cut_off)

    def _day(self, at: datetime | None) -> date | None:
        return None if at is None else at.astimezone(self._zone).date()

    def _came(self, fact: Fact, judged: Measure, on_time: Measure) -> str:
        """Whether it came in time; nothing of what no on-time rate counts."""
        if not COUNTS[judged](fact, self.frame):
            return ""
        return self.t.says["yes" if COUNTS[on_time](fact, self.frame) else "no"]


def _state(fact: Fact) -> Measure:
    if excused(fact):
        return Measure.NOT_APPLICABLE
    return Measure.NIL if nil(fact) else Measure.REQUIRED
