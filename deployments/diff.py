"""Where the Prefect UI and the files, or the ledger, say different things; and what mends it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import typer

from deployments.automations import automations
from deployments.embedded import POOL
from deployments.register import deployment_name, moved_schedules, stands, wanted_specs
from duban.cli.common import console, table
from duban.ledger.pausing import pauses
from duban.ledger.questions import duties
from duban.ledger.staging import mirrored, seen, staged
from duban.mirror import DUTY_TAG, STATES, Face, face, kept_since
from duban.office import Office, pending
from duban.words import words
from tasks.mirror import DUTY_QUEUE
from tasks.stage import AutomationRef, DeploymentRef, DeploymentSpec, RunRef, Stage
from tasks.stage.automations import holds
from tasks.stage.executed import TAG


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that differs: what it is, how, and what puts it right, in words."""

    kind: str
    name: str
    told: str
    mend: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A difference before it is put into words."""

    kind: str
    name: str
    values: Mapping[str, object]


def differences(
    office: Office, stage: Stage, project: Path, now: datetime, *, full: bool = False
) -> list[Difference]:
    """All differences, the files' first, then what stands on the stage from large to small.

    Args:
        project: the folder in which workers find `flows`.
        full: compares each duty's run, not only how many are in which state.

    Raises:
        StageError: the server did not answer.
    """
    labels = words(office.ledger.registry.language).labels
    return [
        Difference(
            one.kind,
            one.name,
            labels[f"diff_{one.kind}"].format(**one.values),
            labels[f"mend_{one.kind}"].format(**one.values),
        )
        for one in _all(office, stage, project, now, full)
    ]


def print_differences(found: Sequence[Difference], language: str, *, as_json: bool = False) -> None:
    """Prints a table and one line that counts; or JSON for programs."""
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    w = words(language)
    if not found:
        typer.echo(w.labels["diff_none"])
        return
    shown = table(w, "diff_name", "diff_told", "diff_mend")
    for one in found:
        shown.add_row(one.name, one.told, one.mend)
    console().print(shown)
    typer.echo(w.labels["diff_n"].format(n=len(found)))


def _all(
    office: Office, stage: Stage, project: Path, now: datetime, full: bool
) -> Iterator[_Found]:
    registry, label = office.ledger.registry, office.label
    if line := pending(office):
        yield _Found("files", office.settings.agencies.name, {"line": line})
    yield from _places(stage)
    present = {one.name: one for one in stage.deployments(TAG)}
    wanted = wanted_specs(registry, project, registry.today(now), label, office.settings.decisions)
    yield from _deployments(wanted, present)
    yield from _pauses(office, wanted, present)
    ids = {name: one.id for name, one in present.items()}
    yield from _automations(stage.automations(TAG), ids, registry.language, label)
    here = {one.key: ids.get(deployment_name(one), "") for one in registry.tracked}
    faces = _faces(office, now, {key for key, found in here.items() if found})
    yield from _each_run(office, stage, faces) if full else _counts(stage, faces)


def _places(stage: Stage) -> Iterator[_Found]:
    if not stage.has_pool(POOL):
        yield _Found("pool_missing", POOL, {})
        return
    paused = stage.queue_paused(POOL, DUTY_QUEUE)
    if paused is not True:
        kind = "queue_missing" if paused is None else "queue_open"
        yield _Found(kind, DUTY_QUEUE, {})


def _deployments(
    wanted: Iterable[DeploymentSpec], present: Mapping[str, DeploymentRef]
) -> Iterator[_Found]:
    names: set[str] = set()
    for spec in wanted:
        names.add(spec.name)
        known = present.get(spec.name)
        if known is None:
            yield _Found("deployment_missing", spec.name, {})
        elif (moved := moved_schedules(spec, known)) and known.version == spec.version:
            yield _Found("schedule_changed", spec.name, {"slugs": ", ".join(moved)})
        elif not stands(spec, known):
            yield _Found("deployment_changed", spec.name, {})
    for name in sorted(present.keys() - names):
        yield _Found("deployment_extra", name, {})


def _pauses(
    office: Office, wanted: Iterable[DeploymentSpec], present: Mapping[str, DeploymentRef]
) -> Iterator[_Found]:
    held = pauses(office.ledger).held
    for spec in wanted:
        known = present.get(spec.name)
        if known is None:
            continue
        hold = held.get(str(spec.parameters.get("clause")))
        if known.halted and hold is not None:
            yield _Found("paused_held", spec.name, {"hold": hold})
        elif known.halted:
            yield _Found("paused", spec.name, {})
        elif off := [one.slug or one.id for one in known.schedules if not one.active]:
            yield _Found("schedule_off", spec.name, {"slugs": ", ".join(sorted(off))})


def _automations(
    present: list[AutomationRef], ids: Mapping[str, str], language: str, label: str
) -> Iterator[_Found]:
    # Without their deployments, which are told of already, there is nothing to compare.
    for wanted in automations(ids, language, label) if {"tell", "chase"} <= ids.keys() else ():
        found = [one for one in present if wanted.key in one.tags]
        if not found:
            yield _Found("automation_missing", wanted.name, {})
        elif len(found) > 1 or not holds(wanted.body, found[0].body):
            yield _Found("automation_changed", wanted.name, {})
        elif not found[0].enabled:
            yield _Found("automation_off", wanted.name, {})


# Runs of duties


def _faces(office: Office, now: datetime, clauses: set[str]) -> dict[int, Face]:
    """What the runs of duties should show, by duty."""
    ledger = office.ledger
    crowded = seen(ledger).crowded
    since = kept_since(now, ledger.registry.first_notice.zone, crowded=crowded)
    shown = staged(ledger, now, since, crowded=crowded, ids=None)
    return {
        one.id: face(one, now, office.label)
        for one in duties(ledger)
        if one.id in shown and one.clause_key in clauses
    }


def _counts(stage: Stage, faces: Mapping[int, Face]) -> Iterator[_Found]:
    wanted = Counter(one.state for one in faces.values())
    found = {state: stage.count_runs([DUTY_TAG], state) for state in STATES}
    other = stage.count_runs([DUTY_TAG]) - sum(found.values())
    for state in STATES:
        if found[state] != wanted[state]:
            yield _Found("runs", state, {"found": found[state], "wanted": wanted[state]})
    if other:
        yield _Found("runs_other", DUTY_TAG, {"found": other})


def _each_run(office: Office, stage: Stage, faces: Mapping[int, Face]) -> Iterator[_Found]:
    found = {run.id: run for run in stage.read_runs([DUTY_TAG])}
    told: dict[int, str] = {row["duty_id"]: row["run_id"] for row in mirrored(office.ledger, None)}
    for duty_id, wanted in sorted(faces.items()):
        run = found.pop(told.get(duty_id, ""), None)
        if run is None:
            yield _Found("run_missing", f"{duty_id} {wanted.name}", {})
        elif what := ", ".join(_unlike(run, wanted)):
            yield _Found("run_changed", f"{duty_id} {wanted.name}", {"what": what})
    for run in sorted(found.values(), key=lambda one: one.name):
        yield _Found("run_extra", run.name, {"id": run.id})


def _unlike(run: RunRef, wanted: Face) -> Iterator[str]:
    if (run.state_type, run.state_name) != (STATES[wanted.state], wanted.state):
        yield f"{run.state_name} ≠ {wanted.state}"
    if run.name != wanted.name:
        yield run.name
    if changed := sorted(set(run.tags) ^ set(wanted.tags)):
        yield " ".join(changed)
