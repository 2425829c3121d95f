"""How a bulletin speaks: its words, with names and numbers written as its form needs them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from duban.reports.asked import Group, Measure, Sought
from duban.reports.figures import Figures, Line, Number, Rate, TargetFigures
from duban.reports.tables import name_of, shown
from duban.reports.texts import Texts, moment_words, period_in_words, texts
from duban.words import civil_words

LISTED = 30
"""Longer lists of agencies end with how many there are."""

Spoken: TypeAlias = Number | str | int


@dataclass(frozen=True, slots=True)
class Voice:
    """A bulletin's figures, and how they are said.

    Attributes:
        number: how a number that leads to a list of duties is written.
        text: how names are written.
    """

    figures: Figures
    number: Callable[[Number], str] = str
    text: Callable[[str], str] = str

    @property
    def t(self) -> Texts:
        """The words of the figures' language."""
        return texts(self.figures.language)

    @property
    def title(self) -> str:
        """Of the bulletin: who tells of what, and of a period under way until when."""
        so_far = self.say("so-far", last=self.span["last"]) if self.figures.under_way else ""
        named = {"issuer": self.figures.issuer, "matter": self._matter}
        return self.say("title", period=self.period, so_far=so_far, **named)

    @property
    def _matter(self) -> str:
        """What the notices are about."""
        labels = [one.label for one in self.figures.notices]
        more = {"label": labels[0], "n": len(labels)} if len(labels) > 1 else {}
        return self.say("matters", **more) if more else "".join(labels)

    @property
    def notices(self) -> str:
        """The notices by issuer, number and matter."""
        return self.join(
            self.say(
                "notice",
                issuer=self.text(one.issuer),
                number=self.text(one.number),
                label=self.text(one.label),
            )
            for one in self.figures.notices
        )

    @property
    def label(self) -> str:
        """That it is not meant in earnest, on a simulation; else empty."""
        label = self.figures.label
        return label and self.say("label", label=label)

    @property
    def period(self) -> str:
        """The period in prose."""
        return period_in_words(self.t, self.figures.period)

    @property
    def cut_off(self) -> str:
        """The cut-off, in the bulletin's zone."""
        local: datetime = self.figures.cut_off.astimezone(ZoneInfo(self.figures.zone))
        return moment_words(self.t, local)

    @property
    def made(self) -> str:
        """From which snapshot this was made."""
        return self.say("made", cut_off=self.cut_off, snapshot=self.figures.snapshot)

    @property
    def span(self) -> dict[str, str]:
        """The first and the last day."""
        days = {"first": self.figures.first, "last": self.figures.last}
        return {name: civil_words(self.t.language, day) for name, day in days.items()}

    def unless_own(self, key: str, period: str) -> str:
        """A phrase of `Texts.says` with a period, unless that is the bulletin's own."""
        if period == self.figures.period:
            return ""
        return self.say(key, period=period_in_words(self.t, period))

    def say(self, key: str, **given: Spoken) -> str:
        """A sentence of `Texts.says`."""
        return self.fill(self.t.says[key], **given)

    def fill(self, sentence: str, **given: Spoken) -> str:
        """A sentence with what it speaks of; texts have to be written as names are already."""
        written = {
            name: self.number(one) if isinstance(one, Number) else str(one)
            for name, one in given.items()
        }
        return sentence.format(**written)

    def join(self, parts: Iterable[str]) -> str:
        """A list within a sentence."""
        return self.t.says["join"].join(parts)

    def name(self, line: Line) -> str:
        """A line's name."""
        return self.text(name_of(line, self.figures, self.t))

    def place(self, region: str) -> str:
        """A region's name, by its key."""
        return next(self.name(one) for one in self.figures.regions if one.key == region)

    def agencies(self, names: Sequence[str]) -> str:
        """The names of agencies, of long lists the first ones."""
        some = self.join(self.text(one) for one in names[:LISTED])
        return some if len(names) <= LISTED else self.say("and-others", names=some, n=len(names))

    def rate(self, rate: Rate) -> str:
        """A rate in per cent, or that there is none."""
        return self.t.says["no-rate"] if rate.percent is None else shown(rate)

    def distance(self, target: TargetFigures) -> str:
        """How far all together are from a target; rounding never makes it sound reached."""
        at = target.whole.against
        assert at, "only told of a target with figures"
        if at.reached:
            key = "above" if at.distance else "even"
        else:
            key = "below" if at.decimals == 1 else "hardly"
        return self.say(key, n=f"{abs(at.distance):g}")


def together(line: Line, measure: Measure, group: Group = Group.ALL) -> Number:
    """A measure of one group of a line, or of all groups: each duty is in exactly one."""
    counts = {Group.LEAD: line.lead, Group.CO: line.co, Group.SOFT: line.soft}
    if group is not Group.ALL:
        return counts[group][measure]
    value = sum(one[measure].value for one in counts.values())
    behind = line.lead[measure].behind
    sought = Sought(measure, Group.ALL, behind.region, behind.department, behind.clause)
    return Number(value, sought)
