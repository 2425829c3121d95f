"""Loads one notice and places its clauses: which agencies its departments turn out to be."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from duban.errors import InvalidRegistry, Problem
from duban.registry.agencies import Agency
from duban.registry.clauses import Clause, ClausesFile, Notice, Part, Role, natural
from duban.registry.compose import Composition
from duban.registry.model import LoadedNotice, PlacedClause
from duban.registry.parsing import parse
from duban.registry.yamlfile import Place, Read, YamlFile


@dataclass
class NoticeFolder:
    """A notice's folder, read against the agencies.

    Raises:
        InvalidRegistry: a file that cannot be read at all; lesser faults gather in `problems`.
    """

    id: str
    path: Path
    shown_as: str
    composition: Composition
    read: Read = Path.read_bytes
    problems: list[Problem] = field(default_factory=list[Problem])

    def __post_init__(self) -> None:
        name = f"{self.shown_as}/clauses.yaml"
        self.file = YamlFile(self.path / "clauses.yaml", name, self.read)
        self.parsed = parse(self.file, ClausesFile)
        text = _NoticeText(self.file, self.path / "notice.txt", self.read)
        self.problems += text.problems(self.parsed)
        self._check_ids()
        self.notice = LoadedNotice(self.id, self.parsed, text.text)
        self.clauses = self._placed()

    def _fault(self, place: Place, what: str, hint: str) -> None:
        self.problems.append(self.file.problem(place, what, hint))

    def _check_ids(self) -> None:
        seen: set[str] = set()
        for position, clause in enumerate(self.parsed.clauses):
            if clause.id in seen:
                what = f"clause id '{clause.id}' stands twice"
                self._fault(("clauses", position, "id"), what, "give each clause its own")
            seen.add(clause.id)

    def _placed(self) -> dict[str, PlacedClause]:
        placed = [
            self._place(clause, ("clauses", position))
            for position, clause in enumerate(self.parsed.clauses)
        ]
        in_order = sorted(placed, key=lambda one: natural(one.clause.id))
        return {one.key: one for one in in_order}

    def _place(self, clause: Clause, place: Place) -> PlacedClause:
        reporting: dict[str, Agency] = {}
        copied: dict[str, tuple[Agency, ...]] = {}
        leads: set[str] = set()
        for region_id, region in self.composition.parsed.regions.items():
            parts = [
                (part, agency)
                for n, part in enumerate(clause.departments)
                if (part.level or clause.level) == region.level
                for agency in self._agencies_of(part, region_id, (*place, "departments", n))
            ]
            here = {agency.id: agency for _, agency in parts}
            roles = [(part.role, agency) for part, agency in parts]
            for agency in _reporters(clause, parts):
                reporting[agency.id] = agency
                others = (one for one in here.values() if one.id != agency.id)
                copied[agency.id] = tuple(others) if clause.reports == "lead" else ()
                if clause.reports == "lead" or (Role.LEAD, agency) in roles:
                    leads.add(agency.id)
        if clause.ladder is not None and clause.ladder not in self.composition.ladders:
            hint = f"write one of {', '.join(self.composition.ladders)}"
            self._fault((*place, "ladder"), f"ladder '{clause.ladder}' is not known", hint)
        unknown = any(not self.composition.acting(part.name) for part in clause.departments)
        if clause.tracked and not reporting and not unknown:
            what = f"clause {clause.id} has no agency that reports"
            hint = "give a department the role lead or supervisor at a level that regions have"
            self._fault(place, what, hint)
        reporters = tuple(reporting.values())
        return PlacedClause(clause, self.id, self.notice_head, reporters, copied, frozenset(leads))

    @property
    def notice_head(self) -> Notice:
        """The head of clauses.yaml."""
        return self.parsed.notice

    def _agencies_of(self, part: Part, region_id: str, place: Place) -> list[Agency]:
        departments = self.composition.acting(part.name)
        if not departments:
            what = f"'{part.name}' is no department and nobody stands in for it"
            self._fault(place, what, "add it to departments or stand_ins in agencies.yaml")
        found: list[Agency] = []
        for department_id in departments:
            agency = self.composition.agency_or_deputy(f"{region_id}/{department_id}")
            if agency is not None:
                found.append(agency)
            elif departments == (part.name,):
                what = f"department '{part.name}' has no agency in {region_id}"
                hint = "name it at that level in agencies.yaml, or say who acts with acted_by"
                self._fault(place, what, hint)
        return found


def _reporters(clause: Clause, parts: list[tuple[Part, Agency]]) -> list[Agency]:
    """Who reports in one region: the lead (else the first supervisor), or each that has a part."""
    by_role = {role: [agency for part, agency in parts if part.role is role] for role in Role}
    if clause.reports == "each":
        return list({a.id: a for a in by_role[Role.LEAD] + by_role[Role.CO]}.values())
    return (by_role[Role.LEAD] or by_role[Role.SUPERVISOR])[:1]


@dataclass
class _NoticeText:
    """The notice's words, and what clauses.yaml says of them."""

    file: YamlFile
    path: Path
    read: Read

    def __post_init__(self) -> None:
        try:
            self.bytes = self.read(self.path)
            self.text = self.bytes.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            what, hint = (
                f"{self.path.name} cannot be read",
                "put the notice's text there as UTF-8",
            )
            raise InvalidRegistry([self.file.problem(("notice",), what, hint)]) from error

    def problems(self, parsed: ClausesFile) -> list[Problem]:
        found: list[Problem] = []
        digest = hashlib.sha256(self.bytes).hexdigest()
        amended = digest != parsed.notice.text_sha256
        if amended:
            what = f"{self.path.name} is not the text these clauses were read from"
            hint = f"restore it, or review every quote and set text_sha256 to {digest}"
            found.append(self.file.problem(("notice", "text_sha256"), what, hint))
        quotes: list[tuple[Place, str, str]] = [
            (("clauses", n, "quote"), f"the quote of clause {clause.id}", clause.quote)
            for n, clause in enumerate(parsed.clauses)
        ] + [
            (("not_directive", n, "quote"), "a not_directive quote", passage.quote)
            for n, passage in enumerate(parsed.not_directive)
        ]
        for place, whose, quote in quotes:
            if quote not in self.text:
                found.append(self._missing(place, whose, quote, amended))
        return found

    def _missing(self, place: Place, whose: str, quote: str, amended: bool) -> Problem:
        """Where the text was amended, the quote is told, since the clause may have to go."""
        if not amended:
            what, hint = f"{whose} is not in {self.path.name}", "copy it from there to the letter"
        else:
            what = f"{whose} no longer holds, “{quote}”"
            hint = f"quote what {self.path.name} says now, or take the clause out"
        return self.file.problem(place, what, hint)
