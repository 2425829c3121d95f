"""What came after which rung, and how soon."""

from duban.ledger.approvals import call
from duban.ledger.effect import Effect, effect
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import days, duty_of, run, submit

EAST, WEST = "东/妇联", "西/妇联"


def test_evidence_counts_for_the_last_word_before_it(first_quarter: Office):
    east, west = (duty_of(first_quarter, agency, "1") for agency in (EAST, WEST))
    run(first_quarter, days("2026-03-01", "2026-03-18"))
    submit(first_quarter, east, "2026-03-19")
    run(first_quarter, days("2026-03-19", "2026-03-25"))
    submit(first_quarter, west, "2026-03-26")
    by_rung = {one.name: one for one in effect(first_quarter.ledger)}
    assert by_rung["remind-7"] == Effect("remind-7", 2, 0, None)
    assert by_rung["remind-3"] == Effect("remind-3", 2, 1, 2)
    assert by_rung["chase"] == Effect("chase", 1, 1, 3)
    by_agency = {one.name: one for one in effect(first_quarter.ledger, by="agency")}
    assert (by_agency[EAST].spoken, by_agency[EAST].answered) == (3, 1)
    assert by_agency[WEST].share == 25


def test_a_call_has_its_effect_too(first_quarter: Office):
    duty = duty_of(first_quarter, EAST, "1")
    call(first_quarter.ledger, duty, said="x", by="张三", now=china("2026-02-02"))
    submit(first_quarter, duty, "2026-02-02", "11:00")
    assert {one.name: one for one in effect(first_quarter.ledger)}["call"] == Effect(
        "call", 1, 1, 0
    )
