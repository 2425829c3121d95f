"""Silence of the chase is told once, and no longer once it is over."""

import pytest
from sqlalchemy import select

from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.tables import History
from duban.ledger.tasks import open_tasks
from duban.ledger.watch import Missed, missed, report
from duban.office import Office
from tests.conftest import china

FRIDAY = china("2026-03-06", "08:31")


def actions(office: Office) -> list[str]:
    with reading(office.ledger.engine) as connection:
        found = connection.scalars(select(History.action).order_by(History.seq)).all()
    return [one for one in found if one.startswith("tick-")]


@pytest.fixture
def chased(office: Office) -> Office:
    """An office whose last chase was on a Friday morning."""
    open_missing(office.ledger, FRIDAY)
    return office


def test_a_ledger_that_was_never_chased_reports_nothing(office: Office) -> None:
    assert missed(office.ledger, FRIDAY) is None
    assert report(office.ledger, FRIDAY) is None
    assert open_tasks(office.ledger) == []


@pytest.mark.parametrize(
    ("day", "time", "chases"),
    [
        ("2026-03-06", "23:59", 0),
        ("2026-03-07", "23:59", 0),  # one chase is missed: it may be late
        ("2026-03-08", "09:29", 0),  # so may the second
        ("2026-03-08", "09:30", 2),
        ("2026-03-09", "12:00", 3),
    ],
)
def test_two_missed_chases_are_an_outage(chased: Office, day: str, time: str, chases: int) -> None:
    found = missed(chased.ledger, china(day, time))
    assert found == (Missed(FRIDAY, chases) if chases else None)


def test_a_clause_that_opened_is_no_chase_and_neither_is_a_trial_of_a_day_to_come(
    chased: Office,
) -> None:
    open_missing(chased.ledger, china("2026-03-08", "08:00"), clause="small/1")
    open_missing(chased.ledger, china("2027-01-05"))
    assert missed(chased.ledger, china("2026-03-08")) is None
    assert missed(chased.ledger, china("2026-03-08", "12:00")) == Missed(FRIDAY, 2)


def test_an_outage_is_one_task_and_one_row_of_history_however_often_one_looks(
    chased: Office,
) -> None:
    assert report(chased.ledger, china("2026-03-08", "12:00")) == Missed(FRIDAY, 2)
    assert report(chased.ledger, china("2026-03-08", "12:01")) is None
    assert report(chased.ledger, china("2026-03-10", "12:00")) is None
    (task,) = open_tasks(chased.ledger)
    assert task.what.startswith("恢复每日催办")
    assert task.about == "最近一次催办：2026-03-06"
    assert actions(chased) == ["tick-missed"]


def test_the_next_chase_closes_the_task_and_a_later_outage_opens_it_again(chased: Office) -> None:
    report(chased.ledger, china("2026-03-08", "12:00"))
    open_missing(chased.ledger, china("2026-03-08", "12:30"))
    assert report(chased.ledger, china("2026-03-08", "12:31")) is None
    assert open_tasks(chased.ledger) == []
    report(chased.ledger, china("2026-03-20"))
    assert len(open_tasks(chased.ledger)) == 1
    assert actions(chased) == ["tick-missed", "tick-again", "tick-missed"]
