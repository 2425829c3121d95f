"""A telephone call to an agency about a duty is recorded.

Trigger: its form.
"""

from prefect import flow

from flows.acting import Number, Reason, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="call", flow_run_name=named("call"), validate_parameters=False)
@acting("call")
async def call(duty: Number, said: Reason, staff_code: StaffCode) -> Told:
    """Records what was said."""
    return acts.call(duty, said, staff_code)
