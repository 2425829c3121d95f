"""What an agency reads of a duty's history: the letters to it, and nothing of the office."""

import re
from datetime import date

import pytest

from duban.ledger import approvals, holds
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import days, run
from tests.duban.portal.agency.conftest import Come, Desk
from tests.duban.portal.conftest import Clock


def history(desk: Desk) -> list[str]:
    """The lines below 办理记录, the newest first, without their moments."""
    [_, told] = desk.read().split('<ol class="timeline">')
    return re.findall(r"</time>(.*?)</li>", told.partition("</ol>")[0])


@pytest.fixture
def late(guest: Desk, office: Office, clock: Clock) -> Desk:
    """东市妇联 is so late that a formal letter to it is proposed."""
    run(office, days("2026-03-01", "2026-04-07"))
    clock.set("2026-04-08")
    return guest


def approve(late: Desk, office: Office, day: str = "2026-04-08") -> None:
    approvals.approve(office.ledger, [late.duty], by="省", now=china(day, "10:00"))


def test_a_formal_letter_shows_once_it_was_approved(late: Desk, office: Office):
    assert not [line for line in history(late) if "督办函" in line]
    approve(late, office)
    assert history(late)[0] == "批准发出督办函"


def test_the_agency_that_shares_does_not_see_the_letters_to_its_lead(
    late: Desk, office: Office, come: Come
):
    approve(late, office)
    sharing = come("东/教育", "1", owner="东/妇联")
    assert {"催办", "批准发出督办函"} <= {*history(late)}
    assert [line for line in history(sharing) if not line.startswith("立项交办")] == []


def test_a_letter_that_a_hold_stopped_before_it_left_is_not_shown(late: Desk, office: Office):
    before = history(late)
    approve(late, office)
    hold = holds.hold(
        office.ledger,
        agency="东/妇联",
        clause=None,
        until=date(2026, 4, 9),
        reason="机构调整",
        by="省",
        now=china("2026-04-08", "10:05"),
    )
    assert history(late) == before
    holds.release(office.ledger, hold, by="省", now=china("2026-04-08", "10:10"))
    approve(late, office)
    assert history(late) == ["批准发出督办函", *before]
