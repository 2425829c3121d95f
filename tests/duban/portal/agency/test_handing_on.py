"""Handing duties on by a narrower link, and what its holder may see."""

import re

import pytest

from duban.ledger import links, reviewing
from duban.ledger.questions import events
from duban.office import Office
from tests.duban.portal.agency.conftest import Come, Desk, pdf, rows
from tests.duban.portal.conftest import Browser

UNTIL = "2026-04-30"


def hand_on(guest: Desk, *, holder: str = "小店区妇联", until: str = UNTIL) -> str:
    """The path that the new link opens."""
    page = guest.post("/hand-on", holder=holder, until=until, duty=str(guest.duty)).text
    found = re.search(r"http://127\.0\.0\.1:4280(/a/[\w-]{43})<", page)
    assert found, page
    return found[1]


@pytest.fixture
def holder(guest: Desk, browser: Browser) -> Desk:
    """Somebody to whom the duty was handed on."""
    client = browser()
    client.get(hand_on(guest))
    return Desk(client, guest.duty)


def test_the_link_is_shown_once_with_a_picture_of_it(guest: Desk):
    page = guest.post("/hand-on", holder="小店区妇联", until=UNTIL, duty=str(guest.duty)).text
    assert "转交给小店区妇联，共 1 项，有效期至2026-04-30。" in page
    assert 'src="data:image/svg+xml' in page
    assert "/a/" not in guest.client.get("/duties").text
    assert "/a/" not in guest.read()


def test_its_holder_sees_only_what_was_handed_on(holder: Desk, come: Come):
    page = holder.client.get("/duties").text
    assert "东市妇联将下列事项转交小店区妇联办理，链接有效期至2026-04-30。" in page
    assert page.count('class="what"') == 1
    sharing = come("东/教育", "2")
    assert holder.client.get(sharing.path).status_code == 404


def test_its_holder_hands_in_for_the_agency_and_sees_only_that(
    guest: Desk, holder: Desk, office: Office
):
    first = guest.hand_in([pdf("proof", "单位.pdf")], classes="111").url.path
    assert "111" not in holder.read()
    assert "单位.pdf" not in holder.read()
    assert holder.client.get(first).status_code == 404
    holder.hand_in([pdf("proof", "经办.pdf")], classes="222")
    page = holder.read()
    assert "222" in page
    assert "经办.pdf" in page
    assert "111" not in page
    newest, _ = reviewing.versions(office.ledger, guest.duty)
    assert newest.submitted_by == "东/妇联"
    assert "222" in guest.read()


def test_it_shows_in_the_history_and_the_agency_takes_it_back(
    guest: Desk, holder: Desk, office: Office
):
    assert "转交小店区妇联办理" in guest.read()
    assert "handed-on" in [one.action for one in events(office.ledger, duty_id=guest.duty)]
    [link] = [one for one in links.links_of(office.ledger, "东/妇联") if one.parent]
    assert "作废" in guest.client.get("/duties").text
    assert "立即失效" in guest.post(f"/links/{link.id}/revoke").text
    assert holder.client.get("/duties").status_code == 404
    assert guest.post(f"/links/{link.id}/revoke").status_code == 404


def test_a_link_that_was_handed_on_hands_on_no_more_than_it_has(holder: Desk, browser: Browser):
    page = holder.post("/hand-on", holder="李某", until="2026-05-30", duty=str(holder.duty)).text
    assert "不能超出本链接的范围" in page
    assert browser().get(hand_on(holder, holder="李某")).status_code == 200


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"holder": ""}, "请写明转交给谁（60 字以内）。"),
        ({"until": "2027-12-31"}, "转交的事项和期限不能超出本链接的范围"),
        ({"until": "2026-01-01"}, "转交的事项和期限不能超出本链接的范围"),
        ({"until": "x"}, "“x”不是日期"),
        ({"duty": []}, "转交的事项和期限不能超出本链接的范围"),
        ({"duty": "999999"}, "转交的事项和期限不能超出本链接的范围"),
        ({"duty": "9" * 40}, "转交的事项和期限不能超出本链接的范围"),
    ],
)
def test_what_cannot_be_handed_on_is_told(
    guest: Desk, office: Office, change: dict[str, str], told: str
):
    given = {"holder": "李某", "until": UNTIL, "duty": str(guest.duty)} | change
    before = rows(office)
    answer = guest.post("/hand-on", **given)
    assert answer.status_code == 422
    assert told in answer.text
    assert rows(office) == before


def test_another_agencys_duty_or_link_is_out_of_reach(guest: Desk, holder: Desk, come: Come):
    del holder
    other = come("西/妇联")
    other_link = re.search(r"/links/(\d+)/revoke", guest.client.get("/duties").text)
    assert other_link
    assert other.post(f"/links/{other_link[1]}/revoke").status_code == 404
    answer = guest.post("/hand-on", holder="李某", until=UNTIL, duty=str(other.duty))
    assert answer.status_code == 422


def test_no_token_stays_in_the_ledger(guest: Desk, holder: Desk, office: Office):
    guest.hand_in(classes="1")
    tokens = [desk.client.cookies["duban-link"] for desk in (guest, holder)]
    everything = str(rows(office))
    assert not any(token in everything for token in tokens)
