"""What a number of a bulletin counts, and which duties of a snapshot those are.

A number and the list behind it come from the same predicate, so they cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from duban.duty import WAITING, Standing, Status, overdue
from duban.errors import DubanError
from duban.ledger.snapshots import Fact, Part


class UnknownQuestion(DubanError):
    """A bulletin has no such number; follow a link from its page."""


class Group(StrEnum):
    """Duties that are counted apart from the others.

    Soft ones are soft whoever answers for them; of the binding ones, those of a lead (牵头) and
    those of a co-responsible agency that reports on its own (共同负责) are told apart.
    """

    LEAD = "lead"
    CO = "co"
    SOFT = "soft"
    ALL = "all"


class Measure(StrEnum):
    """What is counted of the duties that fell due in a period, as of the cut-off.

    Each of `TOTAL` is one of `REQUIRED`, `NIL` and `NOT_APPLICABLE`; nil returns that were sent
    back are required again. The measures from `ACCEPTED` to `LATE` count required ones only.

    Attributes:
        NIL: a nil return (零报告), under review or accepted.
        NOT_APPLICABLE: not applicable, or waived (免办).
        SUBMITTED: handed in and waiting for a review.
        OPEN: the agency has to act, whether its time is up or not.
        OVERDUE: the agency has to act and its time is up. Soft duties never are.
        JUDGED_ORIGINAL: the original due date has passed, and no review is outstanding.
        ON_TIME_ORIGINAL: of those, accepted, and the accepted version came by the original date.
        JUDGED: the date in force has passed, whatever set it, and no review is outstanding.
        SETTLED: of those, accepted, in time or late.
        ON_TIME: of those, accepted, and the accepted version came by the original date, or by the
            one that an extension gave. A return sets a date for the next version and gives no time.
        LATE: accepted, but the accepted version came after that date.
        EXTENDED: the date in force is later than the original one, by an extension or because it
            was sent back, whatever the status.
        BACKLOG: fell due before the period and is overdue still.
        SHARED: a lead's binding duties in which an agency takes part without reporting.
        REPORTED: its figures count for a target; see `duban.targets.Reckoning.counted`.
    """

    TOTAL = "total"
    REQUIRED = "required"
    NIL = "nil"
    NOT_APPLICABLE = "not-applicable"
    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    OPEN = "open"
    OVERDUE = "overdue"
    JUDGED_ORIGINAL = "judged-original"
    ON_TIME_ORIGINAL = "on-time-original"
    JUDGED = "judged"
    SETTLED = "settled"
    ON_TIME = "on-time"
    LATE = "late"
    EXTENDED = "extended"
    BACKLOG = "backlog"
    SHARED = "shared"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Frame:
    """The span whose duties are counted, from an instant up to another, and the cut-off.

    `ends` is never after the cut-off: what falls due later has not fallen due.
    """

    begins: datetime
    ends: datetime
    cut_off: datetime


@dataclass(frozen=True, slots=True)
class Sought:
    """The duties behind one number; an empty filter leaves all of them in.

    Attributes:
        region, department: the two parts of an agency's id.
        clause: its key, `shanxi-2023-6/3.4c`.
    """

    measure: Measure
    group: Group = Group.ALL
    region: str = ""
    department: str = ""
    clause: str = ""
    period: str = ""

    def takes(self, fact: Fact, frame: Frame) -> bool:
        """Whether a duty counts. For `REPORTED`, of which all figures have to be seen together,
        whether it is in the right place; `duban.targets.Reckoning.counted` decides the rest."""
        return (
            self.clause in ("", fact.clause)
            and self._placed(fact)
            and self.group in (Group.ALL, group_of(fact))
            and COUNTS[self.measure](fact, frame)
        )

    def _placed(self, fact: Fact) -> bool:
        whose = fact.copied if self.measure is Measure.SHARED else (fact.agency,)
        return any(self._names(agency) for agency in whose)

    def _names(self, agency: str) -> bool:
        region, _, department = agency.partition("/")
        return self.region in ("", region) and self.department in ("", department)

    def query(self) -> dict[str, str]:
        """The same as parameters of an address; `of` reads them back."""
        return {one.name: str(value) for one in fields(self) if (value := getattr(self, one.name))}

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Reads `query()` back; what else an address has is left alone.

        Raises:
            UnknownQuestion: there is no such measure or group.
        """
        try:
            found = cls(Measure(query.get("measure", "")), Group(query.get("group", "all")))
        except ValueError:
            raise UnknownQuestion from None
        named = ("region", "department", "clause", "period")
        return replace(found, **{name: query[name] for name in named if query.get(name)})


def group_of(fact: Fact) -> Group:
    """Where a duty is counted."""
    if fact.soft:
        return Group.SOFT
    return Group.LEAD if fact.part is Part.LEAD else Group.CO


def in_period(fact: Fact, frame: Frame) -> bool:
    """A duty belongs to the period in which it was first due."""
    return frame.begins <= fact.original_due_at < frame.ends


def excused(fact: Fact) -> bool:
    """Nobody has to report."""
    return fact.status in (Status.WAIVED, Status.NOT_APPLICABLE)


def nil(fact: Fact) -> bool:
    """A nil return that stands."""
    return fact.nil and fact.status in (Status.SUBMITTED, Status.ACCEPTED)


def _required(fact: Fact) -> bool:
    return not excused(fact) and not nil(fact)


def is_overdue(fact: Fact, frame: Frame) -> bool:
    """Overdue at the cut-off; see `duban.duty.overdue`."""
    return overdue(Standing(fact.status, fact.due_at, fact.soft), frame.cut_off)


def _judged(fact: Fact, due_at: datetime, frame: Frame) -> bool:
    return due_at < frame.cut_off and fact.status is not Status.SUBMITTED


def _judged_now(fact: Fact, frame: Frame) -> bool:
    return _judged(fact, fact.due_at, frame)


def _judged_at_first(fact: Fact, frame: Frame) -> bool:
    return _judged(fact, fact.original_due_at, frame)


def _came_by(fact: Fact, due_at: datetime) -> bool:
    came = fact.submitted_at
    return fact.status is Status.ACCEPTED and came is not None and came <= due_at


def _in_time(fact: Fact) -> bool:
    """By the date that an extension gave; without one by the original date."""
    return _came_by(fact, fact.extended_to or fact.original_due_at)


Rule = Callable[[Fact, Frame], bool]


def _of_required(rule: Rule) -> Rule:
    return lambda fact, frame: in_period(fact, frame) and _required(fact) and rule(fact, frame)


def _of_all(rule: Callable[[Fact], bool]) -> Rule:
    return lambda fact, frame: in_period(fact, frame) and rule(fact)


COUNTS: Mapping[Measure, Rule] = {
    Measure.TOTAL: in_period,
    Measure.REQUIRED: _of_required(lambda _, __: True),
    Measure.NIL: _of_all(nil),
    Measure.NOT_APPLICABLE: _of_all(excused),
    Measure.ACCEPTED: _of_required(lambda fact, _: fact.status is Status.ACCEPTED),
    Measure.SUBMITTED: _of_required(lambda fact, _: fact.status is Status.SUBMITTED),
    Measure.OPEN: _of_required(lambda fact, _: fact.status in WAITING),
    Measure.OVERDUE: _of_required(is_overdue),
    Measure.JUDGED_ORIGINAL: _of_required(_judged_at_first),
    Measure.ON_TIME_ORIGINAL: _of_required(
        lambda f, frame: _judged_at_first(f, frame) and _came_by(f, f.original_due_at)
    ),
    Measure.JUDGED: _of_required(_judged_now),
    Measure.SETTLED: _of_required(
        lambda f, frame: _judged_now(f, frame) and f.status is Status.ACCEPTED
    ),
    Measure.ON_TIME: _of_required(lambda f, frame: _judged_now(f, frame) and _in_time(f)),
    Measure.LATE: _of_required(lambda f, _: f.status is Status.ACCEPTED and not _in_time(f)),
    Measure.EXTENDED: _of_all(lambda fact: fact.due_at > fact.original_due_at),
    Measure.BACKLOG: lambda f, frame: f.original_due_at < frame.begins and is_overdue(f, frame),
    Measure.SHARED: lambda fact, frame: (
        in_period(fact, frame) and group_of(fact) is Group.LEAD and bool(fact.copied)
    ),
    Measure.REPORTED: lambda fact, _: fact.figures is not None,
}
