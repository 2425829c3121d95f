"""Makes models of parsed files; every fault is told with its file and line."""

from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from duban.errors import InvalidRegistry, Problem
from duban.registry.yamlfile import Place, YamlFile

M = TypeVar("M", bound=BaseModel)


def parse(file: YamlFile, model: type[M]) -> M:
    """The file's content as a model.

    Raises:
        InvalidRegistry: every fault that Pydantic finds, at its line.
    """
    try:
        return model.model_validate(file.data)
    except ValidationError as error:
        raise InvalidRegistry([_problem_of(file, dict(e)) for e in error.errors()]) from error


_HINTS = {
    "extra_forbidden": ("is no key here", "take it out, or check its spelling"),
    "missing": ("is missing", "add it"),
}


def _problem_of(file: YamlFile, error: dict[str, object]) -> Problem:
    place = tuple(part for part in cast(Place, error["loc"]) if not _is_tag(part))
    name = ".".join(str(part) for part in place) or "the file"
    kind, message = str(error["type"]), str(error["msg"]).removeprefix("Value error, ")
    what, hint = _HINTS.get(kind, (message, "correct it"))
    if kind == "value_error":
        what, _, hint = message.partition("; ")
    if kind in ("model_type", "dict_type", "tuple_type") and file.data is None:
        what, hint = "is empty", "fill it in; the README shows how"
    return file.problem(place, f"{name}: {what}", hint or "correct it")


def _is_tag(part: str | int) -> bool:
    return part in ("text", "integer", "ratio", "date", "url", "files")
