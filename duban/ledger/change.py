"""A change to the ledger: one transaction that writes its own history, sealed into the chain."""

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, Engine, RowMapping, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from duban.ledger.tables import ChainHead, Duty, History, HistoryText

GENESIS = "0" * 64
DUTIES_PER_CHANGE = 500  # bounds how long the head of the chain is held


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of history will say. `text` is free prose and stays outside the chain."""

    action: str
    duty_id: int | None
    data: dict[str, Any]
    text: str | None = None


@dataclass
class Change:
    """An open transaction; what it records is sealed when it commits."""

    session: Session
    at: datetime
    actor: str
    entries: list[Entry] = field(default_factory=list[Entry])

    @property
    def connection(self) -> Connection:
        """The transaction's connection, for set-based statements."""
        return self.session.connection()

    def record(
        self, action: str, duty_id: int | None = None, text: str | None = None, **data: Any
    ) -> None:
        """Adds a row of history to this transaction. `data` must be plain JSON values."""
        self.entries.append(Entry(action, duty_id, data, text))


@contextmanager
def change(engine: Engine, at: datetime, actor: str) -> Generator[Change]:
    """Opens a change; commits with its history when the block ends, undoes all if it fails."""
    with Session(engine) as session, session.begin():
        made = Change(session, at, actor)
        yield made
        session.flush()
        _seal(made)


def insert_or_skip(connection: Connection) -> Any:
    """The database's own insert, which knows `on_conflict_do_nothing`."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def look_again(made: Change, rows: list[dict[str, Any]]) -> None:
    """Sets the next civil day on which the chase looks at duties: `duty` and `day` of each."""
    if rows:
        table = cast(Table, Duty.__table__)
        statement = update(table).where(table.c.id == bindparam("duty"))
        made.connection.execute(statement.values(next_on=bindparam("day")), rows)


def _seal(made: Change) -> None:
    """Last statements before the commit, so that the head is locked as briefly as can be."""
    if not made.entries:
        return
    seq, link = made.connection.execute(_HEAD).one()
    rows: list[dict[str, Any]] = []
    for entry in made.entries:
        seq += 1
        row = _row(seq, made, entry)
        link = row["hash"] = chain_hash(link, row)
        rows.append(row)
    made.connection.execute(_ADD, rows)
    texts = [
        {"seq": row["seq"], "text": entry.text}
        for row, entry in zip(rows, made.entries, strict=True)
        if entry.text is not None
    ]
    if texts:
        made.connection.execute(insert(HistoryText), texts)
    made.connection.execute(_MOVE, {"last": seq, "link": link})


# Statements are built once: building one takes longer than running it.
_HEAD = select(ChainHead.seq, ChainHead.hash).with_for_update()
_ADD = insert(cast(Table, History.__table__))
_MOVE = update(cast(Table, ChainHead.__table__)).values(
    seq=bindparam("last"), hash=bindparam("link")
)


def _row(seq: int, made: Change, entry: Entry) -> dict[str, Any]:
    text = None if entry.text is None else _text_hash(entry.text)
    return {
        "seq": seq,
        "at": made.at,
        "actor": made.actor,
        "action": entry.action,
        "duty_id": entry.duty_id,
        "data": entry.data,
        "text_sha256": text,
    }


def chain_hash(previous: str, row: dict[str, Any]) -> str:
    """SHA-256 over the hash before and the row in canonical JSON."""
    content = [
        row["seq"],
        row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        row["actor"],
        row["action"],
        row["duty_id"],
        row["data"],
        row["text_sha256"],
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{text}".encode()).hexdigest()


def first_broken_link(connection: Connection) -> int | None:
    """The seq of the first row that does not follow from the one before; None when all do.

    A row cut off at the end shows only against a head kept elsewhere; the stored head is compared.
    """
    link, seq = GENESIS, 0
    question = (
        select(*History.__table__.columns, HistoryText.text)
        .outerjoin(HistoryText, HistoryText.seq == History.seq)
        .order_by(History.seq)
    )
    for row in connection.execute(question).mappings():
        link = chain_hash(link, dict(row))
        seq += 1
        if row["seq"] != seq or row["hash"] != link or not _text_holds(row):
            return seq
    head = connection.execute(select(ChainHead.seq, ChainHead.hash)).one()
    return None if (head.seq, head.hash) == (seq, link) else seq + 1


def _text_holds(row: RowMapping) -> bool:
    """An erased text leaves the chain whole; an altered one does not."""
    return row["text"] is None or _text_hash(row["text"]) == row["text_sha256"]


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
