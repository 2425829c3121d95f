"""Whatever is sent to any route, the portal never fails: generated from its own description."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from starlette.testclient import TestClient

from duban.ledger import links
from duban.ledger.accounts import Role
from duban.office import Office
from duban.portal.guard import csrf_of
from tests.duban.portal.conftest import Browser, Clock, sign_in

TEMPLATES = Path(__file__).parents[3] / "duban" / "portal" / "templates"
NUMBERS = {"duty_id", "file_id", "petition_id", "link_id", "letter_id"}


def field_names() -> list[str]:
    """Every name that a form of the templates sends."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html"))
    return sorted(set(re.findall(r'name="([\w.-]+)"', text)) - {"csrf"})


def described(app: Any) -> dict[str, Any]:
    """The portal's OpenAPI, with the fields of the forms in it, and small numbers that exist."""
    schema = app.openapi()
    form = {
        "type": "object",
        "properties": {name: {"type": "string", "maxLength": 60} for name in field_names()},
        "additionalProperties": {"type": "string", "maxLength": 60},
    }
    for path in schema["paths"].values():
        for method, operation in path.items():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in NUMBERS:
                    parameter["schema"] |= {"minimum": 0, "maximum": 12}
            if method in ("post", "put"):
                operation.setdefault(
                    "requestBody",
                    {"content": {"application/x-www-form-urlencoded": {"schema": form}}},
                )
    return schema


@pytest.fixture
def clients(office: Office, clock: Clock, browser: Browser) -> list[TestClient]:
    """A guest and an administrator, each with what their forms carry."""
    token = links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())
    session = sign_in(office, clock, "someone", Role.ADMINISTRATOR)
    made: list[TestClient] = []
    for cookie, value in (("duban-link", token), ("duban-desk", session)):
        client = browser()
        client.follow_redirects = False
        client.cookies.set(cookie, value)
        client.headers["X-CSRF"] = csrf_of(office.key, value)
        made.append(client)
    return made


TRIES = int(os.environ.get("DUBAN_SCHEMA_TRIES", "10"))


def test_no_route_fails_whatever_it_is_sent(clients: list[TestClient]) -> None:
    import schemathesis  # two seconds, which those who only collect tests need not wait

    guest, person = clients
    # Schemathesis is typed in part only.
    schema: Any = schemathesis.openapi.from_dict(described(guest.app))
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        _try(operation, person if operation.path.startswith("/desk") else guest)
    assert len(operations) > 50


def _try(operation: Any, client: TestClient) -> None:
    @seed(1)
    @settings(
        max_examples=TRIES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = client.request(**_sent(case))
        assert answer.status_code < 500, f"{case.method} {case.formatted_path}"

    send()


def _sent(case: Any) -> dict[str, Any]:
    kept = ("method", "url", "params", "data", "json", "files", "content")
    wanted = case.as_transport_kwargs(base_url="http://127.0.0.1:4280")
    sent = {name: value for name, value in wanted.items() if name in kept}
    if isinstance(sent.get("data"), dict):
        sent["data"] = {name: f"{value}" for name, value in sent["data"].items()}
    return sent
