"""Progress of the targets from accepted numerators and denominators, period by period."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from duban.duty import Standing, Status, overdue
from duban.ledger.snapshots import Aim, Fact, Item, Snapshot
from duban.period import period_of
from duban.reports.asked import Measure, Sought
from duban.reports.figures import Number, Ratio, TargetFigures, TargetLine, TargetPoint

MOST_PERIODS = 8


def target_figures(seen: Snapshot) -> list[TargetFigures]:
    """The clauses with a target, in the registry's order."""
    zone = ZoneInfo(seen.zone)
    return [_figures(seen, item, item.aim, zone) for item in seen.clauses if item.aim]


def counted(facts: Iterable[Fact], aim: Aim, zone: ZoneInfo, upto: str) -> list[Fact]:
    """The duties whose figures count as of a period: each agency's newest accepted ones, by number.

    Those of an agency that is no more count until its heir has figures of a later period, which
    speak of the same schools.

    Args:
        facts: duties of one clause.
        upto: the name of the period up to which figures are looked at.
    """
    newest: dict[str, tuple[tuple[str, datetime], Fact]] = {}
    for fact in facts:
        if fact.status is not Status.ACCEPTED or fact.figures is None or fact.nil:
            continue
        rank = spoken_of(fact, aim, zone), fact.submitted_at or fact.opened_at
        known = newest.get(fact.agency)
        if rank[0] <= upto and (known is None or known[0] <= rank):
            newest[fact.agency] = rank, fact
    left = [
        fact
        for (period, _), fact in newest.values()
        if fact.heir not in newest or newest[fact.heir][0][0] <= period
    ]
    return sorted(left, key=lambda one: one.id)


def spoken_of(fact: Fact, aim: Aim, zone: ZoneInfo) -> str:
    """The period that figures speak of.

    Of a duty with periods of another kind, such as a single deadline, it is the period in which
    they were handed in.
    """
    day = (fact.submitted_at or fact.opened_at).astimezone(zone).date()
    there = period_of(aim.every, day).name
    return fact.period if _shape(fact.period) == _shape(there) else there


def _shape(name: str) -> str:
    return re.sub(r"\d", "0", name)


def _figures(seen: Snapshot, item: Item, aim: Aim, zone: ZoneInfo) -> TargetFigures:
    facts = [fact for fact in seen.facts if fact.clause == item.key]
    asked = {one.agency.partition("/")[0] for one in facts}
    return TargetFigures(
        clause=item.key,
        title=f"{item.number} {item.title}",
        field=aim.label,
        numerator=aim.numerator,
        denominator=aim.denominator,
        every=aim.every,
        at_least=aim.at_least,
        whole=_line(item.key, aim, zone, facts),
        regions=[
            _line(item.key, aim, zone, facts, place.key, place.name)
            for place in seen.places
            if place.key in asked
        ],
        missing=_missing(seen, facts),
    )


def _line(
    clause: str, aim: Aim, zone: ZoneInfo, facts: Sequence[Fact], region: str = "", name: str = ""
) -> TargetLine:
    own = [fact for fact in facts if region in ("", fact.agency.partition("/")[0])]
    sure = [one for one in own if one.status is Status.ACCEPTED and one.figures and not one.nil]
    periods = sorted({spoken_of(fact, aim, zone) for fact in sure})[-MOST_PERIODS:]
    trend = [_point(clause, aim, zone, own, region, period) for period in periods]
    return TargetLine(region, name, trend, aim.at_least)


def _point(
    clause: str, aim: Aim, zone: ZoneInfo, facts: Sequence[Fact], region: str, period: str
) -> TargetPoint:
    found = counted(facts, aim, zone, period)
    ratios = [one.figures for one in found if one.figures]
    sought = Sought(Measure.REPORTED, region=region, clause=clause, period=period)
    return TargetPoint(
        period=period,
        ratio=Ratio(sum(upper for upper, _ in ratios), sum(lower for _, lower in ratios)),
        reported=Number(len(found), sought),
        fresh=sum(spoken_of(one, aim, zone) == period for one in found),
    )


def _missing(seen: Snapshot, facts: Iterable[Fact]) -> list[str]:
    """Who owes figures of the newest period that has fallen due, by name; not who has an extension.

    Agencies may have different due days for one period, each by its own calendar.
    """
    due = [one for one in facts if one.original_due_at < seen.at]
    newest = max((one.original_due_at for one in due), default=None)
    asked = {(one.cycle, one.period) for one in due if one.original_due_at == newest}
    owing = [
        one
        for one in due
        if (one.cycle, one.period) in asked
        and overdue(Standing(one.status, one.due_at, one.soft), seen.at)
    ]
    return [seen.agencies.get(one.agency, one.agency) for one in owing]
