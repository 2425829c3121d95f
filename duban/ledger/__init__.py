"""The ledger: facts, append-only history, and the outbox. Status is stored, lateness derived."""

from dataclasses import dataclass

from sqlalchemy import Engine

from duban.registry import Registry


@dataclass(eq=False, slots=True)
class Ledger:
    """The database and the registry whose duties it keeps.

    `registry` is exchanged when another is put in force: read it at each use. `digest` names it.
    """

    engine: Engine
    registry: Registry
    digest: str = ""
