"""What is said to Prefect and heard from it, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

StateType = Literal[
    "SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING",
    "COMPLETED", "FAILED", "CANCELLED", "CRASHED",
]  # fmt: skip
Json = dict[str, Any]


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
    message: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's log; `at` must carry a timezone, `level` is that of `logging`."""

    run_id: str
    at: datetime
    level: int
    message: str


@dataclass(frozen=True, slots=True)
class EventSpec:
    """An event; `at` must carry a timezone. Labels of resources are Prefect's own."""

    id: str
    name: str
    at: datetime
    resource: dict[str, str]
    related: tuple[dict[str, str], ...] = ()
    payload: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class AutomationRef:
    """An automation as Prefect has it now; `body` is all that it says of it."""

    id: str
    name: str
    tags: tuple[str, ...]
    enabled: bool
    body: Json


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
class ScheduleRef:
    """A schedule as Prefect has it now; `timing` is its cron line, or words for another kind."""

    id: str
    slug: str | None
    timing: str
    timezone: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class DeploymentRef:
    """A deployment as Prefect has it now."""

    id: str
    name: str
    flow_id: str
    flow_name: str
    version: str | None
    tags: tuple[str, ...]
    description: str
    parameters: Json
    pool: str | None
    queue: str | None
    paused: bool
    schedules: tuple[ScheduleRef, ...] = ()

    @property
    def halted(self) -> bool:
        """A person paused it, or switched off all of its schedules."""
        off = self.schedules and not any(one.active for one in self.schedules)
        return self.paused or bool(off)
