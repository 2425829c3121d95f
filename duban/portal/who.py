"""Who asks: a guest, who comes by an agency's link, or a person, who has an account."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from duban.ledger import Ledger, links, sessions
from duban.ledger.accounts import may
from duban.ledger.links import Door
from duban.ledger.questions import DutyView, duties
from duban.ledger.sessions import Signed
from duban.office import Office
from duban.portal.guard import count, csrf_of, read_form
from duban.portal.pages import Pages

if TYPE_CHECKING:
    from duban.portal.app import Portal

LINK_COOKIE, DESK_COOKIE = "duban-link", "duban-desk"


class SignIn(Exception):
    """Nobody is signed in, or must first set another password; `back` was asked for."""

    def __init__(self, back: str, *, must_change: bool = False) -> None:
        self.back, self.must_change = back, must_change
        super().__init__(back)


def portal_of(request: Request) -> "Portal":
    """The portal that the request came to."""
    return cast("Portal", request.app.state.portal)


@dataclass(frozen=True)
class Visit:
    """One request, with what it needs: the office, the pages, and one frozen moment."""

    request: Request
    office: Office
    pages: Pages
    now: datetime

    @property
    def ledger(self) -> Ledger:
        """The office's ledger."""
        return self.office.ledger

    def text(self, message: str) -> str:
        """A message, written in Chinese, in the visitor's language."""
        return self.pages.text(self.request, message)


def visit(request: Request) -> Visit:
    """A request of anybody."""
    portal = portal_of(request)
    return Visit(request, portal.office, portal.pages, portal.clock())


AVisit = Annotated[Visit, Depends(visit)]


@dataclass(frozen=True)
class Known(Visit):
    """A visit of somebody whom a cookie, the `credential`, lets in."""

    credential: str

    @property
    def csrf(self) -> str:
        """What this visitor's forms carry."""
        return csrf_of(self.office.key, self.credential)

    async def form(self) -> FormData:
        """The form that was sent; 403 unless it is the visitor's own."""
        return await read_form(self.request, self.csrf)


@dataclass(frozen=True)
class Guest(Known):
    """Somebody with an agency's link; sees what `door` opens and nothing else."""

    door: Door


def cookie_name(request: Request, name: str) -> str:
    """`__Host-` keeps a cookie to one host, which browsers allow over https only."""
    secure = portal_of(request).secure
    return f"__Host-{name}" if secure else name


def guest(request: Request) -> Guest:
    """The guest whose link's cookie came with the request; 404 without a link that works."""
    portal = portal_of(request)
    credential = request.cookies.get(cookie_name(request, LINK_COOKIE), "")
    now = portal.clock()
    door = links.enter(portal.office.ledger, credential, now) if credential else None
    if door is None:
        if credential:
            count(request, "token")
        raise HTTPException(404, "link")
    return Guest(request, portal.office, portal.pages, now, credential, door)


AGuest = Annotated[Guest, Depends(guest)]


@dataclass(frozen=True)
class Person(Known):
    """Somebody with an account, signed in."""

    signed: Signed

    @property
    def actor(self) -> str:
        """How history names the person."""
        return self.signed.login

    def may(self, act: str) -> bool:
        """Whether the role allows an act: `read`, `decide`, `links`, `accounts`."""
        return may(self.signed.role, act)

    def require(self, act: str) -> None:
        """404 unless the role allows it, as if there were no such page."""
        if not self.may(act):
            raise HTTPException(404)

    def sees(self, agency_id: str) -> bool:
        """Whether an agency lies in what the person looks after."""
        region = self.signed.region
        return region is None or agency_id.partition("/")[0] == region

    def duty(self, duty_id: int) -> DutyView:
        """A duty that the person may see, else 404."""
        found = duties(self.ledger, ids=[duty_id])
        if not found or not self.sees(found[0].agency.id):
            raise HTTPException(404)
        return found[0]


def signed_in(request: Request) -> Person:
    """The person signed in, even one who must first set another password; else the login page."""
    portal = portal_of(request)
    credential = request.cookies.get(cookie_name(request, DESK_COOKIE), "")
    now = portal.clock()
    signed = sessions.who(portal.office.ledger, credential, now) if credential else None
    if signed is None:
        raise SignIn(request.url.path)
    return Person(request, portal.office, portal.pages, now, credential, signed)


SignedIn = Annotated[Person, Depends(signed_in)]


def person(found: SignedIn) -> Person:
    """The person signed in; else the login page, which leads back here.

    One who still has a one-time password is led to the page that changes it.
    """
    if found.signed.must_change:
        raise SignIn(found.request.url.path, must_change=True)
    return found


APerson = Annotated[Person, Depends(person)]


async def signed_in_form(found: SignedIn) -> FormData:
    """The form that the person signed in sent; 403 unless it is the person's own."""
    return await found.form()


async def person_form(found: APerson) -> FormData:
    """The form that a person sent; 403 unless it is the person's own."""
    return await found.form()


SignedInForm = Annotated[FormData, Depends(signed_in_form)]
PersonForm = Annotated[FormData, Depends(person_form)]
"""With it a route need not be `async`, so that its work does not hold up other visitors."""
