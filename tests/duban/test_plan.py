"""The rehearsal: the same letters as the days themselves bring, and nothing touched."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select

from duban.ladder import Kind
from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import head_seq
from duban.ledger.tables import Base, Letter
from duban.office import Office
from duban.plan import PlannedDay, plan
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, nowhere


def planned(office: Office, first: str, last: str, now: str) -> list[PlannedDay]:
    return list(
        plan(office.ledger, date.fromisoformat(first), date.fromisoformat(last), china(now))
    )


def live(office: Office, day: str) -> None:
    """A morning on which every letter arrives."""
    now = china(day, "08:30")
    open_missing(office.ledger, now)
    chase(office.ledger, now)
    nowhere(office.ledger).deliver(at(now))


def letters(found: Sequence[PlannedDay]) -> set[tuple[date, str, Kind]]:
    return {(one.day, letter.recipient, letter.kind) for one in found for letter in one.letters}


def test_the_plan_is_what_the_days_bring(office: Office):
    office.arm(True, by="张三", now=china("2026-01-05", "08:00"))
    live(office, "2026-01-05")
    found = planned(office, "2026-01-06", "2026-04-30", "2026-01-05")
    for day in days("2026-01-06", "2026-04-30"):
        live(office, day)
    with reading(office.ledger.engine) as connection:
        rows = connection.execute(
            select(Letter.day, Letter.recipient, Letter.kind).where(
                Letter.day > date(2026, 1, 5), Letter.kind != Kind.TASKS
            )
        )
        assert letters(found) == {(day, to, Kind(kind)) for day, to, kind in rows}
    assert sum(one.opens for one in found) > 0
    assert sum(one.proposed for one in found) > 0


def test_planning_touches_nothing(office: Office):
    office.tick(china("2026-01-05"))
    before = counts(office), head_seq(office.ledger)
    assert planned(office, "2026-01-05", "2026-03-31", "2026-01-05")
    assert (counts(office), head_seq(office.ledger)) == before


def counts(office: Office) -> dict[str, int]:
    with reading(office.ledger.engine) as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def test_an_empty_ledger_can_be_planned(office: Office):
    [first, *_] = planned(office, "2026-01-05", "2026-01-31", "2026-01-05")
    assert first.day == date(2026, 1, 5)
    assert first.opens > 0
    assert {letter.kind for letter in first.letters} >= {Kind.ASSIGN, Kind.COPY}
