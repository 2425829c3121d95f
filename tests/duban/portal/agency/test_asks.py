"""签收, 零报告, 不适用, 延期, and taking back what was asked."""

import pytest

from duban.duty import Status
from duban.ledger import petitions, reviewing
from duban.ledger.petitions import State
from duban.ledger.questions import events
from duban.office import Office
from tests.conftest import china
from tests.duban.portal.agency.conftest import WHO, Come, Desk, column
from tests.duban.portal.conftest import Clock

REASON = "数据尚在核对"
EXTENSION = {"reason": REASON, "until": "2026-04-10", "leader": "张某，副主席"}


def asked(office: Office, guest: Desk) -> list[petitions.PetitionView]:
    return petitions.petitions(office.ledger, duty_ids=[guest.duty])


def test_a_duty_is_signed_for_once(guest: Desk, office: Office, clock: Clock):
    assert "签收" in guest.read()
    assert "已签收。" in guest.post("acknowledge").text
    assert column(office, guest.duty, "acknowledged_at") == clock()
    clock.set("2026-03-03")
    guest.post("acknowledge")
    assert column(office, guest.duty, "acknowledged_at") == china("2026-03-02", "10:00")
    assert f'action="{guest.path}/acknowledge"' not in guest.read()


def test_a_nil_return_needs_a_statement_and_no_fields(guest: Desk, office: Office):
    answer = guest.post("nil", statement=" ", **WHO)
    assert answer.status_code == 422
    assert "请填写情况说明。" in answer.text
    answer = guest.post("nil", statement="本季度未举办", **WHO)
    assert "零报告" in answer.text
    assert "本季度未举办" in answer.text
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert (version.nil, version.statement, version.fields) == (True, "本季度未举办", {})
    assert column(office, guest.duty, "nil")
    assert column(office, guest.duty, "status") == Status.SUBMITTED


def test_a_nil_return_is_searched_for_personal_data(guest: Desk, office: Office):
    statement = "请联系13812345678"
    answer = guest.post("nil", statement=statement, **WHO)
    assert (answer.status_code, reviewing.versions(office.ledger, guest.duty)) == (422, [])
    assert "手机号码" in answer.text
    guest.post("nil", statement=statement, suspect="yes", **WHO)
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert version.suspect == "telephone"


def test_an_extension_is_asked_for_and_waits(guest: Desk, office: Office):
    answer = guest.post("extension", **EXTENSION)
    assert "申请已提交" in answer.text
    assert f"已申请延期至 2026-04-10，等待决定。理由：{REASON}" in answer.text
    [petition] = asked(office, guest)
    assert (petition.leader, petition.state) == ("张某，副主席", State.ASKED)
    assert column(office, guest.duty, "due_at") == china("2026-03-20", "23:59:59")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"reason": ""}, "请填写理由。"),
        ({"leader": ""}, "请填写同意延期的负责同志姓名和职务。"),
        ({"until": ""}, "请填写申请延期到哪一天。"),
        ({"until": "2026-03-20"}, "申请延期到的日期应晚于现在的时限。"),
        ({"until": "下月"}, "“下月”不是日期，请按 2026-11-24 的格式填写"),
    ],
)
def test_a_faulty_request_keeps_what_was_typed(
    guest: Desk, office: Office, change: dict[str, str], told: str
):
    given = EXTENSION | change
    answer = guest.post("extension", **given)
    assert answer.status_code == 422
    assert answer.text.count(told) == 2  # in the summary and beside the field
    for value in given.values():
        assert value in answer.text
    assert asked(office, guest) == []


def test_after_the_due_date_no_extension_is_asked_for(guest: Desk, office: Office, clock: Clock):
    clock.set("2026-03-21")
    assert f"{guest.path}/extension" not in guest.read()
    assert "时限已过，不能再申请延期" in guest.post("extension", **EXTENSION).text
    assert asked(office, guest) == []


def test_what_was_asked_can_be_taken_back_once(guest: Desk, office: Office):
    guest.post("extension", **EXTENSION)
    [petition] = asked(office, guest)
    path = f"petitions/{petition.id}/withdraw"
    assert "申请已撤回" in guest.post(path).text
    assert asked(office, guest)[0].state is State.WITHDRAWN
    assert guest.post(path).status_code == 404


def test_a_refusal_is_shown_with_its_reason(guest: Desk, office: Office, clock: Clock):
    guest.post("not-applicable", reason="无此职责")
    [petition] = asked(office, guest)
    petitions.decide(
        office.ledger, petition.id, grant=False, answer="三定方案已明确", by="省", now=clock()
    )
    assert "申请认定不适用未获同意：三定方案已明确" in guest.read()


def test_not_applicable_needs_a_reason_and_a_decision(guest: Desk, office: Office):
    assert "请填写理由。" in guest.post("not-applicable", reason="").text
    guest.post("not-applicable", reason="无此职责")
    assert column(office, guest.duty, "status") == Status.OPEN
    assert [one.reason for one in asked(office, guest)] == ["无此职责"]
    assert "申请认定不适用：无此职责" in guest.read()


@pytest.mark.parametrize("path", ["extension", "not-applicable", "acknowledge"])
def test_only_the_agency_that_owes_may_ask(come: Come, office: Office, path: str):
    sharing = come("东/教育", "1", owner="东/妇联")
    before = events(office.ledger, duty_id=sharing.duty)
    assert sharing.post(path, **EXTENSION).status_code == 404
    assert events(office.ledger, duty_id=sharing.duty) == before


def test_another_agencys_request_cannot_be_taken_back(guest: Desk, come: Come, office: Office):
    other = come("西/妇联")
    other.post("extension", **EXTENSION)
    [petition] = asked(office, other)
    for path in (other.path, guest.path):
        answer = guest.post(f"{path}/petitions/{petition.id}/withdraw")
        assert answer.status_code == 404
    assert asked(office, other)[0].state is State.ASKED
