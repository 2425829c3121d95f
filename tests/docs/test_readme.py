"""Both READMEs name everything a person can type, and tell the same things."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from duban.cli import app
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
]
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def text_of(readme: Path) -> str:
    return readme.read_text(encoding="utf-8")


def missing(readme: Path, names: list[str]) -> list[str]:
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
    assert missing(readme, list(model.model_fields)) == []


@READMES
def test_every_evidence_type_is_named(readme: Path):
    types = ["text", "integer", "ratio", "date", "url", "files"]
    assert missing(readme, types) == []


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


@READMES
def test_every_path_that_is_linked_is_there(readme: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text_of(readme))
    assert [link for link in links if not (PROJECT / link).exists()] == []
