"""Starts and stops the Prefect server and the worker that one `duban` command carries."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from duban.errors import DubanError
from duban.settings import Settings
from duban.tokens import kept
from tasks.stage import Stage
from tasks.stage.executed import POOL, QUEUE

HOST = "127.0.0.1"
CREDENTIAL = "prefect.auth"  # in the data folder
USER = "duban"
SHORTEST = 12  # characters of a password
_MARK = "DUBAN_EMBEDDED"
_ROOT = Path(__file__).parents[1]  # where `deployments` is found, whatever folder it starts in

# A child asks the kernel for SIGTERM when its parent dies, then becomes the real program. This
# stands in front of it because preexec_fn is unsafe in a process with threads. The parent's id
# is compared since the parent may have died before the request was made.
_TIE = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)


class PortTaken(DubanError):
    """The port of the embedded Prefect or of the portal is already in use."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} on {HOST} is already in use: stop the program that holds it, "
            f"or choose another port with the environment variable {setting}."
        )


class BadCredential(DubanError):
    """What opens Prefect cannot be used."""


class PrefectDown(DubanError):
    """The embedded Prefect or the portal did not start, or one of their processes ended."""


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self, lines: int = 8) -> str:
        text = self.log.read_bytes()[-8192:].decode(errors="replace")
        return "\n".join(text.rstrip().splitlines()[-lines:]) or "(its log is empty)"


def credential_of(settings: Settings) -> str:
    """`user:password` of the embedded Prefect: the setting, else what is kept in the data folder.

    Raises:
        BadCredential: it has no colon, or its file cannot be read or made.
    """
    given = settings.prefect_auth
    return _sound(given.get_secret_value()) if given else credential(settings.home)


def credential(home: Path) -> str:
    """`user:password` as kept in a data folder, made at its first use."""
    path = home / CREDENTIAL
    try:
        return _sound(kept(path, lambda: f"{USER}:{secrets.token_urlsafe(24)}"))
    except OSError as error:
        raise BadCredential(
            f"{path} cannot be read or made ({error.strerror}); check its rights."
        ) from error


def _sound(auth: str) -> str:
    user, _, password = auth.partition(":")
    if not user or len(password) < SHORTEST or not auth.isascii():
        raise BadCredential(
            f"Prefect is opened by user:password in plain letters, with {SHORTEST} characters or "
            f"more after the colon: correct DUBAN_PREFECT_AUTH, or delete {CREDENTIAL} in the "
            "data folder for a new one."
        )
    return auth


def prefect_environment(home: Path, port: int, auth: str) -> dict[str, str]:
    """The settings of server, worker and flow runs alike; everything stays below `home`."""
    origin = f"http://{HOST}:{port}"
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"{origin}/api",
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        # Loopback is no border: any page in a browser on this machine can send to it.
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_API_AUTH_STRING": auth,
        "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
        # Longer than the pauses between two calls, so that a kept connection is not cut under one.
        "PREFECT_SERVER_API_KEEPALIVE_TIMEOUT": "60",
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"{origin},http://localhost:{port}",
        # Without it the pages call port 4200, whatever the server's port is.
        "PREFECT_UI_API_URL": "/api",
        "PREFECT_SERVER_UI_V2_ENABLED": "true",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # The default lies inside the installed package, which may be read-only.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "prefect" / "ui"),
        # A run of which nothing is heard for minutes has lost its process.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60",
        # A coordinator who starts a run in the pages waits for it.
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        **_QUIET,
        **_SERVICES,
    }


_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_CLI_COLORS": "false",
    "PREFECT_CLI_PROMPT": "false",
    # A client that finds no server must say so, not start a hidden one.
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
}

_SERVICES = {
    # It looks at every waiting duty every five seconds: a whole core at 100,000 of them.
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    # Never flow_runs: it would delete a duty that is still overdue. Orphans are what runs that
    # were deleted leave behind.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,orphans",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
}


class Embedded:
    """One Prefect server, one process worker and one portal, as children of this process.

    Start them from the main thread: on Linux they end with the thread that started them.

    Attributes:
        auth: `user:password`, which the server asks of everybody.
    """

    def __init__(self, home: Path, port: int, project: Path, auth: str) -> None:
        self.home = home
        self.port = port
        self.project = project
        self.auth = auth
        self.api_url = f"http://{HOST}:{port}/api"
        self._mark = uuid.uuid4().hex
        self._children: list[_Child] = []

    def start_server(self) -> None:
        """Start the server and return at once; `PortTaken` before anything has started."""
        _require_free(self.port, "DUBAN_PREFECT_PORT")
        self._start("prefect-server", "deployments.server")

    def start_portal(self, port: int) -> None:
        """Start the portal and return at once; `PortTaken` before it has started."""
        _require_free(port, "DUBAN_PORTAL_PORT")
        self._start("portal", "duban", "portal")

    def start_worker(self) -> None:
        """Start a worker for one run at a time; the pool must exist. Returns at once."""
        # Only the default queue is named, so that duty runs stay where they are even if a
        # person takes the pause off their queue.
        self._start(
            "prefect-worker", "prefect", "worker", "start", "--type", "process", "--pool", POOL,
            "--work-queue", QUEUE, "--limit", "1", "--name", "duban",
        )  # fmt: skip

    def wait_healthy(self, timeout: float = 120) -> None:
        """Wait at most `timeout` seconds until the server answers, or raise `PrefectDown`."""
        with Stage(self.api_url, auth=self.auth) as stage:
            for _ in _ticks(timeout):
                if ended := self.died():
                    raise PrefectDown(ended)
                if stage.healthy():
                    return
        raise PrefectDown(
            f"The Prefect server did not answer within {timeout:.0f} s: "
            f"see {self.home / 'logs' / 'prefect-server.log'}."
        )

    def wait_worker(self, timeout: float = 120) -> None:
        """Wait at most `timeout` seconds until the worker is online, or raise `PrefectDown`."""
        with Stage(self.api_url, auth=self.auth) as stage:
            for _ in _ticks(timeout):
                if ended := self.died():
                    raise PrefectDown(ended)
                if "duban" in stage.online_workers(POOL):
                    return
        raise PrefectDown(
            f"The Prefect worker was not online within {timeout:.0f} s: "
            f"see {self.home / 'logs' / 'prefect-worker.log'}."
        )

    def wait_portal(self, port: int, timeout: float = 60) -> None:
        """Wait at most `timeout` seconds until the portal answers, or raise `PrefectDown`."""
        for _ in _ticks(timeout):
            if ended := self.died():
                raise PrefectDown(ended)
            with suppress(httpx.TransportError):
                if httpx.get(f"http://{HOST}:{port}/health", trust_env=False).is_success:
                    return
        raise PrefectDown(
            f"The portal did not answer within {timeout:.0f} s: "
            f"see {self.home / 'logs' / 'portal.log'}."
        )

    def died(self) -> str | None:
        """Which child has ended by itself, with the last lines of its log; None if all live."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                return (
                    f"{child.name} ended with code {code}; the end of {child.log} reads:\n"
                    f"{child.last_words()}"
                )
        return None

    def stop(self, patience: float = 10) -> None:
        """End everything that was started here; each child gets `patience` seconds to go."""
        while self._children:
            child = self._children.pop()
            child.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(patience)
            _kill_group(child.process.pid)
            child.process.wait()
        _kill_marked(self._mark)

    def _start(self, name: str, module: str, *arguments: str) -> None:
        log = self.home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.home / "prefect").mkdir(exist_ok=True, mode=0o700)
        _close_to_others(self.home / "prefect")
        log.touch(0o600)
        with log.open("ab") as sink:
            process = subprocess.Popen(
                _tied([sys.executable, "-m", module, *arguments]),
                cwd=self.project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
            )
        self._children.append(_Child(name, process, log))

    def _environment(self) -> dict[str, str]:
        # A profile, key or database of another Prefect on this machine must not reach this one.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
        inherited["PYTHONPATH"] = os.pathsep.join(
            filter(None, (str(_ROOT), inherited.get("PYTHONPATH")))
        )
        return {
            **inherited,
            **prefect_environment(self.home, self.port, self.auth),
            _MARK: self._mark,
        }


def _close_to_others(folder: Path) -> None:
    """Takes from others what an earlier version left open to them."""
    for database in folder.glob("prefect.db*"):
        with suppress(FileNotFoundError):  # SQLite takes its side files away
            database.chmod(0o600)


def _ticks(timeout: float, pause: float = 0.1) -> Iterator[None]:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        yield
        time.sleep(pause)


def _require_free(port: int, setting: str, patience: float = 5) -> None:
    """Waits a little for a server that is just going, as after a kill; else `PortTaken`."""
    for _ in _ticks(patience):
        if _is_free(port):
            return
    raise PortTaken(port, setting)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _tied(command: Sequence[str]) -> list[str]:
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-c", _TIE, str(os.getpid()), *command]


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _kill_marked(mark: str) -> None:
    # The worker gives each flow run a session of its own, so its group does not reach them.
    while found := list(_marked(mark)):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _marked(mark: str) -> Iterator[int]:
    wanted = f"{_MARK}={mark}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if wanted in environ.read_bytes().split(b"\0"):
                yield int(environ.parent.name)
