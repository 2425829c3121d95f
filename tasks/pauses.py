"""A clause that a person pauses in the Prefect UI is held, until it is resumed: there, or here.

A pause or a resumption in the UI is a person's act, which the ledger records as a hold. Releasing
that hold elsewhere resumes the clause on the stage; a deployment that was made anew under a hold
in force is paused again.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from duban.ledger import Ledger
from duban.ledger.holds import NoSuchHold
from duban.ledger.pausing import Pauses, pause, pauses, resume, see
from duban.words import words
from tasks.stage import DeploymentRef, Stage
from tasks.stage.executed import TAG

EVERY = 10  # seconds from one look at the stage to the next, for whoever looks again and again


def heed(ledger: Ledger, stage: Stage, deployments: Mapping[str, str], now: datetime) -> list[str]:
    """Brings holds and pauses together; a sentence for each that changed, in the notice's language.

    Args:
        deployments: clause key → deployment id on the stage.

    Raises:
        StageError: the stage did not do as asked; the rest comes next time.
    """
    shown = {one.id: one for one in stage.deployments(TAG)}
    known = pauses(ledger)
    done: list[str] = []
    for clause, deployment in deployments.items():
        if found := shown.get(deployment):  # else it was deleted; registering brings it back
            done += _heed(ledger, stage, clause, found, known, now)
    return done


def _heed(
    ledger: Ledger, stage: Stage, clause: str, shown: DeploymentRef, known: Pauses, now: datetime
) -> Iterator[str]:
    hold, seen = known.held.get(clause), known.seen.get(clause) == shown.id
    match shown.halted, hold, seen:
        case True, None, False:
            pause(ledger, clause, shown.id, now)
            yield _said(ledger, "paused_now", clause)
        case True, None, True:
            stage.resume_deployment(shown)
            see(ledger, clause, None, now)
            yield _said(ledger, "resumed_there", clause)
        case False, int(), True:
            yield from _resume(ledger, clause, hold, now)
        case False, int(), False:
            stage.pause_deployment(shown.id)
            see(ledger, clause, shown.id, now)
            yield _said(ledger, "paused_again", clause)
        case True, int(), False:
            see(ledger, clause, shown.id, now)
        case False, None, _ if clause in known.seen:
            see(ledger, clause, None, now)
        case _:
            pass


def _resume(ledger: Ledger, clause: str, hold: int, now: datetime) -> Iterator[str]:
    try:
        resume(ledger, clause, hold, now)
    except NoSuchHold:  # somebody was quicker
        return
    yield _said(ledger, "resumed_now", clause)


def _said(ledger: Ledger, label: str, clause: str) -> str:
    registry = ledger.registry
    placed = registry.clauses.get(clause)
    name = f"{placed.number} {placed.clause.title}" if placed else clause
    return words(registry.language).labels[label].format(clause=name)
