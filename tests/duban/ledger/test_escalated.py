"""The coordinator is told once of what was escalated, and again of what joins it."""

import pytest
from sqlalchemy import select

from duban.ledger.approvals import approve
from duban.ledger.chase import chase, tell_coordinator
from duban.ledger.database import reading
from duban.ledger.escalated import escalated
from duban.ledger.tables import Letter
from duban.ledger.tasks import open_tasks
from duban.office import Office
from tests.conftest import at, china
from tests.duban.ledger.conftest import duty_of, run, submit

EAST, WEST = "东/妇联", "西/妇联"
TOLD = "跟进已发督办函、通报或已提请上级督促的事项"


def escalate(office: Office, agency: str, day: str) -> None:
    """A coordinator approves the formal letter that the ladder proposed."""
    approve(office.ledger, [duty_of(office, agency, "1")], by="张三", now=china(day, "10:00"))


def listed(office: Office) -> list[str]:
    return [one.about for one in open_tasks(office.ledger) if one.what == TOLD]


def task_letters(office: Office) -> list[str]:
    question = select(Letter.day).where(Letter.kind == "tasks", Letter.state == "sent")
    question = question.order_by(Letter.day)
    with reading(office.ledger.engine) as connection:
        return [f"{day}" for day in connection.scalars(question)]


@pytest.fixture
def proposed(first_quarter: Office) -> Office:
    """Two duties for which a formal letter was proposed on 7 April."""
    run(first_quarter, ["2026-03-23", "2026-03-30", "2026-04-07"])
    return first_quarter


def test_nothing_is_told_where_nothing_was_escalated(proposed: Office) -> None:
    assert escalated(proposed.ledger, china("2026-04-07", "10:01")) == 0
    assert listed(proposed) == []


def test_each_escalation_is_told_once_and_more_that_join_it_anew(proposed: Office) -> None:
    ledger = proposed.ledger
    told = task_letters(proposed)
    escalate(proposed, EAST, "2026-04-08")
    now = china("2026-04-08", "10:01")
    assert (escalated(ledger, now), escalated(ledger, now)) == (1, 0)
    assert listed(proposed) == ["未办结 1 项"]
    tell_coordinator(ledger, now)
    proposed.post.deliver(at(now))
    assert task_letters(proposed) == [*told, "2026-04-08"]
    assert escalated(ledger, china("2026-04-09", "08:00")) == 0
    chase(ledger, china("2026-04-09"))
    proposed.post.deliver(at(china("2026-04-09")))
    assert task_letters(proposed) == [*told, "2026-04-08"]
    escalate(proposed, WEST, "2026-04-10")
    assert escalated(ledger, china("2026-04-10", "10:01")) == 1
    assert listed(proposed) == ["未办结 2 项"]
    run(proposed, ["2026-04-10"], "11:00")
    assert task_letters(proposed) == [*told, "2026-04-08", "2026-04-10"]


def test_what_is_answered_leaves_the_list_and_the_last_one_closes_it(proposed: Office) -> None:
    for agency in (EAST, WEST):
        escalate(proposed, agency, "2026-04-08")
    assert escalated(proposed.ledger, china("2026-04-08", "10:01")) == 2
    submit(proposed, duty_of(proposed, EAST, "1"), "2026-04-09")
    assert listed(proposed) == ["未办结 1 项"]
    submit(proposed, duty_of(proposed, WEST, "1"), "2026-04-09")
    chase(proposed.ledger, china("2026-04-10"))
    assert listed(proposed) == []
    assert escalated(proposed.ledger, china("2026-04-10", "10:01")) == 0
