"""A bulletin in the portal: drafted, objected to, answered, issued; every number leads on."""

import html
import re
from datetime import timedelta
from io import BytesIO
from zipfile import is_zipfile

import pytest
from python_calamine import CalamineWorkbook

from duban.ledger import acts, bulletins
from duban.ledger.accounts import Role
from duban.ledger.bulletins import State
from duban.office import Office
from duban.reports.charts import Chart, NoChineseFont
from duban.reports.figures import Figures
from tests.conftest import china
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat
from tests.duban.portal.desk.test_review import duty_of


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    clock.set("2026-04-08")
    return seat(browser, office, clock)


@pytest.fixture
def city(browser: Browser, office: Office, clock: Clock) -> Seat:
    clock.set("2026-04-08")
    return seat(browser, office, clock, Role.CITY, "东")


def draft(coordinator: Seat) -> str:
    """Drafts the quarter's; its address."""
    given = {"period": "2026Q1", "cut_off": ""}
    answer = coordinator.post("/desk/bulletins", **given)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize("role", [Role.CITY, Role.PROVINCIAL])
def test_who_may_object_finds_a_draft_on_the_first_page_while_its_window_is_open(
    browser: Browser, office: Office, clock: Clock, coordinator: Seat, role: Role
) -> None:
    region = "东" if role is Role.CITY else None
    told = f'<a href="{draft(coordinator)}">通报草稿待核对：2026'
    assert told in seat(browser, office, clock, role, region).see("/desk")
    assert told not in seat(browser, office, clock, Role.READER).see("/desk")
    [view] = bulletins.bulletins(office.ledger)
    clock.set(f"{view.objections_until}", "23:00")
    assert told in seat(browser, office, clock, role, region).see("/desk")
    clock.set(f"{view.objections_until + timedelta(days=1)}")
    assert told not in seat(browser, office, clock, role, region).see("/desk")


def test_a_draft_that_was_withdrawn_is_told_no_more(
    coordinator: Seat, office: Office, clock: Clock
) -> None:
    address = draft(coordinator)
    assert address in coordinator.see("/desk")
    [view] = bulletins.bulletins(office.ledger)
    bulletins.withdraw(office.ledger, view.id, reason="x", by="省", now=clock())
    assert address not in coordinator.see("/desk")


def linked(page: str) -> dict[str, int]:
    """Every number of a page that leads to a list."""
    found = re.findall(r'<a href="(/desk/bulletins/\d+/duties[^"]*)">(\d+)</a>', page)
    return {html.unescape(address): int(number) for address, number in found}


def test_each_number_leads_to_a_list_as_long_as_it_says(office: Office, coordinator: Seat) -> None:
    duty = duty_of(office, "1", "东")
    acts.waive(office.ledger, duty.id, reason="x", by="省", now=china("2026-03-02"))
    page = coordinator.see(draft(coordinator))
    numbers = linked(page)
    assert len(numbers) > 5
    for address, number in numbers.items():
        behind = coordinator.see(address)
        assert f"{number} 项" in behind
        rows = re.findall(r'<td class="number"><a href="/desk/duties/(\d+)">', behind)
        assert len(rows) == number
    assert "西市" in page
    assert "东市妇联" in coordinator.see(next(a for a in numbers if "not-applicable" in a))


def test_a_city_objects_the_province_answers_and_issues(
    browser: Browser, office: Office, clock: Clock, coordinator: Seat, city: Seat
) -> None:
    address = draft(coordinator)
    assert f'href="{address}"' in coordinator.see("/desk/decisions")
    assert "disabled>签发" in coordinator.see(address)
    assert "拟写草稿" not in city.see("/desk/bulletins")
    assert "异议已记录" in city.sent(f"{address}/objections", text="东市已报，请核")
    [said] = bulletins.objections(office.ledger, 1)
    clock.set("2026-04-14")
    coordinator = seat(browser, office, clock)
    city = seat(browser, office, clock, Role.CITY, "东")
    refused = coordinator.post(f"{address}/end", act="issue", text="")
    assert refused.status_code == 422
    assert "还有异议没有答复" in refused.text
    answer = f"{address}/objections/{said.id}"
    assert city.post(answer, text="x").status_code == 404
    assert "截止时未报" in coordinator.sent(answer, text="截止时未报")
    assert "已签发" in coordinator.sent(f"{address}/end", act="issue", text="")
    assert bulletins.bulletin(office.ledger, 1).state is State.ISSUED
    late = city.post(f"{address}/objections", text="x")
    assert late.status_code == 422
    assert "已经签发或者撤回" in late.text


def test_a_refused_draft_keeps_what_was_typed(coordinator: Seat, office: Office) -> None:
    for given, why in (
        ({"period": "2026年", "cut_off": ""}, "没有这个统计期间"),
        ({"period": "2027", "cut_off": ""}, "早于统计期间的开始"),
        ({"period": "2026", "cut_off": "昨天"}, "日期请写成"),
        ({"period": "once", "cut_off": ""}, "没有这个统计期间"),
    ):
        answer = coordinator.post("/desk/bulletins", **given)
        assert answer.status_code == 422
        assert why in answer.text
        assert f'value="{given["period"]}"' in answer.text
    assert bulletins.bulletins(office.ledger) == []


def test_a_city_sees_the_lists_of_its_own_region_alone(coordinator: Seat, city: Seat) -> None:
    address = draft(coordinator)
    behind = city.see(f"{address}/duties?measure=total&group=lead")
    assert "东市妇联" in behind
    assert "西市妇联" not in behind
    assert "属于其他地区" in behind
    assert city.see(f"{address}/duties?measure=nonsense", status=404)


def test_a_draft_is_withdrawn_with_a_reason_and_made_again(coordinator: Seat) -> None:
    address = draft(coordinator)
    assert coordinator.post(f"{address}/end", act="withdraw", text="").status_code == 422
    assert "草稿已撤回" in coordinator.sent(f"{address}/end", act="withdraw", text="口径有误")
    assert draft(coordinator) != address


def test_enter_in_the_reason_never_issues(coordinator: Seat) -> None:
    forms = re.findall(r"<form.*?</form>", coordinator.see(draft(coordinator)), re.DOTALL)
    [reason] = [one for one in forms if 'id="why"' in one]
    assert 'value="withdraw"' in reason
    assert 'value="issue"' not in reason


def test_it_is_downloaded_for_word_and_for_excel(coordinator: Seat, city: Seat) -> None:
    address = draft(coordinator)
    page = coordinator.see(address)
    for suffix in ("docx", "xlsx"):
        assert f"{address}/bulletin.{suffix}" in page
        answer = coordinator.client.get(f"{address}/bulletin.{suffix}")
        assert answer.headers["content-disposition"].endswith(f'-1.{suffix}"')
        assert is_zipfile(BytesIO(answer.content))
    own = city.client.get(f"{address}/bulletin.xlsx").content
    agencies = cells(own)
    assert "东市妇联" in agencies
    assert "西市妇联" not in agencies


def test_a_server_without_a_chinese_font_says_what_to_install(
    coordinator: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(figures: Figures) -> list[Chart]:
        del figures
        raise NoChineseFont

    address = draft(coordinator)
    monkeypatch.setattr("duban.reports.making.charts", without)
    answer = coordinator.client.get(f"{address}/bulletin.docx")
    assert answer.status_code == 422
    assert "fonts-noto-cjk" in answer.text


def cells(content: bytes) -> set[object]:
    """What stands in a workbook."""
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    return {cell for sheet in sheets for row in sheet for cell in row}
