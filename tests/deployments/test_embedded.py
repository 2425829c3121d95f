"""The embedded Prefect really starts, runs a flow, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from deployments.embedded import (
    HOST,
    POOL,
    QUEUE,
    BadCredential,
    Embedded,
    PortTaken,
    PrefectDown,
    credential,
    credential_of,
    prefect_environment,
)
from duban.settings import Settings
from tasks.stage import DeploymentSpec, NewRun, Stage, StateSpec
from tests.servers import free_port, prefect_client

PROJECT = Path(__file__).parents[2]
AUTH = "duban:opens-nothing-else"
FLOW = """
from pathlib import Path
from time import sleep

from prefect import flow


@flow
def work(trace: str, seconds: float = 0) -> None:
    with Path(trace).open("a") as file:
        file.write(f"{Path.cwd().name}\\n")
    sleep(seconds)
"""


def environments_of(home: Path) -> dict[int, bytes]:
    """Every live process that was given this home, whichever group or session it is in, and all
    that it was given."""
    mark = f"PREFECT_HOME={home}/prefect".encode()
    found: dict[int, bytes] = {}
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            environment = file.read_bytes()
            if mark in environment.split(b"\0"):
                found[int(file.parent.name)] = environment
    return found


def processes_of(home: Path) -> set[int]:
    return set(environments_of(home))


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def started(home: Path) -> dict[int, bytes]:
    """Its processes and their environments as soon as one is seen: while a program takes
    another's place, it has no environment that could be read."""
    seen: dict[int, bytes] = {}

    def any_seen() -> bool:
        seen.update(environments_of(home))
        return bool(seen)

    assert eventually(any_seen, 30)
    return seen


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere") / "project"
    (folder / "errands").mkdir(parents=True)
    (folder / "errands" / "__init__.py").touch()
    (folder / "errands" / "chores.py").write_text(FLOW)
    return folder


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    home = tmp_path_factory.mktemp("home")
    embedded = Embedded(home, free_port(), PROJECT, credential(home))
    embedded.start_server()
    try:
        embedded.wait_healthy()
        yield embedded
    finally:
        embedded.stop()


@pytest.fixture(scope="module")
def stage(embedded: Embedded) -> Iterator[Stage]:
    with Stage(embedded.api_url, auth=embedded.auth) as stage:
        stage.ensure_pool(POOL)
        stage.ensure_queue(POOL, "duties", paused=True)
        yield stage


@pytest.fixture(scope="module")
def errand(stage: Stage, project: Path) -> str:
    spec = DeploymentSpec(
        flow_name="1.1 errand",
        name="1.1 errand",
        version="1",
        entrypoint="errands.chores.work",
        directory=str(project),
        pool=POOL,
        queue=QUEUE,
    )
    return stage.put_deployment(spec)


@pytest.fixture(scope="module")
def signed_in(embedded: Embedded) -> Iterator[httpx.Client]:
    """A script that signed in and fetched the forms' secret."""
    with prefect_client(embedded.api_url, embedded.auth) as client:
        yield client


def test_every_setting_reaches_the_server(signed_in: httpx.Client) -> None:
    settings = signed_in.get("/admin/settings").json()
    server = settings["server"]
    assert server["services"]["pause_expirations"]["enabled"] is False
    assert set(server["services"]["db_vacuum"]["enabled"]) == {"events", "orphans"}
    assert server["api"]["csrf_protection_enabled"] is True
    assert server["analytics_enabled"] is False
    for needed in ("scheduler", "late_runs", "foreman", "triggers"):
        assert server["services"][needed]["enabled"] is True


def test_the_pages_call_their_own_server_and_open_in_the_new_design(embedded: Embedded) -> None:
    settings = httpx.get(f"http://{HOST}:{embedded.port}/ui-settings").json()
    assert (settings["api_url"], settings["default_ui"]) == ("/api", "v2")


def test_the_settings_it_shows_hold_no_credential(
    signed_in: httpx.Client, embedded: Embedded
) -> None:
    assert embedded.auth.partition(":")[2] not in signed_in.get("/admin/settings").text


A_FLOW = {"name": "made by a stranger"}


def test_who_has_not_signed_in_reads_and_changes_nothing(embedded: Embedded) -> None:
    for auth in (None, ("duban", "guessed"), ("", "")):
        with httpx.Client(base_url=embedded.api_url, auth=auth, trust_env=False) as stranger:
            assert stranger.get("/admin/settings").status_code == 401
            assert stranger.get("/csrf-token", params={"client": "me"}).status_code == 401
            assert stranger.post("/flow_runs/filter", json={}).status_code == 403
            assert stranger.post("/flows/", json=A_FLOW).status_code == 403
            assert stranger.get("/health").status_code == 200


def test_a_form_of_another_origin_is_refused_although_a_browser_signed_in(
    embedded: Embedded, signed_in: httpx.Client
) -> None:
    user, _, password = embedded.auth.partition(":")
    foreign = {"Origin": "https://example.org"}
    with httpx.Client(base_url=embedded.api_url, auth=(user, password), headers=foreign) as page:
        assert page.post("/flows/", json=A_FLOW).status_code == 403
        asked = page.options("/flows/", headers={"Access-Control-Request-Method": "POST"})
        assert asked.status_code == 400
        assert "access-control-allow-origin" not in asked.headers
    assert (
        signed_in.post("/flows/filter", json={"flows": {"name": {"any_": [A_FLOW["name"]]}}}).json()
        == []
    )


def test_the_pages_may_speak_to_their_own_server_only(embedded: Embedded) -> None:
    answer = httpx.get(f"http://{HOST}:{embedded.port}/v2/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "http" not in policy


def test_nobody_else_on_the_machine_reads_what_it_keeps(embedded: Embedded) -> None:
    kept = [embedded.home / "prefect.auth", *(embedded.home / "prefect").glob("prefect.db*")]
    assert len(kept) > 1
    assert {oct(file.stat().st_mode & 0o777) for file in kept} == {"0o600"}


def test_the_credential_is_made_once_and_a_setting_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = credential(tmp_path)
    assert re.fullmatch(r"duban:[\w-]{32}", first)
    assert credential(tmp_path) == first
    settings = Settings(home=tmp_path)
    assert credential_of(settings) == first
    monkeypatch.setenv("DUBAN_PREFECT_AUTH", "office:a-long-password")
    assert credential_of(Settings(home=tmp_path)) == "office:a-long-password"


@pytest.mark.parametrize("given", ["no-colon-at-all", "office:short", ":a-long-password"])
def test_a_credential_that_opens_nothing_is_one_sentence_without_it(
    tmp_path: Path, given: str
) -> None:
    settings = Settings(home=tmp_path, prefect_auth=SecretStr(given))
    with pytest.raises(BadCredential, match="DUBAN_PREFECT_AUTH") as refused:
        credential_of(settings)
    assert given not in str(refused.value)


@pytest.mark.parametrize(("origin", "allowed"), [("own", True), ("https://example.org", False)])
def test_only_its_own_pages_may_read_the_server(
    embedded: Embedded, origin: str, allowed: bool
) -> None:
    origin = f"http://{HOST}:{embedded.port}" if origin == "own" else origin
    answer = httpx.get(f"{embedded.api_url}/health", headers={"Origin": origin})
    assert ("access-control-allow-origin" in answer.headers) is allowed


def test_a_taken_port_is_one_clear_sentence_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        embedded = Embedded(tmp_path, port, PROJECT, AUTH)
        with pytest.raises(PortTaken, match=rf"Port {port} .* DUBAN_PREFECT_PORT"):
            embedded.start_server()
    assert list(tmp_path.iterdir()) == []


def test_settings_of_another_prefect_do_not_reach_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "secret-of-another")
    embedded = Embedded(tmp_path, free_port(), PROJECT, AUTH)
    embedded.start_server()
    try:
        given = started(tmp_path).values()
        assert not any(b"secret-of-another" in environment for environment in given)
    finally:
        embedded.stop()


def test_everything_it_writes_lies_below_its_home(tmp_path: Path) -> None:
    settings = prefect_environment(tmp_path, 4200, AUTH)
    paths = [value for value in settings.values() if value.startswith("/") and value != "/api"]
    assert paths
    assert all(path.startswith(str(tmp_path)) for path in paths)


def test_a_child_that_ended_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path, free_port(), PROJECT, AUTH)
    embedded.start_server()
    assert embedded.died() is None
    for pid in started(tmp_path):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(PrefectDown, match=r"prefect-server ended with code -9.*\n"):
        embedded.wait_healthy(10)
    embedded.stop()


def test_a_server_whose_parent_was_killed_ends_too(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from deployments.embedded import Embedded\n"
        "Embedded(Path(sys.argv[1]), int(sys.argv[2]), Path.cwd(), sys.argv[3]).start_server()\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(free_port()), AUTH]
    with subprocess.Popen(command, cwd=PROJECT) as parent:
        started(tmp_path)
        time.sleep(1)
        parent.kill()
    assert eventually(lambda: not processes_of(tmp_path), 20)


def test_a_worker_runs_a_flow_elsewhere_but_never_a_retried_or_resumed_duty(
    embedded: Embedded, stage: Stage, errand: str, project: Path, tmp_path: Path
) -> None:
    embedded.start_worker()
    embedded.wait_worker()
    duty_trace, run_trace = tmp_path / "duty", tmp_path / "run"
    made = stage.create_runs(
        [
            NewRun(errand, name, name, state, "duties", ("duty",), {"trace": str(duty_trace)})
            for name, state in {
                "retried": StateSpec("FAILED", "Overdue"),
                "resumed": StateSpec("PAUSED", "AwaitingEvidence"),
            }.items()
        ]
    )
    # What the buttons Retry and Resume of the pages send.
    retry = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
    with prefect_client(embedded.api_url, embedded.auth) as pages:
        for button, body in {
            f"{made['retried']}/set_state": {"state": retry},
            f"{made['resumed']}/resume": {},
        }.items():
            pages.post(f"/flow_runs/{button}", json=body).raise_for_status()
    # Started later, so a worker that took duties would have taken them before it.
    run_id = stage.start_run(errand, {"trace": str(run_trace)})
    assert eventually(lambda: stage.run_state(run_id) == StateSpec("COMPLETED", "Completed"), 60)
    assert run_trace.read_text() == f"{project.name}\n"
    assert not duty_trace.exists()
    # Its name is AwaitingRetry, and Late once Prefect has waited 15 seconds for a worker.
    retried = stage.run_state(made["retried"])
    assert retried
    assert retried.type == "SCHEDULED"
    assert stage.run_state(made["resumed"]) == StateSpec("RUNNING", "Running")


def test_stop_leaves_no_process_not_even_of_a_run_in_flight(
    embedded: Embedded, stage: Stage, errand: str, tmp_path: Path
) -> None:
    trace = tmp_path / "run"
    stage.start_run(errand, {"trace": str(trace), "seconds": 600})
    assert eventually(trace.exists, 60)
    assert len(processes_of(embedded.home)) > 2
    embedded.stop()
    assert processes_of(embedded.home) == set()
    assert embedded.died() is None
    embedded.stop()
