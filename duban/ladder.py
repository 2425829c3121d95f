"""When a duty is spoken of, to whom and how firmly: pure decisions with a named reason.

Each round of a duty begins with an opening letter (交办, 退回, 延期 …). The rungs of a ladder
follow at offsets around the due day. What an outage, a hold or a holiday kept back is superseded
by the highest rung reached meanwhile, so a recipient never gets a burst.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from duban.calendar import ONE_DAY, Calendar


class Kind(StrEnum):
    """Kinds of letter; the rungs' kinds are their tone."""

    ASSIGN = "assign"  # 交办
    RETURN = "return"  # 退回
    EXTENSION = "extension"  # 延期
    REOPEN = "reopen"  # 重启
    COPY = "copy"  # 抄送
    INQUIRE = "inquire"  # 询办: how does it go?
    REMIND = "remind"  # 提醒
    CHASE = "chase"  # 催办
    FORMAL = "formal"  # 督办函
    CIRCULAR = "circular"  # 通报
    ESCALATE = "escalate"  # 提请督促, to a superior or the coordinator
    TASKS = "tasks"  # 待办, to the coordinator
    RECEIPT = "receipt"  # 回执, for a version of evidence
    ANSWER = "answer"  # 申请答复, to a request that moved no date
    LINK = "link"  # 办理链接, to an agency that lost it


ROUND_OPENERS = (Kind.ASSIGN, Kind.RETURN, Kind.EXTENSION, Kind.REOPEN)
"""Each is also the name of the rung that it stands for."""

GENTLE = frozenset({Kind.INQUIRE, Kind.REMIND})
"""Said before the due day only; all that a soft duty hears."""

PROMPT = frozenset({Kind.RECEIPT, Kind.ANSWER, Kind.LINK})
"""Answers to what the agency itself did: they go at once, on any day and at any hour."""

INFORMING = PROMPT | {Kind.COPY}
"""What presses nobody, so that it is no word of the chase."""

SOLEMN = frozenset({Kind.FORMAL, Kind.CIRCULAR})
"""Sent after a coordinator's approval, unless the rung says otherwise."""

ENDLESS = date(9999, 12, 30)
"""The last day of a hold without end; the calendar has a day after it, so that sums stay dates."""


class Audience(StrEnum):
    """Who hears a rung."""

    AGENCY = "agency"
    SUPERIOR = "superior"
    COORDINATOR = "coordinator"


class Anchor(StrEnum):
    """The day from which a rung counts."""

    DUE = "due"
    TOLD = "told"  # the round's opening letter was delivered
    PREVIOUS = "previous"  # the rung before it was spoken: never skipped, as with coloured slips


class Counting(StrEnum):
    """Which days a rung counts."""

    CALENDAR = "calendar"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: `days` from its anchor (negative: before), and its repeats.

    The gap before a repeat is `every` days, each longer than the last by the factor `backoff`.
    """

    name: str
    kind: Kind
    days: int
    anchor: Anchor = Anchor.DUE
    counting: Counting = Counting.CALENDAR
    to: tuple[Audience, ...] = (Audience.AGENCY,)
    every: int = 0
    times: int = 1
    backoff: int = 1
    approval: bool = False
    title: str = ""

    def __hash__(self) -> int:
        """Of the name alone: rungs key a cache that is asked for every duty."""
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs from the mildest to the gravest. `note` says whose practice it is."""

    name: str
    rungs: tuple[Rung, ...]
    note: str = ""

    def rung(self, name: str) -> Rung | None:
        """The rung of that name."""
        return next((rung for rung in self.rungs if rung.name == name), None)


class Reason(StrEnum):
    """Why the chase speaks, or is silent."""

    FIRST_LETTER = "first letter"
    RUNG_REACHED = "rung reached"
    PROPOSED = "awaits approval"
    NOT_YET = "next rung not reached"
    NOT_DELIVERED = "opening letter not delivered"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    EXHAUSTED = "ladder exhausted"
    SUPERSEDED = "a higher rung supersedes it"
    NOT_WORKING_DAY = "no working day"
    QUIET_HOURS = "quiet hours"
    HELD = "held"
    OVER_BUDGET = "the week's letters are used up"


@dataclass(frozen=True, slots=True)
class Chased:
    """What the decision depends on, within the duty's present round. All days are civil days.

    Attributes:
        waiting: the agency has to act.
        closed: nobody has to act any more.
        soft: gentle rungs only.
        due_on: the due day in the notice's zone.
        opener: the round's opening letter; `opened` that it was written.
        told_on: the day on which the round's opening letter was delivered, if it was.
        heard_on: the last day on which a rung was spoken or proposed in this round.
        spoken: the last day of each rung that was spoken.
        times: how often each rung was spoken or proposed; its turns up to there are used up, even
            where the due day or the ladder has moved since.
        held_until: the last day of a hold that covers the duty.
        awaiting: the highest rung that awaits a coordinator's approval, by name.
    """

    waiting: bool
    closed: bool
    soft: bool
    due_on: date
    told_on: date | None
    heard_on: date | None = None
    spoken: Mapping[str, date] = field(default_factory=dict[str, date])
    times: Mapping[str, int] = field(default_factory=dict[str, int])
    opener: Kind = Kind.ASSIGN
    opened: bool = True
    held_until: date | None = None
    awaiting: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A rung's nth time; `day` is the day on which its turn came."""

    rung: Rung
    n: int
    day: date


@dataclass(frozen=True, slots=True)
class Step:
    """What to do today, why, and the next day on which to ask again (None: not by date)."""

    reason: Reason
    next_on: date | None = None
    speak: Occurrence | None = None
    propose: Occurrence | None = None
    superseded: tuple[Occurrence, ...] = ()


def resumes_on(until: date) -> date | None:
    """The day after a hold; None after one that lasts until somebody ends it."""
    return None if until == ENDLESS else until + ONE_DAY


def decide(
    duty: Chased, ladder: Ladder, calendar: Calendar, today: date, *, quiet: bool = False
) -> Step:
    """The one decision about one duty on one day.

    Speaks the highest rung whose day has come since the duty was last heard of; a rung that needs
    approval is proposed, and the highest that needs none is spoken meanwhile.

    Args:
        calendar: whose working days count; letters wait for one.
        today: the civil day in the notice's zone.
        quiet: it is an hour at which nobody is written to.
    """
    if duty.closed:
        return Step(Reason.CLOSED)
    if not duty.waiting:
        return Step(Reason.SUBMITTED)
    if duty.held_until is not None and today <= duty.held_until:
        return Step(Reason.HELD, resumes_on(duty.held_until))
    if duty.opened and duty.told_on is None:
        return Step(Reason.NOT_DELIVERED, today + ONE_DAY)
    turns = occurrences(duty, ladder, calendar) if duty.opened else [_opener(duty, today)]
    reached = [one for one in turns if one.day <= today <= _last(duty, one.rung)]
    if reached and not calendar.working(today):
        return Step(Reason.NOT_WORKING_DAY, calendar.next_working(today).day)
    if reached and quiet:
        return Step(Reason.QUIET_HOURS, today)
    if reached:
        return _speak(duty, ladder, calendar, today, reached)
    next_on = _next(turns, calendar, today)
    if next_on is None:
        return Step(Reason.PROPOSED if duty.awaiting else Reason.EXHAUSTED)
    return Step(Reason.NOT_YET, next_on)


def _opener(duty: Chased, today: date) -> Occurrence:
    return Occurrence(Rung(duty.opener.value, duty.opener, 0), 1, today)


def _last(duty: Chased, rung: Rung) -> date:
    """The last day on which a rung may be said."""
    return duty.due_on if rung.kind in GENTLE else date.max


def _next(turns: list[Occurrence], calendar: Calendar, today: date) -> date | None:
    day = min((one.day for one in turns if one.day > today), default=None)
    return calendar.next_working(day).day if day else None


def _speak(
    duty: Chased, ladder: Ladder, calendar: Calendar, today: date, reached: list[Occurrence]
) -> Step:
    """`reached` is in the ladder's order, so that the last is the highest."""
    highest = reached[-1]
    propose = highest if highest.rung.approval else None
    speak = next((one for one in reversed(reached) if not one.rung.approval), None)
    if not duty.opened:
        return Step(Reason.FIRST_LETTER, today + ONE_DAY, speak)
    reason = Reason.RUNG_REACHED if speak else Reason.PROPOSED
    superseded = tuple(one for one in reached if one is not speak and one is not propose)
    step = Step(reason, None, speak, propose, superseded)
    turns = occurrences(after(duty, step, today), ladder, calendar)
    return replace(step, next_on=_next(turns, calendar, today))


def after(duty: Chased, step: Step, today: date) -> Chased:
    """The duty once today's step is done; a letter that opens a round arrives the same day."""
    said = [one for one in (step.speak, step.propose) if one]
    if not said:
        return duty
    if not duty.opened:
        return replace(duty, opened=True, told_on=today)
    spoken = {step.speak.rung.name: today} if step.speak else {}
    return replace(
        duty,
        heard_on=today,
        spoken={**duty.spoken, **spoken},
        times={**duty.times, **{one.rung.name: one.n for one in said}},
        awaiting=step.propose.rung.name if step.propose else duty.awaiting,
    )


def occurrences(duty: Chased, ladder: Ladder, calendar: Calendar) -> list[Occurrence]:
    """Every turn that is not behind the duty, in the ladder's order."""
    if duty.told_on is None:
        return []
    heard = max(duty.told_on, duty.heard_on or duty.told_on)
    return [
        one
        for rung, anchor in _anchored(duty, ladder, duty.told_on)
        for last, used in ((_last(duty, rung), duty.times.get(rung.name, 0)),)
        for one in _turns(rung, anchor, calendar)[used:]
        if heard < one.day <= last
    ]


def _anchored(duty: Chased, ladder: Ladder, told_on: date) -> Iterator[tuple[Rung, date]]:
    """The rungs that the duty may hear, each with the day it counts from."""
    for before, rung in pairwise((None, *ladder.rungs)):
        if rung is None or (duty.soft and rung.kind not in GENTLE):
            continue
        anchor = _anchor(duty, told_on, before, rung)
        if anchor is not None:
            yield rung, anchor


def _anchor(duty: Chased, told_on: date, before: Rung | None, rung: Rung) -> date | None:
    """Days after the due day count from the opening letter where that came later."""
    match rung.anchor:
        case Anchor.TOLD:
            return told_on
        case Anchor.PREVIOUS:
            return duty.spoken.get(before.name) if before else None
        case Anchor.DUE:
            return duty.due_on if rung.days <= 0 else max(duty.due_on, told_on)


@lru_cache(maxsize=1 << 14)  # thousands of duties share a due day
def _turns(rung: Rung, anchor: date, calendar: Calendar) -> tuple[Occurrence, ...]:
    """Each time the rung's turn comes. A deadline on a holiday is warned about earlier."""
    if rung.anchor is Anchor.DUE and rung.days <= 0:
        anchor = calendar.previous_working(anchor).day
    return tuple(
        Occurrence(rung, n, _counted(rung, anchor, offset, calendar))
        for n, offset in enumerate(_offsets(rung), start=1)
    )


def _offsets(rung: Rung) -> Iterator[int]:
    offset, gap = rung.days, rung.every
    for _ in range(rung.times):
        yield offset
        offset, gap = offset + gap, gap * rung.backoff


def _counted(rung: Rung, anchor: date, offset: int, calendar: Calendar) -> date:
    if rung.counting is Counting.WORKING:
        return calendar.add(anchor, offset).day
    return anchor + timedelta(days=offset)
