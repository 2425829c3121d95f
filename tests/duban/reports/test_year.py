"""A year's bulletin against figures that plain SQL counts in the live tables."""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, text

from duban.errors import DubanError
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties
from duban.ledger.snapshots import snapshot
from duban.ledger.tables import Instant
from duban.period import Every, period_of
from duban.reports.asked import Group, Measure, Sought
from duban.reports.counting import behind, figures
from duban.reports.figures import Figures
from tests.conftest import Project, china

BEGIN, CUT_OFF = china("2025-10-02"), china("2027-01-10")
YEAR = period_of(Every.YEAR, date(2026, 1, 1))
Do = Callable[[Ledger, DutyView, datetime, random.Random], object]


def submit(ledger: Ledger, duty: DutyView, now: datetime, chance: random.Random) -> None:
    empty = chance.random() < 0.2 and duty.clause.target is None
    cover = Cover(statement="本期无") if empty else None
    share = [chance.randint(0, 40), 40]
    evidence = Checked({"classes": 1, "progress": "x", "summary": "x", "share": share}, ())
    acts.submit(ledger, duty.id, evidence, [], by=duty.agency.id, now=now, cover=cover)


def extend(ledger: Ledger, duty: DutyView, now: datetime, chance: random.Random) -> None:
    due_on = max(duty.due_at, now).date() + timedelta(days=chance.randint(2, 40))
    acts.extend(ledger, duty.id, due_on=due_on, reason="x", by="省", now=now)


def accept(ledger: Ledger, duty: DutyView, now: datetime, chance: random.Random) -> None:
    del chance
    acts.accept(ledger, duty.id, by="省", now=now)


ACTS: list[Do] = [
    *[submit] * 4,
    extend,
    *[accept] * 3,
    lambda ledger, duty, now, _: acts.send_back(ledger, duty.id, reason="x", by="省", now=now),
    lambda ledger, duty, now, _: acts.waive(ledger, duty.id, reason="x", by="省", now=now),
    lambda ledger, duty, now, _: acts.reopen(ledger, duty.id, reason="x", by="省", now=now),
]


def live(ledger: Ledger, seed: int = 3) -> None:
    """Opens everything for fifteen months, and lets agencies and coordinators act at random."""
    chance, now = random.Random(seed), BEGIN
    while now < CUT_OFF - timedelta(days=4):
        open_missing(ledger, now)
        for duty in chance.sample(found := duties(ledger), min(3, len(found))):
            with suppress(DubanError):  # what the rules do not allow
                chance.choice(ACTS)(ledger, duty, now, chance)
        now += timedelta(days=3, minutes=chance.randint(0, 600))


IN_PERIOD = "original_due_at >= :begins AND original_due_at < :ends"
EXCUSED = "status IN ('waived', 'not-applicable')"
NIL = "nil AND status IN ('submitted', 'accepted')"
REQUIRED = f"{IN_PERIOD} AND NOT ({EXCUSED}) AND NOT ({NIL})"
WAITING = "status IN ('open', 'returned')"
OVERDUE = f"NOT soft AND {WAITING} AND due_at < :cut_off"
IN_TIME = "status = 'accepted' AND submitted_at <= {}"
JUDGED = "{} < :cut_off AND status <> 'submitted'"

SQL = {
    Measure.TOTAL: IN_PERIOD,
    Measure.REQUIRED: REQUIRED,
    Measure.NIL: f"{IN_PERIOD} AND {NIL}",
    Measure.NOT_APPLICABLE: f"{IN_PERIOD} AND {EXCUSED}",
    Measure.ACCEPTED: f"{REQUIRED} AND status = 'accepted'",
    Measure.SUBMITTED: f"{REQUIRED} AND status = 'submitted'",
    Measure.OPEN: f"{REQUIRED} AND {WAITING}",
    Measure.OVERDUE: f"{REQUIRED} AND {OVERDUE}",
    Measure.JUDGED_ORIGINAL: f"{REQUIRED} AND {JUDGED.format('original_due_at')}",
    Measure.ON_TIME_ORIGINAL: " AND ".join(
        (REQUIRED, JUDGED.format("original_due_at"), IN_TIME.format("original_due_at"))
    ),
    Measure.JUDGED: f"{REQUIRED} AND {JUDGED.format('due_at')}",
    Measure.SETTLED: f"{REQUIRED} AND {JUDGED.format('due_at')} AND status = 'accepted'",
    Measure.ON_TIME: " AND ".join((REQUIRED, JUDGED.format("due_at"), IN_TIME.format("UNTIL"))),
    Measure.LATE: f"{REQUIRED} AND status = 'accepted' AND submitted_at > UNTIL",
    Measure.EXTENDED: f"{IN_PERIOD} AND due_at > original_due_at",
    Measure.BACKLOG: f"original_due_at < :begins AND {OVERDUE}",
    # Of the small notice, clause 1 alone has somebody who takes part: each city's 教育.
    Measure.SHARED: f"{IN_PERIOD} AND clause = 'small/1'",
}
# Of the small notice, clause 3 is soft, and clause 6 is laid on each agency beside the others.
GROUPS = {
    Group.LEAD: "NOT soft AND clause <> 'small/6'",
    Group.CO: "NOT soft AND clause = 'small/6'",
    Group.SOFT: "soft",
}


@dataclass(frozen=True)
class Sql:
    """Counts in the live tables, one question for each number.

    `extended` is the day that the history extended each duty to last; what else moved it, as a
    return does, gives no time.
    """

    connection: Connection
    made: Figures
    extended: Mapping[int, datetime]

    def count(self, sought: Sought) -> int:
        place = ["clause = :clause"] if sought.clause else []
        shared = sought.measure is Measure.SHARED
        if sought.region:
            place.append("agency LIKE :region || '/%'")
        if sought.department and not shared:
            place.append("agency LIKE '%/' || :department")
        if sought.department and shared and sought.department != "教育":
            return 0
        where = " AND ".join((SQL[sought.measure], GROUPS[sought.group], *place))
        cases = " ".join(f"WHEN {duty} THEN :until{duty}" for duty in self.extended)
        where = where.replace("UNTIL", f"(CASE id {cases} ELSE original_due_at END)")
        given = {
            **{f"until{duty}": day for duty, day in self.extended.items()},
            "begins": self.made.frame.begins,
            "ends": self.made.frame.ends,
            "cut_off": self.made.cut_off,
            "region": sought.region,
            "department": sought.department,
            "clause": sought.clause,
        }
        names = set(re.findall(r":(\w+)", where))
        used = {name: value for name, value in given.items() if name in names}
        instants = [
            bindparam(name, type_=Instant) for name, one in used.items() if type(one) is datetime
        ]
        question = text(f"SELECT COUNT(*) FROM duty WHERE {where}").bindparams(*instants)
        return self.connection.execute(question, used).scalar_one()


def extensions(connection: Connection) -> dict[int, datetime]:
    question = "SELECT duty_id, data FROM history WHERE action = 'extended' ORDER BY seq"
    rows = connection.execute(text(question)).tuples().all()
    return {duty: datetime.fromisoformat(_read(data)["due"]) for duty, data in rows}


def _read(fields: Any) -> dict[str, Any]:
    """SQLite gives JSON as text."""
    return json.loads(fields) if isinstance(fields, str) else fields


def told(made: Figures) -> Iterator[tuple[Sought, int]]:
    for line in made.lines():
        for number in line.numbers():
            yield number.behind, number.value


def test_every_number_of_a_year_and_its_quarters_is_what_plain_sql_counts(ledger: Ledger) -> None:
    live(ledger)
    seen = snapshot(ledger, CUT_OFF)
    quarters = [period_of(Every.QUARTER, date(2026, month, 1)) for month in (1, 4, 7, 10)]
    found: set[Measure] = set()
    for period in (YEAR, *quarters):
        made = figures(seen, period)
        numbers = dict(told(made))
        with reading(ledger.engine) as connection:
            sql = Sql(connection, made, extensions(connection))
            differing = {
                sought: (value, by_hand)
                for sought, value in numbers.items()
                if value != (by_hand := sql.count(sought))
            }
        assert differing == {}
        assert len(numbers) > 400
        found |= {one.measure for one, value in numbers.items() if value}
    assert found == set(SQL)
    assert any(one.extended_to for one in seen.facts)
    assert any(not one.extended_to and one.original_due_at < one.due_at for one in seen.facts)


ONCE = "{name: target, every: once, opens: 2025-10-01, due: 2025-12-31, basis: text}"
EACH_QUARTER = "{name: target, every: quarter, opens: M1-01, due: M3-25, basis: text}"
NEWEST = """
    SELECT fields FROM (
        SELECT s.fields AS fields, ROW_NUMBER() OVER (
            PARTITION BY d.agency ORDER BY d.period DESC, s.submitted_at DESC
        ) AS place
        FROM submission AS s JOIN duty AS d ON d.id = s.duty_id
        WHERE d.clause = 'small/2' AND d.status = 'accepted' AND NOT d.nil AND d.period <= :upto
        AND s.number = (SELECT MAX(number) FROM submission WHERE duty_id = d.id)
    ) AS newest WHERE place = 1
"""


def test_the_targets_of_a_year_and_its_quarters_are_what_plain_sql_adds_up(
    ledger: Ledger, project: Project
) -> None:
    project.edit(project.clauses, ONCE, EACH_QUARTER)
    told = Ledger(ledger.engine, project.load())
    live(told, seed=5)
    for duty in duties(told, clause="small/2"):
        if duty.id % 4:  # some owe their figures, so that older ones count
            for act in (submit, accept):
                with suppress(DubanError):  # where it is accepted already
                    act(told, duty, CUT_OFF - timedelta(days=1), random.Random(duty.id))
    seen, sums = snapshot(told, CUT_OFF), set[tuple[int, int]]()
    quarters = [period_of(Every.QUARTER, date(2026, month, 1)) for month in (1, 4, 7, 10)]
    for period, upto in zip((*quarters, YEAR), ("Q1", "Q2", "Q3", "Q4", "Q4"), strict=True):
        [target] = figures(seen, period).targets
        with reading(told.engine) as connection:
            rows = connection.scalars(text(NEWEST), {"upto": f"2026{upto}"}).all()
        shares = [_read(fields)["share"] for fields in rows]
        latest = target.whole.latest
        assert latest
        assert latest.reported.value == len(shares)
        by_hand = (sum(upper for upper, _ in shares), sum(lower for _, lower in shares))
        assert (latest.ratio.upper, latest.ratio.lower) == by_hand
        sums.add(by_hand)
    assert len(sums) > 2


def test_the_list_behind_each_number_is_as_long_as_the_number(ledger: Ledger) -> None:
    live(ledger, seed=7)
    seen = snapshot(ledger, CUT_OFF)
    made = figures(seen, YEAR)
    for number in made.numbers():
        assert len(behind(seen, YEAR, number.behind)) == number.value, number.behind
