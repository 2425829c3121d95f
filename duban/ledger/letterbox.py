"""Puts mentions into letters: one letter a recipient, channel, civil day and kind."""

from collections.abc import Iterable, Mapping
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
    found: dict[Slot, int] = {}
    while missing := slots - found.keys():
        latest = _latest_letters(made, {slot[0] for slot in missing}, today)
        waiting = {slot: letter.id for slot, letter in latest.items() if _unwritten(letter)}
        found |= {slot: waiting[slot] for slot in missing & waiting.keys()}
        days = {
            slot: latest[slot].day + timedelta(days=1) if slot in latest else today
            for slot in sorted(missing - waiting.keys())
        }
        # What another process has begun since the look is found by the next one.
        found |= _begin_letters(made, days, today, zone)
    return found


def _unwritten(letter: Letter) -> bool:
    return letter.state == "pending" and letter.attempts == 0


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


def _begin_letters(
    made: Change, days: Mapping[Slot, date], today: date, zone: ZoneInfo
) -> dict[Slot, int]:
    rows = [
        {
            "recipient": recipient,
            "channel": channel,
            "kind": kind,
            "day": day,
            "part": 1,
            "state": "pending",
            "not_before": _not_before(made.at, day, today, zone),
            "attempts": 0,
            "fence": 0,
        }
        for (recipient, channel, kind), day in days.items()
    ]
    if not rows:
        return {}
    statement = (
        insert_or_skip(made.connection)(Letter)
        .on_conflict_do_nothing()
        .returning(Letter.id, Letter.recipient, Letter.channel, Letter.kind)
    )
    return {(row[1], row[2], row[3]): row[0] for row in made.connection.execute(statement, rows)}


def _not_before(now: datetime, day: date, today: date, zone: ZoneInfo) -> datetime:
    return now if day <= today else instant(day, MORNING, zone)
