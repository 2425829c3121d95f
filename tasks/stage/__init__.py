"""All HTTP that the product speaks to Prefect: pools, deployments, runs, logs and artifacts."""

from tasks.stage.automations import Automations
from tasks.stage.calls import PAGE, PAUSES, StageError
from tasks.stage.deployments import Deployments
from tasks.stage.events import Events
from tasks.stage.executed import Executed, Executions
from tasks.stage.model import (
    AutomationRef,
    CronSpec,
    DeploymentRef,
    DeploymentSpec,
    EventSpec,
    Json,
    LogLine,
    NewRun,
    RunRef,
    ScheduleRef,
    StateSpec,
    StateType,
)
from tasks.stage.pools import Pools
from tasks.stage.runs import CREATE_LIMIT, SET_STATE_LIMIT, Runs
from tasks.stage.shown import Shown

__all__ = [
    "CREATE_LIMIT",
    "PAGE",
    "PAUSES",
    "SET_STATE_LIMIT",
    "AutomationRef",
    "CronSpec",
    "DeploymentRef",
    "DeploymentSpec",
    "EventSpec",
    "Executed",
    "Json",
    "LogLine",
    "NewRun",
    "RunRef",
    "ScheduleRef",
    "Stage",
    "StageError",
    "StateSpec",
    "StateType",
]


class Stage(Pools, Deployments, Runs, Executions, Shown, Events, Automations):
    """A Prefect server. Every method raises `StageError` when it does not do as asked."""
