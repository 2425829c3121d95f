"""Formal letters wait for a coordinator; a telephone call counts as a rung spoken."""

import pytest

from duban.ledger import acts
from duban.ledger.approvals import NotProposed, NotWaiting, approve, call, decline, proposals
from duban.ledger.questions import events
from duban.ledger.tasks import open_tasks
from duban.office import Office
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, duty_of, run, said, submit

EAST = "东/妇联"


@pytest.fixture
def late(first_quarter: Office) -> tuple[Office, int]:
    """Fifteen days after the due day a 督办函 is proposed; the 7th ends 清明节."""
    run(first_quarter, days("2026-03-01", "2026-04-07"))
    return first_quarter, duty_of(first_quarter, EAST, "1")


def test_a_formal_letter_is_proposed_and_not_sent(late: tuple[Office, int]):
    office, duty = late
    assert [(one.duty_id, one.rung) for one in proposals(office.ledger)] == [
        (duty, "formal"),
        (duty_of(office, "西/妇联", "1"), "formal"),
    ]
    assert "formal" not in {rung for _, rung, _ in said(office, duty)}


def test_of_a_duty_the_highest_proposal_alone_awaits_approval(late: tuple[Office, int]):
    office, duty = late
    run(office, days("2026-04-08", "2026-04-30"))
    rungs = [one.rung for one in proposals(office.ledger) if one.duty_id == duty]
    assert rungs == ["circular"]
    told = f"待批准 {len(proposals(office.ledger))} 件"
    assert told in [task.about for task in open_tasks(office.ledger)]


def test_once_approved_it_goes_to_the_agency_and_up_the_line(late: tuple[Office, int]):
    office, duty = late
    assert approve(office.ledger, [duty], by="张三", now=china("2026-04-08", "10:00")) == 1
    office.post.deliver(at(china("2026-04-08", "10:01")))
    assert said(office, duty)[-2:] == [
        ("2026-04-08", "formal", EAST),
        ("2026-04-08", "formal", "省/妇联"),
    ]
    assert [one.duty_id for one in proposals(office.ledger)] != [duty]
    with pytest.raises(NotProposed):
        approve(office.ledger, [duty], by="张三", now=china("2026-04-08", "11:00"))


def test_one_that_was_declined_is_not_proposed_again(late: tuple[Office, int]):
    office, duty = late
    decline(office.ledger, [duty], reason="已约谈", by="张三", now=china("2026-04-08"))
    run(office, days("2026-04-08", "2026-04-17"))
    assert duty not in {one.duty_id for one in proposals(office.ledger)}
    assert "declined" in [event.action for event in events(office.ledger, duty_id=duty)]


def test_all_or_none_are_approved(late: tuple[Office, int]):
    office, duty = late
    other = duty_of(office, "西/妇联", "1")
    decline(office.ledger, [other], reason="", by="张三", now=china("2026-04-08"))
    with pytest.raises(NotProposed):
        approve(office.ledger, [duty, other], by="张三", now=china("2026-04-08"))
    assert [one.duty_id for one in proposals(office.ledger)] == [duty]


def test_evidence_makes_a_proposal_lapse(late: tuple[Office, int]):
    office, duty = late
    submit(office, duty, "2026-04-08")
    run(office, ["2026-04-08"])
    assert [task.about for task in open_tasks(office.ledger)] == ["待批准 1 件"]
    assert duty not in {one.duty_id for one in proposals(office.ledger)}
    with pytest.raises(NotProposed):
        approve(office.ledger, [duty], by="张三", now=china("2026-04-08", "11:00"))


def test_a_return_needs_a_proposal_of_its_own(late: tuple[Office, int]):
    office, duty = late
    submit(office, duty, "2026-04-08")
    acts.send_back(office.ledger, duty, reason="x", by="省", now=china("2026-04-09"))
    assert duty not in {one.duty_id for one in proposals(office.ledger)}


def test_a_call_counts_as_the_rung_whose_turn_it_was(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-22"))
    duty = duty_of(first_quarter, EAST, "1")
    rung = call(
        first_quarter.ledger, duty, said="王科长", by="张三", now=china("2026-03-23", "08:10")
    )
    assert rung == "chase"
    run(first_quarter, days("2026-03-23", "2026-03-30"))
    spoken = [(day, rung) for day, rung, _ in said(first_quarter, duty)]
    assert spoken[2:] == [("2026-03-23", "chase"), ("2026-03-30", "chase")]
    assert [e.text for e in events(first_quarter.ledger, duty_id=duty) if e.action == "called"] == [
        "王科长"
    ]


def test_calls_before_any_rung_are_numbered(first_quarter: Office):
    duty = duty_of(first_quarter, EAST, "1")
    for day in ("2026-02-02", "2026-02-03"):
        assert call(first_quarter.ledger, duty, said="x", by="张三", now=china(day)) == "call"
    run(first_quarter, ["2026-03-13"])
    assert [rung for _, rung, _ in said(first_quarter, duty)] == ["call", "call", "remind-7"]


def test_nobody_is_called_about_evidence_that_came(first_quarter: Office):
    duty = duty_of(first_quarter, EAST, "1")
    submit(first_quarter, duty, "2026-02-02")
    with pytest.raises(NotWaiting):
        call(first_quarter.ledger, duty, said="x", by="张三", now=china("2026-02-03"))
