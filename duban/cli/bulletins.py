"""Commands on bulletins (通报): draft, look through, object, answer, issue, write out."""

from pathlib import Path
from typing import Annotated

import pendulum
import typer

from duban.cli.common import By, ReasonText, civil_day, console, office
from duban.errors import DubanError
from duban.ledger import bulletins
from duban.ledger.bulletins import BulletinView, period_called
from duban.office import Office
from duban.reports import making
from duban.reports.markdown import markdown
from duban.words import period_words, words

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="`duban bulletin list` shows them.")]
Said = Annotated[str, typer.Option("--text", help="What is said; goes into the history.")]

app = typer.Typer(help="Bulletins 通报: draft, look through, object, answer, issue.")


@app.command()
def draft(
    by: By,
    period: Annotated[
        str, typer.Argument(help="2026-10, 2026Q3, 2026H1, 2026, SY2026; else what just ended.")
    ] = "",
    cut_off: Annotated[
        str | None, typer.Option(metavar="DATE", help="The facts as of the end of this day.")
    ] = None,
) -> None:
    """Freeze the facts and draft the bulletin of a period; coordinators see it first."""
    here, now = office(), pendulum.now("UTC")
    today = here.ledger.registry.today(now)
    wanted = [period_called(period)] if period else making.ended(today)
    at = making.cut_off_of(here.ledger, civil_day(cut_off) if cut_off else None, now)
    for one in wanted:
        number, new = bulletins.draft(here.ledger, one, at=at, by=by, now=now, anew=bool(period))
        typer.echo(_line(here, bulletins.bulletin(here.ledger, number)))
        if not new:
            typer.echo("It stood already; to make another, withdraw a draft or name the period.")


@app.command("list")
def list_() -> None:
    """List bulletins, the newest first."""
    here = office()
    found = bulletins.bulletins(here.ledger)
    for one in found:
        typer.echo(_line(here, one))
    if not found:
        typer.echo("There are none yet; `duban bulletin draft` makes one.")


def _line(here: Office, one: BulletinView) -> str:
    registry = here.ledger.registry
    state = making.state_words(registry.language, one, registry.first_notice.zone)
    return f"{one.id}  {period_words(words(registry.language), one.period)}  {state}"


@app.command()
def show(number: Number) -> None:
    """Print a bulletin and what was said against it."""
    here = office()
    console().print(_text(here, number), markup=False)
    for one in bulletins.objections(here.ledger, number):
        typer.echo(f"#{one.id} {one.made_by}: {one.text}")
        if one.answer:
            typer.echo(f"    {one.answered_by}: {one.answer}")


def _text(here: Office, number: int) -> str:
    found = making.cut(here.ledger, number)
    registry = here.ledger.registry
    state = making.state_words(found.seen.language, found.view, registry.first_notice.zone)
    return markdown(found.figures, making.links_of(here.settings.portal, number), state=state)


@app.command()
def write(
    number: Number,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.docx, FILE.xlsx or FILE.md")],
) -> None:
    """Write a bulletin out for Word, for Excel, or as Markdown."""
    here = office()
    writers = {".docx": _docx, ".xlsx": _xlsx, ".md": _md}
    if file.suffix.lower() not in writers:
        raise DubanError(f"{file} is none of these: FILE.docx, FILE.xlsx, FILE.md.")
    if not file.parent.is_dir():
        raise DubanError(f"There is no folder {file.parent}; make it first.")
    writers[file.suffix.lower()](here, number, file)
    typer.echo(f"{file} written.")


def _md(here: Office, number: int, file: Path) -> None:
    file.write_text(_text(here, number), encoding="utf-8")


def _docx(here: Office, number: int, file: Path) -> None:
    file.write_bytes(making.document(here.ledger, making.cut(here.ledger, number)))


def _xlsx(here: Office, number: int, file: Path) -> None:
    making.workbook(making.cut(here.ledger, number), file)


@app.command("object")
def object_to(number: Number, by: By, text: Said) -> None:
    """Object to a draft, within its window."""
    here = office()
    said = bulletins.object_to(here.ledger, number, text=text, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Objection {said} recorded.")


@app.command()
def answer(
    objection: Annotated[int, typer.Argument(metavar="OBJECTION")], by: By, text: Said
) -> None:
    """Answer an objection; `show` lists them with their numbers."""
    here = office()
    bulletins.answer(here.ledger, objection, text=text, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Objection {objection} answered.")


@app.command()
def issue(number: Number, by: By) -> None:
    """Issue a draft, when its window is over and all objections are answered."""
    here = office()
    told = making.issue(here.ledger, number, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Bulletin {number} issued as {told}.")


@app.command()
def withdraw(number: Number, by: By, reason: ReasonText) -> None:
    """Withdraw a draft, to draft another."""
    here = office()
    bulletins.withdraw(here.ledger, number, reason=reason, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Draft {number} withdrawn.")
