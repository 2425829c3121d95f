"""Whom to ask about what came through a link: the name and telephone that were last typed."""

from collections.abc import Mapping

from sqlalchemy import select, update

from duban.ledger import Ledger
from duban.ledger.database import reading
from duban.ledger.tables import Link, Submission


def remember(ledger: Ledger, link_id: int, person: str, telephone: str) -> None:
    """Keeps what was typed with the link, so that it is asked once.

    It is personal data and no deed, so the history does not hold it.
    """
    statement = update(Link).where(Link.id == link_id)
    with ledger.engine.begin() as connection:
        connection.execute(statement.values(person=person or None, telephone=telephone or None))


def links_of_versions(ledger: Ledger, duty_id: int) -> Mapping[int, int | None]:
    """Through which link each version of a duty's evidence came, by number of the version."""
    question = select(Submission.number, Submission.link_id).where(Submission.duty_id == duty_id)
    with reading(ledger.engine) as connection:
        return dict(connection.execute(question).tuples().all())
