"""The files of a registry as texts, which can be kept apart from the disk and loaded again."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from duban.errors import InvalidRegistry, Problem
from duban.registry.load import load_registry
from duban.registry.model import Registry

AGENCIES, NOTICES = "agencies.yaml", "notices"

Files: TypeAlias = Mapping[str, str]
"""Texts by name: `agencies.yaml`, `notices/chase.yaml`, `notices/<notice>/clauses.yaml` …"""


def read_files(
    agencies: Path, notices: Path, environment: Mapping[str, str] = os.environ
) -> tuple[Registry, Files]:
    """The registry, and the texts of the very files that it was loaded from.

    Raises:
        InvalidRegistry: with every fault found, each by file and line.
    """
    kept: dict[str, bytes] = {}

    def read(path: Path) -> bytes:
        content = path.read_bytes()
        inside = path != agencies
        name = f"{NOTICES}/{path.relative_to(notices).as_posix()}" if inside else AGENCIES
        kept[name] = content
        return content

    registry = load_registry(agencies, notices, environment, read)
    return registry, {name: content.decode("utf-8") for name, content in kept.items()}


def load_files(files: Files, environment: Mapping[str, str] = os.environ) -> Registry:
    """The registry that kept texts make.

    Raises:
        InvalidRegistry: an environment variable is missing here, or this program asks for more
            than the one that kept them.
    """

    def read(path: Path) -> bytes:
        text = files.get(path.as_posix())
        if text is None:
            raise FileNotFoundError(path)
        return text.encode()

    try:
        return load_registry(Path(AGENCIES), Path(NOTICES), environment, read)
    except InvalidRegistry as error:
        raise InvalidRegistry([_in_force(one) for one in error.problems]) from None


def _in_force(problem: Problem) -> Problem:
    return Problem(f"in force: {problem.file}", problem.line, problem.what, problem.hint)


def digest_of(files: Files) -> str:
    """SHA-256 over all names and texts."""
    content = json.dumps(files, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
