"""A real Prefect server for the tests of this folder, started once."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from deployments.embedded import POOL, Embedded, credential
from tasks.stage import Stage
from tests.servers import free_port, prefect_client

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    home = tmp_path_factory.mktemp("prefect")
    embedded = Embedded(home, free_port(), PROJECT, credential(home))
    embedded.start_server()
    try:
        embedded.wait_healthy()
        yield embedded
    finally:
        embedded.stop()


@pytest.fixture(scope="session")
def stage(prefect_server: Embedded) -> Iterator[Stage]:
    with Stage(prefect_server.api_url, auth=prefect_server.auth) as stage:
        stage.ensure_pool(POOL)
        stage.ensure_queue(POOL, "duties", paused=True)
        yield stage


@pytest.fixture(scope="session")
def api(prefect_server: Embedded) -> Iterator[httpx.Client]:
    """What the server says and takes, beside the stage."""
    with prefect_client(prefect_server.api_url, prefect_server.auth) as client:
        yield client


@pytest.fixture
def in_prefect(prefect_server: Embedded) -> Iterator[None]:
    """Flows and tasks of this process know the server, as in a worker."""
    with temporary_settings(
        {
            PREFECT_API_URL: prefect_server.api_url,
            PREFECT_API_AUTH_STRING: prefect_server.auth,
        }
    ):
        yield
