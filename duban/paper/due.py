"""Says days in prose: a due day, and where that comes from."""

from collections.abc import Iterator

from duban.paper.facts import Due
from duban.paper.texts import Texts
from duban.period import DayInPeriod, Every, Period
from duban.words import civil_words


def due_words(t: Texts, due: Due) -> str:
    """The due day in prose, with its time where the day does not end it."""
    day = civil_words(t.language, due.day)
    return day if due.cut_off == "24:00" else f"{day} {due.cut_off}"


def derivation(t: Texts, due: Due) -> str:
    """One sentence: 每年12月10日前报送；通知未写明时限，系督办安排。"""
    return t.says["semicolon"].join(_parts(t, due)) + t.says["stop"]


def _parts(t: Texts, due: Due) -> Iterator[str]:
    yield _rule(t, due)
    # A note beside the notice's own words must not read as if these went on.
    noted = t.says["noted" if due.basis == "text" else "brackets"].format(due.note)
    yield t.bases[due.basis] + (noted if due.note else "")
    original = civil_words(t.language, due.original)
    if due.nominal is not None and due.nominal != due.original:
        nominal = civil_words(t.language, due.nominal)
        key = "later" if due.original > due.nominal else "earlier"
        yield t.says[key].format(nominal=nominal, day=original)
    if due.day != due.original:
        yield t.says["moved"].format(original=original)
    if due.provisional:
        yield t.says["provisional"]


def _rule(t: Texts, due: Due) -> str:
    """The rule as prose: 每季度第3个月20日前报送."""
    placed = DayInPeriod.parse(due.rule, due.every)
    if due.every is Every.ONCE:
        return t.rules["once"].format(day=civil_words(t.language, placed.on(Period(due.every))))
    yearly = "-of-year" if due.every.months == 12 else ""
    day = t.says["last" + yearly if placed.day == 0 else "day" + yearly].format(
        day=placed.day, month=placed.month, name=t.months[placed.month - 1]
    )
    following = "following-" if placed.following else ""
    return t.rules[f"{following}{due.every}"].format(day=day, nth=t.nth[placed.month - 1])
