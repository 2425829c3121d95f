"""What the board counts and the list shows: one selection, whichever way it is asked."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from duban.duty import DUE_NEXT, DUE_SOON, WAITING, Light, Status, due_soon, light, overdue
from duban.ledger import Ledger
from duban.ledger.browsing import (
    PAGE,
    SITUATIONS,
    SORTS,
    Happenings,
    Selection,
    State,
    Then,
    Today,
    happened,
    last_said,
    situation_of,
    tally,
)
from duban.ledger.change import change
from duban.ledger.questions import DutyView, duties
from duban.ledger.tables import ClauseVersion, Duty, Letter, Mention
from tests.conftest import china

NOW = china("2026-03-02", "10:00")
AGENCIES = ("省/教育", "东/教育", "东/妇联", "东/共青团", "西/教育", "西/妇联", "北/旧局")
DUES = (
    *(timedelta(days=days) for days in (-400, -30, -1, 1, 6, 8, 90)),
    timedelta(),
    DUE_SOON,
    timedelta(microseconds=-1),
    timedelta(microseconds=1),
    DUE_SOON + timedelta(microseconds=1),
    DUE_NEXT,
    DUE_NEXT + timedelta(microseconds=1),
)


def random_duties(ledger: Ledger, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Duties of every kind; many fall due just where the rules change."""
    chance = random.Random(seed)
    for n in range(count):
        placed = chance.choice(ledger.registry.tracked)
        due_at = NOW + chance.choice(DUES)
        yield {
            "clause": placed.key,
            "version": placed.clause.version,
            "cycle": placed.clause.cycles[0].name,
            "agency": chance.choice(AGENCIES),
            "period": chance.choice(("2026", "2026Q1")) + f"x{n}",
            "status": chance.choice(list(Status)).value,
            "soft": chance.random() < 0.3,
            "nil": chance.random() < 0.3,
            "opened_at": NOW - timedelta(days=500),
            "opens_on": date(2024, 1, 1),
            "due_at": due_at,
            "original_due_at": due_at - timedelta(days=chance.choice((0, 0, 10))),
            "submitted_at": chance.choice((None, due_at - timedelta(days=chance.randint(-9, 9)))),
            "done": False,
            "round": 1,
            "opener": "assign",
            "revision": 1,
            "provisional": False,
        }


def fill(ledger: Ledger, seed: int, count: int) -> list[DutyView]:
    with ledger.engine.begin() as connection:
        versions = [
            {
                "clause": placed.key,
                "version": placed.clause.version,
                "content": placed.clause.model_dump(mode="json"),
                "first_seen_at": NOW,
            }
            for placed in ledger.registry.tracked
        ]
        connection.execute(insert(ClauseVersion), versions)
        connection.execute(insert(Duty), list(random_duties(ledger, seed, count)))
    return duties(ledger)


def selections(found: Sequence[DutyView]) -> Iterator[Selection]:
    """Each filter alone, and all of them together."""
    some = found[len(found) // 2]
    yield Selection()
    alone: tuple[dict[str, str], ...] = (
        {"notice": "small"},
        {"notice": "other"},
        {"section": some.clause.section},
        {"clause": some.clause_key},
        {"region": "东"},
        {"region": "北"},
        {"within": "西"},
        {"within": "西", "region": "东"},
        {"department": "教育"},
        {"agency": "北/旧局"},
        {"period": some.period},
        {"text": "妇联"},
        {"text": "旧局"},
        {"text": "方案"},
        {"text": f"{some.id}"},
        {"text": "%"},
    )
    for one in alone:
        yield replace(Selection(), **one)
    yield Selection(
        notice="small",
        section=some.clause.section,
        region=some.agency.region,
        department=some.agency.department,
        text=some.agency.id,
    )


def has(*statuses: Status) -> Callable[[DutyView], bool]:
    return lambda duty: duty.status in statuses


def shows(which: Light) -> Callable[[DutyView], bool]:
    return lambda duty: light(duty.standing, NOW) is which


RULES: dict[State, Callable[[DutyView], bool]] = {
    State.REQUIRED: has(Status.OPEN, Status.RETURNED, Status.SUBMITTED, Status.ACCEPTED),
    State.EXCUSED: has(Status.WAIVED, Status.NOT_APPLICABLE),
    State.OVERDUE: lambda duty: overdue(duty.standing, NOW),
    State.DUE_SOON: lambda duty: due_soon(duty.standing, NOW),
    State.DUE_NEXT: lambda duty: (
        duty.status in WAITING and NOW <= duty.due_at <= NOW + timedelta(days=30)
    ),
    State.NIL: lambda duty: duty.nil and duty.status in (Status.SUBMITTED, Status.ACCEPTED),
    State.OPEN: has(Status.OPEN),
    State.RETURNED: has(Status.RETURNED),
    State.SUBMITTED: has(Status.SUBMITTED),
    State.ACCEPTED: has(Status.ACCEPTED),
    **{State(one.value): shows(one) for one in Light},
}


@pytest.mark.parametrize("seed", range(3))
def test_the_database_counts_what_the_rules_say_of_each_duty(ledger: Ledger, seed: int) -> None:
    found = fill(ledger, seed, 700)
    today = Today(ledger, NOW)
    numbers = tally(today.counted(Selection()), NOW)
    assert RULES.keys() == set(State)
    for state, rule in RULES.items():
        expected = sum(map(rule, found))
        assert numbers[state] == expected, state
        assert today.count(Selection(state=state)) == expected, state


def test_today_and_a_past_day_select_count_and_sort_alike(ledger: Ledger) -> None:
    found = fill(ledger, 5, 400)
    today, then = Today(ledger, NOW), Then(ledger, NOW, found)
    for selection in selections(found):
        assert set(today.counted(selection)) == set(then.counted(selection))
        for state in (None, *State):
            sought = replace(selection, state=state)
            assert today.count(sought) == then.count(sought)
    for sort in SORTS:
        for name in (sort, f"-{sort}"):
            for skip in (0, PAGE):
                mine = [duty.id for duty in today.page(Selection(), name, skip)]
                if sort in ("agency", "period"):  # databases order Chinese by rules of their own
                    assert len(mine) == PAGE
                else:
                    assert mine == [d.id for d in then.page(Selection(), name, skip)], name


def test_a_list_shows_every_duty_once_whatever_its_order(ledger: Ledger) -> None:
    found = fill(ledger, 6, 250)
    today = Today(ledger, NOW)
    for sort in SORTS:
        pages = [one.id for skip in (0, 100, 200) for one in today.page(Selection(), sort, skip)]
        assert sorted(pages) == sorted(duty.id for duty in found)


def test_what_is_overdue_comes_first(ledger: Ledger) -> None:
    fill(ledger, 7, 300)
    shown = Today(ledger, NOW).page(Selection(), "", 0)
    order = [list(Light).index(duty.light(NOW)) for duty in shown]
    assert order == sorted(order)
    red = [duty.due_at for duty in shown if duty.light(NOW) is Light.RED]
    assert red == sorted(red)


def test_duties_in_one_situation_are_told_apart_by_no_rule() -> None:
    for situation in SITUATIONS:
        standing = situation.standing(NOW)
        duty: Any = type("Stands", (), {"status": standing.status, "due_at": standing.due_at})()
        duty.standing, duty.nil = standing, situation.nil
        assert situation_of(duty, NOW) == situation


def test_the_last_word_is_neither_a_copy_nor_a_receipt_nor_what_went_unsaid(
    ledger: Ledger,
) -> None:
    [first, second, *_] = [duty.id for duty in fill(ledger, 8, 10)]
    with ledger.engine.begin() as connection:
        letter = {"channel": "drop", "day": date(2026, 1, 5), "part": 1, "not_before": NOW}
        letter |= {"attempts": 0, "fence": 0, "recipient": "东/教育"}
        connection.execute(insert(Letter), letter | {"id": 1, "kind": "remind", "state": "sent"})
        connection.execute(insert(Letter), letter | {"id": 2, "kind": "chase", "state": "dead"})
        for n, (duty, rung, day, about, said) in enumerate(
            (
                (first, "remind-7", 5, 1, True),
                (first, "chase", 9, 2, True),
                (first, "formal", 10, None, False),
                (first, "copy", 11, None, True),
                (first, "receipt", 12, None, True),
                (second, "call", 6, None, True),
            )
        ):
            row = {"duty_id": duty, "rung": rung, "day": date(2026, 1, day), "letter_id": about}
            row |= {"recipient": "东/教育", "round": 1, "n": n, "said": said}
            connection.execute(insert(Mention), row)
    said = last_said(ledger, [first, second])
    assert (said[first].rung, said[first].letter, said[first].state) == ("chase", 2, "dead")
    assert (said[second].rung, said[second].letter, said[second].state) == (
        "call",
        None,
        "telephone",
    )
    assert last_said(ledger, [first], date(2026, 1, 8))[first].rung == "remind-7"


def moment(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


def test_history_is_read_backwards_page_by_page_and_by_filter(ledger: Ledger) -> None:
    found = fill(ledger, 9, 30)
    east = [duty.id for duty in found if duty.agency.region == "东"]
    for n in range(250):
        with change(ledger.engine, moment(n), "甲" if n % 3 else "乙") as made:
            made.record("called" if n % 2 else "held", found[n % 30].id if n % 5 else None, f"{n}")
    seen: list[int] = []
    sought = Happenings()
    while rows := happened(ledger, sought)[:PAGE]:
        seen += [one.seq for one in rows]
        sought = replace(sought, before=rows[-1].seq)
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 250
    assert {one.actor for one in happened(ledger, Happenings(actor="乙"))} == {"乙"}
    assert {one.action for one in happened(ledger, Happenings(action="held"))} == {"held"}
    duty = found[1].id
    assert {one.duty_id for one in happened(ledger, Happenings(duty_id=duty))} == {duty}
    hour = Happenings(between=(moment(60), moment(120)))
    assert sorted(int(one.text) for one in happened(ledger, hour)) == list(range(60, 120))
    assert {one.duty_id for one in happened(ledger, Happenings(within="东"))} == set(east) & {
        found[n % 30].id for n in range(250) if n % 5
    }
