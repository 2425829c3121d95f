"""`python -m deployments.server`: Prefect whose pages stay at home, and whose loop never stalls.

The pages ask a maker of statistics abroad for its wishes at every visit, whatever the settings
say, and keep the credential where their scripts can read it. The headers let them speak to their
own server only.

Garbage is collected beside the event loop.
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
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

YOUNG_EVERY = 1.0  # seconds
ALL_EVERY = 60  # collections of the young

HEADERS = {
    # Their forms compile what checks the input, and some styles and scripts stand in the page.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class AtHome:
    """Adds the headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on; only HTTP has headers to add."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, with_headers)


def collect_for_ever() -> None:
    """Collects the young garbage each second, all of it each minute."""
    turn = 0
    while True:
        time.sleep(YOUNG_EVERY)
        turn += 1
        gc.collect(2 if turn % ALL_EVERY == 0 else 1)


def stay_at_home() -> None:
    """Has every server of this process answer with the headers."""
    from prefect.server.api import server

    made = server.create_app

    def create_app(*args: Any, **settings: Any) -> ASGIApp:
        app = made(*args, **settings)
        # Prefect asks again for the one that runs, whenever an automation acts.
        if all(one.cls is not AtHome for one in app.user_middleware):
            app.add_middleware(AtHome)
        return app

    server.create_app = create_app


def main() -> None:
    """Runs `prefect server start` in this process."""
    stay_at_home()
    gc.disable()
    threading.Thread(target=collect_for_ever, name="garbage", daemon=True).start()
    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
