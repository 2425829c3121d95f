"""Loads agencies.yaml and the notices it names, and cross-checks them: all of it, or nothing."""

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from duban.errors import InvalidRegistry, Problem
from duban.ladder import Ladder
from duban.registry.agencies import AgenciesFile
from duban.registry.compose import Composition
from duban.registry.model import Registry
from duban.registry.parsing import parse
from duban.registry.place import NoticeFolder
from duban.registry.policy import CalendarFile, ChaseFile, Policy
from duban.registry.yamlfile import Read, YamlFile

PRESETS = Path(__file__).parent / "ladders.yaml"


def load_registry(
    agencies_path: Path,
    notices_folder: Path,
    environment: Mapping[str, str] = os.environ,
    read: Read = Path.read_bytes,
) -> Registry:
    """Reads agencies.yaml and the notices it names.

    Args:
        read: what reads each file, if not the disk.

    Raises:
        InvalidRegistry: with every fault found, each by file and line.
    """
    file = YamlFile(agencies_path, _shown(agencies_path), read)
    parsed = parse(file, AgenciesFile)
    policy = load_policy(notices_folder, parsed.regions, read)
    composition = Composition(file, parsed, environment, policy.ladders.keys())
    problems = list(composition.problems)
    folders: list[NoticeFolder] = []
    for position, notice_id in enumerate(composition.parsed.notices):
        try:
            folder = _folder(composition, notices_folder / notice_id, position, read)
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
        policy=replace(policy, papers=composition.parsed.papers),
    )


def _folder(composition: Composition, path: Path, position: int, read: Read) -> NoticeFolder:
    if not _is_there(path / "clauses.yaml", read):
        what = f"notice '{path.name}' has no {_shown(path)}/clauses.yaml"
        hint = "make it, or take the notice out"
        fault: Problem = composition.file.problem(("notices", position), what, hint)
        raise InvalidRegistry([fault])
    return NoticeFolder(path.name, path, _shown(path), composition, read)


def load_policy(
    folder: Path, regions: Collection[str] = (), read: Read = Path.read_bytes
) -> Policy:
    """The presets with what chase.yaml and calendar.yaml of this folder add; both may be missing.

    Raises:
        InvalidRegistry: with every fault of a file, each by its line.
    """
    presets = parse(YamlFile(PRESETS), ChaseFile).ladders
    chase, days = (_optional(folder / name, read) for name in ("chase.yaml", "calendar.yaml"))
    written = parse(chase, ChaseFile) if chase else ChaseFile()
    spans = parse(days, CalendarFile) if days else CalendarFile()
    found = presets | written.ladders
    problems: list[Problem] = []
    if chase and written.ladder not in found:
        what, hint = f"ladder '{written.ladder}' is not known", f"write one of {', '.join(found)}"
        problems.append(chase.problem(("ladder",), what, hint))
    problems += _strange_regions(days, spans, regions) if days else []
    if problems:
        raise InvalidRegistry(problems)
    return Policy(
        ladders={
            name: Ladder(name, tuple(rung.rung() for rung in one.rungs), one.note)
            for name, one in found.items()
        },
        default=written.ladder,
        quiet=written.quiet,
        letters_a_week=written.letters_a_week,
        objection_days=written.objection_days,
        spans=tuple(one.span() for one in spans.days),
        announced=frozenset(spans.announced),
    )


def _strange_regions(
    file: YamlFile, spans: CalendarFile, regions: Collection[str]
) -> list[Problem]:
    return [
        file.problem(("days", n, "regions"), f"'{region}' is no region", "name one of regions")
        for n, span in enumerate(spans.days)
        for region in sorted(set(span.regions) - set(regions))
    ]


def _optional(path: Path, read: Read) -> YamlFile | None:
    return YamlFile(path, _shown(path), read) if _is_there(path, read) else None


def _is_there(path: Path, read: Read) -> bool:
    try:
        read(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it in earnest tells what is wrong
    return True


def _shown(path: Path) -> str:
    """The path as a person in the current folder would write it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
