"""Copies a ledger from any database into any other, and proves that the copy is the same."""

from collections.abc import Callable, Sequence
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, delete, exists, func, insert, select
from sqlalchemy.exc import DBAPIError

from duban.errors import DubanError
from duban.ledger.audit import Head, faults
from duban.ledger.database import MIGRATIONS, reading
from duban.ledger.tables import Base, ChainHead

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much of it is."""

TABLES: Sequence[Table] = tuple(Base.metadata.sorted_tables)
"""Every table of the ledger, those first that others point to."""

_ROWS = 1_000  # at a time, so that memory does not grow with the ledger


class NotEmpty(DubanError):
    """The database to copy into holds a ledger already; name an empty one."""


class OtherSchema(DubanError):
    """The ledger has the tables of another version of Duban."""


class NotTheSame(DubanError):
    """The copy is not what was copied; nothing was kept of it."""


class CopyFailed(DubanError):
    """A database did not take or give a row; nothing was kept of the copy."""


class Changed(DubanError):
    """The ledger was changed while it was copied; stop everything that uses it and try again."""


def silent(_doing: str, _done: int, _of: int) -> None:
    """Progress that nobody wants to hear of."""


def known_schemas() -> list[str]:
    """The schemas that this version can read, the newest first."""
    script = ScriptDirectory(str(MIGRATIONS))
    return [revision.revision for revision in script.walk_revisions()]


def schema_of(connection: Connection) -> str | None:
    """The schema of the ledger in a database; None when there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def require_schema(connection: Connection) -> str:
    """This version's schema, which the ledger must have.

    Raises:
        OtherSchema: it has an older or a newer one.
    """
    wanted, *_older = known_schemas()
    found = schema_of(connection)
    if found != wanted:
        raise OtherSchema(
            f"The ledger has the tables of another version of Duban ({found or 'none'}, this one "
            f"writes {wanted}); use the version that wrote it, or start this one once."
        )
    return wanted


def is_used(connection: Connection) -> bool:
    """Whether anything ever happened in the ledger; whatever does leaves a row of history."""
    return bool(connection.scalar(select(ChainHead.seq)))


def copy_ledger(
    source: Engine, target: Engine, heads: Sequence[Head] = (), progress: Progress = silent
) -> int:
    """Copies all rows, as they are at one moment, into an empty ledger; how many.

    Raises:
        NotEmpty, OtherSchema, NotTheSame, CopyFailed: the target is as it was.
    """
    with reading(source) as here, target.begin() as there:
        return copy_rows(here, there, heads, progress)


def move_ledger(source: Engine, target: Engine, progress: Progress = silent) -> int:
    """Copies a ledger that nobody may use meanwhile; how many rows.

    Raises:
        Changed: somebody did; the target is as it was.
        NotEmpty, OtherSchema, NotTheSame, CopyFailed: likewise.
    """
    with reading(source) as here, target.begin() as there:
        rows = copy_rows(here, there, (), progress)
        with reading(source) as later:
            if _head(later) != _head(there):
                raise Changed
        return rows


def _head(connection: Connection) -> tuple[int, str]:
    head = connection.execute(select(ChainHead.seq, ChainHead.hash)).one()
    return head.seq, head.hash


def copy_rows(
    here: Connection, there: Connection, heads: Sequence[Head] = (), progress: Progress = silent
) -> int:
    """Copies all rows between open transactions, and checks them; how many.

    Whoever opened the transactions must undo the target's on an error.
    """
    for connection in (here, there):
        require_schema(connection)
    _require_empty(there)
    counts = {table: _count(here, table) for table in TABLES}
    whole, done = sum(counts.values()), 0
    there.execute(delete(ChainHead))  # an empty ledger has its first link already
    for table in TABLES:
        for rows in _rows_of(here, table):
            _put(there, table, rows)
            done += len(rows)
            progress(f"copying {table.name}", done, whole)
    _set_sequences(there)
    _require_same(there, counts, heads)
    return whole


def _require_empty(there: Connection) -> None:
    for table in TABLES:
        question = select(exists().select_from(table))
        filled = is_used(there) if table.name == "chain_head" else there.scalar(question)
        if filled:
            raise NotEmpty(
                "The database to copy into holds a ledger already "
                f"(there are rows in {table.name}); name an empty one."
            )


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _rows_of(here: Connection, table: Table) -> Any:
    """In the order of its key, so that a link comes after the one it was handed on from."""
    question = select(table).order_by(*table.primary_key.columns)
    found = here.execute(question.execution_options(yield_per=_ROWS))
    return ([dict(row) for row in part] for part in found.mappings().partitions())


def _put(there: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        there.execute(insert(table), rows)
    except DBAPIError as error:
        detail = str(error.orig).strip().splitlines()[0]  # what comes after it may tell values
        raise CopyFailed(
            f"A row of {table.name} was not taken ({detail}); nothing was kept of the copy."
        ) from None


def _set_sequences(there: Connection) -> None:
    """PostgreSQL counts beside the tables: the next row must not take a number that is there."""
    if there.dialect.name != "postgresql":
        return
    for table in TABLES:
        column = table.autoincrement_column
        name = column is not None and there.scalar(
            select(func.pg_get_serial_sequence(table.name, column.name))
        )
        if column is not None and name:
            following = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            there.execute(select(func.setval(name, following, False)))


def _require_same(there: Connection, counts: dict[Table, int], heads: Sequence[Head]) -> None:
    for table, count in counts.items():
        found = _count(there, table)
        if found != count:
            raise NotTheSame(
                f"{count} rows of {table.name} became {found}; nothing was kept of the copy."
            )
    if found := faults(there, heads):
        raise NotTheSame(f"{found[0]} Nothing was kept of the copy; restore a backup.")
