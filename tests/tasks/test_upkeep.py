"""The nightly upkeep against a real Prefect server: what it removes, ends, and never touches."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pendulum
import pytest

from deployments.embedded import POOL, QUEUE, Embedded, prefect_environment
from tasks.stage import DeploymentSpec, LogLine, NewRun, Stage, StateSpec
from tasks.stage.executed import HEARTBEAT
from tasks.upkeep import KEPT, LOOK_BACK, SILENCE, Trimmed, clean_up, trim

FLOW = """
from time import sleep

from prefect import flow


@flow
def long() -> None:
    print("at work", flush=True)
    sleep(600)
"""

NOW = pendulum.now("UTC")
DONE, RED = StateSpec("COMPLETED", "Completed"), StateSpec("FAILED", "超期 22")
OVERDUE = StateSpec("FAILED", "Overdue")


def put(stage: Stage, name: str, entrypoint: str = "nothing.at_all", folder: str = "/") -> str:
    spec = DeploymentSpec(
        flow_name=name,
        name=name,
        version="1",
        entrypoint=entrypoint,
        directory=folder,
        pool=POOL,
        queue=QUEUE,
        tags=("duban",),
    )
    return stage.put_deployment(spec)


@dataclass
class Past:
    """Runs that ended just now; in the tests it is later."""

    stage: Stage
    deployments: dict[str, str]

    def run(self, name: str, state: StateSpec, queue: str = QUEUE, *tags: str) -> str:
        new = NewRun(self.deployments[name], uuid4().hex, name, state, queue, tags)
        return self.stage.create_runs([new])[new.idempotency_key]

    def there(self, *ids: str) -> list[bool]:
        return [self.stage.run_state(one) is not None for one in ids]


@pytest.fixture
def past(stage: Stage) -> Past:
    trim(stage, NOW + LOOK_BACK + timedelta(days=2))  # what other tests left
    return Past(stage, {name: put(stage, name) for name in ("chase", "board")})


def test_executed_runs_leave_after_their_time_and_boards_after_a_year(past: Past) -> None:
    runs = past.run("chase", DONE), past.run("chase", StateSpec("CRASHED", "Crashed"))
    board = past.run("board", RED)
    assert trim(past.stage, NOW + KEPT - timedelta(days=1)) == Trimmed()
    assert trim(past.stage, NOW + KEPT + timedelta(days=1)) == Trimmed(runs=2)
    assert past.there(*runs, board) == [False, False, True]
    assert trim(past.stage, NOW + LOOK_BACK + timedelta(days=1)) == Trimmed(runs=1)
    assert past.there(board) == [False]


def test_of_old_boards_the_first_of_a_month_stays_for_a_year(past: Past) -> None:
    kept, other = past.run("board", RED), past.run("board", RED)
    assert trim(past.stage, NOW + KEPT - timedelta(days=1)) == Trimmed()
    assert trim(past.stage, NOW + KEPT + timedelta(days=1)) == Trimmed(runs=1)
    assert past.there(kept, other) == [True, False]
    assert trim(past.stage, NOW + KEPT + timedelta(days=2)) == Trimmed()


def test_the_run_of_a_duty_stays_for_ever(past: Past) -> None:
    long_after = NOW + timedelta(days=4000)
    duties = [
        past.run("chase", OVERDUE, "duties", "duty"),
        past.run("chase", DONE, "duties"),  # somebody took its tag
        past.run("chase", OVERDUE, QUEUE, "duty"),  # or put it into another queue
    ]
    assert trim(past.stage, long_after) == Trimmed()
    assert clean_up(past.stage, long_after, alone=True) == []
    assert past.there(*duties) == [True, True, True]


def test_more_runs_than_a_call_takes_leave_at_once_with_their_logs(
    past: Past, api: httpx.Client
) -> None:
    chase = past.deployments["chase"]
    new = [NewRun(chase, uuid4().hex, "chase", DONE, QUEUE) for _ in range(60)]
    ids = list(past.stage.create_runs(new).values())
    past.stage.write_logs([LogLine(one, NOW, 20, "said") for one in ids])
    assert trim(past.stage, NOW + KEPT + timedelta(days=1)) == Trimmed(runs=60)
    wanted = {"logs": {"flow_run_id": {"any_": ids}}, "limit": 1}
    end = time.monotonic() + 30
    while api.post("/logs/filter", json=wanted).json():  # Prefect removes them a moment later
        assert time.monotonic() < end
        time.sleep(0.2)


def test_only_the_newest_card_of_a_duty_stays(past: Past, api: httpx.Client) -> None:
    duty = past.run("chase", OVERDUE, "duties", "duty")
    key = f"duty-{uuid4().hex[:8]}"
    for text in ("first", "second", "third"):
        past.stage.put_artifact(key, "markdown", text, run_id=duty)
    past.stage.put_artifact("boards-are-kept", "markdown", "one")
    past.stage.put_artifact("boards-are-kept", "markdown", "two")
    assert trim(past.stage, NOW).cards >= 2
    assert trim(past.stage, NOW) == Trimmed()
    wanted = {"artifacts": {"key": {"any_": [key, "boards-are-kept"]}}, "sort": "CREATED_DESC"}
    assert [one["data"] for one in api.post("/artifacts/filter", json=wanted).json()] == [
        "two",
        "one",
        "third",
    ]
    assert api.get(f"/artifacts/{key}/latest").json()["data"] == "third"


# Runs whose process is gone


@pytest.fixture
def at_work(
    stage: Stage, prefect_server: Embedded, tmp_path: Path
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A run that a real process executes, as a worker has it done."""
    (tmp_path / "slow.py").write_text(FLOW)
    run = stage.start_run(put(stage, "slow", "slow.long", f"{tmp_path}"), {}, "slow run")
    settings = prefect_environment(prefect_server.home, prefect_server.port, prefect_server.auth)
    environment = {**os.environ, **settings, "PREFECT__FLOW_RUN_ID": run}
    command = [sys.executable, "-m", "prefect.engine"]
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        yield run, process
        process.kill()


def test_a_run_whose_process_was_killed_ends_as_crashed(
    stage: Stage, api: httpx.Client, at_work: tuple[str, subprocess.Popen[bytes]]
) -> None:
    run, process = at_work
    assert clean_up(stage, pendulum.now("UTC"), alone=False) == []  # it has only begun
    assert clean_up(stage, sign_of_life(api, run) + SILENCE, alone=False) == []  # it was heard of
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    state = stage.run_state(run)
    assert state is not None
    assert state.type == "RUNNING"  # Prefect itself notices nothing
    later = pendulum.now("UTC") + SILENCE + timedelta(seconds=1)
    assert clean_up(stage, later, alone=False) == ["slow run"]
    assert stage.run_state(run) == StateSpec(
        "CRASHED", "Crashed", "执行该任务的进程已不存在，按中断处理；漏做的工作由下一次任务补做。"
    )
    assert clean_up(stage, later, alone=True) == []


def sign_of_life(api: httpx.Client, run: str) -> datetime:
    """When one was given, as soon as Prefect has it."""
    asked = {
        "filter": {
            "event": {"name": [HEARTBEAT]},
            "resource": {"id": [f"prefect.flow-run.{run}"]},
        }
    }
    end = time.monotonic() + 60
    while not (found := api.post("/events/filter", json=asked).json()["events"]):
        assert time.monotonic() < end
        time.sleep(0.2)
    return datetime.fromisoformat(found[0]["occurred"])


def test_before_the_only_worker_starts_nothing_can_be_running(past: Past) -> None:
    runs = [
        past.run("chase", StateSpec(state, state.title()))
        for state in ("RUNNING", "PENDING", "CANCELLING")
    ]
    assert len(clean_up(past.stage, NOW, alone=True, language="en")) == 3
    for run in runs:
        state = past.stage.run_state(run)
        assert state is not None
        assert (state.type, state.message) == (
            "CRASHED",
            "Its process is gone; the next run does what this one left undone.",
        )
