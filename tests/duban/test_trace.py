"""A notice held against its clauses: where sentences end, and what nothing covers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.registry import Registry
from duban.registry.clauses import Clause, ClausesFile, NotDirective, Notice
from duban.trace import sentences, trace


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("甲做。乙做。", ["甲做。", "乙做。"]),
        ("甲做;乙做；丙做", ["甲做;", "乙做；", "丙做"]),  # both widths
        ("甲做吗？做！", ["甲做吗？", "做！"]),
        ("一、标题\n甲做。\n", ["一、标题", "甲做。"]),  # a line ends a sentence
        ("达到95.5%。", ["达到95.5%。"]),  # a point inside a number does not
        ("Do this. Do that.", ["Do this.", "Do that."]),
        ("Version 2.1 applies.\n", ["Version 2.1 applies."]),
        ("。。;\n\n", []),  # marks without a word
        ("", []),
        ("   甲做  。 乙做", ["甲做  。", "乙做"]),
        ("“甲做。”乙做。", ["“甲做。", "”乙做。"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]):
    assert split(text) == expected


@given(st.text(alphabet="甲乙。;！\n. ab1", max_size=60))
def test_no_word_falls_between_two_sentences(text: str):
    spans = list(sentences(text))
    covered = {n for start, end in spans for n in range(start, end)}
    assert all(n in covered for n, character in enumerate(text) if character.isalnum())
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def small_file(clauses: dict[str, str], passages: list[str]) -> ClausesFile:
    """A file of exhortations, which need nothing but a quote."""
    notice = Notice(
        number="1号",
        label="小事",
        issuer="省",
        issued="2025-01-01",  # pyright: ignore[reportArgumentType]
        language="zh",
        timezone="Asia/Shanghai",
        region="省",
        text_sha256="0" * 64,
    )
    return ClausesFile(
        notice=notice,
        clauses=tuple(
            Clause.model_validate(
                {"id": n, "section": "一", "title": "事项", "quote": q, "modality": "exhortation"}
            )
            for n, q in clauses.items()
        ),
        not_directive=tuple(NotDirective(quote=quote, why="heading") for quote in passages),
    )


def test_a_sentence_is_uncovered_while_any_of_its_words_are_left_over():
    text = "关于小事。甲要做好,乙要帮忙。丙也要做。"
    first, second, third = trace(text, small_file({"1": "乙要帮忙"}, ["关于小事"]))
    assert (first.clauses, first.not_directive, first.uncovered) == ((), "heading", False)
    assert (second.clauses, second.rest, second.uncovered) == (("1",), ("甲要做好,",), True)
    assert (third.clauses, third.rest, third.uncovered) == ((), ("丙也要做。",), True)


def test_a_quote_over_two_sentences_covers_both_and_two_quotes_share_one():
    text = "甲做;乙做。丙做,丁做。"
    one, two, three = trace(text, small_file({"1": "甲做;乙做", "2": "丙做", "3": "丁做"}, []))
    assert (one.clauses, two.clauses, three.clauses) == (("1",), ("1",), ("2", "3"))
    assert one.rest == two.rest == three.rest == ()


def test_a_clause_outdoes_a_passage_of_the_same_sentence():
    [sentence] = trace("总体要求:甲要做。", small_file({"1": "甲要做"}, ["总体要求"]))
    assert (sentence.clauses, sentence.not_directive) == (("1",), None)


def test_nothing_in_the_real_notice_is_uncovered(shanxi: Registry):
    loaded = shanxi.notices["shanxi-2023-6"]
    traced = trace(loaded.text, loaded.file)
    assert [sentence.text for sentence in traced if sentence.uncovered] == []
    assert {number for sentence in traced for number in sentence.clauses} == {
        clause.id for clause in loaded.file.clauses
    }


def test_a_clause_taken_out_of_the_real_notice_is_missed(shanxi: Registry):
    loaded = shanxi.notices["shanxi-2023-6"]
    whole = loaded.file.clauses
    others = tuple(clause for clause in whole if clause.id != "3.4c")
    assert len(others) == len(whole) - 1
    thinner = loaded.file.model_copy(update={"clauses": others})
    [missed] = [sentence for sentence in trace(loaded.text, thinner) if sentence.uncovered]
    assert "家长学校" in missed.text


@pytest.mark.parametrize("position", range(55))
def test_without_any_one_of_its_clauses_the_real_notice_is_not_covered(
    shanxi: Registry, position: int
):
    """Each directive is noticed when its clause is missing, also inside a long sentence."""
    loaded = shanxi.notices["shanxi-2023-6"]
    clauses = loaded.file.clauses
    less = loaded.file.model_copy(update={"clauses": clauses[:position] + clauses[position + 1 :]})
    assert any(sentence.uncovered for sentence in trace(loaded.text, less))
