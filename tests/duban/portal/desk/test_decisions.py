"""Petitions, formal letters, holds and chores: decided at the desk, by whom they concern."""

from datetime import date

import pytest

from duban.ledger import holds, petitions
from duban.ledger.accounts import Role
from duban.ledger.approvals import proposals
from duban.ledger.change import change
from duban.ledger.opening import open_missing
from duban.ledger.petitions import Kind, State
from duban.ledger.questions import DutyView, duties, events
from duban.ledger.tables import Letter
from duban.ledger.tasks import open_task
from duban.ledger.watch import report
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import days, run
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat
from tests.duban.portal.desk.test_review import duty_of


@pytest.fixture
def east(office: Office) -> DutyView:
    return duty_of(office, "1", "东")


@pytest.fixture
def asked(office: Office, clock: Clock, east: DutyView) -> int:
    """The eastern federation asks for ten days more."""
    return petitions.ask(
        office.ledger,
        east.id,
        Kind.EXTENSION,
        reason="数据尚在核对",
        until=date(2026, 3, 30),
        leader="王主任",
        by=east.agency.id,
        now=clock(),
    )


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


@pytest.fixture
def late(office: Office, clock: Clock) -> list[int]:
    """Both federations are so late that a formal letter is proposed for each."""
    run(office, days("2026-03-01", "2026-04-07"))
    clock.set("2026-04-08")
    return [one.duty_id for one in proposals(office.ledger) if one.clause == "small/1"]


def state(office: Office, petition: int) -> State:
    return petitions.petition(office.ledger, petition).state


def test_an_extension_is_granted_to_the_day_asked_for(
    office: Office, asked: int, east: DutyView, coordinator: Seat
) -> None:
    page = coordinator.see("/desk/decisions")
    for words in ("数据尚在核对", "王主任", 'value="2026-03-30"', east.agency.name):
        assert words in page
    sent = coordinator.sent(f"/desk/decisions/petitions/{asked}", act="grant", due_on="2026-03-30")
    assert "已同意该项申请" in sent
    assert state(office, asked) is State.GRANTED
    moved = duties(office.ledger, ids=[east.id])[0]
    assert moved.due_at.astimezone(moved.notice.zone).date() == date(2026, 3, 30)


def test_a_refusal_needs_its_reason_and_keeps_what_was_typed(
    office: Office, asked: int, coordinator: Seat
) -> None:
    address = f"/desk/decisions/petitions/{asked}"
    refused = coordinator.post(address, act="refuse", answer="", due_on="2026-03-28")
    assert refused.status_code == 422
    assert "不同意申请的，请写明理由" in refused.text
    assert 'value="2026-03-28"' in refused.text
    assert state(office, asked) is State.ASKED
    coordinator.sent(address, act="refuse", answer="请按期完成")
    assert state(office, asked) is State.REFUSED
    again = coordinator.post(address, act="grant")
    assert again.status_code == 422
    assert "已由他人处理" in again.text


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-10", "月底"])
def test_an_extension_to_a_day_that_makes_no_sense_is_refused(
    office: Office, asked: int, coordinator: Seat, day: str
) -> None:
    answer = coordinator.post(f"/desk/decisions/petitions/{asked}", act="grant", due_on=day)
    assert answer.status_code == 422
    assert state(office, asked) is State.ASKED


def test_only_those_it_concerns_see_a_petition(
    browser: Browser, office: Office, clock: Clock, asked: int
) -> None:
    west = seat(browser, office, clock, Role.CITY, "西")
    assert "数据尚在核对" not in west.see("/desk/decisions")
    assert west.post(f"/desk/decisions/petitions/{asked}", act="grant").status_code == 404
    assert west.post("/desk/decisions/petitions/99", act="grant").status_code == 404
    reader = seat(browser, office, clock, Role.READER)
    assert "数据尚在核对" in reader.see("/desk/decisions")
    assert 'action="/desk/decisions' not in reader.see("/desk/decisions")
    assert reader.post(f"/desk/decisions/petitions/{asked}", act="grant").status_code == 404
    assert state(office, asked) is State.ASKED


def test_formal_letters_are_approved_together_and_stale_ones_named(
    browser: Browser, office: Office, clock: Clock, late: list[int]
) -> None:
    coordinator = seat(browser, office, clock)
    one, other = late
    assert "督办函" in coordinator.see("/desk/decisions")
    coordinator.sent("/desk/decisions/letters", act="decline", reason="已约谈", duty=str(other))
    page = coordinator.sent("/desk/decisions/letters", act="approve", duty=[str(one), str(other)])
    assert "已批准发出" in page
    assert f'<a href="/desk/duties/{other}">{other}</a>' in page
    actions = {event.action: event for event in events(office.ledger, duty_id=one)}
    assert "approved" in actions
    declined = [e.text for e in events(office.ledger, duty_id=other) if e.action == "declined"]
    assert declined == ["已约谈"]


def test_a_letter_is_not_stopped_without_a_reason(
    browser: Browser, office: Office, clock: Clock, late: list[int]
) -> None:
    coordinator = seat(browser, office, clock)
    answer = coordinator.post("/desk/decisions/letters", act="decline", duty=str(late[0]))
    assert answer.status_code == 422
    assert f'value="{late[0]}" checked' in answer.text
    assert "没有勾选任何函件" in coordinator.sent("/desk/decisions/letters", act="approve")


def test_a_city_decides_on_its_own_letters_only(
    browser: Browser, office: Office, clock: Clock, late: list[int]
) -> None:
    west = seat(browser, office, clock, Role.CITY, "西")
    west.post("/desk/decisions/letters", act="approve", duty=[str(one) for one in late])
    left = [one.agency for one in proposals(office.ledger) if one.clause == "small/1"]
    assert left == ["东/妇联"]


def test_a_hold_is_released_by_whom_it_concerns(
    browser: Browser, office: Office, clock: Clock, coordinator: Seat
) -> None:
    made = {
        name: holds.hold(
            office.ledger, **where, until=date(2026, 4, 1), reason="机构调整", by="x", now=clock()
        )
        for name, where in {
            "east": {"agency": "东/妇联", "clause": None},
            "all": {"agency": None, "clause": "small/1"},
        }.items()
    }
    west = seat(browser, office, clock, Role.CITY, "西")
    for number in made.values():
        assert west.post(f"/desk/decisions/holds/{number}/release").status_code == 404
    assert "1 家长课堂" in coordinator.see("/desk/decisions")
    assert "已恢复催办" in coordinator.sent(f"/desk/decisions/holds/{made['east']}/release")
    left = holds.holds_in_force(office.ledger, clock())
    assert [one.id for one in left] == [made["all"]]


def test_chores_lead_to_where_they_are_done(
    browser: Browser, office: Office, clock: Clock, coordinator: Seat
) -> None:
    with change(office.ledger.engine, china("2026-03-02"), "duban") as made:
        letter = made.session.query(Letter).filter_by(recipient="西/妇联").first()
        assert letter
        number = letter.id
        open_task(made, "no-contact", "东/妇联")
        open_task(made, "undeliverable", f"{number}")
    page = coordinator.see("/desk/decisions")
    assert 'href="/desk/agencies/%E4%B8%9C/%E5%A6%87%E8%81%94"' in page
    assert f'href="/desk/letters/{number}"' in page
    city = seat(browser, office, clock, Role.CITY, "东").see("/desk/decisions")
    assert f'href="/desk/letters/{number}"' not in city


def test_a_chase_that_stands_still_is_an_errand_of_the_province_alone(
    browser: Browser, office: Office, clock: Clock
) -> None:
    clock.set("2026-04-08")
    open_missing(office.ledger, china("2026-04-01"))
    assert report(office.ledger, clock())
    where = 'href="/desk/history"><span class="what">最近一次催办：'
    assert where in seat(browser, office, clock).see("/desk/decisions")
    city = seat(browser, office, clock, role=Role.CITY, region="东")
    assert where not in city.see("/desk/decisions")
