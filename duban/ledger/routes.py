"""Which way a letter leaves, and when an address may be used: read from the ledger alone."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from duban.channels import Pace, channel_name, digest, resolve
from duban.ledger.tables import Attempt, Suspension
from duban.registry import Agency

DROP = "drop"
NO_CONTACT, SUSPENDED = "no-contact", "suspended"
LONGEST_CLOSURE = timedelta(hours=6)  # how far back a closed address is looked for
FAILURES, REST = 5, timedelta(minutes=5)
"""After so many failures in a row a channel rests: its server, not an address, is in trouble."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a recipient; `trouble` names the coordinator's task where it leads nowhere."""

    via: str = DROP
    address: str = field(default="", repr=False)
    mark: str = ""
    """The digest of the address."""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Routes:
    """The ways that are open at one moment. While sending is off all lead to the drop folder."""

    armed: bool
    environment: Mapping[str, str] = field(repr=False)
    suspended: Collection[tuple[str, str]] = ()

    def to(self, agency: Agency) -> Route:
        """The way to an agency."""
        written = agency.contact.channel
        if not self.armed:
            return Route()
        if not written:
            return Route(trouble=NO_CONTACT)
        address = resolve(written, self.environment)
        mark = digest(address)
        if (agency.id, mark) in self.suspended:
            return Route(trouble=SUSPENDED)
        return Route(channel_name(written), address, mark)


def suspensions(connection: Connection) -> Collection[tuple[str, str]]:
    """Agency and address digest of every suspension in force."""
    return {(agency, address) for agency, address in connection.execute(_IN_FORCE)}


@dataclass(slots=True)
class Pacer:
    """Keeps to the channels' pace during one delivery, and spares a channel that keeps failing.

    What has to wait for its pace is spread, so that it need not wait twice.
    """

    waiting: dict[str, int] = field(default_factory=dict[str, int])
    failures: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def put_off(self) -> int:
        """How many letters were told to wait."""
        return sum(self.waiting.values())

    def note(self, via: str, *, failed: bool) -> None:
        """Counts a channel's failures in a row."""
        self.failures[via] = self.failures.get(via, 0) + 1 if failed else 0

    def later(
        self, connection: Connection, route: Route, pace: Pace | None, now: datetime
    ) -> datetime | None:
        """When a letter may go this way; None: now."""
        if self.failures.get(route.via, 0) >= FAILURES:
            self._before(route.via)
            return now + REST + _jitter()
        return self._free_at(connection, route.mark, pace, now) if pace else None

    def _free_at(
        self, connection: Connection, mark: str, pace: Pace, now: datetime
    ) -> datetime | None:
        closed = _closed_until(connection, mark, now)
        used = _used(connection, mark, pace, now)
        if closed is None and len(used) < pace.letters:
            return None
        return _turn(used, pace, closed or now, self._before(mark)) + _jitter()

    def _before(self, key: str) -> int:
        """How many wait for the same; now there is one more."""
        before = self.waiting.get(key, 0)
        self.waiting[key] = before + 1
        return before


def _jitter() -> timedelta:
    return timedelta(seconds=2) * random.random()


def _turn(used: list[datetime], pace: Pace, earliest: datetime, before: int) -> datetime:
    """The turn of a letter with so many before it."""
    rounds, nth = divmod(before, pace.letters)
    leaves = used[nth] + pace.window if nth < len(used) else earliest
    return max(leaves, earliest) + pace.window * rounds


def _used(connection: Connection, mark: str, pace: Pace, now: datetime) -> list[datetime]:
    """The attempts in the window, oldest first."""
    values = {"mark": mark, "since": now - pace.window, "now": now, "most": pace.letters}
    return list(reversed(connection.scalars(_USED, values).all()))


def _closed_until(connection: Connection, mark: str, now: datetime) -> datetime | None:
    values = {"mark": mark, "since": now - LONGEST_CLOSURE, "now": now}
    return connection.scalar(_CLOSED, values)


# Statements are built once: building one takes longer than running it.
_IN_FORCE = select(Suspension.agency, Suspension.address).where(Suspension.lifted_at.is_(None))
_LATELY = (
    Attempt.address == bindparam("mark"),
    Attempt.at > bindparam("since"),
    Attempt.at <= bindparam("now"),  # what a clock put ahead wrote does not count
)
_USED = select(Attempt.at).where(*_LATELY).order_by(Attempt.at.desc()).limit(bindparam("most"))
_CLOSED = select(func.max(Attempt.closed_until)).where(
    *_LATELY, Attempt.closed_until > bindparam("now")
)
