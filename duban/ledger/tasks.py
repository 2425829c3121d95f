"""What only a coordinator can do: one open task for each kind and subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from duban.duty import WAITING
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.change import Change, insert_or_skip
from duban.ledger.database import reading
from duban.ledger.tables import Duty, Letter, Proposal, Task
from duban.letters import TaskItem
from duban.words import period_words, words


def open_task(made: Change, kind: str, subject: str, **data: str) -> None:
    """Opens a task, or opens it again; one that is open already stays as it is.

    Args:
        kind: `no-contact`, `suspended`, `undeliverable`, `approval`, `no-chase`, `escalated` or
            `bulletin`.
        subject: an agency's id, a letter's number, or the name of a list.
    """
    fresh = {"opened_at": made.at, "told_on": None, "closed_at": None, "closed_by": None}
    statement = insert_or_skip(made.connection)(Task).values(
        kind=kind, subject=subject, data=data, **fresh
    )
    made.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={**fresh, "data": data},
            where=Task.closed_at.is_not(None),
        )
    )


def close_task(made: Change, kind: str, subject: str, by: str) -> None:
    """Closes a task; one that is not open stays as it is."""
    made.connection.execute(
        update(Task)
        .where(Task.kind == kind, Task.subject == subject, Task.closed_at.is_(None))
        .values(closed_at=made.at, closed_by=by)
    )


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open task as screens and letters speak of it."""

    id: int
    kind: str
    subject: str
    item: TaskItem


def open_tasks(ledger: Ledger) -> list[TaskItem]:
    """The open tasks, oldest first."""
    with reading(ledger.engine) as connection:
        return [one.item for one in tasks_told(connection, ledger)]


def tasks_told(connection: Connection, ledger: Ledger, since: date | None = None) -> list[OpenTask]:
    """The open tasks, oldest first, without those a letter told of before that civil day."""
    question = select(Task.id, Task.kind, Task.subject, Task.data).where(Task.closed_at.is_(None))
    if since is not None:
        question = question.where(Task.told_on.is_(None) | (Task.told_on >= since))
    rows = connection.execute(question.order_by(Task.id)).all()
    return [OpenTask(row.id, row.kind, row.subject, _item(connection, ledger, row)) for row in rows]


def untell(connection: Connection, tasks: Sequence[int]) -> None:
    """Has tasks that found no room in a letter told of by the next one."""
    if tasks:
        connection.execute(update(Task).where(Task.id.in_(tasks)).values(told_on=None))


def _item(connection: Connection, ledger: Ledger, row: Row[Any]) -> TaskItem:
    w = words(ledger.registry.language)
    what, command = w.tasks[row.kind]
    return TaskItem(what, _about(connection, ledger, row), command.format(subject=row.subject))


def _about(connection: Connection, ledger: Ledger, row: Row[Any]) -> str:
    w = words(ledger.registry.language)
    if row.kind == "approval":
        waiting = select(func.count(Proposal.duty_id.distinct())).where(
            Proposal.state == "proposed"
        )
        return w.labels["plan_proposed"].format(n=connection.scalar(waiting))
    if row.kind == "escalated":
        waiting = select(func.count()).where(
            Duty.id.in_(row.data["duties"]), Duty.status.in_(WAITING)
        )
        return w.labels["escalated_n"].format(n=connection.scalar(waiting))
    if row.kind == "no-chase":
        return w.labels["last_chase"].format(day=row.data["last"])
    if row.kind == "bulletin":
        period = period_words(w, row.data["period"])
        return w.labels["objections"].format(period=period, day=row.data["until"])
    if row.kind != "undeliverable":
        return ledger.registry.name_of(row.subject)
    question = select(Letter.recipient, Letter.kind, Letter.day).where(
        Letter.id == int(row.subject)
    )
    recipient, kind, day = connection.execute(question).one()
    return w.join.join((ledger.registry.name_of(recipient), w.kinds[Kind(kind)], f"{day}"))
