"""A notice and its responsibility clauses, as `<notice>/clauses.yaml` writes them."""

import hashlib
import re
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from duban.calendar import Calendar, CountedDay, Shift, WorkCalendar
from duban.period import DayInPeriod, Every, Period
from duban.registry.evidence import EvidenceField, RatioField

ClauseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]*$")]


LAST_SECOND = time(23, 59, 59)


class Strict(BaseModel):
    """A model that refuses keys it does not know and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Modality(StrEnum):
    """How firmly the notice speaks."""

    BINDING = "binding"
    SOFT = "soft"  # 鼓励, 探索, 支持, 关注: kept out of overdue figures
    EXHORTATION = "exhortation"  # recorded, not tracked


class Role(StrEnum):
    """What a department does in a clause."""

    LEAD = "lead"  # 牵头
    CO = "co-responsible"  # 共同负责
    EXECUTOR = "executor"  # 实施
    SUPERVISOR = "supervisor"  # 指导监督


class Basis(StrEnum):
    """Where a statement comes from: the notice's words, its plan, an inference, or our policy."""

    TEXT = "text"
    PLAN = "plan"
    IMPLIED = "implied"
    POLICY = "policy"


class Part(Strict):
    """A department's part in a clause.

    `name` is a department, or a name the notice uses that agencies.yaml lets others act for.
    """

    name: str
    role: Role
    basis: Basis = Basis.TEXT
    level: str | None = None
    note: str = ""


class Cycle(Strict):
    """When duties of a clause open and fall due.

    `opens` and `due` are days in the period (see `duban.period.DayInPeriod`) in the notice's time
    zone; `cut_off` is the time of the due day up to which evidence is on time (24:00 is its end).
    No period opens after `until`; `until: done` ends an agency's cycle with its first accepted
    evidence that shows the matter done. `after` makes it begin only then. `shift` says where a due
    day goes that is no working day; with `school`, school holidays are none either.
    """

    name: Literal["report", "review", "target"]
    every: Every
    opens: str
    due: str
    cut_off: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")] = "24:00"
    until: date | Literal["done"] | None = None
    after: Literal["report", "review", "target"] | None = None
    shift: str = "none"
    school: bool = False
    basis: Basis
    note: str = ""

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        for which in ("opens", "due"):
            DayInPeriod.parse(getattr(self, which), self.every)
        if Shift.parse(self.shift).steps and self.every is Every.ONCE and self.basis is Basis.TEXT:
            raise ValueError(
                "the notice prints this deadline, so it is not shifted; take out shift"
            )
        if self.opens.endswith("end") or self._opening.day > 28:
            raise ValueError("opens must be a day that every month has; write one up to 28")
        any_period = Period(self.every, None if self.every is Every.ONCE else date(2024, 9, 1))
        if self._due_day.on(any_period) < self._opening.on(any_period):
            raise ValueError(f"due {self.due} comes before opens {self.opens}; swap or mend them")
        return self

    @cached_property
    def _opening(self) -> DayInPeriod:
        return DayInPeriod.parse(self.opens, self.every)

    @cached_property
    def _due_day(self) -> DayInPeriod:
        return DayInPeriod.parse(self.due, self.every)

    def opens_on(self, period: Period) -> date:
        """The civil day on which the period's duties open."""
        return self._opening.on(period)

    def due_on(self, period: Period) -> date:
        """The civil day by whose cut-off evidence is due, before any shift."""
        return self._due_day.on(period)

    def due_day(self, period: Period, calendar: Calendar) -> CountedDay:
        """The due day as the shift puts it in a calendar."""
        return calendar.shifted(self.due_on(period), Shift.parse(self.shift))


def instant(day: date, cut_off: str, zone: ZoneInfo) -> datetime:
    """The moment of a cut-off on a civil day; 24:00 is the last second of the day.

    Conventions: a period set in days ends at 24:00 of its last day (民法典 art. 203).
    """
    if cut_off == "24:00":
        return datetime.combine(day, LAST_SECOND, zone)
    return datetime.combine(day, time.fromisoformat(cut_off), zone)


def clock(local: datetime) -> str:
    """The time of day of a local moment as `instant` takes it: the last second is 24:00."""
    return "24:00" if local.time() >= LAST_SECOND else f"{local:%H:%M}"


class Target(Strict):
    """A figure to reach: the ratio field that shows it and the percentage asked for.

    `each`: every region has to reach it, not only all of them together.
    """

    field: str
    at_least: Annotated[float, Field(gt=0, le=100)]
    each: bool = False


class Clause(Strict):
    """One directive of a notice: its exact words, who answers for it, how often, what proves it.

    `keep` is for how many years after a duty is closed its evidence files are kept (policy).
    """

    id: ClauseId
    section: str
    title: Annotated[str, Field(min_length=2, max_length=30)]
    quote: Annotated[str, Field(min_length=2)]
    modality: Modality
    level: str = ""
    departments: tuple[Part, ...] = ()
    reports: Literal["lead", "each"] = "lead"
    cycles: tuple[Cycle, ...] = ()
    evidence: tuple[EvidenceField, ...] = ()
    target: Target | None = None
    done: str | None = None
    ladder: str | None = None
    keep: Annotated[int, Field(ge=1, le=100)] = 5
    notes: tuple[str, ...] = ()

    @property
    def tracked(self) -> bool:
        """Exhortations are recorded, everything else is chased."""
        return self.modality is not Modality.EXHORTATION

    @property
    def soft(self) -> bool:
        """A soft clause's duties are never counted as overdue."""
        return self.modality is Modality.SOFT

    @cached_property
    def version(self) -> str:
        """Twelve hex digits of the content's SHA-256; a duty keeps the one it opened under."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()[:12]

    def cycle(self, name: str) -> Cycle:
        """The cycle of that name; KeyError when the clause has none."""
        return {cycle.name: cycle for cycle in self.cycles}[name]

    def field(self, key: str) -> EvidenceField | None:
        """The evidence field of that key."""
        return next((field for field in self.evidence if field.key == key), None)

    @property
    def told_every(self) -> Every:
        """The kind of period by which a target is told; of what is asked once, quarters."""
        kinds = (cycle.every for cycle in self.cycles if cycle.every is not Every.ONCE)
        return next(kinds, Every.QUARTER)

    def is_done(self, values: dict[str, object]) -> bool:
        """Whether evidence shows the matter finished: `done` is filled, or the target met."""
        if self.target:
            field = self.field(self.target.field)
            return isinstance(field, RatioField) and field.percent(values) >= self.target.at_least
        return bool(self.done and values.get(self.done))

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> list[str]:
        if not self.tracked:
            wrong = self.cycles or self.evidence
            return (
                ["an exhortation is not tracked; take out its cycles and evidence"] if wrong else []
            )
        faults = [
            f"a tracked clause needs {what}"
            for what, value in (
                ("level", self.level),
                ("departments", self.departments),
                ("cycles", self.cycles),
                ("evidence", self.evidence),
            )
            if not value
        ]
        return faults + self._field_faults() + self._cycle_faults()

    def _field_faults(self) -> list[str]:
        keys = [field.key for field in self.evidence]
        faults = [f"evidence key '{key}' stands twice; rename one" for key in _twice(keys)]
        if self.target and not isinstance(self.field(self.target.field), RatioField):
            faults.append(f"target names '{self.target.field}'; it must be a ratio in evidence")
        if self.done and self.done not in keys:
            faults.append(f"done names '{self.done}'; it must be a field in evidence")
        return faults

    def _cycle_faults(self) -> list[str]:
        names = [cycle.name for cycle in self.cycles]
        faults = [f"cycle '{name}' stands twice; rename one" for name in _twice(names)]
        can_end = bool(self.done or self.target)
        for cycle in self.cycles:
            if cycle.after and cycle.after not in names:
                faults.append(f"cycle '{cycle.name}' comes after '{cycle.after}', which is missing")
            if (cycle.until == "done" or cycle.after) and not can_end:
                faults.append("nothing says when it is done; name a field in done, or set a target")
        return faults


class NotDirective(Strict):
    """A passage that lays a duty on nobody, and why."""

    quote: str
    why: Literal["heading", "addressees", "lead-in", "purpose", "goal", "attachment", "signature"]


class Notice(Strict):
    """The head of clauses.yaml: which document this is."""

    number: str
    label: Annotated[str, Field(max_length=20)]
    issuer: str
    issued: date
    language: Literal["zh", "en"]
    timezone: str
    region: str
    text_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    calendar: WorkCalendar = WorkCalendar.WEEKDAYS
    prefix: str = ""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"no time zone is called '{name}'; write one like Asia/Shanghai")
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the notice's civil days are read."""
        return ZoneInfo(self.timezone)


class ClausesFile(Strict):
    """All of clauses.yaml."""

    notice: Notice
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1)]
    not_directive: tuple[NotDirective, ...] = ()


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def natural(clause_id: str) -> tuple[tuple[int, str], ...]:
    """A sort key that puts 3.10 after 3.9."""
    parts: list[str] = re.findall(r"\d+|\D+", clause_id)
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in parts)
