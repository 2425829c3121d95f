"""What is wrong by a bulletin's figures, and what is asked of whom; nothing where nothing is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from duban.reports.asked import Group, Measure
from duban.reports.figures import Line, Number, TargetFigures
from duban.reports.prose import said_if, short_names
from duban.reports.voice import Voice, together

NAMED = 3
"""So many are named as those with most; a few more where they are equal."""

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """A shortcoming; `key` is that of what is asked for it, in `Texts.asks`."""

    key: str
    title: str
    sentence: str


def problems(voice: Voice) -> list[Problem]:
    """What is overdue, came late, is left from before, misses its target or was not reported."""
    targets = voice.figures.targets
    short = [_off(voice, one) for one in targets if _short(one)]
    missing = [_owed(voice, one) for one in targets if one.missing]
    return [
        *_duties(voice, "overdue", Measure.OVERDUE),
        *_duties(voice, "late", Measure.LATE, Group.LEAD),
        *_duties(voice, "backlog", Measure.BACKLOG),
        *_figures(voice, "short", short),
        *_figures(voice, "missing", missing),
    ]


def asks(voice: Voice) -> list[str]:
    """What follows from what is wrong."""
    found = [voice.t.asks[one.key] for one in problems(voice)] or [voice.say("go-on")]
    waiting = together(voice.figures.whole, Measure.SUBMITTED)
    return [*found, *said_if(voice, "review", waiting)]


def _duties(
    voice: Voice, key: str, measure: Measure, group: Group = Group.ALL
) -> Iterator[Problem]:
    n = together(voice.figures.whole, measure, group)
    if not n:
        return
    title, sentence = voice.t.problems[key]
    regions = _with(voice.figures.regions, measure, group)
    departments = _with(voice.figures.departments, measure, group)
    where = voice.say("most", regions=_most(voice, regions), departments=_most(voice, departments))
    told = {"n": n, "regions": len(regions), "departments": len(departments), "most": where}
    yield Problem(key, title, voice.fill(sentence, **told))


def _with(lines: Iterable[Line], measure: Measure, group: Group) -> list[tuple[Line, Number]]:
    found = [(line, together(line, measure, group)) for line in lines]
    return [one for one in found if one[1]]


def _most(voice: Voice, found: Sequence[tuple[Line, Number]]) -> str:
    chosen = most(found)
    names = voice.join(voice.say("count", name=voice.name(line), n=n) for line, n in chosen)
    return names if len(chosen) == len(found) else voice.say("and-more", names=names)


def most(found: Sequence[tuple[Line, Number]]) -> list[tuple[Line, Number]]:
    """Those with most, the most first.

    Equals are named together or not at all, unless all have the same: then all are.
    """
    ordered = sorted(found, key=lambda one: -one[1].value)
    if len(ordered) <= NAMED:
        return ordered
    least = ordered[NAMED - 1][1].value
    chosen = [one for one in ordered if one[1].value >= least]
    if len(chosen) <= MOST_NAMED:
        return chosen
    return [one for one in ordered if one[1].value > least] or chosen


def _figures(voice: Voice, key: str, told: Sequence[str]) -> Iterator[Problem]:
    if told:
        title, sentence = voice.t.problems[key]
        yield Problem(key, title, voice.fill(sentence, **{key: voice.t.says["stop"].join(told)}))


def _short(target: TargetFigures) -> bool:
    """All regions together have figures and miss the target, or one of those that each have to."""
    missed = target.whole.latest is not None and not target.whole.reached
    return missed or (target.each and bool(target.short))


def _off(voice: Voice, target: TargetFigures) -> str:
    assert target.whole.latest
    of = voice.unless_own("of-period", target.whole.latest.period)
    given = {"field": voice.text(target.field) + of, "distance": voice.distance(target)}
    if not (target.each and target.short):
        return voice.say("off", **given)
    names = short_names(voice, target)
    return voice.say("off-each", **given, n=len(target.short), names=names)


def _owed(voice: Voice, target: TargetFigures) -> str:
    of = voice.unless_own("of-period", target.owed)
    return f"{voice.text(target.field)}{of}{voice.t.says['colon']}{voice.agencies(target.missing)}"
