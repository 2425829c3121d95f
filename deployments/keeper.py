"""Keeps Prefect in step with the ledger: within `duban up`, or as `duban mirror --follow`."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pendulum

from deployments.automations import ensure
from deployments.register import Registered, register
from duban.errors import DubanError
from duban.ledger import watch
from duban.ledger.outbox import next_at
from duban.ledger.questions import head_seq
from duban.office import Office
from tasks.events import tell
from tasks.mirror import Progress, Synced, sync
from tasks.pauses import EVERY as HEED_EVERY
from tasks.pauses import heed
from tasks.stage import Stage, StageError

BEAT = "keeper.beat"  # a file in the data folder, as old as the last look
LOOK_EVERY = 1.0  # seconds between looks at the ledger; a look is one indexed question
SYNC_EVERY = 60.0  # seconds after which a sync happens although the ledger is unchanged
RETRY_AFTER = 5.0  # seconds before a first sync that failed goes on


class Keeper:
    """What has to be done all the time; every part may fail and is tried again at a later look.

    Args:
        project: the folder in which workers find `flows`.
        say: where a line goes that a person should see.
    """

    def __init__(
        self, office: Office, stage: Stage, project: Path, say: Callable[[str], None]
    ) -> None:
        self.office = office
        self.stage = stage
        self.project = project
        self.say = say
        self.registered = self._register(clock())
        self._seen = head_seq(office.ledger)  # what changes from here on is for the next sync
        self._synced_at = self._heeded_at = time.monotonic()

    def fill(self, now: datetime, progress: Progress, *, full: bool = False) -> Synced:
        """The first sync, however often a busy Prefect makes it start again; none is in vain."""
        while True:
            try:
                return self._send(now, full=full, progress=progress)
            except StageError as error:
                self.say(f"mirror: {error} Trying again.")
                time.sleep(RETRY_AFTER)

    def wait(self) -> None:
        """Rests until the next look, and leaves a sign that it is alive."""
        (self.office.settings.home / BEAT).touch()
        time.sleep(LOOK_EVERY)

    def look(self) -> None:
        """One look: does what has become due since the one before."""
        now = clock()
        with self._going_on("clauses"):
            changed = self.office.refresh()
            if changed or self._day != self.office.ledger.registry.today(now):
                self._day = None
                self.registered = self._register(now)
                self._synced_at = -SYNC_EVERY
        self._deliver(now)
        self._heed(now)
        self._mirror(now)

    def _register(self, now: datetime) -> Registered:
        """Also once a day, since a clause's schedule ends with its last period."""
        registry, label = self.office.ledger.registry, self.office.label
        today = registry.today(now)
        decisions = self.office.settings.decisions
        done = register(registry, self.stage, self.project, today, label, decisions)
        ensure(self.stage, registry.language, label)
        self._day: date | None = today
        if done.changed or done.retired:
            self.say(f"clauses registered: {done.changed} changed, {done.retired} retired")
        return done

    def _deliver(self, now: datetime) -> None:
        due = next_at(self.office.ledger)
        if due and due <= now:
            self.office.post.deliver(clock)

    def _heed(self, now: datetime) -> None:
        if time.monotonic() - self._heeded_at < HEED_EVERY:
            return
        self._heeded_at = time.monotonic()
        watch.report(self.office.ledger, now)
        with self._going_on("pauses"):
            for line in heed(self.office.ledger, self.stage, self.registered.clauses, now):
                self.say(line)

    def _mirror(self, now: datetime) -> None:
        """Shows every change within a second or two, and looks for those of others each minute."""
        head = head_seq(self.office.ledger)
        if head == self._seen and time.monotonic() - self._synced_at < SYNC_EVERY:
            return
        with self._going_on("mirror"):
            day, self._day = self._day, None  # should it fail, a deployment may have been deleted
            self._send(now)
            tell(self.office.ledger, self.stage, now)
            self._day = day
        self._seen, self._synced_at = head, time.monotonic()

    def _send(
        self, now: datetime, *, full: bool = False, progress: Progress = lambda done, of: None
    ) -> Synced:
        return sync(
            self.office.ledger,
            self.stage,
            self.registered.clauses,
            now,
            forms=self.registered.forms,
            full=full,
            progress=progress,
            portal=self.office.settings.portal,
            limit=self.office.settings.mirror_limit,
        )

    @contextmanager
    def _going_on(self, part: str) -> Generator[None]:
        """The ledger goes on without its stage; a later look tries again."""
        try:
            yield
        except DubanError as error:
            self.say(f"{part}: {error}")


def clock() -> datetime:
    """Now."""
    return pendulum.now("UTC")
