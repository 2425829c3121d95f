"""Agencies: how they are reached, the links by which they come in, and who takes over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import segno
from fastapi import APIRouter, Depends, Path
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from duban.channels import channel_name
from duban.errors import DubanError
from duban.ledger import handover, links, mailroom, undelivered
from duban.ledger.accounts import Act, regions
from duban.ledger.links import LinkView, NoSuchLink
from duban.ledger.mailroom import Dealings, LetterLine, Suspended
from duban.ledger.questions import DutyView, duties
from duban.portal.desk.faults import sentence
from duban.portal.desk.frame import Given
from duban.portal.desk.review import Number, text_of
from duban.portal.who import APerson, Person, PersonForm
from duban.registry import Contact

router = APIRouter(prefix="/desk/agencies")

Part = Annotated[str, Path(max_length=60)]


@dataclass(frozen=True, slots=True)
class Sift:
    """Which agencies are listed; every part may be empty."""

    region: str = ""
    department: str = ""


def _sift(region: Given = "", department: Given = "") -> Sift:
    return Sift(region, department)


ASift = Annotated[Sift, Depends(_sift)]


@dataclass(frozen=True, slots=True)
class Line:
    """An agency with what goes on with it.

    Attributes:
        known: whether it still stands in agencies.yaml.
        way: the name of the channel by which it is written to; empty without an address.
        own: the standing link that lives longest, if one works.
        handed_on: how many handed-on links work.
    """

    id: str
    name: str
    known: bool
    contact: Contact
    way: str
    suspended: tuple[Suspended, ...]
    own: LinkView | None
    handed_on: int
    open: int
    last: LetterLine | None

    @property
    def address(self) -> str:
        """Where its page is."""
        return page_of(self.id)

    @property
    def reachable(self) -> bool:
        """Whether a letter finds a way."""
        return bool(self.way) and not self.suspended


def page_of(agency_id: str) -> str:
    """The address of an agency's page."""
    return f"/desk/agencies/{quote(agency_id)}"


@router.get("")
def show_agencies(person: APerson, sift: ASift) -> Response:
    """All agencies, and those that have left agencies.yaml with duties still open."""
    lines = [
        line
        for line in _lines(person)
        if sift.region in ("", line.id.partition("/")[0])
        and sift.department in ("", line.id.partition("/")[2])
    ]
    seen = [one for one in person.ledger.registry.agencies.values() if person.sees(one.id)]
    context = {
        "person": person,
        "sift": sift,
        "lines": lines,
        "unreachable": sum(not line.reachable for line in lines),
        "regions": {one.region: one.region_name for one in seen},
        "departments": list(dict.fromkeys(one.department for one in seen)),
    }
    return person.pages.render(person.request, "desk/agencies.html", context)


def _lines(person: Person) -> list[Line]:
    going_on = mailroom.dealings(person.ledger)
    by_agency: dict[str, list[LinkView]] = {}
    for link in links.links_of(person.ledger):
        by_agency.setdefault(link.agency, []).append(link)
    known = person.ledger.registry.agencies
    left = sorted(going_on.open.keys() - known.keys())
    return [
        _line(person, agency_id, going_on, by_agency.get(agency_id, []))
        for agency_id in [*left, *known]
        if person.sees(agency_id)
    ]


def _line(person: Person, agency_id: str, going_on: Dealings, found: list[LinkView]) -> Line:
    agency = person.ledger.registry.agencies.get(agency_id)
    contact = agency.contact if agency else Contact()
    works = [link for link in found if link.works(person.now)]
    own = [link for link in works if link.parent is None]
    return Line(
        id=agency_id,
        name=agency.name if agency else agency_id,
        known=agency is not None,
        contact=contact,
        way=channel_name(contact.channel) if contact.channel else "",
        suspended=tuple(going_on.suspended.get(agency_id, ())),
        own=max(own, key=lambda link: link.expires_at, default=None),
        handed_on=len(works) - len(own),
        open=going_on.open.get(agency_id, 0),
        last=going_on.last.get(agency_id),
    )


@router.get("/{region}/{department}")
def show_agency(person: APerson, region: Part, department: Part, done: str = "") -> Response:
    """One agency: its contact, its links, what is suspended, who may take over."""
    return _page(person, _agency(person, region, department), done=done)


def _agency(person: Person, region: str, department: str) -> Line:
    """404 unless there is, or was, such an agency and the person sees it."""
    agency_id = f"{region}/{department}"
    found = [line for line in _lines(person) if line.id == agency_id]
    if not found:
        raise HTTPException(404)
    return found[0]


@dataclass(frozen=True, slots=True)
class Shown:
    """A link that is shown once: its address and a picture of it."""

    address: str
    picture: str


def _page(
    person: Person, line: Line, *, done: str = "", fault: str = "", shown: Shown | None = None
) -> Response:
    agencies = person.ledger.registry.agencies
    context = {
        "person": person,
        "line": line,
        "links": links.links_of(person.ledger, line.id),
        "duties": _open_duties(person, line.id),
        "takers": [one for one in agencies.values() if person.sees(one.id) and one.id != line.id],
        "now": person.now,
        "links_allowed": person.may(Act.LINKS),
        "decides": person.may(Act.DECIDE),
        "region_name": regions(person.ledger).get(line.id.partition("/")[0], ""),
        "done": done,
        "fault": fault,
        "shown": shown,
    }
    status = 422 if fault else 200
    return person.pages.render(person.request, "desk/agency.html", context, status=status)


def _open_duties(person: Person, agency_id: str) -> list[DutyView]:
    found = duties(person.ledger, agency=agency_id)
    return [duty for duty in found if duty.closed_at is None]


# Acts


@router.post("/{region}/{department}/reissue")
def reissue(person: APerson, form: PersonForm, region: Part, department: Part) -> Response:
    """Revokes every link of the agency, issues a new one, and shows that once."""
    return _show_link(person, region, department, links.reissue)


@router.post("/{region}/{department}/tell")
def tell(person: APerson, form: PersonForm, region: Part, department: Part) -> Response:
    """Shows the agency's link, to be passed on by telephone or in person."""
    return _show_link(person, region, department, links.tell)


def _show_link(person: Person, region: str, department: str, get: Callable[..., str]) -> Response:
    """The page holds the link, so it is answered to the form and never by a redirect."""
    person.require(Act.LINKS)
    line = _known(person, region, department)
    office = person.office
    token = get(person.ledger, office.key, line.id, by=person.actor, now=person.now)
    address = links.Portal(office.settings.portal, office.key).door(token)
    picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=4, border=4)
    again = _agency(person, region, department)
    return _page(person, again, shown=Shown(address, picture))


def _known(person: Person, region: str, department: str) -> Line:
    """404 unless the agency stands in agencies.yaml and the person sees it."""
    line = _agency(person, region, department)
    if not line.known:
        raise HTTPException(404)
    return line


@router.post("/{region}/{department}/send")
def send(person: APerson, form: PersonForm, region: Part, department: Part) -> Response:
    """Has the link sent to the agency's registered address."""
    person.require(Act.LINKS)
    line = _known(person, region, department)
    links.send_link(person.ledger, line.id, now=person.now)
    return _back(line, "sent")


def _back(line: Line, done: str) -> RedirectResponse:
    return RedirectResponse(f"{line.address}?done={done}", 303)


@router.post("/{region}/{department}/links/{link_id}/revoke")
def revoke(
    person: APerson, form: PersonForm, region: Part, department: Part, link_id: Number
) -> Response:
    """Revokes a link, and all that it handed on."""
    person.require(Act.LINKS)
    line = _agency(person, region, department)
    if link_id not in {link.id for link in links.links_of(person.ledger, line.id)}:
        raise HTTPException(404)
    try:
        links.revoke(person.ledger, link_id, by=person.actor, now=person.now)
    except NoSuchLink as error:
        return _page(person, line, fault=sentence(person, error))
    return _back(line, "revoked")


@router.post("/{region}/{department}/lift")
def lift(person: APerson, form: PersonForm, region: Part, department: Part) -> Response:
    """Lets the agency's suspended addresses be used again."""
    person.require(Act.DECIDE)
    line = _agency(person, region, department)
    try:
        undelivered.lift(person.ledger, line.id, by=person.actor, now=person.now)
    except DubanError as error:
        return _page(person, line, fault=sentence(person, error))
    return _back(line, "lifted")


@router.post("/{region}/{department}/hand-over")
def hand_over(person: APerson, form: PersonForm, region: Part, department: Part) -> Response:
    """Moves the open duties of an agency that has left agencies.yaml to another."""
    person.require(Act.DECIDE)
    line = _agency(person, region, department)
    taker = text_of(form, "taker")
    if not person.sees(taker):
        raise HTTPException(404)
    try:
        moved = handover.hand_over(
            person.ledger,
            line.id,
            taker,
            reason=text_of(form, "reason"),
            by=person.actor,
            now=person.now,
        )
    except DubanError as error:
        return _page(person, line, fault=sentence(person, error))
    code = "handed-over" if not moved.left else "handed-over-partly"
    return RedirectResponse(f"{page_of(taker)}?done={code}", 303)
