"""Evidence files for coordinators: downloads as attachments, previews as bare pictures."""

from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from duban.intake import content_disposition, kept_name
from duban.ledger import reviewing, uploads
from duban.ledger.folder import bytes_of, pages_of
from duban.ledger.uploads import FileView
from duban.portal.desk.review import Number, shown_to
from duban.portal.who import APerson, Person

router = APIRouter(prefix="/desk/files")

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@router.get("/{file_id}", response_class=FileResponse)
def download(person: APerson, file_id: Number) -> FileResponse:
    """The bytes that inspection left, to be saved and never shown in place."""
    file = _visible(person, file_id)
    disposition = content_disposition(kept_name(file.name, file.kind))
    path = bytes_of(person.office.settings.files, file.stored_as)
    return _answer(path, "application/octet-stream", {"Content-Disposition": disposition})


@router.get("/{file_id}/{page}", response_class=FileResponse)
def preview(
    person: APerson, file_id: Number, page: Annotated[int, Path(ge=1, le=500)]
) -> FileResponse:
    """A page of a file as a picture that inspection drew."""
    file = _visible(person, file_id)
    folder = pages_of(person.office.settings.files, file.stored_as)
    return _answer(folder / f"{page}.jpg", "image/jpeg", {"Content-Disposition": "inline"})


def _visible(person: Person, file_id: int) -> FileView:
    """A file that was handed in, inspected and found fine; else 404.

    One with what may be personal data is shown only to a reviewer who asked to see it.
    """
    file = uploads.file(person.ledger, file_id)
    if file is None or file.draft or file.state != "fine":
        raise HTTPException(404)
    person.duty(file.duty_id)
    if file.suspect and _version_of(person, file) not in shown_to(person, file.duty_id):
        raise HTTPException(404)
    return file


def _version_of(person: Person, file: FileView) -> int:
    versions = reviewing.versions(person.ledger, file.duty_id)
    return next((one.number for one in versions if one.id == file.submission_id), 0)


def _answer(path: Folder, media_type: str, headers: dict[str, str]) -> FileResponse:
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=media_type, headers={**HEADERS, **headers})
