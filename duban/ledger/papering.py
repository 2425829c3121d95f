"""Gathers what papers say of the letters that they go with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from duban.ladder import INFORMING, Audience, Kind
from duban.ledger import Ledger
from duban.ledger.amending import named
from duban.ledger.change import Change
from duban.ledger.papers import NewPaper, make, standing, told_of, void
from duban.ledger.tables import (
    Duty,
    History,
    Letter,
    Mention,
    Petition,
)
from duban.letters import Answered, Item
from duban.paper.facts import Due, Facts, Matter, Plea, Told
from duban.paper.texts import texts
from duban.registry import Agency, Clause, Notice, clock
from duban.registry.papers import PaperKind
from duban.words import asked_words, words

PAPERS: Mapping[Kind, PaperKind] = {
    Kind.ASSIGN: PaperKind.SLIP,
    Kind.CHASE: PaperKind.CHASE,
    Kind.FORMAL: PaperKind.FORMAL,
    Kind.CIRCULAR: PaperKind.CIRCULAR,
    Kind.EXTENSION: PaperKind.EXTENSION,
    Kind.ANSWER: PaperKind.REFUSAL,
}
"""Which letters a paper goes with."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A letter and the duties that it speaks of, in its order; `row` is its row."""

    row: Row[Any]
    recipient: Agency
    items: Sequence[Item]


def paper_of(ledger: Ledger, kind: Kind, items: Sequence[Item]) -> PaperKind | None:
    """The paper that goes with a letter of a kind and of these duties; None where none does."""
    found = PAPERS.get(kind)
    there = found in ledger.registry.policy.papers.attach and _papered(items)
    return found if there else None


def _papered(items: Sequence[Item]) -> list[Item]:
    """Those that a paper tells of: of answers, only that more time is refused."""
    return [item for item in items if item.answered is None or item.answered.until]


def enclose(made: Change, ledger: Ledger, spoken: Sequence[Speech], label: str) -> None:
    """Makes the papers that go with letters, as part of the change that writes them.

    A letter that is written anew keeps its paper where that would say the same; else the old one
    becomes void and a new one is made, with a number of its own.
    """
    carrying = [one for one in spoken if paper_of(ledger, Kind(one.row.kind), one.items)]
    if not carrying:
        return
    there = standing(made.connection, [one.row.id for one in carrying])
    known = _Known.of(made.connection, carrying)
    wanted = {one.row.id: _of_letter(ledger, one, known, label) for one in carrying}
    fresh = {one: paper for one, paper in wanted.items() if there.get(one) != paper.digest}
    void(made, fresh.keys() & there.keys())
    make(made, list(fresh.values()))


def _of_letter(ledger: Ledger, one: Speech, known: "_Known", label: str) -> NewPaper:
    kind, items = PAPERS[Kind(one.row.kind)], _papered(one.items)
    notice = items[0].notice
    titles = {item.title for item in items}
    facts = Facts(
        kind=kind,
        language=notice.language,
        name=titles.pop() if len(titles) == 1 else "",
        issuer=ledger.registry.coordinator.name,
        recipient=one.recipient.name,
        day=one.row.day,
        matters=tuple(_spoken_of(ledger, item, known, one.row.day) for item in items),
        superior=_superior(ledger, one, known),
        contact=_contact(ledger, notice),
        label=label,
    )
    return told_of(facts, _series(ledger, kind, notice), one.recipient.id, one.row.id)


def _spoken_of(ledger: Ledger, item: Item, known: "_Known", day: date) -> Matter:
    row, notice = known.rows[item.duty_id], item.notice
    if item.answered:
        plea = _refused(item, item.answered)
        return _matter(ledger, row, item.clause, notice, plea=plea)
    told = _told(ledger, row, known.said[row.id], notice, day)
    return _matter(ledger, row, item.clause, notice, told, known.pleas.get(row.id))


def _series(ledger: Ledger, kind: PaperKind, notice: Notice) -> str:
    return ledger.registry.policy.papers.series_of(kind, notice)


def _contact(ledger: Ledger, notice: Notice) -> str:
    """The coordinator's office and telephone, as far as agencies.yaml names them."""
    one, t = ledger.registry.coordinator, texts(notice.language)
    if not (one.contact.office or one.contact.telephone):
        return ""
    name = (
        t.says["office"].format(name=one.name, office=one.contact.office)
        if one.contact.office
        else one.name
    )
    telephone = one.contact.telephone
    return name + (t.says["telephone"].format(telephone=telephone) if telephone else "")


def _superior(ledger: Ledger, one: Speech, known: "_Known") -> str:
    """Who above the recipient hears the rung too."""
    superior = one.recipient.superior
    if superior is None or superior == ledger.registry.coordinator.id:
        return ""
    pairs = {
        (known.rows[item.duty_id].clause, known.rungs[one.row.id, item.duty_id])
        for item in one.items
    }
    rungs = (ledger.registry.ladder(clause, one.recipient.id).rung(rung) for clause, rung in pairs)
    heard = any(rung and Audience.SUPERIOR in rung.to for rung in rungs)
    return ledger.registry.name_of(superior) if heard else ""


def _matter(
    ledger: Ledger,
    row: Row[Any],
    clause: Clause,
    notice: Notice,
    told: tuple[Told, ...] = (),
    plea: Plea | None = None,
) -> Matter:
    w = words(notice.language)
    return Matter(
        duty=row.id,
        title=clause.title,
        notice=_named(notice),
        section=clause.section,
        quote=clause.quote,
        agency=ledger.registry.name_of(row.agency),
        period=row.period,
        due=_due(ledger, row, clause, notice),
        asks=tuple(asked_words(w, field.model_dump(mode="json")) for field in clause.evidence),
        shares=_shares(ledger, row),
        told=told,
        plea=plea,
        soft=clause.soft,
    )


def _named(notice: Notice) -> str:
    return texts(notice.language).says["notice"].format(issuer=notice.issuer, number=notice.number)


def _shares(ledger: Ledger, row: Row[Any]) -> tuple[str, ...]:
    """The agencies that share in a duty, as the files say now."""
    placed = ledger.registry.clauses.get(row.clause)
    return tuple(one.name for one in placed.copied.get(row.agency, ())) if placed else ()


def _due(ledger: Ledger, row: Row[Any], clause: Clause, notice: Notice) -> Due:
    cycle, due = clause.cycle(row.cycle), row.due_at.astimezone(notice.zone)
    return Due(
        day=due.date(),
        cut_off=clock(due),
        every=cycle.every,
        rule=cycle.due,
        basis=cycle.basis.value,
        note=cycle.note,
        nominal=_nominal(ledger, row, clause),
        original=_day(row.original_due_at, notice),
        provisional=row.provisional,
    )


def _nominal(ledger: Ledger, row: Row[Any], clause: Clause) -> date | None:
    """The rule's own day, where that is no working day and the rule moves such."""
    cycle = clause.cycle(row.cycle)
    period = named(cycle.every, row.period, row.opens_on)
    if period is None or cycle.shift == "none":
        return None
    calendar = ledger.registry.calendar(row.clause, row.agency, school=cycle.school)
    day = cycle.due_on(period)
    return None if calendar.working(day) else day


def _told(
    ledger: Ledger, row: Row[Any], said: Sequence[Row[Any]], notice: Notice, day: date
) -> tuple[Told, ...]:
    """What was said of a duty before a day; that day's own letters leave together."""
    ladder = ledger.registry.ladder(row.clause, row.agency)
    titles = {rung.name: rung.title for rung in ladder.rungs}
    w, t = words(notice.language), texts(notice.language)
    return tuple(
        Told(
            one.day,
            titles.get(one.rung) or w.kinds[Kind(one.kind)] if one.kind else t.says["call"],
        )
        for one in said
        if one.day < day
    )


# Answers to requests for more time


def _refused(item: Item, answered: Answered) -> Plea:
    return Plea(item.due_on, answered.asked_on, answered.until, item.reason)


def _day(moment: datetime, notice: Notice) -> date:
    return moment.astimezone(notice.zone).date()


def _pleas(connection: Connection, items: Sequence[Item]) -> Mapping[int, Plea]:
    """What the due day was before it was moved last, and what was asked for, if it was."""
    if not items:
        return {}
    notices = {item.duty_id: item.notice for item in items}
    granted = {
        (row.duty_id, row.decided_at): row
        for row in connection.execute(_GRANTED.where(Petition.duty_id.in_(notices)))
    }
    found: dict[int, Plea] = {}
    for row in connection.execute(_EXTENDED.where(History.duty_id.in_(notices))):
        notice, asked = notices[row.duty_id], granted.get((row.duty_id, row.at))
        before = _day(datetime.fromisoformat(row.data["before"]), notice)
        found[row.duty_id] = (
            Plea(before, _day(asked.asked_at, notice), asked.until) if asked else Plea(before)
        )
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger holds of duties: their rows, the rung at which each letter speaks of them,
    what was said of them in this round, and how their due day was moved last."""

    rows: Mapping[int, Row[Any]]
    rungs: Mapping[tuple[int, int], str]
    said: Mapping[int, Sequence[Row[Any]]]
    pleas: Mapping[int, Plea]

    @classmethod
    def of(cls, connection: Connection, spoken: Sequence[Speech]) -> "_Known":
        """All that the papers of these letters need, in a few questions."""
        duties = {item.duty_id for one in spoken for item in one.items}
        letters = [one.row.id for one in spoken]
        said: dict[int, list[Row[Any]]] = defaultdict(list)
        for row in connection.execute(_SAID.where(Mention.duty_id.in_(duties))):
            said[row.duty_id].append(row)
        rungs = connection.execute(_RUNGS.where(Mention.letter_id.in_(letters)))
        extended = [item for one in spoken if one.row.kind == Kind.EXTENSION for item in one.items]
        return cls(
            {row.id: row for row in connection.execute(_ROWS.where(Duty.id.in_(duties)))},
            {(row.letter_id, row.duty_id): row.rung for row in rungs},
            said,
            _pleas(connection, extended),
        )


_ROWS = select(
    Duty.id,
    Duty.clause,
    Duty.cycle,
    Duty.agency,
    Duty.period,
    Duty.opens_on,
    Duty.due_at,
    Duty.original_due_at,
    Duty.provisional,
)
_RUNGS = select(Mention.letter_id, Mention.duty_id, Mention.rung)
_SAID = (
    select(Mention.duty_id, Mention.day, Mention.rung, Letter.kind)
    .join(
        Duty,
        (Duty.id == Mention.duty_id)
        & (Duty.round == Mention.round)
        & (Duty.agency == Mention.recipient),
    )
    .outerjoin(Letter, Letter.id == Mention.letter_id)
    .where(
        Mention.said,
        Mention.rung.not_in(INFORMING),
        or_(Letter.state == "sent", Mention.letter_id.is_(None)),
    )
    .order_by(Mention.day, Mention.id)
)
_EXTENDED = (
    select(History.duty_id, History.at, History.data)
    .where(History.action.in_(("extended", "moved")))
    .order_by(History.seq)
)
_GRANTED = select(Petition.duty_id, Petition.decided_at, Petition.asked_at, Petition.until).where(
    Petition.kind == "extension", Petition.state == "granted"
)
