"""A ledger that is full or locked: one clear failure, nothing half done, nothing said twice."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError

from duban.ledger import Ledger, database
from duban.ledger.change import first_broken_link
from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.tables import Attempt, Duty, History, Letter, Mention
from duban.registry import Registry
from tests.conftest import at, china
from tests.duban.ledger.conftest import nowhere

NEW_YEAR, REMINDER = china("2026-01-05"), china("2026-03-13")


@pytest.fixture
def impatient(
    sqlite_url: str, small: Registry, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    """A ledger on SQLite that waits a tenth of a second for a lock."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    engine = database.make_engine(sqlite_url)
    yield Ledger(engine, small)
    engine.dispose()


@contextmanager
def no_room(engine: Engine) -> Generator[None]:
    """The disk is full: not a page more than there is."""
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    engine.dispose()

    def limit(connection: DBAPIConnection, _record: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


def counts(ledger: Ledger) -> dict[str, int]:
    with reading(ledger.engine) as connection:
        return {
            model.__tablename__: connection.scalar(select(func.count()).select_from(model)) or 0
            for model in (Duty, Letter, Mention, Attempt, History)
        }


def test_a_full_disk_stops_an_opening_whole_and_it_goes_on_when_there_is_room(impatient: Ledger):
    empty = counts(impatient)
    with no_room(impatient.engine), pytest.raises(OperationalError, match="full"):
        open_missing(impatient, NEW_YEAR)
    assert counts(impatient) == empty
    done = open_missing(impatient, NEW_YEAR)
    assert done.opened == done.expected
    with reading(impatient.engine) as connection:
        assert first_broken_link(connection) is None


def test_a_full_disk_loses_no_letter(impatient: Ledger):
    open_missing(impatient, NEW_YEAR)
    letters = counts(impatient)["letter"]
    with no_room(impatient.engine), pytest.raises(OperationalError, match="full"):
        nowhere(impatient).deliver(at(NEW_YEAR))
    nowhere(impatient).deliver(at(china("2026-01-06")))
    with reading(impatient.engine) as connection:
        states = connection.execute(select(Letter.state, func.count()).group_by(Letter.state))
        assert dict(states.tuples().all()) == {"sent": letters}


def test_a_locked_ledger_is_left_alone_and_the_chase_says_everything_later(impatient: Ledger):
    open_missing(impatient, NEW_YEAR)
    nowhere(impatient).deliver(at(NEW_YEAR))
    before = counts(impatient)
    with impatient.engine.connect() as other, other.begin():
        for work in (
            lambda: chase(impatient, REMINDER),
            lambda: open_missing(impatient, china("2026-04-01")),
        ):
            with pytest.raises(OperationalError, match="locked"):
                work()
    assert counts(impatient) == before
    assert chase(impatient, REMINDER).spoken > 0
    assert chase(impatient, REMINDER).asked == 0
