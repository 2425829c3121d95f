"""What the chase achieves: after which rung evidence came, and how soon."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select

from duban.ladder import PROMPT
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.tables import Duty, Letter, Mention, Submission


@dataclass(frozen=True, slots=True)
class Spell:
    """One rung that reached an agency, and in how many days evidence followed before the next.

    `days` is None where none followed: the next rung had to be spoken, or it is still awaited.
    """

    agency: str
    rung: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Effect:
    """A rung's effect: how often it reached somebody, how often evidence followed, and when."""

    name: str
    spoken: int
    answered: int
    median_days: float | None

    @property
    def share(self) -> float:
        """Percentage of times that evidence followed."""
        return 100 * self.answered / self.spoken


def effect(ledger: Ledger, *, by: str = "rung") -> list[Effect]:
    """The effect per `rung` or per `agency`, the most spoken first.

    The reminder is not proven to be the cause of what follows it; this counts what followed.
    """
    found = sorted(_spells(ledger), key=lambda spell: getattr(spell, by))
    effects = [
        _sum(name, list(group)) for name, group in groupby(found, lambda spell: getattr(spell, by))
    ]
    return sorted(effects, key=lambda one: (-one.spoken, one.name))


def _sum(name: str, spells: Sequence[Spell]) -> Effect:
    days = [spell.days for spell in spells if spell.days is not None]
    return Effect(name, len(spells), len(days), statistics.median(days) if days else None)


def _spells(ledger: Ledger) -> Iterator[Spell]:
    spoken = (
        select(Mention.duty_id, Duty.clause, Duty.agency, Mention.rung, Mention.day, Letter.sent_at)
        .join(Duty, Duty.id == Mention.duty_id)
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.recipient == Duty.agency, Mention.said, Mention.rung.not_in(PROMPT))
        .where(Mention.letter_id.is_(None) | (Letter.state == "sent"))
        .order_by(Mention.duty_id, Mention.day, Mention.id)
    )
    came = select(Submission.duty_id, Submission.submitted_at).order_by(Submission.submitted_at)
    with reading(ledger.engine) as connection:
        answers: dict[int, list[datetime]] = {}
        for duty_id, at in connection.execute(came):
            answers.setdefault(duty_id, []).append(at)
        for duty_id, rows in groupby(connection.execute(spoken), lambda row: row.duty_id):
            yield from _of_duty(ledger, list(rows), answers.get(duty_id, []))


def _of_duty(ledger: Ledger, rows: list[Row[Any]], came: list[datetime]) -> Iterator[Spell]:
    notice = ledger.registry.notices.get(rows[0].clause.partition("/")[0])
    if notice is None:
        return
    zone = notice.file.notice.zone
    told = [row.sent_at.astimezone(zone).date() if row.sent_at else row.day for row in rows]
    days = [at.astimezone(zone).date() for at in came]
    for row, day, until in zip(rows, told, [*told[1:], date.max], strict=True):
        answer = next((one for one in days if day <= one < until or one == day), None)
        yield Spell(row.agency, row.rung, (answer - day).days if answer else None)
