"""A clause paused in the Prefect UI is held until it is resumed, on a real server."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from deployments.register import clause_spec, register
from duban.ladder import ENDLESS
from duban.ledger import Ledger
from duban.ledger.database import open_database
from duban.ledger.holds import holds_in_force, release
from duban.ledger.opening import open_missing
from duban.ledger.questions import events
from duban.registry import Registry
from tasks.pauses import heed
from tasks.stage import DeploymentRef, Stage
from tests.conftest import PROJECT, china

NOW = china("2026-11-24")
CLAUSE = "small/1"


@dataclass
class Desk:
    """A ledger, the stage, and what a coordinator does in the UI."""

    ledger: Ledger
    stage: Stage
    deployments: dict[str, str] = field(default_factory=dict[str, str])

    def heed(self) -> list[str]:
        return heed(self.ledger, self.stage, self.deployments, NOW)

    def held(self) -> list[tuple[str | None, str, str]]:
        return [
            (one.clause, one.made_by, one.until.isoformat())
            for one in holds_in_force(self.ledger, NOW)
        ]

    @property
    def shown(self) -> DeploymentRef:
        wanted = self.deployments[CLAUSE]
        return next(one for one in self.stage.deployments("duban") if one.id == wanted)

    def pause(self) -> None:
        self.stage.pause_deployment(self.deployments[CLAUSE])

    def resume(self) -> None:
        self.stage.resume_deployment(self.shown)

    def switch_off(self) -> None:
        """As a person does with the switch beside a schedule."""
        for one in self.shown.schedules:
            path = f"/deployments/{self.deployments[CLAUSE]}/schedules/{one.id}"
            self.stage._call("PATCH", path, {"active": False})  # pyright: ignore[reportPrivateUsage]


PAUSED = [(CLAUSE, "Prefect", ENDLESS.isoformat())]


@pytest.fixture
def desk(stage: Stage, sqlite_url: str, small: Registry) -> Iterator[Desk]:
    ledger = Ledger(open_database(sqlite_url), small)
    desk = Desk(ledger, stage, register(small, stage, PROJECT, NOW.date()).clauses)
    yield desk
    desk.resume()
    ledger.engine.dispose()


@pytest.mark.parametrize("how", ["pause", "switch_off"])
def test_a_clause_paused_in_the_ui_is_held_until_it_is_resumed_there(desk: Desk, how: str) -> None:
    assert desk.heed() == []
    getattr(desk, how)()
    assert desk.heed() == [
        "已暂停“1 家长课堂”：Prefect 中暂停了这一条款，不立项、不催办，至恢复为止"
    ]
    assert (desk.held(), desk.heed()) == (PAUSED, [])
    assert open_missing(desk.ledger, NOW, clause=CLAUSE).paused == 2
    desk.resume()
    assert desk.heed() == ["已恢复“1 家长课堂”：Prefect 中恢复了这一条款"]
    assert (desk.held(), desk.heed()) == ([], [])
    assert open_missing(desk.ledger, NOW, clause=CLAUSE).opened == 2
    assert [(one.action, one.actor) for one in events(desk.ledger)][:2] == [
        ("held", "Prefect"),
        ("released", "Prefect"),
    ]


def test_a_pause_released_elsewhere_is_taken_off_in_prefect_and_can_be_set_again(
    desk: Desk,
) -> None:
    desk.pause()
    desk.heed()
    (number,) = [one.id for one in holds_in_force(desk.ledger, NOW)]
    release(desk.ledger, number, by="张三", now=NOW)
    assert "已另行解除" in desk.heed()[0]
    assert (desk.shown.halted, desk.held(), desk.heed()) == (False, [], [])
    desk.pause()
    desk.heed()
    assert desk.held() == PAUSED


def test_a_deployment_made_anew_under_a_hold_is_paused_again(desk: Desk, small: Registry) -> None:
    desk.pause()
    desk.heed()
    spec = clause_spec(small.clauses[CLAUSE], PROJECT, NOW.date())
    desk.stage.delete_deployment(desk.deployments[CLAUSE])
    assert desk.heed() == []  # gone from the stage, not resumed
    desk.deployments[CLAUSE] = desk.stage.put_deployment(replace(spec, version="anew"))
    assert "重新暂停" in desk.heed()[0]
    assert (desk.shown.halted, desk.held(), desk.heed()) == (True, PAUSED, [])
