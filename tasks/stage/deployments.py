"""Deployments: what a worker can run, and when."""

from duban.batches import batches
from tasks.stage.calls import PAGE, Calls, StageError
from tasks.stage.model import CronSpec, DeploymentRef, DeploymentSpec, Json, ScheduleRef


class Deployments(Calls):
    """Flows and their deployments."""

    def deployments(self, tag: str) -> list[DeploymentRef]:
        """All deployments that carry the tag."""
        wanted = {"deployments": {"tags": {"all_": [tag]}}, "sort": "NAME_ASC"}
        rows = list(self._pages("/deployments/filter", wanted))
        names = self._flow_names({row["flow_id"] for row in rows})
        return [_deployment(row, names.get(row["flow_id"], "")) for row in rows]

    def put_deployment(self, spec: DeploymentSpec) -> str:
        """Create the deployment or bring it to `spec`; return its id.

        Schedules are replaced. What a person paused, the deployment or a schedule by its slug,
        stays paused.
        """
        flow = self._call("POST", "/flows/", {"name": spec.flow_name})
        flow_id = str(flow.json()["id"])
        known = flow.status_code != 201  # created just now
        inactive = self._inactive_slugs(flow_id, spec.name) if known else frozenset[str]()
        body = _deployment_body(spec, flow_id, inactive)
        answer: Json = self._call("POST", "/deployments/", body).json()
        _check_timezones(spec, answer["schedules"])
        return str(answer["id"])

    def pause_deployment(self, deployment_id: str) -> None:
        """Pause it, as a person does in the UI: its scheduled runs are taken back."""
        self._call("POST", f"/deployments/{deployment_id}/pause_deployment")

    def resume_deployment(self, known: DeploymentRef) -> None:
        """Take its pause off, and switch on its schedules."""
        if known.paused:
            self._call("POST", f"/deployments/{known.id}/resume_deployment")
        for one in known.schedules:
            if not one.active:
                path = f"/deployments/{known.id}/schedules/{one.id}"
                self._call("PATCH", path, {"active": True})

    def delete_deployment(self, deployment_id: str) -> None:
        """Delete it with its scheduled runs; that it is gone already is fine."""
        self._call("DELETE", f"/deployments/{deployment_id}", allow=(404,))

    def delete_flow(self, flow_id: str) -> None:
        """Delete it with all its deployments and runs; that it is gone already is fine."""
        self._call("DELETE", f"/flows/{flow_id}", allow=(404,))

    def _inactive_slugs(self, flow_id: str, name: str) -> frozenset[str]:
        wanted = {
            "flows": {"id": {"any_": [flow_id]}},
            "deployments": {"name": {"any_": [name]}},
        }
        rows: list[Json] = self._call("POST", "/deployments/filter", wanted).json()
        schedules: list[Json] = [schedule for row in rows for schedule in row["schedules"]]
        return frozenset(str(s["slug"]) for s in schedules if not s["active"])

    def _flow_names(self, ids: set[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        for batch in batches(sorted(ids), PAGE):
            wanted = {"flows": {"id": {"any_": list(batch)}}, "limit": PAGE}
            rows: list[Json] = self._call("POST", "/flows/filter", wanted).json()
            names |= {row["id"]: row["name"] for row in rows}
        return names


def _check_timezones(spec: DeploymentSpec, stored: list[Json]) -> None:
    wanted = {cron.slug: cron.timezone for cron in spec.schedules}
    found = {row["slug"]: row["schedule"]["timezone"] for row in stored}
    if wanted != found:
        raise StageError(
            f"Prefect stored the schedules of {spec.name} as {found}, not {wanted}: "
            "delete the deployment in the Prefect UI and deploy again."
        )


def _deployment_body(spec: DeploymentSpec, flow_id: str, inactive: frozenset[str]) -> Json:
    step = {"prefect.deployments.steps.set_working_directory": {"directory": spec.directory}}
    # `paused` is left out, so that Prefect keeps what a person chose.
    return {
        "flow_id": flow_id,
        "name": spec.name,
        "version": spec.version,
        "tags": list(spec.tags),
        "description": spec.description,
        "parameters": spec.parameters,
        "parameter_openapi_schema": spec.parameter_openapi_schema
        or {"type": "object", "properties": {}},
        "enforce_parameter_schema": True,
        "entrypoint": spec.entrypoint,
        "path": spec.directory,
        "pull_steps": [step],
        "work_pool_name": spec.pool,
        "work_queue_name": spec.queue,
        "concurrency_limit": spec.concurrency,
        "schedules": [_schedule(cron, cron.slug not in inactive) for cron in spec.schedules],
    }


def _schedule(cron: CronSpec, active: bool) -> Json:
    return {
        "slug": cron.slug,
        "active": active,
        "parameters": cron.parameters,
        "schedule": {"cron": cron.cron, "timezone": cron.timezone, "day_or": True},
    }


def _deployment(row: Json, flow_name: str) -> DeploymentRef:
    return DeploymentRef(
        id=row["id"],
        name=row["name"],
        flow_id=row["flow_id"],
        flow_name=flow_name,
        version=row["version"],
        tags=tuple(row["tags"]),
        description=row["description"] or "",
        parameters=row["parameters"],
        pool=row["work_pool_name"],
        queue=row["work_queue_name"],
        paused=row["paused"],
        schedules=tuple(_schedule_ref(one) for one in row["schedules"]),
    )


def _schedule_ref(row: Json) -> ScheduleRef:
    timing: Json = row["schedule"]
    return ScheduleRef(
        id=row["id"],
        slug=row["slug"],
        timing=str(timing.get("cron") or timing.get("interval") or timing.get("rrule")),
        timezone=timing.get("timezone"),
        active=row["active"],
    )
