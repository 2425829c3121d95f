"""The registry in force: texts in the ledger, so that every process on every machine sees one."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, select
from sqlalchemy.exc import DBAPIError

from duban.errors import DubanError
from duban.ledger.change import Change, change
from duban.ledger.database import make_engine, reading
from duban.ledger.tables import Applied, ChainHead
from duban.registry import Registry
from duban.registry.files import Files, digest_of, load_files


class NoSuchVersion(DubanError):
    """There is no such version; `duban applied` lists them."""


class AppliedMeanwhile(DubanError):
    """Somebody else applied other files meanwhile; run the command again to see what is left."""


@dataclass(frozen=True, slots=True)
class Version:
    """What was in force from a moment on; `counts` is what putting it in force did."""

    id: int
    digest: str
    at: datetime
    by: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """The texts of a version."""

    id: int
    digest: str
    files: Files

    def load(self, environment: Mapping[str, str] = os.environ) -> Registry:
        """The registry that they make.

        Raises:
            InvalidRegistry: an environment variable is missing here, or they are too old.
        """
        return load_files(self.files, environment)


_NEWEST = select(Applied.id).order_by(Applied.id.desc()).limit(1).scalar_subquery()
_TEXTS = select(Applied.id, Applied.digest, Applied.files)


def in_force(engine: Engine) -> Kept | None:
    """What is in force; None in a ledger in which nothing was applied yet."""
    return _kept(engine, _TEXTS.where(Applied.id == _NEWEST))


def version(engine: Engine, number: int) -> Kept:
    """The texts of an earlier version.

    Raises:
        NoSuchVersion.
    """
    found = _kept(engine, _TEXTS.where(Applied.id == number))
    if found is None:
        raise NoSuchVersion(f"There is no version {number}; `duban applied` lists them.")
    return found


def _kept(engine: Engine, question: Select[Any]) -> Kept | None:
    with reading(engine) as connection:
        row = connection.execute(question).one_or_none()
    return Kept(row.id, row.digest, row.files) if row else None


def digest_in_force(engine: Engine) -> str:
    """The digest of what is in force; empty where nothing is."""
    with reading(engine) as connection:
        return connection.scalar(select(Applied.digest).where(Applied.id == _NEWEST)) or ""


def digest_at(url: str) -> str:
    """The digest in force at a ledger's address, which is left as it is; empty where none is told.

    A ledger that is out of reach, or older than this, tells none.
    """
    engine = make_engine(url)
    try:
        return digest_in_force(engine)
    except DBAPIError:
        return ""
    finally:
        engine.dispose()


def versions(engine: Engine) -> list[Version]:
    """Every version, the newest first."""
    columns = (Applied.id, Applied.digest, Applied.at, Applied.by, Applied.counts)
    with reading(engine) as connection:
        rows = connection.execute(select(*columns).order_by(Applied.id.desc())).all()
    return [Version(*row) for row in rows]


def adopt(engine: Engine, files: Files, now: datetime) -> Kept:
    """Records what files say as in force where nothing is yet; what is in force from then on.

    That changes nothing for anybody, so it stands in no history; the first change of it does.
    """
    with change(engine, now, "duban") as made:
        if _base(made) is None:
            made.session.add(_row(made, files, {}))
    found = in_force(engine)
    assert found is not None
    return found


def record(
    made: Change, files: Files, base: Kept | None, reason: str, counts: dict[str, int]
) -> None:
    """Puts texts in force as part of a change.

    Args:
        base: what was in force when its consequences were looked at.

    Raises:
        AppliedMeanwhile: that is not in force any more; nothing was changed.
    """
    newest = _base(made)
    if (newest.id if newest else None) != (base.id if base else None):
        raise AppliedMeanwhile
    row = _row(made, files, counts)
    made.session.add(row)
    before = base.digest if base else ""
    made.record("applied", None, reason or None, digest=row.digest, before=before, **counts)


def _row(made: Change, files: Files, counts: dict[str, int]) -> Applied:
    return Applied(
        digest=digest_of(files), at=made.at, by=made.actor, files=dict(files), counts=counts
    )


def _base(made: Change) -> Row[Any] | None:
    """The newest version; the head of the chain is locked first, so that one applies at a time."""
    made.connection.execute(select(ChainHead.seq).with_for_update())
    return _newest(made.connection)


def _newest(connection: Connection) -> Row[Any] | None:
    return connection.execute(select(Applied.id).where(Applied.id == _NEWEST)).one_or_none()
