"""How a duty looks on the stage (the Prefect UI): pure, from the ledger's facts and one moment.

State, light and the tags of what is overdue change with the time alone; what a card says of days
late is dated, so that it stays true, and is written again now and then.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from duban.duty import WAITING, Status, on_time
from duban.intake import masked
from duban.ladder import ENDLESS
from duban.ledger.questions import DutyView, Event, Received
from duban.ledger.timeline import Last, Prospect, Told
from duban.outlook import delivery_words, last_words, next_words
from duban.registry import clock
from duban.words import (
    Words,
    asked_words,
    civil_words,
    due_words,
    event_words,
    period_words,
    section_words,
    words,
)

DUTY_TAG = "duty"
FORM = "4"
"""Changes with what faces and cards are made of, so that a new version shows on every run."""

REFRESH = timedelta(days=7)
"""How old the card of an overdue duty grows before its days are counted anew."""

KEPT_CROWDED = timedelta(days=7)
"""How long a closed duty is shown where there are more duties than the stage shows."""

StateType = Literal["PAUSED", "FAILED", "COMPLETED", "CANCELLED"]

STATES: dict[str, StateType] = {
    "AwaitingEvidence": "PAUSED",
    "UnderReview": "PAUSED",
    "Returned": "PAUSED",
    "Overdue": "FAILED",
    "Accepted": "COMPLETED",
    "AcceptedLate": "COMPLETED",
    "Waived": "CANCELLED",
    "NotApplicable": "CANCELLED",
}
"""Prefect state type of each name; the type decides the colour."""

StateName = Literal[
    "AwaitingEvidence",
    "UnderReview",
    "Returned",
    "Overdue",
    "Accepted",
    "AcceptedLate",
    "Waived",
    "NotApplicable",
]

_BY_STATUS: dict[Status, StateName] = {
    Status.OPEN: "AwaitingEvidence",
    Status.SUBMITTED: "UnderReview",
    Status.RETURNED: "Returned",
    Status.ACCEPTED: "Accepted",
    Status.WAIVED: "Waived",
    Status.NOT_APPLICABLE: "NotApplicable",
}


@dataclass(frozen=True, slots=True)
class Face:
    """What the run of a duty should show.

    `revision` changes when the run has to be made anew: with a new due day or title.
    """

    duty_id: int
    clause_key: str
    revision: str
    name: str
    state: StateName
    message: str
    tags: tuple[str, ...]
    parameters: dict[str, Any]

    @property
    def key(self) -> str:
        """The run's idempotency key."""
        return f"duty-{self.duty_id}-{self.revision}"

    @property
    def digest(self) -> str:
        """Changes with the name or the tags, which a run can be given without making it anew."""
        return face_digest(self.name, self.tags)


def face_digest(name: str, tags: Sequence[str]) -> str:
    """Of a run's name and tags, in whatever order these come."""
    return _sha256(repr((name, sorted(set(tags)))))


def state_name(duty: DutyView, now: datetime) -> StateName:
    """The name of the state that stands for the duty now."""
    if duty.overdue(now):
        return "Overdue"
    if duty.status is Status.ACCEPTED and not on_time(duty.standing):
        return "AcceptedLate"
    return _BY_STATUS[duty.status]


def face(duty: DutyView, now: datetime, label: str = "") -> Face:
    """What the duty's run should show now; a `label` marks what is not meant in earnest."""
    w = words(duty.notice.language)
    due = due_words(w, duty.due_at, duty.notice.zone, duty.period)
    period = period_words(w, duty.period)
    return Face(
        duty_id=duty.id,
        clause_key=duty.clause_key,
        revision=f"{duty.revision}-{_sha256(duty.clause.title)[:6]}",
        name=" · ".join(filter(None, (label, duty.agency.name, period, due))),
        state=state_name(duty, now),
        message=_message(duty, w),
        tags=(*_tags(duty, now, w), *filter(None, [label])),
        parameters=_parameters(duty, w),
    )


def _message(duty: DutyView, w: Words) -> str:
    """What stands beside the state: the due instant, and what is settled about the evidence."""
    due = duty.due_at.astimezone(duty.notice.zone)
    first = _first_due(duty, w) if _moved(duty) else ""
    parts = [
        f"{w.labels['due']} {due:%Y-%m-%d} {clock(due)}{first}",
        w.card["nil"] if duty.nil else "",
        "" if duty.status in WAITING else _late_closed(duty, w),
    ]
    return " · ".join(filter(None, parts))


def _parameters(duty: DutyView, w: Words) -> dict[str, Any]:
    """For people; Prefect adds those of the clause's deployment."""
    zone = duty.notice.zone
    first = duty.original_due_at.astimezone(zone).date().isoformat()
    return {
        w.labels["duty"]: duty.id,
        w.labels["clause"]: f"{duty.number} {duty.clause.title}",
        w.labels["agency"]: duty.agency.name,
        w.card["region"]: duty.agency.region_name,
        w.labels["period"]: period_words(w, duty.period),
        w.labels["due"]: duty.due_at.astimezone(zone).date().isoformat(),
        **({w.labels["original_due"]: first} if _moved(duty) else {}),
    }


CLAUSE_TAG, FORM_TAG = "clause:", "form:"
"""How the tags begin by which deployments are found again, whatever their titles."""


def clause_tag(key: str) -> str:
    """The tag of a clause's deployment and runs."""
    return f"{CLAUSE_TAG}{key}"


def form_tag(act: str) -> str:
    """The tag of the form of an act."""
    return f"{FORM_TAG}{act}"


def overdue_tag(w: Words, of: str = "") -> str:
    """The tag of what is overdue: all of it, or that of a region, a department or a clause.

    The pages show the runs that carry *any* of several tags, so that the overdue duties of a city
    need a tag of their own. `of` is the region's or department's id, or the clause's number.
    """
    return f"{w.overdue}:{of}" if of else f"{w.tags['status']}:{w.overdue}"


def runs_link(prefect: str, *tags: str) -> str:
    """The address of the page that lists the runs with any of the tags, of all time.

    Args:
        prefect: the address of Prefect's pages without a slash at its end.
    """
    return f"{prefect}/v2/runs?tags={quote(','.join(tags))}"


def _moved(duty: DutyView) -> bool:
    return duty.due_at != duty.original_due_at


def _first_due(duty: DutyView, w: Words) -> str:
    first = duty.original_due_at.astimezone(duty.notice.zone)
    return w.brackets.format(f"{w.labels['original_due']} {first:%Y-%m-%d}")


def _tags(duty: DutyView, now: datetime, w: Words) -> tuple[str, ...]:
    late = duty.overdue(now)
    region, department = duty.agency.region, duty.agency.department
    return (
        "duban",
        DUTY_TAG,
        clause_tag(duty.clause_key),
        f"{w.tags['status']}:{w.overdue if late else w.status[duty.status]}",
        f"{w.tags['agency']}:{duty.agency.name}",
        f"{w.tags['region']}:{region}",
        f"{w.tags['department']}:{department}",
        f"{w.tags['clause']}:{duty.number}",
        f"{w.tags['light']}:{w.lights[duty.light(now)]}",
        *(overdue_tag(w, of) for of in (region, department, duty.number) if late),
    )


def kept_since(now: datetime, zone: ZoneInfo, *, crowded: bool) -> datetime:
    """A closed duty is shown if it was closed at this instant or later.

    That is until the end of the year after the one in which it was closed.
    """
    if crowded:
        return now - KEPT_CROWDED
    return datetime(now.astimezone(zone).year - 1, 1, 1, tzinfo=zone)


# The timeline.


def line(said: Event | Told, w: Words, zone: ZoneInfo, name_of: Callable[[str], str]) -> str:
    """One line of a run's log.

    Args:
        name_of: an agency's name by its id; others it leaves as they are.
    """
    if isinstance(said, Told):
        return delivery_words(said, w, name_of)
    actor = "" if said.actor == "duban" else f" — {name_of(said.actor)}"
    return f"{event_words(w, said, zone)}{actor}"


# The card.


@dataclass(frozen=True, slots=True)
class Door:
    """A form of the stage that can be opened with a duty filled in: its title, its deployment."""

    title: str
    deployment: str

    def address(self, duty: int) -> str:
        """Where it is, within the stage's own pages."""
        filled = quote(json.dumps({"duty": duty}, separators=(",", ":")))
        return f"/v2/deployments/deployment/{self.deployment}/run?parameters={filled}"


_DOORS: dict[Status, tuple[str, ...]] = {
    Status.OPEN: ("extend", "waive", "call"),
    Status.RETURNED: ("extend", "waive", "call"),
    Status.SUBMITTED: ("review", "waive"),
    Status.ACCEPTED: ("reopen",),
    Status.WAIVED: ("reopen",),
    Status.NOT_APPLICABLE: ("reopen",),
}
"""The forms that fit a duty, by what it waits for."""


@dataclass(frozen=True, slots=True)
class Background:
    """What a card says beside the duty's own facts.

    Attributes:
        received: the latest evidence.
        name_of: an agency's name by its id.
        portal: the portal's address without a slash at its end; without it there is no link there.
        label: marks what is not meant in earnest.
        doors: the forms that there are, by the name of the act.
    """

    received: Received | None = None
    prospect: Prospect | None = None
    last: Last | None = None
    name_of: Callable[[str], str] = str
    portal: str = ""
    label: str = ""
    doors: Mapping[str, Door] = field(default_factory=dict[str, Door])


def card(duty: DutyView, beside: Background, as_of: datetime | None = None) -> str:
    """The duty's card in Markdown: the clause's words, the dates and why, what was said and got.

    It names no person, holds no mobile number and no link that opens anything: that to the portal
    leads coordinators to where they sign in.

    Args:
        as_of: the moment by which days late are counted; without one the card says nothing that
            changes with the day.
    """
    w = words(duty.notice.language)
    rows = [(label, value) for label, value in _rows(duty, beside, w, as_of) if value]
    lines = [
        *([f"**{beside.label}**", ""] if beside.label else ()),
        f"### {duty.number} {duty.clause.title}",
        "",
        f"> {duty.clause.quote}",
        "",
        f"— {duty.notice.number} {section_words(duty.notice.language, duty.clause.section)}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {_cell(value)} |" for label, value in rows),
        "",
        *_leading_on(duty, beside, w),
        f"**{w.labels['evidence']}**",
        "",
        *(f"- {asked_words(w, one.model_dump(mode='json'))}" for one in duty.clause.evidence),
    ]
    if duty.clause.soft:
        lines += ["", f"*{w.labels['soft']}*"]
    return "\n".join(lines + _received(duty, beside.received, w))


def card_digest(duty: DutyView, beside: Background) -> str:
    """Of the card's facts: it does not change with the day."""
    return _sha256(card(duty, beside))


def refresh_on(duty: DutyView, prospect: Prospect | None, now: datetime) -> date | None:
    """The civil day on which the card is written again without news; None when never."""
    today = now.astimezone(duty.notice.zone).date()
    days = [today + REFRESH] if duty.overdue(now) else []
    if prospect and prospect.held_until and prospect.held_until != ENDLESS:
        days.append(prospect.held_until + timedelta(days=1))
    return min(days, default=None)


def _leading_on(duty: DutyView, beside: Background, w: Words) -> list[str]:
    links = [f"[{w.labels['in_portal']}]({beside.portal}/desk/duties/{duty.id})"]
    fitting = (beside.doors.get(act) for act in _DOORS[duty.status])
    forms = [f"[{one.title}]({one.address(duty.id)})" for one in fitting if one]
    if shown := [*(links if beside.portal else []), *forms]:
        return [" · ".join(shown), ""]
    return []


def _rows(
    duty: DutyView, beside: Background, w: Words, as_of: datetime | None
) -> list[tuple[str, str]]:
    return [
        (w.labels["duty"], str(duty.id)),
        (w.labels["agency"], duty.agency.name),
        (w.labels["period"], period_words(w, duty.period)),
        (w.labels["due"], _due(duty, w)),
        (w.labels["basis"], _why_then(duty, w)),
        (w.labels["status"], _status(duty, w)),
        (w.card["late"], _late(duty, w, as_of)),
        (w.card["next"], next_words(duty, beside.prospect, w)),
        (w.card["last"], last_words(beside.last, w, beside.name_of) if beside.last else ""),
        (w.labels["telephone"], masked(duty.agency.contact.telephone)),
    ]


def _due(duty: DutyView, w: Words) -> str:
    due = duty.due_at.astimezone(duty.notice.zone)
    hour = "" if clock(due) == "24:00" else f" {clock(due)}"
    first = _first_due(duty, w) if _moved(duty) else ""
    unsure = w.brackets.format(w.labels["provisional"]) if duty.provisional else ""
    return f"{civil_words(duty.notice.language, due.date())}{hour}{first}{unsure}"


def _why_then(duty: DutyView, w: Words) -> str:
    cycle = duty.clause.cycle(duty.cycle)
    return w.labels["colon"].join(filter(None, (w.basis[cycle.basis], cycle.note)))


def _status(duty: DutyView, w: Words) -> str:
    nil = w.brackets.format(w.card["nil"]) if duty.nil else ""
    return f"{w.status[duty.status]}{nil}"


def _late(duty: DutyView, w: Words, as_of: datetime | None) -> str:
    """Days late against the due day in force and the first one; those of an open duty are dated."""
    if duty.status not in WAITING:
        return _late_closed(duty, w)
    if as_of is None or not duty.overdue(as_of):
        return ""
    today = as_of.astimezone(duty.notice.zone).date()
    said = w.card["late_as_of"].format(day=today.isoformat(), days=duty.days_late(as_of))
    return f"{said}{_against_first(duty, w, as_of)}"


def _late_closed(duty: DutyView, w: Words) -> str:
    came = duty.standing.submitted_at
    days = duty.days_late(came) if came else 0
    if came is None or not days:
        return ""
    return f"{w.card['late_closed'].format(days=days)}{_against_first(duty, w, came)}"


def _against_first(duty: DutyView, w: Words, until: datetime) -> str:
    if not _moved(duty):
        return ""
    zone = duty.notice.zone
    first = duty.original_due_at.astimezone(zone).date()
    days = max(0, (until.astimezone(zone).date() - first).days)
    return w.brackets.format(w.card["late_original"].format(days=days))


def _received(duty: DutyView, received: Received | None, w: Words) -> list[str]:
    if received is None:
        return []
    at = f"{received.submitted_at.astimezone(duty.notice.zone):%Y-%m-%d %H:%M}"
    nil = w.brackets.format(w.card["nil"]) if received.nil else ""
    lines = ["", f"**{w.labels['received']}**{nil} {received.receipt} · {at}", ""]
    if received.suspect:
        return [*lines, f"*{w.labels['suspect']}*"]
    if received.statement:
        lines.append(f"- {w.card['at_desk']}")
    for key, value in received.fields.items():
        asked = duty.clause.field(key)
        said = _plain(value) if asked and asked.type in _COUNTED else w.card["at_desk"]
        lines.append(f"- {asked.label if asked else key}{w.labels['colon']}{said}")
    if received.files:
        lines.append(f"- {w.card['files'].format(n=len(received.files))}")
    return lines


_COUNTED = ("integer", "ratio", "date")
"""What nobody can write a name into; the rest, and how files are called, is read at the desk."""


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(str(one) for one in cast(list[int], value))
    return _cell(str(value))


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
