"""A real Prefect server for the tests of this folder, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.embedded import POOL, Embedded
from tasks.stage import Stage
from tests.servers import free_port

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    embedded = Embedded(tmp_path_factory.mktemp("prefect"), free_port(), PROJECT)
    embedded.start_server()
    try:
        embedded.wait_healthy()
        yield embedded
    finally:
        embedded.stop()


@pytest.fixture(scope="session")
def stage(prefect_server: Embedded) -> Iterator[Stage]:
    with Stage(prefect_server.api_url) as stage:
        stage.ensure_pool(POOL)
        stage.ensure_queue(POOL, "duties", paused=True)
        yield stage
