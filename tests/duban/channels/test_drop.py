"""The drop folder: whole files or none."""

from pathlib import Path

import pytest

from duban.channels import Fate, Form
from duban.channels.drop import DropFolder
from tests.duban.channels.conftest import MakeParcel


@pytest.mark.parametrize(
    ("form", "suffix"), [(Form.MAIL, "eml"), (Form.MARKDOWN, "md"), (Form.TEXT, "txt")]
)
def test_a_letter_lies_under_its_day_and_twice_is_one_file(
    form: Form, suffix: str, make_parcel: MakeParcel, tmp_path: Path
):
    drop = DropFolder(tmp_path / "letters")
    for payload in (b"first", b"second"):
        outcome = drop.send(make_parcel(payload, form), "")
        assert outcome.fate is Fate.ACCEPTED
        assert outcome.detail.endswith(f"2026-01-05/共青团东市委-交办.{suffix}")
    [path] = (tmp_path / "letters" / "2026-01-05").iterdir()
    assert path.read_bytes() == b"second"


def test_what_cannot_be_written_is_told_and_leaves_nothing(make_parcel: MakeParcel, tmp_path: Path):
    target = tmp_path / "2026-01-05" / "共青团东市委-交办.eml"
    target.mkdir(parents=True)  # something of that name is in the way
    outcome = DropFolder(tmp_path).send(make_parcel(b"x"), "")
    assert outcome.fate is Fate.TEMPORARY
    assert "共青团东市委-交办.eml: " in outcome.detail
