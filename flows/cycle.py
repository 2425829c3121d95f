"""A clause's period opens: its duties, and the letters that assign them.

Trigger: the clause's own schedule, from the openings in clauses.yaml. Safe to run at any time and
any number of times: only what is missing is opened.
"""

from datetime import datetime
from typing import Any

import pendulum
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Cancelled

from duban.forms import form_words
from duban.mirror import DUTY_TAG
from tasks.work import deliver_again_when_due, deliver_letters, office, open_duties


@flow(name="cycle", flow_run_name="{clause}")
async def cycle(clause: str, as_of: datetime | None = None) -> str | State[Any]:
    """Opens what this clause should have open and delivers the letters.

    Args:
        clause: its key, such as shanxi-2023-6/3.4c.
        as_of: the moment to look from; now unless given.
    """
    if DUTY_TAG in (flow_run.tags or []):
        # A person pressed Retry or Resume on a duty: there is nothing to execute.
        return Cancelled(message=_where_to_decide())
    now = as_of or pendulum.now("UTC")
    opened = open_duties(now, clause)
    delivered = deliver_letters(as_of)
    get_run_logger().info("%s: %s; letters: %s", clause, opened, delivered)
    if as_of is None:
        deliver_again_when_due()
    return opened


def _where_to_decide() -> str:
    """What to do instead of running a duty."""
    here = office()
    given: dict[str, Any] = flow_run.parameters or {}
    number = given.get("duty", "")
    page = f"{here.settings.portal}/desk/duties/{number}".rstrip("/")
    return form_words(here.ledger.registry.language).faults["no-run"].format(page=page)
