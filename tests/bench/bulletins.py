"""A bulletin of many duties, frozen, counted and written out, against reading the bare rows."""

import resource
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from duban.ledger import Ledger
from duban.ledger.snapshots import Snapshot, snapshot
from duban.period import Every, period_of
from duban.registry import Registry
from duban.reports.asked import Measure
from duban.reports.counting import figures
from duban.reports.workbook import write
from tests.bench.common import tell, timed
from tests.bench.sweep import EVERY, NOW, ledger_with

DUTIES, ROUNDS = 100_000, 3
YEAR = period_of(Every.YEAR, date(2027, 1, 1))  # in which all but one in fifty are due
OVER = NOW.replace(year=2028)  # a year under way would count what has fallen due


def bulletin_of_many(registry: Registry) -> None:
    """Time as a ratio to reading the same rows; memory of a process that does nothing else."""
    ratios: list[float] = []
    frozen: list[float] = []
    counted: list[float] = []
    with ledger_with(registry, DUTIES, "sqlite") as ledger:
        seen = snapshot(ledger, OVER)
        made = figures(seen, YEAR)
        assert len(seen.facts) == DUTIES
        totals = (one[Measure.TOTAL].value for one in (made.whole.lead, made.whole.co))
        assert sum(totals) == DUTIES - DUTIES // EVERY
        for _ in range(ROUNDS):
            bare = timed(lambda: _rows(ledger))
            frozen.append(timed(lambda: snapshot(ledger, OVER).packed()))
            counted.append(timed(lambda: figures(seen, YEAR)))
            ratios.append((frozen[-1] + counted[-1]) / bare)
    packed = seen.packed()
    took, peak = _apart(packed)
    tell(f"bulletin of {DUTIES:,} duties, frozen and counted / reading rows", ratios, "sqlite")
    times = f"frozen {statistics.median(frozen):.1f} s, counted {statistics.median(counted):.1f} s"
    print(f"  {times}, workbook {took:.1f} s")
    print(
        f"  snapshot {len(packed) / 1e6:.1f} MB; who writes the workbook takes {peak:.0f} MB in all"
    )


def _rows(ledger: Ledger) -> None:
    connection = ledger.engine.raw_connection()
    try:
        cursor: Any = connection.cursor()
        cursor.execute("SELECT * FROM duty")
        assert len(cursor.fetchall()) == DUTIES
    finally:
        connection.close()


def _apart(packed: bytes) -> tuple[float, float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_written, packed).result()


def _written(packed: bytes) -> tuple[float, float]:
    """Seconds, and the MB that the process took at its peak."""
    seen = Snapshot.read(packed)
    made = figures(seen, YEAR)
    with tempfile.TemporaryDirectory() as folder:
        took = timed(lambda: write(Path(folder) / "b.xlsx", made, seen))
    return took, _peak()


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
