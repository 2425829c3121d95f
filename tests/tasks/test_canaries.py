"""What must not be seen in Prefect is not there, wherever one looks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pendulum
import pytest

from deployments.embedded import Embedded, prefect_environment
from deployments.register import register
from duban.evidence import Checked
from duban.ledger import acts, links
from duban.ledger.acts import Cover
from duban.ledger.questions import DutyView, duties
from duban.office import Office
from tasks.mirror import sync
from tasks.stage import Stage
from tasks.work import office
from tests.conftest import PROJECT, Project, china

NOW = china("2026-03-02", "09:00")
TEXT = "本季度走访困境儿童家庭若干户"
STATEMENT = "经核实没有该类事项发生过"
PERSON, TELEPHONE = "欧阳金丝雀", "13900000777"
PASSWORD = "canary-mail-password"
EVERYTHING = (
    "flow_runs",
    "task_runs",
    "logs",
    "artifacts",
    "flows",
    "deployments",
    "variables",
    "work_pools",
    "block_documents",
    "automations",
    "v2/concurrency_limits",
)


@pytest.fixture
def here(project: Project, in_prefect: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("DUBAN_HOME", str(project.folder / "var"))
    monkeypatch.setenv("DUBAN_AGENCIES", str(project.agencies))
    monkeypatch.setenv("DUBAN_NOTICES", str(project.folder / "deployments"))
    monkeypatch.setenv("DUBAN_MAIL_SENDER", f"mailto://u:{PASSWORD}@127.0.0.1/?smtp=127.0.0.1")
    office.cache_clear()
    yield office()
    office().ledger.engine.dispose()
    office.cache_clear()


def hand_in(here: Office, duty: DutyView, values: dict[str, str], cover: Cover) -> None:
    acts.submit(
        here.ledger, duty.id, Checked(values, ()), [], by=duty.agency.id, now=NOW, cover=cover
    )


def test_no_evidence_person_token_or_password_reaches_prefect(
    stage: Stage, api: httpx.Client, here: Office, prefect_server: Embedded
) -> None:
    ledger = here.ledger
    execute_flows(prefect_server)
    whom = Cover(person=PERSON, telephone=TELEPHONE)
    plans = duties(ledger, clause="small/4")
    hand_in(here, plans[0], {"progress": TEXT}, whom)
    acts.accept(ledger, plans[0].id, by="1024", now=NOW)
    nothing = Cover(person=PERSON, telephone=TELEPHONE, statement=STATEMENT)
    hand_in(here, plans[1], {}, nothing)
    token = links.issue(ledger, here.key, plans[0].agency.id, by="duban", now=NOW)
    done = register(ledger.registry, stage, PROJECT, NOW.date())
    sync(ledger, stage, done.clauses, NOW, full=True, portal=here.settings.portal)
    seen = "\n".join(said(api))
    assert "东市妇联" in seen  # so what should be there was read
    assert "8 delivered" in seen
    secrets = {
        "evidence": TEXT,
        "statement": STATEMENT,
        "person": PERSON,
        "telephone": TELEPHONE,
        "token": token,
        "mail password": PASSWORD,
        "address": "youth@example.org",
        "credential": prefect_server.auth.partition(":")[2],
    }
    assert [name for name, secret in secrets.items() if secret in seen] == []


FLOWS = """
import asyncio, sys
from datetime import datetime
from flows.board import board
from flows.chase import chase

now = datetime.fromisoformat(sys.argv[1])
for flow in (chase, board):
    asyncio.run(flow(now, return_state=True))
"""


def execute_flows(server: Embedded) -> None:
    """Runs the day's flows in a process of their own, as a worker does."""
    settings = prefect_environment(server.home, server.port, server.auth)
    command = [sys.executable, "-c", FLOWS, NOW.isoformat()]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **settings}, check=True)


def said(api: httpx.Client) -> Iterator[str]:
    """All that the server tells who may ask it anything."""
    for kind in EVERYTHING:
        offset = 0
        while rows := api.post(f"/{kind}/filter", json={"limit": 200, "offset": offset}).json():
            assert isinstance(rows, list), rows
            yield json.dumps(rows, ensure_ascii=False)
            offset += 200
    since = pendulum.now("UTC").subtract(hours=2).isoformat()
    wanted = {"filter": {"occurred": {"since": since}}, "limit": 50}
    page = api.post("/events/filter", json=wanted).json()
    while True:
        yield json.dumps(page["events"], ensure_ascii=False)
        if not page["next_page"]:
            break
        page = api.get(page["next_page"]).json()
    yield api.get("/admin/settings").text
