"""Everything about one duty, and what a coordinator does to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from duban.duty import Act, IllegalAct, Status, after, on_time
from duban.errors import DubanError
from duban.intake import hide
from duban.ladder import Occurrence, occurrences
from duban.ledger import acts, approvals, holds, reviewing
from duban.ledger.browsing import runs, spoken
from duban.ledger.database import reading
from duban.ledger.explain import Explained, explain
from duban.ledger.links import LinkView, links_of
from duban.ledger.papers import papers
from duban.ledger.petitions import petitions
from duban.ledger.questions import DutyView, Event, events
from duban.ledger.reviewing import Version
from duban.ledger.routes import suspensions
from duban.ledger.tables import Hold
from duban.portal.desk.board import late_at_first
from duban.portal.desk.figures import Figure, figures
from duban.portal.desk.frame import fault_words, rung_words, show
from duban.portal.desk.review import shown_to
from duban.portal.who import APerson, Person
from duban.registry import Agency
from duban.words import Words, event_words

router = APIRouter()

Number = Annotated[int, Path(ge=1, lt=2**53)]
MOST_TEXT = 2000


@router.get("/desk/duties/{duty_id}")
def duty_page(person: APerson, duty_id: Number) -> Response:
    """One duty with all that is known of it."""
    return _page(person, person.duty(duty_id))


def _page(
    person: Person, duty: DutyView, fault: str = "", typed: FormData | None = None
) -> Response:
    w = person.pages.words(person.request)
    context: dict[str, Any] = {
        "duty": duty,
        "light": duty.light(person.now),
        "late": duty.days_late(person.now),
        "late_at_first": late_at_first(duty, person.now),
        "on_time": on_time(duty.standing),
        "cycle": duty.clause.cycle(duty.cycle),
        "sharing": [(one, _reached(person, one)) for one in _sharing(person, duty)],
        "reached": _reached(person, duty.agency),
        "versions": _versions(person, duty),
        "petitions": petitions(person.ledger, duty_ids=[duty.id]),
        "papers": [
            one for one in papers(person.ledger, duty=duty.id) if person.sees(one.recipient)
        ],
        "holds": _holds(person, duty),
        "chase": _chase(person, duty, w),
        "spoken": [
            (one, rung_words(person.ledger, duty, one.rung, w))
            for one in spoken(person.ledger, duty.id)
        ],
        "events": _events(person, duty, w),
        "links": _links(person, duty),
        "name_of": person.ledger.registry.name_of,
        "run": runs(person.ledger, [duty.id]).get(duty.id, ""),
        "prefect": person.office.settings.prefect,
        "acts": _allowed(person, duty),
        "today": person.now.astimezone(duty.notice.zone).date(),
        "fault": fault,
        "typed": typed or {},
    }
    return show(person, "desk/duty.html", context, status=422 if fault else 200)


def _sharing(person: Person, duty: DutyView) -> Sequence[Agency]:
    """The agencies that share in it, as the files say now."""
    placed = person.ledger.registry.clauses.get(duty.clause_key)
    return placed.copied.get(duty.agency.id, ()) if placed else ()


def _reached(person: Person, agency: Agency) -> str:
    """Whether letters reach an agency: `no-contact`, `suspended`, or `yes`."""
    if not agency.contact.channel:
        return "no-contact"
    with reading(person.ledger.engine) as connection:
        barred = {name for name, _ in suspensions(connection)}
    return "suspended" if agency.id in barred else "yes"


@dataclass(frozen=True, slots=True)
class Shown:
    """A version of the evidence, as this person may see it."""

    version: Version
    figures: Sequence[Figure]
    statement: str
    hidden: bool
    labels: Mapping[str, str]


def _versions(person: Person, duty: DutyView) -> list[Shown]:
    shown = shown_to(person, duty.id)
    nothing = person.text("（疑似含人员名单，已隐藏）")
    found: list[Shown] = []
    for one in reviewing.versions(person.ledger, duty.id):
        hidden = bool(one.suspected) and one.number not in shown
        mask: Callable[[str], str] | None = (lambda text: hide(text, nothing)) if hidden else None
        statement = mask(one.statement) if mask else one.statement
        labels = {field.key: field.label for field in duty.clause.evidence}
        found.append(
            Shown(one, figures(duty.clause, one.fields, mask=mask), statement, hidden, labels)
        )
    return found


def _holds(person: Person, duty: DutyView) -> list[Hold]:
    return [
        one
        for one in holds.holds_in_force(person.ledger, person.now)
        if one.agency in (None, duty.agency.id) and one.clause in (None, duty.clause_key)
    ]


@dataclass(frozen=True, slots=True)
class Chase:
    """What the chase decides today, and the turns of the ladder that are still to come.

    Attributes:
        next: what will be said on `told.step.next_on` if nothing comes until then.
        awaits: which formal letter a coordinator is to approve, in words; empty where none.
    """

    told: Explained
    next: Explained | None
    ahead: Sequence[tuple[Occurrence, str]]
    spoken: Sequence[tuple[str, date]]
    awaits: str


def _chase(person: Person, duty: DutyView, w: Words) -> Chase:
    ledger, today = person.ledger, person.now.astimezone(duty.notice.zone).date()
    told = explain(ledger, duty.id, today, person.now)
    next_on = told.step.next_on
    later = explain(ledger, duty.id, next_on, person.now) if next_on and next_on > today else None
    calendar = ledger.registry.calendar(duty.clause_key, duty.agency.id)
    chased, awaiting = told.facts.chased, told.facts.awaiting
    turns = occurrences(chased, told.facts.ladder, calendar) if chased.waiting else []
    said = [(rung_words(ledger, duty, rung, w), day) for rung, day in chased.spoken.items()]
    return Chase(
        told,
        later,
        sorted(
            ((one, rung_words(ledger, duty, one.rung.name, w)) for one in turns),
            key=lambda one: one[0].day,
        ),
        sorted(said, key=lambda one: one[1]),
        w.card["awaits"].format(rung=rung_words(ledger, duty, awaiting.name, w))
        if awaiting
        else "",
    )


def _events(person: Person, duty: DutyView, w: Words) -> list[tuple[Event, str]]:
    """The history in words, the newest first."""
    found = events(person.ledger, duty_id=duty.id)
    return [(one, event_words(w, one, duty.notice.zone)) for one in reversed(found)]


def _links(person: Person, duty: DutyView) -> list[LinkView]:
    """The links that were handed on for this duty, by its agency or one that shares in it."""
    concerned = [duty.agency, *_sharing(person, duty)]
    return [
        link
        for agency in concerned
        for link in links_of(person.ledger, agency.id)
        if duty.id in link.duties
    ]


_ACTS = {
    "extend": Act.EXTEND,
    "waive": Act.WAIVE,
    "not-applicable": Act.NOT_APPLICABLE,
    "reopen": Act.REOPEN,
}


def _allowed(person: Person, duty: DutyView) -> set[str]:
    """What this person can do to the duty as it stands."""
    if not person.may("decide"):
        return set()
    found = {name for name, act in _ACTS.items() if _fits(act, duty.status)}
    if duty.status is Status.SUBMITTED:
        found.add("review")
    return found | ({"call", "hold"} if "extend" in found else set())


def _fits(act: Act, status: Status) -> bool:
    try:
        after(act, status)
    except IllegalAct:
        return False
    return True


# What a coordinator does


class Unfit(DubanError):
    """Something in the form is missing or is no date."""


def _call(person: Person, duty: DutyView, form: FormData) -> str:
    said = _text(form, "said")
    approvals.call(person.ledger, duty.id, said=said, by=person.actor, now=person.now)
    return "called"


def _extend(person: Person, duty: DutyView, form: FormData) -> str:
    acts.extend(
        person.ledger,
        duty.id,
        due_on=_day(form, "due_on"),
        reason=_text(form, "reason"),
        by=person.actor,
        now=person.now,
    )
    return "extended"


def _waive(person: Person, duty: DutyView, form: FormData) -> str:
    how = "not-applicable" if form.get("how") == "not-applicable" else "waived"
    acts.waive(
        person.ledger,
        duty.id,
        reason=_text(form, "reason"),
        by=person.actor,
        now=person.now,
        not_applicable=how == "not-applicable",
    )
    return how


def _reopen(person: Person, duty: DutyView, form: FormData) -> str:
    reason = _text(form, "reason")
    acts.reopen(person.ledger, duty.id, reason=reason, by=person.actor, now=person.now)
    return "reopened"


def _hold(person: Person, duty: DutyView, form: FormData) -> str:
    """A whole clause is held by those only who look after every region."""
    scope = form.get("scope")
    clause_alone = scope == "clause" and person.signed.region is None
    holds.hold(
        person.ledger,
        agency=None if clause_alone else duty.agency.id,
        clause=None if scope == "agency" else duty.clause_key,
        until=_day(form, "until"),
        reason=_text(form, "reason"),
        by=person.actor,
        now=person.now,
    )
    return "held"


def _text(form: FormData, key: str) -> str:
    text = str(form.get(key) or "").strip()
    if not text or len(text) > MOST_TEXT:
        raise Unfit
    return text


def _day(form: FormData, key: str) -> date:
    try:
        return date.fromisoformat(str(form.get(key) or ""))
    except ValueError as error:
        raise Unfit from error


Doing = Callable[[Person, DutyView, FormData], str]


async def _do(person: Person, duty_id: int, act: Doing) -> Response:
    """Checks who asks and the form, acts, and leads back to the page; or shows what was wrong."""
    person.require("decide")
    form = await person.form()
    return await run_in_threadpool(_done, person, duty_id, act, form)


def _done(person: Person, duty_id: int, act: Doing, form: FormData) -> Response:
    duty = person.duty(duty_id)
    try:
        code = act(person, duty, form)
    except Unfit:
        unfit = person.text("请填写完整：说明不得为空，不超过 2000 字，日期须为有效日期。")
        return _page(person, duty, unfit, form)
    except DubanError as error:
        return _page(person, duty, fault_words(person, error), form)
    return RedirectResponse(f"/desk/duties/{duty_id}?done={code}", 303)


@router.post("/desk/duties/{duty_id}/call")
async def call(person: APerson, duty_id: Number) -> Response:
    """Records a telephone call (电话催办)."""
    return await _do(person, duty_id, _call)


@router.post("/desk/duties/{duty_id}/extend")
async def extend(person: APerson, duty_id: Number) -> Response:
    """Moves the due day."""
    return await _do(person, duty_id, _extend)


@router.post("/desk/duties/{duty_id}/waive")
async def waive(person: APerson, duty_id: Number) -> Response:
    """Closes the duty without evidence: excused, or not applicable."""
    return await _do(person, duty_id, _waive)


@router.post("/desk/duties/{duty_id}/reopen")
async def reopen(person: APerson, duty_id: Number) -> Response:
    """Opens a closed duty again."""
    return await _do(person, duty_id, _reopen)


@router.post("/desk/duties/{duty_id}/hold")
async def hold(person: APerson, duty_id: Number) -> Response:
    """Silence for the agency, the clause, or where both meet."""
    return await _do(person, duty_id, _hold)
