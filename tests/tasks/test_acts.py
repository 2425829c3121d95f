"""What coordinators do in the Prefect UI: each act once, and each way in which it is refused."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pendulum
import pytest
from sqlalchemy import insert, select, update

from deployments.embedded import Embedded
from deployments.register import register
from duban.duty import Status
from duban.evidence import check_evidence
from duban.ledger import acts as core
from duban.ledger import bulletins
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading
from duban.ledger.holds import holds_in_force
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, Event, duties, events
from duban.ledger.tables import Letter, Setting
from duban.reports import making
from tasks import acts
from tasks.acts import Told
from tasks.mirror import sync
from tasks.stage import Stage
from tasks.work import office
from tests.conftest import Project
from tests.servers import prefect_client
from tests.tasks.running import Case, Ended, run_all

CODE = "1024"
BY = "工号 1024（自报）"
MOBILE = "13800138000"


def today() -> date:
    """In Shanghai; a day may end while these tests run."""
    return pendulum.today("Asia/Shanghai").date()


LATER = today() + timedelta(days=200)
PAST = today() - timedelta(days=1)


def begin(project: Project, patch: pytest.MonkeyPatch, database_url: str) -> None:
    """The small notice with its duties open."""
    patch.setenv("DUBAN_HOME", str(project.folder / "var"))
    patch.setenv("DUBAN_AGENCIES", str(project.agencies))
    patch.setenv("DUBAN_NOTICES", str(project.folder / "deployments"))
    patch.setenv("DUBAN_DATABASE_URL", database_url)
    office.cache_clear()
    open_missing(office().ledger, pendulum.now("UTC"))


def end() -> None:
    office().ledger.engine.dispose()
    office.cache_clear()


@pytest.fixture
def small_notice(
    project: Project, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> Iterator[None]:
    begin(project, monkeypatch, sqlite_url)
    yield
    end()


on_the_small_notice = pytest.mark.usefixtures("small_notice")


def duty(number: int | None = None) -> DutyView:
    """A duty of 家长课堂, or the one of that number."""
    found = duties(office().ledger, ids=[number] if number else None)
    return next(one for one in found if number or one.number == "1")


def handed_in() -> DutyView:
    """A duty whose evidence awaits review."""
    found = duty()
    checked = check_evidence(found.clause, {"classes": "12"}, [])
    now = pendulum.now("UTC")
    core.submit(office().ledger, found.id, checked, [], by=found.agency.id, now=now)
    return duty(found.id)


def last(number: int | None = None) -> Event:
    """What history says last, of a duty or of all."""
    return events(office().ledger, duty_id=number)[-1]


def unchanged(told: Told, *parts: str) -> None:
    """The act was refused with one sentence that says this."""
    assert not told.done
    assert told.name == "未办理"
    assert all(part in told.sentence for part in parts), told.sentence
    assert "\n" not in told.sentence
    assert last().actor == "duban"


# Review


@on_the_small_notice
def test_accepted_evidence_closes_the_duty_under_the_code_that_was_declared() -> None:
    found = handed_in()
    told = acts.review.fn(found.id, True, CODE, reason="材料齐全")
    assert told.done
    assert told.name == "已通过"
    name = f"1 {found.agency.name} {found.period}"
    assert told.sentence == f"{name}：已审核通过，销号（登记人 1024，自报）"
    assert told.links["在督办门户中查看"].endswith(f"/desk/duties/{found.id}")
    assert duty(found.id).status is Status.ACCEPTED
    event = last(found.id)
    assert (event.action, event.actor, event.text) == ("accepted", BY, "材料齐全")


def test_the_actor_is_none_that_an_account_could_have() -> None:
    from duban.ledger.accounts import _LOGIN  # pyright: ignore[reportPrivateUsage]

    assert not _LOGIN.fullmatch(BY)
    assert not _LOGIN.fullmatch("staff code 1024 (as declared)")


@on_the_small_notice
def test_returned_evidence_tells_what_is_wrong_and_by_when() -> None:
    found = handed_in()
    told = acts.review.fn(
        found.id, False, CODE, codes=["no-seal"], reason="请补盖", due_on=LATER, version=1
    )
    assert told.name == "已退回"
    assert f"限 {LATER} 前重报" in told.sentence
    event = last(found.id)
    assert event.text == "缺少公章；请补盖。"
    assert event.data["codes"] == ["no-seal"]
    assert duty(found.id).status is Status.RETURNED


@on_the_small_notice
def test_a_review_is_refused_with_one_sentence_and_nothing_is_done() -> None:
    found = duty()
    unchanged(acts.review.fn(found.id, True, CODE), "待报", "不能办理“审核”")
    unchanged(acts.review.fn(9999, True, CODE), "没有第 9999 号事项")
    unchanged(acts.review.fn(9999, False, CODE, codes=["no-seal"]), "没有第 9999 号事项")
    number = handed_in().id

    def refused(*parts: str, **given: Any) -> None:
        told = acts.review.fn(number, False, CODE, **given)
        assert not told.done
        assert all(part in told.sentence for part in parts), told.sentence
        assert duty(number).status is Status.SUBMITTED

    refused("写明理由")
    refused("写明理由", codes=["other"])
    refused("已经过去", codes=["no-seal"], due_on=PAST)
    refused("晚于今天", codes=["no-seal"], due_on=today())
    refused("没有第 7 版", codes=["no-seal"], version=7)


@on_the_small_notice
def test_a_version_that_is_no_longer_the_newest_is_not_decided_on() -> None:
    number = handed_in().id
    handed_in()
    told = acts.review.fn(number, True, CODE, version=1)
    assert not told.done
    assert "更新的材料版本" in told.sentence
    assert duty(number).status is Status.SUBMITTED
    assert acts.review.fn(number, True, CODE, version=2).done


# Extend, waive, reopen, call


@on_the_small_notice
def test_a_due_day_moves_later_only() -> None:
    found = duty()
    told = acts.extend.fn(found.id, LATER, "汛期", CODE)
    assert told.sentence.endswith(f"：已延期至 {LATER}（登记人 1024，自报）")
    assert (last(found.id).action, last(found.id).actor) == ("extended", BY)
    again = acts.extend.fn(found.id, LATER, "汛期", CODE)
    assert f"现行时限 {LATER}" in again.sentence
    for day, said in (
        (PAST, "已经过去"),
        (today() + timedelta(days=400), "370 天以内"),
        (today(), "晚于今天"),
    ):
        assert said in acts.extend.fn(found.id, day, "汛期", CODE).sentence
    assert duty(found.id).due_at.astimezone(found.notice.zone).date() == LATER


@on_the_small_notice
@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [("waive", Status.WAIVED, "已免办"), ("not-applicable", Status.NOT_APPLICABLE, "不适用")],
)
def test_a_waived_duty_can_be_opened_again(kind: str, status: Status, name: str) -> None:
    number = duty().id
    assert acts.waive.fn(number, kind, "无此项工作", CODE).name == name
    assert duty(number).status is status
    again = acts.waive.fn(number, kind, "无此项工作", CODE)
    assert not again.done
    assert acts.reopen.fn(number, "误办", CODE).name == "已重启"
    assert (last(number).action, last(number).actor) == ("reopened", BY)
    assert duty(number).status is Status.OPEN
    assert "待报" in acts.reopen.fn(number, "误办", CODE).sentence


@on_the_small_notice
def test_a_call_is_recorded_on_a_duty_that_waits() -> None:
    number = duty().id
    assert acts.call.fn(number, "办公室，答应周五报", CODE).name == "已登记"
    assert (last(number).action, last(number).text) == ("called", "办公室，答应周五报")
    acts.waive.fn(number, "waive", "无此项工作", CODE)
    assert "无需电话催办" in acts.call.fn(number, "办公室", CODE).sentence


# Letters and silence


@on_the_small_notice
def test_a_letter_that_was_given_up_is_sent_again_and_no_other() -> None:
    with office().ledger.engine.begin() as connection:
        number = connection.scalar(select(Letter.id).limit(1)) or 0
    unchanged(acts.send_again.fn(number, CODE), f"第 {number} 号函件不在未送达之列")
    with office().ledger.engine.begin() as connection:
        connection.execute(update(Letter).where(Letter.id == number).values(state="dead"))
    assert acts.send_again.fn(number, CODE).name == "已列入待发"
    assert (last().action, last().actor) == ("resent", BY)
    assert not acts.send_again.fn(number, CODE).done


@on_the_small_notice
def test_a_hold_begins_and_ends() -> None:
    clause = next(iter(acts.offered_clauses(office().ledger.registry)))
    told = acts.hold.fn("东市妇联", clause, LATER, "机构改革", CODE)
    [held] = holds_in_force(office().ledger, pendulum.now("UTC"))
    assert told.sentence == f"已暂停至 {LATER}（暂停编号 {held.id}）（登记人 1024，自报）"
    assert (held.agency, held.clause, held.made_by) == ("东/妇联", "small/1", BY)
    assert acts.release.fn(held.id, CODE).done
    assert not holds_in_force(office().ledger, pendulum.now("UTC"))
    assert f"第 {held.id} 号暂停" in acts.release.fn(held.id, CODE).sentence


@on_the_small_notice
def test_a_hold_needs_somebody_to_be_silent_to_and_a_day_ahead() -> None:
    unchanged(acts.hold.fn("", "", LATER, "改革", CODE), "至少选一项")
    unchanged(acts.hold.fn("东市妇联", "", PAST, "改革", CODE), f"{PAST} 已经过去")
    unchanged(acts.hold.fn("南市妇联", "", LATER, "改革", CODE), "南市妇联", "下拉框")
    unchanged(acts.hold.fn("", "9 无此条", LATER, "改革", CODE), "9 无此条", "下拉框")


@on_the_small_notice
def test_a_clause_is_found_by_its_number_when_its_title_has_changed() -> None:
    assert acts.hold.fn("", "1 旧的标题", LATER, "改革", CODE).done


# What decides nothing


@on_the_small_notice
def test_a_rehearsal_shows_each_letter_and_touches_nothing() -> None:
    before = last().seq
    told = acts.rehearse.fn(None, 3)
    assert told.name == "推演完成"
    assert "未改动任何数据" in told.sentence
    assert {"日期", "收件单位", "函件"} <= told.rows[0].keys()
    assert last().seq == before
    unchanged(acts.rehearse.fn(PAST, 1), f"{PAST} 已经过去")


@on_the_small_notice
def test_an_export_tells_how_far_it_is_leads_to_the_workbook_and_touches_nothing() -> None:
    before, heard = last().seq, list[float]()
    told = acts.export.fn("东市妇联", "", None, True, heard.append)
    [(_, address)] = told.links.items()
    path = office().settings.home / "exports" / address.rpartition("/")[2]
    count = len(duties(office().ledger, agency="东/妇联"))
    assert (told.name, told.sentence) == ("已导出", f"已导出 {count} 项，请从门户下载")
    assert path.stat().st_size > 5_000
    assert heard == [0, 100]
    assert last().seq == before


@on_the_small_notice
def test_an_export_of_what_is_not_there_or_not_past_is_refused() -> None:
    def tell(_: float) -> None:
        raise AssertionError

    unchanged(acts.export.fn("南市妇联", "", None, False, tell), "没有“南市妇联”这个单位")
    unchanged(acts.export.fn("", "9.9", None, False, tell), "没有“9.9”这一条款")
    unchanged(acts.export.fn("", "", today(), False, tell), f"{today()} 还没有过去")


@on_the_small_notice
def test_bulletins_of_what_ended_are_drafted_once_and_lead_to_the_portal() -> None:
    told = acts.report.fn("", None, "")
    assert (told.done, told.name) == (True, "已拟稿")
    ended = making.ended(today())
    assert list(told.links) == [one.name for one in ended]
    assert [one.key for one in told.sheets] == [f"bulletin-{one.name.lower()}" for one in ended]
    assert told.sheets[0].description.startswith("草稿，数据截至 ")
    assert last().actor == "duban"
    before = last().seq
    assert acts.report.fn("", None, "").name == "已有通报"
    assert last().seq == before


@on_the_small_notice
def test_the_bulletin_of_a_simulation_says_so_on_its_page_and_beside_it() -> None:
    with office().ledger.engine.begin() as connection:
        connection.execute(insert(Setting).values(name="label", value="模拟演示"))
    [sheet] = acts.report.fn(f"{today().year}", today(), CODE).sheets
    assert sheet.description.startswith("模拟演示 · 草稿")
    assert "> 【模拟演示】本件不作公文使用" in sheet.markdown


@on_the_small_notice
def test_a_bulletins_page_is_written_anew_only_when_its_state_has_changed() -> None:
    acts.report.fn("", None, "")
    known = {one.key: one.description for one in acts.changed_sheets(office(), {})}
    assert acts.changed_sheets(office(), known) == []
    drafted = bulletins.bulletins(office().ledger)[0]
    bulletins.withdraw(office().ledger, drafted.id, reason="x", by="省", now=pendulum.now("UTC"))
    [page] = acts.changed_sheets(office(), known)
    assert page.key == acts.sheet_key(drafted)
    assert page.description.startswith("草稿已撤回")
    assert acts.changed_sheets(office(), {**known, page.key: page.description}) == []


@on_the_small_notice
def test_each_number_of_a_bulletins_page_leads_to_its_list() -> None:
    told = acts.report.fn(f"{today().year}", today(), CODE)
    assert last().actor == BY
    [(_, page)] = told.links.items()
    numbers = re.findall(r"\[(\d+)\]\(([^)]+)\)", told.sheets[0].markdown)
    assert len(numbers) > 10
    assert {address.partition("/duties?")[0] for _, address in numbers} == {page}


@on_the_small_notice
def test_a_period_or_cut_off_that_makes_no_sense_drafts_nothing() -> None:
    unchanged(acts.report.fn("2026年3月", None, CODE), "没有“2026年3月”这个统计期间")
    unchanged(acts.report.fn("2099", None, CODE), "2099 在截止时刻还没有开始")
    ended = making.ended(today())[0].name
    before = today() - timedelta(days=70)
    unchanged(acts.report.fn("", before, ""), f"{ended} 在截止时刻还没有开始")
    unchanged(acts.report.fn("2026", today() + timedelta(days=1), CODE), "晚于今天")


@on_the_small_notice
def test_the_chain_of_history_holds_after_an_act() -> None:
    acts.call.fn(duty().id, "办公室", CODE)
    with reading(office().ledger.engine) as connection:
        assert first_broken_link(connection) is None


@pytest.mark.usefixtures("in_prefect")
@on_the_small_notice
def test_a_clause_opens_what_was_missed_since_a_day_and_only_once() -> None:
    began = today() - timedelta(days=200)
    told = acts.open_period.fn("1 家长课堂", began)
    assert told.name == "已立项"
    assert "新立项 0 项" not in told.sentence
    assert "新立项 0 项" in acts.open_period.fn("1 家长课堂", began).sentence
    assert "下拉框" in acts.open_period.fn("7 重视", None).sentence  # an exhortation


@pytest.mark.usefixtures("in_prefect")
@on_the_small_notice
def test_the_pages_are_rebuilt_from_the_ledger(stage: Stage, project: Project) -> None:
    here = office()
    done = register(here.ledger.registry, stage, project.folder, today())
    now = pendulum.now("UTC")
    sync(here.ledger, stage, done.clauses, now)
    lost = stage.read_runs(["duty"])
    stage.delete_run(next(iter(lost)).id)
    told = acts.rebuild_mirror.fn()
    assert (told.name, told.sentence) == ("已重建", "页面已按台账重建，共 10 项")
    assert stage.count_runs(["duty"]) == 10


# As runs of a real server


@dataclass(frozen=True)
class Runs:
    """How every case ended, and what was logged of all of them."""

    ended: Mapping[str, Ended]
    log: str
    server: Embedded
    accepted: int
    waiting: DutyView

    def asked(self, path: str, case: str) -> list[dict[str, Any]]:
        """What the server knows of a case's run."""
        wanted = {"flow_runs": {"id": {"any_": [self.ended[case].id]}}}
        with prefect_client(self.server.api_url, self.server.auth) as api:
            found: list[dict[str, Any]] = api.post(path, json=wanted).json()
        return found


@pytest.fixture(scope="module")
def runs(prefect_server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Every case in one process on one ledger, which leaves the waiting duty as it was."""
    project = Project.write(tmp_path_factory.mktemp("acts"))
    with pytest.MonkeyPatch.context() as patch:
        begin(project, patch, f"sqlite:///{project.folder}/ledger.db")
        accepted = handed_in().id
        waiting = next(one for one in duties(office().ledger) if one.number == "2")
        cases = all_cases(accepted, waiting.id)
        env = {
            "PREFECT_API_URL": prefect_server.api_url,
            "PREFECT_API_AUTH_STRING": prefect_server.auth,
        }
        ended, log = run_all(list(cases.values()), env)
        found = duty(waiting.id)
        calls = [one for one in events(office().ledger) if one.action == "called"]
        end()
    assert (found.status, found.due_at) == (waiting.status, waiting.due_at)
    assert len(calls) == 1  # though its run was retried
    return Runs(dict(zip(cases, ended, strict=True)), log, prefect_server, accepted, waiting)


def all_cases(accepted: int, waiting: int) -> dict[str, Case]:
    """By a name of their own."""
    call = {"duty": waiting, "said": "办公室，答应周五报", "staff_code": CODE}
    waive = {"duty": waiting, "kind": "免办", "reason": "无此项工作", "staff_code": CODE}
    extend = {"duty": waiting, "due_on": f"{LATER}", "reason": "汛期", "staff_code": CODE}
    review = {"duty": accepted, "decision": "通过，销号", "staff_code": CODE, "version": 1}
    unfit = {
        "day": "2026-02-30",
        "code": "张三",
        "number": "十二",
        "reason": "  ",
        "personal": f"家长电话{MOBILE}",
        "mobile as code": MOBILE,
    }
    names = {
        "day": "due_on",
        "code": "staff_code",
        "number": "duty",
        "reason": "reason",
        "personal": "reason",
        "mobile as code": "staff_code",
    }
    without = {key: value for key, value in extend.items() if key != "reason"}
    portal = {"DUBAN_DECISIONS": "portal"}
    return {
        **{key: Case("extend", {**extend, names[key]: value}) for key, value in unfit.items()},
        "missing": Case("extend", without),
        "retried": Case("call", call, retried=True),
        "review in the portal": Case("review", review, portal),
        "waive in the portal": Case("waive", waive, portal),
        "accepted": Case("review", review),
        "accepted again": Case("review", review),
        "rehearsal": Case("rehearse", {"days": 3}),
        "bulletin": Case("report", {"period": f"{today().year}"}),
        "export": Case("export", {"by_region": True}),
    }


def test_a_bulletin_is_an_artifact_that_keeps_its_versions(runs: Runs) -> None:
    assert runs.ended["bulletin"].name == "已拟稿"
    found = {one["key"]: one for one in runs.asked("/artifacts/filter", "bulletin")}
    page = found[f"bulletin-{today().year}"]
    assert page["description"].startswith("草稿，数据截至 ")
    assert "/desk/bulletins/1/duties?measure=backlog" in page["data"]  # due in 2025
    assert "/desk/bulletins/1)" in found["acts"]["data"]


def test_an_export_shows_its_progress_and_leads_to_the_workbook(runs: Runs) -> None:
    assert runs.ended["export"].name == "已导出"
    found = {one["key"]: one for one in runs.asked("/artifacts/filter", "export")}
    assert (found["ledger"]["type"], found["ledger"]["data"]) == ("progress", 100)
    assert "[下载台账](" in found["acts"]["data"]
    assert "/desk/exports/ledger-" in found["acts"]["data"]


def test_a_run_ends_with_its_sentence_a_name_and_a_card(runs: Runs) -> None:
    ended = runs.ended["accepted"]
    assert (ended.type, ended.name) == ("COMPLETED", "已通过")
    assert "已审核通过" in ended.message
    [run] = runs.asked("/flow_runs/filter", "accepted")
    assert run["name"].startswith(f"审核 · #{runs.accepted} 1 ")
    [card] = runs.asked("/artifacts/filter", "accepted")
    assert f"/desk/duties/{runs.accepted})" in card["data"]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("day", "“新时限”填写有误"),
        ("code", "“工号”填写有误"),
        ("number", "“事项编号”填写有误"),
        ("reason", "“理由”填写有误"),
        ("personal", "“理由”中疑似有证件号码、手机号码"),
        ("mobile as code", "“工号”中疑似有证件号码、手机号码"),
        ("missing", "“理由”必须填写"),
        ("retried", "重新填表"),
        ("accepted again", "现为“销号”，不能办理“审核”"),
    ],
)
def test_a_run_that_is_refused_fails_with_one_sentence(runs: Runs, case: str, said: str) -> None:
    ended = runs.ended[case]
    assert (ended.type, ended.name) == ("FAILED", "未办理")
    assert said in ended.message
    assert "\n" not in ended.message


@pytest.mark.parametrize("case", ["personal", "mobile as code"])
def test_prefect_keeps_no_number_of_a_person_even_where_the_forms_check_is_off(
    runs: Runs, case: str
) -> None:
    [run] = runs.asked("/flow_runs/filter", case)
    assert "138****8000" in str(run["parameters"])
    assert MOBILE not in f"{run}{runs.asked('/artifacts/filter', case)}{runs.log}"


def test_no_refusal_leaves_a_traceback_in_a_log(runs: Runs) -> None:
    assert "Traceback" not in runs.log
    assert "Encountered an exception" not in runs.log


@pytest.mark.parametrize(("act", "page"), [("review", "review"), ("waive", "duties")])
def test_where_the_portal_decides_a_run_says_so_and_leads_there(
    runs: Runs, act: str, page: str
) -> None:
    ended = runs.ended[f"{act} in the portal"]
    assert ended.name == "未办理"
    number = runs.accepted if act == "review" else runs.waiting.id
    assert f"/desk/{page}/{number} " in ended.message


def test_a_rehearsal_leaves_a_table(runs: Runs) -> None:
    [table] = runs.asked("/artifacts/filter", "rehearsal")
    assert (table["type"], table["key"]) == ("table", "rehearsal")
