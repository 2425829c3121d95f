"""What the command line says of a clause that was paused in Prefect."""

import json
from collections.abc import Callable

import pendulum
import pytest

from duban.ledger.pausing import pause, pauses
from duban.office import Office, open_office
from tests.conftest import Project
from tests.duban.cli.conftest import Run


@pytest.fixture
def paused(tick: Callable[[str], None], project: Project) -> Office:
    """Its hold is the first one."""
    tick("2026-01-05")
    office = open_office(project.settings(f"sqlite:///{project.folder / 'var' / 'ledger.db'}"))
    pause(office.ledger, "small/1", "a-deployment", pendulum.now("UTC"))
    return office


def test_a_pause_is_listed_as_a_hold_without_end_and_released_like_any_other(
    run: Run, paused: Office
) -> None:
    said = run("holds").text
    assert "1  small/1  恢复为止  在 Prefect 中暂停  Prefect" in said
    (listed,) = json.loads(run("holds", "--json").text)
    assert (listed["clause"], listed["until"]) == ("small/1", None)
    assert "暂停至：恢复为止" in run("explain", "1:东市妇联:2026Q1").text
    assert "paused 2" in run("tick", "--as-of", f"{pendulum.today():%Y-%m-%d}").text
    released = run("release", "1", "--by", "张三").text
    assert "resumes the clause there too" in released
    assert run("holds", "--json").text.strip() == "[]"
    assert pauses(paused.ledger).held == {}
    paused.ledger.engine.dispose()
