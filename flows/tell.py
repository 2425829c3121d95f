"""Tells the coordinator of something that cannot wait to be looked for.

Trigger: the automations of `deployments.automations`; it has no schedule of its own. Safe to
repeat: what is on the coordinator's list already is told once.
"""

from datetime import datetime
from typing import Any, cast

import pendulum
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from duban.words import words
from tasks.telling import What, put_on_the_list
from tasks.work import deliver_again_when_due, deliver_letters, office


def _name() -> str:
    labels = words(office().ledger.registry.language).labels
    what = str(cast(dict[str, Any], flow_run.parameters or {}).get("what"))
    return labels.get(f"run_{what.replace('-', '_')}", what)


@flow(name="tell", flow_run_name=_name)
async def tell(what: What, as_of: datetime | None = None) -> State[Any]:
    """Puts it onto the coordinator's list of tasks and delivers that.

    Args:
        what: escalated: duties about which a formal letter went out; no-chase: the chase stopped.
        as_of: the moment to look from; now unless given.
    """
    now = as_of or pendulum.now("UTC")
    told = put_on_the_list(what, now)
    get_run_logger().info("%s; letters: %s", told, deliver_letters(as_of))
    if as_of is None:
        deliver_again_when_due()
    return Completed(message=told)
