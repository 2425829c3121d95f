"""What an inspecting process may use, and how it is held to it."""

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file: bytes of memory and of each file written, seconds of work and wait.

    The largest picture allowed (40 million pixels) was measured to need 1.0 GB.
    """

    memory: int = 1536 * 2**20
    file_bytes: int = 200 * 2**20
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    open_files: int = 64


def confine(limits: Limits, *, threads: bool) -> None:
    """Holds this process to the limits for the rest of its life; it ends with its parent.

    Without `threads` no new process or thread can be started, except by root, whom the kernel
    does not count. The decoder of HEIC cannot do without.
    """
    os.setsid()
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    if not threads:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # A hard CPU limit kills without a name; the soft one, a second earlier, says what it was.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds - 1, limits.cpu_seconds))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
