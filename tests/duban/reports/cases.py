"""Snapshots to count: small ones written by hand, and one as large as the real notice's."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from duban.duty import Status
from duban.ledger.snapshots import Aim, Fact, Item, Part, Place, Snapshot, Source
from duban.period import Every, Period, period_of
from duban.registry import Clause, PlacedClause, Registry
from duban.registry.evidence import RatioField
from duban.reports.counting import figures
from duban.reports.voice import Voice
from tests.conftest import SHANGHAI, china

QUARTER = period_of(Every.QUARTER, china("2026-08-01").date())
CUT_OFF = china("2026-10-08", "23:59:59")
DUE = china("2026-09-20", "23:59:59")

ISSUER = "某省教育厅"
NOTICE = Source("某省教育厅等三部门", "某教〔2023〕6号", "学生心理健康工作")
TITLE = "某省教育厅关于2026年第三季度学生心理健康工作督办情况的通报"

STAFFED = Aim("配备率", "已配备学校", "学校", 95.0, Every.QUARTER)
ITEMS = (
    Item("n/1", "1", "家长课堂"),
    Item("n/2", "2", "配备率95%", STAFFED),
    Item("n/3", "3", "探索活动"),
)
PLACES = (Place("省", "某省", "province"), Place("东", "东市", "city"), Place("西", "西市", "city"))
AGENCIES = {
    f"{region}/{department}": f"{name}{department}"
    for region, name in (("省", "省"), ("东", "东市"), ("西", "西市"))
    for department in ("教育", "妇联")
}

ONE = Fact(
    id=1,
    clause="n/1",
    cycle="report",
    agency="东/妇联",
    period="2026Q3",
    part=Part.LEAD,
    soft=False,
    status=Status.OPEN,
    nil=False,
    opened_at=china("2026-07-01"),
    original_due_at=DUE,
    due_at=DUE,
    submitted_at=None,
    closed_at=None,
)
"""A duty that is open, and overdue at the cut-off."""


def accepted(one: Fact, day: str) -> Fact:
    """The duty, accepted with what came on that day."""
    came = china(day)
    return replace(one, status=Status.ACCEPTED, submitted_at=came, closed_at=came)


def snapshot_of(
    facts: Iterable[Fact], *, at: datetime = CUT_OFF, places: Sequence[Place] = PLACES
) -> Snapshot:
    """A snapshot of these duties; those without a number of their own get one."""
    numbered = [replace(one, id=n) for n, one in enumerate(facts, start=1)]
    return Snapshot(
        at=at,
        seq=1234,
        chain="c0ffee",
        zone="Asia/Shanghai",
        language="zh",
        issuer=ISSUER,
        label="",
        notices=[NOTICE],
        places=places,
        agencies=AGENCIES,
        clauses=ITEMS,
        facts=numbered,
    )


GOOD, LATE = accepted(ONE, "2026-09-01"), accepted(ONE, "2026-09-28")
EARLY = replace(ONE, original_due_at=china("2026-03-20"), due_at=china("2026-03-20"))


def voice(*facts: Fact, language: str = "zh") -> Voice:
    """How a bulletin of these duties speaks."""
    return Voice(figures(replace(snapshot_of(facts), language=language), QUARTER))


def as_large_as(registry: Registry, seed: int = 7) -> Snapshot:
    """Every tracked clause in the third quarter of 2026, as dice make it, with what lies before."""
    dice = Random(seed)
    skill = {one.region: 0.72 + 0.28 * dice.random() for one in registry.agencies.values()}
    facts: list[Fact] = []
    for placed in registry.tracked:
        periods = [QUARTER]
        if placed.clause.target:
            periods = [Period(Every.QUARTER, china(f"2025-{m}-01").date()) for m in ("07", "10")]
            periods += [QUARTER.previous.previous, QUARTER.previous, QUARTER]
        for period in periods:
            facts += _facts(placed, period, dice, skill)
    regions = {one.region: one for one in reversed([*registry.agencies.values()])}
    order = dict.fromkeys(one.region for one in registry.agencies.values())
    return Snapshot(
        at=CUT_OFF,
        seq=48213,
        chain="5f" * 32,
        zone="Asia/Shanghai",
        language="zh",
        issuer=ISSUER,
        label="",
        notices=[NOTICE],
        places=[Place(key, regions[key].region_name, regions[key].level) for key in order],
        agencies={one.id: one.name for one in registry.agencies.values()},
        clauses=[_item(placed) for placed in registry.tracked],
        facts=[replace(one, id=n) for n, one in enumerate(facts, start=1)],
    )


def _item(placed: PlacedClause) -> Item:
    clause = placed.clause
    return Item(placed.key, placed.number, clause.title, _aim(clause))


def _aim(clause: Clause) -> Aim | None:
    field = clause.field(clause.target.field) if clause.target else None
    if not clause.target or not isinstance(field, RatioField):
        return None
    wanted = clause.target.at_least
    return Aim(field.label, field.numerator, field.denominator, wanted, Every.QUARTER)


def _facts(
    placed: PlacedClause, period: Period, dice: Random, skill: dict[str, float]
) -> list[Fact]:
    made: list[Fact] = []
    assert period.start
    for agency in placed.reporters:
        opened = datetime.combine(period.start, datetime.min.time(), SHANGHAI)
        due = opened + timedelta(days=80, seconds=-1)
        good = dice.random() < skill[agency.region]
        later = dice.random() < 0.06
        one = replace(
            ONE,
            clause=placed.key,
            agency=agency.id,
            period=period.name,
            part=Part.LEAD if agency.id in placed.leads else Part.CO,
            soft=placed.clause.modality == "soft",
            opened_at=opened,
            original_due_at=due,
            due_at=due + timedelta(days=10) if later else due,
            extended_to=due + timedelta(days=10) if later else None,
            copied=tuple(other.id for other in placed.copied.get(agency.id, ())),
        )
        aim = placed.clause.target.at_least if placed.clause.target else None
        made.append(_played(one, good=good, dice=dice, aim=aim))
    return made


def _played(one: Fact, *, good: bool, dice: Random, aim: float | None) -> Fact:
    chance = dice.random()
    came = one.due_at - timedelta(days=dice.randint(0, 25), hours=7)
    if aim is not None:
        one = replace(one, figures=_ratio(one, aim, dice))
    if good and chance < 0.04 and aim is None:
        return replace(one, status=Status.NOT_APPLICABLE)
    if good:
        nil = chance > 0.93 and aim is None
        return replace(one, status=Status.ACCEPTED, nil=nil, submitted_at=came, closed_at=came)
    if chance < 0.3:
        late = one.due_at + timedelta(days=2, hours=5)
        return replace(one, status=Status.ACCEPTED, submitted_at=late, closed_at=late)
    if chance < 0.5:
        return replace(one, status=Status.SUBMITTED, submitted_at=came)
    return replace(one, status=Status.RETURNED if chance < 0.6 else Status.OPEN, figures=None)


def _ratio(one: Fact, aim: float, dice: Random) -> tuple[int, int]:
    """So many of so many, which grow from well below the aim to about it."""
    whole = 40 + 13 * (sum(map(ord, one.agency)) % 14)
    quarters = int(one.period[:4]) * 4 + int(one.period[-1]) - 8103
    share = aim / 100 * (0.8 + 0.035 * quarters + 0.08 * dice.random())
    return min(whole, round(whole * share)), whole
