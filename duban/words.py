"""The words that screens, letters and the Prefect UI use, in the language of the notice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from duban.duty import Light, Status
from duban.ladder import Kind, Reason


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
    reasons: Mapping[Reason, str]
    letter_states: Mapping[str, str]
    tasks: Mapping[str, tuple[str, str]]
    """A task's kind: what is to be done, and the command that does it for a {subject}."""


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
        Kind.INQUIRE: "询办",
        Kind.REMIND: "提醒",
        Kind.CHASE: "催办",
        Kind.FORMAL: "督办函",
        Kind.CIRCULAR: "通报",
        Kind.ESCALATE: "提请督促",
        Kind.TASKS: "待办",
    },
    tags={"status": "状态", "agency": "单位", "region": "市", "clause": "条款", "light": "灯"},
    labels={
        "colon": "：",
        "day": "日期",
        "provisional": "暂定，待节假日安排公布",
        "foreseen": "（推演：其间无报送，无批准）",
        "decision": "决定",
        "speaks": "发出",
        "proposes": "拟发",
        "superseded": "已被更高级次取代",
        "next_look": "下次检查",
        "not_by_date": "不按日期",
        "told": "首函送达",
        "not_yet": "尚未",
        "spoken": "本轮已发",
        "nothing": "无",
        "held_until": "暂停至",
        "ladder": "催办阶梯",
        "said": "当日实发",
        "plan_opens": "立项 {n} 项",
        "plan_letters": "发函 {n} 封",
        "plan_proposed": "待批准 {n} 件",
        "plan_total": "合计 {n} 封。以上为推演，未改动任何数据。",
        "rung": "级次",
        "effect_spoken": "发出",
        "effect_answered": "其后报送",
        "effect_share": "占比",
        "effect_days": "中位天数",
        "effect_note": "统计发函之后、下一次发函之前收到佐证材料的情况，只表示先后，不证明因果。",
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
        "proposed": "拟发{kind}，待批准",
        "approved": "批准发出{kind}",
        "declined": "不予发出：{reason}",
        "called": "电话催办：{reason}",
        "held": "暂停催办至 {until}：{reason}",
        "released": "恢复催办",
        "unsaid": "因暂停未发",
        "shifted": "节假日安排公布，时限由 {before} 调整为 {due}",
        "redated": "催办日期核对更正",
        "opened": "立项交办，时限 {due}",
        "spoke": "{kind}",
        "submitted": "报送第 {version} 版佐证材料，回执号 {receipt}",
        "accepted": "审核通过，销号。{reason}",
        "returned": "退回：{reason} 限 {due} 前重报",
        "extended": "延期至 {due}（原为 {before}）：{reason}",
        "waived": "{status}：{reason}",
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
    reasons={
        Reason.FIRST_LETTER: "发出首函",
        Reason.RUNG_REACHED: "级次已到，发函",
        Reason.PROPOSED: "待协调人批准",
        Reason.NOT_YET: "未到下一级次",
        Reason.NOT_DELIVERED: "首函未送达，不催办",
        Reason.SUBMITTED: "材料待审，不催办",
        Reason.CLOSED: "已办结，不催办",
        Reason.EXHAUSTED: "阶梯已走完",
        Reason.SUPERSEDED: "已被更高级次取代",
        Reason.NOT_WORKING_DAY: "非工作日，顺延",
        Reason.QUIET_HOURS: "静默时段，顺延",
        Reason.HELD: "已暂停催办",
        Reason.OVER_BUDGET: "本周发函已达上限，顺延",
    },
    letter_states={
        "pending": "待发",
        "sent": "已发",
        "suppressed": "已无需发出",
        "unreachable": "无法送达",
        "dead": "投递失败",
        "telephone": "电话",
    },
    tasks={
        "no-contact": (
            "补充联系方式：该单位没有可用的联系地址，函件已存入投递文件夹，请当面送达",
            "duban handed 函号 --by 姓名",
        ),
        "suspended": (
            "核实联系地址：该地址被对方拒收，已暂停使用，函件已存入投递文件夹",
            "duban lift {subject} --by 姓名",
        ),
        "undeliverable": ("处理投递失败的函件：多次投递未成功", "duban resend {subject} --by 姓名"),
        "approval": ("审批拟发函件", "duban proposals"),
    },
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
        Kind.INQUIRE: "inquiry",
        Kind.REMIND: "reminder",
        Kind.CHASE: "overdue notice",
        Kind.FORMAL: "formal notice",
        Kind.CIRCULAR: "notice of default",
        Kind.ESCALATE: "escalation",
        Kind.TASKS: "tasks",
    },
    tags={
        "status": "status",
        "agency": "agency",
        "region": "region",
        "clause": "number",
        "light": "light",
    },
    labels={
        "colon": ": ",
        "day": "Day",
        "provisional": "provisional until holidays are announced",
        "foreseen": " (foreseen: nothing comes, nothing is approved)",
        "decision": "Decision",
        "speaks": "Speaks",
        "proposes": "Proposes",
        "superseded": "Superseded",
        "next_look": "Next look",
        "not_by_date": "not by date",
        "told": "First letter delivered",
        "not_yet": "not yet",
        "spoken": "Spoken in this round",
        "nothing": "nothing",
        "held_until": "Held until",
        "ladder": "Ladder",
        "said": "Said that day",
        "plan_opens": "opens {n}",
        "plan_letters": "{n} letters",
        "plan_proposed": "{n} for approval",
        "plan_total": "{n} letters in all. A rehearsal; nothing was touched.",
        "rung": "Rung",
        "effect_spoken": "Spoken",
        "effect_answered": "Evidence followed",
        "effect_share": "Share",
        "effect_days": "Median days",
        "effect_note": "Evidence that came after a letter and before the next, not because of it.",
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
        "proposed": "{kind} proposed, awaits approval",
        "approved": "{kind} approved",
        "declined": "Not sent: {reason}",
        "called": "Called: {reason}",
        "held": "Held until {until}: {reason}",
        "released": "Released",
        "unsaid": "Not said because of a hold",
        "shifted": "Holidays were announced: due {due} (was {before})",
        "redated": "Date of the chase put right",
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
    reasons={
        Reason.FIRST_LETTER: "first letter",
        Reason.RUNG_REACHED: "rung reached, speaks",
        Reason.PROPOSED: "awaits a coordinator's approval",
        Reason.NOT_YET: "silent: the next rung is not reached",
        Reason.NOT_DELIVERED: "silent: the first letter is not delivered",
        Reason.SUBMITTED: "silent: evidence is under review",
        Reason.CLOSED: "silent: closed",
        Reason.EXHAUSTED: "silent: the ladder is exhausted",
        Reason.SUPERSEDED: "superseded by a higher rung",
        Reason.NOT_WORKING_DAY: "waits for a working day",
        Reason.QUIET_HOURS: "waits for the end of the quiet hours",
        Reason.HELD: "silent: held",
        Reason.OVER_BUDGET: "waits: the week's letters are used up",
    },
    letter_states={
        "pending": "waiting",
        "sent": "sent",
        "suppressed": "not needed any more",
        "unreachable": "unreachable",
        "dead": "given up",
        "telephone": "by telephone",
    },
    tasks={
        "no-contact": (
            "Add an address: there is none that works; the letters are in the drop folder, "
            "to be handed over",
            "duban handed LETTER --by NAME",
        ),
        "suspended": (
            "Check the address: it refused for good and is suspended; the letters are in the "
            "drop folder",
            "duban lift {subject} --by NAME",
        ),
        "undeliverable": (
            "See to a letter that could not be delivered",
            "duban resend {subject} --by NAME",
        ),
        "approval": ("Approve or decline formal letters", "duban proposals"),
    },
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
