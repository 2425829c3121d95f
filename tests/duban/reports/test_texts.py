"""Both languages say the same things, and say moments as people do."""

from dataclasses import fields
from string import Formatter
from typing import Any

import pytest

from duban.reports.texts import EN, ZH, moment_words, numeral, texts
from tests.conftest import china


def sentences(part: Any, path: str = "") -> dict[str, set[str]]:
    """All texts of a part by where they stand, each with what it speaks of."""
    if isinstance(part, str):
        return {path: {name for _, name, _, _ in Formatter().parse(part) if name}}
    inner: Any = part.items() if hasattr(part, "items") else enumerate(part)
    return {
        where: spoken
        for key, one in inner
        for where, spoken in sentences(one, f"{path}/{key}").items()
    }


@pytest.mark.parametrize("part", [one.name for one in fields(ZH) if one.name != "language"])
def test_both_languages_have_the_same_sentences(part: str):
    assert sentences(getattr(ZH, part)) == sentences(getattr(EN, part))


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("09:05:59", "2026年10月9日09:05"),
        ("23:59:58", "2026年10月9日23:59"),
        ("23:59:59", "2026年10月9日24:00"),  # how the ledger writes the end of a day
        ("00:00:00", "2026年10月8日24:00"),
    ],
)
def test_a_moment_and_the_end_of_a_day(time: str, shown: str):
    assert moment_words(ZH, china("2026-10-09", time)) == shown


@pytest.mark.parametrize(
    ("n", "shown"), [(1, "一"), (9, "九"), (10, "十"), (12, "十二"), (20, "二十"), (35, "三十五")]
)
def test_headings_count_in_chinese(n: int, shown: str):
    assert (numeral(ZH, n), numeral(EN, n)) == (shown, str(n))


def test_a_language_that_is_not_english_gets_chinese():
    assert (texts("zh"), texts("en"), texts("fr")) == (ZH, EN, ZH)
