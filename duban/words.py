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
    petitions: Mapping[str, str]
    returns: Mapping[str, str]
    """What can be wrong with evidence, by the code that history keeps of a return."""
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
    unfit: Mapping[str, str]
    """Why what was put in does not fit, by the code of its `Fault`, with the values of that."""
    refusals: Mapping[str, str]
    """Why a file was refused and what to do, by the code of `duban.intake.Refusal`."""
    personal: Mapping[str, str]
    """Kinds of personal data."""


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
        Kind.RECEIPT: "回执",
        Kind.LINK: "办理链接",
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
        "suspect": "疑似含个人信息，请在门户中查看",
        "in_portal": "在督办门户中办理",
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
        "nil-returned": "零报告（第 {version} 版），回执号 {receipt}",
        "handed-on": "转交{reason}办理（链接 {link}）",
        "sampled": "随机抽查待审材料 {n}/{pool} 项",
        "revealed": "查看第 {version} 版中的疑似个人信息",
        "accepted": "审核通过，销号。{reason}",
        "returned": "退回：{reason} 限 {due} 前重报",
        "extended": "延期至 {due}（原为 {before}）：{reason}",
        "waived": "{status}：{reason}",
        "reopened": "重启：{reason}",
        "acknowledged": "签收",
        "asked": "申请{petition}：{reason}",
        "granted": "同意{petition}的申请。{reason}",
        "refused": "不同意{petition}的申请：{reason}",
        "withdrawn": "{petition}的申请撤回",
        "handed-over": "移交责任单位，由 {giver} 移交 {taker}：{reason}",
        "file-refused": "所报文件未通过检验：{reason}",
        "erased": "佐证文件保存期满，销毁 {count} 份，留存校验值",
        "persons-erased": "填报人信息已删除",
        "account": "账号 {account}：{what}",
        "signed-in": "账号 {account} 登录",
        "sign-in-refused": "账号 {account} 登录失败（连续 {failures} 次）",
        "linked": "向{agency}发放办理链接 {link}",
        "link-told": "告知{agency}的办理链接 {link}",
        "link-asked": "{agency}重新获取办理链接",
        "link-revoked": "作废{agency}的办理链接 {link}",
        "letter": "第 {letter} 号函件{state}（{via}）",
        "resent": "重发第 {letter} 号函件",
        "revived": "恢复投递 {letters} 封函件：{agencies}",
        "suspended": "{agency}的地址被拒收，暂停使用",
        "lifted": "恢复使用{agency}的地址",
        "sending": "对外发函：{on}",
        "marked": "标为{label}",
    },
    petitions={"extension": "延期至 {until}", "not-applicable": "认定不适用"},
    returns={
        "no-seal": "缺少公章",
        "wrong-period": "期间不符",
        "incomplete": "材料不全",
        "wrong-figures": "数字有误",
        "illegible": "看不清",
        "personal-data": "含个人信息",
        "same-as-other": "与他处雷同",
        "other": "其他",
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
        Reason.PROPOSED: "待批准",
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
    unfit={
        "too-long": "共{count}字，最多{max}字，请精简",
        "no-whole": "“{given}”不是整数，请只填数字，例如 1234",
        "too-small": "{number} 偏小，最小可填 {min}",
        "outside": "{number} 超出范围，应在 {min} 至 {max} 之间",
        "no-ratio": "“{given}”不完整，两个数都要填，例如 950/1000",
        "of-nothing": "“{given}”的第二个数应大于 0",
        "over-whole": "“{given}”的第一个数应在 0 和第二个数之间",
        "no-date": "“{given}”不是日期，请按 2026-11-24 的格式填写",
        "no-address": "“{given}”不是网址，请填写以 https:// 开头的完整地址",
        "future": "{day} 还没有到，请核对年份和日期",
        "no-telephone": "“{given}”不像电话号码，请填写可以联系到您的号码",
        "missing": "这一项必填，还没有填写",
        "missing-files": "这一项必须上传文件，还没有上传",
        "not-asked": "没有这一项；可填的有：{known}",
        "which-field": "请写明属于哪一项；可传文件的有：{known}",
        "no-file": "找不到这个文件",
        "wrong-kind": "类型不符，只收 {kinds}",
        "empty-file": "文件是空的，请重新导出后上传",
        "too-big": "文件超过 {max} MB，请压缩后上传",
        "files": "现有 {count} 个文件，应为 {min} 至 {max} 个",
    },
    refusals={
        "not-asked": "这里不收这种文件，请改传图片、PDF、Word（docx）或 Excel（xlsx）",
        "wrong-kind": "文件内容与扩展名不符，请用原来的软件另存后重新上传",
        "empty": "文件是空的，请检查后重新上传",
        "too-big": "文件超过 20 MB，请压缩或分成几个文件后上传",
        "damaged": "文件已损坏，无法打开，请检查原件后重新上传",
        "encrypted": "文件设有密码，请取消密码后重新上传",
        "old-format": "这是旧版格式，请另存为 docx 或 xlsx（也可导出为 PDF）后重新上传",
        "macros": "文件含有宏，请另存为不含宏的 docx 或 xlsx 后重新上传",
        "active": "文件含有脚本、嵌入对象等可运行的内容，请导出为普通 PDF 后重新上传",
        "external": "文件引用了外部内容，请断开链接或导出为 PDF 后重新上传",
        "polyglot": "文件中夹带了其他格式的内容，请重新拍照、扫描或导出后上传",
        "bomb": "文件解压后过大，请精简内容或导出为 PDF 后重新上传",
        "too-many-pixels": "图片尺寸过大（超过 4000 万像素），请缩小后重新上传",
        "too-many-pages": "页数超过 500 页，请分成几个文件后上传",
        "too-heavy": "文件过于复杂，无法检验，请导出为 PDF 或改传照片",
        "timed-out": "检验超时，请精简文件，或导出为 PDF 后重新上传",
    },
    personal={
        "id-number": "身份证号",
        "telephone": "手机号码",
        "bank-card": "银行卡号",
        "roster": "人员名单",
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
        Kind.RECEIPT: "receipt",
        Kind.LINK: "portal link",
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
        "suspect": "May hold personal data; see it in the portal",
        "in_portal": "Open in the portal",
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
        "nil-returned": "Nil return (version {version}), receipt {receipt}",
        "handed-on": "Handed on to {reason} (link {link})",
        "sampled": "A sample drawn from what awaits review, {n} of {pool}",
        "revealed": "Suspected personal data of version {version} looked at",
        "accepted": "Accepted. {reason}",
        "returned": "Returned: {reason} To be mended by {due}",
        "extended": "Extended to {due} (was {before}): {reason}",
        "waived": "{status}: {reason}",
        "reopened": "Reopened: {reason}",
        "acknowledged": "Receipt acknowledged",
        "asked": "Asked for {petition}: {reason}",
        "granted": "Granted: {petition}. {reason}",
        "refused": "Refused: {petition}: {reason}",
        "withdrawn": "Withdrawn: {petition}",
        "handed-over": "Handed over from {giver} to {taker}: {reason}",
        "file-refused": "A file did not pass inspection: {reason}",
        "erased": "{count} files erased at the end of their time; their hashes are kept",
        "persons-erased": "Names of contact persons erased",
        "account": "Account {account}: {what}",
        "signed-in": "Account {account} signed in",
        "sign-in-refused": "Account {account} refused ({failures} in a row)",
        "linked": "Link {link} issued to {agency}",
        "link-told": "Link {link} of {agency} told",
        "link-asked": "{agency} asked for its link again",
        "link-revoked": "Link {link} of {agency} revoked",
        "letter": "Letter {letter} {state} ({via})",
        "resent": "Letter {letter} sent again",
        "revived": "{letters} letters revived: {agencies}",
        "suspended": "Address of {agency} refuses letters, suspended",
        "lifted": "Address of {agency} used again",
        "sending": "Sending: {on}",
        "marked": "Marked {label}",
    },
    petitions={
        "extension": "an extension to {until}",
        "not-applicable": "the duty to count as not applicable",
    },
    returns={
        "no-seal": "the seal is missing",
        "wrong-period": "it is of another period",
        "incomplete": "the material is incomplete",
        "wrong-figures": "figures are wrong",
        "illegible": "it cannot be read",
        "personal-data": "it holds personal data",
        "same-as-other": "it is the same as elsewhere",
        "other": "other",
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
    unfit={
        "too-long": "{count} characters; write at most {max}",
        "no-whole": "'{given}' is no whole number; write digits only, for example 1234",
        "too-small": "{number} is too small; at least {min}",
        "outside": "{number} is out of bounds; {min} to {max}",
        "no-ratio": "'{given}' is not complete; write both numbers, for example 950/1000",
        "of-nothing": "'{given}': the second number must be above 0",
        "over-whole": "'{given}': the first number must be 0 to the second",
        "no-date": "'{given}' is no date; write one like 2026-11-24",
        "no-address": "'{given}' is no web address; write one that begins with https://",
        "future": "{day} has not come yet; check the year and the day",
        "no-telephone": "'{given}' is no telephone number; write one where you can be reached",
        "missing": "missing; it is required",
        "missing-files": "missing; a file is required",
        "not-asked": "not asked for; the fields are {known}",
        "which-field": "say which field it is for; files fields are {known}",
        "no-file": "there is no such file",
        "wrong-kind": "no {kinds}",
        "empty-file": "the file is empty; export it again",
        "too-big": "over {max} MB; make it smaller",
        "files": "{count} files; it must be {min} to {max}",
    },
    refusals={
        "not-asked": "Not a kind of file taken here; send a picture, PDF, docx or xlsx",
        "wrong-kind": "The content is not what the name's ending says; save it anew and send that",
        "empty": "The file is empty; check it and send it again",
        "too-big": "The file is over 20 MB; make it smaller, or split it",
        "damaged": "The file is damaged and cannot be opened; check the original and send it again",
        "encrypted": "The file has a password; remove it and send the file again",
        "old-format": "An old format; save it as docx, xlsx or PDF and send it again",
        "macros": "The file holds macros; save it as docx or xlsx without them and send it again",
        "active": "The file holds scripts or embedded objects; export a plain PDF and send that",
        "external": "The file takes parts from elsewhere; break its links, or send a PDF",
        "polyglot": "The file carries another format inside; scan or export it anew",
        "bomb": "The file grows too large when unpacked; shorten it, or send a PDF",
        "too-many-pixels": "Over 40 million pixels; make the picture smaller and send it again",
        "too-many-pages": "Over 500 pages; split it into several files",
        "too-heavy": "Too complex to be inspected; send a PDF or a photo",
        "timed-out": "The inspection took too long; shorten the file, or send a PDF",
    },
    personal={
        "id-number": "an identity card number",
        "telephone": "a mobile number",
        "bank-card": "a bank card number",
        "roster": "a list of people",
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
    if "petition" in data:
        data["petition"] = w.petitions[data["petition"]].format(until=data.get("until"))
    sentence = w.actions.get(event.action, event.action)
    return sentence.format(**data, reason=event.text).strip()
