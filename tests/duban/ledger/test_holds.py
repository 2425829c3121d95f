"""Silence with a reason and an end: nothing is said meanwhile, and one thing afterwards."""

from collections.abc import Sequence
from datetime import date

import pytest
from sqlalchemy import select

from duban.ladder import ENDLESS, Reason
from duban.ledger import Ledger, acts
from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.explain import explain
from duban.ledger.holds import HoldRefused, NoSuchHold, hold, holds_in_force, release
from duban.ledger.opening import open_missing
from duban.ledger.pausing import pause, pauses, resume
from duban.ledger.questions import events
from duban.ledger.recount import misdated
from duban.ledger.tables import Letter, Tick
from duban.office import Office
from duban.words import EN, ZH, event_words, until_words
from tests.conftest import SHANGHAI, at, china
from tests.duban.ledger.conftest import days, duty_of, run, said, submit

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


# Without end: a clause that was paused on the stage


def test_a_clause_held_without_end_is_silent_and_opens_nothing_until_it_is_resumed(
    first_quarter: Office,
):
    office, ledger = first_quarter, first_quarter.ledger
    first = duty_of(office, EAST, "1")
    pause(ledger, "small/1", "a-deployment", china("2026-03-01"))
    run(office, days("2026-03-02", "2026-04-02"))
    opening = open_missing(ledger, china("2026-04-02"), clause="small/1")
    assert str(opening) == "expected 0, opened 0, paused 2"
    assert said(office, first) == []
    resume(ledger, "small/1", pauses(ledger).held["small/1"], china("2026-04-03"))
    assert str(open_missing(ledger, china("2026-04-03"), clause="small/1")) == (
        "expected 2, opened 2"
    )
    run(office, ["2026-04-03"])
    assert [rung for _, rung, _ in said(office, first)] == ["chase"]


def test_ticks_count_apart_what_is_paused(ledger: Ledger):
    whole = open_missing(ledger, china("2026-01-05"))
    pause(ledger, "small/1", "a-deployment", china("2026-01-05"))
    after = open_missing(ledger, china("2026-01-05"))
    assert (after.expected + after.paused, after.opened) == (whole.expected, 0)
    with reading(ledger.engine) as connection:
        ticks = connection.execute(select(Tick.expected, Tick.opened).order_by(Tick.id)).all()
    assert ticks[-1] == (after.expected, 0)


def test_a_hold_without_end_is_told_in_words_and_has_no_next_day(first_quarter: Office):
    ledger, day = first_quarter.ledger, china("2026-03-02")
    pause(ledger, "small/1", "a-deployment", day)
    run(first_quarter, ["2026-03-02"])
    told = explain(ledger, duty_of(first_quarter, EAST, "1"), day.date(), day)
    assert (told.step.reason, told.step.next_on) == (Reason.HELD, None)
    assert misdated(ledger, china("2026-03-03")) == []
    (held,) = [one for one in events(ledger) if one.action == "held"]
    assert event_words(ZH, held, SHANGHAI) == "暂停立项和催办，至恢复为止：在 Prefect 中暂停"
    assert event_words(EN, held, SHANGHAI).startswith("Held until resumed")
    assert (until_words(ZH, ENDLESS), until_words(EN, date(2026, 3, 4))) == (
        "恢复为止",
        "2026-03-04",
    )


def test_what_is_returned_under_a_hold_without_end_is_told_when_it_ends(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, EAST, "1")
    submit(first_quarter, duty, "2026-01-05")
    pause(ledger, "small/1", "a-deployment", china("2026-01-06"))
    acts.send_back(ledger, duty, reason="不全", by="张三", now=china("2026-01-07"))
    run(first_quarter, days("2026-01-08", "2026-01-12"))
    assert _days_of(ledger, "return") == []
    resume(ledger, "small/1", pauses(ledger).held["small/1"], china("2026-01-12", "12:00"))
    run(first_quarter, ["2026-01-13"])
    assert _days_of(ledger, "return") == [date(2026, 1, 13)]


def _days_of(ledger: Ledger, kind: str) -> Sequence[date]:
    with reading(ledger.engine) as connection:
        return connection.scalars(select(Letter.day).where(Letter.kind == kind)).all()
