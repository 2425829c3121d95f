"""What an agency says beside evidence: that it has received a duty (签收), what it asks (申请)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, Select, select

from duban.duty import CLOSED, WAITING, Act, IllegalAct, Status
from duban.errors import DubanError
from duban.ladder import Kind as LetterKind
from duban.ledger import Ledger
from duban.ledger.acts import NotItsDuty, extend_within, locked_duty, notice_of, waive_within
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.letterbox import NewMention, post
from duban.ledger.tables import Duty, Petition
from duban.registry import Notice

MOST_TEXT = 2000
"""Characters of a reason or an answer."""

MOST_NAME = 60


class Kind(StrEnum):
    """What can be asked for."""

    EXTENSION = "extension"
    NOT_APPLICABLE = "not-applicable"


class State(StrEnum):
    """What became of it; `withdrawn` also when evidence or a decision overtook it."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class NoSuchPetition(DubanError):
    """There is no such petition, or it was decided or withdrawn already."""


_FAULTS = {
    "no-reason": "A reason is needed.",
    "no-leader": "Name the leader who agreed to the extension.",
    "no-answer": "A refusal needs its reason.",
    "too-long": f"At most {MOST_TEXT} characters, and {MOST_NAME} for a name.",
    "no-day": "An extension needs the day until which it is asked for.",
    "not-later": "The day asked for must come after the due day.",
    "too-late": "An extension is asked for before the due date, and this one is past.",
    "not-waiting": "The duty does not wait for its agency, so there is nothing to ask for.",
    "twice": "The same is asked for already and awaits an answer.",
}


class PetitionRefused(DubanError):
    """A petition that cannot be made or answered like this; nothing was recorded.

    `code` says why, for screens with words of their own.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(_FAULTS[code])


@dataclass(frozen=True, slots=True)
class PetitionView:
    """A petition as screens show it; `agency` owes the duty now."""

    id: int
    duty_id: int
    agency: str
    kind: Kind
    state: State
    reason: str
    until: date | None
    leader: str
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None
    decided_by: str | None
    answer: str


def acknowledge(
    ledger: Ledger, duty_id: int, *, by: str, now: datetime, link_id: int | None = None
) -> bool:
    """Records that the agency has received a duty (签收); whether this was the first time.

    Args:
        by: the id of the agency that owes it.

    Raises:
        NoSuchDuty, NotItsDuty, IllegalAct: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        duty = _own_duty(made, duty_id, by)
        if duty.acknowledged_at is not None:
            return False
        if duty.status in CLOSED:
            raise IllegalAct(f"The duty is {duty.status}; there is nothing to acknowledge.")
        duty.acknowledged_at = now
        made.record("acknowledged", duty_id, link=link_id)
        return True


def ask(
    ledger: Ledger,
    duty_id: int,
    kind: Kind,
    *,
    reason: str,
    by: str,
    now: datetime,
    until: date | None = None,
    leader: str = "",
    link_id: int | None = None,
) -> int:
    """Asks for an extension, or that a duty is not applicable; the petition's number.

    The chase goes on until a coordinator decides.

    Args:
        until: the civil day asked for, in the notice's zone; extensions only.
        leader: who agreed; extensions only.
        by: the id of the agency that owes the duty.

    Raises:
        NoSuchDuty, NotItsDuty, PetitionRefused: nothing was recorded.
    """
    reason, leader = reason.strip(), leader.strip()
    if kind is Kind.NOT_APPLICABLE:
        until, leader = None, ""
    _check_texts(kind, reason, leader)
    with change(ledger.engine, now, by) as made:
        duty = _own_duty(made, duty_id, by)
        _check_moment(duty, kind, now)
        if kind is Kind.EXTENSION:
            _check_day(duty, notice_of(ledger, duty), until)
        if made.session.scalars(_open_of(duty_id, kind)).first():
            raise PetitionRefused("twice")
        petition = Petition(
            duty_id=duty_id,
            kind=kind.value,
            reason=reason,
            until=until,
            leader=leader,
            asked_at=now,
            asked_by=by,
            link_id=link_id,
            state=State.ASKED.value,
        )
        made.session.add(petition)
        made.session.flush()
        _record(made, "asked", petition, reason)
        return petition.id


def _own_duty(made: Change, duty_id: int, by: str) -> Duty:
    duty = locked_duty(made, duty_id)
    if duty.agency != by:
        raise NotItsDuty(f"Duty {duty_id} belongs to {duty.agency}, not to {by}.")
    return duty


def _check_texts(kind: Kind, reason: str, leader: str) -> None:
    if not reason:
        raise PetitionRefused("no-reason")
    if kind is Kind.EXTENSION and not leader:
        raise PetitionRefused("no-leader")
    if len(reason) > MOST_TEXT or len(leader) > MOST_NAME:
        raise PetitionRefused("too-long")


def _check_moment(duty: Duty, kind: Kind, now: datetime) -> None:
    allowed = WAITING if kind is Kind.EXTENSION else WAITING | {Status.SUBMITTED}
    if duty.status not in allowed:
        raise PetitionRefused("not-waiting")
    if kind is Kind.EXTENSION and now > duty.due_at:
        raise PetitionRefused("too-late")


def _check_day(duty: Duty, notice: Notice, until: date | None) -> None:
    if until is None:
        raise PetitionRefused("no-day")
    if until <= duty.due_at.astimezone(notice.zone).date():
        raise PetitionRefused("not-later")


def _open_of(duty_id: int, kind: Kind) -> Select[tuple[Petition]]:
    return select(Petition).where(
        Petition.duty_id == duty_id, Petition.kind == kind, Petition.state == State.ASKED
    )


def _record(made: Change, action: str, petition: Petition, text: str) -> None:
    until = petition.until.isoformat() if petition.until else None
    made.record(
        action,
        petition.duty_id,
        text or None,
        petition=petition.kind,
        number=petition.id,
        until=until,
    )


def withdraw(ledger: Ledger, petition_id: int, *, by: str, now: datetime) -> None:
    """Takes back what an agency asked for and nobody has decided.

    Raises:
        NoSuchPetition, NotItsDuty: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        petition, duty = _locked(made, petition_id)
        if duty.agency != by:
            raise NotItsDuty(f"Duty {duty.id} belongs to {duty.agency}, not to {by}.")
        _settle(made, petition, State.WITHDRAWN, "")
        _record(made, "withdrawn", petition, "")


def decide(
    ledger: Ledger,
    petition_id: int,
    *,
    grant: bool,
    by: str,
    now: datetime,
    answer: str = "",
    due_on: date | None = None,
) -> None:
    """Grants or refuses a petition; a grant extends the duty, or closes it as not applicable.

    A granted extension is told by the letter of the new round and its paper. Every other answer
    goes to the agency in a letter of its own at once, a refused extension with its paper; after a
    refusal the chase goes on as before.

    Args:
        answer: why; a refusal needs it.
        due_on: the new due day of an extension, unless it is the one asked for.

    Raises:
        NoSuchPetition, IllegalAct, DueDateRefused, PetitionRefused: nothing was recorded.
    """
    answer = answer.strip()
    if not grant and not answer:
        raise PetitionRefused("no-answer")
    if len(answer) > MOST_TEXT:
        raise PetitionRefused("too-long")
    with change(ledger.engine, now, by) as made:
        petition, duty = _locked(made, petition_id)
        _settle(made, petition, State.GRANTED if grant else State.REFUSED, answer)
        _record(made, petition.state, petition, answer)
        if grant:
            _grant(made, ledger, petition, duty, due_on)
        if not grant or petition.kind == Kind.NOT_APPLICABLE:
            _post_answer(made, ledger, petition, duty)


def _post_answer(made: Change, ledger: Ledger, petition: Petition, duty: Duty) -> None:
    """A letter to whoever asked, unless it or the notice has left the files meanwhile."""
    agency = ledger.registry.agencies.get(petition.asked_by)
    loaded = ledger.registry.notices.get(duty.clause.partition("/")[0])
    if agency is None or loaded is None:
        return
    notice, kind = loaded.file.notice, LetterKind.ANSWER
    today = made.at.astimezone(notice.zone).date()
    mention = NewMention(duty.id, agency, kind, duty.round, kind, petition.id, today)
    post(made, ledger, notice, [mention])


def _grant(
    made: Change, ledger: Ledger, petition: Petition, duty: Duty, due_on: date | None
) -> None:
    reason = petition.answer or petition.reason
    if petition.kind == Kind.NOT_APPLICABLE:
        waive_within(made, duty, reason, Act.NOT_APPLICABLE)
        return
    day = due_on or petition.until
    if day is None:
        raise PetitionRefused("no-day")
    extend_within(made, ledger, duty, day, reason)


def _locked(made: Change, petition_id: int) -> tuple[Petition, Duty]:
    """An open petition and its duty, locked in the order in which every act locks them."""
    duty_id = made.session.scalar(select(Petition.duty_id).where(Petition.id == petition_id))
    if duty_id is None:
        raise NoSuchPetition
    duty = locked_duty(made, duty_id)
    petition = made.session.get_one(Petition, petition_id, with_for_update=True)
    if petition.state != State.ASKED:
        raise NoSuchPetition
    return petition, duty


def _settle(made: Change, petition: Petition, state: State, answer: str) -> None:
    petition.state, petition.answer = state.value, answer
    petition.decided_at, petition.decided_by = made.at, made.actor
    made.session.flush()  # before a grant makes the duty's other petitions lapse


def petitions(
    ledger: Ledger,
    *,
    state: State | None = None,
    region: str | None = None,
    duty_ids: Sequence[int] | None = None,
) -> list[PetitionView]:
    """Petitions, the oldest first.

    Args:
        region: only duties of this region's agencies.
        duty_ids: only of these duties.
    """
    question = _VIEWS
    if state is not None:
        question = question.where(Petition.state == state)
    if region is not None:
        question = question.where(Duty.agency.startswith(f"{region}/", autoescape=True))
    if duty_ids is not None:
        question = question.where(Petition.duty_id.in_(duty_ids))
    return _views(ledger, question)


def petition(ledger: Ledger, petition_id: int) -> PetitionView:
    """One petition, whatever became of it.

    Raises:
        NoSuchPetition: there is none of that number.
    """
    found = _views(ledger, _VIEWS.where(Petition.id == petition_id))
    if not found:
        raise NoSuchPetition
    return found[0]


_VIEWS = (
    select(
        Petition.id,
        Petition.duty_id,
        Duty.agency,
        Petition.kind,
        Petition.state,
        Petition.reason,
        Petition.until,
        Petition.leader,
        Petition.asked_at,
        Petition.asked_by,
        Petition.decided_at,
        Petition.decided_by,
        Petition.answer,
    )
    .join(Duty, Duty.id == Petition.duty_id)
    .order_by(Petition.asked_at, Petition.id)
)


def _views(ledger: Ledger, question: Select[Any]) -> list[PetitionView]:
    with reading(ledger.engine) as connection:
        rows = connection.execute(question).mappings().all()
    return [_view(row) for row in rows]


def _view(row: RowMapping) -> PetitionView:
    named: dict[str, Any] = {**row, "kind": Kind(row["kind"]), "state": State(row["state"])}
    return PetitionView(**named)
