"""The chase, woken on its next days only, says what the brute-force model says day by day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duban.calendar import Calendar, Span, WorkCalendar
from duban.ladder import (
    GENTLE,
    Anchor,
    Audience,
    Chased,
    Counting,
    Kind,
    Ladder,
    Occurrence,
    Rung,
    after,
    decide,
)
from duban.registry.load import load_policy
from tests.duban.model import Event, OneDuty, Proposed, Said, walk

PRESETS = load_policy(Path("no such folder")).ladders
FIRST, LAST = date(2025, 1, 1), date(2027, 12, 31)
CHINA = Calendar(WorkCalendar.CHINA, (Span(date(2026, 7, 1), date(2026, 7, 9), False),))
WEEKDAYS = Calendar(WorkCalendar.WEEKDAYS)
KEY = "a duty"
OPENERS = {"returned": Kind.RETURN, "extended": Kind.EXTENSION, "reopened": Kind.REOPEN}


@dataclass
class Woken:
    """A duty in a ledger that holds nothing but what `decide` needs, asked only when it must be."""

    duty: Chased
    ladder: Ladder
    calendar: Calendar
    next_on: date | None
    held: tuple[Event, ...] = ()
    proposal: Occurrence | None = None

    def __post_init__(self) -> None:
        self.said: set[Said] = set()
        self.proposed: set[Proposed] = set()

    def live(self, events: Sequence[Event], last: date) -> None:
        waiting = list(events)
        while days := [day for day in (self.next_on, *(e.day for e in waiting[:1])) if day]:
            today = min(days)
            if today > last:
                return
            while waiting and waiting[0].day == today:
                self.happen(waiting.pop(0))
            if self.next_on is not None and self.next_on <= today:
                self.ask(today)

    def as_of(self, today: date) -> Chased:
        ends = [e.until for e in self.held if e.until and e.day <= today <= e.until]
        return replace(self.duty, held_until=max(ends, default=None))

    def ask(self, today: date) -> None:
        duty = self.as_of(today)
        step = decide(duty, self.ladder, self.calendar, today)
        assert step.next_on is None or step.next_on > today
        if step.speak:
            self.say(today, step.speak)
        if step.propose:
            self.proposal = step.propose
            self.proposed.add((today, KEY, step.propose.rung.name, step.propose.n))
        self.duty, self.next_on = after(duty, step, today), step.next_on

    def say(self, today: date, one: Occurrence) -> None:
        lines: set[Said] = {(today, KEY, one.rung.name, one.n, to.value) for to in one.rung.to}
        assert not lines & self.said
        self.said |= lines

    def happen(self, event: Event) -> None:
        match event.what:
            case "submitted":
                self.duty, self.next_on = replace(self.duty, waiting=False), None
            case "returned" | "extended" | "reopened":
                self.begin(event)
            case "held":
                self.held += (event,)
            case "called" if self.duty.waiting:
                self.call(event.day)
            case "approved" if self.duty.waiting and self.proposal:
                self.say(event.day, self.proposal)
                self.hear(event.day, self.proposal.rung.name, self.proposal.n)
                self.proposal = None
            case _:
                pass

    def begin(self, event: Event) -> None:
        due = event.until or self.duty.due_on
        self.duty = opening(due, self.duty.soft, OPENERS[event.what])
        self.next_on, self.proposal = event.day, None

    def call(self, today: date) -> None:
        duty = self.as_of(today)
        step = decide(duty, self.ladder, self.calendar, today)
        if step.speak and duty.opened:
            self.hear(today, step.speak.rung.name, step.speak.n)
        else:
            self.hear(today, "call", 1)

    def hear(self, today: date, rung: str, n: int) -> None:
        """The chase asks again at once: an opening letter may still have to go today."""
        spoken, times = {**self.duty.spoken, rung: today}, {**self.duty.times, rung: n}
        self.duty = replace(self.duty, heard_on=today, spoken=spoken, times=times)
        self.next_on = today


def opening(due: date, soft: bool, opener: Kind = Kind.ASSIGN) -> Chased:
    """The start of a round whose opening letter is not written yet."""
    return Chased(
        waiting=True, closed=False, soft=soft, due_on=due, told_on=None, opener=opener, opened=False
    )


def kept_to(ladder: Ladder, calendar: Calendar, duty: OneDuty, events: Sequence[Event]) -> None:
    woken = Woken(opening(duty.due, duty.soft), ladder, calendar, duty.opened)
    woken.live(events, LAST)
    assert (woken.said, woken.proposed) == walk(
        [duty], ladder, calendar.working, {KEY: events}, LAST
    )


@st.composite
def rungs(draw: st.DrawFn, place: int) -> Rung:
    kind = draw(
        st.sampled_from((Kind.INQUIRE, Kind.REMIND, Kind.CHASE, Kind.FORMAL, Kind.CIRCULAR))
    )
    anchor = draw(st.sampled_from(Anchor if place else (Anchor.DUE, Anchor.TOLD)))
    before = anchor is Anchor.DUE and (kind in GENTLE or draw(st.booleans()))
    return Rung(
        name=f"rung {place}",
        kind=kind,
        days=draw(st.integers(-40, 0) if before else st.integers(1, 40)),
        anchor=anchor,
        counting=draw(st.sampled_from(Counting)),
        to=tuple(draw(st.sets(st.sampled_from(Audience), min_size=1))),
        every=draw(st.integers(1, 30)),
        times=draw(st.integers(1, 6)),
        backoff=draw(st.integers(1, 3)),
        approval=draw(st.booleans()),
    )


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    places = range(draw(st.integers(1, 5)))
    return Ladder("any", tuple(draw(rungs(place)) for place in places))


DAYS = st.integers(0, 700).map(lambda n: FIRST + timedelta(days=n))
WHAT = st.sampled_from(
    ("submitted", "returned", "extended", "reopened", "held", "called", "approved")
)
EVENTS = st.lists(
    st.tuples(DAYS, WHAT, st.integers(0, 90)).map(
        lambda e: Event(e[0], e[1], e[0] + timedelta(days=e[2]))
    ),
    max_size=12,
).map(lambda events: sorted(events, key=lambda e: e.day))


@st.composite
def duties(draw: st.DrawFn) -> OneDuty:
    opened = draw(DAYS)
    days = draw(st.integers(-60, 200))  # below 0: an old deadline, told of only now
    return OneDuty(KEY, opened + timedelta(days=days), opened, draw(st.booleans()))


@settings(max_examples=200, deadline=None)
@given(
    ladders() | st.sampled_from(list(PRESETS.values())),
    st.sampled_from((CHINA, WEEKDAYS)),
    duties(),
    EVENTS,
)
def test_three_years_on_any_ladder_are_those_of_the_model(
    ladder: Ladder, calendar: Calendar, duty: OneDuty, events: list[Event]
):
    kept_to(ladder, calendar, duty, [one for one in events if one.day >= duty.opened])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("soft", [False, True])
def test_a_preset_left_alone_for_three_years_is_that_of_the_model(name: str, soft: bool):
    for due in (date(2025, 3, 20), date(2025, 10, 3), date(2026, 2, 18), date(2026, 12, 31)):
        kept_to(PRESETS[name], CHINA, OneDuty(KEY, due, FIRST, soft), [])


def test_the_model_walks_many_duties_and_says_a_year_of_the_three_colours():
    """A year written out by hand: the model is judged too."""
    two = [
        OneDuty("one", date(2026, 3, 20), date(2026, 3, 2)),
        OneDuty("two", date(2026, 3, 20), date(2026, 3, 2), soft=True),
    ]
    events = {"one": [Event(date(2026, 4, 1), "approved"), Event(date(2026, 4, 10), "submitted")]}
    said, proposed = walk(two, PRESETS["三色督办"], WEEKDAYS.working, events, LAST)
    assert sorted(said) == [
        (date(2026, 3, 2), "one", "assign", 1, "agency"),
        (date(2026, 3, 2), "two", "assign", 1, "agency"),
        (date(2026, 3, 17), "one", "remind-3", 1, "agency"),
        (date(2026, 3, 17), "two", "remind-3", 1, "agency"),
        (date(2026, 3, 23), "one", "blue", 1, "agency"),
        (date(2026, 4, 1), "one", "orange", 1, "agency"),
        (date(2026, 4, 1), "one", "orange", 1, "superior"),
    ]
    assert proposed == {
        (date(2026, 3, 30), "one", "orange", 1),
        (date(2026, 4, 8), "one", "red", 1),
    }
