"""Whole years against a brute-force model that knows nothing of the engine: letter by letter."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from duban.calendar import WorkCalendar
from duban.duty import WAITING, Status
from duban.evidence import Checked
from duban.ladder import ROUND_OPENERS, Kind
from duban.ledger import Ledger, acts
from duban.ledger.approvals import approve, call, proposals
from duban.ledger.change import change
from duban.ledger.chase import chase
from duban.ledger.database import make_engine, open_database, reading
from duban.ledger.holds import hold
from duban.ledger.opening import open_missing
from duban.ledger.tables import Duty, Letter, Mention, Proposal, Setting, Submission
from duban.registry import Registry
from tests.conftest import at, china
from tests.duban.ledger.conftest import nowhere
from tests.duban.model import Event, OneDuty, Said, walk

CHANCES = {"submitted": 0.006, "extended": 0.002, "called": 0.003, "waived": 0.0005}
"""What a waiting duty meets on a day, and how likely."""


@dataclass
class Years:
    """A ledger on its way through the years, and what happens to its duties by chance."""

    ledger: Ledger
    chance: random.Random
    events: dict[int, list[Event]] = field(default_factory=dict[int, list[Event]])
    opened: dict[int, OneDuty] = field(default_factory=dict[int, OneDuty])
    held: list[tuple[str, date]] = field(default_factory=list[tuple[str, date]])

    def __post_init__(self) -> None:
        self.post = nowhere(self.ledger)
        with change(self.ledger.engine, china("2020-01-01"), "test") as made:
            made.session.merge(Setting(name="send", value="on"))  # letters wait for mornings

    def live(self, first: date, last: date) -> None:
        while first <= last:
            self.one_day(first)
            first += timedelta(days=1)

    def one_day(self, day: date) -> None:
        open_missing(self.ledger, china(f"{day}", "08:00"))
        rows = self.rows()
        for row in rows:
            if row.id not in self.opened:
                self.opened[row.id] = OneDuty(str(row.id), self.civil(row.due_at), day, row.soft)
                self.note_holds(row, day)
        for row in rows:
            self.meet(row, day)
        if day.day == 14:
            self.hold_somebody(day)
        if day.day == 15 and self.ledger.registry.policy.calendar(WorkCalendar.CHINA).working(day):
            self.decide(day)
        chase(self.ledger, china(f"{day}"))
        self.post.deliver(at(china(f"{day}")))

    def rows(self) -> Sequence[Duty]:
        with reading(self.ledger.engine) as connection:
            question = select(Duty.__table__).where(Duty.status != Status.WAIVED).order_by(Duty.id)
            return [Duty(**row) for row in connection.execute(question).mappings()]

    def civil(self, instant: datetime) -> date:
        return self.ledger.registry.today(instant)

    def note_holds(self, row: Duty, day: date) -> None:
        """A hold covers what opens under it."""
        for agency, until in self.held:
            if agency == row.agency and day <= until:
                self.note(row.id, day, "held", until)

    def note(self, duty: int, day: date, what: str, until: date | None = None) -> None:
        self.events.setdefault(duty, []).append(Event(day, what, until))  # pyright: ignore[reportArgumentType]

    def meet(self, row: Duty, day: date) -> None:
        """At most one thing a day, in the morning before the chase."""
        now = china(f"{day}", "08:10")
        if row.status == Status.SUBMITTED and self.chance.random() < 0.1:
            return self.review(row, day, now)
        if row.status == Status.ACCEPTED and self.chance.random() < 0.0005:
            acts.reopen(self.ledger, row.id, reason="x", by="t", now=now)
            return self.note(row.id, day, "reopened")
        if row.status in WAITING:
            for what, likely in CHANCES.items():
                if self.chance.random() < likely:
                    return self.happen(row, what, day, now)
        return None

    def happen(self, row: Duty, what: str, day: date, now: datetime) -> None:
        if what == "submitted":
            acts.submit(self.ledger, row.id, Checked({}, ()), [], by=row.agency, now=now)
        elif what == "called":
            call(self.ledger, row.id, said="x", by="t", now=now)
        elif what == "waived":
            acts.waive(self.ledger, row.id, reason="x", by="t", now=now)
            what = "submitted"  # silent for good, as far as the model goes
        else:
            until = max(day, self.civil(row.due_at)) + timedelta(days=self.chance.randint(1, 60))
            acts.extend(self.ledger, row.id, due_on=until, reason="x", by="t", now=now)
            return self.note(row.id, day, what, until)
        return self.note(row.id, day, what)

    def review(self, row: Duty, day: date, now: datetime) -> None:
        if self.chance.random() < 0.7:
            return acts.accept(self.ledger, row.id, by="t", now=now)
        acts.send_back(self.ledger, row.id, reason="x", by="t", now=now)
        with reading(self.ledger.engine) as connection:
            due = connection.execute(select(Duty.due_at).where(Duty.id == row.id)).scalar_one()
        return self.note(row.id, day, "returned", self.civil(due))

    def decide(self, day: date) -> None:
        """In the middle of a month some proposals are approved.

        On a working day: the letter of another would wait, and may be answered before it goes.
        """
        now = china(f"{day}", "08:20")
        for one in {one.duty_id for one in proposals(self.ledger)}:
            if self.chance.random() < 0.5:
                approve(self.ledger, [one], by="t", now=now)
                self.note(one, day, "approved")

    def hold_somebody(self, day: date) -> None:
        """An agency at a time, for up to a month."""
        now = china(f"{day}", "08:20")
        agency = self.chance.choice(sorted(self.ledger.registry.agencies))
        until = day + timedelta(days=self.chance.randint(0, 30))
        hold(self.ledger, agency=agency, clause=None, until=until, reason="x", by="t", now=now)
        self.held.append((agency, until))
        for row in self.rows():
            if row.agency == agency:
                self.note(row.id, day, "held", until)

    def said(self) -> set[Said]:
        question = (
            select(Mention.duty_id, Mention.day, Mention.rung, Mention.n, Mention.recipient)
            .add_columns(Duty.agency, Duty.clause, Letter.day, Letter.state)
            .join(Duty, Duty.id == Mention.duty_id)
            .join(Letter, Letter.id == Mention.letter_id)
            .where(Mention.rung.not_in((Kind.COPY, Kind.RECEIPT)))
            .where(Mention.said, Letter.state == "sent")
        )
        with reading(self.ledger.engine) as connection:
            return {line for row in connection.execute(question) for line in self.lines(*row)}

    def lines(
        self,
        duty: int,
        day: date,
        rung: str,
        n: int,
        recipient: str,
        agency: str,
        clause: str,
        sent_on: date,
        _state: str,
    ) -> Iterator[Said]:
        if rung in ROUND_OPENERS:
            yield sent_on, str(duty), rung, n, "agency"
        elif recipient == agency:
            yield day, str(duty), rung, n, "agency"
        else:
            yield day, str(duty), rung, n, "above"

    def versions(self) -> set[tuple[int, int, str, date]]:
        """(duty, version, agency, day on which it came)."""
        question = select(
            Submission.duty_id,
            Submission.number,
            Submission.submitted_by,
            Submission.submitted_at,
        )
        with reading(self.ledger.engine) as connection:
            rows = connection.execute(question)
            return {(duty, n, agency, self.civil(at)) for duty, n, agency, at in rows}

    def receipts(self) -> list[tuple[int, int, str, date]]:
        """(duty, version, recipient, day on which it went)."""
        question = (
            select(Mention.duty_id, Mention.n, Mention.recipient, Letter.sent_at)
            .join(Letter, Letter.id == Mention.letter_id)
            .where(Mention.rung == Kind.RECEIPT, Mention.said, Letter.state == "sent")
        )
        with reading(self.ledger.engine) as connection:
            rows = connection.execute(question)
            return [(duty, n, to, self.civil(at)) for duty, n, to, at in rows if at]

    def proposed(self) -> set[tuple[date, str, str, int]]:
        question = select(Proposal.day, Proposal.duty_id, Proposal.rung, Proposal.n)
        with reading(self.ledger.engine) as connection:
            rows = connection.execute(question)
            return {(day, str(duty), rung, n) for day, duty, rung, n in rows}


def check(years: Years, last: date) -> int:
    """Compares with the model, duty by duty; how many words were compared."""
    said, proposed = years.said(), years.proposed()
    found, offered = set[Said](), set[tuple[date, str, str, int]]()
    registry = years.ledger.registry
    for duty, one in years.opened.items():
        with reading(years.ledger.engine) as connection:
            row = connection.execute(select(Duty.clause, Duty.agency).where(Duty.id == duty)).one()
        ladder, calendar = registry.ladder(*row), registry.calendar(*row)
        events = {one.key: years.events.get(duty, [])}
        words, proposals_ = walk([one], ladder, calendar.working, events, last)
        # Nobody stands above the coordinator's own agency: it hears what its superior would.
        above = "agency" if row.agency == registry.coordinator.id else "above"
        found |= {(d, k, rung, n, to if to == "agency" else above) for d, k, rung, n, to in words}
        offered |= proposals_
    assert said == found
    assert proposed == offered
    # The model knows the chase alone; receipts go on the day of the version, holiday or not.
    receipts = years.receipts()
    assert len(receipts) == len(set(receipts))
    assert set(receipts) == years.versions()
    return len(said) + len(proposed)


def generous(registry: Registry) -> Registry:
    """Without the week's limit, of which the model knows nothing."""
    policy = replace(registry.policy, letters_a_week=10_000, _calendars={})
    return replace(registry, policy=policy)


def live(sqlite_url: str, small: Registry, seed: int, last: date) -> int:
    """Lives from October 2025 to the last day; how many words agree with the model."""
    engine = make_engine(sqlite_url)
    years = Years(Ledger(engine, generous(small)), random.Random(seed))
    years.live(date(2025, 10, 1), last)
    found = check(years, last)
    engine.dispose()
    return found


def test_fifteen_months_of_a_small_notice(sqlite_url: str, small: Registry):
    assert live(sqlite_url, small, 1, date(2026, 12, 31)) > 120


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_three_years_of_a_small_notice(sqlite_url: str, small: Registry, seed: int):
    assert live(sqlite_url, small, seed, date(2028, 9, 30)) > 300


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_three_years_of_the_whole_notice(
    tmp_path_factory: pytest.TempPathFactory, shanxi: Registry
):
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('years') / 'ledger.db'}")
    years = Years(Ledger(engine, generous(shanxi)), random.Random(3))
    years.live(date(2024, 1, 1), date(2026, 12, 31))
    assert check(years, date(2026, 12, 31)) > 30_000
    engine.dispose()
