"""Files and typed text that wait to be handed in."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, func, select, true, update

from duban.duty import IllegalAct
from duban.evidence import Checked, KeptFile, keep_file
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover, NotItsDuty
from duban.ledger.database import reading
from duban.ledger.questions import head_seq
from duban.ledger.sweeping import sweep_files
from duban.ledger.tables import EvidenceFile
from duban.ledger.uploads import (
    MOST_DRAFTS,
    NoSuchDraft,
    UploadRefused,
    begin,
    draft_files,
    draft_of,
    drop_draft,
    file,
    files_of,
    save_draft,
    take_out,
)
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import duty_of

NOW = china("2026-03-02")
ME = "东/妇联"


@pytest.fixture
def duty(first_quarter: Office) -> int:
    """It takes two files in its field `proof`."""
    return duty_of(first_quarter, ME, "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "files"
    found.mkdir()
    return found


def kept(folder: Path, content: bytes = b"%PDF-1.7", field: str = "proof") -> KeptFile:
    source = folder.parent / "汇总.pdf"
    source.write_bytes(content)
    return keep_file(folder, field, source)


def hand_in(ledger: Ledger, duty: int, drafts: tuple[int, ...]) -> None:
    cover = Cover(drafts=drafts)
    acts.submit(ledger, duty, Checked({"classes": 1}, ()), [], by=ME, now=NOW, cover=cover)


def refuse(ledger: Ledger, which: ColumnElement[bool] | None = None) -> None:
    statement = update(EvidenceFile).where(true() if which is None else which)
    with ledger.engine.begin() as connection:
        connection.execute(statement.values(state="refused"))


def test_a_draft_is_kept_until_it_is_handed_in_and_needs_no_history(
    ledger: Ledger, duty: int, folder: Path
):
    seq = head_seq(ledger)
    one = begin(ledger, duty, ME, kept(folder), NOW)
    [found] = draft_files(ledger, duty, ME)
    assert (found.id, found.name, found.size, found.state) == (one, "汇总.pdf", 8, "waiting")
    assert found.draft
    assert head_seq(ledger) == seq
    save_draft(ledger, duty, ME, {"classes": "3"}, NOW)
    hand_in(ledger, duty, (one,))
    assert draft_files(ledger, duty, ME) == []
    [handed_in] = files_of(ledger, duty)
    assert not handed_in.draft
    assert file(ledger, one) == handed_in
    assert file(ledger, 999) is None
    assert draft_of(ledger, duty, ME) == {}
    with pytest.raises(NoSuchDraft):
        take_out(ledger, folder, one, ME, NOW)
    assert (folder / handed_in.stored_as).exists()


def test_a_file_is_taken_out_by_its_own_agency_only(ledger: Ledger, duty: int, folder: Path):
    one = begin(ledger, duty, ME, kept(folder), NOW)
    for agency in ("东/教育", "西/妇联"):
        with pytest.raises(NoSuchDraft):
            take_out(ledger, folder, one, agency, NOW)
    take_out(ledger, folder, one, ME, NOW)
    assert (files_of(ledger, duty), list(folder.iterdir())) == ([], [])


def test_a_sharing_agency_has_a_draft_of_its_own(ledger: Ledger, duty: int, folder: Path):
    begin(ledger, duty, ME, kept(folder), NOW)
    begin(ledger, duty, "东/教育", kept(folder), NOW)
    assert len(draft_files(ledger, duty, "东/教育")) == 1
    with pytest.raises(NotItsDuty):
        begin(ledger, duty, "西/妇联", kept(folder), NOW)


def test_a_field_takes_so_many_files_and_refused_ones_do_not_count(
    ledger: Ledger, duty: int, folder: Path
):
    begin(ledger, duty, ME, kept(folder), NOW)
    begin(ledger, duty, ME, kept(folder), NOW)
    with pytest.raises(UploadRefused) as refused:
        begin(ledger, duty, ME, kept(folder), NOW)
    assert refused.value.code == "too-many"
    for _ in range(MOST_DRAFTS - 2):
        refuse(ledger)
        begin(ledger, duty, ME, kept(folder), NOW)
    refuse(ledger)
    with pytest.raises(UploadRefused):
        begin(ledger, duty, ME, kept(folder), NOW)
    take_out(ledger, folder, draft_files(ledger, duty, ME)[0].id, ME, NOW)
    begin(ledger, duty, ME, kept(folder), NOW)


def test_a_draft_has_a_hundred_megabytes(ledger: Ledger, duty: int, folder: Path):
    begin(ledger, duty, ME, replace(kept(folder), size=100 * 2**20 - 7), NOW)
    with pytest.raises(UploadRefused) as refused:
        begin(ledger, duty, ME, kept(folder), NOW)
    assert refused.value.code == "too-big"


@pytest.mark.parametrize("field", ["classes", "none"])
def test_files_go_into_fields_for_files(ledger: Ledger, duty: int, folder: Path, field: str):
    with pytest.raises(UploadRefused) as refused:
        begin(ledger, duty, ME, kept(folder, field=field), NOW)
    assert refused.value.code == "no-such-field"


def test_a_closed_duty_takes_no_draft(ledger: Ledger, duty: int, folder: Path):
    acts.waive(ledger, duty, reason="撤并", by="省", now=NOW)
    with pytest.raises(IllegalAct):
        begin(ledger, duty, ME, kept(folder), NOW)
    with pytest.raises(IllegalAct):
        save_draft(ledger, duty, ME, {}, NOW)


def test_what_was_typed_is_replaced_and_dropped(ledger: Ledger, duty: int):
    assert draft_of(ledger, duty, ME) == {}
    save_draft(ledger, duty, ME, {"classes": "三"}, NOW)
    save_draft(ledger, duty, ME, {"classes": "3", "note": "已完成"}, NOW)
    assert draft_of(ledger, duty, ME) == {"classes": "3", "note": "已完成"}
    assert draft_of(ledger, duty, "东/教育") == {}
    with pytest.raises(UploadRefused) as refused:
        save_draft(ledger, duty, ME, {"note": "长" * 22_000}, NOW)
    assert refused.value.code == "too-long"
    drop_draft(ledger, duty, ME, NOW)
    assert draft_of(ledger, duty, ME) == {}


def age(path: Path, hours: float) -> None:
    moment = (NOW - timedelta(hours=hours)).timestamp()
    os.utime(path, (moment, moment))


def test_the_sweep_takes_what_is_no_evidence_and_nothing_else(
    ledger: Ledger, duty: int, folder: Path
):
    handed_in, refused = kept(folder), kept(folder)
    number = begin(ledger, duty, ME, handed_in, NOW)
    hand_in(ledger, duty, (number,))
    begin(ledger, duty, ME, refused, NOW)
    refuse(ledger, EvidenceFile.stored_as == refused.stored_as)
    old, new = kept(folder), kept(folder)
    (folder / f"{old.stored_as}.pages").mkdir()
    for name in (old.stored_as, f"{old.stored_as}.pages", handed_in.stored_as):
        age(folder / name, 25)
    for name, hours in ((".unfinished", 25), (".busy", 23), (".inspecting", 900)):
        (folder / name).touch()
        age(folder / name, hours)
    age(folder / new.stored_as, 23)
    assert sweep_files(ledger, folder, NOW) == 4
    left = {path.name for path in folder.iterdir()}
    assert left == {handed_in.stored_as, new.stored_as, ".busy", ".inspecting"}
    assert sweep_files(ledger, folder, NOW) == 0


def test_a_draft_that_nobody_hands_in_goes_after_thirty_days(
    ledger: Ledger, duty: int, folder: Path
):
    begin(ledger, duty, ME, kept(folder), NOW)
    save_draft(ledger, duty, ME, {"classes": "3"}, NOW)
    sweep_files(ledger, folder, NOW + timedelta(days=30))
    assert draft_of(ledger, duty, ME)
    assert len(list(folder.iterdir())) == 1
    assert sweep_files(ledger, folder, NOW + timedelta(days=31)) == 1
    assert draft_of(ledger, duty, ME) == {}
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(EvidenceFile)) == 0
    assert list(folder.iterdir()) == []


def test_without_a_folder_there_is_nothing_to_sweep(ledger: Ledger, tmp_path: Path):
    assert sweep_files(ledger, tmp_path / "none", NOW) == 0
