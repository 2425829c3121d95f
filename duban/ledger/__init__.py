"""The ledger: facts, append-only history, and the outbox. Status is stored, lateness derived."""

from dataclasses import dataclass

from sqlalchemy import Engine

from duban.registry import Registry


@dataclass(frozen=True, slots=True)
class Ledger:
    """The database and the registry whose duties it keeps."""

    engine: Engine
    registry: Registry
