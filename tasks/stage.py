"""All HTTP that the product speaks to Prefect: deployments, duty runs, logs and artifacts."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from uuid import uuid4

import httpx

from duban.batches import batches
from duban.errors import DubanError

StateType = Literal[
    "SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING",
    "COMPLETED", "FAILED", "CANCELLED", "CRASHED",
]  # fmt: skip
Json = dict[str, Any]
T = TypeVar("T")
K = TypeVar("K")

#: Seconds between the tries of one call; SQLite is locked for moments, not for minutes.
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
CREATE_LIMIT = 100  # Prefect refuses more runs a call
SET_STATE_LIMIT = 50  # likewise
PAGE = 200
LOG_BATCH = 500  # below the server's own batch, so that one call is one transaction


#: A process job with nothing to choose. Prefect checks each new run's job variables against the
#: pool's schema of them, three quarters of the time a run costs; here is nothing to check.
_PLAIN_JOB: Json = {
    "job_configuration": {
        "command": None,
        "env": {},
        "labels": {},
        "name": None,
        "stream_output": True,
        "working_dir": None,
    },
    "variables": {"type": "object", "properties": {}},
}


class StageError(DubanError):
    """Prefect did not do what was asked; the message says what, and what to do."""


class _Busy(Exception):
    """Prefect could not do it at this moment; the same call may succeed later."""


@dataclass(frozen=True, slots=True)
class StateSpec:
    """A run's state: Prefect colours it by `type` and shows `name`."""

    type: StateType
    name: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is created in its state and never executed.

    `tags` are added to those of the deployment; `queue` must exist and be paused already.
    """

    deployment_id: str
    idempotency_key: str
    name: str
    state: StateSpec
    queue: str
    tags: tuple[str, ...] = ()
    parameters: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run as Prefect has it now; `tags` include those of its deployment."""

    id: str
    name: str
    state_type: StateType
    state_name: str
    tags: tuple[str, ...]
    deployment_id: str | None
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's log; `at` must carry a timezone, `level` is that of `logging`."""

    run_id: str
    at: datetime
    level: int
    message: str


@dataclass(frozen=True, slots=True)
class CronSpec:
    """One schedule of a deployment; `slug` names it within the deployment."""

    slug: str
    cron: str
    timezone: str
    parameters: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A flow that a worker imports by module path from `directory`, and when it runs.

    `concurrency` is how many of its runs may run at once; further ones wait.
    """

    flow_name: str
    name: str
    version: str
    entrypoint: str
    directory: str
    pool: str
    queue: str
    tags: tuple[str, ...] = ()
    description: str = ""
    parameters: Json = field(default_factory=dict[str, Any])
    parameter_openapi_schema: Json = field(default_factory=dict[str, Any])
    schedules: tuple[CronSpec, ...] = ()
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class DeploymentRef:
    """A deployment as Prefect has it now."""

    id: str
    name: str
    flow_id: str
    flow_name: str
    version: str | None
    tags: tuple[str, ...]
    paused: bool


class Stage:
    """A Prefect server behind its API address, such as `http://127.0.0.1:4200/api`.

    Calls go out one after another: on SQLite, calls at once lose runs behind a 200. Every method
    raises `StageError`; a busy server (503) is asked again for some 16 seconds first.
    `auth` is `user:password`, if the server asks for one.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        user, _, password = (auth or "").partition(":")
        self._client = httpx.Client(
            base_url=self.url,
            auth=(user, password) if auth else None,
            transport=transport,
            # SQLite waits up to 60 s for a lock before the server gives up.
            timeout=httpx.Timeout(90, connect=5),
            # Below the server's own 5 s, so that no call meets a connection just being closed.
            limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=3),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    # The server

    def healthy(self) -> bool:
        """Whether the server answers now; never raises."""
        try:
            return self._client.get("/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def pause_expirations_on(self) -> bool:
        """Whether the service runs that costs a whole core at 100,000 waiting duties."""
        settings = self._call("GET", "/admin/settings").json()
        return bool(settings["server"]["services"]["pause_expirations"]["enabled"])

    def online_workers(self, pool: str) -> list[str]:
        """The names of the pool's workers that beat lately; none if there is no such pool."""
        answer = self._call(
            "POST", f"/work_pools/{pool}/workers/filter", {"limit": PAGE}, allow=(404,)
        )
        if _absent(answer):
            return []
        return [worker["name"] for worker in answer.json() if worker["status"] == "ONLINE"]

    def ensure_pool(self, name: str) -> None:
        """Have a process work pool of this name."""
        path = f"/work_pools/{name}"
        if _absent(self._call("GET", path, allow=(404,))):
            # 409: another process was quicker.
            body = {"name": name, "type": "process", "base_job_template": _PLAIN_JOB}
            self._call("POST", "/work_pools/", body, allow=(409,))
        kind = self._call("GET", path).json()["type"]
        if kind != "process":
            raise StageError(
                f"Work pool {name} in Prefect is of type {kind}, not process: "
                "delete it in the Prefect UI and start again."
            )

    def ensure_queue(self, pool: str, name: str, paused: bool) -> str:
        """Have a queue of this name in the pool, really paused or really not; return its id."""
        path = f"/work_pools/{pool}/queues/{name}"
        found = self._call("GET", path, allow=(404,))
        if _absent(found):
            body = {"name": name, "is_paused": paused}
            self._call("POST", f"/work_pools/{pool}/queues", body, allow=(409,))
            found = self._call("GET", path)
        if not _queue_is(found.json(), paused):
            # A queue that was created paused is held, but reads NOT_READY until it is patched.
            self._call("PATCH", path, {"is_paused": paused})
        queue = self._call("GET", path).json()
        if not _queue_is(queue, paused):
            raise StageError(
                f"Queue {name} of pool {pool} stays {queue['status']} in Prefect: "
                f"{'pause' if paused else 'resume'} it by hand in the Prefect UI (Work Pools)."
            )
        return str(queue["id"])

    # Deployments

    def deployments(self, tag: str) -> list[DeploymentRef]:
        """All deployments that carry the tag."""
        wanted = {"deployments": {"tags": {"all_": [tag]}}, "sort": "NAME_ASC"}
        rows = list(self._pages("/deployments/filter", wanted))
        names = self._flow_names({row["flow_id"] for row in rows})
        return [_deployment(row, names.get(row["flow_id"], "")) for row in rows]

    def put_deployment(self, spec: DeploymentSpec) -> str:
        """Create the deployment or bring it to `spec`; return its id.

        Schedules are replaced. What a person paused, the deployment or a schedule by its slug,
        stays paused.
        """
        flow = self._call("POST", "/flows/", {"name": spec.flow_name})
        flow_id = str(flow.json()["id"])
        known = flow.status_code != 201  # created just now
        inactive = self._inactive_slugs(flow_id, spec.name) if known else frozenset[str]()
        body = _deployment_body(spec, flow_id, inactive)
        answer: Json = self._call("POST", "/deployments/", body).json()
        _check_timezones(spec, answer["schedules"])
        return str(answer["id"])

    def delete_deployment(self, deployment_id: str) -> None:
        """Delete it with its scheduled runs; that it is gone already is fine."""
        self._call("DELETE", f"/deployments/{deployment_id}", allow=(404,))

    def delete_flow(self, flow_id: str) -> None:
        """Delete it with all its deployments and runs; that it is gone already is fine."""
        self._call("DELETE", f"/flows/{flow_id}", allow=(404,))

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
        return not _absent(answer)

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

    def write_logs(self, lines: Sequence[LogLine]) -> None:
        """Write the lines into their runs' logs; writing them again doubles them."""
        for batch in batches(lines, LOG_BATCH):
            self._call("POST", "/logs/", [_log(line) for line in batch])

    def put_artifact(
        self,
        key: str,
        type: Literal["markdown", "table", "progress", "image"],
        data: Any,
        description: str | None = None,
        run_id: str | None = None,
    ) -> str:
        """Write a new version of the artifact `key` (a-z, 0-9 and dashes); return its id."""
        body = {"key": key, "type": type, "data": data, "description": description}
        return str(self._call("POST", "/artifacts/", {**body, "flow_run_id": run_id}).json()["id"])

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
        if _absent(answer):
            return None
        state = answer.json()["state"]
        return StateSpec(state["type"], state["name"], state["message"] or "")

    # How calls are made

    def _create_batch(self, deployment_id: str, batch: Sequence[NewRun]) -> dict[str, str]:
        path = f"/deployments/{deployment_id}/create_flow_run/bulk"
        body = [_new_run(run) for run in batch]

        def attempt() -> dict[str, str]:
            results: list[Json] = self._send("POST", path, body).json()["results"]
            # One failed item can roll back the others of its call, though they read CREATED:
            # so all are asked for again, and the keys make that harmless.
            _refuse_failures([item["error"] for item in results if item["status"] != "CREATED"])
            if len(results) != len(batch):
                raise _Busy(f"{len(results)} answers for {len(batch)} runs")
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
                raise _Busy(_reasons(item["details"] for item in refused.values()))
            return missing

        return self._patiently(attempt, f"setting {len(batch)} runs to {state.name}")

    def _inactive_slugs(self, flow_id: str, name: str) -> frozenset[str]:
        wanted = {
            "flows": {"id": {"any_": [flow_id]}},
            "deployments": {"name": {"any_": [name]}},
        }
        rows: list[Json] = self._call("POST", "/deployments/filter", wanted).json()
        schedules: list[Json] = [schedule for row in rows for schedule in row["schedules"]]
        return frozenset(str(s["slug"]) for s in schedules if not s["active"])

    def _flow_names(self, ids: set[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        for batch in batches(sorted(ids), PAGE):
            wanted = {"flows": {"id": {"any_": list(batch)}}, "limit": PAGE}
            rows: list[Json] = self._call("POST", "/flows/filter", wanted).json()
            names |= {row["id"]: row["name"] for row in rows}
        return names

    def _pages(self, path: str, wanted: Json) -> Iterator[Json]:
        offset = 0
        while True:
            body = {**wanted, "limit": PAGE, "offset": offset}
            rows: list[Json] = self._call("POST", path, body).json()
            yield from rows
            offset += PAGE
            if len(rows) < PAGE:
                return

    def _call(
        self, method: str, path: str, json: Any = None, allow: tuple[int, ...] = ()
    ) -> httpx.Response:
        doing = f"answering {method} {path}"
        return self._patiently(lambda: self._send(method, path, json, allow), doing)

    def _patiently(self, attempt: Callable[[], T], doing: str) -> T:
        reason = ""
        for pause in (*PAUSES, 0):
            try:
                return attempt()
            except _Busy as busy:
                reason = str(busy)
                self._sleep(pause)
        raise StageError(
            f"Prefect was still too busy after {len(PAUSES) + 1} tries at {doing} ({reason}): "
            "let its running flows finish, then try again; on SQLite only one program may write."
        )

    def _send(
        self, method: str, path: str, json: Any = None, allow: tuple[int, ...] = ()
    ) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=json)
        except httpx.TimeoutException as error:
            raise StageError(
                f"Prefect at {self.url} did not answer {method} {path} in time: "
                "see whether the machine is overloaded, then try again."
            ) from error
        except httpx.HTTPError as error:
            raise StageError(
                f"Prefect does not answer at {self.url} ({error}): "
                "start it with `duban up`, or correct PREFECT_API_URL."
            ) from error
        if answer.status_code == 503:
            raise _Busy("503")
        if answer.is_success or answer.status_code in allow:
            return answer
        raise StageError(_refusal(method, path, answer))


def _absent(answer: httpx.Response) -> bool:
    return answer.status_code == 404


def _queue_is(queue: Json, paused: bool) -> bool:
    return queue["is_paused"] is paused and (queue["status"] == "PAUSED") is paused


def _refusal(method: str, path: str, answer: httpx.Response) -> str:
    hint = "see the Prefect server's log."
    if _absent(answer):
        hint = "it was deleted in Prefect; run `python -m deployments` to bring it back."
    if answer.status_code == 401:
        hint = "give its user and password in PREFECT_API_AUTH_STRING."
    said = _said(answer)
    return f"Prefect refused {method} {path} with {answer.status_code} ({said}): {hint}"


def _said(answer: httpx.Response) -> str:
    # Never the whole answer: it repeats the request, and with it what people wrote.
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer.text[:200]
    body: Json = answer.json()
    faults: list[Json] = body.get("exception_detail") or []
    messages = [str(fault.get("msg")) for fault in faults]
    return str(body.get("detail") or "; ".join(messages) or body.get("exception_message"))[:200]


def _refuse_failures(errors: list[str | None]) -> None:
    for error in errors:
        # These are wrong for good; all others Prefect gives are moments of a locked database.
        if error and error.startswith(("Parameter ", "Invalid schema", "Cannot create flow run")):
            raise StageError(f"Prefect will not create a run: {error}: deploy its clause anew.")
    if errors:
        raise _Busy(_reasons(errors))


def _reasons(errors: Iterable[object]) -> str:
    return "; ".join(sorted({str(error)[:200] for error in errors}))


def _check_timezones(spec: DeploymentSpec, stored: list[Json]) -> None:
    wanted = {cron.slug: cron.timezone for cron in spec.schedules}
    found = {row["slug"]: row["schedule"]["timezone"] for row in stored}
    if wanted != found:
        raise StageError(
            f"Prefect stored the schedules of {spec.name} as {found}, not {wanted}: "
            "delete the deployment in the Prefect UI and deploy again."
        )


def _deployment_body(spec: DeploymentSpec, flow_id: str, inactive: frozenset[str]) -> Json:
    step = {"prefect.deployments.steps.set_working_directory": {"directory": spec.directory}}
    # `paused` is left out, so that Prefect keeps what a person chose.
    return {
        "flow_id": flow_id,
        "name": spec.name,
        "version": spec.version,
        "tags": list(spec.tags),
        "description": spec.description,
        "parameters": spec.parameters,
        "parameter_openapi_schema": spec.parameter_openapi_schema
        or {"type": "object", "properties": {}},
        "enforce_parameter_schema": True,
        "entrypoint": spec.entrypoint,
        "path": spec.directory,
        "pull_steps": [step],
        "work_pool_name": spec.pool,
        "work_queue_name": spec.queue,
        "concurrency_limit": spec.concurrency,
        "schedules": [_schedule(cron, cron.slug not in inactive) for cron in spec.schedules],
    }


def _schedule(cron: CronSpec, active: bool) -> Json:
    return {
        "slug": cron.slug,
        "active": active,
        "parameters": cron.parameters,
        "schedule": {"cron": cron.cron, "timezone": cron.timezone, "day_or": True},
    }


def _deployment(row: Json, flow_name: str) -> DeploymentRef:
    return DeploymentRef(
        id=row["id"],
        name=row["name"],
        flow_id=row["flow_id"],
        flow_name=flow_name,
        version=row["version"],
        tags=tuple(row["tags"]),
        paused=row["paused"],
    )


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
    return RunRef(
        id=row["id"],
        name=row["name"],
        state_type=row["state_type"],
        state_name=row["state_name"],
        tags=tuple(row["tags"]),
        deployment_id=row["deployment_id"],
        idempotency_key=row["idempotency_key"],
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


def _log(line: LogLine) -> Json:
    if line.at.tzinfo is None:
        raise ValueError(f"LogLine.at has no timezone: {line.at}")
    return {
        "name": "duban",
        "flow_run_id": line.run_id,
        "timestamp": line.at.isoformat(),
        "level": line.level,
        "message": line.message,
    }


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
