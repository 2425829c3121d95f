"""Which duties the stage shows, and which of them may look different since it was last told.

Questions only, each answered by an index: their cost grows with what happened, not with the ledger.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select
from sqlalchemy.orm import Session

from duban.batches import batches
from duban.duty import CLOSED, DUE_SOON, WAITING, Status
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.tables import Duty, History, Hold, Mention, MirrorRun, Setting

SEEN = "mirror"
OPEN = (*WAITING, Status.SUBMITTED)
EYES = (Status.SUBMITTED, Status.RETURNED)
_IDS = 500  # asked for at once
MANY = 2_000  # more changed duties than this, and all are looked at
MOST_ROWS = 20_000  # more new rows of history than this, likewise


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to where the stage was told.

    Attributes:
        seq: of the history.
        at: the moment it showed, in ISO form.
        scene: a digest of what else every run depends on.
        read_on: the civil day on which all of it was last read, in ISO form.
        crowded: there are more open duties than it shows.
    """

    seq: int = 0
    at: str = ""
    scene: str = ""
    read_on: str = ""
    crowded: bool = False


def seen(ledger: Ledger) -> Seen:
    """Up to where the stage was told."""
    with reading(ledger.engine) as connection:
        return _seen(connection)


def _seen(connection: Connection) -> Seen:
    kept = connection.scalar(select(Setting.value).where(Setting.name == SEEN))
    return Seen(**json.loads(kept)) if kept else Seen()


def remember_seen(ledger: Ledger, what: Seen) -> None:
    """Notes up to where the stage was told."""
    with Session(ledger.engine) as session, session.begin():
        session.merge(Setting(name=SEEN, value=json.dumps(asdict(what))))


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to do on the stage.

    Attributes:
        ids: duties that may look different; None means all of them.
        read: it is time to read all of the stage.
        to: what will have been seen once all that is done.
    """

    ids: frozenset[int] | None
    read: bool
    to: Seen

    @property
    def idle(self) -> bool:
        """Nothing has changed."""
        return self.ids is not None and not self.ids and not self.read


def look(ledger: Ledger, now: datetime, scene: str, limit: int) -> Look:
    """Looks what has changed since the stage was last told.

    Args:
        limit: the most open duties of which each has a run.
    """
    today = ledger.registry.today(now)
    with reading(ledger.engine) as connection:
        was = _seen(connection)
        head = connection.scalar(select(func.max(History.seq))) or 0
        read = was.read_on < today.isoformat()
        crowded = was.crowded
        if head != was.seq or read or scene != was.scene:
            crowded = _crowded(connection, limit, was.crowded)
        to = Seen(head, now.isoformat(), scene, today.isoformat(), crowded)
        if read or (scene, crowded) != (was.scene, was.crowded) or head - was.seq > MOST_ROWS:
            return Look(None, read, to)
        since = datetime.fromisoformat(was.at)
        if now < since or head < was.seq:
            return Look(None, False, to)
        ids = _touched(connection, was.seq) | _passed(connection, since, now)
        ids |= _worn(connection, today)
    return Look(frozenset(ids) if len(ids) <= MANY else None, False, to)


def _crowded(connection: Connection, limit: int, was: bool) -> bool:
    """A tenth of slack keeps runs from coming and going with every duty around the limit."""
    open_now = connection.scalar(select(func.count()).where(Duty.status.in_(OPEN))) or 0
    return open_now > (limit * 0.9 if was else limit)


def _touched(connection: Connection, seq: int) -> set[int]:
    """The duties to which something happened, also by a letter or a hold that covers several."""
    rows = connection.execute(
        select(History.duty_id, History.action, History.data).where(History.seq > seq)
    ).all()
    found = {row.duty_id for row in rows if row.duty_id is not None}
    letters = {row.data.get("letter") for row in rows if row.action in ("letter", "resent")}
    for some in batches(sorted(letters - {None}), _IDS):
        found |= set(connection.scalars(select(Mention.duty_id).where(Mention.letter_id.in_(some))))
    holds = {row.data.get("hold") for row in rows if row.action in ("held", "released")}
    for some in batches(sorted(holds - {None}), _IDS):
        found |= set(connection.scalars(_covered(some)))
    return found


def _covered(holds: Sequence[int]) -> Select[tuple[int]]:
    return (
        select(Duty.id)
        .join(Hold, (Hold.agency.is_(None) | (Hold.agency == Duty.agency)))
        .where(Hold.clause.is_(None) | (Hold.clause == Duty.clause))
        .where(Hold.id.in_(holds), Duty.status.in_(OPEN))
    )


def _passed(connection: Connection, since: datetime, now: datetime) -> set[int]:
    """The waiting duties whose due instant, or whose day of warning, came since."""
    found: set[int] = set()
    for ahead in (timedelta(0), DUE_SOON):  # one range each, which the index answers
        due = Duty.due_at.between(since + ahead, now + ahead)
        found |= set(connection.scalars(select(Duty.id).where(Duty.status.in_(WAITING), due)))
    return found


def _worn(connection: Connection, today: date) -> set[int]:
    """Those whose card has grown too old."""
    return set(connection.scalars(select(MirrorRun.duty_id).where(MirrorRun.refresh_on <= today)))


def staged(
    ledger: Ledger,
    now: datetime,
    kept_since: datetime,
    *,
    crowded: bool,
    ids: Collection[int] | None,
) -> set[int]:
    """The duties, of these or of all, that have a run.

    Args:
        kept_since: those closed before are shown no more.
        crowded: only what needs eyes is shown, and what was closed since.
    """
    shown = or_(
        Duty.status.in_(CLOSED) & (Duty.closed_at >= kept_since),
        _needs_eyes(now) if crowded else Duty.status.in_(OPEN),
    )
    question = select(Duty.id).where(shown)
    with reading(ledger.engine) as connection:
        if ids is None:
            return set(connection.scalars(question))
        found: set[int] = set()
        for some in batches(sorted(ids), _IDS):
            found |= set(connection.scalars(question.where(Duty.id.in_(some))))
        return found


def _needs_eyes(now: datetime) -> ColumnElement[bool]:
    """Overdue, due soon, under review or returned; `duban.duty` says it of one duty."""
    pressing = (Duty.due_at <= now + DUE_SOON) & (Duty.soft.is_(False) | (Duty.due_at >= now))
    return Duty.status.in_(EYES) | (Duty.status == Status.OPEN) & pressing


def mirrored(ledger: Ledger, ids: Collection[int] | None) -> list[dict[str, Any]]:
    """What the stage was told of these duties, or of all."""
    question = select(*MirrorRun.__table__.columns)
    with reading(ledger.engine) as connection:
        if ids is None:
            return [dict(row) for row in connection.execute(question).mappings()]
        return [
            dict(row)
            for some in batches(sorted(ids), _IDS)
            for row in connection.execute(question.where(MirrorRun.duty_id.in_(some))).mappings()
        ]


def told_states(ledger: Ledger) -> dict[str, int]:
    """How many runs the stage was told to have in each state."""
    question = select(MirrorRun.state, func.count()).group_by(MirrorRun.state)
    with reading(ledger.engine) as connection:
        return dict(connection.execute(question).tuples().all())
