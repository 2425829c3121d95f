"""Opens the ledger's database, SQLite in the data folder or PostgreSQL; migrates or refuses it."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from duban.errors import DubanError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30


class LedgerUnreadable(DubanError):
    """The ledger's database cannot be used."""


def open_database(url: str) -> Engine:
    """An engine on a ledger of this version, created or migrated if need be.

    Args:
        url: a SQLAlchemy URL, `sqlite:///…/ledger.db` or `postgresql+psycopg://…`.

    Raises:
        LedgerUnreadable: damaged, newer than this program, out of reach, or no known kind.
    """
    try:
        engine = make_engine(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise LedgerUnreadable(
            "DUBAN_DATABASE_URL is no database address; write sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/NAME."
        ) from error
    try:
        with engine.connect() as connection:
            _migrate(connection, url)
    except BaseException as error:
        engine.dispose()  # its connection would stay open until it is collected
        if isinstance(error, DBAPIError):
            raise LedgerUnreadable(_plainly(url, error)) from error
        raise
    return engine


def make_engine(url: str) -> Engine:
    """The engine alone, without looking at what is in the database."""
    if not make_url(url).drivername.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # SQLAlchemy's begin event speaks BEGIN itself
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    """Takes the write lock at once: a reader that turns writer would fail behind a busy file."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _migrate(connection: Connection, url: str) -> None:
    config = alembic_config(connection)
    known = ScriptDirectory.from_config(config)
    with connection.begin():
        present = MigrationContext.configure(connection).get_current_revision()
    if present == known.get_current_head():
        return
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise LedgerUnreadable(
            f"The ledger {_where(url)} was written by a newer Duban; install that version, or "
            "point DUBAN_HOME at another folder."
        ) from error


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _where(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _plainly(url: str, error: DBAPIError) -> str:
    detail = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
    if "not a database" in detail or "malformed" in detail:
        return f"The ledger {_where(url)} is damaged ({detail}); restore it from a backup."
    if "locked" in detail:
        return f"The ledger {_where(url)} is in use by another program; stop it and try again."
    return f"The ledger {_where(url)} cannot be opened ({detail}); check address and rights."


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A connection for questions only: one consistent view, no write lock."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
