"""`make bench`: ratios measured in one run, A and B in turn; counts are asserted before all.

Absolute times say something of the machine only; quote the ratios.
"""

import sys
from pathlib import Path

from duban.registry import load_registry
from tests.bench import bulletins, delivery, growth, idle, mirror, opening, sheets, sweep, uploads

PROJECT = Path(__file__).parents[2]


def main() -> None:
    registry = load_registry(PROJECT / "agencies.yaml", PROJECT / "deployments", {})
    opening.opening_against_raw_insert(registry)
    sweep.sweep_against_raw_sql(registry, 1_000_000 if "--million" in sys.argv else 100_000)
    delivery.delivery_against_bare_clients(registry)
    sheets.sheets_against_bare_libraries(registry)
    uploads.two_hundred_photos()
    bulletins.bulletin_of_many(registry)
    mirror.idle_mirror(registry)
    mirror.mirror_against_bare_calls(registry)
    mirror.mirror_against_bare_calls(registry, 5_000, rounds=1)
    growth.growth_of_prefect(registry)
    idle.idle_server()


if __name__ == "__main__":  # processes that a bench starts import this file again
    main()
