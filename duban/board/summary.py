"""All duties in numbers: one line, and a line for each clause."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from duban.duty import Status
from duban.ledger.browsing import Counted, Situation, State, situation_of
from duban.ledger.questions import DutyView
from duban.words import Words

Situations = Counter[Situation]


def headline(found: Iterable[DutyView], now: datetime, w: Words, label: str = "") -> str:
    """All counts in one line; a `label` marks what is not meant in earnest."""
    return line(Counter(situation_of(duty, now) for duty in found), now, w, label)


def line(counted: Situations, now: datetime, w: Words, label: str = "") -> str:
    """As `headline`, from what is counted already."""
    by_status: Counter[Status] = Counter()
    for situation, count in counted.items():
        by_status[situation.status] += count
    numbers = [
        f"{w.overdue} {number(counted, State.OVERDUE, now)}",
        f"{w.due_soon} {number(counted, State.DUE_SOON, now)}",
        *(f"{w.status[one]} {by_status[one]}" for one in Status),
    ]
    mark = f"{label} · " if label else ""
    return f"{mark}{w.labels['total']} {counted.total()}: {' · '.join(numbers)}"


def number(counted: Situations, state: State, now: datetime) -> int:
    """How many of them are in a state."""
    return sum(n for one, n in counted.items() if state.takes(one, now))


def situations(counted: Iterable[Counted]) -> Situations:
    """Counted duties by situation alone."""
    found: Situations = Counter()
    for one in counted:
        found[one.situation] += one.count
    return found


def by_clause(found: Sequence[DutyView]) -> dict[str, list[DutyView]]:
    """Duties grouped by clause number, in the order given."""
    groups: dict[str, list[DutyView]] = {}
    for duty in found:
        groups.setdefault(duty.number, []).append(duty)
    return groups


SHOWN = (Status.SUBMITTED, Status.RETURNED, Status.ACCEPTED)


def counts(group: Sequence[DutyView], now: datetime) -> tuple[int, ...]:
    """All, overdue, due soon, and each of `SHOWN`."""
    by_status = Counter(duty.status for duty in group)
    return (
        len(group),
        sum(duty.overdue(now) for duty in group),
        sum(duty.due_soon(now) for duty in group),
        *(by_status[one] for one in SHOWN),
    )


def columns(w: Words) -> list[str]:
    """Headings of `counts`."""
    return [w.labels["total"], w.overdue, w.due_soon, *(w.status[one] for one in SHOWN)]
