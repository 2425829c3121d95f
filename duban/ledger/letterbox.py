"""Puts mentions into letters: one letter a recipient, channel, civil day and kind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from duban.channels import channel_name
from duban.ladder import PROMPT, Kind
from duban.ledger import Ledger
from duban.ledger.change import Change, insert_or_skip
from duban.ledger.tables import Letter, Mention, Setting
from duban.registry import Agency, Notice, instant
from duban.registry.policy import CHASE_AT

MORNING = f"{CHASE_AT:%H:%M}"  # letters for a later day wait for it

Slot = tuple[str, str, str]
"""Recipient, channel, kind."""

When = tuple[date, int, datetime]
"""Civil day, part, the instant before which it does not go."""


@dataclass(frozen=True, slots=True)
class NewMention:
    """A duty to be spoken of to a recipient; `day` is the civil day on which it was decided."""

    duty_id: int
    recipient: Agency
    kind: Kind
    round: int
    rung: str
    n: int
    day: date


def post(made: Change, ledger: Ledger, notice: Notice, mentions: Iterable[NewMention]) -> int:
    """Writes mentions into the letters of the next hour at which their recipients are written to.

    That is now, unless it is quiet or no working day; a mention that comes when the day's letter is
    already under way goes into the next day's. While sending is off nobody is disturbed, and
    letters are written at once. What answers the agency goes at once in any case, several a day if
    need be. Belongs to the transaction that decided the mentions.

    Returns:
        how many mentions were written.
    """
    wanted = list(mentions)
    if not wanted:
        return 0
    letters = _letters(made, ledger, notice, [(m.recipient, m.kind) for m in wanted])
    rows = [
        {
            "duty_id": m.duty_id,
            "letter_id": letters[_slot(m.recipient, m.kind)],
            "recipient": m.recipient.id,
            "round": m.round,
            "rung": m.rung,
            "n": m.n,
            "day": m.day,
            "said": True,
        }
        for m in wanted
    ]
    made.connection.execute(insert(Mention), rows)
    return len(rows)


def begin_letter(
    made: Change, ledger: Ledger, notice: Notice, recipient: Agency, kind: Kind
) -> None:
    """Has a letter in which something other than a duty will be spoken of."""
    _letters(made, ledger, notice, [(recipient, kind)])


def speaking_time(
    now: datetime, ledger: Ledger, notice: Notice, region: str
) -> tuple[date, datetime]:
    """The civil day and the instant of the next hour at which a region is written to."""
    zone, policy = notice.zone, ledger.registry.policy
    today = now.astimezone(zone).date()
    calendar = policy.calendar(notice.calendar, region)
    quiet = policy.quiet.at(now, zone)
    if calendar.working(today) and not quiet:
        return today, now
    morning = instant(today, MORNING, zone)
    if calendar.working(today) and now < morning:
        return today, morning
    day = calendar.add(today, 1).day
    return day, instant(day, MORNING, zone)


def _slot(recipient: Agency, kind: Kind) -> Slot:
    return recipient.id, channel_name(recipient.contact.channel), kind.value


def _letters(
    made: Change, ledger: Ledger, notice: Notice, wanted: Sequence[tuple[Agency, Kind]]
) -> dict[Slot, int]:
    """The letter of each slot that is still to be written, found or begun."""
    slots = {_slot(recipient, kind): recipient for recipient, kind in wanted}
    times = _times(made, ledger, notice, {agency.region for agency in slots.values()})
    today = made.at.astimezone(notice.zone).date()
    found: dict[Slot, int] = {}
    while missing := slots.keys() - found.keys():
        latest = _latest_letters(made, {slot[0] for slot in missing}, today)
        waiting = {slot: letter.id for slot, letter in latest.items() if _unwritten(letter)}
        found |= {slot: waiting[slot] for slot in missing & waiting.keys()}
        begun = {
            slot: _at_once(latest.get(slot), today, made.at)
            if slot[2] in PROMPT
            else _after(latest.get(slot), times[slots[slot].region], notice)
            for slot in sorted(missing - waiting.keys())
        }
        # What another process has begun since the look is found by the next one.
        found |= _begin_letters(made, begun)
    return found


def _times(
    made: Change, ledger: Ledger, notice: Notice, regions: set[str]
) -> dict[str, tuple[date, datetime]]:
    armed = made.session.scalar(select(Setting.value).where(Setting.name == "send")) == "on"
    at_once = made.at.astimezone(notice.zone).date(), made.at
    return {
        region: speaking_time(made.at, ledger, notice, region) if armed else at_once
        for region in regions
    }


def _after(latest: Letter | None, soonest: tuple[date, datetime], notice: Notice) -> When:
    """The day after one whose letter is under way already, else the soonest."""
    if latest is None or latest.day < soonest[0]:
        return soonest[0], 1, soonest[1]
    day = latest.day + timedelta(days=1)
    return day, 1, instant(day, MORNING, notice.zone)


def _at_once(latest: Letter | None, today: date, now: datetime) -> When:
    """Today's next part."""
    return (latest.day, latest.part + 1, now) if latest else (today, 1, now)


def _unwritten(letter: Letter) -> bool:
    return letter.state == "pending" and letter.attempts == 0


def _latest_letters(made: Change, recipients: set[str], today: date) -> dict[Slot, Letter]:
    # Locked, so that a deliverer cannot claim one between this look and the mention.
    question = (
        select(Letter)
        .where(Letter.recipient.in_(recipients), Letter.day >= today)
        .order_by(Letter.day, Letter.part, Letter.id)
        .with_for_update()
    )
    letters = made.session.execute(question).scalars()
    return {(letter.recipient, letter.channel, letter.kind): letter for letter in letters}


def _begin_letters(made: Change, begun: Mapping[Slot, When]) -> dict[Slot, int]:
    rows = [
        {
            "recipient": recipient,
            "channel": channel,
            "kind": kind,
            "day": day,
            "part": part,
            "state": "pending",
            "not_before": not_before,
            "attempts": 0,
            "fence": 0,
        }
        for (recipient, channel, kind), (day, part, not_before) in begun.items()
    ]
    if not rows:
        return {}
    statement = (
        insert_or_skip(made.connection)(Letter)
        .on_conflict_do_nothing()
        .returning(Letter.id, Letter.recipient, Letter.channel, Letter.kind)
    )
    return {(row[1], row[2], row[3]): row[0] for row in made.connection.execute(statement, rows)}
