"""The words that screens, letters and the Prefect UI use, in the language of the notice."""

import re
from calendar import month_name
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from duban.duty import Light, Status
from duban.ladder import ENDLESS, Kind, Reason, Rung


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
    periods: Mapping[str, str]
    """How prose names a period, by the mark in its code, with {year}, the {next} one and {n}."""
    turns: Mapping[str, Sequence[str]]
    """What {n} is, for the first, second and so on of such a period in its year."""
    asks: Mapping[str, str]
    optional: str
    comma: str
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
    channels: Mapping[str, str]
    """Ways a letter leaves, by the channel's name."""
    deliveries: Mapping[str, str]
    """What became of a letter, and `why-…` it did not arrive."""
    card: Mapping[str, str]
    """What a duty's card and state on the stage say of dates."""
    meddled: Mapping[str, str]
    """What somebody changed on the stage."""
    boards: Mapping[str, str]
    """The daily boards."""
    amendment: Mapping[str, str]
    """What an edit of the files does; `part-…` are the parts of a clause, agency or notice."""


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
        Kind.ANSWER: "申请答复",
        Kind.LINK: "办理链接",
    },
    tags={
        "status": "状态",
        "agency": "单位",
        "region": "市",
        "department": "部门",
        "clause": "条款",
        "light": "灯",
    },
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
        "endless": "恢复为止",
        "held_endless": "暂停立项和催办，至恢复为止：{reason}",
        "paused_there": "在 Prefect 中暂停",
        "paused_now": "已暂停“{clause}”：Prefect 中暂停了这一条款，不立项、不催办，至恢复为止",
        "resumed_now": "已恢复“{clause}”：Prefect 中恢复了这一条款",
        "resumed_there": "已在 Prefect 中恢复“{clause}”：其暂停已另行解除",
        "paused_again": "已在 Prefect 中重新暂停“{clause}”：其暂停尚未解除",
        "ladder": "催办阶梯",
        "said": "当日实发",
        "plan_opens": "立项 {n} 项",
        "plan_letters": "发函 {n} 封",
        "plan_proposed": "待批准 {n} 件",
        "last_chase": "最近一次催办：{day}",
        "process_gone": "执行该任务的进程已不存在，按中断处理；漏做的工作由下一次任务补做。",
        "escalated_n": "未办结 {n} 项",
        "objections": "{period}，异议截止 {day}",
        "paper_no": "序号",
        "paper_kind": "文书",
        "paper_number": "发文字号",
        "paper_day": "日期",
        "paper_to": "主送",
        "paper_letter": "函号",
        "paper_state": "状态",
        "paper_void": "作废",
        "bulletin_draft": "草稿，数据截至 {at}，异议请于 {day} 前提出；尚未答复的异议 {n} 条",
        "bulletin_issued": "已签发（{number}），数据截至 {at}",
        "bulletin_withdrawn": "草稿已撤回，数据截至 {at}",
        "diff_name": "名称",
        "diff_told": "差异",
        "diff_mend": "处理办法",
        "diff_none": "Prefect 与文件、台账一致。",
        "diff_n": "共 {n} 处不一致。",
        "diff_files": "{line}",
        "mend_files": "duban apply",
        "diff_pool_missing": "工作池不存在",
        "mend_pool_missing": "duban mirror",
        "diff_queue_missing": "督办事项的队列不存在",
        "mend_queue_missing": "duban mirror",
        "diff_queue_open": "督办事项的队列未暂停，其中的运行可能被执行",
        "mend_queue_open": "duban mirror",
        "diff_deployment_missing": "Prefect 中没有这一部署",
        "mend_deployment_missing": "duban mirror",
        "diff_deployment_extra": "Prefect 中多出这一部署，文件中没有",
        "mend_deployment_extra": "duban mirror",
        "diff_deployment_changed": "部署与文件不一致",
        "mend_deployment_changed": "duban mirror",
        "diff_schedule_changed": "日程 {slugs} 在 Prefect 中有改动",
        "mend_schedule_changed": "duban mirror",
        "diff_schedule_off": "日程 {slugs} 在 Prefect 中停用",
        "mend_schedule_off": "在 Prefect 中启用该日程",
        "diff_paused": "在 Prefect 中暂停",
        "mend_paused": "在 Prefect 中恢复",
        "diff_paused_held": "在 Prefect 中暂停，不立项、不催办（暂停 {hold} 号）",
        "mend_paused_held": "在 Prefect 中恢复，或者 duban release {hold} --by 姓名",
        "diff_automation_missing": "自动化不存在",
        "mend_automation_missing": "duban mirror",
        "diff_automation_changed": "自动化有改动或者重复",
        "mend_automation_changed": "duban mirror",
        "diff_automation_off": "自动化已停用",
        "mend_automation_off": "在 Prefect 中启用",
        "diff_runs": "Prefect 中 {found} 项，台账中 {wanted} 项",
        "mend_runs": "duban mirror",
        "diff_runs_other": "{found} 项处于督办系统没有的状态",
        "mend_runs_other": "duban mirror",
        "diff_run_missing": "这一事项没有运行",
        "mend_run_missing": "duban mirror",
        "diff_run_changed": "运行与台账不一致：{what}",
        "mend_run_changed": "duban mirror",
        "diff_run_extra": "多出的运行，台账中没有",
        "mend_run_extra": "duban mirror",
        "told_escalated": "新升级 {n} 项，已列入协调单位的待办",
        "told_no_escalated": "没有新升级的事项",
        "told_no_chase": "自 {day} 起未再催办，已列入协调单位的待办",
        "told_chased": "每日催办正常，无需告知",
        "run_escalated": "告知协调单位：督办升级",
        "run_no_chase": "告知协调单位：催办停摆",
        "auto_escalated": "督办 · 升级时告知协调单位",
        "auto_escalated_about": "发出督办函、通报或提请上级督促后，把相关事项列入协调单位的待办，"
        "随待办函送达，每日最多一封。",
        "auto_no_chase": "督办 · 连续两期未催办时告知协调单位",
        "auto_no_chase_about": "两天内没有一次催办（chase）运行成功，或者台账报告催办中断时，"
        "列入协调单位的待办，随待办函送达。",
        "auto_kept": "本自动化由督办系统维护：改动会被恢复，删除后会重新建立；"
        "不需要时请停用，停用会保留。",
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
        "bulletin-drafted": "拟出{period}通报草稿（第 {bulletin} 号）",
        "bulletin-objected": "对通报草稿（第 {bulletin} 号）提出异议：{reason}",
        "bulletin-answered": "答复对通报草稿（第 {bulletin} 号）的异议：{reason}",
        "bulletin-issued": "签发{period}通报（第 {bulletin} 号）",
        "bulletin-withdrawn": "撤回{period}通报草稿（第 {bulletin} 号）：{reason}",
        "released": "恢复催办",
        "unsaid": "因暂停未发",
        "shifted": "节假日安排公布，时限由 {before} 调整为 {due}",
        "redated": "催办日期核对更正",
        "opened": "立项交办，时限 {due}",
        "spoke": "{kind}",
        "submitted": "报送第 {version} 版佐证材料，回执号 {receipt}",
        "filled": "用表格填入指标草稿，尚未报送",
        "progress-noted": "进展情况：{reason}",
        "problems-noted": "存在问题：{reason}",
        "nil-returned": "零报告（第 {version} 版），回执号 {receipt}",
        "handed-on": "转交{reason}办理（链接 {link}）",
        "sampled": "随机抽查待审材料 {n}/{pool} 项",
        "revealed": "查看第 {version} 版中的疑似个人信息",
        "accepted": "审核通过，销号。{reason}",
        "returned": "退回：{reason} 限 {due} 前重报",
        "extended": "延期至 {due}（原为 {before}）：{reason}",
        "moved": "条款修订，时限由 {before} 调整为 {due}。{reason}",
        "reworded": "条款修订，改按新条款办理。{reason}",
        "applied": "启用修改后的文件（{digest:.12}）：新立 {opens} 项，调整时限 {moves} 项，"
        "免办 {closes} 项。{reason}",
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
        "paper": "制发{number}",
        "paper-void": "{number}未发出即作废，号不再用",
        "resent": "重发第 {letter} 号函件",
        "revived": "恢复投递 {letters} 封函件：{agencies}",
        "suspended": "{agency}的地址被拒收，暂停使用",
        "lifted": "恢复使用{agency}的地址",
        "sending": "对外发函：{on}",
        "restored": "用备份恢复台账（备份时间 {backup}），对外发函已关闭",
        "tick-missed": "每日催办中断，最近一次为 {last}，已漏 {chases} 次",
        "tick-again": "每日催办恢复",
        "marked": "标为{label}",
        "interfered": "在 Prefect 中{what}（现为 {found}），已恢复为 {put}",
        "restaged": "Prefect 中有 {runs} 项与台账不符，已按台账恢复",
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
    periods={
        "": "{year}年",
        "SY": "{year}—{next}学年",
        "H": "{year}年{n}半年",
        "Q": "{year}年第{n}季度",
        "-": "{year}年{n}月",
    },
    turns={"H": "上下", "Q": "一二三四", "-": [str(month) for month in range(1, 13)]},
    asks={
        "text": "文字说明",
        "integer": "{unit}",
        "ratio": "{numerator}/{denominator}",
        "date": "日期",
        "url": "网址",
        "files": "文件{min}至{max}份",
    },
    optional="选报",
    comma="，",
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
        "escalated": ("跟进已发督办函、通报或已提请上级督促的事项", "duban status --overdue"),
        "bulletin": (
            "核对通报草稿：对数字有异议的请在截止日前提出，期满后签发",
            "duban bulletin show {subject}",
        ),
        "no-chase": (
            "恢复每日催办：系统已连续多日未催办，请检查服务是否运行、催办任务是否被暂停",
            "duban tick",
        ),
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
    channels={
        "mail": "电子邮件",
        "wecombot": "企业微信群机器人",
        "wecombot-text": "企业微信群机器人",
        "dingtalk": "钉钉群机器人",
        "feishu": "飞书群机器人",
        "apprise": "其他渠道",
    },
    deliveries={
        "sent": "{kind}已送达{recipient}（{channel}）",
        "drop": "{kind}已存入投递文件夹，致{recipient}",
        "hand": "{kind}已当面送达{recipient}",
        "failed": "{kind}未能送达{recipient}：{why}",
        "resent": "重新投递{kind}，致{recipient}",
        "pending": "{kind}待发，致{recipient}",
        "telephone": "电话催办{recipient}",
        "why-no-contact": "没有可用的联系地址，函件已存入投递文件夹",
        "why-suspended": "地址被对方拒收，已暂停使用，函件已存入投递文件夹",
        "why-permanent": "被对方拒收",
        "why-temporary": "多次投递未成功",
        "why-ambiguous": "多次投递，均无回音",
    },
    card={
        "due": "时限",
        "late": "超期",
        "late_as_of": "截至 {day}，超期 {days} 天",
        "late_closed": "迟报 {days} 天",
        "late_original": "按原时限 {days} 天",
        "next": "下一步",
        "next_on": "{day} {rung}",
        "next_reached": "{rung}，{day} 已到级次",
        "approval": "待批准后发出",
        "awaits": "{rung}待批准",
        "held": "暂停至 {day}",
        "held_open": "暂停，至恢复为止",
        "then": "其后 {next}",
        "undelivered": "待首函送达后起算",
        "last": "最近函件",
        "nil": "零报告",
        "at_desk": "（内容请在工作台查看）",
        "files": "附件 {n} 份",
        "region": "地区",
    },
    meddled={
        "deleted": "删除了本项",
        "state": "改动了状态",
        "name": "改动了名称",
        "tags": "改动了标签",
        "absent": "已删除",
    },
    personal={
        "id-number": "身份证号",
        "telephone": "手机号码",
        "bank-card": "银行卡号",
        "roster": "人员名单",
    },
    boards={
        "board": "总览",
        "overdue": "超期",
        "due-7": "7 日内到期",
        "due-30": "30 日内到期",
        "under-review": "待审",
        "scoreboard": "成绩单",
        "targets": "指标进度",
        "targets-picture": "指标进度图",
        "delivery": "投递情况",
        "opened": "立项情况",
        "count": "{n} 项",
        "portal": "门户清单",
        "runs": "运行列表",
        "more": "另有 {n} 项未列出，见[门户清单]({link})。",
        "none": "无。",
        "soft": "倡导性事项（不计超期）",
        "soft-late": "倡导性事项到期未报 {n} 项，不计超期。",
        "left": "剩余天数",
        "submitted": "报送日",
        "waited": "已等天数",
        "region": "地区",
        "department": "部门",
        "required": "应办",
        "share": "销号率",
        "of-soft": "其中倡导性",
        "share-note": "应办不含不适用、免办；零报告、倡导性事项都算在内，与通报的应报不同。"
        "销号率按刚性事项计算。"
        "点地区名看该地区超期的运行，点数字看门户清单。",
        "cell-note": "每格先列最差一档灯色和数量，再列总数。",
        "target": "目标 {n}%",
        "whole": "合计",
        "coverage": "{n}/{all} 家有已审数据，各取最新一期",
        "gap": "距目标（百分点）",
        "change": "较前次（百分点）",
        "rate": "比率",
        "counted": "已审数",
        "in-review": "待审数",
        "no-data": "暂无已审数据：{names}。",
        "missing": "{period} 尚未报送：{names}。",
        "by-period": "各期已审比率",
        "history-note": "合计为截至该期各家最新已审数之和。",
        "nothing-yet": "暂无已审数据，图待首批数据审核后生成。",
        "legend": "实心点为最新一次已审，空心点为前一次，菱形为待审；"
        "竖线为目标，绿色已达标，红色未达标。",
        "acts": "办理",
        "acts-told": "审核、延期、免办、重启、暂停催办等操作",
        "omitted": "另有 {n} 家比率更高，未画出。",
        "sending-on": "对外发函已开启。",
        "sending-off": "对外发函未开启，函件只存入投递文件夹。",
        "letters": "函件",
        "amount": "数量",
        "oldest": "待发函件中最早的应于 {at} 发出。",
        "attempts": "近 7 日投递",
        "channel": "通道",
        "tries": "次数",
        "accepted": "送达",
        "temporary": "暂时失败",
        "permanent": "拒收",
        "ambiguous": "结果不明",
        "other": "其他",
        "chores": "协调员待办",
        "addresses": "暂停使用的地址 {suspended} 个；没有联系地址的单位 {without} 家。",
        "matched": "应有 {expected} 项，当日新立 {opened} 项",
        "no-tick": "尚未检查。",
        "checks": "检查次数",
        "expected": "应有",
        "opened-count": "新立",
        "opened-note": "每次检查都按通知和日历核对应有的事项，缺的当场补立。"
        "“应有”取当日最后一次全面检查。",
    },
    amendment={
        "what": "变动",
        "count": "数量",
        "which": "内容",
        "notices-new": "新增通知",
        "notices-changed": "通知有改动",
        "notices-left": "撤下通知",
        "clauses-new": "新增条款",
        "clauses-changed": "修改条款",
        "clauses-left": "撤下条款",
        "agencies-new": "新增单位",
        "recipients": "单位信息变更",
        "agencies-left": "撤下单位",
        "policy": "催办规则变更",
        "opens": "新立事项",
        "recounts": "按节假日安排重算时限",
        "moves": "调整时限",
        "moves-stay": "时限有差异，不动",
        "late": "其中调整后即超期",
        "rewords": "改按新条款办理",
        "rewords-stay": "仍按原条款办理",
        "closes": "免办",
        "closes-stay": "已撤下，不动",
        "untouched": "待审，一律不动",
        "stay": "以上“不动”和“仍按原条款”的事项保持原样：加 --move 调整时限、改按新条款，"
        "加 --close 免办已撤下的事项。",
        "summary": "新立 {opens} 项，调整时限 {moves} 项，免办 {closes} 项，"
        "变更单位信息 {recipients} 个。",
        "nothing": "没有需要启用的改动。",
        "text-only": "只改了注释或排版，事项不受影响。",
        "adopted": "首次启用",
        "more": "等 {n} 项",
        "left-clause": "条款已从文件中撤下",
        "left-cycle": "该周期安排已从条款中撤下",
        "left-agency": "该单位不再负责此条款",
        "left-period": "条款的周期安排已变更",
        "part-text": "正文",
        "part-quote": "原文引句",
        "part-title": "事项",
        "part-section": "所在章节",
        "part-modality": "约束力",
        "part-level": "层级",
        "part-departments": "责任部门",
        "part-agencies": "责任单位",
        "part-reports": "报送方式",
        "part-cycles": "周期安排",
        "part-evidence": "佐证材料",
        "part-target": "目标值",
        "part-done": "办结标志",
        "part-ladder": "催办阶梯",
        "part-ladders": "催办阶梯",
        "part-calendar": "节假日安排",
        "part-limits": "静默时段与每周发函上限",
        "part-papers": "公文编号与随函公文",
        "part-keep": "保存年限",
        "part-notes": "备注",
        "part-name": "名称",
        "part-superior": "上级单位",
        "part-office": "内设机构",
        "part-telephone": "电话",
        "part-channel": "收件地址",
        "part-userid": "被提醒人",
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
        Kind.ANSWER: "answer to a request",
        Kind.LINK: "portal link",
    },
    tags={
        "status": "status",
        "agency": "agency",
        "region": "region",
        "clause": "number",
        "light": "light",
        "department": "department",
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
        "endless": "resumed",
        "held_endless": "Held until resumed, nothing is opened: {reason}",
        "paused_there": "paused in Prefect",
        "paused_now": "{clause} is held until resumed, since it was paused in Prefect: "
        "nothing of it is opened or chased",
        "resumed_now": "{clause} goes on, since it was resumed in Prefect",
        "resumed_there": "{clause} is resumed in Prefect, since its hold was released elsewhere",
        "paused_again": "{clause} is paused in Prefect again, since its hold is in force",
        "ladder": "Ladder",
        "said": "Said that day",
        "plan_opens": "opens {n}",
        "plan_letters": "{n} letters",
        "plan_proposed": "{n} for approval",
        "last_chase": "last chase: {day}",
        "process_gone": "Its process is gone; the next run does what this one left undone.",
        "escalated_n": "{n} of them still wait for their agencies",
        "objections": "{period}, objections through {day}",
        "paper_no": "No.",
        "paper_kind": "Paper",
        "paper_number": "Number",
        "paper_day": "Day",
        "paper_to": "To",
        "paper_letter": "Letter",
        "paper_state": "State",
        "paper_void": "void",
        "bulletin_draft": "Draft, as of {at}; objections through {day}, {n} not answered yet",
        "bulletin_issued": "Issued as {number}, as of {at}",
        "bulletin_withdrawn": "Withdrawn draft, as of {at}",
        "diff_name": "Name",
        "diff_told": "Difference",
        "diff_mend": "What mends it",
        "diff_none": "Prefect agrees with the files and the ledger.",
        "diff_n": "{n} difference(s).",
        "diff_files": "{line}",
        "mend_files": "duban apply",
        "diff_pool_missing": "there is no work pool",
        "mend_pool_missing": "duban mirror",
        "diff_queue_missing": "there is no queue for duties",
        "mend_queue_missing": "duban mirror",
        "diff_queue_open": "the queue of duties is not paused, so that their runs may be executed",
        "mend_queue_open": "duban mirror",
        "diff_deployment_missing": "Prefect has no such deployment",
        "mend_deployment_missing": "duban mirror",
        "diff_deployment_extra": "a deployment that no file asks for",
        "mend_deployment_extra": "duban mirror",
        "diff_deployment_changed": "the deployment is not what the files ask for",
        "mend_deployment_changed": "duban mirror",
        "diff_schedule_changed": "schedule {slugs} was changed in Prefect",
        "mend_schedule_changed": "duban mirror",
        "diff_schedule_off": "schedule {slugs} is switched off in Prefect",
        "mend_schedule_off": "switch the schedule on in Prefect",
        "diff_paused": "paused in Prefect",
        "mend_paused": "resume it in Prefect",
        "diff_paused_held": "paused in Prefect: nothing opens, nobody is chased (hold {hold})",
        "mend_paused_held": "resume it in Prefect, or duban release {hold} --by NAME",
        "diff_automation_missing": "there is no such automation",
        "mend_automation_missing": "duban mirror",
        "diff_automation_changed": "the automation was changed, or is there twice",
        "mend_automation_changed": "duban mirror",
        "diff_automation_off": "the automation is switched off",
        "mend_automation_off": "switch it on in Prefect",
        "diff_runs": "{found} in Prefect, {wanted} in the ledger",
        "mend_runs": "duban mirror",
        "diff_runs_other": "{found} in states that Duban does not have",
        "mend_runs_other": "duban mirror",
        "diff_run_missing": "this duty has no run",
        "mend_run_missing": "duban mirror",
        "diff_run_changed": "the run is not what the ledger says: {what}",
        "mend_run_changed": "duban mirror",
        "diff_run_extra": "a run of which the ledger knows nothing",
        "mend_run_extra": "duban mirror",
        "told_escalated": "{n} newly escalated, on the coordinator's list of tasks",
        "told_no_escalated": "nothing newly escalated",
        "told_no_chase": "no chase since {day}, on the coordinator's list of tasks",
        "told_chased": "the daily chase happens; nothing to tell",
        "run_escalated": "tell the coordinator: escalated",
        "run_no_chase": "tell the coordinator: no chase",
        "auto_escalated": "Duban · tell the coordinator when a duty escalates",
        "auto_escalated_about": "After a formal letter, a notice of default, or one to a superior, "
        "the duties go onto the coordinator's list of tasks, which is sent at most once a day.",
        "auto_no_chase": "Duban · tell the coordinator when no chase ran for two periods",
        "auto_no_chase_about": "When no run of chase completed within two days, or the ledger "
        "reports an outage of the chase, that goes onto the coordinator's list of tasks.",
        "auto_kept": "Duban keeps this automation: what is changed is put back, and deleted it "
        "comes again. Switch it off if nobody needs it; that stays.",
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
        "bulletin-drafted": "Bulletin {bulletin} drafted for {period}",
        "bulletin-objected": "Objection to draft bulletin {bulletin}: {reason}",
        "bulletin-answered": "Objection to draft bulletin {bulletin} answered: {reason}",
        "bulletin-issued": "Bulletin {bulletin} for {period} issued",
        "bulletin-withdrawn": "Draft bulletin {bulletin} for {period} withdrawn: {reason}",
        "released": "Released",
        "unsaid": "Not said because of a hold",
        "shifted": "Holidays were announced: due {due} (was {before})",
        "redated": "Date of the chase put right",
        "opened": "Opened and assigned, due {due}",
        "spoke": "{kind}",
        "submitted": "Evidence version {version} submitted, receipt {receipt}",
        "filled": "Figures put into the draft by a sheet, not submitted yet",
        "progress-noted": "Progress: {reason}",
        "problems-noted": "Problems: {reason}",
        "nil-returned": "Nil return (version {version}), receipt {receipt}",
        "handed-on": "Handed on to {reason} (link {link})",
        "sampled": "A sample drawn from what awaits review, {n} of {pool}",
        "revealed": "Suspected personal data of version {version} looked at",
        "accepted": "Accepted. {reason}",
        "returned": "Returned: {reason} To be mended by {due}",
        "extended": "Extended to {due} (was {before}): {reason}",
        "moved": "The clause was amended: due {due} (was {before}). {reason}",
        "reworded": "The clause was amended: the duty takes its new wording. {reason}",
        "applied": "Edited files put in force ({digest:.12}): {opens} duties opened, "
        "{moves} dates moved, {closes} closed. {reason}",
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
        "paper": "Made {number}",
        "paper-void": "{number} became void before it left; the number is not used again",
        "resent": "Letter {letter} sent again",
        "revived": "{letters} letters revived: {agencies}",
        "suspended": "Address of {agency} refuses letters, suspended",
        "lifted": "Address of {agency} used again",
        "sending": "Sending: {on}",
        "restored": "Restored from the backup of {backup}; sending is off",
        "tick-missed": "No daily chase since {last}; {chases} missed",
        "tick-again": "The daily chase happens again",
        "marked": "Marked {label}",
        "interfered": "In Prefect {what} (found {found}); put back to {put}",
        "restaged": "{runs} runs in Prefect were not as the ledger says; put right",
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
    periods={
        "": "{year}",
        "SY": "school year {year}–{next}",
        "H": "half-year {n} of {year}",
        "Q": "quarter {n} of {year}",
        "-": "{n} {year}",
    },
    turns={"H": "12", "Q": "1234", "-": list(month_name)[1:]},
    asks={
        "text": "text",
        "integer": "{unit}",
        "ratio": "{numerator} / {denominator}",
        "date": "date",
        "url": "web address",
        "files": "{min}–{max} files",
    },
    optional="optional",
    comma=", ",
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
        "bulletin": (
            "Look through the draft bulletin: object to its figures in time; issue it after that",
            "duban bulletin show {subject}",
        ),
        "escalated": (
            "See to the duties about which a formal letter, or one to a superior, went out",
            "duban status --overdue",
        ),
        "no-chase": (
            "Get the daily chase going again: it has not happened for days; see whether the "
            "services run and whether somebody paused the chase",
            "duban tick",
        ),
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
    channels={
        "mail": "e-mail",
        "wecombot": "WeCom robot",
        "wecombot-text": "WeCom robot",
        "dingtalk": "DingTalk robot",
        "feishu": "Feishu robot",
        "apprise": "another channel",
    },
    deliveries={
        "sent": "{kind} delivered to {recipient} ({channel})",
        "drop": "{kind} put into the drop folder for {recipient}",
        "hand": "{kind} handed over to {recipient}",
        "failed": "{kind} did not reach {recipient}: {why}",
        "resent": "{kind} to {recipient} is sent again",
        "pending": "{kind} to {recipient} waits to be sent",
        "telephone": "{recipient} called by telephone",
        "why-no-contact": "there is no address that works; it lies in the drop folder",
        "why-suspended": "its address refused letters and is suspended; it lies in the drop folder",
        "why-permanent": "the other side refused it",
        "why-temporary": "every try failed",
        "why-ambiguous": "no try was answered",
    },
    card={
        "due": "due",
        "late": "Overdue",
        "late_as_of": "{days} days as of {day}",
        "late_closed": "{days} days late",
        "late_original": "{days} days against the first due day",
        "next": "Next",
        "next_on": "{day} {rung}",
        "next_reached": "{rung}, its day {day} has come",
        "approval": "after approval",
        "awaits": "{rung} awaits approval",
        "held": "held until {day}",
        "held_open": "held until resumed",
        "then": "then {next}",
        "undelivered": "counts from the delivery of the first letter",
        "last": "Last letter",
        "nil": "nil return",
        "at_desk": "(read it at the desk)",
        "files": "{n} files",
        "region": "Region",
    },
    meddled={
        "deleted": "the run was deleted",
        "state": "its state was changed",
        "name": "it was renamed",
        "tags": "its tags were changed",
        "absent": "deleted",
    },
    personal={
        "id-number": "an identity card number",
        "telephone": "a mobile number",
        "bank-card": "a bank card number",
        "roster": "a list of people",
    },
    boards={
        "board": "Overview",
        "overdue": "Overdue",
        "due-7": "Due within 7 days",
        "due-30": "Due within 30 days",
        "under-review": "Under review",
        "scoreboard": "Scoreboard",
        "targets": "Targets",
        "targets-picture": "Targets, a picture",
        "delivery": "Delivery",
        "opened": "Expected and opened",
        "count": "{n} in all",
        "portal": "list in the portal",
        "runs": "list of runs",
        "more": "{n} more are not listed; see the [list in the portal]({link}).",
        "none": "None.",
        "soft": "Encouraged matters, never counted as overdue",
        "soft-late": "{n} encouraged matters are past their day; they do not count as overdue.",
        "left": "Days left",
        "submitted": "Submitted",
        "waited": "Days waiting",
        "region": "Region",
        "department": "Department",
        "required": "To be done",
        "share": "Accepted",
        "of-soft": "Encouraged",
        "share-note": "To be done leaves out what is waived or not applicable, and counts nil "
        "returns and encouraged matters, unlike what a bulletin calls required; the share accepted "
        "is of binding matters. A region's name leads to its overdue runs, a number to the portal.",
        "cell-note": "Each cell: the worst light, how many show it, and how many there are.",
        "target": "target {n}%",
        "whole": "Total",
        "coverage": "{n} of {all} have accepted figures; the newest of each counts",
        "gap": "To target (points)",
        "change": "Change (points)",
        "rate": "Rate",
        "counted": "Accepted",
        "in-review": "Under review",
        "no-data": "No accepted figures yet: {names}.",
        "missing": "{period} not reported yet: {names}.",
        "by-period": "Accepted rate by period",
        "history-note": "The total adds up the newest accepted figures as of that period.",
        "nothing-yet": "No accepted figures yet; the picture follows the first of them.",
        "legend": "Full dot: newest accepted; hollow dot: the one before; diamond: under "
        "review. Line: the target; green has reached it, red has not.",
        "acts": "Act",
        "acts-told": "review, extend, waive, reopen, hold and other forms",
        "omitted": "{n} with higher rates are not drawn.",
        "sending-on": "Sending is on.",
        "sending-off": "Sending is off; letters go to the drop folder only.",
        "letters": "Letters",
        "amount": "Number",
        "oldest": "The oldest letter that waits was due out at {at}.",
        "attempts": "Attempts of the past 7 days",
        "channel": "Channel",
        "tries": "Tries",
        "accepted": "Accepted",
        "temporary": "Temporary",
        "permanent": "Refused",
        "ambiguous": "Unknown",
        "other": "Other",
        "chores": "Tasks of the coordinator",
        "addresses": "{suspended} addresses suspended; {without} agencies without an address.",
        "matched": "expected {expected}, opened {opened} that day",
        "no-tick": "Not checked yet.",
        "checks": "Checks",
        "expected": "Expected",
        "opened-count": "Opened",
        "opened-note": "Every check compares the notice and the calendar with what is there, and "
        "opens what is missing. Expected is what the day's last full check found.",
    },
    amendment={
        "what": "Change",
        "count": "How many",
        "which": "Which",
        "notices-new": "new notices",
        "notices-changed": "notices changed",
        "notices-left": "notices gone",
        "clauses-new": "new clauses",
        "clauses-changed": "clauses changed",
        "clauses-left": "clauses gone",
        "agencies-new": "new agencies",
        "recipients": "recipients changed",
        "agencies-left": "agencies gone",
        "policy": "rules of the chase changed",
        "opens": "duties opened",
        "recounts": "dates counted anew by the calendar",
        "moves": "dates moved",
        "moves-stay": "dates that differ, kept",
        "late": "of these overdue at once",
        "rewords": "new wording taken",
        "rewords-stay": "old wording kept",
        "closes": "duties closed",
        "closes-stay": "gone from the files, kept",
        "untouched": "under review, never touched",
        "stay": "What is kept stays as it is: --move moves dates and gives the new wording, "
        "--close closes what is gone.",
        "summary": "Opens {opens} duties, moves {moves} dates, closes {closes}, "
        "changes {recipients} recipients.",
        "nothing": "Nothing to apply.",
        "text-only": "Only comments or layout changed; no duty is concerned.",
        "adopted": "first in force",
        "more": "{n} in all",
        "left-clause": "Its clause has left the files",
        "left-cycle": "Its cycle has left the clause",
        "left-agency": "The agency answers for the clause no more",
        "left-period": "The clause's cycle is another one now",
        "part-text": "text",
        "part-quote": "quote",
        "part-title": "matter",
        "part-section": "section",
        "part-modality": "firmness",
        "part-level": "level",
        "part-departments": "departments",
        "part-agencies": "agencies",
        "part-reports": "who reports",
        "part-cycles": "cycles",
        "part-evidence": "evidence",
        "part-target": "target",
        "part-done": "what shows it done",
        "part-ladder": "ladder",
        "part-ladders": "ladders",
        "part-calendar": "calendar",
        "part-limits": "quiet hours and letters a week",
        "part-papers": "papers and their numbers",
        "part-keep": "years kept",
        "part-notes": "notes",
        "part-name": "name",
        "part-superior": "superior",
        "part-office": "office",
        "part-telephone": "telephone",
        "part-channel": "address",
        "part-userid": "user id",
    },
)


def words(language: str) -> Words:
    """The words of a language; Chinese unless it is English."""
    return EN if language == "en" else ZH


def period_words(w: Words, period: str) -> str:
    """A period's code as people filter by it: 2026Q3, 学年 2026–27, 一次性."""
    if period == "once":
        return w.once
    if period.startswith("SY"):
        start = int(period.removeprefix("SY"))
        return w.school_year.format(start=start, end=(start + 1) % 100)
    return period


def rung_words(rung: Rung, w: Words) -> str:
    """A rung as people call it."""
    return rung.title or w.kinds[rung.kind]


def period_prose(w: Words, period: str) -> str:
    """A period in prose: 2026年第三季度, 2026—2027学年, 一次性; what is no period stays."""
    if period == "once":
        return w.once
    found = _PERIOD.fullmatch(period)
    if found is None:
        return period
    school, year, mark, turn = found.groups()
    kind = school or mark or ""
    turns = dict(enumerate(w.turns.get(kind, ()), start=1))
    n = turns.get(int(turn or 0), turn or "")
    return w.periods[kind].format(year=year, next=int(year) + 1, n=n)


_PERIOD = re.compile(r"(SY)?(\d{4})(?:(-|Q|H)(\d\d?))?")


def due_words(w: Words, due_at: datetime, zone: ZoneInfo, period: str) -> str:
    """A due day as short as it can be without doubt: the year stands only outside its period."""
    day = due_at.astimezone(zone).date()
    short = w.due.format(month=day.month, day=day.day)
    if period[:4] == str(day.year):
        return short
    before, month, after = short.partition(f"{day.month:02}-")
    return f"{before}{day.year}-{month}{after}"


def until_words(w: Words, day: date) -> str:
    """The last day of a hold in ISO form, or that it lasts until somebody ends it."""
    return w.labels["endless"] if day == ENDLESS else day.isoformat()


def day_words(instant: str, zone: ZoneInfo) -> str:
    """The civil day of an instant in ISO form."""
    return datetime.fromisoformat(instant).astimezone(zone).date().isoformat()


def asked_words(w: Words, evidence: Mapping[str, Any]) -> str:
    """What one evidence field asks for, as `标签:类型`."""
    kind = str(evidence["type"])
    asked = w.asks[kind].format(**evidence)
    told = w.comma.join(filter(None, (asked, "" if evidence["required"] else w.optional)))
    return evidence["label"] + (w.brackets.format(told) if told else "")


def section_words(language: str, section: str) -> str:
    """A section as prose cites it: 三（四） for the file's 三(四) in Chinese."""
    return section.translate(_WIDE) if language == "zh" else section


_WIDE = str.maketrans("()", "（）")


def within_marks(text: str) -> str:
    """A text as it stands within quotation marks: its own become single ones."""
    return text.translate(_SINGLE)


_SINGLE = str.maketrans("“”", "‘’")


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
        if key in data and event.action != "applied":  # there it is a digest
            data[key] = day_words(str(data[key]), zone)
    if "kind" in data:
        data["kind"] = w.kinds[Kind(data["kind"])]
    if "status" in data:
        data["status"] = w.status[Status(data["status"])]
    if event.action == "interfered":
        data["what"] = w.join.join(w.meddled[one] for one in data["what"])
        data["found"] = w.meddled.get(data["found"], data["found"])
    if "petition" in data:
        data["petition"] = w.petitions[data["petition"]].format(until=data.get("until"))
    endless = event.action == "held" and data.get("until") == ENDLESS.isoformat()
    told = w.labels["held_endless"] if endless else None
    sentence = told or w.actions.get(event.action, event.action)
    return sentence.format(**data, reason=event.text).strip()
