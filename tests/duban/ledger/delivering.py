"""A process that delivers letters until it is killed, at a named point or at any moment."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from duban.channels import Channel, mail, robot
from duban.channels.drop import DropFolder
from duban.channels.mail import Mail
from duban.channels.wecom import WeCom
from duban.ledger import Ledger, outbox
from duban.ledger.database import make_engine
from duban.ledger.outbox import Post
from duban.registry import Registry


class ShortRobot(WeCom):
    """A robot with so little room that a letter of three duties needs three parts."""

    limit = 700
    pace = None  # this is about crashes


@dataclass(frozen=True)
class World:
    """Where letters go, and the ledger that they come from."""

    database_url: str
    registry: Registry
    mail_sender: str
    folder: Path

    def post(self) -> Post:
        ledger = Ledger(make_engine(self.database_url), self.registry)
        channels: Mapping[str, Channel] = {
            "drop": DropFolder(self.folder),
            "mail": Mail(self.mail_sender),
            "wecombot": ShortRobot(),
        }
        return Post(ledger, channels, lambda: True, "duban@example.org", {})


def deliver(world: World, now: datetime, point: str, turn: int) -> None:
    """Delivers all there is; dies when it comes to the point for that time, if ever."""
    if point in POINTS:
        POINTS[point](_Trap(turn))
    begun = time.monotonic()
    world.post().deliver(lambda: now + timedelta(seconds=time.monotonic() - begun))
    os._exit(0)  # the parent's servers and fixtures are not this process's to end


@dataclass
class _Trap:
    """Kills the process as nothing else does: no cleaning up, no rollback."""

    left: int

    def step(self) -> bool:
        """Whether the next step is the last one."""
        self.left -= 1
        return self.left <= 0

    def __call__(self) -> None:
        if self.step():
            self.kill()

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: Any, name: str) -> Callable[[_Trap], None]:
    """Dies instead of doing something."""

    def install(trap: _Trap) -> None:
        real = getattr(owner, name)

        def dying(*args: Any, **more: Any) -> Any:
            trap()
            return real(*args, **more)

        setattr(owner, name, dying)

    return install


def _after(owner: Any, name: str) -> Callable[[_Trap], None]:
    """Does something and dies."""

    def install(trap: _Trap) -> None:
        real = getattr(owner, name)

        def dying(*args: Any, **more: Any) -> Any:
            found = real(*args, **more)
            trap()
            return found

        setattr(owner, name, dying)

    return install


def _half_said(trap: _Trap) -> None:
    """Dies when half of a letter has gone out."""

    def cut(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def dying(self: Any, said: Any, **more: Any) -> None:
            if len(said) < 300 or not trap.step():
                real(self, said, **more)
                return
            real(self, said[: len(said) // 2], **more)
            trap.kill()

        setattr(owner, name, dying)

    cut(mail._Line, "send")  # pyright: ignore[reportPrivateUsage]
    cut(robot._Stream, "write")  # pyright: ignore[reportPrivateUsage]


POINTS: Mapping[str, Callable[[_Trap], None]] = {
    "before the claim is committed": _after(outbox, "_begin"),
    "after the claim, before sending": _before(Post, "_send"),
    "in the middle of a letter": _half_said,
    "when it is accepted and not yet marked": _before(Post, "_settle"),
    "inside the mark": _after(outbox, "_mark"),
    "after the mark": _after(Post, "_settle"),
    "while a part is made": _after(outbox, "carry_over"),
}
