"""A real portal on loopback, a real mail server, and a real Chromium that visits them."""

import os
import re
import shutil
import socket
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from html import unescape
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect, sync_playwright
from starlette.types import ASGIApp

from duban.ledger import Ledger
from duban.ledger.accounts import Role
from duban.ledger.database import make_engine
from duban.ledger.questions import DutyView, duties
from duban.office import Office
from duban.portal.app import create_app
from duban.portal.serve import Inspecting
from tests.conftest import Project, at, china
from tests.duban.portal.conftest import Clock, open_quarter
from tests.duban.portal.desk.signed import stay
from tests.servers import SmtpSink

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = os.environ.get("DUBAN_SCREENSHOTS")  # a folder to keep pictures in
PATIENCE = 20_000  # milliseconds, on a busy machine
expect.set_options(timeout=PATIENCE)

CONTACTS = {
    "东/妇联": "women-east@example.org",
    "西/妇联": "women-west@example.org",
    "东/教育": "schools-east@example.org",
}

WECHAT = (
    "Mozilla/5.0 (Linux; Android 10; TAS-AN00) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.44.2502 WeChat/arm64 "
    "NetType/4G Language/zh_CN"
)
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": WECHAT,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1366, "height": 900}}


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything here needs a browser."""
    here = Path(__file__).parent
    missing = pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CI"),
        reason="NO CHROMIUM, so nothing is seen of the portal: install the package chromium",
    )
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(missing)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@dataclass
class World:
    """The portal as it is served, and everybody who uses it.

    Attributes:
        url: its address, as letters give it.
        sink: the mail server that takes every letter.
    """

    office: Office
    clock: Clock
    url: str
    sink: SmtpSink
    chromium: Browser
    contexts: list[BrowserContext] = field(default_factory=list[BrowserContext])

    def open(self, **how: Any) -> Page:
        """A page in a browser of its own, which agrees to whatever it is asked to confirm."""
        usual = {"base_url": self.url, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
        options: dict[str, Any] = usual | how
        context = self.chromium.new_context(**options)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def phone(self, agency: str = "东/妇联", **how: Any) -> Page:
        """An agency's page in WeChat, come in by the link in its letter."""
        page = self.open(**{**PHONE, **how})
        page.goto(self.link(agency))
        return page

    def desk(self, role: Role = Role.PROVINCIAL, region: str | None = None) -> Page:
        """A coordinator's page, signed in."""
        page = self.open(**DESKTOP)
        token = stay(self.office, self.clock, role, region)
        page.context.add_cookies([{"name": "duban-desk", "value": token, "url": self.url}])
        return page

    def deliver(self) -> None:
        """Lets the letters out that wait."""
        self.office.post.deliver(self.clock)

    def letters(self, agency: str) -> list[EmailMessage]:
        """The letters that an agency got, in order."""
        to = CONTACTS[agency]
        return [mail.message for mail in self.sink.mails if to in mail.recipients]

    def link(self, agency: str) -> str:
        """The address behind the button of an agency's first letter."""
        [first, *_] = self.letters(agency)
        found = re.search(rf'href="({re.escape(self.url)}/a/[^"]+)"', html_of(first))
        assert found, html_of(first)
        return unescape(found[1])

    def duty(self, agency: str = "东/妇联", clause: str = "1") -> DutyView:
        """The duty of an agency under a clause, as it is now."""
        [found] = duties(self.office.ledger, agency=agency, clause=f"small/{clause}")
        return found


def status_of(page: Page, path: str) -> int:
    """Goes there; the status of the answer."""
    answer = page.goto(path)
    assert answer
    return answer.status


def html_of(letter: EmailMessage) -> str:
    """The letter as mail programs show it."""
    body = letter.get_body(("html",))
    assert body
    return str(body.get_content())


def text_of(letter: EmailMessage) -> str:
    """The letter as plain text."""
    body = letter.get_body(("plain",))
    assert body
    return str(body.get_content())


@pytest.fixture
def world(project: Project, sqlite_url: str, clock: Clock, chromium: Browser) -> Iterator[World]:
    """The first quarter of 2026 is opened and told by real letters; it is 2 March, 10:00."""
    contacts = "".join(f"  {who}: {{contact: {{channel: {to}}}}}\n" for who, to in CONTACTS.items())
    project.edit(project.agencies, "agencies:\n", f"agencies:\n{contacts}")
    with ExitStack() as stack:
        sink = stack.enter_context(SmtpSink())
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        engine = make_engine(sqlite_url)
        stack.callback(engine.dispose)
        settings = project.settings(sqlite_url).model_copy(
            update={"portal_port": port, "mail_sender": sink.sender}
        )
        office = Office(settings, Ledger(engine, project.load()))
        office.arm(True, by="test", now=china("2026-01-01"))
        open_quarter(office)
        office.post.deliver(at(china("2026-01-05")))  # the first working day
        stack.enter_context(serving(create_app(office, clock), listener))
        made = World(office, clock, office.settings.portal, sink, chromium)
        stack.enter_context(Inspecting(office, clock))
        yield made
        for context in made.contexts:
            context.close()


@contextmanager
def serving(app: ASGIApp, listener: socket.socket) -> Generator[None]:
    """Serves for as long as the block lasts."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", ws="none",
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(15)


def photo(name: str, seed: int, side: int = 640) -> FilePayload:
    """A JPEG that no other is like, of some 300 KB at the usual size."""
    noise = Random(seed).randbytes(side * side * 3)
    taken = BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(taken, "jpeg", quality=70)
    return {"name": name, "mimeType": "image/jpeg", "buffer": taken.getvalue()}


def keep(page: Page, name: str) -> None:
    """Keeps a picture of the page, where a folder for that is named."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)
