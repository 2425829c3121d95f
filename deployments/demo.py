"""`duban demo`: this year again with simulated agencies, then the product on top of it.

Everything lies in a folder of its own and is marked as simulated. Its letters go to a mail server
inside this process and nowhere else.
"""

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as civil_time
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import typer
import yaml
from sqlalchemy import Engine, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection

from deployments.replay import NOWHERE, SEED, Replay
from deployments.sink import Sink
from deployments.up import Occasion, run_up
from duban.errors import DubanError
from duban.intake import Inspector
from duban.ledger import Ledger
from duban.ledger.change import change
from duban.ledger.database import open_database, reading
from duban.ledger.inspecting import inspect_waiting
from duban.ledger.label import label_of, mark
from duban.ledger.links import tell
from duban.ledger.questions import DutyView, duties
from duban.ledger.reviewing import queue
from duban.ledger.tables import Setting
from duban.ledger.uploads import files_of
from duban.mirror import state_name
from duban.office import Office, open_office, sink_account
from duban.registry import Agency, Registry, load_registry
from duban.settings import Settings
from duban.words import Words, words

LABEL = "模拟演示"
HOME = Path("var-demo")
BOUNCING = f"bounce@{NOWHERE}"
SHORTEST = timedelta(days=120)  # in January the year so far would show too little
_REPLAYED = "replayed"


class NotTheDemo(DubanError):
    """The folder holds a ledger that is meant in earnest."""


def run_demo(given: Settings, project: Path, now: datetime) -> None:
    """Replays the year unless the folder holds a replay already, then runs `duban up` on it.

    Args:
        given: DUBAN_HOME is the demo's folder, `var-demo` unless set; always with its own SQLite.
        now: the moment up to whose eve the year is replayed.

    Raises:
        DubanError: nothing was started, or everything was stopped again.
    """
    home = given.home if "home" in given.model_fields_set else HOME
    with Sink(home / "mail", refused=BOUNCING) as sink:
        settings = settings_for(given, home, sink.port)
        os.environ.pop("DUBAN_DATABASE_URL", None)
        os.environ["DUBAN_MAIL_SENDER"] = settings.mail_sender or ""
        occasion = Occasion(
            opening=partial(open_demo, source=given.agencies, now=now),
            first=partial(replay_year, now=now),
            guide=partial(guide, now=now),
        )
        run_up(settings, project, None, occasion)


def settings_for(given: Settings, home: Path, port: int) -> Settings:
    """The settings of a demo in that folder, whose mail server listens on that port."""
    changed = {
        "home": home,
        "agencies": home / "agencies.yaml",
        "database_url": None,
        "mail_sender": sink_account(port),
        "apprise_allowed": "",
    }
    return given.model_copy(update=changed)


def open_demo(settings: Settings, *, source: Path, now: datetime) -> Office:
    """The office on a simulated ledger; one whose replay was broken off is begun anew.

    Args:
        source: the agencies.yaml whose agencies are simulated.

    Raises:
        NotTheDemo: the folder's ledger is meant in earnest; nothing was changed.
    """
    registry = load_registry(source, settings.notices)
    if _ledger_file(settings).exists() and not _is_whole(settings, registry):
        _clear(settings)
    if not settings.agencies.exists():
        settings.agencies.write_text(simulated_agencies(source, registry), encoding="utf-8")
    office = open_office(settings)
    if not office.label:
        mark(office.ledger, LABEL, _begin(registry, now))
    return office


def _ledger_file(settings: Settings) -> Path:
    return settings.home / "ledger.db"


def _is_whole(settings: Settings, registry: Registry) -> bool:
    """Whether the replay in the folder came to its end."""
    ledger = Ledger(open_database(settings.ledger_url), registry)
    try:
        if not label_of(ledger):
            raise NotTheDemo(
                f"{settings.home} holds a ledger that is no simulation; name another folder in "
                "DUBAN_HOME, or unset it."
            )
        return _replayed(ledger) is not None
    finally:
        ledger.engine.dispose()


def _clear(settings: Settings) -> None:
    for file in settings.home.glob("ledger.db*"):
        file.unlink()
    for folder in (settings.files, settings.letters, settings.home / "mail"):
        shutil.rmtree(folder, ignore_errors=True)


def _replayed(ledger: Ledger) -> str | None:
    with reading(ledger.engine) as connection:
        return connection.scalar(select(Setting.value).where(Setting.name == _REPLAYED))


def simulated_agencies(source: Path, registry: Registry) -> str:
    """The agencies.yaml with an address that leads nowhere for each agency."""
    data = yaml.safe_load(source.read_text(encoding="utf-8"))
    own = cast("dict[str, dict[str, Any]]", data.get("agencies") or {})
    data["agencies"] = own
    bouncing, _ = cast_of(registry)
    for number, agency in enumerate(sorted(registry.agencies)):
        address = BOUNCING if agency == bouncing else f"{number:03}@{NOWHERE}"
        entry = own.get(agency) or {}
        own[agency] = {**entry, "contact": {**(entry.get("contact") or {}), "channel": address}}
    return f"# {LABEL}\n{yaml.safe_dump(data, allow_unicode=True, sort_keys=False)}"


def cast_of(registry: Registry) -> tuple[str, str]:
    """Two agencies that report: the one whose address bounces, and the one that is held."""
    reporting = {agency.id for placed in registry.tracked for agency in placed.reporters}
    first, second = random.Random(SEED).sample(sorted(reporting - {registry.coordinator.id}), 2)
    return first, second


def _begin(registry: Registry, now: datetime) -> datetime:
    """Midnight of the first day that is replayed."""
    today = registry.today(now)
    first = min(date(today.year, 1, 1), today - SHORTEST)
    return datetime.combine(first, civil_time(), registry.first_notice.zone)


def replay_year(office: Office, *, now: datetime) -> None:
    """Replays up to yesterday, or says that it was done before."""
    registry = office.ledger.registry
    if until := _replayed(office.ledger):
        typer.echo(
            f"{LABEL}: going on with the year in {office.settings.home}, replayed up to {until}; "
            "remove that folder for a fresh one"
        )
        return
    begun = time.monotonic()
    yesterday = registry.today(now) - timedelta(days=1)
    with tempfile.TemporaryDirectory() as folder:
        replay = Replay(office, cast_of(registry)[1], Path(folder))
        with _hasty(office.ledger.engine):
            replay.play(_begin(registry, now).date(), yesterday, typer.echo)
            _inspect_queue(office, now)
    with change(office.ledger.engine, now, "duban") as made:
        made.session.merge(Setting(name=_REPLAYED, value=yesterday.isoformat()))
    typer.echo(f"{LABEL}: {replay.tally}, in {time.monotonic() - begun:.0f} s")


def _inspect_queue(office: Office, now: datetime) -> None:
    """Has inspected what reviewers open first; the portal comes to the rest by and by."""
    ledger, folder = office.ledger, office.settings.files
    files = sum(len(files_of(ledger, one.duty.id)) for one in queue(ledger, now))
    with Inspector() as inspector:
        inspect_waiting(ledger, folder, inspector, now, files)


@contextmanager
def _hasty(engine: Engine) -> Generator[None]:
    """Does not wait for the disk: a replay that is broken off is begun anew in any case."""

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        connection.cursor().execute("PRAGMA synchronous=OFF")

    engine.dispose()
    event.listen(engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(engine, "connect", prepare)
        engine.dispose()


def guide(office: Office, pages: str, *, now: datetime) -> Iterator[str]:
    """Where each state is to be seen, and what to try."""
    w = words(office.ledger.registry.language)
    home, agencies = office.settings.home, office.settings.agencies
    yield f"\n{LABEL}: nothing here is real, and no letter leaves this machine. What to look at:"
    yield f"  {pages}/v2/dashboard"
    for word, states in _states(duties(office.ledger), now, w).items():
        told = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
        tag = quote(f"{w.tags['status']}:{word}")
        yield f"  {word} ({told}): {pages}/v2/runs?tags={tag}"
    yield f"  letters as they would have arrived: {home / 'mail'}"
    yield f"  what coordinators work with: {office.settings.portal}/desk"
    if visitor := _visitor(duties(office.ledger), now):
        door = tell(office.ledger, office.key, visitor.id, by="duban", now=now)
        yield f"  what {visitor.name} meets: {office.settings.portal}/a/{door}"
    yield "In another terminal:"
    for command in ("status --overdue", "tasks", "proposals", "holds", "plan"):
        yield f"  DUBAN_HOME={home} DUBAN_AGENCIES={agencies} .venv/bin/duban {command}"


def _visitor(found: Sequence[DutyView], now: datetime) -> Agency | None:
    """An agency whose pages show much: it has the most duties overdue."""
    late = Counter(duty.agency.id for duty in found if duty.overdue(now))
    [(most, _)] = late.most_common(1) or [("", 0)]
    return next((duty.agency for duty in found if duty.agency.id == most), None)


def _states(found: Sequence[DutyView], now: datetime, w: Words) -> dict[str, Counter[str]]:
    """How many duties stand in which state, by the word that their runs are tagged with."""
    states = {word: Counter[str]() for word in (w.overdue, *w.status.values())}
    for duty in found:
        word = w.overdue if duty.overdue(now) else w.status[duty.status]
        states[word][state_name(duty, now)] += 1
    return states
