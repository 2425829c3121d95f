"""LibreOffice as the other program that opens what we write; without it a test is skipped."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest


def converted(files: Sequence[Path], to: str, folder: Path) -> list[Path]:
    """The files as LibreOffice writes them in another format, in a folder of their own.

    Args:
        to: as `--convert-to` takes it, such as `pdf` or `csv:Text…:44,34,76`.
    """
    program = shutil.which("soffice")
    if program is None:
        assert not os.environ.get("CI"), "LibreOffice is not installed"
        pytest.skip("NO LIBREOFFICE, so nothing else opened what we write")
    made = folder / "converted"
    profile = folder / "profile"
    command = [program, "--headless", f"-env:UserInstallation={profile.as_uri()}"]
    subprocess.run(
        [*command, "--convert-to", to, "--outdir", str(made), *map(str, files)],
        check=True,
        capture_output=True,
        timeout=150,
    )
    ending = to.partition(":")[0]
    found = [made / f"{file.stem}.{ending}" for file in files]
    assert all(file.is_file() for file in found), [*made.iterdir()]
    return found
