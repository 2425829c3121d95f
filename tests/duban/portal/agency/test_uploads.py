"""Files: sent by script or with the form, kept as drafts, inspected, shown to nobody else."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from duban.evidence import MAX_FILE_BYTES
from duban.intake import Refusal, Verdict
from duban.ledger import acts, reviewing, uploads
from duban.ledger.folder import bytes_of
from duban.ledger.inspecting import inspect_waiting
from duban.office import Office
from duban.words import words
from tests.duban.portal.agency.conftest import PDF, PNG, Come, Desk, pdf
from tests.duban.portal.conftest import Clock


def stored(office: Office) -> list[Path]:
    folder = office.settings.files
    return sorted(folder.iterdir()) if folder.exists() else []


@dataclass
class Says:
    """An inspection whose outcome the test sets; the real one has tests of its own."""

    refused: str = ""

    def inspect(
        self, source: Path, name: str, kinds: Sequence[str], target: Path, previews: Path
    ) -> Verdict:
        del name, kinds
        if self.refused:
            return Verdict(refused=self.refused, detail="as the test says")
        content = source.read_bytes()
        target.write_bytes(content)
        previews.mkdir(exist_ok=True)
        (previews / "1.jpg").write_bytes(b"\xff\xd8\xff")
        sha256 = hashlib.sha256(content).hexdigest()
        return Verdict(kind="pdf", sha256=sha256, size=len(content), pages=1)


def inspect(office: Office, clock: Clock, refused: str = "") -> None:
    """Has every file that waits inspected."""
    inspect_waiting(office.ledger, office.settings.files, Says(refused), clock(), 10)


def test_a_file_is_kept_at_once_with_its_hash(guest: Desk, office: Office):
    answer = guest.put("汇总 表.pdf")
    assert answer.status_code == 201
    told = answer.json()
    assert told["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert (told["name"], told["size"], told["state"]) == ("汇总 表.pdf", len(PDF), "waiting")
    [path] = stored(office)
    assert path.read_bytes() == PDF
    page = guest.read()
    assert "汇总 表.pdf" in page
    assert "检验中" in page


def test_a_file_that_was_sent_before_goes_with_the_form(guest: Desk, office: Office):
    guest.put("一.pdf")
    guest.hand_in(classes="1")
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert [file.name for file in version.files] == ["一.pdf"]
    assert uploads.draft_files(office.ledger, guest.duty, "东/妇联") == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("跑.exe", b"MZ", "not-asked"),
        ("图.svg", b"<svg/>", "not-asked"),
        ("表.pdf", PNG, "wrong-kind"),
        ("表.doc", b"\xd0\xcf\x11\xe0", "old-format"),
        ("表.xlsm", b"PK\x03\x04", "macros"),
        ("空.pdf", b"", "empty"),
    ],
)
@pytest.mark.parametrize("by_script", [True, False])
def test_what_is_not_taken_is_told_and_leaves_nothing(
    guest: Desk, office: Office, name: str, content: bytes, code: str, by_script: bool
):
    told = words("zh").refusals[code]
    if by_script:
        answer = guest.put(name, content)
        assert answer.json()["told"] == told
    else:
        answer = guest.hand_in([pdf("proof", name, content)], classes="1")
        assert told in answer.text
        assert 'value="1"' in answer.text
    assert answer.status_code == 422
    assert stored(office) == []
    assert guest.files() == []


def test_the_limit_of_a_file_holds_while_it_comes_in(guest: Desk, office: Office):
    large = PDF + bytes(MAX_FILE_BYTES)
    assert guest.put("大.pdf", large).status_code == 413
    assert stored(office) == []
    answer = guest.hand_in([pdf("proof", "大.pdf", large)], classes="1")
    assert "文件超过 20 MB" in answer.text
    assert stored(office) == []


def test_the_limit_of_a_field_holds(guest: Desk, office: Office):
    for name in "一二":
        assert guest.put(f"{name}.pdf", PDF + name.encode()).status_code == 201
    answer = guest.put("三.pdf", PDF + b"3")
    assert answer.status_code == 422
    assert "数量已达上限" in answer.json()["told"]
    assert len(stored(office)) == 2


def test_the_same_file_twice_is_one(guest: Desk, office: Office):
    first, again = guest.put("一.pdf"), guest.put("一.pdf")
    assert first.json()["id"] == again.json()["id"]
    assert len(stored(office)) == 1


def test_a_hostile_name_is_made_safe(guest: Desk):
    told = guest.put("../../etc/\u202egnp.pdf\r\nX: 1.pdf").json()
    assert "/" not in told["name"]
    assert "\u202e" not in told["name"]
    assert "\n" not in told["name"]


def test_a_script_needs_the_mark_and_the_right_site(guest: Desk):
    path, params = f"{guest.path}/files/proof", {"name": "一.pdf"}
    assert guest.client.put(path, params=params, content=PDF).status_code == 403
    headers = {"X-CSRF": guest.csrf, "Sec-Fetch-Site": "cross-site"}
    foreign = guest.client.put(path, params=params, content=PDF, headers=headers)
    assert foreign.status_code == 403
    assert guest.files() == []


def test_files_go_only_where_files_are_asked_for(guest: Desk, come: Come):
    assert guest.put("一.pdf", field="classes").status_code == 404
    assert guest.put("一.pdf", field="none").status_code == 404
    other = come("西/妇联")
    answer = guest.client.put(
        f"{other.path}/files/proof",
        params={"name": "一.pdf"},
        content=PDF,
        headers={"X-CSRF": guest.csrf},
    )
    assert answer.status_code == 404
    assert other.files() == []


def test_removing_a_file_keeps_what_was_typed_and_chosen(guest: Desk, office: Office):
    number = guest.put("一.pdf").json()["id"]
    answer = guest.post(
        f"kept/{number}/remove", [pdf("proof", "二.pdf", PDF + b"2")], classes="12", note="甲"
    )
    assert "文件已移除" in answer.text
    assert 'value="12"' in answer.text
    assert [file["name"] for file in guest.files()] == ["二.pdf"]
    assert len(stored(office)) == 1


def test_a_script_removes_a_file(guest: Desk, office: Office):
    guest.post("draft", classes="7")
    number = guest.put("一.pdf").json()["id"]
    path, headers = f"{guest.path}/kept/{number}/remove", {"X-CSRF": guest.csrf}
    assert guest.client.post(path, headers=headers).status_code == 200
    assert guest.client.post(path, headers=headers).status_code == 200  # it is gone, as asked
    assert stored(office) == []
    kept = uploads.draft_of(office.ledger, guest.duty, "东/妇联")
    assert kept["classes"] == "7"


def test_a_file_of_a_version_is_never_removed(guest: Desk, office: Office):
    number = guest.put("一.pdf").json()["id"]
    guest.hand_in(classes="1")
    guest.post(f"kept/{number}/remove", classes="1")
    assert len(stored(office)) == 1
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert len(version.files) == 1


def test_the_script_hears_how_the_inspection_went(guest: Desk, office: Office, clock: Clock):
    guest.put("一.pdf")
    inspect(office, clock, Refusal.ENCRYPTED)
    [file] = guest.files()
    assert file["state"] == "refused"
    assert file["told"] == "文件设有密码，请取消密码后重新上传"
    assert "文件设有密码" in guest.read()


def test_a_refused_file_does_not_count(guest: Desk, office: Office, clock: Clock):
    guest.put("一.pdf")
    inspect(office, clock, Refusal.DAMAGED)
    guest.hand_in(classes="1")
    [version] = reviewing.versions(office.ledger, guest.duty)
    assert version.files == ()


def test_a_file_is_shown_only_once_it_passed_and_only_as_a_download(
    guest: Desk, office: Office, clock: Clock, come: Come
):
    number = guest.put("报告.pdf").json()["id"]
    path = f"{guest.path}/kept/{number}"
    assert guest.client.get(path).status_code == 404
    inspect(office, clock)
    answer = guest.client.get(path)
    assert answer.content == PDF
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for stranger in (come("西/妇联"), come("东/教育", "1", owner="东/妇联")):
        assert stranger.client.get(path).status_code == 404
        assert stranger.client.get(f"{path}/pages/1").status_code == 404


def test_a_preview_is_a_picture_of_our_making(guest: Desk, office: Office, clock: Clock):
    number = guest.put("报告.pdf").json()["id"]
    inspect(office, clock)
    answer = guest.client.get(f"{guest.path}/kept/{number}/pages/1")
    assert (answer.headers["content-type"], answer.content) == ("image/jpeg", b"\xff\xd8\xff")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert guest.client.get(f"{guest.path}/kept/{number}/pages/2").status_code == 404


def test_a_file_of_the_returned_version_is_used_again(guest: Desk, office: Office, clock: Clock):
    number = guest.put("报告.pdf").json()["id"]
    inspect(office, clock)
    guest.hand_in(classes="1")
    acts.send_back(office.ledger, guest.duty, reason="缺公章", by="省", now=clock())
    assert "上一版：报告.pdf" in guest.read()
    answer = guest.post(f"kept/{number}/again", classes="2")
    assert "已沿用上一版的文件" in answer.text
    assert "上一版：" not in answer.text
    guest.hand_in(classes="2")
    newest, oldest = reviewing.versions(office.ledger, guest.duty)
    assert newest.files[0].sha256 == oldest.files[0].sha256
    assert newest.files[0].stored_as != oldest.files[0].stored_as
    assert bytes_of(office.settings.files, newest.files[0].stored_as).read_bytes() == PDF


def test_every_refusal_is_worded():
    for language in ("zh", "en"):
        assert {code.value for code in Refusal} <= words(language).refusals.keys()
