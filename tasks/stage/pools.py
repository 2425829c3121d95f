"""The server itself, its work pool and queues."""

import httpx

from tasks.stage.calls import PAGE, Calls, StageError, absent
from tasks.stage.model import Json

#: A process job with nothing to choose. Prefect checks each new run's job variables against the
#: pool's schema of them, three quarters of the time a run costs; here is nothing to check.
_PLAIN_JOB: Json = {
    "job_configuration": {
        "command": None,
        "env": {},
        "labels": {},
        "name": None,
        "stream_output": True,
        "working_dir": None,
    },
    "variables": {"type": "object", "properties": {}},
}


class Pools(Calls):
    """The server, work pools and queues."""

    def healthy(self) -> bool:
        """Whether the server answers now; never raises."""
        try:
            return self._client.get("/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def pause_expirations_on(self) -> bool:
        """Whether the service runs that costs a whole core at 100,000 waiting duties."""
        settings = self._call("GET", "/admin/settings").json()
        return bool(settings["server"]["services"]["pause_expirations"]["enabled"])

    def online_workers(self, pool: str) -> list[str]:
        """The names of the pool's workers that beat lately; none if there is no such pool."""
        answer = self._call(
            "POST", f"/work_pools/{pool}/workers/filter", {"limit": PAGE}, allow=(404,)
        )
        if absent(answer):
            return []
        return [worker["name"] for worker in answer.json() if worker["status"] == "ONLINE"]

    def has_pool(self, name: str) -> bool:
        """Whether there is a work pool of this name."""
        return not absent(self._call("GET", f"/work_pools/{name}", allow=(404,)))

    def queue_paused(self, pool: str, name: str) -> bool | None:
        """Whether the queue holds its runs; None where there is no such queue."""
        path = f"/work_pools/{pool}/queues/{name}"
        found = self._call("GET", path, allow=(404,))
        return None if absent(found) else _queue_is(found.json(), paused=True)

    def ensure_pool(self, name: str) -> None:
        """Have a work pool of this name: one that is there, of whatever type, or a process pool."""
        if absent(self._call("GET", f"/work_pools/{name}", allow=(404,))):
            # 409: another process was quicker.
            body = {"name": name, "type": "process", "base_job_template": _PLAIN_JOB}
            self._call("POST", "/work_pools/", body, allow=(409,))

    def ensure_queue(self, pool: str, name: str, paused: bool) -> str:
        """Have a queue of this name in the pool, really paused or really not; return its id."""
        path = f"/work_pools/{pool}/queues/{name}"
        found = self._call("GET", path, allow=(404,))
        if absent(found):
            body = {"name": name, "is_paused": paused}
            self._call("POST", f"/work_pools/{pool}/queues", body, allow=(409,))
            found = self._call("GET", path)
        if not _queue_is(found.json(), paused):
            # A queue that was created paused is held, but reads NOT_READY until it is patched.
            self._call("PATCH", path, {"is_paused": paused})
        queue = self._call("GET", path).json()
        if not _queue_is(queue, paused):
            raise StageError(
                f"Queue {name} of pool {pool} stays {queue['status']} in Prefect: "
                f"{'pause' if paused else 'resume'} it by hand in the Prefect UI (Work Pools)."
            )
        return str(queue["id"])


def _queue_is(queue: Json, paused: bool) -> bool:
    return queue["is_paused"] is paused and (queue["status"] == "PAUSED") is paused
