"""Commands that do the day's work without Prefect, and the switch for real channels."""

from typing import Annotated

import pendulum
import typer

from duban.cli.common import AsOf, By, civil_day, moment, office
from duban.errors import DubanError
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading


def tick(
    as_of: AsOf = None,
    backfill: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Also open periods that began on or after this day."),
    ] = None,
) -> None:
    """Open what should be open, chase, and deliver: one round of the day's work.

    With --as-of it does the work of that day, and writes it.
    """
    here = office()
    since = civil_day(backfill, "write 2025-01-01") if backfill else None
    typer.echo(str(here.tick(moment(as_of, here.ledger.registry), since=since)))


def send(
    switch: Annotated[str, typer.Argument(metavar="on|off|status")],
    by: By = "cli",
) -> None:
    """Let letters leave through real channels (on), or keep them in the drop folder (off)."""
    here = office()
    if switch in ("on", "off"):
        here.arm(switch == "on", by=by, now=pendulum.now("UTC"))
    elif switch != "status":
        raise DubanError(f"'{switch}' is no switch; write on, off or status.")
    reachable = len(here.ledger.registry.agencies) - len(here.ledger.registry.unreachable)
    if here.armed():
        typer.echo(f"Sending is on: {reachable} agencies are reached through their channels.")
    else:
        typer.echo(f"Sending is off: every letter stays in {here.settings.letters}.")


def verify() -> None:
    """Check that the history is whole: no row altered, removed or put in."""
    here = office()
    with reading(here.ledger.engine) as connection:
        broken = first_broken_link(connection)
    if broken is not None:
        raise DubanError(f"The history is broken at row {broken}; restore a backup and compare.")
    typer.echo("The history is whole.")


COMMANDS = (tick, send, verify)
