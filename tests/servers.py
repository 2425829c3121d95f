"""A mail server and a robots' server on loopback that do as they are told, and count copies."""

import email
import ipaddress
import json
import os
import secrets
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "dot"]
"""Where a mail server speaks; `dot` is after the letter's end."""


def free_port() -> int:
    """A port on loopback that nobody uses, and that no connection takes before its server starts.

    Systems give connections ports from 32768 on; a server may take half a minute to listen.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class Drop:
    """Closes the connection without a word; `reset` does it rudely."""

    reset: bool = False


@dataclass(frozen=True)
class Hang:
    """Reads and says nothing more, perhaps after a last word."""

    text: str = ""


@dataclass(frozen=True)
class Drip:
    """Says it one byte after another."""

    text: str
    pause: float = 0.05  # seconds


Answer = str | Drop | Hang | Drip

ACCEPTED: Mapping[Stage, str] = {
    "connect": "220 sink",
    "auth": "235 welcome",
    "mail": "250 sender ok",
    "rcpt": "250 recipient ok",
    "data": "354 go on",
    "dot": "250 taken",
}


@dataclass(frozen=True)
class Mail:
    """What a mail server took, or had read to the end before it failed."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=default)


class _Gone(Exception):
    """The conversation is over."""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    owner: Any

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed or give up are what this server is for."""


class _Listening:
    """Listens from the start until `close`, or the end of a with-block."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.server = _Server(("127.0.0.1", 0), handler)
        self.server.owner = self
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.connections: list[socket.socket] = []
        self.connected = 0
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def hang_up(self) -> None:
        """Closes every connection, as servers do with idle ones."""
        with self.lock:
            for connection in self.connections:
                _shut(connection)
            self.connections.clear()

    def close(self) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.hang_up()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SmtpSink(_Listening):
    """Takes every mail, except where it was told to do otherwise.

    Attributes:
        mails: what arrived, in order; a mail whose end was read counts, whatever was answered,
            unless the answer was a refusal.
        refused: recipients that do not exist.
        account: the user and password it wants; none unless given.
        said: every command line it was sent, passwords and all.
    """

    def __init__(
        self,
        *,
        certificate: Path | None = None,
        implicit: bool = False,
        account: tuple[str, str] | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.refused: set[str] = set()
        self.account = account
        self.said: list[str] = []
        self.tls = _serving(certificate) if certificate else None
        self.implicit = implicit
        self._once: dict[Stage, deque[Answer]] = {}
        self._always: dict[Stage, Answer] = {}
        super().__init__(_MailHandler)

    @property
    def sender(self) -> str:
        """The Apprise address of the account on it."""
        mode = "insecure" if self.tls is None else "ssl" if self.implicit else "starttls"
        user, password = self.account or ("", "")
        login = f"{user}:{password}@" if self.account else ""
        query = f"mode={mode}&from=duban@example.org&smtp=127.0.0.1"
        return f"mailto://{login}127.0.0.1:{self.port}/?{query}"

    @property
    def copies(self) -> Counter[str]:
        """How often each Message-ID arrived."""
        with self.lock:
            return Counter(str(mail.message["Message-ID"]) for mail in self.mails)

    def next(self, stage: Stage, *answers: Answer) -> None:
        """The next answers of a stage; the usual one after them."""
        self._once.setdefault(stage, deque()).extend(answers)

    def always(self, stage: Stage, answer: Answer) -> None:
        """The answer of a stage from now on."""
        self._always[stage] = answer

    def answer(self, stage: Stage, usual: str) -> Answer:
        with self.lock:
            waiting = self._once.get(stage)
            return waiting.popleft() if waiting else self._always.get(stage, usual)


class _MailHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.sink = cast(SmtpSink, self.server.owner)  # pyright: ignore[reportAttributeAccessIssue]
        self.envelope: tuple[str, list[str]] = ("", [])
        self._open(self.request)
        try:
            if self.sink.tls and self.sink.implicit:
                self._secure()
            self._say("connect")
            while self._obey(self._line()):
                pass
        except (_Gone, OSError):
            pass
        finally:
            _shut(self.connection)

    def _open(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = connection
        self.file = connection.makefile("rb")
        with self.sink.lock:
            self.sink.connected += 1
            self.sink.connections.append(connection)

    def _secure(self) -> None:
        assert self.sink.tls is not None
        self.connection = self.sink.tls.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")
        with self.sink.lock:
            self.sink.connections.append(self.connection)

    def _line(self) -> str:
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise _Gone
        self.sink.said.append(line.decode().strip())
        return self.sink.said[-1]

    def _obey(self, line: str) -> bool:
        verb = line.partition(" ")[0].upper()
        known: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
        }
        known.get(verb, lambda _: self._write("250 ok"))(line)
        return verb != "QUIT"

    def _ehlo(self, line: str) -> None:
        offers = ["STARTTLS"] if self._can_secure() else []
        offers += ["AUTH PLAIN LOGIN"] if self.sink.account and not self._can_secure() else []
        lines = ["sink", *offers, "8BITMIME"]
        text = "\r\n".join(f"250-{offer}" for offer in lines) + "\r\n250 OK"
        self._perform(self.sink.answer("ehlo", text))

    def _can_secure(self) -> bool:
        return self.sink.tls is not None and not isinstance(self.connection, ssl.SSLSocket)

    def _starttls(self, line: str) -> None:
        self._write("220 go on")
        self._secure()

    def _auth(self, line: str) -> None:
        assert self.sink.account is not None
        expected = "\0" + "\0".join(self.sink.account)
        given = email.message_from_string(
            f"Content-Transfer-Encoding: base64\n\n{line.split()[-1]}"
        ).get_payload(decode=True)
        usual = ACCEPTED["auth"] if given == expected.encode() else f"535 {line} is wrong"
        self._perform(self.sink.answer("auth", usual))

    def _mail(self, line: str) -> None:
        if self.envelope[0]:
            self._write("503 one letter at a time")
            return
        if self._say("mail").startswith("2"):
            self.envelope = (_bracketed(line), [])

    def _rcpt(self, line: str) -> None:
        address = _bracketed(line)
        if address in self.sink.refused:
            self._write("550 no such mailbox")
            return
        self.envelope[1].append(address)
        self._say("rcpt")

    def _data(self, line: str) -> None:
        if not self._say("data").startswith("3"):
            return
        lines = iter(self._data_line, b".\r\n")
        content = b"".join(line[1:] if line.startswith(b".") else line for line in lines)
        answer = self.sink.answer("dot", ACCEPTED["dot"])
        if not isinstance(answer, str) or answer.startswith("2"):
            mail = Mail(self.envelope[0], tuple(self.envelope[1]), content)
            with self.sink.lock:
                self.sink.mails.append(mail)
        self.envelope = ("", [])
        self._perform(answer)

    def _data_line(self) -> bytes:
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise _Gone
        return line

    def _say(self, stage: Stage) -> str:
        return self._perform(self.sink.answer(stage, ACCEPTED[stage]))

    def _perform(self, answer: Answer) -> str:
        text = _perform(self.connection, answer, self.sink.stopped, "\r\n")
        return text or ""

    def _write(self, text: str) -> None:
        self.connection.sendall(f"{text}\r\n".encode())


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `length` is what the header claims, if not the truth."""

    body: str = '{"errcode": 0, "errmsg": "ok", "code": 0, "msg": "success"}'
    status: int = 200
    length: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        body = self.body.encode()
        lines = [f"HTTP/1.1 {self.status} Said", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(body) if self.length is None else self.length}"]
        return "\r\n".join(lines) + "\r\n\r\n" + self.body


@dataclass(frozen=True)
class Request:
    """What a robots' server was sent."""

    path: str
    query: Mapping[str, str]
    content: bytes

    @property
    def key(self) -> str:
        """The robot's: WeCom's key, DingTalk's token, or the end of Feishu's path."""
        found = self.query.get("key") or self.query.get("access_token")
        return found or self.path.rpartition("/")[2]

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.content)

    @property
    def text(self) -> str:
        """The letter in it."""
        body = self.body
        inner: dict[str, Any] = body.get(body.get("msgtype") or "content", {})
        return str(inner.get("content") or inner.get("text") or "")


class RobotServer(_Listening):
    """Takes every post, except where it was told to do otherwise.

    Attributes:
        requests: what was read to the end, in order, whatever was answered.
    """

    def __init__(self, *, certificate: Path | None = None) -> None:
        self.requests: list[Request] = []
        self.tls = _serving(certificate) if certificate else None
        self._once: deque[Reply | Answer] = deque()
        self._always: Reply | Answer = Reply()
        super().__init__(_RobotHandler)

    @property
    def url(self) -> str:
        """What `?host=` of a robot's address says."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def copies(self) -> Counter[tuple[str, str]]:
        """How often each letter was posted with each key, as (key, text)."""
        with self.lock:
            return Counter((request.key, request.text) for request in self.requests)

    def next(self, *answers: Reply | Answer) -> None:
        """The next answers; the usual one after them."""
        self._once.extend(answers)

    def always(self, answer: Reply | Answer) -> None:
        """The answer from now on."""
        self._always = answer

    def answer(self, request: Request) -> Reply | Answer:
        with self.lock:
            self.requests.append(request)
            return self._once.popleft() if self._once else self._always


class _RobotHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        robots = cast(RobotServer, self.server.owner)  # pyright: ignore[reportAttributeAccessIssue]
        connection: socket.socket = self.request
        try:
            if robots.tls:
                connection = robots.tls.wrap_socket(connection, server_side=True)
            with robots.lock:
                robots.connected += 1
                robots.connections.append(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in _requests(connection):
                answer = robots.answer(request)
                said = answer.text if isinstance(answer, Reply) else answer
                _perform(connection, said, robots.stopped)
        except (_Gone, OSError):
            pass
        finally:
            _shut(connection)


def _requests(connection: socket.socket) -> Iterator[Request]:
    with connection.makefile("rb") as file:
        while line := file.readline():
            url = urlsplit(line.split()[1].decode())
            length = 0
            while (header := file.readline().strip().lower()) != b"":
                if header.startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            content = file.read(length)
            if len(content) < length:
                return
            yield Request(url.path, dict(parse_qsl(url.query)), content)


def _perform(
    connection: socket.socket, answer: Answer, stopped: threading.Event, end: str = ""
) -> str | None:
    """Says it, or does not."""
    match answer:
        case str():
            connection.sendall(f"{answer}{end}".encode())
            return answer
        case Drip():
            for letter in f"{answer.text}{end}":
                connection.sendall(letter.encode())
                time.sleep(answer.pause)
            return answer.text
        case Hang():
            if answer.text:
                connection.sendall(f"{answer.text}{end}".encode())
            stopped.wait()
            raise _Gone
        case Drop():
            if answer.reset:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                os.close(connection.detach())
            raise _Gone


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _bracketed(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


def _serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def make_certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 in one file, which is also what to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


class _Patient(httpx.HTTPTransport):
    """Asks again for as long as Prefect is busy, as everybody has to: it answers 503 and has done
    nothing when another of its own transactions holds the one SQLite file."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(100):
            answer = super().handle_request(request)
            if answer.status_code != 503:
                return answer
            answer.close()
            time.sleep(0.1)
        return super().handle_request(request)


@contextmanager
def prefect_client(api_url: str, auth: str) -> Generator[httpx.Client]:
    """Speaks to a real Prefect as a script that signed in and fetched the forms' secret."""
    user, _, password = auth.partition(":")
    signed_in = httpx.BasicAuth(user, password)
    with httpx.Client(
        base_url=api_url, auth=signed_in, timeout=60, trust_env=False, transport=_Patient()
    ) as client:
        name = str(uuid4())
        secret = client.get("/csrf-token", params={"client": name}).json()["token"]
        client.headers.update({"Prefect-Csrf-Client": name, "Prefect-Csrf-Token": secret})
        yield client
