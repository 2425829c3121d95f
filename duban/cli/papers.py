"""Commands for official papers: `duban paper list`, `duban paper get`."""

from pathlib import Path
from typing import Annotated

import typer

from duban.cli.common import console, find_duty, office, table
from duban.errors import DubanError
from duban.ledger.papers import NoSuchPaper, PaperView, content_of, papers
from duban.words import words

app = typer.Typer(help="Official papers: slips, letters, decisions.", no_args_is_help=True)

MOST = 50
_HEADS = ("no", "kind", "number", "day", "to", "letter", "state")


@app.command("list")
def show(
    duty: Annotated[
        str | None, typer.Option("--duty", metavar="DUTY", help="Only those about this duty.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=f"Not only the last {MOST}.")] = False,
) -> None:
    """List the papers, the newest first."""
    here = office()
    about = find_duty(here, duty).id if duty else None
    w = words(here.ledger.registry.language)
    shown = table(w, *(f"paper_{one}" for one in _HEADS))
    for one in papers(here.ledger, duty=about, most=None if every else MOST):
        to = here.ledger.registry.name_of(one.recipient)
        letter = f"{one.letter_id or ''}"
        state = w.labels["paper_void"] if one.void_at else ""
        shown.add_row(f"{one.id}", one.name, one.number, f"{one.day}", to, letter, state)
    console().print(shown)


@app.command()
def get(
    paper: Annotated[int, typer.Argument(metavar="N", help="Its number in the list.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to; here unless given.")
    ] = None,
) -> None:
    """Write a paper to a file, as it was made; its hash is checked."""
    here = office()
    found = papers(here.ledger, paper=paper)
    if not found:
        raise NoSuchPaper
    target = _target(found[0], to)
    content = content_of(here.ledger, paper)
    try:
        with target.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise DubanError(f"{target}: {error.strerror}") from None
    typer.echo(f"{target}: SHA-256 {found[0].sha256}")


def _target(paper: PaperView, to: Path | None) -> Path:
    if to is not None and to.is_dir():
        return to / paper.file_name
    return to or Path(paper.file_name)
