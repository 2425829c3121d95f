"""Silence towards an agency, or about a clause, until a day.

Trigger: its form.
"""

from datetime import date

from prefect import flow

from flows.acting import Chosen, Reason, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="hold", flow_run_name=named("hold"), validate_parameters=False)
@acting("hold")
async def hold(
    agency: Chosen = "",
    clause: Chosen = "",
    *,
    until: date,
    reason: Reason,
    staff_code: StaffCode,
) -> Told:
    """Holds; `until` is the last silent civil day in the first notice's zone."""
    return acts.hold(agency, clause, until, reason, staff_code)
