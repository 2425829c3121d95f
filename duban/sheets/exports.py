"""Workbooks that were written in the background; they wait in the data folder for a week."""

import re
import time
from datetime import datetime
from pathlib import Path

_NAME = re.compile(r"ledger-\d{8}-\d{6}\.xlsx")
_KEPT_SECONDS = 7 * 24 * 3600


def new_export(home: Path, at: datetime) -> Path:
    """Where the next one goes, named by its local moment; those that waited a week are removed."""
    folder = home / "exports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
            path.unlink(missing_ok=True)
    return folder / f"ledger-{at:%Y%m%d-%H%M%S}.xlsx"


def finished_export(home: Path, name: str) -> Path | None:
    """The one of this name, if it is there and whole."""
    path = home / "exports" / name
    return path if _NAME.fullmatch(name) and path.is_file() else None
