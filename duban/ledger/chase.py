"""Asks the ladder about every duty whose day has come, and posts what it decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Row, Table, and_, bindparam, case, func, select, update

from duban.batches import batches
from duban.duty import WAITING
from duban.ladder import DEFAULT_LADDER, ROUND_OPENERS, Chased, Step, decide
from duban.ledger import Ledger
from duban.ledger.change import DUTIES_PER_CHANGE, Change, change
from duban.ledger.database import reading
from duban.ledger.letterbox import NewMention, post
from duban.ledger.tables import Duty, Letter, Mention


@dataclass(frozen=True, slots=True)
class Chase:
    """What one chase did: how many duties it asked about, how many it spoke of."""

    asked: int
    spoken: int

    def __str__(self) -> str:
        return f"chased: {self.spoken} of {self.asked} looked at"


def chase(ledger: Ledger, now: datetime) -> Chase:
    """Decides about the duties whose next day has come; silence on other days is not stored."""
    asked = spoken = 0
    for notice_id, notice in ledger.registry.notices.items():
        today = now.astimezone(notice.file.notice.zone).date()
        ids = _due_for_a_look(ledger, notice_id, today)
        for batch in batches(ids, DUTIES_PER_CHANGE):
            asked += len(batch)
            spoken += _chase(ledger, notice_id, batch, now, today)
    return Chase(asked, spoken)


def _due_for_a_look(ledger: Ledger, notice_id: str, today: date) -> list[int]:
    question = select(Duty.id).where(
        Duty.status.in_(WAITING),
        Duty.next_on <= today,
        Duty.clause.startswith(f"{notice_id}/", autoescape=True),
    )
    with reading(ledger.engine) as connection:
        return list(connection.scalars(question.order_by(Duty.id)))


def _chase(ledger: Ledger, notice_id: str, ids: Sequence[int], now: datetime, today: date) -> int:
    zone = ledger.registry.notices[notice_id].file.notice.zone
    with change(ledger.engine, now, "duban") as made:
        # Asked again inside the transaction: evidence may have come since the look.
        facts = _facts(made, ids, today)
        decided = [(row, decide(_chased(row, zone), DEFAULT_LADDER, today)) for row in facts]
        mentions = [found for row, step in decided if (found := _mention(ledger, row, step))]
        for mention in mentions:
            made.record("spoke", mention.duty_id, rung=mention.rung, n=mention.n, kind=mention.kind)
        _look_again(made, [{"duty": row.id, "day": step.next_on} for row, step in decided])
        return post(made, mentions, today, zone)


def _facts(made: Change, ids: Sequence[int], today: date) -> Sequence[Row[Any]]:
    """Per duty: its state, when its round's first letter was delivered, what was said last."""
    opening = Mention.rung.in_(ROUND_OPENERS)
    in_this_round = and_(
        Mention.duty_id == Duty.id,
        Mention.round == Duty.round,
        Mention.recipient == Duty.agency,
    )
    question = (
        select(
            Duty.id,
            Duty.agency,
            Duty.round,
            Duty.soft,
            Duty.due_at,
            func.min(case((opening, Letter.sent_at))).label("told_at"),
            func.max(case((~opening, Mention.day))).label("spoken_on"),
        )
        .outerjoin(Mention, in_this_round)
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Duty.id.in_(ids), Duty.status.in_(WAITING), Duty.next_on <= today)
        .group_by(Duty.id)
        .order_by(Duty.id)
    )
    return made.connection.execute(question).all()


def _chased(row: Row[Any], zone: Any) -> Chased:
    told_at: datetime | None = row.told_at
    return Chased(
        waiting=True,
        closed=False,
        soft=row.soft,
        due_on=row.due_at.astimezone(zone).date(),
        told_on=told_at.astimezone(zone).date() if told_at else None,
        last_spoken=row.spoken_on,
    )


def _mention(ledger: Ledger, row: Row[Any], step: Step) -> NewMention | None:
    agency = ledger.registry.agencies.get(row.agency)
    if step.rung is None or step.day is None or agency is None:
        return None
    return NewMention(row.id, agency, step.rung.kind, row.round, step.rung.name, step.n, step.day)


def _look_again(made: Change, rows: list[dict[str, Any]]) -> None:
    if rows:
        table = cast(Table, Duty.__table__)
        statement = update(table).where(table.c.id == bindparam("duty"))
        made.connection.execute(statement.values(next_on=bindparam("day")), rows)
