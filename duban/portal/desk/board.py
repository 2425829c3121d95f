"""The board: clause by city with lights, and the list that stands behind each of its numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from duban.board.cells import ALL, Cell, Cells, cells, clause_of, in_order, region_of
from duban.duty import Light, days_late
from duban.ledger import Ledger
from duban.ledger.browsing import (
    PAGE,
    SORTS,
    Counted,
    LastSaid,
    State,
    clause_order,
    last_said,
    runs,
    tally,
)
from duban.ledger.bulletins import objectable
from duban.ledger.questions import DutyView
from duban.portal.desk.frame import (
    ALooking,
    Looking,
    rung_words,
    show,
    state_words,
)
from duban.portal.sheets import MOST_ROWS

router = APIRouter()

FIGURES = (
    State.REQUIRED,
    State.OVERDUE,
    State.DUE_SOON,
    State.OPEN,
    State.RETURNED,
    State.SUBMITTED,
    State.ACCEPTED,
    State.NIL,
    State.EXCUSED,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A clause with a cell for each region that has any of its duties."""

    clause: str
    cells: dict[str, Cell]
    whole: Cell


@dataclass(frozen=True, slots=True)
class Matrix:
    """Clause by region, with the totals of rows, columns and all."""

    regions: Sequence[str]
    rows: Sequence[Row]
    below: dict[str, Cell]
    whole: Cell | None


def matrix(ledger: Ledger, counted: Iterable[Counted], now: datetime) -> Matrix:
    """The matrix of counted duties, in the order of notices, clauses and regions."""
    found = cells(counted, now, clause_of, region_of)
    known = [agency.region for agency in ledger.registry.agencies.values()]
    regions = in_order(known, (region for _, region in found))
    return Matrix(
        regions,
        [_row(key, regions, found) for key in clause_order(ledger) if (key, ALL) in found],
        {region: found[ALL, region] for region in regions},
        found.get((ALL, ALL)),
    )


def _row(clause: str, regions: Sequence[str], found: Cells) -> Row:
    shown = {one: found[clause, one] for one in regions if (clause, one) in found}
    return Row(clause, shown, found[clause, ALL])


@router.get("/desk", response_class=HTMLResponse)
def board(look: ALooking) -> HTMLResponse:
    """The board."""
    person = look.person
    counted = look.when.counted(replace(look.selection, state=None))
    numbers = tally(counted, look.now)
    chosen = [one for one in counted if _counts(look, one)]
    context = {
        "look": look,
        "figures": [(state, numbers[state]) for state in FIGURES],
        "states": state_words(person, look.words),
        "matrix": matrix(person.ledger, chosen, look.now),
        "clauses": dict(look.choices["clause"]),
        "regions": dict(look.choices["region"]),
        "drafts": objectable(person.ledger, person.now) if person.may("decide") else [],
    }
    return show(person, "desk/board.html", context)


def _counts(look: Looking, one: Counted) -> bool:
    state = look.selection.state
    return state is None or state.takes(one.situation, look.now)


@dataclass(frozen=True, slots=True)
class Line:
    """A duty in the list.

    Attributes:
        late: civil days after the due day in force; `late_at_first` after the first one.
        said: the chase's last word; `rung` what that was.
        run: the id of the run that stands for it.
    """

    duty: DutyView
    light: Light
    late: int
    late_at_first: int
    said: LastSaid | None
    rung: str
    run: str


def _lines(look: Looking, found: Sequence[DutyView]) -> list[Line]:
    ledger, ids = look.person.ledger, [duty.id for duty in found]
    said, run = last_said(ledger, ids, look.as_of), runs(ledger, ids)
    return [
        Line(
            duty,
            duty.light(look.now),
            duty.days_late(look.now),
            late_at_first(duty, look.now),
            word := said.get(duty.id),
            rung_words(ledger, duty, word.rung, look.words) if word else "",
            run.get(duty.id, ""),
        )
        for duty in found
    ]


def late_at_first(duty: DutyView, now: datetime) -> int:
    """Civil days late against the first due day, whatever was granted since."""
    first = replace(duty.standing, due_at=duty.original_due_at)
    return days_late(first, now, duty.notice.zone)


@router.get("/desk/duties", response_class=HTMLResponse)
def duty_list(look: ALooking) -> HTMLResponse:
    """The list behind a number."""
    person = look.person
    total = look.when.count(look.selection)
    pages = max(1, -(-total // PAGE))
    page = min(look.page, pages)
    found = look.when.page(look.selection, look.sort, (page - 1) * PAGE)
    context: dict[str, Any] = {
        "look": look,
        "total": total,
        "page": page,
        "pages": pages,
        "lines": _lines(look, found),
        "states": state_words(person, look.words),
        "sorts": SORTS,
        "most": MOST_ROWS,
        "prefect": person.office.settings.prefect,
    }
    return show(person, "desk/duties.html", context)
