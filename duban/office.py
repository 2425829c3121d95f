"""Everything at hand to run a day: settings, registry, ledger and the ways letters leave."""

import os
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from duban.channels.drop import DropFolder
from duban.channels.through_apprise import ThroughApprise
from duban.ledger import Ledger
from duban.ledger.change import change
from duban.ledger.chase import Chase, chase
from duban.ledger.database import open_database, reading
from duban.ledger.opening import Opening, open_missing
from duban.ledger.outbox import Delivery, Post
from duban.ledger.tables import Setting
from duban.registry import load_registry
from duban.settings import Settings


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: opened, chased, delivered."""

    opening: Opening
    chase: Chase
    delivery: Delivery

    def __str__(self) -> str:
        return f"{self.opening}; {self.chase}; letters: {self.delivery}"


@dataclass(frozen=True, slots=True)
class Office:
    """The product on one data folder."""

    settings: Settings
    ledger: Ledger

    @property
    def post(self) -> Post:
        """The outbox with its channels."""
        channels = {
            "drop": DropFolder(self.settings.letters),
            "apprise": ThroughApprise(self.settings.mail_sender, os.environ),
        }
        return Post(self.ledger, channels, self.armed, self.settings.letter_from)

    def armed(self) -> bool:
        """Whether letters may leave through real channels; a fresh ledger says no."""
        question = select(Setting.value).where(Setting.name == "send")
        with reading(self.ledger.engine) as connection:
            return connection.scalar(question) == "on"

    def arm(self, on: bool, *, by: str, now: datetime) -> None:
        """Lets letters leave through real channels, or keeps them in the drop folder."""
        with change(self.ledger.engine, now, by) as made:
            made.session.merge(Setting(name="send", value="on" if on else "off"))
            made.record("sending", on=on)

    def tick(self, now: datetime, *, since: date | None = None) -> Tick:
        """One round of the day's work: open what is missing, chase, deliver.

        Running it again at the same moment does nothing more.
        """
        opening = open_missing(self.ledger, now, since=since)
        chased = chase(self.ledger, now)
        return Tick(opening, chased, self.post.deliver(now))


def open_office(settings: Settings) -> Office:
    """Loads the registry and opens the ledger.

    Raises:
        InvalidRegistry: before the ledger is touched.
        LedgerUnreadable: damaged, newer, or out of reach.
    """
    registry = load_registry(settings.agencies, settings.notices)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Office(settings, Ledger(open_database(settings.ledger_url), registry))
