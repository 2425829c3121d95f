"""Links open to nobody who guesses, leave no trace, and change nothing when they are looked at."""

import logging
import random
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from duban.ledger import accounts, links, sessions
from duban.ledger.accounts import Role
from duban.ledger.database import reading
from duban.ledger.tables import Base
from duban.office import Office
from duban.tokens import LENGTH, derived, digest
from tests.duban.portal.conftest import PASSWORD, Browser, Clock, sign_in

ALPHABET = string.ascii_letters + string.digits + "-_"


def everything(office: Office) -> str:
    """Every value of every table, as text; bytes are read as Latin-1."""
    with reading(office.ledger.engine) as connection:
        return "\n".join(
            f"{table}: {[_plain(value) for value in row]}"
            for table in sorted(Base.metadata.tables)
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        )


def _plain(value: object) -> object:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def mutated(token: str, rng: random.Random) -> Iterator[str]:
    """Tokens that are almost this one."""
    while True:
        letters = list(token)
        at = rng.randrange(len(letters))
        match rng.randrange(6):
            case 0:
                letters[at] = rng.choice(ALPHABET)
            case 1:
                letters[at] = letters[at].swapcase()
            case 2:
                del letters[at:]
            case 3:
                letters.insert(at, rng.choice([*ALPHABET, " ", "%00", "=", "é", "/"]))
            case 4:
                other = rng.randrange(len(letters))
                letters[at], letters[other] = letters[other], letters[at]
            case _:
                letters = rng.choices(ALPHABET, k=LENGTH)
        if (changed := "".join(letters)) != token:
            yield changed


def tried(office: Office, clock: Clock, times: int) -> int:
    """How many of so many mutated tokens open something."""
    token = links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())
    assert links.enter(office.ledger, token, clock())
    changed = mutated(token, random.Random(1))
    guesses = (next(changed) for _ in range(times))
    return sum(links.enter(office.ledger, guess, clock()) is not None for guess in guesses)


def test_a_token_that_is_almost_right_opens_nothing(office: Office, clock: Clock) -> None:
    assert tried(office, clock, 5_000) == 0


@pytest.mark.soak
def test_a_hundred_thousand_tokens_that_are_almost_right_open_nothing(
    office: Office, clock: Clock
) -> None:
    assert tried(office, clock, 100_000) == 0


def test_what_the_ledger_keeps_of_a_link_opens_nothing(office: Office, clock: Clock) -> None:
    links.issue(office.ledger, office.key, "东/妇联", by="test", now=clock())
    with reading(office.ledger.engine) as connection:
        rows = connection.execute(text("SELECT id, nonce, token_sha256, feed_sha256 FROM link"))
        kept = [f"{value}" for row in rows for value in row]
    placeholders = [f"link-{number:038d}" for number in range(9)]
    guessed = [derived(b"another key", "link", nonce) for nonce in kept]
    for guess in (*kept, *placeholders, *guessed, *map(digest, kept)):
        assert links.enter(office.ledger, guess, clock()) is None


def test_looking_at_links_a_thousand_times_changes_no_row(
    office: Office, clock: Clock, browser: Browser
) -> None:
    ledger, key, now = office.ledger, office.key, clock()
    token = links.issue(ledger, key, "东/妇联", by="test", now=now)
    door = links.enter(ledger, token, now)
    assert door
    feed = links.feed_of(ledger, key, door.link_id)
    revoked = links.issue(ledger, key, "西/妇联", by="test", now=now)
    gone = links.enter(ledger, revoked, now)
    assert gone
    links.revoke(ledger, gone.link_id, by="test", now=now)
    before = everything(office)
    client = browser()
    paths = [f"/a/{token}", f"/feed/{feed}.ics", "/duties", "/duties/1", "/", "/lost"]
    for turn in range(1000):
        path = paths[turn % len(paths)]
        assert client.request(("GET", "HEAD")[turn // len(paths) % 2], path).status_code == 200
    for number in range(10):
        client.cookies.clear()
        assert client.request(("GET", "HEAD")[number % 2], f"/a/{revoked}").status_code == 404
    assert everything(office) == before


def test_no_secret_stands_in_a_table_a_log_or_a_file(
    office: Office, clock: Clock, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx2")  # the visitor's own log names its addresses
    ledger, key, now = office.ledger, office.key, clock()
    token = links.issue(ledger, key, "东/妇联", by="test", now=now)
    client = browser()
    client.get(f"/a/{token}")
    client.get("/duties/1")
    client.get(f"/a/{token[:-1]}x")
    door = links.enter(ledger, token, now)
    assert door
    until = now.date() + timedelta(days=9)
    _, handed = links.hand_on(ledger, key, door, [1], "县妇联", until=until, now=now)
    browser().get(f"/a/{handed}")
    feed = links.feed_of(ledger, key, door.link_id)
    browser().get(f"/feed/{feed}.ics")
    session = sign_in(office, clock, "someone", Role.PROVINCIAL)
    desk = browser()
    desk.cookies.set("duban-desk", session)
    desk.get("/desk/duties/1")
    sessions.log_in(ledger, key, "someone", PASSWORD + "x", "", now)
    one_time = accounts.reset_password(ledger, "someone", by="test", now=now)
    links.send_link(ledger, "东/妇联", now=now)
    office.post.deliver(clock)
    secrets = (token, handed, feed, session, one_time, PASSWORD, office.key.decode())
    kept = everything(office) + caplog.text + _files(office)
    assert [secret for secret in secrets if secret in kept] == []


def _files(office: Office) -> str:
    """All that lies in the data folder but the key, and the letters, which do carry links."""
    home = office.settings.home
    letters = office.settings.letters
    found = (path for path in home.rglob("*") if path.is_file() and letters not in path.parents)
    return "\n".join(_read(path) for path in found if path.name != "secret.key")


def _read(path: Path) -> str:
    return path.read_bytes().decode("latin-1")
