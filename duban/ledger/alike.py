"""Evidence that was sent before: the same bytes, or nearly the same picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from duban.batches import batches
from duban.intake.likeness import NEAR
from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.tables import Duty, EvidenceFile

_NUMBERS = 500


@dataclass(frozen=True, slots=True)
class Match:
    """A file that another duty's evidence holds too: `same` bytes, or a picture `near` to it."""

    file_id: int
    duty_id: int
    clause: str
    agency: str
    period: str
    received_at: datetime
    how: Literal["same", "near"]


def alike(ledger: Ledger, file_ids: Sequence[int]) -> dict[int, list[Match]]:
    """For each of these files its like in other duties, the oldest first; only files that have any.

    Drafts and refused files are nobody's evidence and do not count; erased ones do, by their
    hashes. Earlier versions of the same duty do not count either.
    """
    with reading(ledger.engine) as connection:
        asked = connection.execute(_ASKED.where(EvidenceFile.id.in_(file_ids))).all()
        found = _pairs(connection, asked)
        others = _others(connection, {other for pairs in found.values() for other in pairs})
    return {
        file_id: sorted((_match(others[one], how) for one, how in pairs.items()), key=_age)
        for file_id, pairs in found.items()
        if pairs
    }


Pairs = dict[int, Literal["same", "near"]]
"""How other files, by number, are like one."""

Picture = tuple[int, int, int, str | None]
"""File, duty, perceptual hash, SHA-256 of the bytes kept."""

_ASKED = select(
    EvidenceFile.id,
    EvidenceFile.duty_id,
    EvidenceFile.sha256,
    EvidenceFile.kept_sha256,
    EvidenceFile.picture_hash,
)
_EVIDENCE = (EvidenceFile.submission_id.is_not(None), EvidenceFile.state != "refused")


def _pairs(connection: Connection, asked: Sequence[Row[Any]]) -> dict[int, Pairs]:
    found: dict[int, Pairs] = {row.id: {} for row in asked}
    if any(row.picture_hash for row in asked):
        pictures = [
            (row.id, row.duty_id, int(row.picture_hash, 16), row.kept_sha256)
            for row in connection.execute(_PICTURES)
        ]
        for row in asked:
            found[row.id] |= _near(row, pictures)
    received = {row.sha256 for row in asked}
    rows = connection.execute(_ASKED.where(EvidenceFile.sha256.in_(received), *_EVIDENCE)).all()
    for row in asked:
        same = (one.id for one in rows if one.sha256 == row.sha256 and one.duty_id != row.duty_id)
        found[row.id] |= dict.fromkeys(same, "same")
    return found


_PICTURES = select(
    EvidenceFile.id, EvidenceFile.duty_id, EvidenceFile.picture_hash, EvidenceFile.kept_sha256
).where(EvidenceFile.picture_hash != "", *_EVIDENCE)


def _near(row: Row[Any], pictures: Sequence[Picture]) -> Pairs:
    """As `duban.intake.likeness.near` has it, on numbers: it is asked of every picture there is."""
    if not row.picture_hash:
        return {}
    mine = int(row.picture_hash, 16)
    return {
        file_id: "same" if kept == row.kept_sha256 else "near"
        for file_id, duty_id, theirs, kept in pictures
        if (theirs ^ mine).bit_count() <= NEAR and duty_id != row.duty_id
    }


def _others(connection: Connection, ids: Iterable[int]) -> Mapping[int, Row[Any]]:
    question = select(
        EvidenceFile.id,
        EvidenceFile.duty_id,
        Duty.clause,
        EvidenceFile.agency,
        Duty.period,
        EvidenceFile.received_at,
    ).join(Duty, Duty.id == EvidenceFile.duty_id)
    return {
        row.id: row
        for batch in batches(sorted(ids), _NUMBERS)
        for row in connection.execute(question.where(EvidenceFile.id.in_(batch)))
    }


def _match(row: Row[Any], how: Literal["same", "near"]) -> Match:
    return Match(row.id, row.duty_id, row.clause, row.agency, row.period, row.received_at, how)


def _age(match: Match) -> tuple[datetime, int]:
    return match.received_at, match.file_id
