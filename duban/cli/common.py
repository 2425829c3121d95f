"""What the commands share: the office on this folder, the moment asked for, naming a duty."""

from datetime import date, datetime, time
from typing import Annotated

import pendulum
import typer
from rich.console import Console
from rich.table import Table

from duban.errors import DubanError
from duban.ledger.questions import DutyView, duties
from duban.office import Office, open_office
from duban.registry import Agency, PlacedClause, Registry, load_registry
from duban.settings import load_settings
from duban.words import Words

PLAIN_WIDTH = 100  # columns, where no terminal tells

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Look from this day, or moment, not from now."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
By = Annotated[str, typer.Option("--by", help="Who decides; written into the history.")]
ReasonText = Annotated[str, typer.Option("--reason", help="Why; goes into history and letter.")]
DutyName = Annotated[
    str, typer.Argument(metavar="DUTY", help="Its number, or CLAUSE:AGENCY:PERIOD.")
]


def console() -> Console:
    """A console that keeps 100 columns where no terminal tells its width."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def table(w: Words, *labels: str) -> Table:
    """An empty table with a column for each of these labels."""
    found = Table(header_style="bold", pad_edge=False)
    for label in labels:
        found.add_column(w.labels[label], overflow="fold")
    return found


def office() -> Office:
    """The office on the folder that the settings name."""
    here = open_office(load_settings())
    if label := here.label:
        typer.echo(label, err=True)  # beside what is meant for programs
    return here


def registry() -> Registry:
    """The registry alone, without touching the ledger."""
    settings = load_settings()
    return load_registry(settings.agencies, settings.notices)


def moment(as_of: str | None, registry: Registry, at: time = time(23, 59)) -> datetime:
    """The moment asked for; a date means that day at a time, in the first notice's zone."""
    if as_of is None:
        return pendulum.now("UTC")
    zone = registry.first_notice.zone
    try:
        if len(as_of) == len("2026-11-24"):
            return datetime.combine(date.fromisoformat(as_of), at, zone)
        found = datetime.fromisoformat(as_of)
    except ValueError:
        raise DubanError(f"'{as_of}' is no date; write one like 2026-11-24.") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def find_agency(registry: Registry, name: str) -> Agency:
    """The agency of that id or name; DubanError names the ones that come close."""
    found = registry.find_agency(name)
    if found is None:
        close = [
            one.name for one in registry.agencies.values() if name in one.name or name in one.id
        ]
        raise DubanError(
            f"There is no agency '{name}'.{_or_one_of(close, 'duban contacts export')}"
        )
    return found


def find_clause(registry: Registry, name: str) -> PlacedClause:
    """The clause of that number; DubanError names the ones that come close."""
    found = registry.find_clause(name)
    if found is None:
        close = [key for key in registry.clauses if name in key]
        raise DubanError(f"There is no clause '{name}'.{_or_one_of(close, 'duban status')}")
    return found


def _or_one_of(close: list[str], all_by: str) -> str:
    return f" Did you mean {', '.join(close[:5])}?" if close else f" `{all_by}` lists them."


def find_duty(office: Office, name: str) -> DutyView:
    """The duty of that number, or of CLAUSE:AGENCY:PERIOD."""
    if name.lstrip("#").isdigit():
        return _only(duties(office.ledger, ids=[int(name.lstrip("#"))]), name)
    clause, _, rest = name.partition(":")
    agency, _, period = rest.rpartition(":")
    if not (agency and period):
        raise DubanError(f"'{name}' is no duty; write its number, or CLAUSE:AGENCY:PERIOD.")
    registry = office.ledger.registry
    found = duties(
        office.ledger,
        clause=find_clause(registry, clause).key,
        agency=find_agency(registry, agency).id,
    )
    return _only([duty for duty in found if duty.period == period], name)


def _only(found: list[DutyView], name: str) -> DutyView:
    if len(found) > 1:
        numbers = ", ".join(str(duty.id) for duty in found)
        raise DubanError(f"'{name}' is several duties; use the number: {numbers}.")
    if not found:
        raise DubanError(f"There is no duty {name}; `duban status` lists them.")
    return found[0]


def civil_day(given: str, hint: str = "write one like 2026-12-31") -> date:
    """A date as a person typed it; DubanError ends with the hint."""
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise DubanError(f"'{given}' is no date; {hint}.") from None
