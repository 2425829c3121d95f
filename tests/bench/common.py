"""Timing in turn, and one way to print a ratio."""

import statistics
import time
from collections.abc import Callable

ROUNDS = 7


def timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def tell(what: str, ratios: list[float], of: str) -> None:
    spread = f"{min(ratios):.1f}–{max(ratios):.1f}"
    print(f"{what}: ×{statistics.median(ratios):.1f} ({spread}, {len(ratios)} rounds, {of})")
