"""A letter to try channels with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from duban.channels import Form, Parcel
from duban.channels.network import trusted
from duban.registry import Registry
from tests.servers import make_certificate

MakeParcel = Callable[..., Parcel]

MAIL = (
    b"Message-ID: <a1@example.org>\r\nSubject: trial\r\n\r\n"
    b".a line that begins with a dot\r\nend\r\n"
)


@pytest.fixture
def make_parcel(small: Registry) -> MakeParcel:
    """Makes a parcel of a payload, a small mail unless given."""

    def make(payload: bytes | str = MAIL, form: Form = Form.MAIL) -> Parcel:
        content = payload.encode() if isinstance(payload, str) else payload
        agency = small.agencies["东/共青团"]
        return Parcel("共青团东市委-交办", "2026-01-05", agency, content, form)

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a server on 127.0.0.1 that nobody trusts yet."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch):
    """Has channels trust the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusted.cache_clear()
    yield
    trusted.cache_clear()
