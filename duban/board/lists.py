"""Lists of duties: overdue, due soon, under review. Soft duties stand apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from duban.board.day import Day
from duban.board.markdown import Board
from duban.duty import Light, Status
from duban.ledger.browsing import State
from duban.ledger.questions import DutyView
from duban.markdown import joined, link, plain, table
from duban.words import Words, period_words


@dataclass(frozen=True, slots=True)
class Listed:
    """The first duties of a list, and how many there are in all."""

    duties: Sequence[DutyView]
    total: int


@dataclass(frozen=True, slots=True)
class Pursued:
    """What was said last about a duty, and what comes next, in words."""

    last: str = ""
    next: str = ""


Column = tuple[str, Callable[[DutyView], object]]
"""A heading, and what stands below it."""


def overdue(day: Day, listed: Listed, pursued: Mapping[int, Pursued]) -> Board:
    """What is overdue, the longest first, with what was said last about it and what comes next."""
    w = day.w
    last: Column = (w.card["last"], lambda duty: plain(pursued[duty.id].last))
    ahead: Column = (w.card["next"], lambda duty: plain(pursued[duty.id].next))
    days: Column = (w.labels["late"], lambda duty: duty.days_late(day.now))
    tag = f"{w.tags['status']}:{w.overdue}"
    return _list(day, "overdue", State.OVERDUE, listed, [days], tag, [last, ahead])


def due(day: Day, state: State, listed: Listed) -> Board:
    """What is due within days, the first due first: `State.DUE_SOON` or `DUE_NEXT`."""
    w = day.w
    left: Column = (w.boards["left"], lambda duty: _days(day.now, duty.due_at, duty))
    light: Column = (w.labels["light"], lambda duty: w.lights[duty.light(day.now)])
    yellow = f"{w.tags['light']}:{w.lights[Light.YELLOW]}"
    tag = yellow if state is State.DUE_SOON else ""
    key = "due-7" if state is State.DUE_SOON else "due-30"
    return _list(day, key, state, listed, [left, light], tag)


def under_review(day: Day, listed: Listed) -> Board:
    """What waits for a coordinator, the longest first."""
    w = day.w
    waiting = sorted(listed.duties, key=lambda duty: (_handed(duty), duty.id))
    came: Column = (w.boards["submitted"], lambda duty: _civil(_handed(duty), duty))
    days: Column = (w.boards["waited"], lambda duty: _days(_handed(duty), day.now, duty))
    tag = f"{w.tags['status']}:{w.status[Status.SUBMITTED]}"
    found = Listed(waiting, listed.total)
    return _list(day, "under-review", State.SUBMITTED, found, [came, days], tag)


def _list(
    day: Day,
    key: str,
    state: State,
    listed: Listed,
    columns: Sequence[Column],
    tag: str,
    texts: Sequence[Column] = (),
) -> Board:
    rest = day.places.duties(state=state.value, sort="due")
    runs = day.places.runs(tag) if tag else ""
    binding = [duty for duty in listed.duties if not duty.standing.soft]
    soft = [duty for duty in listed.duties if duty.standing.soft]
    body = joined(
        (
            _table(day, binding, texts, columns) or ("" if soft else day.w.boards["none"]),
            f"**{day.w.boards['soft']}**" if soft else "",
            _table(day, soft, texts, columns),
            more(day.w, listed, rest),
        )
    )
    return day.board(key, body, day.count(listed.total), portal=rest, runs=runs)


def more(w: Words, listed: Listed, rest: str) -> str:
    """How many the list at `rest` holds that are not shown; empty if none."""
    left = listed.total - len(listed.duties)
    return w.boards["more"].format(n=left, link=rest) if left > 0 else ""


def _table(
    day: Day, duties: Sequence[DutyView], texts: Sequence[Column], numbers: Sequence[Column]
) -> str:
    names = ("duty", "clause", "agency", "period", "due")
    columns = [*texts, *numbers]
    head = [*(day.w.labels[name] for name in names), *(name for name, _ in columns)]
    rows = [[*_common(day, one), *(value(one) for _, value in columns)] for one in duties]
    return table(head, len(numbers), rows) if rows else ""


def _common(day: Day, duty: DutyView) -> list[str]:
    tag = f"{day.w.tags['agency']}:{duty.agency.name}"
    return [
        link(duty.id, day.places.duty(duty.id)),
        plain(f"{duty.number} {duty.clause.title}"),
        link(duty.agency.name, day.places.runs(tag)),
        plain(period_words(day.w, duty.period)),
        _civil(duty.due_at, duty),
    ]


def _handed(duty: DutyView) -> datetime:
    return duty.standing.submitted_at or duty.opened_at


def _civil(moment: datetime, duty: DutyView) -> str:
    return moment.astimezone(duty.notice.zone).date().isoformat()


def _days(since: datetime, until: datetime, duty: DutyView) -> int:
    """Civil days in the notice's zone."""
    zone = duty.notice.zone
    return (until.astimezone(zone).date() - since.astimezone(zone).date()).days
