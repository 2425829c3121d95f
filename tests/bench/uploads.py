"""200 agencies send a photo of 5 MB at once, while others go on reading their pages.

The portal is the real one in a process of its own, on loopback. Afterwards every byte kept is
compared with its hash, and what was sent with what the ledger says was received.
"""

import asyncio
import hashlib
import io
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.synchronize import Event as EventClass
from pathlib import Path
from typing import Any

import httpx
import pendulum
from PIL import Image
from sqlalchemy import select

from duban.ledger import links
from duban.ledger.database import reading
from duban.ledger.tables import EvidenceFile
from duban.office import Office, open_office
from duban.portal.guard import csrf_of
from duban.settings import Settings
from tests.servers import free_port

UPLOADERS = 200
PHOTO = 5 << 20
READERS = 4
PROJECT = Path(__file__).parents[2]


@dataclass
class Seen:
    """What the clients met."""

    uploads: list[float] = field(default_factory=list[float])
    pages: list[float] = field(default_factory=list[float])
    errors: list[str] = field(default_factory=list[str])
    sent: dict[int, str] = field(default_factory=dict[int, str])


def two_hundred_photos() -> None:
    """Prints times and the memory of the portal's processes; fails on an error or a lost byte."""
    with tempfile.TemporaryDirectory() as folder, _office(Path(folder)) as office:
        now = pendulum.now("UTC")
        office.tick(now)
        duties = _duties_with_files(office)
        with _served(office) as memory:
            seen = asyncio.run(_load(office, duties))
            resting = memory.peak
            waited = _until_inspected(office)
        assert not seen.errors, seen.errors[:5]
        _compare(office, seen)
        _tell(seen, memory, resting, waited)


def _tell(seen: Seen, memory: "Memory", resting: int, waited: float) -> None:
    took, page = sorted(seen.uploads), sorted(seen.pages)
    print(
        f"{UPLOADERS} uploads of {PHOTO >> 20} MB at once: all in {took[-1]:.0f} s, "
        f"p95 {_p95(took):.1f} s; {len(page)} other pages meanwhile: "
        f"median {statistics.median(page):.2f} s, p95 {_p95(page):.2f} s, longest {page[-1]:.2f} s"
    )
    print(
        f"  0 errors, 0 lost, every byte equal to its hash; memory of the portal's processes at "
        f"most {resting >> 20} MB while sending, {memory.peak >> 20} MB while inspecting; "
        f"the last file was inspected {waited:.0f} s after the last upload"
    )


def _p95(ordered: Sequence[float]) -> float:
    return ordered[int(len(ordered) * 0.95)]


@contextmanager
def _office(folder: Path) -> Generator[Office]:
    settings = Settings(
        home=folder / "var",
        agencies=PROJECT / "agencies.yaml",
        notices=PROJECT / "deployments",
        portal_port=free_port(),
    )
    office = open_office(settings)
    try:
        yield office
    finally:
        office.ledger.engine.dispose()


def _duties_with_files(office: Office) -> list[tuple[int, str, str]]:
    """(duty, agency, files field) for each uploader; a few agencies send for several duties."""
    from duban.ledger.questions import duties

    found = [
        (duty.id, duty.agency.id, one.key)
        for duty in duties(office.ledger)
        for one in duty.clause.evidence
        if one.type == "files" and "jpg" in one.kinds
    ]
    first = {agency: (duty, agency, key) for duty, agency, key in reversed(found)}
    rest = [one for one in found if one not in first.values()]
    return [*first.values(), *rest][:UPLOADERS]


@dataclass
class Memory:
    """The most that the portal and its children held together, in bytes."""

    pid: int
    peak: int = 0

    def look(self) -> None:
        pids = [self.pid, *_children(self.pid)]
        self.peak = max(self.peak, sum(_held(pid) for pid in pids))


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", f"{pid}"], capture_output=True, text=True, check=False)
    children = [int(one) for one in found.stdout.split()]
    return [*children, *(below for child in children for below in _children(child))]


def _held(pid: int) -> int:
    """The process's own share of memory: what it has in common with others counts once."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(row.split()[1]) << 10 for row in text.splitlines() if row.startswith("Pss:"))


@contextmanager
def _served(office: Office) -> Generator[Memory]:
    settings = office.settings
    environment = {
        **os.environ,
        "DUBAN_HOME": str(settings.home),
        "DUBAN_AGENCIES": str(settings.agencies),
        "DUBAN_NOTICES": str(settings.notices),
        "DUBAN_PORTAL_PORT": str(settings.portal_port),
        "PYTHONPATH": str(PROJECT),
    }
    process = subprocess.Popen([sys.executable, "-m", "duban", "portal"], env=environment)
    memory, stop = Memory(process.pid), threading.Event()
    looking = threading.Thread(target=_watch, args=(memory, stop))
    try:
        _until_answers(settings.portal)
        looking.start()
        yield memory
    finally:
        stop.set()
        process.terminate()
        process.wait(30)


def _watch(memory: Memory, stop: threading.Event) -> None:
    while not stop.wait(0.2):
        memory.look()


def _until_answers(address: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(f"{address}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the portal does not answer")


async def _load(office: Office, duties: Sequence[tuple[int, str, str]]) -> Seen:
    seen, photo = Seen(), _photo()
    now = pendulum.now("UTC")
    tokens = {
        agency: links.issue(office.ledger, office.key, agency, by="bench", now=now)
        for _, agency, _ in duties
    }
    limits = httpx.Limits(max_connections=None)
    with _reading(office.settings.portal, list(tokens.values())[:READERS], seen):
        async with httpx.AsyncClient(
            base_url=office.settings.portal, timeout=300, limits=limits, trust_env=False
        ) as client:
            await asyncio.gather(
                *(
                    _upload(client, office, tokens[agency], duty, key, photo, seen)
                    for duty, agency, key in duties
                )
            )
    return seen


@contextmanager
def _reading(address: str, tokens: Sequence[str], seen: Seen) -> Generator[None]:
    """Readers in a process of their own, so that the senders' work is not counted as waiting."""
    apart = get_context("spawn")
    stop, told = apart.Event(), apart.Queue()
    process = apart.Process(target=_read, args=(address, tokens, stop, told))
    process.start()
    try:
        yield
    finally:
        stop.set()
        seen.pages, errors = told.get(timeout=60)
        seen.errors += errors
        process.join(30)


def _read(address: str, tokens: Sequence[str], stop: EventClass, told: Any) -> None:
    """Reads the first page of one agency after the other, a few times a second."""
    pages: list[float] = []
    errors: list[str] = []
    with httpx.Client(base_url=address, timeout=300, trust_env=False) as client:
        for token in cycle(tokens):
            if stop.is_set():
                break
            begun = time.perf_counter()
            answer = client.get("/duties", headers={"Cookie": f"duban-link={token}"})
            pages.append(time.perf_counter() - begun)
            if answer.status_code != 200:
                errors.append(f"page {answer.status_code}")
            time.sleep(0.1)
    told.put((pages, errors))


async def _upload(
    client: httpx.AsyncClient,
    office: Office,
    token: str,
    duty: int,
    key: str,
    photo: bytes,
    seen: Seen,
) -> None:
    mine = _marked(photo)
    begun = time.perf_counter()
    answer = await client.put(
        f"/duties/{duty}/files/{key}",
        params={"name": "现场.jpg"},
        content=_pieces(mine),
        headers={"Cookie": f"duban-link={token}", "X-CSRF": csrf_of(office.key, token)},
    )
    seen.uploads.append(time.perf_counter() - begun)
    if not answer.is_success:
        seen.errors.append(f"upload {answer.status_code}: {answer.text[:200]}")
        return
    told = answer.json()
    seen.sent[told["id"]] = hashlib.sha256(mine).hexdigest()
    if told["sha256"] != seen.sent[told["id"]]:
        seen.errors.append("another hash than that of what was sent")


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 16):
        yield content[start : start + (1 << 16)]


def _photo() -> bytes:
    """A JPEG of about five megabytes, as a telephone makes it."""
    side, made = 1400, io.BytesIO()
    while made.tell() < PHOTO:
        made = io.BytesIO()
        Image.frombytes("RGB", (side, side), secrets.token_bytes(side * side * 3)).save(
            made, "JPEG", quality=90
        )
        side = int(side * 1.12)
    return made.getvalue()


def _marked(photo: bytes) -> bytes:
    """The same picture in bytes of its own, by a comment after the first marker."""
    comment = secrets.token_hex(16).encode()
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


def _until_inspected(office: Office) -> float:
    begun = time.perf_counter()
    question = select(EvidenceFile.id).where(EvidenceFile.state == "waiting").limit(1)
    while time.perf_counter() - begun < 900:
        with reading(office.ledger.engine) as connection:
            if connection.scalar(question) is None:
                return time.perf_counter() - begun
        time.sleep(0.5)
    raise AssertionError("files wait for inspection still")


def _compare(office: Office, seen: Seen) -> None:
    columns = (
        EvidenceFile.id,
        EvidenceFile.sha256,
        EvidenceFile.kept_sha256,
        EvidenceFile.stored_as,
        EvidenceFile.state,
    )
    with reading(office.ledger.engine) as connection:
        rows = {row.id: row for row in connection.execute(select(*columns))}
    assert rows.keys() == seen.sent.keys(), "files were lost or doubled"
    for number, sent in seen.sent.items():
        row = rows[number]
        kept = (office.settings.files / row.stored_as).read_bytes()
        assert row.sha256 == sent
        assert row.state == "fine", row
        assert hashlib.sha256(kept).hexdigest() == row.kept_sha256
