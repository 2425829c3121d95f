"""The columns of the 台账, and what each says of a duty."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from duban.duty import WAITING
from duban.ledger import Ledger
from duban.ledger.questions import DutyView
from duban.registry import Agency
from duban.registry.evidence import (
    DateField,
    EvidenceField,
    IntegerField,
    RatioField,
    TextField,
)
from duban.sheets.cells import MOST_NOTE, NOTES, cell_of, figures_of, note_of, shown_values
from duban.sheets.gathering import Known
from duban.sheets.stamps import PAST, stamp
from duban.sheets.texts import Texts
from duban.words import Words, event_words, period_prose, section_words
from duban.xlsx import FILLS, Cell, Column, Look

BEFORE = (
    "number",
    "light",
    "matter",
    "source",
    "goal",
    "leads",
    "shares",
    "responsible",
    "office",
    "opened",
    "original_due",
    "due",
    "cycle",
    "status",
    "progress",
)
AFTER = (
    "problems",
    "files",
    "done_on",
    "extended",
    "extension_reasons",
    "chased",
    "opinion",
    "closed",
    "duty",
    "stamp",
)
"""The columns before and after those of figures, of which there are as many as a clause asks."""

_HIDDEN = frozenset({"duty", "stamp"})
_WIDTHS = {
    "number": 12,
    "source": 24,
    "matter": 22,
    "goal": 40,
    "leads": 16,
    "shares": 22,
    "responsible": 24,
    "office": 16,
    "status": 16,
    "light": 8,
    "progress": 36,
    "problems": 36,
    "files": 30,
    "extended": 10,
    "extension_reasons": 30,
    "chased": 20,
    "opinion": 30,
}
_TYPED = Look(number="@", typed=True)
_LOOKS: dict[type[Any], Look] = {
    IntegerField: Look(number="0", typed=True),
    DateField: Look(number="yyyy-mm-dd", typed=True),
}


def keys(figures: int) -> list[str]:
    """The keys of the columns, with so many pairs of figure and value."""
    pairs = [f"{one}_{n}" for n in range(1, figures + 1) for one in ("figure", "value")]
    return [*BEFORE, *pairs, *AFTER]


def columns(t: Texts, figures: int) -> dict[str, Column]:
    """The columns by key; duty and stamp are hidden."""
    return {key: _column(t, key) for key in keys(figures)}


def _column(t: Texts, key: str) -> Column:
    name, _, n = key.partition("_") if key not in t.columns else (key, "", "")
    width = _WIDTHS.get(key) or {"figure": 20, "value": 16}.get(name, 12)
    return Column(t.columns[name].format(n=n), width, hidden=key in _HIDDEN)


@dataclass(frozen=True, slots=True)
class Liner:
    """Makes lines of duties.

    Attributes:
        figures: how many pairs of figure and value a line has.
        past: a look back, which is for reading.
        own: the reader is the agency itself, which sees no files of those that share in it.
    """

    ledger: Ledger
    texts: Texts
    words: Words
    now: datetime
    figures: int
    past: bool = False
    own: bool = False

    def line(self, duty: DutyView, known: Known) -> tuple[list[Cell], dict[int, Look]]:
        """The cells of a duty in the order of `keys`, and the looks that differ."""
        told = self._facts(duty) | self._parts(duty) | self._chase(duty, known)
        told |= self._notes(known) | self._evidence(duty, known)
        open_to_typing = duty.status in WAITING and not self.past
        pairs, looks = self._pairs(duty, known, open_to_typing=open_to_typing)
        cells = [*(told[key] for key in BEFORE), *pairs, *(told[key] for key in AFTER)]
        looks[BEFORE.index("light")] = Look(fill=FILLS[duty.light(self.now)])
        if open_to_typing:
            looks[BEFORE.index("progress")] = _TYPED
            looks[len(BEFORE) + len(pairs)] = _TYPED
        return cells, looks

    def _facts(self, duty: DutyView) -> dict[str, Cell]:
        t, w = self.texts, self.words
        late = duty.days_late(self.now)
        status = w.status[duty.status] + (t.says["late"].format(n=late) if late else "")
        due = self._day(duty, duty.due_at)
        return {
            "number": f"{duty.number}-{duty.id}",
            "responsible": duty.agency.name,
            "opened": self._day(duty, duty.opened_at),
            "original_due": self._day(duty, duty.original_due_at),
            "due": t.says["provisional"].format(day=due) if duty.provisional else due,
            "cycle": period_prose(w, duty.period),
            "status": status,
            "light": t.says[f"light-{duty.light(self.now)}"],
            "closed": self._day(duty, duty.closed_at),
            "duty": duty.id,
        }

    def _parts(self, duty: DutyView) -> dict[str, Cell]:
        clause, notice = duty.clause, duty.notice
        placed = self.ledger.registry.clauses.get(duty.clause_key)
        leads, shares = placed.parts_of(duty.agency) if placed else ((duty.agency,), ())
        soft = self.texts.says["soft"] if clause.soft else ""
        asked = f"{clause.quote}{soft}"
        if clause.target:
            asked += self.words.brackets.format(
                self.texts.says["target"].format(at_least=f"{clause.target.at_least:g}")
            )
        return {
            "source": f"{notice.number} {section_words(notice.language, clause.section)}",
            "matter": clause.title,
            "goal": asked,
            "leads": self._listed(leads),
            "shares": self._listed(shares),
            "office": duty.agency.contact.office,
        }

    def _listed(self, agencies: Iterable[Agency]) -> str:
        return self.texts.says["and"].join(one.name for one in agencies)

    def _chase(self, duty: DutyView, known: Known) -> dict[str, Cell]:
        t, zone = self.texts, duty.notice.zone
        reasons = [
            t.says["extended-one"].format(
                n=n, day=event.at.astimezone(zone).date(), reason=event.text
            )
            for n, event in enumerate(known.extended, 1)
        ]
        count, day = known.chased or (0, None)
        return {
            "extended": len(known.extended),
            "extension_reasons": "\n".join(reasons),
            "chased": t.says["chased-all"].format(count=count, day=day) if count else "",
            "opinion": event_words(self.words, known.review, zone) if known.review else "",
        }

    def _notes(self, known: Known) -> dict[str, Cell]:
        return {key: note_of(known, action) for key, action in NOTES.items()}

    def _evidence(self, duty: DutyView, known: Known) -> dict[str, Cell]:
        handed = known.own if self.own else known.handed
        submitted = duty.standing.submitted_at
        files = "\n".join(handed.files) if handed else ""
        if handed and handed.nil and not handed.suspect:
            files = self.texts.says["nil"].format(statement=handed.statement)
        return {
            "files": files,
            "done_on": self._day(duty, submitted),
            "stamp": PAST if self.past else stamp(duty, known),
        }

    def _pairs(
        self, duty: DutyView, known: Known, *, open_to_typing: bool
    ) -> tuple[list[Cell], dict[int, Look]]:
        values = shown_values(duty, known)
        cells: list[Cell] = []
        looks: dict[int, Look] = {}
        for field in figures_of(duty.clause)[: self.figures]:
            cells += [label_of(field, self.texts), cell_of(field, values.get(field.key, ""))]
            if open_to_typing:
                looks[len(BEFORE) + len(cells) - 1] = _LOOKS.get(type(field), _TYPED)
        return cells + [""] * (2 * self.figures - len(cells)), looks

    def _day(self, duty: DutyView, at: datetime | None) -> date | None:
        return at.astimezone(duty.notice.zone).date() if at else None


def label_of(field: EvidenceField, t: Texts) -> str:
    """A figure's name and what is counted."""
    match field:
        case IntegerField() if field.unit:
            return t.says["unit"].format(label=field.label, unit=field.unit)
        case RatioField():
            return t.says["ratio"].format(
                label=field.label, numerator=field.numerator, denominator=field.denominator
            )
        case DateField():
            return t.says["day"].format(label=field.label)
        case _:
            return field.label


def rule_of(field: EvidenceField, t: Texts) -> Mapping[str, Any]:
    """What Excel lets a person type for a field; the import checks again."""
    match field:
        case IntegerField(max=None):
            least = t.says["whole-input"].format(min=field.min)
            return _rule("integer", ">=", field.min, field, least)
        case IntegerField():
            between = t.says["whole-between"].format(min=field.min, max=field.max)
            rule = _rule("integer", "between", None, field, between)
            return {**rule, "minimum": field.min, "maximum": field.max}
        case DateField():
            return _rule("date", ">=", date(1990, 1, 1), field, t.says["day-input"])
        case RatioField():
            told = t.says["ratio-input"].format(
                numerator=field.numerator, denominator=field.denominator
            )
            return _rule("any", None, None, field, told)
        case TextField():
            most = t.says["text-input"].format(most=field.max_length)
            return _rule("length", "<=", field.max_length, field, most)
        case _:
            return _rule("any", None, None, field, field.help or field.label)


def note_rule(t: Texts) -> Mapping[str, Any]:
    """What may be typed for progress and problems."""
    told = t.says["text-input"].format(most=MOST_NOTE)
    return {"validate": "length", "criteria": "<=", "value": MOST_NOTE, "error_message": told}


def _rule(
    validate: str, criteria: str | None, value: Any, field: EvidenceField, told: str
) -> dict[str, Any]:
    """Excel takes 32 characters of a title, and 255 of what is told."""
    found: dict[str, Any] = {
        "validate": validate,
        "input_title": field.label[:32],
        "input_message": told[:255],
        "error_message": told[:255],
    }
    if criteria:
        found |= {"criteria": criteria, "value": value}
    return found
