"""The fields of the forms that act, as the flows take them: with or without the form's checks."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from flows.acting import Chosen, Reason, Remark, StaffCode, nobodys

ID_NUMBER = "11010519491231002X"
MOBILE = "13800138000"


@pytest.mark.parametrize("field", [Reason, Remark, Chosen])
@pytest.mark.parametrize(
    "text",
    [
        f"家长身份证{ID_NUMBER}",
        f"电话{MOBILE}",
        "电话138 0013 8000",  # which the pattern of the form lets through
        "电话１３８００１３８０００",
        "困境儿童名单：张三、李四、王五",
    ],
)
def test_no_text_with_personal_data_is_taken(field: Any, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(field).validate_python(text)
    assert [one["type"] for one in refused.value.errors()] == ["personal"]


@pytest.mark.parametrize(
    "text", ["汛期道路中断", "办公室 0351-1234567，答应周五报", "晋教政〔2023〕6号"]
)
def test_what_is_about_the_matter_is_taken(text: str) -> None:
    for field in (Reason, Remark, Chosen):
        assert TypeAdapter[str](field).validate_python(text) == text


@pytest.mark.parametrize("code", [ID_NUMBER, MOBILE])
def test_a_staff_code_is_no_number_of_a_person(code: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(StaffCode).validate_python(code)


def test_what_prefect_keeps_of_a_form_holds_no_number_however_deep_it_lies() -> None:
    given = {"duty": 3, "reason": f"电话{MOBILE}", "codes": [MOBILE], "more": {"said": ID_NUMBER}}
    assert nobodys(given) == {
        "duty": 3,
        "reason": "电话138****8000",
        "codes": ["138****8000"],
        "more": {"said": "110***********002X"},
    }
