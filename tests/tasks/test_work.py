"""Letters that were put off are delivered by a run at the right time, not by a poll."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pendulum
import pytest

from deployments.register import register
from duban.ledger.outbox import next_at
from tasks.stage import Stage
from tasks.work import deliver_again_when_due, deliver_letters, office, open_duties
from tests.conftest import Project


@pytest.fixture(autouse=True)
def on_the_small_notice(
    project: Project, in_prefect: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("DUBAN_HOME", str(project.folder / "var"))
    monkeypatch.setenv("DUBAN_AGENCIES", str(project.agencies))
    monkeypatch.setenv("DUBAN_NOTICES", str(project.folder / "deployments"))
    office.cache_clear()
    yield
    office().ledger.engine.dispose()
    office.cache_clear()


def planned(api: httpx.Client) -> list[datetime]:
    """When runs of the flow `deliver` are to begin."""
    answer = api.post("/flow_runs/filter", json={"flows": {"name": {"any_": ["deliver"]}}})
    runs: list[dict[str, Any]] = answer.json()
    return [datetime.fromisoformat(run["expected_start_time"]) for run in runs]


def test_one_run_is_planned_for_the_moment_at_which_a_letter_can_go(
    stage: Stage, api: httpx.Client, project: Project
) -> None:
    here = office()
    register(here.ledger.registry, stage, project.folder, pendulum.today("UTC").date())
    deliver_again_when_due()
    assert planned(api) == []  # nothing waits
    now = pendulum.now("UTC")
    here.arm(True, by="张三", now=now)
    open_duties.fn(now)
    deliver_letters.fn(now + timedelta(days=30))  # whatever day it is, every letter is tried
    due = next_at(here.ledger)
    assert due is not None  # there is no mail account, so one is put off
    for _ in range(3):
        deliver_again_when_due()
    [begins] = planned(api)
    assert timedelta() <= begins - max(due, now) <= timedelta(minutes=2)
