"""Duties counted in cells: the worst light, how many show it, and how many there are."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from duban.duty import Light
from duban.ledger.browsing import SITUATIONS, Counted

ALL = ""
"""Stands for every row, or every column."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The worst light of some duties, how many show it, and how many there are."""

    light: Light
    lit: int
    total: int


Cells = Mapping[tuple[str, str], Cell]
"""By row and column; `ALL` for the totals."""


def cells(
    counted: Iterable[Counted],
    now: datetime,
    row: Callable[[Counted], str],
    column: Callable[[Counted], str],
) -> Cells:
    """Every cell that has duties, with the totals of rows, of columns and of all."""
    lights = {situation: situation.light(now) for situation in SITUATIONS}
    found: dict[tuple[str, str], Counter[Light]] = defaultdict(Counter)
    for one in counted:
        for key in ((row(one), column(one)), (row(one), ALL), (ALL, column(one)), (ALL, ALL)):
            found[key][lights[one.situation]] += one.count
    return {key: _cell(shown) for key, shown in found.items()}


def _cell(lights: Counter[Light]) -> Cell:
    worst = next(light for light in Light if lights[light])
    return Cell(worst, lights[worst], lights.total())


def clause_of(counted: Counted) -> str:
    """The key of its clause."""
    return counted.clause


def region_of(counted: Counted) -> str:
    """The region of its agency."""
    return counted.agency.partition("/")[0]


def department_of(counted: Counted) -> str:
    """The department of its agency."""
    return counted.agency.partition("/")[2]


def in_order(known: Iterable[str], used: Iterable[str]) -> list[str]:
    """What is used, as it is ordered in the registry; what has left that comes last."""
    there = set(used) - {ALL}
    kept = [one for one in dict.fromkeys(known) if one in there]
    return kept + sorted(there.difference(kept))
