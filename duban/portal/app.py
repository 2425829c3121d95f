"""The portal's application: every route, its guards, and the pages for what goes wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from duban.office import Office
from duban.portal import agency
from duban.portal.desk import (
    account,
    accounts,
    agencies,
    board,
    bulletins,
    decisions,
    duty,
    files,
    history,
    letters,
    login,
    notice,
    papers,
    review,
    sheet,
)
from duban.portal.guard import protect
from duban.portal.pages import Pages
from duban.portal.who import SignIn

HERE = Path(__file__).parent
ROUTERS = (
    *agency.MODULES,
    board,
    duty,
    notice,
    history,
    files,
    review,
    decisions,
    letters,
    papers,
    bulletins,
    sheet,
    agencies,
    login,
    account,
    accounts,
)


@dataclass(frozen=True)
class Portal:
    """What every request of one portal shares.

    Attributes:
        clock: the time; each request looks at it once.
        secure: whether it is reached over https.
    """

    office: Office
    pages: Pages
    clock: Callable[[], datetime]
    secure: bool


def create_app(office: Office, clock: Callable[[], datetime]) -> FastAPI:
    """The portal on an office."""
    registry = office.ledger.registry
    pages = Pages(registry.language, registry.first_notice.zone, office.label)
    app = FastAPI(title="Duban", docs_url=None, redoc_url=None, openapi_url=None)
    secure = office.settings.portal.startswith("https://")
    app.state.portal = Portal(office, pages, clock, secure)
    protect(app, secure=secure)
    app.add_exception_handler(HTTPException, _wrong)
    app.add_exception_handler(RequestValidationError, _no_such_page)
    app.add_exception_handler(SignIn, login.ask_to_sign_in)
    for module in ROUTERS:
        app.router.routes.extend(module.router.routes)  # including would build each one again
    app.add_api_route("/health", _health, response_class=PlainTextResponse)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


async def _health() -> str:
    """Says that the portal answers."""
    return "ok"


async def _no_such_page(request: Request, error: Exception) -> Response:
    """An address whose parts are not what the route takes leads nowhere."""
    del error
    return await _wrong(request, HTTPException(404))


async def _wrong(request: Request, error: Exception) -> Response:
    """One page for whatever went wrong; it tells nobody what is there."""
    assert isinstance(error, HTTPException)
    portal: Portal = request.app.state.portal
    return portal.pages.render(
        request,
        "wrong.html",
        {"code": error.status_code},
        status=error.status_code,
        headers=error.headers,
    )
