"""The daily board against a real Prefect: an artifact for each board, a version each day."""

from typing import Any

import httpx
import pytest

from deployments.embedded import Embedded
from duban.ledger import Ledger, bulletins
from duban.ledger.bulletins import period_called
from duban.ledger.database import make_engine
from duban.ledger.opening import open_missing
from duban.registry import Registry
from tests.conftest import Project, china
from tests.tasks.running import Case, Ended, run_all

KEYS = (
    *("board", "overdue", "due-7", "due-30", "under-review", "scoreboard"),
    *("targets", "targets-picture", "delivery", "opened"),
)
DAYS = ("2025-12-31", "2026-01-01")


@pytest.fixture(scope="module")
def ended(
    prefect_server: Embedded,
    sqlite_template: Any,
    small: Registry,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Ended]:
    """Two mornings: on the second one two duties are overdue."""
    project = Project.write(tmp_path_factory.mktemp("board"))
    home = project.folder / "var"
    home.mkdir()
    (home / "ledger.db").write_bytes(sqlite_template.read_bytes())
    engine = make_engine(f"sqlite:///{home / 'ledger.db'}")
    ledger = Ledger(engine, small)
    open_missing(ledger, china("2025-12-01"), clause="small/2")
    drafted = china("2025-12-02")
    bulletins.draft(ledger, period_called("2025-11"), at=drafted, by="省", now=drafted)
    engine.dispose()
    env = {
        "PREFECT_API_URL": prefect_server.api_url,
        "PREFECT_API_AUTH_STRING": prefect_server.auth,
        "DUBAN_HOME": f"{home}",
        "DUBAN_AGENCIES": f"{project.agencies}",
        "DUBAN_NOTICES": f"{project.folder / 'deployments'}",
    }
    cases = [Case("board", {"as_of": china(day, "07:00").isoformat()}) for day in DAYS]
    return run_all(cases, env)[0]


def test_the_run_ends_green_or_red_with_the_number_of_overdue_duties(ended: list[Ended]) -> None:
    assert [(one.type, one.name) for one in ended] == [
        ("COMPLETED", "无超期"),
        ("FAILED", "超期 2"),
    ]
    assert ended[1].message.startswith("合计 2")


def test_each_day_adds_a_version_of_every_board(ended: list[Ended], api: httpx.Client) -> None:
    assert len(ended) == len(DAYS)
    asked = {"limit": 200, "sort": "CREATED_DESC"}
    answer = api.post("artifacts/filter", json=asked).raise_for_status().json()
    found = [one for one in answer if one["flow_run_id"] in {run.id for run in ended}]
    names = [api.get(f"flow_runs/{run.id}").raise_for_status().json()["name"] for run in ended]
    assert names == [f"board {day}" for day in DAYS]
    # A bulletin that was drafted elsewhere has its page, once for each of its states.
    assert sorted(one["key"] for one in found) == sorted([*KEYS * len(DAYS), "bulletin-2025-11"])
    assert {one["type"] for one in found} == {"markdown"}
    told = {one["description"].partition(" · [")[0] for one in found if one["key"] == "overdue"}
    assert told == {"2025-12-31 · 超期 · 0 项", "2026-01-01 · 超期 · 2 项"}
