"""Agencies at the desk: reach, links shown once, revoked, sent; duties handed over."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from duban.ledger import links
from duban.ledger.accounts import Role
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.questions import duties, events
from duban.ledger.tables import Duty, Letter, Suspension
from duban.office import Office
from tests.conftest import china
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat

EAST = "/desk/agencies/东/妇联"
TOKEN = re.compile(r"/a/([\w-]{43})")


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


def works(office: Office, clock: Clock, token: str) -> bool:
    return links.enter(office.ledger, token, clock()) is not None


def test_the_list_says_who_can_be_reached_and_narrows(office: Office, coordinator: Seat) -> None:
    page = coordinator.see("/desk/agencies")
    assert "没有地址" in page
    assert "共青团东市委" in page
    narrowed = coordinator.see("/desk/agencies?region=西&department=妇联")
    assert "西市妇联" in narrowed
    assert "东市妇联" not in narrowed


def test_the_page_of_an_agency_shows_its_duties_and_where_its_contact_is_kept(
    coordinator: Seat,
) -> None:
    page = coordinator.see(EAST)
    assert "家长课堂" in page
    assert "agencies.yaml" in page
    coordinator.see("/desk/agencies/北/妇联", 404)


def test_a_new_link_is_shown_once_and_the_old_ones_end(
    office: Office, clock: Clock, coordinator: Seat
) -> None:
    old = links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())
    answer = coordinator.post(f"{EAST}/reissue")
    assert answer.status_code == 200
    token = TOKEN.search(answer.text)
    assert token
    assert "data:image/svg+xml" in answer.text
    assert works(office, clock, token[1])
    assert not works(office, clock, old)
    assert not TOKEN.search(coordinator.see(EAST))
    assert token[1] not in str(events(office.ledger))


def test_the_link_in_use_can_be_told_without_making_another(
    office: Office, clock: Clock, coordinator: Seat
) -> None:
    first, second = (TOKEN.search(coordinator.post(f"{EAST}/tell").text) for _ in range(2))
    assert first
    assert second
    assert first[1] == second[1]
    told = [one for one in events(office.ledger) if one.action == "link-told"]
    assert len(told) == 2


def test_a_link_is_revoked_and_cannot_be_revoked_twice(
    office: Office, clock: Clock, coordinator: Seat
) -> None:
    token = links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())
    door = links.enter(office.ledger, token, clock())
    assert door
    address = f"{EAST}/links/{door.link_id}/revoke"
    assert "链接已作废" in coordinator.sent(address)
    assert not works(office, clock, token)
    assert coordinator.post(address).status_code == 422
    other = coordinator.post(f"/desk/agencies/西/妇联/links/{door.link_id}/revoke")
    assert other.status_code == 404


def test_the_link_is_sent_to_the_registered_address(office: Office, coordinator: Seat) -> None:
    assert "登记的地址" in coordinator.sent(f"{EAST}/send")
    question = select(Letter.id).where(Letter.kind == "link", Letter.recipient == "东/妇联")
    with reading(office.ledger.engine) as connection:
        assert connection.scalars(question).all()


def test_a_suspended_address_is_used_again_once_it_was_checked(
    office: Office, coordinator: Seat
) -> None:
    with change(office.ledger.engine, china("2026-03-02"), "duban") as made:
        made.session.add(Suspension(agency="东/妇联", address="x", since=made.at, detail="550"))
    assert "恢复使用" in coordinator.see(EAST)
    assert "已恢复使用" in coordinator.sent(f"{EAST}/lift")
    assert coordinator.post(f"{EAST}/lift").status_code == 422


def test_duties_of_an_agency_that_left_are_handed_over(office: Office, coordinator: Seat) -> None:
    with change(office.ledger.engine, china("2026-03-02"), "test") as made:
        made.connection.execute(
            update(Duty).where(Duty.agency == "东/妇联").values(agency="东/工会")
        )
    assert "已不在名册" in coordinator.see("/desk/agencies")
    gone = "/desk/agencies/东/工会"
    assert coordinator.post(f"{gone}/hand-over", taker="东/妇联", reason="").status_code == 422
    coordinator.sent(f"{gone}/hand-over", taker="东/妇联", reason="机构改革")
    assert not duties(office.ledger, agency="东/工会")
    assert coordinator.post(f"{gone}/reissue").status_code == 404


def test_others_neither_see_nor_touch(
    browser: Browser, office: Office, clock: Clock, coordinator: Seat
) -> None:
    acts = ("reissue", "tell", "send", "lift", "hand-over", "links/1/revoke")
    west = seat(browser, office, clock, Role.CITY, "西")
    assert "东市" not in west.see("/desk/agencies")
    west.see(EAST, 404)
    reader = seat(browser, office, clock, Role.READER)
    assert '<form method="post" action="/desk/agencies' not in reader.see(EAST)
    before = len(events(office.ledger))
    for act in acts:
        assert west.post(f"{EAST}/{act}", taker="西/妇联", reason="x").status_code == 404, act
        assert reader.post(f"{EAST}/{act}", taker="西/妇联", reason="x").status_code == 404, act
        forged = replace(coordinator, csrf="x").post(f"{EAST}/{act}")
        assert forged.status_code == 403, act
    assert len(events(office.ledger)) == before
