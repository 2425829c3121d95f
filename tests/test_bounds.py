"""The bounds in pyproject.toml keep a plain `pip install .` from a broken Prefect server."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.conftest import PROJECT

BOUNDS: dict[str, str] = {}
for line in tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]:
    name, _, bound = line.partition(min((sign for sign in "<>=" if sign in line), key=line.index))
    BOUNDS[name.strip()] = line.removeprefix(name)


def allows(name: str, candidate: str) -> bool:
    return SpecifierSet(BOUNDS[name]).contains(candidate)


@pytest.mark.parametrize(
    ("name", "good", "broken"),
    [
        # Newer Prefect asks for a certifi that cannot be had.
        ("prefect", "3.8.8", "3.9.1"),
        # From 0.151 the server refuses deployments, from 0.155 it does not start.
        ("fastapi", "0.150.0", "0.151.0"),
        # The server looks healthy but its scheduler never creates a run.
        ("sqlalchemy[asyncio]", "2.0.58", "2.1.0"),
        # Prefect's own bound.
        ("apprise", "1.13.1", "2.0.0"),
    ],
)
def test_a_version_that_breaks_prefect_is_out_of_bounds(name: str, good: str, broken: str) -> None:
    assert allows(name, good)
    assert not allows(name, broken)


def test_what_is_installed_lies_within_the_bounds() -> None:
    for name in BOUNDS:
        assert allows(name, version(re.sub(r"\[.*\]", "", name))), name


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_the_locks_hold_hashes_and_no_address(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pins = [line for line in text.splitlines() if re.match(r"\w.*==", line)]
    assert len(pins) > 100
    assert text.count("--hash=sha256:") >= len(pins)


@pytest.mark.soak
def test_a_plain_install_gives_a_server_that_creates_scheduled_runs(tmp_path: Path) -> None:
    """Fresh environment, `pip install .`, and the tests of the stage run against that server."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", str(PROJECT), "pytest", "pytest-timeout"]
    subprocess.run([*install, "pytest-asyncio", "hypothesis"], check=True, timeout=900)
    outcome = subprocess.run(
        [
            python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/tasks/test_stage.py",
            "-k",
            "scheduled_runs or created_in_each_state",
        ],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
        timeout=600,
    )
    assert outcome.returncode == 0
