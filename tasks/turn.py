"""One sync at a time, wherever the others run: whose turn it is stands in the ledger."""

import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from duban.ledger import Ledger
from duban.ledger.lease import LEASE, Turn, give_back, renew, take, turn_of

_RENEW_BEFORE = LEASE * 2 / 3
_here: set[str] = set()
"""Holders of this process that are at work."""


class TurnLost(Exception):
    """Another has taken over; whoever was at work stops."""


class Work:
    """A turn that is held. `unsure`: whoever was at work before left something in the middle."""

    def __init__(self, ledger: Ledger, name: str, held: Turn) -> None:
        self.unsure = held.begun
        self._ledger, self._name, self._held = ledger, name, held

    def begin(self) -> None:
        """Notes, before the first change, that something may be left in the middle.

        Raises:
            TurnLost: another has the turn.
        """
        if not self._held.begun:
            self._renew(begun=True)

    def go_on(self) -> None:
        """Keeps the turn; to be called before each change.

        Raises:
            TurnLost: another has it.
        """
        if datetime.fromisoformat(self._held.until) - _now() < _RENEW_BEFORE:
            self._renew(begun=self._held.begun)

    def end(self, *, done: bool) -> None:
        """Gives the turn back; `done`: nothing is left in the middle."""
        give_back(self._ledger, self._name, self._held, begun=self._held.begun and not done)

    def _renew(self, *, begun: bool) -> None:
        held = renew(self._ledger, self._name, self._held, _now(), begun=begun)
        if held is None:
            raise TurnLost
        self._held = held


@contextmanager
def turn(ledger: Ledger, name: str, patience: float) -> Generator[Work | None]:
    """Holds the turn at a work for as long as a block lasts; None where another is at it.

    Args:
        patience: seconds to wait for another that is at work.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex}"
    held = _wait(ledger, name, holder, patience)
    if held is None:
        yield None
        return
    _here.add(holder)
    work = Work(ledger, name, held)
    done = False
    try:
        yield work
        done = True
    finally:
        _here.discard(holder)
        work.end(done=done)


def _wait(ledger: Ledger, name: str, holder: str, patience: float) -> Turn | None:
    end = time.monotonic() + patience
    while True:
        was = turn_of(ledger, name)
        free = was.over(_now()) or _died(was.holder)
        if free and (held := take(ledger, name, was, holder, _now())):
            return held
        if time.monotonic() >= end:
            return None
        time.sleep(0.05)


def _died(holder: str) -> bool:
    """Whether a holder on this machine is gone; of one elsewhere nobody here can tell."""
    host, process, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    if int(process) == os.getpid():  # a predecessor in a container has the same number
        return holder not in _here
    return Path("/proc/self").exists() and not Path(f"/proc/{process}").exists()


def _now() -> datetime:
    return datetime.now(UTC)
