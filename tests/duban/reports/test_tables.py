"""The tables that all forms of a bulletin share."""

from dataclasses import replace

import pytest

from duban.ledger.snapshots import Part
from duban.reports.counting import figures
from duban.reports.figures import Ratio
from duban.reports.tables import (
    Cell,
    clauses_table,
    departments_table,
    others_table,
    regions_table,
    shown,
    target_table,
    whole_table,
)
from duban.reports.texts import ZH
from tests.conftest import china
from tests.duban.reports.cases import ONE, QUARTER, accepted, snapshot_of

GOOD = accepted(ONE, "2026-09-01")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "—"),
        ("", "—"),
        (0, "0"),
        (Ratio(1, 16), "6.3%"),  # halves go up
        (Ratio(0, 3), "0.0%"),
        (Ratio(9496, 10000).against(95), "94.96%"),
        (-0.04, "−0.04"),
        (1.5, "+1.5"),
        (-1.5, "−1.5"),
        (0.0, "0.0"),
    ],
)
def test_a_cell_as_text(cell: Cell, text: str):
    assert shown(cell) == text


def test_there_is_no_rate_of_what_nobody_had_to_do():
    found = figures(snapshot_of([replace(GOOD, nil=True)]), QUARTER)
    rows = {row[0]: shown(row[1]) for row in whole_table(found, ZH).rows}
    assert (rows["应报"], rows["零报告"], rows["完成率"]) == ("0", "1", "—")


def test_regions_stand_by_rank_then_the_provinces_own_then_all_together():
    facts = [
        replace(ONE, agency="东/妇联"),
        replace(GOOD, agency="西/妇联"),
        replace(ONE, agency="省/妇联"),
    ]
    rows = regions_table(figures(snapshot_of(facts), QUARTER), ZH).rows
    assert [list(map(shown, row[:5])) for row in rows] == [
        ["1", "西市", "1", "1", "100.0%"],
        ["2", "东市", "1", "0", "0.0%"],
        ["—", "某省本级", "1", "0", "0.0%"],
        ["—", "合计", "3", "1", "33.3%"],
    ]


def test_a_department_that_leads_nothing_has_no_row_among_the_leads():
    facts = [ONE, replace(ONE, agency="东/教育", part=Part.CO)]
    found = figures(snapshot_of(facts), QUARTER)
    assert [row[1] for row in departments_table(found, ZH).rows] == ["妇联", "合计"]
    others = [list(map(shown, row[:3])) for row in others_table(found, ZH).rows]
    assert others == [["东市", "共同负责", "1"], ["教育", "共同负责", "1"]]


def test_a_clause_has_a_row_for_each_group_and_for_its_backlog():
    early = china("2026-03-20")
    facts = [
        ONE,
        replace(ONE, part=Part.CO),
        replace(ONE, clause="n/3", soft=True),
        replace(ONE, clause="n/2", original_due_at=early, due_at=early),
    ]
    rows = clauses_table(figures(snapshot_of(facts), QUARTER), ZH).rows
    assert [list(map(shown, (row[0], row[1], row[2], row[-1]))) for row in rows] == [
        ["1 家长课堂", "牵头", "1", "0"],
        ["1 家长课堂", "共同负责", "1", "0"],
        ["2 配备率95%", "牵头", "0", "1"],
        ["3 探索活动", "倡导性", "1", "0"],
    ]


def test_what_is_of_the_newest_period_adds_up_over_the_regions():
    east = accepted(replace(ONE, clause="n/2", agency="东/教育", figures=(90, 100)), "2026-09-10")
    west = replace(ONE, clause="n/2", agency="西/教育", period="2026Q2", figures=(10, 10))
    made = figures(snapshot_of([east, accepted(west, "2026-06-11")]), QUARTER)
    table = target_table(made, made.targets[0], ZH)
    fresh = table.head.index(ZH.columns["fresh"])
    *regions, whole = [row[fresh] for row in table.rows]
    assert [one for one in regions if one is not None] == [1, 0]
    assert whole == 1
    assert table.title == "2 配备率95%"
    west_only = figures(snapshot_of([accepted(west, "2026-06-11")]), QUARTER)
    assert (
        target_table(west_only, west_only.targets[0], ZH).title == "2 配备率95%（2026年第二季度）"
    )


def test_each_row_is_called_by_what_it_is_about():
    found = figures(snapshot_of([GOOD]), QUARTER)
    called = {
        table.title: [row[table.called] for row in table.rows]
        for table in (regions_table(found, ZH), clauses_table(found, ZH))
    }
    assert [*called.values()] == [["东市", "合计"], ["1 家长课堂"]]
