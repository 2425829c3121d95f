"""Opens the duties that should be there: "expected N, opened M". Twice opens nothing twice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from duban.batches import batches
from duban.duty import Status
from duban.expect import ExpectedDuty, expected_duties
from duban.ladder import Kind, resumes_on
from duban.ledger import Ledger
from duban.ledger.change import (
    DUTIES_PER_CHANGE,
    Change,
    change,
    insert_or_skip,
    look_again,
)
from duban.ledger.database import reading
from duban.ledger.facts import holds, paused_clauses
from duban.ledger.letterbox import NewMention, post
from duban.ledger.tables import ClauseVersion, Duty, Tick
from duban.registry import PlacedClause


@dataclass(frozen=True, slots=True)
class Opening:
    """What a tick found: how many duties should be open, and how many it had to open.

    Those of a clause that is held without end are `paused`: counted apart, and not opened.
    """

    expected: int
    opened: int
    paused: int = 0

    def __str__(self) -> str:
        told = f"expected {self.expected}, opened {self.opened}"
        return f"{told}, paused {self.paused}" if self.paused else told


def open_missing(
    ledger: Ledger, now: datetime, *, clause: str | None = None, since: date | None = None
) -> Opening:
    """Opens every duty that should be open and is not, with its 交办 letters.

    Args:
        now: the frozen moment; each notice's own zone makes a civil day of it.
        clause: only this clause (its key).
        since: also the periods that opened on or after this day.
    """
    asked = [
        duty
        for duty in expected_duties(ledger.registry, now, done_on(ledger), since)
        if clause in (None, duty.clause)
    ]
    paused = _paused(ledger)
    wanted = [duty for duty in asked if duty.clause not in paused]
    missing = unopened(ledger, wanted)
    opened = sum(_open(ledger, batch, now) for batch in batches(missing, DUTIES_PER_CHANGE))
    result = Opening(len(wanted), opened, len(asked) - len(wanted))
    _record_tick(ledger, now, clause or "all", result)
    return result


def done_on(ledger: Ledger) -> Mapping[tuple[str, str], date]:
    """When accepted evidence first showed a matter done, per clause and agency."""
    question = (
        select(Duty.clause, Duty.agency, func.min(Duty.closed_at))
        .where(Duty.done, Duty.status == Status.ACCEPTED)
        .group_by(Duty.clause, Duty.agency)
    )
    with reading(ledger.engine) as connection:
        rows = connection.execute(question).all()
    clauses = ledger.registry.clauses
    return {
        (clause, agency): closed_at.astimezone(clauses[clause].notice.zone).date()
        for clause, agency, closed_at in rows
        if clause in clauses
    }


def _paused(ledger: Ledger) -> frozenset[str]:
    with reading(ledger.engine) as connection:
        return paused_clauses(connection)


def unopened(ledger: Ledger, wanted: Sequence[ExpectedDuty]) -> list[ExpectedDuty]:
    """Those of the wanted duties that the ledger does not have."""
    periods = {duty.period for duty in wanted}
    question = select(Duty.clause, Duty.cycle, Duty.agency, Duty.period).where(
        Duty.period.in_(periods)
    )
    with reading(ledger.engine) as connection:
        present = {tuple(row) for row in connection.execute(question)}
    return [duty for duty in wanted if duty.key not in present]


def _open(ledger: Ledger, duties: Sequence[ExpectedDuty], now: datetime) -> int:
    with change(ledger.engine, now, "duban") as made:
        keep_versions(made, ledger, {duty.clause for duty in duties})
        opened = _insert(made.connection, duties, now)
        for duty_id, duty in opened:
            made.record(
                "opened",
                duty_id,
                clause=duty.clause,
                version=duty.version,
                cycle=duty.cycle,
                agency=duty.agency,
                period=duty.period,
                due=duty.due_at.isoformat(),
            )
        _post_first_letters(made, ledger, opened)
    return len(opened)


def _insert(
    connection: Connection, duties: Sequence[ExpectedDuty], now: datetime
) -> list[tuple[int, ExpectedDuty]]:
    """Inserts what is still missing; another process may have been here since the look."""
    by_key = {duty.key: duty for duty in duties}
    statement = (
        insert_or_skip(connection)(Duty)
        .on_conflict_do_nothing()
        .returning(Duty.id, Duty.clause, Duty.cycle, Duty.agency, Duty.period)
    )
    rows = connection.execute(statement, [_row(duty, now) for duty in duties])
    return sorted(((row[0], by_key[tuple(row[1:])]) for row in rows), key=lambda found: found[0])


def _row(duty: ExpectedDuty, now: datetime) -> dict[str, Any]:
    return {
        "clause": duty.clause,
        "version": duty.version,
        "cycle": duty.cycle,
        "agency": duty.agency,
        "period": duty.period,
        "status": Status.OPEN.value,
        "soft": duty.soft,
        "opened_at": now,
        "opens_on": duty.opens_on,
        "due_at": duty.due_at,
        "original_due_at": duty.due_at,
        "done": False,
        "round": 1,
        "opener": Kind.ASSIGN.value,
        "revision": 1,
        "provisional": duty.provisional,
        "next_on": duty.today + timedelta(days=1),
    }


def keep_versions(made: Change, ledger: Ledger, clauses: Iterable[str]) -> None:
    """Keeps the clauses as they read now, for duties that refer to them."""
    rows = [
        {
            "clause": key,
            "version": placed.clause.version,
            "content": placed.clause.model_dump(mode="json"),
            "first_seen_at": made.at,
        }
        for key in sorted(clauses)
        if (placed := ledger.registry.clauses[key])
    ]
    statement = insert_or_skip(made.connection)(ClauseVersion).on_conflict_do_nothing()
    made.connection.execute(statement, rows)


def _post_first_letters(
    made: Change, ledger: Ledger, opened: Sequence[tuple[int, ExpectedDuty]]
) -> None:
    """交办 to whoever reports, a copy to whoever shares in the clause; a hold defers the 交办."""
    by_notice: dict[str, list[NewMention]] = {}
    held: dict[int, date | None] = {}
    today = {duty.today for _, duty in opened}
    in_force_on = {day: holds(made.connection, day) for day in today}
    for duty_id, duty in opened:
        placed = ledger.registry.clauses[duty.clause]
        in_force = in_force_on[duty.today]
        if until := in_force.until(duty.agency, duty.clause):
            held[duty_id] = resumes_on(until)
            continue
        by_notice.setdefault(placed.notice_id, []).extend(
            mention
            for mention in _mentions(ledger, placed, duty_id, duty)
            if not in_force.until(mention.recipient.id, duty.clause)
        )
    look_again(made, [{"duty": duty_id, "day": day} for duty_id, day in held.items()])
    for notice_id, mentions in by_notice.items():
        post(made, ledger, ledger.registry.notices[notice_id].file.notice, mentions)


def _mentions(
    ledger: Ledger, placed: PlacedClause, duty_id: int, duty: ExpectedDuty
) -> Iterator[NewMention]:
    agency = ledger.registry.agencies[duty.agency]
    yield NewMention(duty_id, agency, Kind.ASSIGN, 1, Kind.ASSIGN.value, 1, duty.today)
    for other in placed.copied.get(duty.agency, ()):
        yield NewMention(duty_id, other, Kind.COPY, 1, Kind.COPY.value, 1, duty.today)


def _record_tick(ledger: Ledger, now: datetime, scope: str, result: Opening) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            insert(Tick).values(
                at=now,
                scope=scope,
                expected=result.expected,
                opened=result.opened,
            )
        )
