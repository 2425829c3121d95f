"""What the group robots of WeCom, DingTalk and Feishu share: one JSON post and its verdict.

They answer HTTP 200 to almost everything: what became of a letter stands in the answer's code.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import httpcore

from duban.channels import Fate, Form, Outcome, Pace, Parcel
from duban.channels.network import Deadline, hush, shown, trusted

LONGEST_ANSWER = 64 * 1024
KEPT = 30.0
"""Seconds an idle connection is kept."""

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"https://[a-z0-9.-]+(:\d+)?|http://(127\.0\.0\.1|localhost)(:\d+)?")
_STATUSES = {
    404: Outcome(Fate.PERMANENT, "nothing is there"),
    410: Outcome(Fate.PERMANENT, "it is gone"),
    429: Outcome(Fate.TEMPORARY, "too fast"),
    502: Outcome(Fate.AMBIGUOUS, "a gateway answered; the letter may have gone through it"),
    504: Outcome(Fate.AMBIGUOUS, "a gateway answered; the letter may have gone through it"),
}
_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    OSError,
    UnicodeError,
)

Codes = Mapping[int, Outcome]


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a robot listens: `host` is a scheme, a name and perhaps a port."""

    host: str
    key: str = field(repr=False)
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """One request: the path with the key in it, and the body."""

    path: str = field(repr=False)
    body: Mapping[str, object]


class Robot(ABC):
    """A channel that posts to a webhook; `?host=` of its address names another installation.

    Attributes:
        host: where the robot listens unless the address says otherwise.
        plugin: the Apprise plugin whose parser reads the address.
        key_field: what that parser calls the robot's key.
        code_field, text_field: what the answer calls its code and its words.
        codes: what the codes mean; others are temporary.

    Args:
        deadline: seconds one letter may take, connecting included.
    """

    form = Form.MARKDOWN
    limit: int | None
    pace: Pace | None
    host: str
    plugin: Any
    key_field = "token"
    code_field, text_field = "errcode", "errmsg"
    codes: Codes

    def __init__(self, deadline: float = 20.0) -> None:
        hush()
        self._seconds = deadline
        self._network = _Network()

    @abstractmethod
    def post(self, hook: Hook, parcel: Parcel) -> Post:
        """The request that carries a letter."""

    def send(self, parcel: Parcel, address: str) -> Outcome:
        """Posts one letter and reads the answer's code."""
        hook = self._hook(address)
        if hook is None:
            return Outcome(Fate.PERMANENT, "this robot's address cannot be read: key or ?host=")
        outcome = self._exchange(hook, self.post(hook, parcel))
        secrets = (hook.key, hook.secret or "")
        return Outcome(outcome.fate, shown(outcome.detail, secrets), outcome.pause)

    def close(self) -> None:
        """Lets go of kept connections; the next letter connects anew."""
        self._pool.close()

    def __del__(self) -> None:
        if "_pool" in self.__dict__:
            self._pool.close()

    @cached_property
    def _pool(self) -> httpcore.ConnectionPool:
        return httpcore.ConnectionPool(
            ssl_context=trusted(), keepalive_expiry=KEPT, network_backend=self._network
        )

    def _hook(self, address: str) -> Hook | None:
        parsed = cast("dict[str, Any]", self.plugin.parse_url(address) or {})
        query = cast("dict[str, str]", parsed.get("qsd", {}))
        host = query.get("host") or self.host
        key = cast("str | None", parsed.get(self.key_field)) or ""
        secret = cast("str | None", parsed.get("secret")) or query.get("secret")
        if not _KEY.fullmatch(key) or not _HOST.fullmatch(host):
            return None
        return Hook(host, key, secret)

    def _exchange(self, hook: Hook, post: Post) -> Outcome:
        content = json.dumps(post.body, ensure_ascii=False).encode()
        headers = [("Content-Type", "application/json; charset=utf-8")]
        self._network.begin(Deadline(self._seconds))
        try:
            with self._pool.stream(
                "POST", hook.host + post.path, headers=headers, content=content
            ) as response:
                return self._verdict(response.status, _head(response.iter_stream()))
        except _FAILURES as error:
            fate = Fate.AMBIGUOUS if self._network.written else Fate.TEMPORARY
            return Outcome(fate, str(error) or type(error).__name__)

    def _verdict(self, status: int, content: bytes) -> Outcome:
        answer = _object(content)
        code = answer.get(self.code_field)
        if type(code) is int and (status == 200 or code):
            return self._meaning(code, answer.get(self.text_field))
        if status < 300:
            return Outcome(Fate.AMBIGUOUS, f"HTTP {status}, but no answer a robot gives")
        known = _STATUSES.get(status, Outcome(Fate.TEMPORARY, "not taken"))
        return Outcome(known.fate, f"HTTP {status}: {known.detail}")

    def _meaning(self, code: int, text: object) -> Outcome:
        known = self.codes.get(code, Outcome(Fate.TEMPORARY, "not taken"))
        said = " ".join(filter(None, (str(code), known.detail)))
        return Outcome(known.fate, f"{said}: {text}" if text else said, known.pause)


class _Network(httpcore.NetworkBackend):
    """Opens connections whose every wait ends at the deadline of the letter under way."""

    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()
        self.begin(Deadline(0))

    def begin(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.written = False  # whether anything of the request may have gone out

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self.deadline.left
        stream = self._sockets.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, network: _Network) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._network.deadline.left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._network.written = True
        self._stream.write(buffer, self._network.deadline.left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._network.deadline.left
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _head(chunks: Iterable[bytes]) -> bytes:
    """An answer's beginning: none that a robot gives is longer."""
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) > LONGEST_ANSWER:
            break
    return content


def _object(content: bytes) -> dict[str, object]:
    try:
        found: object = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


Clock = Callable[[], float]
"""Seconds since 1970, for signatures."""
