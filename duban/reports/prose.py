"""What a bulletin says of its figures: each sentence follows from them by a rule."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from duban.period import period_named
from duban.reports.asked import Measure
from duban.reports.figures import Counts, Line, Number, Ranked, TargetFigures, TargetLine
from duban.reports.tables import shown
from duban.reports.texts import period_in_words
from duban.reports.voice import Voice, together

NAMED = 3
"""At most so many are named as first, and as last, and never more than a third of the ranked."""

FEWEST = 4
"""Among fewer, nobody is called first or last."""


def opening(voice: Voice) -> str:
    """What this is, by which notices, and of which duties."""
    key = "opening-so-far" if voice.figures.under_way else "opening"
    given = {"notices": voice.notices, "period": voice.period, "cut_off": voice.cut_off}
    return voice.say(key, **given, **voice.span)


def whole(voice: Voice) -> list[str]:
    """All together; lead, co-responsible and soft apart."""
    line = voice.figures.whole
    if not any(line.numbers()):
        return [voice.say("nothing")]
    groups = {"lead": line.lead, "co": line.co, "soft": line.soft}
    total = {key: counts[Measure.TOTAL] for key, counts in groups.items()}
    return [
        voice.say("total", total=together(line, Measure.TOTAL), **total),
        _counts(voice, "lead", line.lead) + _more(voice, line.lead),
        *(_counts(voice, key, groups[key]) for key in ("co", "soft") if total[key]),
        *said_if(voice, "backlog", together(line, Measure.BACKLOG)),
    ]


def _counts(voice: Voice, key: str, counts: Counts) -> str:
    return voice.say(
        key,
        required=counts[Measure.REQUIRED],
        nil=counts[Measure.NIL],
        excused=counts[Measure.NOT_APPLICABLE],
        accepted=counts[Measure.ACCEPTED],
        submitted=counts[Measure.SUBMITTED],
        open=counts[Measure.OPEN],
        overdue=counts[Measure.OVERDUE],
        completion=voice.rate(counts.completion),
        settled=voice.rate(counts.settled),
        on_time=voice.rate(counts.on_time),
        on_time_original=voice.rate(counts.on_time_original),
    )


def _more(voice: Voice, lead: Counts) -> str:
    gap = "" if voice.t.language == "zh" else " "
    found = {"extended": lead[Measure.EXTENDED], "shared": lead[Measure.SHARED]}
    more = [said for key, n in found.items() for said in said_if(voice, key, n)]
    return "".join(f"{gap}{one}" for one in more)


def said_if(voice: Voice, key: str, n: Number) -> Iterator[str]:
    """A sentence on so many, unless there are none."""
    if n:
        yield voice.say(key, n=n)


def league(voice: Voice, found: Sequence[Ranked]) -> str:
    """Who is first and who is last; equals are named together or not at all.

    Nobody is named as last of whose matters due all are accepted. Where equal shares are put in an
    order, what decided between them is said.
    """
    ranked = [(one.rank, one.line) for one in found if one.rank is not None]
    if not ranked:
        return voice.say("unranked")
    if len(ranked) < FEWEST:
        return voice.say("too-few", n=FEWEST)
    if ranked[-1][0] == 1:
        return voice.say("equal", n=len(ranked), rate=shown(ranked[0][1].lead.settled))
    most, ranks = min(NAMED, len(ranked) // 3), [rank for rank, _ in ranked]
    first = [line for rank, line in ranked if bisect_right(ranks, rank) <= most]
    rest = [line for rank, line in ranked if len(ranks) - bisect_left(ranks, rank) <= most]
    last = [line for line in rest if line.lead.settled.share != 1]
    named = {"best": first, "worst": last}
    told = [voice.say(key, names=_rated(voice, lines)) for key, lines in named.items() if lines]
    said = voice.say("ranks", told=voice.t.says["stop"].join(told)) if told else voice.say("close")
    return said + (voice.say("tie-break") if _decided_otherwise(ranked, [*first, *last]) else "")


def _decided_otherwise(ranked: Sequence[tuple[int, Line]], named: Sequence[Line]) -> bool:
    """Whether one of those who are named stands apart from another with the same share."""
    ranks = defaultdict[Fraction | None, set[int]](set)
    for rank, line in ranked:
        ranks[line.lead.settled.share].add(rank)
    return any(len(ranks[line.lead.settled.share]) > 1 for line in named)


def _rated(voice: Voice, lines: Iterable[Line]) -> str:
    return voice.join(
        voice.say("ranked", name=voice.name(one), rate=shown(one.lead.settled)) for one in lines
    )


def target(voice: Voice, found: TargetFigures) -> list[str]:
    """How far a target is reached, where it is not, and who owes figures."""
    aim = {"field": voice.text(found.field), "at_least": f"{found.at_least:g}%"}
    at = found.whole.latest
    if at is None:
        return [voice.say("target-none", **aim), *_missing(voice, found)]
    told = voice.say(
        "target",
        **aim,
        as_of=voice.unless_own("as-of", at.period),
        numerator=voice.text(found.numerator),
        denominator=voice.text(found.denominator),
        reported=at.reported,
        upper=at.ratio.upper,
        lower=at.ratio.lower,
        percent=shown(found.whole.against),
        distance=voice.distance(found),
        change=_change(voice, found.whole),
    )
    return [told, *_short(voice, found), *_missing(voice, found)]


def _change(voice: Voice, line: TargetLine) -> str:
    points = line.change
    if points is None:
        return ""
    key = "up" if points > 0 else "down" if points < 0 else "same"
    return voice.say(key, n=f"{abs(points):g}", before=_before(voice, line))


def _before(voice: Voice, line: TargetLine) -> str:
    """What a change is measured from: the period before the bulletin's, or another by its name."""
    assert line.latest
    assert line.before
    own, name = period_named(voice.figures.period), line.before.period
    if own and (name, line.latest.period) == (own.previous.name, own.name):
        return voice.say("before")
    return period_in_words(voice.t, name)


def _short(voice: Voice, found: TargetFigures) -> Iterator[str]:
    if found.short:
        yield voice.say("short", names=short_names(voice, found))


def short_names(voice: Voice, found: TargetFigures) -> str:
    """The regions below a target, each with its share."""
    return voice.join(
        voice.say("ranked", name=voice.place(line.key), rate=shown(line.against))
        for line in found.short
    )


def _missing(voice: Voice, found: TargetFigures) -> Iterator[str]:
    if found.missing:
        period = period_in_words(voice.t, found.owed)
        if found.owed == voice.figures.period:
            period = voice.say("newest")
        yield voice.say("missing", period=period, names=voice.agencies(found.missing))


def notes(voice: Voice) -> list[str]:
    """What the figures count; the snapshot's digest is to follow the last one."""
    figures, t = voice.figures, voice.t
    zone = voice.text(t.zones.get(figures.zone, figures.zone))
    given = {**voice.span, "cut_off": voice.cut_off, "zone": zone, "seq": figures.seq}
    return [voice.fill(note, **given) for note in t.notes]
