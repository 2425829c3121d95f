"""What is in force stands in the ledger: every process sees that, and edits of files wait."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from duban.errors import InvalidRegistry
from duban.ledger.applied import (
    AppliedMeanwhile,
    NoSuchVersion,
    adopt,
    digest_at,
    digest_in_force,
    in_force,
    record,
    version,
    versions,
)
from duban.ledger.change import change, first_broken_link
from duban.ledger.database import make_engine, reading
from duban.ledger.tables import Applied, History
from duban.office import DIFFERS, Office, open_office, pending
from duban.registry.files import Files, digest_of, read_files
from tests.conftest import Project, at, china
from tests.duban.ledger.test_applying import EARLIER, proposal

NOW = china("2026-02-02")
LATER = china("2026-02-03")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    found = make_engine(database_url)
    yield found
    found.dispose()


@pytest.fixture
def files(project: Project) -> Files:
    return read_files(project.agencies, project.folder / "deployments", {})[1]


@pytest.fixture
def opened(project: Project, sqlite_url: str) -> Iterator[Office]:
    """The office on a new ledger, in which the files came into force."""
    office = open_office(project.settings(sqlite_url), at(NOW))
    yield office
    office.ledger.engine.dispose()


def apply(office: Office, project: Project) -> None:
    """Puts the files in force as another process would."""
    found = proposal(office.ledger, project)
    with change(office.ledger.engine, LATER, "王") as made:
        record(made, found.files, found.base, "修订", {"opens": 1})


def test_the_files_come_into_force_once_and_are_kept_to_the_letter(engine: Engine, files: Files):
    assert in_force(engine) is None
    assert digest_in_force(engine) == ""
    kept = adopt(engine, files, NOW)
    assert kept == in_force(engine)
    assert kept.files == files
    assert kept.digest == digest_of(files) == digest_in_force(engine)
    assert adopt(engine, {"agencies.yaml": "other"}, LATER) == kept
    assert [(one.by, one.at, one.counts) for one in versions(engine)] == [("duban", NOW, {})]
    with reading(engine) as connection:
        assert connection.scalar(select(History.seq)) is None  # it changed nothing for anybody


def test_what_was_kept_makes_the_registry_of_the_files(
    engine: Engine, files: Files, project: Project
):
    (project.folder / "deployments" / "chase.yaml").write_text("ladder: '13710'\n")
    loaded, texts = read_files(project.agencies, project.folder / "deployments", {})
    assert sorted(texts) == [
        "agencies.yaml",
        "notices/chase.yaml",
        "notices/small/clauses.yaml",
        "notices/small/notice.txt",
    ]
    assert adopt(engine, texts, NOW).load({}) == loaded
    assert loaded.policy.default == "13710"


def test_a_newer_version_holds_and_history_says_who_and_what(engine: Engine, files: Files):
    base = adopt(engine, files, NOW)
    other = {**files, "agencies.yaml": "x"}
    with change(engine, LATER, "王") as made:
        record(made, other, base, "修订", {"opens": 7, "closes": 1})
    assert [one.id for one in versions(engine)] == [2, 1]
    assert versions(engine)[0].counts == {"opens": 7, "closes": 1}
    assert version(engine, 1) == base
    found = in_force(engine)
    assert found is not None
    assert found.files == other
    with reading(engine) as connection:
        [row] = connection.execute(select(History.__table__)).mappings()
        assert first_broken_link(connection) is None
    assert (row["action"], row["actor"]) == ("applied", "王")
    assert row["data"] == {
        "digest": digest_of(other),
        "before": base.digest,
        "opens": 7,
        "closes": 1,
    }


def test_who_looked_before_another_applied_has_to_look_again(engine: Engine, files: Files):
    base = adopt(engine, files, NOW)
    for word in ("first", "second"):
        made_by_both = {**files, "agencies.yaml": word}
        if word == "second":
            with pytest.raises(AppliedMeanwhile), change(engine, LATER, "李") as made:
                record(made, made_by_both, base, "", {})
        else:
            with change(engine, LATER, "王") as made:
                record(made, made_by_both, base, "", {})
    assert len(versions(engine)) == 2


def test_a_version_that_never_was_is_named(engine: Engine):
    with pytest.raises(NoSuchVersion, match="There is no version 9; `duban applied` lists them"):
        version(engine, 9)


def test_an_edit_does_nothing_until_it_is_applied(opened: Office, project: Project):
    EARLIER(project)
    again = open_office(opened.settings, at(LATER))
    assert again.ledger.registry.clauses["small/1"].clause.cycle("report").due == "M3-20"
    again.ledger.engine.dispose()
    assert not opened.refresh()
    apply(opened, project)
    assert opened.refresh()
    assert opened.ledger.registry.clauses["small/1"].clause.cycle("report").due == "M3-10"
    assert not opened.refresh()


def test_a_machine_without_the_files_works_with_what_is_in_force(
    opened: Office, project: Project, tmp_path: Path
):
    elsewhere = opened.settings.model_copy(
        update={"agencies": tmp_path / "nowhere.yaml", "notices": tmp_path, "home": tmp_path / "b"}
    )
    there = open_office(elsewhere)
    assert there.ledger.registry == opened.ledger.registry
    assert pending(there) is None
    there.ledger.engine.dispose()


def test_a_secret_stays_a_reference_and_is_asked_for_where_it_is_needed(
    project: Project, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
):
    project.edit(project.agencies, "youth@example.org", '"wecombot://${YOUTH_KEY}"')
    monkeypatch.setenv("YOUTH_KEY", "s3cret-0123")
    office = open_office(project.settings(sqlite_url), at(NOW))
    office.ledger.engine.dispose()
    with reading(office.ledger.engine) as connection:
        assert "s3cret" not in str(connection.scalar(select(Applied.files)))
    monkeypatch.delenv("YOUTH_KEY")
    with pytest.raises(InvalidRegistry) as error:
        open_office(project.settings(sqlite_url))
    assert str(error.value).startswith(
        "in force: agencies.yaml:18: the environment variable YOUTH_KEY is not set: set it"
    )
    project.edit(project.agencies, '"wecombot://${YOUTH_KEY}"', "youth@example.org")
    mended = proposal(office.ledger, project).amendment(LATER)
    assert mended.recipients == {"东/共青团": ("channel",)}
    office.ledger.engine.dispose()


def test_one_line_says_that_edits_wait_and_another_that_they_cannot_be_applied(
    opened: Office, project: Project
):
    assert pending(opened) is None
    EARLIER(project)
    assert pending(opened) == DIFFERS
    apply(opened, project)
    assert pending(opened) is None
    project.edit(project.clauses, "title: 家长课堂", "titel: 家长课堂")
    assert pending(opened) == (
        "2 fault(s) in the files keep them from being applied: see `duban check`."
    )


def test_an_address_where_nothing_tells_what_is_in_force_tells_nothing(
    opened: Office, tmp_path: Path
):
    assert digest_at(opened.settings.ledger_url) == opened.ledger.digest
    (tmp_path / "old.db").touch()  # of before there was such a table
    assert digest_at(f"sqlite:///{tmp_path / 'old.db'}") == ""
    assert digest_at("postgresql+psycopg://nobody@127.0.0.1:1/none") == ""


def test_a_registry_that_cannot_be_taken_up_leaves_the_one_at_hand(
    opened: Office, project: Project, monkeypatch: pytest.MonkeyPatch
):
    project.edit(project.agencies, "youth@example.org", '"wecombot://${YOUTH_KEY}"')
    monkeypatch.setenv("YOUTH_KEY", "k")
    found = replace(opened).ledger
    texts = read_files(project.agencies, project.folder / "deployments")[1]
    with change(found.engine, LATER, "王") as made:
        record(made, texts, in_force(found.engine), "", {})
    monkeypatch.delenv("YOUTH_KEY")
    before = opened.ledger.registry
    with pytest.raises(InvalidRegistry):
        opened.refresh()
    assert opened.ledger.registry is before
