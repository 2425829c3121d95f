"""Writes files whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole(target: Path) -> Generator[BinaryIO]:
    """A file that takes its name only when it is complete and on the disk."""
    part = part_of(target)
    with part.open("w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def part_of(target: Path) -> Path:
    """Where a file lies while it is being written."""
    return target.with_name(f".{target.name}.part")


def clear(target: Path, previews: Path) -> None:
    """Takes away what a refused or broken inspection has written."""
    target.unlink(missing_ok=True)
    part_of(target).unlink(missing_ok=True)
    for page in previews.glob("*.jpg"):
        page.unlink(missing_ok=True)
