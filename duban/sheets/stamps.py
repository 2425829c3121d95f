"""The hidden stamp of a line: what the duty was like at the export, so that stale lines show."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duban.ledger.questions import DutyView
from duban.sheets.cells import typed_texts
from duban.sheets.gathering import Known

PAST = "past"
"""Stands in place of a stamp on a look back, which cannot be imported."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What was so at the export; a line is stale when any of it is otherwise.

    `typed` is a digest of the draft and the remarks, `handed` the number of the newest version;
    `cells` a digest of what could be typed into, so that it shows whether somebody did.
    """

    duty: int
    status: str
    due: str
    revision: int
    handed: int
    agency: str
    clause: str
    typed: str
    cells: str

    def __str__(self) -> str:
        return json.dumps([getattr(self, name) for name in _NAMES], ensure_ascii=False)


_NAMES = ("duty", "status", "due", "revision", "handed", "agency", "clause", "typed", "cells")


def stamp(duty: DutyView, known: Known) -> str:
    """The stamp of a duty as it stands."""
    return str(stamp_of(duty, known))


def stamp_of(duty: DutyView, known: Known) -> Stamp:
    """As `stamp`, not yet as text."""
    return Stamp(
        duty=duty.id,
        status=duty.status.value,
        due=_day(duty, duty.due_at),
        revision=duty.revision,
        handed=known.handed.number if known.handed else 0,
        agency=duty.agency.id,
        clause=known.version,
        typed=_draft_and_notes(known),
        cells=digest(typed_texts(duty, known)),
    )


def read_stamp(text: str) -> Stamp | None:
    """The stamp that a cell holds; None where it is none."""
    try:
        found = Stamp(*json.loads(text))
    except (ValueError, TypeError):
        return None
    kinds = (int, str, str, int, int, str, str, str, str)
    sound = all(type(getattr(found, n)) is k for n, k in zip(_NAMES, kinds, strict=True))
    return found if sound else None


def _draft_and_notes(known: Known) -> str:
    return digest([known.draft, {action: event.seq for action, event in known.notes.items()}])


def digest(content: Any) -> str:
    """Sixteen hex digits of what JSON can say."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _day(duty: DutyView, at: datetime) -> str:
    return at.astimezone(duty.notice.zone).date().isoformat()
