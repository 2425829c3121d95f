"""Tells the coordinator that duties were escalated: one task, told again when more join it.

A formal letter, a notice of default, or a request to a superior went out about each of them.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from duban.duty import WAITING
from duban.ladder import SOLEMN, Kind
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.tables import ChainHead, Duty, History, Task
from duban.ledger.tasks import close_task, open_task

KIND, SUBJECT = "escalated", "duties"
GRAVE = frozenset({*SOLEMN, Kind.ESCALATE})
LOOK_BACK = timedelta(days=2)
"""How far back the first look goes."""


def escalated(ledger: Ledger, now: datetime) -> int:
    """Opens the coordinator's task about duties escalated since the last look; how many.

    Looking again finds nothing new. Duties that were answered since leave the task; without any it
    is closed.
    """
    with change(ledger.engine, now, "duban") as made:
        # Two may look at once: the second waits here and finds nothing new.
        head = made.connection.execute(select(ChainHead.seq).with_for_update()).scalar_one()
        after, before = _known(made, now)
        fresh = _since(made.connection, after)
        waiting = _waiting(made.connection, before | fresh)
        new = waiting & fresh
        if not waiting:
            close_task(made, KIND, SUBJECT, "duban")
            return 0
        open_task(made, KIND, SUBJECT)
        told = {"told_on": None} if new else {}
        made.connection.execute(
            update(Task)
            .where(Task.kind == KIND, Task.subject == SUBJECT)
            .values(data={"seq": head, "duties": sorted(waiting)}, **told)
        )
        return len(new)


def settle(ledger: Ledger, now: datetime) -> None:
    """Closes the task when all it lists was answered."""
    with reading(ledger.engine) as connection:
        question = select(Task.data).where(
            Task.kind == KIND, Task.subject == SUBJECT, Task.closed_at.is_(None)
        )
        data = connection.scalar(question)
        if data is None or _waiting(connection, data["duties"]):
            return
    with change(ledger.engine, now, "duban") as made:
        close_task(made, KIND, SUBJECT, "duban")


def _known(made: Change, now: datetime) -> tuple[int, set[int]]:
    """The seq up to which was looked, and the duties that the open task lists."""
    question = select(Task.data, Task.closed_at).where(Task.kind == KIND, Task.subject == SUBJECT)
    row = made.connection.execute(question).one_or_none()
    if row is not None:
        return row.data["seq"], set() if row.closed_at else set(row.data["duties"])
    before = select(func.max(History.seq)).where(History.at < now - LOOK_BACK)
    return made.connection.scalar(before) or 0, set()


def _since(connection: Connection, seq: int) -> set[int]:
    question = select(History.duty_id, History.data).where(
        History.seq > seq, History.action.in_(("spoke", "approved"))
    )
    return {
        duty_id
        for duty_id, data in connection.execute(question)
        if duty_id is not None and data.get("kind") in GRAVE
    }


def _waiting(connection: Connection, duties: Collection[int]) -> set[int]:
    question = select(Duty.id).where(Duty.id.in_(duties), Duty.status.in_(WAITING))
    return set(connection.scalars(question))
