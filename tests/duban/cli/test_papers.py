"""`duban paper`: the papers listed, and one written to a file."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.duban.cli.conftest import Run


@pytest.fixture
def ticked(run: Run) -> Run:
    assert run("tick", "--as-of", "2026-01-05").code == 0
    return run


def test_the_list_names_them_the_newest_first(ticked: Run):
    text = ticked("paper", "list").text
    numbers = [int(n) for n in re.findall(r"省教督办〔2026〕(\d+)号", text)]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] == 1
    assert "督办单" in text
    about = ticked("paper", "list", "--duty", "1").text
    assert len(re.findall(r"督办单", about)) == 1


def test_one_is_written_with_its_hash_and_nothing_is_overwritten(ticked: Run, tmp_path: Path):
    target = tmp_path / "a.docx"
    said = ticked("paper", "get", "1", "--to", str(target))
    assert said.code == 0
    assert said.text.rstrip().endswith(hashlib.sha256(target.read_bytes()).hexdigest())
    again = ticked("paper", "get", "1", "--to", str(target))
    assert again.code == 1
    assert "File exists" in again.text


def test_a_folder_gets_it_under_its_own_name(ticked: Run, tmp_path: Path):
    assert ticked("paper", "get", "1", "--to", str(tmp_path)).code == 0
    assert (tmp_path / "督办单 省教督办〔2026〕1号.docx").is_file()


def test_one_that_is_not_there_is_one_sentence(ticked: Run):
    said = ticked("paper", "get", "99")
    assert said.code == 1
    assert "There is no paper of that number; `duban paper list` lists them." in said.text
