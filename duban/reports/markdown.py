"""A bulletin as Markdown, for Prefect's page and the portal: every number leads to its duties."""

from collections.abc import Callable, Iterable, Iterator

from duban.markdown import ROWS, joined, plain, table
from duban.markdown import link as linked
from duban.reports import prose
from duban.reports.asked import Sought
from duban.reports.figures import Figures, Number
from duban.reports.problems import asks, problems
from duban.reports.tables import (
    Cell,
    Table,
    clauses_table,
    departments_table,
    others_table,
    regions_table,
    shown,
    target_table,
    whole_table,
)
from duban.reports.texts import numeral
from duban.reports.voice import Voice

Link = Callable[[Sought], str]
"""The address of a list of duties."""


def markdown(figures: Figures, link: Link, *, state: str) -> str:
    """The bulletin; the same figures always make the same text.

    Args:
        state: a sentence that says whether it is a draft, and until when objections are heard.
    """
    return _Page(figures, link).all(state)


class _Page:
    """A bulletin under way."""

    def __init__(self, figures: Figures, link: Link) -> None:
        self.figures, self.link = figures, link
        self.voice = Voice(figures, self._number, plain)
        self.t = self.voice.t

    def all(self, state: str) -> str:
        sections = {
            "whole": self._whole(),
            "regions": self._regions(),
            "departments": self._departments(),
            "targets": self._targets(),
            "problems": self._problems(),
            "asks": asks(self.voice),
            "others": [self._table(others_table(self.figures, self.t))],
            "clauses": [self._table(clauses_table(self.figures, self.t))],
            "notes": [*_numbered(prose.notes(self.voice)), f"`{self.figures.snapshot}`"],
        }
        told = [
            f"# {plain(self.voice.title)}",
            f"> {plain(state)}" if state else "",
            prose.opening(self.voice),
        ]
        for n, (key, parts) in enumerate(sections.items(), start=1):
            told += [f"## {self._heading('heading', n, self.t.sections[key])}", *parts]
        return joined(told) + "\n"

    def _whole(self) -> Iterator[str]:
        yield from prose.whole(self.voice)
        yield self._table(whole_table(self.figures, self.t))

    def _regions(self) -> Iterator[str]:
        yield prose.league(self.voice, self.figures.region_league)
        yield self._table(regions_table(self.figures, self.t))

    def _departments(self) -> Iterator[str]:
        yield prose.league(self.voice, self.figures.department_league)
        yield self._table(departments_table(self.figures, self.t))

    def _targets(self) -> Iterator[str]:
        if not self.figures.targets:
            yield self.t.says["no-targets"]
        for n, target in enumerate(self.figures.targets, start=1):
            yield f"### {self._heading('sub', n, plain(target.title))}"
            yield from prose.target(self.voice, target)
            yield self._table(target_table(self.figures, target, self.t))

    def _problems(self) -> Iterator[str]:
        found = problems(self.voice)
        if not found:
            yield self.t.says["no-problem"]
        for n, one in enumerate(found, start=1):
            yield f"**{self._heading('sub', n, one.title)}** {one.sentence}"

    def _heading(self, key: str, n: int, title: str) -> str:
        return self.t.says[key].format(numeral=numeral(self.t, n), title=title)

    def _table(self, made: Table) -> str:
        if not made.rows:
            return self.t.says["nothing"]
        rows = [[self._cell(one) for one in row] for row in made.rows[:ROWS]]
        left = len(made.rows) - len(rows)
        head = [plain(one) for one in made.head]
        more = self.t.says["omitted"].format(n=left) if left else ""
        return joined((table(head, len(head) - made.texts, rows), more))

    def _cell(self, one: Cell) -> str:
        return self._number(one) if isinstance(one, Number) else plain(shown(one))

    def _number(self, one: Number) -> str:
        return linked(one.value, self.link(one.behind)) if one else "0"


def _numbered(notes: Iterable[str]) -> Iterator[str]:
    yield "\n".join(f"{n}. {note}" for n, note in enumerate(notes, start=1))
