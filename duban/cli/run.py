"""Commands that do the day's work without Prefect, and the switch for real channels."""

import json
import os
import sys
from dataclasses import asdict, replace
from datetime import time, timedelta
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

import pendulum
import typer

from duban.channels import Channel, Fate, Parcel, channel_name, resolve
from duban.cli.chasing import print_plan
from duban.cli.common import AsOf, By, Json, civil_day, find_agency, moment, office
from duban.cli.letter import WRITERS, sample_letter
from duban.errors import DubanError
from duban.ladder import Kind
from duban.ledger import undelivered
from duban.ledger.questions import LetterView, kept_back
from duban.ledger.questions import letters as letters_of
from duban.letters import within
from duban.office import Office
from duban.plan import plan
from duban.words import words

MORNING = time(9)
NOT_GONE = ("pending", "unreachable", "dead")
LetterNumber = Annotated[int, typer.Argument(metavar="LETTER", help="Its number.")]


def tick(
    as_of: AsOf = None,
    backfill: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Also open periods that began on or after this day."),
    ] = None,
) -> None:
    """Open what should be open, chase, and deliver: one round of the day's work.

    With --as-of it does the work of that day (of 09:00, unless a time is given), and writes it.
    """
    here = office()
    since = civil_day(backfill, "write 2025-01-01") if backfill else None
    now = moment(as_of, here.ledger.registry, MORNING)
    clock = (lambda: now) if as_of else (lambda: pendulum.now("UTC"))
    typer.echo(str(here.tick(now, since=since, clock=clock)))


def send(
    switch: Annotated[str, typer.Argument(metavar="on|off|status|test")],
    by: By = "cli",
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="For test: an address or agency.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before switching on.")] = False,
) -> None:
    """Let letters leave through real channels (on), or keep them in the drop folder (off).

    Before it switches on it prints which letters would go out in the coming week. `test --to`
    sends one sample letter at once, whether sending is on or not.
    """
    here = office()
    if switch == "test":
        _test(here, to)
        return
    if switch == "on" and not here.armed():
        _confirm(here, yes)
    if switch in ("on", "off"):
        here.arm(switch == "on", by=by, now=pendulum.now("UTC"))
    elif switch != "status":
        raise DubanError(f"'{switch}' is no switch; write on, off, status or test.")
    reachable = len(here.ledger.registry.agencies) - len(here.ledger.registry.unreachable)
    if here.armed():
        typer.echo(f"Sending is on: {reachable} agencies are reached through their channels.")
    else:
        typer.echo(f"Sending is off: every letter stays in {here.settings.letters}.")


def _confirm(here: Office, yes: bool) -> None:
    """Prints the coming week's letters, and asks."""
    now = pendulum.now("UTC")
    today = here.ledger.registry.today(now)
    week = plan(here.ledger, today, today + timedelta(days=7), now)
    print_plan(here.ledger.registry, week)
    if _is_loopback(here.settings.portal):
        typer.echo(
            f"Warning: letters will carry links to {here.settings.portal}, which opens on this "
            "machine only; set DUBAN_PORTAL_URL to the address that agencies reach.",
            err=True,
        )
    if not yes and not (sys.stdin.isatty() and typer.confirm("Switch sending on?")):
        raise DubanError("Sending stays off. Add --yes to switch it on after this plan.")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _test(here: Office, to: str | None) -> None:
    """One sample letter through the channel of an address, and what became of it."""
    if not to:
        raise DubanError("Say to whom: --to name@host, --to 'scheme://${NAME}', or an agency.")
    known = here.ledger.registry
    agency = known.find_agency(to)
    written = agency.contact.channel if agency else to
    if written is None or not ("@" in written or "://" in written):
        raise DubanError(f"'{to}' is no address, and no agency that has one.")
    channel = here.channels[channel_name(written)]
    payload = _sample(here, written, channel)
    parcel = Parcel("test", "test", agency or known.coordinator, payload, channel.form)
    outcome = channel.send(parcel, resolve(written, os.environ))
    if outcome.fate is not Fate.ACCEPTED:
        raise DubanError(f"It did not get through ({outcome.fate}): {outcome.detail}")
    typer.echo(f"It got through. {outcome.detail}".rstrip())


def _sample(here: Office, written: str, channel: Channel) -> bytes:
    registry = here.ledger.registry
    head, items = sample_letter(registry, Kind.ASSIGN, "en" if registry.language == "en" else "zh")
    now = pendulum.now("UTC")
    head = replace(
        head,
        key=f"test{now:%Y%m%d%H%M%S}",
        written_at=now,
        sender=here.settings.letter_from,
        address=written if "://" not in written else head.address,
        link="",  # a sample's would open nothing
    )
    write = WRITERS[channel.form]
    return within(head, items, write, channel.limit)[0] if channel.limit else write(head, items)


def letters(
    state: Annotated[
        str, typer.Option("--state", metavar="STATE", help="pending, sent, unreachable, dead …")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the letters that have not gone out, with the trouble; --state: those in that state."""
    here = office()
    known = [
        one for one in words(here.ledger.registry.language).letter_states if one != "telephone"
    ]
    if state and state not in known:
        raise DubanError(f"'{state}' is no state; write one of {', '.join(known)}.")
    found = letters_of(here.ledger, states=[state] if state else NOT_GONE)
    if as_json:
        plain = [asdict(one) for one in found]
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
        return
    for one in found:
        typer.echo(_letter_line(here, one))
    typer.echo(f"{len(found)} letter(s).")
    if waiting := kept_back(here.ledger):
        typer.echo(f"The week's limit keeps letters about {waiting} duties back for now.")


def _letter_line(here: Office, one: LetterView) -> str:
    registry = here.ledger.registry
    w = words(registry.language)
    name = registry.name_of(one.recipient)
    kind, state = w.kinds[Kind(one.kind)], w.letter_states[one.state]
    return f"{one.id}  {one.day}  {name}  {kind}  {state}  {one.trouble}".rstrip()


def handed(letter: LetterNumber, by: By) -> None:
    """Record that an unreachable letter was handed over on paper; the chase goes on from today."""
    undelivered.handed(office().ledger, letter, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Letter {letter} counts as delivered by hand.")


def resend(letter: LetterNumber, by: By) -> None:
    """Send a letter again that was given up or could not reach anybody."""
    undelivered.resend(office().ledger, letter, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Letter {letter} waits to be sent; the next delivery tries it.")


def lift(
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="By name or id.")], by: By
) -> None:
    """Use an agency's address again that had refused letters for good."""
    here = office()
    found = find_agency(here.ledger.registry, agency)
    undelivered.lift(here.ledger, found.id, by=by, now=pendulum.now("UTC"))
    typer.echo(f"The address of {found.name} is used again.")


COMMANDS = (tick, send, letters, handed, resend, lift)
