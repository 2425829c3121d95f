"""DingTalk (钉钉) group robots."""

import base64
import hmac
import time
from datetime import timedelta
from urllib.parse import quote

from apprise.plugins.dingtalk import NotifyDingTalk

from duban.channels import Fate, Outcome, Pace, Parcel
from duban.channels.robot import Clock, Codes, Hook, Post, Robot


class DingTalk(Robot):
    """`dingtalk://TOKEN`, or `dingtalk://SECRET@TOKEN` for a robot that wants signatures."""

    limit = 20_000
    pace = Pace(18, timedelta(seconds=60))  # two below what it allows
    host = "https://oapi.dingtalk.com"
    plugin = NotifyDingTalk
    codes: Codes = {
        0: Outcome(Fate.ACCEPTED),
        -1: Outcome(Fate.TEMPORARY, "busy"),
        130101: Outcome(Fate.TEMPORARY, "too fast, closed for a while", timedelta(minutes=10)),
        300001: Outcome(Fate.PERMANENT, "no such robot"),
        310000: Outcome(Fate.PERMANENT, "against its settings: signature, keyword or address"),
    }

    def __init__(self, deadline: float = 20.0, clock: Clock = time.time) -> None:
        super().__init__(deadline)
        self._clock = clock

    def post(self, hook: Hook, parcel: Parcel) -> Post:
        """The letter, with its first line for the list of conversations."""
        text = parcel.payload.decode()
        path = f"/robot/send?access_token={hook.key}"
        if hook.secret:
            path += _signature(hook.secret, round(self._clock() * 1000))
        content = {"title": _title(text) or parcel.name, "text": text}
        return Post(path, {"msgtype": "markdown", "markdown": content})


def _signature(secret: str, milliseconds: int) -> str:
    mac = hmac.digest(secret.encode(), f"{milliseconds}\n{secret}".encode(), "sha256")
    sign = quote(base64.b64encode(mac), safe="")
    return f"&timestamp={milliseconds}&sign={sign}"


def _title(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return first.strip("#>* ")[:60]
