"""An agency's duties on one page: what is overdue first, what is done last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from duban.duty import Status
from duban.ledger import Ledger, links
from duban.ledger.database import reading
from duban.ledger.questions import events
from duban.ledger.tables import Draft, EvidenceFile
from duban.portal.agency.own import Own, closed_duties, own_bulletins, own_links, unclosed_duties
from duban.portal.agency.routes import page
from duban.portal.agency.said import bulletin_title
from duban.portal.agency.said import done as said_done
from duban.portal.who import AGuest, Guest

router = APIRouter()

MOST_DONE = 10
ALL_DONE = 1000

GROUPS = ("overdue", "returned", "soon", "waiting", "review", "shared")


@dataclass(frozen=True, slots=True)
class Line:
    """A duty as the list shows it.

    Attributes:
        days: civil days to the due day in force; negative when it is past.
        missing: labels of what is required and neither typed nor sent yet.
        returned: why it was returned, if it is.
    """

    own: Own
    group: str
    days: int
    missing: tuple[str, ...]
    returned: str


@page(router, "/duties")
def show(guest: AGuest, more: bool = False, done: str = "") -> Response:
    """All that the link reaches."""
    lines = _lines(guest, unclosed_duties(guest))
    closed = closed_duties(guest, ALL_DONE if more else MOST_DONE + 1)
    shown = len(closed) if more else MOST_DONE
    context = {
        "groups": [(group, [line for line in lines if line.group == group]) for group in GROUPS],
        "todo": sum(line.own.owed and line.own.waits for line in lines),
        "closed": closed[:shown],
        "more": len(closed) > shown,
        "handed": own_links(guest),
        "bulletins": [(one, bulletin_title(guest, one)) for one in own_bulletins(guest)],
        "feed": _feed(guest),
        "scheme": guest.office.settings.portal.partition("://")[0],
        "said": said_done(guest, done),
    }
    return render(guest, "agency/duties.html", context)


def render(
    guest: Guest, template: str, context: Mapping[str, object], status: int = 200
) -> Response:
    """A page of the guest's, with whose it is and whom to call."""
    registry = guest.ledger.registry
    always = {
        "agency": registry.agencies[guest.door.agency_id],
        "coordinator": registry.coordinator,
        "door": guest.door,
        "csrf": guest.csrf,
        "now": guest.now,
        "handed_on": guest.door.parent is not None,
    }
    return guest.pages.render(guest.request, template, {**always, **context}, status=status)


def _lines(guest: Guest, found: Sequence[Own]) -> list[Line]:
    begun = _begun(guest.ledger, guest.door.agency_id, [own.duty.id for own in found])
    lines = [_line(guest, own, begun.get(own.duty.id, frozenset())) for own in found]
    return sorted(lines, key=lambda line: (line.own.duty.due_at, line.own.duty.id))


def _line(guest: Guest, own: Own, begun: frozenset[str]) -> Line:
    duty = own.duty
    missing = (one for one in duty.clause.evidence if one.required and one.key not in begun)
    return Line(
        own,
        _group(own, guest.now),
        days_left(own, guest.now),
        tuple(one.label for one in missing) if duty.status is Status.OPEN else (),
        why_returned(guest.ledger, own) if own.owed else "",
    )


def _group(own: Own, now: datetime) -> str:
    duty = own.duty
    if not own.owed:
        return "shared"
    if duty.status is Status.SUBMITTED:
        return "review"
    if duty.overdue(now):
        return "overdue"
    if duty.status is Status.RETURNED:
        return "returned"
    return "soon" if duty.due_soon(now) else "waiting"


def days_left(own: Own, now: datetime) -> int:
    """Civil days of the notice's zone to the due day in force; negative when it is past."""
    zone = own.duty.notice.zone
    return (own.duty.due_at.astimezone(zone).date() - now.astimezone(zone).date()).days


def why_returned(ledger: Ledger, own: Own) -> str:
    """The reason of the latest return, while the duty waits to be mended."""
    if own.duty.status is not Status.RETURNED:
        return ""
    found = events(ledger, duty_id=own.duty.id)
    return next((one.text for one in reversed(found) if one.action == "returned"), "")


def _begun(ledger: Ledger, agency: str, ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """The keys of the fields for which an agency's draft has something, by duty."""
    numbers = list(ids)
    typed = select(Draft.duty_id, Draft.fields).where(
        Draft.agency == agency, Draft.duty_id.in_(numbers)
    )
    sent = select(EvidenceFile.duty_id, EvidenceFile.field).where(
        EvidenceFile.agency == agency,
        EvidenceFile.duty_id.in_(numbers),
        EvidenceFile.submission_id.is_(None),
        EvidenceFile.state != "refused",
    )
    found: dict[int, frozenset[str]] = {}
    with reading(ledger.engine) as connection:
        for duty, fields in connection.execute(typed):
            found[duty] = frozenset(key for key, value in fields.items() if value)
        for duty, field in connection.execute(sent):
            found[duty] = found.get(duty, frozenset()) | {field}
    return found


def _feed(guest: Guest) -> str:
    """The address of the calendar feed without its scheme."""
    address = guest.office.settings.portal.partition("://")[2]
    token = links.feed_of(guest.ledger, guest.office.key, guest.door.link_id)
    return f"{address}/feed/{token}.ics"
