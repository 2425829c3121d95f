"""The mirror behind a network that cuts, delays, refuses and swallows answers: it converges."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from deployments.embedded import Embedded
from deployments.register import register
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.database import make_engine
from duban.ledger.lease import LEASE, take, turn_of
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties, events
from duban.mirror import STATES, face
from duban.registry import Registry
from tasks.mirror import WORK, Synced, forget, sync
from tasks.stage import Stage, StageError
from tasks.turn import turn
from tests.conftest import PROJECT, china

NOW = china("2026-11-24")
SEEDS = 6
MORE_SEEDS = 60
NOBODY = "00000000-0000-0000-0000-000000000000"

Plan = Callable[[int], str]
"""What happens to the nth call: pass, refuse (503), cut (before it), swallow (its answer), slow."""


@dataclass
class Line:
    """A line to a server that is not always good; `plan` says what happens to each call."""

    server: Embedded
    plan: Plan = lambda n: "pass"
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def be(self, plan: Plan) -> None:
        """From here on; calls are counted anew."""
        self.plan, self.calls = plan, 0

    def next(self) -> str:
        with self.lock:
            self.calls += 1
            return self.plan(self.calls)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    line: ClassVar[Line]

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        fate = self.line.next()
        if fate == "cut":
            self.close_connection = True
            return
        if fate == "refuse":
            self._answer(503, {"Content-Type": "text/plain"}, b"busy")
            return
        if fate == "slow":
            threading.Event().wait(0.05)
        status, headers, answer = self._ask(body)
        if fate == "swallow":
            self.close_connection = True
            return
        self._answer(status, headers, answer)

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        there = HTTPConnection("127.0.0.1", self.line.server.port, timeout=60)
        kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        there.request(self.command, self.path, body, kept)
        answer = there.getresponse()
        content = answer.read()
        there.close()
        wanted = ("content-type", "content-encoding")
        headers = {k: v for k, v in answer.getheaders() if k.lower() in wanted}
        return answer.status, headers, content

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass_on  # noqa: N815


def good(n: int) -> str:
    return "pass"


def only(k: int, fate: str) -> Plan:
    """The kth call meets its fate."""
    return lambda n: fate if n == k else "pass"


@pytest.fixture(scope="module")
def line(prefect_server: Embedded) -> Iterator[tuple[Line, str]]:
    """The line and the address at its near end."""
    line = Line(prefect_server)
    handler = type("Handler", (_Handler,), {"line": line})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield line, f"http://127.0.0.1:{server.server_address[1]}/api"
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Play:
    """A ledger of two duties, its stage behind the line, and the same stage seen directly."""

    ledger: Ledger
    line: Line
    behind: Stage
    stage: Stage
    deployments: dict[str, str]

    def sync(self) -> Synced:
        return sync(self.ledger, self.behind, self.deployments, NOW)

    def sync_somehow(self) -> None:
        """Until one gets through, or twenty did not."""
        for _ in range(20):
            try:
                self.sync()
            except StageError:
                continue
            return

    def decide(self) -> None:
        """Two more duties; one is answered, another gets a new due day, a third a new state."""
        open_missing(self.ledger, NOW, clause="small/5")
        answered, moved, waived, _ = sorted(one.id for one in duties(self.ledger))
        evidence = Checked({"share": [96, 100]}, ())
        agency = duties(self.ledger, ids=[answered])[0].agency.id
        acts.submit(self.ledger, answered, evidence, [], by=agency, now=NOW)
        until = date(2026, 12, 31)
        acts.extend(self.ledger, moved, due_on=until, reason="在招聘", by="李", now=NOW)
        acts.waive(self.ledger, waived, reason="已撤并", by="李", now=NOW)

    def shown(self) -> list[tuple[object, ...]]:
        return sorted(
            (
                run.idempotency_key,
                run.name,
                run.state_type,
                run.state_name,
                run.message,
                *sorted(run.tags),
            )
            for run in self.stage.read_runs(["duty"])
        )

    def wanted(self) -> list[tuple[object, ...]]:
        faces = [face(view, NOW) for view in duties(self.ledger)]
        return sorted(
            (one.key, one.name, STATES[one.state], one.state, one.message, *sorted(set(one.tags)))
            for one in faces
        )

    def repeated_lines(self) -> list[object]:
        ids = [run.id for run in self.stage.read_runs(["duty"])]
        said = Counter((one.run_id, one.message) for one in self.stage.read_logs(ids))
        return [one for one, times in said.items() if times > 1]

    def lines(self) -> int:
        ids = [run.id for run in self.stage.read_runs(["duty"])]
        return len(list(self.stage.read_logs(ids)))

    def accused(self) -> list[str]:
        return [
            one.action for one in events(self.ledger) if one.action in ("interfered", "restaged")
        ]


@pytest.fixture(scope="module")
def deployments(stage: Stage, small: Registry) -> dict[str, str]:
    return dict(register(small, stage, PROJECT, NOW.date()).clauses)


@pytest.fixture
def play(
    stage: Stage,
    line: tuple[Line, str],
    deployments: dict[str, str],
    prefect_server: Embedded,
    sqlite_url: str,
    small: Registry,
) -> Iterator[Play]:
    ledger = Ledger(make_engine(sqlite_url), small)
    clear(stage)
    open_missing(ledger, NOW, clause="small/2")
    line[0].be(good)
    with Stage(line[1], auth=prefect_server.auth, sleep=lambda seconds: None) as behind:
        yield Play(ledger, line[0], behind, stage, deployments)
    ledger.engine.dispose()


def clear(stage: Stage) -> None:
    for run in list(stage.read_runs(["duty"])):
        stage.delete_run(run.id)


def assert_converged(play: Play) -> None:
    """One undisturbed sync brings all to what the ledger says; a second has nothing to do."""
    play.line.be(good)
    play.sync()
    assert play.shown() == play.wanted()
    assert play.repeated_lines() == []
    assert play.lines() >= len(events(play.ledger))
    assert play.accused() == []
    assert play.sync().writes == 0


@pytest.mark.parametrize(
    "seed",
    [
        *range(SEEDS),
        *(pytest.param(n, marks=pytest.mark.soak) for n in range(SEEDS, MORE_SEEDS)),
    ],
)
def test_whatever_the_network_does_the_stage_comes_to_what_the_ledger_says(
    play: Play, seed: int
) -> None:
    dice = random.Random(seed)
    fates = ["pass"] * 12 + ["cut", "swallow", "refuse", "slow"]
    play.line.be(lambda n: dice.choice(fates))
    play.sync_somehow()
    play.decide()
    play.sync_somehow()
    assert_converged(play)


@pytest.mark.parametrize("fate", ["cut", "swallow"])
def test_a_break_at_any_one_call_costs_nothing_but_another_sync(play: Play, fate: str) -> None:
    play.behind.delete_run(NOBODY)  # signed in
    play.line.be(good)
    play.sync()
    calls = play.line.calls
    assert calls >= 5  # read, create, lines, and two cards; a busy SQLite is asked again
    for k in range(1, calls + 1):
        clear(play.stage)
        forget(play.ledger)
        play.line.be(only(k, fate))
        with contextlib.suppress(StageError):
            play.sync()
        assert_converged(play)


def test_a_stage_that_is_down_takes_nothing_from_the_ledger(play: Play) -> None:
    play.line.be(lambda n: "cut")
    for _ in range(3):
        with pytest.raises(StageError):
            play.sync()
    play.decide()
    assert {view.status for view in duties(play.ledger)} == {"open", "submitted", "waived"}
    assert_converged(play)


def test_a_stage_that_was_emptied_is_filled_again_and_that_is_noted_once(play: Play) -> None:
    play.sync()
    clear(play.stage)
    play.sync()
    assert play.shown() == play.wanted()
    assert play.accused() == ["restaged"]


def test_of_many_syncs_at_once_one_works_and_the_others_find_nothing_left(
    play: Play, prefect_server: Embedded
) -> None:
    ready = threading.Barrier(4)

    def one(_: int) -> Synced:
        with Stage(prefect_server.api_url, auth=prefect_server.auth) as own:
            ready.wait(30)
            return sync(play.ledger, own, play.deployments, NOW, patience=60)

    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(one, range(4)))
    assert sorted(one.made for one in sent) == [0, 0, 0, 2]
    assert play.shown() == play.wanted()
    assert play.repeated_lines() == []


def test_a_sync_leaves_the_work_to_another_that_is_at_it(play: Play) -> None:
    with turn(play.ledger, WORK, 0):
        sent = sync(play.ledger, play.stage, play.deployments, NOW, patience=0)
    assert sent.elsewhere
    assert sent.writes == 0


def test_a_sync_that_was_taken_for_dead_stops_at_its_next_step(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(done: int, of: int) -> None:
        later = datetime.now(UTC) + 2 * LEASE
        monkeypatch.setattr("tasks.turn._now", lambda: later)
        was = turn_of(play.ledger, WORK)
        assert take(play.ledger, WORK, was, "elsewhere:1:x", later)

    sent = sync(play.ledger, play.stage, play.deployments, NOW, progress=too_long)
    assert sent.elsewhere
    assert (sent.made, sent.lines, sent.cards) == (2, 0, 0)
    later = datetime.now(UTC) + 5 * LEASE
    monkeypatch.setattr("tasks.turn._now", lambda: later)
    assert_converged(play)
