"""The accounts page: an administrator adds people, changes their roles, resets and disables."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from duban.ledger import accounts
from duban.ledger.accounts import AccountRefused, AccountView, Act, Reason, Role
from duban.portal.desk.oidc import provider_of
from duban.portal.desk.roles import role_words
from duban.portal.who import APerson, Person

router = APIRouter(prefix="/desk/accounts")


def administrator(person: APerson) -> Person:
    """The person signed in, if an administrator; to others there is no such page."""
    person.require(Act.ACCOUNTS)
    return person


Administrator = Annotated[Person, Depends(administrator)]


async def administrators_form(person: Administrator) -> FormData:
    """The form that an administrator sent."""
    return await person.form()


Form = Annotated[FormData, Depends(administrators_form)]


@router.get("")
def page(person: Administrator, done: str = "") -> Response:
    """Everybody who has an account."""
    added = person.text("账号已添加，请本人通过统一身份认证登录。")
    return _page(person, done=added if done == "added" else "")


@router.post("/add")
def add(person: Administrator, form: Form) -> Response:
    """Makes an account; its one-time password is on the page that answers, and nowhere else."""
    try:
        role, region = _role(form)
        once = accounts.add(
            person.ledger,
            login=_text(form, "login"),
            name=_text(form, "name"),
            role=role,
            region=region,
            provider=_text(form, "way") == "provider",
            by=person.actor,
            now=person.now,
        )
    except AccountRefused as error:
        return _page(person, fault=_words(person, error.reason), typed=form)
    if once is None:
        return RedirectResponse("/desk/accounts?done=added", 303)
    return _page(person, once=once, whose=accounts.fold(_text(form, "login")))


@router.get("/one")
def one_page(person: Administrator, login: str, done: str = "") -> Response:
    """One account, and what can be done with it."""
    said = {
        "role": person.text("角色已调整，该账号须重新登录。"),
        "disable": person.text("账号已停用，其登录已全部退出。"),
        "enable": person.text("账号已恢复使用。"),
        "factor": person.text("动态码已重置，该账号下次登录无需动态码。"),
        "tie": person.text("统一身份认证的对应关系已保存。"),
    }
    return _one(person, login, done=said.get(done, ""))


@router.post("/reset")
def reset(person: Administrator, form: Form) -> Response:
    """A new one-time password, on the page that answers and nowhere else."""
    login = _text(form, "login")
    try:
        once = accounts.reset_password(person.ledger, login, by=person.actor, now=person.now)
    except AccountRefused as error:
        return _one(person, login, fault=_words(person, error.reason))
    return _one(person, login, once=once)


def _set_role(person: Person, login: str, form: FormData) -> None:
    role, region = _role(form)
    accounts.set_role(person.ledger, login, role, region, by=person.actor, now=person.now)


def _reset_factor(person: Person, login: str, _form: FormData) -> None:
    accounts.reset_totp(person.ledger, login, by=person.actor, now=person.now)


def _disable(person: Person, login: str, _form: FormData) -> None:
    accounts.disable(person.ledger, login, by=person.actor, now=person.now)


def _enable(person: Person, login: str, _form: FormData) -> None:
    accounts.enable(person.ledger, login, by=person.actor, now=person.now)


def _tie(person: Person, login: str, form: FormData) -> None:
    issuer, subject = person.office.settings.oidc_issuer or "", _text(form, "subject")
    accounts.tie(person.ledger, login, issuer, subject, by=person.actor, now=person.now)


_ACTS: Mapping[str, Callable[[Person, str, FormData], None]] = {
    "role": _set_role,
    "factor": _reset_factor,
    "disable": _disable,
    "enable": _enable,
    "tie": _tie,
}
Deed = Literal["role", "factor", "disable", "enable", "tie"]


@router.post("/{deed}")
def act(person: Administrator, form: Form, deed: Deed) -> Response:
    """Gives another role, takes the second factor away, shuts, opens, or ties an account."""
    login = _text(form, "login")
    try:
        _ACTS[deed](person, login, form)
    except AccountRefused as error:
        return _one(person, login, fault=_words(person, error.reason))
    there = urlencode({"login": accounts.fold(login), "done": deed})
    return RedirectResponse(f"/desk/accounts/one?{there}", 303)


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()


def _role(form: FormData) -> tuple[Role, str | None]:
    """The role chosen, and the region, which roles that have none leave out."""
    try:
        role = Role(_text(form, "role"))
    except ValueError:
        raise AccountRefused(Reason.REGION) from None
    bound = role in (Role.CITY, Role.READER)
    return role, (_text(form, "region") or None) if bound else None


def _words(person: Person, reason: Reason) -> str:
    words: Mapping[Reason, str] = {
        Reason.LOGIN: person.text("登录名须为2至60个字母、数字、汉字或者 . _ - @ +，不含空格。"),
        Reason.NAME: person.text("请填写姓名，不超过60个字。"),
        Reason.REGION: person.text("请选择角色；市级督办人员还须选择地区。"),
        Reason.TAKEN: person.text("该登录名或者统一身份已被其他账号使用。"),
        Reason.UNKNOWN: person.text("没有这个账号。"),
        Reason.LAST: person.text("这是最后一个可用的管理员账号，请先添加另一名管理员。"),
        Reason.NO_PASSWORD: person.text("该账号通过统一身份认证登录，没有密码。"),
    }
    return words[reason]


def _ways(person: Person, one: AccountView) -> str:
    """By what the person signs in."""
    ways = {
        person.text("密码"): one.has_password,
        person.text("动态码"): one.has_totp,
        person.text("统一身份认证"): one.is_tied,
        person.text("统一身份认证（尚未登录）"): not (one.is_tied or one.has_password),
    }
    return person.text("、").join(words for words, has in ways.items() if has)


def _state(person: Person, one: AccountView) -> tuple[str, str]:
    """The colour and the words of an account's state."""
    if one.disabled_at is not None:
        return "", person.text("已停用")
    if one.must_change:
        return "yellow", person.text("待改密码")
    return "green", person.text("在用")


def _page(
    person: Person, *, fault: str = "", typed: FormData | None = None, **told: str
) -> Response:
    """The list; `once` among what is told is a one-time password, `whose` its account's login."""
    found = accounts.accounts(person.ledger)
    context: dict[str, Any] = {"accounts": found, "typed": typed or {}, "fault": fault, **told}
    return _show(person, "desk/accounts.html", context)


def _one(person: Person, login: str, **told: str) -> Response:
    try:
        found = accounts.account_of(person.ledger, login)
    except AccountRefused:
        raise HTTPException(404) from None
    return _show(person, "desk/account_one.html", {"one": found, "whose": found.login, **told})


def _show(person: Person, template: str, context: Mapping[str, Any]) -> Response:
    whole: dict[str, Any] = {
        "person": person,
        "roles": role_words(person),
        "regions": accounts.regions(person.ledger),
        "provider": provider_of(person.office.settings) is not None,
        "ways": partial(_ways, person),
        "states": partial(_state, person),
        **dict.fromkeys(("done", "fault", "once", "whose"), ""),
        **context,
    }
    status = 422 if whole["fault"] else 200
    return person.pages.render(person.request, template, whole, status=status)
