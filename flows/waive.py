"""A duty is closed without evidence: excused, or not applicable to its agency.

Trigger: its form.
"""

from prefect import flow

from flows.acting import Closing, Number, Reason, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="waive", flow_run_name=named("waive"), validate_parameters=False)
@acting("waive")
async def waive(duty: Number, kind: Closing, reason: Reason, staff_code: StaffCode) -> Told:
    """Waives."""
    return acts.waive(duty, kind, reason, staff_code)
