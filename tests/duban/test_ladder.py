"""The chase's one decision: tables of days, a reason for each answer, laws on any ladder."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.calendar import ONE_DAY, Calendar, Span, WorkCalendar
from duban.ladder import (
    GENTLE,
    ROUND_OPENERS,
    Anchor,
    Audience,
    Chased,
    Counting,
    Kind,
    Ladder,
    Occurrence,
    Reason,
    Rung,
    Step,
    after,
    decide,
)
from duban.registry.load import load_policy
from tests.duban.test_model import CHINA, WEEKDAYS, ladders

PRESETS = load_policy(Path("no such folder")).ladders
DEFAULT, COLOURS, THE_13710 = PRESETS["default"], PRESETS["三色督办"], PRESETS["13710"]
EVERY_DAY = Calendar(
    WorkCalendar.WEEKDAYS, (Span(date(2025, 1, 1), date(2030, 12, 31), working=True),)
)
DUE = date(2026, 3, 20)  # a Friday
TOLD = date(2026, 1, 1)
WAITING = Chased(waiting=True, closed=False, soft=False, due_on=DUE, told_on=TOLD)
UNOPENED = replace(WAITING, told_on=None, opened=False)


def day(offset: int) -> date:
    """So many days after the due day."""
    return DUE + timedelta(days=offset)


def named(one: Occurrence | None) -> tuple[str, int] | None:
    return (one.rung.name, one.n) if one else None


def live(
    duty: Chased, ladder: Ladder, days: Iterable[date], calendar: Calendar = EVERY_DAY
) -> list[tuple[date, Step]]:
    """What happens when the chase runs on just these days; only the days on which it acts."""
    acted: list[tuple[date, Step]] = []
    for today in days:
        step = decide(duty, ladder, calendar, today)
        if step.speak or step.propose:
            acted.append((today, step))
        duty = after(duty, step, today)
    return acted


def every_day(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def offsets(acted: Iterable[tuple[date, Step]]) -> list[tuple[int, str]]:
    """(days after the due day, rung) of what was spoken."""
    return [((on - DUE).days, step.speak.rung.name) for on, step in acted if step.speak]


@pytest.mark.parametrize(
    ("offset", "speak", "propose"),
    [
        (-8, None, None),
        (-7, ("remind-7", 1), None),
        (-4, ("remind-7", 1), None),  # missed for three days, still worth saying
        (-3, ("remind-3", 1), None),  # supersedes the other
        (0, ("remind-3", 1), None),
        (1, ("chase", 1), None),
        (8, ("chase", 2), None),
        (15, ("chase", 3), ("formal", 1)),
        (29, ("chase", 5), ("formal", 1)),
        (30, ("chase", 5), ("circular", 1)),
        (400, ("chase", 6), ("circular", 1)),  # after an outage: once, with the latest
    ],
)
def test_on_a_day_the_highest_rung_is_spoken_and_a_formal_one_is_proposed(
    offset: int, speak: tuple[str, int] | None, propose: tuple[str, int] | None
):
    step = decide(WAITING, DEFAULT, EVERY_DAY, day(offset))
    assert (named(step.speak), named(step.propose)) == (speak, propose)


def test_day_by_day_each_rung_of_the_default_is_spoken_on_its_day():
    acted = live(WAITING, DEFAULT, every_day(TOLD, 200))
    assert offsets(acted) == [
        (-7, "remind-7"),
        (-3, "remind-3"),
        *((days, "chase") for days in (1, 8, 15, 22, 29, 36)),
    ]
    proposed = [((on - DUE).days, named(step.propose)) for on, step in acted if step.propose]
    assert proposed == [(15, ("formal", 1)), (30, ("circular", 1))]


# Each reason but OVER_BUDGET, which is the ledger's.


def test_the_first_day_of_a_round_speaks_its_opening_letter():
    for opener in ROUND_OPENERS:
        step = decide(replace(UNOPENED, opener=opener), DEFAULT, EVERY_DAY, day(400))
        assert (step.reason, step.next_on) == (Reason.FIRST_LETTER, day(401))
        assert named(step.speak) == (opener.value, 1)  # never an escalation, however late


def test_a_rung_whose_day_has_come_is_reached():
    step = decide(WAITING, DEFAULT, EVERY_DAY, day(1))
    assert (step.reason, step.next_on) == (Reason.RUNG_REACHED, day(8))


def test_a_formal_rung_alone_awaits_approval():
    heard = replace(WAITING, heard_on=day(29), times={"chase": 5, "formal": 1})
    step = decide(heard, DEFAULT, EVERY_DAY, day(30))
    assert (step.reason, step.speak, step.next_on) == (Reason.PROPOSED, None, day(36))
    assert named(step.propose) == ("circular", 1)


def test_a_day_before_the_next_rung_is_not_yet():
    assert decide(WAITING, DEFAULT, EVERY_DAY, day(-8)) == Step(Reason.NOT_YET, day(-7))


def test_an_opening_letter_that_is_under_way_is_asked_about_tomorrow():
    duty = replace(WAITING, told_on=None)
    assert decide(duty, DEFAULT, EVERY_DAY, day(9)) == Step(Reason.NOT_DELIVERED, day(10))


def test_after_a_submission_the_chase_is_silent():
    duty = replace(WAITING, waiting=False)
    assert decide(duty, DEFAULT, EVERY_DAY, day(9)) == Step(Reason.SUBMITTED)


def test_a_closed_duty_is_silent():
    duty = replace(WAITING, waiting=False, closed=True)
    assert decide(duty, DEFAULT, EVERY_DAY, day(9)) == Step(Reason.CLOSED)


def test_a_ladder_ends():
    duty = replace(WAITING, heard_on=day(36))
    assert decide(duty, DEFAULT, EVERY_DAY, day(40)) == Step(Reason.EXHAUSTED)


def test_a_ladder_has_not_ended_while_a_formal_rung_awaits_approval():
    duty = replace(WAITING, heard_on=day(36), awaiting="circular")
    assert decide(duty, DEFAULT, EVERY_DAY, day(40)) == Step(Reason.PROPOSED)
    assert decide(replace(duty, waiting=False), DEFAULT, EVERY_DAY, day(40)).reason is (
        Reason.SUBMITTED
    )


def test_what_is_passed_over_is_superseded():
    step = decide(WAITING, DEFAULT, EVERY_DAY, day(16))
    assert [named(one) for one in step.superseded] == [("chase", 1), ("chase", 2)]
    step = decide(WAITING, DEFAULT, EVERY_DAY, day(40))
    assert ("formal", 1) in [named(one) for one in step.superseded]  # the circular is higher


def test_on_a_holiday_letters_wait_for_the_next_working_day():
    holiday = replace(WAITING, due_on=date(2026, 9, 30))
    step = decide(holiday, DEFAULT, CHINA, date(2026, 10, 1))
    assert step == Step(Reason.NOT_WORKING_DAY, date(2026, 10, 8))
    assert decide(holiday, DEFAULT, CHINA, date(2026, 10, 8)).reason is Reason.RUNG_REACHED


def test_in_quiet_hours_the_chase_asks_again_the_same_day():
    step = decide(WAITING, DEFAULT, EVERY_DAY, day(1), quiet=True)
    assert step == Step(Reason.QUIET_HOURS, day(1))
    assert decide(UNOPENED, DEFAULT, EVERY_DAY, day(1), quiet=True) == step
    assert decide(WAITING, DEFAULT, EVERY_DAY, day(-8), quiet=True).reason is Reason.NOT_YET


@pytest.mark.parametrize("duty", [WAITING, UNOPENED, replace(WAITING, told_on=None)])
def test_a_hold_is_silent_up_to_its_last_day(duty: Chased):
    held = replace(duty, held_until=day(8))
    for offset in (0, 8):
        step = decide(held, DEFAULT, EVERY_DAY, day(offset))
        assert step == Step(Reason.HELD, day(9))
    assert decide(held, DEFAULT, EVERY_DAY, day(9)) == decide(duty, DEFAULT, EVERY_DAY, day(9))


# What a rung counts from.


def test_a_chase_counts_from_the_later_of_due_day_and_delivered_letter():
    late = replace(WAITING, told_on=day(100))  # an old deadline, told of only now
    assert decide(late, DEFAULT, EVERY_DAY, day(100)) == Step(Reason.NOT_YET, day(101))
    acted = live(late, DEFAULT, every_day(day(100), 40))
    assert offsets(acted)[:3] == [(101, "chase"), (108, "chase"), (115, "chase")]


def test_reminders_that_fell_before_the_first_letter_are_not_made_up_for():
    late = replace(WAITING, told_on=day(-5))
    assert decide(late, DEFAULT, EVERY_DAY, day(-5)) == Step(Reason.NOT_YET, day(-3))


def test_a_deadline_on_a_holiday_is_warned_about_earlier():
    duty = replace(WAITING, due_on=date(2026, 10, 4), told_on=date(2026, 9, 1))
    days = every_day(date(2026, 9, 1), 60)
    spoken = [(on, named(step.speak)) for on, step in live(duty, DEFAULT, days, CHINA)]
    assert spoken[:3] == [
        (date(2026, 9, 23), ("remind-7", 1)),  # the 30th is the last working day before
        (date(2026, 9, 28), ("remind-3", 1)),  # the 27th is a holiday too
        (date(2026, 10, 8), ("chase", 1)),
    ]


@pytest.mark.parametrize(
    ("rung", "spoken"),
    [
        (Rung("a", Kind.REMIND, -3, counting=Counting.WORKING), ["2026-02-11"]),
        (Rung("a", Kind.CHASE, 2, counting=Counting.WORKING), ["2026-02-25"]),
        (
            Rung("a", Kind.CHASE, 1, counting=Counting.WORKING, every=3, times=3),
            ["2026-02-24", "2026-02-27", "2026-03-03"],
        ),
        (Rung("a", Kind.CHASE, 2), ["2026-02-24"]),  # in calendar days, then the holiday's end
        (Rung("a", Kind.REMIND, 0), ["2026-02-14"]),
        (Rung("a", Kind.INQUIRE, 5, Anchor.TOLD, Counting.WORKING), ["2026-02-09"]),
        (Rung("a", Kind.INQUIRE, 30, Anchor.TOLD), []),  # only once the due day had passed
    ],
)
def test_working_days_skip_the_spring_festival(rung: Rung, spoken: list[str]):
    # Due on the festival's first day, a Sunday; Saturday the 14th is worked.
    duty = replace(WAITING, due_on=date(2026, 2, 15), told_on=date(2026, 2, 2))
    acted = live(duty, Ladder("one", (rung,)), every_day(date(2026, 2, 2), 60), CHINA)
    assert [on.isoformat() for on, _ in acted] == spoken


@pytest.mark.parametrize(
    ("backoff", "days"),
    [(1, [1, 4, 7, 10, 13]), (2, [1, 4, 10, 22, 46]), (3, [1, 4, 13, 40, 121])],
)
def test_each_gap_is_longer_by_the_backoff(backoff: int, days: list[int]):
    rung = Rung("chase", Kind.CHASE, 1, every=3, times=5, backoff=backoff)
    acted = live(WAITING, Ladder("one", (rung,)), every_day(TOLD, 300))
    assert [(on - DUE).days for on, _ in acted] == days


def test_days_that_nobody_works_defer_and_then_coalesce():
    ladder = Ladder("two", (Rung("a", Kind.CHASE, 1), Rung("b", Kind.CHASE, 2)))
    (acted,) = live(WAITING, ladder, every_day(DUE, 30), WEEKDAYS)  # Saturday and Sunday
    assert acted[0] == day(3)
    assert named(acted[1].speak) == ("b", 1)
    assert [named(one) for one in acted[1].superseded] == [("a", 1)]


# The presets.


def test_the_next_colour_comes_five_working_days_after_the_last_was_sent():
    acted = live(WAITING, COLOURS, every_day(TOLD, 150), CHINA)
    happened = [(on, named(step.speak), named(step.propose)) for on, step in acted]
    assert happened == [
        (date(2026, 3, 17), ("remind-3", 1), None),
        (date(2026, 3, 23), ("blue", 1), None),
        (date(2026, 3, 30), None, ("orange", 1)),  # nobody approves it: no red one either
    ]
    sent = replace(WAITING, heard_on=date(2026, 4, 1), spoken={"orange": date(2026, 4, 1)})
    acted = live(sent, COLOURS, every_day(date(2026, 4, 2), 30), CHINA)
    happened = [(on, named(step.speak), named(step.propose)) for on, step in acted]
    assert happened == [(date(2026, 4, 9), None, ("red", 1))]  # 清明 lies between


@given(st.lists(st.integers(0, 300), unique=True).map(sorted), st.integers(0, 250))
def test_no_outage_skips_a_colour(looks: list[int], told: int):
    free = Ladder("free", tuple(replace(rung, approval=False) for rung in COLOURS.rungs))
    duty = replace(WAITING, told_on=TOLD + timedelta(days=told))
    days = [TOLD + timedelta(days=n) for n in looks if n > told]
    acted = live(duty, free, days, CHINA)
    colours = [step.speak.rung.name for _, step in acted if step.speak]
    seen = [name for name in colours if name != "remind-3"]
    assert seen == ["blue", "orange", "red"][: len(seen)]


def test_13710_asks_on_the_3rd_7th_and_30th_day_and_never_lets_go():
    acted = live(WAITING, THE_13710, every_day(TOLD, 700))
    spoken = [(on, step.speak.rung.name) for on, step in acted if step.speak]
    assert [((on - TOLD).days, name) for on, name in spoken[:3]] == [
        (3, "feedback-3"),
        (7, "progress-7"),
        (30, "progress-30"),
    ]
    assert spoken[3] == (day(-3), "remind-3")
    chases = [(on - DUE).days for on, name in spoken if name == "chase"]
    assert chases == list(range(1, 1 + 7 * 52, 7))
    proposed = [((on - DUE).days, named(step.propose)) for on, step in acted if step.propose]
    assert proposed == [(7, ("formal", 1)), (30, ("circular", 1))]


def test_a_superior_and_a_coordinator_hear_only_formal_rungs_of_the_presets():
    for ladder in PRESETS.values():
        for rung in ladder.rungs:
            assert (rung.to == (Audience.AGENCY,)) == (not rung.approval)


# What was said stays said.


def test_a_due_day_that_moves_in_a_round_does_not_repeat_a_rung():
    """As when a calendar is announced: the turn lies ahead again, but it is used up."""
    heard = replace(WAITING, heard_on=day(1), spoken={"chase": day(1)}, times={"chase": 1})
    moved = replace(heard, due_on=day(3))
    assert decide(moved, DEFAULT, EVERY_DAY, day(4)).speak is None
    assert named(decide(moved, DEFAULT, EVERY_DAY, day(11)).speak) == ("chase", 2)


def test_a_rung_that_counts_from_a_repeated_one_is_spoken_once():
    ladder = Ladder(
        "two",
        (
            Rung("chase", Kind.CHASE, 1, every=7, times=4),
            Rung("formal", Kind.FORMAL, 5, Anchor.PREVIOUS, approval=True),
        ),
    )
    acted = live(WAITING, ladder, every_day(TOLD, 200))
    assert offsets(acted) == [(days, "chase") for days in (1, 8, 15, 22)]
    assert [(on - DUE).days for on, step in acted if step.propose] == [6]


def test_a_step_changes_nothing_where_nothing_was_said():
    assert after(WAITING, Step(Reason.NOT_YET, day(1)), day(0)) is WAITING


def test_the_letter_that_opens_a_round_makes_it_told():
    step = decide(UNOPENED, DEFAULT, EVERY_DAY, TOLD)
    assert after(UNOPENED, step, TOLD) == WAITING


LOOKS = st.lists(st.integers(1, 500), min_size=1, max_size=60, unique=True).map(sorted)
"""The days after the opening letter on which the program ran; the others are outages."""

ANY_LADDER = ladders() | st.sampled_from(list(PRESETS.values()))
ANY_CALENDAR = st.sampled_from((CHINA, WEEKDAYS, EVERY_DAY))
ANY_DUTY = st.tuples(st.integers(-60, 300), st.booleans()).map(
    lambda one: replace(WAITING, due_on=TOLD + timedelta(days=one[0]), soft=one[1])
)


@given(ANY_DUTY, ANY_LADDER, ANY_CALENDAR, LOOKS)
def test_nothing_is_said_twice_and_a_day_says_one_thing(
    duty: Chased, ladder: Ladder, calendar: Calendar, looks: list[int]
):
    acted = live(duty, ladder, [TOLD + timedelta(days=n) for n in looks], calendar)
    said = [named(one) for _, step in acted for one in (step.speak, step.propose) if one]
    assert len(set(said)) == len(said)
    for _, step in acted:
        passed = [named(one) for one in step.superseded]
        assert not {named(step.speak), named(step.propose)} & set(passed)


@given(ANY_DUTY, ANY_LADDER, ANY_CALENDAR, LOOKS)
def test_letters_go_on_working_days_and_gentle_ones_up_to_the_due_day(
    duty: Chased, ladder: Ladder, calendar: Calendar, looks: list[int]
):
    for on, step in live(duty, ladder, [TOLD + timedelta(days=n) for n in looks], calendar):
        assert calendar.working(on)
        for one in (step.speak, step.propose):
            gentle = one is None or one.rung.kind in GENTLE
            assert on <= duty.due_on if gentle and one else True
            assert gentle or not duty.soft


@given(ANY_DUTY, ANY_LADDER, ANY_CALENDAR, st.integers(1, 500))
def test_after_an_outage_there_is_one_step_with_the_highest_rung(
    duty: Chased, ladder: Ladder, calendar: Calendar, first: int
):
    today = calendar.next_working(TOLD + timedelta(days=first)).day
    step = decide(duty, ladder, calendar, today)
    places = {rung.name: place for place, rung in enumerate(ladder.rungs)}
    height = [(places[one.rung.name], one.n) for one in step.superseded]
    free = [(places[one.rung.name], one.n) for one in step.superseded if not one.rung.approval]
    if step.speak:
        assert (places[step.speak.rung.name], step.speak.n) > max(free, default=(-1, 0))
    if step.propose:
        assert (places[step.propose.rung.name], step.propose.n) > max(height, default=(-1, 0))
    again = decide(after(duty, step, today), ladder, calendar, today)
    assert again.speak is None
    assert again.propose is None


@given(ANY_DUTY, ANY_LADDER, ANY_CALENDAR, st.booleans(), st.integers(0, 40))
def test_asking_on_the_promised_days_is_asking_every_day(
    duty: Chased, ladder: Ladder, calendar: Calendar, opened: bool, held: int
):
    start = duty if opened else replace(UNOPENED, due_on=duty.due_on, soft=duty.soft)
    start = replace(start, held_until=TOLD + timedelta(days=held - 1) if held else None)
    promised: list[tuple[date, Step]] = []
    asked, today = start, TOLD
    while today and today < TOLD + timedelta(days=900):
        step = decide(asked, ladder, calendar, today)
        assert step.next_on is None or step.next_on > today
        promised += [(today, step)] if step.speak or step.propose else []
        asked, today = after(asked, step, today), step.next_on
    assert promised == live(start, ladder, every_day(TOLD, 900), calendar)


@given(ANY_DUTY, ANY_LADDER, ANY_CALENDAR, LOOKS, st.integers(1, 500))
def test_after_a_submission_nothing_is_said(
    duty: Chased, ladder: Ladder, calendar: Calendar, looks: list[int], submitted: int
):
    days = [TOLD + timedelta(days=n) for n in looks]
    for today in days:
        if today < TOLD + timedelta(days=submitted):
            duty = after(duty, decide(duty, ladder, calendar, today), today)
    silent = replace(duty, waiting=False)
    assert live(silent, ladder, days, calendar) == []


def test_a_sweep_of_twenty_thousand_duties_takes_about_half_a_second():
    """One in fifty has something to hear, on the longest of the ladders."""
    duties = [
        replace(
            WAITING,
            due_on=day(n % 60),
            told_on=TOLD + ONE_DAY * (n % 50),
            heard_on=day(-16) if n % 50 else None,
        )
        for n in range(20_000)
    ]
    started = process_time()
    for duty in duties:
        decide(duty, THE_13710, CHINA, day(-15))
    assert process_time() - started < 5  # a slow machine must not fail
