"""Delivers letters that were put off, at the moment at which they can go.

Trigger: the flows that deliver schedule it when something waits; it has no schedule of its own.
"""

from prefect import flow, get_run_logger

from tasks.work import deliver_again_when_due, deliver_letters


@flow(name="deliver")
async def deliver() -> str:
    """Delivers what is due, and has itself run again while something waits."""
    delivered = deliver_letters()
    get_run_logger().info("letters: %s", delivered)
    deliver_again_when_due()
    return delivered
