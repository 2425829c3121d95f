"""The 台账 is written as a workbook in the background, however long it is.

Trigger: its form. It changes nothing in the ledger and may be run at any time. While it runs, an
artifact shows how far it is; the workbook waits in the data folder and is fetched in the portal.
"""

import time
from datetime import date

from prefect import flow
from prefect.artifacts import acreate_progress_artifact, update_progress_artifact

from flows.acting import Chosen, acting, named
from tasks import acts
from tasks.acts import Told

EVERY = 2.0
"""Seconds between two words about how far it is."""


@flow(name="export", flow_run_name=named("export"), validate_parameters=False)
@acting("export")
async def export(
    agency: Chosen | None = None,
    clause: Chosen | None = None,
    day: date | None = None,
    by_region: bool = False,
) -> Told:
    """Writes it; `day` is a civil day behind whose end is shown, now unless given."""
    artifact = await acreate_progress_artifact(0.0, key="ledger")
    last = 0.0

    def tell(percent: float) -> None:
        nonlocal last
        if percent == 100 or time.monotonic() > last + EVERY:
            last = time.monotonic()
            update_progress_artifact(artifact, percent, _sync=True)  # pyright: ignore[reportCallIssue]

    return acts.export(agency or "", clause or "", day, by_region, tell)
