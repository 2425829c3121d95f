"""The chase of coming days on a copy: what would open, and which letters would go to whom.

Trigger: its form. Nothing is sent or written; the run shows a table.
"""

from datetime import date

from prefect import flow

from flows.acting import Days, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="rehearse", flow_run_name=named("rehearse"), validate_parameters=False)
@acting("rehearse")
async def rehearse(day: date | None = None, days: Days = 1) -> Told:
    """Rehearses; `day` is the first civil day, today unless given."""
    return acts.rehearse(day, days)
