"""When a calendar or a ladder changes, days are counted anew; a lost date is found."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from duban.calendar import Span
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties, events
from duban.ledger.recount import misdated, recount
from duban.ledger.tables import Duty
from duban.office import Office
from duban.registry import Registry
from tests.conftest import Project, at, china
from tests.duban.ledger.conftest import days, duty_of, run, said

EAST = "东/妇联"
SHIFTED = "due: M3-20, basis: text", "due: M3-21, shift: next, basis: text"


def with_policy(office: Office, **changed: object) -> Office:
    """The office after an edit of chase.yaml or calendar.yaml."""
    registry = office.ledger.registry
    policy = replace(registry.policy, _calendars={}, **changed)  # pyright: ignore[reportArgumentType]
    return replace(office, ledger=Ledger(office.ledger.engine, replace(registry, policy=policy)))


def next_days(office: Office) -> set[date | None]:
    with reading(office.ledger.engine) as connection:
        return set(connection.scalars(select(Duty.next_on)))


def test_without_a_change_nothing_is_counted_anew(first_quarter: Office):
    run(first_quarter, ["2026-02-02"])
    recount(first_quarter.ledger, china("2026-02-02"))
    run(first_quarter, ["2026-02-02"])
    before = next_days(first_quarter)
    assert before == {date(2026, 3, 13)}
    assert recount(first_quarter.ledger, china("2026-02-03")) == 0
    assert next_days(first_quarter) == before


def test_a_day_off_that_an_operator_writes_moves_the_letters(first_quarter: Office):
    recount(first_quarter.ledger, china("2026-01-05"))
    run(first_quarter, days("2026-01-05", "2026-02-10"))
    off = (Span(date(2026, 3, 12), date(2026, 3, 15), working=False),)
    office = with_policy(first_quarter, spans=off)
    recount(office.ledger, china("2026-02-11"))
    run(office, days("2026-02-11", "2026-03-18"))
    spoken = [(day, rung) for day, rung, _ in said(office, duty_of(office, EAST, "1"))]
    assert spoken == [("2026-03-16", "remind-7"), ("2026-03-17", "remind-3")]


def test_another_ladder_is_followed_from_the_next_chase(first_quarter: Office):
    recount(first_quarter.ledger, china("2026-01-05"))
    run(first_quarter, days("2026-01-05", "2026-01-08"))
    office = with_policy(first_quarter, default="13710")
    recount(office.ledger, china("2026-01-08", "10:00"))
    run(office, ["2026-01-08"], "11:00")
    spoken = [(day, rung) for day, rung, _ in said(office, duty_of(office, EAST, "1"))]
    assert spoken == [("2026-01-08", "progress-7")]


@pytest.fixture
def unannounced(project: Project) -> Registry:
    """Clause 1 shifts its due day, and falls due on Sunday, 21 March 2027."""
    project.edit(project.clauses, *SHIFTED)
    return project.load()


def test_a_provisional_due_day_is_counted_again_when_the_year_is_announced(
    office: Office, unannounced: Registry
):
    here = replace(office, ledger=Ledger(office.ledger.engine, unannounced))
    recount(here.ledger, china("2027-01-01"))
    open_missing(here.ledger, china("2027-01-01"), clause="small/1")
    here.post.deliver(at(china("2027-01-01")))
    duty = duty_of(here, EAST, "1")
    assert due(here, duty) == date(2027, 3, 22)
    worked = (Span(date(2027, 3, 21), date(2027, 3, 21), working=True),)
    known = with_policy(here, spans=worked, announced=frozenset({2027}))
    assert recount(known.ledger, china("2027-01-04")) == 2
    assert due(known, duty) == date(2027, 3, 21)
    assert "shifted" in [event.action for event in events(known.ledger, duty_id=duty)]
    assert recount(known.ledger, china("2027-01-05")) == 0


def due(office: Office, duty: int) -> date:
    [found] = duties(office.ledger, ids=[duty])
    return found.due_at.astimezone(found.notice.zone).date()


def test_a_date_that_was_lost_is_found_and_the_chase_goes_on(first_quarter: Office):
    run(first_quarter, days("2026-01-05", "2026-03-14"))
    duty = duty_of(first_quarter, EAST, "1")
    assert misdated(first_quarter.ledger, china("2026-03-14")) == []
    with first_quarter.ledger.engine.begin() as connection:
        connection.execute(update(Duty).where(Duty.id == duty).values(next_on=None))
    assert misdated(first_quarter.ledger, china("2026-03-14")) == [duty]
    run(first_quarter, days("2026-03-15", "2026-03-18"))
    assert ("2026-03-17", "remind-3", EAST) in said(first_quarter, duty)
