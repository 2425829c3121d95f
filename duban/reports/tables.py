"""The tables of a bulletin, which Markdown, documents and workbooks show each in their own way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from duban.reports.asked import Group, Measure
from duban.reports.figures import Counts, Figures, Line, Number, Ranked, Rate, TargetFigures
from duban.reports.texts import Texts, period_in_words
from duban.targets import Against, Ratio, written

Cell: TypeAlias = str | int | float | Number | Rate | Ratio | Against | None
"""Points of per cent are floats; None is where there is nothing to say."""

Shown: TypeAlias = Measure | str
"""What a column shows: a measure, or a rate by its name in `Counts`."""

EVERYTHING: Sequence[Shown] = (
    *(one for one in Measure if one is not Measure.REPORTED),
    "completion",
    "settled",
    "on_time",
    "on_time_original",
)
WHOLE: Sequence[Shown] = (
    Measure.TOTAL,
    Measure.REQUIRED,
    Measure.NIL,
    Measure.NOT_APPLICABLE,
    Measure.ACCEPTED,
    Measure.SUBMITTED,
    Measure.OPEN,
    Measure.OVERDUE,
    Measure.LATE,
    Measure.EXTENDED,
    Measure.BACKLOG,
    "completion",
    "settled",
    "on_time",
    "on_time_original",
)
LEADS: Sequence[Shown] = (
    Measure.REQUIRED,
    Measure.ACCEPTED,
    "completion",
    "settled",
    "on_time",
    "on_time_original",
    Measure.OVERDUE,
    Measure.BACKLOG,
)
GROUPED: Sequence[Shown] = (
    Measure.REQUIRED,
    Measure.ACCEPTED,
    "completion",
    "on_time",
    Measure.OVERDUE,
    Measure.BACKLOG,
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first columns, so many as `texts`, hold text and the others numbers.

    Attributes:
        called: the column that says what a row is about.
    """

    title: str
    head: Sequence[str]
    texts: int
    rows: Sequence[Sequence[Cell]]
    called: int = 0


def whole_table(figures: Figures, t: Texts) -> Table:
    """All together: a row for each measure, a column for each group."""
    groups = [figures.whole.lead, figures.whole.co, figures.whole.soft]
    rows = [[named(t, one), *(cell(counts, one) for counts in groups)] for one in WHOLE]
    head = [t.columns["item"], *(t.groups[one] for one in (Group.LEAD, Group.CO, Group.SOFT))]
    return Table(t.says["overview"], head, 1, rows)


def regions_table(figures: Figures, t: Texts) -> Table:
    """The regions by rank, then the first region's own agencies, then all together."""
    own = [Ranked(None, one) for one in figures.regions[:1]]
    rows = _ranked(t, [*figures.region_league, *own], figures)
    head = [t.columns["rank"], t.columns["region"], *(named(t, one) for one in LEADS)]
    return Table(t.says["regions-table"], head, 2, rows, called=1)


def departments_table(figures: Figures, t: Texts) -> Table:
    """The departments by rank, then all together."""
    rows = _ranked(t, figures.department_league, figures)
    head = [t.columns["rank"], t.columns["department"], *(named(t, one) for one in LEADS)]
    return Table(t.says["departments-table"], head, 2, rows, called=1)


def _ranked(t: Texts, league: Iterable[Ranked], figures: Figures) -> list[list[Cell]]:
    rows: list[list[Cell]] = [
        [
            "" if one.rank is None else str(one.rank),
            name_of(one.line, figures, t),
            *_leads(one.line),
        ]
        for one in league
        if tells(one.line.lead)
    ]
    return [*rows, ["", t.says["whole"], *_leads(figures.whole)]]


def _leads(line: Line) -> list[Cell]:
    return [cell(line.lead, one) for one in LEADS]


def target_table(figures: Figures, target: TargetFigures, t: Texts) -> Table:
    """A target's newest figures: a row for each region that was asked, then all together."""
    names = {one.key: name_of(one, figures, t) for one in figures.regions}
    newest = target.whole.latest and target.whole.latest.period
    rows: list[list[Cell]] = []
    for line in (*target.regions, target.whole):
        at = line.latest
        fresh = at and (at.fresh if at.period == newest else 0)  # so that the rows add up
        shown: list[Cell] = [at and at.reported, fresh, at and at.ratio.upper]
        shown += [at and at.ratio.lower, line.against, line.distance, line.change]
        rows.append([names.get(line.key, t.says["whole"]), *shown])
    head = [t.columns["region"], t.measures[Measure.REPORTED], t.columns["fresh"]]
    head += [target.numerator, target.denominator]
    head += [t.columns[one] for one in ("percent", "distance", "change")]
    title = t.says["target-table"].format(title=target.title)
    if newest and newest != figures.period:
        title += t.says["of-period"].format(period=period_in_words(t, newest))
    return Table(title, head, 1, rows)


def others_table(figures: Figures, t: Texts) -> Table:
    """Co-responsible and soft duties of regions and departments; no row where there are none."""
    lines = [*figures.regions, *figures.departments]
    head = [t.columns["place"]]
    return _grouped(figures, t, t.sections["others"], head, lines, (Group.CO, Group.SOFT))


def clauses_table(figures: Figures, t: Texts) -> Table:
    """The clauses, a row for each group that they have duties of."""
    head = [t.columns["clause"]]
    groups = (Group.LEAD, Group.CO, Group.SOFT)
    return _grouped(figures, t, t.sections["clauses"], head, figures.clauses, groups)


def _grouped(
    figures: Figures,
    t: Texts,
    title: str,
    head: Sequence[str],
    lines: Iterable[Line],
    groups: Sequence[Group],
) -> Table:
    rows = [
        [name_of(line, figures, t), t.groups[group], *(cell(counts, one) for one in GROUPED)]
        for line in lines
        for group, counts in grouped(line)
        if group in groups
    ]
    return Table(title, [*head, t.columns["group"], *(named(t, one) for one in GROUPED)], 2, rows)


def grouped(line: Line) -> Iterator[tuple[Group, Counts]]:
    """The groups of which a line has anything to tell."""
    found = {Group.LEAD: line.lead, Group.CO: line.co, Group.SOFT: line.soft}
    return (one for one in found.items() if tells(one[1]))


def tells(counts: Counts) -> bool:
    """Whether duties fell due in the period, or are overdue from before."""
    return bool(counts[Measure.TOTAL] or counts[Measure.BACKLOG])


def named(t: Texts, one: Shown) -> str:
    """What a column is headed."""
    return t.measures[one] if isinstance(one, Measure) else t.rates[one]


def cell(counts: Counts, one: Shown) -> Number | Rate:
    """What a column shows of some duties."""
    return counts[one] if isinstance(one, Measure) else getattr(counts, one)


def name_of(line: Line, figures: Figures, t: Texts) -> str:
    """A line's name; that of the first region says that only its own agencies are meant."""
    first = figures.regions[0] if figures.regions else None
    if first is not None and line.key == first.key and line.level:
        return t.says["own"].format(name=line.name)
    return line.name


def shown(one: Cell) -> str:
    """A cell as text: one decimal for per cent and points, a dash where there is nothing.

    A share beside its target has more where it takes them; see `duban.targets.Against`.
    """
    match one:
        case None | "":
            return "—"
        case Rate() | Ratio():
            return "—" if one.percent is None else f"{one.percent:.1f}%"
        case float():
            return written(one, "+").replace("-", "−") if one else "0.0"
        case _:
            return str(one)
