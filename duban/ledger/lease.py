"""Whose turn it is at a work that only one may do at a time, wherever the others run."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from duban.ledger import Ledger
from duban.ledger.change import insert_or_skip
from duban.ledger.database import reading
from duban.ledger.tables import Setting

LEASE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is at work until when, and whether it was begun and not ended since.

    `until` is an instant in ISO form; nobody is at work when `holder` is empty.
    """

    holder: str = ""
    until: str = ""
    begun: bool = False

    def over(self, now: datetime) -> bool:
        """Whether another may take it, unless its holder died before."""
        return not self.holder or datetime.fromisoformat(self.until) <= now


def turn_of(ledger: Ledger, work: str) -> Turn:
    """Whose turn it is at a work."""
    with reading(ledger.engine) as connection:
        kept = connection.scalar(select(Setting.value).where(Setting.name == work))
    return Turn(**json.loads(kept)) if kept else Turn()


def take(ledger: Ledger, work: str, was: Turn, holder: str, now: datetime) -> Turn | None:
    """Takes the turn from what it was; None when another was quicker."""
    return _exchange(ledger, work, was, Turn(holder, (now + LEASE).isoformat(), was.begun))


def renew(ledger: Ledger, work: str, held: Turn, now: datetime, *, begun: bool) -> Turn | None:
    """Goes on for as long again; None when another has taken over, and the work must stop."""
    return _exchange(ledger, work, held, Turn(held.holder, (now + LEASE).isoformat(), begun))


def give_back(ledger: Ledger, work: str, held: Turn, *, begun: bool) -> None:
    """Ends the turn; `begun` tells the next one that something was left in the middle."""
    _exchange(ledger, work, held, Turn(begun=begun))


def _exchange(ledger: Ledger, work: str, was: Turn, new: Turn) -> Turn | None:
    with ledger.engine.begin() as connection:
        insert = insert_or_skip(connection)
        blank = {"name": work, "value": _text(Turn())}
        connection.execute(insert(Setting).on_conflict_do_nothing(), [blank])
        done = connection.execute(
            update(Setting)
            .where(Setting.name == work, Setting.value == _text(was))
            .values(value=_text(new))
        )
    return new if done.rowcount == 1 else None


def _text(turn: Turn) -> str:
    return json.dumps(asdict(turn), sort_keys=True)
