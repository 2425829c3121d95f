"""Letters through the outbox, against clients that only send; and the whole job at once."""

import email
import json
import smtplib
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Connection, func, insert, select

from duban.channels import Channel
from duban.channels.choose import all_channels
from duban.duty import Status
from duban.ledger import Ledger
from duban.ledger.chase import chase
from duban.ledger.database import open_database, reading
from duban.ledger.outbox import Post
from duban.ledger.tables import ClauseVersion, Duty, Letter, Mention
from duban.registry import Contact, Registry
from tests.apart import Servers, servers_apart
from tests.bench.common import ROUNDS, tell
from tests.bench.sweep import EVERY, NOW, TODAY, ledger_with

LETTERS = 1000
DUTIES = 3
"""In each letter."""
Address = Callable[[int], str]


def delivery_against_bare_clients(registry: Registry) -> None:
    """Claim, write, send, mark and audit, against clients that build a message and send it."""
    with servers_apart() as servers:
        mail = _addressed(registry, _office)
        robots = _addressed(registry, lambda n: f"wecombot://robot{n}?host={servers.robots}")
        _against(mail, servers, "mail", _smtplib)
        _against(robots, servers, "wecombot", _httpx)
        _whole_job(mail, servers)


def _office(n: int) -> str:
    return f"office{n}@example.org"


def _against(
    registry: Registry, servers: Servers, name: str, bare: Callable[[Servers, bytes], None]
) -> None:
    ratios: list[float] = []
    rates: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with _waiting(registry, name) as ledger:
            wall, spent = _both(lambda ledger=ledger: _deliver(ledger, servers))
            assert _sent(ledger) == LETTERS
            payload = _a_payload(ledger)
        rates.append((LETTERS / wall, spent / LETTERS * 1000))
        ratios.append(_both(lambda payload=payload: bare(servers, payload))[0] / wall)
    tell(f"letters by {name} / a client that only sends", ratios, f"{LETTERS} letters")
    rate, spent = sorted(rates)[len(rates) // 2]
    print(f"  {rate:.0f} letters a second, {spent:.1f} ms CPU each")


def _both(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def _deliver(ledger: Ledger, servers: Servers) -> None:
    with tempfile.TemporaryDirectory() as folder:
        channels: dict[str, Channel] = dict(all_channels(Path(folder), servers.mail_sender))
        post = Post(ledger, channels, lambda: True, "duban@example.org", {})
        post.deliver(lambda: NOW)


def _smtplib(servers: Servers, payload: bytes) -> None:
    said = email.message_from_bytes(payload, policy=default)
    plain, html = (said.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    text, markup, subject = plain.get_content(), html.get_content(), str(said["Subject"])
    client = smtplib.SMTP("127.0.0.1", urlsplit(servers.mail_sender).port or 0)
    for n in range(LETTERS):
        message = EmailMessage()
        message["Subject"], message["From"] = subject, "duban@example.org"
        message["To"], message["Message-ID"] = _office(n), f"<{n}@bare>"
        message.set_content(text)
        message.add_alternative(markup, subtype="html")
        client.send_message(message)
    client.close()


def _httpx(servers: Servers, payload: bytes) -> None:
    with httpx.Client(trust_env=False) as client:
        for n in range(LETTERS):
            body = {"msgtype": "markdown", "markdown": {"content": payload.decode()}}
            url = f"{servers.robots}/cgi-bin/webhook/send?key=bare{n % 128}"
            answer = client.post(url, content=json.dumps(body, ensure_ascii=False).encode())
            assert answer.json()["errcode"] == 0


def _whole_job(registry: Registry, servers: Servers) -> None:
    """Overdue duties found among many, grouped by agency, and delivered by mail."""
    duties = 100_000
    with ledger_with(registry, duties, "sqlite") as ledger:

        def job() -> None:
            chase(ledger, NOW)
            _deliver(ledger, servers)

        wall, _ = _both(job)
        with reading(ledger.engine) as connection:
            told = select(func.count()).select_from(Mention).join(Letter)
            count = connection.scalar(told.where(Mention.rung == "chase", Letter.state == "sent"))
        assert count == duties // EVERY
    print(f"{count} of {duties:,} found overdue, grouped, delivered: {count / wall:.0f} a second")


def _addressed(registry: Registry, address: Address) -> Registry:
    agencies = {
        name: agency.model_copy(
            update={"contact": Contact.model_construct(channel=address(n), userid="")}
        )
        for n, (name, agency) in enumerate(sorted(registry.agencies.items()))
    }
    return replace(registry, agencies=agencies, coordinator=agencies[registry.coordinator.id])


@contextmanager
def _waiting(registry: Registry, channel: str) -> Generator[Ledger]:
    """A ledger whose letters all wait, each about duties of its own."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/ledger.db")
        with engine.begin() as connection:
            _fill(connection, registry, channel)
        yield Ledger(engine, registry)
        engine.dispose()


def _fill(connection: Connection, registry: Registry, channel: str) -> None:
    placed = registry.tracked[0]
    agencies = sorted(registry.agencies)[:128]
    version = {
        "clause": placed.key,
        "version": placed.clause.version,
        "content": placed.clause.model_dump(mode="json"),
        "first_seen_at": NOW,
    }
    connection.execute(insert(ClauseVersion), [version])
    duties = [
        _duty(n, placed.key, placed.clause.version, agencies) for n in range(LETTERS * DUTIES)
    ]
    connection.execute(insert(Duty), duties)
    connection.execute(insert(Letter), [_letter(n, agencies, channel) for n in range(LETTERS)])
    connection.execute(insert(Mention), [_mention(n, agencies) for n in range(LETTERS * DUTIES)])


def _duty(n: int, clause: str, version: str, agencies: list[str]) -> dict[str, Any]:
    return {
        "id": n + 1,
        "clause": clause,
        "version": version,
        "cycle": "report",
        "agency": agencies[n // DUTIES % len(agencies)],
        "period": f"p{n}",
        "status": Status.OPEN.value,
        "soft": False,
        "opened_at": NOW,
        "opens_on": TODAY,
        "due_at": NOW + timedelta(days=30),
        "original_due_at": NOW + timedelta(days=30),
        "done": False,
        "round": 1,
        "revision": 1,
        "provisional": False,
    }


def _letter(n: int, agencies: list[str], channel: str) -> dict[str, Any]:
    return {
        "id": n + 1,
        "recipient": agencies[n % len(agencies)],
        "channel": channel,
        "kind": "assign",
        "day": date(2000, 1, 1) + timedelta(days=n),
        "part": 1,
        "state": "pending",
        "not_before": NOW,
        "attempts": 0,
        "fence": 0,
    }


def _mention(n: int, agencies: list[str]) -> dict[str, Any]:
    return {
        "duty_id": n + 1,
        "letter_id": n // DUTIES + 1,
        "recipient": agencies[n // DUTIES % len(agencies)],
        "round": 1,
        "rung": "assign",
        "n": 1,
        "day": TODAY,
    }


def _sent(ledger: Ledger) -> int:
    with reading(ledger.engine) as connection:
        sent = select(func.count()).where(Letter.state == "sent", Letter.sent_via != "drop")
        return connection.scalar(sent) or 0


def _a_payload(ledger: Ledger) -> bytes:
    with reading(ledger.engine) as connection:
        return connection.scalar(select(Letter.payload).where(Letter.id == LETTERS)) or b""
