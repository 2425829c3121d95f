"""What of a duty can be typed into a line of the 台账: remarks and figures, as cells show them."""

from datetime import date
from typing import Any

from duban.duty import WAITING
from duban.intake import suspects
from duban.ledger.questions import DutyView
from duban.registry import Clause
from duban.registry.evidence import (
    DateField,
    EvidenceField,
    Fault,
    FilesField,
    IntegerField,
    TextField,
)
from duban.sheets.gathering import PROBLEMS, PROGRESS, Known
from duban.sheets.reading import shown_text
from duban.xlsx import Cell, safe

NOTES = {"progress": PROGRESS, "problems": PROBLEMS}
MOST_NOTE = 2_000
"""Characters of progress or problems."""


def figures_of(clause: Clause) -> list[EvidenceField]:
    """The fields that a cell can hold: all but files."""
    return [field for field in clause.evidence if not isinstance(field, FilesField)]


def placed(clause: Clause) -> dict[str, EvidenceField]:
    """The figures by the keys of their columns."""
    return {f"value_{n}": one for n, one in enumerate(figures_of(clause), 1)}


def cell_of(field: EvidenceField, raw: str) -> Cell:
    """What was typed, as a cell shows it: a count as a number, a day as a day, the rest as text."""
    if not raw or not isinstance(field, IntegerField | DateField):
        return raw
    try:
        read = field.read(raw)
    except Fault:
        return raw
    return date.fromisoformat(read) if isinstance(read, str) else read


def raw_of(value: Any) -> str:
    """A value of evidence as it is typed; of a ratio it is a list."""
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore


def form_values(duty: DutyView, known: Known) -> dict[str, str]:
    """What the agency's form shows, by field: the draft, else the version that is to be mended."""
    if duty.status in WAITING and known.draft:
        return {key: text for key, text in known.draft.items() if not key.startswith("_")}
    return {key: raw_of(value) for key, value in known.own.fields.items()} if known.own else {}


def shown_values(duty: DutyView, known: Known) -> dict[str, str]:
    """The same, without text in which personal data was found: that does not leave the portal."""
    prose = {one.key for one in duty.clause.evidence if isinstance(one, TextField)}
    held = known.own is not None and known.own.suspect
    found = form_values(duty, known)
    return {k: text for k, text in found.items() if k not in prose or not (held or suspects(text))}


def note_of(known: Known, action: str) -> str:
    """The newest remark of a sort, unless it was erased."""
    event = known.notes.get(action)
    return event.text if event else ""


def typed_texts(duty: DutyView, known: Known) -> dict[str, str]:
    """What the cells that can be typed into give back when nobody typed, by key."""
    values = shown_values(duty, known)
    notes: dict[str, Cell] = {key: note_of(known, action) for key, action in NOTES.items()}
    figures = {
        key: cell_of(field, values.get(field.key, "")) for key, field in placed(duty.clause).items()
    }
    return {
        key: shown_text(safe(cell) if isinstance(cell, str) else cell)
        for key, cell in {**notes, **figures}.items()
    }
