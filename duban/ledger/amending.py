"""What an edit of the files would do: pure, from two registries and what the ledger holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property, partial
from typing import TypeVar

from duban.duty import WAITING, Status
from duban.expect import ExpectedDuty
from duban.period import Every, Period, period_of
from duban.registry import Agency, Cycle, LoadedNotice, PlacedClause, Registry, instant
from duban.registry.clauses import Strict
from duban.registry.policy import Policy

T = TypeVar("T")
Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """What came, what changed and in which parts, and what left, by key."""

    new: tuple[str, ...] = ()
    changed: Mapping[str, Parts] = field(default_factory=dict[str, Parts])
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.left)


@dataclass(frozen=True, slots=True)
class Differences:
    """How two registries differ. `policy` names what of chase.yaml and calendar.yaml changed."""

    notices: Changed = Changed()
    clauses: Changed = Changed()
    agencies: Changed = Changed()
    policy: Parts = ()

    def __bool__(self) -> bool:
        return bool(self.notices or self.clauses or self.agencies or self.policy)


def differences(before: Registry | None, after: Registry) -> Differences:
    """How the registry after differs from the one before; from none, everything is new."""
    old_policy = before.policy if before else after.policy
    agencies = _changed(before.agencies if before else {}, after.agencies, _agency_parts)
    passing = frozenset((*agencies.new, *agencies.left))
    return Differences(
        _changed(before.notices if before else {}, after.notices, _notice_parts),
        _changed(before.clauses if before else {}, after.clauses, partial(_clause_parts, passing)),
        agencies,
        tuple(_policy_parts(old_policy, after.policy)),
    )


def _changed(
    before: Mapping[str, T], after: Mapping[str, T], parts: Callable[[T, T], Iterable[str]]
) -> Changed:
    both = {key: tuple(parts(before[key], after[key])) for key in after if key in before}
    return Changed(
        new=tuple(key for key in after if key not in before),
        changed={key: found for key, found in both.items() if found},
        left=tuple(key for key in before if key not in after),
    )


def _notice_parts(before: LoadedNotice, after: LoadedNotice) -> Iterator[str]:
    if before.text != after.text:
        yield "text"
    yield from _fields(before.file.notice, after.file.notice, without=("text_sha256",))


def _clause_parts(passing: Set[str], before: PlacedClause, after: PlacedClause) -> Iterator[str]:
    """Agencies that came or left are told once, and not with every clause they have a part in."""
    yield from _fields(before.clause, after.clause)
    if any(not passing & {*pair} for pair in _placed(before) ^ _placed(after)):
        yield "agencies"


def _placed(one: PlacedClause) -> set[tuple[str, str]]:
    """Who reports, and for whom each shares in it, as pairs."""
    reporting = {(agency.id, agency.id) for agency in one.reporters}
    return reporting | {(key, agency.id) for key, found in one.copied.items() for agency in found}


def _agency_parts(before: Agency, after: Agency) -> Iterator[str]:
    yield from _fields(before, after, without=("contact", *_OF_THE_REGION))
    yield from _fields(before.contact, after.contact)


_OF_THE_REGION = "region_name", "level"
"""What an agency's name tells already."""


def _fields(before: Strict, after: Strict, without: Sequence[str] = ()) -> Iterator[str]:
    for name in type(after).model_fields:
        if name not in without and getattr(before, name) != getattr(after, name):
            yield name


def _policy_parts(before: Policy, after: Policy) -> Iterator[str]:
    if (before.ladders, before.default) != (after.ladders, after.default):
        yield "ladders"
    if (before.spans, before.announced) != (after.spans, after.announced):
        yield "calendar"
    limits = [(one.quiet, one.letters_a_week, one.objection_days) for one in (before, after)]
    if limits[0] != limits[1]:
        yield "limits"
    if before.papers != after.papers:
        yield "papers"


class Left(StrEnum):
    """What of a duty left the files."""

    CLAUSE = "clause"
    CYCLE = "cycle"
    AGENCY = "agency"
    PERIOD = "period"


@dataclass(frozen=True, slots=True)
class Standing:
    """A duty as the ledger holds it.

    `begun`: evidence or a file has come for it, under the wording that it has. `provisional`: its
    day is counted anew by itself when holidays are announced.
    """

    id: int
    clause: str
    version: str
    cycle: str
    agency: str
    period: str
    status: Status
    opens_on: date
    due_at: datetime
    original_due_at: datetime
    soft: bool
    provisional: bool
    begun: bool

    @property
    def waiting(self) -> bool:
        """Whether the agency has to act."""
        return self.status in WAITING


@dataclass(frozen=True, slots=True)
class Move:
    """How a duty would stand by the clause as it reads now.

    A day that a coordinator has set stays, unless the clause's own is later by now. A duty for
    which something has come keeps its wording; only its day moves.
    """

    duty: Standing
    version: str
    soft: bool
    opens_on: date
    due_at: datetime
    provisional: bool
    current: bool
    """Whether the duty has the clause's present wording already."""

    @property
    def dated(self) -> bool:
        """Whether its day moves."""
        return self.due_at != self.duty.due_at

    @property
    def by_itself(self) -> bool:
        """Whether its day moves without being told to, since only the calendar has changed."""
        return self.dated and self.current and self.duty.provisional

    def __bool__(self) -> bool:
        duty = self.duty
        was = duty.version, duty.soft, duty.opens_on, duty.due_at
        return was != (self.version, self.soft, self.opens_on, self.due_at)


@dataclass(frozen=True, slots=True)
class Close:
    """A duty that the files know no more, and what of it left them."""

    duty: Standing
    left: Left


@dataclass
class Reading:
    """Reads duties by a registry."""

    registry: Registry
    _reporters: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def of(self, duty: Standing) -> Move | Close:
        """How a duty stands by this registry; a move that changes nothing is false."""
        placed = self.registry.clauses.get(duty.clause)
        if placed is None or not placed.clause.tracked:
            return Close(duty, Left.CLAUSE)
        cycle = next((one for one in placed.clause.cycles if one.name == duty.cycle), None)
        if cycle is None:
            return Close(duty, Left.CYCLE)
        if duty.agency not in self._reporting(placed):
            return Close(duty, Left.AGENCY)
        period = named(cycle.every, duty.period, duty.opens_on)
        if period is None or not _opens(cycle, period):
            return Close(duty, Left.PERIOD)
        return self._move(duty, placed, cycle, period)

    def _reporting(self, placed: PlacedClause) -> frozenset[str]:
        if placed.key not in self._reporters:
            self._reporters[placed.key] = frozenset(agency.id for agency in placed.reporters)
        return self._reporters[placed.key]

    def _move(self, duty: Standing, placed: PlacedClause, cycle: Cycle, period: Period) -> Move:
        calendar = self.registry.calendar(placed.key, duty.agency, school=cycle.school)
        counted = cycle.due_day(period, calendar)
        due = instant(counted.day, cycle.cut_off, placed.notice.zone)
        set_apart = duty.status is Status.RETURNED or duty.due_at != duty.original_due_at
        return Move(
            duty,
            version=duty.version if duty.begun else placed.clause.version,
            soft=duty.soft if duty.begun else placed.clause.soft,
            opens_on=cycle.opens_on(period),
            due_at=max(due, duty.due_at) if set_apart else due,
            # What counts days anew reads the duty's own wording, which is another one here.
            provisional=counted.provisional and not set_apart and not duty.begun,
            current=duty.version == placed.clause.version,
        )


def named(every: Every, name: str, near: date) -> Period | None:
    """The period of that name around a day; None where this kind has none of that name."""
    period = period_of(every, near)
    return next((one for one in (period, period.next, period.previous) if one.name == name), None)


def _opens(cycle: Cycle, period: Period) -> bool:
    return not isinstance(cycle.until, date) or cycle.opens_on(period) <= cycle.until


@dataclass(frozen=True)
class Amendment:
    """What putting a registry in force would do.

    `moves` and `closes` are those of waiting duties, done only when asked for; `recounts` follow
    the calendar in any case. `untouched` counts those under review that would have been concerned.
    `same`: these very texts are in force.
    """

    differences: Differences
    opens: tuple[ExpectedDuty, ...] = ()
    moves: tuple[Move, ...] = ()
    closes: tuple[Close, ...] = ()
    recounts: tuple[Move, ...] = ()
    untouched: int = 0
    same: bool = False

    @cached_property
    def dates(self) -> tuple[Move, ...]:
        """The moves of a day."""
        return tuple(one for one in self.moves if one.dated)

    @cached_property
    def wordings(self) -> tuple[Move, ...]:
        """The moves to another wording with the same day."""
        return tuple(one for one in self.moves if not one.dated)

    @property
    def recipients(self) -> Mapping[str, Parts]:
        """Agencies that are reached, named or led otherwise, and in what."""
        return self.differences.agencies.changed

    def late_at_once(self, now: datetime) -> int:
        """How many duties would become overdue by being moved."""
        return sum(not one.soft and one.due_at < now <= one.duty.due_at for one in self.dates)

    def anything(self, *, move: bool, close: bool) -> bool:
        """Whether there is something to do."""
        return bool(not self.same or self.opens or (move and self.moves) or (close and self.closes))

    def counts(self, *, move: bool, close: bool) -> dict[str, int]:
        """What it does, in figures."""
        clauses, agencies = self.differences.clauses, self.differences.agencies
        return {
            "opens": len(self.opens),
            "moves": len(self.dates) if move else 0,
            "rewords": len(self.wordings) if move else 0,
            "closes": len(self.closes) if close else 0,
            "recipients": len(self.recipients),
            "clauses": len(clauses.new) + len(clauses.changed) + len(clauses.left),
            "agencies": len(agencies.new) + len(agencies.left),
        }


def amendment(
    before: Registry | None,
    after: Registry,
    missing: Iterable[ExpectedDuty],
    standing: Iterable[Standing],
    *,
    same: bool = False,
) -> Amendment:
    """What it would do to put `after` in force.

    Args:
        missing: the duties that should be open by `after` and are not in the ledger.
        standing: the ledger's duties that are not closed.
    """
    reading = Reading(after)
    moves: list[Move] = []
    recounts: list[Move] = []
    closes: list[Close] = []
    untouched = 0
    for duty in standing:
        found = reading.of(duty)
        if not found:
            continue
        if not duty.waiting:
            untouched += 1
        elif isinstance(found, Close):
            closes.append(found)
        else:
            (recounts if found.by_itself else moves).append(found)
    return Amendment(
        Differences() if same else differences(before, after),
        tuple(missing),
        tuple(moves),
        tuple(closes),
        tuple(recounts),
        untouched,
        same,
    )
