"""Whether the day's chase still happens: silence in the ledger looks like a quiet week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.tables import ChainHead, Task, Tick
from duban.ledger.tasks import close_task, open_task
from duban.registry import Registry
from duban.registry.policy import CHASE_AT

KIND, SUBJECT = "no-chase", "chase"
ENOUGH = 2  # daily chases in a row that did not happen
GRACE = timedelta(hours=1)  # a chase may wait for its worker
_ALL = "all"  # what a tick that looks at every clause is recorded under


@dataclass(frozen=True, slots=True)
class Missed:
    """An outage: no chase since then (UTC), though so many were due."""

    since: datetime
    chases: int


def missed(ledger: Ledger, now: datetime) -> Missed | None:
    """The outage that lasts now, if there is one; a ledger never chased has none."""
    with reading(ledger.engine) as connection:
        return _missed(connection, ledger, now)


def report(ledger: Ledger, now: datetime) -> Missed | None:
    """Opens a coordinator's task once an outage lasts, and closes it at the next chase.

    Each writes history once per outage; at any other time nothing is written.

    Returns:
        The outage that has just been reported, if one has.
    """
    with reading(ledger.engine) as connection:
        found = _missed(connection, ledger, now)
        if _is_open(connection) is (found is not None):
            return None
    with change(ledger.engine, now, "duban") as made:
        # Two may look at once, on two machines: the second waits here and sees the first's task.
        made.connection.execute(select(ChainHead.seq).with_for_update())
        if _is_open(made.connection) is (found is not None):
            return None
        _tell(made, found, ledger.registry)
    return found


def _tell(made: Change, found: Missed | None, registry: Registry) -> None:
    if found is None:
        close_task(made, KIND, SUBJECT, "duban")
        made.record("tick-again")
        return
    last = registry.today(found.since).isoformat()
    open_task(made, KIND, SUBJECT, last=last)
    made.record("tick-missed", last=last, chases=found.chases)


def _missed(connection: Connection, ledger: Ledger, now: datetime) -> Missed | None:
    # A tick of a day to come is somebody's trial.
    question = select(func.max(Tick.at)).where(Tick.scope == _ALL, Tick.at <= now)
    last = connection.scalar(question)
    if last is None:
        return None
    due = sum(1 for _ in _chases(last, now - GRACE, ledger.registry.first_notice.zone))
    return Missed(last, due) if due >= ENOUGH else None


def _chases(after: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments between at which the day's chase was due."""
    day = after.astimezone(zone).date()
    while (at := datetime.combine(day, CHASE_AT, zone)) <= until:
        if at > after:
            yield at
        day += timedelta(days=1)


def _is_open(connection: Connection) -> bool:
    question = select(Task.id).where(
        Task.kind == KIND, Task.subject == SUBJECT, Task.closed_at.is_(None)
    )
    return connection.scalar(question) is not None
