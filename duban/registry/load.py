"""Loads agencies.yaml and the notices it names, and cross-checks them: all of it, or nothing."""

import os
from collections.abc import Mapping
from pathlib import Path

from duban.errors import InvalidRegistry, Problem
from duban.registry.agencies import AgenciesFile
from duban.registry.compose import Composition
from duban.registry.model import Registry
from duban.registry.parsing import parse
from duban.registry.place import NoticeFolder
from duban.registry.yamlfile import YamlFile


def load_registry(
    agencies_path: Path,
    notices_folder: Path,
    environment: Mapping[str, str] = os.environ,
) -> Registry:
    """Reads agencies.yaml and the notices it names.

    Raises:
        InvalidRegistry: with every fault found, each by file and line.
    """
    file = YamlFile(agencies_path, _shown(agencies_path))
    composition = Composition(file, parse(file, AgenciesFile), environment)
    problems = list(composition.problems)
    folders: list[NoticeFolder] = []
    for position, notice_id in enumerate(composition.parsed.notices):
        try:
            folder = _folder(composition, notices_folder / notice_id, position)
        except InvalidRegistry as error:
            problems += error.problems
        else:
            folders.append(folder)
            problems += folder.problems
    if problems:
        raise InvalidRegistry(problems)
    return Registry(
        notices={folder.id: folder.notice for folder in folders},
        agencies=composition.agencies,
        clauses={key: one for folder in folders for key, one in folder.clauses.items()},
        coordinator=composition.agencies[composition.parsed.coordinator],
    )


def _folder(composition: Composition, path: Path, position: int) -> NoticeFolder:
    if not (path / "clauses.yaml").is_file():
        what = f"notice '{path.name}' has no {_shown(path)}/clauses.yaml"
        hint = "make it, or take the notice out"
        fault: Problem = composition.file.problem(("notices", position), what, hint)
        raise InvalidRegistry([fault])
    return NoticeFolder(path.name, path, _shown(path), composition)


def _shown(path: Path) -> str:
    """The path as a person in the current folder would write it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
