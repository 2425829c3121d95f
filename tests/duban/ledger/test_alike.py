"""Evidence that somebody has sent before."""

from datetime import datetime

import pytest
from sqlalchemy import select, update

from duban.evidence import Checked, KeptFile
from duban.intake.likeness import NEAR
from duban.ledger import Ledger, acts
from duban.ledger.alike import alike
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.ledger.tables import EvidenceFile
from duban.ledger.uploads import begin
from duban.office import Office
from tests.conftest import china

EARLIER, NOW = china("2026-03-02"), china("2026-04-20")
SUN = int("f0" * 32, 16)
OWL = int("3c" * 32, 16)


@pytest.fixture
def ledger_of_quarters(first_quarter: Office) -> Ledger:
    open_missing(first_quarter.ledger, china("2026-04-01"), clause="small/1")
    return first_quarter.ledger


def sent(
    ledger: Ledger,
    agency: str,
    period: str,
    content: str,
    picture: int = 0,
    now: datetime = EARLIER,
) -> int:
    """A file that was handed in; its number."""
    [duty] = [one for one in duties(ledger, agency=agency) if one.period == period]
    stored_as = f"{agency}{period}{content}{picture:x}{now}"
    sha256 = content.ljust(64, "0")
    file = KeptFile("proof", "a.jpg", 1, sha256, f"{hash(stored_as):x}")
    acts.submit(ledger, duty.id, Checked({"classes": 1}, ()), [file], by=agency, now=now)
    with ledger.engine.begin() as connection:
        number = connection.scalar(select(EvidenceFile.id).order_by(EvidenceFile.id.desc()))
        values = {"state": "fine", "kept_sha256": sha256[::-1]}
        if picture:
            values["picture_hash"] = f"{picture:064x}"
        connection.execute(update(EvidenceFile).where(EvidenceFile.id == number).values(**values))
    assert number
    return number


def flipped(picture: int, bits: int) -> int:
    return picture ^ ((1 << bits) - 1)


def test_the_same_bytes_are_found_with_where_and_when(ledger_of_quarters: Ledger):
    first = sent(ledger_of_quarters, "西/妇联", "2026Q1", "aa")
    earlier = sent(ledger_of_quarters, "东/妇联", "2026Q1", "aa")
    now = sent(ledger_of_quarters, "东/妇联", "2026Q2", "aa", now=NOW)
    found = alike(ledger_of_quarters, [now])[now]
    assert [one.file_id for one in found] == [first, earlier]
    assert [(one.agency, one.period, one.how) for one in found] == [
        ("西/妇联", "2026Q1", "same"),
        ("东/妇联", "2026Q1", "same"),
    ]
    assert (found[0].clause, found[0].received_at) == ("small/1", EARLIER)


def test_a_near_picture_is_found_and_another_is_not(ledger_of_quarters: Ledger):
    near = sent(ledger_of_quarters, "西/妇联", "2026Q1", "aa", flipped(SUN, NEAR))
    sent(ledger_of_quarters, "西/妇联", "2026Q2", "bb", flipped(SUN, NEAR + 1), NOW)
    sent(ledger_of_quarters, "东/妇联", "2026Q1", "cc", OWL)
    asked = sent(ledger_of_quarters, "东/妇联", "2026Q2", "dd", SUN, NOW)
    assert [(one.file_id, one.how) for one in alike(ledger_of_quarters, [asked])[asked]] == [
        (near, "near")
    ]


def test_a_picture_that_differs_in_what_inspection_removed_is_the_same(ledger_of_quarters: Ledger):
    other = sent(ledger_of_quarters, "西/妇联", "2026Q1", "aa", SUN)
    asked = sent(ledger_of_quarters, "东/妇联", "2026Q1", "bb", SUN)
    with ledger_of_quarters.engine.begin() as connection:
        connection.execute(update(EvidenceFile).values(kept_sha256="ee" * 32))
    [found] = alike(ledger_of_quarters, [asked])[asked]
    assert (found.file_id, found.how) == (other, "same")


def test_the_dutys_own_versions_do_not_count(ledger_of_quarters: Ledger):
    sent(ledger_of_quarters, "东/妇联", "2026Q1", "aa", SUN)
    again = sent(ledger_of_quarters, "东/妇联", "2026Q1", "aa", SUN, china("2026-03-03"))
    assert alike(ledger_of_quarters, [again]) == {}


@pytest.mark.parametrize("state", ["refused", "erased", "waiting"])
def test_what_was_refused_does_not_count_and_what_was_erased_does(
    ledger_of_quarters: Ledger, state: str
):
    sent(ledger_of_quarters, "西/妇联", "2026Q1", "aa")
    with ledger_of_quarters.engine.begin() as connection:
        connection.execute(update(EvidenceFile).values(state=state))
    asked = sent(ledger_of_quarters, "东/妇联", "2026Q1", "aa")
    assert (asked in alike(ledger_of_quarters, [asked])) == (state != "refused")


def test_a_draft_does_not_count(ledger_of_quarters: Ledger):
    [duty] = [one for one in duties(ledger_of_quarters, agency="西/妇联") if "Q1" in one.period]
    draft = KeptFile("proof", "a.jpg", 1, "aa".ljust(64, "0"), "draft")
    begin(ledger_of_quarters, duty.id, "西/妇联", draft, EARLIER)
    asked = sent(ledger_of_quarters, "东/妇联", "2026Q1", "aa")
    assert alike(ledger_of_quarters, [asked, 999]) == {}
    with reading(ledger_of_quarters.engine) as connection:
        assert connection.scalar(select(EvidenceFile.id).where(EvidenceFile.id == asked))
