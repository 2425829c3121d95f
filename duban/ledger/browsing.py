"""What coordinators look for: a selection of duties, counted on the board and listed behind it.

The database tells duties apart by no more than the rules look at (a `Situation`); the rules of
`duban.duty` are asked once for each of these, so a number and the list behind it cannot differ.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, case, false, func, or_, select, tuple_

from duban.duty import (
    DUE_NEXT,
    DUE_SOON,
    Light,
    Standing,
    Status,
    due_soon,
    due_within,
    light,
    overdue,
)
from duban.ladder import INFORMING
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.questions import DutyView, Event, duties, known_clauses
from duban.ledger.tables import Duty, History, HistoryText, Letter, Mention, MirrorRun
from duban.registry.clauses import natural

PAGE = 100
"""Duties on a page of a list."""

_INSTANT = timedelta(microseconds=1)
_EXCUSED = frozenset({Status.WAIVED, Status.NOT_APPLICABLE})


class Band(StrEnum):
    """Where a due instant lies, as far as the rules tell."""

    PAST = "past"
    SOON = "soon"
    NEXT = "next"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the rules look at; duties in the same one count alike."""

    status: Status
    soft: bool
    nil: bool
    band: Band

    def standing(self, now: datetime) -> Standing:
        """Stands for every duty in this situation."""
        due_at = {
            Band.PAST: now - _INSTANT,
            Band.SOON: now,
            Band.NEXT: now + DUE_SOON + _INSTANT,
            Band.AHEAD: now + DUE_NEXT + _INSTANT,
        }
        return Standing(self.status, due_at[self.band], self.soft)

    def light(self, now: datetime) -> Light:
        """Its light; see `duban.duty.light`."""
        return light(self.standing(now), now)


SITUATIONS = tuple(
    Situation(*one) for one in product(Status, (False, True), (False, True), tuple(Band))
)
_ALIKE = {(one.status.value, one.soft, one.nil, one.band.value): one for one in SITUATIONS}


class State(StrEnum):
    """What a number on the board counts."""

    REQUIRED = "required"
    OVERDUE = "overdue"
    DUE_SOON = "due-soon"
    DUE_NEXT = "due-next"
    OPEN = "open"
    RETURNED = "returned"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    NIL = "nil"
    EXCUSED = "excused"
    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    GREY = "grey"

    def takes(self, situation: Situation, now: datetime) -> bool:
        """Whether duties in a situation count."""
        return _TAKES[self](situation, situation.standing(now), now)


def _has(status: Status) -> Callable[[Situation, Standing, datetime], bool]:
    return lambda situation, _, __: situation.status is status


def _shows(which: Light) -> Callable[[Situation, Standing, datetime], bool]:
    return lambda _, standing, now: light(standing, now) is which


_TAKES: dict[State, Callable[[Situation, Standing, datetime], bool]] = {
    State.REQUIRED: lambda situation, _, __: situation.status not in _EXCUSED,
    State.OVERDUE: lambda _, standing, now: overdue(standing, now),
    State.DUE_SOON: lambda _, standing, now: due_soon(standing, now),
    State.DUE_NEXT: lambda _, standing, now: due_within(standing, now, DUE_NEXT),
    State.NIL: lambda one, _, __: one.nil and one.status in (Status.SUBMITTED, Status.ACCEPTED),
    State.EXCUSED: lambda situation, _, __: situation.status in _EXCUSED,
    **{
        state: _has(Status(state))
        for state in (State.OPEN, State.RETURNED, State.SUBMITTED, State.ACCEPTED)
    },
    **{state: _shows(Light(state)) for state in (State.RED, State.YELLOW, State.GREEN, State.GREY)},
}


def situation_of(duty: DutyView, now: datetime) -> Situation:
    """The situation of one duty."""
    return Situation(duty.status, duty.standing.soft, duty.nil, _band(duty.due_at, now))


def _band(due_at: datetime, now: datetime) -> Band:
    if due_at < now:
        return Band.PAST
    if due_at <= now + DUE_SOON:
        return Band.SOON
    return Band.NEXT if due_at <= now + DUE_NEXT else Band.AHEAD


@dataclass(frozen=True, slots=True)
class Selection:
    """Which duties are meant; an empty filter leaves all of them in.

    Attributes:
        clause, agency: keys; `department` and `region` are the two parts of an agency's id.
        within: the region that bounds what the person may see.
        text: part of a clause's number, title or words, of an agency's name, or a duty's number.
    """

    notice: str = ""
    section: str = ""
    clause: str = ""
    region: str = ""
    department: str = ""
    agency: str = ""
    period: str = ""
    state: State | None = None
    text: str = ""
    within: str = ""


@dataclass(frozen=True, slots=True)
class _Sought:
    """A selection turned into keys; None leaves all in."""

    clauses: Collection[str]
    agencies: Collection[str] | None
    period: str
    state: State | None
    text: tuple[Collection[str], Collection[str], int] | None

    def takes(self, duty: DutyView, now: datetime) -> bool:
        return (
            duty.clause_key in self.clauses
            and (self.agencies is None or duty.agency.id in self.agencies)
            and self.period in ("", duty.period)
            and (self.state is None or self.state.takes(situation_of(duty, now), now))
            and (self.text is None or self._named(duty))
        )

    def _named(self, duty: DutyView) -> bool:
        assert self.text
        clauses, agencies, number = self.text
        return duty.clause_key in clauses or duty.agency.id in agencies or duty.id == number

    def where(self, now: datetime) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [Duty.clause.in_(self.clauses)]
        if self.agencies is not None:
            found.append(Duty.agency.in_(self.agencies))
        if self.period:
            found.append(Duty.period == self.period)
        if self.state:
            found.append(_in_state(self.state, now))
        if self.text:
            clauses, agencies, number = self.text
            named = or_(Duty.clause.in_(clauses), Duty.agency.in_(agencies), Duty.id == number)
            found.append(named)
        return found


def _sought(ledger: Ledger, selection: Selection) -> _Sought:
    known = known_clauses(ledger)
    clauses = [
        key
        for key, clause in known.items()
        if selection.notice in ("", key.partition("/")[0])
        and selection.section in ("", clause.section)
        and selection.clause in ("", key)
    ]
    by_agency = selection.region or selection.department or selection.agency or selection.within
    agencies = known_agencies(ledger) if by_agency or selection.text else {}
    return _Sought(
        clauses,
        [one for one in agencies if _is_among(one, selection)] if by_agency else None,
        selection.period,
        selection.state,
        _named(ledger, selection.text, agencies) if selection.text else None,
    )


def _is_among(agency: str, selection: Selection) -> bool:
    region, _, department = agency.partition("/")
    return (
        selection.region in ("", region)
        and selection.within in ("", region)
        and selection.department in ("", department)
        and selection.agency in ("", agency)
    )


def _named(
    ledger: Ledger, text: str, agencies: dict[str, str]
) -> tuple[Collection[str], Collection[str], int]:
    part = text.casefold()
    notices = ledger.registry.notices
    clauses = [
        key
        for key, clause in known_clauses(ledger).items()
        if part in f"{clause.title} {clause.quote}".casefold()
        or part == f"{notices[key.partition('/')[0]].file.notice.prefix}{clause.id}".casefold()
    ]
    named = [key for key, name in agencies.items() if part in f"{key} {name}".casefold()]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
    return clauses, named, number


def known_agencies(ledger: Ledger) -> dict[str, str]:
    """Names by id: those of agencies.yaml, and those that left it and still have duties."""
    with reading(ledger.engine) as connection:
        used = connection.scalars(select(Duty.agency).distinct()).all()
    names = {key: agency.name for key, agency in ledger.registry.agencies.items()}
    return names | {key: key for key in sorted(set(used) - names.keys())}


def _lies_in(band: Band, now: datetime) -> ColumnElement[bool]:
    soon, following = now + DUE_SOON, now + DUE_NEXT
    return {
        Band.PAST: Duty.due_at < now,
        Band.SOON: Duty.due_at.between(now, soon),
        Band.NEXT: (Duty.due_at > soon) & (Duty.due_at <= following),
        Band.AHEAD: Duty.due_at > following,
    }[band]


def _in_state(state: State, now: datetime) -> ColumnElement[bool]:
    """The rule's answers as SQL: the situations that count, gathered by their bands."""
    bands: dict[tuple[Status, bool, bool], set[Band]] = {}
    for one in SITUATIONS:
        if state.takes(one, now):
            bands.setdefault((one.status, one.soft, one.nil), set()).add(one.band)
    alike: dict[frozenset[Band], list[tuple[str, bool, bool]]] = {}
    for (status, soft, nil), where in bands.items():
        alike.setdefault(frozenset(where), []).append((status.value, soft, nil))
    return or_(false(), *(_among(whole, where, now) for where, whole in alike.items()))


def _among(
    kinds: Sequence[tuple[str, bool, bool]], bands: Collection[Band], now: datetime
) -> ColumnElement[bool]:
    statuses = {status for status, _, _ in kinds}
    found = Duty.status.in_(statuses)
    if len(kinds) < 4 * len(statuses):
        found &= tuple_(Duty.status, Duty.soft, Duty.nil).in_(kinds)
    if len(bands) < len(Band):
        found &= or_(*(_lies_in(band, now) for band in sorted(bands)))
    return found


@dataclass(frozen=True, slots=True)
class Counted:
    """How many duties of a clause and an agency are in the same situation."""

    clause: str
    agency: str
    situation: Situation
    count: int


@dataclass(frozen=True, slots=True)
class Today:
    """The duties as they stand at `now`."""

    ledger: Ledger
    now: datetime

    def counted(self, selection: Selection) -> list[Counted]:
        """The selection, counted by clause, agency and situation."""
        now = self.now
        band = case(
            (Duty.due_at < now, Band.PAST.value),
            (Duty.due_at <= now + DUE_SOON, Band.SOON.value),
            (Duty.due_at <= now + DUE_NEXT, Band.NEXT.value),
            else_=Band.AHEAD.value,
        )
        keys = (Duty.clause, Duty.agency, Duty.status, Duty.soft, Duty.nil, band.label("band"))
        question = select(*keys, func.count()).where(*_sought(self.ledger, selection).where(now))
        with reading(self.ledger.engine) as connection:
            return [
                Counted(clause, agency, _ALIKE[status, soft, nil, where], count)
                for clause, agency, status, soft, nil, where, count in connection.execute(
                    question.group_by(*keys[:-1], "band")
                )
            ]

    def count(self, selection: Selection) -> int:
        """How many there are."""
        question = select(func.count()).select_from(Duty)
        with reading(self.ledger.engine) as connection:
            sought = question.where(*_sought(self.ledger, selection).where(self.now))
            return connection.scalar(sought) or 0

    def page(self, selection: Selection, sort: str, skip: int, most: int = PAGE) -> list[DutyView]:
        """So many duties of the selection from an offset on; see `SORTS`."""
        key, down = _sort(sort)
        first = key.sql(self.ledger, self.now)
        question = (
            select(Duty.id)
            .where(*_sought(self.ledger, selection).where(self.now))
            .order_by(first.desc() if down else first, Duty.due_at, Duty.id)
            .limit(most)
            .offset(skip)
        )
        with reading(self.ledger.engine) as connection:
            ids = connection.scalars(question).all()
        found = {duty.id: duty for duty in duties(self.ledger, ids=ids)}
        return [found[one] for one in ids if one in found]


@dataclass(frozen=True, slots=True)
class Then:
    """The duties as they stood at a moment behind, all of them at hand."""

    ledger: Ledger
    now: datetime
    found: Sequence[DutyView]

    def _selected(self, selection: Selection) -> list[DutyView]:
        sought = _sought(self.ledger, selection)
        return [duty for duty in self.found if sought.takes(duty, self.now)]

    def counted(self, selection: Selection) -> list[Counted]:
        """As in `Today`."""
        keys = Counter(
            (duty.clause_key, duty.agency.id, situation_of(duty, self.now))
            for duty in self._selected(selection)
        )
        return [Counted(*key, count) for key, count in keys.items()]

    def count(self, selection: Selection) -> int:
        """As in `Today`."""
        return len(self._selected(selection))

    def page(self, selection: Selection, sort: str, skip: int, most: int = PAGE) -> list[DutyView]:
        """As in `Today`."""
        key, down = _sort(sort)
        found = sorted(self._selected(selection), key=lambda duty: (duty.due_at, duty.id))
        found.sort(key=lambda duty: key.plain(self.ledger, duty, self.now), reverse=down)
        return found[skip : skip + most]


@dataclass(frozen=True, slots=True)
class _Sort:
    """An order, for the database and for duties at hand."""

    sql: Callable[[Ledger, datetime], Any]
    plain: Callable[[Ledger, DutyView, datetime], Any]


def clause_order(ledger: Ledger) -> dict[str, int]:
    """The place of each clause: by notice as loaded, then by number."""
    notices = list(ledger.registry.notices)
    keys = sorted(
        known_clauses(ledger),
        key=lambda key: (notices.index(key.partition("/")[0]), natural(key.partition("/")[2])),
    )
    return {key: place for place, key in enumerate(keys)}


def clause_words(ledger: Ledger) -> dict[str, str]:
    """The number and title of each clause, in order."""
    known, loaded = known_clauses(ledger), ledger.registry.notices
    return {
        key: f"{loaded[key.partition('/')[0]].file.notice.prefix}{known[key].id} {known[key].title}"
        for key in clause_order(ledger)
    }


def _lights(now: datetime) -> Any:
    return case(*((_in_state(one, now), n) for n, one in enumerate(_LIGHTS)), else_=len(_LIGHTS))


_LIGHTS = (State.RED, State.YELLOW, State.GREEN, State.GREY)
_STATUSES = {status.value: place for place, status in enumerate(Status)}

SORTS: dict[str, _Sort] = {
    "light": _Sort(
        lambda _, now: _lights(now), lambda _, duty, now: _LIGHTS.index(State(duty.light(now)))
    ),
    "number": _Sort(lambda _, __: Duty.id, lambda _, duty, __: duty.id),
    "clause": _Sort(
        lambda ledger, _: case(clause_order(ledger), value=Duty.clause),
        lambda ledger, duty, _: clause_order(ledger)[duty.clause_key],
    ),
    "agency": _Sort(lambda _, __: Duty.agency, lambda _, duty, __: duty.agency.id),
    "period": _Sort(lambda _, __: Duty.period, lambda _, duty, __: duty.period),
    "original": _Sort(lambda _, __: Duty.original_due_at, lambda _, duty, __: duty.original_due_at),
    "due": _Sort(lambda _, __: Duty.due_at, lambda _, duty, __: duty.due_at),
    "status": _Sort(
        lambda _, __: case(_STATUSES, value=Duty.status),
        lambda _, duty, __: _STATUSES[duty.status],
    ),
}
"""By name; a minus before it turns it round."""


def _sort(name: str) -> tuple[_Sort, bool]:
    return SORTS.get(name.removeprefix("-"), SORTS["light"]), name.startswith("-")


@dataclass(frozen=True, slots=True)
class LastSaid:
    """What was said last of a duty; `state` is its letter's, or `telephone`."""

    rung: str
    day: date
    recipient: str
    letter: int | None
    state: str


def last_said(
    ledger: Ledger, ids: Collection[int], until: date | None = None
) -> dict[int, LastSaid]:
    """The last word of the chase about each of these duties, up to a civil day.

    Copies, receipts and answers do not count: they press nobody.
    """
    question = (
        select(
            Mention.duty_id, Mention.rung, Mention.day, Mention.recipient, Letter.id, Letter.state
        )
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id.in_(ids), Mention.said)
        .where(Mention.rung.not_in(INFORMING))
        .order_by(Mention.day, Mention.id)
    )
    if until is not None:
        question = question.where(Mention.day <= until)
    with reading(ledger.engine) as connection:
        return {
            duty_id: LastSaid(rung, day, recipient, letter, state or "telephone")
            for duty_id, rung, day, recipient, letter, state in connection.execute(question)
        }


def runs(ledger: Ledger, ids: Collection[int]) -> dict[int, str]:
    """The ids of the runs on the stage that stand for these duties."""
    question = select(MirrorRun.duty_id, MirrorRun.run_id).where(MirrorRun.duty_id.in_(ids))
    with reading(ledger.engine) as connection:
        return dict(connection.execute(question).tuples().all())


def periods(ledger: Ledger) -> list[str]:
    """Every period that has duties, the newest first."""
    with reading(ledger.engine) as connection:
        return sorted(connection.scalars(select(Duty.period).distinct()), reverse=True)


def tally(counted: Iterable[Counted], now: datetime) -> dict[State, int]:
    """How many count for each state."""
    by_situation: Counter[Situation] = Counter()
    for one in counted:
        by_situation[one.situation] += one.count
    return {
        state: sum(n for situation, n in by_situation.items() if state.takes(situation, now))
        for state in State
    }


@dataclass(frozen=True, slots=True)
class Spoken:
    """One mention of a duty, with the letter that carried it, if one did."""

    day: date
    recipient: str
    rung: str
    n: int
    said: bool
    letter: int | None
    kind: str
    channel: str
    state: str
    sent_at: datetime | None


def spoken(ledger: Ledger, duty_id: int) -> list[Spoken]:
    """What was said of a duty and to whom, the newest first."""
    question = (
        select(
            Mention.day,
            Mention.recipient,
            Mention.rung,
            Mention.n,
            Mention.said,
            Letter.id,
            func.coalesce(Letter.kind, ""),
            func.coalesce(Letter.channel, ""),
            func.coalesce(Letter.state, "telephone"),
            Letter.sent_at,
        )
        .outerjoin(Letter, Letter.id == Mention.letter_id)
        .where(Mention.duty_id == duty_id)
        .order_by(Mention.day.desc(), Mention.id.desc())
    )
    with reading(ledger.engine) as connection:
        return [Spoken(*row) for row in connection.execute(question)]


@dataclass(frozen=True, slots=True)
class Happenings:
    """Which rows of history are meant; what is empty leaves all in.

    Attributes:
        between: from an instant up to, not including, another.
        before: a seq; only what came before it.
        within: the region whose duties alone may be seen; what concerns no duty is left out then.
    """

    actor: str = ""
    action: str = ""
    duty_id: int | None = None
    between: tuple[datetime, datetime] | None = None
    before: int = 0
    within: str = ""


def happened(ledger: Ledger, sought: Happenings) -> list[Event]:
    """One row more than a `PAGE` of the history, the newest first."""
    question = (
        select(*History.__table__.columns, HistoryText.text)
        .outerjoin(HistoryText, HistoryText.seq == History.seq)
        .where(*_matching(sought))
        .order_by(History.seq.desc())
        .limit(PAGE + 1)
    )
    if sought.within:
        region = Duty.agency.startswith(f"{sought.within}/", autoescape=True)
        question = question.join(Duty, Duty.id == History.duty_id).where(region)
    with reading(ledger.engine) as connection:
        rows = connection.execute(question).mappings().all()
    return [Event(**{key: row[key] for key in _SHOWN}, text=row["text"] or "") for row in rows]


_SHOWN = ("seq", "at", "actor", "action", "duty_id", "data")


def _matching(sought: Happenings) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sought.actor:
        found.append(History.actor == sought.actor)
    if sought.action:
        found.append(History.action == sought.action)
    if sought.duty_id is not None:
        found.append(History.duty_id == sought.duty_id)
    if sought.between:
        found += [History.at >= sought.between[0], History.at < sought.between[1]]
    if sought.before:
        found.append(History.seq < sought.before)
    return found
