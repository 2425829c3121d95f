"""A quarter as large as the real notice's, counted once."""

import pytest

from duban.ledger.snapshots import Snapshot
from duban.registry import Registry
from duban.reports.counting import figures
from duban.reports.figures import Figures
from tests.duban.reports.cases import QUARTER, as_large_as


@pytest.fixture(scope="session")
def large(shanxi: Registry) -> Snapshot:
    """About a thousand duties of all twelve regions and sixteen departments."""
    return as_large_as(shanxi)


@pytest.fixture(scope="session")
def counted(large: Snapshot) -> Figures:
    """Its figures."""
    return figures(large, QUARTER)
