"""Somebody of 东市妇联 with its link, and words to fill in its forms."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from duban.ledger.database import reading
from duban.ledger.questions import duties
from duban.ledger.tables import Base, Duty
from duban.office import Office
from tests.duban.portal.conftest import Browser, Clock, enter

PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40
WHO = {"_person": "王芳", "_telephone": "0351-1234567"}
Files = list[tuple[str, tuple[str, bytes, str]]]


def pdf(field: str, name: str = "汇总.pdf", content: bytes = PDF) -> tuple[str, Any]:
    """A file as a form without script sends it."""
    return f"file.{field}", (name, io.BytesIO(content), "application/pdf")


@dataclass
class Desk:
    """One visitor's browser, and the duty that it is about."""

    client: TestClient
    duty: int

    @property
    def path(self) -> str:
        return f"/duties/{self.duty}"

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/duties").text)
        assert found
        return found[1]

    def read(self, path: str = "") -> str:
        """The page of the duty, or another of it."""
        answer = self.client.get(f"{self.path}{path}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, files: Any = None, **fields: Any) -> Any:
        """Sends a form; an address that begins with a slash is taken from the top."""
        where = path if path.startswith("/") else f"{self.path}/{path}".rstrip("/")
        return self.client.post(where, data={"csrf": self.csrf, **fields}, files=files)

    def hand_in(self, files: Any = None, **fields: Any) -> Any:
        """Submits the duty's form."""
        return self.post("", files, act="submit", **WHO, **fields)

    def put(self, name: str, content: bytes = PDF, field: str = "proof") -> Any:
        """Sends a file as the script does."""
        return self.client.put(
            f"{self.path}/files/{field}",
            params={"name": name},
            content=content,
            headers={"X-CSRF": self.csrf},
        )

    def files(self) -> list[dict[str, Any]]:
        """What the script hears of the files."""
        return self.client.get(f"{self.path}/files").json()["files"]


Come = Callable[..., Desk]


@pytest.fixture
def come(browser: Browser, office: Office, clock: Clock) -> Come:
    """`come("东/妇联", "1")`: somebody of an agency, about its duty under a clause."""

    def made(agency: str = "东/妇联", clause: str = "1", owner: str | None = None) -> Desk:
        [duty] = duties(office.ledger, agency=owner or agency, clause=f"small/{clause}")
        return Desk(enter(browser, office, clock, agency), duty.id)

    return made


@pytest.fixture
def guest(come: Come) -> Desk:
    """Somebody of 东市妇联, about its report on 家长课堂, due on 20 March 2026."""
    return come()


def rows(office: Office) -> dict[str, list[Any]]:
    """Everything in the ledger."""
    with reading(office.ledger.engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


def column(office: Office, duty: int, name: str) -> Any:
    """A column of a duty."""
    with reading(office.ledger.engine) as connection:
        return connection.scalar(select(getattr(Duty, name)).where(Duty.id == duty))
