"""The daily picture: artifacts of what is overdue and where every clause stands.

Trigger: every morning after the chase. It first checks the dates of the chase; it ends FAILED
"超期 N" while something is overdue, so that the dashboard of the past day is red.
"""

from datetime import datetime
from typing import Any

import pendulum
from prefect import flow, get_run_logger
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.client.schemas.objects import State, StateType

from duban.board import BOARD_ROWS, headline, summary_table
from duban.ledger.questions import duties
from duban.mirror import table_of_overdue
from duban.words import words
from tasks.work import check_dates, office


@flow(name="board")
async def board(as_of: datetime | None = None) -> State[Any]:
    """Writes the day's artifacts and ends red or green.

    Args:
        as_of: the moment to look from; now unless given.
    """
    now = as_of or pendulum.now("UTC")
    if wrong := check_dates(now):
        get_run_logger().warning("%d dates of the chase were wrong and are put right", wrong)
    registry = office().ledger.registry
    w = words(registry.language)
    found, label = duties(office().ledger), office().label
    head = headline(found, now, w, label)
    late = table_of_overdue(found, now, w)
    more = len(late) - BOARD_ROWS
    await acreate_table_artifact(
        late[:BOARD_ROWS],
        key="overdue",
        description=f"{label} {w.labels['more'].format(n=more) if more > 0 else w.overdue}".strip(),
    )
    await acreate_markdown_artifact(
        f"{head}\n\n{summary_table(found, now, w)}", key="board", description=label or None
    )
    if late:
        name = f"{label} {w.labels['overdue_n'].format(n=len(late))}".strip()
        return State(type=StateType.FAILED, name=name, message=head)
    return State(type=StateType.COMPLETED, name=w.labels["none_overdue"])
