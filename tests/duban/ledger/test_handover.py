"""Duties of an office that is no more go to another."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from duban.duty import Status
from duban.ledger import Ledger, acts
from duban.ledger.database import reading
from duban.ledger.handover import HandOverRefused, hand_over, heirs_of_the_gone
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties, events
from duban.ledger.tables import Duty, Letter, Mention
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import duty_of, submit

NOW = china("2026-03-02")


@pytest.fixture
def merged(first_quarter: Office) -> Office:
    """东/妇联 has left agencies.yaml; it owes a duty and has handed in another."""
    open_missing(first_quarter.ledger, china("2026-01-01"), clause="small/4")
    submit(first_quarter, duty_of(first_quarter, "东/妇联", "4"), "2026-02-01")
    before = first_quarter.ledger.registry
    agencies = {key: one for key, one in before.agencies.items() if key != "东/妇联"}
    ledger = Ledger(first_quarter.ledger.engine, replace(before, agencies=agencies))
    return Office(first_quarter.settings, ledger)


def test_what_waits_is_assigned_anew_and_what_is_under_review_moves_along(merged: Office):
    ledger = merged.ledger
    open_, submitted = (duty_of(merged, "东/妇联", one) for one in "14")
    done = hand_over(ledger, "东/妇联", "东/教育", reason="机构合并", by="省", now=NOW)
    assert (done.moved, done.left) == ((open_, submitted), ())
    found = {one.id: one for one in duties(ledger, agency="东/教育")}
    assert found[open_].status is Status.OPEN
    assert found[submitted].status is Status.SUBMITTED
    assert found[open_].revision == 2
    question = select(Letter.kind, Letter.recipient).join(Mention, Mention.letter_id == Letter.id)
    with reading(ledger.engine) as connection:
        told = connection.execute(question.where(Mention.round == 2)).all()
        assert [tuple(row) for row in told] == [("assign", "东/教育")]
        assert connection.scalar(select(Duty.next_on).where(Duty.id == open_))
    last = events(ledger, duty_id=open_)[-1]
    assert (last.action, last.text) == ("handed-over", "机构合并")
    assert last.data == {"giver": "东/妇联", "taker": "东/教育"}
    acts.send_back(ledger, submitted, reason="缺", by="省", now=china("2026-03-03"))
    assert duties(ledger, agency="东/妇联") == []


def test_a_duty_that_the_other_has_itself_stays(merged: Office):
    done = hand_over(merged.ledger, "东/妇联", "西/妇联", reason="合并", by="省", now=NOW)
    assert done.moved == ()
    assert len(done.left) == 2
    last = events(merged.ledger)[-1]
    assert (last.action, last.duty_id, last.text) == ("handed-over", None, "合并")
    with reading(merged.ledger.engine) as connection:
        found = heirs_of_the_gone(connection, merged.ledger.registry, NOW)
    assert found == {"东/妇联": ("西/妇联",)}


@pytest.mark.parametrize(
    ("giver", "taker", "reason"),
    [("东/教育", "东/妇联", "x"), ("东/妇联", "东/妇联", "x"), ("东/妇联", "东/体育", "x")],
)
def test_an_agency_that_still_stands_keeps_its_duties(
    first_quarter: Office, giver: str, taker: str, reason: str
):
    with pytest.raises(HandOverRefused):
        hand_over(first_quarter.ledger, giver, taker, reason=reason, by="省", now=NOW)
    with pytest.raises(HandOverRefused):
        hand_over(first_quarter.ledger, "没有", "东/妇联", reason=" ", by="省", now=NOW)


def test_heirs_follow_each_other_while_each_has_left_the_files_in_its_turn(
    merged: Office,
) -> None:
    ledger = merged.ledger
    hand_over(ledger, "东/妇联", "东/教育", reason="机构合并", by="省", now=NOW)
    later = NOW + timedelta(days=30)
    left = {key: one for key, one in ledger.registry.agencies.items() if key != "东/教育"}
    again = Ledger(ledger.engine, replace(ledger.registry, agencies=left))
    hand_over(again, "东/教育", "西/教育", reason="再次合并", by="省", now=later)
    with reading(ledger.engine) as connection:
        assert heirs_of_the_gone(connection, ledger.registry, NOW)["东/妇联"] == ("东/教育",)
        assert heirs_of_the_gone(connection, again.registry, later) == {
            "东/妇联": ("东/教育", "西/教育"),
            "东/教育": ("西/教育",),
        }
        # 东/教育 stands in the files again: what it takes over ends with it, and it has no heir.
        assert heirs_of_the_gone(connection, ledger.registry, later) == {
            "东/妇联": ("东/教育",),
            "东/教育": (),
        }
