"""How routes are declared: a page is there for GET and HEAD, and neither changes anything."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.responses import RedirectResponse

Handler = TypeVar("Handler", bound=Callable[..., Any])


def page(router: APIRouter, path: str, **more: Any) -> Callable[[Handler], Handler]:
    """Declares a handler that only shows something."""

    def add(handler: Handler) -> Handler:
        router.get(path, **more)(handler)
        router.head(path, include_in_schema=False, **more)(handler)
        return handler

    return add


def onward(path: str, done: str = "") -> RedirectResponse:
    """To a clean page after a POST, with the code of what to say there."""
    query = f"?done={done}" if done else ""
    return RedirectResponse(f"{path}{query}", 303)
