"""`python -m deployments`: registers the clauses with the Prefect server at PREFECT_API_URL."""

import os
from pathlib import Path

import pendulum
import typer

from deployments.register import register
from duban.errors import DubanError
from duban.registry import load_registry
from duban.settings import load_settings
from tasks.stage import Stage


def main() -> None:
    """Registers and says what changed; one sentence and exit code 1 when it cannot."""
    try:
        settings = load_settings()
        registry = load_registry(settings.agencies, settings.notices)
        url = os.environ.get("PREFECT_API_URL", f"http://127.0.0.1:{settings.prefect_port}/api")
        with Stage(url, auth=os.environ.get("PREFECT_API_AUTH_STRING")) as stage:
            done = register(registry, stage, Path.cwd(), pendulum.today("UTC").date())
    except DubanError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None
    typer.echo(
        f"{len(done.clauses)} clauses registered: {done.changed} changed, {done.retired} retired."
    )


main()
