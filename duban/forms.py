"""What the forms of the Prefect UI say and answer, in Chinese and English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duban.words import words


@dataclass(frozen=True, slots=True)
class Form:
    """One act: its title, what it does and how to undo it, in Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: its title, and what is to be put in."""

    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class FormWords:
    """One language.

    Attributes:
        name: of a deployment, with the form's {title}.
        standing: what the flows do that run by themselves, by their name.
        fields: by `act.parameter`, else by `parameter`.
        choices: what drop-downs offer, by the code that the flows use.
        answers: the sentence of an act that was carried out.
        done: the state of its run, by the same name.
        refused: the state of a run that was not.
        faults: the sentence of a refusal, by the name of its error or of its own.
        actor: how history names whoever declared a staff code; no account is named like that.
    """

    name: str
    forms: Mapping[str, Form]
    standing: Mapping[str, str]
    fields: Mapping[str, Field]
    choices: Mapping[str, str]
    answers: Mapping[str, str]
    done: Mapping[str, str]
    refused: str
    faults: Mapping[str, str]
    actor: str
    declared: str
    colon: str
    stop: str
    between: str
    links: Mapping[str, str]
    columns: Mapping[str, str]

    def field(self, act: str, parameter: str) -> Field | None:
        """The field of that name in that flow's form; None for one that nobody fills in."""
        return self.fields.get(f"{act}.{parameter}") or self.fields.get(parameter)


_ZH_REASON = "会写入办理记录和函件。不得填写姓名、证件号码、手机号码等个人信息。"
_ZH_DECLARED = "登记人为自行申报的工号，办理记录中注明“自报”；需要实名办理的，请到门户办理。"

ZH = FormWords(
    name="办理 · {title}",
    forms={
        "review": Form(
            "审核",
            "对责任单位报送的佐证材料作出审核决定。\n\n"
            "- **通过**：该事项销号，催办随即停止。\n"
            "- **退回**：须选择退回原因或写明理由；责任单位收到退回函，按新时限重报。\n\n"
            "材料请先在门户中查看。办错了的：通过的可用“办理 · 重启”恢复；"
            f"退回的，责任单位重报后再审。\n\n{_ZH_DECLARED}",
        ),
        "extend": Form(
            "延期",
            "把一项待报或退回的事项的时限改到更晚的一天。\n\n"
            "原时限保留在办理记录中；责任单位收到延期函，催办按新时限重新起算。"
            f"时限只能后延，办错了的可再次延期。\n\n{_ZH_DECLARED}",
        ),
        "waive": Form(
            "免办、不适用",
            "不再要求责任单位报送某一事项，催办随即停止。\n\n"
            "**免办**是准予不报，**不适用**是该事项与该单位无关，两者分别统计。"
            f"办错了的，可用“办理 · 重启”恢复。\n\n{_ZH_DECLARED}",
        ),
        "reopen": Form(
            "重启",
            "把已经销号、免办或不适用的事项恢复为待报。\n\n"
            "时限不变，责任单位收到重启函，催办重新开始。误办的销号、免办用它撤销；"
            f"误办的重启，可再办“免办”，或待重报后审核。\n\n{_ZH_DECLARED}",
        ),
        "call": Form(
            "电话催办登记",
            "登记一次电话催办。\n\n"
            "当天应发的那一级函件视为已经说过，不再重复发出。登记后不能删除；"
            f"有误的，请再登记一次予以说明。\n\n{_ZH_DECLARED}",
        ),
        "send_again": Form(
            "重新投递函件",
            "把投递失败或无法送达的函件重新列入待发。\n\n"
            "发出前按当时尚未办结的事项重新写成；都已办结的，不再发出。"
            f"已经送达的函件不重发。\n\n{_ZH_DECLARED}",
        ),
        "hold": Form(
            "暂停催办",
            "在某日之前不向某单位发函，或者不就某条款发函；两者都选的，只暂停两者重合的事项。\n\n"
            "尚未发出的函件随即撤下，时限不变；到期自动恢复，也可用“办理 · 恢复催办”提前恢复。"
            f"\n\n{_ZH_DECLARED}",
        ),
        "release": Form(
            "恢复催办",
            "提前结束一次暂停，从下一次催办起照常发函。\n\n"
            f"办错了的，可重新暂停。\n\n{_ZH_DECLARED}",
        ),
        "open_period": Form(
            "立即立项",
            "立即为某条款当前周期立项交办，并发出交办函，不等定时任务。\n\n"
            "只补缺的，已经立项的不会重复，可放心多次办理。填写起始日期的，"
            "该日以后开始而漏立的周期一并补立。立错的事项，可用“办理 · 免办、不适用”办结。",
        ),
        "rebuild_mirror": Form(
            "重建页面",
            "按台账逐项核对 Prefect 页面上的全部事项：缺的补上，多余的移除，被改动的改回。\n\n"
            "页面丢失、被改乱或者与门户不一致时使用，可放心多次办理。台账不受影响；"
            "事项较多时需要几分钟。",
        ),
        "rehearse": Form(
            "推演催办",
            "在副本上推演今后若干天的催办，列出哪天会立项几项、向谁发什么函。\n\n"
            "推演假定其间无人报送、无人批准。不发函，不改动任何数据。",
        ),
        "export": Form(
            "导出台账",
            "把督办台账写成 Excel 文件，项数不限；写到哪里，看运行页面的进度。\n\n"
            "写好后从门户下载，保存 7 天；可以填写后再导入。不改动任何数据，可放心多次办理。",
        ),
        "report": Form(
            "拟写通报",
            "按截止时刻定格数据，拟出某一期间的通报草稿。\n\n"
            "草稿列入各督办人员的待办，异议期满、异议全部答复后在门户签发。同一期间已有草稿的，"
            "不另拟；要重新拟写，请先在门户撤回草稿。各项都不填的，拟写上月的通报，"
            "季度末、年末一并拟写季度、年度的；每月 5 日自动运行一次。",
        ),
    },
    standing={
        "chase": "每天早晨自动运行：立项、催办、投递函件。可放心重复运行，同一时刻不会重复发函。",
        "board": "每天早晨自动运行：生成当日看板。有超期事项时以“超期”结束，显示为红色。",
        "upkeep": "每天夜间自动运行：清理已中断的运行和过期的运行记录。督办事项的运行一律保留。",
        "deliver": "到时自动运行：投递此前推迟的函件。",
        "tell": "由自动化规则运行：把需要立即处理的情况列入协调人员的待办并告知。",
    },
    fields={
        "duty": Field("事项编号", "督办事项的编号，见事项卡片、看板或门户，只填数字。"),
        "staff_code": Field("工号", "登记人的工号：2 至 20 位数字、字母或短横线。不要填写姓名。"),
        "decision": Field("审核决定", "通过即销号；退回的，另填退回原因或审核意见。"),
        "codes": Field("退回原因", "退回时选择，可以多选；选“其他”的，须在下一栏写明。"),
        "review.reason": Field("审核意见", f"退回时与退回原因合并告知责任单位。{_ZH_REASON}"),
        "review.due_on": Field("重报时限", "退回时填写，须在今天之后；不填的，为五个工作日。"),
        "version": Field("材料版本", "所审核的是第几版；已有更新版本的，本次不予办理。可以不填。"),
        "extend.due_on": Field("新时限", "须晚于今天和现行时限，当日 24 时止。"),
        "reason": Field("理由", _ZH_REASON),
        "kind": Field("办理方式", "免办：准予不报。不适用：与该单位无关。"),
        "said": Field(
            "通话情况",
            "对方职务和约定的事项。不得填写姓名、证件号码、手机号码等个人信息。",
        ),
        "letter": Field("函件编号", "函件的编号，见门户“函件”页，只填数字。"),
        "agency": Field("责任单位", "不选的，为所有单位。"),
        "hold.clause": Field("责任条款", "不选的，为所有条款。单位和条款至少选一项。"),
        "until": Field("暂停至", "暂停的最后一天（含当日），不得早于今天。"),
        "hold": Field(
            "暂停编号", "办理“暂停催办”时给出的编号，也可用命令 `duban holds` 查看，只填数字。"
        ),
        "clause": Field("责任条款", "选择要立项的条款。"),
        "since": Field("起始日期", "同时补立该日以后开始的周期。一般不填。"),
        "day": Field("从哪天起", "不得早于今天；不填的，为今天。"),
        "days": Field("推演天数", "1 至 60 天。"),
        "as_of": Field("截至时刻", "以此刻为准办理，一般不填，即为当前时刻。"),
        "cycle.clause": Field("责任条款", "条款的标识，已经填好，请勿改动。"),
        "period": Field(
            "统计期间", "写成 2026-10、2026Q3、2026H1、2026 或 SY2026；不填的，为刚结束的期间。"
        ),
        "cut_off": Field("截止日期", "数据截至当日 24 时；不填的，截至此刻。"),
        "export.clause": Field("责任条款", "不选的，为所有条款。"),
        "export.day": Field("截至日期", "该日终了时的情况，须早于今天；不填的，为当前情况。"),
        "by_region": Field("分地区", "每个地区一张工作表。"),
        "report.staff_code": Field("工号", "拟稿人的工号，可以不填。不要填写姓名。"),
        "what": Field("告知事项", "由自动化规则填写，请勿改动。"),
    },
    choices={
        "accept": "通过，销号",
        "return": "退回重报",
        "waive": "免办",
        "not-applicable": "不适用",
    },
    answers={
        "accepted": "已审核通过，销号",
        "returned": "已退回，限 {due} 前重报",
        "extended": "已延期至 {due}",
        "waived": "已免办",
        "not-applicable": "已认定不适用",
        "reopened": "已重启，时限为 {due}",
        "called": "已登记电话催办",
        "resent": "第 {letter} 号函件已列入待发",
        "held": "已暂停至 {until}（暂停编号 {hold}）",
        "released": "第 {hold} 号暂停已解除，恢复催办",
        "opened": "应有 {expected} 项，新立项 {opened} 项",
        "mirrored": "页面已按台账重建，共 {runs} 项",
        "left-to-another": "另一次同步正在进行，由它按台账重建，请稍后查看",
        "exported": "已导出 {rows} 项，请从门户下载",
        "drafted": "已拟出 {periods} 通报草稿，请核对",
        "stands": "{periods} 通报已经拟出，未另拟",
        "rehearsed": "{first} 至 {last}：立项 {opens} 项，发函 {letters} 封，"
        "待批准 {proposed} 件；以上为推演，未改动任何数据",
    },
    done={
        "accepted": "已通过",
        "returned": "已退回",
        "extended": "已延期",
        "waived": "已免办",
        "not-applicable": "不适用",
        "reopened": "已重启",
        "called": "已登记",
        "resent": "已列入待发",
        "held": "已暂停",
        "released": "已恢复",
        "opened": "已立项",
        "mirrored": "已重建",
        "left-to-another": "重建中",
        "rehearsed": "推演完成",
        "exported": "已导出",
        "drafted": "已拟稿",
        "stands": "已有通报",
    },
    refused="未办理",
    faults={
        "NoSuchDuty": "没有第 {duty} 号事项，请核对事项编号。",
        "IllegalAct": "事项“{named}”现为“{status}”，不能办理“{act}”，请先查看该事项的最新记录。",
        "NewerVersion": "事项“{named}”已有更新的材料版本，本次未办理，请先审核最新版本。",
        "DueDateRefused": "新的时限须晚于今天和现行时限 {due}，请重新填写。",
        "NotWaiting": "事项“{named}”现为“{status}”，无需电话催办。",
        "NoSuchHold": "没有正在生效的第 {hold} 号暂停，请核对编号（命令 `duban holds` 可查）。",
        "NotUndelivered": "第 {letter} 号函件不在未送达之列，请在门户“函件”页核对编号。",
        "past": "{day} 已经过去，请填写今天或以后的日期。",
        "not-past": "{day} 还没有过去，请填写早于今天的日期，或者不填。",
        "too-far": "{day} 过远，请填写 {days} 天以内的日期。",
        "no-reason": "退回的，请选择退回原因或写明理由；选“其他”的，须写明理由。",
        "no-version": "事项“{named}”没有第 {version} 版材料，请核对版本。",
        "whom": "请选择责任单位或责任条款，至少选一项。",
        "no-agency": "没有“{given}”这个单位，请从下拉框中选择。",
        "no-clause": "没有“{given}”这一条款，请从下拉框中选择。",
        "no-period": "没有“{period}”这个统计期间，请写成 2026-10、2026Q3、2026H1、2026 或 SY2026。",
        "not-begun": "{period} 在截止时刻还没有开始，请改选较晚的截止日期。",
        "ahead": "截止日期 {day} 晚于今天，请改选今天或以前的日期。",
        "missing": "“{title}”必须填写，请重新填表。",
        "unfit": "“{title}”填写有误：{hint}",
        "personal": "“{title}”中疑似有证件号码、手机号码、银行卡号或人员名单，未予办理；"
        "请删去后重新填表。",
        "again": "这次办理以前已经执行过，为免重复，未再执行；"
        "请先查看办理记录，确未办成的，请重新填表。",
        "no-run": "督办事项不在这里执行。请到 {page} 办理，"
        "或使用“办理 · 审核”等表单，也可用命令 `duban review`。",
        "portal": "按规定，“{act}”只在门户办理，请到 {page} 办理。",
    },
    actor="工号 {code}（自报）",
    declared="（登记人 {code}，自报）",
    colon="：",
    stop="。",
    between="；",
    links={
        "portal": "在督办门户中查看",
        "run": "查看事项的办理情况",
        "workbook": "下载台账",
    },
    columns={
        "day": "日期",
        "opens": "立项",
        "recipient": "收件单位",
        "kind": "函件",
        "duties": "事项数",
        "channel": "渠道",
        "proposed": "待批准",
    },
)

_EN_REASON = (
    "Goes into the history and the letter. No names, identity numbers, mobile numbers or other "
    "personal data."
)
_EN_DECLARED = (
    "The staff code is recorded as declared; to decide under a name of your own, use the portal."
)

EN = FormWords(
    name="Act · {title}",
    forms={
        "review": Form(
            "review",
            "Decides on the evidence that an agency has handed in.\n\n"
            "- **Accept** closes the duty; its chase ends.\n"
            "- **Return** needs what is wrong, or a reason; the agency gets a letter and a new due "
            "day.\n\nLook at the evidence in the portal first. To undo: `Act · reopen` opens what "
            f"was accepted; what was returned is reviewed again when it comes.\n\n{_EN_DECLARED}",
        ),
        "extend": Form(
            "extend",
            "Moves the due day of a duty that waits for its agency to a later one.\n\n"
            "The first due day stays on record; the agency gets a letter, and its chase counts "
            "from the new day. A due day only moves on; to mend one, extend again.\n\n"
            f"{_EN_DECLARED}",
        ),
        "waive": Form(
            "waive",
            "Asks for no evidence of a duty any more; its chase ends.\n\n"
            "**Waived** is excused, **not applicable** does not concern the agency; they are "
            f"counted apart. To undo: `Act · reopen`.\n\n{_EN_DECLARED}",
        ),
        "reopen": Form(
            "reopen",
            "Opens a closed duty again.\n\n"
            "Its due day stays; the agency gets a letter, and its chase begins anew. It undoes a "
            f"wrong acceptance or waiver; to undo it, waive or review the duty.\n\n{_EN_DECLARED}",
        ),
        "call": Form(
            "record a call",
            "Records that the agency was called.\n\n"
            "The letter whose turn it was today counts as said. A record is not taken back; "
            f"record another one to put it right.\n\n{_EN_DECLARED}",
        ),
        "send_again": Form(
            "send a letter again",
            "Has a letter that was given up or reached nobody sent again.\n\n"
            "It is written anew from what is still open when it goes, and does not go if that is "
            f"nothing. A letter that was delivered is not sent again.\n\n{_EN_DECLARED}",
        ),
        "hold": Form(
            "hold",
            "Keeps silent towards an agency, or about a clause, until a day; with both, only "
            "where they meet.\n\nLetters that have not gone are taken back, due days stay. It "
            f"ends by itself; `Act · release` ends it earlier.\n\n{_EN_DECLARED}",
        ),
        "release": Form(
            "release",
            "Ends a hold before its day; the next chase says what is due.\n\n"
            f"To undo it, hold again.\n\n{_EN_DECLARED}",
        ),
        "open_period": Form(
            "open a period now",
            "Opens the clause's current period at once and delivers its letters, without waiting "
            "for the schedule.\n\nOnly what is missing is opened, so it may be run at any time. "
            "With a day, periods that began since and were missed are opened too. A duty that "
            "should not be there is closed with `Act · waive`.",
        ),
        "rebuild_mirror": Form(
            "rebuild these pages",
            "Compares every duty's run in Prefect with the ledger: makes what is missing, removes "
            "what does not belong, and puts right what was changed.\n\nFor pages that were lost, "
            "or differ from the portal; safe to repeat. The ledger is not touched. With many "
            "duties it takes minutes.",
        ),
        "rehearse": Form(
            "rehearse the chase",
            "Rehearses the chase of coming days on a copy: what would open, and which letters "
            "would go to whom.\n\nAs if no evidence came and nothing were approved. Nothing is "
            "sent or written.",
        ),
        "export": Form(
            "export the ledger",
            "Writes the ledger as an Excel file, however long it is; the run shows how far it is."
            "\n\nIt is fetched in the portal, where it waits for 7 days, and can be filled in and "
            "imported. Nothing is changed; safe to repeat.",
        ),
        "report": Form(
            "draft a bulletin",
            "Freezes the facts as of a cut-off and drafts the bulletin of a period.\n\n"
            "The draft goes onto the coordinators' list; it is issued in the portal when its "
            "objection window is over and every objection is answered. A draft that stands is left "
            "alone: withdraw it in the portal to draft anew. With nothing filled in, the month "
            "before is drafted, and the quarter and year that ended with it. It runs by itself on "
            "the 5th of each month.",
        ),
    },
    standing={
        "chase": "Runs each morning: opens what is due, chases, delivers. Safe to repeat: the same "
        "moment says nothing twice.",
        "board": "Runs each morning: the boards of the day. Ends red while something is overdue.",
        "upkeep": "Runs each night: ends runs whose process is gone, and removes old ones. Runs of "
        "duties stay.",
        "deliver": "Runs when letters that were put off can go.",
        "tell": "Run by the automations: puts what cannot wait onto the coordinator's list.",
    },
    fields={
        "duty": Field("Duty", "Its number, as on its card, the boards and in the portal."),
        "staff_code": Field("Staff code", "Yours: 2 to 20 digits, letters or hyphens. No name."),
        "decision": Field("Decision", "A return also needs what is wrong, or a remark."),
        "codes": Field("What is wrong", "For a return, one or more; `other` needs the next field."),
        "review.reason": Field("Remark", f"Told to the agency with a return. {_EN_REASON}"),
        "review.due_on": Field(
            "To be mended by", "For a return, after today; five working days unless given."
        ),
        "version": Field(
            "Version", "The version that you reviewed; refused if a newer one has come. Optional."
        ),
        "extend.due_on": Field("New due day", "After today and after the due day in force."),
        "reason": Field("Reason", _EN_REASON),
        "kind": Field("How", "Waived: excused. Not applicable: does not concern the agency."),
        "said": Field(
            "What was said",
            "The office you spoke to, and what was agreed. No names, identity numbers, mobile "
            "numbers or other personal data.",
        ),
        "letter": Field("Letter", "Its number, as on the portal's page of letters."),
        "agency": Field("Agency", "All of them unless chosen."),
        "hold.clause": Field("Clause", "All of them unless chosen. Choose an agency or a clause."),
        "until": Field("Until", "The last silent day, today or later."),
        "hold": Field("Hold", "Its number, as told when it began; `duban holds` lists them."),
        "clause": Field("Clause", "The clause whose period is to be opened."),
        "since": Field("Since", "Also periods that began on or after this day. Seldom needed."),
        "day": Field("First day", "Today or later; today unless given."),
        "days": Field("Days", "1 to 60."),
        "as_of": Field("As of", "The moment to look from; seldom given, now unless it is."),
        "cycle.clause": Field("Clause", "Its key, which is filled in already; leave it."),
        "period": Field(
            "Period", "Like 2026-10, 2026Q3, 2026H1, 2026 or SY2026; what just ended unless given."
        ),
        "cut_off": Field("Cut-off day", "The facts as of its end; as of now unless given."),
        "export.clause": Field("Clause", "All of them unless chosen."),
        "export.day": Field("As of the end of", "A day that is past; as of now unless given."),
        "by_region": Field("By region", "A sheet for each region."),
        "report.staff_code": Field("Staff code", "Of whoever drafts; may be left out. No names."),
        "what": Field("What", "Filled in by the automations; leave it."),
    },
    choices={
        "accept": "accept",
        "return": "return",
        "waive": "waived",
        "not-applicable": "not applicable",
    },
    answers={
        "accepted": "accepted",
        "returned": "returned, to be mended by {due}",
        "extended": "extended to {due}",
        "waived": "waived",
        "not-applicable": "not applicable",
        "reopened": "open again, due {due}",
        "called": "the call is recorded",
        "resent": "letter {letter} waits to be sent",
        "held": "held until {until} (hold {hold})",
        "released": "hold {hold} is released",
        "opened": "expected {expected}, opened {opened}",
        "mirrored": "rebuilt from the ledger, {runs} runs",
        "left-to-another": "another sync is at work and rebuilds them; look again in a while",
        "exported": "{rows} duties exported; download the file from the portal",
        "drafted": "drafted for {periods}; look through it",
        "stands": "drafted for {periods} already; nothing new",
        "rehearsed": "{first} to {last}: opens {opens}, {letters} letters, {proposed} for "
        "approval; a rehearsal, nothing was touched",
    },
    done={
        "accepted": "Accepted",
        "returned": "Returned",
        "extended": "Extended",
        "waived": "Waived",
        "not-applicable": "NotApplicable",
        "reopened": "Reopened",
        "called": "Recorded",
        "resent": "WaitsToBeSent",
        "held": "Held",
        "released": "Released",
        "opened": "Opened",
        "mirrored": "Rebuilt",
        "left-to-another": "Rebuilding",
        "rehearsed": "Rehearsed",
        "exported": "Exported",
        "drafted": "Drafted",
        "stands": "Stands",
    },
    refused="Refused",
    faults={
        "NoSuchDuty": "There is no duty {duty}; check its number.",
        "IllegalAct": "{named} is {status}, which does not allow: {act}; look at its history.",
        "NewerVersion": "{named} has a newer version by now; look at that one first.",
        "DueDateRefused": "The new due day must lie after today and after {due}; choose a later.",
        "NotWaiting": "{named} is {status}; nobody has to be called.",
        "NoSuchHold": "There is no hold {hold} in force; `duban holds` lists them.",
        "NotUndelivered": "Letter {letter} is not among those that could not be delivered; check "
        "its number in the portal.",
        "past": "{day} has passed; choose today or a later day.",
        "not-past": "{day} has not passed; choose an earlier day, or none.",
        "too-far": "{day} is too far; choose one within {days} days.",
        "no-reason": "A return needs what is wrong, or a remark; `other` needs a remark.",
        "no-version": "{named} has no version {version}; check it.",
        "whom": "Choose an agency or a clause, or both.",
        "no-agency": "There is no agency '{given}'; choose one of the list.",
        "no-clause": "There is no clause '{given}'; choose one of the list.",
        "no-period": "There is no period '{period}'; write one like 2026-10, 2026Q3, 2026H1, "
        "2026 or SY2026.",
        "not-begun": "{period} has not begun by the cut-off; choose a later one.",
        "ahead": "The cut-off day {day} lies ahead; choose one up to today.",
        "missing": "'{title}' is required; fill in the form again.",
        "unfit": "'{title}' does not fit: {hint}",
        "personal": "'{title}' seems to hold an identity, mobile or bank card number or a list of "
        "names, so nothing was done; fill in the form again without it.",
        "again": "This run was started before and is not carried out twice; look at the history, "
        "and fill in a new form if it was not done.",
        "no-run": "A duty is not run. Decide on it at {page}, with a form such as `Act · review`, "
        "or with `duban review`.",
        "portal": "Here '{act}' is done in the portal only; go to {page}.",
    },
    actor="staff code {code} (as declared)",
    declared=" (staff code {code}, as declared)",
    colon=": ",
    stop=".",
    between="; ",
    links={
        "portal": "Open in the portal",
        "run": "Open the duty's run",
        "workbook": "Download the ledger",
    },
    columns={
        "day": "Day",
        "opens": "Opens",
        "recipient": "To",
        "kind": "Letter",
        "duties": "Duties",
        "channel": "Channel",
        "proposed": "For approval",
    },
)

RETURNS = tuple(words("zh").returns)
"""The codes of what can be wrong with evidence."""


def form_words(language: str) -> FormWords:
    """The words of a language; Chinese unless it is English."""
    return EN if language == "en" else ZH


def code_of(given: object) -> object:
    """The code of what a drop-down offers, in either language; anything else as it is."""
    return _CODES.get(given, given) if isinstance(given, str) else given


def why_returned(language: str, codes: Sequence[str], remark: str) -> str:
    """The reason of a return as its letter gives it; empty when nothing is said but `other`."""
    w, f = words(language), form_words(language)
    named = w.join.join(w.returns[code] for code in codes if code != "other")
    told = f.between.join(part for part in (named, remark) if part)
    return told if not told or told.endswith(("。", ".", "！", "？", "!", "?")) else told + f.stop


_CODES: Mapping[str, str] = {
    word: code
    for language in ("zh", "en")
    for offered in (form_words(language).choices, words(language).returns)
    for code, word in offered.items()
}
