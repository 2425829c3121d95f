"""What will happen: a rehearsal of the coming days by the very code that does them, on a copy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Table, create_engine, event, func, insert, select
from sqlalchemy.pool import StaticPool

from duban.channels import Channel, Fate, Form, Outcome, Pace, Parcel
from duban.duty import WAITING
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.letterbox import MORNING
from duban.ledger.opening import Opening, open_missing
from duban.ledger.outbox import Post
from duban.ledger.recount import recount
from duban.ledger.tables import (
    Base,
    ChainHead,
    ClauseVersion,
    Duty,
    Hold,
    Letter,
    Mention,
    Proposal,
    Setting,
    Suspension,
)
from duban.registry import instant

ROWS = 1000


@dataclass(frozen=True, slots=True)
class PlannedLetter:
    """A letter that would go out, and of how many duties it would speak."""

    recipient: str
    name: str
    channel: str
    kind: Kind
    duties: int


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """What a day would bring, if no evidence came and nothing were approved."""

    day: date
    opens: int
    letters: tuple[PlannedLetter, ...]
    proposed: int


class _Nowhere:
    """A channel that takes every letter and sends none."""

    form = Form.MAIL
    limit: int | None = None
    pace: Pace | None = None

    def send(self, parcel: Parcel, address: str) -> Outcome:
        return Outcome(Fate.ACCEPTED)


def plan(ledger: Ledger, first: date, last: date, now: datetime) -> Iterator[PlannedDay]:
    """Each day from first to last on which something would happen; the ledger is not touched.

    Days before `first` are rehearsed too, from today on, since what is said then counts.

    Args:
        first, last: civil days of the first notice's zone, none before today.
        now: the moment from which to look ahead.
    """
    zone = ledger.registry.first_notice.zone
    copy = rehearsal(ledger)
    day = ledger.registry.today(now)
    try:
        while day <= last:
            moment = max(now, instant(day, MORNING, zone))
            found = _rehearse(copy, day, moment)
            if day >= first and (found.opens or found.letters or found.proposed):
                yield found
            day += timedelta(days=1)
    finally:
        copy.engine.dispose()


def _rehearse(copy: Ledger, day: date, moment: datetime) -> PlannedDay:
    seen = _last(copy, Letter.id), _last(copy, Proposal.id)
    waiting = _waiting(copy)
    recount(copy, moment)
    opened: Opening = open_missing(copy, moment)
    chase(copy, moment)
    nowhere: Channel = _Nowhere()
    Post(copy, {"drop": nowhere}, lambda: False, "duban@localhost", {}).deliver(lambda: moment)
    return PlannedDay(
        day,
        opened.opened,
        tuple(_letters(copy, seen[0], waiting)),
        _last(copy, Proposal.id) - seen[1],
    )


def _last(ledger: Ledger, column: Any) -> int:
    with reading(ledger.engine) as connection:
        return connection.scalar(select(func.max(column))) or 0


def _waiting(ledger: Ledger) -> list[int]:
    """Letters begun on an earlier day that have not gone yet."""
    with reading(ledger.engine) as connection:
        return list(connection.scalars(select(Letter.id).where(Letter.state == "pending")))


def _letters(copy: Ledger, seen: int, waiting: Sequence[int]) -> Iterator[PlannedLetter]:
    question = (
        select(Letter.recipient, Letter.channel, Letter.kind, func.count(Mention.id))
        .join(Mention, Mention.letter_id == Letter.id)
        .where(Letter.state == "sent", (Letter.id > seen) | Letter.id.in_(waiting))
        .group_by(Letter.id)
        .order_by(Letter.recipient, Letter.kind)
    )
    with reading(copy.engine) as connection:
        for recipient, channel, kind, duties in connection.execute(question):
            name = copy.registry.name_of(recipient)
            yield PlannedLetter(recipient, name, channel, Kind(kind), duties)


def rehearsal(ledger: Ledger) -> Ledger:
    """A copy of what the chase depends on, in memory; sending counts as switched on there."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _plain)
    event.listen(engine, "begin", _begin)
    Base.metadata.create_all(engine)
    with reading(ledger.engine) as source, engine.begin() as target:
        for table, question in _what_counts():
            _copy(source, target, table, question)
        target.execute(insert(ChainHead).values(id=1, seq=0, hash="0" * 64))
        target.execute(insert(Setting).values(name="send", value="on"))
    return Ledger(engine, ledger.registry)


def _plain(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event speaks BEGIN itself


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _what_counts() -> Iterable[tuple[Any, Any]]:
    """Every duty, so that none is opened twice, and what was said of those that still wait."""
    waiting = Duty.status.in_(WAITING)
    said = select(Mention.letter_id).join(Duty, Duty.id == Mention.duty_id).where(waiting)
    yield ClauseVersion, select(ClauseVersion.__table__)
    yield Duty, select(Duty.__table__)
    yield Letter, select(Letter.__table__).where(Letter.id.in_(said) | (Letter.state == "pending"))
    yield (
        Mention,
        select(Mention.__table__)
        .join(Duty, Duty.id == Mention.duty_id)
        .where(waiting, Mention.round == Duty.round),
    )
    yield Proposal, select(Proposal.__table__)
    yield Hold, select(Hold.__table__)
    yield Suspension, select(Suspension.__table__)


def _copy(source: Connection, target: Connection, model: Any, question: Any) -> None:
    table = cast(Table, model.__table__)
    rows = source.execution_options(yield_per=ROWS).execute(question).mappings()
    for some in rows.partitions(ROWS):
        target.execute(insert(table), [dict(row) for row in some])
