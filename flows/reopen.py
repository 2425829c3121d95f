"""A closed duty is opened again, which undoes a wrong acceptance or waiver.

Trigger: its form.
"""

from prefect import flow

from flows.acting import Number, Reason, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="reopen", flow_run_name=named("reopen"), validate_parameters=False)
@acting("reopen")
async def reopen(duty: Number, reason: Reason, staff_code: StaffCode) -> Told:
    """Reopens."""
    return acts.reopen(duty, reason, staff_code)
