"""Every duty's run is compared with the ledger, made or put right.

Trigger: its form, after runs were lost or changed.
"""

from prefect import flow

from flows.acting import acting, named
from tasks import acts
from tasks.acts import Told


@flow(name="rebuild_mirror", flow_run_name=named("rebuild_mirror"), validate_parameters=False)
@acting("rebuild_mirror")
async def rebuild_mirror() -> Told:
    """Rebuilds."""
    return acts.rebuild_mirror()
