"""Commands on sheets: the roster of contacts, and the ledger, out to Excel and back."""

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

import pendulum
import typer
from rich.markup import escape
from rich.table import Table

from duban.cli.common import AsOf, civil_day, console, find_agency, find_clause, office
from duban.errors import DubanError
from duban.ledger.browsing import Selection, State
from duban.registry import Registry
from duban.settings import Settings, load_settings
from duban.sheets import coming, going, roster
from duban.sheets.judged import Preview, Verdict, preview_path, write_copy
from duban.sheets.written import AgenciesFile
from duban.words import words
from duban.xlsx import Column

SHOWN = 40
"""Rows of a preview on the screen; the copy has them all."""

File = Annotated[Path, typer.Argument(metavar="FILE.xlsx", dir_okay=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Force = Annotated[bool, typer.Option("--force", help="In place of a file that is there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")]

contacts = typer.Typer(help="The roster: contacts and channels of agencies as a sheet.")


@contacts.command()
def template(file: File, force: Force = False) -> None:
    """Write a sheet with every agency and empty contacts, to be filled in."""
    _write_roster(new_file(file, force), blank=True)


@contacts.command("export")
def export_contacts(file: File, force: Force = False) -> None:
    """Write every agency with its contact; secrets stay ${NAME}s."""
    _write_roster(new_file(file, force), blank=False)


def _write_roster(file: Path, *, blank: bool) -> None:
    registry = _agencies(load_settings()).registry()
    now = pendulum.now("UTC")
    written = roster.write_roster(
        file, registry.agencies.values(), registry.language, blank=blank, now=now
    )
    typer.echo(f"{file}: {written} agencies.")


@contacts.command("import")
def import_contacts(file: File, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Write a sheet's contacts into agencies.yaml, after showing what that changes.

    All of it is written or nothing; `duban apply` puts it in force then.
    """
    kept = _agencies(load_settings())
    registry = kept.registry()
    seen = roster.judge(file, registry.agencies, registry.language)
    show_preview(seen, file, roster.columns(seen.texts))
    if not seen.sound:
        raise DubanError("Nothing was written: mend the rows that are wrong, and import again.")
    if not seen.acting or dry_run:
        return
    confirm(yes, f"Write {len(seen.acting)} contacts into {kept.path}?")
    content = kept.edited({one.name: roster.new_contact(one) for one in seen.acting})
    kept.write(content)
    typer.echo(f"{kept.path}: {len(seen.acting)} contacts written; `duban apply` brings them in.")


def _agencies(settings: Settings) -> AgenciesFile:
    try:
        return AgenciesFile.at(settings.agencies, settings.notices)
    except OSError:
        raise DubanError(f"{settings.agencies} cannot be read; set DUBAN_AGENCIES.") from None


def new_file(file: Path, force: bool) -> Path:
    """The path, if a workbook may be written there: one that is there may have been filled in."""
    if file.suffix.lower() != ".xlsx":
        raise DubanError(f"{file} is not named as a workbook; write FILE.xlsx.")
    if not file.parent.is_dir():
        raise DubanError(f"There is no folder {file.parent}; make it first.")
    if file.exists() and not force:
        raise DubanError(f"{file} is there already; name another file, or give --force.")
    return file


def show_preview(seen: Preview, file: Path, columns: Mapping[str, Column]) -> None:
    """A line for each row that changes something or cannot; all of them go into a copy."""
    t = seen.texts
    shown = [one for one in seen.rows if one.verdict is not Verdict.UNCHANGED]
    if shown:
        table = Table(header_style="bold", pad_edge=False)
        for title in (t.says["line"], "", t.columns["verdict"], t.columns["detail"]):
            table.add_column(title, overflow="fold")
        for one in shown[:SHOWN]:
            told = (f"{one.row.line}", one.name, t.verdicts[one.verdict], one.told(t))
            table.add_row(*map(escape, told))
        console().print(table)
    if len(shown) > SHOWN:
        typer.echo(words(t.language).amendment["more"].format(n=len(shown)))
    copy = preview_path(file, t)
    write_copy(copy, seen, columns)
    typer.echo(f"{seen.summary} {copy}")


def confirm(yes: bool, question: str) -> None:
    """Goes on if a person says so, or has said so before."""
    if not yes and not (sys.stdin.isatty() and typer.confirm(question)):
        raise DubanError("Nothing was changed. Add --yes to do it after this preview.")


ledger = typer.Typer(help="The ledger 台账 as a sheet, out and back.")


@ledger.command("export")
def export_ledger(
    file: File,
    agency: Annotated[str | None, typer.Option(help="Only this agency's, by name or id.")] = None,
    region: Annotated[str | None, typer.Option(help="Only this region's, by name or id.")] = None,
    clause: Annotated[str | None, typer.Option(help="Only this clause's, such as 3.4c.")] = None,
    status: Annotated[
        State | None, typer.Option(help="Only what stands so, or shows this light.")
    ] = None,
    by_region: Annotated[
        bool, typer.Option("--by-region", help="A sheet for each region.")
    ] = False,
    as_of: AsOf = None,
    force: Force = False,
) -> None:
    """Write the duties into a workbook; white columns can be filled in and imported.

    --as-of writes them as they stood at the end of that day, for reading.
    """
    here = office()
    registry, now = here.ledger.registry, pendulum.now("UTC")
    selection = Selection(
        agency=find_agency(registry, agency).id if agency else "",
        region=_region(registry, region) if region else "",
        clause=find_clause(registry, clause).key if clause else "",
        state=status,
    )
    when = going.moment_of(here.ledger, now, _past_day(as_of, registry.today(now)))
    path, language = new_file(file, force), registry.language
    steps = going.export(when, selection, path, at=now, language=language, by_region=by_region)
    rows = 0
    for step in steps:
        rows = step.rows
        _tell(step)
    typer.echo(f"{file}: {rows} duties.")


def _past_day(given: str | None, today: date) -> date | None:
    day = civil_day(given) if given else None
    if day and day >= today:
        raise DubanError(f"{day} is not over yet; write a day that is past.")
    return day


@ledger.command("import")
def import_ledger(
    file: File,
    agency: Annotated[
        str | None, typer.Option("--as", help="The agency that filled it in, by name or id.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="The coordinator who did; written into the history.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Bring in what was filled into an exported sheet, after showing what that changes.

    Figures become the draft of the agency's form, progress and problems go into the history.
    Nothing is submitted by it, and evidence stays as it is. All of it is brought in or nothing.
    """
    here = office()
    actor, takes = _whose(here.ledger.registry, agency, by)
    seen = coming.judge(here.ledger, file, here.ledger.registry.language, takes)
    show_preview(seen, file, coming.columns(seen))
    if not seen.sound:
        raise DubanError("Nothing was brought in: mend or remove those rows, and import again.")
    if not seen.acting or dry_run:
        return
    confirm(yes, f"Bring in {len(seen.acting)} rows?")
    done = coming.bring_in(here.ledger, seen, by=actor, now=pendulum.now("UTC"))
    typer.echo(f"{file}: {done} rows brought in; the agencies submit them in the portal.")


def _whose(registry: Registry, agency: str | None, by: str | None) -> tuple[str, coming.Takes]:
    """Who is written into the history, and which duties that one may fill in."""
    if bool(agency) == bool(by):
        raise DubanError("Say who filled it in: --as AGENCY, or --by NAME for a coordinator.")
    if by:
        return by, coming.anything
    own = find_agency(registry, agency or "").id
    return own, lambda duty: duty.agency.id == own


def _tell(step: going.Progress) -> None:
    """On a terminal alone, in one line."""
    if sys.stderr.isatty():
        typer.echo(f"\r{step.rows}/{step.of}", err=True, nl=step.rows == step.of)


def _region(registry: Registry, name: str) -> str:
    known = {one.region: one.region_name for one in registry.agencies.values()}
    for region, told in known.items():
        if name in (region, told):
            return region
    raise DubanError(f"There is no region '{name}'; write one of {', '.join(known)}.")


APPS = {"contacts": contacts, "ledger": ledger}
