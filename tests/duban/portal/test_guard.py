"""The guards: headers on every answer, bodies that are too large or too slow, counted attempts."""

import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from duban import tokens
from duban.office import Office
from duban.portal import guard
from duban.portal.app import create_app
from duban.portal.guard import LIMITS, STALL_SECONDS, USUAL_BODY, Counter, address_of, allow_body
from tests.duban.portal.conftest import Browser, Clock, enter

ALLOWED = 1 << 20


@pytest.mark.parametrize("address", ["/desk/login", "/nothing", "/health", "/duties", "/desk"])
def test_every_answer_has_the_safe_headers(browser: Browser, address: str) -> None:
    answer = browser().get(address, follow_redirects=False)
    for name, value in guard.HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in guard.CSP
    assert "strict-transport-security" not in answer.headers


def test_what_never_changes_may_be_kept(browser: Browser) -> None:
    answer = browser().get("/static/portal.css")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("cache-control", "")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_fault_of_our_own_shows_a_page_with_the_safe_headers_and_no_detail(
    office: Office, clock: Clock
) -> None:
    app = create_app(office, clock)

    def boom() -> None:
        raise RuntimeError("canary in a traceback")

    app.add_api_route("/boom", boom)
    client = TestClient(app, raise_server_exceptions=False)
    answer = client.get("/boom")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == guard.CSP
    assert answer.headers["cache-control"] == "no-store"
    assert "canary" not in answer.text


def test_no_template_or_script_needs_what_the_policy_forbids() -> None:
    """Nothing inline, nothing from elsewhere: the policy would stop it."""
    folder = Path(guard.__file__).parent / "templates"
    for file in folder.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for forbidden in ("<style", " style=", "onclick=", "onchange=", "onsubmit=", "javascript:"):
            assert forbidden not in text, (file, forbidden)
        for part in text.split("<script")[1:]:
            assert part.lstrip().startswith(("src=", "type=")), file


def test_the_eleventh_bad_link_of_a_minute_is_put_off_and_a_good_one_still_works(
    browser: Browser, office: Office, clock: Clock
) -> None:
    client = browser()
    answers = [client.get(f"/a/{tokens.fresh()}").status_code for _ in range(11)]
    assert answers == [404] * 10 + [429]
    good = enter(lambda: client, office, clock, "东/妇联")
    assert good.get("/duties").status_code == 200


def test_a_bad_cookie_counts_like_a_bad_link(browser: Browser) -> None:
    client = browser()
    client.cookies.set("duban-link", "x" * 43)
    answers = [client.get("/duties").status_code for _ in range(11)]
    assert answers == [404] * 10 + [429]


def test_who_has_no_cookie_at_all_is_not_counted(browser: Browser) -> None:
    client = browser()
    assert {client.get("/duties").status_code for _ in range(15)} == {404}


def test_each_address_and_each_thing_is_counted_apart() -> None:
    counter = Counter()
    for what, limit in LIMITS.items():
        for _ in range(limit.amount):
            counter.check(what, "192.0.2.1")
            counter.count(what, "192.0.2.1")
        for attempt in (counter.count, counter.check):
            with pytest.raises(HTTPException) as caught:
                attempt(what, "192.0.2.1")
            assert caught.value.status_code == 429
        counter.count(what, "192.0.2.2")


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_visitor_is_counted_by_address_or_network(host: str, counted: str) -> None:
    scope: dict[str, Any] = {"type": "http", "client": (host, 1), "headers": []}
    assert address_of(Request(scope)) == counted
    if ":" in host:
        assert ip_network(counted).num_addresses == 2**64


# Bodies, against a real server on loopback


async def _read(request: Request) -> Response:
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return PlainTextResponse(str(size))


async def _read_more(request: Request) -> Response:
    allow_body(request, ALLOWED)
    return await _read(request)


async def _read_nothing() -> Response:
    return PlainTextResponse("unread")


async def _plain(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse("refused", error.status_code)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that answers how many bytes it was sent."""
    app = FastAPI()
    guard.protect(app, secure=False)
    app.add_exception_handler(HTTPException, _plain)
    for address, route in (("/usual", _read), ("/more", _read_more), ("/unread", _read_nothing)):
        app.add_api_route(address, route, methods=["POST"])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    thread.join()
    listening.close()


def send(port: int, address: str, *parts: str | bytes, pause: float = 0.0) -> tuple[int, str]:
    """Sends a request in parts; the status and all that was answered, until it is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"POST {address} HTTP/1.1\r\nHost: x\r\n".encode())
        for part in parts:
            time.sleep(pause)
            try:
                connection.sendall(part if isinstance(part, bytes) else part.encode())
            except (BrokenPipeError, ConnectionResetError):
                break
        answer = b""
        while piece := _receive(connection):
            answer += piece
    return int(answer.split(b" ")[1]), answer.decode()


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def sized(size: int) -> str:
    return f"Content-Length: {size}\r\nConnection: close\r\n\r\n"


def test_a_body_within_the_limit_is_read_whole(port: int) -> None:
    status, answer = send(port, "/usual", sized(USUAL_BODY), b"x" * USUAL_BODY)
    assert status == 200
    assert answer.endswith(str(USUAL_BODY))


def test_a_route_may_allow_more(port: int) -> None:
    assert send(port, "/more", sized(ALLOWED), b"x" * ALLOWED)[0] == 200
    assert send(port, "/more", sized(ALLOWED + 1))[0] == 413


@pytest.mark.parametrize("size", [USUAL_BODY + 1, 2 << 30])
def test_a_body_that_says_it_is_too_large_is_refused_before_a_byte_is_sent(
    port: int, size: int
) -> None:
    status, answer = send(port, "/usual", sized(size).replace("Connection: close\r\n", ""))
    assert status == 413
    assert "connection: close" in answer.lower()


def test_who_asks_before_sending_is_refused_without_being_told_to_go_on(port: int) -> None:
    status, answer = send(
        port, "/usual", f"Expect: 100-continue\r\nContent-Length: {USUAL_BODY + 1}\r\n\r\n"
    )
    assert status == 413
    assert "100 Continue" not in answer


def test_a_body_that_grows_too_large_is_cut_off(port: int) -> None:
    piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    parts = [b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 64]
    status, answer = send(port, "/usual", *parts)
    assert status == 413
    assert "connection: close" in answer.lower()


def test_what_nobody_reads_is_not_waited_for(port: int) -> None:
    status, answer = send(port, "/unread", f"Content-Length: {2 << 30}\r\n\r\n", b"x" * 1000)
    assert status == 200
    assert "connection: close" in answer.lower()


def test_a_connection_stays_open_after_a_body_that_was_read(port: int) -> None:
    status, answer = send(
        port,
        "/usual",
        "Content-Length: 1\r\n\r\nxPOST /usual HTTP/1.1\r\nHost: x\r\n",
        sized(2),
        "yy",
    )
    assert status == 200
    assert answer.count("HTTP/1.1 200") == 2


def test_a_body_that_stalls_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "STALL_SECONDS", 0.3)
    began = time.monotonic()
    assert send(port, "/usual", sized(100), "x")[0] == 408
    assert 0.2 < time.monotonic() - began < 10


def test_a_body_that_trickles_is_given_up_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "STALL_SECONDS", 0.5)
    assert send(port, "/usual", sized(100), *["x"] * 20, pause=0.1)[0] == 408


def test_five_hundred_slow_visitors_do_not_keep_others_waiting(port: int) -> None:
    slow = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(500)]
    try:
        for connection in slow:
            connection.sendall(b"POST /usual HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        times: list[float] = []
        for _ in range(20):
            began = time.monotonic()
            assert send(port, "/usual", sized(1), "x")[0] == 200
            times.append(time.monotonic() - began)
        assert sorted(times)[18] < 5  # on a busy machine; a thread for each visitor would wait 60
    finally:
        for connection in slow:
            connection.close()
    assert STALL_SECONDS == 60
