"""Runs: those that stand for duties and are never executed, and those a worker executes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from duban.batches import batches
from tasks.stage.calls import Busy, Calls, StageError, absent, reasons
from tasks.stage.model import Json, NewRun, RunRef, StateSpec

T = TypeVar("T")
K = TypeVar("K")

CREATE_LIMIT = 100  # Prefect refuses more runs a call
SET_STATE_LIMIT = 50  # likewise


class Runs(Calls):
    """Flow runs."""

    # Duty runs

    def create_runs(self, runs: Sequence[NewRun]) -> dict[str, str]:
        """Create the runs in their states; return their ids by idempotency key.

        A run that exists under its key keeps its state, name and tags, and its id is returned.
        """
        made: dict[str, str] = {}
        for deployment_id, group in _grouped(runs, lambda run: run.deployment_id).items():
            for batch in batches(group, CREATE_LIMIT):
                made |= self._create_batch(deployment_id, batch)
        return made

    def set_states(self, states: Mapping[str, StateSpec]) -> list[str]:
        """Force each run (by id) into its state; return the ids that Prefect does not have."""
        missing: list[str] = []
        for state, ids in _grouped(states, lambda run_id: states[run_id]).items():
            for batch in batches(ids, SET_STATE_LIMIT):
                missing += self._set_batch(state, batch)
        return missing

    def patch_run(
        self, run_id: str, *, name: str | None = None, tags: Iterable[str] | None = None
    ) -> bool:
        """Change name or tags (all of them, the deployment's too); False if there is no run."""
        body: Json = {}
        if name is not None:
            body["name"] = name
        if tags is not None:
            body["tags"] = list(tags)
        answer = self._call("PATCH", f"/flow_runs/{run_id}", body, allow=(404,))
        return not absent(answer)

    def delete_run(self, run_id: str) -> None:
        """Delete the run and its logs; that it is gone already is fine."""
        self._call("DELETE", f"/flow_runs/{run_id}", allow=(404,))

    def read_runs(
        self,
        tags: Sequence[str],
        *,
        state_name: str | None = None,
        deployment_id: str | None = None,
    ) -> Iterator[RunRef]:
        """The runs that carry all the tags, newest first.

        Pages are counted by position: take all before deleting any, else some are passed over.
        """
        wanted = {"flow_runs": _run_filter(tags, state_name, deployment_id), "sort": "ID_DESC"}
        for row in self._pages("/flow_runs/filter", wanted):
            yield _run(row)

    def count_runs(self, tags: Sequence[str], state_name: str | None = None) -> int:
        """How many runs carry all the tags and, if given, are in the state of this name."""
        wanted = {"flow_runs": _run_filter(tags, state_name)}
        return int(self._call("POST", "/flow_runs/count", wanted).json())

    # Runs that a worker executes

    def start_run(self, deployment_id: str, parameters: Json, name: str | None = None) -> str:
        """Have a worker run the deployment as soon as it can; return the run's id."""
        # With a key of its own, a second try after a 503 cannot start a second run.
        body: Json = {"parameters": parameters, "idempotency_key": uuid4().hex}
        if name is not None:
            body["name"] = name
        path = f"/deployments/{deployment_id}/create_flow_run"
        return str(self._call("POST", path, body).json()["id"])

    def plan_run(self, deployment_id: str, at: datetime, key: str) -> str:
        """Have a worker run the deployment at a moment; the same key plans it once."""
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}
        body: Json = {"state": state, "idempotency_key": key}
        path = f"/deployments/{deployment_id}/create_flow_run"
        return str(self._call("POST", path, body).json()["id"])

    def run_state(self, run_id: str) -> StateSpec | None:
        """The run's state now, or None if there is no such run."""
        answer = self._call("GET", f"/flow_runs/{run_id}", allow=(404,))
        if absent(answer):
            return None
        state = answer.json()["state"]
        return StateSpec(state["type"], state["name"], state["message"] or "")

    # How it is sent

    def _create_batch(self, deployment_id: str, batch: Sequence[NewRun]) -> dict[str, str]:
        path = f"/deployments/{deployment_id}/create_flow_run/bulk"
        body = [_new_run(run) for run in batch]

        def attempt() -> dict[str, str]:
            results: list[Json] = self._send("POST", path, body).json()["results"]
            # One failed item can roll back the others of its call, though they read CREATED:
            # so all are asked for again, and the keys make that harmless.
            _refuse_failures([item["error"] for item in results if item["status"] != "CREATED"])
            if len(results) != len(batch):
                raise Busy(f"{len(results)} answers for {len(batch)} runs")
            ids = [str(item["flow_run_id"]) for item in results]
            return dict(zip((run.idempotency_key for run in batch), ids, strict=True))

        return self._patiently(attempt, f"creating {len(batch)} runs")

    def _set_batch(self, state: StateSpec, batch: Sequence[str]) -> list[str]:
        body: Json = {"state": _state(state), "force": True, "limit": SET_STATE_LIMIT}
        open_ids = list(batch)

        def attempt() -> list[str]:
            body["flow_runs"] = {"id": {"any_": open_ids}}
            results: list[Json] = self._send("POST", "/flow_runs/bulk_set_state", body).json()[
                "results"
            ]
            refused = {item["flow_run_id"]: item for item in results if item["status"] != "ACCEPT"}
            missing = sorted(set(open_ids) - {item["flow_run_id"] for item in results})
            if refused:
                open_ids[:] = [*missing, *refused]
                raise Busy(reasons(item["details"] for item in refused.values()))
            return missing

        return self._patiently(attempt, f"setting {len(batch)} runs to {state.name}")


def _refuse_failures(errors: list[str | None]) -> None:
    for error in errors:
        # These are wrong for good; all others Prefect gives are moments of a locked database.
        if error and error.startswith(("Parameter ", "Invalid schema", "Cannot create flow run")):
            raise StageError(f"Prefect will not create a run: {error}: deploy its clause anew.")
    if errors:
        raise Busy(reasons(errors))


def _new_run(run: NewRun) -> Json:
    return {
        "idempotency_key": run.idempotency_key,
        "name": run.name,
        "state": _state(run.state),
        "tags": list(run.tags),
        "parameters": run.parameters,
        "work_queue_name": run.queue,
        # It is shown, not executed.
        "enforce_parameter_schema": False,
    }


def _state(state: StateSpec) -> Json:
    return {"type": state.type, "name": state.name, "message": state.message}


def _run(row: Json) -> RunRef:
    state: Json = row["state"] or {}
    return RunRef(
        id=row["id"],
        name=row["name"],
        state_type=row["state_type"],
        state_name=row["state_name"],
        tags=tuple(row["tags"]),
        deployment_id=row["deployment_id"],
        idempotency_key=row["idempotency_key"],
        message=state.get("message") or "",
    )


def _run_filter(
    tags: Sequence[str], state_name: str | None = None, deployment_id: str | None = None
) -> Json:
    wanted: Json = {"tags": {"all_": list(tags)}}
    if state_name is not None:
        wanted["state"] = {"name": {"any_": [state_name]}}
    if deployment_id is not None:
        wanted["deployment_id"] = {"any_": [deployment_id]}
    return wanted


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
