"""The day's chase: opens whatever is missing, decides who hears what, delivers.

Trigger: every morning. Safe to repeat: the same moment says nothing twice.
"""

from datetime import datetime

import pendulum
from prefect import flow, get_run_logger

from tasks.work import (
    chase_duties,
    deliver_again_when_due,
    deliver_letters,
    open_duties,
    recount_days,
)


@flow(name="chase")
async def chase(as_of: datetime | None = None) -> str:
    """One round of the day's work.

    Args:
        as_of: the moment to look from; now unless given.
    """
    now = as_of or pendulum.now("UTC")
    recount_days(now)
    opened = open_duties(now)
    chased = chase_duties(now)
    delivered = deliver_letters(as_of)
    get_run_logger().info("%s; %s; letters: %s", opened, chased, delivered)
    if as_of is None:
        deliver_again_when_due()
    return opened
