"""The two automations that come with Duban, as code: made, mended and never doubled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from duban.errors import DubanError
from duban.events import ESCALATED, TICK_MISSED
from duban.words import words
from tasks.stage import AutomationRef, Stage
from tasks.stage.automations import holds
from tasks.stage.executed import TAG

TELL, CHASE = "tell", "chase"  # deployments
SILENCE = timedelta(days=2)
"""Two daily chases."""
GATHER = timedelta(minutes=1)
"""A chase that escalates much is told of by one run, a little later."""
QUIET = timedelta(minutes=10)
"""Of what escalates after that, one run is told anew."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An automation: its key, which is a tag that stays, and all that we want of it."""

    key: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return str(self.body["name"])


def automations(
    ids: Mapping[str, str],
    language: str,
    label: str = "",
    *,
    silence: timedelta = SILENCE,
    gather: timedelta = GATHER,
) -> list[Kept]:
    """What should stand on the stage.

    Args:
        ids: deployment ids by name; `tell` and `chase` are needed.
        language: of names and descriptions.
        label: marks what is not meant in earnest.
        silence: how long no chase may complete.
        gather: how long an escalation waits for others to join it.

    Raises:
        DubanError: a deployment is missing.
    """
    if missing := [name for name in (TELL, CHASE) if name not in ids]:
        raise DubanError(
            f"The deployment {missing[0]} is missing in Prefect: run `duban mirror` first."
        )
    return [
        _kept("escalated", language, label, _escalated(), _tell(ids, "escalated", gather)),
        _kept("no-chase", language, label, _no_chase(ids, silence), _tell(ids, "no-chase")),
    ]


def ensure(
    stage: Stage,
    language: str,
    label: str = "",
    *,
    silence: timedelta = SILENCE,
    gather: timedelta = GATHER,
) -> int:
    """Brings the stage's automations to these two, and leaves those of others alone; how many
    were made, mended or taken away. One that a person switched off stays off.

    Raises:
        StageError: the stage did not do as asked.
    """
    ids = {one.name: one.id for one in stage.deployments(TAG)}
    wanted = automations(ids, language, label, silence=silence, gather=gather)
    present = stage.automations(TAG)
    return sum(_ensure(stage, one, list(_of(one, present))) for one in wanted)


def _ensure(stage: Stage, wanted: Kept, found: list[AutomationRef]) -> int:
    if not found:
        stage.create_automation({**wanted.body, "enabled": True})
        return 1
    first, *others = found
    for one in others:  # two programs may have made it at once
        stage.delete_automation(one.id)
    if holds(wanted.body, first.body):
        return len(others)
    stage.update_automation(first.id, {**wanted.body, "enabled": first.enabled})
    return len(others) + 1


def _of(wanted: Kept, present: list[AutomationRef]) -> Iterator[AutomationRef]:
    return (one for one in present if wanted.key in one.tags)


def _kept(
    what: str, language: str, label: str, trigger: Mapping[str, Any], action: Mapping[str, Any]
) -> Kept:
    labels = words(language).labels
    name = f"auto_{what.replace('-', '_')}"
    key = f"automation:{what}"
    return Kept(
        key,
        {
            "name": " · ".join(filter(None, (label, labels[name]))),
            "description": f"{labels[f'{name}_about']}\n\n{labels['auto_kept']}",
            "tags": [TAG, key],
            "trigger": trigger,
            "actions": [action],
        },
    )


def _tell(ids: Mapping[str, str], what: str, after: timedelta = timedelta(0)) -> Mapping[str, Any]:
    return {
        "type": "run-deployment",
        "source": "selected",
        "deployment_id": ids[TELL],
        "parameters": {"what": what},
        "schedule_after": after.total_seconds(),
    }


def _escalated() -> Mapping[str, Any]:
    return _event("Reactive", ESCALATED, {"prefect.resource.id": "duban.duty.*"}, QUIET)


def _no_chase(ids: Mapping[str, str], silence: timedelta) -> Mapping[str, Any]:
    """Either of two: Prefect misses the run, or the ledger the chase, whoever runs it."""
    deployment = {
        "prefect.resource.role": "deployment",
        "prefect.resource.id": f"prefect.deployment.{ids[CHASE]}",
    }
    run = {"prefect.resource.id": "prefect.flow-run.*"}
    silent = _event("Proactive", "prefect.flow-run.Completed", run, silence, deployment)
    reported = _event("Reactive", TICK_MISSED, {"prefect.resource.id": "duban.tick"}, timedelta(0))
    return {
        "type": "compound",
        "require": "any",
        "within": None,
        "triggers": [silent, reported],
    }


def _event(
    posture: str,
    expect: str,
    match: Mapping[str, str],
    within: timedelta,
    related: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    return {
        "type": "event",
        "posture": posture,
        "expect": [expect],
        "match": match,
        "match_related": related or {},
        "threshold": 1,
        "within": within.total_seconds(),
    }
