"""The robots of WeCom, DingTalk and Feishu against a server that answers as it is told."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from duban.channels import Fate, Outcome
from duban.channels.dingtalk import DingTalk
from duban.channels.feishu import Feishu
from duban.channels.robot import Robot
from duban.channels.wecom import WeCom, WeComText
from tests.duban.channels.conftest import MakeParcel
from tests.servers import Answer, Drip, Drop, Hang, Reply, RobotServer

A, T, P, U = Fate.ACCEPTED, Fate.TEMPORARY, Fate.PERMANENT, Fate.AMBIGUOUS
DEADLINE, SOON = 5.0, 0.3  # seconds; the latter where the server keeps us waiting
LETTER = "## 【催办】家长课堂\n> “引文”\n**3月20日**前 <@zhangsan>"
KINDS: Mapping[str, type[Robot]] = {"wecombot": WeCom, "dingtalk": DingTalk, "feishu": Feishu}


@pytest.fixture
def robots() -> Iterator[RobotServer]:
    with RobotServer() as server:
        yield server


@pytest.fixture(params=KINDS)
def scheme(request: pytest.FixtureRequest) -> str:
    """Each robot's scheme; the test runs once for each."""
    return str(request.param)


@pytest.fixture
def robot(scheme: str) -> Iterator[Robot]:
    channel = KINDS[scheme](DEADLINE)
    yield channel
    channel.close()


def code(number: int, words: str = "said") -> Reply:
    """An answer that all three understand."""
    return Reply(json.dumps({"errcode": number, "errmsg": words, "code": number, "msg": words}))


def test_a_letter_is_posted_once_over_a_kept_connection(
    scheme: str, robot: Robot, robots: RobotServer, make_parcel: MakeParcel
):
    for _ in range(3):
        outcome = robot.send(make_parcel(LETTER), f"{scheme}://Key-1?host={robots.url}")
        assert outcome == Outcome(A, "0: ok" if scheme != "feishu" else "0: success")
    assert robots.copies == {("Key-1", LETTER): 3}
    assert robots.connected == 1


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (code(987654), T),
        (Reply("<html>log in here</html>"), U),
        (Reply(""), U),
        (Reply("[0]"), U),
        (Reply("0"), U),
        (Reply('{"errcode": "0", "code": "0"}'), U),
        (Reply('{"errcode": true, "code": false}'), U),
        (Reply('{"errcode": null}'), U),
        (Reply('{"errcode": 0, "code": 0'), U),
        (Reply("[" * 50_000), U),
        (Reply("x" * 1_000_000), U),
        (Reply('{"errcode": 0, "code": 0}', status=500), T),
        (Reply("<html>", status=400), T),
        (Reply("<html>", status=403), T),
        (Reply("<html>", status=404), P),
        (Reply("<html>", status=410), P),
        (Reply("", status=429), T),
        (Reply("<html>", status=500), T),
        (Reply("<html>", status=502), U),
        (Reply("<html>", status=503), T),
        (Reply("<html>", status=504), U),
        (Reply(status=302, headers={"Location": "/elsewhere"}), T),
        (Drop(), U),
        (Drop(reset=True), U),
        ("this is not HTTP\r\n\r\n", U),
    ],
)
def test_every_answer_has_its_meaning(
    answer: Reply | Answer,
    fate: Fate,
    scheme: str,
    robot: Robot,
    robots: RobotServer,
    make_parcel: MakeParcel,
):
    robots.next(answer)
    address = f"{scheme}://Key-1?host={robots.url}"
    outcome = robot.send(make_parcel(LETTER), address)
    assert outcome.fate is fate
    assert outcome.detail
    assert len(robots.requests) == 1, "nothing is tried twice, no redirect followed"
    assert robot.send(make_parcel(LETTER), address).fate is A, "it must not spoil the next"


@pytest.mark.parametrize(
    "answer",
    [
        Hang(),
        Drip(Reply().text, pause=0.1),
        Hang('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"errcode": 0, "code": 0}'),
    ],
)
def test_an_answer_that_does_not_come_in_time_leaves_it_in_doubt(
    answer: Answer, scheme: str, robots: RobotServer, make_parcel: MakeParcel
):
    robots.next(answer)
    began = monotonic()
    address = f"{scheme}://Key-1?host={robots.url}"
    outcome = KINDS[scheme](SOON).send(make_parcel(LETTER), address)
    assert outcome == Outcome(U, "timed out")
    assert monotonic() - began < 15


@pytest.mark.parametrize(
    ("scheme", "number", "fate", "pause"),
    [
        ("wecombot", -1, T, None),
        ("wecombot", 45009, T, None),
        ("wecombot", 93000, P, None),
        ("wecombot", 40008, P, None),
        ("wecombot", 40058, P, None),
        ("wecombot", 45002, P, None),
        ("dingtalk", -1, T, None),
        ("dingtalk", 130101, T, timedelta(minutes=10)),
        ("dingtalk", 300001, P, None),
        ("dingtalk", 310000, P, None),
        ("feishu", 11232, T, None),
        ("feishu", 9499, T, None),
        ("feishu", 19001, P, None),
        ("feishu", 19021, P, None),
        ("feishu", 19024, P, None),
    ],
)
def test_a_code_under_http_200_is_what_counts(
    scheme: str,
    number: int,
    fate: Fate,
    pause: timedelta | None,
    robots: RobotServer,
    make_parcel: MakeParcel,
):
    robots.next(code(number, "words\nof theirs"))
    robot = KINDS[scheme](DEADLINE)
    outcome = robot.send(make_parcel(LETTER), f"{scheme}://Key-1?host={robots.url}")
    assert (outcome.fate, outcome.pause) == (fate, pause)
    assert outcome.detail.startswith(f"{number} ")
    assert outcome.detail.endswith(": words of theirs")


def test_a_code_is_read_whatever_the_http_status(robots: RobotServer, make_parcel: MakeParcel):
    robots.next(Reply('{"code": 19001, "msg": "token"}', status=400))
    outcome = Feishu(DEADLINE).send(make_parcel(LETTER), f"feishu://Key-1?host={robots.url}")
    assert outcome.fate is P


def test_an_endless_answer_is_not_read_to_its_end(robots: RobotServer, make_parcel: MakeParcel):
    robots.next(Reply("x" * 1_000_000))
    robot, address = WeCom(DEADLINE), f"wecombot://Key-1?host={robots.url}"
    assert [robot.send(make_parcel(LETTER), address).fate for _ in range(2)] == [U, A]
    assert robots.connected == 2, "the rest is left unread with its connection"


@pytest.mark.parametrize("moment", ["refused", "idle"])
def test_before_the_request_is_written_nothing_is_in_doubt(
    moment: str, scheme: str, robot: Robot, robots: RobotServer, make_parcel: MakeParcel
):
    address = f"{scheme}://Key-1?host={robots.url}"
    assert robot.send(make_parcel(LETTER), address).fate is A
    if moment == "idle":
        robots.hang_up()
        assert robot.send(make_parcel(LETTER), address).fate is A
        assert (len(robots.requests), robots.connected) == (2, 2)
    else:
        robots.close()
        assert robot.send(make_parcel(LETTER), address).fate is T


def test_a_server_that_takes_no_connection_is_left_at_the_deadline(make_parcel: MakeParcel):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        outcome = WeCom(SOON).send(make_parcel(LETTER), f"wecombot://Key-1?host={url}")
        for filler in fillers:
            filler.close()
    assert (outcome.fate, outcome.detail) == (T, "timed out")


def test_a_server_that_does_not_answer_the_handshake_is_left_at_the_deadline(
    trust: None, make_parcel: MakeParcel
):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        outcome = WeCom(SOON).send(make_parcel(LETTER), f"wecombot://Key-1?host={url}")
    assert outcome.fate is T
    assert "timed out" in outcome.detail


def test_https_is_kept_too_and_a_stranger_is_told_nothing(
    certificate: Path, trust: None, make_parcel: MakeParcel
):
    with RobotServer(certificate=certificate) as robots:
        robot = WeCom(2)
        fates = {
            robot.send(make_parcel(LETTER), f"wecombot://Key-1?host={robots.url}").fate
            for _ in range(2)
        }
        robot.close()
        assert (fates, robots.connected) == ({A}, 1)


def test_a_certificate_that_nobody_vouches_for_ends_it_before_the_key_is_said(
    certificate: Path, make_parcel: MakeParcel
):
    with RobotServer(certificate=certificate) as robots:
        address = f"wecombot://Key-1?host={robots.url}&verify=no"
        outcome = WeCom(2).send(make_parcel(LETTER), address)
        assert robots.requests == []
    assert outcome.fate is T
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "?host=http://127.0.0.1",
        "Key 1",
        "Key%0a1",
        "Key-1?host=http://robots.example.org",
        "Key-1?host=ftp://127.0.0.1",
        "Key-1?host=https://user:pass@robots.example.org",
        "Key-1?host=https://robots.example.org/path",
        "Key-1?host=http://127.0.0.1:99@robots.example.org",
    ],
)
def test_an_address_that_cannot_be_read_is_the_end(
    rest: str, scheme: str, robot: Robot, make_parcel: MakeParcel
):
    outcome = robot.send(make_parcel(LETTER), f"{scheme}://{rest}")
    assert outcome == Outcome(P, "this robot's address cannot be read: key or ?host=")


def body_of(robot: Robot, address: str, parcel: Any, robots: RobotServer) -> dict[str, Any]:
    assert robot.send(parcel, address).fate is A
    return robots.requests[-1].body


def test_each_robot_is_written_to_as_it_reads(robots: RobotServer, make_parcel: MakeParcel):
    host, parcel = f"?host={robots.url}", make_parcel(LETTER)
    assert body_of(WeCom(), f"wecombot://K{host}", parcel, robots) == {
        "msgtype": "markdown",
        "markdown": {"content": LETTER},
    }
    assert body_of(WeComText(), f"wecombot://K{host}&format=text", parcel, robots) == {
        "msgtype": "text",
        "text": {"content": LETTER},
    }
    assert body_of(DingTalk(), f"dingtalk://K{host}", parcel, robots) == {
        "msgtype": "markdown",
        "markdown": {"title": "【催办】家长课堂", "text": LETTER},
    }
    assert body_of(Feishu(), f"feishu://K{host}", parcel, robots) == {
        "msg_type": "text",
        "content": {"text": LETTER},
    }
    assert [request.path for request in robots.requests] == [
        "/cgi-bin/webhook/send",
        "/cgi-bin/webhook/send",
        "/robot/send",
        "/open-apis/bot/v2/hook/K",
    ]


def test_dingtalk_is_signed_and_the_signature_quoted_once(
    robots: RobotServer, make_parcel: MakeParcel
):
    secret = "SECabc123"
    for second in range(20):  # some signature holds a + or a /
        robot = DingTalk(clock=lambda: 1_767_225_600.0 + second)  # noqa: B023
        address = f"dingtalk://{secret}@Token1?host={robots.url}"
        assert robot.send(make_parcel(LETTER), address).fate is A
        query = robots.requests[-1].query
        stamp = str(1_767_225_600_000 + second * 1000)
        mac = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
        expected = {"access_token": "Token1", "timestamp": stamp}
        assert query == expected | {"sign": base64.b64encode(mac).decode()}
    assert any(set("+/") & set(request.query["sign"]) for request in robots.requests)


def test_feishu_is_signed_in_the_body(robots: RobotServer, make_parcel: MakeParcel):
    robot = Feishu(clock=lambda: 1_767_225_600.9)
    address = f"feishu://Token1?secret=abc123&host={robots.url}"
    body = body_of(robot, address, make_parcel(LETTER), robots)
    mac = hmac.new(b"1767225600\nabc123", b"", hashlib.sha256).digest()
    assert body["timestamp"] == "1767225600"
    assert body["sign"] == base64.b64encode(mac).decode()


@pytest.mark.parametrize("kind", [*KINDS, "text"])
def test_the_longest_letter_arrives_whole(kind: str, robots: RobotServer, make_parcel: MakeParcel):
    robot = WeComText() if kind == "text" else KINDS[kind]()
    scheme = "wecombot" if kind == "text" else kind
    line = "“妇联”每季度报告家长课堂😀。\n"
    payload = (line.encode() * 2000)[: robot.limit].decode(errors="ignore")
    address = f"{scheme}://K?host={robots.url}" + ("&secret=abc" if scheme == "feishu" else "")
    assert robot.send(make_parcel(payload), address).fate is A
    assert robots.requests[-1].text == payload
    if scheme == "feishu":
        assert len(robots.requests[-1].content) <= 20_000
