"""When a duty is spoken of, and how firmly: pure decisions with a named reason.

Each round of a duty begins with an opening letter (交办, 退回, 延期 …). Reminders and chases follow
at offsets around the due day; one missed during an outage is superseded by the next, so a
recipient never gets a burst.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of letter."""

    ASSIGN = "assign"  # 交办
    RETURN = "return"  # 退回
    EXTENSION = "extension"  # 延期
    REOPEN = "reopen"  # 重启
    COPY = "copy"  # 抄送
    REMIND = "remind"  # 提醒
    CHASE = "chase"  # 催办


ROUND_OPENERS = (Kind.ASSIGN, Kind.RETURN, Kind.EXTENSION, Kind.REOPEN)
"""Each is also the name of the rung that it stands for."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: `days` from the due day (negative: before), and its repeats."""

    name: str
    kind: Kind
    days: int
    every: int = 0
    times: int = 1

    def occurrences(self, anchor: date) -> Iterator[tuple[int, date]]:
        """(n, day) of each time this rung speaks, counted from 1."""
        for n in range(1, self.times + 1):
            yield n, anchor + timedelta(days=self.days + (n - 1) * self.every)


DEFAULT_LADDER: tuple[Rung, ...] = (
    Rung("remind-7", Kind.REMIND, -7),
    Rung("remind-3", Kind.REMIND, -3),
    Rung("chase", Kind.CHASE, 1, every=7, times=6),
)
"""Policy, not statute: no source fixes the days of 催办."""


class Reason(StrEnum):
    """Why the chase speaks, or is silent."""

    RUNG_REACHED = "rung reached"
    NOT_YET = "next rung not reached"
    NOT_DELIVERED = "opening letter not delivered"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    EXHAUSTED = "ladder exhausted"


@dataclass(frozen=True, slots=True)
class Chased:
    """What the decision depends on, within the duty's present round.

    Attributes:
        waiting: the agency has to act.
        closed: nobody has to act any more.
        soft: reminders only.
        due_on: civil day in the notice's zone.
        told_on: civil day on which the round's opening letter was delivered, if it was.
        last_spoken: civil day of the last occurrence spoken in this round, if any.
    """

    waiting: bool
    closed: bool
    soft: bool
    due_on: date
    told_on: date | None
    last_spoken: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to do today, why, and the next day on which to ask again (None: not by date)."""

    reason: Reason
    rung: Rung | None = None
    n: int = 0
    day: date | None = None
    next_on: date | None = None


def decide(duty: Chased, ladder: tuple[Rung, ...], today: date) -> Step:
    """The one decision about one duty on one day.

    Speaks the latest occurrence whose day has come; earlier ones unspoken are superseded by it.
    """
    if duty.closed:
        return Step(Reason.CLOSED)
    if not duty.waiting:
        return Step(Reason.SUBMITTED)
    if duty.told_on is None:
        return Step(Reason.NOT_DELIVERED, next_on=today + timedelta(days=1))
    heard = max(duty.told_on, duty.last_spoken or duty.told_on)
    ahead = [found for found in _occurrences(duty, ladder, duty.told_on) if found[0] > heard]
    reached = [found for found in ahead if found[0] <= today]
    next_on = next((day for day, _, _ in ahead if day > today), None)
    if reached:
        day, rung, n = reached[-1]
        return Step(Reason.RUNG_REACHED, rung, n, day, next_on)
    return Step(Reason.NOT_YET if next_on else Reason.EXHAUSTED, next_on=next_on)


def _occurrences(
    duty: Chased, ladder: tuple[Rung, ...], told_on: date
) -> list[tuple[date, Rung, int]]:
    """By day. A chase counts from the later of due day and opening letter."""
    found = [
        (day, rung, n)
        for rung in ladder
        if not (duty.soft and rung.kind is Kind.CHASE)
        for n, day in rung.occurrences(duty.due_on if rung.days <= 0 else max(duty.due_on, told_on))
    ]
    return sorted(found, key=lambda item: item[0])
