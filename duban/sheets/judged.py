"""What an import would do, row by row; shown before it is done, and written into a copy."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from duban.duty import Light
from duban.sheets.reading import GivenRow
from duban.sheets.texts import Texts
from duban.xlsx import FILLS, Book, Column, Look


class Verdict(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"
    STALE = "stale"


BAD = frozenset({Verdict.WRONG, Verdict.STALE})
"""With one such row, nothing of a sheet is applied."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a row changes: the key of its column, its heading and both texts."""

    key: str
    what: str
    old: str
    new: str

    def told(self, t: Texts) -> str:
        """`telephone: (empty) -> 0351-1234567`."""
        old, new = (one or t.says["empty"] for one in (self.old, self.new))
        return t.says["column"].format(column=self.what, old=old, new=new)


@dataclass(frozen=True, slots=True)
class Judged:
    """A row with what becomes of it; `name` is whom or what it is about."""

    row: GivenRow
    name: str
    verdict: Verdict
    changes: Sequence[Change] = ()
    reasons: Sequence[str] = ()

    def told(self, t: Texts) -> str:
        """The reasons, or the changes, a line each."""
        return "\n".join(self.reasons or [one.told(t) for one in self.changes])


@dataclass(frozen=True, slots=True)
class Preview:
    """All rows of a sheet, judged."""

    rows: Sequence[Judged]
    texts: Texts
    at: datetime | None = field(default=None, compare=False)

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against it."""
        return not any(one.verdict in BAD for one in self.rows)

    @property
    def acting(self) -> list[Judged]:
        """The rows that change something."""
        return [one for one in self.rows if one.verdict in (Verdict.NEW, Verdict.CHANGED)]

    @property
    def summary(self) -> str:
        """How many rows there are of each sort, in one line."""
        counts = Counter(one.verdict.value for one in self.rows)
        every = {verdict.value: counts[verdict.value] for verdict in Verdict}
        return self.texts.says["summary"].format(total=len(self.rows), **every)


_LOOKS = {
    Verdict.NEW: Look(fill=FILLS[Light.GREEN]),
    Verdict.CHANGED: Look(fill=FILLS[Light.GREEN]),
    Verdict.WRONG: Look(fill=FILLS[Light.RED]),
    Verdict.STALE: Look(fill=FILLS[Light.YELLOW]),
}


def preview_path(given: Path, t: Texts) -> Path:
    """Where the copy with the results goes: beside the file that was given."""
    return given.with_name(f"{given.stem}-{t.says['preview-file']}.xlsx")


def write_copy(path: Path, preview: Preview, columns: Mapping[str, Column]) -> None:
    """The rows as they were given, with what becomes of each in front.

    Args:
        columns: those of the sheet that was given, by key.
    """
    t = preview.texts
    own = [Column(t.columns["verdict"], 10), Column(t.columns["detail"], 50)]
    with Book(path, title=path.stem, language=t.language, made=preview.at) as book:
        sheet = book.sheet(t.columns["verdict"], [*own, *columns.values()], frozen=2)
        for one in preview.rows:
            given = [one.row.texts.get(key, "") for key in columns]
            looks = {0: _LOOKS[one.verdict]} if one.verdict in _LOOKS else None
            sheet.row([t.verdicts[one.verdict], one.told(t), *given], looks)
