"""compose.yaml says only what Prefect and Duban understand, and keeps its doors shut."""

import importlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from prefect.cli._app import _app as prefect_app  # pyright: ignore[reportPrivateUsage]
from prefect.settings import Settings as PrefectSettings
from prefect.settings.base import PrefectBaseSettings
from prefect_redis.client import RedisMessagingSettings
from typer.main import get_command

from deployments import health
from deployments.commands import mirror
from deployments.entry import NoSecret, filled
from duban.cli import app
from duban.settings import Settings
from tests.deployments.composed import composed, ours, services

PLACE = re.compile(r"<([a-z_]+)>")
ONCE = {"migrate"}
importlib.import_module("prefect.cli")  # fills the app with its commands


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    return dict(service.get("environment", {}))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name in composed()["secrets"]:
        (tmp_path / name).write_text("user:p@ss/word\n")
    return tmp_path


def understood() -> Iterator[tuple[str, type[PrefectBaseSettings], str]]:
    """Every Prefect setting of every service, with what holds it."""
    for name, service in ours().items():
        for variable in environment(service):
            if variable.startswith("PREFECT_"):
                holder = RedisMessagingSettings if "_REDIS_" in variable else PrefectSettings
                yield variable, holder, name


def test_every_setting_of_prefect_is_one_and_has_a_value_it_takes(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
):
    wanted = {variable: holder for variable, holder, _ in understood()}
    for service in ours().values():
        for name, value in filled({**environment(service), "SECRETS": str(secrets)}).items():
            monkeypatch.setenv(name, value)
    taken: dict[type, set[str]] = {}
    for holder in set(wanted.values()):
        known = holder().to_environment_variables(exclude_unset=True, include_aliases=True)
        taken[holder] = set(known)
    unknown = {name for name, holder in wanted.items() if name not in taken[holder]}
    assert unknown == set()


def test_every_setting_of_duban_is_one():
    for service in ours().values():
        names = {name for name in environment(service) if name.startswith("DUBAN_")}
        assert {name.removeprefix("DUBAN_").lower() for name in names} <= set(Settings.model_fields)


@pytest.mark.parametrize("name", sorted(ours()))
def test_every_command_is_one_that_its_program_takes(name: str):
    program, *arguments = ours()[name]["command"]
    if program == "python":  # which goes on as Prefect
        assert arguments[:2] == ["-m", "deployments.server"]
        program, arguments = "prefect", ["server", "start", *arguments[2:]]
    if program == "prefect":
        command, _, ignored = prefect_app.parse_args(
            arguments, exit_on_error=False, print_error=False
        )
        assert command.__name__ not in ("help_print", "version_print")
        assert ignored in (None, {}) or "help" not in ignored
    else:
        assert program == "duban"
        _parse(arguments)


def _parse(arguments: list[str]) -> None:
    """As `duban.cli.main` would, with the command that joins it by entry point."""
    whole = typer.Typer()
    whole.registered_commands = [*app.registered_commands]
    whole.command("mirror")(mirror)
    name, *rest = arguments
    command = getattr(get_command(whole), "commands")[name]  # noqa: B009
    command.make_context(name, rest)


def test_every_service_that_stays_is_looked_after():
    for name, service in services().items():
        assert ("healthcheck" in service) is (name not in ONCE), name
    for service in ours().values():
        test = service.get("healthcheck", {}).get("test", [])
        if test:
            asked = health.QUESTIONS[test[4]]
            assert test[:4] == ["CMD", "python", "-m", "deployments.health"]
            assert asked.__code__.co_argcount == len(test[5:])


def test_only_portal_and_prefect_are_published_and_only_on_this_machine():
    published = {name: one["ports"] for name, one in services().items() if "ports" in one}
    assert published == {
        "portal": ["127.0.0.1:4280:8080"],
        "prefect-server": ["127.0.0.1:4200:4200"],
    }
    assert composed()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis", "migrate"):
        assert services()[name]["networks"] == ["inside"]


def test_every_secret_comes_from_a_file_of_its_service():
    for name, service in services().items():
        text = str(service)
        used = set(PLACE.findall(text)) | set(re.findall(r"/run/secrets/([a-z_]+)", text))
        assert used == set(service.get("secrets", [])), name
        for variable, value in environment(service).items():
            if re.search(r"AUTH_|SECRET|SENDER|DATABASE_URL|CONNECTION_|DOCKET_|_REDIS_", variable):
                assert PLACE.search(value), variable
            assert not re.search(r"://[^/@<]*:[^/@<]+@", value), variable
    assert all(one["file"].startswith("./secrets/") for one in composed()["secrets"].values())


def test_what_a_service_waits_for_is_there_and_can_become_so():
    for service in services().values():
        for name, wait in service.get("depends_on", {}).items():
            other = services()[name]
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in other
            if wait["condition"] == "service_completed_successfully":
                assert name in ONCE


def test_a_secret_is_filled_in_and_escaped_where_it_stands_in_an_address(secrets: Path):
    found = filled(
        {
            "SECRETS": str(secrets),
            "PREFECT_API_AUTH_STRING": "<prefect_auth>",
            "DUBAN_DATABASE_URL": "postgresql+psycopg://duban:<postgres_password>@postgres/duban",
            "OTHER": "<not_ours>",
        }
    )
    assert found["PREFECT_API_AUTH_STRING"] == "user:p@ss/word"
    assert found["DUBAN_DATABASE_URL"].endswith("duban:user%3Ap%40ss%2Fword@postgres/duban")
    assert found["OTHER"] == "<not_ours>"


def test_a_secret_that_is_missing_or_empty_is_named(secrets: Path):
    wanted = {"SECRETS": str(secrets), "DUBAN_SECRET": "<duban_secret>"}
    (secrets / "duban_secret").write_text("\n")
    with pytest.raises(
        NoSecret, match=r"DUBAN_SECRET needs the secret .*duban_secret, which is em"
    ):
        filled(wanted)
    (secrets / "duban_secret").unlink()
    with pytest.raises(NoSecret, match=r"DUBAN_SECRET needs .*\(No such file or directory\)"):
        filled(wanted)


def test_a_beat_that_stopped_is_not_well(tmp_path: Path):
    beat = tmp_path / "beat"
    beat.touch()
    assert health.beats(str(beat), "60")
    assert not health.beats(str(beat), "-1")


class Forgetful(BaseHTTPRequestHandler):
    """A Prefect of which somebody asks how many runs it forgot."""

    forgotten, wants_token = 0, True

    def do_GET(self) -> None:
        self.answer(200 if self.wants_token else 422, b'{"token": "t"}')

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked["flow_runs"]["state"] == {"name": {"any_": ["Scheduled"]}}
        may = self.headers["Authorization"] == "Basic dTpw"
        may &= not self.wants_token or self.headers["Prefect-Csrf-Token"] == "t"
        self.answer(200 if may else 403, str(self.forgotten).encode())

    def answer(self, code: int, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.mark.parametrize("wants_token", [True, False])
@pytest.mark.parametrize("forgotten", [0, 2])
def test_services_that_forget_runs_are_not_well(
    monkeypatch: pytest.MonkeyPatch, forgotten: int, wants_token: bool
):
    handler = type("", (Forgetful,), {"forgotten": forgotten, "wants_token": wants_token})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server.server_port}/api")
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", "u:p")
        assert not wants_token or health.answers(f"http://127.0.0.1:{server.server_port}/")
        assert health.schedules() is (forgotten == 0)
        server.shutdown()
