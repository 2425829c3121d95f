"""Where the UI and the files, or the ledger, differ: each difference on a real server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from deployments.automations import ensure
from deployments.diff import differences, print_differences
from deployments.register import deployment_name, register
from duban.ledger.opening import open_missing
from duban.office import Office, open_office
from tasks.mirror import sync
from tasks.pauses import heed
from tasks.stage import NewRun, Stage, StateSpec
from tests.conftest import PROJECT, Project, china

NOW = china("2026-11-24")
POOL = "/work_pools/duban"


@dataclass
class Play:
    """An office whose stage is in step, and what a person may do to that."""

    office: Office
    stage: Stage
    api: httpx.Client

    def mend(self) -> None:
        """What `duban mirror` does."""
        ledger = self.office.ledger
        done = register(ledger.registry, self.stage, PROJECT, NOW.date(), self.office.label)
        ensure(self.stage, "zh")
        self.clauses = done.clauses
        sync(ledger, self.stage, done.clauses, NOW, full=True)

    def found(self, full: bool = False) -> list[tuple[str, str]]:
        seen = differences(self.office, self.stage, PROJECT, NOW, full=full)
        return [(one.kind, one.name) for one in seen]

    def id_of(self, name: str) -> str:
        return next(one.id for one in self.stage.deployments("duban") if one.name == name)


@pytest.fixture
def play(stage: Stage, api: httpx.Client, project: Project, sqlite_url: str) -> Iterator[Play]:
    for run in list(stage.read_runs(["duty"])):
        stage.delete_run(run.id)
    office = open_office(project.settings(sqlite_url))
    open_missing(office.ledger, NOW, clause="small/1")
    play = Play(office, stage, api)
    play.mend()
    yield play
    for one in stage.automations("duban"):
        stage.delete_automation(one.id)
    office.ledger.engine.dispose()


def test_nothing_differs_after_a_mirror_and_one_sentence_says_so(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (play.found(), play.found(full=True)) == ([], [])
    print_differences([], "zh")
    assert capsys.readouterr().out == "Prefect 与文件、台账一致。\n"


def test_what_is_missing_changed_or_extra_is_named_and_the_mirror_mends_it(play: Play) -> None:
    third = deployment_name(play.office.ledger.registry.clauses["small/3"])
    daily = next(one for one in play.stage.deployments("duban") if one.name == "chase")
    (schedule,) = daily.schedules
    other = {"schedule": {"cron": "0 5 * * *", "timezone": "Asia/Shanghai"}}
    play.api.patch(f"/deployments/{daily.id}/schedules/{schedule.id}", json=other)
    play.api.patch(f"{POOL}/queues/duties", json={"is_paused": False})
    for name in (third, "tell"):
        play.stage.delete_deployment(play.id_of(name))
    flow = play.api.post("/flows/", json={"name": "others"}).json()["id"]
    play.api.post("/deployments/", json={"flow_id": flow, "name": "zz", "tags": ["duban"]})
    assert play.found() == [
        ("queue_open", "duties"),
        ("deployment_missing", third),
        ("schedule_changed", "chase"),
        ("deployment_missing", "tell"),
        ("deployment_extra", "zz"),
    ]
    play.mend()
    assert play.found() == []


@pytest.mark.parametrize(
    "edit",
    [
        {"description": "改过"},
        {"parameters": {"clause": "small/2"}},
        {"work_queue_name": "duties"},
        {"tags": ["duban"]},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_what_a_person_edited_in_a_deployment_is_named_and_the_mirror_mends_it(
    play: Play, edit: dict[str, object]
) -> None:
    first = deployment_name(play.office.ledger.registry.clauses["small/1"])
    answer = play.api.patch(f"/deployments/{play.id_of(first)}", json=edit)
    assert answer.is_success, answer.text
    assert play.found() == [("deployment_changed", first)]
    play.mend()
    assert play.found() == []


def test_what_a_person_paused_or_switched_off_is_named_with_the_way_back(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    first = deployment_name(play.office.ledger.registry.clauses["small/1"])
    play.stage.pause_deployment(play.id_of(first))
    play.stage.pause_deployment(play.id_of("board"))
    escalated, _ = sorted(play.stage.automations("duban"), key=lambda one: one.tags)
    play.stage.enable_automation(escalated.id, False)
    assert {("paused", first), ("paused", "board")} <= set(play.found())
    heed(play.office.ledger, play.stage, play.clauses, NOW)
    seen = differences(play.office, play.stage, PROJECT, NOW)
    assert [one.kind for one in seen] == ["paused_held", "paused", "automation_off"]
    assert "duban release 1 --by" in seen[0].mend
    print_differences(seen, "zh")
    shown = capsys.readouterr().out
    assert "共 3 处不一致。" in shown
    print_differences(seen, "zh", as_json=True)
    assert [one["kind"] for one in json.loads(capsys.readouterr().out)] == [
        one.kind for one in seen
    ]
    for name in (first, "board"):
        known = next(one for one in play.stage.deployments("duban") if one.name == name)
        play.stage.resume_deployment(known)
    play.stage.enable_automation(escalated.id, True)
    assert play.found() == []


def test_automations_that_were_changed_or_deleted_are_named(play: Play) -> None:
    first, second = play.stage.automations("duban")
    mine = {name: first.body[name] for name in ("name", "tags", "trigger", "actions")}
    play.stage.update_automation(first.id, {**mine, "description": "我的"})
    play.stage.delete_automation(second.id)
    assert sorted(play.found()) == [
        ("automation_changed", first.name),
        ("automation_missing", second.name),
    ]


def test_runs_that_differ_from_the_ledger_are_counted_or_named_one_by_one(play: Play) -> None:
    runs = sorted(play.stage.read_runs(["duty"]), key=lambda one: one.name)
    gone, *changed = runs
    play.stage.delete_run(gone.id)
    play.stage.set_states({changed[0].id: StateSpec("COMPLETED", "Mine")})
    extra = NewRun(
        play.clauses["small/1"], "strange", "陌生", StateSpec("PAUSED", "Returned"), "duties",
        ("duty",),
    )  # fmt: skip
    play.stage.create_runs([extra])
    wanted = changed[0].state_name
    assert set(play.found()) == {("runs", wanted), ("runs", "Returned"), ("runs_other", "duty")}
    named = [(kind, name.partition(" ")[2] or name) for kind, name in play.found(full=True)]
    assert sorted(named) == [
        ("run_changed", changed[0].name),
        ("run_extra", "陌生"),
        ("run_missing", gone.name),
    ]


def test_files_that_were_edited_and_not_applied_are_named(play: Play, project: Project) -> None:
    text = project.agencies.read_text(encoding="utf-8")
    project.agencies.write_text(text.replace("某省", "某某省"), encoding="utf-8")
    seen = differences(play.office, play.stage, PROJECT, NOW)
    assert [(one.kind, one.mend) for one in seen] == [("files", "duban apply")]
    project.agencies.write_text(text, encoding="utf-8")
