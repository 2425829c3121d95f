"""A year of simulated agencies: what they do about each duty, day by day, by the throw of dice.

The same seed and the same days make the same year.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as civil_time
from pathlib import Path
from typing import get_args

from sqlalchemy import select

from duban.duty import WAITING, Act
from duban.evidence import check_evidence, keeping
from duban.ledger import acts
from duban.ledger.approvals import approve, call, decline, proposals
from duban.ledger.database import reading
from duban.ledger.holds import hold
from duban.ledger.questions import DutyView, duties
from duban.ledger.tables import Duty
from duban.mirror import StateName, state_name
from duban.office import Office
from duban.registry import Clause
from duban.registry.evidence import (
    DateField,
    EvidenceField,
    FilesField,
    IntegerField,
    RatioField,
    TextField,
)

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
FILED = "模拟填报：已按要求组织开展，情况见附件。"


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


def simulated_pdf() -> bytes:
    """A page that says that it is simulated: the smallest file that readers open."""
    says = b"BT /F 24 Tf 72 760 Td (SIMULATED / MONI) Tj ET"
    bodies = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(says), says),
    )
    text, starts = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(bodies, 1):
        starts.append(len(text))
        text += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(bodies) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(text))
    return text + head + table + tail


# The replay.


@dataclass(frozen=True, slots=True)
class Player:
    """A duty and the dice that decide about it."""

    duty: DutyView
    rng: random.Random


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
        papers: a file that agencies hand in.
    """

    def __init__(self, office: Office, held: str, papers: Path) -> None:
        self.office = office
        self.ledger = office.ledger
        self.held = held
        self.papers = papers
        self.zone = office.ledger.registry.first_notice.zone
        self.players: dict[int, Player] = {}
        self.agenda: defaultdict[date, list[tuple[int, Act]]] = defaultdict(list)
        self.tally = Tally()

    def play(self, begin: date, until: date, say: Callable[[str], None]) -> None:
        """Every day from one to the other, both included; says at the end of a month how far."""
        for day in _days(begin, until):
            self._morning(day)
            self._work(day)
            if day.weekday() == 2:
                self._decide_proposals(day)
            if day == until - timedelta(days=25):
                self._hold(day)
            if day == until - timedelta(days=6):
                self._call(day)
            if (day + timedelta(days=1)).day == 1:
                say(f"{self.office.label} {day:%Y-%m}: {self.tally}")
        self._complete_picture(until)

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
            due = duty.due_at.astimezone(self.zone).date()
            for when, act in story(day, due, beats, rng):
                self.agenda[when].append((duty.id, act))

    def _work(self, day: date) -> None:
        for nth, (duty_id, act) in enumerate(self.agenda.pop(day, ())):
            self._do(self.players[duty_id], act, self._at(day, nth))

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
            case Act.EXTEND:
                due = max(player.duty.due_at, now).astimezone(self.zone).date()
                later = _working(due + timedelta(days=30))
                acts.extend(self.ledger, duty, due_on=later, reason=reason, by=COORDINATOR, now=now)
            case Act.REOPEN:
                acts.reopen(self.ledger, duty, reason=reason, by=COORDINATOR, now=now)
            case Act.WAIVE | Act.NOT_APPLICABLE:
                no = act is Act.NOT_APPLICABLE
                acts.waive(
                    self.ledger, duty, reason=reason, by=COORDINATOR, now=now, not_applicable=no
                )

    def _submit(self, player: Player, now: datetime) -> None:
        clause = player.duty.clause
        wanted = [one for one in clause.evidence if isinstance(one, FilesField)]
        papers = [(one.key, self.papers) for one in wanted for _ in range(one.min)]
        values = fill(clause, now.date(), player.rng)
        checked = check_evidence(clause, values, papers)
        with keeping(self.office.settings.files, checked.files) as kept:
            acts.submit(
                self.ledger, player.duty.id, checked, kept, by=player.duty.agency.id, now=now
            )
        self.tally.submitted += 1

    def _decide_proposals(self, day: date) -> None:
        """Of the formal letters some go, a few do not, the rest waits."""
        waiting = sorted({one.duty_id for one in proposals(self.ledger)})
        now = self._at(day, 1000)
        if sent := [duty for duty in waiting if duty % 3 == 0]:
            approve(self.ledger, sent, by=COORDINATOR, now=now)
        if stopped := [duty for duty in waiting if duty % 10 == 1 and duty % 3]:
            decline(self.ledger, stopped, reason=DECLINED, by=COORDINATOR, now=now)

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

    def _waiting(self, now: datetime, *, late: bool) -> list[DutyView]:
        """Duties that wait for their agency and are overdue, or have time left; by due day."""
        found = [
            duty
            for duty in duties(self.ledger)
            if duty.status in WAITING and (duty.overdue(now) if late else duty.due_at > now)
        ]
        return sorted(found, key=lambda duty: (duty.due_at, duty.id))


def _days(begin: date, until: date) -> Iterator[date]:
    return (begin + timedelta(days=n) for n in range((until - begin).days + 1))
