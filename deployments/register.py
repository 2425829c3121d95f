"""Registers each clause as its own flow and deployment, and the standing flows; only differences.

What left the files is retired. Running it again changes nothing.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from prefect import Flow

from deployments.embedded import POOL, QUEUE
from deployments.forms import acts_offered, form_name, form_schema, form_text, schema_of
from deployments.schedule import cron_of
from duban.forms import form_words
from duban.mirror import clause_tag, form_tag
from duban.registry import PlacedClause, Registry
from duban.registry.policy import CHASE_AT
from duban.settings import Decisions
from duban.words import words
from flows.board import board
from flows.chase import chase
from flows.cycle import cycle
from flows.deliver import deliver
from flows.report import report
from flows.tell import tell
from flows.upkeep import upkeep
from tasks.mirror import DUTY_QUEUE
from tasks.stage import CronSpec, DeploymentRef, DeploymentSpec, Stage
from tasks.stage.executed import TAG

CHASE_CRON = f"{CHASE_AT.minute} {CHASE_AT.hour} * * *"
BOARD_CRON = "0 9 * * *"
UPKEEP_CRON = "0 3 * * *"
REPORT_CRON = "30 9 5 * *"
"""On the fifth, when most of what was handed in on the last day has been looked at."""

_FOR_FLOW_NAMES = {ord(sign): ord(sign) + 0xFEE0 for sign in "/%&<>"}
"""Prefect refuses these signs in a flow's name; their full-width twins read the same."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What registering did; `clauses` maps clause keys to deployment ids, `forms` those of acts."""

    clauses: dict[str, str]
    forms: dict[str, str]
    board: str
    changed: int
    retired: int


def register(
    registry: Registry,
    stage: Stage,
    project: Path,
    today: date,
    label: str = "",
    decisions: Decisions = "anywhere",
) -> Registered:
    """Brings the stage's pool, queues, flows and deployments to what the files say.

    Args:
        project: the folder in which workers find `flows`.
        today: the civil day on which ended cycles are told from running ones.
        label: marks what is not meant in earnest.
        decisions: where coordinators decide; in the portal alone, some forms are not offered.

    Raises:
        StageError: the server did not do as asked.
    """
    prepare(stage)
    present = {one.name: one for one in stage.deployments(TAG)}
    wanted = wanted_specs(registry, project, today, label, decisions)
    changed = 0
    ids: dict[str, str] = {}
    for spec in wanted:
        known = present.get(spec.name)
        if known and stands(spec, known):
            ids[spec.name] = known.id
            continue
        if known and known.flow_name != spec.flow_name:
            _retire(stage, known)
        ids[spec.name] = stage.put_deployment(spec)
        changed += 1
    left = [one for name, one in present.items() if name not in ids]
    for one in left:
        stage.delete_deployment(one.id)
    clauses = {placed.key: ids[deployment_name(placed)] for placed in registry.tracked}
    forms = {act.name: ids[form_name(act, registry)] for act in acts_offered(decisions)}
    return Registered(clauses, forms, ids["board"], changed, len(left))


def wanted_specs(
    registry: Registry,
    project: Path,
    today: date,
    label: str = "",
    decisions: Decisions = "anywhere",
) -> list[DeploymentSpec]:
    """Every deployment that should stand on the stage, with the digest that is its version."""
    asked = specs(registry, project, today, decisions)
    return [_versioned(_marked(spec, label)) for spec in asked]


def stands(spec: DeploymentSpec, known: DeploymentRef) -> bool:
    """Whether the deployment is what the files ask for; what a person switched off counts not."""
    if known.version != spec.version or moved_schedules(spec, known):
        return False
    return _editable(spec) == _editable(known) and set(spec.tags) == set(known.tags)


def _editable(one: DeploymentSpec | DeploymentRef) -> tuple[object, ...]:
    """What the pages of Prefect let a person change, beside schedules and tags."""
    return one.flow_name, one.description, one.parameters, one.pool, one.queue


def moved_schedules(spec: DeploymentSpec, known: DeploymentRef) -> list[str]:
    """The schedules that a person changed, added or took away, by slug."""
    wanted = {one.slug: (one.cron, one.timezone) for one in spec.schedules}
    found = {one.slug or one.id: (one.timing, one.timezone) for one in known.schedules}
    return sorted(
        slug for slug in wanted.keys() | found.keys() if wanted.get(slug) != found.get(slug)
    )


def prepare(stage: Stage) -> None:
    """Has the work pool, and the paused queue in which duties stand."""
    stage.ensure_pool(POOL)
    stage.ensure_queue(POOL, DUTY_QUEUE, paused=True)


def _retire(stage: Stage, known: DeploymentRef) -> None:
    """A clause with a new title gets a new flow; its duties' runs are made anew under that."""
    stage.delete_deployment(known.id)
    stage.delete_flow(known.flow_id)


def specs(
    registry: Registry, project: Path, today: date, decisions: Decisions = "anywhere"
) -> Iterable[DeploymentSpec]:
    """Every deployment that the files ask for."""
    for placed in registry.tracked:
        yield clause_spec(placed, project, today)
    zone, language = registry.first_notice.timezone, registry.language
    for flow, cron in ((chase, CHASE_CRON), (board, BOARD_CRON), (upkeep, UPKEEP_CRON)):
        schedule = CronSpec("daily", cron, zone)
        yield _spec(flow, flow.name, flow.name, project, language, schedules=(schedule,))
    for flow in (deliver, tell):
        yield _spec(flow, flow.name, flow.name, project, language, schedules=())
    for act in acts_offered(decisions):
        yield act_spec(act, registry, project)


def act_spec(act: Flow[..., Any], registry: Registry, project: Path) -> DeploymentSpec:
    """What a coordinator can do, with its form; named in the first notice's language."""
    name = form_name(act, registry)
    monthly = CronSpec("monthly", REPORT_CRON, registry.first_notice.timezone)
    schedules = (monthly,) if act is report else ()
    spec = _spec(act, name, name, project, registry.language, schedules=schedules)
    schema = form_schema(act, registry)
    return replace(
        spec,
        tags=(TAG, form_tag(act.name)),
        description=form_text(act, registry),
        parameter_openapi_schema=schema,
    )


def deployment_name(placed: PlacedClause) -> str:
    """The deployment's name: the clause's number first, so that lists sort by it."""
    return f"{placed.number} {placed.notice_id}"


def clause_spec(placed: PlacedClause, project: Path, today: date) -> DeploymentSpec:
    """A clause's flow, deployment and schedules, one for each cycle that still opens."""
    schedules = tuple(
        CronSpec(one.name, cron, placed.notice.timezone)
        for one in placed.clause.cycles
        if (cron := cron_of(one, today))
    )
    spec = _spec(
        cycle,
        f"{placed.number} {placed.clause.title}".translate(_FOR_FLOW_NAMES),
        deployment_name(placed),
        project,
        placed.notice.language,
        schedules=schedules,
        parameters={"clause": placed.key},
    )
    return replace(spec, description=_description(placed), tags=(TAG, clause_tag(placed.key)))


def _spec(
    flow: Flow[..., Any],
    flow_name: str,
    name: str,
    project: Path,
    language: str,
    *,
    schedules: tuple[CronSpec, ...],
    parameters: dict[str, Any] | None = None,
) -> DeploymentSpec:
    f = form_words(language)
    return DeploymentSpec(
        flow_name=flow_name,
        name=name,
        version="",
        entrypoint=f"{flow.fn.__module__}.{flow.fn.__name__}",
        directory=str(project),
        pool=POOL,
        queue=QUEUE,
        tags=(TAG,),
        description=f.standing.get(flow.name, ""),
        parameters=parameters or {},
        parameter_openapi_schema=schema_of(flow, f),
        schedules=schedules,
    )


def _marked(spec: DeploymentSpec, label: str) -> DeploymentSpec:
    if not label:
        return spec
    said = f"**{label}**\n\n{spec.description}"
    return replace(spec, tags=(label, *spec.tags), description=said)


def _versioned(spec: DeploymentSpec) -> DeploymentSpec:
    """Its version is its content's digest: a deployment with the same one is left alone."""
    content = json.dumps(asdict(spec), sort_keys=True, ensure_ascii=False)
    return replace(spec, version=hashlib.sha256(content.encode()).hexdigest()[:12])


def _description(placed: PlacedClause) -> str:
    w = words(placed.notice.language)
    cycles = [
        f"- {one.name}: {one.every}, {one.opens} → {one.due} ({w.basis[one.basis]}) {one.note}"
        for one in placed.clause.cycles
    ]
    return "\n".join(
        [
            f"> {placed.clause.quote}",
            "",
            f"{placed.notice.number} {placed.clause.section}",
            "",
            *cycles,
        ]
    )
