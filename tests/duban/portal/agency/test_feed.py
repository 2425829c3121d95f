"""The calendar feed: what waits, on its due day, with alarms; nothing without its token."""

from datetime import date, timedelta
from typing import Any

from icalendar import Calendar

from duban.ledger import acts, links
from duban.office import Office
from tests.conftest import china
from tests.duban.portal.agency.conftest import Come, Desk
from tests.duban.portal.conftest import Browser, Clock


def address(office: Office, agency: str = "东/妇联") -> str:
    newest = links.links_of(office.ledger, agency)[-1].id
    return f"/feed/{links.feed_of(office.ledger, office.key, newest)}.ics"


def calendar(browser: Browser, path: str) -> Any:
    answer = browser().get(path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content)


def test_a_waiting_duty_is_an_all_day_event_with_two_alarms(
    guest: Desk, office: Office, browser: Browser
):
    found = calendar(browser, address(office))
    assert str(found["x-wr-calname"]) == "东市妇联督办时限"
    [event] = found.walk("VEVENT")
    assert event["dtstart"].dt == date(2026, 3, 20)
    assert event["dtend"].dt == date(2026, 3, 21)
    assert str(event["summary"]) == "报送截止：家长课堂（2026年第一季度）"
    assert str(event["uid"]) == f"duty-{guest.duty}@127.0.0.1:4280"
    assert str(event["url"]) == f"http://127.0.0.1:4280{guest.path}"
    alarms = [alarm["trigger"].dt for alarm in event.walk("VALARM")]
    assert alarms == [timedelta(days=-3, hours=9), timedelta(hours=9)]


def test_its_address_stands_on_the_page(guest: Desk, office: Office):
    assert f"webcal://127.0.0.1:4280{address(office)}" in guest.client.get("/duties").text


def test_a_moved_duty_keeps_its_uid_and_a_handed_in_one_goes(
    guest: Desk, office: Office, browser: Browser, clock: Clock
):
    [before] = calendar(browser, address(office)).walk("VEVENT")
    day = china("2026-04-10").date()
    acts.extend(office.ledger, guest.duty, due_on=day, reason="x", by="省", now=clock())
    [after] = calendar(browser, address(office)).walk("VEVENT")
    assert after["uid"] == before["uid"]
    assert after["dtstart"].dt == day
    assert int(after["sequence"]) > int(before["sequence"])
    guest.hand_in(classes="1")
    assert calendar(browser, address(office)).walk("VEVENT") == []


def test_a_reader_that_has_it_already_gets_no_body(
    guest: Desk, office: Office, browser: Browser, clock: Clock
):
    del guest
    first = browser().get(address(office))
    clock.set("2026-03-03")
    again = browser().get(address(office), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_matters_of_others_are_not_in_it(come: Come, office: Office, browser: Browser):
    come("东/教育", "2")
    titles = [str(one["summary"]) for one in
              calendar(browser, address(office, "东/教育")).walk("VEVENT")]  # fmt: skip
    assert titles == ["报送截止：配备率95%（一次性）"]


def test_the_feeds_token_opens_nothing_else(guest: Desk, office: Office, browser: Browser):
    token = address(office).removeprefix("/feed/").removesuffix(".ics")
    assert browser().get(f"/a/{token}").status_code == 404
    assert browser().get(f"/feed/{guest.client.cookies['duban-link']}.ics").status_code == 404
