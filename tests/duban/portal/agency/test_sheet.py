"""An agency takes its 台账 along, fills it in, sends it back, and sees first what that does."""

import os
import re
import time
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from openpyxl import Workbook, load_workbook
from starlette.testclient import TestClient

from duban.evidence import Checked
from duban.ledger import acts, links, uploads
from duban.ledger.questions import events
from duban.office import Office
from duban.portal import sheets
from tests.conftest import china
from tests.duban.portal.agency.conftest import Come, Desk, rows
from tests.duban.portal.conftest import Browser, Clock

HEAD = 3


def downloaded(guest: Desk) -> bytes:
    answer = guest.client.get("/sheet/ledger.xlsx")
    assert answer.status_code == 200
    return answer.content


def filled(content: bytes, duty: int, **given: Any) -> bytes:
    """The workbook after somebody typed into the line of a duty, by heading."""
    book: Any = load_workbook(BytesIO(content))
    page = book.worksheets[0]
    titles = [cell.value for cell in page[HEAD]]
    [row] = [
        row for row in page.iter_rows(min_row=HEAD + 1) if row[titles.index("事项号")].value == duty
    ]
    for title, value in given.items():
        cell = row[titles.index(title)]
        cell.value = value
        cell.data_type = "s" if isinstance(value, str) else cell.data_type
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def sent(guest: Desk, content: bytes, **more: Any) -> Any:
    files = {"sheet": ("台账.xlsx", BytesIO(content), "application/octet-stream")}
    return guest.post("/sheet", files, **more)


def digest_of(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def test_it_is_offered_where_the_duties_are(guest: Desk):
    assert 'href="/sheet"' in guest.client.get("/duties").text
    page = guest.client.get("/sheet")
    assert page.status_code == 200
    assert 'href="/sheet/ledger.xlsx"' in page.text


def test_what_is_taken_along_holds_the_agencys_own_duties(guest: Desk):
    answer = guest.client.get("/sheet/ledger.xlsx")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    name = quote("督办台账-2026-03-02.xlsx")
    assert answer.headers["content-disposition"].endswith(f"filename*=UTF-8''{name}")
    assert answer.headers["cache-control"] == "no-store"
    book: Any = load_workbook(BytesIO(answer.content))
    page = book.worksheets[0]
    column = [cell.value for cell in page[HEAD]].index("责任单位")
    assert {row[column] for row in page.iter_rows(HEAD + 1, values_only=True)} == {"东市妇联"}


def test_what_was_filled_in_is_shown_first_and_brought_in_by_a_second_step(
    guest: Desk, office: Office
):
    content = filled(downloaded(guest), guest.duty, 填报1=12, 进展情况="=已开课")
    before = rows(office)
    page = sent(guest, content)
    assert page.status_code == 200
    assert "课堂数：（空）→12" in page.text
    assert "进展情况：（空）→=已开课" in page.text
    assert "共1行：新增0，改动1" in page.text
    assert rows(office) == before
    answer = guest.post("/sheet/apply", digest=digest_of(page.text))
    assert answer.url.path == "/duties"
    assert "已导入：指标存为草稿" in answer.text
    assert uploads.draft_of(office.ledger, guest.duty, "东/妇联") == {"classes": "12"}
    told = [(e.actor, e.action, e.text) for e in events(office.ledger, duty_id=guest.duty)]
    assert told[-2:] == [
        ("东/妇联", "progress-noted", "=已开课"),
        ("东/妇联", "filled", ""),
    ]
    assert 'value="12"' in guest.read()
    again = sent(guest, content)
    assert "没有要改的内容。" in again.text
    assert "digest" not in again.text


def test_nothing_waits_after_it_was_brought_in(guest: Desk, office: Office):
    page = sent(guest, filled(downloaded(guest), guest.duty, 填报1=12))
    folder = office.settings.home / "sheets"
    assert len([*folder.iterdir()]) == 1
    guest.post("/sheet/apply", digest=digest_of(page.text))
    assert [*folder.iterdir()] == []
    answer = guest.post("/sheet/apply", digest=digest_of(page.text))
    assert answer.status_code == 422
    assert "上传的台账已过保存期限，请重新上传。" in answer.text


def test_a_workbook_nobody_said_yes_to_is_removed_after_a_day(guest: Desk, office: Office):
    folder = office.settings.home / "sheets"
    folder.mkdir(parents=True)
    old, young = folder / "old.xlsx", folder / "young.xlsx"
    for path, hours in ((old, 25), (young, 23)):
        path.write_bytes(b"x")
        then = time.time() - hours * 3600
        os.utime(path, (then, then))
    sent(guest, downloaded(guest))
    assert not old.exists()
    assert young.exists()


def test_a_wrong_row_offers_no_second_step(guest: Desk, office: Office):
    page = sent(guest, filled(downloaded(guest), guest.duty, 填报1=501))
    assert "课堂数：501 超出范围，应在 0 至 500 之间" in page.text
    assert "整份台账都没有导入" in page.text
    assert "digest" not in page.text
    assert uploads.draft_of(office.ledger, guest.duty, "东/妇联") == {}


def test_what_moved_on_between_the_steps_is_shown_again(guest: Desk, office: Office):
    page = sent(guest, filled(downloaded(guest), guest.duty, 填报1=12))
    checked = Checked({"classes": 3}, ())
    acts.submit(office.ledger, guest.duty, checked, [], by="东/妇联", now=china("2026-03-02"))
    before = rows(office)
    answer = guest.post("/sheet/apply", digest=digest_of(page.text))
    assert answer.status_code == 422
    assert "佐证材料已报送，待审核；表格不改动已报送的内容。" in answer.text
    assert rows(office) == before


def test_a_workbook_sent_meanwhile_from_elsewhere_is_looked_at_first(guest: Desk, office: Office):
    first = downloaded(guest)
    page = sent(guest, filled(first, guest.duty, 填报1=12))
    sent(guest, filled(first, guest.duty, 填报1=13))
    answer = guest.post("/sheet/apply", digest=digest_of(page.text))
    assert answer.status_code == 422
    assert "课堂数：（空）→13" in answer.text
    assert uploads.draft_of(office.ledger, guest.duty, "东/妇联") == {}


def test_another_agencys_lines_are_not_taken(come: Come, office: Office):
    east, west = come("东/妇联"), come("西/妇联")
    content = filled(downloaded(east), east.duty, 填报1=12)
    before = rows(office)
    page = sent(west, content)
    assert f"没有事项{east.duty}，或者这一事项不由你填报。" in page.text
    assert "→12" not in page.text
    assert rows(office) == before


def test_a_link_that_was_handed_on_opens_no_sheet(
    guest: Desk, office: Office, clock: Clock, browser: Browser
):
    token = links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())
    door = links.enter(office.ledger, token, clock())
    assert door
    until = clock().date().replace(day=20)
    _, handed = links.hand_on(
        office.ledger, office.key, door, [guest.duty], "小李", until=until, now=clock()
    )
    narrow: TestClient = browser()
    narrow.get(f"/a/{handed}")
    assert 'href="/sheet"' not in narrow.get("/duties").text
    for path in ("/sheet", "/sheet/ledger.xlsx"):
        assert narrow.get(path).status_code == 404


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not a workbook", "这个文件不能读取。"),
        (b"", "这个文件不能读取。"),
    ],
)
def test_what_is_no_workbook_is_told(guest: Desk, content: bytes, told: str):
    answer = sent(guest, content)
    assert answer.status_code == 422
    assert told in answer.text


def test_a_workbook_of_something_else_is_told(guest: Desk):
    made = BytesIO()
    Workbook().save(made)
    answer = sent(guest, made.getvalue())
    assert answer.status_code == 422
    assert "没有找到可以导入的行。" in answer.text


def test_a_form_without_a_file_is_told(guest: Desk):
    answer = guest.post("/sheet")
    assert answer.status_code == 422
    assert "请先选择要导入的台账文件。" in answer.text


def test_a_file_that_is_too_large_is_not_read(guest: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sheets, "MOST_BYTES", 1000)
    assert sent(guest, b"x" * 2000).status_code == 413


def test_the_preview_speaks_the_visitors_language(guest: Desk):
    guest.client.headers["accept-language"] = "en"
    book: Any = load_workbook(BytesIO(downloaded(guest)))
    assert book.worksheets[0].title == "Ledger"
    page = book.worksheets[0]
    titles = [cell.value for cell in page[HEAD]]
    page.cell(HEAD + 1, titles.index("Progress") + 1).value = "three classes"
    made = BytesIO()
    book.save(made)
    answer = sent(guest, made.getvalue())
    assert "1 rows: 0 new, 1 changed" in answer.text
    assert "Bring in these 1 rows" in answer.text


def test_those_who_share_see_nothing_of_what_was_filled_in(come: Come):
    guest = come("东/妇联")
    page = sent(guest, filled(downloaded(guest), guest.duty, 进展情况="师资不足"))
    guest.post("/sheet/apply", digest=digest_of(page.text))
    assert "进展情况：师资不足" in guest.read()
    assert "师资不足" not in come("东/教育", owner="东/妇联").read()


def test_a_file_waits_where_nobody_else_can_name_it(guest: Desk, office: Office):
    sent(guest, downloaded(guest))
    [path] = (office.settings.home / "sheets").iterdir()
    assert re.fullmatch(r"[\w-]{43}\.xlsx", path.name)
    assert Path(path.parent).stat().st_mode & 0o077 == 0
