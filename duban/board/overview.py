"""The first board: all counts, the way to the other boards, and a line for each clause."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from duban.board.day import Day
from duban.board.markdown import Board
from duban.board.summary import Situations, columns, line, number, situations
from duban.duty import WAITING
from duban.ledger.browsing import Band, Counted, State
from duban.markdown import ROWS, joined, link, plain, table

SHOWN = (State.OVERDUE, State.DUE_SOON, State.SUBMITTED, State.RETURNED, State.ACCEPTED)


def overview(
    day: Day, counted: Sequence[Counted], clauses: Mapping[str, str], others: Iterable[Board]
) -> Board:
    """The first board.

    Args:
        clauses: number and title by clause key, in order.
        others: the other boards of the day.
    """
    whole = situations(counted)
    head = line(whole, day.now, day.w)
    body = joined(
        (
            f"**{plain(head)}**",
            _late_soft(day, whole),
            "\n".join((*(_way(day, one) for one in others), _acts(day))),
            _table(day, counted, clauses),
        )
    )
    return day.board("board", body, head, portal=f"{day.places.portal}/desk")


def _way(day: Day, other: Board) -> str:
    told = f"{day.w.labels['colon']}{other.told}" if other.told else ""
    return f"- {link(other.title, day.places.board(other.key))}{told}"


def _acts(day: Day) -> str:
    """The way to the forms, which stand among all the clauses in Prefect's own list."""
    named = day.w.boards["acts"]
    told = day.w.boards["acts-told"]
    return f"- {link(named, day.places.acts(named))}{day.w.labels['colon']}{told}"


def _late_soft(day: Day, whole: Situations) -> str:
    late = sum(
        n
        for one, n in whole.items()
        if one.soft and one.band is Band.PAST and one.status in WAITING
    )
    return day.w.boards["soft-late"].format(n=late) if late else ""


def _table(day: Day, counted: Iterable[Counted], clauses: Mapping[str, str]) -> str:
    groups: dict[str, list[Counted]] = defaultdict(list)
    for one in counted:
        groups[one.clause].append(one)
    rows = [_row(day, key, clauses[key], groups[key]) for key in clauses if key in groups]
    head = [day.w.labels["clause"], *columns(day.w)]
    return table(head, len(columns(day.w)), rows[:ROWS])


def _row(day: Day, key: str, title: str, group: Iterable[Counted]) -> list[str]:
    numbers = situations(group)
    shown = [
        link(number(numbers, one, day.now), day.places.duties(clause=key, state=one.value))
        for one in SHOWN
    ]
    return [plain(title), link(numbers.total(), day.places.duties(clause=key)), *shown]
