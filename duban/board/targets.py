"""Progress of the targets: what was accepted of each agency, period by period."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from duban.board.asked import Reported
from duban.board.day import Day
from duban.board.markdown import Board
from duban.duty import WAITING, Status
from duban.markdown import ROWS, joined, link, plain, table
from duban.registry import Agency, PlacedClause, Registry
from duban.targets import Ratio, Reckoning, total, written
from duban.words import period_words

PERIODS = 4
"""How many periods the history shows."""


@dataclass(frozen=True)
class Progress:
    """What one agency has to show, or all together.

    Attributes:
        agency: its id; empty for all together.
        accepted: the newest accepted figures of each period, the oldest period first.
        in_review: the newest figures that wait for a review, with their period.
    """

    name: str
    agency: str
    accepted: Mapping[str, Ratio]
    in_review: tuple[str, Ratio] | None = None

    @cached_property
    def latest(self) -> tuple[str, Ratio] | None:
        """The newest period with accepted figures."""
        return list(self.accepted.items())[-1] if self.accepted else None

    @cached_property
    def before(self) -> Ratio | None:
        """The accepted figures before the newest."""
        return list(self.accepted.values())[-2] if len(self.accepted) > 1 else None


@dataclass(frozen=True)
class TargetProgress:
    """A clause with a target, and how far it has come.

    Attributes:
        lines: agencies with accepted figures first, the lowest rate on top. One that left the
            files is among them until an heir of it has later figures.
        whole: all together as of each period, the oldest first.
        missing: who has not reported the newest period, by name.
    """

    placed: PlacedClause
    lines: Sequence[Progress]
    whole: Mapping[str, Ratio]
    period: str
    missing: Sequence[str]

    @property
    def at_least(self) -> float:
        """The per cent asked for."""
        assert self.placed.clause.target
        return self.placed.clause.target.at_least

    @property
    def with_figures(self) -> Sequence[Progress]:
        """Those with accepted figures, the lowest rate first."""
        return [one for one in self.lines if one.latest]


def progress(registry: Registry, reported: Iterable[Reported]) -> list[TargetProgress]:
    """The targets in the notices' order."""
    by_clause: dict[str, list[Reported]] = {}
    for one in reported:
        by_clause.setdefault(one.clause, []).append(one)
    return [
        _progress(registry, placed, by_clause.get(placed.key, []))
        for placed in registry.tracked
        if placed.clause.target
    ]


def _progress(
    registry: Registry, placed: PlacedClause, reported: Sequence[Reported]
) -> TargetProgress:
    told = Reckoning(placed.clause.told_every, placed.notice.zone)
    reported = sorted(reported, key=told.rank)
    periods = told.periods(reported)
    counted = {period: told.counted(reported, period) for period in periods}
    own: dict[str, list[Reported]] = {one.id: [] for one in placed.reporters}
    for one in reported:
        if not one.heirs or (periods and one in counted[periods[-1]]):
            own.setdefault(one.agency, []).append(one)
    names = {agency: _name(registry, placed, agency) for agency in own}
    lines = [_line(told, names[agency], agency, given) for agency, given in own.items()]
    lines.sort(key=lambda one: one.latest[1].share if one.latest else 2)
    asked = [one for one in reported if one.period != "once"]
    newest = asked[-1].period if asked else ""
    owing = {one.agency for one in asked if one.period == newest and one.status in WAITING}
    missing = [name for agency, name in names.items() if agency in owing]
    whole = {period: total(found) for period, found in counted.items()}
    return TargetProgress(placed, lines, whole, newest, missing)


def _line(told: Reckoning, name: str, agency: str, own: Iterable[Reported]) -> Progress:
    accepted: dict[str, Ratio] = {}
    in_review: tuple[str, Ratio] | None = None
    for one in own:
        if one.figures is None or one.nil:
            continue
        period, ratio = told.spoken_of(one), Ratio(*one.figures)
        if one.status is Status.ACCEPTED:
            accepted[period] = ratio
        elif one.status is Status.SUBMITTED:
            in_review = (period, ratio)
    return Progress(name, agency, accepted, in_review)


def _name(registry: Registry, placed: PlacedClause, agency: str) -> str:
    """The region's name where one agency answers for it, else the agency's."""
    found: Agency | None = registry.agencies.get(agency)
    if found is None:
        return agency
    alone = sum(one.region == found.region for one in placed.reporters) == 1
    return found.region_name if alone else found.name


# What is shown


def targets(day: Day, found: Sequence[TargetProgress]) -> Board:
    """The targets in numbers, the lowest rates first."""
    told = [f"{one.placed.number} {_latest_rate(one)}" for one in found]
    return day.board("targets", joined(_target(day, one) for one in found), " · ".join(told))


def _latest_rate(one: TargetProgress) -> str:
    ratios = list(one.whole.values())
    rate = ratios[-1].against(one.at_least) if ratios else "–"
    return f"{rate}/{one.at_least:g}%"


def _target(day: Day, one: TargetProgress) -> str:
    w = day.w
    clause = one.placed.clause
    address = day.places.duties(clause=one.placed.key)
    asked = w.brackets.format(w.boards["target"].format(n=f"{one.at_least:g}"))
    coverage = w.boards["coverage"].format(n=len(one.with_figures), all=len(one.lines))
    return joined(
        (
            f"### {link(f'{one.placed.number} {clause.title}', address)}{asked}",
            f"> {plain(clause.quote)}",
            coverage,
            _latest_table(day, one),
            _missing(day, one),
            f"**{w.boards['by-period']}**" if one.whole else "",
            _history_table(day, one),
            w.boards["history-note"] if one.whole else "",
        )
    )


def _latest_table(day: Day, one: TargetProgress) -> str:
    w = day.w
    names = ("counted", "rate", "gap", "change", "in-review")
    head = [w.boards["region"], w.labels["period"], *(w.boards[name] for name in names)]
    whole = Progress(w.boards["whole"], "", one.whole)
    rows = [_latest_row(day, one, line) for line in (whole, *one.lines[:ROWS])]
    rows[0] = [f"**{cell}**" if cell else "" for cell in rows[0]]
    return table(head, len(names), rows)


def _latest_row(day: Day, target: TargetProgress, line: Progress) -> list[str]:
    in_review = "" if line.in_review is None else _both(target, line.in_review[1])
    sought = {"clause": target.placed.key, "agency": line.agency}
    name = link(line.name, day.places.duties(**sought))
    if line.latest is None:
        return [name, "", "–", "", "", "", in_review]
    period, ratio = line.latest
    at = ratio.against(target.at_least)
    return [
        name,
        plain(period_words(day.w, period)),
        f"{ratio}",
        f"{at}",
        written(at.distance, "+"),
        written(ratio.since(line.before), "+") if line.before else "",
        in_review,
    ]


def _both(target: TargetProgress, ratio: Ratio) -> str:
    return f"{ratio} ({ratio.against(target.at_least)})"


def _history_table(day: Day, one: TargetProgress) -> str:
    shown = list(one.whole)[-PERIODS:]
    if not shown:
        return ""
    head = [day.w.boards["region"], *(plain(period_words(day.w, name)) for name in shown)]
    whole = Progress(day.w.boards["whole"], "", one.whole)
    rows = [
        [
            plain(line.name),
            *(_both(one, line.accepted[p]) if p in line.accepted else "" for p in shown),
        ]
        for line in (whole, *one.lines[:ROWS])
    ]
    return table(head, len(shown), rows)


def _missing(day: Day, one: TargetProgress) -> str:
    period, names = period_words(day.w, one.period), day.w.join.join(one.missing)
    told = day.w.boards["missing"].format(period=period, names=names) if names else ""
    return joined(map(plain, (without_figures(day, one), told)))


def without_figures(day: Day, one: TargetProgress) -> str:
    """Who has no accepted figures yet, by name; empty if all have."""
    names = day.w.join.join(line.name for line in one.lines if line.latest is None)
    return day.w.boards["no-data"].format(names=names) if names else ""
