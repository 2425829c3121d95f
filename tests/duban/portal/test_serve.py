"""What runs beside the pages: it takes up what somebody applied elsewhere."""

import logging
import time
from collections.abc import Iterator

import pytest

from duban.ledger.applied import in_force, record
from duban.ledger.change import change
from duban.office import Office, open_office
from duban.portal import serve
from duban.portal.serve import Inspecting
from duban.registry.files import read_files
from tests.conftest import Project, at, china

NOW = china("2026-02-02")


@pytest.fixture
def opened(project: Project, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(serve, "LOOK_EVERY", 0.01)
    office = open_office(project.settings(sqlite_url), at(NOW))
    yield office
    office.ledger.engine.dispose()


def apply(office: Office) -> None:
    """Puts the files in force as another process would."""
    engine, settings = office.ledger.engine, office.settings
    files = read_files(settings.agencies, settings.notices)[1]
    with change(engine, NOW, "王") as made:
        record(made, files, in_force(engine), "", {})


def test_the_portal_takes_up_what_was_applied(opened: Office, project: Project):
    project.edit(project.clauses, "title: 家长课堂", "title: 家长大课堂")
    with Inspecting(opened, at(NOW)):
        apply(opened)
        end = time.monotonic() + 20
        while opened.ledger.registry.clauses["small/1"].clause.title != "家长大课堂":
            assert time.monotonic() < end
            time.sleep(0.01)


def test_what_cannot_be_taken_up_is_told_once_and_the_portal_goes_on(
    opened: Office,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    project.edit(project.agencies, "youth@example.org", '"wecombot://${YOUTH_KEY}"')
    monkeypatch.setenv("YOUTH_KEY", "k")
    apply(opened)
    monkeypatch.delenv("YOUTH_KEY")
    with caplog.at_level(logging.ERROR), Inspecting(opened, at(NOW)):
        end = time.monotonic() + 20
        while not caplog.records:
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.1)  # some more looks
    assert [one.message for one in caplog.records] == ["what is in force could not be taken up"]
    assert opened.ledger.registry.agencies["东/共青团"].contact.channel == "youth@example.org"
