"""One ledger in PostgreSQL for all tests of a process: a new one each takes longer than most do."""

import time

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from duban.ledger.database import open_database
from tests.moments import moment_of

PATIENCE = 30.0  # seconds for connections that are closing, on a busy machine

_OTHERS = """
    FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_SHAPE = " UNION ALL ".join(
    f"SELECT count(*), sum(xmin::text::bigint) FROM {catalog} WHERE {number} >= 16384"
    for catalog, number in (
        ("pg_class", "oid"),
        ("pg_attribute", "attrelid"),
        ("pg_constraint", "oid"),
        ("pg_trigger", "oid"),
        ("pg_proc", "oid"),
        ("pg_namespace", "oid"),
    )
)
"""Another whenever a test has changed anything but rows."""


class Reused:
    """A database with an empty ledger, put back after each test to what it was.

    Attributes:
        url: its address, always the same.
    """

    def __init__(self, server: str) -> None:
        self.url = make_url(server).set(database="ledger").render_as_string(hide_password=False)
        self._server = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._make()

    def _make(self) -> None:
        with self._server.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS ledger")
            connection.exec_driver_sql("CREATE DATABASE ledger")
        open_database(self.url).dispose()
        self._engine = create_engine(self.url, pool_size=1)
        self._first = moment_of(self._engine)
        self._shape = shape_of(self._engine)

    def put_back(self) -> None:
        """Undoes what a test did.

        Raises:
            AssertionError: it left a connection open; that is closed, so that it shows only here.
        """
        left = self._left_open()
        if shape_of(self._engine) == self._shape:
            self._first.come_back(self._engine)
        else:
            self._engine.dispose()
            self._make()
        assert not left, f"the test left {left} connections open"

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def _left_open(self) -> int:
        end = time.monotonic() + PATIENCE
        with self._engine.connect() as connection:
            while count := connection.exec_driver_sql(f"SELECT count(*) {_OTHERS}").scalar_one():
                if time.monotonic() > end:
                    connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
                    return int(count)
                connection.rollback()  # what it sees of the others would stay the same
                time.sleep(0.01)
        return 0


def shape_of(engine: Engine) -> list[tuple[int, int]]:
    """The tables, columns, constraints and triggers of a database, as numbers to compare."""
    with engine.connect() as connection:
        return [(count, total) for count, total in connection.exec_driver_sql(_SHAPE)]
