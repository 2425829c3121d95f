"""The mark of a ledger that is not meant in earnest: a simulation says so on every screen."""

from datetime import datetime

from sqlalchemy import func, select

from duban.errors import DubanError
from duban.ledger import Ledger
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.tables import History, Setting

_LABEL = "label"


class InEarnest(DubanError):
    """A ledger with a history keeps its character: real duties never become a simulation."""


def label_of(ledger: Ledger) -> str:
    """What marks the ledger, such as 模拟演示; empty where everything is meant in earnest."""
    with reading(ledger.engine) as connection:
        question = select(Setting.value).where(Setting.name == _LABEL)
        return connection.scalar(question) or ""


def mark(ledger: Ledger, label: str, now: datetime) -> None:
    """Marks a fresh ledger for good.

    Raises:
        InEarnest: it has a history; nothing was changed.
    """
    with change(ledger.engine, now, "duban") as made:
        if made.connection.scalar(select(func.count()).select_from(History)):
            raise InEarnest("This ledger has a history; a simulation needs a folder of its own.")
        made.session.merge(Setting(name=_LABEL, value=label))
        made.record("marked", label=label)
