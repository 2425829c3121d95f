"""The portal on the small notice, with its first quarter of 2026 opened and told."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from duban.ledger import Ledger, accounts, links, sessions
from duban.ledger.accounts import Role
from duban.ledger.database import make_engine
from duban.ledger.opening import open_missing
from duban.office import Office
from duban.portal.app import create_app
from duban.registry import Registry
from tests.conftest import Engines, Project, at, china


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = field(default_factory=lambda: china("2026-03-02", "10:00"))

    def __call__(self) -> datetime:
        return self.now

    def set(self, day: str, time: str = "10:00") -> None:
        self.now = china(day, time)


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[None]:
    """Passwords are hashed as Argon2 does, but not as long."""
    with pytest.MonkeyPatch.context() as patch:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr("duban.ledger.passwords._HASHER", hasher)
        yield


@pytest.fixture
def clock() -> Clock:
    """Monday, 2 March 2026, 10:00 in Shanghai, unless the test sets it."""
    return Clock()


def open_quarter(office: Office) -> None:
    """Opens clauses 1 (quarter) and 2 (ratio, once) on New Year, and tells the agencies."""
    for clause in ("small/1", "small/2"):
        open_missing(office.ledger, china("2026-01-01"), clause=clause)
    office.post.deliver(at(china("2026-01-01")))


@pytest.fixture(scope="session")
def quarter(
    sqlite_template: Path, small: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A project whose quarter is opened and told, to copy: that takes longer than most tests."""
    project = Project.write(tmp_path_factory.mktemp("quarter") / "project")
    home = project.folder / "var"
    home.mkdir()
    shutil.copyfile(sqlite_template, home / "ledger.db")
    url = f"sqlite:///{home / 'ledger.db'}"
    engine = make_engine(url)
    open_quarter(Office(project.settings(url), Ledger(engine, small)))
    engine.dispose()
    return home


@pytest.fixture
def office(
    quarter: Path, small: Registry, project: Project, sqlite_url: str, engines: Engines
) -> Iterator[Office]:
    """The office on SQLite; clauses 1 (quarter) and 2 (ratio, once) are opened and told."""
    shutil.copytree(quarter, project.folder / "var", ignore=shutil.ignore_patterns("ledger.db"))
    engine = engines[sqlite_url]
    assert engine.url.database
    shutil.copyfile(quarter / "ledger.db", engine.url.database)
    yield Office(project.settings(sqlite_url), Ledger(engine, small))
    engine.dispose()


Browser = Callable[[], TestClient]


@pytest.fixture
def browser(office: Office, clock: Clock) -> Iterator[Browser]:
    """Opens a browser with no cookies; redirects are followed, errors of the server are seen."""
    app = create_app(office, clock)
    with ExitStack() as open_ones:  # one that is kept open answers three times as fast
        yield lambda: open_ones.enter_context(TestClient(app, base_url="http://127.0.0.1:4280"))


def enter(browser: Browser, office: Office, clock: Clock, agency: str) -> TestClient:
    """A browser that came in by a fresh link of an agency."""
    client = browser()
    token = links.issue(office.ledger, office.key, agency, by="test", now=clock())
    client.get(f"/a/{token}")
    return client


PASSWORD = "leaf-harbour-quiet-29"


def sign_in(office: Office, clock: Clock, login: str, role: Role, region: str | None = None) -> str:
    """The token of somebody new who signed in and chose a password; for the cookie of the desk."""
    ledger, now = office.ledger, clock()
    given = accounts.add(
        ledger, login=login, name="张三", role=role, region=region, by="test", now=now
    )
    assert given
    entered = sessions.log_in(ledger, office.key, login, given, "", now)
    assert isinstance(entered, sessions.Entered)
    signed = sessions.who(ledger, entered.token, now)
    assert signed
    return sessions.change_password(ledger, signed, given, PASSWORD, now)
