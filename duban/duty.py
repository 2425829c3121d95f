"""What a duty is at a moment: pure rules on status and dates. Lateness is derived, never kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from duban.errors import DubanError

DUE_SOON = timedelta(days=7)
DUE_NEXT = timedelta(days=30)


class Status(StrEnum):
    """What has happened to a duty."""

    OPEN = "open"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    WAIVED = "waived"
    NOT_APPLICABLE = "not-applicable"


WAITING = frozenset({Status.OPEN, Status.RETURNED})
"""The agency has to act."""

CLOSED = frozenset({Status.ACCEPTED, Status.WAIVED, Status.NOT_APPLICABLE})
"""Nobody has to act."""


class Act(StrEnum):
    """What a person does to a duty."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    RETURN = "return"
    EXTEND = "extend"
    WAIVE = "waive"
    NOT_APPLICABLE = "not-applicable"
    REOPEN = "reopen"


_ACTS: dict[Act, tuple[frozenset[Status], Status | None]] = {
    Act.SUBMIT: (WAITING | {Status.SUBMITTED}, Status.SUBMITTED),
    Act.ACCEPT: (frozenset({Status.SUBMITTED}), Status.ACCEPTED),
    Act.RETURN: (frozenset({Status.SUBMITTED}), Status.RETURNED),
    Act.EXTEND: (WAITING, None),
    Act.WAIVE: (WAITING | {Status.SUBMITTED}, Status.WAIVED),
    Act.NOT_APPLICABLE: (WAITING | {Status.SUBMITTED}, Status.NOT_APPLICABLE),
    Act.REOPEN: (CLOSED, Status.OPEN),
}


class IllegalAct(DubanError):
    """The duty's status does not allow this."""


def after(act: Act, status: Status) -> Status:
    """The status that follows an act.

    Raises:
        IllegalAct: the act does not fit the status; the message names the ones it fits.
    """
    allowed, result = _ACTS[act]
    if status not in allowed:
        fits = ", ".join(sorted(allowed))
        raise IllegalAct(f"The duty is {status}; {act} needs one that is {fits}.")
    return result or status


class Light(StrEnum):
    """The customary lights; grey is a closed duty."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts that lights and lateness derive from. Times are aware instants."""

    status: Status
    due_at: datetime
    soft: bool = False
    submitted_at: datetime | None = None


def overdue(duty: Standing, now: datetime) -> bool:
    """The agency has to act and its time is up; a soft duty is never overdue."""
    return duty.status in WAITING and not duty.soft and now > duty.due_at


def due_soon(duty: Standing, now: datetime) -> bool:
    """The agency has to act within seven days."""
    return due_within(duty, now, DUE_SOON)


def due_within(duty: Standing, now: datetime, span: timedelta) -> bool:
    """The agency has to act, and its time is up within the span and not yet."""
    return duty.status in WAITING and duty.due_at - span <= now <= duty.due_at


def light(duty: Standing, now: datetime) -> Light:
    """Red is overdue, yellow due within seven days or a soft duty past its day, green the rest."""
    if duty.status in CLOSED:
        return Light.GREY
    if overdue(duty, now):
        return Light.RED
    late_but_soft = duty.status in WAITING and duty.soft and now > duty.due_at
    return Light.YELLOW if due_soon(duty, now) or late_but_soft else Light.GREEN


def on_time(duty: Standing) -> bool:
    """Judged by when the evidence came, not by when it was reviewed."""
    return duty.submitted_at is not None and duty.submitted_at <= duty.due_at


def days_late(duty: Standing, now: datetime, zone: ZoneInfo) -> int:
    """Civil days in the zone from the due day to the evidence, or to now; 0 when not late."""
    until = duty.submitted_at if duty.status not in WAITING else now
    if until is None or until <= duty.due_at:
        return 0
    return (until.astimezone(zone).date() - duty.due_at.astimezone(zone).date()).days
