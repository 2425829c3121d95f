"""Both READMEs name everything a person can type, and tell the same things."""

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from duban.calendar import Shift
from duban.channels.choose import all_channels
from duban.cli import app
from duban.evidence import MAX_FILE_BYTES
from duban.intake.verdict import MAX_PAGES, MAX_PIXELS, PREVIEW_PAGES
from duban.ladder import Anchor, Audience, Counting
from duban.ledger import links, sessions, uploads
from duban.ledger.accounts import FIRST, Role
from duban.ledger.audit import HEADS
from duban.ledger.passwords import SHORTEST
from duban.ledger.retention import PERSONS_DAYS
from duban.ledger.sweeping import DRAFT_LIFE
from duban.ledger.undelivered import UNDELIVERED
from duban.portal.agency.duty import MOST_BODY
from duban.portal.agency.entrance import STAY
from duban.portal.desk.oidc import provider_of
from duban.portal.desk.review import SHOWN_FOR
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
from duban.words import words

PROJECT = Path(__file__).parents[2]
ENGLISH, CHINESE = PROJECT / "README.md", PROJECT / "README.zh-CN.md"
READMES = pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["en", "zh"])
GUIDES = [
    (ENGLISH, CHINESE),
    *(
        (PROJECT / "deployments" / f"{name}.md", PROJECT / "deployments" / f"{name}.zh-CN.md")
        for name in ("paper", "scale")
    ),
]
PAIRS = pytest.mark.parametrize(("english", "chinese"), GUIDES, ids=["readme", "paper", "scale"])

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
def test_every_command_of_a_group_is_named(readme: Path):
    rows = [row for row in text_of(readme).splitlines() if row.startswith("| `")]
    for group in app.registered_groups:
        assert group.typer_instance
        (row,) = [one for one in rows if one.startswith(f"| `{group.name}` |")]
        for info in group.typer_instance.registered_commands:
            name = info.name or getattr(info.callback, "__name__", "")
            assert f"`{name}`" in row
            assert f"duban {group.name} {name}" in text_of(readme)


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


@READMES
def test_every_kind_of_letter_is_named(readme: Path):
    told = text_of(readme).partition("\n  |---|---|---|\n")[2].partition("\n\n")[0]
    assert [kind for kind in words("zh").kinds.values() if kind not in told] == []


@READMES
def test_every_role_is_named(readme: Path):
    assert missing(readme, [FIRST, *Role]) == []


@pytest.mark.parametrize(("readme", "language"), [(ENGLISH, "en"), (CHINESE, "zh")])
def test_every_reason_for_a_return_is_named(readme: Path, language: str):
    reasons = words(language).returns.values()
    assert [reason for reason in reasons if reason not in text_of(readme)] == []


FIGURES: list[tuple[int | timedelta, int | timedelta, str, str]] = [
    (MAX_FILE_BYTES, 20 << 20, "20 MB a file", "每个 20 MB"),
    (uploads.MOST_BYTES, 100 << 20, "100 MB a version", "每版合计 100 MB"),
    (FilesField.model_fields["max"].default, 10, "10 files a field", "每栏 10 个"),
    (MAX_PIXELS, 40_000_000, "40 million pixels", "4000 万像素"),
    (MAX_PAGES, 500, "500 pages", "500 页"),
    (PREVIEW_PAGES, 10, "first ten pages", "前十页"),
    (STAY, timedelta(days=7), "remembers it for seven days", "浏览器记住七天"),
    (links.LIFE, timedelta(days=180), "lives 180 days", "链接有效 180 天"),
    (links.LEFT, timedelta(days=45), "less than 45 days", "不足 45 天"),
    (links.MOST_SENT, 3, "three times a day at most", "每天至多三次"),
    (PERSONS_DAYS, timedelta(days=30), "30 days after it is closed", "办结 30 天后删除"),
    (
        DRAFT_LIFE,
        timedelta(days=30),
        "not submitted is erased after 30 days",
        "未提交的，30 天后删除",
    ),
    (Clause.model_fields["keep"].default, 5, "its files are kept (5)", "文件保存几年（5）"),
    (SHORTEST, 12, "12 characters at least", "至少 12 个字符"),
    (sessions.IDLE, timedelta(minutes=30), "30 minutes without use", "30 分钟未操作"),
    (sessions.LONGEST, timedelta(hours=12), "after 12 hours", "满 12 小时"),
    (sessions.FREE_FAILURES, 5, "five failures in a row", "连续五次有误"),
    (sessions.LONGEST_WAIT, timedelta(minutes=15), "up to 15 minutes", "最长 15 分钟"),
    (SHOWN_FOR, timedelta(hours=1), "look at it for an hour", "一小时后重新隐藏"),
]
"""Each limit and time that the READMEs tell: as the code has it, as it is told, the words."""


@pytest.mark.parametrize(("held", "told", "english", "chinese"), FIGURES)
def test_limits_and_times_are_those_of_the_code(
    held: int | timedelta, told: int | timedelta, english: str, chinese: str
):
    assert held == told
    assert english in text_of(ENGLISH)
    assert chinese in text_of(CHINESE)


@READMES
def test_the_proxy_lets_whole_forms_through_and_the_provider_is_told_where_to_lead(readme: Path):
    assert f"client_max_body_size {MOST_BODY >> 20}m;" in text_of(readme)
    settings = Settings.model_validate(
        {
            "portal_url": "https://duban.example.org",
            "oidc_issuer": "https://id.example.org",
            "oidc_client": "duban",
        }
    )
    provider = provider_of(settings)
    assert provider
    assert f"`{provider.callback}`" in text_of(readme)


@READMES
def test_what_must_be_kept_is_named(readme: Path):
    told = text_of(readme)
    assert f"`{HEADS}`" in told
    assert "`secret.key`" in told


def headings(text: str) -> list[int]:
    """The levels of the headings, in order; what stands in code is none."""
    return [len(marks) for marks in re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)]


@PAIRS
def test_both_have_the_same_headings(english: Path, chinese: Path):
    assert headings(text_of(english)) == headings(text_of(chinese))


@PAIRS
def test_both_have_the_same_code_blocks(english: Path, chinese: Path):
    blocks = [FENCE.findall(text_of(readme)) for readme in (english, chinese)]
    told, said = ([_bare(block) for block in found] for found in blocks)
    assert told == said


def _bare(block: str) -> list[Any]:
    """A block without its remarks, which each README makes in its own language."""
    lines = (re.sub(r"(^|\s+)#.*", "", line).rstrip() for line in block.splitlines())
    return [line for line in lines if line]


@PAIRS
def test_both_have_the_same_tables(english: Path, chinese: Path):
    assert _tables(text_of(english)) == _tables(text_of(chinese))


def _tables(text: str) -> list[list[int]]:
    """The cells of each row, table by table."""
    tables = re.findall(r"(?:^ *\|.*\n)+", FENCE.sub("", text), re.MULTILINE)
    return [[row.count("|") for row in table.splitlines()] for table in tables]


@pytest.mark.parametrize(
    "guide", [one for pair in GUIDES for one in pair], ids=lambda one: one.name
)
def test_every_path_that_is_linked_is_there(guide: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text_of(guide))
    assert links
    assert [link for link in links if not (guide.parent / link).exists()] == []
