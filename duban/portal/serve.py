"""Serves the portal on loopback, and inspects in the background what is uploaded."""

import logging
import socket
import threading
from collections.abc import Callable
from datetime import datetime

import uvicorn

from duban.errors import DubanError
from duban.intake import Inspector
from duban.ledger.inspecting import inspect_waiting
from duban.office import Office
from duban.portal.app import create_app

HOST = "127.0.0.1"
MOST_CONNECTIONS = 1000
LOOK_EVERY = 1.0  # seconds between looks for files that wait
FILES_A_LOOK = 20


class PortInUse(DubanError):
    """The portal's port is in use."""


_log = logging.getLogger("duban.portal")


def serve(office: Office, clock: Callable[[], datetime]) -> None:
    """Serves until the process is told to stop.

    No access log is written: it would hold the addresses that links are.

    Raises:
        PortInUse: nothing was served.
    """
    config = uvicorn.Config(
        create_app(office, clock),
        access_log=False,
        server_header=False,
        log_level="warning",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        proxy_headers=office.settings.portal.startswith("https://"),
        forwarded_allow_ips=HOST,
    )
    with _listening(office.settings.portal_port) as listener, Inspecting(office, clock):
        uvicorn.Server(config).run([listener])


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port), backlog=MOST_CONNECTIONS)
    except OSError as error:
        raise PortInUse(
            f"The portal cannot listen on {HOST}:{port} ({error.strerror}); choose another port "
            "with the environment variable DUBAN_PORTAL_PORT."
        ) from None


class Inspecting:
    """A thread that has every waiting file inspected, for as long as the block lasts."""

    def __init__(self, office: Office, clock: Callable[[], datetime]) -> None:
        self.office = office
        self.clock = clock
        self._trouble = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inspecting", daemon=True)

    def __enter__(self) -> "Inspecting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        with Inspector() as inspector:
            while not self._stop.is_set():
                self._refresh()
                if not self._look(inspector):
                    self._stop.wait(LOOK_EVERY)

    def _refresh(self) -> None:
        """Takes up what was applied meanwhile; a trouble that stays is told once."""
        try:
            self.office.refresh()
            self._trouble = ""
        except Exception as error:
            if self._trouble != str(error):
                self._trouble = str(error)
                _log.exception("what is in force could not be taken up")

    def _look(self, inspector: Inspector) -> int:
        """How many files were inspected; what fails is tried again at the next look."""
        ledger, folder = self.office.ledger, self.office.settings.files
        try:
            return inspect_waiting(ledger, folder, inspector, self.clock(), FILES_A_LOOK)
        except Exception:
            _log.exception("a look at waiting files failed")
            return 0
