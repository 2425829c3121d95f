"""A small OpenID provider on loopback that also tells lies when asked to."""

import base64
import hashlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "duban-client", "provider-secret-canary"


@cache
def _own_key() -> RSAKey:
    """Made once: it takes longer than a test."""
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class OidcServer:
    """One provider with one person; `claims` and the rest change what its ID tokens say."""

    port: int = 0
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "s-1", "preferred_username": "wang"}
    )
    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    without: tuple[str, ...] = ()
    algorithm: str = "RS256"
    signer: RSAKey | None = None
    alleged_issuer: str | None = None
    broken: str = ""
    now: int = 0
    key: RSAKey = field(default_factory=_own_key)
    visits: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    asked: list[str] = field(default_factory=list[str])

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, form: dict[str, str], auth: str) -> tuple[int, Any]:
        """What is at a path; 302 answers are addresses."""
        self.asked.append(path)
        if self.broken and self.broken in path:
            return 500, {"error": "server_error"}
        if path.endswith("/openid-configuration"):
            return 200, self._about()
        if path == "/jwks":
            return 200, KeySet([self.key]).as_dict(private=False)
        if path == "/authorize":
            return 302, self._authorize(form)
        return self._token(form, auth) if path == "/token" else (404, {})

    def _about(self) -> dict[str, Any]:
        return {
            "issuer": self.alleged_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def _authorize(self, form: dict[str, str]) -> str:
        code = f"code-{len(self.visits)}"
        self.visits[code] = form
        return f"{form['redirect_uri']}?{urlencode({'code': code, 'state': form['state']})}"

    def _token(self, form: dict[str, str], auth: str) -> tuple[int, Any]:
        visit = self.visits.pop(form.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if visit is None or auth != f"Basic {expected}" or not _proves(form, visit):
            return 400, {"error": "invalid_grant"}
        token = self._sign(self._claims(visit["nonce"]))
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": token}

    def _claims(self, nonce: str) -> dict[str, Any]:
        honest = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": nonce,
            **self.person,
        }
        said = {**honest, **self.claims}
        return {name: value for name, value in said.items() if name not in self.without}

    def _sign(self, claims: dict[str, Any]) -> str:
        if self.algorithm == "none":
            parts = (dumps({"alg": "none"}), dumps(claims))
            return ".".join(_b64(part.encode()) for part in parts) + "."
        if self.algorithm == "HS256":  # signed with what everybody can read
            from joserfc.jwk import OctKey

            public = OctKey.import_key(self.key.as_pem(private=False))
            header = {"alg": "HS256", "kid": "one"}
            return jwt.encode(header, claims, public, algorithms=["HS256"])
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signer or self.key)


def _proves(form: dict[str, str], visit: dict[str, str]) -> bool:
    made = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return visit.get("code_challenge_method") == "S256" and _b64(made) == visit["code_challenge"]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def oidc_server(now: int) -> Generator[OidcServer]:
    """Runs a provider whose clock stands at `now`, in seconds since 1970."""
    provider = OidcServer(now=now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            self._answer(self.rfile.read(length).decode())

        def _answer(self, query: str) -> None:
            form = {name: values[0] for name, values in parse_qs(query).items()}
            auth = self.headers.get("Authorization", "")
            status, said = provider.answer(urlsplit(self.path).path, form, auth)
            body = b"" if status == 302 else dumps(said).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", said)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
