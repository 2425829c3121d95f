"""A coordinator's decision on evidence: accepted, or returned with what is wrong.

Trigger: its form. A version may be stated; the decision is refused if a newer one has come.
"""

from datetime import date

from prefect import flow

from flows.acting import Decision, Number, Remark, ReturnCode, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="review", flow_run_name=named("review"), validate_parameters=False)
@acting("review")
async def review(
    duty: Number,
    decision: Decision,
    codes: tuple[ReturnCode, ...] = (),
    reason: Remark = "",
    due_on: date | None = None,
    version: Number | None = None,
    *,
    staff_code: StaffCode,
) -> Told:
    """Accepts or returns.

    Args:
        codes: what is wrong, for a return.
        due_on: the civil day by which to mend it.
        version: the one that was looked at.
    """
    return acts.review(
        duty,
        decision == "accept",
        staff_code,
        reason=reason,
        codes=codes,
        version=version,
        due_on=due_on,
    )
