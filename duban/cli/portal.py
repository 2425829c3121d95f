"""The command that serves the portal; `duban up` starts it too."""

import pendulum
import typer

from duban.cli.common import office
from duban.ledger.accounts import first_administrator


def portal() -> None:
    """Serve the portal alone, for example beside a Prefect of your own. Ctrl-C stops it."""
    # The web framework takes a second to load, and the other commands need none of it.
    from duban.portal.serve import serve

    here = office()
    now = pendulum.now("UTC")
    typer.echo(f"portal: {here.settings.portal}/desk")
    if password := first_administrator(here.ledger, now):
        typer.echo(f"sign in as admin with the one-time password {password}")
    serve(here, lambda: pendulum.now("UTC"))


COMMANDS = (portal,)
