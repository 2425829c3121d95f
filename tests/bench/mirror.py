"""The mirror on a real Prefect, against a bare client that makes the very same calls.

Every call of a sync is written down, and then made again by a client that only sends: other run
ids and keys, nothing else. The idle sync is timed against a server that answers at once.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, insert, make_url, select

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
from tasks.stage import Stage
from tests.bench.common import tell, timed
from tests.bench.postgres import postgres
from tests.bench.sweep import NOW, ledger_with
from tests.servers import free_port

PROJECT = Path(__file__).parents[2]
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_rounds = count()


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
    """A Prefect with the clauses registered."""

    url: str
    auth: str
    deployments: dict[str, str]


@contextmanager
def prefect(kind: str, registry: Registry) -> Generator[Server]:
    """A server on SQLite or PostgreSQL, for as long as a block lasts."""
    with tempfile.TemporaryDirectory() as folder, prefect_database(kind) as database:
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
            yield Server(stage.url, auth, dict(done.clauses))
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def prefect_database(kind: str) -> Generator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    with postgres() as url:
        there = make_url(url).set(drivername="postgresql+asyncpg")
        address = there.render_as_string(hide_password=False)
        yield {"PREFECT_SERVER_DATABASE_CONNECTION_URL": address}


def wait(stage: Stage) -> None:
    end = time.monotonic() + 300
    while not stage.healthy():
        assert time.monotonic() < end
        time.sleep(0.2)


def mirror_against_bare_calls(
    registry: Registry,
    duties: int | None = None,
    rounds: int = 3,
    kinds: tuple[str, ...] = ("sqlite",),
) -> None:
    """A first sync of every duty of the real notice, or of so many, against its bare calls."""
    for kind in kinds:
        ratios: list[float] = []
        calls: list[Call] = []
        with prefect(kind, registry) as server:
            for _ in range(rounds):
                with ledger_of(registry, duties, kind) as ledger:
                    ours, calls = first_sync(ledger, server)
                clear(server)
                ratios.append(ours / bare(server, calls))
                clear(server)
        many = f"{sum(len(made(call.answer)) for call in calls if is_creation(call)):,}"
        tell(
            f"first mirror of {many} on {kind} / the same calls bare", ratios, f"{len(calls)} calls"
        )


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


def first_sync(ledger: Ledger, server: Server) -> tuple[float, list[Call]]:
    """Seconds of a sync of everything, and its calls."""
    recorder = Recorder()
    with reading(ledger.engine) as connection:
        wanted = connection.scalar(select(func.count()).select_from(Duty))
    with Stage(server.url, auth=server.auth, transport=recorder) as stage:
        stage.count_runs([])  # signed in, and connected
        stage.delete_run("00000000-0000-0000-0000-000000000000")
        recorder.calls.clear()
        sent: list[Synced] = []
        seconds = timed(
            lambda: sent.append(sync(ledger, stage, server.deployments, NOW, limit=1_000_000))
        )
        assert sent[0].made == sent[0].cards == wanted
        assert stage.count_runs(["duty"]) == wanted
        assert sync(ledger, stage, server.deployments, NOW, limit=1_000_000).writes == 0
    with_answers = [
        one
        for one in recorder.calls
        if one.answer.is_success and (not is_creation(one) or whole(one.answer))
    ]
    return seconds, with_answers[: last_change(with_answers)]


def last_change(calls: list[Call]) -> int:
    """How many calls there are up to the last that changed something."""
    changing = [n for n, one in enumerate(calls) if "/artifacts" in one.path]
    return changing[-1] + 1


def bare(server: Server, calls: list[Call]) -> float:
    """Seconds of the same calls by a client that only sends."""
    user, _, password = server.auth.partition(":")
    prefix = f'"idempotency_key":"bare-{next(_rounds)}-'
    known: dict[str, str] = {}
    with httpx.Client(auth=(user, password), timeout=90, trust_env=False) as client:
        sign_in(client, server)
        base = server.url.removesuffix("/api")

        def send_all() -> None:
            for call in calls:
                body = _ID.sub(lambda found: known.get(found[0], found[0]), call.body)
                body = body.replace('"idempotency_key":"', prefix)
                answer = send(client, call.method, f"{base}{call.path}", body)
                while is_creation(call) and not whole(answer):  # a locked SQLite
                    answer = send(client, call.method, f"{base}{call.path}", body)
                if is_creation(call):
                    known.update(zip(made(call.answer), made(answer), strict=True))

        return timed(send_all)


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


def clear(server: Server) -> None:
    """Takes every duty's run away, one by one: a bulk of them ended the server more than once."""
    with Stage(server.url, auth=server.auth) as stage:
        for run in list(stage.read_runs(["duty"])):
            stage.delete_run(run.id)


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
    scene = _scene(ledger, {}, "", LIMIT)
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
