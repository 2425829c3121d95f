"""Progress of the targets from accepted numerators and denominators, period by period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from duban.duty import Standing, overdue
from duban.ledger.snapshots import Aim, Fact, Item, Snapshot
from duban.period import period_of
from duban.reports.asked import Measure, Sought
from duban.reports.figures import Number, TargetFigures, TargetLine, TargetPoint
from duban.targets import Reckoning, total

MOST_PERIODS = 8


def target_figures(seen: Snapshot, last: date) -> list[TargetFigures]:
    """The clauses with a target, in the registry's order.

    Args:
        last: the last day of the bulletin's period; figures that speak of periods beginning after
            it do not count.
    """
    return [_figures(seen, item, item.aim, last) for item in seen.clauses if item.aim]


def reckoning(seen: Snapshot, aim: Aim) -> Reckoning:
    """How figures for an aim are told."""
    return Reckoning(aim.every, ZoneInfo(seen.zone))


def _figures(seen: Snapshot, item: Item, aim: Aim, last: date) -> TargetFigures:
    facts = [fact for fact in seen.facts if fact.clause == item.key]
    asked = {_region_of(one) for one in facts}
    told, upto = reckoning(seen, aim), period_of(aim.every, last).name
    progress = _Progress(item.key, aim.at_least, told, upto, facts)
    owed, missing = _missing(seen, facts, told, upto)
    return TargetFigures(
        clause=item.key,
        title=f"{item.number} {item.title}",
        field=aim.label,
        numerator=aim.numerator,
        denominator=aim.denominator,
        every=aim.every,
        at_least=aim.at_least,
        each=aim.each,
        whole=progress.line(),
        regions=[progress.line(one.key, one.name) for one in seen.places if one.key in asked],
        owed=owed,
        missing=missing,
    )


@dataclass(frozen=True)
class _Progress:
    """How far a clause has come, from its duties."""

    clause: str
    at_least: float
    told: Reckoning
    upto: str
    facts: Sequence[Fact]

    def line(self, region: str = "", name: str = "") -> TargetLine:
        """That of a region, or of all."""
        own = [fact for fact in self.facts if region in ("", _region_of(fact))]
        periods = [one for one in self.told.periods(own) if one <= self.upto]
        trend = [self._point(own, region, period) for period in periods[-MOST_PERIODS:]]
        return TargetLine(region, name, trend, self.at_least)

    def _point(self, facts: Sequence[Fact], region: str, period: str) -> TargetPoint:
        found = self.told.counted(facts, period)
        sought = Sought(Measure.REPORTED, region=region, clause=self.clause, period=period)
        return TargetPoint(
            period=period,
            ratio=total(found),
            reported=Number(len(found), sought),
            fresh=sum(self.told.spoken_of(one) == period for one in found),
        )


def _region_of(fact: Fact) -> str:
    """The key of its agency's region."""
    return fact.agency.partition("/")[0]


def _missing(
    seen: Snapshot, facts: Iterable[Fact], told: Reckoning, upto: str
) -> tuple[str, list[str]]:
    """The newest period up to one whose figures have fallen due, and who owes them, by name.

    Agencies may have different due days for one period, each by its own calendar. Who has an
    extension owes nothing yet.
    """

    def asked_of(one: Fact) -> str:
        return told.named(one.period, one.original_due_at)

    due = [one for one in facts if one.original_due_at < seen.at and asked_of(one) <= upto]
    newest = max((one.original_due_at for one in due), default=None)
    asked = {(one.cycle, one.period) for one in due if one.original_due_at == newest}
    owing = [
        one
        for one in due
        if (one.cycle, one.period) in asked
        and overdue(Standing(one.status, one.due_at, one.soft), seen.at)
    ]
    names = [seen.agencies.get(one.agency, one.agency) for one in owing]
    return max(map(asked_of, owing), default=""), names
