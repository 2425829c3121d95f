"""Links: what they open and to whom, for how long, and how they end."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from duban.evidence import Checked
from duban.ladder import Kind
from duban.ledger import Ledger, acts
from duban.ledger.change import change, first_broken_link
from duban.ledger.database import reading
from duban.ledger.links import (
    LEFT,
    LIFE,
    LONG_CLOSED,
    MOST_SENT,
    Door,
    NobodyNamed,
    NoSuchLink,
    NotNarrower,
    Standing,
    by_feed,
    enter,
    feed_of,
    hand_on,
    issue,
    links_of,
    reached,
    reissue,
    revoke,
    send_link,
    standing,
    tell,
    tokens_of,
)
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties, events
from duban.ledger.tables import Base, Letter
from duban.letters import placeholder
from duban.tokens import LENGTH
from tests.conftest import at, china
from tests.duban.ledger.conftest import nowhere

KEY = b"k" * 32
NOW = china("2026-01-05")
DAY = timedelta(days=1)
WOMEN, SCHOOLS, YOUTH = "东/妇联", "东/教育", "东/共青团"


def given(ledger: Ledger, agency: str = WOMEN, now: datetime = NOW) -> str:
    return issue(ledger, KEY, agency, by="王", now=now)


def opened(ledger: Ledger, token: str, now: datetime = NOW) -> Door:
    door = enter(ledger, token, now)
    assert door is not None
    return door


def found(ledger: Ledger, now: datetime, agency: str = WOMEN) -> Standing:
    with change(ledger.engine, now, "duban") as made:
        return standing(made, ledger, KEY, [agency])[agency]


def numbers(ledger: Ledger, agency: str = WOMEN) -> list[int]:
    return sorted(duty.id for duty in duties(ledger, agency=agency))


def rows(ledger: Ledger) -> dict[str, int]:
    with reading(ledger.engine) as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def everything(ledger: Ledger) -> str:
    """Every value of every table."""
    with reading(ledger.engine) as connection:
        return "".join(
            repr(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in connection.execute(select(table))
        )


@pytest.fixture
def year(ledger: Ledger) -> Ledger:
    """The duties of the new year are opened."""
    open_missing(ledger, NOW)
    return ledger


def handed(ledger: Ledger, door: Door, on: Sequence[int], until: str = "2026-03-01") -> str:
    day = date.fromisoformat(until)
    return hand_on(ledger, KEY, door, on, "基层科 李", until=day, now=NOW)[1]


def test_a_link_opens_all_of_its_agencys_duties_until_its_last_day_is_over(year: Ledger):
    token = given(year)
    door = opened(year, token)
    assert len(token) == LENGTH
    assert (door.agency_id, door.duties, door.holder, door.parent) == (WOMEN, None, "", None)
    assert door.expires_at == china("2026-07-04", "23:59:59")
    assert opened(year, token, door.expires_at) == door
    assert enter(year, token, door.expires_at + timedelta(seconds=1)) is None


def test_a_door_opens_what_its_agency_owes_and_what_it_shares_in(year: Ledger):
    door = opened(year, given(year, SCHOOLS))
    every = [duty.id for duty in duties(year)]
    with reading(year.engine) as connection:
        mine = reached(connection, year, door, every, NOW)
    [shared] = [duty.id for duty in duties(year, agency=WOMEN, clause="small/1")]
    assert mine == {*numbers(year, SCHOOLS), shared}


def test_coming_in_changes_nothing(year: Ledger):
    token = given(year)
    before = rows(year)
    for _ in range(3):
        opened(year, token)
        enter(year, "x" * LENGTH, NOW)
    assert rows(year) == before


@pytest.mark.parametrize("token", ["", "x", "x" * LENGTH, placeholder(1), "\x00", "汉" * 9])
def test_a_token_that_was_never_given_opens_nothing(year: Ledger, token: str):
    given(year)
    assert enter(year, token, NOW) is None
    assert by_feed(year, token, NOW) is None


def test_the_token_of_a_feed_opens_the_feed_alone(year: Ledger):
    token = given(year)
    door = opened(year, token)
    feed = feed_of(year, KEY, door.link_id)
    assert by_feed(year, feed, NOW) == door
    assert enter(year, feed, NOW) is None
    assert by_feed(year, token, NOW) is None
    with pytest.raises(NoSuchLink):
        feed_of(year, KEY, 99)


def test_a_revoked_link_opens_nothing_and_the_history_says_who_did_it(year: Ledger):
    token = given(year)
    link = opened(year, token).link_id
    revoke(year, link, by="李", now=NOW)
    assert enter(year, token, NOW) is None
    [told] = [one for one in events(year) if one.action == "link-revoked"]
    assert (told.actor, told.data) == ("李", {"link": link, "agency": WOMEN})
    with pytest.raises(NoSuchLink):
        revoke(year, link, by="李", now=NOW)
    with pytest.raises(NoSuchLink):
        revoke(year, 99, by="李", now=NOW)


def test_an_agency_that_left_the_files_is_not_let_in(year: Ledger):
    token = given(year)
    left = {name: one for name, one in year.registry.agencies.items() if name != WOMEN}
    assert enter(Ledger(year.engine, replace(year.registry, agencies=left)), token, NOW) is None


def test_the_ledger_holds_no_token(year: Ledger):
    token = given(year)
    door = opened(year, token)
    narrow = handed(year, door, numbers(year))
    kept = everything(year)
    for secret in (token, narrow, feed_of(year, KEY, door.link_id)):
        assert secret not in kept
    with reading(year.engine) as connection:
        assert first_broken_link(connection) is None


# The link that letters carry


def test_letters_carry_the_same_link_until_it_lives_for_too_short(ledger: Ledger):
    first = found(ledger, NOW)
    late = first.expires_at - LEFT
    assert found(ledger, late) == first
    second = found(ledger, late + timedelta(seconds=1))
    assert second.id != first.id
    assert second.expires_at - late > LIFE - DAY
    with reading(ledger.engine) as connection:
        token = tokens_of(connection, KEY, [first.id], WOMEN)[first.id]
    assert opened(ledger, token, late + DAY).link_id == first.id  # to its own end


def test_the_link_that_lives_longest_is_the_one_that_letters_carry(ledger: Ledger):
    given(ledger)
    latest = opened(ledger, given(ledger, now=NOW + DAY)).link_id
    assert found(ledger, NOW + DAY).id == latest


def test_tokens_are_given_for_the_agencys_own_links_alone(ledger: Ledger):
    mine, other = found(ledger, NOW).id, found(ledger, NOW, SCHOOLS).id
    with reading(ledger.engine) as connection:
        assert list(tokens_of(connection, KEY, [mine, other], WOMEN)) == [mine]
        assert tokens_of(connection, KEY, [], WOMEN) == {}


def test_telling_a_link_gives_the_standing_one_and_is_written_down(ledger: Ledger):
    token = given(ledger)
    assert tell(ledger, KEY, WOMEN, by="王", now=NOW) == token
    assert [one.action for one in events(ledger)] == ["linked", "link-told"]


def test_reissuing_ends_every_link_of_the_agency_and_of_no_other(year: Ledger):
    old, other = given(year), given(year, SCHOOLS)
    narrow = handed(year, opened(year, old), numbers(year))
    new = reissue(year, KEY, WOMEN, by="王", now=NOW)
    assert [enter(year, token, NOW) for token in (old, narrow)] == [None, None]
    assert opened(year, new).agency_id == WOMEN
    assert opened(year, other).agency_id == SCHOOLS
    assert found(year, NOW).id == opened(year, new).link_id


# Handing on


def test_a_link_that_was_handed_on_opens_its_duties_alone_and_shows_in_their_history(
    year: Ledger,
):
    door = opened(year, given(year))
    one, *others = numbers(year)
    narrow = opened(year, handed(year, door, [one]))
    assert (narrow.duties, narrow.holder, narrow.parent) == ({one}, "基层科 李", door.link_id)
    assert narrow.expires_at == china("2026-03-01", "23:59:59")
    told = [event for event in events(year, duty_id=one) if event.action == "handed-on"]
    assert [(event.actor, event.text, event.data) for event in told] == [
        (WOMEN, "基层科 李", {"link": narrow.link_id})
    ]
    for duty in others:
        assert "handed-on" not in {event.action for event in events(year, duty_id=duty)}
    with reading(year.engine) as connection:
        assert reached(connection, year, narrow, numbers(year), NOW) == {one}


def test_nothing_wider_is_handed_on(year: Ledger):
    door = opened(year, given(year))
    one, two = numbers(year)[:2]
    [foreign] = [duty.id for duty in duties(year, agency=YOUTH, clause="small/3")]
    before = rows(year)
    for wanted, until in (
        ([], "2026-03-01"),
        ([one, foreign], "2026-03-01"),
        ([99_999], "2026-03-01"),
        ([one], "2026-07-05"),
        ([one], "2026-01-04"),
    ):
        with pytest.raises(NotNarrower):
            handed(year, door, wanted, until)
    for nobody in ("", "  ", "长" * 61):
        with pytest.raises(NobodyNamed):
            hand_on(year, KEY, door, [one], nobody, until=date(2026, 3, 1), now=NOW)
    assert rows(year) == before
    narrow = opened(year, handed(year, door, [one]))
    for wanted, until in (([one, two], "2026-03-01"), ([one], "2026-03-02")):
        with pytest.raises(NotNarrower):
            handed(year, narrow, wanted, until)
    assert opened(year, handed(year, narrow, [one])).parent == narrow.link_id


def test_a_link_ends_with_the_one_that_handed_it_on(year: Ledger):
    token = given(year)
    door = opened(year, token)
    one = numbers(year)[0]
    child = handed(year, door, [one])
    grandchild = handed(year, opened(year, child), [one])
    sibling = handed(year, door, [one])
    revoke(year, opened(year, child).link_id, by="王", now=NOW)
    assert [enter(year, t, NOW) is None for t in (child, grandchild, sibling, token)] == [
        True,
        True,
        False,
        False,
    ]
    narrow = opened(year, sibling)
    revoke(year, door.link_id, by="王", now=NOW)
    assert enter(year, sibling, NOW) is None
    with pytest.raises(NoSuchLink):
        handed(year, narrow, [one])


def test_a_duty_that_is_long_closed_is_out_of_reach_of_those_it_was_handed_to(year: Ledger):
    [duty] = [one.id for one in duties(year, agency=WOMEN, clause="small/1")]
    token = given(year)
    narrow = handed(year, opened(year, token), [duty], "2026-06-30")
    acts.submit(year, duty, Checked({"classes": 1}, ()), [], by=WOMEN, now=NOW)
    acts.accept(year, duty, by="王", now=NOW)
    assert opened(year, narrow, NOW + LONG_CLOSED - DAY).duties == {duty}
    later = NOW + LONG_CLOSED + DAY
    assert opened(year, narrow, later).duties == frozenset()
    with reading(year.engine) as connection:
        assert reached(connection, year, opened(year, token, later), [duty], later) == {duty}


# The link that was lost


def letters(ledger: Ledger) -> list[tuple[str, str, int]]:
    question = select(Letter.recipient, Letter.state, Letter.part).where(Letter.kind == Kind.LINK)
    with reading(ledger.engine) as connection:
        return [tuple(row) for row in connection.execute(question.order_by(Letter.id))]


def test_a_lost_link_goes_to_the_agency_at_once_and_at_most_three_times_a_day(ledger: Ledger):
    night = china("2026-01-03", "23:30")  # a Saturday
    for n in range(MOST_SENT + 2):
        send_link(ledger, WOMEN, now=night + n * timedelta(minutes=1))
        send_link(ledger, WOMEN, now=night + n * timedelta(minutes=1))
        assert len(letters(ledger)) == min(n + 1, MOST_SENT)
        with ledger.engine.begin() as connection:
            connection.execute(update(Letter).values(state="sent", attempts=1))
    assert letters(ledger) == [(WOMEN, "sent", n) for n in (1, 2, 3)]
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.max(Letter.not_before))) == night + 2 * (
            timedelta(minutes=1)
        )
    send_link(ledger, WOMEN, now=china("2026-01-04"))
    assert len(letters(ledger)) == MOST_SENT + 1


def test_an_unknown_agency_asks_in_vain_and_hears_nothing(ledger: Ledger):
    send_link(ledger, "南/妇联", now=NOW)
    assert letters(ledger) == []
    assert events(ledger) == []


def test_without_a_portal_there_is_no_link_to_send(ledger: Ledger):
    send_link(ledger, WOMEN, now=NOW)
    nowhere(ledger).deliver(at(NOW))
    assert letters(ledger) == [(WOMEN, "suppressed", 1)]


# Screens


def test_the_list_of_links_opens_nothing(year: Ledger):
    door = opened(year, given(year))
    given(year, SCHOOLS)
    one = numbers(year)[0]
    handed(year, door, [one])
    revoke(year, door.link_id, by="王", now=NOW + DAY)
    mine = links_of(year, WOMEN)
    assert [(link.holder, link.parent, link.duties) for link in mine] == [
        ("", None, ()),
        ("基层科 李", door.link_id, (one,)),
    ]
    assert [link.revoked_at for link in mine] == [NOW + DAY, NOW + DAY]
    assert {link.agency for link in links_of(year) if link.works(NOW)} == {SCHOOLS}
    assert not {"nonce", "token_sha256", "feed_sha256"} & asdict(mine[0]).keys()
