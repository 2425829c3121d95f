"""What an agency sees of its duties: in which order, with which dates, and nobody else's."""

import re

import pytest

from duban.ledger import acts, links
from duban.ledger.questions import duties
from duban.office import Office
from tests.conftest import china
from tests.duban.portal.agency.conftest import Come, Desk, rows
from tests.duban.portal.conftest import Browser, Clock


def groups(guest: Desk) -> list[str]:
    return re.findall(r'<h2 id="g-(\w+)">', guest.client.get("/duties").text)


def test_a_duty_stands_among_those_that_wait_until_it_is_near(guest: Desk, clock: Clock):
    assert groups(guest) == ["waiting"]
    clock.set("2026-03-14")
    assert groups(guest) == ["soon"]
    assert "还有 6 天" in guest.client.get("/duties").text
    clock.set("2026-03-20")
    assert "今天到期" in guest.client.get("/duties").text
    clock.set("2026-03-23")
    assert groups(guest) == ["overdue"]
    assert "已超期 3 天" in guest.client.get("/duties").text


def test_what_is_missing_is_told_and_shrinks_with_the_draft(guest: Desk):
    assert "还缺：课堂数" in guest.client.get("/duties").text
    guest.post("", act="draft", classes="12")
    page = guest.client.get("/duties").text
    assert "还缺" not in page
    assert "必填项已齐，尚未提交" in page


def test_a_returned_duty_shows_why(guest: Desk, office: Office, clock: Clock):
    guest.hand_in(classes="12")
    assert groups(guest) == ["review"]
    acts.send_back(
        office.ledger, guest.duty, reason="缺少分县明细", by="省", now=clock(), due_on=None
    )
    assert groups(guest) == ["returned"]
    assert "退回原因：缺少分县明细" in guest.client.get("/duties").text
    page = guest.read()
    assert "缺少分县明细" in page
    assert 'value="12"' in page  # to be mended, not typed again


def test_done_duties_are_shown_below_with_more_on_demand(guest: Desk, office: Office, clock: Clock):
    guest.hand_in(classes="12")
    acts.accept(office.ledger, guest.duty, by="省", now=clock())
    page = guest.client.get("/duties").text
    assert groups(guest) == []
    assert "目前没有需要办理的事项" in page
    assert "已办结 1" in page
    assert "/duties?more=1" not in page
    assert "报送佐证材料" not in guest.read()


def test_an_agency_that_shares_sees_the_duty_apart_and_nothing_of_its_lead(
    come: Come, office: Office
):
    lead, sharing = come(), come("东/教育", "1", owner="东/妇联")
    lead.hand_in(classes="123")
    assert groups(sharing) == ["overdue", "shared"]
    page = sharing.read()
    assert "配合事项，由东市妇联牵头" in page
    assert "123" not in page
    assert "王芳" not in page
    assert "回执号" not in page
    assert "/nil" in page
    assert "/extension" not in page
    assert sharing.post("acknowledge").status_code == 404


def test_the_page_says_where_the_duty_and_its_date_come_from(come: Come):
    page = come().read()
    assert "妇联每季度报告家长课堂" in page
    assert "省教〔2025〕1号" in page
    assert "2026年3月20日" in page
    assert "原文" in page
    assert "不顺延" in page


def test_an_extended_date_is_shown_beside_the_first(guest: Desk, office: Office, clock: Clock):
    acts.extend(
        office.ledger,
        guest.duty,
        due_on=china("2026-04-10").date(),
        reason="疫情",
        by="省",
        now=clock(),
    )
    page = guest.read()
    assert "2026年4月10日" in page
    assert "2026年3月20日" in page
    assert "延期至 2026-04-10（原为 2026-03-20）：疫情" in page


def test_last_periods_accepted_figures_are_an_example(
    guest: Desk, office: Office, clock: Clock, come: Come
):
    guest.hand_in(classes="321", files=None)
    acts.accept(office.ledger, guest.duty, by="省", now=clock())
    from duban.ledger.opening import open_missing

    clock.set("2026-04-02")
    open_missing(office.ledger, clock(), clause="small/1")
    [later] = [d for d in duties(office.ledger, agency="东/妇联", clause="small/1")
               if d.period == "2026Q2"]  # fmt: skip
    page = guest.client.get(f"/duties/{later.id}").text
    assert "参考：上一次审核通过的报送" in page
    assert "321 堂" in page


@pytest.mark.parametrize("path", ["", "/files", "/nil", "/extension", "/not-applicable"])
def test_another_agencys_duty_is_as_if_it_were_not_there(come: Come, path: str):
    guest, other = come(), come("西/妇联")
    seen = guest.client.get(f"{other.path}{path}")
    none = guest.client.get(f"/duties/999999{path}")
    assert (seen.status_code, none.status_code) == (404, 404)
    assert seen.text.replace(str(other.duty), "N") == none.text.replace("999999", "N")


def test_get_and_head_change_nothing(guest: Desk, office: Office, browser: Browser):
    guest.put("一.pdf")
    receipt = guest.hand_in(classes="1").url.path
    guest.put("二.pdf")
    [sent, draft] = sorted(file["id"] for file in guest.files())
    token = links.feed_of(
        office.ledger, office.key, links.links_of(office.ledger, "东/妇联")[-1].id
    )
    paths = [
        "/", "/lost", "/language/en", "/duties", "/duties?more=1", "/hand-on", receipt,
        *(f"{guest.path}{end}" for end in ("", "/files", "/nil", "/extension", "/not-applicable")),
        *(f"{guest.path}/kept/{file}{end}" for file in (sent, draft) for end in ("", "/pages/1")),
        f"/feed/{token}.ics", f"/a/{guest.client.cookies['duban-link']}",
    ]  # fmt: skip
    before = rows(office)
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = guest.client.request(method, path, follow_redirects=False)
            assert answer.status_code < 500
    assert rows(office) == before


def test_a_page_has_one_heading_and_every_input_its_label(guest: Desk):
    for path in ("", "/nil", "/extension", "/not-applicable"):
        page = guest.read(path)
        assert page.count("<h1") == 1
        labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
        inputs = re.findall(r'<(?:input|textarea)(?![^>]*type="(?:hidden|checkbox)")[^>]*>', page)
        ids = [re.search(r'id="([^"]+)"', one) for one in inputs]
        assert all(one and one[1] in labelled for one in ids), path
        ids_of_page = re.findall(r' id="([^"]+)"', page)
        assert len(ids_of_page) == len(set(ids_of_page))
        for described in re.findall(r'aria-describedby="([^"]+)"', page):
            assert set(described.split()) <= set(ids_of_page)
