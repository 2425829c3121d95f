"""The second factor: a time-based code (TOTP) from an app on the person's telephone.

Its secret is made from a nonce and the key in the data folder, and stands in no table.
"""

import hmac
from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from io import BytesIO

import segno
from pyotp.totp import TOTP

from duban.tokens import same

STEP_SECONDS = 30
_SECRET_BYTES = 20
_DRIFT = 1  # steps that a telephone's clock may be off


def nonce_for(session_token: str, last_step: int) -> str:
    """The nonce of an enrolment under way: the same on each look within one session."""
    return sha256(f"totp:{last_step}:{session_token}".encode()).hexdigest()[:32]


def secret(key: bytes, nonce: str) -> str:
    """The secret that the app holds, in base32."""
    made = hmac.new(key, f"totp:{nonce}".encode(), sha256).digest()
    return b32encode(made[:_SECRET_BYTES]).decode()


def picture(key: bytes, nonce: str, login: str) -> bytes:
    """The QR code that the app reads, as an SVG document."""
    uri = TOTP(secret(key, nonce)).provisioning_uri(name=login, issuer_name="督办")
    out = BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", scale=4, border=4, light="#fff", dark="#000")
    return out.getvalue()


def matching_step(
    key: bytes, nonce: str, code: str, now: datetime, *, after: int = 0
) -> int | None:
    """The time step that a code belongs to; None when it is wrong, too old, or used already.

    Args:
        after: the last step that was used; it and the ones before are not accepted again.
    """
    given = "".join(code.split())
    totp = TOTP(secret(key, nonce))
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if same(totp.generate_otp(step), given) and step > after:
            found = step
    return found
