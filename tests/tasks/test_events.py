"""Events on a real server: each once, and where the page of an event leads."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pendulum
import pytest
from sqlalchemy import delete, insert

from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.database import open_database
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.ledger.tables import Setting
from duban.registry import Registry
from tasks.events import tell
from tasks.stage import EventSpec, Stage, StageError

EAST = "东/妇联"
NOBODY = "http://127.0.0.1:9/api"
THE_LAST = "duban.test.last"


@pytest.fixture
def now() -> datetime:
    """Prefect keeps events of the last days only."""
    return pendulum.now("UTC")


@pytest.fixture
def ledger(sqlite_url: str, small: Registry) -> Iterator[Ledger]:
    ledger = Ledger(open_database(sqlite_url), small)
    yield ledger
    ledger.engine.dispose()


def seen(
    stage: Stage, api: httpx.Client, duty: int, first: datetime, last: datetime
) -> list[dict[str, Any]]:
    """The events of a duty, oldest first, once everything is there that was told until now.

    Prefect is in no hurry, but keeps them in the order in which they come: one more is waited for.
    Duties of other tests have the same number, but events at other times.
    """
    about = {"prefect.resource.id": f"duban.duty.{duty}"}
    stage.emit([EventSpec(str(uuid4()), THE_LAST, last, about)])
    asked = {
        "filter": {
            "resource": {"id": [about["prefect.resource.id"]]},
            "occurred": {"since": first.isoformat(), "until": last.isoformat()},
            "order": "ASC",
        }
    }
    end = time.monotonic() + 60
    while True:
        found: list[dict[str, Any]] = api.post("/events/filter", json=asked).json()["events"]
        if THE_LAST in {one["event"] for one in found}:
            return [one for one in found if one["event"] != THE_LAST]
        assert time.monotonic() < end, found
        time.sleep(0.2)


def test_what_happens_to_a_duty_is_told_once_however_often_it_is_told(
    ledger: Ledger, stage: Stage, api: httpx.Client, now: datetime
) -> None:
    open_missing(ledger, now, clause="small/1")
    duty = duties(ledger, agency=EAST)[0]
    tell(ledger, stage, now)
    acts.submit(ledger, duty.id, Checked({"classes": 1}, ()), [], by=EAST, now=now)
    later = now + timedelta(seconds=1)
    acts.send_back(ledger, duty.id, reason="不全", by="张三", now=later)
    assert tell(ledger, stage, later) == 2
    assert tell(ledger, stage, later) == 0
    with ledger.engine.begin() as connection:  # as after a crash before the cursor was kept
        connection.execute(delete(Setting).where(Setting.name.startswith("events-")))
    assert tell(ledger, stage, later) >= 2
    found = seen(stage, api, duty.id, now, later)
    found = [one for one in found if one["event"] != "duban.duty.opened"]
    assert [one["event"] for one in found] == ["duban.duty.submitted", "duban.duty.returned"]
    assert {one["prefect.resource.role"] for one in found[0]["related"]} == {
        "clause",
        "agency",
        "city",
    }
    assert "不全" not in str(found)


def test_a_stage_that_does_not_answer_is_told_later(
    ledger: Ledger, stage: Stage, now: datetime
) -> None:
    open_missing(ledger, now, clause="small/1")
    duty = duties(ledger, agency=EAST)[0]
    acts.submit(ledger, duty.id, Checked({"classes": 1}, ()), [], by=EAST, now=now)
    with Stage(NOBODY) as down, pytest.raises(StageError):
        tell(ledger, down, now)
    assert tell(ledger, stage, now) >= 1


def test_an_idle_ledger_costs_no_call_and_less_than_a_hundredth_of_a_second(
    ledger: Ledger, now: datetime
) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            insert(Setting),
            [
                {"name": "events-seq", "value": "0"},
                {"name": "events-at", "value": now.isoformat()},
            ],
        )
    with Stage(NOBODY) as nowhere:
        begun = time.process_time()
        assert [tell(ledger, nowhere, now) for _ in range(20)] == [0] * 20
        assert time.process_time() - begun < 0.2
