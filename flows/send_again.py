"""A letter that was given up or reached nobody is sent again.

Trigger: its form.
"""

from prefect import flow

from flows.acting import Number, StaffCode, acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="send_again", flow_run_name=named("send_again"), validate_parameters=False)
@acting("send_again")
async def send_again(letter: Number, staff_code: StaffCode) -> Told:
    """Sends again."""
    return acts.send_again(letter, staff_code)
