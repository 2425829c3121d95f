"""An agency's files: sent by script one by one, shown, taken out again."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response

from duban import tokens
from duban.errors import DubanError
from duban.evidence import MAX_FILE_BYTES
from duban.intake import content_disposition, kept_name
from duban.ledger import uploads
from duban.ledger.folder import bytes_of, pages_of
from duban.ledger.uploads import FileView
from duban.portal.agency import said
from duban.portal.agency.duty import MOST_BODY, DutyId, Wrong, duty_page, keep_files, keep_typed
from duban.portal.agency.forms import Typed
from duban.portal.agency.own import own_drafts, own_duty, own_file, own_versions
from duban.portal.agency.receiving import copy, files_field, receive
from duban.portal.agency.routes import onward, page
from duban.portal.guard import allow_body, check_origin
from duban.portal.who import AGuest, Guest

router = APIRouter()

FileId = Annotated[int, Path(ge=1, le=2**62)]
FieldKey = Annotated[str, Path(max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]

# A file is never shown inside a page of ours, whatever a browser takes it for.
APART = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


@router.put("/duties/{duty_id}/files/{field}")
async def send(
    guest: AGuest,
    duty_id: DutyId,
    field: FieldKey,
    name: Annotated[str, Query(min_length=1, max_length=1000)],
) -> Response:
    """Takes in one file, whose bytes are the whole body."""
    _check_script(guest)
    allow_body(guest.request, MAX_FILE_BYTES)
    own = await run_in_threadpool(own_duty, guest, duty_id)
    asked = files_field(own, field)
    try:
        file = await receive(guest, own, asked, name, guest.request.stream())
    except ClientDisconnect:
        return JSONResponse({"told": said.told(guest, "lost")}, 400)
    except DubanError as error:
        return JSONResponse({"told": said.fault(guest, error)}, 422)
    return JSONResponse(_state(guest, file), 201)


def _check_script(guest: Guest) -> None:
    check_origin(guest.request)
    if not tokens.same(guest.request.headers.get("x-csrf", ""), guest.csrf):
        raise HTTPException(403)


@page(router, "/duties/{duty_id}/files")
def states(guest: AGuest, duty_id: DutyId) -> Response:
    """How far the inspection of the files has come that the link may show."""
    own = own_duty(guest, duty_id)
    handed_in = (file for version in own_versions(guest, own) for file in version.files)
    found = [*own_drafts(guest, duty_id), *handed_in]
    return JSONResponse({"files": [_state(guest, file) for file in found]})


def _state(guest: Guest, file: FileView) -> dict[str, object]:
    return {
        "id": file.id,
        "field": file.field,
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "state": file.state,
        "pages": file.pages,
        "told": said.told(guest, file.refusal) if file.state == "refused" else "",
    }


@router.post("/duties/{duty_id}/kept/{file_id}/remove")
async def remove(guest: AGuest, duty_id: DutyId, file_id: FileId) -> Response:
    """Takes a file out of the draft; what the form brought along is kept."""
    allow_body(guest.request, MOST_BODY)
    form = await guest.form()
    try:
        return await run_in_threadpool(_remove, guest, duty_id, file_id, form)
    finally:
        await guest.request.close()


def _remove(guest: Guest, duty_id: int, file_id: int, form: FormData) -> Response:
    own = own_duty(guest, duty_id)
    by_script = not form
    typed = Typed.of_form(own.duty.clause, form)
    wrong = [] if by_script else keep_files(guest, own, form)
    folder, agency = guest.office.settings.files, guest.door.agency_id
    try:
        if not by_script:
            keep_typed(guest, own, typed)
        if file_id in {file.id for file in own_drafts(guest, duty_id)}:
            uploads.take_out(guest.ledger, folder, file_id, agency, guest.now)
    except DubanError as error:
        wrong.append(Wrong("", said.fault(guest, error)))
    if by_script:
        return JSONResponse({"told": "".join(one.text for one in wrong)}, 422 if wrong else 200)
    if wrong:
        return duty_page(guest, own, typed, wrong=wrong, status=422)
    return onward(f"/duties/{duty_id}", "removed")


@router.post("/duties/{duty_id}/kept/{file_id}/again")
async def use_again(guest: AGuest, duty_id: DutyId, file_id: FileId) -> Response:
    """Puts a file of an earlier version into the draft, so that nobody has to look for it."""
    allow_body(guest.request, MOST_BODY)
    form = await guest.form()
    try:
        return await run_in_threadpool(_use_again, guest, duty_id, file_id, form)
    finally:
        await guest.request.close()


def _use_again(guest: Guest, duty_id: int, file_id: int, form: FormData) -> Response:
    own, file = own_duty(guest, duty_id), own_file(guest, duty_id, file_id)
    typed = Typed.of_form(own.duty.clause, form)
    wrong = keep_files(guest, own, form)
    try:
        keep_typed(guest, own, typed)
        copy(guest, own, file)
    except DubanError as error:
        wrong.append(Wrong("", said.fault(guest, error)))
    if wrong:
        return duty_page(guest, own, typed, wrong=wrong, status=422)
    return onward(f"/duties/{duty_id}", "again")


@page(router, "/duties/{duty_id}/kept/{file_id}")
def download(guest: AGuest, duty_id: DutyId, file_id: FileId) -> Response:
    """The bytes of a file that passed inspection."""
    file = own_file(guest, duty_id, file_id)
    path = bytes_of(guest.office.settings.files, file.stored_as)
    if file.state != "fine" or not path.is_file():
        raise HTTPException(404)
    headers = {**APART, "Content-Disposition": content_disposition(kept_name(file.name, file.kind))}
    return FileResponse(path, headers=headers, media_type="application/octet-stream")


@page(router, "/duties/{duty_id}/kept/{file_id}/pages/{number}")
def preview(
    guest: AGuest, duty_id: DutyId, file_id: FileId, number: Annotated[int, Path(ge=1, le=100)]
) -> Response:
    """A page of a file that passed inspection, as a picture made anew."""
    file = own_file(guest, duty_id, file_id)
    path = pages_of(guest.office.settings.files, file.stored_as) / f"{number}.jpg"
    if file.state != "fine" or number > file.pages or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, headers=APART, media_type="image/jpeg")
