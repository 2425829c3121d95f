"""The boards as Markdown, and the addresses that their numbers lead to."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Board:
    """One board of a day.

    Attributes:
        key: names it among the artifacts, whatever the day.
        told: what it comes to, in a few words.
        description: the day, what is told, and where the whole list is, in Markdown.
    """

    key: str
    title: str
    told: str
    markdown: str
    description: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where the portal and Prefect's pages are; addresses have no slash at their end."""

    portal: str
    prefect: str

    def duty(self, duty_id: int) -> str:
        """A duty's page in the portal."""
        return f"{self.portal}/desk/duties/{duty_id}"

    def duties(self, **sought: str) -> str:
        """The portal's list of duties with these filters."""
        return _address(f"{self.portal}/desk/duties", sought)

    def letters(self, **sought: str) -> str:
        """The portal's outbox with these filters."""
        return _address(f"{self.portal}/desk/letters", sought)

    def runs(self, tag: str, named: str = "") -> str:
        """Prefect's list of the runs with a tag, of any age, and with a text in their name.

        A second tag would widen the list: Prefect shows runs that have one or the other.
        """
        return _address(f"{self.prefect}/v2/runs", {"tags": tag, "flow-run-search": named})

    def board(self, key: str) -> str:
        """All versions of a board, a day each."""
        return f"{self.prefect}/v2/artifacts/key/{quote(key)}"

    def acts(self, named: str) -> str:
        """Prefect's list of the deployments with a text in their name, all on one page."""
        query = {"flowOrDeploymentName": named, "limit": "50"}
        return _address(f"{self.prefect}/v2/deployments", query)


def _address(path: str, query: dict[str, str]) -> str:
    filled = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(filled)}" if filled else path
