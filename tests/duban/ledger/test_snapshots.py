"""A snapshot says what was so at its moment, and goes on saying it."""

from dataclasses import replace
from datetime import timedelta

from duban.duty import Status
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.handover import hand_over
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.ledger.snapshots import Part, Snapshot, snapshot
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import duty_of, submit

BEGIN, THEN = china("2026-01-01"), china("2026-03-01")


def test_what_comes_after_the_cut_off_does_not_show(first_quarter: Office) -> None:
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, "东/妇联", "1")
    before = snapshot(ledger, THEN)
    submit(first_quarter, duty, "2026-03-02")
    acts.accept(ledger, duty, by="省", now=china("2026-03-03"))
    assert snapshot(ledger, THEN) == before
    later = {one.id: one.status for one in snapshot(ledger, china("2026-03-04")).facts}
    assert later[duty] is Status.ACCEPTED


def test_the_same_facts_make_the_same_bytes_and_come_back_as_they_were(
    first_quarter: Office,
) -> None:
    seen = snapshot(first_quarter.ledger, THEN)
    again = snapshot(first_quarter.ledger, THEN.astimezone(tz=None))
    assert seen.packed() == again.packed()
    assert Snapshot.read(seen.packed()) == seen
    assert Snapshot.read(seen.packed()).sha256 == seen.sha256
    assert snapshot(first_quarter.ledger, THEN + timedelta(seconds=1)).sha256 != seen.sha256


def test_it_names_the_last_row_of_history_that_it_saw(first_quarter: Office) -> None:
    ledger = first_quarter.ledger
    seen = snapshot(ledger, THEN)
    duty = duty_of(first_quarter, "东/妇联", "1")
    submit(first_quarter, duty, "2026-03-02", "10:00")
    later = snapshot(ledger, china("2026-03-02", "10:00"))
    assert {one.id: one.status for one in later.facts}[duty] is Status.SUBMITTED
    assert (seen.seq, seen.chain) != (later.seq, later.chain)
    assert later.seq == seen.seq + 1
    assert snapshot(ledger, BEGIN - timedelta(days=1)).seq == 0


def test_it_tells_leads_from_those_who_answer_beside_them(ledger: Ledger) -> None:
    open_missing(ledger, BEGIN)
    facts = snapshot(ledger, BEGIN).facts
    assert {one.clause for one in facts if one.part is Part.CO} == {"small/6"}
    assert {one.copied for one in facts if one.clause == "small/1"} == {("东/教育",), ("西/教育",)}
    assert {one.clause for one in facts if one.soft} == {"small/3"}


def test_whoever_took_a_leads_duty_over_leads(first_quarter: Office) -> None:
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, "东/妇联", "1")
    left = {key: one for key, one in ledger.registry.agencies.items() if key != "东/妇联"}
    merged = Ledger(ledger.engine, replace(ledger.registry, agencies=left))
    hand_over(merged, "东/妇联", "东/教育", reason="机构合并", by="省", now=THEN)
    [taken] = [one for one in snapshot(merged, THEN).facts if one.id == duty]
    assert (taken.agency, taken.part, taken.heirs) == ("东/教育", Part.LEAD, ())


def test_what_an_agency_closed_before_it_left_names_its_heir(first_quarter: Office) -> None:
    ledger, closed = first_quarter.ledger, duty_of(first_quarter, "东/妇联", "1")
    open_missing(ledger, BEGIN, clause="small/4")
    acts.waive(ledger, closed, reason="x", by="省", now=BEGIN)
    left = {key: one for key, one in ledger.registry.agencies.items() if key != "东/妇联"}
    merged = Ledger(ledger.engine, replace(ledger.registry, agencies=left))
    hand_over(merged, "东/妇联", "东/教育", reason="机构合并", by="省", now=THEN)
    heirs = {one.id: one.heirs for one in snapshot(merged, THEN).facts}
    assert heirs[closed] == ("东/教育",)
    assert set(heirs.values()) == {("东/教育",), ()}
    before = snapshot(merged, THEN - timedelta(days=1))
    assert {one.heirs for one in before.facts} == {()}


def test_a_duty_whose_clock_was_set_back_after_its_opening_was_not_open_before(
    first_quarter: Office,
) -> None:
    duty = duty_of(first_quarter, "东/妇联", "1")
    submit(first_quarter, duty, "2025-12-01")
    between = snapshot(first_quarter.ledger, china("2025-12-02"))
    assert between.facts == []
    now = {one.id: one.status for one in snapshot(first_quarter.ledger, THEN).facts}
    assert now[duty] is Status.SUBMITTED


def test_an_extension_is_told_apart_from_a_return(first_quarter: Office) -> None:
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, "东/妇联", "1")
    until = china("2026-03-28").date()
    acts.extend(ledger, duty, due_on=until, reason="x", by="省", now=THEN)
    submit(first_quarter, duty, "2026-03-27")
    after = china("2026-04-01")
    acts.send_back(ledger, duty, reason="x", by="省", now=after)
    for moment in (THEN, after):
        [one] = [fact for fact in snapshot(ledger, moment).facts if fact.id == duty]
        assert one.extended_to == china("2026-03-28", "23:59:59")
    assert one.due_at > china("2026-03-28", "23:59:59")
    before = snapshot(ledger, THEN - timedelta(seconds=1)).facts
    assert {one.extended_to for one in before} == {None}


def test_figures_are_of_the_newest_version_by_the_cut_off(ledger: Ledger) -> None:
    open_missing(ledger, BEGIN)
    [duty, *_] = [one.id for one in duties(ledger) if one.clause.target]
    for day, upper in (("2026-01-05", 1), ("2026-02-05", 2), ("2026-04-05", 3)):
        evidence = Checked({"share": [upper, 4]}, ())
        agency = duties(ledger, ids=[duty])[0].agency.id
        acts.submit(ledger, duty, evidence, [], by=agency, now=china(day))
    found = {one.id: one.figures for one in snapshot(ledger, THEN).facts}
    assert found[duty] == (2, 4)
    assert [other for number, other in found.items() if number != duty and other] == []


def test_names_of_what_left_the_files_are_kept_with_it(ledger: Ledger) -> None:
    open_missing(ledger, BEGIN)
    registry = ledger.registry
    left = {key: one for key, one in registry.agencies.items() if key != "东/妇联"}
    clauses = {key: one for key, one in registry.clauses.items() if key != "small/4"}
    fewer = Ledger(ledger.engine, replace(registry, agencies=left, clauses=clauses))
    seen = snapshot(fewer, BEGIN)
    assert seen.agencies["东/妇联"] == "东/妇联"
    assert seen.clauses[-1].title == "制定方案"
    assert len(seen.facts) == len(snapshot(ledger, BEGIN).facts)
