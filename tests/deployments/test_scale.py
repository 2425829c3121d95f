"""Duban on several machines, as compose.yaml has it: two servers, two workers, one of them lost."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import func, select

from deployments.entry import filled
from deployments.server import HEADERS
from duban.ledger.audit import verify
from duban.ledger.database import reading
from duban.ledger.letterbox import speaking_time
from duban.ledger.outbox import LEASE
from duban.ledger.tables import Duty, History, Letter, Mention
from duban.office import Office, open_office
from tasks.stage import Stage
from tests.conftest import PROJECT, Project
from tests.deployments.composed import services
from tests.servers import Drip, SmtpSink, free_port

PATIENCE = 240.0  # seconds; on an idle machine everything together takes a quarter of it
MARK = "DUBAN_SCALE_TEST"
POST_OFFICES = (
    "东/妇联",
    "西/妇联",
    "东/教育",
    "西/教育",
    "东/共青团",
    "西/共青团",
    "省/教育",
    "省/妇联",
)
A_LETTER = 1.5  # seconds that the slow mail server takes over one


def missing() -> str:
    """Why this machine cannot do it; empty when it can."""
    lacking = [name for name in ("redis-server",) if not shutil.which(name)]
    if not postgres_programs():
        lacking.append("postgresql with pg_trgm")
    return f"NO {' AND NO '.join(lacking)}, so nothing is tried on several machines" * bool(lacking)


def postgres_programs() -> Path | None:
    """Where the newest PostgreSQL of the distribution is; wheels come without pg_trgm."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@dataclass
class Machines:
    """Processes that stand for machines, with the commands and environment of compose.yaml."""

    folder: Path
    project: Project
    places: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(
        default_factory=dict[str, "subprocess.Popen[bytes]"]
    )
    gone: set[str] = field(default_factory=lambda: {"migrate"})

    def environment(self, service: str, **others: str) -> dict[str, str]:
        """What the file says, with this machine's addresses."""
        given: dict[str, str] = dict(services()[service]["environment"])
        for name, value in given.items():
            for there, here in self.places.items():
                value = value.replace(there, here)
            given[name] = value
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "DUBAN_"))
        }
        return {
            **inherited,
            **given,
            "PREFECT_HOME": str(self.folder / "prefect"),
            "SECRETS": str(self.folder / "secrets"),
            "PYTHONPATH": str(PROJECT),
            "PATH": f"{Path(sys.executable).parent}:{inherited['PATH']}",
            **others,
        }

    def start(self, service: str, name: str = "", **others: str) -> subprocess.Popen[bytes]:
        """Starts one of a service; its output goes into a file of its name."""
        name = name or service
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "deployments.entry", *services()[service]["command"]],
                cwd=self.project.folder,
                env=self.environment(service, **others, **{MARK: name}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.running[name]

    def wait(self, what: str, ready: Callable[[], object]) -> None:
        """Until something is so; not longer than everything lives."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                if ready():
                    return
            for name, process in self.running.items():
                if name not in self.gone and process.poll() is not None:
                    raise AssertionError(f"{name} ended by itself:\n{self.said(name)[-3000:]}")
            time.sleep(0.2)
        raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        return self.log(name).read_text(errors="replace")

    def lose(self, name: str) -> None:
        """All of its processes end at once, flow runs too, as when the power goes."""
        self.gone.add(name)
        for pid in list(marked(name)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.running[name].wait(10)

    def stop(self) -> None:
        for name in list(self.running):
            self.lose(name)


def marked(name: str) -> Iterator[int]:
    """The processes of a machine."""
    wanted = f"{MARK}={name}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if wanted in environ.read_bytes().split(b"\0"):
                yield int(environ.parent.name)


@contextmanager
def redis(password: str) -> Generator[int]:
    """A Redis on loopback, configured through a pipe as in compose.yaml; its port."""
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/tmp"
    )
    assert server.stdin
    server.stdin.write(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\n'.encode())
    server.stdin.close()
    try:
        yield port
    finally:
        server.kill()
        server.wait()


@contextmanager
def postgresql(password: str) -> Generator[int]:
    """A PostgreSQL on loopback with the two databases; its port."""
    programs = postgres_programs()
    assert programs
    port = free_port()
    folder = Path("/tmp") / f"duban-scale-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o755)
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o644)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    control = str(programs / "pg_ctl")
    data = str(folder / "data")
    try:
        run(
            str(programs / "initdb"), "-D", data, "-U", "duban", "-A", "scram-sha-256",
            f"--pwfile={folder / 'password'}", "--no-sync", "--locale=C", "--encoding=UTF8",
        )  # fmt: skip
        run(control, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        url = f"postgresql://duban:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
        for name in ("duban", "prefect"):
            run(str(programs / "psql"), "-q", url, "-c", f"CREATE DATABASE {name}")
        yield port
    finally:
        with suppress(subprocess.CalledProcessError):
            run(control, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as found:
        text = "250 taken"
        found.always("dot", Drip(text, A_LETTER / len(text)))
        yield found


@pytest.fixture
def project_with_mail(project: Project) -> Project:
    """Every agency has a mailbox."""
    boxes = "".join(
        f"  {name}: {{contact: {{channel: office{n}@example.org}}}}\n"
        for n, name in enumerate(POST_OFFICES)
    )
    project.edit(project.agencies, "  东/共青团: {contact: {channel: youth@example.org}}\n", boxes)
    return project


@pytest.fixture
def machines(tmp_path: Path, project_with_mail: Project, sink: SmtpSink) -> Iterator[Machines]:
    """Databases that run, and everything else ready to be started."""
    if why := missing():
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    hidden = {
        "postgres_password": "p/s:w@rd" + secrets.token_hex(4),
        "redis_password": secrets.token_hex(16),
        "prefect_auth": f"duban:{secrets.token_urlsafe(16)}",
        "duban_secret": secrets.token_hex(32),
        "mail_sender": sink.sender,
    }
    folder = tmp_path / "machines"
    (folder / "secrets").mkdir(parents=True)
    for name, content in hidden.items():
        (folder / "secrets" / name).write_text(f"{content}\n")
    with ExitStack() as stack:
        database = stack.enter_context(postgresql(hidden["postgres_password"]))
        broker = stack.enter_context(redis(hidden["redis_password"]))
        places = {
            "postgres:5432": f"127.0.0.1:{database}",
            "redis:6379": f"127.0.0.1:{broker}",
            "/var/lib/duban": str(folder / "home"),
        }
        found = Machines(folder, project_with_mail, places)
        stack.callback(found.stop)
        yield found


def serve(machines: Machines) -> "tuple[Api, Api]":
    """Migrates, and starts two servers and the services."""
    assert machines.start("migrate").wait(PATIENCE) == 0, machines.said("migrate")
    urls: list[str] = []
    for n in (1, 2):
        port = free_port()
        urls.append(f"http://127.0.0.1:{port}/api")
        machines.start(
            "prefect-server",
            f"server-{n}",
            PREFECT_SERVER_API_HOST="127.0.0.1",
            PREFECT_SERVER_API_PORT=str(port),
        )
    machines.places["http://prefect-server:4200/api"] = urls[0]
    for url in urls:
        machines.wait(url, lambda url=url: httpx.get(f"{url}/health", trust_env=False).is_success)
    pages = [httpx.get(url.removesuffix("/api") + "/v2/", trust_env=False) for url in urls]
    assert {one.headers["content-security-policy"] for one in pages} == {
        HEADERS["Content-Security-Policy"]
    }
    machines.start("prefect-services")
    auth = (machines.folder / "secrets" / "prefect_auth").read_text().strip()
    return Api(urls[0], auth), Api(urls[1], auth)


@contextmanager
def office_of(machines: Machines) -> Generator[Office]:
    """The office as this test looks at it, on the same ledger."""
    given = filled(machines.environment("keeper"))
    settings = machines.project.settings(given["DUBAN_DATABASE_URL"])
    office = open_office(settings.model_copy(update={"home": Path(given["DUBAN_HOME"])}))
    try:
        yield office
    finally:
        office.ledger.engine.dispose()


def moment(office: Office) -> datetime:
    """When letters may go, at least a day from now: only the runs of this test deliver then."""
    notice = office.ledger.registry.first_notice
    tomorrow = datetime.now(notice.zone) + timedelta(days=1)
    return speaking_time(tomorrow, office.ledger, notice, "东")[1] + timedelta(minutes=1)


@dataclass(frozen=True)
class Api:
    """What the test asks Prefect beside what the product does."""

    url: str
    auth: str

    def run(self, run: str) -> dict[str, Any]:
        user, _, password = self.auth.partition(":")
        url = f"{self.url}/flow_runs/{run}"
        answer = httpx.get(url, auth=(user, password), trust_env=False)
        return dict(answer.raise_for_status().json())

    def state(self, run: str) -> str:
        return str(self.run(run)["state_name"])

    def ended(self, run: str) -> bool:
        return self.run(run)["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    def machine(self, run: str) -> str:
        """Which machine executes it now."""
        pid = str(self.run(run)["infrastructure_pid"]).rpartition(":")[2]
        names = (f"worker-{n}" for n in (1, 2))
        return next(name for name in names if int(pid) in marked(name))


def deployment(stage: Stage, name: str) -> str | None:
    return {one.name: one.id for one in stage.deployments("duban")}.get(name)


def letters_of(office: Office) -> dict[int, str]:
    """The state of every letter."""
    with reading(office.ledger.engine) as connection:
        return dict(connection.execute(select(Letter.id, Letter.state)).tuples().all())


def assert_opened_once(office: Office) -> None:
    """Every duty has one opening in the history, and was assigned in one letter."""
    with reading(office.ledger.engine) as connection:
        duties = set(connection.scalars(select(Duty.id)))
        openings = select(History.duty_id).where(History.action == "opened")
        assert Counter(connection.scalars(openings)) == Counter(duties)
        assigned = select(Mention.duty_id, func.count()).where(Mention.rung == "assign")
        told = dict(connection.execute(assigned.group_by(Mention.duty_id)).tuples().all())
        assert told == dict.fromkeys(duties, 1)


def start_worker(machines: Machines, n: int, api: Api) -> None:
    """Each speaks to a server of its own."""
    port = str(free_port())
    name = f"worker-{n}"
    machines.start("worker", name, PREFECT_API_URL=api.url, PREFECT_WORKER_WEBSERVER_PORT=port)
    machines.gone.discard(name)


def lose_workers(machines: Machines, sink: SmtpSink, office: Office, times: int) -> None:
    """Starts the chase, and so often takes away the worker that executes it; then lets it end."""
    apis = serve(machines)
    one, other = apis
    with Stage(other.url, auth=other.auth) as stage:
        machines.start("keeper")
        machines.wait("registered", lambda: deployment(stage, "chase"))
        for n, api in enumerate(apis, 1):
            start_worker(machines, n, api)
        machines.wait("workers", lambda: len(stage.online_workers("duban")) == 2)
        assert healthy(machines)
        chase, as_of = deployment(stage, "chase"), moment(office)
        assert chase
        for _ in range(times):
            before = len(sink.mails)
            run = stage.start_run(chase, {"as_of": as_of.isoformat()})
            machines.wait("letters on their way", lambda n=before: len(sink.mails) > n)
            lost = one.machine(run)
            machines.lose(lost)
            assert one.state(run) == "Running"  # Prefect by itself does not notice
            as_of += LEASE + timedelta(minutes=1)
            if times > 1:
                n = int(lost[-1])
                start_worker(machines, n, apis[n - 1])
        assert len(sink.mails) < len(POST_OFFICES)
        last = stage.start_run(chase, {"as_of": as_of.isoformat()})
        machines.wait("another worker's chase", lambda: other.ended(last))
        assert other.state(last) == "Completed"


def healthy(machines: Machines) -> bool:
    """What the health check of the services says."""
    command = [sys.executable, "-m", "deployments.health", "schedules"]
    asked = subprocess.run(command, env=machines.environment("prefect-services"), cwd=PROJECT)
    return asked.returncode == 0


def assert_all_told_once(office: Office, sink: SmtpSink, losses: int) -> None:
    """Every letter arrived; only one that was under way when the power went may have twice."""
    letters = letters_of(office)
    assert len(letters) == len(POST_OFFICES)
    assert set(letters.values()) == {"sent"}
    assert len(sink.copies) == len(letters)
    assert sum(sink.copies.values()) <= len(letters) + losses
    assert_opened_once(office)
    assert verify(office.ledger) == []


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_worker_is_lost_in_the_middle_of_the_chase_and_every_letter_still_goes_once(
    machines: Machines, sink: SmtpSink
):
    with office_of(machines) as office:
        office.arm(True, by="省/教育", now=datetime.now(UTC))
        lose_workers(machines, sink, office, 1)
        assert_all_told_once(office, sink, 1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_three_workers_are_lost_one_after_the_other(machines: Machines, sink: SmtpSink):
    with office_of(machines) as office:
        office.arm(True, by="省/教育", now=datetime.now(UTC))
        lose_workers(machines, sink, office, 3)
        assert_all_told_once(office, sink, 3)
