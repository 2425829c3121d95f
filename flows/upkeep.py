"""The nightly upkeep of Prefect: runs of dead processes end, and runs of long ago leave.

Trigger: every night. The runs of duties stay. Safe to repeat.
"""

from datetime import datetime

import pendulum
from prefect import flow, get_run_logger

from tasks.upkeep import clean_up_here, trim_here
from tasks.work import office


@flow(name="upkeep")
async def upkeep(as_of: datetime | None = None) -> str:
    """Ends what has no process any more and removes what is old.

    Args:
        as_of: the moment to look from; now unless given.
    """
    now = as_of or pendulum.now("UTC")
    for name in clean_up_here(now, office().ledger.registry.language):
        get_run_logger().warning("%s had no process any more", name)
    removed = trim_here(now)
    get_run_logger().info(removed)
    return removed
