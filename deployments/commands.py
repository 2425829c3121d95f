"""The commands that need Prefect: up, demo, mirror and diff. They join `duban` by entry point.

Prefect is imported inside them, so that the other commands start at once.
"""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pendulum
import typer

from duban.cli.common import Json, civil_day, office
from duban.settings import Settings

if TYPE_CHECKING:
    from tasks.stage import Stage


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
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay, and keep Prefect in step until stopped.")
    ] = False,
) -> None:
    """Bring the Prefect UI to what the ledger says."""
    from deployments.keeper import Keeper
    from tasks.mirror import forget

    here = office()
    with stage_of(here.settings) as stage:
        keeper = Keeper(here, stage, Path.cwd(), partial(typer.echo, err=True))
        if rebuild:
            forget(here.ledger)
        sent = keeper.fill(pendulum.now("UTC"), show_progress, full=True)
        typer.echo(f"duban mirrored: {sent}")
        while follow:
            keeper.wait()
            keeper.look()


def diff(
    full: Annotated[
        bool, typer.Option("--full", help="Compare each duty's run, not only their counts.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show where the Prefect UI differs from the files and the ledger; exit code 1 if it does."""
    from deployments.diff import differences, print_differences

    here = office()
    with stage_of(here.settings) as stage:
        found = differences(here, stage, Path.cwd(), pendulum.now("UTC"), full=full)
    print_differences(found, here.ledger.registry.language, as_json=as_json)
    if found:
        raise typer.Exit(1)


def stage_of(settings: Settings) -> "Stage":
    """The Prefect server that the environment names, else the embedded one."""
    from deployments.embedded import credential_of
    from tasks.stage import Stage

    auth = os.environ.get("PREFECT_API_AUTH_STRING")
    if url := os.environ.get("PREFECT_API_URL"):
        return Stage(url, auth=auth)
    url = f"http://127.0.0.1:{settings.prefect_port}/api"
    return Stage(url, auth=auth or credential_of(settings))


def show_progress(done: int, of: int) -> None:
    """One line that tells how far the mirror is."""
    typer.echo(f"mirroring {done} of {of}")
