"""What is asked of the ledger: duties with everything a screen shows, and their histories."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, desc, func, select

from duban.duty import (
    WAITING,
    Light,
    Standing,
    Status,
    days_late,
    due_soon,
    light,
    overdue,
)
from duban.intake import HIDDEN, hide
from duban.ladder import PROMPT, Reason
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.tables import (
    Attempt,
    ClauseVersion,
    Decision,
    Duty,
    EvidenceFile,
    History,
    HistoryText,
    Letter,
    Mention,
    Submission,
)
from duban.registry import Agency, Clause, Contact, Notice


@dataclass(frozen=True, slots=True)
class DutyView:
    """A duty with its clause as it read at opening, its notice and its agency."""

    id: int
    clause_key: str
    number: str
    clause: Clause
    notice: Notice
    cycle: str
    agency: Agency
    period: str
    opened_at: datetime
    original_due_at: datetime
    closed_at: datetime | None
    revision: int
    provisional: bool
    standing: Standing
    nil: bool = False
    acknowledged_at: datetime | None = None

    @property
    def status(self) -> Status:
        """What happened to it."""
        return self.standing.status

    @property
    def due_at(self) -> datetime:
        """The due instant in force."""
        return self.standing.due_at

    def overdue(self, now: datetime) -> bool:
        """Derived; see `duban.duty.overdue`."""
        return overdue(self.standing, now)

    def due_soon(self, now: datetime) -> bool:
        """Derived; see `duban.duty.due_soon`."""
        return due_soon(self.standing, now)

    def light(self, now: datetime) -> Light:
        """Derived; see `duban.duty.light`."""
        return light(self.standing, now)

    def days_late(self, now: datetime) -> int:
        """Civil days late in the notice's zone."""
        return days_late(self.standing, now, self.notice.zone)


@dataclass(frozen=True, slots=True)
class Event:
    """A row of history with its free text, if that was not erased."""

    seq: int
    at: datetime
    actor: str
    action: str
    duty_id: int | None
    data: dict[str, Any]
    text: str


def duties(
    ledger: Ledger,
    *,
    ids: Sequence[int] | None = None,
    agency: str | None = None,
    clause: str | None = None,
) -> list[DutyView]:
    """Duties of the loaded notices, by clause, then due day; filters are ids and keys."""
    question = select(*Duty.__table__.columns).order_by(Duty.clause, Duty.due_at, Duty.id)
    if ids is not None:
        question = question.where(Duty.id.in_(ids))
    if agency is not None:
        question = question.where(Duty.agency == agency)
    if clause is not None:
        question = question.where(Duty.clause == clause)
    with reading(ledger.engine) as connection:
        versions = versions_of(connection.execute(select(ClauseVersion.__table__)).mappings())
        rows = connection.execute(question).mappings()
        return [view for row in rows if (view := view_of(ledger, versions, dict(row)))]


_PARSED: dict[tuple[str, str], Clause] = {}
"""A version is the hash of its content, so what was parsed once stays true."""


def versions_of(rows: Any) -> dict[tuple[str, str], Clause]:
    """Clauses by key and version, from rows of ClauseVersion."""
    found: dict[tuple[str, str], Clause] = {}
    for row in rows:
        key = (row["clause"], row["version"])
        if key not in _PARSED:
            _PARSED[key] = Clause.model_validate(row["content"])
        found[key] = _PARSED[key]
    return found


def known_clauses(ledger: Ledger) -> dict[str, Clause]:
    """Clauses of the loaded notices by key, as they read now; also those that left with duties."""
    with reading(ledger.engine) as connection:
        kept = versions_of(connection.execute(select(ClauseVersion.__table__)).mappings())
    known = {key: clause for (key, _), clause in kept.items()}
    known |= {key: placed.clause for key, placed in ledger.registry.clauses.items()}
    loaded = ledger.registry.notices
    return {key: one for key, one in known.items() if key.partition("/")[0] in loaded}


def view_of(
    ledger: Ledger, versions: dict[tuple[str, str], Clause], row: dict[str, Any]
) -> DutyView | None:
    notice_id, _, clause_id = row["clause"].partition("/")
    loaded = ledger.registry.notices.get(notice_id)
    if loaded is None:
        return None
    notice = loaded.file.notice
    return DutyView(
        id=row["id"],
        clause_key=row["clause"],
        number=f"{notice.prefix}{clause_id}",
        clause=versions[row["clause"], row["version"]],
        notice=notice,
        cycle=row["cycle"],
        agency=ledger.registry.agencies.get(row["agency"]) or _former_agency(row["agency"]),
        period=row["period"],
        opened_at=row["opened_at"],
        original_due_at=row["original_due_at"],
        closed_at=row["closed_at"],
        revision=row["revision"],
        provisional=row["provisional"],
        standing=Standing(Status(row["status"]), row["due_at"], row["soft"], row["submitted_at"]),
        nil=row["nil"],
        acknowledged_at=row["acknowledged_at"],
    )


def _former_agency(agency_id: str) -> Agency:
    """Stands for an agency that has left agencies.yaml while its duties are kept."""
    region, _, department = agency_id.partition("/")
    return Agency(
        id=agency_id,
        name=agency_id,
        region=region,
        region_name=region,
        level="",
        department=department,
        superior=None,
        contact=Contact(),
    )


def events(ledger: Ledger, *, duty_id: int | None = None, after: int = 0) -> list[Event]:
    """History in order, of one duty or of all, from after a seq."""
    question = _history().where(History.seq > after)
    if duty_id is not None:
        question = question.where(History.duty_id == duty_id)
    return _events(ledger, question)


def _history() -> Select[Any]:
    return (
        select(*History.__table__.columns, HistoryText.text)
        .select_from(History)
        .outerjoin(HistoryText, HistoryText.seq == History.seq)
        .order_by(History.seq)
    )


_NAMING = frozenset({"handed-on", "file-refused"})
"""Actions whose text is what a person or a file is called."""


def events_outside(connection: Connection, where: ColumnElement[bool]) -> list[Event]:
    """The rows of history that fit, in order, as Prefect and workbooks may hold them.

    History leaves the ledger for them here and nowhere else, and without what in it may be
    personal data; the portal and the command line ask for `events`.
    """
    return [_fit_outside(one) for one in _read(connection, _history().where(where))]


def _fit_outside(event: Event) -> Event:
    text = HIDDEN if event.action in _NAMING else hide(event.text)
    return replace(event, actor=hide(event.actor), text=text)


def _events(ledger: Ledger, question: Select[Any]) -> list[Event]:
    with reading(ledger.engine) as connection:
        return _read(connection, question)


def _read(connection: Connection, question: Select[Any]) -> list[Event]:
    return [
        Event(
            row["seq"],
            row["at"],
            row["actor"],
            row["action"],
            row["duty_id"],
            row["data"],
            row["text"] or "",
        )
        for row in connection.execute(question).mappings()
    ]


@dataclass(frozen=True, slots=True)
class Received:
    """The latest version of a duty's evidence."""

    number: int
    receipt: str
    submitted_at: datetime
    submitted_by: str
    fields: dict[str, Any]
    files: tuple[tuple[str, str], ...]
    """(field key, file name)"""
    suspect: str = ""
    nil: bool = False
    statement: str = ""


def latest_evidence(ledger: Ledger, ids: Sequence[int]) -> dict[int, Received]:
    """The newest submission of each of these duties that has one, by duty id."""
    question = (
        select(*Submission.__table__.columns)
        .where(Submission.duty_id.in_(ids))
        .order_by(Submission.number)
    )
    with reading(ledger.engine) as connection:
        newest = {row["duty_id"]: row for row in connection.execute(question).mappings()}
        files: dict[int, list[tuple[str, str]]] = {}
        wanted = [row["id"] for row in newest.values()]
        for submission_id, field, name in connection.execute(
            select(EvidenceFile.submission_id, EvidenceFile.field, EvidenceFile.name)
            .where(EvidenceFile.submission_id.in_(wanted))
            .order_by(EvidenceFile.id)
        ):
            files.setdefault(submission_id, []).append((field, name))
    return {duty_id: _received(row, files.get(row["id"], [])) for duty_id, row in newest.items()}


def _received(row: Any, files: list[tuple[str, str]]) -> Received:
    return Received(
        number=row["number"],
        receipt=row["receipt"],
        submitted_at=row["submitted_at"],
        submitted_by=row["submitted_by"],
        fields=row["fields"],
        files=tuple(files),
        suspect=row["suspect"],
        nil=row["nil"],
        statement=row["statement"] or "",
    )


def kept_back(ledger: Ledger) -> int:
    """How many waiting duties have a rung that the week's limit keeps back for now."""
    said = select(Mention.id).where(
        Mention.duty_id == Decision.duty_id,
        Mention.round == Decision.round,
        Mention.rung.not_in(PROMPT),
        Mention.day >= Decision.day,
    )
    question = (
        select(func.count(Decision.duty_id.distinct()))
        .join(Duty, (Duty.id == Decision.duty_id) & (Duty.round == Decision.round))
        .where(Decision.reason == Reason.OVER_BUDGET, Duty.status.in_(WAITING))
        .where(~said.exists())
    )
    with reading(ledger.engine) as connection:
        return connection.scalar(question) or 0


def head_seq(ledger: Ledger) -> int:
    """The seq of the newest row of history; 0 when there is none."""
    with reading(ledger.engine) as connection:
        newest = select(History.seq).order_by(desc(History.seq)).limit(1)
        return connection.scalar(newest) or 0


@dataclass(frozen=True, slots=True)
class Outbox:
    """How many letters are in which state, and the latest trouble."""

    waiting: int
    sent: int
    unreachable: int
    dead: int
    trouble: str | None


def outbox(ledger: Ledger) -> Outbox:
    """The outbox at a glance."""
    states = select(Letter.state, func.count()).group_by(Letter.state)
    trouble = (
        select(Attempt.detail)
        .where(Attempt.outcome.not_in(("accepted", "begun", "unsent")))
        .order_by(desc(Attempt.id))
        .limit(1)
    )
    with reading(ledger.engine) as connection:
        counts = dict(connection.execute(states).tuples().all())
        return Outbox(
            waiting=counts.get("pending", 0),
            sent=counts.get("sent", 0),
            unreachable=counts.get("unreachable", 0),
            dead=counts.get("dead", 0),
            trouble=connection.scalar(trouble),
        )


@dataclass(frozen=True, slots=True)
class LetterView:
    """A letter of the outbox, with its last try."""

    id: int
    day: date
    recipient: str
    kind: str
    channel: str
    state: str
    attempts: int
    not_before: datetime
    trouble: str


def letters(ledger: Ledger, *, states: Sequence[str]) -> list[LetterView]:
    """Letters in one of these states, the oldest first, with what was last said of each."""
    last = (
        select(Attempt.detail)
        .where(Attempt.letter_id == Letter.id)
        .order_by(desc(Attempt.id))
        .limit(1)
        .scalar_subquery()
    )
    question = (
        select(
            Letter.id,
            Letter.day,
            Letter.recipient,
            Letter.kind,
            Letter.channel,
            Letter.state,
            Letter.attempts,
            Letter.not_before,
            func.coalesce(last, ""),
        )
        .where(Letter.state.in_(states))
        .order_by(Letter.id)
    )
    with reading(ledger.engine) as connection:
        return [LetterView(*row) for row in connection.execute(question)]
