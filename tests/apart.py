"""The servers of `tests.servers` in a process of their own: no thread of theirs is ever forked."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, cast

from tests.servers import RobotServer, SmtpSink

forking = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Counts:
    """What arrived: copies of mails by Message-ID, of robots' messages by (key, text)."""

    mails: Counter[str]
    messages: Counter[tuple[str, str]]

    @property
    def extra(self) -> int:
        """Copies beyond the first of each."""
        every = [*self.mails.values(), *self.messages.values()]
        return sum(copies - 1 for copies in every)


@dataclass(frozen=True)
class Servers:
    """A mail server and robots that count copies."""

    pipe: "Connection[Any, Any]"
    mail_sender: str
    robots: str

    def counts(self) -> Counts:
        self.pipe.send(True)
        return self.pipe.recv()


@contextmanager
def servers_apart() -> Generator[Servers]:
    """They listen on loopback until the block ends."""
    ours, theirs = cast("tuple[Connection[Any, Any], Connection[Any, Any]]", forking.Pipe())
    process = forking.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    yield Servers(ours, *ours.recv())
    ours.send(False)
    process.join(10)
    for end in (ours, theirs):
        end.close()


def _serve(pipe: "Connection[Any, Any]") -> None:
    with SmtpSink() as sink, RobotServer() as robots:
        pipe.send((sink.sender, robots.url))
        while pipe.recv():
            pipe.send(Counts(sink.copies, robots.copies))
    os._exit(0)
