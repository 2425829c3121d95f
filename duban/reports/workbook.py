"""A bulletin as a workbook: its tables with every measure, and the duties that they count."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from duban.ledger.snapshots import Snapshot
from duban.reports.asked import Measure
from duban.reports.duties import WIDTHS, Duties
from duban.reports.figures import Figures, Line, Number, Ranked, Rate, TargetFigures
from duban.reports.prose import notes
from duban.reports.tables import EVERYTHING, Cell, Shown, cell, grouped, name_of, named, tells
from duban.reports.texts import Texts, texts
from duban.reports.voice import Voice
from duban.targets import Against, Ratio
from duban.words import period_prose, words
from duban.xlsx import Book, Column, Look
from duban.xlsx import Cell as Written

PLAIN = Look()
PERCENT = Look(number="0.0%")
POINTS = Look(number="+0.0;-0.0;0.0")
RANKED: Sequence[Shown] = (
    "settled",
    "on_time",
    Measure.OVERDUE,
    Measure.BACKLOG,
    Measure.JUDGED,
    Measure.REQUIRED,
    "completion",
)
_SHARE, _DISTANCE = 5, 7
"""Columns of the targets whose decimals depend on the row."""
_TEXT = {"target": 46, "region": 16, "department": 16, "clause": 34, "group": 14, "rank": 8}


def write(target: Path | IO[bytes], figures: Figures, seen: Snapshot) -> None:
    """Writes the workbook; the same figures and snapshot always make the same bytes.

    Args:
        seen: the snapshot that the figures were counted from. Its duties of the period, and those
            of the backlog, go to the disk one by one.

    Raises:
        SheetFull: over a million duties.
    """
    t = texts(figures.language)
    title = _title(Voice(figures))
    with Book(target, title=title, language=t.language, made=figures.cut_off) as book:
        _Workbook(book, figures, seen, t).write()


@dataclass(frozen=True, slots=True)
class _Workbook:
    """The sheets of a bulletin."""

    book: Book
    figures: Figures
    seen: Snapshot
    t: Texts

    def write(self) -> None:
        figures, t = self.figures, self.t
        self._lines("whole", "item", [figures.whole])
        self._lines("regions", "region", figures.regions)
        self._lines("departments", "department", figures.departments)
        self._lines("clauses", "clause", figures.clauses)
        self._targets()
        self._league()
        self._duties()
        voice = Voice(figures)
        above = [voice.label] if voice.label else []
        wide = [Column(t.columns["note"], 110)]
        last = self.book.sheet(t.sections["notes"], wide, above=above)
        for note in (*notes(voice), figures.snapshot):
            last.row([note])

    def _lines(self, section: str, about: str, lines: Iterable[Line]) -> None:
        """A row for each group of each line, with everything that is counted of it."""
        head = [self._text(about), self._text("group"), *map(self._column, EVERYTHING)]
        sheet = self.book.sheet(self.t.sections[section], head, above=self._above(), frozen=2)
        for line in lines:
            name = name_of(line, self.figures, self.t) or self.t.says["whole"]
            for group, counts in grouped(line):
                told = (_value(cell(counts, one)) for one in EVERYTHING)
                sheet.row([name, self.t.groups[group], *told])

    def _targets(self) -> None:
        """A row for each target, region and period."""
        c = self.t.columns
        head = [self._text(one) for one in ("target", "region", "period")]
        head += [_column(c[one]) for one in ("upper", "lower")]
        head += [_column(c[one], PERCENT) for one in ("percent", "at_least")]
        head += [_column(c["distance"], POINTS)]
        head += [_column(self.t.measures[Measure.REPORTED]), _column(c["fresh"])]
        sheet = self.book.sheet(self.t.sections["targets"], head, above=self._above(), frozen=3)
        for target in self.figures.targets:
            for row, looks in self._points(target):
                sheet.row(row, looks)

    def _points(self, target: TargetFigures) -> Iterator[tuple[list[Written], dict[int, Look]]]:
        names = {one.key: name_of(one, self.figures, self.t) for one in self.figures.regions}
        w = words(self.t.language)
        for line in (target.whole, *target.regions):
            for point in line.trend:
                at = point.ratio.against(target.at_least)
                row: list[Written] = [
                    f"{target.title} {target.field}",
                    names.get(line.key, self.t.says["whole"]),
                    period_prose(w, point.period),
                    point.ratio.upper,
                    point.ratio.lower,
                    _value(point.ratio),
                    target.at_least / 100,
                    at.distance,
                    point.reported.value,
                    point.fresh,
                ]
                yield row, {_SHARE: _decimals(PERCENT, at), _DISTANCE: _decimals(POINTS, at)}

    def _league(self) -> None:
        head = [self._text("kind"), self._text("rank"), self._text("name")]
        head += map(self._column, RANKED)
        sheet = self.book.sheet(self.t.sections["league"], head, above=self._above(), frozen=3)
        leagues: Iterable[tuple[str, Sequence[Ranked]]] = (
            ("regions-league", self.figures.region_league),
            ("departments-league", self.figures.department_league),
        )
        for key, league in leagues:
            for rank, line in ((one.rank, one.line) for one in league if tells(one.line.lead)):
                shown = (_value(cell(line.lead, one)) for one in RANKED)
                name = name_of(line, self.figures, self.t)
                sheet.row([self.t.says[key], rank, name, *shown])

    def _duties(self) -> None:
        head = [Column(self.t.columns[key], width) for key, width in WIDTHS.items()]
        sheet = self.book.sheet(self.t.sections["duties"], head, above=self._above(), frozen=2)
        for row, looks in Duties(self.seen, self.figures.frame, self.t).rows():
            sheet.row(row, looks)

    def _text(self, key: str) -> Column:
        return Column(self.t.columns[key], _TEXT.get(key, 16))

    def _column(self, one: Shown) -> Column:
        return _column(named(self.t, one), PLAIN if isinstance(one, Measure) else PERCENT)

    def _above(self) -> list[str]:
        voice = Voice(self.figures)
        return [_title(voice), voice.made]


def _title(voice: Voice) -> str:
    """It stands on every sheet and so says there if nothing is meant in earnest."""
    return " ".join(filter(None, (voice.label, voice.title)))


def _column(title: str, look: Look = PLAIN) -> Column:
    """As wide as its heading, since Excel does not make room for a second line."""
    wide = sum(2 if one > "\u2e7f" else 1.1 for one in title)
    return Column(title, max(9, wide + 2), look)


def _decimals(look: Look, at: Against) -> Look:
    """A look with as many decimals as a share beside its target is shown with."""
    return replace(look, number=look.number.replace("0.0", f"0.{'0' * at.decimals}"))


def _value(one: Cell) -> Written:
    """A number as a number; a rate as its exact share, of which the cell shows one decimal."""
    match one:
        case Number():
            return one.value
        case Rate() | Ratio() | Against():
            return None if one.share is None else float(one.share)
        case _:
            return one
