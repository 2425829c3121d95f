"""An agency reads the issued bulletins of its notices, with its own lines, and nothing else."""

import hashlib
import re
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from duban.ledger import Ledger, bulletins, links
from duban.ledger.bulletins import period_called
from duban.ledger.opening import open_missing
from duban.ledger.papers import content_of
from duban.ledger.questions import duties
from duban.ledger.tables import Duty
from duban.office import Office
from duban.registry import Registry
from duban.reports import making
from tests.conftest import CLAUSES, Project, china
from tests.duban.portal.agency.conftest import Come, Desk
from tests.duban.portal.agency.test_handing_on import hand_on
from tests.duban.portal.conftest import Browser, Clock, enter

PATHS = ("", "/bulletin.docx", "/bulletin.xlsx")


def draft(ledger: Ledger, period: str = "2026Q1") -> int:
    now = china("2026-04-08")
    number, _ = bulletins.draft(
        ledger, period_called(period), at=china("2026-04-01"), by="省", now=now, anew=True
    )
    return number


def issue(ledger: Ledger, period: str = "2026Q1", day: str = "2026-04-14") -> int:
    """Drafts the bulletin of a period and issues it; its number."""
    number = draft(ledger, period)
    making.issue(ledger, number, by="省", now=china(day))
    return number


@pytest.fixture
def issued(guest: Desk, office: Office, clock: Clock) -> int:
    """The bulletin of the quarter in which 东市妇联 reported nothing."""
    del guest
    clock.set("2026-04-15")
    return issue(office.ledger)


def listed(desk: Desk, path: str = "/bulletins") -> list[int]:
    """The bulletins to which a page leads, in its order."""
    page = desk.client.get(path)
    assert page.status_code == 200
    return [int(one) for one in re.findall(r'href="/bulletins/(\d+)"', page.text)]


def read(desk: Desk, number: int) -> str:
    page = desk.client.get(f"/bulletins/{number}")
    assert page.status_code == 200
    return page.text


def test_what_was_issued_is_listed_the_newest_first(guest: Desk, office: Office, clock: Clock):
    clock.set("2026-04-16")
    assert "还没有印发的通报" in guest.client.get("/bulletins").text
    assert "/bulletins" not in guest.client.get("/duties").text
    month, quarter = draft(office.ledger, "2026-03"), issue(office.ledger)
    making.issue(office.ledger, month, by="省", now=china("2026-04-15"))
    for path in ("/bulletins", "/duties"):
        assert listed(guest, path) == [month, quarter]
        page = guest.client.get(path).text
        assert "2026年第一季度督办情况的通报" in page
        assert bulletins.bulletin(office.ledger, quarter).number in page
        assert "2026-04-14印发" in page


def test_drafts_and_withdrawn_ones_are_as_if_they_were_not_there(
    guest: Desk, office: Office, clock: Clock
):
    clock.set("2026-04-15")
    number = draft(office.ledger)
    for _ in ("drafted", "withdrawn"):
        assert listed(guest) == []
        for path in PATHS:
            seen = guest.client.get(f"/bulletins/{number}{path}")
            none = guest.client.get(f"/bulletins/999999{path}")
            assert (seen.status_code, none.status_code) == (404, 404)
            assert seen.text.replace(f"/{number}", "/N") == none.text.replace("/999999", "/N")
        if bulletins.bulletin(office.ledger, number).ended_at is None:
            bulletins.withdraw(office.ledger, number, reason="有误", by="省", now=clock())


def test_the_whole_text_is_read_without_a_way_to_the_desk(
    guest: Desk, office: Office, clock: Clock
):
    clock.set("2026-04-15")
    number, now = draft(office.ledger), china("2026-04-09")
    said = bulletins.object_to(office.ledger, number, text="西市已报", by="西市张三", now=now)
    bulletins.answer(office.ledger, said, text="不予采纳", by="省", now=now)
    making.issue(office.ledger, number, by="省", now=china("2026-04-14"))
    page = read(guest, number)
    for section in ("一、总体情况", "二、各市情况", "五、存在问题", "九、统计口径"):
        assert section in page
    assert bulletins.bulletin(office.ledger, number).number in page
    assert "西市" in page
    for hidden in ("/desk", "西市已报", "不予采纳", "西市张三"):
        assert hidden not in page


def test_its_own_lines_stand_on_top_and_are_marked(guest: Desk, issued: int):
    page = read(guest, issued)
    top, text = page.split('<article class="bulletin">')
    assert "列第 1 位（参加排名的共 2 个）" in top
    assert "本期到期 1 项，其中应报 1 项" in top
    assert "未报 1 项，其中超期 1 项" in top
    marked = re.findall(r'<tr class="own">.*?<th scope="row">([^<]*)', text, re.DOTALL)
    assert set(marked) == {"东市", "妇联", "1 家长课堂"}


def test_it_leads_to_the_agencys_own_duties_alone(guest: Desk, office: Office, issued: int):
    own = f'href="{guest.path}">1 家长课堂</a>'
    assert re.findall(r'href="(/duties/\d+)"', read(guest, issued)) == [guest.path]
    assert own in read(guest, issued)
    open_missing(office.ledger, china("2026-04-14"), clause="small/4")
    with office.ledger.engine.begin() as connection:  # it was handed over meanwhile
        moved = update(Duty).where(Duty.id == guest.duty)
        connection.execute(moved.values(agency="西/妇联", period="2025Q4"))
    page = read(guest, issued)
    assert "1 家长课堂" in page
    assert "/duties/" not in page


def test_the_word_file_is_the_paper_as_it_was_issued(guest: Desk, office: Office, issued: int):
    paper = bulletins.bulletin(office.ledger, issued).paper_id
    assert paper
    answer = guest.client.get(f"/bulletins/{issued}/bulletin.docx")
    assert answer.content == content_of(office.ledger, paper)
    assert answer.headers["content-disposition"].startswith("attachment;")


def test_the_workbook_holds_all_tables_and_the_agencys_own_duties(guest: Desk, issued: int):
    answer = guest.client.get(f"/bulletins/{issued}/bulletin.xlsx")
    assert answer.headers["content-disposition"].startswith("attachment;")
    book = CalamineWorkbook.from_filelike(BytesIO(answer.content))
    regions = {str(row[0]) for row in book.get_sheet_by_name("各市情况").to_python()}
    assert {"东市", "西市"} <= regions
    told = [list(map(str, row)) for row in book.get_sheet_by_name("明细").to_python()]
    [head] = [row for row in told if "责任单位" in row]
    column = head.index("责任单位")
    assert [row[column] for row in told[told.index(head) + 1 :]] == ["东市妇联"]


def test_an_agency_that_only_shares_reads_it_too(come: Come, issued: int):
    sharing = come("东/教育", "1", owner="东/妇联")
    assert listed(sharing) == [issued]
    assert f'href="{sharing.path}"' not in read(sharing, issued)


def test_an_agency_without_a_duty_of_the_notice_finds_nothing(
    browser: Browser, office: Office, clock: Clock, issued: int
):
    youth = Desk(enter(browser, office, clock, "东/共青团"), 0)
    assert listed(youth) == []
    for path in PATHS:
        seen = youth.client.get(f"/bulletins/{issued}{path}")
        none = youth.client.get(f"/bulletins/999999{path}")
        assert (seen.status_code, none.status_code) == (404, 404)
        assert seen.text.replace(f"/{issued}", "/N") == none.text.replace("/999999", "/N")


@pytest.fixture
def two_notices(project: Project) -> Registry:
    """The small notice, and another that 共青团 alone has duties of."""
    folder = project.folder / "deployments" / "youth"
    folder.mkdir()
    text = "关于青年的通知\n鼓励共青团每月开展活动。\n"
    (folder / "notice.txt").write_text(text, encoding="utf-8")
    head, _, clauses = CLAUSES.partition("- id: 1\n")
    third = clauses.partition("- id: 3\n")[2].partition("- id: 4\n")[0]
    end = "\nnot_directive:\n- {{quote: 关于青年的通知, why: heading}}\n"
    head = head.replace("小事", "青年").replace("1号", "2号\n  prefix: 青")
    digest = hashlib.sha256(text.encode()).hexdigest()
    written = f"{head}- id: 3\n{third}{end}".format(sha256=digest)
    (folder / "clauses.yaml").write_text(written, encoding="utf-8")
    project.edit(project.agencies, "notices: [small]", "notices: [small, youth]")
    return project.load()


def test_a_bulletin_is_read_by_the_units_of_the_notices_that_it_counts(
    browser: Browser, office: Office, clock: Clock, two_notices: Registry, issued: int
):
    clock.set("2026-05-15")
    office = Office(office.settings, Ledger(office.ledger.engine, two_notices))
    youth = Desk(enter(browser, office, clock, "东/共青团"), 0)
    open_missing(office.ledger, china("2026-04-20"), clause="youth/3")
    assert duties(office.ledger, agency="东/共青团")
    assert listed(youth) == []
    now = china("2026-05-08")
    later, _ = bulletins.draft(office.ledger, period_called("2026-04"), at=now, by="省", now=now)
    making.issue(office.ledger, later, by="省", now=china("2026-05-14"))
    assert listed(youth) == [later]
    assert youth.client.get(f"/bulletins/{issued}").status_code == 404


def test_a_link_that_was_handed_on_opens_no_bulletin(guest: Desk, browser: Browser, issued: int):
    client = browser()
    client.get(hand_on(guest))
    assert "/bulletins" not in client.get("/duties").text
    for path in ("/bulletins", *(f"/bulletins/{issued}{end}" for end in PATHS)):
        assert client.get(path).status_code == 404


def test_a_link_past_its_end_or_revoked_opens_none(
    guest: Desk, come: Come, office: Office, clock: Clock, issued: int
):
    other = come()
    links.revoke(
        office.ledger, links.links_of(office.ledger, "东/妇联")[-1].id, by="省", now=clock()
    )
    assert other.client.get(f"/bulletins/{issued}").status_code == 404
    assert guest.client.get(f"/bulletins/{issued}").status_code == 200
    clock.set("2026-12-01")
    assert guest.client.get(f"/bulletins/{issued}").status_code == 404


def test_the_frame_speaks_the_visitors_language(guest: Desk, issued: int):
    guest.client.headers["accept-language"] = "en"
    page = read(guest, issued)
    assert "What concerns this agency" in page
    assert "Rank 1 of 2." in page
    assert "Duties of this agency" in page
