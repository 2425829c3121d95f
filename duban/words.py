"""The words that screens, letters and the Prefect UI use, in the language of the notice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from duban.duty import Light, Status
from duban.ladder import Kind


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `actions` speak of a history row's data, with its `text` as {reason}."""

    status: Mapping[Status, str]
    overdue: str
    due_soon: str
    lights: Mapping[Light, str]
    kinds: Mapping[Kind, str]
    tags: Mapping[str, str]
    labels: Mapping[str, str]
    basis: Mapping[str, str]
    actions: Mapping[str, str]
    due: str
    school_year: str
    once: str
    asks: Mapping[str, str]
    optional: str
    brackets: str
    join: str


ZH = Words(
    status={
        Status.OPEN: "待报",
        Status.SUBMITTED: "待审",
        Status.RETURNED: "退回",
        Status.ACCEPTED: "销号",
        Status.WAIVED: "免办",
        Status.NOT_APPLICABLE: "不适用",
    },
    overdue="超期",
    due_soon="临期",
    lights={Light.RED: "红", Light.YELLOW: "黄", Light.GREEN: "绿", Light.GREY: "灰"},
    kinds={
        Kind.ASSIGN: "交办",
        Kind.RETURN: "退回",
        Kind.EXTENSION: "延期",
        Kind.REOPEN: "重启",
        Kind.COPY: "抄送",
        Kind.REMIND: "提醒",
        Kind.CHASE: "催办",
    },
    tags={"status": "状态", "agency": "单位", "region": "市", "clause": "条款", "light": "灯"},
    labels={
        "clause": "条款",
        "title": "事项",
        "quote": "原文",
        "agency": "责任单位",
        "period": "周期",
        "due": "时限",
        "original_due": "原时限",
        "status": "状态",
        "light": "灯",
        "evidence": "佐证材料",
        "received": "已报材料",
        "late": "超期天数",
        "basis": "依据",
        "soft": "倡导性事项，不计超期",
        "duty": "编号",
        "overdue_n": "超期 {n}",
        "none_overdue": "无超期",
        "more": "另有 {n} 项未列出，请用 `duban status --overdue` 查看。",
        "telephone": "联系电话",
        "total": "合计",
    },
    basis={"text": "原文", "plan": "附件计划", "implied": "推定", "policy": "督办安排"},
    actions={
        "opened": "立项交办，时限 {due}",
        "spoke": "{kind}",
        "submitted": "报送第 {version} 版佐证材料，回执号 {receipt}",
        "accepted": "审核通过，销号。{reason}",
        "returned": "退回：{reason} 限 {due} 前重报",
        "extended": "延期至 {due}（原为 {before}）：{reason}",
        "waived": "{status}:{reason}",
        "reopened": "重启：{reason}",
    },
    due="{month:02}-{day:02}止",
    school_year="学年 {start}–{end:02}",
    once="一次性",
    asks={
        "text": "文字说明",
        "integer": "{unit}",
        "ratio": "{numerator}/{denominator}",
        "date": "日期",
        "url": "网址",
        "files": "文件 {min}–{max} 份",
    },
    optional="（选报）",
    brackets="（{}）",
    join="、",
)

EN = Words(
    status={
        Status.OPEN: "awaiting",
        Status.SUBMITTED: "under review",
        Status.RETURNED: "returned",
        Status.ACCEPTED: "accepted",
        Status.WAIVED: "waived",
        Status.NOT_APPLICABLE: "not applicable",
    },
    overdue="overdue",
    due_soon="due soon",
    lights={
        Light.RED: "red",
        Light.YELLOW: "yellow",
        Light.GREEN: "green",
        Light.GREY: "grey",
    },
    kinds={
        Kind.ASSIGN: "assignment",
        Kind.RETURN: "returned",
        Kind.EXTENSION: "extension",
        Kind.REOPEN: "reopened",
        Kind.COPY: "copy",
        Kind.REMIND: "reminder",
        Kind.CHASE: "overdue notice",
    },
    tags={
        "status": "status",
        "agency": "agency",
        "region": "region",
        "clause": "number",
        "light": "light",
    },
    labels={
        "clause": "Clause",
        "title": "Matter",
        "quote": "Quote",
        "agency": "Agency",
        "period": "Period",
        "due": "Due",
        "original_due": "First due",
        "status": "Status",
        "light": "Light",
        "evidence": "Evidence",
        "received": "Received",
        "late": "Days late",
        "basis": "Basis",
        "soft": "An encouraged matter, never counted as overdue",
        "duty": "No.",
        "overdue_n": "{n} overdue",
        "none_overdue": "none overdue",
        "more": "{n} more are not listed; see `duban status --overdue`.",
        "telephone": "Telephone",
        "total": "Total",
    },
    basis={"text": "notice", "plan": "plan", "implied": "implied", "policy": "policy"},
    actions={
        "opened": "Opened and assigned, due {due}",
        "spoke": "{kind}",
        "submitted": "Evidence version {version} submitted, receipt {receipt}",
        "accepted": "Accepted. {reason}",
        "returned": "Returned: {reason} To be mended by {due}",
        "extended": "Extended to {due} (was {before}): {reason}",
        "waived": "{status}: {reason}",
        "reopened": "Reopened: {reason}",
    },
    due="due {month:02}-{day:02}",
    school_year="school year {start}–{end:02}",
    once="once",
    asks={
        "text": "text",
        "integer": "{unit}",
        "ratio": "{numerator} / {denominator}",
        "date": "date",
        "url": "web address",
        "files": "{min}–{max} files",
    },
    optional=" (optional)",
    brackets=" ({})",
    join=", ",
)


def words(language: str) -> Words:
    """The words of a language; Chinese unless it is English."""
    return EN if language == "en" else ZH


def period_words(w: Words, period: str) -> str:
    """A period's name as a person reads it: 2026Q3, 学年 2026–27, 一次性."""
    if period == "once":
        return w.once
    if period.startswith("SY"):
        start = int(period.removeprefix("SY"))
        return w.school_year.format(start=start, end=(start + 1) % 100)
    return period


def due_words(w: Words, due_at: datetime, zone: ZoneInfo, period: str) -> str:
    """A due day as short as it can be without doubt: the year stands only outside its period."""
    day = due_at.astimezone(zone).date()
    short = w.due.format(month=day.month, day=day.day)
    if period[:4] == str(day.year):
        return short
    before, month, after = short.partition(f"{day.month:02}-")
    return f"{before}{day.year}-{month}{after}"


def day_words(instant: str, zone: ZoneInfo) -> str:
    """The civil day of an instant in ISO form."""
    return datetime.fromisoformat(instant).astimezone(zone).date().isoformat()


def asked_words(w: Words, evidence: Mapping[str, Any]) -> str:
    """What one evidence field asks for, as `标签:类型`."""
    kind = str(evidence["type"])
    asked = w.asks[kind].format(**evidence)
    told = w.brackets.format(asked) if asked else ""
    return f"{evidence['label']}{told}{'' if evidence['required'] else w.optional}"


def civil_words(language: str, day: date) -> str:
    """A date as prose writes it: 2026年12月10日, 10 December 2026."""
    if language == "en":
        return f"{day.day} {day:%B %Y}"
    return f"{day.year}年{day.month}月{day.day}日"


class Happened(Protocol):
    """A row of history, as far as words need it."""

    @property
    def action(self) -> str:
        """What was done."""
        ...

    @property
    def data(self) -> Mapping[str, Any]:
        """The facts of it."""
        ...

    @property
    def text(self) -> str:
        """The reason given."""
        ...


def event_words(w: Words, event: Happened, zone: ZoneInfo) -> str:
    """One line of a duty's timeline."""
    data = dict(event.data)
    for key in ("due", "before"):
        if key in data:
            data[key] = day_words(str(data[key]), zone)
    if "kind" in data:
        data["kind"] = w.kinds[Kind(data["kind"])]
    if "status" in data:
        data["status"] = w.status[Status(data["status"])]
    sentence = w.actions.get(event.action, event.action)
    return sentence.format(**data, reason=event.text).strip()
