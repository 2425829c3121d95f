"""Writes a letter of the outbox from what is still open at that moment."""

from datetime import datetime

from sqlalchemy import select

from duban.duty import CLOSED, WAITING, Standing, Status, days_late
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.change import Change
from duban.ledger.tables import ClauseVersion, Duty, History, HistoryText, Letter, Mention
from duban.letters import Item, LetterHead, write_letter
from duban.registry import Agency, Clause

_REASONS = {Kind.RETURN: "returned", Kind.EXTENSION: "extended", Kind.REOPEN: "reopened"}


def write(
    made: Change,
    ledger: Ledger,
    letter: Letter,
    recipient: Agency,
    now: datetime,
    sender: str,
) -> bytes | None:
    """The letter's bytes; None when nothing it was to speak of is open any more."""
    kind = Kind(letter.kind)
    items = [_item(made, ledger, duty, version, kind, now) for duty, version in _open(made, letter)]
    known = [item for item in items if item is not None]
    if not known:
        return None
    head = LetterHead(
        number=letter.id,
        kind=kind,
        recipient=recipient,
        coordinator=ledger.registry.coordinator,
        day=letter.day,
        written_at=now,
        sender=sender,
        address=_address(recipient),
    )
    return write_letter(head, known)


def _open(made: Change, letter: Letter) -> list[tuple[Duty, ClauseVersion]]:
    question = (
        select(Duty, ClauseVersion)
        .join(Mention, Mention.duty_id == Duty.id)
        .join(
            ClauseVersion,
            (ClauseVersion.clause == Duty.clause) & (ClauseVersion.version == Duty.version),
        )
        .where(Mention.letter_id == letter.id, Mention.round == Duty.round)
        .order_by(Duty.id)
    )
    # A copy informs, so it stands until the duty is closed; the rest asks the agency to act.
    silent = CLOSED if letter.kind == Kind.COPY else frozenset(Status) - WAITING
    rows = made.session.execute(question.where(Duty.status.not_in(silent)))
    return [(duty, version) for duty, version in rows]


def _item(
    made: Change,
    ledger: Ledger,
    duty: Duty,
    version: ClauseVersion,
    kind: Kind,
    now: datetime,
) -> Item | None:
    notice = ledger.registry.notices.get(duty.clause.partition("/")[0])
    if notice is None:
        return None
    head = notice.file.notice
    clause = Clause.model_validate(version.content)
    due = duty.due_at.astimezone(head.zone)
    agency = ledger.registry.agencies.get(duty.agency)
    return Item(
        duty_id=duty.id,
        clause=clause,
        notice=head,
        agency=agency.name if agency else duty.agency,
        period=duty.period,
        due_on=due.date(),
        cut_off="24:00" if due.second else f"{due:%H:%M}",
        late_days=days_late(Standing(Status(duty.status), duty.due_at), now, head.zone),
        reason=_reason(made, duty.id, _REASONS[kind]) if kind in _REASONS else "",
    )


def _reason(made: Change, duty_id: int, action: str) -> str:
    question = (
        select(HistoryText.text)
        .join(History, History.seq == HistoryText.seq)
        .where(History.duty_id == duty_id, History.action == action)
        .order_by(History.seq.desc())
        .limit(1)
    )
    return made.session.scalars(question).first() or ""


def _address(recipient: Agency) -> str:
    """The To line: the mail address, or a name that no mail program will try to reach."""
    channel = recipient.contact.channel or ""
    return channel if "@" in channel and "://" not in channel else f"{recipient.name}:;"
