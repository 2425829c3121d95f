"""Clears the files folder: unfinished work, what no row speaks of, and drafts nobody hands in."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select

from duban.batches import batches
from duban.ledger import Ledger
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.folder import LOCK, discard, remove
from duban.ledger.tables import Draft, EvidenceFile

GRACE = timedelta(hours=24)
"""So old must a file without a row be: its row may be about to come."""

DRAFT_LIFE = timedelta(days=30)
_NAMES = 500
_GONE = ("refused", "erased")


def sweep_files(ledger: Ledger, folder: Path, now: datetime) -> int:
    """Takes away what is not evidence; how many files.

    That is: what an upload or inspection left unfinished and files without a row, both after a day;
    the bytes of refused and erased files; drafts of which nothing was handed in for 30 days.
    """
    stale = _drop_drafts(ledger, now)
    for stored_as in stale:
        discard(folder, stored_as)
    found = sorted(one for one in folder.iterdir() if one.name != LOCK) if folder.is_dir() else []
    swept = [path for batch in batches(found, _NAMES) for path in _idle(ledger, batch, now)]
    for path in swept:
        remove(path)
    return len(stale) + len(swept)


def _drop_drafts(ledger: Ledger, now: datetime) -> list[str]:
    """Forgets old drafts; the names under which their files lie."""
    before = now - DRAFT_LIFE
    old = (EvidenceFile.submission_id.is_(None), EvidenceFile.received_at < before)
    with change(ledger.engine, now, "duban") as made:
        made.connection.execute(delete(Draft).where(Draft.saved_at < before))
        statement = delete(EvidenceFile).where(*old, EvidenceFile.state != "erased")
        return list(made.connection.scalars(statement.returning(EvidenceFile.stored_as)))


def _idle(ledger: Ledger, found: Sequence[Path], now: datetime) -> Iterator[Path]:
    names = {path.name.removesuffix(".pages") for path in found}
    question = select(EvidenceFile.stored_as, EvidenceFile.state).where(
        EvidenceFile.stored_as.in_(names)
    )
    with reading(ledger.engine) as connection:
        states = dict(connection.execute(question).tuples().all())
    for path in found:
        state = states.get(path.name.removesuffix(".pages"))
        if state in _GONE or (state is None and _old(path, now)):
            yield path


def _old(path: Path, now: datetime) -> bool:
    try:
        return path.stat().st_mtime < (now - GRACE).timestamp()
    except FileNotFoundError:
        return False
