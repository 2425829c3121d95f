"""What a reviewer looks at: what waits, every version with its files, samples, who looked."""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from duban.calendar import Calendar
from duban.duty import Status, on_time
from duban.ledger import Ledger
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.questions import DutyView, duties
from duban.ledger.tables import Duty, EvidenceFile, History, Submission
from duban.ledger.uploads import FileView


class Flag(StrEnum):
    """What a reviewer should know before looking."""

    NIL = "nil"
    SUSPECT = "suspect"
    ALIKE = "alike"
    WAITING = "waiting"
    REFUSED = "refused"


SINGLY = frozenset({Flag.SUSPECT, Flag.ALIKE, Flag.WAITING, Flag.REFUSED})
"""What has one of these is looked at by itself and never accepted with others."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an agency's evidence."""

    id: int
    duty_id: int
    number: int
    receipt: str
    submitted_at: datetime
    submitted_by: str
    fields: Mapping[str, Any]
    nil: bool
    statement: str
    dated: date | None
    person: str
    telephone: str
    suspect: str
    files: tuple[FileView, ...]

    @property
    def suspected(self) -> tuple[str, ...]:
        """The kinds of personal data found in its text and its files, each once."""
        found = (self.suspect, *(file.suspect for file in self.files))
        return tuple(dict.fromkeys(kind for one in found for kind in one.split(",") if kind))

    @property
    def flags(self) -> frozenset[Flag]:
        """What stands out, without a look at what others handed in."""
        states = {file.state for file in self.files}
        found = {
            Flag.NIL: self.nil,
            Flag.SUSPECT: bool(self.suspected),
            Flag.WAITING: "waiting" in states,
            Flag.REFUSED: "refused" in states,
        }
        return frozenset(flag for flag, holds in found.items() if holds)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A duty under review, with its latest version.

    Attributes:
        took: working days that the review has taken up to now; none of them are the agency's.
    """

    duty: DutyView
    version: Version
    on_time: bool
    took: int

    @property
    def flags(self) -> frozenset[Flag]:
        """Those of the version."""
        return self.version.flags


def queue(ledger: Ledger, now: datetime, *, region: str | None = None) -> list[Waiting]:
    """The duties that await review, those whose evidence came first at the front."""
    question = select(Duty.id).where(Duty.status == Status.SUBMITTED)
    if region is not None:
        question = question.where(Duty.agency.startswith(f"{region}/", autoescape=True))
    with reading(ledger.engine) as connection:
        ids = list(connection.scalars(question))
        latest = _latest(connection, ids)
    found = [
        _waiting(ledger, duty, latest[duty.id], now)
        for duty in duties(ledger, ids=ids)
        if duty.id in latest and duty.status is Status.SUBMITTED
    ]
    return sorted(found, key=lambda one: (one.version.submitted_at, one.duty.id))


def _waiting(ledger: Ledger, duty: DutyView, version: Version, now: datetime) -> Waiting:
    calendar = ledger.registry.calendar(duty.clause_key, duty.agency.id)
    zone = duty.notice.zone
    since, today = (moment.astimezone(zone).date() for moment in (version.submitted_at, now))
    return Waiting(duty, version, on_time(duty.standing), working_days(calendar, since, today))


def working_days(calendar: Calendar, since: date, until: date) -> int:
    """Working days after the first civil day, up to and with the last."""
    days = range(since.toordinal() + 1, until.toordinal() + 1)
    return sum(calendar.working(date.fromordinal(day)) for day in days)


def versions(ledger: Ledger, duty_id: int) -> list[Version]:
    """Every version of a duty's evidence, the newest first."""
    question = select(*_COLUMNS).where(Submission.duty_id == duty_id)
    with reading(ledger.engine) as connection:
        rows = connection.execute(question.order_by(Submission.number.desc())).mappings().all()
        return _with_files(connection, rows)


def before(ledger: Ledger, duty: DutyView) -> Version | None:
    """What was accepted of the same agency for the same in the last period before, if anything."""
    question = (
        select(Duty.id)
        .where(Duty.clause == duty.clause_key, Duty.cycle == duty.cycle)
        .where(Duty.agency == duty.agency.id, Duty.status == Status.ACCEPTED)
        .where(Duty.original_due_at < duty.original_due_at)
        .order_by(Duty.original_due_at.desc())
        .limit(1)
    )
    with reading(ledger.engine) as connection:
        found = _latest(connection, list(connection.scalars(question)))
    return next(iter(found.values()), None)


def _latest(connection: Connection, ids: Sequence[int]) -> dict[int, Version]:
    newest = (
        select(Submission.duty_id, func.max(Submission.number).label("number"))
        .where(Submission.duty_id.in_(ids))
        .group_by(Submission.duty_id)
        .subquery()
    )
    question = select(*_COLUMNS).join(
        newest,
        (newest.c.duty_id == Submission.duty_id) & (newest.c.number == Submission.number),
    )
    rows = connection.execute(question).mappings().all()
    return {version.duty_id: version for version in _with_files(connection, rows)}


def _with_files(connection: Connection, rows: Sequence[RowMapping]) -> list[Version]:
    files: dict[int | None, list[FileView]] = {}
    question = (
        select(EvidenceFile.__table__)
        .where(EvidenceFile.submission_id.in_([row["id"] for row in rows]))
        .order_by(EvidenceFile.id)
    )
    for row in connection.execute(question).mappings():
        files.setdefault(row["submission_id"], []).append(FileView(**dict(row)))
    return [_version(row, files.get(row["id"], [])) for row in rows]


def _version(row: RowMapping, files: Iterable[FileView]) -> Version:
    texts = {name: row[name] or "" for name in ("statement", "person", "telephone")}
    named: dict[str, Any] = {**row, **texts, "files": tuple(files)}
    return Version(**named)


_COLUMNS = (
    Submission.id,
    Submission.duty_id,
    Submission.number,
    Submission.receipt,
    Submission.submitted_at,
    Submission.submitted_by,
    Submission.fields,
    Submission.nil,
    Submission.statement,
    Submission.dated,
    Submission.person,
    Submission.telephone,
    Submission.suspect,
)


# Who looked at what may be personal data


def reveal(ledger: Ledger, duty_id: int, version: int, *, by: str, now: datetime) -> None:
    """Records that somebody asked to see what may be personal data."""
    with change(ledger.engine, now, by) as made:
        made.record("revealed", duty_id, version=version)


def revealed(ledger: Ledger, duty_id: int, *, by: str, since: datetime) -> frozenset[int]:
    """The versions of a duty that somebody has asked to see since a moment."""
    question = select(History.data).where(
        History.duty_id == duty_id,
        History.action == "revealed",
        History.actor == by,
        History.at >= since,
    )
    with reading(ledger.engine) as connection:
        return frozenset(data["version"] for data in connection.scalars(question))


# Samples


@dataclass(frozen=True, slots=True)
class Sample:
    """A random sample (抽查) of what waited; `number` is the history row that holds it.

    Attributes:
        among: every duty that it was drawn from, with the version that waited then.
        outcomes: what was decided since of those picked: accepted, returned or waived.
    """

    number: int
    at: datetime
    picked: tuple[int, ...]
    among: Mapping[int, int]
    outcomes: Mapping[int, str]

    @property
    def decided(self) -> bool:
        """Whether all that was picked has been looked at."""
        return self.outcomes.keys() >= set(self.picked)

    @property
    def returned(self) -> int:
        """How many of those picked went back."""
        return sum(outcome == "returned" for outcome in self.outcomes.values())


def draw(
    ledger: Ledger, among: Mapping[int, int], count: int, *, by: str, now: datetime, seed: str
) -> int:
    """Draws a sample and keeps it in the history, so that nobody can draw again until it suits.

    Args:
        among: the version that waits, by duty.
        count: how many to pick, at most all.
        seed: what the drawing can be repeated from.

    Returns:
        the sample's number.
    """
    picked = sorted(random.Random(seed).sample(sorted(among), min(count, len(among))))
    with change(ledger.engine, now, by) as made:
        made.record(
            "sampled",
            None,
            seed=seed,
            n=len(picked),
            pool=len(among),
            picked=picked,
            among=[[duty, among[duty]] for duty in sorted(among)],
        )
    newest = (
        select(History.seq)
        .where(History.action == "sampled", History.actor == by)
        .order_by(History.seq.desc())
        .limit(1)
    )
    with reading(ledger.engine) as connection:
        return connection.execute(newest).scalar_one()


def drawn(ledger: Ledger, number: int) -> Sample | None:
    """A sample with what became of it; None when there is none of that number."""
    question = select(History.at, History.data).where(
        History.seq == number, History.action == "sampled"
    )
    with reading(ledger.engine) as connection:
        row = connection.execute(question).one_or_none()
        if row is None:
            return None
        picked = tuple(row.data["picked"])
        outcomes = _outcomes(connection, picked, number)
    return Sample(number, row.at, picked, dict(row.data["among"]), outcomes)


_DECIDED = ("accepted", "returned", "waived")


def _outcomes(connection: Connection, picked: Collection[int], since: int) -> dict[int, str]:
    question = (
        select(History.duty_id, History.action)
        .where(History.duty_id.in_(picked), History.seq > since)
        .where(History.action.in_(_DECIDED))
        .order_by(History.seq)
    )
    return {duty: action for duty, action in connection.execute(question) if duty is not None}
