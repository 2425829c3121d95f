"""What people do to a duty: submit, review, extend, waive, reopen. Each is one change."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, select, true, update
from sqlalchemy.orm import Session

from duban.duty import Act, Status, after
from duban.errors import DubanError
from duban.evidence import Checked, KeptFile
from duban.ladder import Kind, resumes_on
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.facts import holds
from duban.ledger.letterbox import NewMention, post
from duban.ledger.tables import ClauseVersion, Draft, Duty, EvidenceFile, Petition, Submission
from duban.registry import Clause, Notice, instant

RETURN_WORKING_DAYS = 5
"""Policy: how long an agency has to mend what was returned, unless the reviewer says otherwise."""


class NoSuchDuty(DubanError):
    """There is no such duty; `duban status` lists them with their numbers."""


class NotItsDuty(DubanError):
    """The duty belongs to another agency."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What goes with evidence that comes through the portal.

    Attributes:
        statement: of a nil return (零报告), which asks for no fields and files.
        dated: the civil day that the evidence speaks of, apart from when it is handed in.
        person, telephone: whom to ask about it.
        suspect: kinds of personal data found in its text, by commas.
        link_id: the link through which it came.
        drafts: numbers of the files that were sent before, and are part of it now.
    """

    statement: str | None = None
    dated: date | None = None
    person: str | None = None
    telephone: str | None = None
    suspect: str = ""
    link_id: int | None = None
    drafts: tuple[int, ...] = ()

    @property
    def nil(self) -> bool:
        """Whether there is nothing to report."""
        return self.statement is not None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an agency gets for a submission."""

    number: str
    version: int


def clause_of(session: Session, duty: Duty) -> Clause:
    """The clause as it read when the duty was opened."""
    kept = session.get_one(ClauseVersion, (duty.clause, duty.version))
    return Clause.model_validate(kept.content)


def submit(
    ledger: Ledger,
    duty_id: int,
    evidence: Checked,
    files: Sequence[KeptFile],
    *,
    by: str,
    now: datetime,
    cover: Cover | None = None,
) -> Receipt:
    """Records a version of evidence; the chase falls silent. Earlier versions are kept.

    Args:
        by: the id of the agency that hands in: the one that owes it, or one that shares in it.

    Raises:
        NoSuchDuty, NotItsDuty, IllegalAct, DraftGone: nothing was recorded.
    """
    cover = cover or Cover()
    with change(ledger.engine, now, by) as made:
        duty = locked_duty(made, duty_id)
        check_agency(ledger, duty, by)
        duty.status = after(Act.SUBMIT, Status(duty.status))
        duty.submitted_at, duty.next_on, duty.nil = now, None, cover.nil
        submission = _submission(made, duty, evidence, by, cover)
        made.session.add_all(_file_rows(submission, files))
        drafted = _take_drafts(made, submission, cover.drafts)
        _lapse(made, duty)
        made.record(
            "nil-returned" if cover.nil else "submitted",
            duty.id,
            version=submission.number,
            receipt=submission.receipt,
            evidence_sha256=evidence.sha256,
            files=[*(file.sha256 for file in files), *drafted],
            link=cover.link_id,
        )
        _post_receipt(made, ledger, duty, submission)
        return Receipt(submission.receipt, submission.number)


def _post_receipt(made: Change, ledger: Ledger, duty: Duty, submission: Submission) -> None:
    """A letter to whoever handed in, unless it or the notice has left the files meanwhile."""
    agency = ledger.registry.agencies.get(submission.submitted_by)
    loaded = ledger.registry.notices.get(duty.clause.partition("/")[0])
    if agency is None or loaded is None:
        return
    notice, kind = loaded.file.notice, Kind.RECEIPT
    today = made.at.astimezone(notice.zone).date()
    mention = NewMention(duty.id, agency, kind, duty.round, kind, submission.number, today)
    post(made, ledger, notice, [mention])


def check_agency(ledger: Ledger, duty: Duty, by: str) -> None:
    """Raises NotItsDuty unless an agency owes the duty, or shares in it."""
    placed = ledger.registry.clauses.get(duty.clause)
    sharing = placed.copied.get(duty.agency, ()) if placed else ()
    if by != duty.agency and by not in {agency.id for agency in sharing}:
        raise NotItsDuty(f"Duty {duty.id} belongs to {duty.agency}, not to {by}.")


def _submission(made: Change, duty: Duty, evidence: Checked, by: str, cover: Cover) -> Submission:
    count = select(func.count()).where(Submission.duty_id == duty.id)
    submission = Submission(
        duty_id=duty.id,
        number=made.session.execute(count).scalar_one() + 1,
        fields=evidence.values,
        submitted_at=made.at,
        submitted_by=by,
        receipt=f"{made.at:%Y%m%d}-{duty.id}-{secrets.token_hex(3).upper()}",
        nil=cover.nil,
        statement=cover.statement,
        dated=cover.dated,
        person=cover.person,
        telephone=cover.telephone,
        suspect=cover.suspect,
        link_id=cover.link_id,
    )
    made.session.add(submission)
    made.session.flush()
    return submission


class DraftGone(DubanError):
    """A file of this draft was handed in, refused or taken out meanwhile; look at it again."""


def _file_rows(submission: Submission, files: Sequence[KeptFile]) -> list[EvidenceFile]:
    return [
        EvidenceFile(
            duty_id=submission.duty_id,
            submission_id=submission.id,
            agency=submission.submitted_by,
            field=file.field,
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            stored_as=file.stored_as,
            received_at=submission.submitted_at,
        )
        for file in files
    ]


def _take_drafts(made: Change, submission: Submission, drafts: Sequence[int]) -> list[str]:
    """Makes files that were sent before part of the version; their hashes."""
    typed = (Draft.duty_id == submission.duty_id, Draft.agency == submission.submitted_by)
    made.connection.execute(delete(Draft).where(*typed))
    if not drafts:
        return []
    statement = (
        update(EvidenceFile)
        .where(EvidenceFile.id.in_(drafts), EvidenceFile.duty_id == submission.duty_id)
        .where(EvidenceFile.agency == submission.submitted_by)
        .where(EvidenceFile.submission_id.is_(None), EvidenceFile.state.in_(("waiting", "fine")))
        .values(submission_id=submission.id)
        .returning(EvidenceFile.sha256)
    )
    taken = list(made.session.scalars(statement))
    if len(taken) != len(drafts):
        raise DraftGone
    return taken


class NewerVersion(DubanError):
    """The agency handed in another version after the one that was reviewed."""


def accept(
    ledger: Ledger,
    duty_id: int,
    *,
    by: str,
    now: datetime,
    text: str = "",
    version: int | None = None,
) -> None:
    """Closes a duty (销号). On time is judged by when the accepted version came.

    Args:
        version: the one that was reviewed, if that matters.

    Raises:
        NoSuchDuty, IllegalAct, NewerVersion: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        duty = locked_duty(made, duty_id)
        duty.status, duty.closed_at = after(Act.ACCEPT, Status(duty.status)), now
        latest = _latest_submission(made, duty)
        _check_version(latest, version)
        duty.done = not latest.nil and clause_of(made.session, duty).is_done(latest.fields)
        _lapse(made, duty)
        made.record("accepted", duty.id, text or None, version=latest.number, done=duty.done)


def _latest_submission(made: Change, duty: Duty) -> Submission:
    question = select(Submission).where(Submission.duty_id == duty.id)
    newest = question.order_by(Submission.number.desc()).limit(1)
    return made.session.execute(newest).scalar_one()


def _check_version(latest: Submission, reviewed: int | None) -> None:
    if reviewed is not None and reviewed != latest.number:
        raise NewerVersion(
            f"Duty {latest.duty_id} has version {latest.number} by now; look at that one."
        )


def send_back(
    ledger: Ledger,
    duty_id: int,
    *,
    reason: str,
    by: str,
    now: datetime,
    due_on: date | None = None,
    version: int | None = None,
    codes: Sequence[str] = (),
) -> None:
    """Returns evidence (退回) with a day by which to mend it; a new round of the chase begins.

    Args:
        due_on: the new due day; else five working days from now, but never before the old one.
        version: the one that was reviewed, if that matters.
        codes: what is wrong, in words that can be counted; see `Words.returns`.

    Raises:
        NoSuchDuty, IllegalAct, DueDateRefused, NewerVersion: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        duty = locked_duty(made, duty_id)
        duty.status = after(Act.RETURN, Status(duty.status))
        latest = _latest_submission(made, duty)
        _check_version(latest, version)
        notice = notice_of(ledger, duty)
        mend_by = _mend_by(ledger, duty, notice, now, due_on)
        duty.submitted_at = None
        begin_round(made, ledger, duty, Kind.RETURN, mend_by)
        made.record(
            "returned",
            duty.id,
            reason,
            due=duty.due_at.isoformat(),
            version=latest.number,
            codes=list(codes),
        )


def _mend_by(
    ledger: Ledger, duty: Duty, notice: Notice, now: datetime, due_on: date | None
) -> datetime:
    today = now.astimezone(notice.zone).date()
    if due_on is not None:
        return _future(due_on, today, notice)
    counted = ledger.registry.calendar(duty.clause, duty.agency).add(today, RETURN_WORKING_DAYS)
    return max(duty.due_at, instant(counted.day, "24:00", notice.zone))


class DueDateRefused(DubanError):
    """A new due day must lie ahead."""


def _future(day: date, today: date, notice: Notice) -> datetime:
    if day <= today:
        raise DueDateRefused(
            f"The new due day {day} is not after today, {today}; name a later one."
        )
    return instant(day, "24:00", notice.zone)


def extend(
    ledger: Ledger, duty_id: int, *, due_on: date, reason: str, by: str, now: datetime
) -> None:
    """Moves the due day (延期); the original stays on record, and a new round begins.

    Raises:
        NoSuchDuty, IllegalAct, DueDateRefused: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        extend_within(made, ledger, locked_duty(made, duty_id), due_on, reason)


def extend_within(made: Change, ledger: Ledger, duty: Duty, due_on: date, reason: str) -> None:
    """Does what `extend` does as part of a change; the duty is locked."""
    after(Act.EXTEND, Status(duty.status))
    notice = notice_of(ledger, duty)
    old = duty.due_at
    new = _future(due_on, made.at.astimezone(notice.zone).date(), notice)
    if new <= old:
        raise DueDateRefused(
            f"The duty is already due on {old.astimezone(notice.zone).date()}; "
            "an extension needs a later day."
        )
    _lapse(made, duty, "extension")
    begin_round(made, ledger, duty, Kind.EXTENSION, new)
    made.record("extended", duty.id, reason, due=duty.due_at.isoformat(), before=old.isoformat())


def waive(
    ledger: Ledger,
    duty_id: int,
    *,
    reason: str,
    by: str,
    now: datetime,
    not_applicable: bool = False,
) -> None:
    """Closes a duty without evidence: excused, or not applicable to this agency.

    Raises:
        NoSuchDuty, IllegalAct: nothing was recorded.
    """
    act = Act.NOT_APPLICABLE if not_applicable else Act.WAIVE
    with change(ledger.engine, now, by) as made:
        waive_within(made, locked_duty(made, duty_id), reason, act)


def waive_within(made: Change, duty: Duty, reason: str, act: Act) -> None:
    """Does what `waive` does as part of a change; the duty is locked."""
    duty.status = after(act, Status(duty.status))
    duty.closed_at, duty.next_on = made.at, None
    _lapse(made, duty)
    made.record("waived", duty.id, reason, status=duty.status)


def _lapse(made: Change, duty: Duty, *kinds: str) -> None:
    """What an agency asked for has no point any more: it answered, or somebody decided."""
    statement = (
        update(Petition)
        .where(Petition.duty_id == duty.id, Petition.state == "asked")
        .where(Petition.kind.in_(kinds) if kinds else true())
        .values(state="withdrawn", decided_at=made.at, decided_by="duban")
        .returning(Petition.id, Petition.kind, Petition.until)
    )
    for number, kind, until in made.connection.execute(statement):
        made.record(
            "withdrawn", duty.id, petition=kind, number=number, until=until and until.isoformat()
        )


def reopen(ledger: Ledger, duty_id: int, *, reason: str, by: str, now: datetime) -> None:
    """Opens a closed duty again, which also undoes a wrong acceptance or waiver.

    Raises:
        NoSuchDuty, IllegalAct: nothing was recorded.
    """
    with change(ledger.engine, now, by) as made:
        duty = locked_duty(made, duty_id)
        duty.status = after(Act.REOPEN, Status(duty.status))
        duty.closed_at = duty.submitted_at = None
        duty.done = False
        begin_round(made, ledger, duty, Kind.REOPEN, duty.due_at)
        made.record("reopened", duty.id, reason)


def begin_round(made: Change, ledger: Ledger, duty: Duty, kind: Kind, due_at: datetime) -> None:
    """A new round: its due instant, its opening letter, and a look tomorrow."""
    notice = notice_of(ledger, duty)
    today = made.at.astimezone(notice.zone).date()
    duty.revision += due_at != duty.due_at
    duty.due_at = due_at
    duty.round += 1
    duty.opener = kind.value
    duty.provisional = False
    duty.next_on = today + timedelta(days=1)
    agency = ledger.registry.agencies.get(duty.agency)
    if agency is None:
        return
    if until := holds(made.connection, today).until(duty.agency, duty.clause):
        duty.next_on = resumes_on(until)  # the chase begins the round when the hold ends
        return
    mention = NewMention(duty.id, agency, kind, duty.round, kind.value, 1, today)
    post(made, ledger, notice, [mention])


def notice_of(ledger: Ledger, duty: Duty) -> Notice:
    notice_id = duty.clause.partition("/")[0]
    if notice_id not in ledger.registry.notices:
        raise DubanError(
            f"Duty {duty.id} belongs to the notice {notice_id}, which is not loaded; "
            "name it again under notices in agencies.yaml."
        )
    return ledger.registry.notices[notice_id].file.notice


def locked_duty(made: Change, duty_id: int) -> Duty:
    """The duty, locked until the change ends."""
    duty = made.session.get(Duty, duty_id, with_for_update=True)
    if duty is None:
        raise NoSuchDuty(f"There is no duty {duty_id}; `duban status` lists them.")
    return duty
