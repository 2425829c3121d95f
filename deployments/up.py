"""`duban up`: the embedded product, one tree of processes on one data folder."""

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType

import typer

from deployments.commands import show_progress
from deployments.embedded import CREDENTIAL, Embedded, PrefectDown, credential_of
from deployments.keeper import Keeper, clock
from deployments.register import prepare
from duban.board import headline
from duban.board.markdown import Places
from duban.cli.common import console as wide_console
from duban.cli.screens import duty_table
from duban.ledger.accounts import first_administrator
from duban.ledger.lock import only_one
from duban.ledger.questions import duties, outbox
from duban.mirror import runs_link
from duban.office import Office, open_office, pending
from duban.settings import Settings
from duban.words import words
from tasks.stage import Stage
from tasks.upkeep import clean_up

SHOWN_OVERDUE = 12


class _Stop(Exception):
    """Somebody asked to stop."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is special about a start.

    Attributes:
        opening: opens the office, when nobody else has the data folder.
        first: what is done before the day's work, while Prefect starts.
        guide: lines that are printed once everything is on the pages, whose address it is given.
    """

    opening: Callable[[Settings], Office] = open_office
    first: Callable[[Office], None] = lambda office: None
    guide: Callable[[Office, str], Iterable[str]] = lambda office, pages: ()


def run_up(
    settings: Settings, project: Path, since: date | None, occasion: Occasion | None = None
) -> None:
    """Starts everything, says `duban ready` and `duban mirrored`, and stays until told to stop.

    Args:
        since: also open the periods that began on or after this day.

    Raises:
        DubanError: before anything started, or after everything was stopped again.
    """
    with only_one(settings.home), _stoppable():
        occasion = occasion or Occasion()
        office = occasion.opening(settings)
        auth = credential_of(settings)
        embedded = Embedded(settings.home.resolve(), settings.prefect_port, project, auth)
        # Flow runs of the worker must find the same files, whatever folder they start in.
        os.environ.update(_absolute(settings))
        try:
            _run(office, embedded, project, since, occasion)
        except _Stop:
            typer.echo("stopping …")
        finally:
            embedded.stop()
    typer.echo("duban stopped")


def _absolute(settings: Settings) -> dict[str, str]:
    return {
        "DUBAN_HOME": str(settings.home.resolve()),
        "DUBAN_AGENCIES": str(settings.agencies.resolve()),
        "DUBAN_NOTICES": str(settings.notices.resolve()),
    }


def _run(
    office: Office, embedded: Embedded, project: Path, since: date | None, occasion: Occasion
) -> None:
    begun = time.monotonic()
    embedded.start_server()
    typer.echo("starting Prefect …")
    occasion.first(office)
    # Made here and not by the portal, so that the password stands on the screen and in no log.
    password = first_administrator(office.ledger, clock())
    embedded.start_portal(office.settings.portal_port)
    now = clock()
    tick = office.tick(now, since=since, clock=clock)
    typer.echo(f"ledger: {tick}")
    embedded.wait_healthy()
    with Stage(embedded.api_url, auth=embedded.auth) as stage:
        prepare(stage)
        for run in clean_up(stage, now, alone=True, language=office.ledger.registry.language):
            typer.echo(f"run {run} was cut off when Duban last stopped")
        embedded.start_worker()
        keeper = Keeper(office, stage, project, _warn)
        if stage.pause_expirations_on():
            typer.echo("warning: Prefect's pause-expiration service is on and will burn a core")
        embedded.wait_worker()
        embedded.wait_portal(office.settings.portal_port)
        _print_screen(office, embedded)
        _print_portal(office, password)
        if line := pending(office):
            typer.echo(line)
        typer.echo(f"duban ready ({time.monotonic() - begun:.0f} s)")
        sent = keeper.fill(now, show_progress)
        typer.echo(f"duban mirrored ({time.monotonic() - begun:.0f} s): {sent}")
        stage.start_run(keeper.registered.board, {})
        for line in occasion.guide(office, _pages(embedded)):
            typer.echo(line)
        while True:
            keeper.wait()
            if ended := embedded.died():
                raise PrefectDown(ended)
            keeper.look()


def _warn(line: str) -> None:
    typer.echo(line, err=True)


def _print_screen(office: Office, embedded: Embedded) -> None:
    """One readable screen: how much there is, what is overdue, where letters and pages are."""
    registry = office.ledger.registry
    w = words(registry.language)
    now = clock()
    found = duties(office.ledger)
    late = [duty for duty in found if duty.overdue(now)]
    console = wide_console()
    for notice in registry.notices.values():
        head = notice.file.notice
        console.print(f"\n[bold]{head.number} {head.label}[/bold]")
    console.print(
        f"{len(registry.clauses)} clauses ({len(registry.tracked)} tracked), "
        f"{len(registry.agencies)} agencies, {len(found)} duties"
    )
    console.print(headline(found, now, w, office.label))
    if late:
        late.sort(key=lambda duty: (duty.due_at, duty.id))
        console.print(duty_table(late[:SHOWN_OVERDUE], now, w))
        if len(late) > SHOWN_OVERDUE:
            console.print(w.labels["more"].format(n=len(late) - SHOWN_OVERDUE))
    letters = outbox(office.ledger)
    channels = "the simulated mail server" if office.label else "their channels"
    where = channels if office.armed() else str(office.settings.letters)
    console.print(f"letters: {letters.sent} sent to {where}, {letters.waiting} waiting")
    pages = _pages(embedded)
    console.print(f"Prefect UI: {pages}/v2/dashboard")
    late_tag = f"{w.tags['status']}:{w.overdue}"
    console.print(f"{w.overdue}: {runs_link(pages, late_tag)}")
    places = Places(office.settings.portal, pages)
    console.print(f"boards: {places.board('board')} (once the first run of board has ended)")
    console.print(f"forms: {places.acts(w.boards['acts'])}")
    # Where it is, not what it is: a screen may be logged.
    kept = f"the line in {office.settings.home / CREDENTIAL}"
    console.print(
        f"sign in there with {'DUBAN_PREFECT_AUTH' if office.settings.prefect_auth else kept}"
    )


def _print_portal(office: Office, password: str | None) -> None:
    """Where the portal is, and once the password that opens it."""
    typer.echo(f"portal: {office.settings.portal}/desk")
    if password:
        typer.echo(f"sign in as admin with the one-time password {password}")
    else:
        typer.echo("password lost? duban account reset admin")


def _pages(embedded: Embedded) -> str:
    return f"http://127.0.0.1:{embedded.port}"


@contextmanager
def _stoppable() -> Generator[None]:
    """Turns Ctrl-C, a closed terminal and a polite kill into one exception."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for one in before:  # a second Ctrl-C must not interrupt the stopping
            signal.signal(one, signal.SIG_IGN)
        raise _Stop

    assert threading.current_thread() is threading.main_thread()
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for one in before:
        signal.signal(one, stop)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
