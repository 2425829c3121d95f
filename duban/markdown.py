"""Markdown for Prefect's pages.

Tables are Markdown and no table artifacts: the pages of Prefect show those without links.
"""

from collections.abc import Iterable, Sequence

ROWS = 1000  # Prefect's page takes four seconds to show so many


def link(text: object, address: str) -> str:
    """A link in a cell; a zero leads nowhere."""
    return f"[{plain(text)}]({address})" if text else "·"


def plain(text: object) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    shown = " ".join(str(text).split())
    for sign in "\\`*_[]<>|~":
        shown = shown.replace(sign, f"\\{sign}")
    return shown


def table(head: Sequence[str], numbers: int, rows: Iterable[Sequence[object]]) -> str:
    """A table whose last columns, so many, hold numbers."""
    texts = len(head) - numbers
    lines = [head, ["---"] * texts + ["---:"] * numbers, *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def joined(parts: Iterable[str]) -> str:
    """Paragraphs that are not empty."""
    return "\n\n".join(part for part in parts if part)
