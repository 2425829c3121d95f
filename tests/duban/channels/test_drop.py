"""The drop folder: whole files or none."""

from pathlib import Path

from duban.channels import Fate, Parcel
from duban.channels.drop import DropFolder
from duban.registry import Registry


def parcel(registry: Registry, payload: bytes) -> Parcel:
    return Parcel("东市妇联-交办", "2026-01-05", registry.agencies["东/妇联"], payload)


def test_a_letter_lies_under_its_day_and_twice_is_one_file(small: Registry, tmp_path: Path):
    drop = DropFolder(tmp_path / "letters")
    for payload in (b"first", b"second"):
        outcome = drop.send(parcel(small, payload))
        assert outcome.fate is Fate.ACCEPTED
        assert outcome.detail.endswith("2026-01-05/东市妇联-交办.eml")
    [path] = (tmp_path / "letters" / "2026-01-05").iterdir()
    assert path.read_bytes() == b"second"


def test_what_cannot_be_written_is_told_and_leaves_nothing(small: Registry, tmp_path: Path):
    target = tmp_path / "2026-01-05" / "东市妇联-交办.eml"
    target.mkdir(parents=True)  # something of that name is in the way
    outcome = DropFolder(tmp_path).send(parcel(small, b"x"))
    assert outcome.fate is Fate.TEMPORARY
    assert "东市妇联-交办.eml: " in outcome.detail
