"""`python -m deployments.server`: Prefect with its garbage collected beside the event loop.

Measured on SQLite: while one connection's thread waits for the database (up to 60 s), the event
loop's own garbage collection may finalise a cursor of that connection, which needs the mutex the
waiting thread holds. Then the loop stands still, and with it the transaction that would release
the database: nothing moves for a minute. A collector in a thread of its own waits alone.
"""

import gc
import runpy
import sys
import threading
import time

YOUNG_EVERY = 1.0  # seconds
ALL_EVERY = 60  # collections of the young


def collect_for_ever() -> None:
    """Collects the young garbage each second, all of it each minute."""
    turn = 0
    while True:
        time.sleep(YOUNG_EVERY)
        turn += 1
        gc.collect(2 if turn % ALL_EVERY == 0 else 1)


def main() -> None:
    """Runs `prefect server start` in this process."""
    gc.disable()
    threading.Thread(target=collect_for_ever, name="garbage", daemon=True).start()
    sys.argv = ["prefect", "server", "start"]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
