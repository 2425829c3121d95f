"""Any day's decision can be told: behind as it was, today as it is, ahead as it will be."""

from datetime import date

from duban.ladder import Reason
from duban.ledger.approvals import approve
from duban.ledger.explain import Explained, explain
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import days, duty_of, run, said, submit

EAST = "东/妇联"


def told(office: Office, on: str, now: str) -> Explained:
    duty = duty_of(office, EAST, "1")
    return explain(office.ledger, duty, date.fromisoformat(on), china(now))


def test_every_day_behind_is_told_as_its_morning_saw_it(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-05-10"))
    duty = duty_of(first_quarter, EAST, "1")
    spoken = {day: rung for day, rung, _ in said(first_quarter, duty)}
    for day in days("2026-03-01", "2026-05-10"):
        found = told(first_quarter, day, "2026-05-11")
        speaks = found.step.speak.rung.name if found.step.speak else None
        assert speaks == spoken.get(day), day
        assert [one.rung for one in found.said] == ([spoken[day]] if day in spoken else []), day


def test_a_day_ahead_is_foreseen_as_it_comes(first_quarter: Office):
    foreseen = {
        day: found.step.speak.rung.name
        for day in days("2026-03-01", "2026-05-10")
        if (found := told(first_quarter, day, "2026-02-20")).step.speak
    }
    run(first_quarter, days("2026-03-01", "2026-05-10"))
    duty = duty_of(first_quarter, EAST, "1")
    assert foreseen == {day: rung for day, rung, _ in said(first_quarter, duty)}


def test_silence_is_told_with_its_reason(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-14"))
    submit(first_quarter, duty_of(first_quarter, EAST, "1"), "2026-03-14")
    run(first_quarter, days("2026-03-15", "2026-03-22"))
    for on, reason in (
        ("2026-03-12", Reason.NOT_YET),
        ("2026-03-13", Reason.RUNG_REACHED),
        ("2026-03-15", Reason.SUBMITTED),
        ("2026-03-21", Reason.SUBMITTED),
    ):
        assert told(first_quarter, on, "2026-03-23").step.reason is reason, on


def test_before_it_is_told_a_duty_is_not_chased(first_quarter: Office):
    assert told(first_quarter, "2026-01-01", "2026-03-23").step.reason in (
        Reason.NOT_DELIVERED,
        Reason.NOT_YET,
    )


def test_a_formal_letter_that_awaits_approval_is_told_on_the_days_on_which_it_did(
    first_quarter: Office,
):
    run(first_quarter, days("2026-03-01", "2026-05-15"))
    duty = duty_of(first_quarter, EAST, "1")

    def awaited(on: str) -> tuple[Reason, str | None]:
        found = told(first_quarter, on, "2026-05-15")
        return found.step.reason, found.facts.awaiting and found.facts.awaiting.name

    assert awaited("2026-05-15") == (Reason.PROPOSED, "circular")
    approve(first_quarter.ledger, [duty], by="王", now=china("2026-05-15", "10:00"))
    assert awaited("2026-05-15") == (Reason.EXHAUSTED, None)
    assert awaited("2026-05-14") == (Reason.PROPOSED, "circular")
    assert awaited("2026-04-08") == (Reason.NOT_YET, "formal")
    assert awaited("2026-04-01") == (Reason.NOT_YET, None)
