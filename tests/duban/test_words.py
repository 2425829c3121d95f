"""Words that all screens and papers share."""

import pytest

from duban.words import EN, ZH, period_prose, period_words


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
