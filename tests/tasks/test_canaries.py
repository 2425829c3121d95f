"""What must not be seen in Prefect is not there, wherever one looks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zipfile import ZipFile

import httpx
import pendulum
import pytest

from deployments.embedded import Embedded, prefect_environment
from deployments.register import register
from duban.duty import Status
from duban.evidence import Checked
from duban.intake import masked
from duban.ledger import Ledger, acts, approvals, holds, links, petitions
from duban.ledger.acts import Cover
from duban.ledger.browsing import Selection
from duban.ledger.questions import DutyView, duties, events
from duban.office import Office
from duban.sheets import going
from tasks.mirror import sync
from tasks.stage import Stage
from tasks.work import office
from tests.conftest import PROJECT, Project, china

NOW = china("2026-03-02", "09:00")
TEXT = "本季度走访困境儿童家庭若干户"
STATEMENT = "经核实没有该类事项发生过"
PERSON, TELEPHONE = "欧阳金丝雀", "13900000777"
PASSWORD = "canary-mail-password"
ID_NUMBER = "11010519491231002X"
MOBILES = {
    "ask": "13800000101",
    "refuse": "13800000102",
    "extend": "13800000103",
    "return": "13800000104",
    "accept": "13800000105",
    "waive": "13800000106",
    "reopen": "13800000107",
    "call": "13800000108",
    "hold": "13800000109",
}
"""What somebody types into the text of an act, though every form asks them not to."""
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


def test_numbers_typed_into_a_text_of_an_act_reach_neither_prefect_nor_the_workbook(
    stage: Stage, api: httpx.Client, here: Office, prefect_server: Embedded, tmp_path: Path
) -> None:
    ledger = here.ledger
    execute_flows(prefect_server)
    type_numbers(here)
    done = register(ledger.registry, stage, PROJECT, NOW.date())
    sync(ledger, stage, done.clauses, NOW, full=True, portal=here.settings.portal)
    execute_flows(prefect_server)
    path = tmp_path / "ledger.xlsx"
    when = going.moment_of(ledger, NOW, None)
    for _ in going.export(when, Selection(), path, at=NOW, language="zh"):
        pass
    planted = {**MOBILES, "identity": ID_NUMBER}
    shown, written = "\n".join(said(api)), words_in(path)
    for seen in (shown, written):
        assert [act for act, number in planted.items() if number in seen] == []
    # What is not personal data is there, and the ledger keeps it all.
    assert [act for act in MOBILES if masked(typed(act)) not in shown] == []
    assert masked(typed("extend")) in written
    assert [act for act in MOBILES if typed(act) not in told(ledger)] == []


def type_numbers(here: Office) -> None:
    """Every act whose text a person types, with an identity and a mobile number in it."""
    ledger, by, until = here.ledger, "1024", date(2026, 12, 24)
    one, two, three, four, *_ = [
        duty for duty in duties(ledger) if duty.status is Status.OPEN and duty.number != "4"
    ]

    def ask(duty: DutyView, act: str) -> int:
        return petitions.ask(
            ledger,
            duty.id,
            petitions.Kind.EXTENSION,
            reason=typed(act),
            by=duty.agency.id,
            now=NOW,
            until=until,
            leader="分管负责同志",
        )

    petitions.decide(ledger, ask(one, "ask"), grant=True, by=by, now=NOW)
    later = until + timedelta(days=2)
    acts.extend(ledger, one.id, due_on=later, reason=typed("extend"), by=by, now=NOW)
    refused = ask(two, "ask")
    petitions.decide(ledger, refused, grant=False, answer=typed("refuse"), by=by, now=NOW)
    approvals.call(ledger, two.id, said=typed("call"), by=by, now=NOW)
    acts.waive(ledger, three.id, reason=typed("waive"), by=by, now=NOW)
    acts.reopen(ledger, three.id, reason=typed("reopen"), by=by, now=NOW)
    acts.waive(ledger, three.id, reason=typed("waive"), by=by, now=NOW)
    whose, silent = four.agency.id, NOW.date()
    holds.hold(
        ledger, agency=whose, clause=None, until=silent, reason=typed("hold"), by=by, now=NOW
    )
    plans = duties(ledger, clause="small/4")
    for duty in plans[:2]:
        hand_in(here, duty, {"progress": TEXT}, Cover())
    acts.send_back(ledger, plans[0].id, reason=typed("return"), by=by, now=NOW)
    acts.accept(ledger, plans[1].id, text=typed("accept"), by=by, now=NOW)


def typed(act: str) -> str:
    return f"{act}：身份证{ID_NUMBER}，电话{MOBILES[act]}"


def told(ledger: Ledger) -> str:
    """What the history tells to those who may read it."""
    return "\n".join(one.text for one in events(ledger))


def words_in(path: Path) -> str:
    """All that a workbook holds."""
    with ZipFile(path) as book:
        return "\n".join(book.read(name).decode() for name in book.namelist())


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
