"""Parts of a letter: what a robot's limit leaves over goes into the next one, never lost."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Row, Table, func, select, update

from duban.ledger.change import Change, insert_or_skip
from duban.ledger.tables import Letter, Mention

_letters = cast(Table, Letter.__table__)


def carry_over(made: Change, row: Row[Any], mentions: Sequence[int], claimed: set[int]) -> None:
    """Moves what a robot's limit left over into the next part, to be written in its turn."""
    if not mentions:
        return
    part = _unwritten_part(made, row, claimed) or _new_part(made, row)
    statement = update(Mention).where(Mention.id.in_(mentions)).values(letter_id=part)
    made.connection.execute(statement)


def _same_letter(row: Row[Any]):
    return (
        _letters.c.recipient == row.recipient,
        _letters.c.channel == row.channel,
        _letters.c.day == row.day,
        _letters.c.kind == row.kind,
    )


def _unwritten_part(made: Change, row: Row[Any], claimed: set[int]) -> int | None:
    question = (
        select(_letters.c.id)
        .where(*_same_letter(row), _letters.c.part > row.part, _letters.c.id.not_in(claimed))
        .where(_letters.c.state == "pending", _letters.c.attempts == 0)
        .order_by(_letters.c.part)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return made.connection.scalar(question)


def _new_part(made: Change, row: Row[Any]) -> int:
    """Another process may begin the same part at the same moment; then it is the one after it."""
    slot = {name: getattr(row, name) for name in ("recipient", "channel", "day", "kind")}
    fresh = {"state": "pending", "not_before": made.at, "attempts": 0, "fence": 0}
    statement = (
        insert_or_skip(made.connection)(_letters).on_conflict_do_nothing().returning(_letters.c.id)
    )
    last = made.connection.scalar(select(func.max(_letters.c.part)).where(*_same_letter(row)))
    part = last or row.part
    while True:
        part += 1
        found = made.connection.scalar(statement.values(**slot, part=part, **fresh))
        if found is not None:
            return found
