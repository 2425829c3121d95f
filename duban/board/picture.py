"""The progress of the targets as a picture: a dot for each agency, and the line to reach."""

import base64
import io
import warnings
from collections.abc import Sequence
from typing import Any

from duban.board.day import Day
from duban.board.markdown import Board
from duban.board.targets import Progress, TargetProgress, without_figures
from duban.markdown import joined, plain

DRAWN = 40  # more lines than these cannot be read
WIDTH, HEAD, LINE = 7.2, 1.05, 0.27  # inches, the head of a panel and a line of it
MET, SHORT, FAINT, INK, GRID = "#1a7f5a", "#c8402f", "#8a8f98", "#20242b", "#e3e5e8"
FONTS = ["Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif"]


def picture(day: Day, found: Sequence[TargetProgress]) -> Board:
    """The picture as a board; the reader's browser draws its letters.

    It stands in Markdown: an image artifact would show its address, which is the whole picture.
    """
    drawn = [one for one in found if one.whole]
    body = joined(
        (
            f"![{day.w.boards['targets']}]({_address(svg(day, drawn))})" if drawn else "",
            day.w.boards["legend" if drawn else "nothing-yet"],
            *(_left_out(day, one) for one in drawn),
        )
    )
    return day.board("targets-picture", body)


def _address(drawing: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"


def _left_out(day: Day, one: TargetProgress) -> str:
    """Who is not drawn: those without figures, and those beyond `DRAWN`."""
    left = len(one.with_figures) - DRAWN
    more = day.w.boards["omitted"].format(n=left) if left > 0 else ""
    told = " ".join(filter(None, (more, without_figures(day, one))))
    return plain(f"{one.placed.number} {told}") if told else ""


def svg(day: Day, found: Sequence[TargetProgress]) -> str:
    """The drawing, a panel for each target."""
    import matplotlib  # it takes over a second to load, once a day
    from matplotlib.figure import Figure

    library: Any = matplotlib
    heights = [HEAD + LINE * (1 + min(DRAWN, len(one.with_figures))) for one in found]
    given = {"svg.fonttype": "none", "svg.hashsalt": "duban", "font.family": "sans-serif"}
    with library.rc_context(given), warnings.catch_warnings():
        # It measures letters with its own font, which has no Chinese; it does not draw them.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure: Any = Figure(figsize=(WIDTH, sum(heights)))
        top = 1.0
        for one, height in zip(found, heights, strict=True):
            share = height / sum(heights)
            inner = (0.13, top - share + 0.32 * share / height, 0.74, share * (1 - 0.92 / height))
            _panel(day, figure.add_axes(inner), one)
            top -= share
        sink = io.StringIO()
        figure.savefig(sink, format="svg", metadata={"Date": None})
    return _with_fonts(sink.getvalue())


def _with_fonts(drawing: str) -> str:
    """Names the fonts of people's machines; what was measured with is not among them."""
    names = ", ".join(f"'{one}'" if " " in one else one for one in FONTS)
    return drawing.replace("'DejaVu Sans'", names).replace("DejaVu Sans", names)


def _panel(day: Day, axes: Any, one: TargetProgress) -> None:
    lines = [Progress(day.w.boards["whole"], "", one.whole), *one.with_figures[:DRAWN]]
    for row, line in enumerate(lines):
        _dots(axes, row, line, one.at_least, whole=row == 0)
    axes.axvline(one.at_least, color=INK, linewidth=1.1, linestyle=(0, (4, 2)), zorder=1)
    title = f"{one.placed.number} {one.placed.clause.title}"
    target = day.w.boards["target"].format(n=f"{one.at_least:g}")
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=20, fontweight="bold")
    place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    axes.annotate(target, (one.at_least, 1), (0, 4), ha="center", fontsize=9, color=INK, **place)
    axes.set_yticks(range(len(lines)), [line.name for line in lines], fontsize=9, color=INK)
    axes.get_yticklabels()[0].set_fontweight("bold")
    _frame(axes, len(lines), _least(one, lines))


def _least(one: TargetProgress, lines: Sequence[Progress]) -> float:
    """Where the axis begins: a little below the lowest of what is shown, in tens."""
    shown = [ratio.percent for line in lines for ratio in _ratios(line)]
    return max(0.0, 10 * ((min(*shown, one.at_least) - 3) // 10))


def _ratios(line: Progress) -> list[Any]:
    return [ratio for ratio in (line.latest and line.latest[1], line.before) if ratio]


def _frame(axes: Any, lines: int, least: float) -> None:
    axes.set_ylim(lines - 0.5, -0.5)
    axes.set_xlim(least, 100 + (100 - least) * 0.01)
    axes.axhline(0.5, color=GRID, linewidth=1)
    axes.xaxis.set_major_formatter("{x:g}%")
    axes.tick_params(axis="x", labelsize=8, colors=FAINT, length=0)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID, linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _dots(axes: Any, row: int, line: Progress, target: float, *, whole: bool) -> None:
    """The newest figures full, those before hollow, a line between; what waits is a diamond."""
    assert line.latest
    against = line.latest[1].against(target)
    at, colour = against.percent, MET if against.reached else SHORT
    if line.before:
        axes.plot([line.before.percent, at], [row, row], color=colour, alpha=0.4, zorder=2)
        axes.plot(line.before.percent, row, "o", markersize=6, markerfacecolor="white",
                  markeredgecolor=colour, zorder=3)  # fmt: skip
    if line.in_review:
        axes.plot(line.in_review[1].percent, row, "D", markersize=5, markerfacecolor="white",
                  markeredgecolor=FAINT, zorder=3)  # fmt: skip
    axes.plot(at, row, "o", markersize=9 if whole else 7, color=colour, zorder=4)
    axes.annotate(f"{against}", (1.015, row), xycoords=("axes fraction", "data"), va="center",
                  fontsize=9, color=colour, fontweight="bold" if whole else "normal")  # fmt: skip
