"""The history of everything, newest first."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse

from duban.duty import Status
from duban.ladder import Kind
from duban.ledger.browsing import PAGE, Happenings, happened
from duban.ledger.questions import Event, duties
from duban.portal.desk.frame import Given, show
from duban.portal.who import APerson, Person
from duban.words import Words, event_words

router = APIRouter()


@router.get("/desk/history", response_class=HTMLResponse)
def history(
    person: APerson,
    actor: Given = "",
    action: Given = "",
    duty: Given = "",
    day: Given = "",
    before: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> HTMLResponse:
    """What was done, by whom, when and why."""
    registry, w = person.ledger.registry, person.pages.words(person.request)
    zone = registry.first_notice.zone
    number = int(duty) if duty.isascii() and duty.isdigit() and len(duty) < 16 else None
    sought = Happenings(
        actor=actor.strip(),
        action=action,
        duty_id=number,
        between=_day(day, zone),
        before=before,
        within=person.signed.region or "",
    )
    found = happened(person.ledger, sought)
    shown = found[:PAGE]
    ids = {one.duty_id for one in shown if one.duty_id is not None}
    given = {"actor": sought.actor, "action": action, "duty": number or "", "day": day}
    context = {
        "given": given,
        "rows": [(one, event_words(w, _named(person, one, w), zone)) for one in shown],
        "actions": [(name, _called(name, w)) for name in w.actions],
        "duties": {one.id: one for one in duties(person.ledger, ids=sorted(ids))},
        "name_of": registry.name_of,
        "newest": before == 0,
        "first_page": _address(given),
        "earlier": _address(given | {"before": shown[-1].seq}) if len(found) > PAGE else "",
    }
    return show(person, "desk/history.html", context)


def _named(person: Person, one: Event, w: Words) -> Event:
    """The row with names in the place of ids and codes."""
    name_of = person.ledger.registry.name_of
    data = dict(one.data)
    if "agency" in data:
        data["agency"] = name_of(data["agency"])
    if one.action == "revived":
        data["agencies"] = w.join.join(name_of(agency) for agency in data["agencies"])
    if one.action == "letter":
        data["state"] = w.letter_states[data["state"]]
    for key, codes in _codes(person).items():
        if key in data:
            data[key] = codes.get(data[key], data[key])
    return replace(one, data=data)


def _codes(person: Person) -> dict[str, dict[object, str]]:
    """Words for codes that only this page tells of."""
    return {
        "on": {True: person.text("开启"), False: person.text("关闭")},
        "via": {
            "mail": person.text("邮件"),
            "drop": person.text("投递文件夹"),
            "hand": person.text("当面送达"),
            "wecombot": person.text("企业微信"),
            "wecombot-text": person.text("企业微信"),
            "feishu": person.text("飞书"),
            "dingtalk": person.text("钉钉"),
        },
        "what": {
            "added": person.text("新增"),
            "role": person.text("变更角色"),
            "disabled": person.text("停用"),
            "enabled": person.text("恢复使用"),
            "password-reset": person.text("重置密码"),
            "password-changed": person.text("修改密码"),
            "totp-set": person.text("启用动态码"),
            "totp-dropped": person.text("停用动态码"),
            "totp-reset": person.text("重置动态码"),
            "tied": person.text("绑定统一身份认证"),
            "untied": person.text("解除统一身份认证"),
        },
    }


def _called(action: str, w: Words) -> str:
    """What an action is called: its sentence, with … for what is filled in."""
    if action == "spoke":
        return w.join.join(w.kinds[one] for one in (Kind.INQUIRE, Kind.REMIND, Kind.CHASE))
    if action == "waived":
        return w.join.join(w.status[one] for one in (Status.WAIVED, Status.NOT_APPLICABLE))
    bare = re.sub(r"\s*[（(][^（）()]*\{.*?[）)]", "", w.actions[action])
    return re.sub(r"\{.*?\}", "…", bare).rstrip("…：:，。, .")


def _address(query: Mapping[str, object]) -> str:
    filled = {key: f"{value}" for key, value in query.items() if value}
    return f"/desk/history?{urlencode(filled)}"


def _day(given: str, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """A civil day's first instant, and the next one's."""
    try:
        begins = datetime.combine(date.fromisoformat(given), time(), zone)
        return begins, begins + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
