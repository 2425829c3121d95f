"""The command line: `duban COMMAND`. Every command says in one sentence what went wrong."""

import sys
from importlib.metadata import entry_points
from pathlib import Path

import typer

from duban.cli import (
    accounts,
    acts,
    applying,
    audit,
    bulletins,
    chasing,
    files,
    keeping,
    letter,
    links,
    papers,
    portal,
    run,
    screens,
    sheets,
)
from duban.errors import DubanError

app = typer.Typer(
    help="Duban 督办: chases what a notice lays on agencies until the evidence is accepted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (files, applying, screens, acts, chasing, letter, links, portal, run, audit, keeping):
    for command in group.COMMANDS:
        app.command()(command)
app.add_typer(audit.app, name="audit")
app.add_typer(accounts.app, name="account")
app.add_typer(papers.app, name="paper")
app.add_typer(bulletins.app, name="bulletin")
for name, group in sheets.APPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Runs the command line; a person's mistake ends with exit code 1 and no traceback."""
    # Commands such as `up` live beside agencies.yaml in the project folder, not in the package.
    sys.path.append(str(Path.cwd()))
    for point in sorted(entry_points(group="duban.commands"), key=lambda point: point.name):
        try:
            app.command(point.name)(point.load())
        except ModuleNotFoundError as error:
            if error.name not in ("deployments", "flows", "tasks"):
                raise
    try:
        app()
    except DubanError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None
