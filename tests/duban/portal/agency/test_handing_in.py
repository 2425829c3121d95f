"""Handing in: faults keep what was typed, a receipt follows, every version stays."""

import re

import pytest

from duban.duty import Status
from duban.ledger import acts, reviewing, uploads
from duban.office import Office
from tests.duban.portal.agency.conftest import PDF, WHO, Come, Desk, column, pdf
from tests.duban.portal.conftest import Clock


def faults(page: str) -> list[str]:
    """The summary at the head of the form."""
    summary = page.partition('id="faults"')[2].partition("</ul>")[0]
    return re.findall(r"<li>(?:<a[^>]*>)?(?:<b>[^<]*</b>)?([^<]+)", summary)


def test_evidence_is_handed_in_with_files_and_gets_a_receipt(guest: Desk, office: Office):
    answer = guest.hand_in(
        [pdf("proof")], classes="１，０００".replace("１，０００", "４８０"), note="甲"
    )
    assert answer.url.path.startswith(f"{guest.path}/receipt/")
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert version.receipt in answer.text
    assert "第 1 版" in answer.text
    assert version.fields == {"classes": 480, "note": "甲"}
    assert (version.person, version.telephone) == ("王芳", "0351-1234567")
    [file] = version.files
    assert file.sha256 in answer.text
    assert (office.settings.files / file.stored_as).read_bytes() == PDF
    assert column(office, guest.duty, "status") == Status.SUBMITTED


def test_the_day_of_the_evidence_is_kept_apart_from_the_day_it_came(guest: Desk, office: Office):
    guest.hand_in(classes="1", _dated="2026-02-28")
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert f"{version.dated}" == "2026-02-28"


def test_name_and_number_are_asked_once(guest: Desk, come: Come):
    guest.hand_in(classes="1")
    page = guest.read()
    assert 'value="王芳"' in page
    assert 'value="0351-1234567"' in page
    assert "仅用于核实本事项，办结30日后删除" in page
    assert "王芳" not in come().read()  # another link of the same agency


def test_all_faults_are_told_at_once_and_nothing_typed_is_lost(guest: Desk, office: Office):
    answer = guest.post(
        "",
        [pdf("proof", "好.pdf"), pdf("proof", "坏.exe", b"MZ")],
        act="submit", classes="五百", note="一" * 21, _dated="2099-01-01", _telephone="x",
    )  # fmt: skip
    assert answer.status_code == 422
    assert faults(answer.text) == [
        "“五百”不是整数，请只填数字，例如 1234",
        "共21字，最多20字，请精简",
        "2099-01-01 还没有到，请核对年份和日期",
        "这一项必填，还没有填写",
        "“x”不像电话号码，请填写可以联系到您的号码",
        "坏.exe：这里不收这种文件，请改传图片、PDF、Word（docx）或 Excel（xlsx）",
    ]
    for kept in ('value="五百"', "一" * 21, 'value="2099-01-01"', "好.pdf"):
        assert kept in answer.text
    anchors = re.findall(r'href="#(f-[^"]+)"', answer.text)
    assert all(f'id="{anchor}"' in answer.text for anchor in anchors)
    assert answer.text.count('aria-invalid="true"') >= 4
    assert reviewing.versions(office.ledger, guest.duty) == []
    [draft] = uploads.draft_files(office.ledger, guest.duty, "东/妇联")
    assert draft.name == "好.pdf"  # the sound file needs no second upload
    answer = guest.hand_in(classes="5")
    assert "好.pdf" in answer.text


def test_a_required_field_is_asked_for(guest: Desk):
    assert faults(guest.hand_in().text) == ["这一项必填，还没有填写"]


@pytest.mark.parametrize(
    ("upper", "lower", "told"),
    [
        ("101", "100", "“101/100”的第一个数应在 0 和第二个数之间"),
        ("1", "0", "“1/0”的第二个数应大于 0"),
        ("1", "", "“1/”不完整，两个数都要填，例如 950/1000"),
        ("", "", "这一项必填，还没有填写"),
    ],
)
def test_a_ratio_is_checked(come: Come, upper: str, lower: str, told: str):
    guest = come("东/教育", "2")
    answer = guest.hand_in(**{"share.upper": upper, "share.lower": lower})
    assert faults(answer.text) == [told]
    assert f'value="{upper}"' in answer.text


def test_a_ratio_shows_its_share_against_the_target(come: Come):
    guest = come("东/教育", "2")
    guest.post("", act="draft", **{"share.upper": "1,899", "share.lower": "２０００"})
    page = guest.read()
    assert "94.9%" in page  # never rounded up to the target
    assert "目标 95%" in page
    assert 'value="1,899"' in page
    answer = guest.hand_in(**{"share.upper": "1,899", "share.lower": "２０００"})
    assert "1899/2000（94.9%）" in answer.text


def test_a_second_version_replaces_nothing(guest: Desk, office: Office):
    first = guest.hand_in([pdf("proof", "一.pdf")], classes="1").url.path
    assert "再次报送不会替换前面的材料" in guest.read()
    guest.hand_in([pdf("proof", "二.pdf", PDF + b"2")], classes="2")
    newest, oldest = reviewing.versions(office.ledger, guest.duty)
    assert (newest.number, newest.fields) == (2, {"classes": 2})
    assert (oldest.number, oldest.fields) == (1, {"classes": 1})
    assert [[file.name for file in v.files] for v in (newest, oldest)] == [["二.pdf"], ["一.pdf"]]
    page = guest.client.get(first).text
    assert "一.pdf" in page
    assert "二.pdf" not in page


def test_a_closed_duty_takes_nothing_and_says_so(guest: Desk, office: Office, clock: Clock):
    csrf = guest.csrf
    acts.waive(office.ledger, guest.duty, reason="撤销", by="省", now=clock())
    answer = guest.client.post(guest.path, data={"csrf": csrf, "classes": "1", **WHO})
    assert answer.status_code == 422
    assert "没有办成" in answer.text


def test_personal_data_comes_back_with_a_warning_and_goes_only_when_ticked(
    guest: Desk, office: Office
):
    note = "联系13812345678"
    answer = guest.hand_in(classes="1", note=note)
    assert answer.status_code == 422
    assert "手机号码" in answer.text
    assert "138****5678" in answer.text
    assert note in answer.text  # the field keeps what was typed
    assert reviewing.versions(office.ledger, guest.duty) == []
    guest.hand_in(classes="1", note=note, suspect="yes")
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert version.suspect == "telephone"


def test_a_draft_is_there_on_another_device(guest: Desk, come: Come):
    assert "草稿已保存" in guest.post("", act="draft", classes="abc", _person="王芳").text
    page = come().read()
    assert 'value="abc"' in page
    assert "王芳" not in page


def test_a_script_keeps_what_is_typed(guest: Desk, office: Office):
    answer = guest.post("draft", classes="7", note="半句")
    assert answer.json()["saved"] == "2026-03-02 10:00"
    kept = uploads.draft_of(office.ledger, guest.duty, "东/妇联")
    assert {key: value for key, value in kept.items() if value} == {"classes": "7", "note": "半句"}


def test_handing_in_ends_the_draft(guest: Desk, office: Office):
    guest.post("draft", classes="7")
    guest.hand_in(classes="8")
    assert uploads.draft_of(office.ledger, guest.duty, "东/妇联") == {}


@pytest.mark.parametrize("path", ["", "draft", "nil", "extension", "acknowledge", "/hand-on"])
def test_a_form_without_its_mark_is_refused(guest: Desk, office: Office, path: str):
    where = path if path.startswith("/") else f"{guest.path}/{path}".rstrip("/")
    for data in ({"classes": "1"}, {"classes": "1", "csrf": "x" * 43}):
        assert guest.client.post(where, data=data).status_code == 403
    assert column(office, guest.duty, "status") == Status.OPEN


def test_what_is_typed_is_never_markup(guest: Desk):
    page = guest.hand_in(classes="<script>alert(1)</script>", note="{{7*7}}").text
    assert "<script>alert" not in page
    assert "{{7*7}}" in page


def test_a_receipt_of_nobody_is_not_there(guest: Desk, come: Come):
    receipt = guest.hand_in(classes="1").url.path
    assert come("西/妇联").client.get(receipt).status_code == 404
    assert guest.client.get(f"{guest.path}/receipt/none").status_code == 404
