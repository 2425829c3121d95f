"""Opening every duty of the real notice, against the bare INSERT of the same rows."""

import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, insert, select

from duban.expect import expected_duties
from duban.ledger import Ledger
from duban.ledger.database import open_database, reading
from duban.ledger.opening import _row, open_missing  # pyright: ignore[reportPrivateUsage]
from duban.ledger.tables import Duty
from duban.registry import Registry
from tests.bench.common import ROUNDS, tell, timed

NOW = datetime(2026, 11, 24, 1, tzinfo=UTC)


def opening_against_raw_insert(registry: Registry) -> None:
    """Opening every duty with history and letters, against the bare INSERT of the same rows."""
    wanted = expected_duties(registry, NOW, {})
    rows = [_row(duty, NOW) for duty in wanted]

    def ours(folder: Path) -> float:
        ledger = Ledger(open_database(f"sqlite:///{folder / 'ours.db'}"), registry)
        seconds = timed(lambda: open_missing(ledger, NOW))
        assert count(ledger) == len(wanted)
        again = timed(lambda: open_missing(ledger, NOW))
        assert count(ledger) == len(wanted)
        seconds_again.append(again)
        return seconds

    def raw(folder: Path) -> float:
        ledger = Ledger(open_database(f"sqlite:///{folder / 'raw.db'}"), registry)

        def run() -> None:
            with ledger.engine.begin() as connection:
                connection.execute(insert(Duty), rows)

        seconds = timed(run)
        assert count(ledger) == len(wanted)
        return seconds

    seconds_again: list[float] = []
    ratios: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            ratios.append(ours(Path(folder)) / raw(Path(folder)))
    tell("opening with history and letters / bare INSERT", ratios, f"{len(wanted)} duties")
    print(f"  a second opening, 0 rows: {statistics.median(seconds_again) * 1000:.0f} ms")


def count(ledger: Ledger) -> int:
    with reading(ledger.engine) as connection:
        return connection.scalar(select(func.count()).select_from(Duty)) or 0
