"""What waits for a coordinator's word: petitions, formal letters, holds, and chores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from duban.errors import DubanError
from duban.ledger import approvals, bulletins, holds, petitions
from duban.ledger.approvals import Proposed
from duban.ledger.mailroom import UNDELIVERABLE, Chore, chores
from duban.ledger.petitions import NoSuchPetition, PetitionView, State
from duban.ledger.questions import DutyView, duties
from duban.ledger.tables import Hold
from duban.ledger.watch import KIND as NO_CHASE
from duban.portal.desk.faults import sentence
from duban.portal.desk.frame import rung_words
from duban.portal.desk.review import Number, day_of, text_of
from duban.portal.who import APerson, Person, PersonForm

router = APIRouter(prefix="/desk/decisions")


@dataclass(frozen=True, slots=True)
class Asked:
    """A petition with its duty."""

    petition: PetitionView
    duty: DutyView
    earliest: date


@dataclass(frozen=True, slots=True)
class Suggested:
    """A formal letter that awaits approval, with its duty; `rung` is how the ladder calls it."""

    proposal: Proposed
    duty: DutyView
    rung: str


@dataclass(frozen=True, slots=True)
class Held:
    """A hold in force; `whose` names the agency and the clause it is for."""

    hold: Hold
    agency: str
    clause: str
    may_end: bool


@dataclass(frozen=True, slots=True)
class Errand:
    """A chore, and where in the portal it is done."""

    what: str
    about: str
    address: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed for one petition or for the letters, kept when it was refused."""

    petition: int = 0
    answer: str = ""
    due_on: str = ""
    reason: str = ""
    ticked: Sequence[int] = ()
    fault: str = ""


@router.get("")
def show_decisions(person: APerson, done: str = "", left: str = "") -> Response:
    """Everything that waits for a decision."""
    return _page(person, Typed(), done, left)


def _page(person: Person, typed: Typed, done: str = "", left: str = "") -> Response:
    asked, proposed = _petitions(person), _proposals(person)
    about = _views(person, [*(one.duty_id for one in asked), *(one.duty_id for one in proposed)])
    context = {
        "person": person,
        "asked": [_asked(person, one, about[one.duty_id]) for one in asked],
        "suggested": [_suggested(person, one, about[one.duty_id]) for one in proposed],
        "held": _held(person),
        "errands": [_errand(person, one) for one in chores(person.ledger) if _mine(person, one)],
        "typed": typed,
        "done": done,
        "left": [int(one) for one in left.split(".")[:200] if one.isdecimal() and len(one) < 16],
    }
    status = 422 if typed.fault else 200
    return person.pages.render(person.request, "desk/decisions.html", context, status=status)


def _petitions(person: Person) -> list[PetitionView]:
    region = person.signed.region
    return petitions.petitions(person.ledger, state=State.ASKED, region=region)


def _proposals(person: Person) -> list[Proposed]:
    return [one for one in approvals.proposals(person.ledger) if person.sees(one.agency)]


def _views(person: Person, ids: Sequence[int]) -> Mapping[int, DutyView]:
    return {duty.id: duty for duty in duties(person.ledger, ids=ids)} if ids else {}


def _asked(person: Person, petition: PetitionView, duty: DutyView) -> Asked:
    today = person.now.astimezone(duty.notice.zone).date()
    return Asked(petition, duty, today)


def _suggested(person: Person, proposal: Proposed, duty: DutyView) -> Suggested:
    w = person.pages.words(person.request)
    return Suggested(proposal, duty, rung_words(person.ledger, duty, proposal.rung, w))


def _held(person: Person) -> list[Held]:
    registry = person.ledger.registry
    found = holds.holds_in_force(person.ledger, person.now)
    return [
        Held(
            hold=one,
            agency=registry.name_of(one.agency) if one.agency else "",
            clause=_clause_name(person, one.clause) if one.clause else "",
            may_end=_may_end(person, one),
        )
        for one in found
        if not one.agency or person.sees(one.agency)
    ]


def _clause_name(person: Person, key: str) -> str:
    placed = person.ledger.registry.clauses.get(key)
    return f"{placed.number} {placed.clause.title}" if placed else key


def _may_end(person: Person, hold: Hold) -> bool:
    """One that is for a clause everywhere is nothing for a single region to end."""
    everywhere = not hold.agency and person.signed.region is not None
    return person.may("decide") and not everywhere


def _mine(person: Person, chore: Chore) -> bool:
    """What else concerns no agency is the list of formal letters, which stands on this page."""
    if chore.kind == bulletins.KIND:
        return True
    if chore.kind == NO_CHASE:
        return person.signed.region is None
    return bool(chore.agency) and person.sees(chore.agency)


def _errand(person: Person, chore: Chore) -> Errand:
    w = person.pages.words(person.request)
    return Errand(w.tasks[chore.kind][0], chore.about, _where(chore))


def _where(chore: Chore) -> str:
    if chore.kind == UNDELIVERABLE:
        return f"/desk/letters/{chore.subject}"
    if chore.kind == bulletins.KIND:
        return f"/desk/bulletins/{chore.subject}"
    if chore.kind == NO_CHASE:
        return "/desk/history"
    return f"/desk/agencies/{quote(chore.agency)}"


def _done(code: str, left: Sequence[int] = ()) -> RedirectResponse:
    also = f"&left={'.'.join(map(str, left))}" if left else ""
    return RedirectResponse(f"/desk/decisions?done={code}{also}", 303)


# Acts


@router.post("/petitions/{petition_id}")
def decide(person: APerson, form: PersonForm, petition_id: Number) -> Response:
    """Grants or refuses what an agency asked for."""
    person.require("decide")
    _check_petition(person, petition_id)
    grant = form.get("act") == "grant"
    typed = Typed(petition_id, text_of(form, "answer"), text_of(form, "due_on"))
    fault = _decided(person, petition_id, grant, typed)
    if fault:
        kept = Typed(petition_id, typed.answer, typed.due_on, fault=fault)
        return _page(person, kept)
    return _done("granted" if grant else "refused")


def _check_petition(person: Person, petition_id: int) -> None:
    """404 unless the person may see it."""
    try:
        found = petitions.petition(person.ledger, petition_id)
    except NoSuchPetition:
        raise HTTPException(404) from None
    if not person.sees(found.agency):
        raise HTTPException(404)


def _decided(person: Person, petition_id: int, grant: bool, typed: Typed) -> str:
    """Empty when it is done, else why not."""
    try:
        petitions.decide(
            person.ledger,
            petition_id,
            grant=grant,
            by=person.actor,
            now=person.now,
            answer=typed.answer,
            due_on=day_of(typed.due_on) if grant else None,
        )
    except DubanError as error:
        return sentence(person, error)
    except ValueError:
        return person.text("时限请写成 2026-11-24 这样的日期。")
    return ""


@router.post("/letters")
def decide_letters(person: APerson, form: PersonForm) -> Response:
    """Sends or stops the formal letters that were ticked; names those that were gone already."""
    person.require("decide")
    ticked = _ticked(person, form)
    if not ticked:
        return _done("none")
    if form.get("act") == "approve":
        return _done("approved", [one for one in ticked if not _approved(person, one)])
    reason = text_of(form, "reason")
    if not reason:
        fault = person.text("不予发出的，请写明理由。")
        return _page(person, Typed(ticked=ticked, fault=fault))
    return _done("declined", [one for one in ticked if not _declined(person, one, reason)])


def _ticked(person: Person, form: FormData) -> list[int]:
    """The ticked duties among those whose letters await the person's word, or did."""
    given = [str(one) for one in form.getlist("duty")]
    numbers = [int(one) for one in given if one.isdecimal() and len(one) < 16]
    seen = _views(person, numbers)
    return [one for one in numbers if one in seen and person.sees(seen[one].agency.id)]


def _approved(person: Person, duty_id: int) -> bool:
    try:
        approvals.approve(person.ledger, [duty_id], by=person.actor, now=person.now)
    except DubanError:
        return False
    return True


def _declined(person: Person, duty_id: int, reason: str) -> bool:
    try:
        approvals.decline(person.ledger, [duty_id], reason=reason, by=person.actor, now=person.now)
    except DubanError:
        return False
    return True


@router.post("/holds/{hold_id}/release")
def release(person: APerson, form: PersonForm, hold_id: Number) -> Response:
    """Ends a hold before its day."""
    person.require("decide")
    found = {one.hold.id: one for one in _held(person)}
    if hold_id not in found or not found[hold_id].may_end:
        raise HTTPException(404)
    try:
        holds.release(person.ledger, hold_id, by=person.actor, now=person.now)
    except DubanError as error:
        return _page(person, Typed(fault=sentence(person, error)))
    return _done("released")
