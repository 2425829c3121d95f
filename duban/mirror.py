"""How a duty looks on the stage (the Prefect UI): pure, from the ledger's facts and one moment.

Nothing here changes with the day alone but state and light, so an idle day sends few differences.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from duban.duty import Status, on_time
from duban.ledger.questions import DutyView, Received
from duban.words import Words, asked_words, civil_words, due_words, period_words, words

DUTY_TAG = "duty"
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
        return hashlib.sha256(repr((self.name, self.tags)).encode()).hexdigest()


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
    zone = duty.notice.zone
    due = due_words(w, duty.due_at, zone, duty.period)
    period = period_words(w, duty.period)
    moved = "" if duty.due_at == duty.original_due_at else _first_due(duty, w)
    return Face(
        duty_id=duty.id,
        clause_key=duty.clause_key,
        revision=f"{duty.revision}-{hashlib.sha256(duty.clause.title.encode()).hexdigest()[:6]}",
        name=" · ".join(filter(None, (label, duty.agency.name, period, due))),
        state=state_name(duty, now),
        message=f"{w.labels['due']} {duty.due_at.astimezone(zone):%Y-%m-%d %H:%M}{moved}",
        tags=(*_tags(duty, now, w), *filter(None, [label])),
        parameters={
            "clause": duty.clause_key,
            "duty": duty.id,
            "agency": duty.agency.name,
            "period": period,
            "due": duty.due_at.astimezone(zone).date().isoformat(),
        },
    )


def clause_tag(key: str) -> str:
    """The tag that identifies a clause on the stage, whatever its title."""
    return f"clause:{key}"


def _first_due(duty: DutyView, w: Words) -> str:
    first = duty.original_due_at.astimezone(duty.notice.zone)
    return w.brackets.format(f"{w.labels['original_due']} {first:%Y-%m-%d}")


def _tags(duty: DutyView, now: datetime, w: Words) -> tuple[str, ...]:
    state = w.overdue if duty.overdue(now) else w.status[duty.status]
    return (
        "duban",
        DUTY_TAG,
        clause_tag(duty.clause_key),
        f"{w.tags['status']}:{state}",
        f"{w.tags['agency']}:{duty.agency.name}",
        f"{w.tags['region']}:{duty.agency.region}",
        f"{w.tags['clause']}:{duty.number}",
        f"{w.tags['light']}:{w.lights[duty.light(now)]}",
    )


def card(duty: DutyView, received: Received | None, label: str = "", portal: str = "") -> str:
    """The duty's card in Markdown: the clause's words, the due day and why, evidence asked and got.

    It names no person and holds no link that opens anything: that to the portal leads coordinators
    to where they sign in.

    Args:
        label: marks what is not meant in earnest.
        portal: the portal's address without a slash at its end.
    """
    w = words(duty.notice.language)
    rows = [
        (w.labels["duty"], str(duty.id)),
        (w.labels["agency"], duty.agency.name),
        (w.labels["period"], period_words(w, duty.period)),
        (w.labels["due"], _due_and_why(duty, w)),
        (w.labels["status"], w.status[duty.status]),
        (w.labels["telephone"], duty.agency.contact.telephone),
    ]
    lines = [
        *([f"**{label}**", ""] if label else ()),
        f"### {duty.number} {duty.clause.title}",
        "",
        f"> {duty.clause.quote}",
        "",
        f"— {duty.notice.number} {duty.clause.section}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {value} |" for label, value in rows if value),
        "",
        *([f"[{w.labels['in_portal']}]({portal}/desk/duties/{duty.id})", ""] if portal else ()),
        f"**{w.labels['evidence']}**",
        "",
        *(f"- {asked_words(w, one.model_dump(mode='json'))}" for one in duty.clause.evidence),
    ]
    if duty.clause.soft:
        lines += ["", f"*{w.labels['soft']}*"]
    return "\n".join(lines + _received(duty, received, w))


def _due_and_why(duty: DutyView, w: Words) -> str:
    cycle = duty.clause.cycle(duty.cycle)
    day = civil_words(duty.notice.language, duty.due_at.astimezone(duty.notice.zone).date())
    first = "" if duty.due_at == duty.original_due_at else _first_due(duty, w)
    unsure = w.brackets.format(w.labels["provisional"]) if duty.provisional else ""
    return f"{day}{first}{unsure} · {w.basis[cycle.basis]} {cycle.note}".rstrip()


def _received(duty: DutyView, received: Received | None, w: Words) -> list[str]:
    if received is None:
        return []
    at = f"{received.submitted_at.astimezone(duty.notice.zone):%Y-%m-%d %H:%M}"
    lines = ["", f"**{w.labels['received']}** {received.receipt} · {at}", ""]
    if received.suspect:
        return [*lines, f"*{w.labels['suspect']}*"]
    for key, value in received.fields.items():
        field = duty.clause.field(key)
        lines.append(f"- {field.label if field else key}: {_plain(value)}")
    lines += [f"- {name}" for _, name in received.files]
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "/".join(str(one) for one in cast(list[int], value))
    return str(value).replace("\n", " ").replace("|", "\\|")


def table_of_overdue(found: Sequence[DutyView], now: datetime, w: Words) -> list[dict[str, Any]]:
    """Rows of the board's overdue table, the longest overdue first."""
    late = sorted(
        (duty for duty in found if duty.overdue(now)),
        key=lambda duty: (duty.due_at, duty.clause_key, duty.agency.id),
    )
    return [
        {
            w.labels["duty"]: duty.id,
            w.labels["clause"]: f"{duty.number} {duty.clause.title}",
            w.labels["agency"]: duty.agency.name,
            w.labels["period"]: period_words(w, duty.period),
            w.labels["due"]: duty.due_at.astimezone(duty.notice.zone).date().isoformat(),
            w.labels["late"]: duty.days_late(now),
        }
        for duty in late
    ]
