"""A 台账 that comes back: figures become the draft of the agency's form, remarks go into history.

Nothing is submitted by it and nothing that was submitted is touched. A line that is older than the
duty is refused, unless it says nothing new.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, select

from duban.batches import batches
from duban.duty import CLOSED, WAITING, Status
from duban.errors import DubanError
from duban.intake import suspects
from duban.ledger import Ledger
from duban.ledger.change import DUTIES_PER_CHANGE, change, insert_or_skip
from duban.ledger.change import Change as Changing
from duban.ledger.questions import DutyView, duties, versions_of, view_of
from duban.ledger.tables import ClauseVersion, Draft, Duty
from duban.registry.evidence import EvidenceField, Fault, FilesField
from duban.sheets import gathering, lines
from duban.sheets.cells import MOST_NOTE, NOTES, form_values, placed, typed_texts
from duban.sheets.gathering import BATCH, Known
from duban.sheets.judged import Change, Judged, Preview, Verdict
from duban.sheets.reading import GivenRow, given_rows
from duban.sheets.stamps import PAST, Stamp, digest, read_stamp, stamp, stamp_of
from duban.sheets.texts import EN, ZH, Texts, texts
from duban.words import Words, words
from duban.xlsx import Column

Takes = Callable[[DutyView], bool]
"""Whether somebody may fill in a duty."""

_MOST_FIGURES = 40
_READ = ("number", "matter", "responsible", "due", "status", "progress", "problems")
_HIDDEN = ("duty", "stamp")


def _is_read(key: str) -> bool:
    """The other columns are for reading only, and thousands of lines of them fill the memory."""
    return key in _READ or key in _HIDDEN or key.startswith(("figure_", "value_"))


_KEYS = {
    column.title: key
    for one in (ZH, EN)
    for key, column in lines.columns(one, _MOST_FIGURES).items()
    if _is_read(key)
}


class MovedOn(DubanError):
    """Some duties changed while the preview was looked at; import again to see them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A duty and what is known of it."""

    duty: DutyView
    known: Known


def anything(_: DutyView) -> bool:
    """Takes every duty, as a coordinator of the province may."""
    return True


def judge(ledger: Ledger, path: Path, language: str, takes: Takes = anything) -> Preview:
    """What every line of a 台账 would do; the same moment's ledger for all of a batch.

    Args:
        language: that of the reasons.
        takes: of other duties nothing is told but that they cannot be filled in.

    Raises:
        SheetUnreadable: nothing was judged.
    """
    t = texts(language)
    rows = given_rows(path, _KEYS, _HIDDEN)
    times = Counter(number for row in rows if (number := _number(row)))
    found: list[Judged] = []
    for batch in batches(rows, BATCH):
        numbers = {_number(row) for row in batch}
        judge_one = _Judge(t, words(language), _standing(ledger, numbers, takes), times)
        found += map(judge_one, batch)
    return Preview(found, t)


def columns(preview: Preview) -> dict[str, Column]:
    """The columns of a preview: what says which duty it is, and what can be filled in."""
    given = {key for one in preview.rows for key in one.row.texts}
    figures = max((int(key.partition("_")[2]) for key in given if "_" in key), default=0)
    known = lines.columns(preview.texts, figures)
    return {key: one for key, one in known.items() if _is_read(key) and key not in _HIDDEN}


def _standing(ledger: Ledger, numbers: Collection[int], takes: Takes) -> dict[int, Standing]:
    views = [one for one in duties(ledger, ids=[*numbers]) if takes(one)]
    told = gathering.known(ledger, views)
    return {one.id: Standing(one, told[one.id]) for one in views}


def _number(row: GivenRow) -> int:
    """The duty of a line; 0 where it names none."""
    text = row.texts.get("duty", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


@dataclass(frozen=True, slots=True)
class _Judge:
    texts: Texts
    words: Words
    found: Mapping[int, Standing]
    times: Mapping[int, int]

    def __call__(self, row: GivenRow) -> Judged:
        number, given = _number(row), row.texts.get("stamp", "")
        name = row.texts.get("number") or row.texts.get("duty", "")
        if reason := self._unusable(number, given):
            return Judged(row, name, Verdict.WRONG, reasons=[reason])
        one, seen = self.found[number], read_stamp(given)
        lost, changes = self._lost(row, one), _changes(row, one, self.texts)
        assert seen
        if not lost and (not changes or _untouched(row, one, seen)):
            return Judged(row, name, Verdict.UNCHANGED)
        if changes and (stale := self._stale(seen, one)):
            return Judged(row, name, Verdict.STALE, changes, [stale])
        faults = [*lost, *self._faults(one, changes)]
        return Judged(row, name, Verdict.WRONG if faults else Verdict.CHANGED, changes, faults)

    def _unusable(self, number: int, given: str) -> str:
        reasons, seen = self.texts.reasons, read_stamp(given)
        if not number:
            return reasons["no-number"]
        if number not in self.found:
            return reasons["no-duty"].format(duty=number)
        if self.times[number] > 1:
            return reasons["duplicate"].format(duty=number)
        if given == PAST:
            return reasons["past"]
        return reasons["mixed-up"] if seen is None or seen.duty != number else ""

    def _lost(self, row: GivenRow, one: Standing) -> list[str]:
        """A value beside the figures that the clause asks would be lost, so it is told."""
        asked = placed(one.duty.clause)
        return [
            self.texts.reasons["no-figure"].format(n=key.partition("_")[2])
            for key, text in row.texts.items()
            if text and key.startswith("value_") and key not in asked
        ]

    def _stale(self, seen: Stamp, one: Standing) -> str:
        """Why the line is older than the duty; empty where it is not."""
        now, reasons = stamp_of(one.duty, one.known), self.texts.reasons
        status = self.words.status[one.duty.status]
        if one.duty.status in CLOSED:
            return reasons["closed"].format(status=status)
        if one.duty.status not in WAITING:
            return reasons["submitted"]
        if now.agency != seen.agency:
            return reasons["handed-over"].format(agency=one.duty.agency.name)
        if now.status != seen.status:
            return reasons["status"].format(before=self._status(seen.status), status=status)
        if now.handed != seen.handed:
            return reasons["version"]
        if (now.due, now.revision) != (seen.due, seen.revision):
            return reasons["due"].format(before=seen.due, due=now.due)
        if now.clause != seen.clause:
            return reasons["clause"]
        return reasons["draft"] if now.typed != seen.typed else ""

    def _status(self, name: str) -> str:
        return self.words.status[Status(name)] if name in set(Status) else name

    def _faults(self, one: Standing, changes: Sequence[Change]) -> list[str]:
        fields = placed(one.duty.clause)
        faults = (
            self._note_fault(each) if each.key in NOTES else self._fault(fields[each.key], each)
            for each in changes
        )
        return [one for one in faults if one]

    def _note_fault(self, each: Change) -> str:
        reasons = self.texts.reasons
        if len(each.new) > MOST_NOTE:
            return reasons["too-long"].format(column=each.what, most=MOST_NOTE)
        return reasons["personal"].format(column=each.what) if suspects(each.new) else ""

    def _fault(self, field: EvidenceField, each: Change) -> str:
        assert not isinstance(field, FilesField)
        try:
            if each.new:
                field.read(each.new)
        except Fault as fault:
            told = self.words.unfit[fault.code].format(**fault.values)
            return self.texts.reasons["field"].format(label=each.what, fault=told)
        return ""


def _changes(row: GivenRow, one: Standing, t: Texts) -> list[Change]:
    """What the line says otherwise; a column that is not there says nothing, nor does no remark."""
    labels = {key: field.label for key, field in placed(one.duty.clause).items()}
    titles = {**labels, **{key: t.columns[key] for key in NOTES}}
    return [
        Change(key, titles[key], old, row.texts[key])
        for key, old in typed_texts(one.duty, one.known).items()
        if row.texts.get(key, old) != old and (row.texts[key] or key not in NOTES)
    ]


def _untouched(row: GivenRow, one: Standing, seen: Stamp) -> bool:
    """Whether the line is as it went out, however old that is."""
    keys = typed_texts(one.duty, one.known)
    return digest({key: row.texts.get(key, "") for key in keys}) == seen.cells


def bring_in(ledger: Ledger, preview: Preview, *, by: str, now: datetime) -> int:
    """Puts a sound preview into the ledger, at most 500 duties in a transaction; how many.

    Raises:
        MovedOn: a duty is not as it was when the preview was made. Nothing of its transaction was
            done; what was done before it stands, and is unchanged in the next preview.
    """
    assert preview.sound
    for batch in batches(preview.acting, DUTIES_PER_CHANGE):
        with change(ledger.engine, now, by) as made:
            _bring_in(made, ledger, {_number(one.row): one for one in batch})
    return len(preview.acting)


def _bring_in(made: Changing, ledger: Ledger, batch: Mapping[int, Judged]) -> None:
    found = _locked(made, ledger, batch)
    drafts: list[dict[str, Any]] = []
    for number, judged in batch.items():
        one = found.get(number)
        if one is None or stamp(one.duty, one.known) != judged.row.texts["stamp"]:
            raise MovedOn
        for each in judged.changes:
            if each.key in NOTES:
                made.record(NOTES[each.key], number, each.new)
        asked = placed(one.duty.clause)
        typed = {asked[each.key].key: each.new for each in judged.changes if each.key in asked}
        if typed:
            drafts.append(_draft(made, one, typed))
            made.record("filled", number, figures=sorted(typed))
    _keep(made, drafts)


def _locked(made: Changing, ledger: Ledger, numbers: Collection[int]) -> dict[int, Standing]:
    """The duties as the transaction sees them, locked until it ends."""
    connection, table = made.connection, cast(Table, Duty.__table__)
    chosen = select(table).where(table.c.id.in_(numbers)).order_by(table.c.id).with_for_update()
    rows = [dict(row) for row in connection.execute(chosen).mappings()]
    kept = select(ClauseVersion.__table__).where(
        ClauseVersion.clause.in_({row["clause"] for row in rows})
    )
    versions = versions_of(connection.execute(kept).mappings())
    views = [view for row in rows if (view := view_of(ledger, versions, row))]
    found = {view.id: Known() for view in views}
    gathering.fill(connection, found, {view.id: view.agency.id for view in views})
    return {view.id: Standing(view, found[view.id]) for view in views}


def _draft(made: Changing, one: Standing, typed: Mapping[str, str]) -> dict[str, Any]:
    """What the form shows already, with what the sheet says; an empty cell empties the field."""
    kept = one.known.draft or _begun(one)
    fields = {key: text for key, text in {**kept, **typed}.items() if text}
    return {
        "duty_id": one.duty.id,
        "agency": one.duty.agency.id,
        "fields": fields,
        "saved_at": made.at,
    }


def _begun(one: Standing) -> dict[str, str]:
    """As the portal begins a draft on what is to be mended: with the day that it speaks of too."""
    own = one.known.own
    dated = {"_dated": own.dated.isoformat()} if own and own.dated else {}
    return {**form_values(one.duty, one.known), **dated}


def _keep(made: Changing, drafts: Sequence[Mapping[str, Any]]) -> None:
    if not drafts:
        return
    statement = insert_or_skip(made.connection)(Draft)
    fresh = {name: statement.excluded[name] for name in ("fields", "saved_at")}
    keys = ["duty_id", "agency"]
    made.connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=fresh), drafts
    )
