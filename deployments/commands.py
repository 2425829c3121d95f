"""The commands that need Prefect: up, demo and mirror. They join `duban` by entry point.

Prefect is imported inside them, so that the other commands start at once.
"""

import os
from pathlib import Path
from typing import Annotated

import pendulum
import typer

from duban.cli.common import civil_day, office


def up(
    backfill: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Also open periods that began on or after this day."),
    ] = None,
) -> None:
    """Start everything: Prefect, a worker, the ledger's work and its mirror. Ctrl-C stops it."""
    from deployments.up import run_up
    from duban.settings import load_settings

    run_up(
        load_settings(), Path.cwd(), civil_day(backfill, "write 2025-01-01") if backfill else None
    )


def demo() -> None:
    """Replay this year with simulated agencies in var-demo, then start everything on it.

    DUBAN_HOME names another folder. A second start goes on with what is there.
    """
    from deployments.demo import run_demo
    from duban.settings import load_settings

    run_demo(load_settings(), Path.cwd(), pendulum.now("UTC"))


def mirror(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make every duty's run anew, after Prefect was lost.")
    ] = False,
) -> None:
    """Bring the Prefect UI to what the ledger says."""
    from deployments.register import register
    from tasks.mirror import forget, sync
    from tasks.stage import Stage

    here = office()
    now = pendulum.now("UTC")
    port = here.settings.prefect_port
    url = os.environ.get("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    with Stage(url, auth=os.environ.get("PREFECT_API_AUTH_STRING")) as stage:
        done = register(here.ledger.registry, stage, Path.cwd(), now.date(), here.label)
        if rebuild:
            forget(here.ledger)
        sent = sync(
            here.ledger,
            stage,
            done.clauses,
            now,
            full=True,
            progress=show_progress,
            portal=here.settings.portal,
        )
    typer.echo(f"duban mirrored: {sent}")


def show_progress(done: int, of: int) -> None:
    """One line that tells how far the mirror is."""
    typer.echo(f"mirroring {done} of {of}")
