"""The ledger that tests share in PostgreSQL is as new for each of them."""

import pytest
from sqlalchemy import inspect

from duban.ledger import Ledger
from duban.ledger.database import make_engine
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.registry import Registry
from tests import reused as module
from tests.conftest import china
from tests.moments import moment_of
from tests.reused import Reused


@pytest.mark.parametrize("change", ["", "CREATE TABLE mine (a int)", "ALTER TABLE duty ADD b int"])
def test_whatever_was_done_is_undone(reused: Reused, small: Registry, change: str) -> None:
    engine = make_engine(reused.url)
    before, columns = moment_of(engine), inspect(engine).get_columns("duty")
    open_missing(Ledger(engine, small), china("2026-01-05"), clause="small/1")
    assert [one.id for one in duties(Ledger(engine, small))] == [1, 2]
    if change:
        with engine.begin() as connection:
            connection.exec_driver_sql(change)
    engine.dispose()
    reused.put_back()
    assert moment_of(engine) == before  # and so the next duty is number 1 again
    assert len(inspect(engine).get_columns("duty")) == len(columns)
    engine.dispose()


def test_a_connection_that_was_left_open_is_told_once(
    reused: Reused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    engine = make_engine(reused.url)
    left = engine.connect()
    left.exec_driver_sql("SELECT 1")
    with pytest.raises(AssertionError, match="left 1 connections open"):
        reused.put_back()
    reused.put_back()
    left.invalidate()
    left.close()
    engine.dispose()


def test_a_moment_comes_back_in_either_kind_of_database(ledger: Ledger) -> None:
    open_missing(ledger, china("2026-01-05"), clause="small/1")
    moment, found = moment_of(ledger.engine), duties(ledger)
    open_missing(ledger, china("2026-01-05"), clause="small/3")
    assert len(duties(ledger)) > len(found)
    moment.come_back(ledger.engine)
    assert duties(ledger) == found
    open_missing(ledger, china("2026-01-05"), clause="small/3")
    assert [one.id for one in duties(ledger)][:3] == [1, 2, 3]
