"""What a ledger holds at one moment, to be there again in another test: quicker than anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from sqlalchemy import Connection, Engine, inspect, text

_BEGIN_AGAIN = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"
_GIVEN = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"


class Moment(Protocol):
    """All rows of a ledger."""

    def come_back(self, engine: Engine) -> None:
        """Has a ledger with the same tables hold these rows and no others."""
        ...


def moment_of(engine: Engine) -> Moment:
    """What is in a ledger now."""
    return (InFile if engine.dialect.name == "sqlite" else InPostgres).of(engine)


@dataclass(frozen=True)
class InFile:
    """Of SQLite: the file."""

    content: bytes

    @classmethod
    def of(cls, engine: Engine) -> Self:
        return cls(_file_of(engine).read_bytes())

    def come_back(self, engine: Engine) -> None:
        _file_of(engine).write_bytes(self.content)


def _file_of(engine: Engine) -> Path:
    engine.dispose()  # the last connection that closes leaves everything in the one file
    assert engine.url.database
    return Path(engine.url.database)


@dataclass(frozen=True)
class InPostgres:
    """Of PostgreSQL: the rows of each table as COPY writes them, and where its numbers are.

    Attributes:
        tables: of every table, also the empty ones.
        last: the last number that was given, of each sequence that gave one.
    """

    tables: Mapping[str, bytes]
    last: Mapping[str, int]

    @classmethod
    def of(cls, engine: Engine) -> Self:
        with engine.begin() as connection:
            tables = inspect(connection).get_table_names()
            last = connection.exec_driver_sql(_GIVEN)
            return cls(
                {name: _copied(connection, name) for name in tables},
                {row.sequencename: row.last_value for row in last},
            )

    def come_back(self, engine: Engine) -> None:
        with engine.begin() as connection:
            # No trigger speaks: not that history is append-only, nor what refers to what.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("; ".join(f'DELETE FROM "{name}"' for name in self.tables))
            connection.exec_driver_sql(_BEGIN_AGAIN)
            for name, last in self.last.items():
                connection.execute(
                    text("SELECT setval(:name, :last)"), {"name": name, "last": last}
                )
            for name, rows in self.tables.items():
                if rows:
                    _copy_in(connection, name, rows)


def _copied(connection: Connection, table: str) -> bytes:
    cursor = connection.connection.cursor()
    with cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
        return b"".join(rows)


def _copy_in(connection: Connection, table: str, rows: bytes) -> None:
    with connection.connection.cursor().copy(f'COPY "{table}" FROM STDIN') as into:
        into.write(rows)
