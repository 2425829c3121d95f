"""The outbox at the desk: letters as they were sent, without what opens something."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from duban.ledger.accounts import Role
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.tables import Letter, Suspension
from duban.office import Office
from tests.conftest import china
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


def letter_to(office: Office, recipient: str) -> Letter:
    question = select(Letter.__table__).where(Letter.recipient == recipient)
    with reading(office.ledger.engine) as connection:
        return Letter(**connection.execute(question).mappings().first() or {})


def failed(office: Office, recipient: str, state: str = "dead") -> int:
    """Has a letter to the recipient be one that found no way; its number."""
    with change(office.ledger.engine, china("2026-03-02"), "duban") as made:
        letter = made.session.query(Letter).filter_by(recipient=recipient).first()
        assert letter
        letter.state = state
        return letter.id


def state(office: Office, letter_id: int) -> str:
    with reading(office.ledger.engine) as connection:
        return str(connection.scalar(select(Letter.state).where(Letter.id == letter_id)))


def test_a_letter_is_shown_as_it_was_sent_without_its_link(
    office: Office, coordinator: Seat
) -> None:
    letter = letter_to(office, "东/妇联")
    page = coordinator.see(f"/desk/letters/{letter.id}")
    assert "东市妇联" in page
    assert "家长课堂" in page
    assert "（办理链接）" in page
    assert not re.search(r"/a/[\w-]{20,}", page)
    assert "对方已接收" in page


def test_the_outbox_is_narrowed_and_paged(office: Office, coordinator: Seat) -> None:
    letter = letter_to(office, "东/妇联")
    there = f'href="/desk/letters/{letter.id}"'
    for query in ("", "?state=sent", "?kind=assign", "?recipient=东市妇联", f"?day={letter.day}"):
        assert there in coordinator.see(f"/desk/letters{query}"), query
    for query in ("?state=dead", "?kind=chase", "?recipient=西市妇联", "?day=2026-06-01"):
        assert there not in coordinator.see(f"/desk/letters{query}"), query
    assert there in coordinator.see("/desk/letters?state=%00&kind=x&day=x&page=999")


def test_what_found_no_way_stands_on_top_and_is_sent_again_or_delivered_by_hand(
    office: Office, coordinator: Seat
) -> None:
    letter = failed(office, "东/妇联")
    page = coordinator.see("/desk/letters")
    assert page.index("未能送达") < page.index(f'href="/desk/letters/{letter}"')
    assert "重新列入待发" in coordinator.sent(f"/desk/letters/{letter}/resend")
    assert state(office, letter) == "pending"
    failed(office, "东/妇联", "unreachable")
    assert "当面送达" in coordinator.sent(f"/desk/letters/{letter}/handed")
    assert state(office, letter) == "sent"
    again = coordinator.post(f"/desk/letters/{letter}/handed")
    assert again.status_code == 422
    assert "不在未送达之列" in again.text


def test_a_city_sees_letters_to_its_own_agencies_only(
    browser: Browser, office: Office, clock: Clock
) -> None:
    west = seat(browser, office, clock, Role.CITY, "西")
    letter = failed(office, "东/妇联")
    assert "东市" not in west.see("/desk/letters")
    assert "东市" not in west.see("/desk/letters?recipient=东/妇联")
    west.see(f"/desk/letters/{letter}", 404)
    for act in ("resend", "handed"):
        assert west.post(f"/desk/letters/{letter}/{act}").status_code == 404
    assert state(office, letter) == "dead"


def test_a_reader_and_a_forged_form_change_nothing(
    browser: Browser, office: Office, clock: Clock, coordinator: Seat
) -> None:
    letter = failed(office, "东/妇联")
    reader = seat(browser, office, clock, Role.READER)
    assert "/resend" not in reader.see(f"/desk/letters/{letter}")
    for act in ("resend", "handed"):
        assert reader.post(f"/desk/letters/{letter}/{act}").status_code == 404
        forged = replace(coordinator, csrf="x").post(f"/desk/letters/{letter}/{act}")
        assert forged.status_code == 403
    assert state(office, letter) == "dead"


def test_a_letter_to_a_suspended_address_says_so(office: Office, coordinator: Seat) -> None:
    letter = letter_to(office, "东/妇联")
    with change(office.ledger.engine, china("2026-03-02"), "duban") as made:
        made.session.add(
            Suspension(agency="东/妇联", address="x", since=made.at, detail="550 no such user")
        )
    assert "550 no such user" in coordinator.see(f"/desk/letters/{letter.id}")
