"""The roster as a sheet: who answers for each agency, and where its letters go.

What is read back goes into agencies.yaml, which a person edits too; see `duban.sheets.written`.
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from duban.registry.agencies import Agency, Contact
from duban.sheets.judged import Change, Judged, Preview, Verdict
from duban.sheets.reading import GivenRow, given_rows
from duban.sheets.texts import EN, ZH, Texts, texts
from duban.xlsx import Book, Column, Look

FIELDS = ("office", "telephone", "channel", "userid")
"""What of a contact stands in the sheet; nothing of a person does."""

MASK = "***"

_COLUMNS = ("agency", "agency_name", *FIELDS)
_WIDTHS = {"agency": 14, "agency_name": 30, "office": 24, "telephone": 20, "channel": 44}
_TYPED = Look(number="@", typed=True)
_MOST = {"office": 60, "telephone": 40, "userid": 64, "channel": 300}
_TELEPHONE = re.compile(r"[+()\d（）\- 转,，/、;；]{5,40}")
_NOTHING = frozenset({ZH.says["none"], EN.says["none"]})
_KEYS = {one.columns[key]: key for one in (ZH, EN) for key in _COLUMNS}
_REFERENCE = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}")
_SECRET_KEYS = re.compile(r"(secret|token|key|pass\w*|pwd|auth)", re.IGNORECASE)


def columns(t: Texts) -> dict[str, Column]:
    """The sheet's columns by key."""
    return {
        key: Column(t.columns[key], _WIDTHS.get(key, 18), _TYPED if key in FIELDS else Look())
        for key in _COLUMNS
    }


def write_roster(
    path: Path, agencies: Iterable[Agency], language: str, *, blank: bool, now: datetime
) -> int:
    """A row for each agency, its contact filled in or `blank`; how many."""
    t = texts(language)
    with Book(path, title=t.says["roster"], language=language, made=now) as book:
        above = [t.says["roster"], t.says["roster-note"].format()]
        sheet = book.sheet(
            t.says["roster"], [*columns(t).values()], above=above, frozen=2, protected=True
        )
        for one in agencies:
            contact = [""] * len(FIELDS) if blank else _shown(one.contact)
            sheet.row([one.id, one.name, *contact])
        guide = book.sheet(t.says["help"], [Column(t.says["help"], 90)])
        for key in ("roster-note", *(f"help-{field}" for field in FIELDS)):
            guide.row([t.says[key].format()])
    return sheet.rows


def _shown(contact: Contact) -> list[str]:
    """A channel with a secret written out is left blank, which changes nothing when read back."""
    shown = {key: getattr(contact, key) or "" for key in FIELDS}
    if "://" in shown["channel"] and holds_secret(shown["channel"]):
        shown["channel"] = ""
    return [*shown.values()]


def judge(
    path: Path,
    agencies: Mapping[str, Agency],
    language: str,
    environment: Mapping[str, str] = os.environ,
) -> Preview:
    """What every row of a roster would do to the contacts of agencies.yaml.

    Args:
        agencies: as the file makes them now, by id.
        environment: where the `${NAME}`s of channels must be set.

    Raises:
        SheetUnreadable: nothing was judged.
    """
    t = texts(language)
    rows = given_rows(path, _KEYS, ("agency",))
    names = {one.name: one for one in agencies.values()}
    found = [_agency(row, agencies, names) for row in rows]
    times = Counter(one.id for one in found if one)
    judge_one = _Judge(t, environment, {key for key, n in times.items() if n > 1})
    told = [judge_one(_narrowed(row, one), one) for row, one in zip(rows, found, strict=True)]
    return Preview(told, t)


def _narrowed(row: GivenRow, agency: Agency | None) -> GivenRow:
    """What was typed anew without full-width signs, which a Chinese keyboard writes into telephones
    and addresses: ０３５１－１２３４５６７ is 0351-1234567.
    """
    texts = dict(row.texts)
    for key in ("telephone", "channel"):
        given = texts.get(key, "")
        if agency and given and given != getattr(agency.contact, key):
            texts[key] = unicodedata.normalize("NFKC", given).replace("—", "-")
    return replace(row, texts=texts)


def _agency(
    row: GivenRow, agencies: Mapping[str, Agency], names: Mapping[str, Agency]
) -> Agency | None:
    given, name = row.texts.get("agency", ""), row.texts.get("agency_name", "")
    return agencies.get(given) if given else names.get(name)


class _Judge:
    """Judges a row against the agency it is about."""

    def __init__(self, t: Texts, environment: Mapping[str, str], twice: set[str]) -> None:
        self.texts, self.environment, self.twice = t, environment, twice

    def __call__(self, row: GivenRow, agency: Agency | None) -> Judged:
        t, given = self.texts, row.texts
        name = given.get("agency") or given.get("agency_name", "")
        if agency is None:
            code = "no-agency" if name else "no-name"
            return Judged(row, name, Verdict.WRONG, reasons=[t.reasons[code]])
        reasons = [*self._mistaken(row, agency), *self._faults(row, agency.contact)]
        if reasons:
            return Judged(_masked(row), agency.id, Verdict.WRONG, reasons=reasons)
        changes = self._changes(row, agency.contact)
        if not changes:
            return Judged(row, agency.id, Verdict.UNCHANGED)
        reached = agency.contact.channel or agency.contact.telephone
        return Judged(row, agency.id, Verdict.CHANGED if reached else Verdict.NEW, changes)

    def _mistaken(self, row: GivenRow, agency: Agency) -> Iterable[str]:
        told = row.texts.get("agency_name", "")
        if told and told != agency.name:
            yield self.texts.reasons["other-name"].format(agency=agency.id, name=agency.name)
        if agency.id in self.twice:
            yield self.texts.reasons["twice"]

    def _faults(self, row: GivenRow, contact: Contact) -> Iterable[str]:
        """What is wrong with the cells that differ from what is there."""
        for key in FIELDS:
            given = row.texts.get(key, "")
            if not given or given == getattr(contact, key):
                continue
            if given in _NOTHING:
                yield from [self.texts.reasons["office-stays"]] if key == "office" else []
            else:
                yield from self._cell_faults(key, given)

    def _cell_faults(self, key: str, given: str) -> Iterable[str]:
        t = self.texts
        if len(given) > _MOST[key]:
            yield t.reasons["too-long"].format(column=t.columns[key], most=_MOST[key])
        elif key == "channel":
            yield from self._channel_faults(given)
        elif "://" in given or "${" in given:
            yield t.reasons["misplaced"]
        elif key == "telephone" and not _TELEPHONE.fullmatch(given):
            yield t.reasons["telephone"].format(given=given)

    def _channel_faults(self, channel: str) -> Iterable[str]:
        """What is given is never told again where a secret may stand in it."""
        t = self.texts
        if "://" in channel and holds_secret(channel):
            yield t.reasons["secret"].format()
            return
        try:
            contact = Contact(channel=channel)
        except ValidationError:
            yield t.reasons["address"].format(given=_short(channel))
            return
        if "://" not in channel and "${" in channel:
            yield t.reasons["address"].format(given=_short(channel))
        for name in contact.references:
            if not self.environment.get(name):
                yield t.reasons["unset"].format(name=name)

    def _changes(self, row: GivenRow, contact: Contact) -> list[Change]:
        found: list[Change] = []
        for key in FIELDS:
            given, old = row.texts.get(key, ""), getattr(contact, key) or ""
            new = "" if given in _NOTHING else given
            if given and new != old:
                found.append(Change(key, self.texts.columns[key], old, new))
        return found


def new_contact(judged: Judged) -> dict[str, str | None]:
    """What a sound row changes, by field of the contact; None empties it."""
    return {one.key: one.new or None for one in judged.changes}


def _masked(row: GivenRow) -> GivenRow:
    """A preview must not spread a secret that somebody wrote out."""
    channel = row.texts.get("channel", "")
    if "://" not in channel or not holds_secret(channel):
        return row
    return replace(row, texts={**row.texts, "channel": MASK})


def holds_secret(channel: str) -> bool:
    """Whether an Apprise address has something that looks like a secret written out.

    Beside `${NAME}`s it may have a scheme, hosts with ports, short words, and an e-mail address.
    """
    scheme, _, rest = channel.partition("://")
    address, _, query = rest.partition("?")
    options = [one.partition("=") for one in query.split("&") if one]
    named = any(_SECRET_KEYS.search(key) and not _only_references(v) for key, _, v in options)
    user, at, _ = address.rpartition("@")
    password = user.partition(":")[2] if at else ""
    words = re.split(r"[/:@&=?,]", f"{address}&{query}")
    return (
        not _REFERENCE.search(rest)
        or named
        or (bool(password) and not _only_references(password))
        or any(_is_random(word) for word in words)
        or not re.fullmatch(r"[a-z][a-z0-9+.\-]*", scheme)
    )


def _only_references(text: str) -> bool:
    return bool(text) and not _REFERENCE.sub("", text)


def _is_random(word: str) -> bool:
    """A long run without a dot, or one of letters and figures mixed, is no name of a host."""
    bare = _REFERENCE.sub("", word)
    mixed = bool(re.search(r"\d", bare)) and bool(re.search(r"[A-Za-z]", bare))
    return "." not in bare and (len(bare) >= 24 or (len(bare) >= 12 and mixed))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
