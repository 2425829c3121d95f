"""The pictures of a bulletin, as PNG that is always the same on one machine.

Their letters are drawn with a font of the machine; none comes with Duban.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from duban.errors import DubanError
from duban.reports.figures import Figures, Line, Rate, TargetFigures, TargetPoint
from duban.reports.tables import tells
from duban.reports.texts import Texts, texts
from duban.targets import written
from duban.words import period_words, words

SIZE = (6.14, 2.6)
"""Inches; the width is that of the type area, 156 mm."""

DOTS = 200
"""To an inch."""

ABREAST = {"zh": 62, "en": 100}
"""Names with more letters than these do not stand side by side."""

TOLD = 15
"""With more regions than these the bars have no numbers."""

BAR, BESIDE, FAINT, INK, GRID, AIM = (
    "#1f5f8b",
    "#e0a030",
    "#8a8f98",
    "#20242b",
    "#e3e5e8",
    "#c8402f",
)
CHINESE = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Heiti SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimSun",
    "Noto Serif CJK SC",
    "Noto Sans CJK JP",  # how an older matplotlib calls the first one
)
"""Fonts with Chinese letters, the best first."""

LATIN = "DejaVu Sans"
"""It comes with matplotlib."""


_DRAWING = Lock()
"""One at a time: matplotlib's fonts are a setting of the whole process."""


class NoChineseFont(DubanError):
    """The charts need a font with Chinese letters; install one (Debian: fonts-noto-cjk)."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and what stands below it; `about` is a target's clause, empty for all regions."""

    about: str
    title: str
    png: bytes


def charts(figures: Figures) -> list[Chart]:
    """Completion and on time by region, then each target that has figures.

    Raises:
        NoChineseFont: the machine has no font for a bulletin in Chinese.
    """
    t = texts(figures.language)
    fonts = _fonts(t.language)
    lines = [one for one in figures.regions if tells(one.lead)]
    wanted: list[tuple[str, str, Callable[[Any], None]]] = []
    if lines:
        own = figures.regions[0]
        names = [t.chart["own"] if one is own else one.name for one in lines]
        wanted.append(("", t.chart["completion"], partial(_bars, lines, names, t)))
    for target in figures.targets:
        if target.whole.trend:
            title = t.chart["target-title"].format(field=target.field)
            wanted.append((target.clause, title, partial(_trend, target, t)))
    return [Chart(about, title, _png(fonts, draw)) for about, title, draw in wanted]


def _fonts(language: str) -> list[str]:
    """What letters are drawn with, and what is asked for those that it lacks."""
    from matplotlib import font_manager  # it takes over a second to load

    library: Any = font_manager
    there = set(library.get_font_names())
    chinese = [one for one in CHINESE if one in there][:1]
    if language != "zh":
        return [LATIN, *chinese]
    if not chinese:
        raise NoChineseFont
    return [*chinese, LATIN]


def _png(fonts: Sequence[str], draw: Callable[[Any], None]) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    library: Any = matplotlib
    with _DRAWING, library.rc_context({"font.family": list(fonts), "font.size": 9}):
        figure: Any = Figure(figsize=SIZE, dpi=DOTS)
        draw(figure)
        sink = io.BytesIO()
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(sink, metadata={"Software": None})
    return sink.getvalue()


def _bars(lines: Sequence[Line], names: Sequence[str], t: Texts, figure: Any) -> None:
    """A pair of bars for each region, the rates in per cent above them."""
    upright = sum(len(one) + 1 for one in names) > ABREAST[t.language]
    foot = 0.34 if upright else 0.13
    axes = figure.add_axes((0.06, foot, 0.93, 0.85 - foot))
    for n, line in enumerate(lines):
        rates = ((-0.22, line.lead.completion, BAR), (0.22, line.lead.on_time, BESIDE))
        for shift, rate, colour in rates:
            _bar(axes, n + shift, rate, colour, told=len(lines) <= TOLD)
    axes.set_xticks(range(len(lines)), names, rotation=90 if upright else 0)
    axes.set_xlim(-0.6, len(lines) - 0.4)
    axes.set_ylim(0, 108)
    axes.set_yticks((0, 25, 50, 75, 100))
    _frame(axes)
    for colour, key in ((BAR, "completion-bar"), (BESIDE, "on-time-bar")):
        axes.bar(0, 0, color=colour, label=t.chart[key])
    _legend(figure, axes)


def _bar(axes: Any, at: float, rate: Rate, colour: str, *, told: bool) -> None:
    """A bar and its per cent; a dash where there is no rate."""
    percent = rate.percent
    axes.bar(at, percent or 0, width=0.4, color=colour, zorder=2)
    if told:
        text = "–" if percent is None else f"{percent:.1f}".replace("100.0", "100")
        axes.annotate(text, (at, percent or 0), (0, 2), textcoords="offset points", ha="center",
                      fontsize=6, color=INK)  # fmt: skip


def _trend(target: TargetFigures, t: Texts, figure: Any) -> None:
    """All regions together over the periods, the span of the single ones behind, and the aim."""
    axes = figure.add_axes((0.07, 0.13, 0.8, 0.72))
    trend = target.whole.trend
    against = [one.ratio.against(target.at_least) for one in trend]
    whole = [one.percent for one in against]
    spans = [_span(target, one.period) for one in trend]
    places = range(len(trend))
    lows, highs = [low for low, _ in spans], [high for _, high in spans]
    axes.vlines(places, lows, highs, color=FAINT, linewidth=5, alpha=0.35, label=t.chart["span"])
    axes.plot(places, whole, "o-", color=BAR, linewidth=2, label=t.chart["whole"], zorder=3)
    for n, percent in enumerate(whole):
        falls = n + 1 < len(whole) and whole[n + 1] < percent
        beside = (5, 5 if falls else -12)  # off the line
        axes.annotate(written(percent), (n, percent), beside, textcoords="offset points",
                      fontsize=8, color=BAR, fontweight="bold")  # fmt: skip
    axes.axhline(target.at_least, color=AIM, linewidth=1.1, linestyle=(0, (4, 2)), zorder=2)
    aim = t.chart["target"].format(n=f"{target.at_least:g}")
    axes.annotate(aim, (1.01, target.at_least), xycoords=("axes fraction", "data"),
                  va="center", fontsize=8, color=AIM)  # fmt: skip
    axes.set_xticks(places, [period_words(words(t.language), one.period) for one in trend])
    axes.set_xlim(-0.4, len(trend) - 0.4)
    least = min((*lows, target.at_least), default=0.0)
    axes.set_ylim(max(0.0, 10 * ((least - 2) // 10)), 102)
    _frame(axes)
    _legend(figure, axes)


def _span(target: TargetFigures, period: str) -> tuple[float, float]:
    """The lowest and the highest region as of a period."""
    newest = (
        max((one for one in line.trend if one.period <= period), key=_period, default=None)
        for line in target.regions
    )
    found = [one.ratio.percent for one in newest if one]
    return min(found, default=0.0), max(found, default=0.0)


def _period(point: TargetPoint) -> str:
    return point.period


def _frame(axes: Any) -> None:
    axes.tick_params(axis="x", length=0, labelsize=8, colors=INK)
    axes.tick_params(axis="y", length=0, labelsize=8, colors=FAINT)
    axes.grid(axis="y", color=GRID, linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    for name, side in axes.spines.items():
        side.set_visible(name == "bottom")
        side.set_color(FAINT)


def _legend(figure: Any, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=len(labels), frameon=False,
                  fontsize=8, bbox_to_anchor=(0.99, 1.0))  # fmt: skip
