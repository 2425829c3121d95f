"""One's own account: the password, and the second factor."""

from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from duban.errors import DubanError
from duban.ledger import accounts, second_factor, sessions
from duban.ledger.passwords import LONGEST, SHORTEST, Weakness
from duban.ledger.sessions import WeakPassword, WrongCode, WrongPassword
from duban.portal.desk.login import stay
from duban.portal.desk.roles import role_words
from duban.portal.who import APerson, Person, PersonForm, SignedIn, SignedInForm, Visit

router = APIRouter(prefix="/desk/account")


@router.get("")
def page(person: SignedIn, done: str = "") -> Response:
    """The account of the person signed in."""
    said = {
        "password": person.text("密码已修改，其他地方的登录已全部退出。"),
        "factor": person.text("动态码已启用，下次登录时须填写。"),
        "dropped": person.text("动态码已停用。"),
    }
    return _page(person, done=said.get(done, ""))


@router.post("/password")
def change_password(person: SignedIn, form: SignedInForm) -> Response:
    """Sets another password; every other stay of the account ends."""
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    if new != again:
        return _page(person, "password", person.text("两次填写的新密码不一致。"))
    try:
        token = sessions.change_password(person.ledger, person.signed, old, new, person.now)
    except (WeakPassword, WrongPassword) as error:
        return _page(person, "password", fault_words(person, error))
    response = RedirectResponse("/desk/account?done=password", 303)
    stay(person, response, token)
    return response


@router.get("/factor.svg")
def picture(person: APerson) -> Response:
    """The QR code by which an app takes the secret that is being set up."""
    _may_set_up(person)
    drawn = second_factor.picture(person.office.key, _nonce(person), person.signed.login)
    return Response(drawn, media_type="image/svg+xml")


@router.post("/factor")
def set_factor(person: APerson, form: PersonForm) -> Response:
    """Sets up the second factor."""
    _may_set_up(person)
    password, code = (str(form.get(name, "")) for name in ("password", "code"))
    key, nonce, now = person.office.key, _nonce(person), person.now
    try:
        sessions.set_totp(person.ledger, key, person.signed, nonce, password, code, now)
    except (WrongPassword, WrongCode) as error:
        return _page(person, "factor", fault_words(person, error))
    return RedirectResponse("/desk/account?done=factor", 303)


@router.post("/factor/drop")
def drop_factor(person: APerson, form: PersonForm) -> Response:
    """Gives up the second factor."""
    try:
        sessions.drop_totp(person.ledger, person.signed, str(form.get("password", "")), person.now)
    except WrongPassword as error:
        return _page(person, "factor", fault_words(person, error))
    return RedirectResponse("/desk/account?done=dropped", 303)


def _may_set_up(person: Person) -> None:
    if person.signed.has_totp or not person.signed.has_password:
        raise HTTPException(404)


def _nonce(person: Person) -> str:
    return sessions.enrolment(person.ledger, person.signed, person.credential)


def fault_words(visit: Visit, error: DubanError) -> str:
    """What was refused and why."""
    if isinstance(error, WeakPassword):
        return weakness_words(visit, error.why)
    if isinstance(error, WrongCode):
        return visit.text("动态码有误或者已经用过，请等待下一个动态码后重试，并核对手机时间。")
    return visit.text("现用密码有误；连续5次有误的，须等待一段时间再试。")


def weakness_words(visit: Visit, why: Weakness) -> str:
    """Why a password is too easy to guess."""
    words = {
        Weakness.SHORT: visit.text("新密码不足{}个字符。").format(SHORTEST),
        Weakness.LONG: visit.text("新密码超过{}个字符。").format(LONGEST),
        Weakness.PATTERN: visit.text("新密码是重复或者连续的字符，容易被猜中，请更换。"),
        Weakness.COMMON: visit.text(
            "新密码与现用密码相同，或者主要由常用词、年份、本人姓名或登录名组成，容易被猜中，请更换。"
        ),
    }
    return words[why]


def _page(person: Person, wrong: str = "", fault: str = "", done: str = "") -> Response:
    """The page; `wrong` is the form that was refused because of `fault`."""
    signed = person.signed
    secret = ""
    if signed.has_password and not signed.has_totp and not signed.must_change:
        secret = second_factor.secret(person.office.key, _nonce(person))
    context: dict[str, Any] = {
        "person": person,
        "roles": role_words(person),
        "region": accounts.regions(person.ledger).get(signed.region or "", ""),
        "secret": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "shortest": SHORTEST,
        "wrong": wrong,
        "fault": fault,
        "done": done,
    }
    status = 422 if fault else 200
    return person.pages.render(person.request, "desk/account.html", context, status=status)
