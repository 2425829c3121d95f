"""Runs flows in a process of their own, as a worker does, and prints how they ended as JSON.

Inside pytest the sockets that Prefect leaves to the garbage would count as warnings of some test.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Case:
    """A flow by its name, what it is given, and variables of the environment for it alone.

    Attributes:
        retried: whether somebody presses Retry on the run when it has ended.
    """

    flow: str
    given: Mapping[str, Any]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    retried: bool = False


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    id: str
    type: str
    name: str
    message: str


def run_all(cases: Sequence[Case], env: Mapping[str, str]) -> tuple[list[Ended], str]:
    """How each ended, and everything that was logged."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.tasks.running"],
        input=json.dumps([asdict(case) for case in cases]),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **env, "PREFECT_LOGGING_COLORS": "false"},
    )
    assert done.returncode == 0, done.stderr
    return [Ended(**one) for one in json.loads(done.stdout)], done.stderr


async def _run(case: Mapping[str, Any]) -> Mapping[str, str]:
    # As the worker does it: a call of the flow itself would mind a parameter that is missing.
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow_async
    from prefect.states import AwaitingRetry

    flow = getattr(import_module(f"flows.{case['flow']}"), case["flow"])
    async with get_client() as client:
        made = await client.create_flow_run(flow, parameters=case["given"])
        state: Any = await run_flow_async(flow, made, case["given"], return_type="state")
        if case["retried"]:
            await client.set_flow_run_state(made.id, AwaitingRetry(), force=True)
            again = await client.read_flow_run(made.id)
            state = await run_flow_async(flow, again, case["given"], return_type="state")
    return {
        "id": str(made.id),
        "type": state.type.value,
        "name": state.name,
        "message": state.message or "",
    }


async def _run_each(cases: Sequence[Mapping[str, Any]]) -> list[Mapping[str, str]]:
    from tasks.work import office

    found: list[Mapping[str, str]] = []
    for case in cases:
        os.environ.update(case["env"])
        office.cache_clear()
        found.append(await _run(case))
        for name in case["env"]:
            del os.environ[name]
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run_each(json.load(sys.stdin)))))
