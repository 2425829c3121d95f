"""The outbox: every letter as it was sent, its attempts, and what can be done where it failed."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from email import message_from_bytes
from email.policy import default
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from duban.errors import DubanError
from duban.ladder import Kind
from duban.ledger import mailroom, undelivered
from duban.ledger.mailroom import Sought, WholeLetter
from duban.ledger.papers import papers
from duban.ledger.questions import DutyView, duties
from duban.ledger.undelivered import UNDELIVERED
from duban.portal.desk.faults import sentence
from duban.portal.desk.frame import Given
from duban.portal.desk.review import Number
from duban.portal.who import APerson, Person, PersonForm

router = APIRouter(prefix="/desk/letters")

PAGE = 100
STATES = ("pending", "sent", "unreachable", "dead", "suppressed")
_DOOR = re.compile(r"\S*/a/link-\d{38}(?!\w)")


@dataclass(frozen=True, slots=True)
class Sift:
    """What the outbox is narrowed to; every part may be empty."""

    state: str = ""
    kind: str = ""
    recipient: str = ""
    day: str = ""

    def sought(self, person: Person) -> Sought:
        """The same for the ledger, within what the person sees."""
        agency = person.ledger.registry.find_agency(self.recipient)
        return Sought(
            state=self.state if self.state in STATES else "",
            kind=self.kind if self.kind in set(Kind) else "",
            recipient=agency.id if agency else self.recipient,
            day=_day(self.day),
            within=person.signed.region,
        )

    def address(self, page: int = 1) -> str:
        """A page of the outbox that is narrowed in the same way."""
        parts = {**asdict(self), "page": "" if page == 1 else page}
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/desk/letters{'?' if query else ''}{query}"


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _sift(state: Given = "", kind: Given = "", recipient: Given = "", day: Given = "") -> Sift:
    return Sift(state, kind, recipient.replace("\x00", "").strip(), day)


ASift = Annotated[Sift, Depends(_sift)]


@router.get("")
def show_letters(
    person: APerson, sift: ASift, page: Annotated[int, Query(ge=1, le=100_000)] = 1
) -> Response:
    """The outbox, the newest first; what found no way stands on top."""
    sought = sift.sought(person)
    total = mailroom.count_letters(person.ledger, sought)
    pages = -(-total // PAGE) or 1
    page = min(page, pages)
    context = {
        "person": person,
        "sift": sift,
        "letters": mailroom.letters(person.ledger, sought, most=PAGE, skip=(page - 1) * PAGE),
        "troubled": mailroom.undelivered(person.ledger, person.signed.region),
        "total": total,
        "page": page,
        "pages": pages,
        "states": STATES,
        "kinds": list(Kind),
        "agencies": [a for a in person.ledger.registry.agencies.values() if person.sees(a.id)],
        "name_of": person.ledger.registry.name_of,
    }
    return person.pages.render(person.request, "desk/letters.html", context)


@router.get("/{letter_id}")
def show_letter(person: APerson, letter_id: Number, done: str = "") -> Response:
    """A letter as it was sent, with its attempts."""
    return _page(person, _letter(person, letter_id), done=done)


def _letter(person: Person, letter_id: int) -> WholeLetter:
    """404 unless its recipient is one that the person sees."""
    found = mailroom.letter(person.ledger, letter_id)
    if found is None or not person.sees(found.line.recipient):
        raise HTTPException(404)
    return found


def _page(person: Person, letter: WholeLetter, *, done: str = "", fault: str = "") -> Response:
    w = person.pages.words(person.request)
    shown = readable(letter, person.text("（办理链接）"))
    context = {
        "person": person,
        "letter": letter,
        "line": letter.line,
        "subject": shown.subject,
        "to": shown.to,
        "text": shown.text,
        "duties": _duties(person, letter),
        "papers": papers(person.ledger, letter=letter.line.id),
        "kind": w.kinds[Kind(letter.line.kind)],
        "suspended": mailroom.dealings(person.ledger).suspended.get(letter.line.recipient, ()),
        "decides": person.may("decide"),
        "undelivered": letter.line.state in UNDELIVERED,
        "name_of": person.ledger.registry.name_of,
        "done": done,
        "fault": fault,
    }
    status = 422 if fault else 200
    return person.pages.render(person.request, "desk/letter.html", context, status=status)


def _duties(person: Person, letter: WholeLetter) -> list[tuple[DutyView, bool]]:
    """The duties it speaks of that the person sees; whether it still did when it left."""
    found = duties(person.ledger, ids=list(letter.duties)) if letter.duties else []
    return [(duty, letter.duties[duty.id]) for duty in found if person.sees(duty.agency.id)]


@dataclass(frozen=True, slots=True)
class Readable:
    """A letter for people's eyes; its link is not in it."""

    subject: str = ""
    to: str = ""
    text: str = ""


def readable(letter: WholeLetter, instead: str) -> Readable:
    """The words of a letter; empty before it is written.

    Args:
        instead: what stands in the place of the link.
    """
    if letter.payload is None:
        return Readable()
    if letter.form != "mail":
        return Readable(text=_DOOR.sub(instead, letter.payload.decode("utf-8", "replace")))
    mail = message_from_bytes(letter.payload, policy=default)
    body = mail.get_body(("plain",))
    text = str(body.get_content()) if body else ""
    return Readable(str(mail["Subject"] or ""), str(mail["To"] or ""), _DOOR.sub(instead, text))


# Acts


@router.post("/{letter_id}/resend")
def resend(person: APerson, form: PersonForm, letter_id: Number) -> Response:
    """Has a letter that found no way written anew and tried again."""
    return _act(person, letter_id, undelivered.resend, "resent")


@router.post("/{letter_id}/handed")
def handed(person: APerson, form: PersonForm, letter_id: Number) -> Response:
    """Records that a letter was delivered by hand."""
    return _act(person, letter_id, undelivered.handed, "handed")


def _act(person: Person, letter_id: int, act: Callable[..., None], done: str) -> Response:
    person.require("decide")
    letter = _letter(person, letter_id)
    try:
        act(person.ledger, letter_id, by=person.actor, now=person.now)
    except DubanError as error:
        return _page(person, letter, fault=sentence(person, error))
    return RedirectResponse(f"/desk/letters/{letter_id}?done={done}", 303)
