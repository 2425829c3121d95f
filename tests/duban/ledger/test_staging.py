"""Which duties the stage shows and which may have changed; whose turn it is to show them."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert

from duban.duty import CLOSED, Status
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.holds import hold
from duban.ledger.lease import LEASE, Turn, give_back, renew, take, turn_of
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties
from duban.ledger.staging import Look, Seen, look, remember_seen, seen, staged
from duban.ledger.tables import MirrorRun
from duban.office import Office
from tests.conftest import china

NOW = china("2026-11-24")
KEPT = china("2025-01-01", "00:00")
MANY = 5_000


def looked(ledger: Ledger, now: datetime = NOW, limit: int = MANY) -> Look:
    return look(ledger, now, "scene", limit)


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """Everything that is open on the day has been shown."""
    open_missing(ledger, NOW)
    remember_seen(ledger, looked(ledger).to)
    return ledger


def only(ledger: Ledger, clause: str, agency: str) -> DutyView:
    return duties(ledger, clause=f"small/{clause}", agency=agency)[0]


def test_at_first_and_once_a_day_everything_is_looked_at_and_read(ledger: Ledger):
    first = looked(ledger)
    assert (first.ids, first.read) == (None, True)
    remember_seen(ledger, first.to)
    assert looked(ledger, NOW + timedelta(hours=14)).idle
    assert looked(ledger, NOW + timedelta(hours=16)).read


def test_without_news_there_is_nothing_to_look_at(told: Ledger):
    assert looked(told).idle


def test_what_somebody_did_is_looked_at_and_nothing_else(told: Ledger):
    duty = only(told, "2", "东/教育")
    acts.waive(told, duty.id, reason="已撤并", by="李", now=NOW)
    assert looked(told).ids == {duty.id}


def test_a_letter_is_news_of_every_duty_it_speaks_of(told: Ledger, office: Office):
    office.post.deliver(lambda: NOW)
    assert looked(told).ids == {one.id for one in duties(told)}


def test_a_hold_is_news_of_what_it_covers_and_is_open(told: Ledger, office: Office):
    office.post.deliver(lambda: NOW)  # what a hold would take out of a letter is news too
    closed = only(told, "2", "东/教育")
    acts.waive(told, closed.id, reason="已撤并", by="李", now=NOW)
    remember_seen(told, looked(told).to)
    until = date(2026, 12, 20)
    hold(told, agency=None, clause="small/2", until=until, reason="普查", by="李", now=NOW)
    assert looked(told).ids == {only(told, "2", "西/教育").id}


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=7)])
def test_a_duty_is_looked_at_when_its_time_is_up_or_its_warning_comes(
    told: Ledger, ahead: timedelta
):
    duty = only(told, "4", "东/妇联")
    moment = duty.due_at - ahead
    passing = [one.id for one in duties(told) if one.due_at == duty.due_at]
    remember_seen(told, looked(told, moment - timedelta(seconds=1)).to)
    found = looked(told, moment + timedelta(minutes=1))
    assert found.ids is None or set(passing) <= found.ids


def test_a_card_is_looked_at_on_the_day_on_which_it_is_too_old(told: Ledger):
    duty = duties(told)[0].id
    with told.engine.begin() as connection:
        row = {"duty_id": duty, "run_id": "x", "revision": "", "state": "", "face": "", "card": ""}
        connection.execute(
            insert(MirrorRun),
            {**row, "refresh_on": date(2026, 11, 24)},
        )
    assert looked(told).ids == {duty}


def test_another_scene_or_an_earlier_moment_concerns_everything(told: Ledger):
    assert look(told, NOW, "another", MANY).ids is None
    assert looked(told, NOW - timedelta(minutes=5)).ids is None


def test_beyond_the_limit_the_stage_is_crowded_until_a_tenth_is_free_again(ledger: Ledger):
    open_missing(ledger, NOW)
    count = len(duties(ledger))
    assert not looked(ledger, limit=count).to.crowded
    assert looked(ledger, limit=count - 1).to.crowded
    remember_seen(ledger, Seen(crowded=True))
    assert looked(ledger, limit=count).to.crowded
    assert not looked(ledger, limit=count * 2).to.crowded


def test_a_crowded_stage_shows_exactly_what_needs_eyes(ledger: Ledger):
    open_missing(ledger, china("2026-01-05"))
    open_missing(ledger, NOW)
    submit(ledger, only(ledger, "4", "东/妇联"))
    returned = only(ledger, "4", "西/妇联")
    submit(ledger, returned)
    acts.send_back(ledger, returned.id, reason="缺盖章", by="李", now=NOW)
    acts.waive(ledger, only(ledger, "2", "东/教育").id, reason="撤并", by="李", now=KEPT)
    acts.waive(ledger, only(ledger, "2", "西/教育").id, reason="撤并", by="李", now=NOW)
    found = duties(ledger)
    for crowded in (False, True):
        wanted = {one.id for one in found if belongs(one, crowded)}
        assert staged(ledger, NOW, NOW, crowded=crowded, ids=None) == wanted
        some = [one.id for one in found[::2]]
        assert staged(ledger, NOW, NOW, crowded=crowded, ids=some) == wanted & set(some)
    assert len(wanted) < len(found)


def belongs(duty: DutyView, crowded: bool) -> bool:
    if duty.status in CLOSED:
        return duty.closed_at is not None and duty.closed_at >= NOW
    eyes = duty.status in (Status.SUBMITTED, Status.RETURNED)
    return not crowded or eyes or duty.overdue(NOW) or duty.due_soon(NOW)


def submit(ledger: Ledger, duty: DutyView) -> None:
    evidence = Checked({"progress": "已出台"}, ())
    acts.submit(ledger, duty.id, evidence, [], by=duty.agency.id, now=NOW)


# Whose turn it is.


def test_of_two_who_see_the_same_one_gets_the_turn(ledger: Ledger):
    free = turn_of(ledger, "work")
    held = take(ledger, "work", free, "a", NOW)
    assert held
    assert take(ledger, "work", free, "b", NOW) is None
    assert not turn_of(ledger, "work").over(NOW)
    assert turn_of(ledger, "work").over(NOW + LEASE)


def test_who_was_taken_over_can_neither_go_on_nor_end_the_turn(ledger: Ledger):
    held = take(ledger, "work", Turn(), "a", NOW)
    assert held
    later = NOW + LEASE
    other = take(ledger, "work", held, "b", later)
    assert other
    assert renew(ledger, "work", held, later, begun=True) is None
    give_back(ledger, "work", held, begun=False)
    assert turn_of(ledger, "work") == other


def test_what_was_begun_and_not_ended_is_known_to_the_next(ledger: Ledger):
    held = take(ledger, "work", Turn(), "a", NOW)
    assert held
    held = renew(ledger, "work", held, NOW, begun=True)
    assert held
    give_back(ledger, "work", held, begun=True)
    after = take(ledger, "work", turn_of(ledger, "work"), "b", NOW)
    assert after
    assert after.begun


def test_up_to_where_the_stage_was_told_is_kept(ledger: Ledger):
    kept = Seen(7, NOW.isoformat(), "x", "2026-11-24", crowded=True)
    remember_seen(ledger, kept)
    assert seen(ledger) == kept
