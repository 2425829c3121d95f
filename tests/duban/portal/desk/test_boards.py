"""The boards in Prefect lead to the portal: each number to a list of as many duties."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import insert

from duban.board.day import Day
from duban.board.making import boards
from duban.board.markdown import Board, Places
from duban.ledger.browsing import Selection, State, Today
from duban.ledger.opening import open_missing
from duban.ledger.tables import Duty
from duban.office import Office
from duban.words import ZH
from tests.conftest import SHANGHAI, china
from tests.duban.ledger.test_browsing import random_duties
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import seat
from tests.duban.portal.desk.test_board import listed

PORTAL = "http://127.0.0.1:4280"
LINK = re.compile(rf"\[([^\]]*)\]\({PORTAL}(/desk/duties\?[^)]*)\)")


@pytest.fixture
def busy(office: Office) -> Office:
    """A hundred and fifty duties of every kind."""
    open_missing(office.ledger, china("2026-01-01"))
    with office.ledger.engine.begin() as connection:
        connection.execute(insert(Duty), list(random_duties(office.ledger, 11, 150)))
    return office


def of_day(office: Office, clock: Clock) -> dict[str, Board]:
    day = Day(clock(), SHANGHAI, ZH, Places(PORTAL, "http://prefect"))
    return {one.key: one for one in boards(office.ledger, day, armed=False)}


def told(board: Board) -> dict[str, int]:
    """The number of each link to a list; that of the description is what the board tells."""
    found = {
        address: int(number[0])
        for text, address in LINK.findall(board.markdown)
        if (number := re.search(r"\d+$", text))
    }
    whole = LINK.search(board.description)
    first = re.search(r"\d+", board.told)
    return found | ({whole[2]: int(first[0])} if whole and first else {})


@pytest.mark.parametrize("key", ["overdue", "due-7", "due-30", "under-review"])
def test_the_count_of_a_list_is_that_of_the_portal(
    browser: Browser, busy: Office, clock: Clock, key: str
) -> None:
    ((address, number),) = told(of_day(busy, clock)[key]).items()
    assert number
    assert listed(seat(browser, busy, clock), address) == number


@pytest.mark.parametrize("key", ["board", "scoreboard"])
def test_every_number_is_the_length_of_its_list(busy: Office, clock: Clock, key: str) -> None:
    numbers = told(of_day(busy, clock)[key])
    assert len(numbers) > 30
    today = Today(busy.ledger, clock())
    for address, number in numbers.items():
        sought: dict[str, Any] = dict(parse_qsl(urlsplit(address).query))
        if "state" in sought:
            sought["state"] = State(sought["state"])
        assert today.count(Selection(**sought)) == number, address


def test_the_portal_understands_a_numbers_address(
    browser: Browser, busy: Office, clock: Clock
) -> None:
    one, numbers = seat(browser, busy, clock), told(of_day(busy, clock)["scoreboard"])
    ways = {tuple(name for name, _ in parse_qsl(urlsplit(to).query)): to for to in numbers}
    assert ("department", "region", "state") in ways
    for address in ways.values():
        assert listed(one, address) == numbers[address], address


def test_a_dutys_number_leads_to_its_page(browser: Browser, busy: Office, clock: Clock) -> None:
    one = seat(browser, busy, clock)
    board = of_day(busy, clock)["overdue"]
    number, address = re.findall(rf"\[(\d+)\]\({PORTAL}(/desk/duties/\d+)\)", board.markdown)[0]
    assert address.endswith(f"/{number}")
    assert f"{number}" in one.see(address)
