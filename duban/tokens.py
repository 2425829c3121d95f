"""Secrets that open something: made from the data folder's key, kept elsewhere as hashes only."""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from duban.errors import DubanError

LENGTH = 43
"""Characters of a token: 256 bits in the alphabet of URLs."""


class BadKey(DubanError):
    """The data folder's secret.key cannot be used."""


def load_key(path: Path, given: str | None = None) -> bytes:
    """The key that tokens are made with: the one given, else the file's, made when it is missing.

    Raises:
        BadKey: it is too short, or cannot be read or made.
    """
    try:
        key = given or kept(path, lambda: secrets.token_hex(32))
    except OSError as error:
        raise BadKey(f"{path} cannot be read or made ({error.strerror}); check its rights.") from (
            error
        )
    if len(key) < 32:
        where = "DUBAN_SECRET" if given else str(path)
        raise BadKey(f"{where} is too short; it needs at least 32 random characters.")
    return key.encode()


def kept(path: Path, made: Callable[[], str]) -> str:
    """The secret in a file that only its owner reads; it is made if the file is missing.

    Whoever comes first makes it; the others read what that one wrote.
    """
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(made())
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        path.hardlink_to(unfinished)
    unfinished.unlink()
    return path.read_text().strip()


def derived(key: bytes, purpose: str, subject: str) -> str:
    """The token for a purpose and a subject: HMAC-SHA256 under the key, `LENGTH` characters."""
    made = hmac.new(key, f"{purpose}:{subject}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def fresh() -> str:
    """A random token, `LENGTH` characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What may be stored of a token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Compares without telling by its time how much was right."""
    return hmac.compare_digest(one.encode(), other.encode())
