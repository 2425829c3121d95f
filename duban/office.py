"""Everything at hand to run a day: settings, registry, ledger and the ways letters leave."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

from sqlalchemy import select

from duban.channels import Channel
from duban.errors import DubanError, InvalidRegistry
from duban.ledger import Ledger
from duban.ledger.applied import Kept, adopt, digest_in_force, in_force
from duban.ledger.audit import HEADS, note_head
from duban.ledger.change import change
from duban.ledger.chase import Chase, chase
from duban.ledger.database import open_database, reading
from duban.ledger.label import label_of
from duban.ledger.links import Portal
from duban.ledger.opening import Opening, open_missing
from duban.ledger.outbox import Delivery, Post
from duban.ledger.recount import recount
from duban.ledger.retention import erase_due, forget_persons
from duban.ledger.sweeping import sweep_files
from duban.ledger.tables import Setting
from duban.registry import Registry
from duban.registry.files import Files, digest_of, read_files
from duban.settings import Settings
from duban.tokens import load_key

_SINK = "mailto://127.0.0.1:{port}/?mode=insecure&from=duban@localhost.invalid&smtp=127.0.0.1"
DIFFERS = "The files differ from what is in force: `duban apply` shows what they would do."
_IS_SINK = re.compile(re.escape(_SINK).replace(r"\{port\}", r"\d{1,5}"))


def sink_account(port: int) -> str:
    """The mail account of a simulation: a server of its own on loopback, and no other."""
    return _SINK.format(port=port)


class Simulated(DubanError):
    """The ledger is a simulation, so its letters reach nobody."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: opened, chased, delivered."""

    opening: Opening
    chase: Chase
    delivery: Delivery

    def __str__(self) -> str:
        return f"{self.opening}; {self.chase}; letters: {self.delivery}"


@dataclass(frozen=True)
class Office:
    """The product on one data folder."""

    settings: Settings
    ledger: Ledger

    @cached_property
    def channels(self) -> Mapping[str, Channel]:
        """Every way a letter can leave; they keep their connections."""
        # Apprise takes a second to load, and most commands send nothing.
        from duban.channels.choose import all_channels

        given = self.settings
        if not self.label:
            return all_channels(given.letters, given.mail_sender, given.allowed_addresses)
        found = all_channels(given.letters, given.mail_sender if self._has_sink else None)
        return {name: found[name if name == "mail" else "drop"] for name in found}

    @cached_property
    def key(self) -> bytes:
        """What links and forms are signed with."""
        given = self.settings.secret
        return load_key(
            self.settings.home / "secret.key", given.get_secret_value() if given else None
        )

    @property
    def label(self) -> str:
        """What marks a ledger that is not meant in earnest; empty on a real one."""
        return label_of(self.ledger)

    @property
    def _has_sink(self) -> bool:
        return _IS_SINK.fullmatch(self.settings.mail_sender or "") is not None

    @property
    def post(self) -> Post:
        """The outbox with its channels."""
        sender = self.settings.letter_from
        portal = Portal(self.settings.portal, self.key)
        return Post(self.ledger, self.channels, self.armed, sender, os.environ, self.label, portal)

    def armed(self) -> bool:
        """Whether letters may leave through real channels; a fresh ledger says no.

        Those of a simulation go to its own sink, while that is there, and never elsewhere.
        """
        if self.label:
            return self._has_sink
        question = select(Setting.value).where(Setting.name == "send")
        with reading(self.ledger.engine) as connection:
            return connection.scalar(question) == "on"

    def arm(self, on: bool, *, by: str, now: datetime) -> None:
        """Lets letters leave through real channels, or keeps them in the drop folder.

        Raises:
            Simulated: the ledger must never send; nothing was changed.
        """
        if on and (label := self.label):
            raise Simulated(f"The ledger is a simulation ({label}); its letters reach nobody.")
        with change(self.ledger.engine, now, by) as made:
            made.session.merge(Setting(name="send", value="on" if on else "off"))
            made.record("sending", on=on)

    def tick(
        self,
        now: datetime,
        *,
        since: date | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Tick:
        """One round of the day's work: open what is missing, chase, deliver.

        Running it again at the same moment does nothing more.

        Args:
            now: the frozen moment of every decision.
            clock: what deliveries are timed by; the frozen moment unless given.
        """
        recount(self.ledger, now)
        opening = open_missing(self.ledger, now, since=since)
        chased = chase(self.ledger, now)
        done = Tick(opening, chased, self.post.deliver(clock or (lambda: now)))
        self.keep_house(now)
        return done

    def keep_house(self, now: datetime) -> None:
        """Once a day: erases what is kept long enough, clears the files, notes the head."""
        today = self.ledger.registry.today(now).isoformat()
        question = select(Setting.value).where(Setting.name == "kept-house")
        with reading(self.ledger.engine) as connection:
            if connection.scalar(question) == today:
                return
        home, files = self.settings.home, self.settings.files
        erase_due(self.ledger, files, now)
        forget_persons(self.ledger, now)
        sweep_files(self.ledger, files, now)
        note_head(self.ledger, home / HEADS, now)
        with change(self.ledger.engine, now, "duban") as made:
            made.session.merge(Setting(name="kept-house", value=today))

    def refresh(self) -> bool:
        """Takes up the registry that is in force by now; whether it is another one.

        Usually this is one small question.

        Raises:
            InvalidRegistry: it cannot be loaded here; the one at hand stays.
        """
        ledger = self.ledger
        if digest_in_force(ledger.engine) in ("", ledger.digest):
            return False
        found = in_force(ledger.engine)
        assert found is not None
        ledger.registry, ledger.digest = found.load(), found.digest
        return True


def open_office(settings: Settings, clock: Callable[[], datetime] | None = None) -> Office:
    """Opens the ledger and loads what is in force in it.

    Where nothing is yet, the files are loaded, and are in force from then on; later edits of them
    are not, until they are applied.

    Args:
        clock: when the files came into force, if that is not now.

    Raises:
        InvalidRegistry: on a new folder before a ledger is made.
        LedgerUnreadable: damaged, newer, or out of reach.
    """
    # A fault in the files of a new folder leaves no ledger behind.
    given = None if has_ledger(settings) else read_files(settings.agencies, settings.notices)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_database(settings.ledger_url)
    kept = in_force(engine)
    if kept is None:
        given = given or read_files(settings.agencies, settings.notices)
        kept = adopt(engine, given[1], (clock or _now)())
    return Office(settings, Ledger(engine, _loaded(kept, given), kept.digest))


def has_ledger(settings: Settings) -> bool:
    """Whether there may be a ledger; a server is asked later."""
    return settings.database_url is not None or (settings.home / "ledger.db").exists()


def _loaded(kept: Kept, given: tuple[Registry, Files] | None) -> Registry:
    return given[0] if given and digest_of(given[1]) == kept.digest else kept.load()


def _now() -> datetime:
    return datetime.now(UTC)


def pending(office: Office) -> str | None:
    """One line where the files say something else than what is in force; None where they do not.

    A machine without the files has nothing to say.
    """
    settings = office.settings
    if not settings.agencies.exists():
        return None
    try:
        _, files = read_files(settings.agencies, settings.notices)
    except InvalidRegistry as error:
        count = len(error.problems)
        return f"{count} fault(s) in the files keep them from being applied: see `duban check`."
    if digest_of(files) == digest_in_force(office.ledger.engine):
        return None
    return DIFFERS
