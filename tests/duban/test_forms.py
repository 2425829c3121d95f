"""Words that the forms of Prefect and of the portal share."""

from duban.forms import why_returned


def test_reasons_end_as_sentences_in_the_notices_language() -> None:
    assert why_returned("zh", ["no-seal", "other"], "补盖后重报！") == "缺少公章；补盖后重报！"
    assert why_returned("en", ["no-seal"], "Mend it") == "the seal is missing; Mend it."
    assert why_returned("zh", ["other"], "") == ""
