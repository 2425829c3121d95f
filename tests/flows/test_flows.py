"""The flows themselves, without a server: what they do, and what they refuse."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from duban.ledger.questions import duties
from flows.cycle import cycle
from tasks.work import chase_duties, deliver_letters, office, open_duties
from tests.conftest import Project, china

NOW = china("2026-11-24")


@pytest.fixture(autouse=True)
def on_the_small_notice(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DUBAN_HOME", str(project.folder / "var"))
    monkeypatch.setenv("DUBAN_AGENCIES", str(project.agencies))
    monkeypatch.setenv("DUBAN_NOTICES", str(project.folder / "deployments"))
    office.cache_clear()
    yield
    office().ledger.engine.dispose()
    office.cache_clear()


async def test_a_duty_is_never_run_whatever_somebody_pressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow_run, "tags", ["duban", "duty"], raising=False)
    ended: Any = await cycle.fn("small/1", NOW)
    assert isinstance(ended, State)
    assert ended.type.value == "CANCELLED"
    assert "duban review" in (ended.message or "")
    assert duties(office().ledger) == []


def test_a_clause_opens_its_own_period_and_nothing_else() -> None:
    assert open_duties.fn(NOW, "small/1") == "expected 2, opened 2"
    assert open_duties.fn(NOW, "small/1") == "expected 2, opened 0"
    assert {duty.clause_key for duty in duties(office().ledger)} == {"small/1"}


def test_the_chase_opens_decides_and_delivers() -> None:
    assert open_duties.fn(NOW) == "expected 10, opened 10"
    assert chase_duties.fn(NOW) == "chased: 0 of 0 looked at"
    assert "undeliverable" in deliver_letters.fn(NOW)
    letters = list((Path(os.environ["DUBAN_HOME"]) / "letters").rglob("*.eml"))
    assert len(letters) >= 4
