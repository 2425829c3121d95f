"""Coming to the desk and leaving it: by password, or through an identity provider."""

import re
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, Query
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from duban import tokens
from duban.ledger import sessions
from duban.ledger.sessions import LONGEST, Entered, Refused
from duban.portal.desk.oidc import LIFE, Pending, Provider, ProviderFailed, provider_of
from duban.portal.guard import check_count, count, csrf_of, read_form, set_cookie
from duban.portal.who import (
    DESK_COOKIE,
    AVisit,
    SignedInForm,
    SignIn,
    Visit,
    cookie_name,
)

router = APIRouter(prefix="/desk")

DOOR_COOKIE, PROVIDER_COOKIE = "duban-door", "duban-provider"
"""Before anybody is signed in: what the form is checked by, and what the provider is asked."""
_LIMITER: RunVar[CapacityLimiter] = RunVar("hashing")
_STAY = int(LONGEST.total_seconds())
_HOME = "/desk"
_PAGE = re.compile(r"/desk(/[\w./%-]*)?", re.ASCII)

Back = Annotated[str, Query(max_length=200)]


async def ask_to_sign_in(request: Request, error: Exception) -> Response:
    """Leads one who is not signed in to the login, or to the change of a one-time password."""
    assert isinstance(error, SignIn)
    if error.must_change:
        return RedirectResponse("/desk/account", 303)
    back = error.back if request.method == "GET" and error.back != _HOME else ""
    return RedirectResponse(f"/desk/login?back={back}" if back else "/desk/login", 303)


@router.get("/login")
def login_page(visit: AVisit, back: Back = "") -> Response:
    """The form to sign in with."""
    return _page(visit, back)


async def door_form(visit: AVisit) -> FormData:
    """What was typed into the login form; 403 unless this visitor was shown it."""
    credential = visit.request.cookies.get(cookie_name(visit.request, DOOR_COOKIE), "")
    if not credential:
        raise HTTPException(403)
    return await read_form(visit.request, csrf_of(visit.office.key, credential))


DoorForm = Annotated[FormData, Depends(door_form)]


@router.post("/login")
async def log_in(visit: AVisit, form: DoorForm) -> Response:
    """Signs in by password, with the code of the second factor where one is set up.

    A flood of attempts queues here, and takes no thread from the other pages.
    """
    _may_try(visit)
    return await to_thread.run_sync(_log_in, visit, form, limiter=_hashing())


def _log_in(visit: Visit, form: FormData) -> Response:
    login, password, code = (str(form.get(name, "")) for name in ("login", "password", "code"))
    found = sessions.log_in(visit.ledger, visit.office.key, login, password, code, visit.now)
    back = str(form.get("back", ""))
    if isinstance(found, Refused):
        count(visit.request, "login")
        # One sentence for all: it tells neither what was wrong nor whom the portal knows.
        fault = visit.text(
            "登录名、密码或者动态码有误。连续5次有误后须等待一段时间，每次加倍，最长15分钟。"
        )
        return _page(visit, back, login=login, fault=fault, status=401)
    return _let_in(visit, found, back)


def _may_try(visit: Visit) -> None:
    check_count(visit.request, "login")
    count(visit.request, "attempt")


def _hashing() -> CapacityLimiter:
    """Two at once; one for each event loop, since that is what it can be used in."""
    try:
        return _LIMITER.get()
    except LookupError:
        made = CapacityLimiter(2)
        _LIMITER.set(made)
        return made


@router.post("/logout")
def log_out(visit: AVisit, form: SignedInForm) -> Response:
    """Signs out."""
    del form
    name = cookie_name(visit.request, DESK_COOKIE)
    sessions.log_out(visit.ledger, visit.request.cookies[name])
    response = RedirectResponse("/desk/login", 303)
    set_cookie(response, visit.request, name, "", 0)
    return response


@router.get("/login/provider")
def to_provider(visit: AVisit) -> Response:
    """Leads to the identity provider."""
    provider = _provider(visit)
    _may_try(visit)
    try:
        address, pending = provider.begin(visit.now.timestamp())
    except ProviderFailed:
        return _failed(visit)
    response = RedirectResponse(address, 303)
    name = cookie_name(visit.request, PROVIDER_COOKIE)
    set_cookie(response, visit.request, name, pending.seal(visit.office.key), LIFE)
    return response


@router.get("/login/back")
def from_provider(visit: AVisit, state: Back = "", code: str = "") -> Response:
    """Takes in one who comes back from the identity provider."""
    provider = _provider(visit)
    _may_try(visit)
    moment = visit.now.timestamp()
    cookie = visit.request.cookies.get(cookie_name(visit.request, PROVIDER_COOKIE), "")
    try:
        pending = Pending.unseal(visit.office.key, cookie, moment)
        claims = provider.finish(pending, state, code, moment)
    except ProviderFailed:
        return _failed(visit)
    found = sessions.log_in_by_subject(visit.ledger, provider.issuer, claims, visit.now)
    if isinstance(found, Refused):
        return _failed(
            visit, visit.text("统一身份认证已通过，但是没有与之对应的账号，请联系管理员。")
        )
    return _let_in(visit, found, "")


def _provider(visit: Visit) -> Provider:
    found = provider_of(visit.office.settings)
    if found is None:
        raise HTTPException(404)
    return found


def _failed(visit: Visit, fault: str = "") -> Response:
    """The login page again; a provider's cookie is good for one visit."""
    count(visit.request, "login")
    fault = fault or visit.text("统一身份认证没有完成，请重新登录；多次不成功的，请联系管理员。")
    response = _page(visit, "", fault=fault, status=401)
    set_cookie(response, visit.request, cookie_name(visit.request, PROVIDER_COOKIE), "", 0)
    return response


def _let_in(visit: Visit, entered: Entered, back: str) -> Response:
    """Gives the new stay's cookie; a stay that the visitor came with ends."""
    name = cookie_name(visit.request, DESK_COOKIE)
    if former := visit.request.cookies.get(name):
        sessions.log_out(visit.ledger, former)
    place = "/desk/account" if entered.must_change else _safe(back)
    response = RedirectResponse(place, 303)
    stay(visit, response, entered.token)
    for other in (DOOR_COOKIE, PROVIDER_COOKIE):
        set_cookie(response, visit.request, cookie_name(visit.request, other), "", 0)
    return response


def stay(visit: Visit, response: Response, token: str) -> None:
    """Gives the visitor the cookie of a stay."""
    set_cookie(response, visit.request, cookie_name(visit.request, DESK_COOKIE), token, _STAY)


def _safe(back: str) -> str:
    """A page of the desk, whatever the address asked for."""
    return back if _PAGE.fullmatch(back) else _HOME


def _page(visit: Visit, back: str, *, status: int = 200, **typed: Any) -> Response:
    name = cookie_name(visit.request, DOOR_COOKIE)
    credential = visit.request.cookies.get(name) or tokens.fresh()
    context = {
        "login": "",
        "fault": "",
        "back": back if _PAGE.fullmatch(back) else "",
        "csrf": csrf_of(visit.office.key, credential),
        "provider": provider_of(visit.office.settings) is not None,
        **typed,
    }
    response = visit.pages.render(visit.request, "desk/login.html", context, status=status)
    set_cookie(response, visit.request, name, credential, _STAY)
    return response
