"""The registry: everything the files say, once it is known to hold together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from duban.calendar import Calendar
from duban.ladder import Ladder
from duban.registry.agencies import Agency
from duban.registry.clauses import Clause, ClausesFile, Notice
from duban.registry.policy import Policy


@dataclass(frozen=True, slots=True)
class PlacedClause:
    """A clause with its notice and the agencies that its departments turn out to be."""

    clause: Clause
    notice_id: str
    notice: Notice
    reporters: tuple[Agency, ...]
    copied: Mapping[str, tuple[Agency, ...]]
    """Reporter's agency id → the agencies of the same region that share in the clause."""
    leads: frozenset[str] = frozenset()
    """Ids of the reporters that lead; the others answer beside them (共同负责)."""

    @property
    def key(self) -> str:
        """The clause's name among all notices, `shanxi-2023-6/3.4c`."""
        return f"{self.notice_id}/{self.clause.id}"

    @property
    def number(self) -> str:
        """The clause's number as screens show it: with the notice's prefix, if it has one."""
        return f"{self.notice.prefix}{self.clause.id}"

    def parts_of(self, agency: Agency) -> tuple[tuple[Agency, ...], tuple[Agency, ...]]:
        """Who leads a duty of an agency (牵头), and who shares in it (配合).

        Where each reports, one beside a lead names that lead, and where none leads, everybody
        leads its own part.
        """
        near = [one for one in self.reporters if one.region == agency.region]
        leads = tuple(one for one in near if one.id in self.leads)
        others = tuple(one for one in near if one.id not in self.leads)
        if agency.id in self.leads:
            return (agency,), self.copied.get(agency.id) or others
        return (leads, others) if leads and agency in near else ((agency,), ())


@dataclass(frozen=True, slots=True)
class LoadedNotice:
    """A notice: its head, its text and what in it lays a duty on nobody."""

    id: str
    file: ClausesFile
    text: str


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything the files say, cross-checked."""

    notices: Mapping[str, LoadedNotice]
    agencies: Mapping[str, Agency]
    clauses: Mapping[str, PlacedClause]
    coordinator: Agency
    policy: Policy

    def calendar(self, clause_key: str, agency_id: str, *, school: bool = False) -> Calendar:
        """The working days of an agency's region under a clause's notice."""
        notice = self.notices[clause_key.partition("/")[0]].file.notice
        region = agency_id.partition("/")[0]
        return self.policy.calendar(notice.calendar, region, school=school)

    def ladder(self, clause_key: str, agency_id: str) -> Ladder:
        """The clause's ladder, else the agency's, else the rule."""
        placed, agency = self.clauses.get(clause_key), self.agencies.get(agency_id)
        named = (placed and placed.clause.ladder) or (agency and agency.ladder)
        return self.policy.ladders[named or self.policy.default]

    @property
    def tracked(self) -> list[PlacedClause]:
        """The clauses that are chased, in the notices' order."""
        return [placed for placed in self.clauses.values() if placed.clause.tracked]

    @property
    def language(self) -> str:
        """The language of the first notice, in which screens and file names speak."""
        return self.first_notice.language

    @property
    def first_notice(self) -> Notice:
        """The notice whose language and time zone hold for what belongs to none alone."""
        return next(iter(self.notices.values())).file.notice

    def today(self, now: datetime) -> date:
        """The civil day in the first notice's zone."""
        return now.astimezone(self.first_notice.zone).date()

    def name_of(self, agency_id: str) -> str:
        """An agency's name; its id once it has left agencies.yaml."""
        found = self.agencies.get(agency_id)
        return found.name if found else agency_id

    @property
    def unreachable(self) -> list[Agency]:
        """Agencies without an address of their own; their letters go to the drop folder."""
        return [agency for agency in self.agencies.values() if not agency.contact.channel]

    def find_clause(self, name: str) -> PlacedClause | None:
        """By key, or by number where only one notice has it."""
        if name in self.clauses:
            return self.clauses[name]
        found = [
            placed for placed in self.clauses.values() if name in (placed.number, placed.clause.id)
        ]
        return found[0] if len(found) == 1 else None

    def find_agency(self, name: str) -> Agency | None:
        """By id or by name."""
        named = (agency for agency in self.agencies.values() if agency.name == name)
        return self.agencies.get(name) or next(named, None)
