"""A draft goes to the coordinators, takes objections, and is issued when they are answered."""

from datetime import date, datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy import delete, update

from duban.ledger import Ledger, bulletins
from duban.ledger.audit import verify
from duban.ledger.bulletins import BulletinRefused, NoSuchBulletin, State, period_called
from duban.ledger.change import change
from duban.ledger.questions import events
from duban.ledger.snapshots import snapshot
from duban.ledger.tables import Bulletin, Frozen
from duban.ledger.tasks import open_tasks
from duban.office import Office
from duban.period import Every, period_of
from tests.conftest import china
from tests.duban.ledger.conftest import duty_of, submit

QUARTER = period_of(Every.QUARTER, date(2026, 1, 1))
CUT_OFF, DRAFTED = china("2026-04-01"), china("2026-04-08", "09:30")
IN_TIME, AFTER = china("2026-04-13", "10:00"), china("2026-04-14", "10:00")


def drafted(ledger: Ledger, now: datetime = DRAFTED) -> int:
    number, _ = bulletins.draft(ledger, QUARTER, at=CUT_OFF, by="系统", now=now)
    return number


def issue(ledger: Ledger, number: int, now: datetime) -> None:
    with change(ledger.engine, now, "张三") as made:
        bulletins.end(made, ledger, number, State.ISSUED)


def refused(code: str, *doing: object) -> None:
    [(does, *given)] = [doing]
    with pytest.raises(BulletinRefused) as error:
        does(*given)  # pyright: ignore[reportCallIssue]
    assert error.value.code == code


def told(ledger: Ledger) -> list[str]:
    return [one.about for one in open_tasks(ledger) if one.what.startswith("核对通报草稿")]


def test_a_draft_is_the_coordinators_task_until_it_is_issued(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    number = drafted(ledger)
    found = bulletins.bulletin(ledger, number)
    assert found.state is State.DRAFT
    assert (found.cut_off, found.of) == (CUT_OFF, QUARTER)
    assert found.objections_until == date(2026, 4, 13)  # three working days after a Wednesday
    assert told(ledger) == ["2026Q1，异议截止 2026-04-13"]
    issue(ledger, number, AFTER)
    assert bulletins.bulletin(ledger, number).state is State.ISSUED
    assert told(ledger) == []
    assert verify(ledger) == []


def test_drafting_again_finds_the_draft_that_stands(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    number, new = bulletins.draft(ledger, QUARTER, at=CUT_OFF, by="系统", now=DRAFTED)
    assert new
    assert bulletins.draft(ledger, QUARTER, at=DRAFTED, by="李四", now=DRAFTED) == (number, False)
    issue(ledger, number, AFTER)
    assert bulletins.draft(ledger, QUARTER, at=AFTER, by="系统", now=AFTER) == (number, False)
    other = bulletins.draft(ledger, QUARTER, at=AFTER, by="李四", now=AFTER, anew=True)
    assert other == (number + 1, True)


def test_of_two_who_draft_at_once_one_drafts(first_quarter: Office) -> None:
    ledger, both, found = first_quarter.ledger, Barrier(2), list[tuple[int, bool]]()

    def one() -> None:
        both.wait()
        found.append(bulletins.draft(ledger, QUARTER, at=CUT_OFF, by="系统", now=DRAFTED))

    threads = [Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new for _, new in found) == [False, True]
    assert len(bulletins.bulletins(ledger)) == 1


def test_it_is_issued_only_when_the_window_is_over_and_all_is_answered(
    first_quarter: Office,
) -> None:
    ledger = first_quarter.ledger
    number = drafted(ledger)
    refused("window", issue, ledger, number, IN_TIME)
    said = bulletins.object_to(ledger, number, text="东市已报", by="东市", now=IN_TIME)
    assert bulletins.bulletin(ledger, number).open_objections == 1
    refused("open", issue, ledger, number, AFTER)
    bulletins.answer(ledger, said, text="截止时未报", by="张三", now=AFTER)
    issue(ledger, number, AFTER)
    [kept] = bulletins.objections(ledger, number)
    assert (kept.text, kept.answer, kept.answered_by) == ("东市已报", "截止时未报", "张三")
    actions = [one.action for one in events(ledger) if one.action.startswith("bulletin")]
    assert actions == [
        "bulletin-drafted",
        "bulletin-objected",
        "bulletin-answered",
        "bulletin-issued",
    ]


def test_objections_to_another_bulletin_hold_nothing_up(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    number = drafted(ledger)
    year = period_called("2026")
    other, _ = bulletins.draft(ledger, year, at=CUT_OFF, by="系统", now=DRAFTED)
    bulletins.object_to(ledger, other, text="有误", by="东市", now=IN_TIME)
    issue(ledger, number, AFTER)
    refused("open", issue, ledger, other, AFTER)


def test_an_objection_is_answered_once_and_only_while_the_draft_stands(
    first_quarter: Office,
) -> None:
    ledger = first_quarter.ledger
    number = drafted(ledger)
    first, second = (
        bulletins.object_to(ledger, number, text=text, by="东市", now=IN_TIME) for text in "甲乙"
    )

    def answer(said: int) -> None:
        bulletins.answer(ledger, said, text="已核", by="张三", now=IN_TIME)

    answer(first)
    refused("answered", answer, first)
    bulletins.withdraw(ledger, number, reason="有误", by="张三", now=IN_TIME)
    refused("ended", answer, second)
    with pytest.raises(NoSuchBulletin):
        answer(second + 1)


def test_what_cannot_be_is_refused_and_leaves_nothing(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    before = len(events(ledger))

    def draft(at: datetime, period: str = "2026Q1") -> None:
        bulletins.draft(ledger, period_called(period), at=at, by="x", now=DRAFTED)

    refused("ahead", draft, AFTER)
    refused("not-begun", draft, CUT_OFF, "2026Q3")
    for name in ("2026Q5", "once", "", "２０２６Q1", "0000Q1", "2026-13", "SY26", "0001", "SY9999"):
        refused("no-period", draft, CUT_OFF, name)
    with pytest.raises(NoSuchBulletin):
        bulletins.withdraw(ledger, 1, reason="x", by="x", now=DRAFTED)
    assert len(events(ledger)) == before
    number = drafted(ledger)
    refused("closed", lambda: bulletins.object_to(ledger, number, text="x", by="x", now=AFTER))
    refused("no-text", lambda: bulletins.object_to(ledger, number, text=" ", by="x", now=IN_TIME))
    bulletins.withdraw(ledger, number, reason="口径有误", by="张三", now=IN_TIME)
    refused("ended", issue, ledger, number, AFTER)
    refused("ended", lambda: bulletins.object_to(ledger, number, text="x", by="x", now=IN_TIME))
    assert told(ledger) == []
    assert drafted(ledger, AFTER) == number + 1


def test_its_facts_stay_as_they_were_when_it_was_cut(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    number = drafted(ledger)
    before = bulletins.facts_of(ledger, number)
    submit(first_quarter, duty_of(first_quarter, "东/妇联", "1"), "2026-03-02")  # backdated
    assert bulletins.facts_of(ledger, number) == before
    assert before.sha256 == bulletins.bulletin(ledger, number).sha256


def test_facts_that_were_altered_are_found(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    number = drafted(ledger)
    assert verify(ledger) == []
    kept = bulletins.facts_of(ledger, number).packed()
    other = snapshot(ledger, DRAFTED).packed()
    for content in (other, b"nothing"):
        with ledger.engine.begin() as connection:
            connection.execute(update(Frozen).values(content=content))
        assert verify(ledger) == [f"The facts of bulletin {number} were altered."]
    with ledger.engine.begin() as connection:
        connection.execute(update(Frozen).values(content=kept))
        connection.execute(update(Bulletin).values(period="2026Q2"))
    assert verify(ledger) == [f"The period of bulletin {number} was altered."]
    with ledger.engine.begin() as connection:
        connection.execute(delete(Bulletin))
    assert verify(ledger) == [f"Bulletin {number} was removed."]


def test_every_kind_of_period_is_known_by_its_name() -> None:
    for every in (one for one in Every if one.months):
        for month in range(1, 13):
            period = period_of(every, date(2026, month, 1))
            assert period_called(period.name) == period
