"""Where the bytes of evidence lie: `files/<stored_as>`, previews in `files/<stored_as>.pages/`.

A name that begins with a dot is unfinished work.
"""

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

LOCK = ".inspecting"
"""Held by the one process that inspects the files of a folder."""


def bytes_of(folder: Path, stored_as: str) -> Path:
    """The file itself."""
    return folder / stored_as


def pages_of(folder: Path, stored_as: str) -> Path:
    """The folder of its previews, `<n>.jpg` from 1."""
    return folder / f"{stored_as}.pages"


def hash_of(path: Path) -> str | None:
    """The SHA-256 of a file in hex; None when there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def discard(folder: Path, stored_as: str) -> None:
    """Takes away a file and its previews; what is gone already is no error."""
    bytes_of(folder, stored_as).unlink(missing_ok=True)
    remove(pages_of(folder, stored_as))


def remove(path: Path) -> None:
    """Takes away a file, or a folder and all in it; what is gone already is no error."""
    with suppress(FileNotFoundError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def sync(path: Path) -> None:
    """Has a file, or the names in a folder, written down to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
