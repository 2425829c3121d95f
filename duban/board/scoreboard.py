"""The scoreboard: regions and departments in numbers, and each against the other in lights."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from duban.batches import batches
from duban.board.cells import ALL, Cells, cells, department_of, in_order, region_of
from duban.board.day import Day
from duban.board.markdown import Board
from duban.board.summary import Situations, number, situations
from duban.duty import Light, Status
from duban.ledger.browsing import Counted, State
from duban.markdown import ROWS, joined, link, table
from duban.registry import Registry

ACROSS = 8  # more columns are squeezed in the width of Prefect's page


@dataclass(frozen=True, slots=True)
class _Side:
    """Regions or departments: the portal's filter, what a row is called and where that leads."""

    filter: str
    of: Callable[[Counted], str]
    order: Sequence[str]
    named: Callable[[str], str]
    address: Callable[[str], str]


def scoreboard(day: Day, registry: Registry, counted: Sequence[Counted]) -> Board:
    """Where regions and departments stand, those with most overdue first."""
    regions, departments = _regions(day, registry, counted), _departments(day, registry, counted)
    body = joined(
        (
            _numbers(day, regions, counted),
            _numbers(day, departments, counted),
            day.w.boards["share-note"],
            *_matrix(day, regions, departments, counted),
            day.w.boards["cell-note"],
        )
    )
    whole = situations(counted)
    late = f"{day.w.overdue} {number(whole, State.OVERDUE, day.now)}"
    told = f"{day.w.boards['required']} {number(whole, State.REQUIRED, day.now)} · {late}"
    portal = day.places.duties(state=State.REQUIRED.value)
    return day.board("scoreboard", body, told, portal=portal)


def _regions(day: Day, registry: Registry, counted: Iterable[Counted]) -> _Side:
    names = {one.region: one.region_name for one in registry.agencies.values()}
    tag, late = f"{day.w.tags['status']}:{day.w.overdue}", State.OVERDUE.value
    told = {key for key, name in names.items() if _tells_apart(registry, key, name)}
    return _Side(
        "region",
        region_of,
        in_order(names, map(region_of, counted)),
        lambda key: names.get(key, key),
        lambda key: (
            day.places.runs(tag, names[key])
            if key in told
            else day.places.duties(region=key, state=late)
        ),
    )


def _tells_apart(registry: Registry, region: str, name: str) -> bool:
    """Whether the names of a region's agencies, and no others, hold the region's name.

    Prefect cannot show runs that have two tags, but those with one tag and a text in their names.
    """
    return all((name in one.name) == (one.region == region) for one in registry.agencies.values())


def _departments(day: Day, registry: Registry, counted: Iterable[Counted]) -> _Side:
    known = [one.department for one in registry.agencies.values()]
    late = State.OVERDUE.value
    return _Side(
        "department",
        department_of,
        in_order(known, map(department_of, counted)),
        lambda key: key,
        lambda key: day.places.duties(department=key, state=late),
    )


SHOWN = (State.REQUIRED, State.ACCEPTED, State.SUBMITTED, State.DUE_SOON, State.OVERDUE)


def _numbers(day: Day, side: _Side, counted: Iterable[Counted]) -> str:
    groups: dict[str, list[Counted]] = defaultdict(list)
    for one in counted:
        groups[side.of(one)].append(one)
    numbers = {key: situations(groups[key]) for key in side.order}
    order = sorted(side.order, key=lambda key: -number(numbers[key], State.OVERDUE, day.now))
    rows = [
        [link(side.named(key), side.address(key)), *_row(day, numbers[key], {side.filter: key})]
        for key in order[: ROWS // 2]
    ]
    whole: Situations = sum(numbers.values(), Situations())
    total = [f"**{day.w.boards['whole']}**", *_row(day, whole, {})]
    return table([day.w.boards[side.filter], *_heads(day)], len(SHOWN) + 2, [*rows, total])


def _heads(day: Day) -> list[str]:
    w = day.w
    named = {
        State.REQUIRED: w.boards["required"],
        State.DUE_SOON: w.due_soon,
        State.OVERDUE: w.overdue,
    }
    shown = [named.get(one) or w.status[Status(one.value)] for one in SHOWN]
    return [*shown, w.boards["share"], w.boards["of-soft"]]


def _row(day: Day, numbers: Situations, sought: dict[str, str]) -> list[str]:
    shown = [
        link(number(numbers, one, day.now), day.places.duties(**sought, state=one.value))
        for one in SHOWN
    ]
    return [*shown, _share(day, numbers), _soft(day, numbers)]


def _share(day: Day, numbers: Situations) -> str:
    """The per cent accepted of the binding ones."""
    binding = Situations({one: n for one, n in numbers.items() if not one.soft})
    required = number(binding, State.REQUIRED, day.now)
    return f"{100 * number(binding, State.ACCEPTED, day.now) / required:.0f}%" if required else "·"


def _soft(day: Day, numbers: Situations) -> str:
    soft = Situations({one: n for one, n in numbers.items() if one.soft})
    return f"{number(soft, State.REQUIRED, day.now) or '·'}"


def _matrix(
    day: Day, regions: _Side, departments: _Side, counted: Iterable[Counted]
) -> Iterable[str]:
    """Departments against regions, so many regions a table."""
    found = cells(counted, day.now, department_of, region_of)
    tables = -(-len(regions.order) // ACROSS)
    for some in batches(regions.order, -(-len(regions.order) // max(1, tables)) or 1):
        heads = [_head(day, regions, key) for key in some]
        rows = [_cells(day, found, departments, key, some) for key in (*departments.order, ALL)]
        yield table([day.w.boards["department"], *heads], len(some), rows)


def _head(day: Day, side: _Side, key: str) -> str:
    return link(key, side.address(key)) if key else day.w.boards["whole"]


def _cells(
    day: Day, found: Cells, side: _Side, department: str, regions: Sequence[str]
) -> list[str]:
    shown = [_cell(day, found, department, region) for region in regions]
    return [_head(day, side, department), *shown]


def _cell(day: Day, found: Cells, department: str, region: str) -> str:
    """`红 2/14`, each number with its list; a cell whose duties are all closed is plain."""
    cell = found.get((department, region))
    if cell is None:
        return ""
    sought = {"department": department, "region": region}
    lit = f"{day.w.lights[cell.light]}\u00a0{cell.lit}"
    every = link(cell.total, day.places.duties(**sought))
    if cell.light is Light.GREY:
        return every
    return f"{link(lit, day.places.duties(**sought, state=cell.light.value))}/{every}"
