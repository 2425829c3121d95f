"""`python -m deployments.health …`: what the health checks of compose.yaml ask; exit code 0 or 1.

`answers URL` asks an address; `beats FILE SECONDS` whether a file was touched lately; `schedules`
whether Prefect's services work: its scheduler can die while everything around it looks well, and
then runs whose time has come are not even marked as late.
"""

import json
import os
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from deployments.entry import filled
from duban.errors import DubanError

TIMEOUT = 5.0  # seconds
CLIENT = "duban-health"
UNNOTICED = timedelta(minutes=5)
"""So long after its time a run may still be called Scheduled: services look every few seconds."""


def answers(url: str) -> bool:
    """Whether the address answers with success."""
    _ask(Request(url))
    return True


def beats(file: str, seconds: str) -> bool:
    """Whether the file was touched within so many seconds."""
    return time.time() - Path(file).stat().st_mtime < float(seconds)


def schedules() -> bool:
    """Whether no run was forgotten by the services; its server must answer."""
    environment = filled(os.environ)
    before = datetime.now(UTC) - UNNOTICED
    runs = {
        "state": {"name": {"any_": ["Scheduled"]}},
        "expected_start_time": {"before_": before.isoformat()},
    }
    request = Request(
        f"{environment['PREFECT_API_URL']}/flow_runs/count",
        data=json.dumps({"flow_runs": runs}).encode(),
        headers={"Content-Type": "application/json", **_pass(environment)},
    )
    return json.loads(_ask(request)) == 0


def _pass(environment: Mapping[str, str]) -> dict[str, str]:
    """Who asks, and the token against forged forms that a POST must have."""
    credential = _credential(environment)
    url = f"{environment['PREFECT_API_URL']}/csrf-token?client={CLIENT}"
    try:
        token = json.loads(_ask(Request(url, headers=credential)))["token"]
    except HTTPError as error:
        if error.code != HTTPStatus.UNPROCESSABLE_ENTITY:  # the server wants none
            raise
        return credential
    return {**credential, "Prefect-Csrf-Client": CLIENT, "Prefect-Csrf-Token": token}


def _credential(environment: Mapping[str, str]) -> dict[str, str]:
    auth = environment.get("PREFECT_API_AUTH_STRING")
    return {"Authorization": f"Basic {b64encode(auth.encode()).decode()}"} if auth else {}


def _ask(request: Request) -> bytes:
    with build_opener(ProxyHandler({})).open(request, timeout=TIMEOUT) as answer:
        return bytes(answer.read())


QUESTIONS: Mapping[str, Callable[..., bool]] = {
    "answers": answers,
    "beats": beats,
    "schedules": schedules,
}


def main() -> None:
    """Asks, and says what is wrong if anything is."""
    question, *arguments = sys.argv[1:]
    try:
        well = QUESTIONS[question](*arguments)
    except (OSError, HTTPException, HTTPError, DubanError, ValueError) as error:
        sys.stderr.write(f"{question}: {error}\n")
        raise SystemExit(1) from None
    raise SystemExit(0 if well else 1)


if __name__ == "__main__":
    main()
