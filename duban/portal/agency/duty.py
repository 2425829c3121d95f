"""One duty: what is asked and why, what was handed in, and the form to hand in more."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from duban.errors import DubanError
from duban.evidence import Checked, Complaint, EvidenceRefused, check_sent
from duban.intake import masked, suspects
from duban.ledger import acts, persons, reviewing, uploads
from duban.ledger.acts import Cover, Receipt
from duban.ledger.reviewing import Version
from duban.ledger.uploads import FileView
from duban.portal.agency import forms, said
from duban.portal.agency.forms import Typed
from duban.portal.agency.listing import days_left, render, why_returned
from duban.portal.agency.own import (
    Own,
    own_drafts,
    own_duty,
    own_events,
    own_papers,
    own_petitions,
    own_versions,
)
from duban.portal.agency.receiving import take
from duban.portal.agency.routes import onward, page
from duban.portal.guard import allow_body
from duban.portal.who import AGuest, Guest
from duban.registry.evidence import Fault, FilesField, RatioField, TextField
from duban.words import event_words

router = APIRouter()

MOST_BODY = 110 * 2**20
"""Bytes of a form with its files: 100 MB of files a duty, and room for what is typed."""

MOST_TYPED = 512 * 1024
MOST_SHOWN = 300
"""Characters of a text that are shown again in a warning."""

DutyId = Annotated[int, Path(ge=1, le=2**62)]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something to put right; `key` is the field's, empty where none is meant."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A text that may hold personal data: its field's label, the kinds, and the text masked."""

    label: str
    kinds: tuple[str, ...]
    text: str


@page(router, "/duties/{duty_id}")
def show(guest: AGuest, duty_id: DutyId, done: str = "") -> Response:
    """The duty with its form, filled with what was kept of it."""
    own = own_duty(guest, duty_id)
    return duty_page(guest, own, _draft(guest, own), told=said.done(guest, done))


def _draft(guest: Guest, own: Own) -> Typed:
    """What was kept for later, else the version that is to be mended."""
    person, telephone = guest.door.person or "", guest.door.telephone or ""
    kept = uploads.draft_of(guest.ledger, own.duty.id, guest.door.agency_id)
    versions = [] if kept else own_versions(guest, own)
    if versions and own.takes:
        return Typed.of_version(versions[0], person, telephone)
    return Typed.of_draft(kept, person, telephone)


def duty_page(
    guest: Guest,
    own: Own,
    typed: Typed,
    *,
    told: str = "",
    wrong: Sequence[Wrong] = (),
    warned: Sequence[Warned] = (),
    status: int = 200,
) -> Response:
    """The duty's page with what was typed."""
    duty, w = own.duty, guest.pages.words(guest.request)
    drafts, versions = own_drafts(guest, duty.id), own_versions(guest, own)
    faults: dict[str, list[str]] = {}
    for one in wrong:
        faults.setdefault(one.key, []).append(one.text)
    context: dict[str, object] = {
        "own": own,
        "duty": duty,
        "cycle": duty.clause.cycle(duty.cycle),
        "days": days_left(own, guest.now),
        "returned": why_returned(guest.ledger, own) if own.owed else "",
        "happened": [(e.at, event_words(w, e, duty.notice.zone)) for e in own_events(guest, own)],
        "petitions": own_petitions(guest, own),
        "papers": own_papers(guest, duty.id),
        "versions": versions,
        "example": _example(guest, own),
        "typed": typed,
        "shares": _shares(own, typed),
        "drafts": drafts,
        "former": _former(versions, drafts),
        "faults": faults,
        "wrong": wrong,
        "warned": warned,
        "said": told,
    }
    return render(guest, "agency/duty.html", context, status)


def _shares(own: Own, typed: Typed) -> dict[str, list[int]]:
    """What was typed of ratios, as far as it can be read."""
    found: dict[str, list[int]] = {}
    for field in own.duty.clause.evidence:
        if isinstance(field, RatioField):
            with suppress(Fault):
                found[field.key] = field.read(typed.fields.get(field.key, ""))
    return found


def _former(versions: Sequence[Version], drafts: Sequence[FileView]) -> list[FileView]:
    """The files of the latest version that may go along with the next one."""
    there = {(file.field, file.sha256) for file in drafts}
    files = versions[0].files if versions else ()
    return [f for f in files if f.state == "fine" and (f.field, f.kept_sha256) not in there]


def _example(guest: Guest, own: Own) -> Version | None:
    """What was accepted of the agency last time; not for somebody the link was handed on to."""
    if not own.owed or guest.door.parent is not None:
        return None
    found = reviewing.before(guest.ledger, own.duty)
    return found if found and found.submitted_by == guest.door.agency_id else None


@router.post("/duties/{duty_id}")
async def hand_in(guest: AGuest, duty_id: DutyId) -> Response:
    """Hands in what was typed and sent, or keeps it for later."""
    allow_body(guest.request, MOST_BODY)
    form = await guest.form()
    try:
        return await run_in_threadpool(_hand_in, guest, duty_id, form)
    finally:
        await guest.request.close()


def _hand_in(guest: Guest, duty_id: int, form: FormData) -> Response:
    own = own_duty(guest, duty_id)
    typed = Typed.of_form(own.duty.clause, form)
    wrong = keep_files(guest, own, form)
    try:
        if form.get("act") == "draft":
            keep_typed(guest, own, typed)
            if not wrong:
                return onward(f"/duties/{duty_id}", "draft")
        elif not wrong:
            return _submit(guest, own, typed, ticked=form.get("suspect") == "yes")
        else:
            wrong = [*_wrong_of(guest, own, wrong, typed), *wrong]
    except EvidenceRefused as refused:
        wrong = worded(guest, own, refused.complaints)
    except DubanError as error:
        wrong = [Wrong("", said.fault(guest, error))]
    return duty_page(guest, own, typed, wrong=wrong, status=422)


def _wrong_of(guest: Guest, own: Own, files: Sequence[Wrong], typed: Typed) -> list[Wrong]:
    """All other faults, so that nobody mends a file to be told of a number then."""
    mended = {one.key for one in files}
    try:
        _check(guest, own, typed, own_drafts(guest, own.duty.id))
    except EvidenceRefused as refused:
        return [one for one in worded(guest, own, refused.complaints) if one.key not in mended]
    return []


def keep_files(guest: Guest, own: Own, form: FormData) -> list[Wrong]:
    """Adds the files of a form without script to the draft, so that no other fault loses them."""
    wrong: list[Wrong] = []
    colon = guest.pages.words(guest.request).labels["colon"]
    for field in own.duty.clause.evidence:
        if isinstance(field, FilesField):
            for upload in forms.uploads(form, field.key):
                try:
                    take(guest, own, field, upload)
                except DubanError as error:
                    told = f"{upload.filename}{colon}{said.fault(guest, error)}"
                    wrong.append(Wrong(field.key, told))
    return wrong


def keep_typed(guest: Guest, own: Own, typed: Typed) -> None:
    """Keeps what was typed for later, on this device or another.

    Raises:
        UploadRefused, IllegalAct: nothing was kept.
    """
    uploads.save_draft(guest.ledger, own.duty.id, guest.door.agency_id, typed.draft, guest.now)


def _submit(guest: Guest, own: Own, typed: Typed, *, ticked: bool) -> Response:
    drafts = [one for one in own_drafts(guest, own.duty.id) if one.state != "refused"]
    checked = _check(guest, own, typed, drafts)
    warned = _warnings(own, typed)
    if warned and not ticked:
        return duty_page(guest, own, typed, warned=warned, status=422)
    kinds = sorted({kind for one in warned for kind in one.kinds})
    cover = Cover(
        dated=typed.day(own_day(guest, own))[0],
        person=typed.person,
        telephone=typed.telephone,
        suspect=",".join(kinds),
        link_id=guest.door.link_id,
        drafts=tuple(file.id for file in drafts),
    )
    return handed_in(guest, own, checked, cover)


def handed_in(guest: Guest, own: Own, checked: Checked, cover: Cover) -> Response:
    """Records a version and leads to its receipt; name and number are kept for the next time.

    Raises:
        IllegalAct, DraftGone: nothing was recorded.
    """
    door, now = guest.door, guest.now
    receipt: Receipt = acts.submit(
        guest.ledger, own.duty.id, checked, (), by=door.agency_id, now=now, cover=cover
    )
    person, telephone = cover.person or "", cover.telephone or ""
    if (person, telephone) != (door.person, door.telephone):
        persons.remember(guest.ledger, door.link_id, person, telephone)
    return onward(f"/duties/{own.duty.id}/receipt/{receipt.number}")


def own_day(guest: Guest, own: Own) -> date:
    """Today in the zone of the duty's notice."""
    return guest.now.astimezone(own.duty.notice.zone).date()


def _check(guest: Guest, own: Own, typed: Typed, drafts: Sequence[FileView]) -> Checked:
    """What was typed and sent, once all of it fits."""
    complaints: list[Complaint] = []
    checked = Checked({}, ())
    sent = [file.field for file in drafts if file.state != "refused"]
    try:
        counts = {key: sent.count(key) for key in sent}
        checked = check_sent(own.duty.clause, typed.fields, counts)
    except EvidenceRefused as refused:
        complaints += refused.complaints
    complaints += typed.day(own_day(guest, own))[1] + typed.who()
    if complaints:
        raise EvidenceRefused(complaints)
    return checked


def worded(guest: Guest, own: Own, complaints: Sequence[Complaint]) -> list[Wrong]:
    """The faults in the visitor's language, in the order of the page."""
    w = guest.pages.words(guest.request)
    order = [*(field.key for field in own.duty.clause.evidence), *forms.BESIDE]
    found = [Wrong(one.key, one.told(w)) for one in complaints]
    return sorted(found, key=lambda one: order.index(one.key) if one.key in order else -1)


def _warnings(own: Own, typed: Typed) -> list[Warned]:
    found = [
        (field.label, typed.fields.get(field.key, ""))
        for field in own.duty.clause.evidence
        if isinstance(field, TextField)
    ]
    return [warning(label, text, kinds) for label, text in found if (kinds := suspects(text))]


def warning(label: str, text: str, kinds: tuple[str, ...]) -> Warned:
    """What to say of a text in which personal data was found."""
    shown = masked(text)
    return Warned(label, kinds, shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…")


@router.post("/duties/{duty_id}/draft")
async def keep(guest: AGuest, duty_id: DutyId) -> Response:
    """Keeps what a script sends while somebody types."""
    allow_body(guest.request, MOST_TYPED)
    form = await guest.form()
    return await run_in_threadpool(_keep, guest, duty_id, form)


def _keep(guest: Guest, duty_id: int, form: FormData) -> Response:
    own = own_duty(guest, duty_id)
    try:
        keep_typed(guest, own, Typed.of_form(own.duty.clause, form))
    except DubanError as error:
        return JSONResponse({"told": said.fault(guest, error)}, 422)
    return JSONResponse({"saved": guest.pages.local(guest.now)})


@page(router, "/duties/{duty_id}/receipt/{number}")
def receipt(
    guest: AGuest, duty_id: DutyId, number: Annotated[str, Path(max_length=32)]
) -> Response:
    """What was handed in and when, with the hash of every file; made to be printed."""
    own = own_duty(guest, duty_id)
    for version in own_versions(guest, own):
        if version.receipt == number:
            on_time = version.submitted_at <= own.duty.due_at
            context: Mapping[str, object] = {
                "own": own,
                "duty": own.duty,
                "version": version,
                "on_time": on_time,
            }
            return render(guest, "agency/receipt.html", context)
    raise HTTPException(404)
