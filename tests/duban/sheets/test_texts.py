"""The words of the sheets are there in both languages, and speak of the same things."""

import re
from collections.abc import Mapping

import pytest

from duban.sheets.texts import EN, ZH

PLACE = re.compile(r"\{\w+\}")
HAN = re.compile(r"[\u3400-\u9fff，。；：“”]")


@pytest.mark.parametrize("part", ["columns", "verdicts", "reasons", "says"])
def test_a_text_has_its_english_with_the_same_places(part: str):
    chinese: Mapping[str, str] = getattr(ZH, part)
    english: Mapping[str, str] = getattr(EN, part)
    assert chinese.keys() == english.keys()
    for key, text in chinese.items():
        assert sorted(PLACE.findall(text.replace("{{变量名}}", ""))) == sorted(
            PLACE.findall(english[key].replace("{{NAME}}", ""))
        ), key
        assert key == "no-agency" or not HAN.search(english[key]), key


def test_no_two_columns_have_one_heading_in_any_language():
    for one in (ZH, EN):
        assert len(set(one.columns.values())) == len(one.columns)
