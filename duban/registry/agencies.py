"""Who answers: regions, departments and the agencies made of them, as agencies.yaml writes it."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from duban.registry.clauses import Basis, Strict
from duban.registry.papers import PapersFile

_EMAIL = re.compile(r"[^@\s:/]+@[^@\s:/]+\.[^@\s:/]+")
_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class Region(Strict):
    """A province, a city …: `level` is the word that departments' names and clauses use."""

    name: str
    level: str
    within: str | None = None
    code: str = ""


class Department(Strict):
    """A line of work; `names` is its agency's name at each level, `{region}` the region's."""

    names: Annotated[dict[str, str], Field(min_length=1)]
    office: str = ""


class StandIn(Strict):
    """A name the notice uses for which departments act: `acts` lists them, `all` is every one."""

    acts: tuple[str, ...] | Literal["all"]
    basis: Basis = Basis.IMPLIED
    note: str = ""


class Contact(Strict):
    """How an agency is reached: the office, its telephone, and where letters go.

    `channel` is an e-mail address, or an Apprise address whose secret part is a `${NAME}` from
    the environment; without one, letters go to the drop folder. `userid` is whom a robot's
    letter calls with an @.
    """

    office: str = ""
    telephone: str = ""
    channel: str | None = None
    userid: str = ""

    @field_validator("channel")
    @classmethod
    def _is_address(cls, channel: str | None) -> str | None:
        if channel is None or _EMAIL.fullmatch(channel) or _REFERENCE.search(channel):
            return channel
        if "://" in channel:
            raise ValueError("an Apprise address holds a secret; put that part into a ${NAME}")
        raise ValueError(f"'{channel}' is no address; write name@host or scheme://${{NAME}}")

    @property
    def references(self) -> list[str]:
        """The environment variables the channel needs."""
        return _REFERENCE.findall(self.channel or "")


class Override(Strict):
    """What differs for one agency from what composition gives it."""

    name: str | None = None
    absent: bool = False
    acted_by: str | None = None
    superior: str | None = None
    ladder: str | None = None
    contact: Contact | None = None


class AgenciesFile(Strict):
    """All of agencies.yaml."""

    notices: Annotated[tuple[str, ...], Field(min_length=1)]
    coordinator: str
    regions: Annotated[dict[str, Region], Field(min_length=1)]
    departments: Annotated[dict[str, Department], Field(min_length=1)]
    stand_ins: dict[str, StandIn] = {}
    agencies: dict[str, Override] = {}
    papers: PapersFile = PapersFile()


class Agency(Strict):
    """A department of a region, such as 太原/妇联, and how to reach it."""

    id: str
    name: str
    region: str
    region_name: str
    level: str
    department: str
    superior: str | None
    contact: Contact
    ladder: str | None = None
