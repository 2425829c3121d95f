"""A duty's due day moves to a later one; the first stays on record.

Trigger: its form.
"""

from datetime import date

from prefect import flow

from flows.acting import Number, Reason, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="extend", flow_run_name=named("extend"), validate_parameters=False)
@acting("extend")
async def extend(duty: Number, due_on: date, reason: Reason, staff_code: StaffCode) -> Told:
    """Extends; `due_on` is a civil day in the notice's zone."""
    return acts.extend(duty, due_on, reason, staff_code)
