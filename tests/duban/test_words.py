"""Words that all screens and papers share."""

import pytest

from duban.words import EN, ZH, period_prose, period_words, section_words, within_marks


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("2026", "2026年", "2026"),
        ("2026H1", "2026年上半年", "half-year 1 of 2026"),
        ("2026H2", "2026年下半年", "half-year 2 of 2026"),
        ("2026Q3", "2026年第三季度", "quarter 3 of 2026"),
        ("2026-09", "2026年9月", "September 2026"),
        ("2026-12", "2026年12月", "December 2026"),
        ("SY2026", "2026—2027学年", "school year 2026–2027"),
        ("once", "一次性", "once"),
        # Nothing that the ledger could hold stops a letter.
        ("p1", "p1", "p1"),
        ("2026Q7", "2026年第7季度", "quarter 7 of 2026"),
    ],
)
def test_a_period_reads_as_prose(code: str, zh: str, en: str):
    assert (period_prose(ZH, code), period_prose(EN, code)) == (zh, en)


def test_where_people_type_and_filter_a_period_keeps_its_code():
    assert period_words(ZH, "2026Q3") == "2026Q3"
    assert period_words(ZH, "SY2026") == "学年 2026–27"


def test_a_section_is_cited_with_the_brackets_of_its_language():
    assert section_words("zh", "三(四)") == "三（四）"
    assert section_words("en", "3(4)") == "3(4)"


def test_marks_within_quotation_marks_are_single():
    assert within_marks("健全“四位一体”体系") == "健全‘四位一体’体系"
