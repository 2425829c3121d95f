"""What a bulletin says of one agency: its lines with their places, its duties, its numbers."""

from dataclasses import replace

from duban.duty import Status
from duban.ledger.snapshots import Fact, Part, Snapshot
from duban.reports.asked import Measure
from duban.reports.counting import figures
from duban.reports.figures import Figures
from duban.reports.mine import Mine, mine
from tests.duban.reports.cases import EARLY, GOOD, LATE, ONE, QUARTER, snapshot_of

EAST = "东/妇联"
WEST = replace(GOOD, agency="西/妇联")


def said(*facts: Fact, agency: str = EAST) -> Mine:
    seen = snapshot_of(facts)
    return mine(seen, figures(seen, QUARTER), agency)


def test_the_region_and_the_department_stand_with_their_places():
    found = said(ONE, WEST, replace(GOOD, agency="西/教育"))
    told = [(one.name, one.rank, one.ranked) for one in found.stands]
    assert told == [("东市", 2, 2), ("妇联", 2, 2)]


def test_the_provinces_own_agencies_have_no_place_among_the_cities():
    [region, department] = said(replace(ONE, agency="省/妇联"), WEST, agency="省/妇联").stands
    assert (region.rank, region.ranked) == (None, 1)
    assert department.rank == 1


def test_its_numbers_are_those_of_its_duties_of_every_group():
    soft = replace(GOOD, soft=True, part=Part.CO)
    found = said(ONE, soft, EARLY, WEST)
    assert found.numbers[Measure.TOTAL] == 2
    assert found.numbers[Measure.ACCEPTED] == 1
    assert found.numbers[Measure.OVERDUE] == 1
    assert found.numbers[Measure.BACKLOG] == 1


def test_its_duties_are_those_of_the_period_and_the_backlog_by_date():
    done_before = replace(EARLY, status=Status.ACCEPTED)
    found = said(LATE, EARLY, WEST, done_before)
    told = [(one.fact.id, one.clause, one.overdue, one.earlier) for one in found.duties]
    assert told == [(2, "1 家长课堂", True, True), (1, "1 家长课堂", False, False)]
    assert found.names == {"东市", "妇联", "1 家长课堂"}


def test_of_an_agency_without_duties_there_is_nothing_but_its_region():
    found = said(WEST, agency="东/教育")
    assert [one.name for one in found.stands] == ["东市"]
    assert (set(found.numbers.values()), found.duties) == ({0}, [])


def test_the_numbers_of_all_agencies_add_up_to_the_bulletins(large: Snapshot, counted: Figures):
    every = [mine(large, counted, one) for one in large.agencies]
    for measure in (Measure.TOTAL, Measure.OVERDUE, Measure.BACKLOG):
        whole = [counted.whole.lead, counted.whole.co, counted.whole.soft]
        assert sum(one.numbers[measure] for one in every) == sum(g[measure].value for g in whole)
