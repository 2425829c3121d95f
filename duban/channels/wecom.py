"""WeCom (企业微信) group robots, in the public service or an installation of one's own."""

from datetime import timedelta

from apprise.plugins.wecombot import NotifyWeComBot

from duban.channels import Fate, Form, Outcome, Pace, Parcel
from duban.channels.robot import Codes, Hook, Post, Robot

_BAD_LETTER = Outcome(Fate.PERMANENT, "it does not take what we write")


class WeCom(Robot):
    """`wecombot://KEY` in markdown; who is called stands as `<@userid>` in the letter."""

    limit = 4096
    pace = Pace(18, timedelta(seconds=60))  # two below what it allows
    host = "https://qyapi.weixin.qq.com"
    plugin = NotifyWeComBot
    key_field = "key"
    message = "markdown"
    codes: Codes = {
        0: Outcome(Fate.ACCEPTED),
        -1: Outcome(Fate.TEMPORARY, "busy"),
        45009: Outcome(Fate.TEMPORARY, "too fast"),
        93000: Outcome(Fate.PERMANENT, "no such robot, or it was removed from the group"),
        40008: _BAD_LETTER,
        40058: _BAD_LETTER,
        44004: _BAD_LETTER,
        45002: _BAD_LETTER,
    }

    def post(self, hook: Hook, parcel: Parcel) -> Post:
        """The letter as it is."""
        content = {"content": parcel.payload.decode()}
        path = f"/cgi-bin/webhook/send?key={hook.key}"
        return Post(path, {"msgtype": self.message, self.message: content})


class WeComText(WeCom):
    """`wecombot://KEY?format=text`, for groups read in WeChat, which shows no markdown."""

    form = Form.TEXT
    limit = 2048
    message = "text"
