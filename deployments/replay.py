"""A year of simulated agencies: what they do about each duty, day by day, by the throw of dice.

The same seed and the same days make the same year.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as civil_time
from functools import partial
from pathlib import Path
from typing import get_args

from sqlalchemy import select

from deployments.papers import MARK, Matter, Paper, papers, smaller
from deployments.scenes import (
    COUNTIES,
    LEADER,
    NO_MORE_TIME,
    NOTHING,
    PERSON,
    PRESENT,
    TELEPHONE,
    Doors,
    Scenes,
    may_be_nothing,
)
from duban.duty import WAITING, Act, IllegalAct
from duban.evidence import Checked, check_evidence, keeping
from duban.ledger import acts, bulletins
from duban.ledger.acts import Cover
from duban.ledger.approvals import approve, call, decline, proposals
from duban.ledger.database import reading
from duban.ledger.holds import hold
from duban.ledger.petitions import (
    Kind,
    NoSuchPetition,
    PetitionRefused,
    State,
    acknowledge,
    ask,
    decide,
    petitions,
    withdraw,
)
from duban.ledger.questions import DutyView, duties
from duban.ledger.reviewing import queue
from duban.ledger.tables import Duty
from duban.mirror import StateName, state_name
from duban.office import Office
from duban.period import Every
from duban.registry import Clause
from duban.registry.evidence import (
    DateField,
    EvidenceField,
    FilesField,
    IntegerField,
    RatioField,
    TextField,
)
from duban.reports import making
from duban.reports.charts import NoChineseFont

SEED = "督办"
COORDINATOR = "协调员（模拟）"
MORNING, OFFICE_HOURS = civil_time(9), civil_time(10)
NOWHERE = "demo.invalid"  # a domain that no server answers for

SAID: Mapping[Act, Sequence[str]] = {
    Act.RETURN: (
        "汇总表未加盖公章，请补盖后重新报送。",
        "所报数字与上一周期不一致，请核实并说明原因。",
        "缺少分县（市、区）明细，请补充。",
    ),
    Act.EXTEND: ("所属县（市、区）数据尚未汇总完毕。", "牵头科室人员调整，需要时间衔接。"),
    Act.WAIVE: ("本周期已并入省级专项检查，不再单独报送。",),
    Act.NOT_APPLICABLE: ("本市没有该类机构，此项不适用。",),
    Act.REOPEN: ("抽查发现佐证材料与实际不符，重新办理。",),
}
HELD = "机构职能正在划转，暂缓催办（模拟）。"
CALLED = "与办公室负责人通话，对方答应三个工作日内报送（模拟）。"
DECLINED = "对方已说明原因，暂不发函（模拟）。"
ACKNOWLEDGED = 0.85
HANDED_ON = 0.04
NIL = 0.06
BORROWED = 0.015
"""Shares: of duties that are acknowledged, of those that a unit below answers, of returns that are
nil where that may be, of papers that are not one's own."""
GRANTED, WITHDRAWN = 0.8, 0.06
"""Of what is asked for; the rest is refused."""
DRAFTED_ON, ISSUED_AFTER = 5, 14
"""The day of a month on which bulletins are drafted, and after how many days they are issued."""
MOST_WAITING = 12
"""Duties that wait for review before the last day's scenes add theirs."""
FILED = "模拟填报：已按要求组织开展，情况见附件。"


Deed = Callable[[datetime], None]
"""Something that is done at a moment."""


# The stories: what an agency and the coordinator do about a duty.


@dataclass(frozen=True, slots=True)
class Beat:
    """An act `low` to `high` days after the beat before it, or from the due day."""

    act: Act
    low: int
    high: int
    from_due: bool = False


_ACCEPTED = Beat(Act.ACCEPT, 2, 6)
_EARLY = Beat(Act.SUBMIT, -24, -8, from_due=True)

PLOTS: Mapping[tuple[Beat, ...], int] = {
    (_EARLY, _ACCEPTED): 44,
    (Beat(Act.SUBMIT, -7, 0, from_due=True), _ACCEPTED): 22,
    (Beat(Act.SUBMIT, 2, 30, from_due=True), _ACCEPTED): 10,
    (_EARLY, Beat(Act.RETURN, 1, 4), Beat(Act.SUBMIT, 1, 5), _ACCEPTED): 8,
    (Beat(Act.SUBMIT, -4, 0, from_due=True), Beat(Act.RETURN, 1, 4)): 1,
    (Beat(Act.EXTEND, -12, -3, from_due=True), Beat(Act.SUBMIT, 10, 25), _ACCEPTED): 4,
    (Beat(Act.WAIVE, -20, -2, from_due=True),): 2,
    (Beat(Act.NOT_APPLICABLE, 3, 15),): 2,
    (): 5,
}
"""Sequences of acts, and how often of a hundred each is played; the empty one never answers."""

REOPENED = (
    Beat(Act.SUBMIT, 3, 6),
    Beat(Act.ACCEPT, 2, 4),
    Beat(Act.REOPEN, 5, 9),
    Beat(Act.SUBMIT, 3, 8),
    Beat(Act.ACCEPT, 2, 4),
)
"""What the first duty goes through."""


def story(
    opened: date, due: date, beats: Iterable[Beat], rng: random.Random
) -> Iterator[tuple[date, Act]]:
    """The civil days of the acts, each after the one before and none on a weekend.

    A duty that was late already when it opened is answered as if it had had 45 days.
    """
    pivot = max(due, opened + timedelta(days=45))
    day = opened
    for beat in beats:
        anchor = pivot if beat.from_due else day
        wanted = anchor + timedelta(days=rng.randint(beat.low, beat.high))
        day = _working(max(wanted, day + timedelta(days=1)))
        yield day, beat.act


def _working(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


TO_SHOW: Mapping[StateName, tuple[bool, Sequence[Act]]] = {
    "UnderReview": (False, (Act.SUBMIT,)),
    "Returned": (False, (Act.SUBMIT, Act.RETURN)),
    "Accepted": (False, (Act.SUBMIT, Act.ACCEPT)),
    "AcceptedLate": (True, (Act.SUBMIT, Act.ACCEPT)),
    "Waived": (False, (Act.WAIVE,)),
    "NotApplicable": (False, (Act.NOT_APPLICABLE,)),
}
"""How a state is brought about that no story left behind: from an overdue duty or another one."""


# The evidence.


def fill(clause: Clause, day: date, rng: random.Random) -> dict[str, str]:
    """Values for the clause's fields as an agency would type them; two in three finish a matter."""
    done = rng.random() < 0.65
    values: dict[str, str] = {}
    top = 60
    for field in clause.evidence:
        if isinstance(field, IntegerField):
            top = min(top, field.max or top)
            top = max(field.min, rng.randint(top // 2, top))
            values[field.key] = str(top)
        elif text := _typed(field, clause, done, day, rng):
            values[field.key] = text
    return values


def _typed(
    field: EvidenceField, clause: Clause, done: bool, day: date, rng: random.Random
) -> str | None:
    if field.key == clause.done and not (done or field.required):
        return None
    match field:
        case RatioField():
            return _ratio(field, clause, done, rng)
        case TextField():
            return FILED[: field.max_length]
        case DateField():
            return day.isoformat()
        case FilesField() | IntegerField():
            return None
        case _:
            return f"https://{NOWHERE}/{rng.randint(1000, 9999)}"


def _ratio(field: RatioField, clause: Clause, done: bool, rng: random.Random) -> str:
    whole = rng.randint(120, 900)
    low, high = 0.82, 1.0
    if clause.target and clause.target.field == field.key:
        aim = clause.target.at_least / 100
        low, high = (aim, 1.0) if done else (aim - 0.2, aim - 0.02)
    part = rng.uniform(low, high) * whole
    return f"{min(whole, int(part) + 1) if done else int(part)}/{whole}"


# The replay.


@dataclass(slots=True)
class Player:
    """A duty and the dice that decide about it; `link` is the one by which a unit below answers."""

    duty: DutyView
    rng: random.Random
    link: int | None = None


@dataclass(slots=True)
class Tally:
    """What has happened so far."""

    opened: int = 0
    letters: int = 0
    submitted: int = 0
    accepted: int = 0

    def __str__(self) -> str:
        return (
            f"{self.opened} duties, {self.letters} letters, "
            f"{self.submitted} submissions, {self.accepted} accepted"
        )


class Replay:
    """Plays the days of a year on a simulated ledger.

    Args:
        held: the agency that is held for the last weeks.
        desk: an empty folder in which the agencies' papers are made.
    """

    def __init__(self, office: Office, held: str, desk: Path) -> None:
        self.office = office
        self.ledger = office.ledger
        self.held = held
        self.desk = desk
        self.borrowed: dict[str, Path] = {}
        self.doors = Doors(office)
        self.zone = office.ledger.registry.first_notice.zone
        self.players: dict[int, Player] = {}
        self.agenda: defaultdict[date, list[Deed]] = defaultdict(list)
        self.tally = Tally()
        self.begin = date.max

    def play(self, begin: date, until: date, say: Callable[[str], None]) -> None:
        """Every day from one to the other, both included; says at the end of a month how far."""
        self.begin = begin
        for day in _days(begin, until):
            self._morning(day)
            self._work(day)
            if day.weekday() == 2:
                self._decide_proposals(day)
            if day.day == DRAFTED_ON:
                self._draft_bulletin(day, Every.QUARTER)
            if day == until - timedelta(days=25):
                self._hold(day)
            if day == until - timedelta(days=6):
                self._call(day)
            if (day + timedelta(days=1)).day == 1:
                say(f"{self.office.label} {day:%Y-%m}: {self.tally}")
        self._complete_picture(until)
        self._clear_queue(until)
        self._draft_bulletin(until, Every.MONTH)
        self._scenes(until).play()

    def _at(self, day: date, nth: int = 0) -> datetime:
        """A moment in office hours; the acts of a day follow each other by twenty seconds."""
        return datetime.combine(day, OFFICE_HOURS, self.zone) + timedelta(seconds=20 * nth)

    def _morning(self, day: date) -> None:
        done = self.office.tick(datetime.combine(day, MORNING, self.zone))
        self.tally.opened += done.opening.opened
        self.tally.letters += done.delivery.accepted
        if done.opening.opened:
            self._cast_new(day)

    def _cast_new(self, day: date) -> None:
        newest = max(self.players, default=0)
        with reading(self.ledger.engine) as connection:
            fresh = connection.scalars(select(Duty.id).where(Duty.id > newest)).all()
        for duty in sorted(duties(self.ledger, ids=fresh), key=lambda duty: duty.id):
            key = (duty.clause_key, duty.cycle, duty.agency.id, duty.period)
            rng = random.Random("/".join((SEED, *key)))
            beats = rng.choices(list(PLOTS), list(PLOTS.values()))[0]
            if not self.players:
                beats = REOPENED
            self.players[duty.id] = Player(duty, rng)
            self._plan(self.players[duty.id], beats, day)

    def _plan(self, player: Player, beats: Iterable[Beat], day: date) -> None:
        rng, due = player.rng, player.duty.due_at.astimezone(self.zone).date()
        for deed, share in ((self._acknowledge, ACKNOWLEDGED), (self._hand_on, HANDED_ON)):
            if rng.random() < share:
                self._later(day, rng.randint(0, 3), partial(deed, player))
        for when, act in story(day, due, beats, rng):
            self._later(when, 0, partial(self._play, player, act))

    def _later(self, day: date, days: int, deed: Deed) -> None:
        self.agenda[_working(day + timedelta(days=days))].append(deed)

    def _work(self, day: date) -> None:
        for nth, deed in enumerate(self.agenda.pop(day, ())):
            deed(self._at(day, nth))

    def _acknowledge(self, player: Player, now: datetime) -> None:
        duty = player.duty
        with suppress(IllegalAct):  # it may be closed already
            acknowledge(self.ledger, duty.id, by=duty.agency.id, now=now)

    def _hand_on(self, player: Player, now: datetime) -> None:
        player.link = self.doors.hand_on(player.duty, player.rng.choice(COUNTIES), now)

    def _play(self, player: Player, act: Act, now: datetime) -> None:
        """A beat of a story, in which the agency asks for what the coordinator decides."""
        if act is Act.NOT_APPLICABLE:
            self._ask(player, Kind.NOT_APPLICABLE, player.rng.choice(SAID[act]), now)
        else:
            self._do(player, act, now)

    def _do(self, player: Player, act: Act, now: datetime) -> None:
        duty = player.duty.id
        reason = player.rng.choice(SAID[act]) if act in SAID else ""
        match act:
            case Act.SUBMIT:
                self._submit(player, now)
            case Act.ACCEPT:
                acts.accept(self.ledger, duty, by=COORDINATOR, now=now)
                self.tally.accepted += 1
            case Act.RETURN:
                acts.send_back(self.ledger, duty, reason=reason, by=COORDINATOR, now=now)
            case Act.REOPEN:
                acts.reopen(self.ledger, duty, reason=reason, by=COORDINATOR, now=now)
            case Act.WAIVE | Act.NOT_APPLICABLE:
                no = act is Act.NOT_APPLICABLE
                acts.waive(
                    self.ledger, duty, reason=reason, by=COORDINATOR, now=now, not_applicable=no
                )
            case Act.EXTEND:
                self._ask_for_time(player, reason, now)

    def _ask_for_time(self, player: Player, reason: str, now: datetime) -> None:
        """The agency asks in time; for one that is late already the coordinator extends."""
        due = max(player.duty.due_at, now).astimezone(self.zone).date()
        due_on = _working(due + timedelta(days=30))
        try:
            self._ask(player, Kind.EXTENSION, reason, now, due_on)
        except PetitionRefused:
            duty = player.duty.id
            acts.extend(self.ledger, duty, due_on=due_on, reason=reason, by=COORDINATOR, now=now)

    def _ask(
        self, player: Player, kind: Kind, reason: str, now: datetime, until: date | None = None
    ) -> None:
        duty = player.duty
        asked = ask(
            self.ledger,
            duty.id,
            kind,
            reason=reason,
            until=until,
            leader=LEADER,
            by=duty.agency.id,
            now=now,
            link_id=self.doors.of(duty.agency.id, now),
        )
        answer = partial(self._answer, player, kind, asked)
        self._later(now.date(), player.rng.randint(1, 3), answer)

    def _answer(self, player: Player, kind: Kind, asked: int, now: datetime) -> None:
        luck = player.rng.random()
        with suppress(NoSuchPetition):  # evidence may have come first
            if luck > 1 - WITHDRAWN:
                withdraw(self.ledger, asked, by=player.duty.agency.id, now=now)
            else:
                grant = luck < GRANTED
                no = NO_MORE_TIME if kind is Kind.EXTENSION else PRESENT
                answer = "同意。" if grant else no
                decide(self.ledger, asked, grant=grant, answer=answer, by=COORDINATOR, now=now)

    def _submit(self, player: Player, now: datetime) -> None:
        duty, rng = player.duty, player.rng
        cover = Cover(
            dated=now.date() - timedelta(days=rng.randint(0, 9)),
            person=PERSON,
            telephone=TELEPHONE,
            link_id=player.link or self.doors.of(duty.agency.id, now),
        )
        checked = Checked({}, ())
        if may_be_nothing(duty.clause) and rng.random() < NIL:
            cover = replace(cover, statement=NOTHING)
        else:
            values = fill(duty.clause, now.date(), rng)
            checked = check_evidence(duty.clause, values, self._papers(player, now))
        with keeping(self.office.settings.files, checked.files) as kept:
            acts.submit(
                self.ledger, duty.id, checked, kept, by=duty.agency.id, now=now, cover=cover
            )
        self.tally.submitted += 1

    def _papers(self, player: Player, now: datetime) -> list[tuple[str | None, Path]]:
        """The files of a submission, by field; now and then one that was handed in elsewhere."""
        duty, rng = player.duty, player.rng
        matter = Matter(duty.agency.name, duty.clause.title, duty.period, now.date())
        found: list[tuple[str | None, Path]] = []
        for one in duty.clause.evidence:
            if not isinstance(one, FilesField):
                continue
            folder = self.desk / f"{duty.id}-{self.tally.submitted}-{one.key}"
            folder.mkdir(exist_ok=True)
            made = papers(one, matter, rng)
            while len(made) < one.min:
                made += papers(one, matter, rng)
            paths = [_written(folder, paper, nth) for nth, paper in enumerate(made[: one.max])]
            found += [(one.key, path) for path in self._maybe_borrowed(one, paths, rng)]
        return found

    def _maybe_borrowed(
        self, field: FilesField, paths: list[Path], rng: random.Random
    ) -> list[Path]:
        """A reviewer is to find papers that others sent before: the same, or a picture made small.

        What is borrowed was made for the same kind of field.
        """
        ending = paths[0].suffix
        before = self.borrowed.get(ending)
        self.borrowed[ending] = paths[0]
        if before is None or rng.random() >= BORROWED or ending.lstrip(".") not in field.kinds:
            return paths
        if ending == ".jpg":
            again = paths[0].with_name(f"转发{MARK}.jpg")
            again.write_bytes(smaller(before.read_bytes()))
            before = again
        return [before, *paths[1:]]

    def _decide_proposals(self, day: date) -> None:
        """Of the formal letters some go, a few do not, the rest waits."""
        waiting = sorted({one.duty_id for one in proposals(self.ledger)})
        now = self._at(day, 1000)
        if sent := [duty for duty in waiting if duty % 3 == 0]:
            approve(self.ledger, sent, by=COORDINATOR, now=now)
        if stopped := [duty for duty in waiting if duty % 10 == 1 and duty % 3]:
            decline(self.ledger, stopped, reason=DECLINED, by=COORDINATOR, now=now)

    def _draft_bulletin(self, day: date, every: Every) -> None:
        """Drafts what ended with the month before; it is issued when its window is over."""
        for period in making.ended(day):
            played = period.next.start and period.next.start > self.begin  # at least a part of it
            if period.every is every and played:
                now = self._at(day)
                number, _ = bulletins.draft(self.ledger, period, at=now, by=COORDINATOR, now=now)
                self._later(day, ISSUED_AFTER, partial(self._issue_bulletin, number))

    def _issue_bulletin(self, number: int, now: datetime) -> None:
        with suppress(NoChineseFont):  # it stays a draft, which pages and Excel show as well
            making.issue(self.ledger, number, by=COORDINATOR, now=now)

    def _hold(self, day: date) -> None:
        end = day + timedelta(days=45)
        hold(
            self.ledger,
            agency=self.held,
            clause=None,
            until=end,
            reason=HELD,
            by=COORDINATOR,
            now=self._at(day, 1100),
        )

    def _call(self, day: date) -> None:
        """The duty that is overdue the longest."""
        now = self._at(day, 1200)
        late = [duty for duty in self._waiting(now, late=True) if duty.agency.id != self.held]
        if late:
            call(self.ledger, late[0].id, said=CALLED, by=COORDINATOR, now=now)

    def _complete_picture(self, day: date) -> None:
        """Every state can be seen on the last day, also of a short or small replay."""
        now = self._at(day, 1300)
        present = {state_name(duty, now) for duty in duties(self.ledger)}
        for nth, state in enumerate(get_args(StateName)):
            if state in TO_SHOW and state not in present:
                late, deeds = TO_SHOW[state]
                for duty in self._waiting(now, late=late)[-1:]:
                    for step, act in enumerate(deeds):
                        self._do(self.players[duty.id], act, self._at(day, 1300 + 5 * nth + step))

    def _clear_queue(self, day: date) -> None:
        """Some days so much comes in that the coordinator works late."""
        now = self._at(day, 1400)
        for one in queue(self.ledger, now)[:-MOST_WAITING]:
            acts.accept(self.ledger, one.duty.id, by=COORDINATOR, now=now)
            self.tally.accepted += 1

    def _scenes(self, day: date) -> Scenes:
        """The last day's; on duties that wait, in an order of their own."""
        now, dice = self._at(day, 1401), random.Random(f"{SEED}/{day}")
        found = [*self._waiting(now, late=False), *self._waiting(now, late=True)]
        asked = {one.duty_id for one in petitions(self.ledger, state=State.ASKED)}
        unused = [one for one in found if one.agency.id != self.held and one.id not in asked]
        dice.shuffle(unused)
        return Scenes(
            self.office,
            self.doors,
            unused,
            lambda duty: fill(duty.clause, day, self.players[duty.id].rng),
            self.desk,
            lambda nth: self._at(day, 1401 + nth),
            COORDINATOR,
            dice,
        )

    def _waiting(self, now: datetime, *, late: bool) -> list[DutyView]:
        """Duties that wait for their agency and are overdue, or have time left; by due day."""
        found = [
            duty
            for duty in duties(self.ledger)
            if duty.status in WAITING and (duty.overdue(now) if late else duty.due_at > now)
        ]
        return sorted(found, key=lambda duty: (duty.due_at, duty.id))


def _written(folder: Path, paper: Paper, nth: int) -> Path:
    """The paper as a file; two of one name are told apart."""
    path = folder / paper.name
    if path.exists():
        path = folder / f"{nth + 1}-{paper.name}"
    path.write_bytes(paper.content)
    return path


def _days(begin: date, until: date) -> Iterator[date]:
    return (begin + timedelta(days=n) for n in range((until - begin).days + 1))
