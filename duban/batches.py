"""Long lists in pieces, so that no transaction and no call grows with the ledger."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, `size` at a time; the last piece may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
