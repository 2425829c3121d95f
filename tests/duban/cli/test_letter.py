"""`duban letter --sample`, and the samples of the real notice as files to read in tests/golden.

After a change of words, look at what `UPDATE_GOLDEN=1 pytest tests/duban/cli/test_letter.py`
changes in the files.
"""

import os
from pathlib import Path
from typing import Literal

import pytest

from duban.channels import Form
from duban.cli.letter import WRITERS, sample_letter
from duban.ladder import Kind
from duban.registry import Registry, load_registry
from tests.conftest import PROJECT
from tests.duban.cli.conftest import Run
from tests.duban.test_letters import read

GOLDEN = Path(__file__).parents[1] / "golden"
Language = Literal["zh", "en"]


@pytest.fixture(scope="module")
def notices(shanxi: Registry) -> dict[Language, Registry]:
    """The registry whose samples each language shows."""
    folder = PROJECT / "deployments"
    english = load_registry(folder / "example-en" / "agencies.yaml", folder, {})
    return {"zh": shanxi, "en": english}


def compare(name: str, written: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_bytes(written.encode())
    assert path.read_bytes() == written.encode(), f"{name} differs; see UPDATE_GOLDEN"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", Kind)
def test_each_kind_reads_as_in_its_golden_file(
    notices: dict[Language, Registry], kind: Kind, language: Language
):
    head, items = sample_letter(notices[language], kind, language)
    message, plain, html = read(WRITERS[Form.MAIL](head, items))
    compare(f"{kind}.{language}.txt", f"{message['Subject']}\n\n{plain}".replace("\r\n", "\n"))
    compare(f"{kind}.{language}.md", WRITERS[Form.MARKDOWN](head, items).decode() + "\n")
    if kind is Kind.CHASE:
        compare(f"{kind}.{language}.html", html.replace("\r\n", "\n"))


def test_all_samples_are_printed_and_say_so(run: Run):
    said = run("letter", "--sample")
    assert said.code == 0
    assert said.text.count("本函为样函，无须办理。") == len(Kind)
    assert "妇联每季度报告家长课堂" in said.text


def test_one_sample_in_each_form_and_language(run: Run):
    assert run("letter", "chase", "--sample").text.startswith("【样函】【催办】小事督办事项")
    assert "### 【样函】" in run("letter", "chase", "--sample", "--form", "markdown").text
    assert "Subject: =?utf-8?" in run("letter", "chase", "--sample", "--form", "mail").text
    english = run("letter", "chase", "--sample", "--language", "en").text
    assert english.startswith("[sample] [Overdue notice] ")


def test_without_sample_it_says_what_to_write(run: Run):
    assert "duban letter --sample" in run("letter").text
    assert run("letter").code == 1


def test_an_unknown_kind_is_refused_with_those_there_are(run: Run):
    said = run("letter", "nonsense", "--sample")
    assert said.code == 2
    assert "assign" in said.text
