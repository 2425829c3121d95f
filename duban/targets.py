"""Targets (95 % of schools with a counsellor): figures handed in, and whose of them count."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from duban.duty import Status
from duban.period import Every, period_of


@dataclass(frozen=True, slots=True)
class Ratio:
    """So many of so many; of one agency, or the sum of several. `lower` is never 0."""

    upper: int
    lower: int

    def __add__(self, other: "Ratio") -> "Ratio":
        return Ratio(self.upper + other.upper, self.lower + other.lower)

    def __str__(self) -> str:
        return f"{self.upper}/{self.lower}"

    @property
    def share(self) -> Fraction:
        """Exact, so that a target is reached or not whatever rounding shows."""
        return Fraction(self.upper, self.lower)

    @property
    def percent(self) -> float:
        """In per cent, rounded to one decimal, halves up; beside a target see `against`."""
        return rounded(self.share)

    def against(self, at_least: float) -> "Against":
        """It beside the per cent that a target asks for."""
        return Against(self.share, at_least)

    def since(self, before: "Ratio") -> float:
        """Percentage points more than before, from exact shares, rounded once."""
        return rounded(self.share - before.share)


def rounded(share: Fraction, decimals: int = 1) -> float:
    """A share, or a difference of shares, in per cent; halves go away from zero: 1/16 is 6.3.

    It is never -0.0.
    """
    amount = int(abs(share) * 100 * 10**decimals + Fraction(1, 2)) / 10**decimals
    return -amount if share < 0 and amount else amount


def written(points: float, sign: str = "") -> str:
    """Per cent or points with all their decimals, at least one; with a sign if `sign` is `+`."""
    return format(Decimal(str(points)), f"{sign}f")


@dataclass(frozen=True, slots=True)
class Against:
    """A share beside its target, as it is shown.

    It has one decimal, and as many more as it takes that what is short of the target does not look
    as if it had reached it: 94.96 beside 95.
    """

    share: Fraction
    at_least: float

    @property
    def reached(self) -> bool:
        """Decided on the exact share, not on the rounded one."""
        return self._beyond >= 0

    @property
    def decimals(self) -> int:
        """How many it is shown with."""
        return next(n for n in count(1) if self._honest(n))

    @property
    def percent(self) -> float:
        """The share in per cent."""
        return rounded(self.share, self.decimals)

    @property
    def distance(self) -> float:
        """Percentage points above the target, negative below; from the exact share."""
        return rounded(self._beyond, self.decimals)

    def __str__(self) -> str:
        return f"{written(self.percent)}%"

    @property
    def _beyond(self) -> Fraction:
        return self.share - Fraction(str(self.at_least)) / 100

    def _honest(self, decimals: int) -> bool:
        looks = rounded(self.share, decimals) >= self.at_least
        return self.reached or not (looks or rounded(self._beyond, decimals) == 0)


class HandedIn(Protocol):
    """A duty of a clause with a target, and what its agency handed in last.

    Attributes:
        figures: numerator and denominator; None if none came.
        nil: a nil return (零报告), which has none that count.
        heirs: ids of the agencies that took its agency's duties over, one after the other, when it
            left the files (机构改革); empty while it stands in them.
    """

    @property
    def agency(self) -> str: ...
    @property
    def period(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def nil(self) -> bool: ...
    @property
    def opened_at(self) -> datetime: ...
    @property
    def submitted_at(self) -> datetime | None: ...
    @property
    def figures(self) -> tuple[int, int] | None: ...
    @property
    def heirs(self) -> Sequence[str]: ...


H = TypeVar("H", bound=HandedIn)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How a clause's figures are told: by which kind of period, in which zone."""

    every: Every
    zone: ZoneInfo

    def spoken_of(self, one: HandedIn) -> str:
        """The period that figures speak of.

        Of a duty with periods of another kind, such as a single deadline, it is the period in
        which they were handed in.
        """
        return self.named(one.period, self._handed_in(one))

    def named(self, period: str, at: datetime) -> str:
        """A duty's period if it is of this kind, else the one that a moment lies in."""
        there = period_of(self.every, at.astimezone(self.zone).date()).name
        return period if _shape(period) == _shape(there) else there

    def periods(self, given: Iterable[HandedIn]) -> list[str]:
        """The periods of which anything was accepted, the oldest first."""
        return sorted({self.spoken_of(one) for one in given if _accepted(one)})

    def counted(self, given: Iterable[H], upto: str) -> list[H]:
        """Those whose figures count as of a period: the newest accepted ones of each agency.

        Those of an agency that is no more count until an heir of it has figures of a later
        period, which speak of the same schools.

        Args:
            given: duties of one clause.
            upto: the name of the period up to which figures are looked at.
        """
        newest: dict[str, tuple[str, H]] = {}
        for one in sorted(filter(_accepted, given), key=self.rank):
            if (period := self.spoken_of(one)) <= upto:
                newest[one.agency] = period, one
        return [
            one
            for period, one in newest.values()
            if all(newest[heir][0] <= period for heir in one.heirs if heir in newest)
        ]

    def rank(self, one: HandedIn) -> tuple[str, datetime]:
        """What makes figures newer than others: their period, then when they were handed in."""
        return self.spoken_of(one), self._handed_in(one)

    @staticmethod
    def _handed_in(one: HandedIn) -> datetime:
        return one.submitted_at or one.opened_at


def total(given: Iterable[HandedIn]) -> Ratio:
    """The sum of figures, of which there must be some."""
    upper, lower = zip(*(one.figures for one in given if one.figures), strict=True)
    return Ratio(sum(upper), sum(lower))


def _accepted(one: HandedIn) -> bool:
    return one.status is Status.ACCEPTED and one.figures is not None and not one.nil


def _shape(name: str) -> str:
    """2026Q3 and 2026-09 are names of different kinds of period."""
    return re.sub(r"\d", "0", name)
