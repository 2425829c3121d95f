"""Periods and the civil days in them: pure arithmetic on dates, no clock and no time zone.

A period is named `2026`, `2026H1`, `2026Q3`, `2026-09`, `SY2026` (the school year that begins in
September 2026) or `once`.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

SCHOOL_YEAR_BEGINS = 9  # month; Chinese school years run 1 September to 31 August


class Every(StrEnum):
    """How often a cycle comes round."""

    ONCE = "once"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"
    SCHOOL_YEAR = "school-year"

    @property
    def months(self) -> int:
        """Length in months; 0 for once."""
        return _MONTHS[self]


_MONTHS = {
    Every.ONCE: 0,
    Every.MONTH: 1,
    Every.QUARTER: 3,
    Every.HALF_YEAR: 6,
    Every.YEAR: 12,
    Every.SCHOOL_YEAR: 12,
}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One turn of a cycle. `start` is its first day; None for once, which has no bounds."""

    every: Every
    start: date | None = None

    @property
    def name(self) -> str:
        """The stable name under which duties of this period are kept."""
        if self.start is None:
            return "once"
        year, month = self.start.year, self.start.month
        match self.every:
            case Every.MONTH:
                return f"{year}-{month:02}"
            case Every.QUARTER:
                return f"{year}Q{(month + 2) // 3}"
            case Every.HALF_YEAR:
                return f"{year}H{1 if month == 1 else 2}"
            case Every.SCHOOL_YEAR:
                return f"SY{year}"
            case _:
                return str(year)

    @property
    def next(self) -> "Period":
        """The period that follows; once is followed by itself."""
        return self._moved(1)

    @property
    def previous(self) -> "Period":
        """The period before; once is preceded by itself."""
        return self._moved(-1)

    def _moved(self, steps: int) -> "Period":
        if self.start is None:
            return self
        return Period(self.every, add_months(self.start, steps * self.every.months))


def period_of(every: Every, day: date) -> Period:
    """The period of this kind that contains the day."""
    if every is Every.ONCE:
        return Period(every)
    if every is Every.SCHOOL_YEAR:
        year = day.year if day.month >= SCHOOL_YEAR_BEGINS else day.year - 1
        return Period(every, date(year, SCHOOL_YEAR_BEGINS, 1))
    first_month = (day.month - 1) // every.months * every.months + 1
    return Period(every, date(day.year, first_month, 1))


def period_named(name: str) -> Period | None:
    """The period with bounds that bears a name; None if none does."""
    year = name.removeprefix("SY")[:4]
    if not (len(year) == 4 and year.isascii() and year.isdecimal() and "0001" < year < "9999"):
        return None
    first_days = [date(int(year), month, 1) for month in range(1, 13)]
    found = (period_of(every, day) for every in Every if every.months for day in first_days)
    return next((one for one in found if one.name == name), None)


def add_months(first_of_month: date, months: int) -> date:
    """The first day of the month so many months later (or earlier)."""
    index = first_of_month.year * 12 + first_of_month.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class DayInPeriod:
    """A day as clauses.yaml writes it, to be placed in any period of a kind.

    `12-10` is 10 December of the year (of a school year: of the year that month falls in);
    `M3-25` is the 25th of the third month of a month, quarter or half-year; `end` is a month's
    last day; a leading `+` means the following period; `2025-12-31` is one date, for once.
    """

    text: str
    month: int
    day: int  # 0: the month's last
    year: int | None = None
    following: bool = False

    @classmethod
    def parse(cls, text: str, every: Every) -> "DayInPeriod":
        """Reads the notation for one kind of period.

        Raises:
            ValueError: the text does not fit the kind; the message says what would.
        """
        if every is Every.ONCE:
            return cls._parse_date(text)
        match = re.fullmatch(r"(\+?)(M?)(\d{1,2})-(\d{1,2}|end)", text)
        yearly = every.months == 12
        if not match or bool(match[2]) == yearly:
            example = "12-10 or +01-15" if yearly else "M1-05, M1-end or +M1-10"
            raise ValueError(f"'{text}' is no day of a {every}; write one like {example}")
        month, day = int(match[3]), 0 if match[4] == "end" else int(match[4])
        if not 1 <= month <= every.months or (match[4] != "end" and not 1 <= day <= 31):
            raise ValueError(f"'{text}' has no such month or day in a {every}")
        return cls(text, month, day, following=bool(match[1]))

    @classmethod
    def _parse_date(cls, text: str) -> "DayInPeriod":
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"'{text}' is no date; once needs one like 2025-12-31") from error
        return cls(text, day.month, day.day, year=day.year)

    def on(self, period: Period) -> date:
        """The civil date in this period; a day that the month lacks becomes its last."""
        if self.year is not None:
            return date(self.year, self.month, self.day)
        start = (period.next if self.following else period).start
        assert start is not None, "a day without a year belongs to a repeating period"
        month = add_months(start, self._months_into(period.every))
        last = monthrange(month.year, month.month)[1]
        return month.replace(day=min(self.day or last, last))

    def _months_into(self, every: Every) -> int:
        if every is Every.SCHOOL_YEAR:
            return (self.month - SCHOOL_YEAR_BEGINS) % 12
        return self.month - 1
