"""The outbox and the agencies as a coordinator sees them: letters, attempts, ways, chores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from duban.duty import CLOSED
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.tables import Attempt, Duty, Letter, Mention, Suspension
from duban.ledger.tasks import tasks_told
from duban.ledger.undelivered import UNDELIVERED

UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True)
class Sought:
    """Which letters are looked for; every part may be empty.

    Attributes:
        within: the region whose recipients are seen, None for all.
    """

    state: str = ""
    kind: str = ""
    recipient: str = ""
    day: date | None = None
    within: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """What the database has to look for."""
        given = [
            (self.state, Letter.state == self.state),
            (self.kind, Letter.kind == self.kind),
            (self.recipient, Letter.recipient == self.recipient),
            (self.day, Letter.day == self.day),
            (self.within, Letter.recipient.startswith(f"{self.within}/", autoescape=True)),
        ]
        return [condition for value, condition in given if value]


@dataclass(frozen=True, slots=True)
class LetterLine:
    """A letter in a list; `trouble` is what was last said of it, if it did not arrive."""

    id: int
    day: date
    recipient: str
    kind: str
    channel: str
    part: int
    state: str
    attempts: int
    not_before: datetime
    sent_at: datetime | None
    sent_via: str | None
    trouble: str


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to deliver a letter."""

    at: datetime
    via: str
    outcome: str
    detail: str
    closed_until: datetime | None


@dataclass(frozen=True, slots=True)
class WholeLetter:
    """A letter with its bytes as they left, its attempts, and the duties it spoke of.

    Attributes:
        payload: with a placeholder for the link; None until it is written.
        duties: numbers, with whether the letter still spoke of it when it left.
    """

    line: LetterLine
    form: str | None
    payload: bytes | None
    tries: tuple[Try, ...]
    duties: Mapping[int, bool]


def count_letters(ledger: Ledger, sought: Sought) -> int:
    """How many there are."""
    question = select(func.count()).select_from(Letter).where(*sought.conditions)
    with reading(ledger.engine) as connection:
        return connection.execute(question).scalar_one()


def letters(ledger: Ledger, sought: Sought, *, most: int, skip: int = 0) -> list[LetterLine]:
    """Letters, the newest first."""
    newest = _LINES.where(*sought.conditions).order_by(Letter.id.desc())
    return _lines(ledger, newest.limit(most).offset(skip))


def undelivered(ledger: Ledger, within: str | None) -> list[LetterLine]:
    """Letters that found no way and wait for a coordinator, the oldest first."""
    there = _LINES.where(Letter.state.in_(UNDELIVERED), *Sought(within=within).conditions)
    return _lines(ledger, there.order_by(Letter.id))


def letter(ledger: Ledger, letter_id: int) -> WholeLetter | None:
    """One letter; None when there is none of that number."""
    found = _lines(ledger, _LINES.where(Letter.id == letter_id))
    if not found:
        return None
    with reading(ledger.engine) as connection:
        row = connection.execute(
            select(Letter.form, Letter.payload).where(Letter.id == letter_id)
        ).one()
        mentions = select(Mention.duty_id, Mention.said).where(Mention.letter_id == letter_id)
        duties = dict(connection.execute(mentions.order_by(Mention.id)).tuples().all())
        return WholeLetter(found[0], row.form, row.payload, _tries(connection, letter_id), duties)


def _tries(connection: Connection, letter_id: int) -> tuple[Try, ...]:
    columns = (Attempt.at, Attempt.via, Attempt.outcome, Attempt.detail, Attempt.closed_until)
    question = select(*columns).where(Attempt.letter_id == letter_id).order_by(Attempt.id)
    return tuple(Try(*row) for row in connection.execute(question))


def _lines(ledger: Ledger, question: Select[Any]) -> list[LetterLine]:
    with reading(ledger.engine) as connection:
        return [LetterLine(*row) for row in connection.execute(question)]


_TROUBLE = (
    select(Attempt.detail)
    .where(Attempt.letter_id == Letter.id, Attempt.outcome.not_in(("accepted", "begun")))
    .order_by(Attempt.id.desc())
    .limit(1)
    .scalar_subquery()
)
_LINES = select(
    Letter.id,
    Letter.day,
    Letter.recipient,
    Letter.kind,
    Letter.channel,
    Letter.part,
    Letter.state,
    Letter.attempts,
    Letter.not_before,
    Letter.sent_at,
    Letter.sent_via,
    func.coalesce(_TROUBLE, ""),
)


# Agencies


@dataclass(frozen=True, slots=True)
class Suspended:
    """An address of an agency that refused for good: since when, and what was said."""

    since: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Dealings:
    """What goes on with the agencies, each by the agency's id.

    Attributes:
        open: how many of its duties are not closed.
        last: its latest letter.
        suspended: its addresses that are not used at present.
    """

    open: Mapping[str, int]
    last: Mapping[str, LetterLine]
    suspended: Mapping[str, Sequence[Suspended]]


def dealings(ledger: Ledger) -> Dealings:
    """What goes on with all agencies, those that have left agencies.yaml too."""
    unclosed = (
        select(Duty.agency, func.count()).where(Duty.status.not_in(CLOSED)).group_by(Duty.agency)
    )
    latest = select(func.max(Letter.id)).group_by(Letter.recipient)
    suspended: dict[str, list[Suspended]] = {}
    with reading(ledger.engine) as connection:
        for agency, since, detail in connection.execute(_SUSPENDED):
            suspended.setdefault(agency, []).append(Suspended(since, detail))
        lines = [
            LetterLine(*row) for row in connection.execute(_LINES.where(Letter.id.in_(latest)))
        ]
        return Dealings(
            open=dict(connection.execute(unclosed).tuples().all()),
            last={line.recipient: line for line in lines},
            suspended=suspended,
        )


_SUSPENDED = (
    select(Suspension.agency, Suspension.since, Suspension.detail)
    .where(Suspension.lifted_at.is_(None))
    .order_by(Suspension.since)
)


@dataclass(frozen=True, slots=True)
class Chore:
    """An open task of the coordinator: its kind, whom or what it is about.

    Attributes:
        subject: an agency's id, a letter's number, or the name of a list.
        agency: whom it concerns; empty where that is nobody in particular.
    """

    kind: str
    subject: str
    agency: str
    about: str


def chores(ledger: Ledger) -> list[Chore]:
    """What only a coordinator can do, oldest first."""
    with reading(ledger.engine) as connection:
        told = tasks_told(connection, ledger)
        numbers = [int(one.subject) for one in told if one.kind == UNDELIVERABLE]
        question = select(Letter.id, Letter.recipient).where(Letter.id.in_(numbers))
        recipients = dict(connection.execute(question).tuples().all())
    return [
        Chore(one.kind, one.subject, _concerned(one.kind, one.subject, recipients), one.item.about)
        for one in told
    ]


def _concerned(kind: str, subject: str, recipients: Mapping[int, str]) -> str:
    if kind == UNDELIVERABLE:
        return recipients.get(int(subject), "")
    return subject if "/" in subject else ""
