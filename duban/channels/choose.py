"""All channels by name, as `channel_name` says them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duban.channels import Channel
from duban.channels.dingtalk import DingTalk
from duban.channels.drop import DropFolder
from duban.channels.feishu import Feishu
from duban.channels.mail import Mail
from duban.channels.through_apprise import ThroughApprise
from duban.channels.wecom import WeCom, WeComText


def all_channels(
    drop_folder: Path, mail_sender: str | None, allowed: Sequence[str] = ()
) -> Mapping[str, Channel]:
    """Every channel, with no connection opened yet; keep them, since they keep connections.

    Args:
        drop_folder: where letters lie that go out by no other way.
        mail_sender: the mailto(s):// account that mails are sent from.
        allowed: what Apprise may reach, as `scheme://host` with wildcards.
    """
    return {
        "drop": DropFolder(drop_folder),
        "mail": Mail(mail_sender),
        "wecombot": WeCom(),
        "wecombot-text": WeComText(),
        "dingtalk": DingTalk(),
        "feishu": Feishu(),
        "apprise": ThroughApprise(allowed),
    }
