"""The 台账 on the desk: the selection as a workbook, and what was filled in brought back."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from duban.intake import content_disposition
from duban.ledger.accounts import Act
from duban.ledger.questions import DutyView
from duban.portal import sheets
from duban.portal.desk.frame import ALooking, show
from duban.portal.guard import allow_body
from duban.portal.who import APerson, Person, PersonForm
from duban.sheets.coming import MovedOn, Takes
from duban.sheets.exports import finished_export
from duban.sheets.reading import SheetUnreadable

router = APIRouter(prefix="/desk")


@router.get("/ledger.xlsx")
def download(look: ALooking) -> Response:
    """The selection; one that is too long for somebody who waits leads back to the list."""
    if look.when.count(look.selection) > sheets.MOST_ROWS:
        return RedirectResponse(look.link(), 303)
    return sheets.download(look.person, look.when, look.selection)


@router.get("/exports/{name}", response_class=FileResponse)
def fetch(person: APerson, name: Annotated[str, Path(max_length=40)]) -> FileResponse:
    """What a run in the background wrote, of all regions."""
    path = finished_export(person.office.settings.home, name)
    if path is None or person.signed.region is not None:
        raise HTTPException(404)
    headers = {"Content-Disposition": content_disposition(name), "Cache-Control": "no-store"}
    return FileResponse(path, media_type=sheets.XLSX, headers=headers)


@router.get("/sheet", response_class=HTMLResponse)
def ask(person: APerson) -> HTMLResponse:
    """Asks for a workbook that was filled in."""
    person.require(Act.DECIDE)
    return _page(person, {})


@router.post("/sheet")
async def send(person: APerson) -> Response:
    """Takes in a workbook and shows what it would do."""
    allow_body(person.request, sheets.MOST_BYTES)
    form = await person.form()
    try:
        return await run_in_threadpool(_send, person, form)
    finally:
        await person.request.close()


def _send(person: Person, form: FormData) -> Response:
    person.require(Act.DECIDE)
    try:
        sheets.keep(person, form)
        return _page(person, sheets.look(person, _takes(person)).context)
    except SheetUnreadable as error:
        return _page(person, {"fault": sheets.fault(person, error)}, 422)


@router.post("/sheet/apply")
def apply(person: APerson, form: PersonForm) -> Response:
    """Brings in what was looked at."""
    person.require(Act.DECIDE)
    try:
        left = sheets.bring_in(person, form, _takes(person), by=person.actor)
    except (SheetUnreadable, MovedOn) as error:
        return _page(person, {"fault": sheets.fault(person, error)}, 422)
    if left:
        return _page(person, left.context, 422)
    return RedirectResponse("/desk/sheet?done=filled", 303)


def _takes(person: Person) -> Takes:
    def seen(duty: DutyView) -> bool:
        return person.sees(duty.agency.id)

    return seen


def _page(person: Person, context: Mapping[str, object], status: int = 200) -> HTMLResponse:
    nothing = {"sent": None, "fault": ""}
    return show(person, "desk/sheet.html", {**nothing, **context}, status)
