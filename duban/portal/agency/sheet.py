"""An agency's 台账 as a workbook: taken along, filled in without a network, and sent back.

Only the agency's own link opens it: a link that was handed on reaches single duties.
"""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from duban.ledger.browsing import Selection, Today
from duban.ledger.questions import DutyView
from duban.portal import sheets
from duban.portal.agency.listing import render
from duban.portal.agency.routes import onward, page
from duban.portal.guard import allow_body
from duban.portal.who import AGuest, Guest
from duban.sheets.coming import MovedOn
from duban.sheets.reading import SheetUnreadable

router = APIRouter()


@page(router, "/sheet")
def show(guest: AGuest) -> Response:
    """Says how it goes."""
    _check(guest)
    return _page(guest, {})


@page(router, "/sheet/ledger.xlsx")
def download(guest: AGuest) -> Response:
    """The duties that the agency owes, open and closed."""
    _check(guest)
    selection = Selection(agency=guest.door.agency_id)
    return sheets.download(guest, Today(guest.ledger, guest.now), selection, own=True)


@router.post("/sheet")
async def send(guest: AGuest) -> Response:
    """Takes in a workbook and shows what it would do."""
    allow_body(guest.request, sheets.MOST_BYTES)
    form = await guest.form()
    try:
        return await run_in_threadpool(_send, guest, form)
    finally:
        await guest.request.close()


def _send(guest: Guest, form: FormData) -> Response:
    _check(guest)
    try:
        sheets.keep(guest, form)
        return _page(guest, sheets.look(guest, _takes(guest)).context)
    except SheetUnreadable as error:
        return _page(guest, {"fault": sheets.fault(guest, error)}, 422)


@router.post("/sheet/apply")
async def apply(guest: AGuest) -> Response:
    """Brings in what was looked at."""
    form = await guest.form()
    return await run_in_threadpool(_apply, guest, form)


def _apply(guest: Guest, form: FormData) -> Response:
    _check(guest)
    try:
        left = sheets.bring_in(guest, form, _takes(guest), by=guest.door.agency_id)
    except (SheetUnreadable, MovedOn) as error:
        return _page(guest, {"fault": sheets.fault(guest, error)}, 422)
    return _page(guest, left.context, 422) if left else onward("/duties", "filled")


def _check(guest: Guest) -> None:
    if guest.door.parent is not None or guest.door.duties is not None:
        raise HTTPException(404)


def _takes(guest: Guest) -> sheets.coming.Takes:
    def owed(duty: DutyView) -> bool:
        return duty.agency.id == guest.door.agency_id

    return owed


def _page(guest: Guest, context: Mapping[str, object], status: int = 200) -> Response:
    nothing = {"sent": None, "fault": ""}
    return render(guest, "agency/sheet.html", {**nothing, **context}, status)
