"""Feishu (飞书) group robots."""

import base64
import hmac
import time
from datetime import timedelta

from apprise.plugins.feishu import NotifyFeishu

from duban.channels import Fate, Form, Outcome, Pace, Parcel
from duban.channels.robot import Clock, Codes, Hook, Post, Robot


class Feishu(Robot):
    """`feishu://TOKEN`, or `feishu://TOKEN?secret=SECRET` for a robot that wants signatures."""

    form = Form.TEXT
    limit = 18_000  # it takes 20 KB of JSON, where some characters are written longer
    pace = Pace(90, timedelta(seconds=60))  # a tenth below what it allows
    host = "https://open.feishu.cn"
    plugin = NotifyFeishu
    code_field, text_field = "code", "msg"
    codes: Codes = {
        0: Outcome(Fate.ACCEPTED),
        11232: Outcome(Fate.TEMPORARY, "too fast"),
        19001: Outcome(Fate.PERMANENT, "no such robot"),
        19021: Outcome(Fate.PERMANENT, "wrong signature, or our clock is"),
        19022: Outcome(Fate.PERMANENT, "it does not take letters from this network address"),
        19024: Outcome(Fate.PERMANENT, "it wants a keyword that the letter lacks"),
    }

    def __init__(self, deadline: float = 20.0, clock: Clock = time.time) -> None:
        super().__init__(deadline)
        self._clock = clock

    def post(self, hook: Hook, parcel: Parcel) -> Post:
        """The letter as plain text, signed if the robot wants it."""
        body = {"msg_type": "text", "content": {"text": parcel.payload.decode()}}
        signed = _signature(hook.secret, int(self._clock())) if hook.secret else {}
        return Post(f"/open-apis/bot/v2/hook/{hook.key}", {**signed, **body})


def _signature(secret: str, seconds: int) -> dict[str, str]:
    mac = hmac.digest(f"{seconds}\n{secret}".encode(), b"", "sha256")
    return {"timestamp": str(seconds), "sign": base64.b64encode(mac).decode()}
