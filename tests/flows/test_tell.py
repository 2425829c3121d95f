"""What a run of `tell` does: the coordinator's list of tasks, and the letter that carries it."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from prefect.runtime import flow_run

from duban.ledger.approvals import approve
from duban.ledger.chase import chase
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.ledger.tasks import open_tasks
from flows.tell import tell
from tasks.telling import What, put_on_the_list
from tasks.work import deliver_letters, office
from tests.conftest import Project, at, china


@pytest.fixture(autouse=True)
def on_the_small_notice(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DUBAN_HOME", str(project.folder / "var"))
    monkeypatch.setenv("DUBAN_AGENCIES", str(project.agencies))
    monkeypatch.setenv("DUBAN_NOTICES", str(project.folder / "deployments"))
    office.cache_clear()
    yield
    office().ledger.engine.dispose()
    office.cache_clear()


def told(what: What, now: datetime) -> str:
    """What the run says of itself; its steps, without a server."""
    said = put_on_the_list.fn(what, now)
    deliver_letters.fn(now)
    return said


def test_escalations_come_in_a_letter_to_the_coordinator_once() -> None:
    here = office()
    open_missing(here.ledger, china("2026-01-01"), clause="small/1")
    for day in ("2026-01-01", "2026-03-23", "2026-04-07"):
        chase(here.ledger, china(day))
        here.post.deliver(at(china(day)))
    duty = duties(here.ledger, agency="东/妇联")[0]
    approve(here.ledger, [duty.id], by="张三", now=china("2026-04-08", "09:00"))
    now = china("2026-04-08", "10:00")
    assert told("escalated", now) == "新升级 1 项，已列入协调单位的待办"
    (letter,) = here.settings.letters.glob("2026-04-08/省教育厅-待办*.eml")
    assert letter.stat().st_size > 0
    assert told("escalated", now) == "没有新升级的事项"


def test_an_outage_is_told_since_when_and_a_false_alarm_is_called_one() -> None:
    ledger = office().ledger
    open_missing(ledger, china("2026-01-05"))
    assert told("no-chase", china("2026-01-06")) == "每日催办正常，无需告知"
    assert not any("最近一次催办" in one.about for one in open_tasks(ledger))
    since = told("no-chase", china("2026-01-08", "12:00"))
    assert since == "自 2026-01-05 起未再催办，已列入协调单位的待办"
    assert any("最近一次催办" in one.about for one in open_tasks(ledger))


@pytest.mark.parametrize(
    ("what", "name"),
    [("escalated", "告知协调单位：督办升级"), ("no-chase", "告知协调单位：催办停摆")],
)
def test_the_run_is_called_by_what_it_tells(
    monkeypatch: pytest.MonkeyPatch, what: str, name: str
) -> None:
    monkeypatch.setattr(flow_run, "parameters", {"what": what}, raising=False)
    assert callable(tell.flow_run_name)
    assert tell.flow_run_name() == name
