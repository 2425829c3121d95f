"""The product itself knows no Prefect."""

import subprocess
import sys

LOOK = """
import sys, pkgutil, importlib, duban
skipped = ("duban.__main__", "duban.ledger.migrations.")
for module in pkgutil.walk_packages(duban.__path__, "duban."):
    if not module.name.startswith(skipped):
        importlib.import_module(module.name)
sys.exit("prefect" in sys.modules)
"""


def test_no_module_of_the_core_imports_prefect():
    done = subprocess.run([sys.executable, "-c", LOOK], check=False, timeout=60)
    assert done.returncode == 0
