"""The daily picture: an artifact for each board, of which Prefect keeps a version a day.

Trigger: every morning after the chase. It first checks the dates of the chase; it ends FAILED
"超期 N" while something is overdue, so that the dashboard of the past day is red.
"""

from datetime import datetime
from typing import Any

import pendulum
from prefect import flow, get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run

from duban.board.day import Day
from duban.board.making import boards
from duban.board.markdown import Places
from duban.ledger.browsing import Selection, Today
from duban.ledger.browsing import State as DutyState
from duban.words import words
from tasks.acts import changed_sheets
from tasks.work import check_dates, office


def _run_name() -> str:
    """The civil day, by which the versions of a board are told apart."""
    given = flow_run.parameters.get("as_of")
    now = datetime.fromisoformat(f"{given}") if given else pendulum.now("UTC")
    return f"board {office().ledger.registry.today(now)}"


@flow(name="board", flow_run_name=_run_name)
async def board(as_of: datetime | None = None) -> State[Any]:
    """Writes the day's artifacts and ends red or green.

    Args:
        as_of: the moment to look from; now unless given.
    """
    now = as_of or pendulum.now("UTC")
    if wrong := check_dates(now):
        get_run_logger().warning("%d dates of the chase were wrong and are put right", wrong)
    day = _day(now)
    found = boards(office().ledger, day, armed=office().armed())
    for one in found:
        await acreate_markdown_artifact(one.markdown, key=one.key, description=one.description)
    await _bulletins()
    return _end(day, found[0].told)


async def _bulletins() -> None:
    """The pages of bulletins follow what was done at the desk or on the command line."""
    async with get_client() as client:
        pages = await client.read_latest_artifacts(
            artifact_filter=ArtifactCollectionFilter(
                key=ArtifactCollectionFilterKey(like_="bulletin-")
            )
        )
    known = {one.key: one.description or "" for one in pages if one.key}
    for one in changed_sheets(office(), known):
        await acreate_markdown_artifact(one.markdown, key=one.key, description=one.description)


def _day(now: datetime) -> Day:
    here = office()
    registry, settings = here.ledger.registry, here.settings
    places = Places(settings.portal, settings.prefect)
    return Day(now, registry.first_notice.zone, words(registry.language), places, here.label)


def _end(day: Day, told: str) -> State[Any]:
    """Red with the number of overdue duties, or green."""
    late = Today(office().ledger, day.now).count(Selection(state=DutyState.OVERDUE))
    if not late:
        return State(type=StateType.COMPLETED, name=day.w.labels["none_overdue"])
    name = f"{day.label} {day.w.labels['overdue_n'].format(n=late)}".strip()
    return State(type=StateType.FAILED, name=name, message=told)
