"""An agency's due days as a calendar that telephones and mail programs subscribe to."""

import hashlib
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path
from icalendar import Alarm, Calendar, Event
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from duban.ledger import links
from duban.portal.agency.own import Own, unclosed_duties
from duban.portal.agency.routes import page
from duban.portal.guard import count
from duban.portal.who import Guest, portal_of
from duban.words import period_prose

router = APIRouter()

ALARMS = (timedelta(days=-3, hours=9), timedelta(hours=9))
"""From the beginning of the due day: three days before and on the day, at nine."""


@page(router, "/feed/{token}.ics")
def feed(request: Request, token: Annotated[str, Path(max_length=100)]) -> Response:
    """The duties that wait for the agency, each on its due day; no personal data."""
    portal = portal_of(request)
    now = portal.clock()
    door = links.by_feed(portal.office.ledger, token, now)
    if door is None:
        count(request, "token")
        raise HTTPException(404, "link")
    guest = Guest(request, portal.office, portal.pages, now, "", door)
    body = _calendar(guest).to_ical()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


def _calendar(guest: Guest) -> Calendar:
    name = guest.ledger.registry.name_of(guest.door.agency_id)
    made = Calendar()
    _put(
        made,
        prodid="-//Duban//Duban//ZH",
        version="2.0",
        x_wr_calname=guest.text("{agency}督办时限").format(agency=name),
        x_published_ttl="PT6H",
    )
    for own in unclosed_duties(guest):
        if own.owed and own.waits:
            made.add_component(_event(guest, own))
    return made


def _event(guest: Guest, own: Own) -> Event:
    duty, portal = own.duty, guest.office.settings.portal
    day = duty.due_at.astimezone(duty.notice.zone).date()
    period = period_prose(guest.pages.words(guest.request), duty.period)
    title = guest.text("报送截止：{title}（{period}）")
    made = Event()
    _put(
        made,
        uid=f"duty-{duty.id}@{portal.partition('://')[2].partition('/')[0]}",
        dtstamp=duty.opened_at,
        sequence=duty.revision,
        dtstart=day,
        dtend=day + timedelta(days=1),
        summary=title.format(title=duty.clause.title, period=period),
        description=f"{duty.notice.number} {duty.number}\n{duty.clause.quote}",
        url=f"{portal}/duties/{duty.id}",
        transp="TRANSPARENT",
    )
    for before in ALARMS:
        made.add_component(_alarm(before, duty.clause.title))
    return made


def _alarm(before: timedelta, title: str) -> Alarm:
    made = Alarm()
    _put(made, action="DISPLAY", description=title, trigger=before)
    return made


def _put(component: Any, **values: object) -> None:
    for name, value in values.items():
        component.add(name.replace("_", "-"), value)
