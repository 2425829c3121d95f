"""The day that a board is of, and how it speaks."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from duban.board.markdown import Board, Places
from duban.words import Words


@dataclass(frozen=True, slots=True)
class Day:
    """The moment that is looked from, the zone of its civil day, words and addresses.

    Attributes:
        label: marks what is not meant in earnest.
    """

    now: datetime
    zone: ZoneInfo
    w: Words
    places: Places
    label: str = ""

    @property
    def today(self) -> date:
        """The civil day."""
        return self.now.astimezone(self.zone).date()

    def count(self, n: int) -> str:
        """So many duties, in words."""
        return self.w.boards["count"].format(n=n)

    def board(
        self, key: str, markdown: str, told: str = "", *, portal: str = "", runs: str = ""
    ) -> Board:
        """A board; its description gives the day, what is `told`, and where the whole list is."""
        links = [
            f"[{self.w.boards[name]}]({address})"
            for name, address in (("portal", portal), ("runs", runs))
            if address
        ]
        title = self.w.boards[key]
        parts = filter(None, (self.label, f"{self.today}", title, told, *links))
        return Board(key, title, told, markdown, " · ".join(parts))
