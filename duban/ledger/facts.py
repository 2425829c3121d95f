"""What the chase has to know of duties before it decides: gathered in a few questions a batch."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, select

from duban.duty import CLOSED, WAITING
from duban.ladder import ENDLESS, INFORMING, ROUND_OPENERS, Chased, Kind, Ladder, Rung
from duban.ledger import Ledger
from duban.ledger.tables import Duty, Hold, Letter, Mention, Proposal


@dataclass(frozen=True, slots=True)
class Facts:
    """A duty as the rule sees it, with its ladder."""

    id: int
    clause: str
    agency: str
    round: int
    chased: Chased
    ladder: Ladder

    @property
    def awaiting(self) -> Rung | None:
        """The formal rung that goes out once a coordinator approves it."""
        return self.ladder.rung(self.chased.awaiting) if self.chased.waiting else None


@dataclass(slots=True)
class Said:
    """What was said of a duty in its present round; its opening letter goes to its agency alone."""

    told_at: datetime | None = None
    opened: bool = False
    spoken: dict[str, date] = field(default_factory=dict[str, date])
    proposed: list[date] = field(default_factory=list[date])
    awaiting: str = ""
    times: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds that are in force on a day, looked up for each duty."""

    rows: Sequence[Row[Any]]

    def until(self, agency: str, clause: str) -> date | None:
        """The last day of silence for a duty; None where nothing holds it."""
        found = [
            row.until
            for row in self.rows
            if row.agency in (None, agency) and row.clause in (None, clause)
        ]
        return max(found, default=None)


def holds(connection: Connection, today: date) -> Holds:
    """The holds in force on a civil day."""
    question = select(Hold.agency, Hold.clause, Hold.until).where(
        Hold.released_at.is_(None), Hold.begins_on <= today, Hold.until >= today
    )
    return Holds(connection.execute(question).all())


def paused_clauses(connection: Connection) -> frozenset[str]:
    """The clauses that are held without end for every agency: of these nothing is opened either."""
    question = select(Hold.clause).where(
        Hold.released_at.is_(None),
        Hold.until == ENDLESS,
        Hold.agency.is_(None),
        Hold.clause.is_not(None),
    )
    return frozenset(clause for clause in connection.scalars(question) if clause)


_COLUMNS = (
    Duty.id,
    Duty.clause,
    Duty.agency,
    Duty.round,
    Duty.soft,
    Duty.due_at,
    Duty.status,
    Duty.opener,
)


def facts_of(
    connection: Connection, ledger: Ledger, ids: Sequence[int], today: date
) -> list[Facts]:
    """The facts of these duties of loaded notices, whatever their status, by number."""
    rows = connection.execute(select(*_COLUMNS).where(Duty.id.in_(ids)).order_by(Duty.id)).all()
    said = _said(connection, ids)
    held = holds(connection, today)
    return [
        Facts(
            row.id,
            row.clause,
            row.agency,
            row.round,
            _chased(ledger, row, said[row.id], held),
            ledger.registry.ladder(row.clause, row.agency),
        )
        for row in rows
        if row.clause.partition("/")[0] in ledger.registry.notices
    ]


def _said(connection: Connection, ids: Sequence[int]) -> dict[int, Said]:
    found: dict[int, Said] = defaultdict(Said)
    for duty_id, rung, day, n, told_at in connection.execute(_spoken(ids)):
        one = found[duty_id]
        if rung in ROUND_OPENERS:
            one.told_at, one.opened = told_at, True
        else:
            one.spoken[rung], one.times[rung] = day, n
    for duty_id, rung, day, n, awaits in connection.execute(_proposed(ids)):
        one = found[duty_id]
        one.awaiting = rung if awaits else one.awaiting
        one.proposed.append(day)
        one.times[rung] = max(n, one.times.get(rung, 0))
    return found


def _spoken(ids: Sequence[int]) -> Select[Any]:
    opener = Mention.rung.in_(ROUND_OPENERS)
    delivered = case((and_(opener, Letter.state == "sent"), Letter.sent_at))
    return (
        select(
            Mention.duty_id,
            Mention.rung,
            func.max(Mention.day),
            func.max(Mention.n),
            func.min(delivered),
        )
        .join(Duty, and_(Duty.id == Mention.duty_id, Duty.round == Mention.round))
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id.in_(ids), Mention.rung.not_in(INFORMING))
        .group_by(Mention.duty_id, Mention.rung)
    )


def _proposed(ids: Sequence[int]) -> Select[Any]:
    """The rungs that were proposed, what was proposed last at the end."""
    return (
        select(
            Proposal.duty_id,
            Proposal.rung,
            func.max(Proposal.day),
            func.max(Proposal.n),
            func.max(case((Proposal.state == "proposed", 1), else_=0)),
        )
        .join(Duty, and_(Duty.id == Proposal.duty_id, Duty.round == Proposal.round))
        .where(Proposal.duty_id.in_(ids))
        .group_by(Proposal.duty_id, Proposal.rung)
        .order_by(func.max(Proposal.day), func.max(Proposal.id))
    )


def _chased(ledger: Ledger, row: Row[Any], said: Said, held: Holds) -> Chased:
    zone = ledger.registry.notices[row.clause.partition("/")[0]].file.notice.zone
    return Chased(
        waiting=row.status in WAITING,
        closed=row.status in CLOSED,
        soft=row.soft,
        due_on=row.due_at.astimezone(zone).date(),
        told_on=said.told_at.astimezone(zone).date() if said.told_at else None,
        heard_on=max([*said.spoken.values(), *said.proposed], default=None),
        spoken=said.spoken,
        times=said.times,
        opener=Kind(row.opener),
        opened=said.opened,
        held_until=held.until(row.agency, row.clause),
        awaiting=said.awaiting,
    )
