"""A coordinator takes the list along as a workbook, and brings back what was filled in."""

import os
import re
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from duban.ledger import uploads
from duban.ledger.accounts import Role
from duban.ledger.questions import duties, events
from duban.office import Office
from duban.portal import sheets
from duban.portal.desk import board
from duban.sheets.exports import new_export
from tests.duban.portal.agency.conftest import rows
from tests.duban.portal.agency.test_sheet import HEAD, digest_of, filled
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat


@pytest.fixture
def desk(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


@pytest.fixture
def duty(office: Office) -> int:
    return duties(office.ledger, agency="东/妇联", clause="small/1")[0].id


def downloaded(desk: Seat, address: str = "/desk/ledger.xlsx") -> bytes:
    answer = desk.client.get(address)
    assert answer.status_code == 200
    return answer.content


def numbers(content: bytes) -> list[int]:
    """The duties of a workbook."""
    book: Any = load_workbook(BytesIO(content))
    page = book.worksheets[0]
    column = [cell.value for cell in page[HEAD]].index("事项号")
    return [row[column] for row in page.iter_rows(HEAD + 1, values_only=True)]


def sent(desk: Seat, content: bytes) -> Any:
    files = {"sheet": ("台账.xlsx", BytesIO(content), "application/octet-stream")}
    return desk.client.post("/desk/sheet", data={"csrf": desk.csrf}, files=files)


def test_the_list_leads_to_a_workbook_of_the_same_selection(desk: Seat, office: Office):
    for query in ("", "?region=东", "?clause=small%2F2&state=overdue", "?text=妇联"):
        page = desk.see(f"/desk/duties{query}")
        [address] = re.findall(r'href="(/desk/ledger\.xlsx[^"]*)"', page)
        listed = {int(one) for one in re.findall(r'href="/desk/duties/(\d+)"', page)}
        found = numbers(downloaded(desk, address.replace("&amp;", "&")))
        assert set(found) == listed, query
        assert found


def test_a_look_back_is_taken_along_as_it_was(browser: Browser, office: Office, clock: Clock):
    clock.set("2026-03-25")
    desk = seat(browser, office, clock)
    content = downloaded(desk, "/desk/ledger.xlsx?as_of=2026-03-01")
    book: Any = load_workbook(BytesIO(content))
    assert book.worksheets[0].cell(1, 1).value == "督办台账（截至2026-03-01）"
    assert "只供查看，不能导入" in sent(desk, content).text


def test_a_list_that_is_too_long_says_how_else(desk: Seat, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    monkeypatch.setattr(board, "MOST_ROWS", 2)
    page = desk.see("/desk/duties")
    assert "/desk/ledger.xlsx" not in page
    assert "超过 2 项，请缩小范围后再下载台账" in page
    answer = desk.client.get("/desk/ledger.xlsx?region=东&state=open", follow_redirects=False)
    assert answer.status_code == 200
    answer = desk.client.get("/desk/ledger.xlsx", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/duties")


def test_what_was_filled_in_is_shown_first_and_brought_in_by_a_second_step(
    desk: Seat, office: Office, duty: int
):
    content = filled(downloaded(desk), duty, 填报1=12, 存在问题="师资不足")
    before = rows(office)
    page = sent(desk, content)
    assert page.status_code == 200
    assert "存在问题：（空）→师资不足" in page.text
    assert rows(office)["history"] == before["history"]
    told = desk.sent("/desk/sheet/apply", digest=digest_of(page.text))
    assert "已导入：指标存为各单位的草稿" in told
    assert uploads.draft_of(office.ledger, duty, "东/妇联") == {"classes": "12"}
    last = events(office.ledger, duty_id=duty)[-1]
    assert last.action == "filled"
    assert last.actor.startswith("provincial")


def test_a_city_coordinator_brings_in_nothing_of_another_city(
    browser: Browser, office: Office, clock: Clock, desk: Seat, duty: int
):
    west = seat(browser, office, clock, Role.CITY, "西")
    page = sent(west, filled(downloaded(desk), duty, 填报1=12))
    assert f"没有事项{duty}，或者这一事项不由你填报。" in page.text
    assert "→12" not in page.text
    assert numbers(downloaded(west, "/desk/ledger.xlsx")) == [
        one.id for one in duties(office.ledger) if one.agency.region == "西"
    ]


def test_a_reader_takes_along_and_brings_nothing_in(browser: Browser, office: Office, clock: Clock):
    reader = seat(browser, office, clock, Role.READER)
    page = reader.see("/desk/duties")
    assert "/desk/ledger.xlsx" in page
    assert "/desk/sheet" not in page
    assert reader.client.get("/desk/sheet").status_code == 404
    assert sent(reader, downloaded(reader)).status_code == 404


def test_what_is_no_workbook_is_told(desk: Seat):
    answer = sent(desk, b"x")
    assert answer.status_code == 422
    assert "这个文件不能读取。" in answer.text


@pytest.fixture
def export(office: Office, clock: Clock) -> Path:
    """What a run in the background wrote."""
    path = new_export(office.settings.home, clock())
    path.write_bytes(b"PK")
    return path


def test_what_a_run_wrote_is_fetched_by_whoever_sees_all_regions(
    browser: Browser, office: Office, clock: Clock, desk: Seat, export: Path
):
    answer = desk.client.get(f"/desk/exports/{export.name}")
    assert (answer.status_code, answer.content) == (200, b"PK")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    for other in (
        seat(browser, office, clock, Role.CITY, "东"),
        seat(browser, office, clock, Role.READER, "西"),
    ):
        assert other.client.get(f"/desk/exports/{export.name}").status_code == 404


@pytest.mark.parametrize(
    "name", ["ledger-20260302-100001.xlsx", "..%2Fledger.db", "ledger.db", ".%2e/ledger.db"]
)
def test_nothing_else_of_the_data_folder_is_fetched(desk: Seat, export: Path, name: str):
    assert desk.client.get(f"/desk/exports/{name}").status_code == 404


def test_what_a_run_wrote_is_removed_after_a_week(office: Office, clock: Clock, export: Path):
    then = time.time() - 7 * 24 * 3600 - 60
    os.utime(export, (then, then))
    assert new_export(office.settings.home, clock()) == export
    assert not export.exists()
