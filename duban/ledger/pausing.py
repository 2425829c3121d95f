"""A clause that somebody pauses on the stage is held without end; what was seen there is kept.

The holds are those of `duban.ledger.holds`, made by `ACTOR`; such a clause is not opened either.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from duban.ladder import ENDLESS
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.holds import begin, end
from duban.ledger.tables import Hold, Setting
from duban.words import words

ACTOR = "Prefect"
_SEEN = "paused-seen"


@dataclass(frozen=True, slots=True)
class Pauses:
    """What the ledger knows.

    Attributes:
        held: the number of the hold by clause, where a pause made one that is in force.
        seen: the deployment that was last seen paused, by clause.
    """

    held: Mapping[str, int]
    seen: Mapping[str, str]


def pauses(ledger: Ledger) -> Pauses:
    """What the ledger knows of clauses paused on the stage."""
    question = select(Hold.clause, Hold.id).where(
        Hold.made_by == ACTOR,
        Hold.until == ENDLESS,
        Hold.agency.is_(None),
        Hold.released_at.is_(None),
    )
    with reading(ledger.engine) as connection:
        held = {clause: number for clause, number in connection.execute(question) if clause}
        kept = connection.scalar(select(Setting.value).where(Setting.name == _SEEN))
    return Pauses(held, json.loads(kept) if kept else {})


def pause(ledger: Ledger, clause: str, deployment: str, now: datetime) -> None:
    """Holds a clause because its deployment is paused."""
    today, w = ledger.registry.today(now), words(ledger.registry.language)
    with change(ledger.engine, now, ACTOR) as made:
        reason = w.labels["paused_there"]
        begin(made, today, agency=None, clause=clause, until=ENDLESS, reason=reason)
        _see(made, clause, deployment)


def resume(ledger: Ledger, clause: str, hold_id: int, now: datetime) -> None:
    """Ends the hold because somebody resumed the deployment.

    Raises:
        NoSuchHold: somebody else ended it at this moment; nothing was recorded.
    """
    with change(ledger.engine, now, ACTOR) as made:
        end(made, ledger.registry.today(now), hold_id)
        _see(made, clause, None)


def see(ledger: Ledger, clause: str, deployment: str | None, now: datetime) -> None:
    """Keeps which deployment of a clause is paused on the stage; None when none is."""
    with change(ledger.engine, now, ACTOR) as made:
        _see(made, clause, deployment)


def _see(made: Change, clause: str, deployment: str | None) -> None:
    row = made.session.get(Setting, _SEEN, with_for_update=True)
    seen: dict[str, str] = json.loads(row.value) if row else {}
    seen.pop(clause, None)
    if deployment is not None:
        seen[clause] = deployment
    made.session.merge(Setting(name=_SEEN, value=json.dumps(seen, sort_keys=True)))
