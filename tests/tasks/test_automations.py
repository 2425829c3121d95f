"""The two automations on a real server: made once, mended, and each fires."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pendulum
import pytest

from deployments.automations import automations, ensure
from deployments.register import register
from duban.errors import DubanError
from duban.registry import Registry
from tasks.stage import AutomationRef, EventSpec, NewRun, Stage, StateSpec
from tests.conftest import PROJECT, china

SOON = timedelta(seconds=10)  # the shortest silence that Prefect takes
TODAY = china("2026-11-24").date()


@pytest.fixture
def ids(stage: Stage, small: Registry) -> Iterator[dict[str, str]]:
    """Deployment ids by name; no automation is there before and after."""
    register(small, stage, PROJECT, TODAY)
    clear(stage)
    yield {one.name: one.id for one in stage.deployments("duban")}
    clear(stage)


def clear(stage: Stage) -> None:
    for one in ours(stage):
        stage.delete_automation(one.id)


def ours(stage: Stage) -> list[AutomationRef]:
    return stage.automations("duban")


def test_they_are_made_once_and_say_who_keeps_them(stage: Stage, ids: dict[str, str]) -> None:
    assert [ensure(stage, "zh"), ensure(stage, "zh")] == [2, 0]
    made = {one.name: one for one in ours(stage)}
    assert made.keys() == {
        "督办 · 升级时告知协调单位",
        "督办 · 连续两期未催办时告知协调单位",
    }
    for one in made.values():
        assert "由督办系统维护" in one.body["description"]
        assert one.body["actions"][0]["deployment_id"] == ids["tell"]


def test_what_was_changed_or_deleted_comes_back_and_what_was_switched_off_stays_off(
    stage: Stage, ids: dict[str, str]
) -> None:
    ensure(stage, "zh")
    first, second = ours(stage)
    stage.enable_automation(first.id, False)
    stage.update_automation(first.id, {**wanted(ids)[0].body, "name": "我的", "enabled": False})
    stage.delete_automation(second.id)
    assert ensure(stage, "zh") == 2
    assert [(one.name, one.enabled) for one in ours(stage)] == [
        ("督办 · 升级时告知协调单位", False),
        ("督办 · 连续两期未催办时告知协调单位", True),
    ]


def test_a_double_goes_and_those_of_others_stay(stage: Stage, ids: dict[str, str]) -> None:
    ensure(stage, "zh")
    body = {**wanted(ids)[0].body, "enabled": True}
    stage.create_automation(body)
    foreign = stage.create_automation({**body, "name": "他人的", "tags": ["duban"]})
    assert ensure(stage, "zh") == 1
    found = ours(stage)
    assert (len(found), foreign in {one.id for one in found}) == (3, True)


def test_without_the_flow_that_tells_nothing_is_made() -> None:
    with pytest.raises(DubanError, match="duban mirror"):
        automations({"chase": "x"}, "zh")


def wanted(ids: dict[str, str], silence: timedelta = SOON) -> list[Any]:
    return automations(ids, "zh", silence=silence, gather=timedelta(0))


def test_each_fires_once_for_what_it_waits_for_and_not_for_what_happened(
    stage: Stage, ids: dict[str, str], api: httpx.Client
) -> None:
    escalations, silence = wanted(ids)
    _, elsewhere = wanted({**ids, "chase": ids["board"]})
    begun = pendulum.now("UTC")
    escalated = stage.create_automation({**escalations.body, "enabled": True})
    chased = stage.create_automation({**silence.body, "enabled": True})
    silent = stage.create_automation({**elsewhere.body, "enabled": True})

    def work() -> None:
        """Goes on without a pause, so that it does not matter when Prefect has loaded them."""
        complete(stage, ids["chase"])
        stage.emit([event("duban.duty.escalated", f"duban.duty.{n}") for n in range(3)])

    by = fired(api, ids["tell"], begun, {escalated, silent}, work)
    assert [one["parameters"] for one in by if one["automation"] == escalated] == [
        {"what": "escalated"}
    ]
    assert [one["parameters"] for one in by if one["automation"] == silent] == [
        {"what": "no-chase"}
    ]
    assert chased not in {one["automation"] for one in by}
    stage.emit([event("duban.tick.missed", "duban.tick")])
    fired(api, ids["tell"], begun, {chased}, work)


def complete(stage: Stage, deployment: str) -> None:
    waiting = StateSpec("PAUSED", "Waiting")
    runs = stage.create_runs([NewRun(deployment, uuid4().hex, "chase", waiting, "duties")])
    stage.set_states(dict.fromkeys(runs.values(), StateSpec("COMPLETED", "Completed")))


def event(name: str, about: str) -> EventSpec:
    labels = {"prefect.resource.id": about, "prefect.resource.name": about}
    return EventSpec(str(uuid4()), name, pendulum.now("UTC"), labels)


def fired(
    api: httpx.Client, tell: str, since: datetime, wanted: set[str], work: Callable[[], None]
) -> list[dict[str, Any]]:
    """The runs that automations started since, as soon as those that are wanted have."""
    asked = {"flow_runs": {"deployment_id": {"any_": [tell]}}}
    end = time.monotonic() + 60
    while True:
        work()
        rows = api.post("/flow_runs/filter", json=asked).json()
        found = [row for row in rows if datetime.fromisoformat(row["created"]) >= since]
        by = [{**one, "automation": one["created_by"]["id"]} for one in found]
        if wanted <= {one["automation"] for one in by}:
            return by
        assert time.monotonic() < end, by
        time.sleep(0.25)
