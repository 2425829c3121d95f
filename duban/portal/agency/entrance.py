"""How an agency comes in and goes: the link, a lost link, the language, leaving."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from duban.ledger import links
from duban.portal.agency.routes import onward, page
from duban.portal.guard import count, csrf_of, read_form, set_cookie
from duban.portal.pages import LANGUAGES
from duban.portal.who import LINK_COOKIE, AGuest, cookie_name, portal_of
from duban.registry import Registry

router = APIRouter()

LOST = "lost"
"""Stands for the credential of a form that anybody may send."""

MOST_FOUND = 5
"""Agencies that one request for a lost link reaches; a shared mailbox may serve several."""

STAY = timedelta(days=7)
"""How long a browser is known without the link; an unfinished form is sent in that time."""

YEAR = 365 * 24 * 3600


@page(router, "/a/{token}")
def come_in(request: Request, token: Annotated[str, Path(max_length=100)]) -> Response:
    """Takes a link's token once and keeps it as a cookie, so that no later address holds it."""
    portal = portal_of(request)
    now = portal.clock()
    door = links.enter(portal.office.ledger, token, now)
    if door is None:
        count(request, "token")
        raise HTTPException(404, "link")
    life = min(door.expires_at - now, STAY)
    response = RedirectResponse("/duties", 303)
    name = cookie_name(request, LINK_COOKIE)
    set_cookie(response, request, name, token, int(life.total_seconds()))
    return response


@page(router, "/")
def landing(request: Request, done: str = "") -> Response:
    """What this is, for somebody who came without a link."""
    portal = portal_of(request)
    coordinator = portal.office.ledger.registry.coordinator
    known = bool(request.cookies.get(cookie_name(request, LINK_COOKIE)))
    context = {"left": done == "left", "known": known, "coordinator": coordinator}
    return portal.pages.render(request, "agency/landing.html", context)


@page(router, "/lost")
def lost(request: Request) -> Response:
    """Asks whose link is lost."""
    return _lost_page(request, sent=False)


@router.post("/lost")
async def send_again(request: Request) -> Response:
    """Sends the link of whoever is named to the registered address.

    The answer is the same, and comes as soon, whether the name is known or not.
    """
    count(request, "lost")
    portal = portal_of(request)
    form = await read_form(request, csrf_of(portal.office.key, LOST))
    response = await run_in_threadpool(_lost_page, request, sent=True)
    response.background = BackgroundTask(_send, request, str(form.get("who") or ""))
    return response


def _lost_page(request: Request, *, sent: bool) -> Response:
    portal = portal_of(request)
    contact = portal.office.ledger.registry.coordinator
    context = {
        "sent": sent,
        "csrf": csrf_of(portal.office.key, LOST),
        "coordinator": contact,
    }
    return portal.pages.render(request, "agency/lost.html", context)


def _send(request: Request, who: str) -> None:
    portal = portal_of(request)
    ledger, now = portal.office.ledger, portal.clock()
    for agency in _named(ledger.registry, who)[:MOST_FOUND]:
        links.send_link(ledger, agency, now=now)


def _named(registry: Registry, who: str) -> list[str]:
    """Ids of the agencies with this name or this mail address."""
    wanted = who.strip().casefold()
    return [
        agency.id
        for agency in registry.agencies.values()
        if wanted and wanted in (agency.name.casefold(), (agency.contact.channel or "").casefold())
    ]


@page(router, "/language/{code}")
def speak(request: Request, code: Annotated[str, Path(max_length=10)], back: str = "/") -> Response:
    """Keeps the chosen language in a cookie and goes back to a page of ours."""
    if code not in LANGUAGES:
        raise HTTPException(404)
    response = RedirectResponse(_ours(back), 303)
    set_cookie(response, request, "lang", code, YEAR)
    return response


def _ours(back: str) -> str:
    """The path, if it leads nowhere else and opens nothing."""
    plain = back.isascii() and back.isprintable() and "\\" not in back
    local = back.startswith("/") and not back.startswith(("//", "/a/"))
    return back if plain and local else "/"


@router.post("/leave")
async def leave(guest: AGuest) -> Response:
    """Forgets the link on this machine; the link itself goes on working."""
    await guest.form()
    response = onward("/", "left")
    set_cookie(response, guest.request, cookie_name(guest.request, LINK_COOKIE), "", 0)
    return response
