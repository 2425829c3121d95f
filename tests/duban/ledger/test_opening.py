"""Opening what is missing: twice opens nothing twice, and two at once open each duty once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import func, select

from duban.duty import Status
from duban.ledger import Ledger
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading
from duban.ledger.opening import Opening, open_missing
from duban.ledger.questions import duties
from duban.ledger.tables import ClauseVersion, Duty, Letter, Mention, Tick
from tests.conftest import china

NOW = china("2026-02-02")


def test_the_first_tick_opens_all_and_the_second_nothing(ledger: Ledger):
    first = open_missing(ledger, NOW)
    assert first.expected == first.opened == len(duties(ledger)) > 0
    assert open_missing(ledger, NOW) == Opening(first.expected, 0)
    with reading(ledger.engine) as connection:
        ticks = connection.execute(select(Tick.expected, Tick.opened).order_by(Tick.id)).all()
    assert [tuple(row) for row in ticks] == [(14, 14), (14, 0)]


def test_a_duty_opens_with_its_dates_and_its_clauses_version(ledger: Ledger):
    open_missing(ledger, NOW, clause="small/1")
    for duty in duties(ledger):
        assert (duty.status, duty.period, duty.revision) == (Status.OPEN, "2026Q1", 1)
        assert duty.due_at == duty.original_due_at == china("2026-03-20", "23:59:59")
        assert duty.opened_at == NOW
        assert duty.clause == ledger.registry.clauses["small/1"].clause
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(ClauseVersion)) == 1


def test_one_clause_alone_can_be_opened(ledger: Ledger):
    assert open_missing(ledger, NOW, clause="small/1") == Opening(2, 2)
    assert {duty.clause_key for duty in duties(ledger)} == {"small/1"}


def test_earlier_periods_are_opened_when_asked_for(ledger: Ledger):
    open_missing(ledger, NOW, clause="small/1", since=date(2025, 1, 1))
    assert {duty.period for duty in duties(ledger)} == {"2025Q4", "2026Q1"}


def test_the_first_letters_go_to_who_reports_and_to_who_shares(ledger: Ledger):
    open_missing(ledger, NOW, clause="small/1")
    question = select(Letter.recipient, Letter.kind).order_by(Letter.id)
    with reading(ledger.engine) as connection:
        letters = {tuple(row) for row in connection.execute(question)}
    assert letters == {
        ("东/妇联", "assign"),
        ("东/教育", "copy"),
        ("西/妇联", "assign"),
        ("西/教育", "copy"),
    }


def test_the_next_quarter_opens_beside_the_last(ledger: Ledger):
    open_missing(ledger, china("2026-03-31"), clause="small/1")
    open_missing(ledger, china("2026-04-01", "00:00"), clause="small/1")
    assert sorted(duty.period for duty in duties(ledger)) == ["2026Q1"] * 2 + ["2026Q2"] * 2


@pytest.mark.parametrize("workers", [2, 4])
def test_several_openers_at_once_open_each_duty_once(ledger: Ledger, workers: int):
    start = Barrier(workers)

    def opened(_: int) -> Opening:
        start.wait()
        return open_missing(ledger, NOW)

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(opened, range(workers)))
    assert sum(one.opened for one in found) == found[0].expected
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(Duty)) == found[0].expected
        firsts = select(func.count()).select_from(Mention).where(Mention.rung == "assign")
        assert connection.scalar(firsts) == found[0].expected
        assert first_broken_link(connection) is None


def test_clauses_opened_at_once_for_the_same_agency_share_one_letter(ledger: Ledger):
    """Each clause is a flow of its own, and all of them wake at the same minute."""
    clauses = ["small/1", "small/4", "small/6"]
    start = Barrier(len(clauses))

    def opened(clause: str) -> int:
        start.wait()
        return open_missing(ledger, NOW, clause=clause).opened

    with ThreadPoolExecutor(len(clauses)) as pool:
        assert sum(pool.map(opened, clauses)) == 2 + 2 + 4
    question = select(Letter.id).where(Letter.recipient == "东/妇联", Letter.kind == "assign")
    with reading(ledger.engine) as connection:
        assert len(connection.scalars(question).all()) == 1
