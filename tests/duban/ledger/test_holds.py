"""Silence with a reason and an end: nothing is said meanwhile, and one thing afterwards."""

from datetime import date

import pytest
from sqlalchemy import select

from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.holds import HoldRefused, NoSuchHold, hold, holds_in_force, release
from duban.ledger.opening import open_missing
from duban.ledger.tables import Letter
from duban.office import Office
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, duty_of, run, said

EAST, WEST = "东/妇联", "西/妇联"


def held(office: Office, day: str, until: str, **what: str | None) -> int:
    given: dict[str, str | None] = {"agency": None, "clause": None, **what}
    return hold(
        office.ledger,
        agency=given["agency"],
        clause=given["clause"],
        until=date.fromisoformat(until),
        reason="机构改革",
        by="张三",
        now=china(day),
    )


def test_while_a_hold_lasts_nothing_is_said_and_then_the_highest_rung_once(first_quarter: Office):
    held(first_quarter, "2026-03-02", "2026-04-01", agency=EAST)
    run(first_quarter, days("2026-03-02", "2026-04-03"))
    assert said(first_quarter, duty_of(first_quarter, EAST, "1")) == [("2026-04-02", "chase", EAST)]
    assert len(said(first_quarter, duty_of(first_quarter, WEST, "1"))) == 4


def test_a_clause_is_held_for_every_agency(first_quarter: Office):
    held(first_quarter, "2026-03-02", "2026-03-31", clause="small/1")
    run(first_quarter, days("2026-03-02", "2026-03-31"))
    assert said(first_quarter, duty_of(first_quarter, EAST, "1")) == []
    assert said(first_quarter, duty_of(first_quarter, WEST, "1")) == []


def test_an_agency_and_a_clause_are_held_only_where_they_meet(first_quarter: Office):
    held(first_quarter, "2026-03-02", "2026-03-31", agency=EAST, clause="small/4")
    run(first_quarter, ["2026-03-13"])
    assert len(said(first_quarter, duty_of(first_quarter, EAST, "1"))) == 1


def test_what_was_decided_and_not_yet_sent_is_unsaid(first_quarter: Office):
    chase(first_quarter.ledger, china("2026-03-13"))
    held(first_quarter, "2026-03-13", "2026-03-15", agency=EAST)
    first_quarter.post.deliver(at(china("2026-03-13", "10:00")))
    duty = duty_of(first_quarter, EAST, "1")
    assert said(first_quarter, duty) == []
    with reading(first_quarter.ledger.engine) as connection:
        state = select(Letter.state).where(Letter.recipient == EAST, Letter.kind == "remind")
        assert connection.scalars(state).all() == ["suppressed"]
    run(first_quarter, days("2026-03-14", "2026-03-16"))
    assert said(first_quarter, duty) == [("2026-03-16", "remind-7", EAST)]


def test_a_released_hold_speaks_at_the_next_chase(first_quarter: Office):
    number = held(first_quarter, "2026-03-02", "2026-12-31", agency=EAST)
    run(first_quarter, days("2026-03-02", "2026-03-24"))
    release(first_quarter.ledger, number, by="张三", now=china("2026-03-25"))
    run(first_quarter, ["2026-03-25"])
    assert said(first_quarter, duty_of(first_quarter, EAST, "1")) == [("2026-03-25", "chase", EAST)]
    assert holds_in_force(first_quarter.ledger, china("2026-03-25")) == []
    with pytest.raises(NoSuchHold):
        release(first_quarter.ledger, number, by="张三", now=china("2026-03-26"))


def test_a_duty_that_opens_under_a_hold_is_assigned_when_it_ends(office: Office):
    held(office, "2026-01-01", "2026-01-06", agency=EAST)
    open_missing(office.ledger, china("2026-01-01"), clause="small/1")
    run(office, days("2026-01-01", "2026-01-08"))
    question = select(Letter.recipient, Letter.day).where(Letter.kind == "assign")
    with reading(office.ledger.engine) as connection:
        found = {tuple(row) for row in connection.execute(question)}
    assert found == {(EAST, date(2026, 1, 7)), (WEST, date(2026, 1, 1))}


@pytest.mark.parametrize(
    ("agency", "until"), [(None, "2026-03-31"), (EAST, "2026-03-01")], ids=["nothing", "behind"]
)
def test_a_hold_on_nothing_or_in_the_past_is_refused(
    first_quarter: Office, agency: str | None, until: str
):
    with pytest.raises(HoldRefused):
        held(first_quarter, "2026-03-02", until, agency=agency)
    assert holds_in_force(first_quarter.ledger, china("2026-03-02")) == []
