"""A clause's period is opened now, without waiting for its schedule.

Trigger: its form. Safe to run any number of times: only what is missing is opened.
"""

from datetime import date

from prefect import flow

from flows.acting import Chosen, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="open_period", flow_run_name=named("open_period"), validate_parameters=False)
@acting("open_period")
async def open_period(clause: Chosen, since: date | None = None) -> Told:
    """Opens; `since` also opens what was missed from that civil day on."""
    return acts.open_period(clause, since)
