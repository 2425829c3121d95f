"""The 台账 of many duties out and back in, against the bare libraries on the same cells."""

import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from duban.ledger import Ledger
from duban.ledger.browsing import Selection, Today
from duban.ledger.database import make_engine
from duban.registry import Registry
from duban.sheets import coming, going
from tests.bench.common import tell, timed
from tests.bench.sweep import NOW, ledger_with

ROUNDS = 3
HEAD = 3
"""The line of the headings."""


def sheets_against_bare_libraries(registry: Registry, duties: int = 100_000) -> None:
    """Out, back in unchanged, and back in with a remark in every line."""
    with (
        ledger_with(registry, duties, "sqlite") as ledger,
        tempfile.TemporaryDirectory() as folder,
    ):
        ours, bare = Path(folder) / "ours.xlsx", Path(folder) / "bare.xlsx"
        out: list[float] = []
        back: list[float] = []
        seconds = unchanged = 0.0
        for _ in range(ROUNDS):
            seconds = timed(lambda: _out(ledger, ours))
            out.append(seconds / timed(lambda: _write_bare(ours, bare)))
            assert _lines(bare) == duties + HEAD
            unchanged = timed(lambda: _back(ledger, ours, f"未变{duties}，"))
            back.append(unchanged / timed(lambda: _lines(ours)))
        size = ours.stat().st_size / 2**20
        print(f"台账 of {duties:,}: {size:.1f} MB; out {seconds:.0f} s, read {unchanged:.0f} s")
        tell("  out / bare XlsxWriter", out, f"{duties:,} lines")
        tell("  in unchanged / bare calamine", back, f"{duties:,} lines")
        url = ledger.engine.url.render_as_string(hide_password=False)
        print(f"  memory: out {_memory(_out, registry, url, ours)}")
        print(f"  memory: in  {_memory(_read, registry, url, ours)}")
        seconds = timed(lambda: _back(ledger, bare, f"改动{duties}，", bring_in=True))
        _back(ledger, bare, f"未变{duties}，")
        print(f"  in with a remark in every line: {seconds:.0f} s")


def _out(ledger: Ledger, path: Path) -> None:
    for _ in going.export(Today(ledger, NOW), Selection(), path, at=NOW, language="zh"):
        pass


def _read(ledger: Ledger, path: Path) -> None:
    coming.judge(ledger, path, "zh")


def _back(ledger: Ledger, path: Path, told: str, *, bring_in: bool = False) -> None:
    seen = coming.judge(ledger, path, "zh")
    assert told in seen.summary, seen.summary
    if bring_in:
        coming.bring_in(ledger, seen, by="bench", now=NOW)


def _cells(path: Path) -> Any:
    book = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
    return book.get_sheet_by_index(0).iter_rows()


def _lines(path: Path) -> int:
    return sum(1 for _ in _cells(path))


def _write_bare(source: Path, target: Path) -> None:
    """The same cells with neither looks nor safety, but with a remark in every line."""
    rows = _cells(source)
    above = [*islice(rows, HEAD)]
    remark = above[-1].index("进展情况")
    book: Any = Workbook(str(target), {"constant_memory": True})
    with book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        for line, row in enumerate(above):
            sheet.write_row(line, 0, row)
        for line, row in enumerate(rows, HEAD):
            for column, cell in enumerate(row):
                value = f"第{line}行" if column == remark else cell
                sheet.write(line, column, value, None if isinstance(value, str | float) else day)


def _memory(work: Callable[[Ledger, Path], None], registry: Registry, url: str, path: Path) -> str:
    """What a process of its own needs at most for the work, beside what it needs for nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        before, after, child = alone.submit(_peak, work, registry, url, path).result()
    told = f"+{after - before:.0f} MB on {before:.0f} MB"
    return f"{told}, and {child:.0f} MB in the process that reads" if child else told


def _peak(
    work: Callable[[Ledger, Path], None], registry: Registry, url: str, path: Path
) -> tuple[float, float, float]:
    ledger = Ledger(make_engine(url), registry)
    before = _high_water()
    work(ledger, path)
    ledger.engine.dispose()
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return before, _high_water(), child


def _high_water() -> float:
    """MB that this program has needed; what its parent needed is not in it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
