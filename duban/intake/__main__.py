"""The server of `Inspector`: a line of JSON in, a limited child for it, a line of JSON out."""

import json
import os
import select
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from duban.intake.inspection import inspect
from duban.intake.keeping import clear
from duban.intake.kinds import ending
from duban.intake.limits import Limits, confine
from duban.intake.verdict import Refusal, Verdict

_STDIN, _STDOUT = 0, 1
_MAX_ANSWER = 1 << 16
_LOOK_SECONDS = 2.0
_TIME_SIGNALS = (signal.SIGXCPU, signal.SIGALRM)


def main() -> None:
    """Serves until the parent closes the pipe or is gone."""
    limits = Limits(**json.loads(sys.argv[1]))
    os.umask(0o077)
    _load_parsers()
    parent, buffer = os.getppid(), b""
    while block := _next_block(parent):
        buffer += block
        if buffer.endswith(b"\n"):
            answer = _serve(json.loads(buffer), limits, parent)
            os.write(_STDOUT, json.dumps(answer).encode() + b"\n")
            buffer = b""


def _load_parsers() -> None:
    """Once here, so that no child has to; the hash loads half of what it needs when first used."""
    import olefile  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from PIL import Image

    from duban.intake import packages, pdfs  # noqa: F401  # pyright: ignore[reportUnusedImport]
    from duban.intake.likeness import picture_hash

    Image.init()
    picture_hash(Image.new("L", (64, 64)))


def _next_block(parent: int) -> bytes:
    """Waits for a request; empty when there will be none."""
    while os.getppid() == parent:
        if select.select([_STDIN], [], [], _LOOK_SECONDS)[0]:
            return os.read(_STDIN, _MAX_ANSWER)
    return b""


def _serve(request: dict[str, Any], limits: Limits, parent: int) -> dict[str, Any]:
    reader, writer = os.pipe()
    if not (child := os.fork()):
        _inspect(request, limits, writer)
    os.close(writer)
    try:
        answer = _collected(reader, time.monotonic() + limits.wall_seconds, parent)
        status = _ended(child, patient=answer is not None)
    finally:
        os.close(reader)
    if answer is not None and answer.endswith(b"\n"):
        return json.loads(answer)
    clear(Path(request["target"]), Path(request["previews"]))
    why, detail = _reason(status) if answer is not None else (Refusal.TIMED_OUT, "took too long")
    return asdict(Verdict(refused=why, detail=detail))


def _inspect(request: dict[str, Any], limits: Limits, writer: int) -> NoReturn:
    """What the child does: nothing of the server is left to it but the one pipe."""
    try:
        silent = os.open(os.devnull, os.O_RDWR)
        os.dup2(silent, _STDIN)
        os.dup2(silent, _STDOUT)
        confine(limits, threads=ending(request["name"]) == "heic")
        paths = [Path(request[key]) for key in ("source", "target", "previews")]
        answer = asdict(inspect(paths[0], request["name"], request["kinds"], *paths[1:]))
    except OSError as error:
        answer = {"error": error.strerror or type(error).__name__}
    except BaseException as error:
        answer = {"error": type(error).__name__}
    os.write(writer, json.dumps(answer).encode() + b"\n")
    os._exit(0)


def _collected(reader: int, deadline: float, parent: int) -> bytes | None:
    """What the child wrote until it closed the pipe; None when time is up."""
    answer = b""
    while len(answer) <= _MAX_ANSWER:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([reader, _STDIN], [], [], max(0, min(left, _LOOK_SECONDS)))
        if _STDIN in ready or os.getppid() != parent:
            # The parent is gone; it never speaks while it waits. The child dies with this process.
            sys.exit()
        if reader in ready:
            block = os.read(reader, _MAX_ANSWER)
            if not block:
                return answer
            answer += block
        elif left <= 0:
            return None
    return b""


def _ended(child: int, *, patient: bool) -> int:
    """The status of the child, which is given a moment to end by itself if `patient`."""
    for _ in range(100 if patient else 0):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _reason(status: int) -> tuple[Refusal, str]:
    if not os.WIFSIGNALED(status):
        return Refusal.DAMAGED, "the parser ended without a word"
    killer = signal.Signals(os.WTERMSIG(status))
    if killer in _TIME_SIGNALS:
        return Refusal.TIMED_OUT, "too much work"
    # The kernel kills so when the machine itself is out of memory.
    why = Refusal.TOO_HEAVY if killer is signal.SIGKILL else Refusal.DAMAGED
    return why, f"the parser died of {killer.name}"


if __name__ == "__main__":
    main()
