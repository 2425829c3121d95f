"""Commands that look: status, and one duty with its history."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from duban.board import by_clause, columns, counts, headline
from duban.cli.common import (
    AsOf,
    DutyName,
    Json,
    console,
    find_agency,
    find_clause,
    find_duty,
    moment,
    office,
    table,
)
from duban.duty import Light
from duban.ledger.questions import DutyView, duties, events, latest_evidence
from duban.registry import clock
from duban.sheets.cells import raw_of
from duban.words import (
    Words,
    asked_words,
    due_words,
    event_words,
    period_words,
    section_words,
    within_marks,
    words,
)

_STYLES = {Light.RED: "red", Light.YELLOW: "yellow", Light.GREEN: "green", Light.GREY: "dim"}


def status(
    as_of: AsOf = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only overdue duties.")] = False,
    agency: Annotated[str | None, typer.Option(help="Only this agency's, by name or id.")] = None,
    clause: Annotated[str | None, typer.Option(help="Only this clause's, such as 3.4c.")] = None,
    as_json: Json = False,
) -> None:
    """Show where every duty stands; without a filter, a line for each clause."""
    here = office()
    registry = here.ledger.registry
    now = moment(as_of, registry)
    found = duties(
        here.ledger,
        agency=find_agency(registry, agency).id if agency else None,
        clause=find_clause(registry, clause).key if clause else None,
    )
    # A look into the past shows no duty that was not there yet.
    found = [duty for duty in found if duty.opened_at <= now or as_of is None]
    shown = [duty for duty in found if duty.overdue(now)] if overdue else found
    w = words(registry.language)
    if as_json:
        plain = [_plain(duty, now) for duty in shown]
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    console().print(headline(found, now, w, here.label))
    if not (overdue or agency or clause):
        console().print(clause_table(found, now, w))
    elif shown:
        console().print(duty_table(shown, now, w))


def clause_table(found: list[DutyView], now: datetime, w: Words) -> Table:
    """A line for each clause: how many duties, and where they stand."""
    shown = table(w, "clause", "title")
    for column in columns(w):
        shown.add_column(column, justify="right")
    for number, group in by_clause(found).items():
        total, late, soon, *rest = counts(group, now)
        shown.add_row(
            number,
            escape(group[0].clause.title),
            str(total),
            f"[red]{late}[/red]" if late else "·",
            f"[yellow]{soon}[/yellow]" if soon else "·",
            *(str(one or "·") for one in rest),
        )
    return shown


def duty_table(found: list[DutyView], now: datetime, w: Words) -> Table:
    """A line for each duty, the longest overdue first."""
    shown = table(w, "duty", "clause", "title", "agency", "period", "due", "status")
    shown.add_column(w.labels["late"], justify="right")
    for duty in sorted(found, key=lambda duty: (-duty.days_late(now), duty.due_at, duty.id)):
        late = duty.days_late(now)
        style = _STYLES[duty.light(now)]
        shown.add_row(
            str(duty.id),
            duty.number,
            escape(duty.clause.title),
            escape(duty.agency.name),
            period_words(w, duty.period),
            due_words(w, duty.due_at, duty.notice.zone, duty.period),
            f"[{style}]{state_words(duty, now, w)}[/{style}]",
            str(late or "·"),
        )
    return shown


def state_words(duty: DutyView, now: datetime, w: Words) -> str:
    """Overdue, due soon, or its status."""
    if duty.overdue(now):
        return w.overdue
    return w.due_soon if duty.due_soon(now) else w.status[duty.status]


def _plain(duty: DutyView, now: datetime) -> dict[str, Any]:
    submitted = duty.standing.submitted_at
    return {
        "duty": duty.id,
        "clause": duty.clause_key,
        "title": duty.clause.title,
        "cycle": duty.cycle,
        "agency": duty.agency.id,
        "agency_name": duty.agency.name,
        "period": duty.period,
        "status": duty.status.value,
        "overdue": duty.overdue(now),
        "due_soon": duty.due_soon(now),
        "light": duty.light(now).value,
        "provisional": duty.provisional,
        "due_at": duty.due_at.astimezone(duty.notice.zone).isoformat(),
        "original_due_at": duty.original_due_at.astimezone(duty.notice.zone).isoformat(),
        "submitted_at": submitted and submitted.astimezone(duty.notice.zone).isoformat(),
        "days_late": duty.days_late(now),
        "soft": duty.standing.soft,
    }


def show(duty: DutyName, as_of: AsOf = None) -> None:
    """Show one duty: the clause, what it asks for, what came, and its history."""
    here = office()
    now = moment(as_of, here.ledger.registry)
    found = find_duty(here, duty)
    w = words(found.notice.language)
    for label, value in _facts(found, now, w):
        console().print(f"[dim]{w.labels[label]}[/dim] {escape(value)}")
    typer.echo(f"{w.labels['evidence']}:")
    for line in _asked(found, w):
        typer.echo(f"  {line}")
    received = latest_evidence(here.ledger, [found.id]).get(found.id)
    if received:
        typer.echo(f"{w.labels['received']}: {received.receipt}")
        for key, value in (*received.fields.items(), *received.files):
            field = found.clause.field(key)
            typer.echo(f"  {field.label if field else key}: {raw_of(value)}")
    for event in events(here.ledger, duty_id=found.id):
        at = f"{event.at.astimezone(found.notice.zone):%Y-%m-%d %H:%M}"
        typer.echo(f"{at}  {event.actor}  {event_words(w, event, found.notice.zone)}")


def _facts(duty: DutyView, now: datetime, w: Words) -> list[tuple[str, str]]:
    due = duty.due_at.astimezone(duty.notice.zone)
    cycle = duty.clause.cycle(duty.cycle)
    return [
        ("duty", f"{duty.id}  {duty.number} {duty.clause.title}"),
        ("agency", f"{duty.agency.name} ({duty.agency.id})"),
        ("quote", _quote(duty)),
        ("period", period_words(w, duty.period)),
        ("due", f"{due:%Y-%m-%d} {clock(due)}{_unsure(duty, w)}"),
        ("basis", f"{w.basis[cycle.basis]} {cycle.note}"),
        ("status", state_words(duty, now, w)),
    ]


def _quote(duty: DutyView) -> str:
    section = section_words(duty.notice.language, duty.clause.section)
    return f"{duty.notice.number} {section} “{within_marks(duty.clause.quote)}”"


def _unsure(duty: DutyView, w: Words) -> str:
    """A due day that was counted in a year whose holidays nobody has announced."""
    return w.brackets.format(w.labels["provisional"]) if duty.provisional else ""


def _asked(duty: DutyView, w: Words) -> list[str]:
    return [
        f"{field.key} {asked_words(w, field.model_dump(mode='json'))}"
        for field in duty.clause.evidence
    ]


COMMANDS = (status, show)
