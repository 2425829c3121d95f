"""Counts a snapshot: one pass over its facts, then the tables, the targets and the league."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

from duban.ledger.snapshots import Fact, Place, Snapshot
from duban.period import Period
from duban.reports.asked import COUNTS, Frame, Group, Measure, Sought, group_of
from duban.reports.figures import Counts, Figures, Line, Number, Ranked
from duban.reports.targets import reckoning, target_figures


class Axis(StrEnum):
    """What a line of a table is about."""

    WHOLE = "whole"
    REGION = "region"
    DEPARTMENT = "department"
    CLAUSE = "clause"


Key = tuple[Axis, str, Group]
Tally = Mapping[Key, Counter[Measure]]
ONE_DAY, ONE_SECOND = timedelta(days=1), timedelta(seconds=1)
_COUNTED = tuple(one for one in Measure if one is not Measure.REPORTED)


def frame_of(period: Period, zone: ZoneInfo, cut_off: datetime) -> Frame:
    """The instants of a period in a zone, in UTC, which compares with facts at once.

    A period that is under way at the cut-off ends there.

    Raises:
        ValueError: the period has no bounds.
    """
    begins, ends = (one.astimezone(UTC) for one in _bounds(period, zone))
    at = cut_off.astimezone(UTC)
    return Frame(begins, min(ends, at), at)


def _bounds(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where a period begins, and where the next one does."""
    first, last = days_of(period)
    return datetime.combine(first, time(), zone), datetime.combine(last + ONE_DAY, time(), zone)


def days_of(period: Period) -> tuple[date, date]:
    """The first and the last civil day of a period.

    Raises:
        ValueError: the period has no bounds.
    """
    if period.start is None or period.next.start is None:
        raise ValueError("a bulletin is of a month, a quarter or a year")
    return period.start, period.next.start - ONE_DAY


def figures(seen: Snapshot, period: Period) -> Figures:
    """All figures of a period as a snapshot shows them; the same snapshot makes the same ones."""
    zone = ZoneInfo(seen.zone)
    frame = frame_of(period, zone, seen.at)
    first, last = days_of(period)
    # The last second of its last day is where a period is over: nothing falls due after it.
    under_way = seen.at < _bounds(period, zone)[1] - ONE_SECOND
    made = _Tables(seen, _tally(seen, frame))
    return Figures(
        every=period.every,
        period=period.name,
        first=first,
        last=min(last, seen.at.astimezone(zone).date()),
        under_way=under_way,
        frame=frame,
        zone=seen.zone,
        language=seen.language,
        issuer=seen.issuer,
        label=seen.label,
        notices=seen.notices,
        snapshot=seen.sha256,
        seq=seen.seq,
        chain=seen.chain,
        whole=made.line(Axis.WHOLE, "", ""),
        regions=made.regions,
        departments=made.departments,
        clauses=made.clauses,
        targets=target_figures(seen, last),
        region_league=league(made.regions[1:]),
        department_league=league(made.departments),
    )


def behind(seen: Snapshot, period: Period, sought: Sought) -> list[Fact]:
    """The duties behind a number, by number."""
    frame = frame_of(period, ZoneInfo(seen.zone), seen.at)
    found = [fact for fact in seen.facts if sought.takes(fact, frame)]
    if sought.measure is not Measure.REPORTED:
        return found
    aim = next((one.aim for one in seen.clauses if one.key == sought.clause), None)
    if aim is None:
        return []
    counted = reckoning(seen, aim).counted(found, sought.period)
    return sorted(counted, key=lambda one: one.id)


def _tally(seen: Snapshot, frame: Frame) -> Tally:
    found: dict[Key, Counter[Measure]] = defaultdict(Counter)
    for fact in seen.facts:
        group = group_of(fact)
        own = list(_lines(fact, (fact.agency,)))
        for measure in _COUNTED:
            if COUNTS[measure](fact, frame):
                lines = _lines(fact, fact.copied) if measure is Measure.SHARED else own
                for axis, key in lines:
                    found[axis, key, group][measure] += 1
    return found


def _lines(fact: Fact, agencies: Iterable[str]) -> Iterator[tuple[Axis, str]]:
    """The lines in which a duty counts through these agencies, each of them once."""
    yield Axis.WHOLE, ""
    yield Axis.CLAUSE, fact.clause
    places = [agency.partition("/") for agency in agencies]
    for region in {region for region, _, _ in places}:
        yield Axis.REGION, region
    for department in {department for _, _, department in places}:
        yield Axis.DEPARTMENT, department


_SOUGHT: Mapping[Axis, Callable[[Measure, Group, str], Sought]] = {
    Axis.WHOLE: lambda measure, group, _: Sought(measure, group),
    Axis.REGION: lambda measure, group, key: Sought(measure, group, region=key),
    Axis.DEPARTMENT: lambda measure, group, key: Sought(measure, group, department=key),
    Axis.CLAUSE: lambda measure, group, key: Sought(measure, group, clause=key),
}


@dataclass(frozen=True)
class _Tables:
    """The tables of a snapshot that was counted."""

    seen: Snapshot
    tally: Tally

    @cached_property
    def regions(self) -> Sequence[Line]:
        """Every region, also those of which nothing was asked."""
        return [self._region(place) for place in self.seen.places]

    @cached_property
    def departments(self) -> Sequence[Line]:
        """The departments of which there is anything to tell."""
        named = dict.fromkeys(agency.partition("/")[2] for agency in self.seen.agencies)
        return self._told(Axis.DEPARTMENT, {one: one for one in named})

    @cached_property
    def clauses(self) -> Sequence[Line]:
        """The clauses of which there is anything to tell."""
        titles = {one.key: f"{one.number} {one.title}" for one in self.seen.clauses}
        return self._told(Axis.CLAUSE, titles)

    def line(self, axis: Axis, key: str, name: str, level: str = "") -> Line:
        lead, co, soft = (
            self._counts(axis, key, group) for group in (Group.LEAD, Group.CO, Group.SOFT)
        )
        return Line(key, name, level, lead, co, soft)

    def _region(self, place: Place) -> Line:
        return self.line(Axis.REGION, place.key, place.name, place.level)

    def _told(self, axis: Axis, names: Mapping[str, str]) -> list[Line]:
        """The lines of an axis of which there is anything to tell."""
        lines = [self.line(axis, key, name) for key, name in names.items()]
        return [one for one in lines if any(one.numbers())]

    def _counts(self, axis: Axis, key: str, group: Group) -> Counts:
        found = self.tally.get((axis, key, group), Counter[Measure]())
        sought = _SOUGHT[axis]
        return Counts({one: Number(found[one], sought(one, group, key)) for one in _COUNTED})


def league(lines: Sequence[Line]) -> list[Ranked]:
    """The lines by rank; see `Figures` for what goes before what."""
    judged = [one for one in lines if one.lead[Measure.JUDGED]]
    judged.sort(key=_order)  # stable: equals stay in the registry's order
    ranked: list[Ranked] = []
    for at, one in enumerate(judged):
        before = ranked[-1] if ranked else None
        same = before is not None and _order(before.line) == _order(one)
        ranked.append(Ranked(before.rank if before and same else at + 1, one))
    left = [one for one in lines if not one.lead[Measure.JUDGED] and any(one.numbers())]
    return ranked + [Ranked(None, one) for one in left]


def _order(line: Line) -> tuple[Fraction, Fraction, int, int]:
    lead = line.lead
    return (
        -(lead.settled.share or Fraction(0)),
        -(lead.on_time.share or Fraction(0)),
        lead[Measure.OVERDUE].value,
        lead[Measure.BACKLOG].value,
    )
