"""Commands run in this process, on the small notice, as a person in its folder would."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url
from typer.testing import CliRunner

from duban.cli import app
from duban.errors import DubanError
from duban.ledger.database import open_database
from tests.conftest import Project


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    text: str


Run = Callable[..., Said]


@pytest.fixture(autouse=True, scope="session")
def quick_ledgers(sqlite_template: Path) -> Iterator[None]:
    """A new ledger is a copy of an empty one: to migrate it takes longer than most commands."""

    def opened(url: str) -> Engine:
        path = Path(make_url(url).database or "")
        if path.parent.is_dir() and not path.exists():
            shutil.copyfile(sqlite_template, path)
        return open_database(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("duban.office.open_database", opened)
        yield


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `duban ARGS` in the project's folder."""
    return commands(project, monkeypatch)


def commands(project: Project, patch: pytest.MonkeyPatch) -> Run:
    """Runs `duban ARGS` in a project's folder, for as long as what was patched stays so."""
    patch.chdir(project.folder)
    for name in ("HOME", "AGENCIES", "NOTICES", "DATABASE_URL", "MAIL_SENDER", "LETTER_FROM"):
        patch.delenv(f"DUBAN_{name}", raising=False)
    patch.setenv("COLUMNS", "100")

    def duban(*arguments: str) -> Said:
        result = CliRunner().invoke(app, list(arguments))
        if isinstance(result.exception, DubanError):  # as `duban.cli.main` tells it
            return Said(1, f"{result.output}{result.exception}")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.output)

    return duban


@pytest.fixture(scope="session")
def ticked_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The data folder after a first tick on a day: making one a test takes most of its time."""

    @cache
    def made(day: str) -> Path:
        project = Project.write(tmp_path_factory.mktemp("ticked") / "project")
        with pytest.MonkeyPatch.context() as patch:
            assert commands(project, patch)("tick", "--as-of", day).code == 0
        return project.folder / "var"

    return made


@pytest.fixture
def tick(project: Project, ticked_home: Callable[[str], Path]) -> Callable[[str], None]:
    """Has the project as `duban tick --as-of DAY` leaves it on an empty folder."""

    def copied(day: str) -> None:
        shutil.copytree(ticked_home(day), project.folder / "var")

    return copied
