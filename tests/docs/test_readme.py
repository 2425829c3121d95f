"""Both READMEs name everything a person can type, and tell the same things."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from duban.calendar import Shift
from duban.channels.choose import all_channels
from duban.cli import app
from duban.ladder import Anchor, Audience, Counting
from duban.ledger.undelivered import UNDELIVERED
from duban.registry.agencies import AgenciesFile, Contact, Department, Override, Region, StandIn
from duban.registry.clauses import Clause, Cycle, NotDirective, Notice, Part, Target
from duban.registry.evidence import (
    DateField,
    FilesField,
    IntegerField,
    RatioField,
    TextField,
    UrlField,
)
from duban.registry.load import load_policy
from duban.registry.policy import (
    TONES,
    CalendarFile,
    ChaseFile,
    Quiet,
    WrittenLadder,
    WrittenRung,
    WrittenSpan,
)
from duban.settings import Settings

PROJECT = Path(__file__).parents[2]
ENGLISH, CHINESE = PROJECT / "README.md", PROJECT / "README.zh-CN.md"
READMES = pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["en", "zh"])

MODELS: list[type[BaseModel]] = [
    AgenciesFile,
    Region,
    Department,
    StandIn,
    Override,
    Contact,
    Notice,
    Clause,
    Part,
    Cycle,
    Target,
    NotDirective,
    TextField,
    IntegerField,
    RatioField,
    DateField,
    UrlField,
    FilesField,
    ChaseFile,
    Quiet,
    WrittenLadder,
    WrittenRung,
    CalendarFile,
    WrittenSpan,
]
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def text_of(readme: Path) -> str:
    return readme.read_text(encoding="utf-8")


def missing(readme: Path, names: Iterable[str]) -> list[str]:
    """The names that do not stand in the README as words of their own, in backticks or code."""
    text = text_of(readme)
    code = "\n".join(re.findall(r"`[^`\n]+`", text) + FENCE.findall(text))
    found = set(re.findall(r"[\w\-]+", code))
    return [name for name in names if name not in found]


def commands() -> list[str]:
    """The product's own commands and those that join it from the upper layers."""
    own = [info.name or getattr(info.callback, "__name__", "") for info in app.registered_commands]
    pyproject = text_of(PROJECT / "pyproject.toml")
    _, _, points = pyproject.partition('[project.entry-points."duban.commands"]\n')
    joined = re.findall(r"^(\w+) = ", points.partition("\n[")[0], re.MULTILINE)
    assert joined, "up and its like"
    return [*own, *joined]


@READMES
def test_every_command_is_named(readme: Path):
    text = text_of(readme)
    assert [name for name in commands() if f"duban {name}" not in text] == []


@READMES
def test_every_setting_is_named(readme: Path):
    assert missing(readme, [f"DUBAN_{name.upper()}" for name in Settings.model_fields]) == []


@READMES
@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
def test_every_key_of_the_files_is_named(readme: Path, model: type[BaseModel]):
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert missing(readme, keys) == []


@READMES
def test_every_evidence_type_is_named(readme: Path):
    types = ["text", "integer", "ratio", "date", "url", "files"]
    assert missing(readme, types) == []


@READMES
def test_every_word_of_chase_yaml_is_named(readme: Path):
    assert missing(readme, [*TONES, *Anchor, *Audience, *Counting]) == []


@READMES
def test_every_preset_is_named_with_its_rungs(readme: Path, tmp_path: Path):
    for name, ladder in load_policy(tmp_path).ladders.items():
        _, _, told = text_of(readme).partition(f"\n**{name}**")
        table = told.partition("\n**")[0].partition("\n## ")[0]
        assert [rung.name for rung in ladder.rungs if f"`{rung.name}`" not in table] == []


@READMES
@pytest.mark.parametrize(("file", "key"), [("chase", "ladders"), ("calendar", "announced")])
def test_the_examples_of_policy_are_taken_as_they_stand(
    readme: Path, tmp_path: Path, file: str, key: str
):
    (block,) = re.findall(rf"^```yaml\n({key}:.*?)^```$", text_of(readme), re.DOTALL | re.MULTILINE)
    (tmp_path / f"{file}.yaml").write_text(block, encoding="utf-8")
    assert load_policy(tmp_path, ["太原"]) != load_policy(tmp_path / "nowhere")


@READMES
def test_every_shift_that_is_named_can_be_written(readme: Path):
    named = re.findall(r"`(none|previous|next(?:-\d+)?)`", text_of(readme))
    assert {Shift.parse(one).steps for one in named} >= {-1, 0, 1, 2, 9}


@READMES
def test_every_channel_is_named_with_its_limit_and_pace(readme: Path, tmp_path: Path):
    rows = [row for row in text_of(readme).splitlines() if "${" in row and row.startswith("| ")]
    for name, channel in all_channels(tmp_path, None).items():
        if channel.pace is None:
            continue
        scheme, _, form = name.partition("-")
        (row,) = [one for one in rows if f"{scheme}://" in one and ("format=" in one) == bool(form)]
        *_, limit, pace, _ = row.split("|")
        seconds = round(channel.pace.window.total_seconds())
        assert limit.strip() == f"{channel.limit}"
        assert set(re.findall(r"\d+", pace)) == {f"{channel.pace.letters}", f"{seconds}"}


@READMES
def test_every_state_of_an_undelivered_letter_is_named(readme: Path):
    assert missing(readme, UNDELIVERED) == []


def headings(text: str) -> list[int]:
    """The levels of the headings, in order; what stands in code is none."""
    return [len(marks) for marks in re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)]


def test_both_have_the_same_headings():
    assert headings(text_of(ENGLISH)) == headings(text_of(CHINESE))


def test_both_have_the_same_code_blocks():
    english, chinese = (FENCE.findall(text_of(readme)) for readme in (ENGLISH, CHINESE))
    assert [_bare(block) for block in english] == [_bare(block) for block in chinese]


def _bare(block: str) -> list[Any]:
    """A block without its remarks, which each README makes in its own language."""
    lines = (re.sub(r"(^|\s+)#.*", "", line).rstrip() for line in block.splitlines())
    return [line for line in lines if line]


def test_both_have_the_same_tables():
    assert _tables(text_of(ENGLISH)) == _tables(text_of(CHINESE))


def _tables(text: str) -> list[list[int]]:
    """The cells of each row, table by table."""
    tables = re.findall(r"(?:^ *\|.*\n)+", FENCE.sub("", text), re.MULTILINE)
    return [[row.count("|") for row in table.splitlines()] for table in tables]


@READMES
def test_every_path_that_is_linked_is_there(readme: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text_of(readme))
    assert [link for link in links if not (PROJECT / link).exists()] == []
