"""The facts of every duty as of an instant, as bulletins are counted from them.

A snapshot is frozen: it holds the names of clauses, regions and agencies too, so that its figures
come out the same when files and ledger have moved on.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from duban.duty import Status
from duban.ledger import Ledger
from duban.ledger.change import GENESIS
from duban.ledger.database import reading
from duban.ledger.handover import heirs_of_the_gone
from duban.ledger.label import label_of
from duban.ledger.past import views_as_of
from duban.ledger.questions import DutyView
from duban.ledger.tables import Duty, History, Submission
from duban.period import Every
from duban.registry import Clause, PlacedClause, Registry
from duban.registry.evidence import RatioField


class Part(StrEnum):
    """What the agency of a duty does in its clause."""

    LEAD = "lead"
    CO = "co"


@dataclass(frozen=True, slots=True)
class Fact:
    """A duty as it stood; `figures` are the numerator and denominator that its target asks for.

    `copied` are the ids of the agencies that take part in a lead's duty without reporting. The
    figures are of the newest version handed in by then, accepted or not; `submitted_at` is when
    that came, None if it was sent back. `extended_to` is the date that the last extension gave,
    None without one; a return moves `due_at` alone. `heirs` are the ids of the agencies that took
    the duties of its agency over, one after the other, when it left the files (机构改革); none
    while it stands.
    """

    id: int
    clause: str
    cycle: str
    agency: str
    period: str
    part: Part
    soft: bool
    status: Status
    nil: bool
    opened_at: datetime
    original_due_at: datetime
    due_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    copied: tuple[str, ...] = ()
    figures: tuple[int, int] | None = None
    heirs: tuple[str, ...] = ()
    extended_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A region; `level` is `province` or `city`, as agencies.yaml has it."""

    key: str
    name: str
    level: str


@dataclass(frozen=True, slots=True)
class Aim:
    """What a clause with a target asks for: per cent of so many of so many.

    `each`: of every region, not only of all together.
    """

    label: str
    numerator: str
    denominator: str
    at_least: float
    every: Every
    each: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A clause by its number and title, with its target if it has one."""

    key: str
    number: str
    title: str
    aim: Aim | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A notice whose clauses are chased: its issuer, its number, and its matter in a few words."""

    issuer: str
    number: str
    label: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All duties as of `at`, and the names of what they speak of, in the registry's order.

    `seq` and `chain` are number and hash of the last row of history by then; `zone` is the IANA
    zone in which civil days are read. `issuer` is the name of the office that coordinates. `label`
    marks a simulation, see `duban.ledger.label`; it is empty in earnest. Duties stand by number.
    """

    at: datetime
    seq: int
    chain: str
    zone: str
    language: str
    issuer: str
    label: str
    notices: Sequence[Source]
    places: Sequence[Place]
    agencies: Mapping[str, str]
    clauses: Sequence[Item]
    facts: Sequence[Fact]

    def packed(self) -> bytes:
        """The snapshot packed; the same facts always make the same bytes."""
        return zlib.compress(_form().dump_json(self), 6)

    @classmethod
    def read(cls, packed: bytes) -> "Snapshot":
        """Reads `packed()` back."""
        return _form().validate_json(zlib.decompress(packed))

    @property
    def sha256(self) -> str:
        """The SHA-256 of all that it says."""
        return hashlib.sha256(_form().dump_json(self)).hexdigest()


def sha256_of(packed: bytes) -> str:
    """The SHA-256 of a packed snapshot's facts; empty where it cannot be read."""
    try:
        return hashlib.sha256(zlib.decompress(packed)).hexdigest()
    except zlib.error:
        return ""


@cache
def _form() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)


def snapshot(ledger: Ledger, at: datetime) -> Snapshot:
    """Takes the facts as of an instant, in one view of the ledger."""
    with reading(ledger.engine) as connection:
        seq, chain = _head(connection, at)
        views = sorted(views_as_of(connection, ledger, at), key=lambda one: one.id)
        more = _More(
            _figures(connection, views, at),
            heirs_of_the_gone(connection, ledger.registry, at),
            _extensions(connection, at),
        )
    registry = ledger.registry
    return Snapshot(
        at=at.astimezone(UTC),
        seq=seq,
        chain=chain,
        zone=registry.first_notice.timezone,
        language=registry.language,
        issuer=registry.coordinator.name,
        label=label_of(ledger),
        notices=_sources(registry),
        places=_places(registry, views),
        agencies=_agencies(registry, views),
        clauses=_items(registry, views),
        facts=[_fact(registry, view, more) for view in views],
    )


def _head(connection: Connection, at: datetime) -> tuple[int, str]:
    """The last row of history up to the instant; before the first one, the chain's beginning."""
    question = select(History.seq, History.hash).where(History.at <= at)
    row = connection.execute(question.order_by(History.seq.desc()).limit(1)).one_or_none()
    return (row.seq, row.hash) if row else (0, GENESIS)


def _figures(
    connection: Connection, views: Iterable[DutyView], at: datetime
) -> dict[int, tuple[int, int]]:
    """What was handed in for targets by then, the newest version of each duty, by duty."""
    aims = {one.id: one.clause.target.field for one in views if one.clause.target}
    asked = {one.clause_key for one in views if one.clause.target}
    question = (
        select(Submission.duty_id, Submission.fields)
        .join(Duty, Duty.id == Submission.duty_id)
        .where(Submission.submitted_at <= at, Duty.clause.in_(asked))
        .order_by(Submission.duty_id, Submission.number)
    )
    newest = dict(connection.execute(question).tuples().all())
    found = {duty: fields.get(aims[duty]) for duty, fields in newest.items() if duty in aims}
    return {duty: (ratio[0], ratio[1]) for duty, ratio in found.items() if ratio}


def _extensions(connection: Connection, at: datetime) -> dict[int, datetime]:
    """Until when each duty was last extended by then, by duty.

    A day that the calendar or a change of the clause moved is the original one, and ends it.
    """
    question = (
        select(History.duty_id, History.action, History.data)
        .where(History.at <= at, History.action.in_(("extended", "shifted", "moved")))
        .order_by(History.seq)
    )
    found: dict[int, datetime | None] = {}
    for duty, action, data in connection.execute(question):
        extended = action == "extended"
        found[duty] = datetime.fromisoformat(data["due"]).astimezone(UTC) if extended else None
    return {duty: until for duty, until in found.items() if until}


@dataclass(frozen=True, slots=True)
class _More:
    """What facts tell beside their duties: figures and extensions by duty, heirs by agency."""

    figures: Mapping[int, tuple[int, int]]
    heirs: Mapping[str, tuple[str, ...]]
    extensions: Mapping[int, datetime]


def _fact(registry: Registry, view: DutyView, more: _More) -> Fact:
    placed = registry.clauses.get(view.clause_key)
    return Fact(
        id=view.id,
        clause=view.clause_key,
        cycle=view.cycle,
        agency=view.agency.id,
        period=view.period,
        part=_part(placed, view),
        soft=view.standing.soft,
        status=view.status,
        nil=view.nil,
        opened_at=view.opened_at.astimezone(UTC),
        original_due_at=view.original_due_at.astimezone(UTC),
        due_at=view.due_at.astimezone(UTC),
        submitted_at=_utc(view.standing.submitted_at),
        closed_at=_utc(view.closed_at),
        copied=tuple(one.id for one in placed.copied.get(view.agency.id, ())) if placed else (),
        figures=more.figures.get(view.id),
        heirs=more.heirs.get(view.agency.id, ()),
        extended_to=more.extensions.get(view.id),
    )


def _utc(moment: datetime | None) -> datetime | None:
    """One way of writing an instant, so that the same facts make the same bytes."""
    return None if moment is None else moment.astimezone(UTC)


def _part(placed: PlacedClause | None, view: DutyView) -> Part:
    """As the files place it; a duty that was handed on keeps what its clause makes of reporters."""
    leads = view.clause.reports == "lead" or bool(placed and view.agency.id in placed.leads)
    return Part.LEAD if leads else Part.CO


def _sources(registry: Registry) -> list[Source]:
    """The notices that have clauses to chase, in the files' order."""
    found = {one.notice_id: one.notice for one in registry.tracked}
    return [Source(one.issuer, one.number, one.label) for one in found.values()]


def _places(registry: Registry, views: Iterable[DutyView]) -> list[Place]:
    agencies = [*registry.agencies.values(), *(view.agency for view in views)]
    found = {one.region: one for one in reversed(agencies)}
    order = dict.fromkeys(one.region for one in agencies)
    return [Place(key, found[key].region_name, found[key].level) for key in order]


def _agencies(registry: Registry, views: Iterable[DutyView]) -> dict[str, str]:
    known = {one.id: one.name for one in registry.agencies.values()}
    return {view.agency.id: view.agency.name for view in views} | known


def _items(registry: Registry, views: Iterable[DutyView]) -> list[Item]:
    """The clauses in the files' order, then those that left them with duties."""
    found = {one.key: _item(one.key, one.number, one.clause) for one in registry.tracked}
    for view in views:
        if view.clause_key not in found:
            found[view.clause_key] = _item(view.clause_key, view.number, view.clause)
    return list(found.values())


def _item(key: str, number: str, clause: Clause) -> Item:
    return Item(key, number, clause.title, _aim(clause))


def _aim(clause: Clause) -> Aim | None:
    field = clause.field(clause.target.field) if clause.target else None
    if not clause.target or not isinstance(field, RatioField):
        return None
    return Aim(
        field.label,
        field.numerator,
        field.denominator,
        clause.target.at_least,
        clause.told_every,
        clause.target.each,
    )
