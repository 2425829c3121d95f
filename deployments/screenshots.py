"""`duban screenshots`: the README's pictures, taken from the demo while it runs."""

import json
import secrets
import shutil
import subprocess
from base64 import b64encode
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import pendulum
import typer

from deployments.embedded import credential_of
from duban.batches import batches
from duban.cli.common import office
from duban.duty import Status
from duban.errors import DubanError
from duban.ledger import accounts, bulletins, links, reviewing
from duban.ledger.accounts import Role
from duban.ledger.papers import PaperView, content_of, papers
from duban.ledger.questions import DutyView, duties
from duban.ledger.reviewing import Waiting
from duban.mirror import overdue_tag, runs_link
from duban.office import Office
from duban.period import Every
from duban.registry.papers import PaperKind
from duban.words import words

if TYPE_CHECKING:  # a test tool, which is not there where the product runs
    from playwright.sync_api import Browser, BrowserContext, Page

TO = Path("deployments/screenshots")
DESK: dict[str, Any] = {"viewport": {"width": 1366, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}
BETWEEN = 16  # pixels between pictures side by side
GREY = (221, 224, 229)
PAPER_SCALE = 1.1  # pixels a point


class NoPicture(DubanError):
    """Something that pictures need is not there."""


def screenshots(
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where they go.")] = TO,
) -> None:
    """Take the README's pictures from the demo in DUBAN_HOME while it runs."""
    here = office()
    if not here.label:
        raise NoPicture("Pictures are taken of a demo only; name its folder in DUBAN_HOME.")
    to.mkdir(parents=True, exist_ok=True)
    for picture in take(here, pendulum.now("UTC"), to):
        typer.echo(str(picture))


def take(office: Office, now: datetime, to: Path) -> list[Path]:
    """Visits the portal with a fresh account and a fresh link, both of which end with the visit,
    and Prefect's pages; what is on paper is drawn by LibreOffice, if it is there.

    Args:
        to: a folder that is there.

    Raises:
        NoPicture: Chromium or its driver is missing, or the portal does not answer.
    """
    with _chromium() as chromium:
        desk, phone = (
            _at_the_desk(chromium, office, now, to),
            _on_a_phone(chromium, office, now, to),
        )
        return [*desk, phone, *_in_prefect(chromium, office, to), *_on_paper(office, to)]


@contextmanager
def _chromium() -> "Generator[Browser]":
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise NoPicture("Pictures need the test tools; run: make install-test") from None
    if program is None:
        raise NoPicture("Pictures need Chromium; install the package chromium.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield chromium
        except Error as error:
            raise NoPicture(f"The portal could not be seen; is the demo running? {error}") from None
        finally:
            chromium.close()


def _at_the_desk(chromium: "Browser", office: Office, now: datetime, to: Path) -> list[Path]:
    notice = next(iter(office.ledger.registry.notices))
    paths = {"board": "/desk", "notice": f"/desk/notices/{notice}"}
    if waiting := reviewing.queue(office.ledger, now):
        paths["review"] = f"/desk/review/{max(waiting, key=_worth_seeing).duty.id}"
    if found := bulletins.bulletins(office.ledger):
        telling = next((one for one in found if one.every is Every.QUARTER), found[0])
        paths["bulletin"] = f"/desk/bulletins/{telling.id}"
    with _signed_in(chromium, office, now) as page:
        return [_picture(page, office, path, to / f"portal-{n}.png") for n, path in paths.items()]


def _worth_seeing(one: Waiting) -> tuple[int, int]:
    """Evidence with pages to look at, and with figures."""
    shown = sum(file.pages for file in one.version.files if file.state == "fine")
    return min(shown, 1), len(one.version.fields)


def _picture(page: "Page", office: Office, path: str, file: Path) -> Path:
    page.goto(f"{office.settings.portal}{path}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file)
    return file


@contextmanager
def _signed_in(chromium: "Browser", office: Office, now: datetime) -> "Generator[Page]":
    """A page at the desk, as a coordinator whose account is disabled afterwards."""
    ledger, login = office.ledger, f"pictures-{secrets.token_hex(4)}"
    once = accounts.add(
        ledger, login=login, name="协调员", role=Role.PROVINCIAL, region=None, by="duban", now=now
    )
    page = chromium.new_page(**DESK, locale="zh-CN")
    try:
        _sign_in(page, office, login, once or "")
        yield page
    finally:
        page.close()
        accounts.disable(ledger, login, by="duban", now=now)


def _sign_in(page: "Page", office: Office, login: str, once: str) -> None:
    password = secrets.token_urlsafe(24)
    page.goto(f"{office.settings.portal}/desk/login")
    _send(page, {"login": login, "password": once})
    _send(page, {"old": once, "new": password, "again": password})
    page.goto(f"{office.settings.portal}/desk")


def _send(page: "Page", fields: dict[str, str]) -> None:
    for name, value in fields.items():
        page.fill(f"main #{name}", value)
    with page.expect_navigation():
        page.click("main button.main")


def _on_a_phone(chromium: "Browser", office: Office, now: datetime, to: Path) -> Path:
    """The list of an agency and the form of one of its duties, side by side."""
    duty = _most_telling(duties(office.ledger), now)
    with _come_in(chromium, office, duty.agency.id, now) as page:
        parts = [page.screenshot()]
        page.goto(f"{office.settings.portal}/duties/{duty.id}")
        page.locator("h2#form").evaluate("heading => heading.scrollIntoView()")
        parts.append(page.screenshot())
    return _side_by_side(parts, to / "portal-phone.png")


def sign_in_to_prefect(context: "BrowserContext", pages: str, auth: str) -> None:
    """Has Prefect's pages find what their own sign-in form would have left.

    Args:
        pages: their address without a path, such as `http://127.0.0.1:4200`.
        auth: `user:password`.
    """
    kept = b64encode(auth.encode()).decode()
    context.add_init_script(
        f"if (location.origin === {json.dumps(pages)}) "
        f"localStorage.setItem('prefect-password', {json.dumps(kept)})"
    )


def _in_prefect(chromium: "Browser", office: Office, to: Path) -> list[Path]:
    """What is overdue, and the dashboard, when their lists are there."""
    pages, w = office.settings.prefect, words(office.ledger.registry.language)
    tag = overdue_tag(w)
    context = chromium.new_context(**DESK)
    try:
        sign_in_to_prefect(context, pages, credential_of(office.settings))
        page = context.new_page()
        looks = {"overdue": (runs_link(pages, tag), "Overdue"), "dashboard": (pages, "board")}
        return [_seen(page, *look, to / f"{name}.png") for name, look in looks.items()]
    finally:
        context.close()


def _seen(page: "Page", address: str, words: str, file: Path) -> Path:
    """A picture of a page that fills itself, once it shows these words."""
    page.goto(address)
    page.get_by_text(words).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)  # the charts draw themselves last
    page.screenshot(path=file)
    return file


def _on_paper(office: Office, to: Path) -> list[Path]:
    """The first page of a paper of each kind, and the first two of a bulletin that was issued."""
    program = shutil.which("soffice")
    if program is None:
        typer.echo("no pictures of papers: LibreOffice is missing", err=True)
        return []
    found = papers(office.ledger)
    bulletins = [one for one in found if one.kind is PaperKind.CIRCULAR and not one.duties]
    newest = {one.kind: one for one in reversed(found) if one.duties}
    first = [_pages(program, office, newest[kind], 1)[0] for kind in PaperKind if kind in newest]
    rows = [
        _side_by_side(row, to / f"papers-{n}.png") for n, row in enumerate(batches(first, 3), 1)
    ]
    shown = [_pages(program, office, one, 2) for one in bulletins[:1]]
    return [*rows, *(_side_by_side(pages, to / "bulletin-word.png") for pages in shown)]


def _pages(program: str, office: Office, paper: PaperView, most: int) -> list[bytes]:
    """The first pages of a paper as PNG."""
    import pypdfium2

    with TemporaryDirectory() as folder:
        file = Path(folder) / "paper.docx"
        file.write_bytes(content_of(office.ledger, paper.id))
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = [program, "--headless", profile, "--convert-to", "pdf", "--outdir", folder, file]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        library: Any = pypdfium2
        with library.PdfDocument(file.with_suffix(".pdf")) as document:
            return [_png(document[n]) for n in range(min(most, len(document)))]


def _png(page: Any) -> bytes:
    drawn = BytesIO()
    page.render(scale=PAPER_SCALE).to_pil().convert("RGB").save(drawn, "png")
    return drawn.getvalue()


@contextmanager
def _come_in(chromium: "Browser", office: Office, agency: str, now: datetime) -> "Generator[Page]":
    """The list of an agency, by a link that is revoked afterwards."""
    token = links.issue(office.ledger, office.key, agency, by="duban", now=now)
    door = links.enter(office.ledger, token, now)
    assert door
    page = chromium.new_page(**PHONE, locale="zh-CN")
    try:
        page.goto(f"{office.settings.portal}/a/{token}")
        yield page
    finally:
        page.close()
        links.revoke(office.ledger, door.link_id, by="duban", now=now)


def _most_telling(found: Sequence[DutyView], now: datetime) -> DutyView:
    """Of the agency with the most duties overdue, the one that asks for most kinds of evidence."""
    late = [duty for duty in found if duty.overdue(now) and duty.status is Status.OPEN]
    if not late:
        raise NoPicture("No duty is overdue, so there is little to see; make a fresh demo.")
    [(agency, _)] = Counter(duty.agency.id for duty in late).most_common(1)
    own = [duty for duty in late if duty.agency.id == agency]
    return max(own, key=lambda duty: len({field.type for field in duty.clause.evidence}))


def _side_by_side(pictures: Sequence[bytes], file: Path) -> Path:
    from PIL import Image  # the other commands start without it

    parts = [Image.open(BytesIO(one)) for one in pictures]
    width = sum(part.width for part in parts) + BETWEEN * (len(parts) - 1)
    whole = Image.new("RGB", (width, parts[0].height), GREY)
    for number, part in enumerate(parts):
        whole.paste(part, (number * (part.width + BETWEEN), 0))
    whole.save(file)
    return file
