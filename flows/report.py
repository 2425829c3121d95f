"""Bulletins (通报) are drafted: of a period, or of every one that ended with the month before.

Trigger: monthly, and its form. Safe to repeat: a draft that stands is left alone. A draft goes to
the coordinators first; it is issued in the portal.
"""

from datetime import date

from prefect import flow

from flows.acting import Chosen, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="report", flow_run_name=named("report"), validate_parameters=False)
@acting("report")
async def report(
    period: Chosen | None = None,
    cut_off: date | None = None,
    staff_code: StaffCode | None = None,
) -> Told:
    """Drafts; `cut_off` is the civil day at whose end the facts are frozen, now unless given."""
    return acts.report(period or "", cut_off, staff_code or "")
