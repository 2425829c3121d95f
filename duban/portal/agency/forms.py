"""What comes in by an agency's form: raw text by field, and whom to ask about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from starlette.datastructures import FormData, UploadFile

from duban.evidence import Complaint
from duban.ledger.reviewing import Version
from duban.registry import Clause
from duban.registry.evidence import Fault, FilesField, RatioField, plain, read_day

DATED, PERSON, TELEPHONE = "_dated", "_person", "_telephone"
"""Keys beside those of evidence fields, which begin with a letter."""
BESIDE = (DATED, PERSON, TELEPHONE)

MOST_NAME, MOST_TELEPHONE = 60, 40
_TELEPHONE = re.compile(r"[+()\d（）\- 转,，/]{5,40}")


@dataclass(frozen=True)
class Typed:
    """The raw texts of a form."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    dated: str = ""
    person: str = ""
    telephone: str = ""

    @classmethod
    def of_form(cls, clause: Clause, form: FormData) -> "Typed":
        """What was typed for the fields of a clause."""
        keys = [one for one in clause.evidence if not isinstance(one, FilesField)]
        fields = {one.key: _raw(form, one.key, isinstance(one, RatioField)) for one in keys}
        return cls(fields, text(form, DATED), text(form, PERSON), text(form, TELEPHONE))

    @classmethod
    def of_draft(cls, draft: Mapping[str, str], person: str, telephone: str) -> "Typed":
        """What was kept for later."""
        fields = {key: value for key, value in draft.items() if not key.startswith("_")}
        return cls(fields, draft.get(DATED, ""), person, telephone)

    @classmethod
    def of_version(cls, version: Version, person: str, telephone: str) -> "Typed":
        """What was handed in before, to be mended."""
        fields = {key: _again(value) for key, value in version.fields.items()}
        return cls(fields, version.dated.isoformat() if version.dated else "", person, telephone)

    @property
    def draft(self) -> dict[str, str]:
        """What is kept for later; a person's name and number are not."""
        return {**{key: value for key, value in self.fields.items() if value}, DATED: self.dated}

    def day(self, today: date) -> tuple[date | None, list[Complaint]]:
        """The civil day that the evidence speaks of, and what is wrong with it."""
        if not self.dated:
            return None, []
        try:
            day = read_day(self.dated)
        except Fault as fault:
            return None, [Complaint(DATED, DATED, fault)]
        future = [Complaint(DATED, DATED, Fault("future", day=day))]
        return day, future if day > today else []

    def who(self) -> list[Complaint]:
        """What is wrong with the name and the number."""
        faults = {PERSON: _person_fault(self.person), TELEPHONE: _telephone_fault(self.telephone)}
        return [Complaint(key, key, fault) for key, fault in faults.items() if fault]


def text(form: FormData, name: str) -> str:
    """A text of a form, made plain; empty when it is not there."""
    given = form.get(name)
    return plain(given) if isinstance(given, str) else ""


def uploads(form: FormData, key: str) -> list[UploadFile]:
    """The files that a form without script brings for a field."""
    given = form.getlist(f"file.{key}")
    return [one for one in given if isinstance(one, UploadFile) and one.filename]


def _again(value: Any) -> str:
    """A value of a version as it is typed; of a ratio it is a list."""
    return "/".join(map(str, cast(list[int], value))) if isinstance(value, list) else str(value)


def _raw(form: FormData, key: str, ratio: bool) -> str:
    if not ratio:
        return text(form, key)
    upper, lower = text(form, f"{key}.upper"), text(form, f"{key}.lower")
    return f"{upper}/{lower}" if upper or lower else ""


def _person_fault(given: str) -> Fault | None:
    if not given:
        return Fault("missing")
    return Fault("too-long", count=len(given), max=MOST_NAME) if len(given) > MOST_NAME else None


def _telephone_fault(given: str) -> Fault | None:
    if not given:
        return Fault("missing")
    sound = _TELEPHONE.fullmatch(given) and sum(map(str.isdigit, given)) >= 5
    return None if sound else Fault("no-telephone", given=given[:MOST_TELEPHONE])
