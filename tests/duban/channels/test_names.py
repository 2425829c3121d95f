"""Which channel an address belongs to, and how its secret is filled in and stood for."""

from pathlib import Path

import pytest

from duban.channels import Form, channel_name, digest, resolve
from duban.channels.choose import all_channels
from tests.duban.channels.conftest import MakeParcel


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (None, "drop"),
        ("", "drop"),
        ("youth@example.org", "mail"),
        ("wecombot://${KEY}", "wecombot"),
        ("WeComBot://${KEY}?host=https://wx.example.org", "wecombot"),
        ("wecombot://${KEY}?format=text", "wecombot-text"),
        ("wecombot://${KEY}?host=https://wx.example.org&format=text", "wecombot-text"),
        ("wecombot://${KEY}?format=texture", "wecombot"),
        ("dingtalk://${SECRET}@${TOKEN}", "dingtalk"),
        ("feishu://${TOKEN}?secret=${SECRET}", "feishu"),
        ("ntfys://ntfy.example.org/${TOPIC}", "apprise"),
        ("mailto://${ACCOUNT}", "apprise"),
    ],
)
def test_an_address_as_written_names_its_channel(address: str | None, name: str, tmp_path: Path):
    assert channel_name(address) == name
    assert name in all_channels(tmp_path, None)


def test_every_channel_says_what_it_carries_how_much_and_how_fast(tmp_path: Path):
    channels = all_channels(tmp_path, None)
    said = {
        name: (
            channel.form,
            channel.limit,
            channel.pace and (channel.pace.letters, channel.pace.window.total_seconds()),
        )
        for name, channel in channels.items()
    }
    assert said == {
        "drop": (Form.MAIL, None, None),
        "mail": (Form.MAIL, None, None),
        "wecombot": (Form.MARKDOWN, 4096, (18, 60)),
        "wecombot-text": (Form.TEXT, 2048, (18, 60)),
        "dingtalk": (Form.MARKDOWN, 20_000, (18, 60)),
        "feishu": (Form.TEXT, 18_000, (90, 60)),
        "apprise": (Form.TEXT, None, None),
    }


def test_secrets_come_from_the_environment_and_an_unset_one_is_empty():
    written = "dingtalk://${SECRET}@${TOKEN}?x=${UNSET}"
    assert resolve(written, {"SECRET": "s", "TOKEN": "${SECRET}"}) == "dingtalk://s@${SECRET}?x="


def test_a_digest_is_short_and_its_own():
    assert digest("youth@example.org") != digest("youth@example.com")
    assert len(digest("x")) == 16


def test_a_robot_whose_secret_is_unset_is_not_posted_to(make_parcel: MakeParcel, tmp_path: Path):
    channel = all_channels(tmp_path, None)["wecombot"]
    outcome = channel.send(make_parcel("信"), resolve("wecombot://${UNSET}", {}))
    assert outcome.detail == "this robot's address cannot be read: key or ?host="
