"""Days in prose: due days, and where those come from."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from duban.paper.due import derivation, due_words
from duban.paper.texts import EN, ZH
from duban.period import Every
from tests.duban.paper.conftest import DUE


def test_the_time_stands_only_where_the_day_does_not_end_it():
    assert due_words(ZH, DUE) == "2026年3月25日"
    assert due_words(ZH, replace(DUE, cut_off="17:30")) == "2026年3月25日 17:30"
    assert due_words(EN, DUE) == "25 March 2026"


@pytest.mark.parametrize(
    ("every", "rule", "zh", "en"),
    [
        (Every.YEAR, "12-10", "每年12月10日前报送", "every year by 10 December"),
        (Every.YEAR, "+01-15", "每年一期，次年1月15日前报送",
         "for every year by 15 January of the next"),
        (Every.YEAR, "02-end", "每年2月最后一日前报送", "every year by the last day of February"),
        (Every.SCHOOL_YEAR, "06-15", "每学年6月15日前报送", "every school year by 15 June"),
        (Every.HALF_YEAR, "M6-20", "每半年第6个月20日前报送",
         "every half-year by day 20 of its sixth month"),
        (Every.QUARTER, "+M1-10", "每季度一期，下一季度第1个月10日前报送",
         "for every quarter by day 10 of the first month of the next"),
        (Every.MONTH, "M1-end", "每月最后一日前报送", "every month by the last day"),
        (Every.ONCE, "2025-12-31", "一次性工作，2025年12月31日前报送", "once, by 31 December 2025"),
    ],
)  # fmt: skip
def test_the_rule_reads_as_prose(every: Every, rule: str, zh: str, en: str):
    due = replace(DUE, every=every, rule=rule, note="", basis="text")
    assert derivation(ZH, due) == f"{zh}；通知原文写明。"
    assert derivation(EN, due) == f"{en}; as the notice says."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "通知未写明，系督办工作安排（按季调度）。"),
        ({"basis": "text"}, "通知原文写明；说明：按季调度。"),
        ({"basis": "plan", "note": ""}, "依据通知所附计划。"),
        ({"basis": "implied", "note": ""}, "依据通知原文推定。"),
        # A holiday moved the day that the duty began with.
        (
            {"original": date(2026, 3, 27), "day": date(2026, 3, 27), "nominal": date(2026, 3, 25)},
            "2026年3月25日不是工作日，顺延至2026年3月27日。",
        ),
        (
            {"original": date(2026, 3, 24), "day": date(2026, 3, 24), "nominal": date(2026, 3, 25)},
            "2026年3月25日不是工作日，提前至2026年3月24日。",
        ),
        # An extension moved it later.
        ({"day": date(2026, 5, 8)}, "原定时限为2026年3月25日，已作调整。"),
        ({"provisional": True}, "暂定，待节假日安排公布。"),
    ],
)
def test_the_sentence_ends_with_what_moved_the_day(changes: dict[str, Any], told: str):
    found = derivation(ZH, replace(DUE, **changes))
    assert found.startswith("每季度第3个月25日前报送；")
    assert found.endswith(told)
