"""Bulletins (通报): drafted, objected to, issued; every number leads to its list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from duban.errors import DubanError
from duban.ledger import bulletins
from duban.ledger.bulletins import BulletinRefused, BulletinView, NoSuchBulletin, period_called
from duban.ledger.papers import PaperAltered
from duban.period import Every, Period, period_of
from duban.portal.desk.frame import show
from duban.portal.desk.review import Number, text_of
from duban.portal.who import APerson, Person, PersonForm
from duban.registry.papers import WORD
from duban.reports import figures, making
from duban.reports.asked import Group, Measure, Sought, UnknownQuestion
from duban.reports.charts import NoChineseFont
from duban.reports.counting import behind
from duban.targets import written

router = APIRouter(prefix="/desk/bulletins")

PAGE = 200
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a form that was refused, and why it was."""

    fault: str = ""
    text: str = ""
    period: str = ""
    cut_off: str = ""


@router.get("")
def show_bulletins(person: APerson) -> Response:
    """All of them, the newest first, and the form for another."""
    return _list(person, Typed(period=_before(person).name))


def _before(person: Person) -> Period:
    """The month before this one."""
    today = person.ledger.registry.today(person.now)
    return period_of(Every.MONTH, today).previous


def _list(person: Person, typed: Typed) -> Response:
    context = {
        "found": bulletins.bulletins(person.ledger),
        "kinds": _kinds(person),
        "states": _states(person),
        "typed": typed,
        "drafts": _drafts(person),
        "today": person.ledger.registry.today(person.now),
    }
    return show(person, "desk/bulletins.html", context, 422 if typed.fault else 200)


def _drafts(person: Person) -> bool:
    """Who decides everywhere also drafts, answers and issues."""
    return person.may("decide") and person.signed.region is None


def _kinds(person: Person) -> Mapping[Every, str]:
    return {
        Every.MONTH: person.text("月度"),
        Every.QUARTER: person.text("季度"),
        Every.HALF_YEAR: person.text("半年"),
        Every.YEAR: person.text("年度"),
        Every.SCHOOL_YEAR: person.text("学年"),
    }


def _states(person: Person) -> Mapping[bulletins.State, str]:
    return {
        bulletins.State.DRAFT: person.text("草稿"),
        bulletins.State.ISSUED: person.text("已签发"),
        bulletins.State.WITHDRAWN: person.text("已撤回"),
    }


@router.post("")
def draft(person: APerson, form: PersonForm) -> Response:
    """Drafts one as of a cut-off."""
    _require_drafts(person)
    typed = Typed("", "", text_of(form, "period"), text_of(form, "cut_off"))
    try:
        period = period_called(typed.period.strip())
        day = date.fromisoformat(typed.cut_off) if typed.cut_off else None
        at = making.cut_off_of(person.ledger, day, person.now)
        number, _ = bulletins.draft(
            person.ledger, period, at=at, by=person.actor, now=person.now, anew=True
        )
    except (ValueError, DubanError) as error:
        kept = replace(typed, fault=_why(person, error))
        return _list(person, kept)
    return RedirectResponse(f"/desk/bulletins/{number}", 303)


def _require_drafts(person: Person) -> None:
    person.require("decide")
    if not _drafts(person):
        raise HTTPException(404)


def _why(person: Person, error: Exception) -> str:
    """Why an act was refused, and what to do."""
    if isinstance(error, NoChineseFont):
        return person.text("服务器上没有中文字体，无法制作图表，请管理员安装 fonts-noto-cjk。")
    if isinstance(error, PaperAltered):
        return person.text("留存的文稿与签发时不符，请管理员用 duban audit verify 核查。")
    code = error.code if isinstance(error, BulletinRefused) else ""
    told = {
        "not-begun": person.text("截止时刻早于统计期间的开始，请改选较晚的日期。"),
        "ahead": person.text("截止日期不能晚于今天。"),
        "no-period": person.text(
            "没有这个统计期间，请写成 2026-10、2026Q3、2026H1、2026、SY2026 的样式。"
        ),
        "ended": person.text("这份通报已经签发或者撤回，请刷新后查看。"),
        "window": person.text("异议期未满，期满后方可签发。"),
        "closed": person.text("异议期已满，不再受理；确有错误的，请与省级督办人员联系。"),
        "open": person.text("还有异议没有答复，请先逐条答复。"),
        "no-text": person.text("请写明内容，2000 字以内。"),
        "answered": person.text("这条异议已由他人答复。"),
    }
    otherwise = person.text("日期请写成 2026-11-24 的样式。")
    return told.get(code, otherwise)


@router.get("/{bulletin_id}")
def show_bulletin(person: APerson, bulletin_id: Number) -> Response:
    """One of them, with its figures."""
    return _page(person, bulletin_id, Typed())


def _page(person: Person, bulletin_id: int, typed: Typed) -> Response:
    found = _cut(person, bulletin_id)
    address = making.links_of("", bulletin_id)

    def link(number: figures.Number) -> str:
        return address(number.behind)

    context = {
        "view": found.view,
        "figures": found.figures,
        "link": link,
        "region_ranks": ranks(found.figures.region_league),
        "department_ranks": ranks(found.figures.department_league),
        "objections": bulletins.objections(person.ledger, bulletin_id),
        "kinds": _kinds(person),
        "states": _states(person),
        "typed": typed,
        "drafts": _drafts(person),
        "open": person.ledger.registry.today(person.now) <= found.view.objections_until,
        "M": Measure,
        "written": written,
    }
    return show(person, "desk/bulletin.html", context, 422 if typed.fault else 200)


def ranks(league: Sequence[figures.Ranked]) -> Mapping[str, int]:
    """Places by the line's key; who has none is left out."""
    return {one.line.key: one.rank for one in league if one.rank is not None}


def _view(person: Person, bulletin_id: int) -> BulletinView:
    try:
        return bulletins.bulletin(person.ledger, bulletin_id)
    except NoSuchBulletin:
        raise HTTPException(404) from None


def _cut(person: Person, bulletin_id: int) -> making.Cut:
    try:
        return making.cut(person.ledger, bulletin_id)
    except NoSuchBulletin:
        raise HTTPException(404) from None


@router.get("/{bulletin_id}/duties")
def show_behind(
    request: Request,
    person: APerson,
    bulletin_id: Number,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """The duties behind a number as they stood at the cut-off; of one's own region alone."""
    view = _view(person, bulletin_id)
    try:
        sought = Sought.of(request.query_params)
    except UnknownQuestion:
        raise HTTPException(404) from None
    frozen = bulletins.facts_of(person.ledger, bulletin_id)
    facts = behind(frozen, view.of, sought)
    seen = [one for one in facts if person.sees(one.agency)]
    pages = max(1, -(-len(seen) // PAGE))
    page = min(page, pages)
    context = {
        "view": view,
        "sought": sought,
        "measures": measure_words(person),
        "groups": group_words(person),
        "facts": seen[(page - 1) * PAGE : page * PAGE],
        "total": len(seen),
        "elsewhere": len(facts) - len(seen),
        "page": page,
        "pages": pages,
        "address": making.links_of("", bulletin_id)(sought),
        "clauses": {one.key: f"{one.number} {one.title}" for one in frozen.clauses},
        "places": {one.key: one.name for one in frozen.places},
        "agencies": frozen.agencies,
    }
    return show(person, "desk/bulletin_duties.html", context)


@router.get("/{bulletin_id}/bulletin.docx")
def download_document(person: APerson, bulletin_id: Number) -> Response:
    """The bulletin for Word."""
    found = _cut(person, bulletin_id)
    try:
        return _file(found.view, ".docx", WORD, making.document(person.ledger, found))
    except DubanError as error:
        return _page(person, bulletin_id, Typed(_why(person, error)))


@router.get("/{bulletin_id}/bulletin.xlsx")
def download_workbook(person: APerson, bulletin_id: Number) -> Response:
    """The bulletin for Excel; who looks after one region gets no other's duties."""
    found = _cut(person, bulletin_id)
    own = [one for one in found.seen.facts if person.sees(one.agency)]
    made = BytesIO()
    making.workbook(replace(found, seen=replace(found.seen, facts=own)), made)
    return _file(found.view, ".xlsx", EXCEL, made.getvalue())


def _file(view: bulletins.BulletinView, suffix: str, media: str, content: bytes) -> Response:
    said = f'attachment; filename="{making.file_name(view, suffix)}"'
    return Response(content, media_type=media, headers={"Content-Disposition": said})


def measure_words(person: Person) -> Mapping[Measure, str]:
    """What each number counts."""
    return {
        Measure.TOTAL: person.text("全部事项"),
        Measure.REQUIRED: person.text("应报"),
        Measure.NIL: person.text("零报告"),
        Measure.NOT_APPLICABLE: person.text("不适用、免办"),
        Measure.ACCEPTED: person.text("已销号"),
        Measure.SUBMITTED: person.text("已报待审"),
        Measure.OPEN: person.text("未报"),
        Measure.OVERDUE: person.text("超期未报"),
        Measure.JUDGED_ORIGINAL: person.text("已到原时限"),
        Measure.ON_TIME_ORIGINAL: person.text("按原时限完成"),
        Measure.JUDGED: person.text("已到现行时限"),
        Measure.SETTLED: person.text("到期已销号"),
        Measure.ON_TIME: person.text("按时限完成（含延期）"),
        Measure.LATE: person.text("逾期完成"),
        Measure.EXTENDED: person.text("时限顺延"),
        Measure.BACKLOG: person.text("以前期间积压"),
        Measure.SHARED: person.text("配合事项"),
        Measure.REPORTED: person.text("已采用数据"),
    }


def group_words(person: Person) -> Mapping[Group, str]:
    """Which duties are counted apart."""
    return {
        Group.LEAD: person.text("牵头"),
        Group.CO: person.text("共同负责"),
        Group.SOFT: person.text("倡导性"),
        Group.ALL: "",
    }


# Acts


@router.post("/{bulletin_id}/objections")
def object_to(person: APerson, form: PersonForm, bulletin_id: Number) -> Response:
    """Says something against a draft."""
    person.require("decide")
    _view(person, bulletin_id)
    text = text_of(form, "text")
    try:
        bulletins.object_to(person.ledger, bulletin_id, text=text, by=person.actor, now=person.now)
    except DubanError as error:
        return _page(person, bulletin_id, Typed(_why(person, error), text))
    return _done(bulletin_id, "objected")


@router.post("/{bulletin_id}/objections/{objection_id}")
def answer(
    person: APerson, form: PersonForm, bulletin_id: Number, objection_id: Number
) -> Response:
    """Answers it."""
    _require_drafts(person)
    if objection_id not in {one.id for one in bulletins.objections(person.ledger, bulletin_id)}:
        raise HTTPException(404)
    text = text_of(form, "text")
    try:
        bulletins.answer(person.ledger, objection_id, text=text, by=person.actor, now=person.now)
    except DubanError as error:
        return _page(person, bulletin_id, Typed(_why(person, error)))
    return _done(bulletin_id, "answered")


@router.post("/{bulletin_id}/end")
def end(person: APerson, form: PersonForm, bulletin_id: Number) -> Response:
    """Issues or withdraws it."""
    _require_drafts(person)
    _view(person, bulletin_id)
    text, issues = text_of(form, "text"), form.get("act") == "issue"
    try:
        if issues:
            making.issue(person.ledger, bulletin_id, by=person.actor, now=person.now)
        else:
            bulletins.withdraw(
                person.ledger, bulletin_id, reason=text, by=person.actor, now=person.now
            )
    except DubanError as error:
        return _page(person, bulletin_id, Typed(_why(person, error)))
    return _done(bulletin_id, "issued" if issues else "withdrawn")


def _done(bulletin_id: int, code: str) -> RedirectResponse:
    return RedirectResponse(f"/desk/bulletins/{bulletin_id}?done={code}", 303)
