"""People with accounts, signed in, and what they send."""

from dataclasses import dataclass
from datetime import timedelta

from httpx2 import Response
from starlette.testclient import TestClient

from duban import tokens
from duban.ledger.accounts import Role
from duban.ledger.change import change
from duban.ledger.tables import Account, Session
from duban.office import Office
from duban.portal.guard import csrf_of
from tests.duban.portal.conftest import Browser, Clock


@dataclass(frozen=True)
class Seat:
    """Somebody's browser at the desk."""

    client: TestClient
    csrf: str

    def see(self, address: str, status: int = 200) -> str:
        """A page's text."""
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, address: str, **fields: str | list[str]) -> Response:
        """Sends a form and does not follow."""
        data = {"csrf": self.csrf, **fields}
        return self.client.post(address, data=data, follow_redirects=False)

    def sent(self, address: str, **fields: str | list[str]) -> str:
        """Sends a form that must be taken; the text of the page it leads to."""
        answer = self.post(address, **fields)
        assert answer.status_code == 303, answer.text
        return self.see(answer.headers["location"])


def seat(
    browser: Browser,
    office: Office,
    clock: Clock,
    role: Role = Role.PROVINCIAL,
    region: str | None = None,
) -> Seat:
    """A fresh account of a role, signed in for twelve hours from the clock's moment."""
    token = stay(office, clock, role, region)
    client = browser()
    client.cookies.set("duban-desk", token)
    return Seat(client, csrf_of(office.key, token))


def stay(office: Office, clock: Clock, role: Role, region: str | None) -> str:
    """The token of the same, without the time that passwords take."""
    token, now = tokens.fresh(), clock()
    with change(office.ledger.engine, now, "test") as made:
        login = f"{role}-{token[:8]}".lower()
        account = Account(login=login, name="某人", role=role, region=region, made_at=now)
        made.session.add(account)
        made.session.flush()
        made.session.add(
            Session(
                token_sha256=tokens.digest(token),
                account_id=account.id,
                begun_at=now,
                seen_at=now,
                ends_at=now + timedelta(hours=12),
            )
        )
    return token
