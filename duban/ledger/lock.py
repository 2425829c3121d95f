"""One at a time on a data folder: whoever runs the product there, or changes all of it."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from duban.errors import DubanError


class AlreadyRunning(DubanError):
    """Another duban up is running on this data folder."""


@contextmanager
def only_one(home: Path) -> Generator[None]:
    """Holds the data folder; the lock goes with the process, however it ends.

    Raises:
        AlreadyRunning: somebody holds it; nothing was done.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(
                f"Another duban up is running on {home}; stop it first, "
                "or name another folder in DUBAN_HOME."
            ) from None
        yield
