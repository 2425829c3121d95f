"""The mirror on a real Prefect server: it shows what the ledger says, however it was left."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import httpx
import pytest

from deployments.register import register
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.database import open_database
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties, events
from duban.registry import Registry
from tasks.mirror import Synced, forget, sync
from tasks.stage import RunRef, Stage, StateSpec
from tests.conftest import PROJECT, SHANGHAI, Project, china

NOW = china("2026-11-24")


@dataclass
class Play:
    """A ledger, its stage, and what stands on it."""

    ledger: Ledger
    stage: Stage
    deployments: dict[str, str]
    api: httpx.Client

    def sync(self, full: bool = False) -> Synced:
        return sync(self.ledger, self.stage, self.deployments, NOW, full=full)

    def runs(self, *tags: str) -> list[RunRef]:
        return list(self.stage.read_runs(["duty", *tags]))

    def states(self) -> Counter[str]:
        return Counter(run.state_name for run in self.runs())

    def duty(self, clause: str, agency: str) -> DutyView:
        found = duties(self.ledger, clause=f"small/{clause}", agency=agency)
        return found[0]

    def run_of(self, duty: DutyView) -> RunRef:
        found = [run for run in self.runs() if f"duty-{duty.id}-" in (run.idempotency_key or "")]
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def play(stage: Stage, api: httpx.Client, sqlite_url: str, small: Registry) -> Iterator[Play]:
    ledger = Ledger(open_database(sqlite_url), small)
    for run in list(stage.read_runs(["duty"])):
        stage.delete_run(run.id)
    done = register(small, stage, PROJECT, NOW.date())
    open_missing(ledger, NOW)
    yield Play(ledger, stage, done.clauses, api)
    ledger.engine.dispose()


def submit(play: Play, duty: DutyView) -> None:
    evidence = Checked({"share": [96, 100]}, ())
    acts.submit(play.ledger, duty.id, evidence, [], by=duty.agency.id, now=NOW)


def test_every_duty_has_one_run_in_the_state_that_stands_for_it(play: Play) -> None:
    sent = play.sync()
    found = duties(play.ledger)
    late = [duty for duty in found if duty.overdue(NOW)]
    assert sent.made == len(found) == 10
    assert len(late) == 2
    assert play.states() == {"Overdue": 2, "AwaitingEvidence": len(found) - 2}
    assert {run.state_type for run in play.runs("状态:超期")} == {"FAILED"}


def test_a_sync_with_nothing_new_sends_nothing(play: Play) -> None:
    play.sync()
    assert play.sync().writes == 0
    assert play.sync(full=True).writes == 0


def test_a_run_is_named_and_tagged_so_that_a_coordinator_finds_it(play: Play) -> None:
    play.sync()
    run = play.run_of(play.duty("2", "东/教育"))
    assert run.name == "东市教育局 · 一次性 · 2025-12-31止"
    assert {"状态:超期", "单位:东市教育局", "市:东", "条款:2", "灯:红"} <= set(run.tags)
    assert [one.id for one in play.runs("单位:东市教育局", "状态:超期")] == [run.id]


def test_what_people_decide_shows_in_the_state_and_the_timeline(play: Play) -> None:
    play.sync()
    duty = play.duty("2", "东/教育")
    submit(play, duty)
    play.sync()
    assert play.run_of(duty).state_name == "UnderReview"
    acts.send_back(play.ledger, duty.id, reason="缺盖章", by="李", now=NOW)
    play.sync()
    assert play.run_of(duty).state_name == "Returned"
    submit(play, duty)
    acts.accept(play.ledger, duty.id, by="李", now=NOW)
    play.sync()
    run = play.run_of(duty)
    assert (run.state_type, run.state_name) == ("COMPLETED", "Accepted")
    other = play.duty("2", "西/教育")
    acts.waive(play.ledger, other.id, reason="已撤并", by="李", now=NOW)
    play.sync()
    assert play.run_of(other).state_name == "Waived"
    lines = log_of(play, run)
    assert [line.split("，")[0].split("：")[0] for line in lines] == [
        "立项交办", "报送第 1 版佐证材料", "退回", "报送第 2 版佐证材料", "审核通过",
    ]  # fmt: skip
    assert "缺盖章" in lines[2]


def log_of(play: Play, run: RunRef) -> list[str]:
    wanted = {
        "logs": {"flow_run_id": {"any_": [run.id]}},
        "sort": "TIMESTAMP_ASC",
        "limit": 200,
    }
    answer = play.api.post("/logs/filter", json=wanted)
    return [line["message"] for line in answer.raise_for_status().json()]


def test_an_extension_makes_the_run_anew_with_its_whole_timeline(play: Play) -> None:
    play.sync()
    duty = play.duty("2", "东/教育")
    before = play.run_of(duty)
    acts.extend(play.ledger, duty.id, due_on=date(2026, 12, 31), reason="在招聘", by="李", now=NOW)
    play.sync()
    after = play.run_of(duty)
    assert after.id != before.id
    assert (after.name, after.state_name) == (
        "东市教育局 · 一次性 · 2026-12-31止",
        "AwaitingEvidence",
    )
    assert [line[:2] for line in log_of(play, after)] == ["立项", "延期"]


@pytest.mark.parametrize(
    "state",
    [
        StateSpec("SCHEDULED", "AwaitingRetry"),  # somebody pressed Retry
        StateSpec("RUNNING", "Running"),  # Resume
        StateSpec("CANCELLED", "Cancelled"),  # Cancel
        StateSpec("COMPLETED", "Completed"),  # Change state
    ],
)
def test_what_somebody_changed_on_the_stage_is_put_right(play: Play, state: StateSpec) -> None:
    play.sync()
    run = play.run_of(play.duty("2", "东/教育"))
    play.stage.set_states({run.id: state})
    sent = play.sync()
    assert (sent.mended, sent.states) == (1, 1)
    assert play.run_of(play.duty("2", "东/教育")).state_name == "Overdue"


def test_a_deleted_run_comes_back_and_a_strange_one_goes(play: Play) -> None:
    play.sync()
    before = play.states()
    play.stage.delete_run(play.run_of(play.duty("2", "东/教育")).id)
    play.sync()
    assert play.states() == before
    with play.ledger.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM mirror_run WHERE duty_id = 1")
    play.sync()
    assert play.states() == before


def test_a_lost_stage_is_rebuilt_whole(play: Play) -> None:
    play.sync()
    before = play.states()
    for run in play.runs():
        play.stage.delete_run(run.id)
    forget(play.ledger)
    sent = play.sync(full=True)
    assert play.states() == before
    assert sent.lines >= sent.made
    assert sent.cards == sent.made


def test_registering_twice_changes_nothing_and_a_clause_that_left_is_retired(
    stage: Stage, project: Project
) -> None:
    register(project.load(), stage, PROJECT, NOW.date())
    again = register(project.load(), stage, PROJECT, NOW.date())
    assert (again.changed, again.retired) == (0, 0)
    text = project.clauses.read_text(encoding="utf-8")
    begin, end = text.index("- id: 5"), text.index("- id: 6")
    left = text[:begin] + text[end:]
    left = left.replace(
        "not_directive:", "not_directive:\n- {quote: 共青团每学年组织一次检查, why: goal}"
    )
    project.clauses.write_text(left, encoding="utf-8")
    third = register(project.load(), stage, PROJECT, NOW.date())
    assert third.retired == 1
    assert "5 small" not in {one.name for one in stage.deployments("duban")}


def test_a_new_title_moves_the_clause_to_a_new_flow(
    stage: Stage, api: httpx.Client, project: Project
) -> None:
    register(project.load(), stage, PROJECT, NOW.date())
    project.edit(project.clauses, "title: 家长课堂", "title: 家长大课堂")
    done = register(project.load(), stage, PROJECT, NOW.date())
    assert done.changed >= 1
    names = {one.name: one.flow_name for one in stage.deployments("duban")}
    assert names["1 small"] == "1 家长大课堂"
    wanted = {"flows": {"name": {"any_": ["1 家长课堂"]}}}
    assert api.post("/flows/filter", json=wanted).json() == []
    assert len([name for name in names if name.startswith("1 ")]) == 1


def test_a_schedule_stands_in_the_notice_zone(
    stage: Stage, api: httpx.Client, small: Registry
) -> None:
    register(small, stage, PROJECT, NOW.date())
    wanted = {"deployments": {"name": {"any_": ["1 small"]}}}
    answer = api.post("/deployments/filter", json=wanted).json()
    schedules = [one["schedule"] for one in answer[0]["schedules"]]
    assert [(one["cron"], one["timezone"]) for one in schedules] == [
        ("0 8 1 1,4,7,10 *", "Asia/Shanghai")
    ]


def test_the_scheduler_really_creates_the_runs_of_a_deployed_clause(
    stage: Stage, api: httpx.Client, small: Registry
) -> None:
    """A healthy server proves nothing: with the wrong SQLAlchemy none would ever come."""
    done = register(small, stage, PROJECT, NOW.date())
    end = time.monotonic() + 60
    while not (runs := scheduled(api, done.clauses["small/3"])):
        assert time.monotonic() < end
        time.sleep(0.5)
    first = datetime.fromisoformat(runs[0]["expected_start_time"]).astimezone(SHANGHAI)
    assert (first.day, first.hour) == (1, 8)  # each month opens on its first day


def scheduled(api: httpx.Client, deployment_id: str) -> list[dict[str, str]]:
    wanted = {
        "flow_runs": {"deployment_id": {"any_": [deployment_id]}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    answer = api.post("/flow_runs/filter", json=wanted).json()
    return [run for run in answer if run["state_type"] == "SCHEDULED"]


# What a coordinator changed on the stage, and what the stage shows of many duties.


def interference(play: Play) -> list[tuple[int | None, list[str], str, str]]:
    return [
        (one.duty_id, one.data["what"], one.data["found"], one.data["put"])
        for one in events(play.ledger)
        if one.action == "interfered"
    ]


def test_a_changed_state_is_noted_in_the_history_and_in_the_log(play: Play) -> None:
    play.sync()
    duty = play.duty("2", "东/教育")
    run = play.run_of(duty)
    play.stage.set_states({run.id: StateSpec("CANCELLED", "Cancelled")})
    play.sync()
    assert interference(play) == [(duty.id, ["state"], "Cancelled", "Overdue")]
    said = "在 Prefect 中改动了状态（现为 Cancelled），已恢复为 Overdue — Prefect"
    assert said in [line.message for line in play.stage.read_logs([run.id])]
    assert play.sync().writes == 0


def test_a_deleted_run_is_noted_and_made_again(play: Play) -> None:
    play.sync()
    duty = play.duty("2", "东/教育")
    play.stage.delete_run(play.run_of(duty).id)
    play.sync()
    assert interference(play) == [(duty.id, ["deleted"], "absent", "Overdue")]
    assert play.run_of(duty).state_name == "Overdue"


def test_another_name_or_tag_is_noted_when_everything_is_read(play: Play) -> None:
    play.sync()
    duty = play.duty("2", "东/教育")
    run = play.run_of(duty)
    play.stage.patch_run(run.id, name="别动", tags=[*run.tags, "我的"])
    assert play.sync().writes == 0
    play.sync(full=True)
    assert interference(play) == [(duty.id, ["name", "tags"], "Overdue", "Overdue")]
    after = play.run_of(duty)
    assert (after.name, set(after.tags)) == (run.name, set(run.tags))


def test_beyond_the_limit_only_what_needs_eyes_has_a_run_and_comes_and_goes(play: Play) -> None:
    few = partial(sync, play.ledger, play.stage, play.deployments, limit=3)
    few(NOW)
    found = duties(play.ledger)
    eyes = {duty.id for duty in found if duty.overdue(NOW) or duty.due_soon(NOW)}
    assert len(play.runs()) == len(eyes) < len(found)
    returning = next(duty for duty in found if duty.id not in eyes and duty.number == "4")
    report(play, returning)
    assert few(NOW).made == 1
    assert play.run_of(returning).state_name == "UnderReview"
    acts.extend(play.ledger, min(eyes), due_on=date(2027, 3, 1), reason="放假", by="李", now=NOW)
    assert few(NOW).removed == 1
    assert play.sync().made == len(found) - len(eyes)  # with room for all of them


def report(play: Play, duty: DutyView) -> None:
    evidence = Checked({"progress": "已出台"}, ())
    acts.submit(play.ledger, duty.id, evidence, [], by=duty.agency.id, now=NOW)


def test_the_card_is_written_over_and_stays_one(play: Play) -> None:
    play.sync()
    duty = play.duty("2", "东/教育")
    run = play.run_of(duty)
    assert sync(play.ledger, play.stage, play.deployments, NOW + timedelta(days=8)).cards == 2
    [(text, title)] = cards(play, run)
    assert "截至 2026-12-02，超期 336 天" in text
    assert title == run.name


def cards(play: Play, run: RunRef) -> list[tuple[str, str]]:
    wanted = {"artifacts": {"flow_run_id": {"any_": [run.id]}}}
    answer = play.api.post("/artifacts/filter", json=wanted)
    return [(one["data"], one["description"]) for one in answer.raise_for_status().json()]
