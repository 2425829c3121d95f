"""A bulletin as an official document (通报), by the measures of GB/T 9704."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from duban.paper.page import WIDTH, Page
from duban.reports import prose
from duban.reports.charts import Chart
from duban.reports.figures import Figures
from duban.reports.problems import asks, problems
from duban.reports.tables import (
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
from duban.words import civil_words

POINT = 25.4 / 72
"""Millimetres."""

AROUND = 4.0
"""Millimetres: the air on both sides of a cell."""

WIDEST = 15
"""Characters; longer texts of a table are broken."""

HEAD_LINES = 3
"""So many lines a heading of a table may take before it makes its column wider."""


def docx(
    figures: Figures,
    *,
    number: str,
    issued: date | None,
    draft: str,
    charts: Sequence[Chart],
) -> bytes:
    """The bulletin as a Word file; the same arguments always make the same bytes.

    Args:
        number: the document number (发文字号), empty before there is one.
        issued: the civil day it is dated; None before it is issued.
        draft: a sentence over the title that says it is one, empty otherwise. That it is of a
            simulation is said anyhow.
        charts: see `duban.reports.charts`; those of which there are none are left out.
    """
    return _Bulletin(figures, charts, issued).content(number, draft)


class _Bulletin:
    """A document under way."""

    def __init__(self, figures: Figures, charts: Sequence[Chart], issued: date | None) -> None:
        self.figures, self.issued = figures, issued
        self.charts = {one.about: one for one in charts}
        self.voice = Voice(figures)
        self.t = self.voice.t
        self.page = Page(
            self.t.language,
            title=self.voice.title,
            author=figures.issuer,
            day=issued or figures.cut_off.astimezone(ZoneInfo(figures.zone)).date(),
            subject=self.voice.made,
        )

    def content(self, number: str, draft: str) -> bytes:
        if said := " ".join(filter(None, (self.voice.label, draft))):
            self.page.line(said, align="left", small=True)
            self.page.gap()
        if number:
            self.page.number(number)
        self.page.title(self.voice.title)
        self.page.to(self.t.says["to"])
        self.page.text(prose.opening(self.voice))
        self._body()
        self._sign()
        self._annexes()
        return self.page.content()

    def _body(self) -> None:
        figures, t, voice = self.figures, self.t, self.voice
        self._section(1, "whole", prose.whole(voice))
        self._table(whole_table(figures, t))
        self._section(2, "regions", [prose.league(voice, figures.region_league)])
        self._chart("")
        self._table(regions_table(figures, t))
        self._section(3, "departments", [prose.league(voice, figures.department_league)])
        self._table(departments_table(figures, t))
        self._targets()
        self._problems()
        self._section(6, "asks", self._listed(asks(voice)))

    def _section(self, n: int, key: str, paragraphs: Sequence[str]) -> None:
        self.page.heading(self._numbered("heading", n, self.t.sections[key]))
        for one in paragraphs:
            self.page.text(one)

    def _targets(self) -> None:
        targets = self.figures.targets
        self._section(4, "targets", () if targets else [self.t.says["no-targets"]])
        for n, target in enumerate(targets, start=1):
            self.page.heading(self._numbered("sub", n, target.title), 2)
            for one in prose.target(self.voice, target):
                self.page.text(one)
            self._chart(target.clause)
            self._table(target_table(self.figures, target, self.t))

    def _problems(self) -> None:
        found = problems(self.voice)
        self._section(5, "problems", () if found else [self.t.says["no-problem"]])
        for n, one in enumerate(found, start=1):
            self.page.heading(self._numbered("sub", n, one.title), 2)
            self.page.text(one.sentence)

    def _sign(self) -> None:
        day = self.issued and civil_words(self.t.language, self.issued)
        names = [self.t.sections[one] for one in ("clauses", "others", "notes")]
        self.page.attachments(self.t.says["annexes"], names)
        self.page.signature(self.figures.issuer, day or self.t.says["no-day"])

    def _annexes(self) -> None:
        tables = [clauses_table(self.figures, self.t), others_table(self.figures, self.t)]
        for n, table in enumerate(tables, start=1):
            self._annex(n, table.title)
            self._grid(table)
        self._annex(3, self.t.sections["notes"])
        for n, note in enumerate(prose.notes(self.voice), start=1):
            self.page.text(f"{n}. {note}")
        digest = self.figures.snapshot
        parts = [digest[at : at + 16] for at in range(0, len(digest), 16)]
        self.page.line(" ".join(parts), align="left", small=True)

    def _annex(self, n: int, title: str) -> None:
        self.page.turn()
        self.page.line(self.t.says["annex-n"].format(n=n), align="left")
        self.page.title(title)

    def _table(self, table: Table) -> None:
        """A table with its title above and a little air below."""
        self.page.line(table.title, small=True)
        self._grid(table)
        self.page.gap(8)

    def _grid(self, table: Table) -> None:
        if not table.rows:
            self.page.text(self.t.says["nothing"])
            return
        rows = [[shown(one) for one in row] for row in table.rows]
        align = ["left" if n < table.texts else "right" for n in range(len(table.head))]
        em = self.page.type.small * POINT
        self.page.table(table.head, rows, widths=widths(table.head, rows, em), align=align)

    def _chart(self, about: str) -> None:
        if chart := self.charts.get(about):
            self.page.picture(chart.png, caption=chart.title)

    def _numbered(self, key: str, n: int, title: str) -> str:
        return self.t.says[key].format(numeral=numeral(self.t, n), title=title)

    def _listed(self, sentences: Sequence[str]) -> list[str]:
        return [self._numbered("sub", n, one) for n, one in enumerate(sentences, start=1)]


def widths(head: Sequence[str], rows: Sequence[Sequence[str]], em: float) -> list[float]:
    """Widths of columns in millimetres, `WIDTH` together: what stands in them fits if it can.

    Where it is too much the widest columns give way, down to a width that they then share.

    Args:
        em: the width of a Chinese character in millimetres.
    """
    needed = [
        AROUND + em * max([_head_ems(title), *(min(_ems(row[n]), WIDEST) for row in rows)])
        for n, title in enumerate(head)
    ]
    if sum(needed) <= WIDTH:
        return [WIDTH * one / sum(needed) for one in needed]
    most = _shared(needed)
    return [min(one, most) for one in needed]


def _shared(needed: Sequence[float]) -> float:
    """The width at which all columns together, none of them wider than that, fill the page."""
    left = WIDTH
    for n, one in enumerate(sorted(needed)):
        share = left / (len(needed) - n)
        if one > share:
            return share
        left -= one
    return left


def _head_ems(title: str) -> float:
    """Latin words stay whole, Chinese ones need not."""
    whole = [_ems(one) for one in title.split()] if title.isascii() else []
    return max(_ems(title) / HEAD_LINES, *whole, 0.0)


def _ems(text: str) -> float:
    """How wide a text is, in Chinese characters."""
    return sum(1.0 if one > "\u2e7f" or one == "%" else 0.62 for one in text)
