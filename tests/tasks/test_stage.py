"""The stage against a real Prefect server, and against faults no real server gives on demand."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deployments.embedded import POOL, QUEUE, Embedded
from tasks.stage import (
    CronSpec,
    DeploymentSpec,
    LogLine,
    NewRun,
    Stage,
    StageError,
    StateSpec,
)
from tests.servers import prefect_client

STATES = (
    StateSpec("PAUSED", "AwaitingEvidence", "等待佐证"),
    StateSpec("PAUSED", "UnderReview"),
    StateSpec("PAUSED", "Returned"),
    StateSpec("FAILED", "Overdue", "超期 3 天"),
    StateSpec("COMPLETED", "Accepted"),
    StateSpec("COMPLETED", "AcceptedLate"),
    StateSpec("CANCELLED", "Waived"),
)
WAITING, OVERDUE = STATES[0], STATES[3]
DAILY = CronSpec("report", "0 8 * * *", "Asia/Shanghai", {"period": "day"})


def a_deployment(number: str, *schedules: CronSpec) -> DeploymentSpec:
    return DeploymentSpec(
        flow_name=f"{number} 家长学校每年一次",
        name=f"{number} 家长学校",
        version="abc123",
        entrypoint="flows.cycle.cycle",
        directory="/nowhere",
        pool=POOL,
        queue=QUEUE,
        tags=("duban", f"clause:{number}"),
        parameters={"clause": number},
        parameter_openapi_schema={
            "type": "object",
            "properties": {"clause": {"type": "string"}, "period": {"type": "string"}},
        },
        schedules=schedules,
    )


def a_run(deployment_id: str, tag: str, state: StateSpec = WAITING) -> NewRun:
    key = uuid4().hex
    return NewRun(deployment_id, key, "太原市妇联 · 2026 · 12-10止", state, "duties", ("duty", tag))


def raw(server: Embedded, method: str, path: str, body: object = None) -> Any:
    with prefect_client(server.api_url, server.auth) as client:
        answer = client.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def clause(stage: Stage) -> str:
    return stage.put_deployment(a_deployment("3.4c"))


# Pool and queue


def test_the_duties_queue_is_really_paused(stage: Stage, prefect_server: Embedded) -> None:
    queue = raw(prefect_server, "GET", f"/work_pools/{POOL}/queues/duties")
    assert (queue["is_paused"], queue["status"]) == (True, "PAUSED")


def test_a_queue_somebody_resumed_is_paused_again(stage: Stage, prefect_server: Embedded) -> None:
    stage.ensure_queue(POOL, "other", paused=True)
    raw(prefect_server, "PATCH", f"/work_pools/{POOL}/queues/other", {"is_paused": False})
    queue_id = stage.ensure_queue(POOL, "other", paused=True)
    queue = raw(prefect_server, "GET", f"/work_pools/{POOL}/queues/other")
    assert (queue["id"], queue["is_paused"]) == (queue_id, True)


def test_the_service_that_expires_pauses_is_off(stage: Stage) -> None:
    assert not stage.pause_expirations_on()


# Deployments


def test_putting_a_deployment_twice_leaves_one_with_one_schedule(
    stage: Stage, prefect_server: Embedded
) -> None:
    first = stage.put_deployment(a_deployment("1.1", DAILY))
    again = stage.put_deployment(replace(a_deployment("1.1", DAILY), version="def456"))
    assert first == again
    (ref,) = stage.deployments("clause:1.1")
    assert (ref.id, ref.version, ref.flow_name) == (first, "def456", "1.1 家长学校每年一次")
    (schedule,) = raw(prefect_server, "GET", f"/deployments/{first}/schedules")
    assert schedule["schedule"]["timezone"] == "Asia/Shanghai"
    assert (schedule["slug"], schedule["parameters"]) == ("report", {"period": "day"})


def test_a_schedule_that_left_the_spec_leaves_prefect(
    stage: Stage, prefect_server: Embedded
) -> None:
    review = CronSpec("review", "0 8 1 1 *", "Asia/Shanghai")
    stage.put_deployment(a_deployment("1.2", DAILY, review))
    deployment = stage.put_deployment(a_deployment("1.2", review))
    (schedule,) = raw(prefect_server, "GET", f"/deployments/{deployment}/schedules")
    assert schedule["slug"] == "review"


def test_what_a_person_paused_stays_paused(stage: Stage, prefect_server: Embedded) -> None:
    deployment = stage.put_deployment(a_deployment("1.3", DAILY))
    (schedule,) = raw(prefect_server, "GET", f"/deployments/{deployment}/schedules")
    path = f"/deployments/{deployment}"
    raw(prefect_server, "PATCH", f"{path}/schedules/{schedule['id']}", {"active": False})
    raw(prefect_server, "POST", f"{path}/pause_deployment")
    stage.put_deployment(a_deployment("1.3", DAILY))
    (schedule,) = raw(prefect_server, "GET", f"{path}/schedules")
    (ref,) = stage.deployments("clause:1.3")
    assert (ref.paused, schedule["active"]) == (True, False)


def test_a_cron_deployment_really_gets_scheduled_runs(stage: Stage) -> None:
    deployment = stage.put_deployment(a_deployment("1.4", DAILY))
    end = time.monotonic() + 40
    while not (runs := list(stage.read_runs(["clause:1.4"]))) and time.monotonic() < end:
        time.sleep(0.5)
    assert {(run.state_type, run.deployment_id) for run in runs} == {("SCHEDULED", deployment)}


def test_a_deleted_deployment_and_flow_are_gone_and_deleting_again_is_fine(stage: Stage) -> None:
    stage.put_deployment(a_deployment("1.5"))
    (ref,) = stage.deployments("clause:1.5")
    for _ in range(2):
        stage.delete_deployment(ref.id)
        stage.delete_flow(ref.flow_id)
    assert stage.deployments("clause:1.5") == []


# Duty runs


def test_runs_are_created_in_each_state(stage: Stage, clause: str) -> None:
    made = stage.create_runs([a_run(clause, "each-state", state) for state in STATES])
    runs = {run.id: run for run in stage.read_runs(["duty", "each-state"])}
    assert set(made.values()) == set(runs)
    found = {(run.state_type, run.state_name) for run in runs.values()}
    assert found == {(state.type, state.name) for state in STATES}
    assert stage.run_state(made[min(made)]) in STATES
    for state in STATES:
        assert stage.count_runs(["each-state"], state.name) == 1


def test_more_runs_than_one_call_takes_are_created_and_all_pages_are_read(
    stage: Stage, clause: str
) -> None:
    made = stage.create_runs([a_run(clause, "many") for _ in range(230)])
    assert len(set(made.values())) == 230 == stage.count_runs(["many"])
    assert {run.id for run in stage.read_runs(["many"])} == set(made.values())


def test_a_key_gives_the_same_run_even_after_its_state_changed(stage: Stage, clause: str) -> None:
    run = a_run(clause, "same-key")
    first = stage.create_runs([run])
    run_id = first[run.idempotency_key]
    assert stage.set_states({run_id: OVERDUE}) == []
    assert stage.create_runs([run, a_run(clause, "same-key")])[run.idempotency_key] == run_id
    assert stage.run_state(run_id) == OVERDUE


def test_states_change_in_groups_and_deleted_runs_are_named(stage: Stage, clause: str) -> None:
    made = list(stage.create_runs([a_run(clause, "moving") for _ in range(53)]).values())
    gone = made[50]
    stage.delete_run(gone)
    stage.delete_run(gone)
    wanted = {run_id: STATES[5] if n == 0 else OVERDUE for n, run_id in enumerate(made)}
    assert stage.set_states(wanted) == [gone]
    assert stage.count_runs(["moving"], "Overdue") == 51
    assert stage.count_runs(["moving"], "AcceptedLate") == 1
    assert stage.run_state(gone) is None


def test_an_accepted_run_can_be_opened_again(stage: Stage, clause: str) -> None:
    run_id = next(iter(stage.create_runs([a_run(clause, "reopened", STATES[4])]).values()))
    assert stage.set_states({run_id: WAITING}) == []
    assert stage.run_state(run_id) == WAITING


def test_name_and_tags_of_a_run_change_apart_from_each_other(stage: Stage, clause: str) -> None:
    run_id = next(iter(stage.create_runs([a_run(clause, "patched")]).values()))
    assert stage.patch_run(run_id, tags=["patched", "灯:红"])
    assert stage.patch_run(run_id, name="太原市妇联 · 2026 · 12-31止")
    (run,) = stage.read_runs(["灯:红"], deployment_id=clause)
    assert (run.name, set(run.tags)) == ("太原市妇联 · 2026 · 12-31止", {"patched", "灯:红"})
    assert not stage.patch_run(str(uuid4()), name="nobody")


def test_a_run_keeps_its_timeline_and_its_card(
    stage: Stage, clause: str, prefect_server: Embedded
) -> None:
    run_id = next(iter(stage.create_runs([a_run(clause, "told")]).values()))
    day = datetime(2026, 3, 1, 9, tzinfo=UTC)
    stage.write_logs([LogLine(run_id, day + timedelta(days=n), 20, f"提醒 {n}") for n in range(3)])
    stage.put_artifact("duty-card", "markdown", "# 督办事项", "卡片", run_id)
    logs = raw(
        prefect_server, "POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}}
    )
    assert [line["message"] for line in logs] == ["提醒 0", "提醒 1", "提醒 2"]
    card = raw(prefect_server, "GET", "/artifacts/duty-card/latest")
    assert (card["data"], card["flow_run_id"]) == ("# 督办事项", run_id)


def test_a_log_line_without_timezone_is_refused(stage: Stage) -> None:
    line = LogLine(str(uuid4()), datetime(2026, 3, 1), 20, "提醒")  # noqa: DTZ001
    with pytest.raises(ValueError, match="no timezone"):
        stage.write_logs([line])


# Signing in


def test_a_form_secret_that_ran_out_is_fetched_anew(prefect_server: Embedded) -> None:
    newest = "SELECT client FROM csrf_token ORDER BY created DESC LIMIT 1"
    with Stage(prefect_server.api_url, auth=prefect_server.auth) as own:
        own.put_artifact("secret", "markdown", "with the first")
        database = sqlite3.connect(prefect_server.home / "prefect" / "prefect.db", timeout=30)
        with closing(database), database:
            database.execute(
                f"UPDATE csrf_token SET expiration = '2020-01-01' WHERE client = ({newest})"
            )
        own.put_artifact("secret", "markdown", "with the second")
    assert raw(prefect_server, "GET", "/artifacts/secret/latest")["data"] == "with the second"


def test_a_wrong_credential_is_one_clear_sentence(prefect_server: Embedded) -> None:
    with (
        Stage(prefect_server.api_url, auth="duban:guessed") as stranger,
        pytest.raises(StageError, match="PREFECT_API_AUTH_STRING") as refused,
    ):
        stranger.count_runs(["duty"])
    assert "guessed" not in str(refused.value)


# Faults


def at_fault(handler: Callable[[httpx.Request], httpx.Response]) -> tuple[Stage, list[float]]:
    pauses: list[float] = []

    def server(request: httpx.Request) -> httpx.Response:
        if "csrf-token" in request.url.path:
            return httpx.Response(422, json={"detail": "CSRF protection is disabled."})
        return handler(request)

    transport = httpx.MockTransport(server)
    return Stage("http://prefect/api", transport=transport, sleep=pauses.append), pauses


def created(request: httpx.Request, *, failed: int = 0) -> httpx.Response:
    runs: list[dict[str, str]] = json.loads(request.content)
    results = [
        {"flow_run_id": f"id-{run['idempotency_key']}", "status": "CREATED", "error": None}
        for run in runs
    ]
    for item in results[:failed]:
        item.update(flow_run_id=None, status="FAILED", error="database is locked")
    return httpx.Response(200, json={"results": results})


RUNS = [NewRun("d", f"k{n}", "run", WAITING, "duties") for n in range(3)]


def test_runs_that_failed_behind_a_200_are_asked_for_again() -> None:
    calls: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return created(request, failed=2 if len(calls) < 3 else 0)

    stage, pauses = at_fault(server)
    assert stage.create_runs(RUNS) == {"k0": "id-k0", "k1": "id-k1", "k2": "id-k2"}
    assert len(calls) == 3
    assert pauses == sorted(pauses)


def test_a_call_with_a_failed_item_is_asked_again_whole() -> None:
    asked: list[int] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(len(json.loads(request.content)))
        return created(request, failed=1 if len(asked) == 1 else 0)

    stage, _ = at_fault(server)
    stage.create_runs(RUNS)
    # The other two of the first call may have been rolled back with the one that failed.
    assert asked == [3, 3]


def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(503), httpx.Response(200, json=7)])
    stage, pauses = at_fault(lambda _: next(answers))
    assert stage.count_runs(["duty"]) == 7
    assert len(pauses) == 2


def test_a_server_that_stays_locked_is_given_up_with_a_sentence() -> None:
    stage, pauses = at_fault(lambda request: created(request, failed=1))
    with pytest.raises(StageError, match=r"too busy after 8 tries .*database is locked"):
        stage.create_runs(RUNS)
    assert len(pauses) == 8


def test_a_run_that_prefect_will_never_take_is_not_asked_for_again() -> None:
    item = {"status": "FAILED", "error": "Parameter validation failed: clause"}
    stage, pauses = at_fault(lambda _: httpx.Response(200, json={"results": [item]}))
    with pytest.raises(StageError, match="Parameter validation failed"):
        stage.create_runs(RUNS[:1])
    assert pauses == []


def test_states_that_were_refused_are_set_again() -> None:
    asked: list[list[str]] = []

    def server(request: httpx.Request) -> httpx.Response:
        ids: list[str] = json.loads(request.content)["flow_runs"]["id"]["any_"]
        asked.append(ids)
        refuse = {"a"} if len(asked) == 1 else set[str]()
        results: list[dict[str, str]] = [
            {"flow_run_id": i, "status": "ABORT" if i in refuse else "ACCEPT", "details": "locked"}
            for i in ids
            if i != "gone"
        ]
        return httpx.Response(200, json={"results": results})

    stage, _ = at_fault(server)
    assert stage.set_states(dict.fromkeys(["a", "b", "gone"], OVERDUE)) == ["gone"]
    assert asked == [["a", "b", "gone"], ["gone", "a"]]


def test_a_schedule_stored_without_its_timezone_is_an_error() -> None:
    stored = [{"slug": "report", "schedule": {"timezone": None}}]
    answer = {"id": "x", "schedules": stored}
    stage, _ = at_fault(lambda _: httpx.Response(201, json=answer))
    with pytest.raises(StageError, match="Asia/Shanghai"):
        stage.put_deployment(a_deployment("9.9", DAILY))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (httpx.ConnectError("refused"), "does not answer at http://prefect/api"),
        (httpx.ReadTimeout("slow"), "did not answer GET /flow_runs/x in time"),
    ],
)
def test_a_server_out_of_reach_is_one_clear_sentence(fault: Exception, says: str) -> None:
    def server(_: httpx.Request) -> httpx.Response:
        raise fault

    stage, pauses = at_fault(server)
    assert not stage.healthy()
    with pytest.raises(StageError, match=says):
        stage.run_state("x")
    assert pauses == []


def test_an_answer_that_forbids_says_what_to_do() -> None:
    stage, _ = at_fault(lambda _: httpx.Response(401, text="Unauthorized"))
    with pytest.raises(StageError, match="PREFECT_API_AUTH_STRING"):
        stage.run_state("x")


def test_a_refusal_says_why_without_repeating_what_was_sent(stage: Stage) -> None:
    with pytest.raises(StageError, match="must only contain lowercase letters") as refused:
        stage.put_artifact("督办", "markdown", "联系人 138")
    assert "138" not in str(refused.value)
