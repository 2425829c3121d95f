"""A bulletin's text in its order, whatever shows it."""

from dataclasses import replace

from duban.reports.figures import Figures
from duban.reports.parts import RUN_IN, SECTION, WITHIN, Part, parts
from duban.reports.voice import Voice
from tests.duban.reports.cases import GOOD, ONE, voice


def titles(found: list[Part], level: int) -> list[str]:
    return [one.title for one in found if one.level == level]


def test_sections_are_numbered_and_so_is_what_lies_within_each(counted: Figures):
    found = list(parts(Voice(counted)))
    assert titles(found, SECTION)[:2] == ["一、总体情况", "二、各市情况"]
    assert len(titles(found, SECTION)) == 9
    assert titles(found, WITHIN)[0].startswith("（一）")
    assert len(titles(found, WITHIN)) == len(counted.targets)
    assert titles(found, RUN_IN)[0].startswith("（一）")


def test_names_and_numbers_are_written_as_the_voice_does():
    loud = replace(voice(ONE), number="<{}>".format, text=str.upper)
    [whole, *_] = parts(loud)
    assert "<1>" in whole.sentences[0]


def test_where_nothing_is_wrong_the_text_says_so():
    found = {one.title: one for one in parts(voice(GOOD))}
    assert len(found["五、存在问题"].sentences) == 1
    assert not titles(list(found.values()), RUN_IN)


def test_the_notes_are_a_list_of_their_own(counted: Figures):
    *_, last = parts(Voice(counted))
    assert (last.title, last.listed) == ("九、统计口径", True)
