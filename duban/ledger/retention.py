"""Erases evidence files and persons' names when their time is over; hashes and history stay."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select, update

from duban.batches import batches
from duban.ledger import Ledger
from duban.ledger.change import DUTIES_PER_CHANGE, Change, change
from duban.ledger.database import reading
from duban.ledger.folder import discard
from duban.ledger.tables import ClauseVersion, Duty, EvidenceFile, Link, LinkDuty, Submission
from duban.registry import Clause

SHORTEST_KEEP = 1
"""Years; no clause may ask for less."""

PERSONS_DAYS = timedelta(days=30)
"""How long after a duty is closed it is known whom to ask about its evidence (policy)."""


def erase_due(ledger: Ledger, folder: Path, now: datetime) -> int:
    """Erases the files of duties that were closed `keep` years ago; how many.

    The tombstones are committed before the bytes go; where a crash comes between, `sweep_files`
    takes the bytes.
    """
    erased = 0
    for batch in batches(_expired(ledger, now), DUTIES_PER_CHANGE):
        for row in _bury(ledger, batch, now):
            discard(folder, row.stored_as)
            erased += 1
    return erased


def _expired(ledger: Ledger, now: datetime) -> list[int]:
    """Numbers of the files whose time is over."""
    with reading(ledger.engine) as connection:
        # Most days there is nothing so old, and then no clause need be read.
        long_closed = exists().where(Duty.closed_at <= years_before(now, SHORTEST_KEEP))
        if not connection.scalar(select(long_closed)):
            return []
        return [
            file_id
            for clause, version, keep in list(_keeps(connection))
            for file_id in connection.scalars(_files(clause, version, years_before(now, keep)))
        ]


def _keeps(connection: Connection) -> Iterator[tuple[str, str, int]]:
    rows = connection.execute(
        select(ClauseVersion.clause, ClauseVersion.version, ClauseVersion.content)
    )
    default = Clause.model_fields["keep"].default
    for clause, version, content in rows:
        yield clause, version, content.get("keep", default)  # older rows do not say


def _files(clause: str, version: str, before: datetime) -> Select[tuple[int]]:
    return (
        select(EvidenceFile.id)
        .join(Duty, Duty.id == EvidenceFile.duty_id)
        .where(Duty.clause == clause, Duty.version == version, Duty.closed_at <= before)
        .where(EvidenceFile.state != "erased")
        .order_by(EvidenceFile.duty_id, EvidenceFile.id)
    )


def years_before(moment: datetime, years: int) -> datetime:
    """The same day and time so many years before; 28 February where there is no 29th."""
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        return moment.replace(year=moment.year - years, day=28)


def _bury(ledger: Ledger, ids: Sequence[int], now: datetime) -> Sequence[Row[Any]]:
    with change(ledger.engine, now, "duban") as made:
        statement = (
            update(EvidenceFile)
            .where(EvidenceFile.id.in_(ids), EvidenceFile.state != "erased")
            .values(state="erased", name="", picture_hash="")
            .returning(EvidenceFile.duty_id, EvidenceFile.sha256, EvidenceFile.stored_as)
        )
        rows = made.connection.execute(statement).all()
        hashes: dict[int, list[str]] = {}
        for row in rows:
            hashes.setdefault(row.duty_id, []).append(row.sha256)
        for duty_id, files in sorted(hashes.items()):
            made.record("erased", duty_id, count=len(files), files=files)
        return rows


def forget_persons(ledger: Ledger, now: datetime) -> int:
    """Clears names and telephones that no duty needs any more; of how many submissions and links.

    A submission's are needed until 30 days after its duty was closed, a link's as long as one of
    the duties that it opens, or that evidence came for through it, is not closed so long.
    """
    before = now - PERSONS_DAYS
    forgotten = 0
    for model, over in ((Submission, _submission_over(before)), (Link, _link_over(before, now))):
        named = or_(model.person.is_not(None), model.telephone.is_not(None))
        question = select(model.id).where(named, over).order_by(model.id)
        with reading(ledger.engine) as connection:
            ids = list(connection.scalars(question))
        for batch in batches(ids, DUTIES_PER_CHANGE):
            with change(ledger.engine, now, "duban") as made:
                forgotten += _forget(made, model, batch)
    return forgotten


def _forget(made: Change, model: type[Submission] | type[Link], ids: Sequence[int]) -> int:
    statement = update(model).where(model.id.in_(ids)).values(person=None, telephone=None)
    made.connection.execute(statement)
    made.record("persons-erased", None, kind_of_row=model.__tablename__, rows=list(ids))
    return len(ids)


def _submission_over(before: datetime) -> ColumnElement[bool]:
    needed = select(Duty.id).where(Duty.id == Submission.duty_id, _needed(before))
    return ~needed.exists()


def _link_over(before: datetime, now: datetime) -> ColumnElement[bool]:
    handed_on = select(LinkDuty.duty_id).where(LinkDuty.link_id == Link.id)
    answered = select(Submission.duty_id).where(Submission.link_id == Link.id)
    opened = or_(
        and_(Link.parent_id.is_(None), Duty.agency == Link.agency),
        Duty.id.in_(handed_on.correlate(Link)),
        Duty.id.in_(answered.correlate(Link)),
    )
    needed = select(Duty.id).where(opened, _needed(before)).correlate(Link)
    return or_(Link.revoked_at.is_not(None), Link.expires_at < now, ~needed.exists())


def _needed(before: datetime) -> ColumnElement[bool]:
    return or_(Duty.closed_at.is_(None), Duty.closed_at > before)
