"""How calls are made: one after another, with patience, login and the server's form secret."""

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx

from duban.errors import DubanError
from tasks.stage.model import Json

T = TypeVar("T")

#: Seconds between the tries of one call; SQLite is locked for moments, not for minutes.
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
PAGE = 200
LOGS = "/logs/"  # the one call that doubles what it does when it is repeated
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
_GUARDS_NOT = 422  # the answer of a server that asks for no secret


class StageError(DubanError):
    """Prefect did not do what was asked; the message says what, and what to do."""


class Busy(Exception):
    """Prefect could not do it at this moment; the same call may succeed later."""


class Calls:
    """HTTP to a Prefect server behind its API address, such as `http://127.0.0.1:4200/api`.

    Calls go out one after another: on SQLite, calls at once lose runs behind a 200. A busy server
    (503) is asked again for some 16 seconds. `auth` is `user:password`, if the server asks for one.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        self._secret: dict[str, str] | None = None
        user, _, password = (auth or "").partition(":")
        self._client = httpx.Client(
            base_url=self.url,
            auth=(user, password) if auth else None,
            transport=transport,
            # SQLite waits up to 60 s for a lock before the server gives up.
            timeout=httpx.Timeout(90, connect=5),
            # Below the server's own 5 s, so that no call meets a connection just being closed.
            limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=3),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def _pages(self, path: str, wanted: Json) -> Iterator[Json]:
        offset = 0
        while True:
            body = {**wanted, "limit": PAGE, "offset": offset}
            rows: list[Json] = self._call("POST", path, body).json()
            yield from rows
            offset += PAGE
            if len(rows) < PAGE:
                return

    def _call(
        self, method: str, path: str, json: Any = None, allow: tuple[int, ...] = ()
    ) -> httpx.Response:
        doing = f"answering {method} {path}"
        return self._patiently(lambda: self._send(method, path, json, allow), doing)

    def _patiently(self, attempt: Callable[[], T], doing: str) -> T:
        reason = ""
        for pause in (*PAUSES, 0):
            try:
                return attempt()
            except Busy as busy:
                reason = str(busy)
                self._sleep(pause)
        raise StageError(
            f"Prefect was still too busy after {len(PAUSES) + 1} tries at {doing} ({reason}): "
            "let its running flows finish, then try again; on SQLite only one program may write."
        )

    def _send(
        self, method: str, path: str, json: Any = None, allow: tuple[int, ...] = ()
    ) -> httpx.Response:
        answer = self._once(method, path, json)
        if _is_forged(answer):  # the secret has expired, or the server has a new database
            self._secret = None
            answer = self._once(method, path, json)
        if answer.status_code == 503:
            raise Busy("503")
        if answer.is_success or answer.status_code in allow:
            return answer
        raise StageError(_refusal(method, path, answer))

    def _once(self, method: str, path: str, json: Any = None) -> httpx.Response:
        headers = self._form_secret() if method in _CHANGING else None
        try:
            return self._sent(method, path, json, headers)
        except httpx.TimeoutException as error:
            raise StageError(
                f"Prefect at {self.url} did not answer {method} {path} in time: "
                "see whether the machine is overloaded, then try again."
            ) from error
        except httpx.HTTPError as error:
            raise StageError(
                f"Prefect does not answer at {self.url} ({error}): "
                "start it with `duban up`, or correct PREFECT_API_URL."
            ) from error

    def _sent(
        self, method: str, path: str, json: Any, headers: dict[str, str] | None
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, json=json, headers=headers)
        except httpx.RemoteProtocolError:
            # A server under load drops a connection now and then. Once more is harmless but for
            # logs: runs are made by key, and the rest sets what it sets.
            if path == LOGS:
                raise
            return self._client.request(method, path, json=json, headers=headers)

    def _form_secret(self) -> dict[str, str]:
        """What a server that guards against forged forms wants to see with every change."""
        if self._secret is None:
            client = str(uuid4())
            path = f"/csrf-token?client={client}"
            answer = self._send("GET", path, allow=(_GUARDS_NOT,))
            given = answer.json().get("token")
            named = {"Prefect-Csrf-Client": client, "Prefect-Csrf-Token": given}
            self._secret = named if given else {}
        return self._secret


def absent(answer: httpx.Response) -> bool:
    return answer.status_code == 404


def _is_forged(answer: httpx.Response) -> bool:
    return answer.status_code == 403 and "CSRF" in answer.text


def _refusal(method: str, path: str, answer: httpx.Response) -> str:
    hint = "see the Prefect server's log."
    if absent(answer):
        hint = "it was deleted in Prefect; run `python -m deployments` to bring it back."
    if answer.status_code == 401:
        hint = (
            "give its user:password in PREFECT_API_AUTH_STRING; that of the embedded Prefect "
            "stands in prefect.auth in the data folder."
        )
    said = _said(answer)
    return f"Prefect refused {method} {path} with {answer.status_code} ({said}): {hint}"


def _said(answer: httpx.Response) -> str:
    # Never the whole answer: it repeats the request, and with it what people wrote.
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer.text[:200]
    body: Json = answer.json()
    faults: list[Json] = body.get("exception_detail") or []
    messages = [str(fault.get("msg")) for fault in faults]
    return str(body.get("detail") or "; ".join(messages) or body.get("exception_message"))[:200]


def reasons(errors: Iterable[object]) -> str:
    return "; ".join(sorted({str(error)[:200] for error in errors}))
