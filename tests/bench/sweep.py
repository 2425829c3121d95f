"""The day's sweep over many open duties, 2 % of which are due for a word, against raw SQL."""

import gc
import statistics
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, make_url, select

from duban.duty import Status
from duban.ledger import Ledger
from duban.ledger.change import DUTIES_PER_CHANGE
from duban.ledger.chase import chase
from duban.ledger.database import open_database, reading
from duban.ledger.tables import ClauseVersion, Duty, Letter, Mention
from duban.registry import Registry
from tests.bench.common import ROUNDS, tell, timed
from tests.bench.postgres import postgres
from tests.conftest import china

TODAY = date(2026, 11, 24)  # a Tuesday
NOW = china("2026-11-24")
EVERY = 50  # one in fifty is due today: 2 %
BATCH = 10_000


def sweep_against_raw_sql(registry: Registry, duties: int) -> None:
    """Deciding, auditing and posting, against the bare statements that the same outcome needs."""
    for kind in ("sqlite", "postgresql"):
        ratios: list[float] = []
        idle: list[float] = []
        for _ in range(ROUNDS if duties <= 100_000 else 1):
            with ledger_with(registry, duties, kind) as ledger:
                ours = timed(lambda: chase(ledger, NOW))
                assert said(ledger) == duties // EVERY
                idle.append(statistics.median(timed(lambda: chase(ledger, NOW)) for _ in range(5)))
            with ledger_with(registry, duties, kind) as ledger:
                ratios.append(ours / timed(lambda: raw(ledger.engine)))
                assert said(ledger) == duties // EVERY
        tell(
            f"sweep of {duties:,} on {kind}, 2 % spoken of / raw SQL", ratios, f"{duties // EVERY}"
        )
        print(f"  with nothing to do: {statistics.median(idle) * 1000:.1f} ms")


@contextmanager
def ledger_with(registry: Registry, duties: int, kind: str) -> Generator[Ledger]:
    """A ledger of open duties, told long ago; every fiftieth fell due yesterday."""
    with tempfile.TemporaryDirectory() as folder, address(kind, Path(folder)) as url:
        engine = open_database(url)
        with engine.begin() as connection:
            fill(connection, registry, duties)
        if kind == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        gc.collect()
        yield Ledger(engine, registry)
        engine.dispose()


@contextmanager
def address(kind: str, folder: Path) -> Generator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'ledger.db'}"
    else:
        with postgres() as url:
            yield make_url(url).render_as_string(hide_password=False)


def fill(connection: Connection, registry: Registry, duties: int) -> None:
    placed = registry.tracked[0]
    agencies = sorted(registry.agencies)[:128]
    connection.execute(
        insert(ClauseVersion).values(
            clause=placed.key,
            version=placed.clause.version,
            content=placed.clause.model_dump(mode="json"),
            first_seen_at=NOW,
        )
    )
    for start in range(0, duties, BATCH):
        some = range(start, min(start + BATCH, duties))
        connection.execute(insert(Duty), [duty_row(n, placed, agencies) for n in some])
    letters = [letter_row(n, agency) for n, agency in enumerate(agencies)]
    connection.execute(insert(Letter), letters)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT setval('letter_id_seq', 1000)")
    for start in range(0, duties, BATCH):
        some = range(start, min(start + BATCH, duties))
        connection.execute(insert(Mention), [mention_row(n, agencies) for n in some])


def duty_row(n: int, placed: Any, agencies: list[str]) -> dict[str, Any]:
    due = china("2026-11-23" if n % EVERY == 0 else "2027-06-30", "23:59")
    return {
        "id": n + 1,
        "clause": placed.key,
        "version": placed.clause.version,
        "cycle": "report",
        "agency": agencies[n % len(agencies)],
        "period": f"p{n}",
        "status": Status.OPEN.value,
        "soft": False,
        "opened_at": china("2026-01-05"),
        "opens_on": date(2026, 1, 5),
        "due_at": due,
        "original_due_at": due,
        "done": False,
        "round": 1,
        "opener": "assign",
        "revision": 1,
        "provisional": False,
        "next_on": TODAY if n % EVERY == 0 else date(2027, 6, 23),
    }


def letter_row(n: int, agency: str) -> dict[str, Any]:
    return {
        "id": n + 1,
        "recipient": agency,
        "channel": "drop",
        "kind": "assign",
        "day": date(2026, 1, 5),
        "part": 1,
        "state": "sent",
        "not_before": china("2026-01-05"),
        "attempts": 1,
        "fence": 1,
        "sent_at": china("2026-01-05"),
        "sent_via": "drop",
    }


def mention_row(n: int, agencies: list[str]) -> dict[str, Any]:
    return {
        "duty_id": n + 1,
        "letter_id": n % len(agencies) + 1,
        "recipient": agencies[n % len(agencies)],
        "round": 1,
        "rung": "assign",
        "n": 1,
        "day": date(2026, 1, 5),
        "said": True,
    }


def said(ledger: Ledger) -> int:
    with reading(ledger.engine) as connection:
        return connection.scalar(select(func.count()).where(Mention.rung == "chase")) or 0


def raw(engine: Engine) -> None:
    """The same statements by hand, without decisions and audit: look, letters, mentions, dates."""
    connection = engine.raw_connection()
    try:
        mark = "?" if engine.dialect.name == "sqlite" else "%s"
        cursor: Any = connection.cursor()
        letters: dict[str, int] = {}
        while rows := look(cursor, mark):
            for agency in sorted({row[1] for row in rows} - letters.keys()):
                cursor.execute(
                    LETTER.replace("?", mark), (agency, TODAY.isoformat(), NOW.isoformat())
                )
                letters[agency] = cursor.fetchone()[0]
            mentions = [
                (row[0], letters[row[1]], row[1], row[2], TODAY.isoformat()) for row in rows
            ]
            cursor.executemany(MENTION.replace("?", mark), mentions)
            dates = [((TODAY + timedelta(days=7)).isoformat(), row[0]) for row in rows]
            cursor.executemany(DATE.replace("?", mark), dates)
            connection.commit()
    finally:
        connection.close()


def look(cursor: Any, mark: str) -> list[Any]:
    if mark == "?":
        cursor.execute("BEGIN IMMEDIATE")
    cursor.execute(LOOK.replace("?", mark), (TODAY.isoformat(), DUTIES_PER_CHANGE))
    rows = cursor.fetchall()
    if not rows:
        cursor.connection.commit()
    return rows


LOOK = """
SELECT duty.id, duty.agency, duty.round, duty.soft, duty.due_at,
  (SELECT min(letter.sent_at) FROM mention JOIN letter ON letter.id = mention.letter_id
   WHERE mention.duty_id = duty.id AND mention.round = duty.round),
  (SELECT max(mention.day) FROM mention
   WHERE mention.duty_id = duty.id AND mention.round = duty.round)
FROM duty WHERE duty.status IN ('open', 'returned') AND duty.next_on <= ?
ORDER BY duty.next_on LIMIT ?
"""
LETTER = """
INSERT INTO letter (recipient, channel, kind, day, part, state, not_before, attempts, fence)
VALUES (?, 'drop', 'chase', ?, 1, 'pending', ?, 0, 0) RETURNING id
"""
MENTION = """
INSERT INTO mention (duty_id, letter_id, recipient, round, rung, n, day, said)
VALUES (?, ?, ?, ?, 'chase', 1, ?, TRUE)
"""
DATE = "UPDATE duty SET next_on = ? WHERE id = ?"
