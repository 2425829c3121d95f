"""Puts edited files in force: shows first what that does, then does it, whole or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Row, and_, case, func, select

from duban.batches import batches
from duban.duty import WAITING, Act, Status
from duban.errors import InvalidRegistry
from duban.expect import ExpectedDuty, expected_duties
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.acts import notice_of, waive_within
from duban.ledger.amending import Amendment, Close, Move, Reading, Standing, amendment
from duban.ledger.applied import Kept, in_force, record
from duban.ledger.change import DUTIES_PER_CHANGE, Change, change
from duban.ledger.database import reading
from duban.ledger.facts import holds, paused_clauses
from duban.ledger.letterbox import NewMention, post
from duban.ledger.opening import (
    done_on,
    keep_versions,
    open_missing,
    unopened,
)
from duban.ledger.recount import recount
from duban.ledger.tables import Duty, EvidenceFile, Letter, Mention, Submission
from duban.registry import Registry
from duban.registry.files import Files, digest_of
from duban.words import words

UNSETTLED = (*WAITING, Status.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Orders:
    """What somebody wants done beyond opening what is missing.

    `move` moves waiting duties to the clauses as they read now, `close` waives those that the
    files know no more.
    """

    by: str
    move: bool = False
    close: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to duties."""

    opened: int
    moved: int
    closed: int


@dataclass(frozen=True)
class Proposal:
    """Files that may be put in force on a ledger.

    `before` is None where nothing is in force, or what is cannot be loaded any more.
    """

    engine: Engine
    base: Kept | None
    before: Registry | None
    after: Registry
    files: Files

    @classmethod
    def of(cls, engine: Engine, after: Registry, files: Files) -> "Proposal":
        """These files against what is in force now."""
        base = in_force(engine)
        return cls(engine, base, _loaded(base) if base else None, after, files)

    @property
    def same(self) -> bool:
        """Whether these very texts are in force."""
        return self.base is not None and self.base.digest == digest_of(self.files)

    @property
    def ledger(self) -> Ledger:
        """The ledger as it will be kept."""
        return Ledger(self.engine, self.after, digest_of(self.files))

    def amendment(self, now: datetime) -> Amendment:
        """What putting them in force at this moment would do."""
        missing, standing = _missing_duties(self.ledger, now), _standing(self.engine)
        return amendment(self.before, self.after, missing, standing, same=self.same)

    def apply(self, shown: Amendment, orders: Orders, now: datetime) -> Done:
        """Puts the files in force in one transaction, and brings the duties after them.

        Duties follow in changes of their own; what a crash leaves undone shows in the next
        amendment, and applying again does it.

        Args:
            shown: what somebody saw and agreed to.

        Raises:
            AppliedMeanwhile: other files were applied since; nothing was changed.
        """
        if not self.same:
            counts = shown.counts(move=orders.move, close=orders.close)
            with change(self.engine, now, orders.by) as made:
                record(made, self.files, self.base, orders.reason, counts)
        following = _Following(self.ledger, orders, now)
        closed = following.close([one.duty.id for one in shown.closes]) if orders.close else 0
        moved = following.move([one.duty.id for one in shown.moves]) if orders.move else 0
        recount(self.ledger, now)
        return Done(open_missing(self.ledger, now).opened, moved, closed)


class _AllSet(Mapping[str, str]):
    """An environment that has every variable; what is compared is never sent to."""

    def __getitem__(self, key: str) -> str:
        return key

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _loaded(kept: Kept) -> Registry | None:
    try:
        return kept.load(_AllSet())
    except InvalidRegistry:
        return None


def _missing_duties(ledger: Ledger, now: datetime) -> list[ExpectedDuty]:
    """What `open_missing` would open at this moment."""
    with reading(ledger.engine) as connection:
        paused = paused_clauses(connection)
    expected = expected_duties(ledger.registry, now, done_on(ledger))
    return unopened(ledger, [duty for duty in expected if duty.clause not in paused])


def _standing(engine: Engine) -> list[Standing]:
    """Every duty that is not closed."""
    question = select(*_COLUMNS).where(Duty.status.in_(UNSETTLED)).order_by(Duty.id)
    with reading(engine) as connection:
        rows = connection.execute(question).all()
        begun = _begun(connection, None)
    return [_stands(row, row.id in begun) for row in rows]


_COLUMNS = (
    Duty.id,
    Duty.clause,
    Duty.version,
    Duty.cycle,
    Duty.agency,
    Duty.period,
    Duty.status,
    Duty.opens_on,
    Duty.due_at,
    Duty.original_due_at,
    Duty.soft,
    Duty.provisional,
)


def _begun(connection: Connection, ids: Sequence[int] | None) -> set[int]:
    """Duties for which evidence or a file has come."""
    found: set[int] = set()
    for column in (Submission.duty_id, EvidenceFile.duty_id):
        question = select(column).distinct()
        if ids is not None:
            question = question.where(column.in_(ids))
        found |= set(connection.scalars(question))
    return found


_Found: TypeAlias = Sequence[tuple[Duty, Move | Close]]
_Act: TypeAlias = Callable[[Change, _Found], int]


@dataclass(frozen=True)
class _Following:
    """Duties that follow the files; each is looked at again behind its lock."""

    ledger: Ledger
    orders: Orders
    now: datetime

    def move(self, ids: Sequence[int]) -> int:
        """Moves these duties to the clauses as they read now; how many moved."""
        return sum(self._batch(some, self._move) for some in batches(ids, DUTIES_PER_CHANGE))

    def close(self, ids: Sequence[int]) -> int:
        """Closes those of these duties that the files know no more; how many there were."""
        return sum(self._batch(some, self._close) for some in batches(ids, DUTIES_PER_CHANGE))

    def _batch(self, ids: Sequence[int], act: _Act) -> int:
        view = Reading(self.ledger.registry)
        with change(self.ledger.engine, self.now, self.orders.by) as made:
            duties = _locked(made, ids)
            begun = _begun(made.connection, ids)
            found = [(duty, view.of(_stands(duty, duty.id in begun))) for duty in duties]
            return act(made, [(duty, one) for duty, one in found if one])

    def _move(self, made: Change, found: _Found) -> int:
        moves = [(duty, one) for duty, one in found if isinstance(one, Move)]
        keep_versions(made, self.ledger, {duty.clause for duty, _ in moves})
        for duty, one in moves:
            self._follow(made, duty, one)
        self._tell(made, [(duty, one) for duty, one in moves if one.dated])
        return len(moves)

    def _follow(self, made: Change, duty: Duty, to: Move) -> None:
        """The day is the first one of a duty that was always due then; the chase looks again."""
        before, reason = duty.due_at, self.orders.reason or None
        duty.version, duty.soft, duty.opens_on = to.version, to.soft, to.opens_on
        duty.next_on = self._today(made, duty)
        if not to.dated:
            made.record("reworded", duty.id, reason, version=to.version)
            return
        duty.due_at = duty.original_due_at = to.due_at
        duty.provisional = to.provisional
        duty.revision += 1
        due, was = to.due_at.isoformat(), before.isoformat()
        made.record("moved", duty.id, reason, due=due, before=was, version=to.version)

    def _today(self, made: Change, duty: Duty) -> date:
        return made.at.astimezone(notice_of(self.ledger, duty).zone).date()

    def _tell(self, made: Change, moves: Sequence[tuple[Duty, Move]]) -> None:
        """A later day is told as an extension is, an earlier one by the round's first letter again.

        One that still waits to be written names the new day by itself; a hold keeps silent.
        """
        said = _openers(made.connection, [duty.id for duty, _ in moves])
        days = {self._today(made, duty) for duty, _ in moves}
        held = {day: holds(made.connection, day) for day in days}
        by_notice: dict[str, list[NewMention]] = {}
        for duty, one in moves:
            today, (n, unwritten) = self._today(made, duty), said.get(duty.id, (0, False))
            silent = held[today].until(duty.agency, duty.clause)
            if n and not unwritten and not silent:
                agency = self.ledger.registry.agencies[duty.agency]
                kind = Kind.EXTENSION if one.due_at > one.duty.due_at else Kind(duty.opener)
                mention = NewMention(duty.id, agency, kind, duty.round, duty.opener, n + 1, today)
                by_notice.setdefault(duty.clause.partition("/")[0], []).append(mention)
        for notice_id, mentions in by_notice.items():
            notice = self.ledger.registry.notices[notice_id].file.notice
            post(made, self.ledger, notice, mentions)

    def _close(self, made: Change, found: _Found) -> int:
        closes = [(duty, one) for duty, one in found if isinstance(one, Close)]
        told = words(self.ledger.registry.language).amendment
        for duty, one in closes:
            waive_within(made, duty, self.orders.reason or told[f"left-{one.left}"], Act.WAIVE)
        return len(closes)


def _openers(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """How often the opening letter of a duty's round was decided, and if one is yet to be written.

    A round that a hold has kept from beginning has none.
    """
    unwritten = and_(Letter.state == "pending", Letter.attempts == 0)
    question = (
        select(Mention.duty_id, func.max(Mention.n), func.max(case((unwritten, 1), else_=0)))
        .join(Duty, and_(Duty.id == Mention.duty_id, Duty.round == Mention.round))
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id.in_(ids), Mention.rung == Duty.opener)
        .group_by(Mention.duty_id)
    )
    return {duty: (n, bool(waits)) for duty, n, waits in connection.execute(question)}


def _locked(made: Change, ids: Sequence[int]) -> Sequence[Duty]:
    question = select(Duty).where(Duty.id.in_(ids), Duty.status.in_(WAITING)).order_by(Duty.id)
    return made.session.scalars(question.with_for_update()).all()


def _stands(duty: Duty | Row[Any], begun: bool) -> Standing:
    return Standing(
        duty.id,
        duty.clause,
        duty.version,
        duty.cycle,
        duty.agency,
        duty.period,
        Status(duty.status),
        duty.opens_on,
        duty.due_at,
        duty.original_due_at,
        duty.soft,
        duty.provisional,
        begun,
    )
