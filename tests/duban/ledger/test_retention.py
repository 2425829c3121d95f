"""Evidence and names that are kept as long as they are needed, and no longer."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from duban.evidence import Checked, keep_file
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover
from duban.ledger.audit import verify, verify_files
from duban.ledger.database import reading
from duban.ledger.folder import pages_of
from duban.ledger.opening import open_missing
from duban.ledger.questions import events, head_seq
from duban.ledger.retention import erase_due, forget_persons, years_before
from duban.ledger.sweeping import sweep_files
from duban.ledger.tables import ClauseVersion, Link, LinkDuty, Submission
from duban.ledger.uploads import begin, files_of
from duban.office import Office
from duban.words import ZH, event_words
from tests.conftest import SHANGHAI, at, china
from tests.duban.ledger.conftest import duty_of

NOW = china("2026-03-02")
CLOSED = china("2026-03-10")
ME = "东/妇联"


@pytest.fixture
def duty(first_quarter: Office, folder: Path) -> int:
    """Closed, with a file and a person who sent it."""
    ledger = first_quarter.ledger
    number = duty_of(first_quarter, ME, "1")
    file = _upload(ledger, number, folder)
    pages_of(folder, files_of(ledger, number)[0].stored_as).mkdir()
    cover = Cover(drafts=(file,), person="王小明", telephone="13900000000")
    evidence = Checked({"classes": 1}, ())
    acts.submit(ledger, number, evidence, [], by=ME, now=NOW, cover=cover)
    acts.accept(ledger, number, by="省", now=CLOSED)
    return number


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def _upload(ledger: Ledger, duty: int, folder: Path) -> int:
    source = folder.parent / "现场.jpg"
    source.write_bytes(b"photo")
    return begin(ledger, duty, ME, keep_file(folder, "proof", source), NOW)


def years_later(years: int, days: int = 0) -> datetime:
    return CLOSED.replace(year=CLOSED.year + years) + timedelta(days=days)


def test_evidence_is_erased_on_time_and_its_hash_kept(ledger: Ledger, duty: int, folder: Path):
    [kept] = files_of(ledger, duty)
    assert erase_due(ledger, folder, years_later(5, -1)) == 0
    assert (folder / kept.stored_as).exists()
    assert erase_due(ledger, folder, years_later(5)) == 1
    assert list(folder.iterdir()) == []
    [stone] = files_of(ledger, duty)
    assert (stone.state, stone.sha256, stone.name) == ("erased", kept.sha256, "")
    told = events(ledger, duty_id=duty)[-1]
    assert (told.action, told.data) == ("erased", {"count": 1, "files": [kept.sha256]})
    assert event_words(ZH, told, SHANGHAI) == "佐证文件保存期满，销毁 1 份，留存校验值"
    assert verify(ledger) == verify_files(ledger, folder) == []
    seq = head_seq(ledger)
    assert (erase_due(ledger, folder, years_later(6)), head_seq(ledger)) == (0, seq)


def test_a_clause_may_keep_its_evidence_for_another_time(ledger: Ledger, duty: int, folder: Path):
    with ledger.engine.begin() as connection:
        content = connection.scalar(select(ClauseVersion.content))
        connection.execute(update(ClauseVersion).values(content={**(content or {}), "keep": 1}))
    assert erase_due(ledger, folder, years_later(1, -1)) == 0
    assert erase_due(ledger, folder, years_later(1)) == 1


def test_versions_kept_before_the_key_was_known_keep_five_years(
    ledger: Ledger, duty: int, folder: Path
):
    with ledger.engine.begin() as connection:
        content = dict(connection.scalar(select(ClauseVersion.content)) or {})
        content.pop("keep")
        connection.execute(update(ClauseVersion).values(content=content))
    assert erase_due(ledger, folder, years_later(5, -1)) == 0
    assert erase_due(ledger, folder, years_later(5)) == 1


def test_what_was_opened_again_is_kept(ledger: Ledger, duty: int, folder: Path):
    acts.reopen(ledger, duty, reason="误销", by="省", now=years_later(4))
    assert erase_due(ledger, folder, years_later(9)) == 0


def test_a_crash_after_the_tombstone_leaves_the_bytes_to_the_sweep(
    ledger: Ledger, duty: int, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("duban.ledger.retention.discard", killed)
    with pytest.raises(KeyboardInterrupt):
        erase_due(ledger, folder, years_later(5))
    assert len(list(folder.iterdir())) == 2
    sweep_files(ledger, folder, NOW)
    assert list(folder.iterdir()) == []


def test_the_default_does_not_change_what_a_clause_is(ledger: Ledger):
    clause = ledger.registry.clauses["small/1"].clause
    longer = clause.model_copy(update={"keep": 10})
    assert clause.model_copy(update={"keep": 5}).model_dump_json(exclude_defaults=True) == (
        clause.model_dump_json(exclude_defaults=True)
    )
    assert '"keep":10' in longer.model_dump_json(exclude_defaults=True)


def persons(ledger: Ledger) -> list[tuple[str | None, str | None]]:
    with reading(ledger.engine) as connection:
        rows = connection.execute(select(Submission.person, Submission.telephone))
        return [(person, telephone) for person, telephone in rows]


def test_whom_to_ask_is_forgotten_a_month_after_the_duty_is_closed(ledger: Ledger, duty: int):
    assert forget_persons(ledger, CLOSED + timedelta(days=29)) == 0
    assert persons(ledger) == [("王小明", "13900000000")]
    assert forget_persons(ledger, CLOSED + timedelta(days=30)) == 1
    assert persons(ledger) == [(None, None)]
    seq = head_seq(ledger)
    assert (forget_persons(ledger, CLOSED + timedelta(days=31)), head_seq(ledger)) == (0, seq)
    assert verify(ledger) == []


def add_link(
    ledger: Ledger,
    number: int,
    agency: str,
    *,
    duties: tuple[int, ...] = (),
    revoked: datetime | None = None,
) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            insert(Link).values(
                id=number,
                agency=agency,
                parent_id=101 if duties else None,
                holder="",
                nonce=f"{number}",
                token_sha256=f"{number}",
                feed_sha256=f"{number}",
                issued_at=NOW,
                issued_by="duban",
                expires_at=years_later(1),
                revoked_at=revoked,
                person="王小明",
                telephone="139",
            )
        )
        for one in duties:
            connection.execute(insert(LinkDuty).values(link_id=number, duty_id=one))


def test_a_link_knows_its_person_while_a_duty_needs_it(
    first_quarter: Office, ledger: Ledger, duty: int
):
    other = duty_of(first_quarter, "西/妇联", "1")
    add_link(ledger, 101, ME)
    add_link(ledger, 102, ME, duties=(duty,))
    add_link(ledger, 103, "西/妇联")
    add_link(ledger, 104, "西/妇联", duties=(other,))
    add_link(ledger, 105, "西/妇联", revoked=NOW)
    add_link(ledger, 106, "东/教育")
    with ledger.engine.begin() as connection:
        connection.execute(update(Submission).values(link_id=106, person=None, telephone=None))

    def named(now: datetime) -> list[int]:
        forget_persons(ledger, now)
        with reading(ledger.engine) as connection:
            question = select(Link.id).where(Link.person.is_not(None)).order_by(Link.id)
            return list(connection.scalars(question))

    assert named(CLOSED + timedelta(days=29)) == [101, 102, 103, 104, 106]
    assert named(CLOSED + timedelta(days=30)) == [103, 104]
    open_missing(ledger, china("2026-04-01"), clause="small/1")
    assert named(years_later(1, 1)) == []  # the links have run out


def test_the_29th_of_february_becomes_the_28th():
    assert years_before(china("2028-02-29"), 5) == china("2023-02-28")
    assert years_before(china("2028-02-29"), 4) == china("2024-02-29")


def test_a_day_keeps_house_once(office: Office):
    office.tick(NOW)
    log = office.settings.home / "heads.log"
    [line] = log.read_text().splitlines()
    assert line.startswith("2026-03-02 ")
    seq = head_seq(office.ledger)
    office.tick(china("2026-03-02", "18:00"))
    assert log.read_text().splitlines() == [line]
    assert head_seq(office.ledger) == seq
    (office.settings.files).mkdir()
    stray = office.settings.files / "stray"
    stray.touch()
    office.keep_house(NOW)
    assert stray.exists()
    office.keep_house(china("2999-01-01"))
    assert not stray.exists()
    assert len(log.read_text().splitlines()) == 2
    office.post.deliver(at(NOW))
