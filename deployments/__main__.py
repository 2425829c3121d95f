"""`python -m deployments`: registers the clauses in force with the Prefect server."""

from pathlib import Path

import pendulum
import typer

from deployments.commands import stage_of
from deployments.register import register
from duban.errors import DubanError
from duban.office import open_office
from duban.settings import load_settings


def main() -> None:
    """Registers and says what changed; one sentence and exit code 1 when it cannot."""
    try:
        office = open_office(load_settings())
        registry = office.ledger.registry
        today = registry.today(pendulum.now("UTC"))
        with stage_of(office.settings) as stage:
            done = register(
                registry, stage, Path.cwd(), today, office.label, office.settings.decisions
            )
    except DubanError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None
    typer.echo(
        f"{len(done.clauses)} clauses registered: {done.changed} changed, {done.retired} retired."
    )


main()
