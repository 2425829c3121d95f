"""Asks the ladder about every duty whose day has come, stores what it decides, and posts it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

from sqlalchemy import Connection, Select, func, select, update

from duban.duty import WAITING
from duban.ladder import Audience, Chased, Kind, Occurrence, Reason, Step, decide
from duban.ledger import Ledger
from duban.ledger.change import (
    DUTIES_PER_CHANGE,
    Change,
    change,
    insert_or_skip,
    look_again,
)
from duban.ledger.database import reading
from duban.ledger.escalated import settle
from duban.ledger.facts import Facts, facts_of
from duban.ledger.letterbox import NewMention, begin_letter, post
from duban.ledger.tables import Decision, Duty, Letter, Proposal, Task
from duban.ledger.tasks import close_task, open_task
from duban.registry import Agency, Notice

WEEK = timedelta(days=7)
LADDER_KINDS = (Kind.CIRCULAR, Kind.FORMAL, Kind.CHASE, Kind.REMIND, Kind.INQUIRE)
"""What the week's budget counts, the gravest first; what opens a round is always said."""

Decided = tuple[Facts, Step]


@dataclass(frozen=True, slots=True)
class Chase:
    """What one chase did: duties it asked about, spoke of, proposed a formal rung for, held back.

    `quiet`: it was an hour at which nobody is written to, so nothing was asked.
    """

    asked: int = 0
    spoken: int = 0
    proposed: int = 0
    held_back: int = 0
    quiet: bool = False

    def __add__(self, other: "Chase") -> "Chase":
        return Chase(
            self.asked + other.asked,
            self.spoken + other.spoken,
            self.proposed + other.proposed,
            self.held_back + other.held_back,
            self.quiet or other.quiet,
        )

    def __str__(self) -> str:
        told = f"chased: {self.spoken} of {self.asked} looked at"
        more = [
            f"{count} {what}"
            for count, what in (
                (self.proposed, "proposed for approval"),
                (self.held_back, "held back by the week's limit"),
            )
            if count
        ]
        quiet = ["quiet hours, letters wait"] if self.quiet else []
        return ", ".join([told, *more, *quiet])


def chase(ledger: Ledger, now: datetime) -> Chase:
    """Decides about the duties whose next day has come; silence on other days is not stored."""
    done = Chase()
    for notice_id, loaded in ledger.registry.notices.items():
        notice = loaded.file.notice
        if ledger.registry.policy.quiet.at(now, notice.zone):
            done += Chase(quiet=True)
            continue
        today = now.astimezone(notice.zone).date()
        # Whatever was looked at has its next day behind today, so the due ones run out.
        while _any_due(ledger, notice_id, today):
            batch = _chase(ledger, notice_id, notice, now, today)
            if not batch.asked:  # another chase has them in hand
                break
            done += batch
    _lapse_stale(ledger, now)
    settle(ledger, now)
    tell_coordinator(ledger, now)
    return done


def _due(notice_id: str, today: date) -> Select[tuple[int]]:
    return select(Duty.id).where(
        Duty.status.in_(WAITING),
        Duty.next_on <= today,
        Duty.clause.startswith(f"{notice_id}/", autoescape=True),
    )


def _any_due(ledger: Ledger, notice_id: str, today: date) -> bool:
    with reading(ledger.engine) as connection:
        return connection.scalar(_due(notice_id, today).limit(1)) is not None


def _chase(ledger: Ledger, notice_id: str, notice: Notice, now: datetime, today: date) -> Chase:
    """One batch in one transaction: the question, the decisions, and the letters that follow."""
    with change(ledger.engine, now, "duban") as made:
        batch = _due(notice_id, today).order_by(Duty.next_on).limit(DUTIES_PER_CHANGE)
        ids = made.connection.scalars(batch.with_for_update(skip_locked=True)).all()
        decided = _decided(ledger, facts_of(made.connection, ledger, ids, today), today)
        decided = _within_budget(made, ledger, decided, today)
        mentions = [
            one for facts, step in decided for one in mentions_of(ledger, facts, step.speak, today)
        ]
        _store(made, decided, today)
        _propose(made, decided, today)
        for facts, step in decided:
            if step.speak:
                rung = step.speak.rung
                made.record("spoke", facts.id, rung=rung.name, n=step.speak.n, kind=rung.kind)
        look_again(made, [{"duty": facts.id, "day": step.next_on} for facts, step in decided])
        post(made, ledger, notice, mentions)
    return Chase(
        asked=len(decided),
        spoken=sum(step.speak is not None for _, step in decided),
        proposed=sum(step.propose is not None for _, step in decided),
        held_back=sum(step.reason is Reason.OVER_BUDGET for _, step in decided),
    )


def _decided(ledger: Ledger, found: Sequence[Facts], today: date) -> list[Decided]:
    """Duties that fall due together share all that the rule looks at: it is asked once for them."""
    known: dict[tuple[object, ...], Step] = {}
    decided: list[Decided] = []
    for facts in found:
        calendar = ledger.registry.calendar(facts.clause, facts.agency)
        key = (facts.ladder.name, id(calendar), *_plain(facts.chased))
        step = known.get(key)
        if step is None:
            step = known[key] = decide(facts.chased, facts.ladder, calendar, today)
        if step.speak and facts.agency not in ledger.registry.agencies:
            # Whoever left agencies.yaml is not written to; its duties wait for a decision.
            step = replace(step, speak=None)
        decided.append((facts, step))
    return decided


def _plain(chased: Chased) -> Iterator[object]:
    """Every field of the facts, such as a dictionary's key can hold."""
    for name in Chased.__slots__:
        value: object = getattr(chased, name)
        yield (*cast(Mapping[str, object], value).items(),) if isinstance(value, dict) else value


def mentions_of(
    ledger: Ledger, facts: Facts, said: Occurrence | None, today: date
) -> list[NewMention]:
    """Who hears an occurrence: the agency its own letter, those above a request to press on."""
    agency = ledger.registry.agencies.get(facts.agency)
    if said is None or agency is None:
        return []
    return [
        NewMention(facts.id, one, kind, facts.round, said.rung.name, said.n, today)
        for one, kind in _recipients(ledger, agency, said)
    ]


def _recipients(ledger: Ledger, agency: Agency, said: Occurrence) -> Iterable[tuple[Agency, Kind]]:
    coordinator = ledger.registry.coordinator
    # A line that ends nowhere leads to the coordinator.
    superior = ledger.registry.agencies.get(agency.superior or "", coordinator)
    of = {Audience.AGENCY: agency, Audience.SUPERIOR: superior, Audience.COORDINATOR: coordinator}
    found: dict[str, tuple[Agency, Kind]] = {}
    for audience in said.rung.to:
        kind = said.rung.kind if audience is Audience.AGENCY else Kind.ESCALATE
        found.setdefault(of[audience].id, (of[audience], kind))
    return found.values()


def _within_budget(
    made: Change, ledger: Ledger, decided: Sequence[Decided], today: date
) -> list[Decided]:
    """Keeps back what would be one letter too many in seven days for its recipient."""
    wanted: dict[str, set[Kind]] = {}
    for facts, step in decided:
        if step.speak and step.speak.rung.kind in LADDER_KINDS:
            wanted.setdefault(facts.agency, set()).add(step.speak.rung.kind)
    spent = _letters_of_the_week(made.connection, wanted.keys(), today)
    allowed = {
        agency: affordable(
            kinds, spent.get(agency, ()), today, ledger.registry.policy.letters_a_week
        )
        for agency, kinds in wanted.items()
    }
    return [
        (facts, step)
        if step.speak is None
        or step.speak.rung.kind not in LADDER_KINDS
        or step.speak.rung.kind in allowed[facts.agency]
        else (facts, Step(Reason.OVER_BUDGET, today + timedelta(days=1), superseded=(step.speak,)))
        for facts, step in decided
    ]


def affordable(
    wanted: Iterable[Kind], spent: Iterable[tuple[date, Kind]], today: date, limit: int
) -> frozenset[Kind]:
    """The kinds of letter that a recipient may still get today, the gravest first.

    Args:
        spent: (day, kind) of the recipient's letters in the seven days up to today; one of today's
            that is there already takes further duties for nothing.
    """
    used = set(spent)
    found: set[Kind] = set()
    for kind in sorted(wanted, key=LADDER_KINDS.index):
        if (today, kind) in used or len(used) < limit:
            used.add((today, kind))
            found.add(kind)
    return frozenset(found)


def _letters_of_the_week(
    connection: Connection, agencies: Iterable[str], today: date
) -> Mapping[str, list[tuple[date, Kind]]]:
    question = select(Letter.recipient, Letter.day, Letter.kind).where(
        Letter.recipient.in_(list(agencies)),
        Letter.day > today - WEEK,
        Letter.kind.in_(LADDER_KINDS),
        Letter.state != "suppressed",
    )
    found: dict[str, list[tuple[date, Kind]]] = {}
    for recipient, day, kind in connection.execute(question.distinct()):
        found.setdefault(recipient, []).append((day, Kind(kind)))
    return found


def _store(made: Change, decided: Sequence[Decided], today: date) -> None:
    """Each decision with its reason, once a round: a repeated silence adds no row."""
    rows = [
        {
            "duty_id": facts.id,
            "round": facts.round,
            "rung": one.rung.name if one else "",
            "n": one.n if one else 0,
            "reason": reason.value,
            "day": today,
        }
        for facts, step in decided
        for one, reason in _reasons(step)
    ]
    if rows:
        statement = insert_or_skip(made.connection)(Decision).on_conflict_do_nothing()
        made.connection.execute(statement, rows)


def _reasons(step: Step) -> Iterable[tuple[Occurrence | None, Reason]]:
    if step.reason is Reason.OVER_BUDGET:
        yield from ((one, step.reason) for one in step.superseded)
        return
    if step.speak or step.propose is None:
        yield step.speak, step.reason
    if step.propose:
        yield step.propose, Reason.PROPOSED
    yield from ((one, Reason.SUPERSEDED) for one in step.superseded)


def _propose(made: Change, decided: Sequence[Decided], today: date) -> None:
    proposed = [(facts, step.propose) for facts, step in decided if step.propose]
    if not proposed:
        return
    rows = [
        {
            "duty_id": facts.id,
            "round": facts.round,
            "rung": one.rung.name,
            "n": one.n,
            "day": today,
            "state": "proposed",
        }
        for facts, one in proposed
    ]
    made.connection.execute(
        insert_or_skip(made.connection)(Proposal).on_conflict_do_nothing(), rows
    )
    for facts, one in proposed:
        made.record("proposed", facts.id, rung=one.rung.name, n=one.n, kind=one.rung.kind)
    open_task(made, "approval", "proposals")


_STALE = (
    Proposal.state == "proposed",
    select(Duty.id)
    .where(
        Duty.id == Proposal.duty_id, (Duty.round != Proposal.round) | Duty.status.not_in(WAITING)
    )
    .exists(),
)


def lapse(made: Change, by: str) -> None:
    """Proposals about what was answered, or begins anew, lapse; without any the task is done."""
    made.connection.execute(update(Proposal).where(*_STALE).values(state="lapsed"))
    left = select(func.count()).where(Proposal.state == "proposed")
    if not made.connection.scalar(left):
        close_task(made, "approval", "proposals", by)


def _lapse_stale(ledger: Ledger, now: datetime) -> None:
    with reading(ledger.engine) as connection:
        if not connection.scalar(select(func.count()).where(*_STALE)):
            return
    with change(ledger.engine, now, "duban") as made:
        lapse(made, "duban")


def tell_coordinator(ledger: Ledger, now: datetime) -> None:
    """One letter a day to the coordinator with what only a coordinator can do, if there is news."""
    notice = ledger.registry.first_notice
    untold = Task.closed_at.is_(None) & Task.told_on.is_(None)
    with reading(ledger.engine) as connection:
        if not connection.scalar(select(func.count()).where(untold)):
            return
    with change(ledger.engine, now, "duban") as made:
        begin_letter(made, ledger, notice, ledger.registry.coordinator, Kind.TASKS)
        today = ledger.registry.today(now)
        made.connection.execute(update(Task).where(untold).values(told_on=today))
