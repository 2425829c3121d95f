"""What a duty's run shows beside its facts: every event and letter, the last word, and the next."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from duban.ladder import INFORMING, Kind, Occurrence, Reason, Rung, decide
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.facts import Facts, facts_of
from duban.ledger.questions import Event, events_outside
from duban.ledger.tables import (
    Attempt,
    Duty,
    History,
    Hold,
    Letter,
    Mention,
    MirrorRun,
    Suspension,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a letter that speaks of a duty.

    Attributes:
        recipient: an agency's id.
        state: sent, unreachable, dead, resent, or pending and telephone, which no event tells.
        via: the channel's name, `drop` or `hand`.
        why: no-contact, suspended, permanent, temporary or ambiguous, where it did not arrive.
    """

    seq: int
    at: datetime
    duty_id: int
    kind: Kind
    recipient: str
    state: str
    via: str
    why: str = ""


Line = Event | Told


def unlogged(ledger: Ledger, ids: Sequence[int]) -> dict[int, list[Line]]:
    """What has happened to these duties and does not stand in their runs' logs yet, in order."""
    lines: dict[int, list[Line]] = defaultdict(list)
    with reading(ledger.engine) as connection:
        logged = _logged(connection, ids)
        for event in events_outside(connection, _own(ids)):
            lines[event.duty_id or 0].append(event)
        floor = min(_first_news(logged, lines), default=0)
        told = _letters(connection, ids, floor) + _holds(connection, ids, floor)
    for one in told:
        if one.seq > logged.get(one.duty_id or 0, 0):
            lines[one.duty_id or 0].append(one)
    return {
        duty_id: sorted(found, key=lambda one: one.seq)
        for duty_id, found in lines.items()
        if duty_id in logged
    }


def _logged(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    question = select(MirrorRun.duty_id, MirrorRun.logged_seq).where(MirrorRun.duty_id.in_(ids))
    return dict(connection.execute(question).tuples().all())


def _first_news(logged: Mapping[int, int], own: Mapping[int, Sequence[Line]]) -> Iterable[int]:
    """For each duty the seq after which letters and holds may be new to its log."""
    for duty_id, seq in logged.items():
        if seq or duty_id in own:
            yield seq or own[duty_id][0].seq


def _own(ids: Sequence[int]) -> ColumnElement[bool]:
    return and_(
        History.duty_id.in_(ids),
        History.seq
        > select(MirrorRun.logged_seq)
        .where(MirrorRun.duty_id == History.duty_id)
        .scalar_subquery(),
    )


def _shared(floor: int, *actions: str) -> ColumnElement[bool]:
    """Rows that concern several duties and name none."""
    return and_(History.duty_id.is_(None), History.seq > floor, History.action.in_(actions))


def _letters(connection: Connection, ids: Sequence[int], floor: int) -> list[Event | Told]:
    """Each letter's outcome, for each of these duties that it speaks of."""
    spoken: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_carried(ids)):
        spoken[row.id].append(row)
    named = History.data["letter"].as_integer().in_(spoken)
    mine = events_outside(connection, _shared(floor, "letter", "resent") & named) if spoken else []
    why = _Why(connection, mine, spoken)
    return [_told(event, row, why) for event in mine for row in spoken[int(event.data["letter"])]]


def _carried(ids: Sequence[int]) -> Select[Any]:
    return (
        select(Mention.duty_id, Letter.id, Letter.kind, Letter.recipient)
        .join(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id.in_(ids), Mention.said)
        .distinct()
    )


def _told(event: Event, row: Row[Any], why: "_Why") -> Told:
    state = "resent" if event.action == "resent" else str(event.data["state"])
    via = str(event.data.get("via", ""))
    reason = why.of(event, row.recipient) if state in ("unreachable", "dead") else ""
    return Told(event.seq, event.at, row.duty_id, Kind(row.kind), row.recipient, state, via, reason)


class _Why:
    """Why letters did not arrive, from what is known of their addresses and of their last try."""

    def __init__(
        self, connection: Connection, outcomes: Sequence[Event], spoken: Mapping[int, Any]
    ) -> None:
        lost = [
            int(one.data["letter"])
            for one in outcomes
            if one.data.get("state") in ("unreachable", "dead")
        ]
        self._suspended = list(connection.execute(select(*_SUSPENDED))) if lost else []
        self._tries = list(connection.execute(_tries(lost))) if lost else []

    def of(self, event: Event, agency: str) -> str:
        """The code of the reason; see `Told.why`."""
        if event.data["state"] == "unreachable":
            barred = any(
                one.agency == agency
                and one.since <= event.at
                and (one.lifted_at is None or one.lifted_at > event.at)
                for one in self._suspended
            )
            return "suspended" if barred else "no-contact"
        fates = [
            one.outcome
            for one in self._tries
            if one.letter_id == event.data["letter"] and one.at <= event.at
        ]
        return fates[-1] if fates and fates[-1] in _FATES else "temporary"


_SUSPENDED = (Suspension.agency, Suspension.since, Suspension.lifted_at)
_FATES = ("permanent", "temporary", "ambiguous")


def _tries(letters: Sequence[int]) -> Select[Any]:
    return (
        select(Attempt.letter_id, Attempt.at, Attempt.outcome)
        .where(Attempt.letter_id.in_(letters))
        .order_by(Attempt.id)
    )


def _holds(connection: Connection, ids: Sequence[int], floor: int) -> list[Event | Told]:
    """Each hold and its end, for each of these duties that it covered."""
    said = events_outside(connection, _shared(floor, "held", "released"))
    if not said:
        return []
    held = {row.id: row for row in connection.execute(select(Hold.id, Hold.agency, Hold.clause))}
    columns = (Duty.id, Duty.agency, Duty.clause, Duty.opened_at, Duty.closed_at)
    rows = connection.execute(select(*columns).where(Duty.id.in_(ids))).all()
    return [
        replace(event, duty_id=row.id)
        for event in said
        for row in rows
        if (hold := held.get(event.data.get("hold", 0)))
        and hold.agency in (None, row.agency)
        and hold.clause in (None, row.clause)
        and row.opened_at <= event.at
        and (row.closed_at is None or event.at < row.closed_at)
    ]


@dataclass(frozen=True, slots=True)
class Last:
    """The last word of the chase about a duty.

    Attributes:
        kind: None where it was a telephone call.
        state: the letter's, or `telephone`.
        via: the channel by which it went or will go, `drop` or `hand`.
        sent_at: when it arrived, if it did.
    """

    day: date
    kind: Kind | None
    recipient: str
    state: str
    via: str
    sent_at: datetime | None


def last_letters(ledger: Ledger, ids: Collection[int]) -> dict[int, Last]:
    """The last word about each of these duties; what only informs does not count."""
    question = (
        select(
            Mention.duty_id,
            Mention.day,
            Letter.kind,
            Mention.recipient,
            func.coalesce(Letter.state, "telephone"),
            func.coalesce(Letter.sent_via, Letter.channel, ""),
            Letter.sent_at,
        )
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id.in_(ids), Mention.said, Mention.rung.not_in(INFORMING))
        .where(Letter.id.is_(None) | (Letter.state != "suppressed"))
        .order_by(Mention.day, Mention.id)
    )
    with reading(ledger.engine) as connection:
        return {
            duty_id: Last(day, Kind(kind) if kind else None, recipient, state, via, sent_at)
            for duty_id, day, kind, recipient, state, via, sent_at in connection.execute(question)
        }


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the chase will say next of a duty, if nothing comes until then.

    Attributes:
        reason: why it is silent now, or speaks.
        held_until: the last day of a hold that covers the duty.
        next: the turn that comes next, if any will.
        on: the civil day on which it is said; that of the turn itself where it has come already.
        reached: the turn has come and is not said yet.
        awaiting: the formal rung that goes out once a coordinator approves it.
    """

    reason: Reason
    held_until: date | None = None
    next: Occurrence | None = None
    on: date | None = None
    reached: bool = False
    awaiting: Rung | None = None


def prospects(ledger: Ledger, ids: Sequence[int], now: datetime) -> dict[int, Prospect]:
    """What comes next for each of these duties, from the facts and the rule of the chase."""
    today = ledger.registry.today(now)
    with reading(ledger.engine) as connection:
        found = facts_of(connection, ledger, ids, today)
    return {facts.id: _prospect(ledger, facts, today) for facts in found}


def _prospect(ledger: Ledger, facts: Facts, today: date) -> Prospect:
    calendar = ledger.registry.calendar(facts.clause, facts.agency)
    first = step = decide(facts.chased, facts.ladder, calendar, today)
    at = today
    while not (step.speak or step.propose) and step.next_on and _goes_on(step.reason):
        at = step.next_on
        step = decide(facts.chased, facts.ladder, calendar, at)
    turn = step.speak or step.propose
    reached = turn is not None and turn.day <= today
    on = turn.day if turn and reached else at if turn else None
    return Prospect(first.reason, facts.chased.held_until, turn, on, reached, facts.awaiting)


def _goes_on(reason: Reason) -> bool:
    """Days alone bring the next word."""
    return reason not in (Reason.NOT_DELIVERED, Reason.SUBMITTED, Reason.CLOSED)
