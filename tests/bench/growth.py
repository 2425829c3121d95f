"""How large Prefect's database becomes: months of real runs, with the nightly upkeep and without.

One day's runs are executed by a real worker. Their rows are then copied into the months before, as
fast as SQLite takes them, and every month the upkeep trims what it would have trimmed by then.
"""

import os
import re
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from deployments.embedded import Embedded, credential
from deployments.register import register
from duban.registry import Registry
from tasks.stage import Stage
from tasks.upkeep import trim
from tests.servers import free_port

PROJECT = Path(__file__).parents[2]
DAILY = ("chase", "board", "deliver", "upkeep")
MONTH = timedelta(days=30)
MONTHS = 16  # a year, and until the oldest boards have left too
EVENTS_KEPT = timedelta(days=7)
EVENTS_ARE_LATE = 12  # seconds until Prefect has written down all of them
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")

Row = tuple[Any, ...]


@dataclass
class Day:
    """The rows that one real day left, by table, in an order that keys allow."""

    rows: dict[str, list[Row]]
    ids: set[str]
    keys: set[str]  # idempotency keys, which are unique too

    def copied(self, back: timedelta) -> Iterator[tuple[str, list[Row]]]:
        """The same rows under new ids, so long ago."""
        fresh = {one: str(uuid4()) for one in self.ids | self.keys}

        def changed(value: Any) -> Any:
            if not isinstance(value, str):
                return value
            if _MOMENT.fullmatch(value):
                return (datetime.fromisoformat(value) - back).isoformat(" ", "microseconds")
            return _ID.sub(lambda found: fresh.get(found[0], found[0]), value)

        for table, rows in self.rows.items():
            yield table, [tuple(changed(value) for value in row) for row in rows]


def growth_of_prefect(registry: Registry) -> None:
    """Prints the size as months go by, and what it would be if nothing were trimmed."""
    with tempfile.TemporaryDirectory(prefix="duban-growth-") as folder:
        home = Path(folder)
        os.environ |= {
            "DUBAN_HOME": str(home),
            "DUBAN_AGENCIES": str(PROJECT / "agencies.yaml"),
            "DUBAN_NOTICES": str(PROJECT / "deployments"),
        }
        embedded = Embedded(home, free_port(), PROJECT, credential(home))
        with started(embedded) as stage:
            day = _real_day(registry, embedded, stage)
            simulated = _Simulated(database_of(home), stage, day)
            simulated.run()
        assert simulated.count(_LOST_ARTIFACTS)
        with started(embedded):  # the vacuum of orphans runs when the server starts
            _wait_for(lambda: not simulated.count(_LOST_ARTIFACTS))
        simulated.tell()


@contextmanager
def started(embedded: Embedded) -> Generator[Stage]:
    embedded.start_server()
    try:
        embedded.wait_healthy()
        with Stage(embedded.api_url, auth=embedded.auth) as stage:
            yield stage
    finally:
        embedded.stop()


def database_of(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "prefect" / "prefect.db", timeout=60, isolation_level=None)


def _real_day(registry: Registry, embedded: Embedded, stage: Stage) -> "Day":
    """Has a worker execute one run of each kind."""
    done = register(registry, stage, PROJECT, datetime.now(UTC).date())
    embedded.start_worker()
    embedded.wait_worker()
    ids = {one.name: one.id for one in stage.deployments("duban")}
    kinds = [*(ids[name] for name in DAILY), next(iter(done.clauses.values()))]
    runs = [stage.start_run(kind, {}) for kind in kinds]
    for run in runs:
        _wait_for(lambda run=run: _ended(stage, run))
    time.sleep(EVENTS_ARE_LATE)
    with closing(database_of(embedded.home)) as database:
        return rows_of(database, runs)


def _ended(stage: Stage, run: str) -> bool:
    state = stage.run_state(run)
    assert state is not None
    assert state.type != "CRASHED", state
    return state.type in ("COMPLETED", "FAILED")


def _wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.5)


def rows_of(database: sqlite3.Connection, runs: list[str]) -> Day:
    of_runs = ", ".join(f"'{one}'" for one in runs)
    resources = ", ".join(f"'prefect.flow-run.{one}'" for one in runs)
    tasks = f"SELECT id FROM task_run WHERE flow_run_id IN ({of_runs})"
    events = f"SELECT event_id FROM event_resources WHERE resource_id IN ({resources})"
    rows = {
        table: database.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()
        for table, where in {
            "flow_run": f"id IN ({of_runs})",
            "flow_run_state": f"flow_run_id IN ({of_runs})",
            "task_run": f"flow_run_id IN ({of_runs})",
            "task_run_state": f"task_run_id IN ({tasks})",
            "log": f"flow_run_id IN ({of_runs})",
            "artifact": f"flow_run_id IN ({of_runs})",
            "events": f"id IN ({events})",
            "event_resources": f"event_id IN ({events})",
        }.items()
    }
    ids = {str(row[_id_of(database, table)]) for table, found in rows.items() for row in found}
    keys = {row[_column(database, "flow_run", "idempotency_key")] for row in rows["flow_run"]}
    return Day(rows, ids, {str(one) for one in keys})


def _id_of(database: sqlite3.Connection, table: str) -> int:
    return _column(database, table, "id")


def _column(database: sqlite3.Connection, table: str, name: str) -> int:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    return columns.index(name)


class _Simulated:
    """Months of copied days before today."""

    def __init__(self, database: sqlite3.Connection, stage: Stage, day: Day) -> None:
        self.database = database
        self.stage = stage
        self.day = day
        self.empty = self._used()
        self.sizes: list[tuple[float, float]] = []
        self.trimming: list[float] = []
        self.per_day = 0.0
        self.by_table: list[tuple[str, float]] = []

    def run(self) -> None:
        now = datetime.now(UTC)
        for month in range(MONTHS):
            for day in range(MONTH.days):
                back = timedelta(days=(MONTHS - month) * MONTH.days - day)
                self._copy(back)
                self._vacuum_events(now - back - EVENTS_KEPT)
                if month == 0 and day + 1 == EVENTS_KEPT.days:  # nothing has been removed so far
                    self.per_day = (self._used() - self.empty) / EVENTS_KEPT.days
                    self.by_table = self._tables()
            self._trim(now - (MONTHS - 1 - month) * MONTH)
            self.sizes.append((self._used(), self._file()))

    def _copy(self, back: timedelta) -> None:
        self.database.execute("BEGIN IMMEDIATE")
        for table, rows in self.day.copied(back):
            marks = ", ".join("?" * len(rows[0]))
            self.database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        self.database.execute("COMMIT")

    def _trim(self, now: datetime) -> None:
        # What Prefect's own vacuum of orphans does each day; that of the last month is left to it.
        self.database.execute(f"DELETE FROM {_LOST_ARTIFACTS}")
        begun = time.monotonic()
        trim(self.stage, now)
        self.trimming.append(time.monotonic() - begun)
        _wait_for(lambda: not self.count(_LOST_LOGS))

    def _vacuum_events(self, until: datetime) -> None:
        """What Prefect's own vacuum does each hour."""
        for table in ("event_resources", "events"):
            self.database.execute(f"DELETE FROM {table} WHERE occurred < ?", [f"{until:%F %T}"])

    def count(self, what: str) -> int:
        return int(self.database.execute(f"SELECT count(*) FROM {what}").fetchone()[0])

    def _pragma(self, name: str) -> int:
        return int(self.database.execute(f"PRAGMA {name}").fetchone()[0])

    def _used(self) -> float:
        """MB in pages that hold something."""
        pages = self._pragma("page_count") - self._pragma("freelist_count")
        return pages * self._pragma("page_size") / 1e6

    def _file(self) -> float:
        return self._pragma("page_count") * self._pragma("page_size") / 1e6

    def _tables(self) -> list[tuple[str, float]]:
        """MB by table with its indexes, the largest first."""
        question = (
            "SELECT m.tbl_name, sum(s.pgsize) / 1e6 FROM dbstat s "
            "JOIN sqlite_schema m ON m.name = s.name GROUP BY 1 ORDER BY 2 DESC LIMIT 8"
        )
        return self.database.execute(question).fetchall()

    def tell(self) -> None:
        rows = {table: len(found) for table, found in self.day.rows.items()}
        untrimmed = self.empty + self.per_day * MONTHS * MONTH.days
        print(f"a real day of {rows['flow_run']} executed runs leaves {rows}")
        print(f"  {self.per_day:.2f} MB a day; after a week, by table: {_listed(self.by_table)}")
        print(f"  MB used (in a file of) after each month: {_listed(self.sizes)}")
        print(
            f"  after {MONTHS} months {self.sizes[-1][0]:.0f} MB; without upkeep and vacuum it "
            f"would be {untrimmed:.0f} MB; a month's trim takes "
            f"{statistics.median(self.trimming):.1f} s"
        )


_LOST = "{} WHERE flow_run_id NOT IN (SELECT id FROM flow_run)"
_LOST_LOGS, _LOST_ARTIFACTS = _LOST.format("log"), _LOST.format("artifact")


def _listed(pairs: Sequence[tuple[object, float]]) -> str:
    return ", ".join(
        f"{one:.0f} ({other:.0f})" if isinstance(one, float) else f"{one} {other:.1f}"
        for one, other in pairs
    )
