"""The history of everything."""

import re
from datetime import timedelta

import pytest

from duban.ledger import links
from duban.ledger.accounts import Role
from duban.ledger.applied import in_force, record
from duban.ledger.approvals import call
from duban.ledger.change import change
from duban.ledger.questions import duties, events
from duban.office import Office
from duban.words import EN, ZH
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat

ROW = re.compile(r'<tr><td class="number">(\d+)</td>')


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


def rows(page: str) -> list[int]:
    return [int(one) for one in ROW.findall(page)]


def test_every_row_is_reached_by_turning_pages_the_newest_first(
    coordinator: Seat, office: Office, clock: Clock
) -> None:
    [duty, *_] = duties(office.ledger)
    for n in range(230):
        at = clock() + timedelta(seconds=n)
        with change(office.ledger.engine, at, "李敏") as made:
            made.record("called", duty.id, f"第{n}次")
    address, seen = "/desk/history", list[int]()
    while address:
        page = coordinator.see(address)
        seen += rows(page)
        found = re.search(r'href="([^"]+)">更早', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == [one.seq for one in reversed(events(office.ledger))]


def test_it_is_narrowed_by_actor_action_duty_and_day(
    coordinator: Seat, office: Office, clock: Clock
) -> None:
    east, west, *_ = duties(office.ledger, clause="small/1")
    call(office.ledger, east.id, said="与李主任通话", by="李敏", now=clock())
    call(office.ledger, west.id, said="与王主任通话", by="王强", now=clock())
    page = coordinator.see("/desk/history?actor=李敏")
    assert len(rows(page)) == 1
    assert "电话催办：与李主任通话" in page
    assert f'href="/desk/duties/{east.id}"' in page
    assert len(rows(coordinator.see("/desk/history?action=called"))) == 2
    assert "王强" not in coordinator.see(f"/desk/history?duty={east.id}").partition("<tbody>")[2]
    assert len(rows(coordinator.see("/desk/history?day=2026-03-02&action=called"))) == 2
    assert not rows(coordinator.see("/desk/history?day=2026-03-01"))


def test_a_city_coordinator_reads_of_the_own_city_only(
    browser: Browser, office: Office, clock: Clock
) -> None:
    page = (
        seat(browser, office, clock, Role.CITY, "东").see("/desk/history").partition("<tbody>")[2]
    )
    mine = {duty.id for duty in duties(office.ledger) if duty.agency.region == "东"}
    assert {int(one) for one in re.findall(r"/desk/duties/(\d+)", page)} == mine
    assert "西市" not in page


def test_what_concerns_no_duty_is_told_in_words_too(
    coordinator: Seat, office: Office, clock: Clock
) -> None:
    links.issue(office.ledger, office.key, "东/妇联", by="李敏", now=clock())
    office.arm(True, by="李敏", now=clock())
    page = coordinator.see("/desk/history")
    assert "向东市妇联发放办理链接" in page
    assert "对外发函：开启" in page
    assert "号函件已发（投递文件夹）" in page


def test_files_put_in_force_are_told_with_their_counts(
    coordinator: Seat, office: Office, clock: Clock
) -> None:
    counts = {"opens": 2, "moves": 1, "closes": 0, "agencies": 5}
    with change(office.ledger.engine, clock(), "李敏") as made:
        record(made, {"agencies.yaml": "x"}, in_force(office.ledger.engine), "换届", counts)
    page = coordinator.see("/desk/history")
    assert "新立 2 项，调整时限 1 项，免办 0 项。换届" in page


def test_both_languages_know_the_same_actions() -> None:
    assert ZH.actions.keys() == EN.actions.keys()


@pytest.mark.parametrize("query", ["duty=x", "duty=²", "day=x", "day=9999-12-31", "action=x"])
def test_a_filter_that_makes_no_sense_does_no_harm(coordinator: Seat, query: str) -> None:
    coordinator.see(f"/desk/history?{query}")


def test_what_can_be_asked_for_has_a_name_without_holes(coordinator: Seat) -> None:
    names = re.findall(r'<option value="[a-z-]+"[^>]*>([^<]*)<', coordinator.see("/desk/history"))
    names = [one.strip() for one in names]
    assert {"询办、提醒、催办", "免办、不适用", "条款修订，时限由 … 调整为", "同意…的申请"} <= {
        *names
    }
    assert not [one for one in names if not one.strip("…") or "{" in one]
