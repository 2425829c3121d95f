"""What coordinators do from the Prefect UI, as Prefect tasks. Each is one change to the ledger.

None is tried again by itself, and a refusal is an answer: it ends no task with a traceback.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import select

from duban.errors import DubanError
from duban.forms import FormWords, form_words, why_returned
from duban.ledger import acts, approvals, bulletins, holds, undelivered
from duban.ledger.browsing import Selection
from duban.ledger.bulletins import BulletinRefused, BulletinView, period_called
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties
from duban.ledger.reviewing import versions
from duban.ledger.tables import MirrorRun
from duban.mirror import CLAUSE_TAG, DUTY_TAG, FORM_TAG
from duban.office import Office
from duban.plan import PlannedDay, plan
from duban.registry import Agency, PlacedClause, Registry
from duban.reports import making
from duban.reports.markdown import markdown
from duban.sheets import going
from duban.sheets.exports import new_export
from duban.words import period_words, words
from tasks.mirror import forget, sync
from tasks.stage import Stage
from tasks.stage.executed import TAG
from tasks.work import deliver_again_when_due, deliver_letters, now_utc, office, stage

FURTHEST = 370  # days ahead that a rehearsal or a hold may reach
MOST_ROWS = 1000
PATIENCE = 30.0  # seconds for which rebuilding waits for another sync


class Refused(DubanError):
    """An act was not carried out; the message is for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of its own that an act leaves in Prefect, under a key that keeps its versions."""

    key: str
    markdown: str
    description: str


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an act.

    Attributes:
        done: whether it was carried out.
        name: of the run's state.
        sentence: says it to the person who asked.
        links: where to go on, by what stands on the link.
        rows: of a table that shows the result, if there is one.
        sheets: pages that it made.
    """

    done: bool
    name: str
    sentence: str
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    rows: Sequence[Mapping[str, Any]] = ()
    sheets: Sequence[Sheet] = ()


@dataclass(frozen=True)
class Desk:
    """Where one act is carried out.

    Attributes:
        code: the staff code that was declared; empty where nothing is decided.
        asked: the numbers that were asked for, which a refusal repeats.
    """

    act: str
    office: Office
    now: datetime
    code: str = ""
    asked: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def words(self) -> FormWords:
        """The words of the first notice's language."""
        return form_words(self.office.ledger.registry.language)

    @property
    def by(self) -> str:
        """How history names whoever declared the code."""
        return self.words.actor.format(code=self.code)

    @property
    def today(self) -> date:
        """The civil day in the first notice's zone."""
        return self.office.ledger.registry.today(self.now)

    def duty(self) -> DutyView | None:
        """The duty that was asked for, as it is now."""
        number = self.asked.get("duty")
        found = duties(self.office.ledger, ids=[number]) if number else []
        return found[0] if found else None

    def refuse(self, fault: str, **said: object) -> Refused:
        """The refusal of that name in the words of the form."""
        duty = self.duty()
        about = {} if duty is None else self._facts(duty)
        sentence = self.words.faults[fault]
        form = self.words.forms[self.act]
        return Refused(sentence.format(**{"act": form.title, **about, **self.asked, **said}))

    def _facts(self, duty: DutyView) -> dict[str, object]:
        w = words(self.office.ledger.registry.language)
        due = duty.due_at.astimezone(duty.notice.zone).date()
        return {"named": name_of(duty), "status": w.status[duty.status], "due": due}

    def answer(self, answer: str, **said: object) -> Told:
        """What is told of an act that was carried out."""
        duty, f = self.duty(), self.words
        facts: dict[str, object] = {} if duty is None else self._facts(duty)
        sentence = f.answers[answer].format(**{**facts, **self.asked, **said})
        about = f"{name_of(duty)}{f.colon}" if duty else ""
        who = f.declared.format(code=self.code) if self.code else ""
        links = links_to(self.office, duty, f) if duty else {}
        return Told(True, f.done[answer], f"{about}{sentence}{who}", links)

    def ahead(self, day: date) -> date:
        """The day, which must not have passed nor lie too far ahead."""
        if day < self.today:
            raise self.refuse("past", day=day)
        if day > self.today + timedelta(days=FURTHEST):
            raise self.refuse("too-far", day=day, days=FURTHEST)
        return day

    def agency(self, given: str) -> Agency:
        """The agency that a drop-down offered."""
        found = self.office.ledger.registry.find_agency(given)
        if found is None:
            raise self.refuse("no-agency", given=given)
        return found

    def clause(self, given: str) -> PlacedClause:
        """The clause that a drop-down offered, by its number if its title has changed since."""
        registry = self.office.ledger.registry
        known = registry.clauses.get(offered_clauses(registry).get(given, ""))
        found = known or registry.find_clause(given.partition(" ")[0])
        if found is None or not found.clause.tracked:
            raise self.refuse("no-clause", given=given)
        return found


def name_of(duty: DutyView) -> str:
    """A duty in few words: 3.4c 太原市妇联 2026."""
    period = period_words(words(duty.notice.language), duty.period)
    return f"{duty.number} {duty.agency.name} {period}"


def offered_clauses(registry: Registry) -> dict[str, str]:
    """Keys of clauses by what a drop-down shows."""
    numbers = [f"{one.number} {one.clause.title}" for one in registry.tracked]
    return {
        shown if numbers.count(shown) == 1 else f"{shown} {one.notice_id}": one.key
        for shown, one in zip(numbers, registry.tracked, strict=True)
    }


def links_to(here: Office, duty: DutyView, f: FormWords) -> dict[str, str]:
    """Where a duty is seen."""
    found = {f.links["portal"]: f"{here.settings.portal}/desk/duties/{duty.id}"}
    question = select(MirrorRun.run_id).where(MirrorRun.duty_id == duty.id)
    with reading(here.ledger.engine) as connection:
        run = connection.scalar(question)
    if run:
        found[f.links["run"]] = f"{here.settings.prefect}/v2/runs/flow-run/{run}"
    return found


def carried_out(desk: Desk, do: Callable[[Desk], Told]) -> Told:
    """Does it, or tells why not; after a refusal nothing has changed."""
    try:
        return do(desk)
    except DubanError as error:
        return Told(False, desk.words.refused, sentence_of(desk, error), _links(desk))


def sentence_of(desk: Desk, error: DubanError) -> str:
    """What a person is told of an error, in the language of the forms where that knows it."""
    fault = type(error).__name__
    if isinstance(error, Refused) or fault not in desk.words.faults:
        return str(error)
    return str(desk.refuse(fault))


def _links(desk: Desk) -> dict[str, str]:
    duty = desk.duty()
    return links_to(desk.office, duty, desk.words) if duty else {}


def _desk(act: str, code: str = "", **asked: int) -> Desk:
    return Desk(act, office(), now_utc(), code, asked)


# On a duty


@task(name="review", cache_policy=NO_CACHE)
def review(
    duty: int,
    accept: bool,
    code: str,
    *,
    reason: str = "",
    codes: Sequence[str] = (),
    version: int | None = None,
    due_on: date | None = None,
) -> Told:
    """Accepts a duty's evidence, or returns it with what is wrong and a day to mend it by."""

    def do(desk: Desk) -> Told:
        _check_version(desk, version)
        if accept:
            _accept(desk, duty, reason, version)
            return desk.answer("accepted")
        _send_back(desk, duty, reason, codes, version, due_on)
        return desk.answer("returned")

    return carried_out(_desk("review", code, duty=duty), do)


def _check_version(desk: Desk, version: int | None) -> None:
    if version is None or desk.duty() is None:
        return
    known = versions(desk.office.ledger, desk.asked["duty"])
    if version not in {one.number for one in known}:
        raise desk.refuse("no-version", version=version)


def _accept(desk: Desk, duty: int, reason: str, version: int | None) -> None:
    acts.accept(desk.office.ledger, duty, by=desk.by, now=desk.now, text=reason, version=version)


def _send_back(
    desk: Desk,
    duty: int,
    remark: str,
    codes: Sequence[str],
    version: int | None,
    due_on: date | None,
) -> None:
    found = desk.duty()
    language = found.notice.language if found else desk.office.ledger.registry.language
    reason = why_returned(language, codes, remark)
    if not reason:
        raise desk.refuse("no-reason")
    acts.send_back(
        desk.office.ledger,
        duty,
        reason=reason,
        by=desk.by,
        now=desk.now,
        due_on=desk.ahead(due_on) if due_on else None,
        version=version,
        codes=codes,
    )


@task(name="extend", cache_policy=NO_CACHE)
def extend(duty: int, due_on: date, reason: str, code: str) -> Told:
    """Moves a duty's due day."""

    def do(desk: Desk) -> Told:
        ledger, new = desk.office.ledger, desk.ahead(due_on)
        acts.extend(ledger, duty, due_on=new, reason=reason, by=desk.by, now=desk.now)
        return desk.answer("extended")

    return carried_out(_desk("extend", code, duty=duty), do)


@task(name="waive", cache_policy=NO_CACHE)
def waive(duty: int, kind: str, reason: str, code: str) -> Told:
    """Closes a duty without evidence; `kind` is waive or not-applicable."""

    def do(desk: Desk) -> Told:
        not_applicable = kind == "not-applicable"
        acts.waive(
            desk.office.ledger,
            duty,
            reason=reason,
            by=desk.by,
            now=desk.now,
            not_applicable=not_applicable,
        )
        return desk.answer("not-applicable" if not_applicable else "waived")

    return carried_out(_desk("waive", code, duty=duty), do)


@task(name="reopen", cache_policy=NO_CACHE)
def reopen(duty: int, reason: str, code: str) -> Told:
    """Opens a closed duty again."""

    def do(desk: Desk) -> Told:
        acts.reopen(desk.office.ledger, duty, reason=reason, by=desk.by, now=desk.now)
        return desk.answer("reopened")

    return carried_out(_desk("reopen", code, duty=duty), do)


@task(name="call", cache_policy=NO_CACHE)
def call(duty: int, said: str, code: str) -> Told:
    """Records a telephone call about a duty."""

    def do(desk: Desk) -> Told:
        approvals.call(desk.office.ledger, duty, said=said, by=desk.by, now=desk.now)
        return desk.answer("called")

    return carried_out(_desk("call", code, duty=duty), do)


# On letters and silence


@task(name="send again", cache_policy=NO_CACHE)
def send_again(letter: int, code: str) -> Told:
    """Has a letter that could not be delivered tried again."""

    def do(desk: Desk) -> Told:
        undelivered.resend(desk.office.ledger, letter, by=desk.by, now=desk.now)
        return desk.answer("resent")

    return carried_out(_desk("send_again", code, letter=letter), do)


@task(name="hold", cache_policy=NO_CACHE)
def hold(agency: str, clause: str, until: date, reason: str, code: str) -> Told:
    """Begins a hold; `agency` and `clause` are what the drop-downs offer, or empty."""

    def do(desk: Desk) -> Told:
        if not (agency or clause):
            raise desk.refuse("whom")
        number = holds.hold(
            desk.office.ledger,
            agency=desk.agency(agency).id if agency else None,
            clause=desk.clause(clause).key if clause else None,
            until=desk.ahead(until),
            reason=reason,
            by=desk.by,
            now=desk.now,
        )
        return desk.answer("held", until=until, hold=number)

    return carried_out(_desk("hold", code), do)


@task(name="release", cache_policy=NO_CACHE)
def release(hold: int, code: str) -> Told:
    """Ends a hold before its day."""

    def do(desk: Desk) -> Told:
        holds.release(desk.office.ledger, hold, by=desk.by, now=desk.now)
        return desk.answer("released")

    return carried_out(_desk("release", code, hold=hold), do)


# What decides nothing, and so asks for no staff code


@task(name="open period", cache_policy=NO_CACHE)
def open_period(clause: str, since: date | None = None) -> Told:
    """Opens a clause's period now and delivers its letters."""

    def do(desk: Desk) -> Told:
        key = desk.clause(clause).key
        opening = open_missing(desk.office.ledger, desk.now, clause=key, since=since)
        deliver_letters.fn()
        deliver_again_when_due()
        return desk.answer("opened", expected=opening.expected, opened=opening.opened)

    return carried_out(_desk("open_period"), do)


@task(name="rebuild mirror", cache_policy=NO_CACHE)
def rebuild_mirror() -> Told:
    """Compares every duty's run with the ledger, and makes or mends it."""

    def do(desk: Desk) -> Told:
        here = desk.office
        with stage() as there:
            forget(here.ledger)
            sent = sync(
                here.ledger,
                there,
                deployed(there, CLAUSE_TAG),
                desk.now,
                forms=deployed(there, FORM_TAG),
                full=True,
                portal=here.settings.portal,
                limit=here.settings.mirror_limit,
                patience=PATIENCE,
            )
            runs = there.count_runs([DUTY_TAG])
        # Where another sync took over, it mends what was forgotten.
        return desk.answer("left-to-another" if sent.elsewhere else "mirrored", runs=runs)

    return carried_out(_desk("rebuild_mirror"), do)


def deployed(there: Stage, tag: str) -> dict[str, str]:
    """Ids of the deployments that carry a tag which begins so, by what follows in it."""
    return {
        one.removeprefix(tag): found.id
        for found in there.deployments(TAG)
        for one in found.tags
        if one.startswith(tag)
    }


@task(name="rehearse", cache_policy=NO_CACHE)
def rehearse(day: date | None, days: int) -> Told:
    """What the chase of these days would do; nothing is sent or written."""

    def do(desk: Desk) -> Told:
        first = desk.ahead(day) if day else desk.today
        last = first + timedelta(days=days - 1)
        found = list(plan(desk.office.ledger, first, last, desk.now))
        told = desk.answer(
            "rehearsed",
            first=first,
            last=last,
            opens=sum(one.opens for one in found),
            letters=sum(len(one.letters) for one in found),
            proposed=sum(one.proposed for one in found),
        )
        return Told(True, told.name, told.sentence, rows=_table(desk, found))

    return carried_out(_desk("rehearse"), do)


def _table(desk: Desk, days: Sequence[PlannedDay]) -> list[dict[str, Any]]:
    """A row for each letter, and one for what a day opens or proposes."""
    w, columns = words(desk.office.ledger.registry.language), desk.words.columns
    rows: list[dict[str, Any]] = []
    for one in days:
        if one.opens or one.proposed:
            rows.append({"day": one.day, "opens": one.opens, "proposed": one.proposed})
        rows += [
            {
                "day": one.day,
                "recipient": letter.name,
                "kind": w.kinds[letter.kind],
                "duties": letter.duties,
                "channel": letter.channel,
            }
            for letter in one.letters
        ]
    return [
        {said: str(row.get(key, "")) for key, said in columns.items()} for row in rows[:MOST_ROWS]
    ]


@task(name="export", cache_policy=NO_CACHE)
def export(
    agency: str, clause: str, day: date | None, by_region: bool, tell: Callable[[float], None]
) -> Told:
    """Writes the 台账 into the data folder and tells the percentage; nothing else changes."""

    def do(desk: Desk) -> Told:
        if day and day >= desk.today:
            raise desk.refuse("not-past", day=day)
        here, registry = desk.office, desk.office.ledger.registry
        selection = Selection(
            agency=desk.agency(agency).id if agency else "",
            clause=desk.clause(clause).key if clause else "",
        )
        zone, language = registry.first_notice.zone, registry.language
        path = new_export(here.settings.home, desk.now.astimezone(zone))
        when = going.moment_of(here.ledger, desk.now, day)
        rows = 0
        for step in going.export(
            when, selection, path, at=desk.now, language=language, by_region=by_region
        ):
            rows = step.rows
            tell(100 * rows / step.of if step.of else 100)
        told = desk.answer("exported", rows=rows)
        link = {desk.words.links["workbook"]: f"{here.settings.portal}/desk/exports/{path.name}"}
        return Told(True, told.name, told.sentence, link)

    return carried_out(_desk("export"), do)


@task(name="report", cache_policy=NO_CACHE)
def report(period: str, cut_off: date | None, code: str) -> Told:
    """Drafts bulletins: of a period, or of all that ended with the month before."""

    def do(desk: Desk) -> Told:
        ledger = desk.office.ledger
        try:
            wanted = [period_called(period.strip())] if period else making.ended(desk.today)
            at = making.cut_off_of(ledger, cut_off, desk.now)
            by = desk.by if code else "duban"
            drafts = [
                bulletins.draft(ledger, one, at=at, by=by, now=desk.now, anew=bool(period))
                for one in wanted
            ]
        except BulletinRefused as error:
            raise desk.refuse(error.code, day=cut_off, **error.given) from None
        cuts = [making.cut(ledger, number) for number, _ in drafts]
        new = [one.name for one, (_, fresh) in zip(wanted, drafts, strict=True) if fresh]
        names = words(ledger.registry.language).join.join(new or [one.name for one in wanted])
        told = desk.answer("drafted" if new else "stands", periods=names)
        portal = desk.office.settings.portal
        links = {f"{one.view.period}": f"{portal}/desk/bulletins/{one.view.id}" for one in cuts}
        sheets = [_sheet(desk.office, one) for one in cuts]
        return Told(True, told.name, told.sentence, links, sheets=sheets)

    return carried_out(_desk("report", code), do)


def changed_sheets(here: Office, known: Mapping[str, str]) -> list[Sheet]:
    """The page of each period's newest bulletin, unless Prefect has it in its present state.

    Args:
        known: the descriptions of the pages that Prefect has, by key.
    """
    first = here.ledger.registry.first_notice
    newest = {one.period: one for one in reversed(bulletins.bulletins(here.ledger))}
    wanted = [
        one
        for one in newest.values()
        if known.get(sheet_key(one))
        != _told(here.label, making.state_words(first.language, one, first.zone))
    ]
    sheets = [_sheet(here, making.cut(here.ledger, one.id)) for one in wanted]
    return [one for one in sheets if known.get(one.key) != one.description]


def sheet_key(one: BulletinView) -> str:
    """The key under which Prefect keeps the versions of a period's bulletin."""
    return f"bulletin-{one.period.lower()}"


def _sheet(here: Office, one: making.Cut) -> Sheet:
    """The bulletin as a page of Prefect; each number leads to its list in the portal."""
    link = making.links_of(here.settings.portal, one.view.id)
    state = making.state_words(one.seen.language, one.view, ZoneInfo(one.seen.zone))
    said = markdown(one.figures, link, state=state)
    return Sheet(sheet_key(one.view), said, _told(one.seen.label, state))


def _told(label: str, state: str) -> str:
    return " · ".join(filter(None, (label, state)))
