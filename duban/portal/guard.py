"""What stands before every page: headers, cookies, forged forms, limits.

Behind a proxy the portal believes what it says of the visitor's address (X-Forwarded-For) and of
https only when the proxy is on this machine and DUBAN_PORTAL_URL is an https address; a proxy
elsewhere makes all visitors share one address, and thereby the limits below.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import FastAPI
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from duban import tokens
from duban.portal.pages import Pages

CSP = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000"}

USUAL_BODY = 64 * 1024
"""Bytes that the body of a request may have; routes that take files allow more."""
STALL_SECONDS = 60
SLOWEST = 8 * 1024
"""Bytes a second that a body must come by on average, once `STALL_SECONDS` have passed."""


def protect(app: FastAPI, *, secure: bool) -> None:
    """Puts the guards before an application.

    Args:
        secure: whether it is reached over https.
    """
    app.state.counter = Counter()
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(BodyLimits)
    app.add_middleware(SafeHeaders, also=_HSTS if secure else {})


async def _left(_request: Request, _error: Exception) -> Response:
    """Nobody hears it: the visitor left while sending."""
    return Response(status_code=400)


async def _broken(request: Request, _error: Exception) -> Response:
    """The page for our own faults; it is made outside all guards, so it needs the headers here."""
    pages: Pages = request.app.state.portal.pages
    response = pages.render(request, "wrong.html", {"code": 500}, status=500)
    add_headers(response.headers, HEADERS)
    return response


class SafeHeaders:
    """Puts the safe headers on every answer that has not its own."""

    def __init__(self, app: ASGIApp, also: Mapping[str, str]) -> None:
        self.app = app
        self.headers = {**HEADERS, **also}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        is_static = scope["path"].startswith("/static/")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(MutableHeaders(scope=message), self.headers, is_static)
            await send(message)

        return await self.app(scope, receive, answer)


def add_headers(headers: MutableHeaders, safe: Mapping[str, str], is_static: bool = False) -> None:
    """Adds the safe headers that are not there; only what is static may be kept."""
    for name, value in safe.items():
        headers.setdefault(name, value)
    if not is_static:
        headers.setdefault("Cache-Control", "no-store")


@dataclass
class _Body:
    """How much of a request's body has come, and how much and how slowly it may."""

    declared: int
    is_chunked: bool
    most: int = USUAL_BODY
    received: int = 0
    complete: bool = False
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def check(self) -> None:
        """Raises HTTPException 413 when it is, or says it will be, too large."""
        if max(self.declared, self.received) > self.most:
            raise HTTPException(413)

    @property
    def is_under_way(self) -> bool:
        """Whether there is more to come."""
        return not self.complete and (self.declared > 0 or self.is_chunked)

    def patience(self) -> float:
        """Seconds to wait for the next piece."""
        end = self.began + STALL_SECONDS + self.received / SLOWEST
        return min(STALL_SECONDS, end - asyncio.get_running_loop().time())


class BodyLimits:
    """Stops reading a body that is too large or too slow: 413, 408."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        length = int(declared) if declared.isascii() and declared.isdigit() else 0
        body = scope["duban.body"] = _Body(length, "transfer-encoding" in headers)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and body.is_under_way:
                MutableHeaders(scope=message)["Connection"] = "close"  # the rest is not read
            await send(message)

        return await self.app(scope, _limited(body, receive), answer)


def _limited(body: _Body, receive: Receive) -> Receive:
    async def piece() -> Message:
        if body.complete:  # now the wait is for the visitor to leave
            return await receive()
        body.check()  # as late as this: the route has said by now what it allows
        message = await _in_time(receive(), body.patience())
        body.received += len(message.get("body", b""))
        body.complete = not message.get("more_body", False)
        body.check()
        return message

    return piece


async def _in_time(coming: Awaitable[Message], seconds: float) -> Message:
    try:
        return await asyncio.wait_for(coming, max(seconds, 0.0))
    except TimeoutError:
        raise HTTPException(408) from None


def allow_body(request: Request, most: int) -> None:
    """Lets this request's body have as many bytes; called before any of it is read."""
    body: _Body = request.scope["duban.body"]
    body.most = most


LIMITS: Mapping[str, RateLimitItem] = {
    "token": RateLimitItemPerMinute(10),
    "attempt": RateLimitItemPerMinute(30),
    "login": RateLimitItemPerMinute(20, 15),
    "lost": RateLimitItemPerMinute(5, 10),
}
"""What is counted for each address: links that open nothing, attempts to sign in, those of them
that failed, lost links."""


class Counter:
    """Counts attempts by address, in memory; a restart forgets them."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, what: str, address: str) -> None:
        """Counts one; HTTPException 429 when there were as many as `LIMITS` allows already."""
        if not self._limiter.hit(LIMITS[what], what, address):
            raise HTTPException(429, headers={"Retry-After": "60"})

    def check(self, what: str, address: str) -> None:
        """Counts nothing; HTTPException 429 when there were as many already."""
        if not self._limiter.test(LIMITS[what], what, address):
            raise HTTPException(429, headers={"Retry-After": "60"})


def count(request: Request, what: str) -> None:
    """Counts one attempt of the visitor's address; 429 when there were too many before it."""
    counter: Counter = request.app.state.counter
    counter.count(what, address_of(request))


def check_count(request: Request, what: str) -> None:
    """429 when the visitor's address made too many attempts already."""
    counter: Counter = request.app.state.counter
    counter.check(what, address_of(request))


def address_of(request: Request) -> str:
    """By what a visitor is counted: the address, or in IPv6 the network that it can choose from."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return host


def csrf_of(key: bytes, credential: str) -> str:
    """What a form must carry to be taken for the visitor's own."""
    return tokens.derived(key, "csrf", credential)


async def read_form(request: Request, expected: str) -> FormData:
    """The form of a POST; refuses one that another site may have sent.

    Raises:
        HTTPException: 403.
    """
    check_origin(request)
    form = await request.form(max_files=20, max_fields=200)
    given = str(form.get("csrf") or request.headers.get("x-csrf") or "")
    if not tokens.same(given, expected):
        raise HTTPException(403)
    return form


def check_origin(request: Request) -> None:
    """Refuses what the browser says another site began.

    Raises:
        HTTPException: 403.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none"):
        raise HTTPException(403)
    # Our own pages send no referrer, and browsers then say "null" for the origin of their forms.
    origin = request.headers.get("origin", "null")
    if origin != "null" and origin not in _own_origins(request):
        raise HTTPException(403)


def _own_origins(request: Request) -> set[str]:
    scheme, _, rest = request.app.state.portal.office.settings.portal.partition("://")
    host = request.headers.get("host", "")
    return {f"{scheme}://{rest.partition('/')[0]}", f"{scheme}://{host}"}


def set_cookie(response: Response, request: Request, name: str, value: str, life: int) -> None:
    """Gives the visitor a cookie that no script and, over http, no other site sees.

    Args:
        name: the whole name, as `cookie_name` makes it.
        life: seconds; 0 takes the cookie away.
    """
    response.set_cookie(
        name,
        value,
        max_age=life,
        path="/",
        secure=request.app.state.portal.secure,
        httponly=True,
        samesite="lax",
    )
