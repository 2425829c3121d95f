"""What the desk's pages share: how they are shown, and how their address says what is sought."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query
from starlette.responses import HTMLResponse

from duban.duty import Light, Status
from duban.errors import DubanError
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.approvals import CALL, NotWaiting
from duban.ledger.browsing import (
    Selection,
    State,
    Then,
    Today,
    clause_words,
    known_agencies,
    periods,
)
from duban.ledger.holds import HoldRefused
from duban.ledger.past import duties_as_of
from duban.ledger.questions import DutyView, known_clauses
from duban.portal.desk.faults import sentence
from duban.portal.who import APerson, Person, Visit
from duban.registry import instant
from duban.words import Words, period_words

Given = Annotated[str, Query(max_length=120)]

_STATUS = {
    State.OPEN: Status.OPEN,
    State.RETURNED: Status.RETURNED,
    State.SUBMITTED: Status.SUBMITTED,
    State.ACCEPTED: Status.ACCEPTED,
}


def show(
    person: Person, template: str, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """A desk page; `?done=` names what was just done."""
    told = done_words(person).get(person.request.query_params.get("done", ""), "")
    whole = {"person": person, "done": told, **context}
    return person.pages.render(person.request, template, whole, status=status)


def done_words(person: Visit) -> dict[str, str]:
    """What is told after an act, by the code in the address."""
    return {
        "called": person.text("电话催办已记录。"),
        "extended": person.text("已延期，延期通知将随下一批函件发出。"),
        "waived": person.text("已按免办处理。"),
        "not-applicable": person.text("已按不适用处理。"),
        "reopened": person.text("已重启，责任单位将收到通知。"),
        "held": person.text("已暂停催办。"),
        "filled": person.text("已导入：指标存为各单位的草稿，进展情况和存在问题已记入办理记录。"),
    }


def fault_words(person: Visit, error: DubanError) -> str:
    """Why an act on a duty was refused, and what to do."""
    if isinstance(error, NotWaiting):
        return person.text("这一事项不在待报或者退回状态，不需要催办。")
    if isinstance(error, HoldRefused):
        return person.text("暂停催办须写明原因，截止日期不得早于今天。")
    return sentence(person, error)


def state_words(person: Visit, w: Words) -> dict[State, str]:
    """What each number counts."""
    lights = {
        State(light): person.text("{}灯").format(w.lights[light])
        for light in (Light.RED, Light.YELLOW, Light.GREEN)
    }
    return {
        State.REQUIRED: person.text("应办"),
        State.OVERDUE: w.overdue,
        State.DUE_SOON: w.due_soon,
        State.DUE_NEXT: w.boards["due-30"],
        **{state: w.status[status] for state, status in _STATUS.items()},
        State.NIL: person.text("零报告"),
        State.EXCUSED: person.text("不适用、免办"),
        **lights,
        State.GREY: person.text("已办结"),
    }


def rung_words(ledger: Ledger, duty: DutyView, rung: str, w: Words) -> str:
    """A rung by its title or its kind; a plain call by telephone has neither."""
    if rung == CALL:
        return w.letter_states["telephone"]
    if rung in set(Kind):
        return w.kinds[Kind(rung)]
    found = ledger.registry.ladder(duty.clause_key, duty.agency.id).rung(rung)
    return (found.title or w.kinds[found.kind]) if found else rung


@dataclass(frozen=True)
class Looking:
    """What a page of duties was asked for, as its address says it.

    Attributes:
        selection: which duties.
        as_of: the past civil day whose evening is looked at; None: now.
        sort: see `duban.ledger.browsing.SORTS`; `page` counts from 1.
    """

    person: Person
    selection: Selection
    as_of: date | None
    sort: str
    page: int

    @cached_property
    def when(self) -> Today | Then:
        """The duties at the moment looked at."""
        ledger = self.person.ledger
        if self.as_of is None:
            return Today(ledger, self.person.now)
        evening = instant(self.as_of, "24:00", ledger.registry.first_notice.zone)
        return Then(ledger, evening, duties_as_of(ledger, evening))

    @property
    def now(self) -> datetime:
        """The moment looked at."""
        return self.when.now

    def link(self, path: str = "/desk/duties", **changes: Any) -> str:
        """The address of what is sought, with changes; a page begins anew unless it is named."""
        one = self.selection
        query = {
            "notice": one.notice,
            "section": one.section,
            "clause": one.clause,
            "region": one.region,
            "department": one.department,
            "agency": one.agency,
            "period": one.period,
            "state": one.state or "",
            "text": one.text,
            "as_of": self.as_of or "",
            "sort": self.sort,
        } | changes
        filled = {key: f"{value}" for key, value in query.items() if value}
        return f"{path}?{urlencode(filled)}" if filled else path

    @cached_property
    def choices(self) -> dict[str, list[tuple[str, str]]]:
        """What the filters offer, as (value, words)."""
        registry, within = self.person.ledger.registry, self.selection.within
        known = known_clauses(self.person.ledger)
        agencies = [a for a in registry.agencies.values() if within in ("", a.region)]
        loaded = registry.notices.items()
        return {
            "notice": [(key, notice.file.notice.label) for key, notice in loaded],
            "section": [(one, one) for one in dict.fromkeys(c.section for c in known.values())],
            "clause": list(clause_words(self.person.ledger).items()),
            "region": list(dict.fromkeys((a.region, a.region_name) for a in agencies)),
            "department": [(one, one) for one in dict.fromkeys(a.department for a in agencies)],
            "period": [(one, period_words(self.words, one)) for one in periods(self.person.ledger)],
        }

    @cached_property
    def words(self) -> Words:
        """The product's words in the person's language."""
        return self.person.pages.words(self.person.request)

    @property
    def today(self) -> date:
        """The civil day, in the first notice's zone."""
        return self.person.ledger.registry.today(self.person.now)

    @cached_property
    def agency_name(self) -> str:
        """The name of the one agency that is sought, if it is one."""
        sought = self.selection.agency
        return known_agencies(self.person.ledger).get(sought, sought) if sought else ""


def looking(
    person: APerson,
    notice: Given = "",
    section: Given = "",
    clause: Given = "",
    region: Given = "",
    department: Given = "",
    agency: Given = "",
    period: Given = "",
    state: Given = "",
    text: Given = "",
    as_of: Given = "",
    sort: Given = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Looking:
    """Reads the address; what makes no sense in it is left out."""
    selection = Selection(
        notice=notice,
        section=section,
        clause=clause,
        region=region,
        department=department,
        agency=agency,
        period=period,
        state=State(state) if state in set(State) else None,
        text=text.strip(),
        within=person.signed.region or "",
    )
    return Looking(person, selection, _past_day(person, as_of), sort, page)


def _past_day(person: Person, given: str) -> date | None:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return None
    return day if day < person.ledger.registry.today(person.now) else None


ALooking = Annotated[Looking, Depends(looking)]
