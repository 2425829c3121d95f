"""Progress of the targets from accepted numerators and denominators, period by period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from duban.duty import Standing, overdue
from duban.ledger.snapshots import Aim, Fact, Item, Snapshot
from duban.reports.asked import Measure, Sought
from duban.reports.figures import Number, TargetFigures, TargetLine, TargetPoint
from duban.targets import Reckoning, total

MOST_PERIODS = 8


def target_figures(seen: Snapshot) -> list[TargetFigures]:
    """The clauses with a target, in the registry's order."""
    return [_figures(seen, item, item.aim) for item in seen.clauses if item.aim]


def reckoning(seen: Snapshot, aim: Aim) -> Reckoning:
    """How figures for an aim are told."""
    return Reckoning(aim.every, ZoneInfo(seen.zone))


def _figures(seen: Snapshot, item: Item, aim: Aim) -> TargetFigures:
    facts = [fact for fact in seen.facts if fact.clause == item.key]
    asked = {_region_of(one) for one in facts}
    progress = _Progress(item.key, aim.at_least, reckoning(seen, aim), facts)
    return TargetFigures(
        clause=item.key,
        title=f"{item.number} {item.title}",
        field=aim.label,
        numerator=aim.numerator,
        denominator=aim.denominator,
        every=aim.every,
        at_least=aim.at_least,
        whole=progress.line(),
        regions=[progress.line(one.key, one.name) for one in seen.places if one.key in asked],
        missing=_missing(seen, facts),
    )


@dataclass(frozen=True)
class _Progress:
    """How far a clause has come, from its duties."""

    clause: str
    at_least: float
    told: Reckoning
    facts: Sequence[Fact]

    def line(self, region: str = "", name: str = "") -> TargetLine:
        """That of a region, or of all."""
        own = [fact for fact in self.facts if region in ("", _region_of(fact))]
        periods = self.told.periods(own)[-MOST_PERIODS:]
        trend = [self._point(own, region, period) for period in periods]
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
