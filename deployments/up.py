"""`duban up`: the embedded product, one tree of processes on one data folder."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from urllib.parse import quote

import pendulum
import typer

from deployments.commands import show_progress
from deployments.embedded import Embedded, PrefectDown
from deployments.register import Registered, prepare, register
from duban.board import headline
from duban.cli.common import console as wide_console
from duban.cli.screens import duty_table
from duban.errors import DubanError
from duban.ledger.accounts import first_administrator
from duban.ledger.outbox import next_at
from duban.ledger.questions import duties, head_seq, outbox
from duban.office import Office, open_office
from duban.settings import Settings
from duban.words import words
from tasks.mirror import Synced, sync
from tasks.stage import Stage, StageError

LOOK_EVERY = 1.0  # seconds between looks at the ledger; a look is one indexed question
SYNC_EVERY = 60.0  # seconds after which a sync happens although the ledger is unchanged
RETRY_AFTER = 5.0  # seconds before a first sync that failed goes on
SHOWN_OVERDUE = 12


class AlreadyRunning(DubanError):
    """Another duban up is running on this data folder."""


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
    with _only_one(settings.home), _stoppable():
        occasion = occasion or Occasion()
        office = occasion.opening(settings)
        embedded = Embedded(settings.home.resolve(), settings.prefect_port, project)
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
    password = first_administrator(office.ledger, pendulum.now("UTC"))
    embedded.start_portal(office.settings.portal_port)
    now = pendulum.now("UTC")
    tick = office.tick(now, since=since, clock=_clock)
    typer.echo(f"ledger: {tick}")
    embedded.wait_healthy()
    with Stage(embedded.api_url) as stage:
        prepare(stage)
        embedded.start_worker()
        done = register(office.ledger.registry, stage, project, now.date(), office.label)
        typer.echo(f"clauses registered: {done.changed} changed, {done.retired} retired")
        if stage.pause_expirations_on():
            typer.echo("warning: Prefect's pause-expiration service is on and will burn a core")
        embedded.wait_worker()
        embedded.wait_portal(office.settings.portal_port)
        _print_screen(office, embedded)
        _print_portal(office, password)
        typer.echo(f"duban ready ({time.monotonic() - begun:.0f} s)")
        seen = head_seq(office.ledger)  # what changes from here on is for the next sync
        sent = _mirror_all(office, stage, done, now)
        typer.echo(f"duban mirrored ({time.monotonic() - begun:.0f} s): {sent}")
        stage.start_run(done.board, {})
        for line in occasion.guide(office, _pages(embedded)):
            typer.echo(line)
        _keep_up(office, embedded, stage, done, seen)


def _mirror_all(office: Office, stage: Stage, done: Registered, now: pendulum.DateTime) -> Synced:
    """The first sync, however often a busy Prefect makes it start again; none is in vain."""
    while True:
        try:
            return sync(
                office.ledger,
                stage,
                done.clauses,
                now,
                progress=show_progress,
                portal=office.settings.portal,
            )
        except StageError as error:
            typer.echo(f"mirror: {error} Trying again.", err=True)
            time.sleep(RETRY_AFTER)


def _keep_up(office: Office, embedded: Embedded, stage: Stage, done: Registered, seen: int) -> None:
    """Mirrors every change within a second or two, delivers what was put off, until stopped.

    Args:
        seen: the seq of the history up to which the stage knows it.
    """
    synced_at = time.monotonic()
    while True:
        time.sleep(LOOK_EVERY)
        if ended := embedded.died():
            raise PrefectDown(ended)
        head = head_seq(office.ledger)
        if head == seen and time.monotonic() - synced_at < SYNC_EVERY:
            continue
        if (due := next_at(office.ledger)) and due <= _clock():
            office.post.deliver(_clock)
        _sync_patiently(office, stage, done, pendulum.now("UTC"))
        seen, synced_at = head, time.monotonic()


def _clock() -> datetime:
    return pendulum.now("UTC")


def _sync_patiently(office: Office, stage: Stage, done: Registered, now: pendulum.DateTime) -> None:
    try:
        sync(office.ledger, stage, done.clauses, now, portal=office.settings.portal)
    except StageError as error:
        # The ledger goes on without its stage; the next change or minute tries again.
        typer.echo(f"mirror: {error}", err=True)


def _print_screen(office: Office, embedded: Embedded) -> None:
    """One readable screen: how much there is, what is overdue, where letters and pages are."""
    registry = office.ledger.registry
    w = words(registry.language)
    now = pendulum.now("UTC")
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
    overdue_tag = quote(f"{w.tags['status']}:{w.overdue}")
    console.print(f"Prefect UI: {_pages(embedded)}/v2/dashboard")
    console.print(f"{w.overdue}: {_pages(embedded)}/v2/runs?tags={overdue_tag}")


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
def _only_one(home: Path) -> Generator[None]:
    """Holds the data folder; the lock goes with the process, however it ends."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(
                f"Another duban up is running on {home}; stop it first, "
                "or name another folder in DUBAN_HOME."
            ) from None
        yield


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
