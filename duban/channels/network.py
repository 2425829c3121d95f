"""What channels over a network share: a bound on time, trust, and words fit to be shown."""

import logging
import ssl
from collections.abc import Iterable
from functools import cache
from time import monotonic

LONGEST_DETAIL = 200


class Deadline:
    """The end of one attempt, however many steps it takes."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, always more than none.

        Raises:
            TimeoutError: it is over.
        """
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


@cache
def trusted() -> ssl.SSLContext:
    """The certificates the machine trusts, or those of SSL_CERT_FILE.

    Kept, since reading them takes longer than sending a letter.
    """
    return ssl.create_default_context()


def shown(text: str, secrets: Iterable[str] = ()) -> str:
    """What another side said, on one short line, without secrets it may have said back."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    line = " ".join(text.split())
    return "".join(filter(str.isprintable, line))[:LONGEST_DETAIL]


_TALKATIVE = ("apprise", "urllib3.connectionpool", "httpcore.connection", "httpcore.http11")


def hush() -> None:
    """Silences what channels send with: its lines hold whole addresses, or what was answered."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False
