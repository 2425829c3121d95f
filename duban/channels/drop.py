"""The drop folder: letters as files that anyone can open; what goes out by default."""

import os
from pathlib import Path

from duban.channels import Fate, Form, Outcome, Pace, Parcel

_SUFFIXES = {Form.MAIL: ".eml", Form.MARKDOWN: ".md", Form.TEXT: ".txt"}


class DropFolder:
    """Writes each letter to `<folder>/<day>/<name>`, .eml, .md or .txt; twice is one file."""

    form = Form.MAIL
    limit: int | None = None
    pace: Pace | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, parcel: Parcel, address: str) -> Outcome:
        """Writes the file whole or not at all; a full or forbidden disk is a temporary failure."""
        target = self.folder / parcel.day / f"{parcel.name}{_SUFFIXES[parcel.form]}"
        unfinished = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(parcel.payload)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except OSError as error:
            return Outcome(Fate.TEMPORARY, f"{target}: {error.strerror}")
        return Outcome(Fate.ACCEPTED, str(target))
