"""Writes letters of the outbox from what is still open at that moment, a batch at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, select, tuple_

from duban.channels import Channel, Form
from duban.duty import CLOSED, WAITING, Standing, Status, days_late
from duban.ladder import ROUND_OPENERS, SOLEMN, Kind
from duban.ledger import Ledger
from duban.ledger.tables import ClauseVersion, Duty, History, HistoryText, Letter, Mention
from duban.ledger.tasks import tasks_told
from duban.letters import (
    Item,
    LetterHead,
    TaskItem,
    Write,
    ordered,
    within,
    write_mail,
    write_markdown,
    write_text,
)
from duban.registry import Agency, Clause

_REASONS = {Kind.RETURN: "returned", Kind.EXTENSION: "extended", Kind.REOPEN: "reopened"}
_UNREPEATED = frozenset({*ROUND_OPENERS, Kind.COPY})
"""Rungs that no later one makes superfluous."""
_WRITE: Mapping[Form, Write] = {
    Form.MAIL: write_mail,
    Form.MARKDOWN: write_markdown,
    Form.TEXT: write_text,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A letter that is to be written: its row, to whom, and for which channel."""

    row: Row[Any]
    recipient: Agency
    channel: Channel

    @property
    def kind(self) -> Kind:
        """What sort of letter it is."""
        return Kind(self.row.kind)


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's bytes; `mentions` and `tasks` are those that found no room, `said` those in it."""

    payload: bytes
    mentions: Sequence[int] = ()
    tasks: Sequence[int] = ()
    said: Sequence[int] = ()


class Writer:
    """Writes what is still to be said.

    Args:
        sender: the From address.
        label: marks what is not meant in earnest.
    """

    def __init__(self, ledger: Ledger, sender: str, label: str = "") -> None:
        self.ledger = ledger
        self.sender = sender
        self.label = label
        self._clauses: dict[tuple[str, str], Clause] = {}

    def write(
        self, connection: Connection, wanted: Sequence[Wanted], now: datetime
    ) -> Mapping[int, Written]:
        """The letters by number; one that has nothing left to say is not among them."""
        found: dict[int, Written] = {}
        duties = self._duties(connection, [w for w in wanted if w.kind is not Kind.TASKS], now)
        for one in wanted:
            written = (
                self._tasks(connection, one, now)
                if one.kind is Kind.TASKS
                else self._letter(one, duties.get(one.row.id, {}), now)
            )
            if written:
                found[one.row.id] = written
        return found

    def _letter(self, one: Wanted, items: Mapping[int, Item], now: datetime) -> Written | None:
        """`items` by mention."""
        if not items:
            return None
        mention_of = {item.duty_id: mention for mention, item in items.items()}
        in_order = ordered(items.values())
        payload, carried = _fitting(self._head(one, now), in_order, one.channel)
        said, left = in_order[:carried], in_order[carried:]
        return Written(
            payload,
            mentions=[mention_of[item.duty_id] for item in left],
            said=[mention_of[item.duty_id] for item in said],
        )

    def _tasks(self, connection: Connection, one: Wanted, now: datetime) -> Written | None:
        told = tasks_told(connection, self.ledger, _day_of_tasks_before(connection, one.row.day))
        if not told:
            return None
        items = [task.item for task in told]
        payload, carried = _fitting(self._head(one, now), items, one.channel)
        return Written(payload, tasks=[task.id for task in told[carried:]])

    def _head(self, one: Wanted, now: datetime) -> LetterHead:
        return LetterHead(
            key=letter_key(one.row),
            kind=one.kind,
            recipient=one.recipient,
            coordinator=self.ledger.registry.coordinator,
            day=one.row.day,
            written_at=now,
            sender=self.sender,
            address=_address(one.recipient),
            part=one.row.part,
            userid=one.recipient.contact.userid,
            label=self.label,
            language=self.ledger.registry.language,
        )

    def _duties(
        self, connection: Connection, wanted: Sequence[Wanted], now: datetime
    ) -> Mapping[int, Mapping[int, Item]]:
        """What each letter speaks of, by mention."""
        if not wanted:
            return {}
        ids = [one.row.id for one in wanted]
        rows = connection.execute(_OPEN, {"letters": ids}).all()
        self._learn(connection, {(row.clause, row.version) for row in rows})
        said = _said(connection, ids)
        reasons = _reasons(connection, [one.row.id for one in wanted if one.kind in _REASONS])
        found: dict[int, dict[int, Item]] = defaultdict(dict)
        for row in rows:
            before = said[row.duty_id]
            if not _to_be_said(row) or _superseded(row, before):
                continue
            if item := self._item(row, before, reasons, now):
                found[row.letter_id][row.mention_id] = item
        return found

    def _learn(self, connection: Connection, versions: Collection[tuple[str, str]]) -> None:
        """Clauses are parsed once: that costs more than all the rest of a letter."""
        missing = [version for version in versions if version not in self._clauses]
        if not missing:
            return
        question = select(ClauseVersion.clause, ClauseVersion.version, ClauseVersion.content)
        key = tuple_(ClauseVersion.clause, ClauseVersion.version)
        for clause, version, content in connection.execute(question.where(key.in_(missing))):
            self._clauses[clause, version] = Clause.model_validate(content)

    def _item(
        self,
        row: Row[Any],
        said: Sequence[Row[Any]],
        reasons: Mapping[tuple[int, str], str],
        now: datetime,
    ) -> Item | None:
        notice = self.ledger.registry.notices.get(row.clause.partition("/")[0])
        if notice is None:
            return None
        head = notice.file.notice
        due = row.due_at.astimezone(head.zone)
        agency = self.ledger.registry.agencies.get(row.agency)
        rung = self.ledger.registry.ladder(row.clause, row.agency).rung(row.rung)
        return Item(
            duty_id=row.duty_id,
            clause=self._clauses[row.clause, row.version],
            notice=head,
            agency=agency.name if agency else row.agency,
            period=row.period,
            due_on=due.date(),
            cut_off="24:00" if due.second else f"{due:%H:%M}",
            late_days=days_late(Standing(Status(row.status), row.due_at), now, head.zone),
            reason=reasons.get((row.duty_id, _REASONS.get(Kind(row.kind), "")), ""),
            title=rung.title if rung else "",
            said_on=_said_on(row, said),
            telephone=agency.contact.telephone if agency else "",
        )


def letter_key(row: Row[Any]) -> str:
    """A letter's own digest, the same at every attempt."""
    slot = f"{row.recipient}|{row.channel}|{row.day}|{row.kind}|{row.part}"
    return sha256(slot.encode()).hexdigest()[:20]


def _fitting(
    head: LetterHead, items: Sequence[Item] | Sequence[TaskItem], channel: Channel
) -> tuple[bytes, int]:
    write = _WRITE[channel.form]
    if channel.limit is None:
        return write(head, items), len(items)
    return within(head, items, write, channel.limit)


# Statements are built once: building one takes longer than running it.
_LETTERS: BindParameter[Any] = bindparam("letters", expanding=True)
_SPOKEN_OF = select(Mention.duty_id).where(Mention.letter_id.in_(_LETTERS))
_PRESENT = (Duty.id == Mention.duty_id) & (Duty.round == Mention.round)
_OPEN = (
    select(
        Mention.id.label("mention_id"),
        Mention.letter_id,
        Mention.rung,
        Mention.recipient,
        Letter.kind,
        Duty.id.label("duty_id"),
        Duty.clause,
        Duty.version,
        Duty.agency,
        Duty.period,
        Duty.status,
        Duty.due_at,
    )
    .join(Duty, _PRESENT)
    .join(Letter, Letter.id == Mention.letter_id)
    .where(Mention.letter_id.in_(_LETTERS))
    .order_by(Mention.id)
)
_SAID = (
    select(
        Mention.id,
        Mention.duty_id,
        Mention.recipient,
        Mention.rung,
        Mention.day,
        Mention.letter_id,
        Letter.state,
    )
    .join(Duty, _PRESENT)
    .join(Letter, Letter.id == Mention.letter_id)
    .where(Mention.duty_id.in_(_SPOKEN_OF))
)
_GIVEN = (
    select(History.duty_id, History.action, HistoryText.text)
    .join(HistoryText, HistoryText.seq == History.seq)
    .where(History.duty_id.in_(_SPOKEN_OF), History.action.in_(_REASONS.values()))
    .order_by(History.seq)
)


def _to_be_said(row: Row[Any]) -> bool:
    """A copy informs, so it stands until the duty is closed; the rest asks the agency to act."""
    status = Status(row.status)
    return status not in CLOSED if row.kind == Kind.COPY else status in WAITING


def _said(connection: Connection, letters: Sequence[int]) -> Mapping[int, Sequence[Row[Any]]]:
    """All that is said, or will be, in the present rounds of the duties that letters speak of."""
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_SAID, {"letters": letters}):
        found[row.duty_id].append(row)
    return found


def _superseded(row: Row[Any], said: Sequence[Row[Any]]) -> bool:
    """A later rung reached the recipient, or is about to: after an outage nobody gets a burst.

    A formal letter that somebody approved is never made superfluous by a milder one.
    """
    repeated = row.rung not in _UNREPEATED and row.kind not in SOLEMN
    return repeated and any(
        one.id > row.mention_id
        and one.recipient == row.recipient
        and one.rung not in _UNREPEATED
        and one.state in ("pending", "sent")
        for one in said
    )


def _said_on(row: Row[Any], said: Sequence[Row[Any]]) -> tuple[date, ...]:
    """The days on which other letters told the agency of the duty in this round."""
    if row.kind == Kind.COPY:
        return ()
    days = {
        one.day
        for one in said
        if one.state == "sent"
        and one.recipient == row.agency
        and one.letter_id != row.letter_id
        and one.rung != Kind.COPY
    }
    return tuple(sorted(days))


def _reasons(connection: Connection, letters: Sequence[int]) -> Mapping[tuple[int, str], str]:
    """The last reason given for each act that these letters explain, by duty and act."""
    if not letters:
        return {}
    rows = connection.execute(_GIVEN, {"letters": letters})
    return {(duty, action): text or "" for duty, action, text in rows}


def _day_of_tasks_before(connection: Connection, day: date) -> date | None:
    question = select(func.max(Letter.day)).where(
        Letter.kind == Kind.TASKS, Letter.day < day, Letter.state != "suppressed"
    )
    return connection.scalar(question)


def _address(recipient: Agency) -> str:
    """The To line: the mail address, or a name that no mail program will try to reach."""
    channel = recipient.contact.channel or ""
    known = "@" in channel and "://" not in channel and "${" not in channel
    return channel if known else f"{recipient.name}:;"
