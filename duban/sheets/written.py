"""Writes contacts into agencies.yaml; comments, order and everything else in it stay."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from duban.errors import DubanError
from duban.registry import Registry, load_registry

ENTRY = "agencies"
"""The only key of the file that is touched."""


class RosterChanged(DubanError):
    """agencies.yaml was edited meanwhile; nothing was written, so import again."""


@dataclass(frozen=True, slots=True)
class AgenciesFile:
    """agencies.yaml as it was read, and where the notices are that are checked against it."""

    path: Path
    notices: Path
    before: bytes

    @classmethod
    def at(cls, path: Path, notices: Path) -> "AgenciesFile":
        """Reads the file; OSError where there is none."""
        return cls(path, notices, path.read_bytes())

    def registry(self, content: bytes | None = None) -> Registry:
        """What the file, or another content of it, makes with the notices.

        Raises:
            InvalidRegistry: with every fault found.
        """

        def read(path: Path) -> bytes:
            own = path == self.path
            return (content or self.before) if own else path.read_bytes()

        return load_registry(self.path, self.notices, os.environ, read)

    def edited(self, contacts: Mapping[str, Mapping[str, str | None]]) -> bytes:
        """The file with these fields of contacts by agency; None takes one out.

        Raises:
            InvalidRegistry: it would not hold together any more.
        """
        text = self.before.decode("utf-8")
        yaml = _yaml()
        try:
            # Of lines that end as on Windows it would lose the empty ones.
            data: Any = yaml.load(text.replace("\r\n", "\n"))  # pyright: ignore[reportUnknownMemberType]
        except YAMLError:
            raise DubanError(f"{self.path.name} is no sound YAML; see `duban check`.") from None
        for agency, fields in contacts.items():
            _set(data, agency, fields)
        made = _dumped(yaml, data)
        content = (made.replace("\n", "\r\n") if "\r\n" in text else made).encode()
        self.registry(content)
        return content

    def write(self, content: bytes) -> None:
        """Puts the content in place of the file, all of it or nothing.

        Raises:
            RosterChanged: the file is another than the one that was read.
        """
        place = self.path.resolve()
        if place.read_bytes() != self.before:
            raise RosterChanged
        beside = place.with_name(f".{place.name}.new")
        beside.write_bytes(content)
        shutil.copymode(place, beside)
        beside.replace(place)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 20  # a long line stays one
    yaml.allow_unicode = True
    return yaml


def _dumped(yaml: YAML, data: Any) -> str:
    out = StringIO()
    yaml.dump(data, out)  # pyright: ignore[reportUnknownMemberType]
    return out.getvalue()


def _set(data: Any, agency: str, fields: Mapping[str, str | None]) -> None:
    entries = _inside(data, ENTRY, flow=False)
    contact = _inside(_inside(entries, agency, flow=True), "contact", flow=True)
    for key, value in fields.items():
        if value is None:
            contact.pop(key, None)
        else:
            contact[key] = value
    if not contact:
        entries[agency].pop("contact")
    if not entries[agency]:
        entries.pop(agency)


def _inside(data: Any, key: str, *, flow: bool) -> Any:
    """The map under a key, made where there is none; an empty one takes this style."""
    if not data.get(key):
        made: Any = CommentedMap()
        (made.fa.set_flow_style if flow else made.fa.set_block_style)()
        data[key] = made
    return data[key]
