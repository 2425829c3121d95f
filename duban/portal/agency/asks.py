"""What an agency says beside evidence: 签收, 零报告, 不适用, 延期, and taking that back."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from duban.errors import DubanError
from duban.evidence import Checked
from duban.intake import suspects
from duban.ledger.acts import Cover
from duban.ledger.petitions import MOST_TEXT, Kind, PetitionRefused, acknowledge, ask, withdraw
from duban.portal.agency import said
from duban.portal.agency.duty import (
    DutyId,
    Warned,
    Wrong,
    handed_in,
    own_day,
    warning,
    worded,
)
from duban.portal.agency.forms import PERSON, TELEPHONE, Typed, text
from duban.portal.agency.listing import days_left, render
from duban.portal.agency.own import Own, owed_duty, own_duty, own_petition, own_petitions
from duban.portal.agency.routes import onward, page
from duban.portal.guard import allow_body
from duban.portal.who import AGuest, Guest
from duban.registry.evidence import Fault, read_day

router = APIRouter()

MOST_FORM = 128 * 1024


@router.post("/duties/{duty_id}/acknowledge")
async def sign_for(guest: AGuest, duty_id: DutyId) -> Response:
    """签收: the agency has received the duty."""
    await guest.form()
    return await run_in_threadpool(_sign_for, guest, duty_id)


def _sign_for(guest: Guest, duty_id: int) -> Response:
    owed_duty(guest, duty_id)
    door = guest.door
    try:
        acknowledge(guest.ledger, duty_id, by=door.agency_id, now=guest.now, link_id=door.link_id)
    except DubanError:
        return onward(f"/duties/{duty_id}")  # it was closed meanwhile, as the page will show
    return onward(f"/duties/{duty_id}", "acknowledged")


@page(router, "/duties/{duty_id}/nil")
def nil(guest: AGuest, duty_id: DutyId) -> Response:
    """The form of a nil return (零报告)."""
    door = guest.door
    own = own_duty(guest, duty_id)
    typed = {"statement": "", "person": door.person or "", "telephone": door.telephone or ""}
    return _page(guest, own, "agency/nil.html", typed)


@router.post("/duties/{duty_id}/nil")
async def return_nil(guest: AGuest, duty_id: DutyId) -> Response:
    """Hands in that there is nothing to report, with a statement."""
    allow_body(guest.request, MOST_FORM)
    form = await guest.form()
    return await run_in_threadpool(_return_nil, guest, duty_id, form)


def _return_nil(guest: Guest, duty_id: int, form: FormData) -> Response:
    own = own_duty(guest, duty_id)
    statement, person, telephone = (text(form, key) for key in ("statement", PERSON, TELEPHONE))
    typed = {"statement": statement, "person": person, "telephone": telephone}
    wrong = worded(guest, own, Typed(person=person, telephone=telephone).who())
    if not statement or len(statement) > MOST_TEXT:
        code = "too-long" if statement else "no-statement"
        wrong.insert(0, Wrong("statement", said.told(guest, code)))
    kinds = suspects(statement)
    warned = [warning(guest.text("情况说明"), statement, kinds)] if kinds else []
    if wrong or (warned and form.get("suspect") != "yes"):
        return _page(guest, own, "agency/nil.html", typed, wrong, warned)
    cover = Cover(
        statement=statement,
        person=person,
        telephone=telephone,
        suspect=",".join(kinds),
        link_id=guest.door.link_id,
    )
    try:
        return handed_in(guest, own, Checked({}, ()), cover)
    except DubanError as error:
        return _page(guest, own, "agency/nil.html", typed, [Wrong("", said.fault(guest, error))])


@page(router, "/duties/{duty_id}/not-applicable")
def not_applicable(guest: AGuest, duty_id: DutyId) -> Response:
    """The form that says why a duty does not apply to this agency."""
    return _page(guest, owed_duty(guest, duty_id), "agency/not_applicable.html", {"reason": ""})


@router.post("/duties/{duty_id}/not-applicable")
async def ask_not_applicable(guest: AGuest, duty_id: DutyId) -> Response:
    """Asks that a coordinator counts the duty as not applicable."""
    form = await guest.form()
    typed = {"reason": text(form, "reason")}
    return await run_in_threadpool(_ask, guest, duty_id, Kind.NOT_APPLICABLE, typed)


@page(router, "/duties/{duty_id}/extension")
def extension(guest: AGuest, duty_id: DutyId) -> Response:
    """The form of a request for more time."""
    typed = {"reason": "", "until": "", "leader": ""}
    return _page(guest, owed_duty(guest, duty_id), "agency/extension.html", typed)


@router.post("/duties/{duty_id}/extension")
async def ask_extension(guest: AGuest, duty_id: DutyId) -> Response:
    """Asks a coordinator for more time."""
    form = await guest.form()
    typed = {key: text(form, key) for key in ("reason", "until", "leader")}
    return await run_in_threadpool(_ask, guest, duty_id, Kind.EXTENSION, typed)


_FIELDS = {"no-reason": "reason", "no-leader": "leader", "no-day": "until", "not-later": "until"}


def _ask(guest: Guest, duty_id: int, kind: Kind, typed: Mapping[str, str]) -> Response:
    own = owed_duty(guest, duty_id)
    template = f"agency/{kind.value.replace('-', '_')}.html"
    given = typed.get("until", "")
    try:
        ask(
            guest.ledger,
            duty_id,
            kind,
            reason=typed["reason"],
            by=guest.door.agency_id,
            now=guest.now,
            until=read_day(given) if given else None,
            leader=typed.get("leader", ""),
            link_id=guest.door.link_id,
        )
    except Fault as fault:
        told = guest.pages.words(guest.request).unfit[fault.code].format(**fault.values)
        return _page(guest, own, template, typed, [Wrong("until", told)])
    except DubanError as error:
        key = _FIELDS.get(error.code, "") if isinstance(error, PetitionRefused) else ""
        return _page(guest, own, template, typed, [Wrong(key, said.fault(guest, error))])
    return onward(f"/duties/{duty_id}", "asked")


@router.post("/duties/{duty_id}/petitions/{petition_id}/withdraw")
async def take_back(
    guest: AGuest, duty_id: DutyId, petition_id: Annotated[int, Path(ge=1, le=2**62)]
) -> Response:
    """Takes back what was asked for, while nobody has decided."""
    await guest.form()
    return await run_in_threadpool(_take_back, guest, duty_id, petition_id)


def _take_back(guest: Guest, duty_id: int, petition_id: int) -> Response:
    found = own_petition(guest, owed_duty(guest, duty_id), petition_id)
    try:
        withdraw(guest.ledger, found.id, by=guest.door.agency_id, now=guest.now)
    except DubanError:
        return onward(f"/duties/{duty_id}")  # it was decided meanwhile, as the page will show
    return onward(f"/duties/{duty_id}", "withdrawn")


def _page(
    guest: Guest,
    own: Own,
    template: str,
    typed: Mapping[str, str],
    wrong: list[Wrong] | None = None,
    warned: list[Warned] | None = None,
) -> Response:
    faults: dict[str, list[str]] = {}
    for one in wrong or ():
        faults.setdefault(one.key, []).append(one.text)
    context = {
        "own": own,
        "duty": own.duty,
        "days": days_left(own, guest.now),
        "today": own_day(guest, own),
        "petitions": own_petitions(guest, own),
        "typed": typed,
        "wrong": wrong or (),
        "faults": faults,
        "warned": warned or (),
    }
    return render(guest, template, context, 422 if wrong or warned else 200)
