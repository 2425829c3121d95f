"""The daily picture in numbers: pure, from duties and one moment. One count, one list behind it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from duban.duty import Status
from duban.ledger.questions import DutyView
from duban.words import Words

BOARD_ROWS = 1000  # an artifact is read whole by the UI's list; more rows would slow every look


def headline(found: Sequence[DutyView], now: datetime, w: Words, label: str = "") -> str:
    """All counts in one line; a `label` marks what is not meant in earnest."""
    by_status = Counter(duty.status for duty in found)
    counts = [
        f"{w.overdue} {sum(duty.overdue(now) for duty in found)}",
        f"{w.due_soon} {sum(duty.due_soon(now) for duty in found)}",
        *(f"{w.status[one]} {by_status[one]}" for one in Status),
    ]
    mark = f"{label} · " if label else ""
    return f"{mark}{w.labels['total']} {len(found)}: {' · '.join(counts)}"


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


def summary_table(found: Sequence[DutyView], now: datetime, w: Words) -> str:
    """Markdown: a line for each clause."""
    head = [w.labels["clause"], w.labels["title"], *columns(w)]
    lines = [f"| {' | '.join(head)} |", f"|---|---|{'---:|' * len(columns(w))}"]
    for number, group in by_clause(found).items():
        numbers = " | ".join(str(one or "·") for one in counts(group, now))
        lines.append(f"| {number} | {group[0].clause.title} | {numbers} |")
    return "\n".join(lines)
