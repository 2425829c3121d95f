"""The chase over a quarter, day by day, down to the letters in the drop folder."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from duban.evidence import Checked
from duban.ledger import acts
from duban.ledger.change import first_broken_link
from duban.ledger.chase import Chase, chase
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties, events
from duban.ledger.tables import Letter, Mention
from duban.office import Office
from tests.conftest import china

AGENCY = "东市妇联"


def days(first: str, last: str) -> Iterator[str]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=1)


def run(office: Office, on: Sequence[str] | Iterator[str], time: str = "09:00") -> None:
    """Chases and delivers on each of these days, with nothing new opened."""
    for day in on:
        now = china(day, time)
        chase(office.ledger, now)
        office.post.deliver(now)


def dropped(office: Office, agency: str = AGENCY) -> list[tuple[str, str]]:
    """(day, kind) of each letter to an agency in the drop folder."""
    return sorted(
        (path.parent.name, path.stem.removeprefix(f"{agency}-"))
        for path in office.settings.letters.glob(f"*/{agency}-*.eml")
    )


@pytest.fixture
def first_quarter(office: Office) -> Office:
    """The duties of clause 1 are opened on New Year and told."""
    open_missing(office.ledger, china("2026-01-01"), clause="small/1")
    office.post.deliver(china("2026-01-01"))
    return office


def test_a_quarter_without_an_answer(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-05-10"))
    assert dropped(first_quarter) == [
        ("2026-01-01", "交办"),
        ("2026-03-13", "提醒"),  # seven days before 20 March
        ("2026-03-17", "提醒"),
        ("2026-03-21", "催办"),  # then each week, six times in all
        ("2026-03-28", "催办"),
        ("2026-04-04", "催办"),
        ("2026-04-11", "催办"),
        ("2026-04-18", "催办"),
        ("2026-04-25", "催办"),
    ]
    assert dropped(first_quarter, "东市教育局") == [("2026-01-01", "抄送")]
    with reading(first_quarter.ledger.engine) as connection:
        assert first_broken_link(connection) is None


def test_what_was_said_stands_in_the_duties_history(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-30"))
    spoke = [
        (event.data["rung"], event.data["n"])
        for event in events(first_quarter.ledger, duty_id=1)
        if event.action == "spoke"
    ]
    assert spoke == [("remind-7", 1), ("remind-3", 1), ("chase", 1), ("chase", 2)]


def test_chasing_many_times_a_day_says_nothing_twice(first_quarter: Office):
    for time in ("00:01", "08:00", "12:00", "23:59"):
        run(first_quarter, days("2026-03-10", "2026-03-22"), time)
    assert dropped(first_quarter)[1:] == [
        ("2026-03-13", "提醒"),
        ("2026-03-17", "提醒"),
        ("2026-03-21", "催办"),
    ]


def test_after_an_outage_it_speaks_once_with_the_latest_rung(first_quarter: Office):
    run(first_quarter, ["2026-04-06", "2026-04-07"])
    assert dropped(first_quarter)[1:] == [("2026-04-06", "催办")]
    with reading(first_quarter.ledger.engine) as connection:
        said = connection.execute(
            select(Mention.rung, Mention.n, Mention.day).where(Mention.rung == "chase")
        ).all()
    assert {tuple(row) for row in said} == {("chase", 3, date(2026, 4, 4))}
    run(first_quarter, days("2026-04-08", "2026-04-12"))
    assert dropped(first_quarter)[2:] == [("2026-04-11", "催办")]


def test_a_duty_opened_after_its_deadline_is_assigned_first_and_chased_from_then(office: Office):
    """The real targets of 2025 meet a program that starts in 2026."""
    open_missing(office.ledger, china("2026-07-01"), clause="small/2")
    run(office, days("2026-07-01", "2026-07-20"))
    assert dropped(office, "东市教育局") == [
        ("2026-07-01", "交办"),
        ("2026-07-02", "催办"),
        ("2026-07-09", "催办"),
        ("2026-07-16", "催办"),
    ]


def test_before_the_first_letter_is_delivered_nothing_is_chased(office: Office):
    open_missing(office.ledger, china("2026-01-01"), clause="small/1")
    for day in days("2026-03-12", "2026-03-30"):
        assert chase(office.ledger, china(day)).spoken == 0
    assert dropped(office) == []


def test_a_soft_duty_is_reminded_and_never_chased(office: Office):
    open_missing(office.ledger, china("2026-01-01"), clause="small/3")
    run(office, days("2026-01-01", "2026-03-31"))
    assert dropped(office, "共青团西市委") == [
        ("2026-01-01", "交办"),
        ("2026-01-13", "提醒"),
        ("2026-01-17", "提醒"),
    ]


def submit(office: Office, duty: int, day: str, time: str = "10:00") -> None:
    agency = next(one.agency.id for one in duties(office.ledger, ids=[duty]))
    acts.submit(
        office.ledger, duty, Checked({"classes": 1}, ()), [], by=agency, now=china(day, time)
    )


def duty_of(office: Office, agency: str, clause: str) -> int:
    [found] = duties(office.ledger, agency=agency, clause=f"small/{clause}")
    return found.id


def test_reminders_stop_at_once_after_a_submission(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-14"))
    submit(first_quarter, duty_of(first_quarter, "东/妇联", "1"), "2026-03-14")
    run(first_quarter, days("2026-03-14", "2026-05-30"))
    assert dropped(first_quarter) == [("2026-01-01", "交办"), ("2026-03-13", "提醒")]
    assert ("2026-03-21", "催办") in dropped(first_quarter, "西市妇联")


def test_a_letter_whose_duties_were_all_submitted_before_delivery_is_suppressed(
    first_quarter: Office,
):
    now = china("2026-03-13")
    assert chase(first_quarter.ledger, now) == Chase(asked=2, spoken=2)
    submit(first_quarter, duty_of(first_quarter, "东/妇联", "1"), "2026-03-13")
    first_quarter.post.deliver(now)
    assert dropped(first_quarter) == [("2026-01-01", "交办")]
    question = select(Letter.state).where(Letter.recipient == "东/妇联", Letter.kind == "remind")
    with reading(first_quarter.ledger.engine) as connection:
        assert connection.scalars(question).all() == ["suppressed"]


def test_a_return_begins_the_ladder_anew(first_quarter: Office):
    duty = duty_of(first_quarter, "东/妇联", "1")
    run(first_quarter, days("2026-03-01", "2026-03-14"))
    submit(first_quarter, duty, "2026-03-16")
    acts.send_back(
        first_quarter.ledger, duty, reason="缺盖章", by="省", now=china("2026-03-20", "15:00")
    )  # due on 27 March
    run(first_quarter, days("2026-03-20", "2026-04-10"), "16:00")
    assert dropped(first_quarter)[2:] == [
        ("2026-03-20", "退回"),
        ("2026-03-24", "提醒"),  # seven days before would be the day of the return itself
        ("2026-03-28", "催办"),
        ("2026-04-04", "催办"),
    ]


def test_an_extension_is_chased_by_its_new_date(first_quarter: Office):
    duty = duty_of(first_quarter, "东/妇联", "1")
    now = china("2026-03-10")
    acts.extend(first_quarter.ledger, duty, due_on=date(2026, 4, 30), reason="x", by="省", now=now)
    run(first_quarter, days("2026-03-10", "2026-05-02"))
    assert dropped(first_quarter)[1:] == [
        ("2026-03-10", "延期"),
        ("2026-04-23", "提醒"),
        ("2026-04-27", "提醒"),
        ("2026-05-01", "催办"),
    ]


def test_one_letter_a_recipient_day_and_kind_carries_all_its_duties(office: Office):
    office.tick(china("2026-01-01"))
    run(office, days("2026-03-12", "2026-03-22"))
    question = select(func.count(Letter.id)).group_by(
        Letter.recipient, Letter.channel, Letter.day, Letter.kind
    )
    with reading(office.ledger.engine) as connection:
        assert set(connection.scalars(question)) == {1}
        carried = (
            select(func.count(Mention.id))
            .join(Letter)
            .where(Letter.recipient == "东/妇联", Letter.kind == "chase")
        )
        assert connection.scalar(carried) == 2  # clauses 1 and 4 fell due together
    assert dropped(office).count(("2026-03-21", "催办")) == 1


def test_a_mention_that_comes_after_todays_letter_went_out_goes_into_tomorrows(office: Office):
    now = china("2026-01-05")
    office.tick(now)
    for n, clause in enumerate(("1", "4")):
        acts.extend(
            office.ledger,
            duty_of(office, "东/妇联", clause),
            due_on=date(2026, 4, 30),
            reason="x",
            by="省",
            now=china("2026-01-05", f"1{n}:00"),
        )
        office.post.deliver(china("2026-01-05", f"1{n}:30"))
    assert dropped(office) == [("2026-01-05", "交办"), ("2026-01-05", "延期")]
    office.post.deliver(china("2026-01-06", "08:29"))
    assert ("2026-01-06", "延期") not in dropped(office)  # letters for a day wait for its morning
    office.post.deliver(china("2026-01-06", "08:30"))
    assert ("2026-01-06", "延期") in dropped(office)


def test_two_mentions_before_delivery_share_todays_letter(office: Office):
    office.tick(china("2026-01-05"))
    for clause in ("1", "4"):
        acts.extend(
            office.ledger,
            duty_of(office, "东/妇联", clause),
            due_on=date(2026, 4, 30),
            reason="x",
            by="省",
            now=china("2026-01-05", "10:00"),
        )
    office.post.deliver(china("2026-01-05", "11:00"))
    office.post.deliver(china("2026-01-06", "11:00"))
    assert [day for day, kind in dropped(office) if kind == "延期"] == ["2026-01-05"]
