"""The words of bulletins, in Chinese and in English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from duban.registry import clock
from duban.reports.asked import Group, Measure
from duban.words import civil_words, period_prose, words


@dataclass(frozen=True, slots=True)
class Texts:
    """One language, with what its sentences speak of in braces.

    Attributes:
        zones: what people call a time zone.
        measures, rates: headings of columns and rows; rates by the names they have in `Counts`.
        problems: a heading and a sentence for each thing that can be wrong, `asks` what it asks.
        notes: what each figure counts, in order.
    """

    language: str
    zones: Mapping[str, str]
    groups: Mapping[Group, str]
    measures: Mapping[Measure, str]
    rates: Mapping[str, str]
    columns: Mapping[str, str]
    sections: Mapping[str, str]
    says: Mapping[str, str]
    problems: Mapping[str, tuple[str, str]]
    asks: Mapping[str, str]
    notes: Sequence[str]
    chart: Mapping[str, str]


ZH = Texts(
    language="zh",
    zones={"Asia/Shanghai": "北京时间"},
    groups={Group.LEAD: "牵头", Group.CO: "共同负责", Group.SOFT: "倡导性", Group.ALL: "合计"},
    measures={
        Measure.TOTAL: "到期事项",
        Measure.REQUIRED: "应报",
        Measure.NIL: "零报告",
        Measure.NOT_APPLICABLE: "不适用",
        Measure.ACCEPTED: "已销号",
        Measure.SUBMITTED: "待审",
        Measure.OPEN: "未报",
        Measure.OVERDUE: "超期",
        Measure.JUDGED_ORIGINAL: "原定时限已判定",
        Measure.ON_TIME_ORIGINAL: "原定时限内",
        Measure.JUDGED: "时限已到",
        Measure.SETTLED: "到期已销号",
        Measure.ON_TIME: "时限内（含延期）",
        Measure.LATE: "逾期报送",
        Measure.EXTENDED: "时限顺延",
        Measure.BACKLOG: "积压",
        Measure.SHARED: "配合办理",
        Measure.REPORTED: "报数单位",
    },
    rates={
        "completion": "完成率",
        "settled": "到期办结率",
        "on_time": "按期率（含延期）",
        "on_time_original": "按期率（原定时限）",
    },
    columns={
        "item": "项目",
        "rank": "名次",
        "name": "名称",
        "region": "地区",
        "place": "地区、部门",
        "department": "部门",
        "clause": "条款",
        "group": "类别",
        "kind": "排名对象",
        "target": "指标",
        "period": "周期",
        "upper": "分子",
        "lower": "分母",
        "percent": "比例",
        "at_least": "目标",
        "distance": "距目标（百分点）",
        "change": "较上期（百分点）",
        "fresh": "其中当期报数",
        "duty": "事项号",
        "agency": "责任单位",
        "shares": "配合单位",
        "original_due": "原定完成时限",
        "due": "现行完成时限",
        "submitted": "报送日期",
        "status": "状态",
        "light": "亮灯",
        "counted": "计入",
        "state": "应报情况",
        "in_original": "原定时限内报送",
        "in_force": "时限内报送（含延期）",
        "extended": "时限顺延",
        "note": "统计口径",
    },
    sections={
        "whole": "总体情况",
        "regions": "各市情况",
        "departments": "各部门情况",
        "targets": "指标进展",
        "problems": "存在问题",
        "asks": "下一步要求",
        "league": "排名",
        "others": "共同负责和倡导性事项办理情况",
        "clauses": "各条款办理情况",
        "duties": "明细",
        "notes": "统计口径",
    },
    says={
        "called": "{period}督办情况的通报",
        "title": "{issuer}关于{period}{matter}督办情况的通报{so_far}",
        "so-far": "（截至{last}）",
        "matters": "{label}等{n}项工作",
        "notice": "{issuer}{number}文件（{label}）",
        "label": "【{label}】本件不作公文使用",
        "opening": "根据{notices}，现将{period}督办事项办理情况通报如下。统计范围为原定时限在"
        "{first}至{last}之间的事项，数据截至{cut_off}。",
        "opening-so-far": "根据{notices}，现将{period}截至{cut_off}的督办事项办理情况通报如下。"
        "本期尚未结束，统计范围为原定时限自{first}起、到截止时刻已经到期的事项。",
        "total": "本期到期事项{total}项，其中牵头单位事项{lead}项，共同负责单位单独报送的事项"
        "{co}项，倡导性事项{soft}项。",
        "lead": "牵头单位事项中，应报{required}项，零报告{nil}项，不适用{excused}项。应报事项已销号"
        "{accepted}项，完成率{completion}；待审{submitted}项；未报（含退回）{open}项，其中超期"
        "{overdue}项。到期办结率{settled}。按期率含延期计算为{on_time}，按原定时限计算为{on_time_original}。",
        "no-rate": "（无可计算的事项）",
        "extended": "因延期或者退回重报，时限顺延的牵头单位事项{n}项。",
        "shared": "牵头单位事项中，有{n}项由其他单位配合办理，由牵头单位统一报送。",
        "co": "共同负责单位单独报送的事项中，应报{required}项，已销号{accepted}项，完成率"
        "{completion}，超期{overdue}项。",
        "soft": "倡导性事项中，应报{required}项，已销号{accepted}项；不计超期，不参加排名。",
        "backlog": "另有本期之前到期、至今仍超期的积压事项{n}项。",
        "nothing": "本期没有到期的事项。",
        "ranks": "按牵头单位到期事项排名，{told}。",
        "best": "到期办结率居前的是{names}",
        "worst": "居后的是{names}",
        "tie-break": "到期办结率相同的，依次比较按期率（含延期）、超期项数和积压项数。",
        "close": "按牵头单位到期事项排名，名次见表。",
        "equal": "按牵头单位到期事项排名，{n}个并列，到期办结率均为{rate}。",
        "too-few": "有到期事项的不足{n}个，不作先后比较。",
        "unranked": "本期没有可排名的到期事项。",
        "ranked": "{name}（{rate}）",
        "no-targets": "本期没有设定指标的条款。",
        "target": "{field}（目标不低于{at_least}）：{as_of}汇总{reported}个单位最近审核通过的数据，"
        "{numerator}{upper}，{denominator}{lower}，比例为{percent}，{distance}{change}。",
        "target-none": "{field}（目标不低于{at_least}）：尚无审核通过的数据。",
        "above": "高于目标{n}个百分点",
        "even": "达到目标",
        "below": "低于目标{n}个百分点",
        "hardly": "略低于目标",
        "off": "{field}{distance}",
        "off-each": "{field}合计{distance}，未达到目标的地区{n}个：{names}",
        "as-of": "截至{period}，",
        "of-period": "（{period}）",
        "before": "上期",
        "up": "，比{before}上升{n}个百分点",
        "down": "，比{before}下降{n}个百分点",
        "same": "，与{before}持平",
        "short": "未达到目标的地区：{names}。",
        "newest": "最近一期",
        "missing": "{period}数据尚未报送的单位：{names}。",
        "and-others": "{names}等{n}个单位",
        "count": "{name}{n}项",
        "most": "按地区看，{regions}；按部门看，{departments}。",
        "and-more": "{names}等",
        "no-problem": "按本通报的统计口径，本期没有需要指出的问题。",
        "go-on": "请各单位继续按时报送佐证材料。",
        "review": "待审材料{n}项，审核单位要抓紧审核；审核用时不计入责任单位的按期率。",
        "to": "各有关单位：",
        "whole": "合计",
        "own": "{name}本级",
        "overview": "总体情况表",
        "regions-table": "各市牵头单位事项办理情况",
        "departments-table": "各部门牵头单位事项办理情况",
        "target-table": "{title}",
        "colon": "：",
        "join": "、",
        "stop": "；",
        "heading": "{numeral}、{title}",
        "sub": "（{numeral}）{title}",
        "annex-n": "附件{n}",
        "annexes": "附件：",
        "digits": "零一二三四五六七八九",
        "no-day": "（待印发）",
        "omitted": "另有{n}行未列出。",
        "period": "本期",
        "earlier": "积压",
        "regions-league": "各市",
        "departments-league": "各部门",
        "yes": "是",
        "no": "否",
        "made": "数据截至{cut_off}；快照校验值（SHA-256）{snapshot}。",
    },
    problems={
        "overdue": (
            "部分事项超期未报",
            "本期超期事项{n}项，涉及{regions}个地区、{departments}个部门。{most}",
        ),
        "late": (
            "部分事项未按期报送合格材料",
            "已销号的牵头单位事项中，审核通过的材料晚于时限（含延期）报送的有{n}项。{most}",
        ),
        "backlog": (
            "以前各期仍有积压",
            "积压事项{n}项，涉及{regions}个地区、{departments}个部门。{most}",
        ),
        "short": ("指标尚未达到目标", "{short}。"),
        "missing": ("指标数据尚未报齐", "{missing}。"),
    },
    asks={
        "overdue": "超期事项的责任单位要逐项说明原因，尽快报送佐证材料。",
        "late": "各单位要在时限届满前报送合格材料；确需延期的，在时限届满前提出申请，说明原因"
        "和拟定日期。",
        "backlog": "有积压事项的单位要列出清单，明确办结安排，逐项销号。",
        "short": "未达到目标的地区要对照目标查找差距，提出改进措施。",
        "missing": "尚未报送指标数据的单位要尽快补报，分子、分母按条款规定的口径填写。",
    },
    notes=(
        "统计范围：原定完成时限在{first}至{last}之间、到截止时刻已经到期的事项。此前到期、至今仍超期的单列为积压，"
        "不计入本期。",
        "截止时刻：{cut_off}（{zone}）。其后的报送、审核和延期不计入。",
        "应报情况：到期事项分为应报、零报告、不适用（含免办）三类，三类之和等于到期事项。被退回的"
        "零报告计入应报。",
        "完成率：已销号事项占应报事项的比例。报送后尚未审核的不算完成。",
        "按期率：时限已过且没有待审材料的应报事项中，审核通过的版本在时限内报送的比例。按原定时限"
        "和延期后的时限分别计算；退回重报所定的日期不作为新的时限，审核所用时间不计入。",
        "到期办结率：时限（含延期和退回重报所定的日期）已过且没有待审材料的应报事项中，已销号事项的"
        "比例。",
        "牵头与共同负责：分开统计，比例不合并计算，名次只按牵头单位事项排定；配合办理而不单独报送"
        "的，不另计事项。",
        "倡导性事项：鼓励、探索等事项另列，不计超期，不参加排名。",
        "名次：先比到期办结率，再比按期率（含延期），再比超期和积压的多少；全部相同的并列。没有到期"
        "事项的不排名。文中点名的，居前、居后各不超过参加排名的三分之一，最多三个；参加排名的不足四个"
        "的不点名，到期事项全部办结的不列为居后。",
        "指标：各单位最近审核通过的分子、分母分别相加后计算比例，不取各单位比例的平均数；零报告"
        "不计入。",
        "数据来源：督办台账快照，历史记录截至第{seq}条。同一快照算出的数字相同，其校验值（SHA-256）"
        "如下：",
    ),
    chart={
        "completion": "各市完成率和按期率（牵头单位事项，%）",
        "completion-bar": "完成率",
        "on-time-bar": "按期率（含延期）",
        "own": "本级",
        "target-title": "{field}（%）",
        "target": "目标 {n}%",
        "whole": "合计",
        "span": "各地区最低值至最高值",
    },
)

EN = Texts(
    language="en",
    zones={"Asia/Shanghai": "China time"},
    groups={
        Group.LEAD: "Lead",
        Group.CO: "Co-responsible",
        Group.SOFT: "Soft",
        Group.ALL: "All",
    },
    measures={
        Measure.TOTAL: "Fell due",
        Measure.REQUIRED: "Required",
        Measure.NIL: "Nil return",
        Measure.NOT_APPLICABLE: "Not applicable",
        Measure.ACCEPTED: "Accepted",
        Measure.SUBMITTED: "Under review",
        Measure.OPEN: "Not submitted",
        Measure.OVERDUE: "Overdue",
        Measure.JUDGED_ORIGINAL: "Original date judged",
        Measure.ON_TIME_ORIGINAL: "By the original date",
        Measure.JUDGED: "Date has passed",
        Measure.SETTLED: "Accepted of those",
        Measure.ON_TIME: "In time (as extended)",
        Measure.LATE: "Came late",
        Measure.EXTENDED: "Moved back",
        Measure.BACKLOG: "Backlog",
        Measure.SHARED: "Shared",
        Measure.REPORTED: "Agencies",
    },
    rates={
        "completion": "Completion",
        "settled": "Settled when due",
        "on_time": "On time (as extended)",
        "on_time_original": "On time (first due)",
    },
    columns={
        "item": "Count",
        "rank": "Rank",
        "name": "Name",
        "region": "Region",
        "place": "Region or department",
        "department": "Department",
        "clause": "Clause",
        "group": "Part",
        "kind": "Ranked",
        "target": "Target",
        "period": "Period",
        "upper": "Numerator",
        "lower": "Denominator",
        "percent": "Share",
        "at_least": "Aim",
        "distance": "Above aim (points)",
        "change": "Change (points)",
        "fresh": "Of that period",
        "duty": "Duty",
        "agency": "Agency",
        "shares": "Shares in it",
        "original_due": "Due at first",
        "due": "Due now",
        "submitted": "Submitted on",
        "status": "Status",
        "light": "Light",
        "counted": "Counts as",
        "state": "Required or not",
        "in_original": "By the original date",
        "in_force": "In time (as extended)",
        "extended": "Moved back",
        "note": "What the figures count",
    },
    sections={
        "whole": "All together",
        "regions": "Regions",
        "departments": "Departments",
        "targets": "Targets",
        "problems": "Shortcomings",
        "asks": "What is asked",
        "league": "Ranks",
        "others": "Co-responsible and soft duties",
        "clauses": "Clauses",
        "duties": "Duties",
        "notes": "What the figures count",
    },
    says={
        "called": "Bulletin on {period}",
        "title": "{issuer}: bulletin on {matter}, the duties of {period}{so_far}",
        "so-far": " (up to {last})",
        "matters": "{label} and others, {n} in all",
        "notice": "{number} of {issuer} ({label})",
        "label": "{label}: not an official paper",
        "opening": "Under {notices}, this bulletin reports on the duties of {period}: those whose "
        "original due date lies between {first} and {last}, as they stood at {cut_off}.",
        "opening-so-far": "Under {notices}, this bulletin reports on the duties of {period} up to "
        "{cut_off}. The period is not over: it counts those whose original due date lies after the "
        "beginning of {first} and had come by then.",
        "total": "Fell due: {total}, of which lead {lead}, co-responsible with reports of their "
        "own {co}, soft {soft}.",
        "lead": "Duties of leads: required {required}, nil returns {nil}, not applicable "
        "{excused}. Of the required ones accepted {accepted}, a completion of {completion}; under "
        "review {submitted}; not submitted or sent back {open}, of which overdue {overdue}. Of "
        "what is due, settled {settled}. On time with extensions {on_time}, by the original date "
        "{on_time_original}.",
        "no-rate": "(nothing to judge yet)",
        "extended": "Duties of leads whose date was moved back, by an extension or a return: {n}.",
        "shared": "Duties of leads in which other agencies take part without reporting: {n}.",
        "co": "Co-responsible agencies that report on their own: required {required}, accepted "
        "{accepted}, a completion of {completion}, overdue {overdue}.",
        "soft": "Soft duties: required {required}, accepted {accepted}; they are never overdue and "
        "do not count for ranks.",
        "backlog": "Due before this period and overdue still: {n}.",
        "nothing": "Nothing fell due.",
        "ranks": "By the duties of leads that are due, {told}.",
        "best": "first are {names}",
        "worst": "last are {names}",
        "tie-break": " Among equal shares settled, the share in time decides, then fewer overdue "
        "and less backlog.",
        "close": "The ranks by the duties of leads that are due stand in the table.",
        "equal": "By the duties of leads that are due, all {n} are equal: settled {rate}.",
        "too-few": "Fewer than {n} have duties that are due; they are not compared.",
        "unranked": "There is nothing to rank.",
        "ranked": "{name} ({rate})",
        "no-targets": "No clause has a target.",
        "target": "{field} (aim: at least {at_least}): {as_of}by the newest accepted figures, "
        "from agencies: {reported}, {numerator}: {upper}, {denominator}: {lower}; a share of "
        "{percent}, {distance}{change}.",
        "target-none": "{field} (aim: at least {at_least}): no accepted figures yet.",
        "above": "above the aim by {n} percentage points",
        "even": "as aimed at",
        "below": "below the aim by {n} percentage points",
        "hardly": "hardly below the aim",
        "off": "{field}: {distance}",
        "off-each": "{field}: {distance} in all; regions below the aim, {n}: {names}",
        "as-of": "as of {period}, ",
        "of-period": " ({period})",
        "before": "the period before",
        "up": ", up by {n} points on {before}",
        "down": ", down by {n} points on {before}",
        "same": ", unchanged since {before}",
        "short": "Below the aim: {names}.",
        "newest": "the newest period",
        "missing": "Figures of {period} are owed by {names}.",
        "and-others": "{names} and others, {n} in all",
        "count": "{name} ({n})",
        "most": "By region: {regions}; by department: {departments}.",
        "and-more": "{names} and others",
        "no-problem": "By what these figures count, there is nothing to point out.",
        "go-on": "Please go on submitting evidence in time.",
        "review": "Under review: {n}; reviewers are asked to decide soon. The time they take does "
        "not count against anybody.",
        "to": "To all agencies concerned",
        "whole": "Total",
        "own": "{name} itself",
        "overview": "All together",
        "regions-table": "Duties of leads by region",
        "departments-table": "Duties of leads by department",
        "target-table": "{title}",
        "colon": ": ",
        "join": ", ",
        "stop": "; ",
        "heading": "{numeral}. {title}",
        "sub": "({numeral}) {title}",
        "annex-n": "Annex {n}",
        "annexes": "Annexes: ",
        "digits": "",
        "no-day": "(not issued yet)",
        "omitted": "Rows left out: {n}.",
        "period": "this period",
        "earlier": "backlog",
        "regions-league": "regions",
        "departments-league": "departments",
        "yes": "yes",
        "no": "no",
        "made": "As of {cut_off}; SHA-256 of the snapshot: {snapshot}.",
    },
    problems={
        "overdue": (
            "Duties are overdue",
            "Overdue: {n}; regions concerned: {regions}, departments: {departments}. {most}",
        ),
        "late": ("Evidence came late", "Accepted duties of leads that came late: {n}. {most}"),
        "backlog": (
            "Earlier periods are not settled",
            "Backlog: {n}; regions concerned: {regions}, departments: {departments}. {most}",
        ),
        "short": ("Targets are not reached", "{short}."),
        "missing": ("Figures are missing", "{missing}."),
    },
    asks={
        "overdue": "Agencies with overdue duties give the reason for each and submit their "
        "evidence soon.",
        "late": "Evidence is submitted before the due date; who needs longer asks before that "
        "date, with the reason and the day proposed.",
        "backlog": "Agencies with a backlog list what is open and settle it one by one.",
        "short": "Regions below the aim look for what is missing and say how they make it good.",
        "missing": "Agencies that owe figures submit them soon, counted as the clause says.",
    },
    notes=(
        "Scope: duties whose original due date lies between {first} and {last}, and has come. What "
        "was due before and is overdue still is the backlog, and counts apart.",
        "Cut-off: {cut_off} ({zone}). What was submitted, reviewed or extended later does not "
        "count.",
        "Each duty that fell due is required, a nil return, or not applicable (or waived); the "
        "three add up. A nil return that was sent back is required again.",
        "Completion: accepted of required. What is under review is not complete.",
        "On time: of the required duties whose date has passed and of which nothing is under "
        "review, those whose accepted version came by that date; by the original date, and by "
        "the one that an extension gave. A date that a return set gives no time. The time of a "
        "review does not count.",
        "Settled when due: of the required duties whose date, as an extension or a return set it, "
        "has passed and of which nothing is under review, those that are accepted.",
        "Lead and co-responsible stand apart: their shares are never added up, and ranks are of "
        "leads alone. Taking part without reporting makes no duty.",
        "Soft duties (encourage, explore) stand apart, are never overdue and do not count for "
        "ranks.",
        "Ranks: by settled when due, then by on time (as extended), then by fewer overdue and less "
        "backlog; equals share a rank. Who has nothing due has none. At most a third of the "
        "ranked, and at most three, are named as first or as last; nobody among fewer than four, "
        "and nobody as last who has settled all that is due.",
        "Targets: the newest accepted numerators and denominators of all agencies are added up and "
        "divided; it is no mean of percentages, and nil returns do not count.",
        "Source: a snapshot of the ledger, its history up to row {seq}. The same snapshot always "
        "gives the same figures; its SHA-256 is:",
    ),
    chart={
        "completion": "Completion and on time by region (duties of leads, %)",
        "completion-bar": "Completion",
        "on-time-bar": "On time (as extended)",
        "own": "own",
        "target-title": "{field} (%)",
        "target": "aim {n}%",
        "whole": "Total",
        "span": "Lowest to highest region",
    },
)


def texts(language: str) -> Texts:
    """The texts of a language; Chinese unless it is English."""
    return EN if language == "en" else ZH


def period_in_words(t: Texts, name: str) -> str:
    """A period in prose, by its name."""
    return period_prose(words(t.language), name)


def title_words(t: Texts, period: str) -> str:
    """What the bulletin of a period is called in a list."""
    return t.says["called"].format(period=period_in_words(t, period))


def moment_words(t: Texts, local: datetime) -> str:
    """A local moment, the end of a day as such: 2026年10月8日24:00.

    A day ends with its last second (`duban.registry.clauses.instant`), or where the next begins.
    """
    if local.time() == time():
        local -= timedelta(seconds=1)
    day, at = civil_words(t.language, local.date()), clock(local)
    return f"{day}{at if t.language == 'zh' else f', {at}'}"


def numeral(t: Texts, n: int) -> str:
    """1 to 99 as headings count: 一, 十二; plain in English."""
    digits = t.says["digits"]
    if not digits:
        return str(n)
    tens, ones = divmod(n, 10)
    if not tens:
        return digits[ones]
    return f"{digits[tens] if tens > 1 else ''}十{digits[ones] if ones else ''}"
