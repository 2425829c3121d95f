"""Commands that act on a duty: submit, review, extend, waive, reopen."""

from pathlib import Path
from typing import Annotated

import pendulum
import typer

from duban.cli.common import By, DutyName, ReasonText, civil_day, find_agency, find_duty, office
from duban.errors import DubanError
from duban.evidence import check_evidence, keeping
from duban.ledger import acts


def submit(
    duty: DutyName,
    by: Annotated[str, typer.Option("--by", help="The agency that submits, by name or id.")],
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="KEY=VALUE", help="A field; repeat for more."),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="[KEY=]PATH", help="A file; repeat for more."),
    ] = None,
) -> None:
    """Hand in evidence for a duty; earlier versions are kept."""
    here = office()
    found = find_duty(here, duty)
    agency = find_agency(here.ledger.registry, by)
    fields = dict(_pair(one) for one in field or ())
    files = [_file(one) for one in file or ()]
    checked = check_evidence(found.clause, fields, files)
    now = pendulum.now("UTC")
    with keeping(here.settings.files, checked.files) as kept:
        receipt = acts.submit(here.ledger, found.id, checked, kept, by=agency.id, now=now)
    typer.echo(f"Received as version {receipt.version}; receipt {receipt.number}.")


def _pair(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals:
        raise DubanError(f"'{given}' is no field; write --field KEY=VALUE.")
    return key.strip(), value


def _file(given: str) -> tuple[str | None, Path]:
    key, equals, path = given.partition("=")
    return (key, Path(path)) if equals and not Path(given).exists() else (None, Path(given))


def review(
    duty: DutyName,
    decision: Annotated[str, typer.Argument(metavar="accept|return")],
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Needed to return; noted if given.")] = "",
    due: Annotated[
        str | None, typer.Option("--due", metavar="DATE", help="By when to mend what is returned.")
    ] = None,
) -> None:
    """Accept a duty's evidence, or return it with a reason."""
    here = office()
    found = find_duty(here, duty)
    now = pendulum.now("UTC")
    if decision == "accept":
        acts.accept(here.ledger, found.id, by=by, now=now, text=reason)
        typer.echo(f"Duty {found.id} is accepted.")
    elif decision == "return":
        acts.send_back(
            here.ledger,
            found.id,
            reason=_given(reason),
            by=by,
            now=now,
            due_on=civil_day(due) if due else None,
        )
        typer.echo(f"Duty {found.id} is returned; the agency gets a letter.")
    else:
        raise DubanError(f"'{decision}' is no decision; write accept or return.")


def extend(
    duty: DutyName,
    to: Annotated[str, typer.Option("--to", metavar="DATE", help="The new due day.")],
    reason: ReasonText,
    by: By,
) -> None:
    """Move a duty's due day; the original stays on record."""
    here = office()
    found = find_duty(here, duty)
    acts.extend(
        here.ledger,
        found.id,
        due_on=civil_day(to),
        reason=_given(reason),
        by=by,
        now=pendulum.now("UTC"),
    )
    typer.echo(f"Duty {found.id} is now due on {to}.")


def waive(
    duty: DutyName,
    reason: ReasonText,
    by: By,
    not_applicable: Annotated[
        bool, typer.Option("--not-applicable", help="It does not apply to this agency.")
    ] = False,
) -> None:
    """Close a duty without evidence."""
    here = office()
    found = find_duty(here, duty)
    acts.waive(
        here.ledger,
        found.id,
        reason=_given(reason),
        by=by,
        now=pendulum.now("UTC"),
        not_applicable=not_applicable,
    )
    typer.echo(f"Duty {found.id} is closed; `duban reopen` undoes it.")


def reopen(duty: DutyName, reason: ReasonText, by: By) -> None:
    """Open a closed duty again; undoes a wrong acceptance or waiver."""
    here = office()
    found = find_duty(here, duty)
    acts.reopen(here.ledger, found.id, reason=_given(reason), by=by, now=pendulum.now("UTC"))
    typer.echo(f"Duty {found.id} is open again.")


def _given(reason: str) -> str:
    if not reason.strip():
        raise DubanError("A reason is needed; write --reason TEXT.")
    return reason.strip()


COMMANDS = (submit, review, extend, waive, reopen)
