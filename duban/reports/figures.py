"""The figures of a bulletin (通报): a pure function of a frozen snapshot and a period.

What is counted, and of which duties, stands in `duban.reports.asked`. `duban.reports.counting`
makes these from a snapshot; documents, workbooks, charts and pages only read them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from duban.ledger.snapshots import Source
from duban.period import Every
from duban.reports.asked import Frame, Group, Measure, Sought
from duban.targets import Against, Ratio, rounded


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the duties behind it; `len` of that list is `value`."""

    value: int
    behind: Sought

    def __bool__(self) -> bool:
        return self.value != 0

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many duties; without any there is no rate."""

    upper: Number
    lower: Number

    @property
    def share(self) -> Fraction | None:
        """Exact, so that equal rates are equal."""
        return Fraction(self.upper.value, self.lower.value) if self.lower else None

    @property
    def percent(self) -> float | None:
        """In per cent, rounded to one decimal, halves up."""
        return None if self.share is None else rounded(self.share)


@dataclass(frozen=True, slots=True)
class Counts:
    """All measures of one group of duties in one place; see `duban.reports.asked.Measure`."""

    numbers: Mapping[Measure, Number]

    def __getitem__(self, measure: Measure) -> Number:
        return self.numbers[measure]

    @property
    def completion(self) -> Rate:
        """完成率: accepted of required."""
        return Rate(self[Measure.ACCEPTED], self[Measure.REQUIRED])

    @property
    def settled(self) -> Rate:
        """到期办结率: accepted, of those whose date in force has passed; ranks go by it."""
        return Rate(self[Measure.SETTLED], self[Measure.JUDGED])

    @property
    def on_time(self) -> Rate:
        """按期率（含延期）: accepted and in time, of those whose date in force has passed."""
        return Rate(self[Measure.ON_TIME], self[Measure.JUDGED])

    @property
    def on_time_original(self) -> Rate:
        """按期率（按原时限）: the same by the original date."""
        return Rate(self[Measure.ON_TIME_ORIGINAL], self[Measure.JUDGED_ORIGINAL])


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: one region, department or clause, or all of them together.

    Attributes:
        key: a region's or department's key, a clause's key; empty for the total.
        name: as people read it (太原市, 妇联, `3.4c 家长学校每年一次`).
        level: of a region: `province` or `city` as agencies.yaml has it; else empty.
        lead: binding duties of those who lead (牵头); rates, targets and league are theirs.
        co: binding duties that co-responsible agencies report on their own.
        soft: duties from soft clauses (鼓励、探索); never overdue.
    """

    key: str
    name: str
    level: str
    lead: Counts
    co: Counts
    soft: Counts

    def numbers(self) -> Iterator[Number]:
        """Every number of the line."""
        for counts in (self.lead, self.co, self.soft):
            yield from counts.numbers.values()


@dataclass(frozen=True, slots=True)
class TargetPoint:
    """A target as of one of its periods.

    Attributes:
        period: `2026Q3` and so on.
        ratio: sum of the newest accepted figures of each agency up to this period.
        reported: how many agencies' figures that is, and from which duties.
        fresh: how many of those are of this very period.
    """

    period: str
    ratio: Ratio
    reported: Number
    fresh: int


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One region against a target.

    Attributes:
        trend: by period, the oldest first, at most eight; only periods with figures.
    """

    key: str
    name: str
    trend: Sequence[TargetPoint]
    at_least: float

    @property
    def latest(self) -> TargetPoint | None:
        """The newest accepted figures."""
        return self.trend[-1] if self.trend else None

    @property
    def before(self) -> TargetPoint | None:
        """The figures before the newest."""
        return self.trend[-2] if len(self.trend) > 1 else None

    @property
    def change(self) -> float | None:
        """Percentage points since the figures before, to one decimal."""
        return self.latest.ratio.since(self.before.ratio) if self.latest and self.before else None

    @property
    def against(self) -> Against | None:
        """The newest share beside the target, as it is shown."""
        return self.latest.ratio.against(self.at_least) if self.latest else None

    @property
    def distance(self) -> float | None:
        """Percentage points above the target, negative below."""
        return self.against.distance if self.against else None

    @property
    def reached(self) -> bool:
        """Decided on the exact share, not on the rounded one."""
        return self.against is not None and self.against.reached


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """A clause with a target (心理教师配备率 95 %), from its accepted numerators and denominators.

    Attributes:
        title: the clause's number and title; `field` is what the ratio is called.
        numerator, denominator: what is counted (已配备学校 of 学校).
        every: the kind of period by which the trend goes.
        each: every region has to reach it, not only all together.
        whole: all regions together.
        regions: in the registry's order, those without figures too (their trend is empty).
        owed: the newest period, up to the bulletin's, whose figures have fallen due and of which
            some are missing; empty if none are.
        missing: names of the agencies that owe them.
    """

    clause: str
    title: str
    field: str
    numerator: str
    denominator: str
    every: Every
    at_least: float
    each: bool
    whole: TargetLine
    regions: Sequence[TargetLine]
    owed: str
    missing: Sequence[str]

    @property
    def short(self) -> Sequence[TargetLine]:
        """The regions with figures that do not reach it."""
        return [one for one in self.regions if one.latest and not one.reached]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place in the league table: `rank` is shared by equals (1, 2, 2, 4), None if unranked."""

    rank: int | None
    line: Line


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a period's bulletin.

    The league ranks the regions below the first one of agencies.yaml, and departments over all
    regions, by leads' binding duties whose date in force has passed: the higher share accepted,
    then the higher share in time, then fewer overdue ones and less backlog; equals share a rank and
    the next is skipped. Those of whom nothing is due yet stand at the end without one.

    Attributes:
        every: month, quarter, half-year, year or school year.
        period: its name, `2026-10`, `2026Q3`, `2026`.
        first, last: its first and last civil day; of a period under way the last is the cut-off's.
        under_way: the cut-off lies before the period's end, so that only what had fallen due by
            then counts.
        frame: the same as instants, with the cut-off (as of then; later events do not show).
        issuer: the office that coordinates, and signs.
        label: marks a simulation; empty in earnest.
        notices: those whose clauses are chased.
        zone: the IANA zone of civil days.
        snapshot: SHA-256 of the frozen facts.
        seq, chain: number and hash of the last row of history that the snapshot saw.
        whole: the province, that is all regions together; `regions` add up to it, and so do
            `departments` and `clauses`.
        regions: the province's own agencies, then its cities, in the registry's order.
    """

    every: Every
    period: str
    first: date
    last: date
    under_way: bool
    frame: Frame
    zone: str
    language: str
    issuer: str
    label: str
    notices: Sequence[Source]
    snapshot: str
    seq: int
    chain: str
    whole: Line
    regions: Sequence[Line]
    departments: Sequence[Line]
    clauses: Sequence[Line]
    targets: Sequence[TargetFigures]
    region_league: Sequence[Ranked]
    department_league: Sequence[Ranked]

    @property
    def cut_off(self) -> datetime:
        """The instant as of which everything is counted."""
        return self.frame.cut_off

    def lines(self) -> Iterator[Line]:
        """Every line of every table."""
        yield self.whole
        yield from (*self.regions, *self.departments, *self.clauses)

    def numbers(self) -> Iterator[Number]:
        """Every number that leads to a list."""
        for line in self.lines():
            yield from line.numbers()
        for target in self.targets:
            for one in (target.whole, *target.regions):
                yield from (point.reported for point in one.trend)


GROUPS = (Group.LEAD, Group.CO, Group.SOFT)
