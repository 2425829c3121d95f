"""How letters fare, and whether everything was opened: expected N, opened M."""

from collections.abc import Sequence

from duban.board.asked import Checked, Delivery
from duban.board.day import Day
from duban.board.markdown import Board
from duban.markdown import joined, link, table

FATES = ("accepted", "temporary", "permanent", "ambiguous")
STATES = ("pending", "sent", "unreachable", "dead", "suppressed")


def delivery(day: Day, found: Delivery, *, armed: bool, without: int) -> Board:
    """How letters fare.

    Args:
        armed: whether letters may leave through real channels.
        without: how many agencies have no address.
    """
    w = day.w
    addresses = w.boards["addresses"].format(suspended=found.suspended, without=without)
    body = joined(
        (
            f"**{w.boards['sending-on' if armed else 'sending-off']}**",
            _letters(day, found),
            _oldest(day, found),
            f"**{w.boards['attempts']}**",
            _tries(day, found),
            f"**{w.boards['chores']}**",
            _chores(day, found),
            addresses,
        )
    )
    counts = (
        f"{w.letter_states[one]} {found.states[one]}" for one in STATES if found.states.get(one)
    )
    return day.board("delivery", body, " · ".join(counts), portal=day.places.letters())


def _letters(day: Day, found: Delivery) -> str:
    w = day.w
    rows = [
        [w.letter_states[one], link(found.states.get(one, 0), day.places.letters(state=one))]
        for one in STATES
    ]
    return table([w.boards["letters"], w.boards["amount"]], 1, rows)


def _oldest(day: Day, found: Delivery) -> str:
    if found.oldest is None or found.oldest > day.now:
        return ""
    at = f"{found.oldest.astimezone(day.zone):%Y-%m-%d %H:%M}"
    return day.w.boards["oldest"].format(at=at)


def _tries(day: Day, found: Delivery) -> str:
    w = day.w
    channels = sorted({via for via, _ in found.tries})
    if not channels:
        return w.boards["none"]
    names = ("tries", *FATES, "other")
    head = [w.boards["channel"], *(w.boards[name] for name in names)]
    return table(head, len(names), [[one, *_of_channel(found, one)] for one in channels])


def _of_channel(found: Delivery, channel: str) -> list[object]:
    whole = sum(n for (via, _), n in found.tries.items() if via == channel)
    fates = [found.tries.get((channel, one), 0) for one in FATES]
    return [n or "·" for n in (whole, *fates, whole - sum(fates))]


def _chores(day: Day, found: Delivery) -> str:
    w = day.w
    if not found.chores:
        return w.boards["none"]
    lines = [f"- {w.tasks[kind][0]}{w.labels['colon']}{n}" for kind, n in found.chores.items()]
    return "\n".join(sorted(lines))


def opened(day: Day, found: Sequence[Checked]) -> Board:
    """Whether everything was opened that should be, day by day."""
    w = day.w
    names = ("checks", "expected", "opened-count")
    head = [w.labels["day"], *(w.boards[name] for name in names)]
    rows = [
        [f"{one.day}", one.looks, "–" if one.expected is None else one.expected, one.opened]
        for one in found
    ]
    body = joined((table(head, len(names), rows) if rows else "", w.boards["opened-note"]))
    return day.board("opened", body, _last(day, found))


def _last(day: Day, found: Sequence[Checked]) -> str:
    whole = [one for one in found if one.expected is not None]
    if not whole:
        return day.w.boards["no-tick"]
    return day.w.boards["matched"].format(expected=whole[0].expected, opened=whole[0].opened)
