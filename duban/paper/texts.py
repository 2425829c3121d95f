"""The words of papers, in Chinese and in English."""

from collections.abc import Mapping
from dataclasses import dataclass

from duban.registry.papers import PaperKind


@dataclass(frozen=True, slots=True)
class Texts:
    """One language.

    `names` are the kinds of papers; `titles`, `opens` and `asks` what a kind's title, first and
    last paragraph say, with `-one` where it speaks of one matter; `rules` how often and by when;
    `rows` the lines of a slip; `says` the rest.
    """

    language: str
    names: Mapping[PaperKind, str]
    titles: Mapping[str, str]
    opens: Mapping[str, str]
    asks: Mapping[str, str]
    rules: Mapping[str, str]
    bases: Mapping[str, str]
    rows: Mapping[str, str]
    says: Mapping[str, str]
    nth: tuple[str, ...]
    months: tuple[str, ...]


ZH = Texts(
    language="zh",
    names={
        PaperKind.SLIP: "督办单",
        PaperKind.CHASE: "催办函",
        PaperKind.FORMAL: "督办函",
        PaperKind.CIRCULAR: "通报",
        PaperKind.EXTENSION: "延期复函",
        PaperKind.REFUSAL: "不予延期复函",
    },
    titles={
        "slip": "督办单",
        "chase": "{issuer}关于催办{matters}的函",
        "formal": "{issuer}关于督办{matters}的函",
        "circular": "{issuer}关于{matters}逾期未办结情况的通报",
        "extension": "{issuer}关于同意{matters}延期办理的复函",
        "adjusted": "{issuer}关于调整{matters}办理时限的函",
        "refusal": "{issuer}关于{matters}延期申请的复函",
    },
    opens={
        "slip": "根据{notices}文件，现将下列{n}项工作交由{recipient}办理，请按要求落实。",
        "slip-one": "根据{notices}文件，现将下列工作交由{recipient}办理，请按要求落实。",
        "chase": "根据{notices}文件，你单位承担的下列{n}项工作已过办理时限，截至{day}"
        "尚未收到佐证材料。现予催办，有关事项函告如下：",
        "chase-one": "根据{notices}文件，你单位承担的“{matter}”工作已过办理时限，截至{day}"
        "尚未收到佐证材料。现予催办，有关事项函告如下：",
        "formal": "根据{notices}文件，你单位承担的下列{n}项工作逾期未报，截至{day}"
        "仍未收到佐证材料。经研究，现予正式督办，有关事项函告如下：",
        "formal-one": "根据{notices}文件，你单位承担的“{matter}”工作逾期未报，截至{day}"
        "仍未收到佐证材料。经研究，现予正式督办，有关事项函告如下：",
        "circular": "根据{notices}文件，你单位承担的下列{n}项工作逾期未办结，截至{day}"
        "仍未报送佐证材料。现将有关情况通报如下：",
        "circular-one": "根据{notices}文件，你单位承担的“{matter}”工作逾期未办结，截至{day}"
        "仍未报送佐证材料。现将有关情况通报如下：",
        "extension": "你单位关于延期办理的申请收悉。经研究，函复如下：",
        "adjusted": "经研究，现就你单位承担的有关工作的办理时限调整事项函告如下：",
        "refusal": "你单位{asked_on}关于“{matter}”延期至{until}办理的申请收悉。经研究，函复如下：",
    },
    asks={
        "slip": "请明确责任人员，按上述时限报送佐证材料；确有困难需要延期的，"
        "应当在时限届满前提出申请，说明理由和拟延至的日期，并经单位负责同志同意。",
        "slip-late": "办理时限在交办前已经届满，请明确责任人员，抓紧办理，尽快报送佐证材料；"
        "确有困难的，请书面说明原因和预计办结的时间，并经单位负责同志同意。",
        "slip-some-late": "请明确责任人员，按上述时限报送佐证材料；交办前时限已经届满的，"
        "请抓紧办理，尽快报送。时限未到、确有困难需要延期的，应当在时限届满前提出申请，"
        "说明理由和拟延至的日期，并经单位负责同志同意。",
        "chase": "请立即办理，并尽快报送佐证材料；确有困难的，请书面说明原因和预计办结的时间。",
        "formal": "请你单位负责同志过问此事，查明逾期原因，明确办结时间，并立即报送佐证材料。",
        "circular": "请你单位主要负责同志牵头整改，立即办理，并将办理结果和逾期原因一并书面报送。",
        "extension": "请抓紧办理，按新的时限报送佐证材料。原定时限予以保留，"
        "按期情况分别按原定时限和现行时限统计。",
        "refusal": "请按原定时限抓紧办理，并报送佐证材料。",
        "care": "佐证材料只报数量和单位文件，请勿填报学生个人信息。",
    },
    rules={
        "once": "一次性工作，{day}前报送",
        "month": "每月{day}前报送",
        "quarter": "每季度第{nth}个月{day}前报送",
        "half-year": "每半年第{nth}个月{day}前报送",
        "year": "每年{day}前报送",
        "school-year": "每学年{day}前报送",
        "following-month": "每月一期，次月{day}前报送",
        "following-quarter": "每季度一期，下一季度第{nth}个月{day}前报送",
        "following-half-year": "每半年一期，下一个半年第{nth}个月{day}前报送",
        "following-year": "每年一期，次年{day}前报送",
        "following-school-year": "每学年一期，下一学年{day}前报送",
    },
    bases={
        "text": "通知原文写明",
        "plan": "依据通知所附计划",
        "implied": "依据通知原文推定",
        "policy": "通知未写明，系督办工作安排",
    },
    rows={
        "matter": "督办事项",
        "agency": "责任单位",
        "shares": "共同负责",
        "basis": "立项依据",
        "due": "办理时限",
        "asks": "报送材料",
        "told": "催办情况",
    },
    says={
        "label": "【{label}】本件不作公文使用",
        "notice": "{issuer}{number}",
        "and": "、",
        "comma": "，",
        "semicolon": "；",
        "stop": "。",
        "brackets": "（{}）",
        "noted": "；说明：{}",
        "day": "{day}日",
        "last": "最后一日",
        "day-of-year": "{month}月{day}日",
        "last-of-year": "{month}月最后一日",
        "later": "{nominal}不是工作日，顺延至{day}",
        "earlier": "{nominal}不是工作日，提前至{day}",
        "moved": "原定时限为{original}，已作调整",
        "provisional": "暂定，待节假日安排公布",
        "matters": "“{title}”等{n}项工作",
        "matters-one": "“{title}”工作",
        "heading-matters": "一、督办事项",
        "heading-asks": "二、办理要求",
        "numbered": "（{n}）{title}",
        "matter": "{title}（编号{duty}，{period}）",
        "number": "编号{duty}，{period}。",
        "basis": "依据{notice}文件{section}：",
        "source": "{notice} {section}",
        "quote": "“{quote}”",
        "row": "{name}：{text}",
        "late": "（已超期{n}天）",
        "late-before": "（交办前已届满）",
        "soft": "（倡导性事项，不计超期）",
        "told": "{days}{name}",
        "told-many": "{first}至{last}{name}{n}次",
        "granted": "同意将“{matter}”（编号{duty}，{period}）的办理时限由{before}延至{day}。",
        "asked": "（你单位于{asked_on}申请延至{until}。）",
        "adjusted": "将“{matter}”（编号{duty}，{period}）的办理时限由{before}调整为{day}。",
        "refused": "不同意“{matter}”（编号{duty}，{period}）延期办理，办理时限仍为{day}。",
        "reason": "理由：{answer}",
        "to": "{recipient}：",
        "contact": "（联系单位：{contact}）",
        "office": "{name}{office}",
        "telephone": "，电话{telephone}",
        "call": "电话催办",
        "copies": "抄送：",
        "copied": "{superior}。",
        "file": "{name} {number}.docx",
    },
    nth=("1", "2", "3", "4", "5", "6", *[""] * 6),
    months=tuple(str(month) for month in range(1, 13)),
)

EN = Texts(
    language="en",
    names={
        PaperKind.SLIP: "supervision slip",
        PaperKind.CHASE: "reminder",
        PaperKind.FORMAL: "supervision letter",
        PaperKind.CIRCULAR: "circular",
        PaperKind.EXTENSION: "decision on an extension",
        PaperKind.REFUSAL: "refusal of an extension",
    },
    titles={
        "slip": "Supervision slip",
        "chase": "Reminder about {matters}",
        "formal": "Formal letter about {matters}",
        "circular": "Circular on {matters}, overdue and not done",
        "extension": "Decision to extend the time for {matters}",
        "adjusted": "New due dates for {matters}",
        "refusal": "Decision not to extend the time for {matters}",
    },
    opens={
        "slip": "Under {notices}, the {n} matters below are assigned to {recipient}.",
        "slip-one": "Under {notices}, the matter below is assigned to {recipient}.",
        "chase": "Under {notices}, your office is responsible for the {n} matters below. They are "
        "past their due dates, and by {day} no evidence had come.",
        "chase-one": "Under {notices}, your office is responsible for “{matter}”. It is past its "
        "due date, and by {day} no evidence had come.",
        "formal": "Under {notices}, your office is responsible for the {n} matters below. They are "
        "overdue, and by {day} no evidence had come. They are now supervised formally.",
        "formal-one": "Under {notices}, your office is responsible for “{matter}”. It is overdue, "
        "and by {day} no evidence had come. It is now supervised formally.",
        "circular": "Under {notices}, your office is responsible for the {n} matters below. They "
        "are overdue, and by {day} no evidence had come. This is made known as follows.",
        "circular-one": "Under {notices}, your office is responsible for “{matter}”. It is "
        "overdue, and by {day} no evidence had come. This is made known as follows.",
        "extension": "Your request for more time was received and considered. It is decided:",
        "adjusted": "The due dates of matters that your office is responsible for are changed:",
        "refusal": "Your request of {asked_on} to extend the time for “{matter}” to {until} was "
        "received and considered. It is decided:",
    },
    asks={
        "slip": "Please name who is responsible and send the evidence by the due date. Who needs "
        "more time asks for it before that date, with the reason, the day meant, and the consent "
        "of the head of the office.",
        "slip-late": "The due date was past before this was assigned. Please name who is "
        "responsible, attend to it now and send the evidence soon. If something stands in the "
        "way, please say in writing what it is and when the matter will be done, with the consent "
        "of the head of the office.",
        "slip-some-late": "Please name who is responsible and send the evidence by the due date; "
        "of what was past its date before it was assigned, soon. Who needs more time asks for it, "
        "where the date lies ahead before that date, with the reason, the day meant, and the "
        "consent of the head of the office.",
        "chase": "Please attend to this at once and send the evidence. If something stands in the "
        "way, please say in writing what it is and when the matter will be done.",
        "formal": "The head of your office is asked to look into this, find out why it is late, "
        "say when it will be done, and have the evidence sent at once.",
        "circular": "The head of your office is asked to put this right in person, and to report "
        "in writing what was done and why it is late.",
        "extension": "Please send the evidence by the new date. The first date stays on record: "
        "whether it came in time is counted against both.",
        "refusal": "Please keep to the date in force and send the evidence.",
        "care": "Please send figures and documents of your office only, and no personal data of "
        "pupils.",
    },
    rules={
        "once": "once, by {day}",
        "month": "every month by {day}",
        "quarter": "every quarter by {day} of its {nth} month",
        "half-year": "every half-year by {day} of its {nth} month",
        "year": "every year by {day}",
        "school-year": "every school year by {day}",
        "following-month": "for every month by {day} of the next",
        "following-quarter": "for every quarter by {day} of the {nth} month of the next",
        "following-half-year": "for every half-year by {day} of the {nth} month of the next",
        "following-year": "for every year by {day} of the next",
        "following-school-year": "for every school year by {day} of the next",
    },
    bases={
        "text": "as the notice says",
        "plan": "from the plan attached to the notice",
        "implied": "inferred from the notice",
        "policy": "set for the supervision, since the notice names no date",
    },
    rows={
        "matter": "Matter",
        "agency": "Responsible",
        "shares": "Shared with",
        "basis": "Basis",
        "due": "Due",
        "asks": "Evidence",
        "told": "Reminders",
    },
    says={
        "label": "{label}: not an official paper",
        "notice": "{issuer} {number}",
        "and": ", ",
        "comma": ", ",
        "semicolon": "; ",
        "stop": ".",
        "brackets": " ({})",
        "noted": "; note: {}",
        "day": "day {day}",
        "last": "the last day",
        "day-of-year": "{day} {name}",
        "last-of-year": "the last day of {name}",
        "later": "{nominal} is no working day, so it is {day}",
        "earlier": "{nominal} is no working day, so it is {day}",
        "moved": "the first date was {original}; it was changed since",
        "provisional": "provisional until holidays are announced",
        "matters": "“{title}” and others, {n} in all",
        "matters-one": "“{title}”",
        "heading-matters": "1. The matters",
        "heading-asks": "2. What is asked",
        "numbered": "1.{n} {title}",
        "matter": "{title} (no. {duty}, {period})",
        "number": "No. {duty}, {period}. ",
        "basis": "Basis: {notice}, section {section}:",
        "source": "{notice}, section {section}",
        "quote": "“{quote}”",
        "row": "{name}: {text}",
        "late": " ({n} days overdue)",
        "late-before": " (past before it was assigned)",
        "soft": " (encouraged, never overdue)",
        "told": "{name} {days}",
        "told-many": "{name} {n} times, {first} to {last}",
        "granted": "The due date of “{matter}” (no. {duty}, {period}) is moved from {before} to "
        "{day}.",
        "asked": "(You asked for {until} on {asked_on}.)",
        "adjusted": "The due date of “{matter}” (no. {duty}, {period}) is changed from {before} "
        "to {day}.",
        "refused": "The time for “{matter}” (no. {duty}, {period}) is not extended; it stays due "
        "on {day}.",
        "reason": "Reason: {answer}",
        "to": "To {recipient}",
        "contact": "(Contact: {contact})",
        "office": "{name}, {office}",
        "telephone": ", telephone {telephone}",
        "call": "telephone call",
        "copies": "Copy to: ",
        "copied": "{superior}.",
        "file": "{number}.docx",
    },
    nth=("first", "second", "third", "fourth", "fifth", "sixth", *[""] * 6),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
)


def texts(language: str) -> Texts:
    """The words of a language; Chinese unless it is English."""
    return EN if language == "en" else ZH
