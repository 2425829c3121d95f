"""What a bulletin says of one agency: its own duties, and the lines that they are counted in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duban.ledger.snapshots import Fact, Snapshot
from duban.reports.asked import COUNTS, Frame, Measure, in_period, is_overdue
from duban.reports.figures import Figures, Line, Ranked
from duban.reports.tables import name_of
from duban.reports.texts import texts

MEASURES = (
    Measure.TOTAL,
    Measure.REQUIRED,
    Measure.NIL,
    Measure.NOT_APPLICABLE,
    Measure.ACCEPTED,
    Measure.SUBMITTED,
    Measure.OPEN,
    Measure.OVERDUE,
    Measure.BACKLOG,
)


@dataclass(frozen=True, slots=True)
class Stand:
    """A line in which the agency's duties count; `rank` among so many `ranked`, None without."""

    name: str
    line: Line
    rank: int | None
    ranked: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A duty of the agency as it stood; `earlier` ones are backlog from before the period."""

    fact: Fact
    clause: str
    overdue: bool
    earlier: bool


@dataclass(frozen=True, slots=True)
class Mine:
    """One agency in a bulletin.

    Attributes:
        stands: its region, then its department, as far as the tables have them.
        numbers: its duties of every group together.
        duties: those of the period and the backlog, by due date.
    """

    stands: Sequence[Stand]
    numbers: Mapping[Measure, int]
    duties: Sequence[Counted]

    @property
    def names(self) -> frozenset[str]:
        """How the lines of tables are called that concern it."""
        return frozenset([*(one.name for one in self.stands), *(one.clause for one in self.duties)])


def mine(seen: Snapshot, figures: Figures, agency: str) -> Mine:
    """What the bulletin that was cut from a snapshot says of an agency, by its id."""
    own = [fact for fact in seen.facts if fact.agency == agency]
    return Mine(
        stands=_stands(figures, agency),
        numbers={one: sum(COUNTS[one](fact, figures.frame) for fact in own) for one in MEASURES},
        duties=_duties(seen, own, figures.frame),
    )


def _stands(figures: Figures, agency: str) -> list[Stand]:
    region, _, department = agency.partition("/")
    t = texts(figures.language)
    return [
        Stand(name_of(line, figures, t), line, *_place(league, key))
        for lines, league, key in (
            (figures.regions, figures.region_league, region),
            (figures.departments, figures.department_league, department),
        )
        for line in lines
        if line.key == key
    ]


def _place(league: Sequence[Ranked], key: str) -> tuple[int | None, int]:
    ranks = {one.line.key: one.rank for one in league if one.rank is not None}
    return ranks.get(key), len(ranks)


def _duties(seen: Snapshot, own: Sequence[Fact], frame: Frame) -> list[Counted]:
    titles = {one.key: f"{one.number} {one.title}" for one in seen.clauses}
    found = [
        Counted(fact, titles.get(fact.clause, fact.clause), is_overdue(fact, frame), earlier)
        for fact in own
        if (earlier := COUNTS[Measure.BACKLOG](fact, frame)) or in_period(fact, frame)
    ]
    return sorted(found, key=lambda one: (one.fact.due_at, one.fact.id))
