"""Commands that prove the ledger whole: `duban audit verify`, `duban audit head`."""

from pathlib import Path
from typing import Annotated

import pendulum
import typer

from duban.cli.common import office
from duban.errors import DubanError
from duban.ledger.audit import HEADS, Head, head_now, read_heads, verify_files
from duban.ledger.audit import verify as faults_of

app = typer.Typer(help="Prove that nothing was altered.", no_args_is_help=True)


@app.command()
def verify(
    heads: Annotated[
        list[Path] | None,
        typer.Option("--heads", metavar="FILE", help="A copy of heads.log kept elsewhere."),
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="Read every evidence file too; takes its time.")
    ] = False,
) -> None:
    """Check that the history is whole, and duties and evidence are what it tells.

    Finds a row altered, removed, put in or cut off at the end; the last against the heads noted
    daily in heads.log, and in copies of it, since whoever alters the ledger can alter that too.
    """
    here = office()
    faults = faults_of(here.ledger, _heads(here.settings.home / HEADS, heads or []))
    if files:
        faults += verify_files(here.ledger, here.settings.files)
    if faults:
        raise DubanError("\n".join([*faults, "Restore a backup and compare."]))
    typer.echo("The history is whole.")
    if files:
        typer.echo("Every file is there, as it was kept.")


def _heads(log: Path, copies: list[Path]) -> list[Head]:
    found = read_heads(log)
    for copy in copies:
        if not copy.is_file():
            raise DubanError(f"There is no file {copy}.")
        found += read_heads(copy)
    return sorted(found, key=lambda head: head.seq)


@app.command()
def head() -> None:
    """Print the head of the history as heads.log notes it, to be kept elsewhere."""
    typer.echo(str(head_now(office().ledger, pendulum.now("UTC"))))


COMMANDS = (verify,)
