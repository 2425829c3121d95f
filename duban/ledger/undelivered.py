"""Letters that found no way: sent again when there is one, or delivered by hand."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, union, update

from duban.errors import DubanError
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.routes import NO_CONTACT, SUSPENDED, Routes
from duban.ledger.tables import Letter, Suspension, Task
from duban.ledger.tasks import close_task

UNDELIVERED = ("unreachable", "dead")
_ANEW = {"state": "pending", "attempts": 0, "payload": None, "lease_until": None}


class NotUndelivered(DubanError):
    """There is no such letter among those that could not be delivered."""


class NothingSuspended(DubanError):
    """No address of that agency is suspended."""


def revive(ledger: Ledger, routes: Callable[[Connection], Routes], now: datetime) -> int:
    """Has unreachable letters written anew whose recipient can be reached by now; how many.

    Args:
        routes: the ways that are open, asked of a connection.
    """
    with reading(ledger.engine) as connection:
        waiting = connection.scalars(_WAITING).all()
        if not waiting:
            return 0
        open_now = routes(connection)
    agencies = [ledger.registry.agencies.get(name) for name in waiting]
    reached = [one.id for one in agencies if one and not open_now.to(one).trouble]
    if not reached:
        return 0
    with change(ledger.engine, now, "duban") as made:
        return _revive(made, reached)


_WAITING = union(
    select(Letter.recipient).where(Letter.state == "unreachable"),
    select(Task.subject).where(Task.kind.in_((NO_CONTACT, SUSPENDED)), Task.closed_at.is_(None)),
)


def _revive(made: Change, agencies: Sequence[str]) -> int:
    statement = update(Letter).where(Letter.recipient.in_(agencies), Letter.state == "unreachable")
    count = made.connection.execute(statement.values(**_ANEW, not_before=made.at)).rowcount
    for agency in agencies:
        close_task(made, NO_CONTACT, agency, "duban")
        close_task(made, SUSPENDED, agency, "duban")
    made.record("revived", agencies=sorted(agencies), letters=count)
    return count


def resend(ledger: Ledger, letter_id: int, *, by: str, now: datetime) -> None:
    """Has a dead or unreachable letter written anew and tried again from the start.

    Raises:
        NotUndelivered: nothing was changed.
    """
    with change(ledger.engine, now, by) as made:
        _take(made, letter_id, {**_ANEW, "not_before": now}, by)
        made.record("resent", letter=letter_id)


def handed(ledger: Ledger, letter_id: int, *, by: str, now: datetime) -> None:
    """Records that a coordinator delivered a dead or unreachable letter by hand.

    Raises:
        NotUndelivered: nothing was changed.
    """
    with change(ledger.engine, now, by) as made:
        _take(made, letter_id, {"state": "sent", "sent_at": now, "sent_via": "hand"}, by)
        made.record("letter", letter=letter_id, state="sent", via="hand")


def lift(ledger: Ledger, agency: str, *, by: str, now: datetime) -> None:
    """Lets an agency's suspended addresses be used again; the next delivery does.

    Raises:
        NothingSuspended: nothing was changed.
    """
    in_force = (Suspension.agency == agency, Suspension.lifted_at.is_(None))
    with change(ledger.engine, now, by) as made:
        lifted = made.connection.execute(update(Suspension).where(*in_force).values(lifted_at=now))
        if not lifted.rowcount:
            raise NothingSuspended
        close_task(made, SUSPENDED, agency, by)
        made.record("lifted", agency=agency)


def _take(made: Change, letter_id: int, values: dict[str, object], by: str) -> None:
    recipient = made.connection.scalar(
        update(Letter)
        .where(Letter.id == letter_id, Letter.state.in_(UNDELIVERED))
        .values(**values)
        .returning(Letter.recipient)
    )
    if recipient is None:
        raise NotUndelivered
    close_task(made, "undeliverable", f"{letter_id}", by)
    left = select(func.count()).where(Letter.recipient == recipient, Letter.state == "unreachable")
    if not made.connection.scalar(left):
        close_task(made, NO_CONTACT, recipient, by)
