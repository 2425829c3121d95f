"""What Prefect's server costs while nothing happens, with no duty and with 100,000 of them."""

import os
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from deployments.embedded import Embedded, credential
from tasks.stage import DeploymentSpec, NewRun, Stage, StateSpec
from tasks.stage.executed import POOL, QUEUE
from tests.bench.growth import PROJECT, database_of, rows_of, started
from tests.bench.mirror import processor_time
from tests.servers import free_port

SAMPLE = 1000
TIMES = 100
SETTLES = 60  # seconds after its start: all services have run once
WATCHED = 180  # seconds; most services run each minute


def idle_server() -> None:
    """Prints how many cores the server takes, empty and with the runs of 100,000 duties."""
    with tempfile.TemporaryDirectory(prefix="duban-idle-") as folder:
        embedded = Embedded(Path(folder), free_port(), PROJECT, credential(Path(folder)))
        with started(embedded) as stage:
            empty = _cores()
            runs = _some_runs(stage)
        with closing(database_of(embedded.home)) as database:
            day = rows_of(database, runs)
            database.execute("BEGIN IMMEDIATE")
            for _ in range(TIMES - 1):
                for table, rows in day.copied(timedelta()):
                    if not rows:
                        continue
                    marks = ", ".join("?" * len(rows[0]))
                    database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            database.execute("COMMIT")
            [(many,)] = database.execute("SELECT count(*) FROM flow_run").fetchall()
        assert many == SAMPLE * TIMES
        with started(embedded):
            full = _cores()
    print(
        f"idle Prefect server with {many} waiting duties / with none: ×{full / empty:.1f} "
        f"({full:.3f} of a core / {empty:.3f}, {WATCHED} s each, load {os.getloadavg()[0]:.1f})"
    )


def _some_runs(stage: Stage) -> list[str]:
    stage.ensure_pool(POOL)
    stage.ensure_queue(POOL, "duties", paused=True)
    made = stage.put_deployment(
        DeploymentSpec("duty", "duty", "1", "flows.cycle.cycle", str(PROJECT), POOL, QUEUE)
    )
    waits = StateSpec("PAUSED", "AwaitingEvidence")
    names = [str(uuid4()) for _ in range(SAMPLE)]  # keys that `copied` makes anew
    tags = ("状态:待报", "单位:太原市教育局", "灯:绿")
    return list(
        stage.create_runs(
            [NewRun(made, name, name, waits, "duties", tags, {"duty": 1}) for name in names]
        ).values()
    )


def _cores() -> float:
    time.sleep(SETTLES)
    ours = [os.getpid()]  # the server is the only child, and this process sleeps
    before, begun = processor_time(ours), time.monotonic()
    time.sleep(WATCHED)
    return (processor_time(ours) - before) / (time.monotonic() - begun)
