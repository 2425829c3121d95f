"""The small notice's first quarter of 2026, opened and told; and words to play it with."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from duban.channels import Channel, Fate, Form, Outcome, Pace, Parcel
from duban.evidence import Checked
from duban.ladder import INFORMING
from duban.ledger import Ledger, acts
from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.outbox import Post
from duban.ledger.questions import duties
from duban.ledger.tables import Letter, Mention
from duban.office import Office
from tests.conftest import at, china
from tests.moments import Moment, moment_of


class Nowhere:
    """Takes every letter and sends none."""

    form = Form.MAIL
    limit: int | None = None
    pace: Pace | None = None

    def send(self, parcel: Parcel, address: str) -> Outcome:
        del parcel, address
        return Outcome(Fate.ACCEPTED)


def nowhere(ledger: Ledger) -> Post:
    """An outbox whose letters all arrive."""
    channel: Channel = Nowhere()
    return Post(ledger, {"drop": channel}, lambda: False, "duban@localhost", {})


def days(first: str, last: str) -> Iterator[str]:
    """Every civil day from first to last."""
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=1)


def run(office: Office, on: Iterable[str], time: str = "09:00") -> None:
    """Chases and delivers on each of these days, with nothing new opened."""
    for day in on:
        now = china(day, time)
        chase(office.ledger, now)
        office.post.deliver(at(now))


def duty_of(office: Office, agency: str, clause: str) -> int:
    """The number of an agency's only duty under a clause."""
    [found] = duties(office.ledger, agency=agency, clause=f"small/{clause}")
    return found.id


def submit(office: Office, duty: int, day: str, time: str = "10:00") -> None:
    """Hands in evidence for a duty of clause 1."""
    agency = next(one.agency.id for one in duties(office.ledger, ids=[duty]))
    evidence = Checked({"classes": 1}, ())
    acts.submit(office.ledger, duty, evidence, [], by=agency, now=china(day, time))


def said(office: Office, duty: int) -> list[tuple[str, str, str]]:
    """(day, rung, recipient) of what a duty was chased with after its first letters."""
    question = (
        select(Mention.day, Mention.rung, Mention.recipient)
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id == duty, Mention.rung.not_in(("assign", *INFORMING)))
        .where(Mention.letter_id.is_(None) | (Letter.state == "sent"))
        .order_by(Mention.day, Mention.id)
    )
    with reading(office.ledger.engine) as connection:
        return [(f"{day}", rung, to) for day, rung, to in connection.execute(question)]


@dataclass(frozen=True)
class Told:
    """A ledger at a moment, and the folder of the letters that it has sent by then."""

    moment: Moment
    letters: Path


@pytest.fixture(scope="session")
def told_quarters() -> dict[str, Told]:
    """The first quarter as opened and told in each kind of database: that takes long."""
    return {}


@pytest.fixture
def first_quarter(
    office: Office, told_quarters: dict[str, Told], tmp_path_factory: pytest.TempPathFactory
) -> Office:
    """The duties of clause 1 are opened on New Year and told; due on Friday, 20 March."""
    engine, letters = office.ledger.engine, office.settings.letters
    if told := told_quarters.get(engine.dialect.name):
        told.moment.come_back(engine)
        shutil.copytree(told.letters, letters)
        return office
    open_missing(office.ledger, china("2026-01-01"), clause="small/1")
    office.post.deliver(at(china("2026-01-01")))
    kept = tmp_path_factory.mktemp("told") / "letters"
    shutil.copytree(letters, kept)
    told_quarters[engine.dialect.name] = Told(moment_of(engine), kept)
    return office
