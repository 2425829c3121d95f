"""The review queue: evidence beside its clause, accepted or returned, one by one or with others."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from duban.duty import Status
from duban.errors import DubanError
from duban.forms import why_returned
from duban.intake import hide
from duban.ledger import acts, reviewing
from duban.ledger.alike import Match, alike
from duban.ledger.petitions import State, petitions
from duban.ledger.questions import DutyView, duties
from duban.ledger.reviewing import SINGLY, Flag, Sample, Version, Waiting
from duban.ledger.uploads import FileView
from duban.portal.desk.faults import sentence
from duban.portal.desk.figures import figures
from duban.portal.who import APerson, Person, PersonForm
from duban.registry.evidence import FilesField
from duban.words import words

router = APIRouter(prefix="/desk/review")

PAGE = 50
SHOWN_FOR = timedelta(hours=1)
"""How long suspected personal data stays shown to whoever asked to see it."""
MOST_TEXT = 2000
MOST_NAMED = 5
_CODES = words("zh").returns.keys()

Number = Annotated[int, Path(ge=1, lt=2**53)]
Numbered = Annotated[int, Query(ge=0, lt=2**53)]


@dataclass(frozen=True, slots=True)
class Sift:
    """What the queue is narrowed to; every part may be empty."""

    clause: str = ""
    region: str = ""
    flag: str = ""
    text: str = ""

    def keeps(self, one: Waiting) -> bool:
        """Whether a duty belongs to the narrowed queue."""
        duty = one.duty
        said = f"{duty.number} {duty.clause.title} {duty.agency.name} {one.version.receipt}"
        return (
            self.clause in ("", duty.clause_key)
            and self.region in ("", duty.agency.region)
            and (not self.flag or self.flag in one.flags)
            and self.text.strip().casefold() in said.casefold()
        )

    def address(self, path: str = "", **more: object) -> str:
        """A page of the queue that is narrowed in the same way."""
        parts = {name: getattr(self, name) for name in ("clause", "region", "flag", "text")}
        query = urlencode({name: value for name, value in {**parts, **more}.items() if value})
        return f"/desk/review{path}{'?' if query else ''}{query}"


def _sift(clause: str = "", region: str = "", flag: str = "", text: str = "") -> Sift:
    return Sift(clause, region, flag, text)


ASift = Annotated[Sift, Depends(_sift)]


def _queue(person: Person) -> list[Waiting]:
    """All that waits and that the person may see."""
    return reviewing.queue(person.ledger, person.now, region=person.signed.region)


def _alike(person: Person, versions: Iterable[Version]) -> Mapping[int, list[Match]]:
    return alike(person.ledger, [file.id for version in versions for file in version.files])


def _flags(waiting: Waiting, likes: Mapping[int, list[Match]]) -> frozenset[Flag]:
    """Those of the version, and whether it is like another's."""
    known = any(file.id in likes for file in waiting.version.files)
    return waiting.flags | {Flag.ALIKE} if known else waiting.flags


# The queue


@router.get("")
def show_queue(
    person: APerson,
    sift: ASift,
    sample: Numbered = 0,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    done: str = "",
    about: Numbered = 0,
    n: Numbered = 0,
    left: str = "",
) -> Response:
    """What awaits review, the oldest first."""
    everything = _queue(person)
    drawn = _drawn(person, sample)
    kept = [one for one in everything if sift.keeps(one)]
    rows = _rest(everything, drawn) if drawn else kept
    here = rows[(page - 1) * PAGE : page * PAGE]
    likes = _alike(person, (one.version for one in here))
    return person.pages.render(
        person.request,
        "desk/review.html",
        {
            "person": person,
            "rows": [(one, _flags(one, likes)) for one in here],
            "singly": SINGLY,
            "total": len(rows),
            "waiting": len(everything),
            "page": page,
            "pages": -(-len(rows) // PAGE) or 1,
            "sift": sift,
            "clauses": {one.duty.clause_key: one.duty.number for one in everything},
            "regions": {one.duty.agency.region: one.duty.agency.region_name for one in everything},
            "flags": [flag for flag in Flag if flag is not Flag.ALIKE],
            "sample": drawn,
            "picked": _named(person, drawn.picked) if drawn else [],
            "done": done,
            "about": _named(person, [about]),
            "n": n,
            "left": _named(person, _numbers(left)),
        },
    )


def _drawn(person: Person, number: int) -> Sample | None:
    """A sample, as far as the person sees what it was drawn from."""
    found = reviewing.drawn(person.ledger, number) if number else None
    if found is None or not _all_seen(person, found.among):
        return None
    return found


def _all_seen(person: Person, ids: Iterable[int]) -> bool:
    wanted = set(ids)
    return len(_named(person, wanted)) == len(wanted)


def _named(person: Person, ids: Iterable[int]) -> list[DutyView]:
    """The duties of these numbers that the person may see."""
    wanted = [one for one in ids if one]
    found = duties(person.ledger, ids=wanted) if wanted else []
    return [duty for duty in found if person.sees(duty.agency.id)]


def _rest(everything: Sequence[Waiting], sample: Sample) -> list[Waiting]:
    """What a sample was drawn from, still waits in the same version and was not picked."""
    return [
        one
        for one in everything
        if sample.among.get(one.duty.id) == one.version.number and one.duty.id not in sample.picked
    ]


def _numbers(text: str) -> list[int]:
    """The numbers of an address such as 3.17.29."""
    return [int(one) for one in text.split(".")[:200] if re.fullmatch(r"\d{1,15}", one, re.A)]


def _back(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303)


# Samples and many at once


@router.post("/sample")
def draw_sample(person: APerson, form: PersonForm, sift: ASift) -> Response:
    """Draws a random sample from what is in the narrowed queue and may be accepted with others."""
    person.require("decide")
    kept = [one for one in _queue(person) if sift.keeps(one)]
    # Likeness is looked at when the rest is accepted: to ask it of a long queue takes too long.
    among = {one.duty.id: one.version.number for one in kept if not one.flags & SINGLY}
    count = _count(str(form.get("count", "")), len(among))
    if not count:
        return _back(sift.address(done="no-sample"))
    number = reviewing.draw(
        person.ledger, among, count, by=person.actor, now=person.now, seed=secrets.token_hex(8)
    )
    return _back(sift.address(sample=number))


def _count(given: str, pool: int) -> int:
    """So many as `5` or `10%` ask for, at least one; 0 when it asks for nothing."""
    match = re.fullmatch(r"\s*(\d{1,4})\s*([%％]?)\s*", given)
    if not match or not int(match[1]) or not pool:
        return 0
    wanted = int(match[1])
    return min(-(-pool * wanted // 100) if match[2] else wanted, pool)


@router.post("/accept")
def accept_many(person: APerson, form: PersonForm, sift: ASift, sample: Numbered = 0) -> Response:
    """Accepts what was ticked, after one confirmation; names what could not be accepted."""
    person.require("decide")
    chosen = _chosen(form)
    if not chosen:
        return _back(sift.address(sample=sample, done="none"))
    act = _accept_all if form.get("confirmed") else _confirm
    return act(person, sift, sample, chosen)


def _chosen(form: FormData) -> dict[int, int]:
    """The version that was seen in the list, by duty."""
    pairs = (re.fullmatch(r"(\d{1,15}):(\d{1,9})", str(one)) for one in form.getlist("duty"))
    return {int(pair[1]): int(pair[2]) for pair in pairs if pair}


def _confirm(person: Person, sift: Sift, sample: int, chosen: Mapping[int, int]) -> Response:
    fit, unfit = _sorted_out(person, chosen)
    return person.pages.render(
        person.request,
        "desk/review_confirm.html",
        {
            "person": person,
            "sift": sift,
            "sample": sample,
            "fit": fit,
            "unfit": _named(person, unfit),
            "text": _sampled(person, _drawn(person, sample)),
        },
    )


def _sorted_out(person: Person, chosen: Mapping[int, int]) -> tuple[list[Waiting], list[int]]:
    """What may be accepted with others as it was seen, and what not."""
    seen = [one for one in _queue(person) if chosen.get(one.duty.id) == one.version.number]
    likes = _alike(person, (one.version for one in seen))
    fit = [one for one in seen if not _flags(one, likes) & SINGLY]
    return fit, sorted(chosen.keys() - {one.duty.id for one in fit})


def _accept_all(person: Person, sift: Sift, sample: int, chosen: Mapping[int, int]) -> Response:
    drawn = _drawn(person, sample)
    if drawn and not drawn.decided:
        return _back(sift.address(sample=sample, done="undecided"))
    text = _sampled(person, drawn)
    fit, left = _sorted_out(person, chosen)
    left += [one.duty.id for one in fit if not _accepted(person, one, text)]
    accepted = len(chosen) - len(left)
    named = ".".join(str(one) for one in left)
    return _back(sift.address(sample=sample, done="many", n=accepted, left=named))


def _accepted(person: Person, one: Waiting, text: str) -> bool:
    """Whether it could be: somebody may have been faster."""
    try:
        acts.accept(
            person.ledger,
            one.duty.id,
            by=person.actor,
            now=person.now,
            text=text,
            version=one.version.number,
        )
    except DubanError:
        return False
    return True


def _sampled(person: Person, sample: Sample | None) -> str:
    """What history says of an acceptance with others."""
    if sample is None:
        return person.text("批量审核通过")
    told = (
        person.text("批量审核通过（抽查 {n}/{pool} 项，退回 {returned} 项）")
        if sample.returned
        else person.text("批量审核通过（抽查 {n}/{pool} 项，均未退回）")
    )
    return told.format(n=len(sample.picked), pool=len(sample.among), returned=sample.returned)


# One duty


@dataclass(frozen=True, slots=True)
class Typed:
    """What a reviewer typed, kept when it was refused."""

    remark: str = ""
    codes: Sequence[str] = ()
    text: str = ""
    due_on: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """A duty under review, as one person looks at it.

    Attributes:
        chosen: the version looked at, of all of them, the newest first.
        shown: the versions whose suspected personal data the person has asked to see.
    """

    person: Person
    duty: DutyView
    versions: Sequence[Version]
    chosen: Version
    shown: frozenset[int] = field(default=frozenset())

    @property
    def open(self) -> bool:
        """Whether the chosen version can be decided on."""
        newest = self.chosen.number == self.versions[0].number
        return newest and self.duty.status is Status.SUBMITTED

    @property
    def hidden(self) -> bool:
        """Whether something is kept from sight for now."""
        return bool(self.chosen.suspected) and self.chosen.number not in self.shown

    def mask(self, text: str) -> str:
        """A text as this person may see it."""
        return hide(text, self.person.text("（疑似含人员名单，已隐藏）")) if self.hidden else text


def _desk(person: Person, duty_id: int, number: int) -> Desk:
    """404 unless the person sees the duty and it has the version; the newest for 0."""
    duty = person.duty(duty_id)
    versions = reviewing.versions(person.ledger, duty_id)
    chosen = [one for one in versions if number in (0, one.number)]
    if not chosen:
        raise HTTPException(404)
    return Desk(person, duty, versions, chosen[0], shown_to(person, duty_id))


def shown_to(person: Person, duty_id: int) -> frozenset[int]:
    """The versions of a duty whose suspected personal data the person sees at present."""
    if not person.may("decide"):
        return frozenset()
    since = person.now - SHOWN_FOR
    return reviewing.revealed(person.ledger, duty_id, by=person.actor, since=since)


@router.get("/{duty_id}")
def show_one(
    person: APerson,
    sift: ASift,
    duty_id: Number,
    version: Numbered = 0,
    beside: Numbered = 0,
    sample: Numbered = 0,
    done: str = "",
    about: Numbered = 0,
) -> Response:
    """Evidence beside its clause, with what was reported before."""
    desk = _desk(person, duty_id, version)
    told = {"done": done, "about": _named(person, [about])}
    return _page(desk, sift, sample, beside, Typed(), told)


def _page(
    desk: Desk,
    sift: Sift,
    sample: int,
    beside: int,
    typed: Typed,
    told: Mapping[str, Any] | None = None,
) -> Response:
    person, duty = desk.person, desk.duty
    order = _order(person, sift, sample)
    earlier = _earlier(desk, beside)
    mask = desk.mask if desk.hidden else None
    context = {
        "person": person,
        "desk": desk,
        "duty": duty,
        "version": desk.chosen,
        "earlier": earlier,
        "beside": beside,
        "figures": figures(
            duty.clause, desk.chosen.fields, earlier.fields if earlier else None, mask=mask
        ),
        "files": _files(desk),
        "likes": _likes(desk),
        "asked": petitions(person.ledger, state=State.ASKED, duty_ids=[duty.id]),
        "took": _took(desk),
        "default_due": _default_due(desk),
        "today": duty_day(duty, person.now),
        "typed": typed,
        "sift": sift,
        "sample": sample,
        "place": order.index(duty.id) + 1 if duty.id in order else 0,
        "length": len(order),
        "previous": _neighbour(order, duty.id, -1),
        "next": _neighbour(order, duty.id, 1),
        "done": "",
        "about": [],
        **(told or {}),
    }
    status = 422 if typed.fault else 200
    return person.pages.render(person.request, "desk/review_duty.html", context, status=status)


def _order(person: Person, sift: Sift, sample: int) -> list[int]:
    """The duties in the order in which they are looked at."""
    drawn = _drawn(person, sample)
    return [
        one.duty.id
        for one in _queue(person)
        if (one.duty.id in drawn.picked if drawn else sift.keeps(one))
    ]


def _neighbour(order: Sequence[int], duty_id: int, step: int) -> int | None:
    if duty_id not in order:
        return order[0] if order and step > 0 else None
    at = order.index(duty_id) + step
    return order[at] if 0 <= at < len(order) else None


def _earlier(desk: Desk, beside: int) -> Version | None:
    """The version to compare with: one of the duty's own, else that of the period before."""
    own = next((one for one in desk.versions if one.number == beside), None)
    return own or reviewing.before(desk.person.ledger, desk.duty)


def _files(desk: Desk) -> list[tuple[str, list[FileView]]]:
    """The chosen version's files, by the label of the field that asked for them."""
    found = {
        one.key: (one.label, [file for file in desk.chosen.files if file.field == one.key])
        for one in desk.duty.clause.evidence
        if isinstance(one, FilesField)
    }
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Likeness:
    """A file that is like files of other duties.

    Attributes:
        others: duties that the person may see, the oldest first, `MOST_NAMED` of them.
        elsewhere: how many more there are that the person may not see.
        more: how many more there are that could be named.
    """

    name: str
    how: str
    others: Sequence[DutyView]
    elsewhere: int
    more: int


def _likes(desk: Desk) -> list[Likeness]:
    found = _alike(desk.person, [desk.chosen])
    seen = {
        one.id: one for one in _named(desk.person, {m.duty_id for ms in found.values() for m in ms})
    }
    return [
        _likeness(file.name, how, found[file.id], seen)
        for file in desk.chosen.files
        for how in ("same", "near")
        if any(match.how == how for match in found.get(file.id, ()))
    ]


def _likeness(
    name: str, how: str, matches: Sequence[Match], seen: Mapping[int, DutyView]
) -> Likeness:
    ids = list(dict.fromkeys(match.duty_id for match in matches if match.how == how))
    others = [seen[one] for one in ids if one in seen]
    return Likeness(
        name, how, others[:MOST_NAMED], len(ids) - len(others), len(others[MOST_NAMED:])
    )


def _took(desk: Desk) -> int:
    """Working days since the chosen version came."""
    duty, registry = desk.duty, desk.person.ledger.registry
    calendar = registry.calendar(duty.clause_key, duty.agency.id)
    came = duty_day(duty, desk.chosen.submitted_at)
    return reviewing.working_days(calendar, came, duty_day(duty, desk.person.now))


def _default_due(desk: Desk) -> date:
    """The day that an agency has to mend a return unless the reviewer says otherwise."""
    duty, registry = desk.duty, desk.person.ledger.registry
    calendar = registry.calendar(duty.clause_key, duty.agency.id)
    counted = calendar.add(duty_day(duty, desk.person.now), acts.RETURN_WORKING_DAYS).day
    return max(counted, duty_day(duty, duty.due_at))


def duty_day(duty: DutyView, moment: datetime) -> date:
    """The civil day of a moment in the zone of a duty's notice."""
    return moment.astimezone(duty.notice.zone).date()


# Decisions on one duty


@router.post("/{duty_id}/reveal")
def reveal(
    person: APerson,
    form: PersonForm,
    sift: ASift,
    duty_id: Number,
    version: Numbered = 0,
    sample: Numbered = 0,
) -> Response:
    """Shows what may be personal data to a reviewer who asks; history keeps that."""
    person.require("decide")
    desk = _desk(person, duty_id, version)
    if desk.hidden:
        number = desk.chosen.number
        reviewing.reveal(person.ledger, duty_id, number, by=person.actor, now=person.now)
    return _back(sift.address(f"/{duty_id}", version=version, sample=sample))


@router.post("/{duty_id}/accept")
def accept(
    person: APerson, form: PersonForm, sift: ASift, duty_id: Number, sample: Numbered = 0
) -> Response:
    """Accepts the version that was looked at, and leads to the next duty."""
    person.require("decide")
    desk = _desk(person, duty_id, 0)
    typed = Typed(remark=text_of(form, "remark"))
    following = _following(person, sift, sample, duty_id)
    try:
        acts.accept(
            person.ledger,
            duty_id,
            by=person.actor,
            now=person.now,
            text=typed.remark,
            version=_seen(form),
        )
    except DubanError as error:
        return _refused(desk, sift, sample, typed, sentence(person, error))
    return _onward(sift, sample, following, "accepted", duty_id)


def text_of(form: FormData, name: str) -> str:
    """A field of a form, trimmed, at most `MOST_TEXT` characters."""
    return str(form.get(name, "")).replace("\x00", "").strip()[:MOST_TEXT]


def _seen(form: FormData) -> int:
    """The version that the form was made for."""
    given = str(form.get("version", ""))
    return int(given) if re.fullmatch(r"\d{1,9}", given, re.A) else 0


def _refused(desk: Desk, sift: Sift, sample: int, typed: Typed, fault: str) -> Response:
    """The page as it now is, with what was typed and why it was not taken."""
    again = _desk(desk.person, desk.duty.id, 0)
    kept = Typed(typed.remark, typed.codes, typed.text, typed.due_on, fault)
    return _page(again, sift, sample, 0, kept)


def _following(person: Person, sift: Sift, sample: int, duty_id: int) -> int | None:
    """Where a decision leads: the next in the queue, else its first, else nowhere."""
    order = _order(person, sift, sample)
    after = _neighbour(order, duty_id, 1)
    return after or next((one for one in order if one != duty_id), None)


def _onward(sift: Sift, sample: int, following: int | None, done: str, about: int) -> Response:
    path = f"/{following}" if following else ""
    return _back(sift.address(path, sample=sample, done=done, about=about))


@router.post("/{duty_id}/return")
def send_back(
    person: APerson, form: PersonForm, sift: ASift, duty_id: Number, sample: Numbered = 0
) -> Response:
    """Returns the version that was looked at with what is wrong and a day to mend it by."""
    person.require("decide")
    desk = _desk(person, duty_id, 0)
    codes = [str(one) for one in form.getlist("code") if str(one) in _CODES]
    typed = Typed(codes=codes, text=text_of(form, "text"), due_on=text_of(form, "due_on"))
    following = _following(person, sift, sample, duty_id)
    fault = _send_back(desk, typed, _seen(form))
    if fault:
        return _refused(desk, sift, sample, typed, fault)
    return _onward(sift, sample, following, "returned", duty_id)


def _send_back(desk: Desk, typed: Typed, version: int) -> str:
    """Empty when it is done, else why not."""
    person, duty = desk.person, desk.duty
    reason = why_returned(duty.notice.language, typed.codes, typed.text)
    if not reason:
        return person.text("请选择退回原因；选择“其他”的，请写明理由。")
    try:
        acts.send_back(
            person.ledger,
            duty.id,
            reason=reason,
            by=person.actor,
            now=person.now,
            due_on=day_of(typed.due_on),
            version=version,
            codes=typed.codes,
        )
    except DubanError as error:
        return sentence(person, error)
    except ValueError:
        return person.text("时限请写成 2026-11-24 这样的日期。")
    return ""


def day_of(given: str) -> date | None:
    """A civil day in ISO form; None for nothing. Raises ValueError for anything else."""
    return date.fromisoformat(given) if given else None
