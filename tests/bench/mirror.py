"""The mirror on a real Prefect, against a bare client that makes the very same calls.

Every call of a sync is written down, and then made again by a client that only sends, to another
server that was just started: other ids, nothing else. The idle sync is timed against a server
that answers at once.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, insert, select

from deployments.embedded import POOL, credential, prefect_environment
from deployments.register import register
from duban.ledger import Ledger
from duban.ledger.database import open_database, reading
from duban.ledger.opening import open_missing
from duban.ledger.staging import Seen, remember_seen, staged
from duban.ledger.tables import Duty, History, MirrorRun
from duban.mirror import STATES, kept_since
from duban.registry import Registry
from tasks.mirror import DUTY_QUEUE, LIMIT, Synced, _scene, sync  # pyright: ignore[reportPrivateUsage]
from tasks.stage import LogLine, NewRun, Stage, StateSpec
from tests.bench.common import tell, timed
from tests.bench.postgres import installed_postgres, installed_programs
from tests.bench.sweep import NOW, ledger_with
from tests.servers import free_port

PROJECT = Path(__file__).parents[2]
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a sync, with what was answered."""

    method: str
    path: str
    body: str
    answer: httpx.Response


@dataclass
class Recorder(httpx.BaseTransport):
    """Passes calls on and writes them down."""

    calls: list[Call] = field(default_factory=list[Call])
    inner: httpx.HTTPTransport = field(default_factory=httpx.HTTPTransport)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        answer.read()
        path = request.url.raw_path.decode()
        self.calls.append(Call(request.method, path, request.read().decode(), answer))
        return answer


@dataclass(frozen=True, slots=True)
class Server:
    """A Prefect with the clauses registered, and the processes that do its work."""

    url: str
    auth: str
    deployments: dict[str, str]
    processes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that calls took: on the wall, of the client's processor, of the server's."""

    wall: float
    client: float
    server: float

    @property
    def work(self) -> float:
        """Seconds of the processor, whatever else the machine is doing."""
        return self.client + self.server

    def __str__(self) -> str:
        return f"{self.wall:.1f} s (processor: {self.client:.1f} here, {self.server:.1f} there)"


@contextmanager
def prefect(kind: str, registry: Registry) -> Generator[Server]:
    """A server on an empty SQLite or PostgreSQL, warm, for as long as a block lasts."""
    with tempfile.TemporaryDirectory() as folder, prefect_database(kind) as (database, others):
        home, port = Path(folder), free_port()
        auth = credential(home)
        server = subprocess.Popen(
            [sys.executable, "-m", "deployments.server"],
            cwd=PROJECT,
            env={**os.environ, **prefect_environment(home, port, auth), **database},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            with Stage(f"http://127.0.0.1:{port}/api", auth=auth) as stage:
                wait(stage)
                stage.ensure_pool(POOL)
                stage.ensure_queue(POOL, DUTY_QUEUE, paused=True)
                done = register(registry, stage, PROJECT, NOW.date())
                warm(stage, next(iter(done.clauses.values())))
            yield Server(stage.url, auth, dict(done.clauses), (server.pid, *others))
        finally:
            server.terminate()
            server.wait(60)


@contextmanager
def prefect_database(kind: str) -> Generator[tuple[dict[str, str], list[int]]]:
    if kind == "sqlite":
        yield {}, []
        return
    with installed_postgres() as there:
        yield {"PREFECT_SERVER_DATABASE_CONNECTION_URL": there.url}, [there.process]


def wait(stage: Stage) -> None:
    end = time.monotonic() + 300
    while not stage.healthy():
        assert time.monotonic() < end
        time.sleep(0.2)


def warm(stage: Stage, deployment: str) -> None:
    """One run comes and goes: the first of each kind of call takes longer."""
    new = NewRun(deployment, "warm", "warm", StateSpec("PAUSED", "Warm"), DUTY_QUEUE)
    run = stage.create_runs([new])["warm"]
    stage.write_logs([LogLine(run, NOW, 20, "warm")])
    stage.delete_artifact(stage.put_artifact("warm", "markdown", "warm", run_id=run))
    stage.delete_run(run)


def mirror_against_bare_calls(
    registry: Registry,
    duties: int | None = None,
    rounds: int = 3,
    kinds: tuple[str, ...] = ("sqlite", "postgresql"),
) -> None:
    """A first sync of every duty of the real notice, or of so many, against its bare calls.

    Each has a server of its own that has just been started, so that none finds more there.
    """
    pairs: dict[str, list[tuple[Cost, Cost]]] = {kind: [] for kind in kinds if can(kind)}
    calls: list[Call] = []
    for _ in range(rounds):
        for kind, costs in pairs.items():
            with prefect(kind, registry) as server, ledger_of(registry, duties, kind) as ledger:
                ours, calls = first_sync(ledger, server)
                before = server.deployments
            with prefect(kind, registry) as server:
                costs.append((ours, bare(server, calls, before)))
    many = f"{sum(len(made(call.answer)) for call in calls if is_creation(call)):,}"
    for kind, costs in pairs.items():
        what = f"first mirror of {many} on {kind} / the same calls bare"
        tell(what, [ours.wall / floor.wall for ours, floor in costs], f"{len(calls)} calls")
        tell("  in processor time", [ours.work / floor.work for ours, floor in costs], "both sides")
        ours, floor = costs[-1]
        print(f"  the last: {ours}; bare: {floor}; load {os.getloadavg()[0]:.1f}")


def can(kind: str) -> bool:
    """Whether this machine has the database; says so if not."""
    able = kind == "sqlite" or installed_programs() is not None
    if not able:
        print(f"first mirror on {kind}: install the distribution's postgresql to measure it")
    return able


def cost_of(server: Server, run: Callable[[], object]) -> Cost:
    there, here = processor_time(server.processes), time.process_time()
    wall = timed(run)
    return Cost(wall, time.process_time() - here, processor_time(server.processes) - there)


def processor_time(processes: Iterable[int]) -> float:
    """Seconds of processes and their children, those that have ended too."""
    ticks = 0
    for one in processes:
        children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        ticks += sum(_ticks(one)) + sum(sum(_ticks(int(child))[:2]) for child in children)
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> list[int]:
    """Of a process, as user and as system; the same of its children that have ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return []
    return [int(one) for one in fields[11:15]]


@contextmanager
def ledger_of(registry: Registry, duties: int | None, kind: str) -> Generator[Ledger]:
    if duties is not None:
        with ledger_with(registry, duties, kind) as ledger:
            write_history(ledger)
            yield ledger
        return
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(open_database(f"sqlite:///{folder}/ledger.db"), registry)
        open_missing(ledger, NOW)
        yield ledger
        ledger.engine.dispose()


def write_history(ledger: Ledger) -> None:
    """That every duty was opened."""
    with reading(ledger.engine) as connection:
        ids = connection.execute(select(Duty.id, Duty.due_at).order_by(Duty.id)).all()
    rows = [
        {
            "seq": seq,
            "at": NOW - timedelta(days=1),
            "actor": "duban",
            "action": "opened",
            "duty_id": one.id,
            "data": {"due": one.due_at.isoformat()},
            "text_sha256": None,
            "hash": "",
        }
        for seq, one in enumerate(ids, start=1)
    ]
    with ledger.engine.begin() as connection:
        for start in range(0, len(rows), 10_000):
            connection.execute(insert(History), rows[start : start + 10_000])


def first_sync(ledger: Ledger, server: Server) -> tuple[Cost, list[Call]]:
    """What a sync of everything costs, and its calls."""
    recorder = Recorder()
    with reading(ledger.engine) as connection:
        wanted = connection.scalar(select(func.count()).select_from(Duty))
    with Stage(server.url, auth=server.auth, transport=recorder) as stage:
        stage.count_runs([])  # signed in, and connected
        stage.delete_run("00000000-0000-0000-0000-000000000000")
        recorder.calls.clear()
        sent: list[Synced] = []
        cost = cost_of(
            server,
            lambda: sent.append(sync(ledger, stage, server.deployments, NOW, limit=1_000_000)),
        )
        assert sent[0].made == sent[0].cards == wanted
        assert stage.count_runs(["duty"]) == wanted
        assert sync(ledger, stage, server.deployments, NOW, limit=1_000_000).writes == 0
    with_answers = [
        one
        for one in recorder.calls
        if one.answer.is_success and (not is_creation(one) or whole(one.answer))
    ]
    return cost, with_answers[: last_change(with_answers)]


def last_change(calls: list[Call]) -> int:
    """How many calls there are up to the last that changed something."""
    changing = [n for n, one in enumerate(calls) if "/artifacts" in one.path]
    return changing[-1] + 1


def bare(server: Server, calls: list[Call], before: Mapping[str, str]) -> Cost:
    """What the same calls cost by a client that only sends; `before`: the clauses' ids there."""
    user, _, password = server.auth.partition(":")
    known = {there: server.deployments[clause] for clause, there in before.items()}
    with httpx.Client(auth=(user, password), timeout=90, trust_env=False) as client:
        sign_in(client, server)
        base = server.url.removesuffix("/api")

        def here(text: str) -> str:
            return _ID.sub(lambda found: known.get(found[0], found[0]), text)

        def send_all() -> None:
            for call in calls:
                url, body = f"{base}{here(call.path)}", here(call.body)
                answer = send(client, call.method, url, body)
                while is_creation(call) and not whole(answer):  # a locked SQLite
                    answer = send(client, call.method, url, body)
                if is_creation(call):
                    known.update(zip(made(call.answer), made(answer), strict=True))

        return cost_of(server, send_all)


def sign_in(client: httpx.Client, server: Server) -> None:
    secret = client.get(f"{server.url}/csrf-token?client=bare").json()["token"]
    client.headers.update({"Prefect-Csrf-Client": "bare", "Prefect-Csrf-Token": secret})


def send(client: httpx.Client, method: str, url: str, body: str) -> httpx.Response:
    as_json = {"Content-Type": "application/json"}
    answer = client.request(method, url, content=body.encode(), headers=as_json)
    assert answer.is_success, answer.text[:300]
    return answer


def is_creation(call: Call) -> bool:
    return call.path.endswith("/create_flow_run/bulk")


def whole(answer: httpx.Response) -> bool:
    """Whether every run of a bulk answer was made."""
    return all(one["status"] == "CREATED" for one in answer.json()["results"])


def made(answer: httpx.Response) -> list[str]:
    return [str(one["flow_run_id"]) for one in answer.json()["results"]]


# The idle sync.


def idle_mirror(registry: Registry, sizes: tuple[int, ...] = (1_000, 10_000, 100_000)) -> None:
    """A sync with nothing to do: its own work and its questions, at growing ledgers."""
    for size in sizes:
        with ledger_with(registry, size, "sqlite") as ledger:
            write_history(ledger)
            shown = as_if_mirrored(ledger)
            asked: list[str] = []
            with Stage("http://stage/api", transport=at_once(ledger, asked)) as stage:
                assert sync(ledger, stage, {}, NOW).writes == 0
                asked.clear()
                seconds = [worked(partial(sync, ledger, stage, {}, NOW)) for _ in range(15)]
            print(
                f"idle mirror, {size:,} duties in the ledger, {shown:,} on the stage: "
                f"{statistics.median(seconds) * 1000:.0f} ms of processor, "
                f"{len(asked) // 15} questions"
            )


def worked(run: Callable[[], object]) -> float:
    """Seconds of this process's processor time: other programs do not count."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def as_if_mirrored(ledger: Ledger) -> int:
    """Notes that everything stands on the stage as it should; how many runs that are."""
    total = 0
    with reading(ledger.engine) as connection:
        total = connection.scalar(select(func.count()).select_from(Duty)) or 0
        head = connection.scalar(select(func.max(History.seq))) or 0
    crowded = total > LIMIT
    since = kept_since(NOW, ledger.registry.first_notice.zone, crowded=crowded)
    ids = sorted(staged(ledger, NOW, since, crowded=crowded, ids=None))
    rows: list[dict[str, Any]] = [
        {
            "duty_id": one,
            "run_id": f"{one}",
            "revision": "",
            "state": "Overdue",
            "face": "",
            "card": "",
        }
        for one in ids
    ]
    with ledger.engine.begin() as connection:
        connection.execute(insert(MirrorRun), rows)
    today = ledger.registry.today(NOW).isoformat()
    scene = _scene(ledger, {}, {}, "", LIMIT)
    remember_seen(ledger, Seen(head, NOW.isoformat(), scene, today, crowded))
    return len(ids)


def at_once(ledger: Ledger, asked: list[str]) -> httpx.MockTransport:
    """A stage on which every run is overdue."""
    with reading(ledger.engine) as connection:
        total = connection.scalar(select(func.count()).select_from(MirrorRun))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":  # the form secret, which it does not ask for
            return httpx.Response(200, json={})
        asked.append(request.url.path)
        body = request.content.decode()
        other = any(f'"{name}"' in body for name in STATES if name != "Overdue")
        return httpx.Response(200, json=0 if other else total)

    return httpx.MockTransport(answer)
