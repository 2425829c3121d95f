"""The chase over a quarter, day by day, down to the letters in the drop folder."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from duban.ladder import Kind, Reason
from duban.ledger import Ledger, acts
from duban.ledger.change import first_broken_link
from duban.ledger.chase import Chase, affordable, chase
from duban.ledger.database import reading
from duban.ledger.explain import explain
from duban.ledger.opening import open_missing
from duban.ledger.questions import events, kept_back
from duban.ledger.tables import Decision, Letter, Mention
from duban.office import Office
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, duty_of, run, said, submit

AGENCY = "东市妇联"


def dropped(office: Office, agency: str = AGENCY) -> list[tuple[str, str]]:
    """(day, kind) of each letter to an agency in the drop folder."""
    return sorted(
        (path.parent.name, path.stem.removeprefix(f"{agency}-"))
        for path in office.settings.letters.glob(f"*/{agency}-*.eml")
    )


def test_a_quarter_without_an_answer(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-05-10"))
    assert dropped(first_quarter) == [
        ("2026-01-01", "交办"),
        ("2026-03-13", "提醒"),  # seven days before 20 March
        ("2026-03-17", "提醒"),
        ("2026-03-23", "催办"),  # the day after is a Saturday; then each week, six times in all
        ("2026-03-30", "催办"),
        ("2026-04-07", "催办"),  # after 清明节
        ("2026-04-13", "催办"),
        ("2026-04-20", "催办"),
        ("2026-04-27", "催办"),
    ]
    assert dropped(first_quarter, "东市教育局") == [("2026-01-01", "抄送")]
    with reading(first_quarter.ledger.engine) as connection:
        assert first_broken_link(connection) is None


def test_what_was_said_stands_in_the_duties_history(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-31"))
    spoke = [
        (event.data["rung"], event.data["n"])
        for event in events(first_quarter.ledger, duty_id=1)
        if event.action == "spoke"
    ]
    assert spoke == [("remind-7", 1), ("remind-3", 1), ("chase", 1), ("chase", 2)]


def test_chasing_many_times_a_day_says_nothing_twice(first_quarter: Office):
    for time in ("00:01", "08:00", "12:00", "23:59"):
        run(first_quarter, days("2026-03-10", "2026-03-24"), time)
    assert dropped(first_quarter)[1:] == [
        ("2026-03-13", "提醒"),
        ("2026-03-17", "提醒"),
        ("2026-03-23", "催办"),
    ]


def test_after_an_outage_it_speaks_once_with_the_latest_rung(first_quarter: Office):
    run(first_quarter, ["2026-04-06", "2026-04-07"])
    assert dropped(first_quarter)[1:] == [("2026-04-07", "催办")]  # the 6th is a holiday
    with reading(first_quarter.ledger.engine) as connection:
        said = connection.execute(
            select(Mention.rung, Mention.n, Mention.day).where(Mention.rung == "chase")
        ).all()
    assert {tuple(row) for row in said} == {("chase", 3, date(2026, 4, 7))}
    run(first_quarter, days("2026-04-08", "2026-04-14"))
    assert dropped(first_quarter)[2:] == [("2026-04-13", "催办")]


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
        ("2026-01-19", "提醒"),  # the 17th is a Saturday
    ]


def test_reminders_stop_at_once_after_a_submission(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-14"))
    submit(first_quarter, duty_of(first_quarter, "东/妇联", "1"), "2026-03-14")
    run(first_quarter, days("2026-03-14", "2026-05-30"))
    assert dropped(first_quarter) == [
        ("2026-01-01", "交办"),
        ("2026-03-13", "提醒"),
        ("2026-03-14", "回执"),
    ]
    assert ("2026-03-23", "催办") in dropped(first_quarter, "西市妇联")


def test_a_letter_whose_duties_were_all_submitted_before_delivery_is_suppressed(
    first_quarter: Office,
):
    now = china("2026-03-13")
    assert chase(first_quarter.ledger, now) == Chase(asked=2, spoken=2)
    submit(first_quarter, duty_of(first_quarter, "东/妇联", "1"), "2026-03-13")
    first_quarter.post.deliver(at(now))
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
        ("2026-03-16", "回执"),
        ("2026-03-20", "退回"),
        ("2026-03-24", "提醒"),  # seven days before would be the day of the return itself
        ("2026-03-30", "催办"),
        ("2026-04-07", "催办"),
    ]


def test_an_extension_is_chased_by_its_new_date(first_quarter: Office):
    duty = duty_of(first_quarter, "东/妇联", "1")
    now = china("2026-03-10")
    acts.extend(first_quarter.ledger, duty, due_on=date(2026, 4, 30), reason="x", by="省", now=now)
    run(first_quarter, days("2026-03-10", "2026-05-07"))
    assert dropped(first_quarter)[1:] == [
        ("2026-03-10", "延期"),
        ("2026-04-23", "提醒"),
        ("2026-04-27", "提醒"),
        ("2026-05-06", "催办"),  # after the holidays of May
    ]


def test_one_letter_a_recipient_day_and_kind_carries_all_its_duties(office: Office):
    office.tick(china("2026-01-01"))
    run(office, days("2026-03-12", "2026-03-24"))
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
    assert dropped(office).count(("2026-03-23", "催办")) == 1


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
        office.post.deliver(at(china("2026-01-05", f"1{n}:30")))
    assert dropped(office) == [("2026-01-05", "交办"), ("2026-01-05", "延期")]
    office.post.deliver(at(china("2026-01-06", "08:29")))
    assert ("2026-01-06", "延期") not in dropped(office)  # letters for a day wait for its morning
    office.post.deliver(at(china("2026-01-06", "08:30")))
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
    office.post.deliver(at(china("2026-01-05", "11:00")))
    office.post.deliver(at(china("2026-01-06", "11:00")))
    assert [day for day, kind in dropped(office) if kind == "延期"] == ["2026-01-05"]


def test_in_quiet_hours_nothing_is_decided(first_quarter: Office):
    assert chase(first_quarter.ledger, china("2026-03-13", "07:59")) == Chase(quiet=True)
    assert chase(first_quarter.ledger, china("2026-03-13", "08:00")).spoken == 2


def test_once_sending_is_on_first_letters_wait_for_a_working_morning(office: Office):
    office.arm(True, by="张三", now=china("2026-01-01"))
    open_missing(office.ledger, china("2026-01-01"), clause="small/1")
    with reading(office.ledger.engine) as connection:
        assert set(connection.scalars(select(Letter.day))) == {date(2026, 1, 4)}  # 调休
        assert set(connection.scalars(select(Letter.not_before))) == {china("2026-01-04", "08:30")}


MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)
BUDGETS: list[tuple[set[Kind], list[tuple[date, Kind]], set[Kind]]] = [
    ({Kind.CHASE}, [], {Kind.CHASE}),
    ({Kind.CHASE, Kind.REMIND}, [(MONDAY, Kind.CHASE)], {Kind.CHASE}),
    # today's letter is there already, one more duty in it costs nothing
    ({Kind.REMIND}, [(TUESDAY, Kind.REMIND), (MONDAY, Kind.CHASE)], {Kind.REMIND}),
    ({Kind.REMIND}, [(MONDAY, Kind.REMIND), (MONDAY, Kind.CHASE)], set()),
]


@pytest.mark.parametrize(("wanted", "spent", "kept"), BUDGETS)
def test_the_weeks_letters_are_spent_on_the_gravest(
    wanted: set[Kind], spent: list[tuple[date, Kind]], kept: set[Kind]
):
    assert affordable(wanted, spent, TUESDAY, 2) == kept


def test_what_the_weeks_limit_keeps_back_is_said_later_and_told_as_such(first_quarter: Office):
    registry = first_quarter.ledger.registry
    policy = replace(registry.policy, letters_a_week=1)
    office = replace(
        first_quarter,
        ledger=Ledger(first_quarter.ledger.engine, replace(registry, policy=policy)),
    )
    run(office, days("2026-03-01", "2026-03-19"))
    duty = duty_of(office, "东/妇联", "1")
    assert said(office, duty) == [("2026-03-13", "remind-7", "东/妇联")]
    assert str(chase(office.ledger, china("2026-03-19"))).endswith("chased: 0 of 0 looked at")
    with reading(office.ledger.engine) as connection:
        reasons = select(Decision.rung, Decision.reason).where(Decision.duty_id == duty)
        assert ("remind-3", Reason.OVER_BUDGET) in {
            tuple(row) for row in connection.execute(reasons)
        }
    assert kept_back(office.ledger) == 2
    told = explain(office.ledger, duty, date(2026, 3, 18), china("2026-03-19"))
    assert told.step.reason is Reason.OVER_BUDGET
    run(office, ["2026-03-20"])
    assert kept_back(office.ledger) == 0
    assert said(office, duty)[1:] == [("2026-03-20", "remind-3", "东/妇联")]


def test_two_chases_at_once_say_everything_once(first_quarter: Office):
    now = china("2026-03-13")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(chase, [first_quarter.ledger] * 4, [now] * 4))
    assert sum(one.spoken for one in done) == 2
    with reading(first_quarter.ledger.engine) as connection:
        question = select(func.count()).where(Mention.rung == "remind-7")
        assert connection.scalar(question) == 2
        assert first_broken_link(connection) is None


def test_the_coordinator_gets_one_letter_with_what_awaits_a_decision(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-04-10"))
    tasks = list(first_quarter.settings.letters.glob("*/省教育厅-*"))
    assert [path.parent.name for path in tasks] == ["2026-04-07"]
