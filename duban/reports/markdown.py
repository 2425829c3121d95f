"""A bulletin as Markdown, for Prefect's page and files: every number leads to its duties."""

from collections.abc import Callable, Iterator

from duban.markdown import ROWS, joined, plain, table
from duban.markdown import link as linked
from duban.reports import prose
from duban.reports.asked import Sought
from duban.reports.figures import Figures, Number
from duban.reports.parts import RUN_IN, Part, parts
from duban.reports.tables import Cell, Table, shown
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
        told = [
            f"# {plain(self.voice.title)}",
            f"> {plain(self.voice.label)}" if self.figures.label else "",
            f"> {plain(state)}" if state else "",
            prose.opening(self.voice),
            *(text for one in parts(self.voice) for text in self._part(one)),
            f"`{self.figures.snapshot}`",
        ]
        return joined(told) + "\n"

    def _part(self, one: Part) -> Iterator[str]:
        if one.level == RUN_IN:
            yield " ".join((f"**{one.title}**", *one.sentences))
            return
        yield f"{'#' * one.level} {one.title}"
        if one.listed:
            yield "\n".join(f"{n}. {said}" for n, said in enumerate(one.sentences, start=1))
        else:
            yield from one.sentences
        if one.table:
            yield self._table(one.table)

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
