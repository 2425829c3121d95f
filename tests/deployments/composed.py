"""deployments/compose.yaml read as tests need it: with its variables filled in."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[2] / "deployments" / "compose.yaml"
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")


@cache
def composed() -> Mapping[str, Any]:
    """The whole file; a variable has its default."""
    text = FILE.read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(r"\2", text))
    return found


def services() -> Mapping[str, Mapping[str, Any]]:
    """Every service by name."""
    return composed()["services"]


def ours() -> dict[str, Mapping[str, Any]]:
    """The services that run the product's image."""
    return {name: one for name, one in services().items() if "build" in one}
