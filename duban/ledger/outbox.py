"""The outbox: claims letters, hands them to a channel outside the transaction, marks each one.

A crash between sending and marking sends the same bytes once more, and never loses a letter.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from duban.channels import Channel, Fate, Outcome, Parcel
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.tables import Attempt, Letter
from duban.ledger.writing import write
from duban.registry import Agency
from duban.words import words

LEASE = timedelta(minutes=2)
BATCH = 20
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter that this process holds until its lease ends; `fence` proves it."""

    id: int
    fence: int
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one delivery did."""

    accepted: int = 0
    put_off: int = 0
    dead: int = 0

    def __str__(self) -> str:
        return f"{self.accepted} delivered, {self.put_off} put off, {self.dead} undeliverable"


class Post:
    """Delivers what is due, through the drop folder unless sending is armed.

    Args:
        channels: `drop` and `apprise`.
        armed: whether real channels may be used; asked before each batch.
        sender: the From address.
    """

    def __init__(
        self,
        ledger: Ledger,
        channels: Mapping[str, Channel],
        armed: Callable[[], bool],
        sender: str,
    ) -> None:
        self.ledger = ledger
        self.channels = channels
        self.armed = armed
        self.sender = sender

    def deliver(self, now: datetime, clock: Callable[[], datetime] | None = None) -> Delivery:
        """Delivers every letter that is due, batch by batch.

        Args:
            now: the frozen moment; letters dated later stay.
            clock: what leases are measured by; the frozen moment if not given.
        """
        accepted = put_off = dead = 0
        while batch := self._claim(now, (clock or (lambda: now))()):
            armed = self.armed()
            for letter in batch:
                via = self._via(letter.parcel.recipient, armed)
                outcome = self.channels[via].send(letter.parcel)
                state = self._settle(letter, via, outcome, now)
                accepted += state == "sent"
                put_off += state == "pending"
                dead += state == "dead"
        return Delivery(accepted, put_off, dead)

    @staticmethod
    def _via(recipient: Agency, armed: bool) -> str:
        return "apprise" if armed and recipient.contact.channel else "drop"

    def _claim(self, now: datetime, clock: datetime) -> Sequence[Claimed]:
        """One transaction: pick, lease, freeze the bytes. What has nothing to say is suppressed."""
        with change(self.ledger.engine, now, "duban") as made:
            letters = made.session.scalars(_claimable(now, clock)).all()
            claimed: list[Claimed] = []
            for letter in letters:
                letter.fence += 1
                letter.lease_until = clock + LEASE
                if found := self._written(made, letter, now):
                    claimed.append(found)
        return claimed or (self._claim(now, clock) if letters else [])

    def _written(self, made: Change, letter: Letter, now: datetime) -> Claimed | None:
        recipient = self.ledger.registry.agencies.get(letter.recipient)
        if recipient is not None and letter.payload is None:
            letter.payload = write(made, self.ledger, letter, recipient, now, self.sender)
        if recipient is None or letter.payload is None:
            letter.state, letter.lease_until = "suppressed", None
            return None
        letter.attempts += 1
        part = "" if letter.part == 1 else f"-{letter.part}"
        parcel = Parcel(
            name=f"{recipient.name}-{self._kind_word(letter.kind)}{part}",
            day=letter.day.isoformat(),
            recipient=recipient,
            payload=letter.payload,
        )
        return Claimed(letter.id, letter.fence, parcel)

    def _kind_word(self, kind: str) -> str:
        return words(self.ledger.registry.language).kinds[Kind(kind)]

    def _settle(self, claimed: Claimed, via: str, outcome: Outcome, now: datetime) -> str:
        """Marks one letter; a worker whose lease was taken over marks nothing but its attempt."""
        with change(self.ledger.engine, now, "duban") as made:
            made.session.add(
                Attempt(
                    letter_id=claimed.id,
                    at=now,
                    via=via,
                    outcome=outcome.fate.value,
                    detail=outcome.detail,
                )
            )
            letter = made.session.get_one(Letter, claimed.id, with_for_update=True)
            if letter.fence != claimed.fence:
                return "lost"
            letter.lease_until = None
            _mark(letter, outcome, via, now)
            if letter.state != "pending":
                made.record("letter", letter=letter.id, state=letter.state, via=via)
            return letter.state


def _mark(letter: Letter, outcome: Outcome, via: str, now: datetime) -> None:
    if outcome.fate is Fate.ACCEPTED:
        letter.state, letter.sent_at, letter.sent_via = "sent", now, via
    elif outcome.fate is Fate.PERMANENT or letter.attempts >= MOST_ATTEMPTS:
        letter.state = "dead"
    else:
        letter.not_before = now + pause(letter.attempts)
        if outcome.fate is Fate.TEMPORARY:
            letter.payload = None  # it surely did not arrive: write it anew from what is open then


def pause(attempts: int) -> timedelta:
    """Full jitter between nothing and a bound that doubles from 30 seconds to 6 hours."""
    bound = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    return bound * random.random()


def _claimable(now: datetime, clock: datetime):
    return (
        select(Letter)
        .where(
            Letter.state == "pending",
            Letter.not_before <= now,
            or_(Letter.lease_until.is_(None), Letter.lease_until < clock),
        )
        .order_by(Letter.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
