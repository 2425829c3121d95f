"""Commands that keep the ledger safe and move it: backup, restore, move."""

import getpass
import time
from pathlib import Path
from typing import Annotated

import pendulum
import typer
from sqlalchemy import make_url

from duban.ledger.backup import NothingThere, back_up, open_as_is, sqlite_path
from duban.ledger.copying import move_ledger
from duban.ledger.database import open_database
from duban.ledger.lock import only_one
from duban.ledger.restoring import restore as put_back
from duban.settings import Settings, load_settings

_EVERY = 2.0  # seconds between two lines of progress


class _Told:
    """Says how far it is, now and then; nothing of what is over at once."""

    def __init__(self) -> None:
        self.said_at = time.monotonic()

    def __call__(self, doing: str, done: int, of: int) -> None:
        if time.monotonic() - self.said_at >= _EVERY:
            self.said_at = time.monotonic()
            typer.echo(f"{doing}: {done} of {of}", err=True)


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .tar; or a .tar.gz, which takes longer.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Back up ledger, evidence and key into one file, while everything runs.

    Keep it like a password: with the key in it all links of agencies can be made.
    """
    made = back_up(load_settings(), file, pendulum.now("UTC"), force=force, progress=_Told())
    size = file.stat().st_size / 2**20
    typer.echo(
        f"{file}: {made.duties} duties, {made.files} files, history to row {made.seq} and whole; "
        f"{size:.1f} MB. Keep it like a password: it opens every link."
    )
    for fault in made.faults:
        typer.echo(f"warning: {fault} The backup goes without it.", err=True)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `duban backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move aside what is in use, and take its place.")
    ] = False,
    by: Annotated[
        str | None, typer.Option("--by", help="Who does it; written into the history.")
    ] = None,
) -> None:
    """Put a backup in place, after all of it was proved; sending is off then.

    It goes where DUBAN_HOME and DUBAN_DATABASE_URL say.
    """
    settings = load_settings()
    who = by or _whoever()
    now = pendulum.now("UTC")
    done = put_back(settings, file, now, by=who, replace=replace, progress=_Told())
    made = done.manifest
    typer.echo(
        f"restored: {made.duties} duties, {made.files} files, history to row {made.seq} and "
        f"whole, as of {made.made_at:%Y-%m-%d %H:%M} UTC."
    )
    for fault in made.faults:
        typer.echo(f"warning: {fault}", err=True)
    for place in done.aside:
        typer.echo(f"What was there lies in {place}; delete it once it is surely not needed.")
    typer.echo(_next_steps(settings, "secret.key" in made.members))


def _whoever() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in a container
        return "cli"


def _next_steps(settings: Settings, has_key: bool) -> str:
    lines = [
        "Next: `duban up` shows it in Prefect anew (with a Prefect of your own, `duban mirror "
        "--rebuild`).",
        "Sending is off, since nobody knows here what went out after the backup was made. Compare "
        "`duban plan` with the letters that agencies have, then `duban send on`.",
    ]
    if not has_key and settings.secret is None:
        lines.append(
            "The backup has no key: set DUBAN_SECRET as before, or old links open no more."
        )
    return "\n".join(lines)


def move(
    database_url: Annotated[
        str,
        typer.Argument(
            metavar="DATABASE_URL",
            help="Where to: postgresql+psycopg://USER@HOST/NAME or sqlite:///FILE. psycopg takes "
            "the password from ~/.pgpass or PGPASSWORD too.",
        ),
    ],
) -> None:
    """Copy the ledger into another, empty database, and prove that it is the same.

    Nothing else may run meanwhile. Files and key stay in DUBAN_HOME, the old ledger as it is.
    """
    settings = load_settings()
    path = sqlite_path(settings.ledger_url)
    if path and not path.is_file():
        raise NothingThere(f"There is no ledger {path}; look at DUBAN_HOME.")
    with only_one(settings.home):
        source, target = open_as_is(settings.ledger_url), open_database(database_url)
        try:
            rows = move_ledger(source, target, _Told())
        finally:
            source.dispose()
            target.dispose()
    shown = make_url(database_url).render_as_string(hide_password=True)
    typer.echo(
        f"moved: {rows} rows are the same there, and the history is whole.\n"
        f"From now on set DUBAN_DATABASE_URL={shown} wherever Duban runs; what is written to the "
        "old ledger is lost."
    )


COMMANDS = (backup, restore, move)
