"""What was said last about a duty and what comes next, in words, as cards and boards say it."""

from collections.abc import Callable

from duban.duty import CLOSED
from duban.ladder import ENDLESS, Reason
from duban.ledger.questions import DutyView
from duban.ledger.timeline import Last, Prospect, Told
from duban.words import Words, rung_words


def delivery_words(told: Told, w: Words, name_of: Callable[[str], str]) -> str:
    """What became of a letter: to whom, by which channel, or why not; never an address."""
    return w.deliveries[_way(told.state, told.via)].format(
        kind=w.kinds[told.kind],
        recipient=name_of(told.recipient),
        channel=w.channels.get(told.via, told.via),
        why=w.deliveries.get(f"why-{told.why}", ""),
    )


def _way(state: str, via: str) -> str:
    if state in ("unreachable", "dead"):
        return "failed"
    return via if state == "sent" and via in ("drop", "hand") else state


def last_words(last: Last, w: Words, name_of: Callable[[str], str]) -> str:
    """The last letter or call, and whether it arrived; `name_of` names an agency by its id."""
    to = name_of(last.recipient)
    kind = w.kinds[last.kind] if last.kind else ""
    way = _way(last.state, last.via) if last.kind else "telephone"
    why = w.letter_states.get(last.state, last.state)
    channel = w.channels.get(last.via, last.via)
    said = w.deliveries[way].format(kind=kind, recipient=to, channel=channel, why=why)
    return f"{last.day} {said}"


def next_words(duty: DutyView, prospect: Prospect | None, w: Words) -> str:
    """The next rung and its day, or why there is none; and what awaits approval."""
    if prospect is None or duty.status in CLOSED:
        return ""
    if prospect.awaiting is None:
        return _ahead(prospect, w)
    awaits = w.card["awaits"].format(rung=rung_words(prospect.awaiting, w))
    alone = prospect.reason is Reason.PROPOSED and prospect.next is None
    return awaits if alone else w.join.join((_ahead(prospect, w), awaits))


def _ahead(prospect: Prospect, w: Words) -> str:
    if prospect.held_until == ENDLESS:
        return w.card["held_open"]
    turn = _turn(prospect, w)
    if prospect.held_until:
        held = w.card["held"].format(day=prospect.held_until)
        return w.join.join(filter(None, (held, turn and w.card["then"].format(next=turn))))
    if prospect.reason is Reason.NOT_DELIVERED:
        return w.card["undelivered"]
    return turn or w.reasons[prospect.reason]


def _turn(prospect: Prospect, w: Words) -> str:
    if prospect.next is None:
        return ""
    form = w.card["next_reached" if prospect.reached else "next_on"]
    said = form.format(day=prospect.on, rung=rung_words(prospect.next.rung, w))
    approval = prospect.next.rung.approval
    return f"{said}{w.brackets.format(w.card['approval']) if approval else ''}"
