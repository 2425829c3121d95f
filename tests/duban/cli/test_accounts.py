"""`duban account …` on the small notice."""

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from duban.ledger import passwords, sessions
from duban.ledger.sessions import Entered
from duban.office import open_office
from tests.conftest import Project
from tests.duban.cli.conftest import Run


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as light as can be."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)


def once_of(text: str) -> str:
    assert "shown this once: " in text
    return text.strip().rpartition(": ")[2]


def opens(project: Project, password: str) -> bool:
    office = open_office(project.settings())
    now = datetime.now(UTC)
    found = sessions.log_in(office.ledger, office.key, "wang", password, "", now)
    office.ledger.engine.dispose()
    return isinstance(found, Entered)


def test_an_account_is_made_listed_reset_disabled_and_enabled(run: Run, project: Project) -> None:
    added = run("account", "add", "wang", "--name", "王芳", "--role", "city", "--region", "东")
    assert added.code == 0
    once = once_of(added.text)
    assert opens(project, once)
    listed = run("account", "list").text
    for word in ("wang", "王芳", "city", "东", "password", "one-time password"):
        assert word in listed
    assert once not in listed
    again = once_of(run("account", "reset", "wang").text)
    assert not opens(project, once)
    assert opens(project, again)
    assert "disabled" in run("account", "disable", "wang").text
    assert "disabled" in run("account", "list").text
    assert not opens(project, again)
    assert "in use" in run("account", "enable", "wang").text
    assert opens(project, again)
    assert "no code" in run("account", "reset", "wang", "--factor").text


def test_one_who_comes_through_the_provider_gets_no_password(run: Run) -> None:
    added = run("account", "add", "li", "--name", "李明", "--role", "reader", "--provider")
    assert "identity provider" in added.text
    assert "once" not in added.text
    assert "provider" in run("account", "list").text
    refused = run("account", "reset", "li")
    assert refused.code == 1
    assert "no password" in refused.text


def test_a_mistake_is_told_in_a_sentence(run: Run) -> None:
    for arguments, said in (
        (("add", "wang", "--name", "王芳", "--role", "city"), "needs a region"),
        (("add", "w", "--name", "王芳", "--role", "reader"), "A login is"),
        (("disable", "nobody"), "no such account"),
        (("reset", "nobody"), "no such account"),
    ):
        answer = run("account", *arguments)
        assert answer.code == 1
        assert said in answer.text
