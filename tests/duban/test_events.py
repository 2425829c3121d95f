"""What is an event, and what it says: pure, and for the ledger's cursor on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from duban.events import (
    NEWS,
    Told,
    of_duty,
    of_letter,
    of_missed_tick,
    of_overdue,
)
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.change import change
from duban.ledger.news import FailedLetter, News, Standing, identity, news, standings, tell
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, Event, duties
from tests.conftest import china

NEW_YEAR = china("2026-01-01")
EAST = "东/妇联"


def opened(ledger: Ledger, now: datetime = NEW_YEAR) -> DutyView:
    open_missing(ledger, now, clause="small/1")
    return duties(ledger, agency=EAST)[0]


def row(action: str, at: datetime, **data: object) -> Event:
    return Event(7, at, "张三", action, 1, data, "不全，王五 13800000000")


def of(ledger: Ledger, action: str, **data: object) -> Told | None:
    duty = opened(ledger)
    return of_duty(row(action, NEW_YEAR, **data), duty, standings(ledger, [duty.id])[duty.id])


def test_an_event_names_the_duty_its_clause_agency_city_and_run_and_nobody(ledger: Ledger):
    duty = opened(ledger)
    stands = Standing(NEW_YEAR.date(), "a-run")
    told = of_duty(row("returned", NEW_YEAR, version=2, reviewer="王五"), duty, stands)
    assert told is not None
    assert (told.name, told.key, told.at) == ("duban.duty.returned", "history:7", NEW_YEAR)
    assert (told.about.id, told.about.name) == (f"duban.duty.{duty.id}", "1 东市妇联 2026Q1")
    assert [(one.role, one.id, one.name) for one in told.related] == [
        ("clause", "duban.clause.small/1", "1 家长课堂"),
        ("agency", f"duban.agency.{EAST}", "东市妇联"),
        ("city", "duban.city.东", "东市"),
        ("flow-run", "prefect.flow-run.a-run", "东市妇联"),
    ]
    assert told.payload == {
        "duty": duty.id,
        "period": "2026Q1",
        "due": "2026-03-20",
        "version": 2,
    }
    assert not {"张三", "王五", "不全", "13800000000"} & set(str(told).split("'"))


def test_only_formal_letters_and_those_to_superiors_are_escalations(ledger: Ledger):
    told = {kind: of(ledger, "spoke", kind=kind, rung="r") for kind in ("remind", "chase")}
    assert set(told.values()) == {None}
    for action, kind in (("spoke", "formal"), ("spoke", "escalate"), ("approved", "circular")):
        found = of(ledger, action, kind=kind, rung="r")
        assert found is not None
        assert (found.name, found.payload["kind"]) == ("duban.duty.escalated", kind)


def test_a_nil_return_is_a_submission(ledger: Ledger):
    found = of(ledger, "nil-returned", version=1)
    assert found is not None
    assert found.name == "duban.duty.submitted"


def test_what_is_found_open_for_long_is_no_opening(ledger: Ledger):
    duty = opened(ledger)
    late = Standing(NEW_YEAR.date() - timedelta(days=8), None)
    week = Standing(NEW_YEAR.date() - timedelta(days=7), None)
    assert of_duty(row("opened", NEW_YEAR), duty, late) is None
    assert of_duty(row("opened", NEW_YEAR), duty, week) is not None


def test_a_letter_that_was_given_up_is_an_event_and_one_that_arrived_is_none():
    letter = FailedLetter(3, EAST, "东市妇联", "东", "chase", "mail")
    assert of_letter(row("letter", NEW_YEAR, letter=3, state="sent", via="mail"), letter) is None
    told = of_letter(row("letter", NEW_YEAR, letter=3, state="dead", via="mail"), letter)
    assert told is not None
    assert (told.name, told.about.id) == ("duban.letter.failed", "duban.letter.3")
    assert {one.id for one in told.related} == {f"duban.agency.{EAST}", "duban.city.东"}


def test_a_missed_tick_says_since_when():
    told = of_missed_tick(row("tick-missed", NEW_YEAR, last="2025-12-29", chases=2))
    assert (told.name, told.payload) == (
        "duban.tick.missed",
        {"last": "2025-12-29", "chases": 2},
    )


def test_a_duty_is_overdue_once_for_each_due_instant(ledger: Ledger):
    duty = opened(ledger)
    acts.extend(
        ledger, duty.id, due_on=NEW_YEAR.date() + timedelta(days=99), reason="r", by="b",
        now=NEW_YEAR,
    )  # fmt: skip
    moved = duties(ledger, ids=[duty.id])[0]
    stands = Standing(NEW_YEAR.date(), None)
    first, second = of_overdue(duty, stands), of_overdue(moved, stands)
    assert first.key != second.key
    assert (first.name, first.at) == ("duban.duty.overdue", duty.due_at)


# The cursor


def all_news(ledger: Ledger, now: datetime, limit: int = 100) -> Iterator[News]:
    while found := news(ledger, now, NEWS, limit):
        yield found
        tell(ledger, found.then)


def test_everything_is_told_once_however_small_the_bites(ledger: Ledger):
    duty = opened(ledger)
    acts.submit(ledger, duty.id, Checked({"classes": 1}, ()), [], by=EAST, now=NEW_YEAR)
    with change(ledger.engine, NEW_YEAR, "duban") as made:
        made.record("redated", duty.id)  # no news
    told = [one.seq for found in all_news(ledger, NEW_YEAR, limit=1) for one in found.rows]
    assert told == [1, 2, 3]
    assert news(ledger, NEW_YEAR, NEWS, 100) is None


def test_a_due_instant_that_passes_is_told_once_and_only_of_who_has_to_act(ledger: Ledger):
    duty = opened(ledger)
    other = duties(ledger, agency="西/妇联")[0]
    acts.submit(ledger, other.id, Checked({"classes": 1}, ()), [], by="西/妇联", now=NEW_YEAR)
    list(all_news(ledger, duty.due_at))
    after = duty.due_at + timedelta(seconds=1)
    assert [found.overdue for found in all_news(ledger, after)] == [[duty.id]]
    assert list(all_news(ledger, after + timedelta(days=9))) == []


def test_the_first_telling_reaches_back_one_day(ledger: Ledger):
    duty = opened(ledger)
    for late, overdue in ((timedelta(days=2), 0), (timedelta(hours=23), 2)):
        found = news(ledger, duty.due_at + late, NEWS, 100)
        assert found is not None
        assert (list(found.rows), len(found.overdue)) == ([], overdue)


def test_a_ledger_is_told_from_another_by_the_first_link_of_its_chain(ledger: Ledger):
    assert identity(ledger) == ""
    opened(ledger)
    assert len(identity(ledger)) == 64
