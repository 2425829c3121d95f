"""Puts mentions into letters: one letter a recipient, channel, civil day and kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from duban.ladder import Kind
from duban.ledger.change import Change, insert_or_skip
from duban.ledger.tables import Letter, Mention
from duban.registry import Agency, instant

MORNING = "08:30"  # letters for a later day wait for it

Slot = tuple[str, str, str]
"""Recipient, channel, kind."""


@dataclass(frozen=True, slots=True)
class NewMention:
    """A duty to be spoken of to a recipient; `day` is the civil day its rung fell on."""

    duty_id: int
    recipient: Agency
    kind: Kind
    round: int
    rung: str
    n: int
    day: date


def channel_of(agency: Agency) -> str:
    """The name of the channel that reaches an agency: drop, mail, or an Apprise scheme."""
    channel = agency.contact.channel
    if channel is None:
        return "drop"
    scheme, separator, _ = channel.partition("://")
    return scheme if separator else "mail"


def post(made: Change, mentions: Iterable[NewMention], today: date, zone: ZoneInfo) -> int:
    """Writes mentions into today's letters, or tomorrow's where today's is under way.

    Returns how many mentions were written. Belongs to the transaction that decided them.
    """
    wanted = list(mentions)
    slots = {(m.recipient.id, channel_of(m.recipient), m.kind.value) for m in wanted}
    letters = _letters(made, slots, today, zone)
    rows = [
        {
            "duty_id": m.duty_id,
            "letter_id": letters[m.recipient.id, channel_of(m.recipient), m.kind.value],
            "recipient": m.recipient.id,
            "round": m.round,
            "rung": m.rung,
            "n": m.n,
            "day": m.day,
        }
        for m in wanted
    ]
    if rows:
        made.connection.execute(insert(Mention), rows)
    return len(rows)


def _letters(made: Change, slots: set[Slot], today: date, zone: ZoneInfo) -> dict[Slot, int]:
    """The letter of each slot that is still to be written, found or begun."""
    latest = _latest_letters(made, {slot[0] for slot in slots}, today)
    return {slot: _open_letter(made, slot, latest.get(slot), today, zone) for slot in sorted(slots)}


def _latest_letters(made: Change, recipients: set[str], today: date) -> dict[Slot, Letter]:
    # Locked, so that a deliverer cannot claim one between this look and the mention.
    question = (
        select(Letter)
        .where(Letter.recipient.in_(recipients), Letter.day >= today)
        .order_by(Letter.day, Letter.id)
        .with_for_update()
    )
    letters = made.session.execute(question).scalars()
    return {(letter.recipient, letter.channel, letter.kind): letter for letter in letters}


def _open_letter(
    made: Change, slot: Slot, latest: Letter | None, today: date, zone: ZoneInfo
) -> int:
    """The slot's latest letter while it is still to be written, else one begun after it."""
    if latest is not None and latest.state == "pending" and latest.attempts == 0:
        return latest.id
    day = today if latest is None else latest.day + timedelta(days=1)
    begun = _begin_letter(made, slot, day, _not_before(made.at, day, today, zone))
    if begun is not None:
        return begun
    return _open_letter(made, slot, _letter_of(made, slot, day), today, zone)


def _begin_letter(made: Change, slot: Slot, day: date, not_before: datetime) -> int | None:
    """The new letter; None when another process has begun it since the look."""
    recipient, channel, kind = slot
    statement = insert_or_skip(made.connection)(Letter).on_conflict_do_nothing()
    row = {
        "recipient": recipient,
        "channel": channel,
        "kind": kind,
        "day": day,
        "part": 1,
        "state": "pending",
        "not_before": not_before,
    }
    return made.connection.scalar(statement.values(row).returning(Letter.id))


def _letter_of(made: Change, slot: Slot, day: date) -> Letter:
    recipient, channel, kind = slot
    question = select(Letter).where(
        Letter.recipient == recipient,
        Letter.channel == channel,
        Letter.kind == kind,
        Letter.day == day,
    )
    return made.session.execute(question.with_for_update()).scalar_one()


def _not_before(now: datetime, day: date, today: date, zone: ZoneInfo) -> datetime:
    return now if day <= today else instant(day, MORNING, zone)
