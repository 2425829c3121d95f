"""What a run shows beside its state: lines of its log, and artifacts."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from duban.batches import batches
from tasks.stage.calls import LOGS, Calls, absent
from tasks.stage.model import Json, LogLine

LOG_BATCH = 500  # below the server's own batch, so that one call is one transaction


class Shown(Calls):
    """Logs and artifacts."""

    def write_logs(self, lines: Sequence[LogLine]) -> None:
        """Write the lines into their runs' logs; writing them again doubles them."""
        for batch in batches(lines, LOG_BATCH):
            self._call("POST", LOGS, [_log(line) for line in batch])

    def put_artifact(
        self,
        key: str,
        type: Literal["markdown", "table", "progress", "image"],
        data: Any,
        description: str | None = None,
        run_id: str | None = None,
    ) -> str:
        """Write a new version of the artifact `key` (a-z, 0-9 and dashes); return its id."""
        body = {"key": key, "type": type, "data": data, "description": description}
        return str(self._call("POST", "/artifacts/", {**body, "flow_run_id": run_id}).json()["id"])

    def rewrite_artifact(self, artifact_id: str, data: Any, description: str) -> bool:
        """Exchange what an artifact shows, without a new version; False if there is none."""
        body = {"data": data, "description": description}
        return not absent(self._call("PATCH", f"/artifacts/{artifact_id}", body, allow=(404,)))

    def delete_artifact(self, artifact_id: str) -> None:
        """Delete the artifact; that it is gone already is fine."""
        self._call("DELETE", f"/artifacts/{artifact_id}", allow=(404,))

    def read_logs(self, run_ids: Sequence[str]) -> Iterator[LogLine]:
        """What stands in the logs of these runs, the oldest first."""
        wanted = {"logs": {"flow_run_id": {"any_": list(run_ids)}}, "sort": "TIMESTAMP_ASC"}
        for row in self._pages("/logs/filter", wanted):
            at = datetime.fromisoformat(row["timestamp"])
            yield LogLine(row["flow_run_id"], at, row["level"], row["message"])


def _log(line: LogLine) -> Json:
    if line.at.tzinfo is None:
        raise ValueError(f"LogLine.at has no timezone: {line.at}")
    return {
        "name": "duban",
        "flow_run_id": line.run_id,
        "timestamp": line.at.isoformat(),
        "level": line.level,
        "message": line.message,
    }
