"""The review queue: what a reviewer sees, accepts, returns, samples; and what nobody may."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from duban.duty import Status
from duban.evidence import Checked, KeptFile
from duban.ledger import acts, reviewing
from duban.ledger.accounts import Role
from duban.ledger.acts import Cover
from duban.ledger.change import change
from duban.ledger.questions import DutyView, duties, events
from duban.ledger.tables import EvidenceFile
from duban.office import Office
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat


def duty_of(office: Office, clause: str, region: str) -> DutyView:
    found = duties(office.ledger, clause=f"small/{clause}")
    return next(one for one in found if one.agency.region == region)


def submit(
    office: Office,
    clock: Clock,
    duty: DutyView,
    *,
    cover: Cover | None = None,
    files: Sequence[KeptFile] = (),
    **values: object,
) -> DutyView:
    evidence = Checked(dict(values), ())
    acts.submit(
        office.ledger, duty.id, evidence, files, by=duty.agency.id, now=clock(), cover=cover
    )
    return next(one for one in duties(office.ledger, ids=[duty.id]))


@pytest.fixture
def east(office: Office, clock: Clock) -> DutyView:
    """The eastern women's federation has reported on its classes."""
    return submit(office, clock, duty_of(office, "1", "东"), classes=12, note="办了十二堂")


@pytest.fixture
def west(office: Office, clock: Clock) -> DutyView:
    """So has the western one."""
    return submit(office, clock, duty_of(office, "1", "西"), classes=7)


@pytest.fixture
def reviewer(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


def status(office: Office, duty: DutyView) -> Status:
    return duties(office.ledger, ids=[duty.id])[0].status


def told(office: Office, duty: DutyView, action: str) -> list[tuple[str, dict[str, object]]]:
    """Text and data of a duty's history rows of an action."""
    found = events(office.ledger, duty_id=duty.id)
    return [(one.text, one.data) for one in found if one.action == action]


def file_row(office: Office, duty: DutyView, **changes: object) -> int:
    """Changes the duty's only file as inspection does; its number."""
    with change(office.ledger.engine, Clock()(), "test") as made:
        row = made.session.query(EvidenceFile).filter_by(duty_id=duty.id).one()
        for name, value in changes.items():
            setattr(row, name, value)
        return row.id


def kept(folder: Path, name: str = "汇总表.pdf", content: bytes = b"%PDF-1.7") -> KeptFile:
    folder.mkdir(parents=True, exist_ok=True)
    stored = f"{abs(hash((name, content))):032x}"
    (folder / stored).write_bytes(content)
    (folder / f"{stored}.pages").mkdir(exist_ok=True)
    (folder / f"{stored}.pages" / "1.jpg").write_bytes(b"\xff\xd8\xff")
    return KeptFile("proof", name, len(content), "a" * 64, stored)


def test_the_queue_lists_what_waits_the_oldest_first(
    browser: Browser, office: Office, clock: Clock, east: DutyView
) -> None:
    clock.set("2026-03-05")
    submit(office, clock, duty_of(office, "1", "西"), classes=7)
    page = seat(browser, office, clock).see("/desk/review")
    assert page.index(east.agency.name) < page.index("西市妇联")
    assert "3 个工作日" in page


def test_review_time_counts_working_days_after_the_evidence_came(
    office: Office, clock: Clock, east: DutyView
) -> None:
    clock.set("2026-03-09")  # a Monday, a week after
    assert [one.took for one in reviewing.queue(office.ledger, clock())] == [5]


def test_accepting_closes_the_duty_and_leads_to_the_next(
    office: Office, east: DutyView, west: DutyView, reviewer: Seat
) -> None:
    answer = reviewer.post(f"/desk/review/{east.id}/accept", version="1", remark="材料齐全")
    assert answer.headers["location"].startswith(f"/desk/review/{west.id}?")
    assert "已审核通过" in reviewer.see(answer.headers["location"])
    assert status(office, east) is Status.ACCEPTED
    assert told(office, east, "accepted")[0][0] == "材料齐全"


def test_a_return_keeps_its_codes_and_words_them_for_the_letter(
    office: Office, east: DutyView, reviewer: Seat
) -> None:
    page = reviewer.see(f"/desk/review/{east.id}")
    assert 'value="2026-03-20"' in page  # five working days end before the day in force
    reviewer.sent(
        f"/desk/review/{east.id}/return",
        version="1",
        code=["no-seal", "wrong-figures"],
        text="请核对课堂数",
        due_on="2026-03-25",
    )
    assert status(office, east) is Status.RETURNED
    text, data = told(office, east, "returned")[0]
    assert text == "缺少公章、数字有误；请核对课堂数。"
    assert data["codes"] == ["no-seal", "wrong-figures"]
    assert "2026-03-25" in str(data["due"])


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "请选择退回原因"),
        ({"code": ["other"]}, "请选择退回原因"),
        ({"code": ["no-seal"], "due_on": "2026-03-02"}, "新的时限必须晚于今天"),
        ({"code": ["no-seal"], "due_on": "明天"}, "2026-11-24 这样的日期"),
    ],
)
def test_a_return_that_is_refused_keeps_what_was_typed(
    office: Office,
    east: DutyView,
    reviewer: Seat,
    fields: dict[str, str | list[str]],
    fault: str,
) -> None:
    answer = reviewer.post(f"/desk/review/{east.id}/return", version="1", **fields)
    assert answer.status_code == 422
    assert fault in answer.text
    for code in fields.get("code", []):
        assert re.search(f'value="{code}" checked', answer.text)
    assert status(office, east) is Status.SUBMITTED


def test_a_decision_on_an_older_version_is_refused(
    office: Office, clock: Clock, east: DutyView, reviewer: Seat
) -> None:
    submit(office, clock, east, classes=13)
    for act in ("accept", "return"):
        answer = reviewer.post(f"/desk/review/{east.id}/{act}", version="1", code=["no-seal"])
        assert answer.status_code == 422
        assert "报送了新的版本" in answer.text
    assert status(office, east) is Status.SUBMITTED


def test_a_second_decision_is_told_that_somebody_was_faster(
    office: Office, clock: Clock, east: DutyView, reviewer: Seat
) -> None:
    acts.accept(office.ledger, east.id, by="other", now=clock())
    answer = reviewer.post(f"/desk/review/{east.id}/accept", version="1")
    assert answer.status_code == 422
    assert "他人已先行处理" in answer.text


def test_accepting_many_names_what_somebody_else_was_faster_with(
    office: Office, clock: Clock, east: DutyView, west: DutyView, reviewer: Seat
) -> None:
    ticked = [f"{east.id}:1", f"{west.id}:1"]
    confirm = reviewer.post("/desk/review/accept", duty=ticked)
    assert confirm.status_code == 200
    assert status(office, east) is Status.SUBMITTED
    submit(office, clock, west, classes=8)
    page = reviewer.sent("/desk/review/accept", duty=ticked, confirmed="1")
    assert "已批量审核通过 1 项" in page
    assert page.index("未通过批量审核") < page.index(west.agency.name)
    assert status(office, east) is Status.ACCEPTED
    assert status(office, west) is Status.SUBMITTED
    assert told(office, east, "accepted")[0][0] == "批量审核通过"


def test_what_is_flagged_is_never_accepted_with_others(
    office: Office, clock: Clock, east: DutyView, west: DutyView, reviewer: Seat
) -> None:
    submit(office, clock, east, classes=12, cover=Cover(suspect="telephone"))
    page = reviewer.sent(
        "/desk/review/accept", duty=[f"{east.id}:2", f"{west.id}:1"], confirmed="1"
    )
    assert "已批量审核通过 1 项" in page
    assert status(office, east) is Status.SUBMITTED


def test_a_sample_stays_the_same_and_its_outcome_stands_in_every_history(
    office: Office, east: DutyView, west: DutyView, reviewer: Seat
) -> None:
    drawn = reviewer.post("/desk/review/sample", count="50%").headers["location"]
    number = re.search(r"sample=(\d+)", drawn)
    assert number
    sample = reviewing.drawn(office.ledger, int(number[1]))
    assert sample
    assert len(sample.picked) == 1
    assert reviewing.drawn(office.ledger, int(number[1])) == sample
    rest = next(one for one in (east, west) if one.id not in sample.picked)
    tick = f"{rest.id}:1"
    early = reviewer.sent(f"/desk/review/accept?sample={number[1]}", duty=tick, confirmed="1")
    assert "尚未全部审核" in early
    reviewer.sent(f"/desk/review/{sample.picked[0]}/accept?sample={number[1]}", version="1")
    assert f'value="{tick}"' in reviewer.see(drawn)
    reviewer.sent(f"/desk/review/accept?sample={number[1]}", duty=tick, confirmed="1")
    assert told(office, rest, "accepted")[0][0] == "批量审核通过（抽查 1/2 项，均未退回）"


@pytest.mark.parametrize("count", ["", "0", "很多", "0%", "-1"])
def test_a_sample_of_nothing_is_not_drawn(east: DutyView, reviewer: Seat, count: str) -> None:
    assert "没有可抽查的事项" in reviewer.sent("/desk/review/sample", count=count)


def test_a_city_sees_and_decides_its_own_only(
    browser: Browser, office: Office, clock: Clock, east: DutyView, west: DutyView
) -> None:
    city = seat(browser, office, clock, Role.CITY, "东")
    page = city.see("/desk/review")
    assert "东市妇联" in page
    assert "西市" not in page
    city.see(f"/desk/review/{west.id}", 404)
    assert city.post(f"/desk/review/{west.id}/accept", version="1").status_code == 404
    assert city.post(f"/desk/review/{west.id}/return", version="1").status_code == 404
    city.post("/desk/review/accept", duty=f"{west.id}:1", confirmed="1")
    assert status(office, west) is Status.SUBMITTED


def test_a_sample_of_another_region_shows_a_city_nothing(
    browser: Browser, office: Office, clock: Clock, east: DutyView, west: DutyView, reviewer: Seat
) -> None:
    drawn = reviewer.post("/desk/review/sample", count="1").headers["location"]
    assert "西市" not in seat(browser, office, clock, Role.CITY, "东").see(drawn)


def test_a_reader_sees_and_decides_nothing(
    browser: Browser, office: Office, clock: Clock, east: DutyView
) -> None:
    reader = seat(browser, office, clock, Role.READER)
    page = reader.see(f"/desk/review/{east.id}")
    assert "/accept" not in page
    assert "/return" not in page
    for address in (
        "sample",
        "accept",
        *(f"{east.id}/{a}" for a in ("accept", "return", "reveal")),
    ):
        assert reader.post(f"/desk/review/{address}", version="1").status_code == 404
    assert status(office, east) is Status.SUBMITTED


def test_a_form_without_its_mark_is_refused(office: Office, east: DutyView, reviewer: Seat) -> None:
    forged = replace(reviewer, csrf="")
    for address in (
        "sample",
        "accept",
        *(f"{east.id}/{a}" for a in ("accept", "return", "reveal")),
    ):
        assert forged.post(f"/desk/review/{address}", version="1").status_code == 403
    assert status(office, east) is Status.SUBMITTED


def test_suspected_personal_data_is_hidden_until_somebody_asks_and_history_says_who(
    browser: Browser, office: Office, clock: Clock, reviewer: Seat
) -> None:
    duty = submit(
        office,
        clock,
        duty_of(office, "1", "东"),
        classes=1,
        note="请联系13812345678",
        cover=Cover(suspect="telephone"),
    )
    address = f"/desk/review/{duty.id}"
    assert "13812345678" not in reviewer.see(address)
    assert "13812345678" in reviewer.sent(f"{address}/reveal")
    assert told(office, duty, "revealed")[0][1] == {"version": 1}
    assert "13812345678" not in seat(browser, office, clock).see(address)
    for time, shown in (("10:25", True), ("10:50", True), ("11:01", False)):
        clock.set("2026-03-02", time)
        assert ("13812345678" in reviewer.see(address)) is shown


def test_figures_stand_beside_the_target_and_the_period_before(
    office: Office, clock: Clock, reviewer: Seat
) -> None:
    first = submit(office, clock, duty_of(office, "2", "东"), share=[19, 20])
    page = reviewer.see(f"/desk/review/{first.id}")
    assert "95.0%" in page
    assert "目标 95%，已达到" in page
    second = submit(office, clock, first, share=[10, 20])
    page = reviewer.see(f"/desk/review/{second.id}?beside=1")
    assert "未达到" in page
    assert "-45.0%" in page


def test_files_leave_as_attachments_once_they_are_inspected(
    office: Office, clock: Clock, reviewer: Seat
) -> None:
    file = kept(office.settings.files)
    duty = submit(office, clock, duty_of(office, "1", "东"), files=[file], classes=1)
    number = file_row(office, duty)
    reviewer.see(f"/desk/files/{number}", 404)
    file_row(office, duty, state="fine", kind="pdf", pages=1)
    answer = reviewer.client.get(f"/desk/files/{number}")
    assert answer.content == b"%PDF-1.7"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    picture = reviewer.client.get(f"/desk/files/{number}/1")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["content-security-policy"] == "sandbox; default-src 'none'"
    reviewer.see(f"/desk/files/{number}/2", 404)
    file_row(office, duty, state="refused")
    reviewer.see(f"/desk/files/{number}", 404)


def test_files_of_another_region_and_suspected_ones_are_not_there(
    browser: Browser, office: Office, clock: Clock, reviewer: Seat
) -> None:
    file = kept(office.settings.files)
    duty = submit(office, clock, duty_of(office, "1", "东"), files=[file], classes=1)
    number = file_row(office, duty, state="fine", kind="pdf", pages=1, suspect="roster")
    seat(browser, office, clock, Role.CITY, "西").see(f"/desk/files/{number}", 404)
    seat(browser, office, clock, Role.READER).see(f"/desk/files/{number}", 404)
    reviewer.see(f"/desk/files/{number}/1", 404)
    reviewer.sent(f"/desk/review/{duty.id}/reveal")
    reviewer.see(f"/desk/files/{number}")


def test_a_file_that_another_agency_sent_is_pointed_out(
    browser: Browser, office: Office, clock: Clock, reviewer: Seat
) -> None:
    for region in ("东", "西"):
        file = kept(office.settings.files, f"{region}.pdf")
        duty = submit(office, clock, duty_of(office, "1", region), files=[file], classes=1)
        file_row(office, duty, state="fine", kind="pdf")
    west, east = duty_of(office, "1", "西"), duty_of(office, "1", "东")
    page = reviewer.see(f"/desk/review/{west.id}")
    assert "完全相同" in page
    assert f'href="/desk/review/{east.id}"' in page
    assert "与他处雷同" in reviewer.see("/desk/review")
    own = seat(browser, office, clock, Role.CITY, "西").see(f"/desk/review/{west.id}")
    assert "其他地区单位" in own
    assert "东市" not in own


def test_the_queue_can_be_narrowed(east: DutyView, west: DutyView, reviewer: Seat) -> None:
    assert "东市妇联" not in reviewer.see("/desk/review?region=西")
    assert "西市妇联" not in reviewer.see("/desk/review?text=东市")
    assert "没有待审材料" in reviewer.see("/desk/review?flag=nil")
