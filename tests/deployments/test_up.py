"""`duban up` as a user starts it: it comes up, survives kill -9 at any moment, and goes cleanly."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pendulum
import pytest

from deployments.embedded import credential
from duban.ledger import Ledger
from duban.ledger.browsing import Selection, State, Today
from duban.ledger.change import first_broken_link
from duban.ledger.database import open_database, reading
from duban.ledger.questions import duties
from tasks.stage import Stage
from tests.conftest import PROJECT, Project
from tests.servers import free_port, prefect_client

DUBAN = [sys.executable, "-m", "duban"]

pytestmark = pytest.mark.timeout(420)  # five starts of a real Prefect, on a busy machine


@dataclass
class Running:
    """One `duban up` on a data folder."""

    home: Path
    project: Project
    port: int = field(default_factory=free_port)
    portal: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DUBAN_HOME": str(self.home),
            "DUBAN_AGENCIES": str(self.project.agencies),
            "DUBAN_NOTICES": str(self.project.folder / "deployments"),
            "DUBAN_PREFECT_PORT": str(self.port),
            "DUBAN_PORTAL_PORT": str(self.portal),
        }

    @property
    def printed(self) -> str:
        log = self.home.parent / "up.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def start(self) -> None:
        self.home.mkdir(exist_ok=True)
        with (self.home.parent / "up.log").open("wb") as sink:
            self.process = subprocess.Popen(
                [*DUBAN, "up"], cwd=PROJECT, env=self.environment, stdout=sink, stderr=sink
            )

    def wait_for(self, words: str, seconds: float = 150) -> None:
        assert self.process is not None
        end = time.monotonic() + seconds
        while words not in self.printed:
            assert self.process.poll() is None, f"it ended:\n{self.printed}"
            assert time.monotonic() < end, f"no '{words}' within {seconds} s:\n{self.printed}"
            time.sleep(0.1)

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(60)

    def duban(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*DUBAN, *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @property
    def auth(self) -> str:
        """What opens its Prefect."""
        return credential(self.home)

    @property
    def stage(self) -> Stage:
        return Stage(f"http://127.0.0.1:{self.port}/api", auth=self.auth)

    @property
    def ledger(self) -> Ledger:
        return Ledger(open_database(f"sqlite:///{self.home / 'ledger.db'}"), self.project.load())


@pytest.fixture
def up(tmp_path: Path, project: Project) -> Iterator[Running]:
    running = Running(tmp_path / "var", project)
    yield running
    if running.process and running.process.poll() is None:
        with suppress(ProcessLookupError):
            running.end(signal.SIGTERM)


def letters(running: Running) -> list[str]:
    return sorted(path.name for path in (running.home / "letters").rglob("*.eml"))


def children_of(home: Path) -> list[str]:
    """Command lines of processes whose environment names this data folder."""
    found: list[str] = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if str(home).encode() in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_bytes().decode())
    return found


def test_killed_at_any_moment_it_loses_nothing_and_opens_nothing_twice(up: Running) -> None:
    # Seconds after the start: while the ledger is made, while Prefect starts, while it registers.
    for seconds in (1.2, 2.5, 9.0):
        up.start()
        time.sleep(seconds)
        up.end(signal.SIGKILL)
    up.start()
    up.wait_for("duban ready")
    up.end(signal.SIGKILL)  # in the middle of the mirror
    up.start()
    up.wait_for("duban mirrored")
    ledger = up.ledger
    found = duties(ledger)
    assert len(found) == len({(d.clause_key, d.cycle, d.agency.id, d.period) for d in found}) == 10
    assert re.search(r"expected 10, opened 0", up.printed)
    with reading(ledger.engine) as connection:
        assert first_broken_link(connection) is None
        sent = connection.exec_driver_sql("SELECT count(*) FROM letter WHERE state='sent'").scalar()
        waiting = connection.exec_driver_sql(
            "SELECT count(*) FROM letter WHERE state='pending'"
        ).scalar()
    assert len(letters(up)) == sent
    # A letter that was in the hands of a killed process goes out when its lease is over.
    assert waiting == 0 or len(letters(up)) < (sent or 0) + waiting
    with up.stage as stage:
        runs = list(stage.read_runs(["duty"]))
    assert len(runs) == len({run.idempotency_key for run in runs}) == 10

    portal = f"http://127.0.0.1:{up.portal}"
    assert httpx.get(f"{portal}/health").text == "ok"
    assert "sign in as admin with the one-time password" in up.printed or "account reset" in (
        up.printed
    )

    # What an agency hands in shows in the UI within seconds.
    late = next(duty for duty in found if duty.clause.id == "2")
    told = up.duban("submit", str(late.id), "--field", "share=96/100", "--by", late.agency.name)
    assert told.returncode == 0, told.stderr
    end = time.monotonic() + 20
    with up.stage as stage:
        while stage.count_runs(["duty"], "UnderReview") != 1:
            assert time.monotonic() < end
            time.sleep(0.2)

    # A second one on the same folder is refused, and disturbs nothing.
    second = up.duban("up")
    assert second.returncode == 1
    assert "Another duban up is running" in second.stderr

    board_ended_red(up)
    assert up.process is not None
    up.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert up.end(signal.SIGINT) == 0  # an impatient second Ctrl-C leaves nothing half stopped
    assert "Traceback" not in up.printed
    assert "duban stopped" in up.printed
    assert children_of(up.home) == []


def board_ended_red(up: Running) -> None:
    """The board run, executed by the real worker, ends FAILED and says how many are overdue today,
    with or without the one that was answered meanwhile."""
    ledger = up.ledger
    count = Today(ledger, pendulum.now("UTC")).count(Selection(state=State.OVERDUE))
    ledger.engine.dispose()
    end = time.monotonic() + 90
    wanted = {"flows": {"name": {"any_": ["board"]}}, "sort": "END_TIME_DESC"}
    with prefect_client(f"http://127.0.0.1:{up.port}/api", up.auth) as api:
        while True:
            runs = api.post("/flow_runs/filter", json=wanted).json()
            if ended := [run for run in runs if run["end_time"]]:
                assert ended[0]["state_type"] == "FAILED", ended[0]["state"]
                assert ended[0]["state_name"] in (f"超期 {count}", f"超期 {count + 1}")
                return
            assert time.monotonic() < end, up.printed
            time.sleep(0.5)


def test_a_taken_port_is_one_sentence_and_leaves_the_ledger_alone(up: Running) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", up.port))
        taken.listen()
        told = up.duban("up")
    assert told.returncode == 1
    assert "DUBAN_PREFECT_PORT" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_fault_in_the_files_stops_it_before_anything_starts(up: Running) -> None:
    up.project.edit(up.project.clauses, "title: 家长课堂", "titel: 家长课堂")
    told = up.duban("up")
    assert told.returncode == 1
    assert "clauses.yaml:" in told.stderr
    assert not (up.home / "ledger.db").exists()
