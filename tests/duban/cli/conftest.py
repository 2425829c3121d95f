"""Commands run in this process, on the small notice, as a person in its folder would."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from duban.cli import app
from duban.errors import DubanError
from tests.conftest import Project


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    text: str


Run = Callable[..., Said]


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `duban ARGS` in the project's folder."""
    monkeypatch.chdir(project.folder)
    for name in ("HOME", "AGENCIES", "NOTICES", "DATABASE_URL", "MAIL_SENDER", "LETTER_FROM"):
        monkeypatch.delenv(f"DUBAN_{name}", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def duban(*arguments: str) -> Said:
        result = CliRunner().invoke(app, list(arguments))
        if isinstance(result.exception, DubanError):  # as `duban.cli.main` tells it
            return Said(1, f"{result.output}{result.exception}")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.output)

    return duban
