"""Writes letters of the outbox from what is still open at that moment, a batch at a time."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, func, select, tuple_

from duban.channels import Channel, Form
from duban.duty import CLOSED, WAITING, Standing, Status, days_late, on_time
from duban.ladder import INFORMING, PROMPT, ROUND_OPENERS, SOLEMN, Kind
from duban.ledger import Ledger
from duban.ledger.change import Change
from duban.ledger.links import Portal, standing
from duban.ledger.links import Standing as OwnLink
from duban.ledger.papering import Speech, enclose, paper_of
from duban.ledger.tables import (
    ClauseVersion,
    Duty,
    History,
    HistoryText,
    Letter,
    Mention,
    Petition,
    Submission,
)
from duban.ledger.tasks import tasks_told
from duban.letters import (
    Answered,
    Handed,
    Item,
    LetterHead,
    TaskItem,
    Write,
    placeholder,
    rank,
    within,
    write_mail,
    write_markdown,
    write_text,
)
from duban.paper.texts import texts
from duban.registry import Agency, Clause, Notice, clock

_ACTS: Mapping[Kind, Collection[str]] = {
    Kind.ASSIGN: ("moved", "handed-over"),
    Kind.RETURN: ("returned",),
    Kind.EXTENSION: ("extended", "moved"),
    Kind.REOPEN: ("reopened",),
}
"""The acts that a letter tells of: the reason of the last one stands in it."""
_UNREPEATED = frozenset({*ROUND_OPENERS, *INFORMING})
"""Rungs that no later one makes superfluous."""
_WITHOUT_DUTIES = frozenset({Kind.TASKS, Kind.LINK})
_ABOVE = frozenset({Kind.TASKS, Kind.ESCALATE})
"""Letters that lead to no agency's link: to the desk, or nowhere."""
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
        portal: where the links of letters lead; without one they carry none.
    """

    def __init__(
        self, ledger: Ledger, sender: str, label: str = "", portal: Portal | None = None
    ) -> None:
        self.ledger = ledger
        self.sender = sender
        self.label = label
        self.portal = portal
        self._clauses: dict[tuple[str, str], Clause] = {}

    def write(self, made: Change, wanted: Sequence[Wanted]) -> Mapping[int, Written]:
        """The letters by number; one that has nothing left to say is not among them.

        An agency without a link that lives for long enough is issued one as part of the change.
        """
        items = self._items(made.connection, wanted, made.at)
        going = [one for one in wanted if one.row.id in items or one.kind in _WITHOUT_DUTIES]
        links = self._links(made, going)
        found: dict[int, Written] = {}
        for one in going:
            head = self._head(one, made.at, links)
            if written := self._write(made.connection, one, head, items.get(one.row.id, {})):
                found[one.row.id] = written
        self._enclose(made, [one for one in going if one.row.id in found], found, items)
        return found

    def _enclose(
        self,
        made: Change,
        going: Sequence[Wanted],
        written: Mapping[int, Written],
        items: Mapping[int, Mapping[int, Item]],
    ) -> None:
        """Makes the papers of what a letter carries; what a robot's limit left over has its own."""
        spoken = [
            Speech(one.row, one.recipient, [items[one.row.id][mention] for mention in said])
            for one in going
            if (said := written[one.row.id].said)
        ]
        enclose(made, self.ledger, spoken, self.label)

    def _items(
        self, connection: Connection, wanted: Sequence[Wanted], now: datetime
    ) -> Mapping[int, Mapping[int, Item]]:
        """What each letter speaks of, by mention."""
        receipts = [one for one in wanted if one.kind is Kind.RECEIPT]
        answers = [one for one in wanted if one.kind is Kind.ANSWER]
        others = [one for one in wanted if one.kind not in _WITHOUT_DUTIES | PROMPT]
        return {
            **self._duties(connection, others, now),
            **self._given(connection, receipts, _CAME, _received),
            **self._given(connection, answers, _DECIDED, lambda item, row: _answer(item, row, now)),
        }

    def _links(self, made: Change, going: Sequence[Wanted]) -> Mapping[str, OwnLink]:
        agencies = {one.recipient.id for one in going if one.kind not in _ABOVE}
        return standing(made, self.ledger, self.portal.key, agencies) if self.portal else {}

    def _write(
        self, connection: Connection, one: Wanted, head: LetterHead, items: Mapping[int, Item]
    ) -> Written | None:
        match one.kind:
            case Kind.TASKS:
                return self._tasks(connection, one, head)
            case Kind.LINK:
                return Written(_WRITE[one.channel.form](head, [])) if head.link else None
            case _:
                return self._letter(one, head, items)

    def _letter(self, one: Wanted, head: LetterHead, items: Mapping[int, Item]) -> Written:
        """`items` by mention."""
        in_order = sorted(items, key=lambda mention: rank(items[mention]))
        if found := paper_of(self.ledger, one.kind, list(items.values())):
            name = texts(items[in_order[0]].notice.language).names[found]
            head = replace(head, paper=name, enclosed=one.channel.form is Form.MAIL)
        payload, carried = _fitting(head, [items[mention] for mention in in_order], one.channel)
        return Written(payload, mentions=in_order[carried:], said=in_order[:carried])

    def _tasks(self, connection: Connection, one: Wanted, head: LetterHead) -> Written | None:
        told = tasks_told(connection, self.ledger, _day_of_tasks_before(connection, one.row.day))
        if not told:
            return None
        items = [task.item for task in told]
        payload, carried = _fitting(head, items, one.channel)
        return Written(payload, tasks=[task.id for task in told[carried:]])

    def _way_in(self, one: Wanted, links: Mapping[str, OwnLink]) -> tuple[str, date | None]:
        """Where the recipient goes on, and the last civil day of the link."""
        if self.portal is None:
            return "", None
        if one.kind in _ABOVE:
            coordinates = one.recipient.id == self.ledger.registry.coordinator.id
            return (self.portal.desk if coordinates else ""), None
        link = links[one.recipient.id]
        return self.portal.door(placeholder(link.id)), self.ledger.registry.today(link.expires_at)

    def _head(self, one: Wanted, now: datetime, links: Mapping[str, OwnLink]) -> LetterHead:
        link, until = self._way_in(one, links)
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
            link=link,
            link_until=until,
        )

    def _given(
        self,
        connection: Connection,
        wanted: Sequence[Wanted],
        question: Select[Any],
        told: Callable[[Item, Row[Any]], Item],
    ) -> Mapping[int, Mapping[int, Item]]:
        """Receipts and answers are given whatever has become of the duty since."""
        if not wanted:
            return {}
        rows = connection.execute(question, {"letters": [one.row.id for one in wanted]}).all()
        self._learn(connection, {(row.clause, row.version) for row in rows})
        found: dict[int, dict[int, Item]] = defaultdict(dict)
        for row in rows:
            if item := self._item(row):
                found[row.letter_id][row.mention_id] = told(item, row)
        return found

    def _duties(
        self, connection: Connection, wanted: Sequence[Wanted], now: datetime
    ) -> Mapping[int, Mapping[int, Item]]:
        if not wanted:
            return {}
        ids = [one.row.id for one in wanted]
        rows = connection.execute(_OPEN, {"letters": ids}).all()
        self._learn(connection, {(row.clause, row.version) for row in rows})
        said = _said(connection, ids)
        reasons = _reasons(connection, {row.letter_id for row in rows if _tells_of_an_act(row)})
        found: dict[int, dict[int, Item]] = defaultdict(dict)
        for row in rows:
            before = said[row.duty_id]
            if not _to_be_said(row) or _superseded(row, before):
                continue
            if item := self._item(row):
                found[row.letter_id][row.mention_id] = self._pressed(
                    item, row, before, reasons, now
                )
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

    def _pressed(
        self,
        item: Item,
        row: Row[Any],
        said: Sequence[Row[Any]],
        reasons: Mapping[int, Sequence[tuple[str, str]]],
        now: datetime,
    ) -> Item:
        """The item with what its letter says of time past and why."""
        rung = self.ledger.registry.ladder(row.clause, row.agency).rung(row.rung)
        late = days_late(Standing(Status(row.status), row.due_at), now, item.notice.zone)
        return replace(
            item,
            late_days=late,
            reason=_reason(row, reasons.get(row.duty_id, ())),
            title=rung.title if rung else "",
            said_on=_said_on(row, said),
        )

    def _item(self, row: Row[Any]) -> Item | None:
        notice = self.ledger.registry.notices.get(row.clause.partition("/")[0])
        if notice is None:
            return None
        head = notice.file.notice
        due = row.due_at.astimezone(head.zone)
        agency = self.ledger.registry.agencies.get(row.agency)
        return Item(
            duty_id=row.duty_id,
            clause=self._clauses[row.clause, row.version],
            notice=head,
            agency=agency.name if agency else row.agency,
            period=row.period,
            due_on=due.date(),
            cut_off=clock(due),
            late_days=0,
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
        Mention.n,
        Mention.round,
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
_CAME = (
    select(
        Mention.id.label("mention_id"),
        Mention.letter_id,
        (Mention.round == Duty.round).label("present"),
        Duty.id.label("duty_id"),
        Duty.clause,
        Duty.version,
        Duty.agency,
        Duty.period,
        Duty.due_at,
        Duty.soft,
        Submission.number,
        Submission.receipt,
        Submission.submitted_at,
        Submission.nil,
    )
    .join(Duty, Duty.id == Mention.duty_id)
    .join(Submission, (Submission.duty_id == Duty.id) & (Submission.number == Mention.n))
    .where(Mention.letter_id.in_(_LETTERS))
    .order_by(Mention.id)
)
_DECIDED = (
    select(
        Mention.id.label("mention_id"),
        Mention.letter_id,
        Duty.id.label("duty_id"),
        Duty.clause,
        Duty.version,
        Duty.agency,
        Duty.period,
        Duty.status,
        Duty.due_at,
        Petition.asked_at,
        Petition.until,
        Petition.state,
        Petition.answer,
    )
    .join(Duty, Duty.id == Mention.duty_id)
    .join(Petition, Petition.id == Mention.n)
    .where(Mention.letter_id.in_(_LETTERS))
    .order_by(Mention.id)
)
_GIVEN = (
    select(History.duty_id, History.action, HistoryText.text)
    .outerjoin(HistoryText, HistoryText.seq == History.seq)
    .where(
        History.duty_id.in_(_SPOKEN_OF),
        History.action.in_({act for acts in _ACTS.values() for act in acts}),
    )
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


def _received(item: Item, row: Row[Any]) -> Item:
    """The item with what came."""
    return replace(item, handed=_handed(row, item.notice))


def _handed(row: Row[Any], notice: Notice) -> Handed:
    """Whether it came in time is told of the round in which it came; soft duties have no such."""
    came = Standing(Status.SUBMITTED, row.due_at, row.soft, row.submitted_at)
    telling = row.present and not row.soft
    return Handed(
        receipt=row.receipt,
        version=row.number,
        at=row.submitted_at.astimezone(notice.zone),
        on_time=on_time(came) if telling else None,
        late_days=days_late(came, row.submitted_at, notice.zone),
        nil=row.nil,
    )


def _answer(item: Item, row: Row[Any], now: datetime) -> Item:
    """The item with what was asked for and decided."""
    zone = item.notice.zone
    return replace(
        item,
        late_days=days_late(Standing(Status(row.status), row.due_at), now, zone),
        reason=row.answer,
        answered=Answered(
            row.asked_at.astimezone(zone).date(), row.until, granted=row.state == "granted"
        ),
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
        and one.rung not in INFORMING
    }
    return tuple(sorted(days))


def _tells_of_an_act(row: Row[Any]) -> bool:
    """Most assignments tell of an opening, which has no reason of its own."""
    return Kind(row.kind) in _ACTS and (row.kind != Kind.ASSIGN or row.n > 1 or row.round > 1)


def _reasons(
    connection: Connection, letters: Collection[int]
) -> Mapping[int, Sequence[tuple[str, str]]]:
    """The acts on the duties of these letters, each with its reason, the latest last."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    if letters:
        for duty, act, text in connection.execute(_GIVEN, {"letters": list(letters)}):
            found[duty].append((act, text or ""))
    return found


def _reason(row: Row[Any], given: Sequence[tuple[str, str]]) -> str:
    """That of the last act that the letter tells of; empty where none was given."""
    if not _tells_of_an_act(row):
        return ""
    acts = _ACTS[Kind(row.kind)]
    return next((text for act, text in reversed(given) if act in acts), "")


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
