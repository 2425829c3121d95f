"""All boards of a day, from the ledger."""

from duban.board.asked import checked, listed, pursued, reported
from duban.board.asked import delivery as asked_delivery
from duban.board.day import Day
from duban.board.delivery import delivery, opened
from duban.board.lists import due, overdue, under_review
from duban.board.markdown import Board
from duban.board.overview import overview
from duban.board.picture import picture
from duban.board.scoreboard import scoreboard
from duban.board.targets import progress, targets
from duban.ledger import Ledger
from duban.ledger.browsing import Selection, State, Today, clause_words


def boards(ledger: Ledger, day: Day, *, armed: bool) -> list[Board]:
    """The boards of a day, the overview first.

    Args:
        armed: whether letters may leave through real channels.
    """
    counted = Today(ledger, day.now).counted(Selection())
    others = [
        *_lists(ledger, day),
        scoreboard(day, ledger.registry, counted),
        *_targets(ledger, day),
        delivery(
            day,
            asked_delivery(ledger, day.now),
            armed=armed,
            without=len(ledger.registry.unreachable),
        ),
        opened(day, checked(ledger, day.now)),
    ]
    return [overview(day, counted, clause_words(ledger), others), *others]


def _lists(ledger: Ledger, day: Day) -> list[Board]:
    late = listed(ledger, State.OVERDUE, day.now)
    return [
        overdue(day, late, pursued(ledger, late.duties, day.now, day.w)),
        *(due(day, one, listed(ledger, one, day.now)) for one in (State.DUE_SOON, State.DUE_NEXT)),
        under_review(day, listed(ledger, State.SUBMITTED, day.now)),
    ]


def _targets(ledger: Ledger, day: Day) -> list[Board]:
    """None where no clause has a target."""
    found = progress(ledger.registry, reported(ledger, day.now))
    return [targets(day, found), picture(day, found)] if found else []
