"""A hold ends before its day.

Trigger: its form.
"""

from prefect import flow

from flows.acting import Number, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="release", flow_run_name=named("release"), validate_parameters=False)
@acting("release")
async def release(hold: Number, staff_code: StaffCode) -> Told:
    """Releases."""
    return acts.release(hold, staff_code)
