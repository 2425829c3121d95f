"""Inspects files in another process, which a hostile file may kill without harm to this one."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Self

from pydantic import TypeAdapter, ValidationError

import duban
from duban.errors import DubanError
from duban.intake.limits import Limits
from duban.intake.verdict import Verdict

# Nothing else of the environment is handed on: keys and passwords live there.
_HANDED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
_GRACE_SECONDS = 15.0
_VERDICT = TypeAdapter(Verdict)


class CannotInspect(DubanError):
    """The inspection did not run; the file is neither taken nor refused. Try again later."""


class Inspector:
    """A server process that forks a limited child for every file. Any thread may use it.

    Files are inspected one at a time; several inspectors work side by side. The server starts
    with the first file, is started again when it was killed, and ends with this process.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def inspect(
        self, source: Path, name: str, kinds: Sequence[str], target: Path, previews: Path
    ) -> Verdict:
        """As `duban.intake.inspection.inspect`, in the other process; blocks until the verdict.

        Raises:
            CannotInspect: when the process cannot be kept alive, or a disk is full.
        """
        paths = {"source": source, "target": target, "previews": previews}
        request = {key: str(path.absolute()) for key, path in paths.items()}
        line = json.dumps({**request, "name": name, "kinds": list(kinds)}).encode() + b"\n"
        with self._lock:
            # Once more with a new server: the old one may have been killed since the last file.
            answer = self._ask(line) or self._ask(line)
        return _read(answer)

    def close(self) -> None:
        """Ends the server at once, also in the middle of a file."""
        self._closed = True
        self._stop()

    def _ask(self, line: bytes) -> bytes:
        """The answer; empty when the server died of the question."""
        server = self._running()
        assert server.stdin
        assert server.stdout
        try:
            server.stdin.write(line)
            wait = self.limits.wall_seconds + _GRACE_SECONDS
            ready, _, _ = select.select([server.stdout], [], [], wait)
            answer = server.stdout.readline() if ready else b""
        except (OSError, ValueError):
            answer = b""
        if not answer.endswith(b"\n"):
            self._stop()
            return b""
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise CannotInspect("The inspector is closed.")
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-P", "-m", "duban.intake", json.dumps(asdict(self.limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=_environment(),
                start_new_session=True,
            )
        return self._server

    def _stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.kill()
        server.wait()
        for pipe in (server.stdin, server.stdout):
            if pipe:
                pipe.close()


def _environment() -> dict[str, str]:
    kept = {key: os.environ[key] for key in _HANDED_ON if key in os.environ}
    root = Path(duban.__file__).parents[1]
    # Threads of the number library would each reserve a part of the limited memory.
    return {**kept, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _read(answer: bytes) -> Verdict:
    """The process that wrote it has read a stranger's file, so its answer is checked too."""
    if not answer:
        raise CannotInspect
    try:
        data = json.loads(answer)
        if "error" in data:
            raise CannotInspect(f"The inspection could not run: {data['error']}.")
        return _VERDICT.validate_python(data)
    except (ValueError, TypeError, ValidationError) as error:
        raise CannotInspect from error
