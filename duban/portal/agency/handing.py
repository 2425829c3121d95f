"""Handing duties on to a colleague or a unit below, by a narrower link; and taking that back."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated

import segno
from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from duban.errors import DubanError
from duban.ledger import links
from duban.portal.agency import said
from duban.portal.agency.duty import Wrong
from duban.portal.agency.forms import text
from duban.portal.agency.listing import render
from duban.portal.agency.own import Own, own_link, own_links, unclosed_duties
from duban.portal.agency.routes import onward, page
from duban.portal.who import AGuest, Guest
from duban.registry.evidence import Fault, read_day

router = APIRouter()

AFTER_DUE = timedelta(days=30)
"""A link handed on lives so long beyond the due day, unless another end is typed."""


@page(router, "/hand-on")
def show(guest: AGuest, duty: int = 0) -> Response:
    """Asks to whom, what and until when."""
    chosen = [own for own in unclosed_duties(guest) if own.duty.id == duty]
    typed = {"holder": "", "until": _until(guest, chosen).isoformat()}
    return _page(guest, typed, {duty})


def _until(guest: Guest, chosen: Sequence[Own]) -> date:
    zone = guest.ledger.registry.first_notice.zone
    last = max((own.duty.due_at for own in chosen), default=guest.now)
    end = max(last, guest.now) + AFTER_DUE
    return min(end, guest.door.expires_at).astimezone(zone).date()


@router.post("/hand-on")
async def hand_on(guest: AGuest) -> Response:
    """Makes the link and shows it, this once."""
    form = await guest.form()
    return await run_in_threadpool(_hand_on, guest, form)


def _hand_on(guest: Guest, form: FormData) -> Response:
    typed = {key: text(form, key) for key in ("holder", "until")}
    numbers = (str(one) for one in form.getlist("duty"))
    chosen = {int(one) for one in numbers if one.isdecimal() and len(one) < 19}
    try:
        number, token = links.hand_on(
            guest.ledger,
            guest.office.key,
            guest.door,
            chosen,
            typed["holder"],
            until=read_day(typed["until"]),
            now=guest.now,
        )
    except Fault as fault:
        told = guest.pages.words(guest.request).unfit[fault.code].format(**fault.values)
        return _page(guest, typed, chosen, [Wrong("until", told)])
    except DubanError as error:
        key = "holder" if isinstance(error, links.NobodyNamed) else ""
        return _page(guest, typed, chosen, [Wrong(key, said.fault(guest, error))])
    return _handed(guest, number, token, typed)


def _handed(guest: Guest, number: int, token: str, typed: Mapping[str, str]) -> Response:
    address = f"{guest.office.settings.portal}/a/{token}"
    code = segno.make(address, error="m", micro=False)
    context = {
        "address": address,
        "code": code.svg_data_uri(scale=5, border=4, dark="#20282e", light="#fff"),
        "link": own_link(guest, number),
        "typed": typed,
    }
    return render(guest, "agency/handed.html", context)


def _page(
    guest: Guest, typed: Mapping[str, str], chosen: set[int], wrong: Sequence[Wrong] = ()
) -> Response:
    faults: dict[str, list[str]] = {}
    for one in wrong:
        faults.setdefault(one.key, []).append(one.text)
    context = {
        "typed": typed,
        "chosen": chosen,
        "duties": unclosed_duties(guest),
        "handed": own_links(guest),
        "wrong": wrong,
        "faults": faults,
    }
    return render(guest, "agency/hand_on.html", context, 422 if wrong else 200)


@router.post("/links/{link_id}/revoke")
async def revoke(guest: AGuest, link_id: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
    """Takes back a link that this one handed on, and all that it handed on in turn."""
    await guest.form()
    return await run_in_threadpool(_revoke, guest, link_id)


def _revoke(guest: Guest, link_id: int) -> Response:
    found = own_link(guest, link_id)
    try:
        links.revoke(guest.ledger, found.id, by=guest.door.agency_id, now=guest.now)
    except DubanError:
        return onward("/duties")  # it was revoked meanwhile, as the page will show
    return onward("/duties", "revoked")
