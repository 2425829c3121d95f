"""Composes agencies: departments × regions, then what agencies.yaml writes out as different."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from duban.errors import Problem
from duban.registry.agencies import AgenciesFile, Agency, Contact, Department, Override, Region
from duban.registry.yamlfile import Place, YamlFile


@dataclass
class Composition:
    """The agencies that a file makes, who acts for whom, and what is wrong with it.

    Args:
        environment: where the `${NAME}`s of channels must be set.
        ladders: the names of the ladders that an agency may be given.
    """

    file: YamlFile
    parsed: AgenciesFile
    environment: Mapping[str, str]
    ladders: Collection[str] = ("default",)
    problems: list[Problem] = field(default_factory=list[Problem])
    agencies: dict[str, Agency] = field(default_factory=dict[str, Agency])

    def __post_init__(self) -> None:
        self.agencies = self._compose()
        if self.parsed.coordinator not in self.agencies:
            what = f"coordinator '{self.parsed.coordinator}' is no agency"
            self._agency_fault(("coordinator",), what, "write region/department")

    def acting(self, name: str) -> tuple[str, ...]:
        """The departments that act under a name; none when nobody does."""
        stand_in = self.parsed.stand_ins.get(name)
        if stand_in is None:
            return (name,) if name in self.parsed.departments else ()
        return tuple(self.parsed.departments) if stand_in.acts == "all" else stand_in.acts

    def agency_or_deputy(self, agency_id: str) -> Agency | None:
        """The agency, or the one that agencies.yaml lets act for it."""
        override = self.parsed.agencies.get(agency_id)
        if override and override.acted_by:
            return self.agencies.get(override.acted_by)
        return self.agencies.get(agency_id)

    def _agency_fault(self, place: Place, what: str, hint: str) -> None:
        self.problems.append(self.file.problem(place, what, hint))

    def _compose(self) -> dict[str, Agency]:
        self._check_regions()
        known = {
            f"{region_id}/{department_id}"
            for region_id, region in self.parsed.regions.items()
            for department_id, department in self.parsed.departments.items()
            if region.level in department.names
        }
        self._check_overrides(known)
        agencies = {
            agency.id: agency
            for region_id in self.parsed.regions
            for department_id in self.parsed.departments
            if f"{region_id}/{department_id}" in known
            and (agency := self._agency(region_id, department_id))
        }
        self._check_names(agencies)
        return agencies

    def _check_regions(self) -> None:
        levels = {region.level for region in self.parsed.regions.values()}
        for region_id, region in self.parsed.regions.items():
            if region.within is not None and region.within not in self.parsed.regions:
                what = f"region '{region_id}' lies within '{region.within}', which is no region"
                self._agency_fault(("regions", region_id, "within"), what, "name one of regions")
        for department_id, department in self.parsed.departments.items():
            for level in set(department.names) - levels:
                what = f"'{department_id}' is named at level '{level}', which no region has"
                place = ("departments", department_id, "names", level)
                self._agency_fault(place, what, f"use one of {', '.join(sorted(levels))}")
        for name, stand_in in self.parsed.stand_ins.items():
            for acting in () if stand_in.acts == "all" else stand_in.acts:
                if acting not in self.parsed.departments:
                    what = f"'{acting}' is to act for '{name}' but is no department"
                    self._agency_fault(("stand_ins", name), what, "name one of departments")

    def _check_overrides(self, known: set[str]) -> None:
        for agency_id, override in self.parsed.agencies.items():
            place = ("agencies", agency_id)
            if agency_id not in known:
                what = f"'{agency_id}' is no agency"
                self._agency_fault(place, what, "write region/department as named above")
            for which, other in (
                ("acted_by", override.acted_by),
                ("superior", override.superior),
            ):
                if other is not None and other not in known:
                    what = f"{which} '{other}' is no agency"
                    self._agency_fault((*place, which), what, "write region/department")
            if override.ladder is not None and override.ladder not in self.ladders:
                what = f"ladder '{override.ladder}' is not known"
                hint = f"write one of {', '.join(self.ladders)}"
                self._agency_fault((*place, "ladder"), what, hint)
            for variable in override.contact.references if override.contact else []:
                if not self.environment.get(variable):
                    what = f"the environment variable {variable} is not set"
                    hint = f"set it before starting, or take ${{{variable}}} out"
                    self._agency_fault((*place, "contact", "channel"), what, hint)

    def _check_names(self, agencies: dict[str, Agency]) -> None:
        seen: dict[str, str] = {}
        for agency in agencies.values():
            if agency.name in seen:
                what = f"{seen[agency.name]} and {agency.id} bear the same name '{agency.name}'"
                place = ("departments", agency.department)
                self._agency_fault(place, what, "give one of them another name")
            seen[agency.name] = agency.id

    def _agency(self, region_id: str, department_id: str) -> Agency | None:
        region = self.parsed.regions[region_id]
        department = self.parsed.departments[department_id]
        override = self.parsed.agencies.get(f"{region_id}/{department_id}", Override())
        if override.absent or override.acted_by:
            return None
        name = override.name or department.names[region.level].replace("{region}", region.name)
        return Agency(
            id=f"{region_id}/{department_id}",
            name=name,
            region=region_id,
            region_name=region.name,
            level=region.level,
            department=department_id,
            superior=override.superior or self._superior(region, department_id, department),
            contact=_contact(department, override.contact),
            ladder=override.ladder,
        )

    def _superior(self, region: Region, name: str, department: Department) -> str | None:
        """The same department one region up: the line along which a chase escalates."""
        above = self.parsed.regions.get(region.within or "")
        return f"{region.within}/{name}" if above and above.level in department.names else None


def _contact(department: Department, written: Contact | None) -> Contact:
    """The contact written out; its office is the department's unless it names another."""
    if written is None:
        return Contact(office=department.office)
    return written if written.office else written.model_copy(update={"office": department.office})
