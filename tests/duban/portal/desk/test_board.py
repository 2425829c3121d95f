"""The board and the list: every number leads to exactly as many duties."""

import re
from html import unescape

import pytest

from duban.duty import Status
from duban.evidence import Checked
from duban.ledger import acts
from duban.ledger.accounts import Role
from duban.ledger.acts import Cover
from duban.ledger.change import change
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties
from duban.ledger.tables import MirrorRun
from duban.office import Office
from tests.conftest import china
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat

LINK = re.compile(r'<a[^>]*href="(/desk/duties\?[^"]*|/desk/duties)"[^>]*>(.*?)</a>', re.DOTALL)
TOTAL = re.compile(r'<span class="quiet">(\d+) 项</span>')


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def numbers(page: str) -> list[tuple[str, int]]:
    """(address, number) of every number that leads to a list."""
    found = (
        (unescape(to), re.search(r"(\d+)\s*$", plain(text))) for to, text in LINK.findall(page)
    )
    return [(to, int(number[1])) for to, number in found if number and not titled(to, page)]


def titled(address: str, page: str) -> bool:
    """Whether the link is a clause's title in a row's head."""
    return f'<th scope="row"><a href="{address.replace("&", "&amp;")}">' in page


def listed(one: Seat, address: str) -> int:
    """How many duties a list shows, page by page, which is also what its head says."""
    page = one.see(address)
    total = TOTAL.search(page)
    assert total
    rows = len(re.findall(r'<td class="number"><a href="/desk/duties/\d+">', page))
    assert rows == min(int(total[1]), 100)
    return int(total[1])


def duty_of(office: Office, clause: str, region: str) -> DutyView:
    found = duties(office.ledger, clause=f"small/{clause}")
    return next(one for one in found if one.agency.region == region)


@pytest.fixture
def lively(office: Office, clock: Clock) -> Office:
    """Every status and every light: some overdue, due soon, soft, returned, nil, excused."""
    ledger = office.ledger
    open_missing(ledger, china("2026-01-01"))
    clock.set("2026-03-16")
    east, west = duty_of(office, "1", "东"), duty_of(office, "1", "西")
    done = Checked({"classes": 1}, ())
    acts.submit(ledger, east.id, done, [], by="东/妇联", now=china("2026-03-02"))
    cover = Cover(statement="本期无此类活动")
    nothing = Checked({}, ())
    acts.submit(ledger, west.id, nothing, [], by="西/妇联", now=china("2026-03-03"), cover=cover)
    acts.accept(ledger, west.id, by="admin", now=china("2026-03-04"))
    plan = duty_of(office, "4", "东")
    acts.waive(ledger, plan.id, reason="已并入", by="admin", now=china("2026-03-04"))
    ratio = duty_of(office, "2", "东")
    share = Checked({"share": [1, 2]}, ())
    acts.submit(ledger, ratio.id, share, [], by="东/教育", now=china("2026-03-04"))
    acts.send_back(ledger, ratio.id, reason="数字有误", by="admin", now=china("2026-03-05"))
    return office


@pytest.fixture
def coordinator(browser: Browser, lively: Office, clock: Clock) -> Seat:
    return seat(browser, lively, clock)


@pytest.mark.parametrize(
    "query",
    ["", "?region=东", "?department=妇联", "?state=overdue", "?text=课堂", "?as_of=2026-02-01"],
)
def test_every_number_on_the_board_is_the_length_of_its_list(coordinator: Seat, query: str) -> None:
    found = dict(numbers(coordinator.see(f"/desk{query}")))
    assert found
    for address, number in found.items():
        assert listed(coordinator, address) == number, address


def test_the_board_shows_several_lights_and_counts_what_is_not_required_apart(
    coordinator: Seat, lively: Office
) -> None:
    page = coordinator.see("/desk")
    assert {"red", "yellow", "green"} <= set(re.findall(r'<a class="(\w+)"', page))
    found = duties(lively.ledger)
    excused = sum(d.status in (Status.WAIVED, Status.NOT_APPLICABLE) for d in found)
    shown = dict(numbers(page))
    assert shown["/desk/duties?state=excused"] == excused == 1
    assert shown["/desk/duties?state=required"] == len(found) - excused
    assert shown["/desk/duties?state=nil"] == 1


def test_a_past_day_is_shown_as_it_stood_that_evening(coordinator: Seat) -> None:
    assert listed(coordinator, "/desk/duties?state=accepted") == 1
    assert listed(coordinator, "/desk/duties?state=accepted&as_of=2026-03-03") == 0
    assert listed(coordinator, "/desk/duties?state=submitted&as_of=2026-03-03") == 2
    assert "2026-03-03 当日终了" in coordinator.see("/desk?as_of=2026-03-03")


@pytest.mark.parametrize(
    "query", ["as_of=2099-01-01", "as_of=x", "state=nonsense", "sort=nonsense"]
)
def test_what_makes_no_sense_in_an_address_is_left_out(coordinator: Seat, query: str) -> None:
    assert listed(coordinator, f"/desk/duties?{query}") == listed(coordinator, "/desk/duties")


def test_a_city_coordinator_sees_the_own_city_only(
    browser: Browser, lively: Office, clock: Clock
) -> None:
    east = seat(browser, lively, clock, Role.CITY, "东")
    mine = [duty for duty in duties(lively.ledger) if duty.agency.region == "东"]
    assert listed(east, "/desk/duties") == len(mine)
    assert listed(east, "/desk/duties?region=西") == 0
    assert listed(east, "/desk/duties?agency=西/妇联&as_of=2026-03-01") == 0
    board = east.see("/desk")
    assert "东市" in board
    assert "西市" not in board
    for address, number in numbers(board):
        assert listed(east, address) == number


def test_the_list_tells_how_late_what_was_said_last_and_whether_it_arrived(
    coordinator: Seat, lively: Office
) -> None:
    late = duty_of(lively, "2", "西")
    page = coordinator.see("/desk/duties?clause=small/2&region=西")
    row = plain(page[page.index("<tbody>") : page.index("</tbody>")])
    said = row.split()
    assert said[:2] == ["红", f"{late.id}"]
    for word in ("西市教育局", "2025-12-31", "未变", "75", "超期", "未签收", "交办", "已发"):
        assert word in said, word


def test_an_extended_duty_is_late_against_both_dates(
    browser: Browser, lively: Office, clock: Clock
) -> None:
    late = duty_of(lively, "2", "西")
    acts.extend(
        lively.ledger,
        late.id,
        due_on=china("2026-03-20").date(),
        reason="换届",
        by="admin",
        now=clock(),
    )
    clock.set("2026-03-25")
    row = seat(browser, lively, clock).see("/desk/duties?clause=small/2&region=西")
    cells = [plain(cell) for cell in re.findall(r'<td class="number">(.*?)</td>', row)]
    assert cells == [f"{late.id}", "84", "5"]


def test_a_duty_that_stands_on_the_stage_leads_there(coordinator: Seat, lively: Office) -> None:
    duty = duty_of(lively, "1", "东")
    with change(lively.ledger.engine, china("2026-03-16"), "duban") as made:
        run = {"run_id": "r-1", "revision": "1", "state": "", "face": "", "card": ""}
        made.session.add(MirrorRun(duty_id=duty.id, **run))
    address = f"{lively.settings.prefect}/v2/runs/flow-run/r-1"
    assert f'href="{address}"' in coordinator.see(f"/desk/duties?text={duty.id}")
    assert f'href="{address}"' in coordinator.see(f"/desk/duties/{duty.id}")


def test_the_head_of_a_column_turns_its_order_round(coordinator: Seat) -> None:
    def order(sort: str) -> list[str]:
        page = coordinator.see(f"/desk/duties?sort={sort}")
        return re.findall(r'<td class="number"><a href="/desk/duties/(\d+)">', page)

    up = [int(one) for one in order("number")]
    assert up == sorted(up)
    assert [int(one) for one in order("-number")] == up[::-1]
    assert 'aria-sort="ascending"' in coordinator.see("/desk/duties?sort=number")


def test_without_a_sign_in_the_desk_leads_to_the_login(browser: Browser, lively: Office) -> None:
    answer = browser().get("/desk/duties", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/desk/login")
