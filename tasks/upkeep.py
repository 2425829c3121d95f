"""Keeps the stage small and honest: runs of long ago leave it, and runs of dead processes end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from duban.mirror import DUTY_TAG
from duban.words import words
from tasks.stage import Executed, Stage, StateSpec
from tasks.stage.executed import POOL, QUEUE, TAG
from tasks.work import stage as stage_here

LOOK_BACK = timedelta(days=400)  # boards are the pictures of days gone by: a year and the holidays
KEPT = timedelta(days=90)  # all other executed runs; of boards, the first of a month stays longer
LOOKED_BACK_ON = "board"  # the deployment whose runs are pictures
CARD = "duty-"  # how the keys of cards begin
SILENCE = timedelta(minutes=5)
"""A process that sent no sign of life for so long is gone; it sends one every minute."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What left the stage."""

    runs: int = 0
    cards: int = 0

    def __str__(self) -> str:
        return f"{self.runs} old runs and {self.cards} old cards removed"


def clean_up(stage: Stage, now: datetime, alone: bool, language: str = "zh") -> list[str]:
    """Has every run end as crashed whose process is gone; a duty's run is never touched.

    Args:
        alone: nothing executes runs at this moment, as before the only worker starts. Otherwise
            a run is gone when nothing was heard of it for `SILENCE`.

    Returns:
        The names of the runs.

    Raises:
        StageError: the server did not do as asked.
    """
    found = _ours(stage.unfinished(POOL, QUEUE))
    gone = found if alone else [run for run in found if _is_silent(stage, run, now)]
    crashed = StateSpec("CRASHED", "Crashed", words(language).labels["process_gone"])
    stage.set_states({run.id: crashed for run in gone})
    return [run.name for run in gone]


def trim(stage: Stage, now: datetime) -> Trimmed:
    """Removes executed runs of long ago, and what newer versions of cards have replaced.

    The runs of duties stay, and so does their newest card, however old they are.

    Raises:
        StageError: the server did not do as asked; another trim goes on.
    """
    boards = {one.id for one in stage.deployments(TAG) if one.name == LOOKED_BACK_ON}
    old = _ours(stage.ended_before(POOL, QUEUE, now - KEPT))
    kept = _looked_back_at((run for run in old if run.deployment_id in boards), now)
    runs = [run.id for run in old if run.id not in kept]
    cards = stage.superseded(CARD)
    for card in cards:
        stage.delete_artifact(card)
    return Trimmed(stage.delete_runs(runs), len(cards))


def _looked_back_at(boards: Iterable[Executed], now: datetime) -> set[str]:
    """The ids of the first of each month, as far back as one looks; months are UTC's."""
    first: dict[tuple[int, int], Executed] = {}
    for run in sorted(boards, key=lambda one: one.since):
        first.setdefault((run.since.year, run.since.month), run)
    return {run.id for run in first.values() if run.since >= now - LOOK_BACK}


def _ours(runs: Iterable[Executed]) -> list[Executed]:
    # Duties stand in a queue of their own; their tag is asked for too, as losing one is worst.
    return [run for run in runs if DUTY_TAG not in run.tags]


def _is_silent(stage: Stage, run: Executed, now: datetime) -> bool:
    since = now - SILENCE
    return run.since < since and not stage.heard_of(run.id, since, now)


@task(name="clean up", retries=2, retry_delay_seconds=30, cache_policy=NO_CACHE)
def clean_up_here(now: datetime, language: str) -> list[str]:
    """Ends the runs of dead processes, wherever they ran; their names."""
    with stage_here() as stage:
        return clean_up(stage, now, alone=False, language=language)


@task(name="trim", retries=2, retry_delay_seconds=30, cache_policy=NO_CACHE)
def trim_here(now: datetime) -> str:
    """Removes runs and cards of long ago; says how many."""
    with stage_here() as stage:
        return str(trim(stage, now))
