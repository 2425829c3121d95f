"""The commands on the chase, as a coordinator types them."""

import json
from collections.abc import Callable

import pytest

from tests.duban.cli.conftest import Run

DUTY = "1:东市妇联:2026Q1"


@pytest.fixture
def opened(run: Run, tick: Callable[[str], None]) -> Run:
    tick("2026-01-05")
    return run


def test_explain_tells_the_decision_of_a_day_behind(opened: Run):
    for day in ("2026-03-13", "2026-03-17"):
        opened("tick", "--as-of", day)
    said = opened("explain", DUTY, "--on", "2026-03-13")
    assert said.code == 0
    assert "决定：级次已到，发函" in said.text
    assert "发出：提醒 (remind-7#1, 2026-03-13)" in said.text
    assert "当日实发：remind-7#1 → 东市妇联 已发" in said.text
    plain = json.loads(opened("explain", DUTY, "--on", "2026-03-14", "--json").text)
    assert (plain["reason"], plain["next_look"]) == ("next rung not reached", "2026-03-17")


def test_explain_tells_which_formal_letter_awaits_approval(opened: Run):
    for day in ("2026-03-13", "2026-03-23", "2026-05-12", "2026-05-13"):
        opened("tick", "--as-of", day)
    said = opened("explain", DUTY, "--on", "2026-05-13").text
    assert "决定：通报待批准" in said
    assert "下次检查：通报待批准" in said
    plain = json.loads(opened("explain", DUTY, "--on", "2026-05-13", "--json").text)
    assert (plain["reason"], plain["awaiting"]) == ("awaits approval", "circular")


def test_plan_shows_each_days_letters_and_touches_nothing(opened: Run):
    said = opened("plan", "--json")
    assert said.code == 0
    days = json.loads(said.text)
    assert all(day["letters"] or day["opens"] or day["proposed"] for day in days)
    assert "以上为推演，未改动任何数据。" in opened("plan").text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "2020-01-01"), "--from must not lie before today"),
        (("--to", "2020-01-01"), "--to must lie between"),
        (("--to", "soon"), "'soon' is no date"),
    ],
)
def test_a_plan_of_the_past_is_refused(run: Run, arguments: tuple[str, str], told: str):
    said = run("plan", *arguments)
    assert said.code == 1
    assert told in said.text


def test_a_hold_is_made_listed_and_released(opened: Run):
    said = opened(
        "hold", "--agency", "东市妇联", "--until", "2099-01-01", "--reason", "x", "--by", "a"
    )
    assert "Hold 1 is in force until 2099-01-01" in said.text
    assert "东/妇联  2099-01-01  x  a" in opened("holds").text
    assert json.loads(opened("holds", "--json").text)[0]["agency"] == "东/妇联"
    assert opened("release", "1", "--by", "a").code == 0
    assert opened("holds").text == "0 hold(s) in force.\n"
    again = opened("release", "1", "--by", "a")
    assert (again.code, "no such hold" in again.text) == (1, True)


def test_a_call_is_recorded(opened: Run):
    said = opened("call", DUTY, "--said", "王科长，周五报", "--by", "张三")
    assert "is recorded" in said.text
    assert "电话催办：王科长，周五报" in opened("show", DUTY).text


def test_formal_letters_are_listed_approved_and_declined(opened: Run):
    for day in ("2026-03-23", "2026-04-07"):
        opened("tick", "--as-of", day)
    said = opened("proposals")
    assert "督办函  东市妇联" in said.text
    assert "6 await approval" in said.text
    assert opened("approve", DUTY, "--by", "张三").text.startswith("1 approved")
    assert opened("decline", "--all", "--reason", "已约谈", "--by", "张三").text == "5 declined.\n"
    assert opened("proposals").text.startswith("0 await approval")
    assert opened("approve", "--by", "张三").code == 1


def test_effect_shows_what_followed_which_rung(opened: Run):
    opened("tick", "--as-of", "2026-03-13")
    said = opened("effect", "--json")
    assert {"name": "remind-7", "spoken": 4, "answered": 0, "median_days": None} in json.loads(
        said.text
    )
    assert "统计发函之后" in opened("effect", "--by", "agency").text
    assert opened("effect", "--by", "moon").code == 1


def test_switching_sending_on_shows_the_weeks_letters_and_asks(opened: Run):
    said = opened("send", "on", "--by", "张三")
    assert said.code == 1
    assert "未改动任何数据" in said.text
    assert "Add --yes" in said.text
    assert "Sending is on" in opened("send", "on", "--yes", "--by", "张三").text
