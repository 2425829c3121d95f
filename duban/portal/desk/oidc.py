"""Signing in through an identity provider: OpenID Connect, authorization code with PKCE."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, cast

import httpx
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from duban import tokens
from duban.settings import Settings

SECONDS = 10  # for each answer of the provider
LIFE = 600
"""Seconds that a visitor may take at the provider."""
_LEEWAY = 60
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""Signatures with a provider's published key; none is never one."""
_SCOPE = "openid profile email"


class ProviderFailed(Exception):
    """The provider did not vouch for the visitor, or did not answer as it should."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What the visitor's browser keeps while at the provider; signed, and for ten minutes.

    `begun` is in seconds since 1970.
    """

    state: str
    nonce: str
    verifier: str
    begun: int

    def seal(self, key: bytes) -> str:
        """As a cookie."""
        text = urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()
        return f"{text}.{tokens.derived(key, 'oidc', text)}"

    @classmethod
    def unseal(cls, key: bytes, cookie: str, now: float) -> "Pending":
        """From a cookie; ProviderFailed when it is forged, too old, or not there."""
        text, _, seal = cookie.partition(".")
        if not tokens.same(seal, tokens.derived(key, "oidc", text)):
            raise ProviderFailed
        found = cls(**json.loads(urlsafe_b64decode(text)))
        if not found.begun <= now <= found.begun + LIFE:
            raise ProviderFailed
        return found


@dataclass(frozen=True)
class Provider:
    """An identity provider; what it publishes of itself is read once."""

    issuer: str
    client: str
    secret: str
    callback: str

    @cached_property
    def about(self) -> dict[str, Any]:
        """Its published configuration."""
        found = _read(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise ProviderFailed
        return found

    def begin(self, now: float) -> tuple[str, Pending]:
        """Where to send the visitor, and what its browser must bring back."""
        pending = Pending(tokens.fresh(), tokens.fresh(), tokens.fresh(), int(now))
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._place("authorization_endpoint"),
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return address, pending

    def finish(self, pending: Pending, state: str, code: str, now: float) -> dict[str, Any]:
        """What the provider says of the visitor who came back.

        Raises:
            ProviderFailed: the state is another visit's, or the ID token is not the provider's,
                for another client, for another visit, or no longer good.
        """
        if not tokens.same(state, pending.state):
            raise ProviderFailed
        return self._checked(self._token(code, pending.verifier), pending.nonce, now)

    def _token(self, code: str, verifier: str) -> str:
        try:
            with self._client() as client:
                answer = client.fetch_token(
                    self._place("token_endpoint"),
                    code=code,
                    code_verifier=verifier,
                    timeout=SECONDS,
                    allow_redirects=False,
                )
            return str(answer["id_token"])
        except Exception as error:  # whatever the provider answered; it may hold secrets
            raise ProviderFailed from error

    def _checked(self, token: str, nonce: str, now: float) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            now=int(now),
            leeway=_LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            claims = jwt.decode(token, self._keys(), algorithms=_ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise ProviderFailed from error
        if claims.get("azp", self.client) != self.client or not isinstance(claims["sub"], str):
            raise ProviderFailed
        return claims

    def _keys(self) -> KeySet:
        """Read anew each time, since providers change them."""
        return KeySet.import_key_set(cast(Any, _read(self._place("jwks_uri"))))

    def _place(self, name: str) -> str:
        found = self.about.get(name)
        if not isinstance(found, str):
            raise ProviderFailed
        return found

    def _client(self) -> Any:
        return cast(Any, OAuth2Session)(
            self.client,
            self.secret,
            scope=_SCOPE,
            redirect_uri=self.callback,
            code_challenge_method="S256",
        )


def _read(address: str) -> dict[str, Any]:
    try:
        answer = httpx.get(address, timeout=SECONDS)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderFailed from error
    if not isinstance(found, dict):
        raise ProviderFailed
    return cast(dict[str, Any], found)


def provider_of(settings: Settings) -> Provider | None:
    """The provider that the settings name, if they name one."""
    if settings.oidc_issuer is None or not settings.oidc_client:
        return None
    secret = settings.oidc_secret.get_secret_value() if settings.oidc_secret else ""
    callback = f"{settings.portal}/desk/login/back"
    return Provider(settings.oidc_issuer, settings.oidc_client, secret, callback)
