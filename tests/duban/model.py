"""What the chase should say, found the slow way: a model to compare the product with.

It knows nothing of `duban.ladder` but the shape of a ladder. It walks every civil day, notes each
turn on the day on which it comes, and says the gravest when there is a day to say it on. A day
goes: the turns that come, then the events in their order, then the chase. The week's budget and
quiet hours are not in it.

    said, proposed = walk([OneDuty("1 东/妇联 2026Q1", due, opened)], ladder, working, {}, last)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeAlias

from duban.ladder import Ladder, Rung

ONE_DAY = timedelta(days=1)
Working: TypeAlias = Callable[[date], bool]
Turn: TypeAlias = tuple[int, int]
"""A rung's place in the ladder, and for the how manieth time."""

Said: TypeAlias = tuple[date, str, str, int, str]
"""Day, duty, rung, n, audience. A round's opening letter is a rung too: assign, return, …"""

Proposed: TypeAlias = tuple[date, str, str, int]
"""Day, duty, rung, n."""


@dataclass(frozen=True)
class OneDuty:
    """A duty as it opens; days are civil days of its notice."""

    key: str
    due: date
    opened: date
    soft: bool = False


@dataclass(frozen=True)
class Event:
    """What happened to a duty on a day.

    Attributes:
        until: the new due day of a return, an extension or a reopening (left out: it stays); the
            last day of a hold, which begins on `day`.
    """

    day: date
    what: Literal["submitted", "returned", "extended", "reopened", "held", "called", "approved"]
    until: date | None = None


def walk(
    duties: Sequence[OneDuty],
    ladder: Ladder,
    working: Working,
    events: Mapping[str, Sequence[Event]],
    last: date,
) -> tuple[set[Said], set[Proposed]]:
    """All that is said and proposed from the openings to the last day.

    Args:
        events: what happened to each duty, by its key, in order of time.
    """
    said: set[Said] = set()
    proposed: set[Proposed] = set()
    for duty in duties:
        chase = _Chase(duty, ladder, working)
        for today in _days(duty.opened, last):
            chase.live(today, [one for one in events.get(duty.key, ()) if one.day == today])
        said |= chase.said
        proposed |= chase.proposals
    return said, proposed


@dataclass
class _Round:
    """What has happened since the round began."""

    opener: str
    due: date
    told: date | None = None
    pending: set[Turn] = field(default_factory=set[Turn])
    spoken: dict[str, date] = field(default_factory=dict[str, date])
    used: dict[str, int] = field(default_factory=dict[str, int])
    proposed: tuple[Rung, int] | None = None


class _Chase:
    """One duty on its way from day to day."""

    def __init__(self, duty: OneDuty, ladder: Ladder, working: Working) -> None:
        self.duty, self.ladder, self.working = duty, ladder, working
        self.waiting, self.held_until = True, date.min
        self.round = _Round("assign", duty.due)
        self.said: set[Said] = set()
        self.proposals: set[Proposed] = set()
        self._known: dict[tuple[Rung, date], dict[date, int]] = {}

    def live(self, today: date, events: Sequence[Event]) -> None:
        self._note_turns(today)
        for event in events:
            self._happen(event)
        if self._may_speak(today):
            if self.round.told is None:
                self._begin(today)
            else:
                self._speak(today)

    def _may_speak(self, today: date) -> bool:
        return self.waiting and self.working(today) and today > self.held_until

    def _begin(self, today: date) -> None:
        self.round.told = today
        self.said.add((today, self.duty.key, self.round.opener, 1, "agency"))

    def _note_turns(self, today: date) -> None:
        if self.round.told is None:
            return
        for place, rung in enumerate(self.ladder.rungs):
            anchor = self._anchor(place, rung)
            n = self._turns(rung, anchor).get(today) if anchor else None
            if n is not None and n > self.round.used.get(rung.name, 0):
                self.round.pending.add((place, n))

    def _anchor(self, place: int, rung: Rung) -> date | None:
        if rung.anchor == "told":
            return self.round.told
        if rung.anchor == "previous":
            return self.round.spoken.get(self.ladder.rungs[place - 1].name)
        if rung.days > 0:
            return max(self.round.due, self.round.told or date.min)
        day = self.round.due
        while not self.working(day):
            day -= ONE_DAY
        return day

    def _turns(self, rung: Rung, anchor: date) -> dict[date, int]:
        if (rung, anchor) not in self._known:
            self._known[rung, anchor] = turns(rung, anchor, self.working)
        return self._known[rung, anchor]

    def _audible(self, today: date) -> list[tuple[Rung, int]]:
        """What has come and may be said, from the mildest to the gravest."""
        found: list[tuple[Rung, int]] = []
        for place, n in sorted(self.round.pending):
            rung = self.ladder.rungs[place]
            gentle = rung.kind in ("inquire", "remind")
            if (gentle and today <= self.round.due) or not (gentle or self.duty.soft):
                found.append((rung, n))
        return found

    def _speak(self, today: date) -> None:
        audible = self._audible(today)
        if not audible:
            return
        if audible[-1][0].approval:
            rung, n = self.round.proposed = audible[-1]
            self.round.used[rung.name] = n
            self.proposals.add((today, self.duty.key, rung.name, n))
        free = [(rung, n) for rung, n in audible if not rung.approval]
        if free:
            self._say(today, *free[-1])
        self.round.pending.clear()

    def _say(self, today: date, rung: Rung, n: int) -> None:
        self._spoke(today, rung, n)
        for audience in rung.to:
            self.said.add((today, self.duty.key, rung.name, n, audience.value))

    def _spoke(self, today: date, rung: Rung, n: int) -> None:
        self.round.spoken[rung.name] = today
        self.round.used[rung.name] = max(n, self.round.used.get(rung.name, 0))

    def _happen(self, event: Event) -> None:
        openers = {"returned": "return", "extended": "extension", "reopened": "reopen"}
        if event.what in openers:
            self.waiting = True
            self.round = _Round(openers[event.what], event.until or self.round.due)
        elif event.what == "submitted":
            self.waiting = False
        elif event.what == "held":
            self.held_until = max(self.held_until, event.until or event.day)
        elif self.waiting:
            self._press(event)

    def _press(self, event: Event) -> None:
        """A call stands for the letter that would have gone; an approval sends what lay there."""
        if event.what == "called":
            free = [one for one in self._audible(event.day) if not one[0].approval]
            if free and self._may_speak(event.day):
                self._spoke(event.day, *free[-1])
            self.round.pending.clear()
        elif self.round.proposed is not None:
            self._say(event.day, *self.round.proposed)
            self.round.proposed = None
            self.round.pending.clear()


def turns(rung: Rung, anchor: date, working: Working) -> dict[date, int]:
    """The day of each of a rung's turns, counted on the fingers."""
    found: dict[date, int] = {}
    days, gap = rung.days, rung.every
    for n in range(1, rung.times + 1):
        found[_counted(anchor, days, working, rung.counting == "working")] = n
        days, gap = days + gap, gap * rung.backoff
    return found


def _counted(anchor: date, days: int, working: Working, only_working: bool) -> date:
    day = anchor
    while days:
        day += ONE_DAY if days > 0 else -ONE_DAY
        if working(day) or not only_working:
            days += -1 if days > 0 else 1
    return day


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
