"""Apprise's own plugins against a real server: only to hosts that are allowed, once, bounded."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

import pytest

from duban.channels import Enclosure, Fate, Form, Outcome
from duban.channels.through_apprise import ThroughApprise
from duban.registry.papers import WORD
from tests.duban.channels.conftest import MakeParcel
from tests.servers import Answer, Drip, Drop, Hang, Reply, RobotServer

A, T, P, U = Fate.ACCEPTED, Fate.TEMPORARY, Fate.PERMANENT, Fate.AMBIGUOUS
LETTER = "妇联每季度报告\n第二行"


@pytest.fixture
def robots() -> Iterator[RobotServer]:
    with RobotServer() as server:
        yield server


@pytest.fixture
def apprise() -> ThroughApprise:
    return ThroughApprise(("json://127.0.0.1",), deadline=5)


def test_a_letter_goes_as_plain_text_under_its_name(
    apprise: ThroughApprise, robots: RobotServer, make_parcel: MakeParcel
):
    address = f"json://127.0.0.1:{robots.port}/hook"
    assert apprise.send(make_parcel(LETTER, Form.TEXT), address) == Outcome(A)
    [request] = robots.requests
    assert request.path == "/hook"
    assert (request.body["title"], request.body["message"]) == ("共青团东市委-交办", LETTER)


def test_a_paper_goes_along_where_the_service_takes_files(
    apprise: ThroughApprise, robots: RobotServer, make_parcel: MakeParcel
):
    parcel = replace(make_parcel(LETTER, Form.TEXT), enclosure=Enclosure("督办函 1号.docx", b"PK1"))
    assert apprise.send(parcel, f"json://127.0.0.1:{robots.port}/hook") == Outcome(A)
    [request] = robots.requests
    [attached] = request.body["attachments"]
    assert (attached["filename"], b64decode(attached["base64"])) == ("督办函 1号.docx", b"PK1")
    assert attached["mimetype"] == WORD


def test_a_service_that_takes_no_files_gets_the_letter(
    robots: RobotServer, make_parcel: MakeParcel
):
    parcel = replace(make_parcel(LETTER, Form.TEXT), enclosure=Enclosure("督办函 1号.docx", b"PK1"))
    apprise = ThroughApprise(("gotify://127.0.0.1",), deadline=5)
    assert apprise.send(parcel, f"gotify://127.0.0.1:{robots.port}/token") == Outcome(A)
    [request] = robots.requests
    assert LETTER in request.body["message"]


@pytest.mark.parametrize(
    ("allowed", "address", "may"),
    [
        ((), "json://127.0.0.1", False),
        (("json://127.0.0.1",), "json://127.0.0.1", True),
        (("JSON://127.0.0.1",), "Json://127.0.0.1", True),
        (("jsons://127.0.0.1",), "json://127.0.0.1", False),
        (("json://127.0.0.*",), "json://127.0.0.1", True),
        (("json://*.example.org",), "json://127.0.0.1", False),
        (("json://good.example.org",), "json://good.example.org@127.0.0.1", False),
        (("json://good.example.org",), "json://127.0.0.1/?x=json://good.example.org", False),
        (("xml://127.0.0.1",), "json://127.0.0.1", False),
    ],
)
def test_only_what_is_allowed_is_reached(
    allowed: tuple[str, ...],
    address: str,
    may: bool,
    robots: RobotServer,
    make_parcel: MakeParcel,
):
    address = address.replace("127.0.0.1", f"127.0.0.1:{robots.port}", 1)
    outcome = ThroughApprise(allowed, 5).send(make_parcel(LETTER), address)
    assert outcome.fate is (A if may else T)
    assert len(robots.requests) == may
    assert may or "DUBAN_APPRISE_ALLOWED" in outcome.detail


def test_a_port_may_be_named_too(robots: RobotServer, make_parcel: MakeParcel):
    address = f"json://127.0.0.1:{robots.port}"
    assert ThroughApprise((address,), 5).send(make_parcel(LETTER), address).fate is A
    assert ThroughApprise(("json://127.0.0.1:1",), 1).send(make_parcel(LETTER), address).fate is T


def test_what_apprise_cannot_read_is_the_end(apprise: ThroughApprise, make_parcel: MakeParcel):
    for address in ("nosuch://s3cret", "s3cret", "", "wecombot://s3 cret"):
        outcome = apprise.send(make_parcel(LETTER), address)
        assert outcome == Outcome(P, "the address is not one that Apprise understands")


def test_an_address_of_several_targets_is_refused(make_parcel: MakeParcel):
    outcome = ThroughApprise(("mailto://*",), 1).send(
        make_parcel(LETTER), "mailto://127.0.0.1:1/?from=a@x.org&to=b@x.org,c@x.org"
    )
    assert outcome == Outcome(P, "the address names several targets; write one")


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (Reply(status=500), T),
        (Reply(status=302, headers={"Location": "/elsewhere"}), T),
        (Drop(), T),
        (Hang(), U),
        (Drip(Reply().text, pause=0.05), U),
    ],
)
def test_a_failure_is_tried_once_and_bounded(
    answer: Reply | Answer, fate: Fate, robots: RobotServer, make_parcel: MakeParcel
):
    robots.next(answer)
    began = monotonic()
    address = f"json://127.0.0.1:{robots.port}/?retry=5&redirect=yes"
    outcome = ThroughApprise(("json://127.0.0.1",), 1).send(make_parcel(LETTER), address)
    assert outcome.fate is fate
    assert monotonic() - began < 15
    assert len(robots.requests) == 1
