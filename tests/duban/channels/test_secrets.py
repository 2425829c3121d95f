"""A canary in every secret place: it reaches the server, and no word, log line or file else."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from duban.channels import Channel, Fate, Form, channel_name, resolve
from duban.channels.choose import all_channels
from tests.duban.channels.conftest import MakeParcel
from tests.servers import Drop, Reply, RobotServer, SmtpSink

CANARY = "Canary0Canary1"
ANSWERS = [
    Reply(),
    Reply(f'{{"errcode": 93000, "errmsg": "{CANARY}", "code": 19001, "msg": "{CANARY}"}}'),
    Reply(f"<html>{CANARY}", status=500, headers={"X-Was": CANARY}),
    Reply(status=302, headers={"Location": f"/{CANARY}"}),
    Drop(),
]


@pytest.fixture
def robots() -> Iterator[RobotServer]:
    with RobotServer() as server:
        yield server


def no_canary(caplog: pytest.LogCaptureFixture, *said: object) -> None:
    lines = [record.getMessage() + str(record.exc_text or "") for record in caplog.records]
    for text in (*lines, *map(repr, said), *map(str, said)):
        assert CANARY not in text


@pytest.mark.parametrize(
    "written",
    [
        "wecombot://${KEY}?host={url}",
        "wecombot://${KEY}?format=text&host={url}",
        "dingtalk://Token?host={url}&secret=${KEY}",
        "dingtalk://${KEY}@Token?host={url}",
        "dingtalk://${KEY}?host={url}",
        "feishu://${KEY}?host={url}",
        "feishu://Token?secret=${KEY}&host={url}",
        "json://user:${KEY}@127.0.0.1:{port}/",
        "json://127.0.0.1:{port}/${KEY}?+Authorization=${KEY}&-key=${KEY}",
    ],
)
def test_a_robots_secret_is_never_said(
    written: str,
    robots: RobotServer,
    make_parcel: MakeParcel,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
):
    caplog.set_level(logging.DEBUG)
    written = written.replace("{url}", robots.url).replace("{port}", str(robots.port))
    channels = all_channels(tmp_path, None, ("json://127.0.0.1",))
    channel = channels[channel_name(written)]
    for answer in ANSWERS:
        robots.next(answer)
        outcome = channel.send(make_parcel("信", Form.TEXT), resolve(written, {"KEY": CANARY}))
        no_canary(caplog, outcome, channel, channels)
    assert len(robots.requests) == len(ANSWERS)


@pytest.mark.parametrize(
    "address",
    [
        f"wecombot://{CANARY}!?x=1",
        f"wecombot://K?host={CANARY}",
        f"dingtalk://{CANARY}!",
        f"feishu://{CANARY}!",
        f"nosuch://{CANARY}",
        f"schan://{CANARY}",
        f"json://{CANARY}/{CANARY}",
        f"ntfys://{CANARY}@{CANARY}/{CANARY}",
        f"mailto://{CANARY}:{CANARY}@example.org?mode={CANARY}",
        CANARY,
    ],
)
def test_an_address_that_leads_nowhere_is_not_repeated(
    address: str, make_parcel: MakeParcel, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    caplog.set_level(logging.DEBUG)
    channels = all_channels(tmp_path, None, ())
    channel = channels[channel_name(address)]
    outcome = channel.send(make_parcel("信"), address)
    assert outcome.fate is not Fate.ACCEPTED
    no_canary(caplog, outcome, channel)


def says_it_back(sink: SmtpSink) -> None:
    for stage in ("connect", "mail", "rcpt", "data", "dot"):
        sink.next(stage, f"550 {CANARY}")


@pytest.mark.parametrize("sabotage", [None, says_it_back, SmtpSink.close])
@pytest.mark.parametrize("known", [True, False], ids=["right", "wrong"])
def test_the_mail_password_is_never_said(
    sabotage: Callable[[SmtpSink], None] | None,
    known: bool,
    make_parcel: MakeParcel,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
):
    caplog.set_level(logging.DEBUG)
    with SmtpSink(account=("duban", CANARY)) as sink:
        channel: Channel = all_channels(tmp_path, sink.sender)["mail"]
        sink.account = ("duban", CANARY if known else "other")
        if sabotage:
            sabotage(sink)
        for _ in range(6):
            outcome = channel.send(make_parcel(), "youth@example.org")
            no_canary(caplog, outcome, channel, vars(channel).get("_account"))
