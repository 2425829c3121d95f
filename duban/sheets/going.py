"""The 台账 as a workbook, row by row, however long it is."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO

from sqlalchemy import select

from duban.ledger import Ledger
from duban.ledger.browsing import Selection, Then, Today
from duban.ledger.database import reading
from duban.ledger.label import label_of
from duban.ledger.past import duties_as_of
from duban.ledger.questions import DutyView, versions_of
from duban.ledger.tables import ClauseVersion
from duban.registry import Clause, instant
from duban.sheets import lines
from duban.sheets.cells import figures_of
from duban.sheets.gathering import in_order, known
from duban.sheets.texts import Texts, texts
from duban.words import words
from duban.xlsx import Book, Sheet


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are written, of how many."""

    rows: int
    of: int


def moment_of(ledger: Ledger, now: datetime, as_of: date | None) -> Today | Then:
    """The duties now, or at the end of a civil day that is past."""
    if as_of is None:
        return Today(ledger, now)
    evening = instant(as_of, "24:00", ledger.registry.first_notice.zone)
    return Then(ledger, evening, duties_as_of(ledger, evening))


def export(
    when: Today | Then,
    selection: Selection,
    target: Path | IO[bytes],
    *,
    at: datetime,
    language: str,
    by_region: bool = False,
    own: bool = False,
) -> Iterator[Progress]:
    """Writes the duties of a selection; goes on as long as its progress is asked for.

    One look is not one transaction: what changes while it runs may or may not show, each line is
    true by itself.

    Args:
        at: when this is, for the heading.
        by_region: a sheet for each region.
        own: for the agency itself; see `duban.sheets.lines.Liner`.

    Raises:
        SheetFull: over a million lines in one sheet.
    """
    ledger = when.ledger
    t, total, done = texts(language), when.count(selection), 0
    past = isinstance(when, Then)
    figures = _most_figures(when, selection)
    liner = lines.Liner(ledger, t, words(t.language), when.now, figures, past=past, own=own)
    until = (when.now, ledger.registry.today(when.now)) if past else None
    title = _marked(ledger, t, t.says["ledger"])
    with Book(target, title=title, language=t.language, made=at) as book:
        pages = _Pages(book, when, t, figures, at, Counter({"": total}))
        if by_region:
            pages.open_all(selection)
        yield Progress(0, total)
        for batch in in_order(when, selection):
            told = known(ledger, batch, until)
            for duty in batch:
                pages.add(duty, liner, told[duty.id], by_region=by_region)
            done += len(batch)
            yield Progress(done, max(total, done))
        pages.finish()


def _above(when: Today | Then, t: Texts, total: int, at: datetime) -> list[str]:
    zone = when.ledger.registry.first_notice.zone
    if isinstance(when, Then):
        day = when.now.astimezone(zone).date()
        note = t.says["ledger-past-note"].format(count=total)
        return [_marked(when.ledger, t, t.says["ledger-past"].format(day=day)), note]
    told = f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
    note = t.says["ledger-note"].format(count=total, at=told)
    return [_marked(when.ledger, t, t.says["ledger"]), note]


def _marked(ledger: Ledger, t: Texts, title: str) -> str:
    """A title; on a simulation it says so first."""
    label = label_of(ledger)
    return t.says["marked"].format(label=label, title=title) if label else title


def _most_figures(when: Today | Then, selection: Selection) -> int:
    """How many figures a duty of the selection can have at most, under any version."""
    found = {one.clause for one in when.counted(selection)}
    with reading(when.ledger.engine) as connection:
        rows = connection.execute(select(ClauseVersion.__table__)).mappings()
        clauses = versions_of(row for row in rows if row["clause"] in found)
    return max((len(figures_of(one)) for one in clauses.values()), default=0)


@dataclass
class _Run:
    """Lines that follow one another under one version of a clause."""

    clause: Clause
    first: int
    last: int


@dataclass
class _Page:
    sheet: Sheet
    run: _Run | None = None


@dataclass
class _Pages:
    """The sheets, and which of them a duty goes to."""

    book: Book
    when: Today | Then
    texts: Texts
    figures: int
    at: datetime
    totals: Counter[str]
    """Duties by region, and of all under the empty one."""
    pages: dict[str, _Page] = field(default_factory=dict[str, _Page])

    def open_all(self, selection: Selection) -> None:
        """A sheet for each region of the selection, in the order of agencies.yaml."""
        known = [agency.region for agency in self.when.ledger.registry.agencies.values()]
        for one in self.when.counted(selection):
            self.totals[one.agency.partition("/")[0]] += one.count
        for region in dict.fromkeys([*known, *sorted(self.totals)]):
            if region and self.totals[region]:
                self._page(region)

    def add(
        self, duty: DutyView, liner: lines.Liner, known: lines.Known, *, by_region: bool
    ) -> None:
        """A line for a duty."""
        page = self._page(duty.agency.region if by_region else "")
        line = page.sheet.row(*liner.line(duty, known))
        if page.run is None or page.run.clause is not duty.clause:
            self._allow(page)
            page.run = _Run(duty.clause, line, line)
        page.run.last = line

    def finish(self) -> None:
        """Says what may be typed in the last lines; a book without duties has a sheet too."""
        for page in [*self.pages.values()] or [self._page("")]:
            self._allow(page)

    def _allow(self, page: _Page) -> None:
        run, sheet, t = page.run, page.sheet, self.texts
        if run is None or isinstance(self.when, Then):
            return
        value = len(lines.BEFORE) + 1
        for n, one in enumerate(figures_of(run.clause)):
            sheet.allow(value + 2 * n, run.first, run.last, lines.rule_of(one, t))
        for column in (len(lines.BEFORE) - 1, len(lines.BEFORE) + 2 * self.figures):
            sheet.allow(column, run.first, run.last, lines.note_rule(t))

    def _page(self, region: str) -> _Page:
        if region not in self.pages:
            columns = [*lines.columns(self.texts, self.figures).values()]
            name = self._name(region) or self.texts.says["ledger"]
            above = _above(self.when, self.texts, self.totals[region], self.at)
            sheet = self.book.sheet(name, columns, above=above, frozen=3, protected=True)
            self.pages[region] = _Page(sheet)
        return self.pages[region]

    def _name(self, region: str) -> str:
        agencies = self.when.ledger.registry.agencies.values()
        return next((one.region_name for one in agencies if one.region == region), region)
