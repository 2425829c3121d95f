"""What the stage has not been told as events yet: how far it was told, and what came since."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from duban.duty import WAITING
from duban.ledger import Ledger
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.questions import Event
from duban.ledger.tables import Duty, History, Letter, MirrorRun, Setting

LOOK_BACK = timedelta(days=1)
"""What happened before that is no news to a stage that was never told of anything."""

_SEQ, _AT = "events-seq", "events-at"


@dataclass(frozen=True, slots=True)
class Told:
    """How far the stage was told: through a seq of the history, and of due instants up to one."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """What came since, at most so many rows; afterwards the stage is told as far as `then`."""

    rows: Sequence[Event]
    overdue: Sequence[int]
    then: Told


@dataclass(frozen=True, slots=True)
class FailedLetter:
    """A letter, as far as an event speaks of it: to which agency, of which region."""

    id: int
    agency: str
    name: str
    region: str
    kind: str
    channel: str


def news(ledger: Ledger, now: datetime, actions: Collection[str], limit: int) -> News | None:
    """What of these actions happened, and whose time was up; None where nothing is new."""
    with reading(ledger.engine) as connection:
        head = connection.scalar(select(func.max(History.seq))) or 0
        kept = _kept(connection)
        told = kept or _beginning(connection, now)
        late = connection.scalars(_late(told.at, now)).all()
        if kept and head == told.seq and not late:
            return None
        found = connection.execute(_since(told.seq, actions, limit)).all()
    rows = [Event(row.seq, row.at, "", row.action, row.duty_id, row.data, "") for row in found]
    seq = rows[-1].seq if len(rows) == limit else head
    return News(rows, late, Told(seq, now))


def _kept(connection: Connection) -> Told | None:
    question = select(Setting.name, Setting.value).where(Setting.name.in_((_SEQ, _AT)))
    kept = dict(connection.execute(question).tuples().all())
    return Told(int(kept[_SEQ]), datetime.fromisoformat(kept[_AT])) if kept else None


def _beginning(connection: Connection, now: datetime) -> Told:
    since = now - LOOK_BACK
    before = connection.scalar(select(func.max(History.seq)).where(History.at < since))
    return Told(before or 0, since)


def _late(after: datetime, now: datetime) -> Select[tuple[int]]:
    return (
        select(Duty.id)
        .where(Duty.status.in_(WAITING), Duty.soft.is_(False))
        .where(Duty.due_at >= after, Duty.due_at < now)
        .order_by(Duty.due_at, Duty.id)
    )


def _since(seq: int, actions: Collection[str], limit: int) -> Select[Any]:
    return (
        select(History.seq, History.at, History.action, History.duty_id, History.data)
        .where(History.seq > seq, History.action.in_(actions))
        .order_by(History.seq)
        .limit(limit)
    )


def tell(ledger: Ledger, then: Told) -> None:
    """Keeps how far the stage was told."""
    with change(ledger.engine, then.at, "duban") as made:
        made.session.merge(Setting(name=_SEQ, value=str(then.seq)))
        made.session.merge(Setting(name=_AT, value=then.at.isoformat()))


def identity(ledger: Ledger) -> str:
    """What tells this ledger from every other one: the first link of its chain."""
    with reading(ledger.engine) as connection:
        return connection.scalar(select(History.hash).where(History.seq == 1)) or ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The civil day on which a duty opened, and the id of its run on the stage, if it has one."""

    opens_on: date
    run: str | None


def standings(ledger: Ledger, duties: Collection[int]) -> Mapping[int, Standing]:
    """How these duties stand, by number."""
    question = (
        select(Duty.id, Duty.opens_on, MirrorRun.run_id)
        .outerjoin(MirrorRun, MirrorRun.duty_id == Duty.id)
        .where(Duty.id.in_(duties))
    )
    with reading(ledger.engine) as connection:
        return {row[0]: Standing(row[1], row[2]) for row in connection.execute(question)}


def letters_of(ledger: Ledger, letters: Collection[int]) -> Mapping[int, FailedLetter]:
    """These letters by number."""
    question = select(Letter.id, Letter.recipient, Letter.kind, Letter.channel)
    with reading(ledger.engine) as connection:
        rows = connection.execute(question.where(Letter.id.in_(letters))).all()
    return {
        row.id: FailedLetter(
            row.id,
            row.recipient,
            ledger.registry.name_of(row.recipient),
            row.recipient.partition("/")[0],
            row.kind,
            row.channel,
        )
        for row in rows
    }
