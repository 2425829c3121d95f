"""The duties as they stood at a past moment, folded from the history."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from duban.duty import Status
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.questions import DutyView, versions_of, view_of
from duban.ledger.tables import ClauseVersion, Duty, History

State = dict[str, Any]
"""A duty's columns that its history changes."""


def duties_as_of(ledger: Ledger, moment: datetime) -> list[DutyView]:
    """The duties of the loaded notices as `duties` gave them at a moment, in the same order.

    A duty to which nothing has happened since is as it is now; of the others the history knows all
    but whether their due day was `provisional`.
    """
    with reading(ledger.engine) as connection:
        return views_as_of(connection, ledger, moment)


def views_as_of(connection: Connection, ledger: Ledger, moment: datetime) -> list[DutyView]:
    """The same inside of a view of the ledger that is open already."""
    since = select(History.duty_id).where(History.at > moment, History.action.in_(_ACTIONS))
    versions = versions_of(connection.execute(select(ClauseVersion.__table__)).mappings())
    changed = set(connection.scalars(since))
    told = _HAPPENED.where(History.at <= moment, History.duty_id.in_(since))
    states = fold(connection.execute(told)) if changed else {}
    rows = connection.execute(select(Duty.__table__)).mappings()
    then = [
        {**row, **states.get(row["id"], {})}
        for row in rows
        if row["id"] in states or row["id"] not in changed
    ]
    then.sort(key=lambda row: (row["clause"], row["due_at"], row["id"]))
    return [view for row in then if (view := view_of(ledger, versions, row))]


def state_now(connection: Connection) -> dict[int, State]:
    """What the whole history says of each duty, by duty."""
    return fold(connection.execute(_HAPPENED))


def fold(rows: Iterable[Row[Any]]) -> dict[int, State]:
    """The state of each duty after these rows of history, by duty.

    What a clock that was set back dates before the opening is left out with it.
    """
    states: dict[int, State] = {}
    for duty_id, action, at, data in rows:
        if action == "opened":
            states[duty_id] = _opened(at, data)
        elif duty_id in states:
            _FOLDS[action](states[duty_id], at, data)
    return states


def _opened(at: datetime, data: Mapping[str, Any]) -> State:
    due_at = datetime.fromisoformat(data["due"])
    return {
        "agency": data["agency"],
        "status": Status.OPEN.value,
        "opened_at": at,
        "due_at": due_at,
        "original_due_at": due_at,
        "submitted_at": None,
        "closed_at": None,
        "revision": 1,
        "nil": False,
        "acknowledged_at": None,
    }


def _submitted(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state |= {"status": Status.SUBMITTED.value, "submitted_at": at, "nil": False}


def _nil_returned(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state |= {"status": Status.SUBMITTED.value, "submitted_at": at, "nil": True}


def _acknowledged(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state["acknowledged_at"] = at


def _returned(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state["status"], state["submitted_at"] = Status.RETURNED.value, None
    _moved(state, at, data)


def _moved(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    due_at = datetime.fromisoformat(data["due"])
    state["revision"] += due_at != state["due_at"]
    state["due_at"] = due_at


def _shifted(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    _moved(state, at, data)
    state["original_due_at"] = state["due_at"]


def _accepted(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state["status"], state["closed_at"] = Status.ACCEPTED.value, at


def _waived(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state["status"], state["closed_at"] = data["status"], at


def _reopened(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state |= {"status": Status.OPEN.value, "submitted_at": None, "closed_at": None}


def _handed_over(state: State, at: datetime, data: Mapping[str, Any]) -> None:
    state |= {"agency": data["taker"], "acknowledged_at": None}
    state["revision"] += 1


_FOLDS: Mapping[str, Callable[[State, datetime, Mapping[str, Any]], None]] = {
    "submitted": _submitted,
    "nil-returned": _nil_returned,
    "acknowledged": _acknowledged,
    "returned": _returned,
    "extended": _moved,
    "shifted": _shifted,
    "moved": _shifted,
    "accepted": _accepted,
    "waived": _waived,
    "reopened": _reopened,
    "handed-over": _handed_over,
}
_ACTIONS = ("opened", *_FOLDS)
_HAPPENED = (
    select(History.duty_id, History.action, History.at, History.data)
    .where(History.action.in_(_ACTIONS))
    .order_by(History.seq)
)
