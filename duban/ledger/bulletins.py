"""Bulletins (通报) as the ledger keeps them: drafted, objected to, answered, issued, withdrawn.

A draft goes to the coordinators first; it can be issued when its objection window is over and every
objection is answered. What it says is cut from its snapshot alone; see `duban.reports`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, false, func, select

from duban.errors import DubanError
from duban.ledger import Ledger
from duban.ledger.change import Change, change, insert_or_skip
from duban.ledger.database import reading
from duban.ledger.snapshots import Snapshot, sha256_of, snapshot
from duban.ledger.tables import Bulletin, ChainHead, Frozen, History, Objection, Paper
from duban.ledger.tasks import close_task, open_task
from duban.paper.facts import number_text
from duban.period import Every, Period, period_named

KIND = "bulletin"
MOST_TEXT = 2_000


class NoSuchBulletin(DubanError):
    """There is no such bulletin; `duban bulletin list` shows them."""


class NoSuchObjection(NoSuchBulletin):
    """There is no such objection; `duban bulletin show` lists those of a bulletin."""


class BulletinRefused(DubanError):
    """The bulletin cannot be drafted, issued or objected to in this way."""

    def __init__(self, code: str, **given: object) -> None:
        self.code, self.given = code, given
        super().__init__(_WHY[code].format(**given))


_WHY = {
    "not-begun": "{period} has not begun by the cut-off; choose a later one.",
    "ahead": "The cut-off lies ahead; choose a day up to today.",
    "no-period": "'{period}' is no period; write one like 2026-10, 2026Q3, 2026H1, 2026 or SY2026.",
    "ended": "The bulletin was issued or withdrawn already.",
    "window": "Objections are taken through {day}; it can be issued after that.",
    "closed": "The objection window ended on {day}.",
    "open": "{n} objections are not answered yet; answer them first.",
    "no-text": "Say what is meant, in at most {most} characters.",
    "answered": "The objection was answered already.",
}


class State(StrEnum):
    """What became of a bulletin."""

    DRAFT = "draft"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class BulletinView:
    """A bulletin without its facts; instants are UTC, `objections_until` is a civil day.

    `number` is the document number (发文字号) of one that was issued, else empty.
    """

    id: int
    every: Every
    period: str
    state: State
    cut_off: datetime
    made_at: datetime
    made_by: str
    objections_until: date
    ended_at: datetime | None
    ended_by: str | None
    paper_id: int | None
    sha256: str
    open_objections: int
    number: str = ""

    @property
    def of(self) -> Period:
        """Its period."""
        return period_called(self.period)


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """What was said against a draft, and the answer if there is one."""

    id: int
    text: str
    made_at: datetime
    made_by: str
    answer: str | None
    answered_at: datetime | None
    answered_by: str | None


def period_called(name: str) -> Period:
    """The period of a bulletin by its name: `2026-10`, `2026Q3`, `2026H1`, `2026`, `SY2026`.

    Raises:
        BulletinRefused: there is no such period.
    """
    if found := period_named(name):
        return found
    raise BulletinRefused("no-period", period=name[:20])


def draft(
    ledger: Ledger,
    period: Period,
    *,
    at: datetime,
    by: str,
    now: datetime,
    anew: bool = False,
) -> tuple[int, bool]:
    """Freezes the facts as of a cut-off and drafts the period's bulletin from them.

    Args:
        at: the cut-off; what happens later does not show.
        anew: also where the period's bulletin was issued already, to correct it.

    Returns:
        Its number, and whether it is new. While a draft of the period stands, that is the one.

    Raises:
        BulletinRefused: nothing was drafted.
    """
    _check(ledger, period, at, now)
    if known := _standing(ledger, period, anew):
        return known, False
    frozen = _frozen(snapshot(ledger, at))
    with change(ledger.engine, now, by) as made:
        # Two may draft at once: the second waits here and finds the first one's.
        made.connection.execute(select(ChainHead.seq).with_for_update())
        if known := made.connection.scalar(_same(period, anew)):
            return known, False
        row = Bulletin(
            every=period.every.value,
            period=period.name,
            frozen_id=_freeze(made, frozen),
            state=State.DRAFT.value,
            made_at=now,
            made_by=by,
            objections_until=_window(ledger, now),
        )
        made.session.add(row)
        made.session.flush()
        open_task(made, KIND, str(row.id), period=period.name, until=f"{row.objections_until}")
        made.record(
            "bulletin-drafted",
            bulletin=row.id,
            period=period.name,
            sha256=frozen["sha256"],
            seq=frozen["seq"],
        )
        return row.id, True


def _check(ledger: Ledger, period: Period, at: datetime, now: datetime) -> None:
    if at > now:
        raise BulletinRefused("ahead")
    if period.start is None or ledger.registry.today(at) < period.start:
        raise BulletinRefused("not-begun", period=period.name)


def _same(period: Period, anew: bool) -> Select[tuple[int]]:
    """The number of a draft of the period, or of what was issued."""
    issued = false() if anew else Bulletin.state == State.ISSUED
    return (
        select(func.max(Bulletin.id))
        .where(Bulletin.every == period.every, Bulletin.period == period.name)
        .where((Bulletin.state == State.DRAFT) | issued)
    )


def _standing(ledger: Ledger, period: Period, anew: bool) -> int | None:
    with reading(ledger.engine) as connection:
        return connection.scalar(_same(period, anew))


def _frozen(seen: Snapshot) -> dict[str, Any]:
    """The row that keeps a snapshot, made before the chain is locked: packing takes seconds."""
    content = seen.packed()
    values = {"at": seen.at, "seq": seen.seq, "chain": seen.chain, "content": content}
    return {"sha256": sha256_of(content), **values}


def _freeze(made: Change, frozen: dict[str, Any]) -> int:
    """Keeps a snapshot; one that says the same is kept once."""
    statement = insert_or_skip(made.connection)(Frozen).values(frozen)
    made.connection.execute(statement.on_conflict_do_nothing(index_elements=["sha256"]))
    question = select(Frozen.id).where(Frozen.sha256 == frozen["sha256"])
    return made.connection.execute(question).scalar_one()


def _window(ledger: Ledger, now: datetime) -> date:
    """The last day of the objection window, in working days of the coordinator's region."""
    policy, registry = ledger.registry.policy, ledger.registry
    calendar = policy.calendar(registry.first_notice.calendar, registry.coordinator.region)
    return calendar.add(registry.today(now), policy.objection_days).day


def object_to(ledger: Ledger, bulletin_id: int, *, text: str, by: str, now: datetime) -> int:
    """Says something against a draft; its number.

    Raises:
        NoSuchBulletin, BulletinRefused: nothing was recorded.
    """
    _worded(text)
    with change(ledger.engine, now, by) as made:
        row = _draft(made, bulletin_id)
        if ledger.registry.today(now) > row.objections_until:
            raise BulletinRefused("closed", day=row.objections_until)
        said = Objection(bulletin_id=row.id, text=text.strip(), made_at=now, made_by=by)
        made.session.add(said)
        made.session.flush()
        made.record("bulletin-objected", None, text.strip(), bulletin=row.id, objection=said.id)
        return said.id


def answer(ledger: Ledger, objection_id: int, *, text: str, by: str, now: datetime) -> None:
    """Answers an objection. Where it is right, mend the ledger, withdraw the draft, draft anew.

    Raises:
        NoSuchObjection, BulletinRefused: nothing was recorded.
    """
    _worded(text)
    with change(ledger.engine, now, by) as made:
        said = made.session.get(Objection, objection_id, with_for_update=True)
        if said is None:
            raise NoSuchObjection
        _draft(made, said.bulletin_id)
        if said.answered_at is not None:
            raise BulletinRefused("answered")
        said.answer, said.answered_at, said.answered_by = text.strip(), now, by
        made.record(
            "bulletin-answered", None, text.strip(), bulletin=said.bulletin_id, objection=said.id
        )


def _worded(text: str) -> None:
    if not 0 < len(text.strip()) <= MOST_TEXT:
        raise BulletinRefused("no-text", most=MOST_TEXT)


def end(made: Change, ledger: Ledger, bulletin_id: int, state: State, reason: str = "") -> Bulletin:
    """Issues or withdraws a draft as part of a change.

    Raises:
        NoSuchBulletin, BulletinRefused: also while objections can be made, or are not answered.
    """
    row = _draft(made, bulletin_id)
    if state is State.ISSUED:
        _ripe(made, ledger, row)
    row.state, row.ended_at, row.ended_by = state.value, made.at, made.actor
    close_task(made, KIND, str(row.id), made.actor)
    action = "bulletin-issued" if state is State.ISSUED else "bulletin-withdrawn"
    made.record(action, None, reason.strip() or None, bulletin=row.id, period=row.period)
    return row


def withdraw(ledger: Ledger, bulletin_id: int, *, reason: str, by: str, now: datetime) -> None:
    """Takes a draft back; another can be drafted then.

    Raises:
        NoSuchBulletin, BulletinRefused: nothing was recorded.
    """
    _worded(reason)
    with change(ledger.engine, now, by) as made:
        end(made, ledger, bulletin_id, State.WITHDRAWN, reason)


def _ripe(made: Change, ledger: Ledger, row: Bulletin) -> None:
    if ledger.registry.today(made.at) <= row.objections_until:
        raise BulletinRefused("window", day=row.objections_until)
    unanswered = select(func.count()).where(
        Objection.bulletin_id == row.id, Objection.answered_at.is_(None)
    )
    if n := made.connection.execute(unanswered).scalar_one():
        raise BulletinRefused("open", n=n)


def _draft(made: Change, bulletin_id: int) -> Bulletin:
    row = made.session.get(Bulletin, bulletin_id, with_for_update=True)
    if row is None:
        raise NoSuchBulletin
    if row.state != State.DRAFT:
        raise BulletinRefused("ended")
    return row


# Questions

_OPEN = (
    select(func.count())
    .where(Objection.bulletin_id == Bulletin.id, Objection.answered_at.is_(None))
    .scalar_subquery()
)
_VIEWS = (
    select(
        Bulletin.id,
        Bulletin.every,
        Bulletin.period,
        Bulletin.state,
        Frozen.at,
        Bulletin.made_at,
        Bulletin.made_by,
        Bulletin.objections_until,
        Bulletin.ended_at,
        Bulletin.ended_by,
        Bulletin.paper_id,
        Frozen.sha256,
        _OPEN,
        Paper.language,
        Paper.series,
        Paper.year,
        Paper.number,
    )
    .join(Frozen, Frozen.id == Bulletin.frozen_id)
    .outerjoin(Paper, Paper.id == Bulletin.paper_id)
    .order_by(Bulletin.id.desc())
)


def bulletins(ledger: Ledger) -> list[BulletinView]:
    """All bulletins, the newest first."""
    with reading(ledger.engine) as connection:
        return [_view(row) for row in connection.execute(_VIEWS)]


def objectable(ledger: Ledger, now: datetime) -> list[BulletinView]:
    """The drafts against which something can be said today, the newest first."""
    today = ledger.registry.today(now)
    question = _VIEWS.where(Bulletin.state == State.DRAFT, Bulletin.objections_until >= today)
    with reading(ledger.engine) as connection:
        return [_view(row) for row in connection.execute(question)]


def bulletin(ledger: Ledger, bulletin_id: int) -> BulletinView:
    """One of them.

    Raises:
        NoSuchBulletin: there is none of that number.
    """
    with reading(ledger.engine) as connection:
        row = connection.execute(_VIEWS.where(Bulletin.id == bulletin_id)).one_or_none()
    if row is None:
        raise NoSuchBulletin
    return _view(row)


def _view(row: Row[Any]) -> BulletinView:
    bulletin_id, every, period, state, *rest = row
    facts, paper = rest[:9], rest[9:]
    number = number_text(*paper) if paper[0] else ""
    return BulletinView(bulletin_id, Every(every), period, State(state), *facts, number=number)


def objections(ledger: Ledger, bulletin_id: int) -> Sequence[ObjectionView]:
    """What was said against a bulletin, in order."""
    question = (
        select(
            Objection.id,
            Objection.text,
            Objection.made_at,
            Objection.made_by,
            Objection.answer,
            Objection.answered_at,
            Objection.answered_by,
        )
        .where(Objection.bulletin_id == bulletin_id)
        .order_by(Objection.id)
    )
    with reading(ledger.engine) as connection:
        return [ObjectionView(*row) for row in connection.execute(question)]


def facts_of(ledger: Ledger, bulletin_id: int) -> Snapshot:
    """The snapshot that a bulletin is cut from.

    Raises:
        NoSuchBulletin: there is none of that number.
    """
    return Snapshot.read(packed_of(ledger, bulletin_id))


def packed_of(ledger: Ledger, bulletin_id: int) -> bytes:
    """The same as the ledger keeps it.

    Raises:
        NoSuchBulletin: there is none of that number.
    """
    question = (
        select(Frozen.content)
        .join(Bulletin, Bulletin.frozen_id == Frozen.id)
        .where(Bulletin.id == bulletin_id)
    )
    with reading(ledger.engine) as connection:
        content = connection.scalar(question)
    if content is None:
        raise NoSuchBulletin
    return content


def faults(connection: Connection) -> Iterator[str]:
    """Bulletins whose period or facts are not those that the history tells of, or that it never
    drafted.
    """
    told = {data["bulletin"]: data for data in connection.scalars(_DRAFTED)}
    for row in connection.execute(_KEPT):
        data = told.pop(row.id, None)
        if data is None:
            yield f"Bulletin {row.id} was put in: the history never drafted it."
        elif not data["sha256"] == row.sha256 == sha256_of(row.content):
            yield f"The facts of bulletin {row.id} were altered."
        elif data["period"] != row.period:
            yield f"The period of bulletin {row.id} was altered."
    yield from (f"Bulletin {number} was removed." for number in told)


_DRAFTED = select(History.data).where(History.action == "bulletin-drafted")
_KEPT = (
    select(Bulletin.id, Bulletin.period, Frozen.sha256, Frozen.content)
    .join(Frozen, Frozen.id == Bulletin.frozen_id)
    .order_by(Bulletin.id)
)
