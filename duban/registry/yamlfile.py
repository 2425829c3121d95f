"""YAML with line numbers, so that every fault can be named by file and line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from duban.errors import InvalidRegistry, Problem

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a document: keys and list positions from the root."""


Read: TypeAlias = Callable[[Path], bytes]
"""Reads a file whole; OSError where there is none."""


class YamlFile:
    """A parsed document and the line (1-based) of each place in it.

    Raises:
        InvalidRegistry: unreadable file, broken YAML, or a key given twice.
    """

    def __init__(
        self, path: Path, shown_as: str | None = None, read: Read = Path.read_bytes
    ) -> None:
        self.path = path
        self._bytes = read
        self.name = shown_as or str(path)
        self.lines: dict[Place, int] = {}
        self._problems: list[Problem] = []
        self.data: Any = self._read()
        if self._problems:
            raise InvalidRegistry(self._problems)

    def problem(self, place: Place, what: str, hint: str) -> Problem:
        """A fault at a place; a place that is not in the file counts as its nearest parent."""
        while place and place not in self.lines:
            place = place[:-1]
        return Problem(self.name, self.lines.get(place, 1), what, hint)

    def _read(self) -> Any:
        try:
            text = self._bytes(self.path).decode("utf-8")
            node = yaml.compose(text, Loader=_Loader)
        except (OSError, UnicodeDecodeError) as error:
            hint = "create it, or check the path and that it is UTF-8"
            raise InvalidRegistry([Problem(self.name, 1, _reason(error), hint)]) from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            hint = "mend the YAML; text with ': ' or '#' needs quotes"
            what = f"not readable as YAML ({error.problem})"
            raise InvalidRegistry([Problem(self.name, line, what, hint)]) from error
        return self._value(node, ()) if node is not None else None

    def _value(self, node: yaml.Node, place: Place) -> Any:
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*place, n)) for n, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in found:
                self._problems.append(
                    Problem(self.name, line, f"'{key}' stands twice", "keep one of the two")
                )
            self.lines[(*place, key)] = line
            found[key] = self._value(value_node, (*place, key))
        return found


class _Loader(yaml.SafeLoader):
    """Reads every plain scalar as text, but for null and true/false.

    `2.1` is a clause, `17:30` a time and `12-10` a day; Pydantic makes numbers and dates of
    the text where a number or a date is asked for, and complains with the line at hand.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, re.compile(pattern))]
    for tag, pattern, firsts in (
        ("tag:yaml.org,2002:null", r"^(?:~|null|)$", ("~", "n", "")),
        ("tag:yaml.org,2002:bool", r"^(?:true|false)$", ("t", "f")),
    )
    for first in firsts
}


def _scalar(node: yaml.Node) -> str | bool | None:
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return node.value == "true"
    return str(node.value)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return "cannot be read" if isinstance(error, OSError) else "is not UTF-8 text"
