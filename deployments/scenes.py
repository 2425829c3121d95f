"""What is to be seen in the portal on the last day of a simulated year: requests that wait, links
that were handed on, evidence that a reviewer has to look at twice.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from deployments.papers import MARK, Matter, Paper, docx, pdf, photo, smaller
from duban.evidence import Checked, check_evidence, keeping
from duban.intake import suspects
from duban.ledger import acts, links, petitions, reviewing
from duban.ledger.acts import Cover
from duban.ledger.folder import bytes_of
from duban.ledger.links import LinkView
from duban.ledger.petitions import Kind
from duban.ledger.questions import DutyView
from duban.office import Office
from duban.registry import Clause
from duban.registry.evidence import FilesField, IntegerField, RatioField, TextField

LEADER = f"分管负责同志{MARK}"
PERSON, TELEPHONE = f"联系人{MARK}", "0351-0000000"
NOTHING = f"经核实，本期未发生该类事项，特作零报告{MARK}。"
MORE_TIME = (
    f"所属县（市、区）机构改革尚未结束，数据需要重新汇总{MARK}。",
    f"年度统计口径调整，部门会签尚未完成{MARK}。",
    f"第三方评估报告下月初才能出具{MARK}。",
)
NO_MORE_TIME = "本周期工作已有阶段性成果，请先报送已完成部分。"
ABSENT = (
    f"本单位职责已整体划出，此项不再适用{MARK}。",
    f"本市没有该类机构，此项不适用{MARK}。",
)
PRESENT = "相关职责仍由你单位承担，请按期报送。"
COUNTIES = tuple(f"{name}县有关单位{MARK}" for name in "甲乙丙丁")
MEND = "汇总表缺少分县（市、区）明细，请补充后重新报送。"


def may_be_nothing(clause: Clause) -> bool:
    """Whether its evidence is counts that may all be nought."""
    counts = [one for one in clause.evidence if isinstance(one, IntegerField)]
    ratios = any(isinstance(one, RatioField) for one in clause.evidence)
    settled = clause.target is not None or clause.done is not None
    return bool(counts) and not ratios and not settled and all(one.max is None for one in counts)


class Doors:
    """The links by which agencies come in."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._found: dict[str, LinkView] = {}

    def of(self, agency: str, now: datetime) -> int | None:
        """The number of an agency's own link that works now; None before its first letter."""
        known = self._found.get(agency)
        if known is None or not known.works(now):
            found = links.links_of(self.office.ledger, agency)
            known = next((one for one in found if one.parent is None and one.works(now)), None)
            if known is None:
                return None
            self._found[agency] = known
        return known.id

    def hand_on(self, duty: DutyView, holder: str, now: datetime) -> int | None:
        """The number of a narrower link to a duty, for a unit below."""
        ledger, key = self.office.ledger, self.office.key
        token = links.tell(ledger, key, duty.agency.id, by="duban", now=now)
        door = links.enter(ledger, token, now)
        if door is None:
            return None
        end = min(max(duty.due_at, now) + timedelta(days=30), door.expires_at - timedelta(days=1))
        until = end.astimezone(duty.notice.zone).date()
        number, _ = links.hand_on(ledger, key, door, [duty.id], holder, until=until, now=now)
        return number


@dataclass
class Scenes:
    """Plays the last day's scenes, each on a duty of its own.

    Args:
        unused: duties that wait for their agency and that nothing else is played on.
        fill: makes the typed fields of a duty's evidence.
        desk: a folder in which papers are made.
        at: the moment of the nth act.
        by: the coordinator.
    """

    office: Office
    doors: Doors
    unused: list[DutyView]
    fill: Callable[[DutyView], dict[str, str]]
    desk: Path
    at: Callable[[int], datetime]
    by: str
    rng: random.Random
    _nth: int = field(default=0)
    _made: list[Paper] = field(default_factory=list[Paper])

    def play(self) -> None:
        """All of them, as far as there are duties that they fit; the choosiest come first."""
        for scene, fits in (
            (self._sends_last_time_s, self._has_before),
            (self._tells_too_much, _takes_text),
            (self._sends_macros, _takes_documents),
            (self._has_nothing, _may_be_nothing),
            (self._sends_photographs, _takes_pictures),
            (self._sends_them_smaller, _takes_pictures),
            (self._sends_the_template, _takes_documents),
            (self._sends_the_template, _takes_documents),
            (self._mends, _takes_documents),
            (self._sends_through_a_county, _takes_documents),
            (self._hands_on, self._ahead),
            *((self._asks, self._ahead) for _ in MORE_TIME),
            (self._asks_in_vain, self._ahead),
            (self._changes_its_mind, self._ahead),
            *((self._declines, self._ahead) for _ in ABSENT),
            (self._declines_in_vain, self._ahead),
        ):
            duty = next((one for one in self.unused if fits(one)), None)
            if duty is not None:
                self.unused.remove(duty)
                scene(duty)

    def _now(self) -> datetime:
        self._nth += 1
        return self.at(self._nth)

    def _ahead(self, duty: DutyView) -> bool:
        return duty.due_at > self.at(0) + timedelta(days=2)

    def _has_before(self, duty: DutyView) -> bool:
        return _takes_documents(duty) and self._before(duty) is not None

    def _before(self, duty: DutyView) -> Paper | None:
        """What the agency handed in for the period before, if that is a PDF."""
        version = reviewing.before(self.office.ledger, duty)
        for one in version.files if version else ():
            if one.name.endswith(".pdf"):
                folder = self.office.settings.files
                return Paper(one.name, bytes_of(folder, one.stored_as).read_bytes())
        return None

    # What is asked for

    def _asks(self, duty: DutyView) -> int:
        return petitions.ask(
            self.office.ledger,
            duty.id,
            Kind.EXTENSION,
            reason=MORE_TIME[self._nth % len(MORE_TIME)],
            until=_later(duty),
            leader=LEADER,
            by=duty.agency.id,
            now=self._now(),
        )

    def _asks_in_vain(self, duty: DutyView) -> None:
        self._refuse(self._asks(duty), NO_MORE_TIME)

    def _changes_its_mind(self, duty: DutyView) -> None:
        asked = self._asks(duty)
        petitions.withdraw(self.office.ledger, asked, by=duty.agency.id, now=self._now())

    def _declines(self, duty: DutyView) -> int:
        return petitions.ask(
            self.office.ledger,
            duty.id,
            Kind.NOT_APPLICABLE,
            reason=ABSENT[self._nth % len(ABSENT)],
            by=duty.agency.id,
            now=self._now(),
        )

    def _declines_in_vain(self, duty: DutyView) -> None:
        self._refuse(self._declines(duty), PRESENT)

    def _refuse(self, asked: int, answer: str) -> None:
        now = self._now()
        petitions.decide(self.office.ledger, asked, grant=False, answer=answer, by=self.by, now=now)

    def _hands_on(self, duty: DutyView) -> int | None:
        return self.doors.hand_on(duty, self.rng.choice(COUNTIES), self._now())

    # What is handed in

    def _sends_through_a_county(self, duty: DutyView) -> None:
        self._send(duty, [self._report(duty)], link=self._hands_on(duty))

    def _has_nothing(self, duty: DutyView) -> None:
        self._submit(duty, Checked({}, ()), Cover(statement=NOTHING))

    def _tells_too_much(self, duty: DutyView) -> None:
        """A text with the number of an identity card that nobody has."""
        values = self.fill(duty)
        for one in duty.clause.evidence:
            if isinstance(one, TextField):
                values[one.key] = f"已联系一名学生家长（身份证号 {nobody()}）核实情况{MARK}。"
        self._send(duty, [self._report(duty)], values)

    def _sends_macros(self, duty: DutyView) -> None:
        """A document that inspection refuses, beside one that is fine."""
        bad = Paper(f"填报工具{MARK}.docx", docx([duty.clause.title], macros=True))
        self._send(duty, [bad, self._report(duty)])

    def _sends_the_template(self, duty: DutyView) -> None:
        """The same bytes from two agencies."""
        self._send(duty, [Paper(f"工作总结{MARK}.docx", docx([f"各地通用的工作总结{MARK}。"]))])

    def _sends_last_time_s(self, duty: DutyView) -> None:
        if before := self._before(duty):
            self._send(duty, [before])

    def _sends_photographs(self, duty: DutyView) -> None:
        self._made = [Paper(f"活动照片{MARK}{nth}.jpg", photo(self.rng)) for nth in (1, 2, 3)]
        self._send(duty, self._made)

    def _sends_them_smaller(self, duty: DutyView) -> None:
        """Two pictures that another agency has sent, as a messenger passes them on."""
        self._send(
            duty,
            [Paper(f"转发{MARK}{one.name}", smaller(one.content)) for one in self._made[:2]],
        )

    def _mends(self, duty: DutyView) -> None:
        """A second version after a return."""
        self._send(duty, [self._report(duty)])
        now = self._now()
        acts.send_back(self.office.ledger, duty.id, reason=MEND, by=self.by, now=now)
        self._send(duty, [self._report(duty)])

    def _report(self, duty: DutyView) -> Paper:
        day = self.at(0).astimezone(duty.notice.zone).date()
        matter = Matter(duty.agency.name, duty.clause.title, duty.period, day)
        return Paper(f"工作情况报告{MARK}.pdf", pdf(matter, self.rng, 2))

    def _send(
        self,
        duty: DutyView,
        papers: Sequence[Paper],
        values: dict[str, str] | None = None,
        link: int | None = None,
    ) -> None:
        values = self.fill(duty) if values is None else values
        files = [(one.key, path) for one in _files(duty) for path in self._written(duty, papers)]
        found = suspects("\n".join(values.values()))
        cover = Cover(suspect=",".join(found), link_id=link)
        self._submit(duty, check_evidence(duty.clause, values, files), cover)

    def _written(self, duty: DutyView, papers: Sequence[Paper]) -> list[Path]:
        folder = self.desk / f"scene-{duty.id}-{self._nth}"
        folder.mkdir(exist_ok=True)
        for paper in papers:
            (folder / paper.name).write_bytes(paper.content)
        return [folder / paper.name for paper in papers]

    def _submit(self, duty: DutyView, checked: Checked, cover: Cover) -> None:
        ledger, now = self.office.ledger, self._now()
        cover = replace(
            cover,
            dated=now.astimezone(duty.notice.zone).date(),
            person=PERSON,
            telephone=TELEPHONE,
            link_id=cover.link_id or self.doors.of(duty.agency.id, now),
        )
        with keeping(self.office.settings.files, checked.files) as kept:
            acts.submit(ledger, duty.id, checked, kept, by=duty.agency.id, now=now, cover=cover)


def _files(duty: DutyView) -> list[FilesField]:
    return [one for one in duty.clause.evidence if isinstance(one, FilesField)]


def _takes(duty: DutyView, *kinds: str) -> bool:
    """Whether it asks for files, and takes up to three of these kinds for each field."""
    wanted = _files(duty)
    open_ended = duty.clause.target is None
    fits = all({*kinds} <= {*one.kinds} and one.min == 1 and one.max >= 3 for one in wanted)
    return open_ended and bool(wanted) and fits


def _takes_documents(duty: DutyView) -> bool:
    return _takes(duty, "pdf", "docx")


def _takes_pictures(duty: DutyView) -> bool:
    return _takes(duty, "jpg") and not any("盖章" in one.label for one in _files(duty))


def _takes_text(duty: DutyView) -> bool:
    texts = any(isinstance(one, TextField) for one in duty.clause.evidence)
    return texts and _takes_documents(duty)


def _may_be_nothing(duty: DutyView) -> bool:
    return may_be_nothing(duty.clause)


def _later(duty: DutyView) -> date:
    return duty.due_at.astimezone(duty.notice.zone).date() + timedelta(days=21)


def nobody() -> str:
    """A number in the form of an identity card's, with the right check digit, of no county.

    It belongs to nobody: there is no division 149999.
    """
    digits = "14999920100101001"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(one) * weight for one, weight in zip(digits, weights, strict=True)) % 11
    return digits + "10X98765432"[rest]
