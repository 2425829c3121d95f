"""Runs that a worker executes, seen from outside: those that never ended, and those of long ago."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from duban.batches import batches
from tasks.stage.calls import Calls
from tasks.stage.model import Json

TAG = "duban"  # on all that is ours
POOL, QUEUE = "duban", "default"  # what workers poll
DELETE_LIMIT = 50  # Prefect refuses more runs a call
HEARTBEAT = "prefect.flow-run.heartbeat"
_UNFINISHED = ("RUNNING", "PENDING", "CANCELLING")
_ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


@dataclass(frozen=True, slots=True)
class Executed:
    """A run as Prefect has it now; `since` is when it came into its state (UTC)."""

    id: str
    name: str
    deployment_id: str | None
    tags: tuple[str, ...]
    since: datetime


class Executions(Calls):
    """Runs in the queues of a pool that workers poll."""

    def unfinished(self, pool: str, queue: str) -> list[Executed]:
        """The runs that somebody executes, or did when his process ended."""
        wanted = _in(pool, queue, {"state": {"type": {"any_": _UNFINISHED}}})
        return [_executed(row) for row in self._pages("/flow_runs/filter", wanted)]

    def ended_before(self, pool: str, queue: str, moment: datetime) -> Iterator[Executed]:
        """The runs that ended before a moment, oldest first.

        Pages are counted by position: take all before deleting any, else some are passed over.
        """
        ended = {"state": {"type": {"any_": _ENDED}}, "end_time": {"before_": moment.isoformat()}}
        wanted = {**_in(pool, queue, ended), "sort": "START_TIME_ASC"}
        return (_executed(row) for row in self._pages("/flow_runs/filter", wanted))

    def delete_runs(self, ids: Sequence[str]) -> int:
        """Delete runs that have ended, with their tasks and logs; how many there were.

        Prefect's orphan vacuum takes their artifacts within a day.
        """
        deleted = 0
        for batch in batches(ids, DELETE_LIMIT):
            chosen = {"id": {"any_": list(batch)}, "state": {"type": {"any_": _ENDED}}}
            answer = self._call("POST", "/flow_runs/bulk_delete", {"flow_runs": chosen})
            deleted += len(answer.json()["deleted"])
        return deleted

    def heard_of(self, run_id: str, since: datetime, until: datetime) -> bool:
        """Whether the process of a run has sent a sign of life in between."""
        wanted = {
            "occurred": {"since": since.isoformat(), "until": until.isoformat()},
            "event": {"name": [HEARTBEAT]},
            "resource": {"id": [f"prefect.flow-run.{run_id}"]},
        }
        answer = self._call("POST", "/events/filter", {"filter": wanted, "limit": 1})
        return bool(answer.json()["events"])

    # Artifacts of runs that stay

    def superseded(self, prefix: str) -> list[str]:
        """The ids of artifacts whose keys begin so and that a later version has replaced."""
        wanted = {"artifacts": {"key": {"like_": f"{prefix}%"}}}
        every = self._call("POST", "/artifacts/count", wanted).json()
        if every == self._call("POST", "/artifacts/latest/count", wanted).json():
            return []
        newest: dict[str, str] = {}
        old: list[str] = []
        for row in self._pages("/artifacts/filter", {**wanted, "sort": "CREATED_DESC"}):
            if newest.setdefault(row["key"], row["id"]) != row["id"]:
                old.append(str(row["id"]))
        return old

    def delete_artifact(self, artifact_id: str) -> None:
        """Delete one version; that it is gone already is fine."""
        self._call("DELETE", f"/artifacts/{artifact_id}", allow=(404,))


def _in(pool: str, queue: str, wanted: Json) -> Json:
    return {
        "flow_runs": wanted,
        "work_pools": {"name": {"any_": [pool]}},
        "work_pool_queues": {"name": {"any_": [queue]}},
    }


def _executed(row: Json) -> Executed:
    return Executed(
        id=row["id"],
        name=row["name"],
        deployment_id=row["deployment_id"],
        tags=tuple(row["tags"]),
        since=datetime.fromisoformat(row["state"]["timestamp"]),
    )
