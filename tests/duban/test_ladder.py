"""The chase's one decision: a table of days, and laws that hold on every calendar of outages."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.ladder import DEFAULT_LADDER, Chased, Kind, Reason, Step, decide

DUE = date(2026, 3, 20)
TOLD = date(2026, 1, 1)
WAITING = Chased(waiting=True, closed=False, soft=False, due_on=DUE, told_on=TOLD)


def day(offset: int) -> date:
    return DUE + timedelta(days=offset)


@pytest.mark.parametrize(
    ("offset", "rung", "n"),
    [
        (-8, None, 0),
        (-7, "remind-7", 1),
        (-4, "remind-7", 1),  # missed for three days, still worth saying
        (-3, "remind-3", 1),  # supersedes the other
        (0, "remind-3", 1),
        (1, "chase", 1),
        (8, "chase", 2),
        (36, "chase", 6),
        (400, "chase", 6),  # after an outage: once, with the latest
    ],
)
def test_on_a_day_the_latest_rung_is_spoken(offset: int, rung: str | None, n: int):
    step = decide(WAITING, DEFAULT_LADDER, day(offset))
    assert (step.rung and step.rung.name, step.n) == (rung, n)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"waiting": False}, Reason.SUBMITTED),
        ({"waiting": False, "closed": True}, Reason.CLOSED),
        ({"told_on": None}, Reason.NOT_DELIVERED),
        ({"last_spoken": day(1)}, Reason.NOT_YET),
        ({"last_spoken": day(36)}, Reason.EXHAUSTED),
        ({"soft": True, "last_spoken": day(-3)}, Reason.EXHAUSTED),
    ],
)
def test_silence_has_a_named_reason(changed: dict[str, object], reason: Reason):
    duty = replace(WAITING, **changed)  # pyright: ignore[reportArgumentType]
    step = decide(duty, DEFAULT_LADDER, day(2))
    assert (step.reason, step.rung) == (reason, None)


def test_before_the_first_letter_is_delivered_the_chase_asks_again_tomorrow():
    step = decide(replace(WAITING, told_on=None), DEFAULT_LADDER, day(9))
    assert step == Step(Reason.NOT_DELIVERED, next_on=day(10))


def test_a_chase_counts_from_the_later_of_due_day_and_first_delivered_letter():
    late = replace(WAITING, told_on=day(100))  # an old deadline, told of only now
    assert decide(late, DEFAULT_LADDER, day(100)).next_on == day(101)
    step = decide(late, DEFAULT_LADDER, day(101))
    assert (step.rung and step.rung.name, step.n, step.day) == ("chase", 1, day(101))
    assert step.next_on == day(108)


def test_reminders_that_fell_before_the_first_letter_are_not_made_up_for():
    late = replace(WAITING, told_on=day(-5))
    assert decide(late, DEFAULT_LADDER, day(-5)).next_on == day(-3)


LOOKS = st.lists(st.integers(-30, 120), min_size=1, max_size=60, unique=True).map(sorted)
"""The days on which the program ran; the others are outages."""


def spoken(duty: Chased, looks: list[int], silent_from: int | None = None) -> list[Step]:
    """What is said when the chase runs on just these days."""
    said: list[Step] = []
    for offset in looks:
        if silent_from is not None and offset >= silent_from:
            duty = replace(duty, waiting=False)
        step = decide(duty, DEFAULT_LADDER, day(offset))
        if step.rung:
            said.append(step)
            duty = replace(duty, last_spoken=step.day)
    return said


@given(LOOKS, st.booleans(), st.integers(-40, 110))
def test_no_rung_is_spoken_twice_and_days_only_go_forward(looks: list[int], soft: bool, told: int):
    duty = replace(WAITING, soft=soft, told_on=day(told))
    said = spoken(duty, [offset for offset in looks if offset >= told])
    names = [(step.rung.name, step.n) for step in said if step.rung]
    days = [step.day for step in said if step.day]
    assert len(set(names)) == len(names)
    assert days == sorted(set(days))
    assert all(one > day(told) for one in days)


@given(LOOKS, st.booleans())
def test_a_soft_duty_is_reminded_but_never_chased(looks: list[int], soft: bool):
    said = spoken(replace(WAITING, soft=soft), looks)
    if soft:
        assert all(step.rung and step.rung.kind is Kind.REMIND for step in said)


@given(LOOKS, st.integers(-30, 120))
def test_after_a_submission_nothing_is_said(looks: list[int], submitted: int):
    until = [offset for offset in looks if offset < submitted]
    assert spoken(WAITING, looks, silent_from=submitted) == spoken(WAITING, until)


@given(LOOKS)
def test_the_next_day_promised_is_the_next_day_that_speaks(looks: list[int]):
    """Between two looks nothing is due, so the ledger need not ask."""
    duty = WAITING
    for offset in looks:
        step = decide(duty, DEFAULT_LADDER, day(offset))
        duty = replace(duty, last_spoken=step.day or duty.last_spoken)
        ahead = (offset + n for n in range(1, 80))
        speaks = (day(n) for n in ahead if decide(duty, DEFAULT_LADDER, day(n)).rung)
        assert step.next_on == next(speaks, None)


def test_day_by_day_every_rung_is_spoken_on_its_day():
    said = spoken(WAITING, list(range(-60, 60)))
    offsets = [(step.day - DUE).days for step in said if step.day]
    assert offsets == [-7, -3, 1, 8, 15, 22, 29, 36]
