"""Coming in by a link, going, losing it, choosing a language."""

import pytest
from sqlalchemy import select

from duban.ledger import links
from duban.ledger.database import reading
from duban.ledger.tables import Letter
from duban.office import Office
from tests.duban.portal.agency.conftest import Come, Desk
from tests.duban.portal.conftest import Browser, Clock


def issue(office: Office, clock: Clock) -> str:
    return links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())


def test_a_link_leads_to_a_clean_address_and_a_cookie(
    browser: Browser, office: Office, clock: Clock
):
    token = issue(office, clock)
    answer = browser().get(f"/a/{token}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/duties")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"duban-link={token};")
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert "Secure" not in cookie  # a loopback address over http


def test_a_link_answers_to_head(browser: Browser, office: Office, clock: Clock):
    answer = browser().head(f"/a/{issue(office, clock)}", follow_redirects=False)
    assert (answer.status_code, answer.text) == (303, "")


def test_unknown_expired_and_revoked_links_get_the_same_answer(
    browser: Browser, office: Office, clock: Clock
):
    revoked, old = issue(office, clock), issue(office, clock)
    [first, _] = links.links_of(office.ledger, "东/妇联")[-2:]
    links.revoke(office.ledger, first.id, by="test", now=clock())
    said = browser().get(f"/a/{revoked}")
    clock.set("2027-03-02")
    answers = [browser().get(f"/a/{token}") for token in (old, "x" * 43)]
    assert {one.status_code for one in (said, *answers)} == {404}
    assert len({one.text.replace(old, "").replace(revoked, "").replace("x" * 43, "")
                for one in (said, *answers)}) == 1  # fmt: skip


def test_the_eleventh_wrong_link_in_a_minute_has_to_wait(browser: Browser):
    client = browser()
    codes = [client.get(f"/a/{'y' * 42}{n}").status_code for n in range(11)]
    assert codes == [404] * 10 + [429]


def test_without_a_link_there_is_nothing(browser: Browser):
    assert browser().get("/duties").status_code == 404
    assert browser().get("/").status_code == 200
    assert 'href="/duties"' not in browser().get("/").text


def test_leaving_forgets_the_link_on_this_machine_only(guest: Desk, browser: Browser):
    token = guest.client.cookies["duban-link"]
    assert 'href="/duties"' in guest.client.get("/").text
    left = guest.post("/leave").text
    assert "已退出" in left
    assert 'href="/duties"' not in left
    assert guest.client.get("/duties").status_code == 404
    assert browser().get(f"/a/{token}").status_code == 200


@pytest.mark.parametrize("who", ["共青团东市委", "YOUTH@example.org", "没有这个单位", ""])
def test_a_lost_link_gets_the_same_answer_whoever_asks(browser: Browser, office: Office, who: str):
    client = browser()
    page = client.get("/lost").text
    csrf = page.partition('name="csrf" value="')[2][:43]
    answer = client.post("/lost", data={"csrf": csrf, "who": who})
    assert answer.status_code == 200
    assert "如该单位已登记联系地址，新的链接已发往该地址。" in answer.text
    assert who not in answer.text or not who
    question = select(Letter.recipient).where(Letter.kind == "link")
    with reading(office.ledger.engine) as connection:
        sent = list(connection.scalars(question))
    assert sent == (["东/共青团"] if "东市" in who or "@" in who else [])


def test_a_lost_link_is_not_sent_for_another_site(browser: Browser):
    client = browser()
    csrf = client.get("/lost").text.partition('name="csrf" value="')[2][:43]
    data = {"csrf": csrf, "who": "东市妇联"}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/lost", data=data, headers=foreign).status_code == 403
    assert client.post("/lost", data={"who": "东市妇联"}).status_code == 403


def test_the_language_is_chosen_by_the_browser_or_the_switch(come: Come):
    guest = come()
    assert 'lang="zh-CN"' in guest.read()
    answer = guest.client.get(f"/language/en?back={guest.path}")
    assert answer.url.path == guest.path
    assert 'lang="en"' in answer.text
    assert guest.client.get("/language/xx").status_code == 404


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a/token",
        "duties",
        "/a\r\nX: 1",
    ],
)
def test_the_switch_leads_nowhere_else(browser: Browser, back: str):
    answer = browser().get("/language/en", params={"back": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_wrong_address_is_told_plainly(guest: Desk):
    assert "没有这个页面" in guest.client.get("/duties/999999").text
