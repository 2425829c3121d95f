"""What the files say: agencies, notices and clauses, loaded whole or not at all."""

from duban.registry.agencies import Agency, Contact
from duban.registry.clauses import Basis, Clause, Cycle, Modality, Notice, Role, clock, instant
from duban.registry.load import load_registry
from duban.registry.model import LoadedNotice, PlacedClause, Registry

__all__ = [
    "Agency",
    "Basis",
    "Clause",
    "Contact",
    "Cycle",
    "LoadedNotice",
    "Modality",
    "Notice",
    "PlacedClause",
    "Registry",
    "Role",
    "clock",
    "instant",
    "load_registry",
]
