"""One duty's page: all that is known of it, and what a coordinator does there."""

import re
from datetime import date

import pytest

from duban.duty import Status
from duban.evidence import Checked, KeptFile
from duban.ledger import acts, links, petitions
from duban.ledger.accounts import Role
from duban.ledger.acts import Cover
from duban.ledger.chase import chase
from duban.ledger.holds import holds_in_force
from duban.ledger.questions import DutyView, duties, events
from duban.office import Office
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat

ACTS = ("call", "extend", "waive", "reopen", "hold")


def duty_of(office: Office, clause: str, region: str) -> DutyView:
    found = duties(office.ledger, clause=f"small/{clause}")
    return next(one for one in found if one.agency.region == region)


@pytest.fixture
def east(office: Office) -> DutyView:
    """The eastern women's federation has until 20 March to report."""
    return duty_of(office, "1", "东")


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


def now(office: Office, duty: DutyView) -> DutyView:
    return duties(office.ledger, ids=[duty.id])[0]


def last(office: Office, duty: DutyView) -> tuple[str, str]:
    """(action, reason) of the newest row of its history."""
    newest = events(office.ledger, duty_id=duty.id)[-1]
    return newest.action, newest.text


def test_the_page_tells_the_clause_the_date_who_reports_and_what_comes_next(
    coordinator: Seat, east: DutyView
) -> None:
    page = coordinator.see(f"/desk/duties/{east.id}")
    for said in (
        "妇联每季度报告家长课堂",
        "省教〔2025〕1号",
        "/desk/notices/small#c-1",
        "2026-03-20",
        "东市妇联",
        "东市教育局",
        "没有联系地址",
        "尚未报送",
        "2026-03-13 级次已到，发函：提醒",
        "立项交办",
        "课堂数",
    ):
        assert said in page, said


def test_a_formal_letter_that_awaits_approval_is_what_comes_next(
    browser: Browser, office: Office, clock: Clock, east: DutyView
) -> None:
    office.post.deliver(clock)
    for day in ("2026-03-23", "2026-05-12"):
        clock.set(day)
        chase(office.ledger, clock())
    clock.set("2026-05-13")
    page = seat(browser, office, clock).see(f"/desk/duties/{east.id}")
    assert "<dt>今日</dt><dd>通报待批准</dd>" in page
    assert "<dt>下一步</dt><dd>通报待批准</dd>" in page


def test_every_version_is_shown_with_its_figures_files_and_hashes(
    coordinator: Seat, office: Office, clock: Clock, east: DutyView
) -> None:
    cover = Cover(dated=date(2026, 2, 28), person="王芳", telephone="0351-1234567")
    kept = KeptFile("proof", "汇总表.pdf", 2048, "ab" * 32, "f" * 32)
    first, second = Checked({"classes": 12}, ()), Checked({"classes": 13, "note": "已更正"}, ())
    acts.submit(office.ledger, east.id, first, [kept], by="东/妇联", now=clock(), cover=cover)
    acts.submit(office.ledger, east.id, second, [], by="东/妇联", now=clock())
    page = coordinator.see(f"/desk/duties/{east.id}")
    for said in (
        "第 1 版",
        "第 2 版",
        "12 堂",
        "13 堂",
        "已更正",
        "汇总表.pdf",
        "ab" * 32,
        "检验中",
    ):
        assert said in page, said
    assert "王芳" in page
    assert "0351-1234567" in page
    assert f'href="/desk/review/{east.id}"' in page


def test_a_reader_sees_neither_persons_nor_suspected_data_nor_anything_to_do(
    browser: Browser, office: Office, clock: Clock, east: DutyView
) -> None:
    number = "140105201001011238"
    cover = Cover(person="王芳", telephone="0351-1234567", suspect="id-number")
    evidence = Checked({"classes": 1, "note": f"含 {number}"}, ())
    acts.submit(office.ledger, east.id, evidence, [], by="东/妇联", now=clock(), cover=cover)
    for role in (Role.READER, Role.PROVINCIAL):
        page = seat(browser, office, clock, role).see(f"/desk/duties/{east.id}")
        assert number not in page
        assert "疑似含个人信息" in page
        decides = role is Role.PROVINCIAL
        assert ("王芳" in page) is decides
        assert ("到审核页面核对" in page) is decides
        assert (f"/desk/duties/{east.id}/waive" in page) is decides


def test_a_call_is_recorded_with_whom_and_what(
    coordinator: Seat, office: Office, east: DutyView
) -> None:
    page = coordinator.sent(f"/desk/duties/{east.id}/call", said="与李主任通话，周五前报")
    assert "电话催办已记录" in page
    assert "电话催办：与李主任通话，周五前报" in page
    assert last(office, east) == ("called", "与李主任通话，周五前报")


def test_an_extension_moves_the_date_and_keeps_the_first(
    coordinator: Seat, office: Office, east: DutyView
) -> None:
    page = coordinator.sent(f"/desk/duties/{east.id}/extend", due_on="2026-04-10", reason="换届")
    assert "已延期" in page
    assert "2026-04-10" in page
    assert "原时限 2026-03-20" in page
    assert now(office, east).original_due_at == east.due_at


@pytest.mark.parametrize(
    ("how", "status"),
    [("waived", Status.WAIVED), ("not-applicable", Status.NOT_APPLICABLE)],
)
def test_a_duty_is_closed_without_evidence_and_opened_again(
    coordinator: Seat, office: Office, east: DutyView, how: str, status: Status
) -> None:
    coordinator.sent(f"/desk/duties/{east.id}/waive", how=how, reason="已撤并")
    assert now(office, east).status is status
    page = coordinator.sent(f"/desk/duties/{east.id}/reopen", reason="误办")
    assert "已重启" in page
    assert now(office, east).status is Status.OPEN


@pytest.mark.parametrize(
    ("scope", "agency", "clause"),
    [("both", "东/妇联", "small/1"), ("agency", "东/妇联", None), ("clause", None, "small/1")],
)
def test_a_hold_covers_what_was_chosen(
    coordinator: Seat,
    office: Office,
    clock: Clock,
    east: DutyView,
    scope: str,
    agency: str | None,
    clause: str | None,
) -> None:
    page = coordinator.sent(
        f"/desk/duties/{east.id}/hold", scope=scope, until="2026-03-10", reason="防汛"
    )
    assert "暂停至 2026-03-10：防汛" in page
    [found] = holds_in_force(office.ledger, clock())
    assert (found.agency, found.clause) == (agency, clause)


def test_a_city_coordinator_never_holds_a_clause_for_other_cities(
    browser: Browser, office: Office, clock: Clock, east: DutyView
) -> None:
    city = seat(browser, office, clock, Role.CITY, "东")
    assert 'value="clause"' not in city.see(f"/desk/duties/{east.id}")
    fields = {"scope": "clause", "until": "2026-03-10", "reason": "防汛"}
    city.sent(f"/desk/duties/{east.id}/hold", **fields)
    [found] = holds_in_force(office.ledger, clock())
    assert found.agency == "东/妇联"


@pytest.mark.parametrize(
    ("act", "fields", "fault"),
    [
        ("call", {"said": " "}, "请填写完整"),
        ("extend", {"due_on": "x", "reason": "换届"}, "请填写完整"),
        ("extend", {"due_on": "2026-03-01", "reason": "换届"}, "必须晚于今天"),
        ("extend", {"due_on": "2026-03-20", "reason": "换届"}, "晚于现行时限"),
        ("waive", {"reason": ""}, "请填写完整"),
        ("waive", {"reason": "长" * 2001}, "不超过 2000 字"),
        ("reopen", {"reason": "误办"}, "状态已经改变"),
        ("hold", {"until": "2026-03-01", "reason": "防汛"}, "不得早于今天"),
    ],
)
def test_what_cannot_be_done_is_told_and_what_was_typed_is_kept(
    coordinator: Seat,
    office: Office,
    east: DutyView,
    act: str,
    fields: dict[str, str],
    fault: str,
) -> None:
    before = events(office.ledger)
    answer = coordinator.post(f"/desk/duties/{east.id}/{act}", act=act, **fields)
    assert answer.status_code == 422
    assert fault in answer.text
    if fields.get("reason") == "换届":
        assert ">换届</textarea>" in answer.text
    assert events(office.ledger) == before


def test_a_waiting_duty_alone_can_be_called_about(
    coordinator: Seat, office: Office, clock: Clock, east: DutyView
) -> None:
    evidence = Checked({"classes": 1}, ())
    acts.submit(office.ledger, east.id, evidence, [], by="东/妇联", now=clock())
    page = coordinator.see(f"/desk/duties/{east.id}")
    assert f"/desk/duties/{east.id}/call" not in page
    answer = coordinator.post(f"/desk/duties/{east.id}/call", said="李主任")
    assert answer.status_code == 422
    assert "不需要催办" in answer.text


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_who_may_not_or_without_the_own_form(
    browser: Browser, office: Office, clock: Clock, east: DutyView, act: str
) -> None:
    fields = {"said": "某", "reason": "某", "due_on": "2026-05-01", "until": "2026-05-01"}
    before = events(office.ledger)
    address = f"/desk/duties/{east.id}/{act}"
    for role, region in ((Role.READER, None), (Role.READER, "东"), (Role.CITY, "西")):
        other = seat(browser, office, clock, role, region)
        assert other.post(address, **fields).status_code == 404
        if region == "西":
            other.see(f"/desk/duties/{east.id}", 404)
    forged = seat(browser, office, clock)
    assert forged.client.post(address, data=fields | {"csrf": "x"}).status_code == 403
    assert events(office.ledger) == before


@pytest.mark.parametrize("number", ["999", "0", "x", "9" * 30])
def test_a_duty_that_is_not_there_looks_like_one_that_must_not_be_seen(
    coordinator: Seat, number: str
) -> None:
    assert coordinator.client.get(f"/desk/duties/{number}").status_code in (404, 422)


def test_requests_and_links_handed_on_stand_on_the_page(
    coordinator: Seat, office: Office, clock: Clock, east: DutyView
) -> None:
    ledger = office.ledger
    petitions.ask(
        ledger,
        east.id,
        petitions.Kind.EXTENSION,
        reason="会议推迟",
        until=date(2026, 3, 31),
        leader="赵主任",
        by="东/妇联",
        now=clock(),
    )
    token = links.issue(ledger, office.key, "东/妇联", by="test", now=clock())
    door = links.enter(ledger, token, clock())
    assert door
    until = date(2026, 3, 20)
    links.hand_on(ledger, office.key, door, [east.id], "杏花岭区妇联", until=until, now=clock())
    page = coordinator.see(f"/desk/duties/{east.id}")
    for said in ("会议推迟", "赵主任", "待批", "杏花岭区妇联"):
        assert said in page, said
    assert token not in page


def test_looking_changes_nothing(coordinator: Seat, office: Office, east: DutyView) -> None:
    before = events(office.ledger)
    for address in ("/desk", "/desk/duties", f"/desk/duties/{east.id}", "/desk/history"):
        coordinator.see(address)
    assert events(office.ledger) == before


def test_the_page_speaks_english_too(coordinator: Seat, east: DutyView) -> None:
    coordinator.client.cookies.set("lang", "en")
    page = coordinator.see(f"/desk/duties/{east.id}")
    assert 'lang="en"' in page
    assert re.search(r"awaiting|due soon", page)
