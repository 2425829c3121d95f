"""The desk's login, one's own account, and the accounts page, as a browser sees them."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from argon2 import PasswordHasher
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from pyotp.totp import TOTP
from sqlalchemy import inspect, text
from starlette.testclient import TestClient

from duban.ledger import accounts, passwords
from duban.ledger.accounts import Role
from duban.ledger.database import reading
from duban.office import Office
from duban.portal.app import create_app
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.oidc_server import CLIENT, SECRET, OidcServer, oidc_server

if TYPE_CHECKING:
    from httpx2 import Response

GOOD = "杏花春雨江南2月的一个早晨"
BETTER = "骏马秋风塞北7月的一个傍晚"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as light as can be."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)


def csrf(page: "Response") -> str:
    """What the page's forms carry."""
    found = re.search(r'name="csrf" value="([\w-]{43})"', page.text)
    assert found, page.text
    return found[1]


def sign_in(client: TestClient, login: str, password: str, code: str = "") -> "Response":
    shown = client.get("/desk/login")
    form = {"csrf": csrf(shown), "login": login, "password": password, "code": code}
    return client.post("/desk/login", data=form)


def post(client: TestClient, address: str, form: dict[str, str] | None = None) -> "Response":
    """As the form on one's own account page would."""
    carried = {"csrf": csrf(client.get("/desk/account")), **(form or {})}
    return client.post(address, data=carried)


def set_cookie(client: TestClient, name: str, value: str) -> None:
    """Gives the browser a cookie as if the portal had set it."""
    client.cookies.set(name, value, domain="127.0.0.1", path="/")


def once_of(page: "Response") -> str:
    found = re.search(r'class="once">([\w-]+)<', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
def admin(office: Office, browser: Browser, clock: Clock) -> TestClient:
    """A browser in which the administrator is signed in, with the password `GOOD`."""
    once = accounts.first_administrator(office.ledger, clock()) or ""
    client = browser()
    assert "一次性密码" in sign_in(client, "admin", once).text
    page = post(client, "/desk/account/password", {"old": once, "new": GOOD, "again": GOOD})
    assert "密码已修改" in page.text
    return client


def add(admin: TestClient, login: str = "wang", role: str = "city", region: str = "东") -> str:
    """Adds somebody; the one-time password."""
    form = {"login": login, "name": "王芳", "role": role, "region": region}
    return once_of(post(admin, "/desk/accounts/add", form))


def test_who_is_not_signed_in_is_led_to_the_login_and_back(
    admin: TestClient, browser: Browser
) -> None:
    client = browser()
    shown = client.get("/desk/accounts")
    assert shown.url.path == "/desk/login"
    form = {"csrf": csrf(shown), "login": "admin", "password": GOOD, "back": "/desk/accounts"}
    assert client.post("/desk/login", data=form).url.path == "/desk/accounts"


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/desk/../../x y", "/deskevil", "\\evil"]
)
def test_the_way_back_leads_nowhere_else(admin: TestClient, browser: Browser, back: str) -> None:
    client = browser()
    shown = client.get("/desk/login", params={"back": back})
    assert not re.search(r'(value|action|content)="[^"]*evil', shown.text)
    form = {"csrf": csrf(shown), "login": "admin", "password": GOOD, "back": back}
    done = client.post("/desk/login", data=form, follow_redirects=False)
    assert done.headers["location"] == "/desk"


def test_a_one_time_password_opens_only_the_page_that_changes_it(
    office: Office, browser: Browser, clock: Clock
) -> None:
    once = accounts.first_administrator(office.ledger, clock()) or ""
    client = browser()
    sign_in(client, "admin", once)
    for address in ("/desk/accounts", "/desk/account/factor.svg"):
        assert client.get(address).url.path == "/desk/account"
    token = csrf(client.get("/desk/account"))
    form = {"csrf": token, "login": "li", "name": "李", "role": "reader"}
    assert client.post("/desk/accounts/add", data=form).url.path == "/desk/account"
    assert len(accounts.accounts(office.ledger)) == 1


def test_signing_in_never_keeps_the_token_that_the_visitor_came_with(
    admin: TestClient, browser: Browser
) -> None:
    client = browser()
    set_cookie(client, "duban-desk", "x" * 43)
    sign_in(client, "admin", GOOD)
    first = client.cookies["duban-desk"]
    assert first != "x" * 43
    assert admin.cookies["duban-desk"] != first
    sign_in(client, "admin", GOOD)
    assert client.cookies["duban-desk"] != first
    other = browser()
    set_cookie(other, "duban-desk", first)
    assert other.get("/desk/account").url.path == "/desk/login"


def test_the_cookie_is_hidden_from_scripts_and_over_https_bound_to_the_host(
    office: Office, clock: Clock
) -> None:
    once = accounts.first_administrator(office.ledger, clock()) or ""
    for address, name, secure in (
        ("http://127.0.0.1:4280", "duban-desk", False),
        ("https://duban.example", "__Host-duban-desk", True),
    ):
        settings = office.settings.model_copy(update={"portal_url": address})
        app = create_app(replace(office, settings=settings), clock)
        client = TestClient(app, base_url=address)
        shown = client.get("/desk/login")
        assert ("strict-transport-security" in shown.headers) is secure
        form = {"csrf": csrf(shown), "login": "admin", "password": once}
        done = client.post("/desk/login", data=form, follow_redirects=False)
        [cookie] = [
            one for one in done.headers.get_list("set-cookie") if one.startswith(f"{name}=")
        ]
        parts = {part.strip().casefold() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax"} <= parts
        assert ("secure" in parts) is secure
        assert not any(part.startswith("domain") for part in parts)


def test_the_sixth_attempt_is_delayed_even_with_the_right_password(
    admin: TestClient, browser: Browser, clock: Clock
) -> None:
    client = browser()
    refusals = {sign_in(client, "admin", "wrong").status_code for _ in range(5)}
    assert refusals == {401}
    assert sign_in(client, "admin", GOOD).status_code == 401
    clock.now += timedelta(seconds=33)
    assert sign_in(client, "admin", GOOD).url.path != "/desk/login"


def test_nobody_learns_from_a_refusal_whom_the_portal_knows(
    admin: TestClient, browser: Browser
) -> None:
    del admin
    client = browser()

    def seen(login: str) -> str:
        return sign_in(client, login, "wrong").text.replace(login, "")

    first = seen("admin")
    assert seen("nobody") == first
    for _ in range(5):
        assert seen("admin") == first


def test_an_address_may_fail_twenty_times_in_a_quarter_of_an_hour(
    admin: TestClient, browser: Browser
) -> None:
    del admin
    client = browser()
    answers = [sign_in(client, f"nobody{n}", "wrong").status_code for n in range(21)]
    assert answers == [401] * 20 + [429]
    assert "retry-after" in sign_in(client, "admin", GOOD).headers


def test_a_stay_ends_after_half_an_hour_of_nothing(admin: TestClient, clock: Clock) -> None:
    clock.now += timedelta(minutes=29)
    assert admin.get("/desk/account").url.path == "/desk/account"
    clock.now += timedelta(minutes=30)
    assert admin.get("/desk/account").url.path == "/desk/login"


def test_a_stay_ends_after_twelve_hours_however_busy(admin: TestClient, clock: Clock) -> None:
    for _ in range(35):
        clock.now += timedelta(minutes=20)
        assert admin.get("/desk/account").url.path == "/desk/account"
    clock.now += timedelta(minutes=20)
    assert admin.get("/desk/account").url.path == "/desk/login"


def test_signing_out_ends_the_stay_everywhere_the_cookie_went(
    admin: TestClient, browser: Browser
) -> None:
    copy = browser()
    set_cookie(copy, "duban-desk", admin.cookies["duban-desk"])
    assert post(admin, "/desk/logout").url.path == "/desk/login"
    assert "duban-desk" not in admin.cookies
    assert copy.get("/desk/account").url.path == "/desk/login"


def test_a_disabled_account_is_out_at_once(admin: TestClient, browser: Browser) -> None:
    once = add(admin)
    client = browser()
    sign_in(client, "wang", once)
    assert client.get("/desk/account").url.path == "/desk/account"
    assert "已停用" in post(admin, "/desk/accounts/disable", {"login": "wang"}).text
    assert client.get("/desk/account").url.path == "/desk/login"
    assert sign_in(client, "wang", once).status_code == 401
    post(admin, "/desk/accounts/enable", {"login": "wang"})
    assert sign_in(client, "wang", once).url.path == "/desk/account"


ACTS = ("add", "role", "reset", "factor", "disable", "enable", "tie")


@pytest.mark.parametrize("role", ["provincial", "city", "reader"])
def test_to_others_than_administrators_there_is_no_page_of_accounts(
    admin: TestClient, browser: Browser, role: str
) -> None:
    once = add(admin, "wang", role, "东" if role == "city" else "")
    client = browser()
    sign_in(client, "wang", once)
    post(client, "/desk/account/password", {"old": once, "new": GOOD, "again": GOOD})
    assert "/desk/accounts" not in client.get("/desk/account").text
    missing = client.get("/desk/nothing-here")
    assert client.get("/desk/accounts").status_code == missing.status_code == 404
    assert client.get("/desk/accounts").text.count("csrf") == missing.text.count("csrf")
    for act in ACTS:
        assert post(client, f"/desk/accounts/{act}", {"login": "admin"}).status_code == 404


FORMS = (
    *(f"/desk/accounts/{act}" for act in ACTS),
    *("/desk/account/password", "/desk/account/factor", "/desk/account/factor/drop"),
    *("/desk/logout", "/desk/login"),
)


@pytest.mark.parametrize("address", FORMS)
def test_no_form_is_taken_that_another_site_may_have_sent(
    admin: TestClient, office: Office, address: str
) -> None:
    source = "/desk/login" if address == "/desk/login" else "/desk/account"
    right = csrf(admin.get(source))
    form = {"login": "admin", "old": GOOD, "new": BETTER, "again": BETTER, "password": GOOD}
    before = _everything(office)
    for carried, headers in (
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": "x" * 43}, {}),
        ({"csrf": "密" * 43}, {}),
        ({"csrf": right}, {"Origin": "https://evil.example"}),
        ({"csrf": right}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": right}, {"Sec-Fetch-Site": "same-site"}),
    ):
        answer = admin.post(address, data={**form, **carried}, headers=headers)
        assert answer.status_code == 403, (carried, headers)
    assert _everything(office) == before


def test_the_own_form_is_taken_whether_or_not_the_browser_names_its_origin(
    admin: TestClient,
) -> None:
    add(admin)
    for headers in (
        {"Origin": "http://127.0.0.1:4280", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "null"},
        {},
    ):
        form = {"csrf": csrf(admin.get("/desk/account")), "login": "wang"}
        answer = admin.post("/desk/accounts/enable", data=form, headers=headers)
        assert answer.url.path == "/desk/accounts/one"
        assert answer.status_code == 200


def test_the_login_form_of_one_browser_is_of_no_use_in_another(
    admin: TestClient, browser: Browser
) -> None:
    del admin
    stolen = csrf(browser().get("/desk/login"))
    victim = browser()
    form = {"csrf": stolen, "login": "admin", "password": GOOD}
    assert victim.post("/desk/login", data=form).status_code == 403
    victim.get("/desk/login")
    assert victim.post("/desk/login", data=form).status_code == 403


@pytest.mark.parametrize(
    ("new", "again", "said"),
    [
        (BETTER, GOOD, "不一致"),
        ("short", "short", "不足12个字符"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "重复或者连续"),
        ("admin-Password2026", "admin-Password2026", "常用词"),
        (GOOD, GOOD, "相同"),
    ],
)
def test_a_refused_password_says_why_and_changes_nothing(
    admin: TestClient, new: str, again: str, said: str
) -> None:
    form = {"old": GOOD, "new": new, "again": again}
    page = post(admin, "/desk/account/password", form)
    assert page.status_code == 422
    assert said in page.text
    assert admin.get("/desk/account").url.path == "/desk/account"


def test_a_changed_password_ends_the_other_stays_and_not_this_one(
    admin: TestClient, browser: Browser
) -> None:
    other = browser()
    sign_in(other, "admin", GOOD)
    post(admin, "/desk/account/password", {"old": GOOD, "new": BETTER, "again": BETTER})
    assert admin.get("/desk/account").url.path == "/desk/account"
    assert other.get("/desk/account").url.path == "/desk/login"


def test_a_second_factor_is_set_up_used_once_and_given_up(
    admin: TestClient, browser: Browser, clock: Clock
) -> None:
    picture = admin.get("/desk/account/factor.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    page = admin.get("/desk/account").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    app = TOTP(secret[1].replace(" ", ""))
    wrong = post(admin, "/desk/account/factor", {"password": GOOD, "code": "000000"})
    assert "动态码有误" in wrong.text
    form = {"password": GOOD, "code": app.at(clock())}
    assert "动态码已启用" in post(admin, "/desk/account/factor", form).text
    assert admin.get("/desk/account/factor.svg").status_code == 404
    assert secret[1] not in admin.get("/desk/account").text
    client = browser()
    assert sign_in(client, "admin", GOOD).status_code == 401
    assert sign_in(client, "admin", GOOD, app.at(clock())).status_code == 401
    clock.now += timedelta(seconds=30)
    assert sign_in(client, "admin", GOOD, app.at(clock())).url.path != "/desk/login"
    assert sign_in(browser(), "admin", GOOD, app.at(clock())).status_code == 401
    assert "动态码已停用" in post(admin, "/desk/account/factor/drop", {"password": GOOD}).text
    assert sign_in(browser(), "admin", GOOD).url.path != "/desk/login"


def test_an_administrator_manages_accounts(admin: TestClient, browser: Browser) -> None:
    add(admin)
    assert (
        "已被其他账号使用"
        in post(
            admin,
            "/desk/accounts/add",
            {"login": "WANG", "name": "王", "role": "reader", "region": ""},
        ).text
    )
    form = {"login": "wang", "role": "reader", "region": ""}
    assert "角色已调整" in post(admin, "/desk/accounts/role", form).text
    assert post(admin, "/desk/accounts/role", {**form, "login": "nobody"}).status_code == 404
    assert admin.get("/desk/accounts/one?login=no%00body").status_code == 404
    wrong = {"login": "wang", "role": "city", "region": "北"}
    assert post(admin, "/desk/accounts/role", wrong).status_code == 422
    last = post(admin, "/desk/accounts/disable", {"login": "admin"})
    assert "最后一个可用的管理员" in last.text
    once = once_of(post(admin, "/desk/accounts/reset", {"login": "wang"}))
    assert "一次性密码" in sign_in(browser(), "wang", once).text
    assert once not in admin.get("/desk/accounts").text


def test_the_pages_speak_english_to_who_asks(admin: TestClient) -> None:
    page = admin.get("/desk/account", headers={"Accept-Language": "en"})
    assert 'lang="en"' in page.text


def test_nothing_secret_stands_in_a_table_or_a_log(
    admin: TestClient, office: Office, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    once = add(admin)
    client = browser()
    sign_in(client, "wang", "a wrong password canary")
    sign_in(client, "wang", once)
    early = client.cookies["duban-desk"]
    post(client, "/desk/account/password", {"old": once, "new": BETTER, "again": BETTER})
    kept = _everything(office) + caplog.text
    canaries = (once, BETTER, "wrong password canary", early, client.cookies["duban-desk"])
    for canary in (*canaries, csrf(client.get("/desk/account"))):
        assert canary not in kept


def _everything(office: Office) -> str:
    with reading(office.ledger.engine) as connection:
        names = inspect(connection).get_table_names()
        return "\n".join(
            str(row) for name in names for row in connection.execute(text(f"SELECT * FROM {name}"))
        )


# The identity provider


@pytest.fixture
def provider(clock: Clock) -> Iterator[OidcServer]:
    with oidc_server(int(clock().timestamp())) as running:
        yield running


@pytest.fixture
def through(
    office: Office, clock: Clock, provider: OidcServer
) -> Iterator[Callable[[], TestClient]]:
    """Opens browsers on a portal whose coordinators come through the provider; `wang` may."""
    settings = office.settings.model_copy(
        update={
            "oidc_issuer": provider.issuer,
            "oidc_client": CLIENT,
            "oidc_secret": SecretStr(SECRET),
        }
    )
    accounts.add(
        office.ledger,
        login="wang",
        name="王芳",
        role=Role.PROVINCIAL,
        region=None,
        by="test",
        now=clock(),
        provider=True,
    )
    app = create_app(replace(office, settings=settings), clock)
    with ExitStack() as open_ones:
        yield lambda: open_ones.enter_context(TestClient(app, base_url="http://127.0.0.1:4280"))


def leave(client: TestClient) -> str:
    """Goes to the provider and comes back as far as the address that leads home."""
    start = client.get("/desk/login/provider", follow_redirects=False)
    assert start.status_code == 303
    there = httpx.get(start.headers["location"], verify=False)  # no reading of certificates
    assert there.status_code == 302
    return there.headers["location"].removeprefix("http://127.0.0.1:4280")


def test_the_provider_lets_in_who_has_an_account(through: Callable[[], TestClient]) -> None:
    client = through()
    assert "/desk/login/provider" in client.get("/desk/login").text
    done = client.get(leave(client), follow_redirects=False)
    assert done.headers["location"] == "/desk"
    page = client.get("/desk/account")
    assert "王芳" in page.text
    assert "统一身份认证平台管理" in page.text
    assert "duban-provider" not in client.cookies


def test_the_provider_is_asked_with_pkce_state_and_nonce(
    through: Callable[[], TestClient], provider: OidcServer
) -> None:
    client = through()
    start = client.get("/desk/login/provider", follow_redirects=False)
    asked = parse_qs(urlsplit(start.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:4280/desk/login/back"]
    assert len(asked["state"][0]) == len(asked["nonce"][0]) == 43
    assert SECRET not in start.headers["location"]
    assert SECRET not in str(start.headers)
    assert "/.well-known/openid-configuration" in provider.asked


def refused(through: Callable[[], TestClient]) -> str:
    client = through()
    page = client.get(leave(client))
    assert page.status_code == 401
    assert "duban-desk" not in client.cookies
    return unescape(page.text)


@pytest.mark.parametrize(
    ("lie", "without"),
    [
        ({"nonce": "another"}, ()),
        ({"aud": "another-client"}, ()),
        ({"aud": "another-client", "azp": CLIENT}, ()),
        ({"aud": [CLIENT, "another"], "azp": "another"}, ()),
        ({"iss": "http://evil.example"}, ()),
        ({"exp": 1}, ()),
        ({"iat": 4_000_000_000}, ()),
        ({"sub": 7}, ()),
        ({"sub": ""}, ()),
        ({}, ("nonce",)),
        ({}, ("aud",)),
        ({}, ("iss",)),
        ({}, ("exp",)),
        ({}, ("sub",)),
    ],
)
def test_an_id_token_that_says_something_else_lets_nobody_in(
    through: Callable[[], TestClient],
    provider: OidcServer,
    lie: dict[str, object],
    without: tuple[str, ...],
) -> None:
    provider.claims, provider.without = lie, without
    assert "没有完成" in refused(through)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_id_token_without_the_providers_signature_lets_nobody_in(
    through: Callable[[], TestClient], provider: OidcServer, algorithm: str
) -> None:
    provider.algorithm = algorithm
    assert "没有完成" in refused(through)


def test_an_id_token_that_another_key_signed_lets_nobody_in(
    through: Callable[[], TestClient], provider: OidcServer
) -> None:
    provider.signer = RSAKey.generate_key(2048, {"kid": "one"})
    assert "没有完成" in refused(through)


def test_a_token_for_several_clients_is_good_when_it_is_meant_for_this_one(
    through: Callable[[], TestClient], provider: OidcServer
) -> None:
    provider.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
    client = through()
    assert client.get(leave(client), follow_redirects=False).status_code == 303


@pytest.mark.parametrize("broken", ["/token", "/jwks"])
def test_a_provider_that_fails_half_way_lets_nobody_in(
    through: Callable[[], TestClient], provider: OidcServer, broken: str
) -> None:
    provider.broken = broken
    assert SECRET not in refused(through)


def test_a_provider_that_is_somebody_else_or_out_of_order_is_not_asked(
    through: Callable[[], TestClient], provider: OidcServer
) -> None:
    provider.alleged_issuer = "http://evil.example"
    assert through().get("/desk/login/provider").status_code == 401
    provider.alleged_issuer, provider.broken = None, "openid-configuration"
    assert through().get("/desk/login/provider").status_code == 401


def test_a_state_of_another_browser_or_a_forged_cookie_lets_nobody_in(
    through: Callable[[], TestClient],
) -> None:
    one, other = through(), through()
    home = leave(one)
    leave(other)
    assert other.get(home).status_code == 401
    assert through().get(home).status_code == 401
    for forged in ("", "x", "e30=.x", "...."):
        set_cookie(one, "duban-provider", forged)
        assert one.get(home).status_code == 401


def test_a_visit_to_the_provider_lasts_ten_minutes_and_counts_once(
    through: Callable[[], TestClient], clock: Clock
) -> None:
    client = through()
    home = leave(client)
    clock.now += timedelta(minutes=11)
    assert client.get(home).status_code == 401
    clock.now -= timedelta(minutes=11)
    home = leave(client)
    assert client.get(home, follow_redirects=False).status_code == 303
    assert client.get(home).status_code == 401


def test_a_stranger_whom_the_provider_knows_gets_no_account(
    through: Callable[[], TestClient], provider: OidcServer, office: Office
) -> None:
    provider.person = {"sub": "s-9", "preferred_username": "stranger"}
    assert "没有与之对应的账号" in refused(through)
    assert [one.login for one in accounts.accounts(office.ledger)] == ["wang"]


def test_without_a_provider_there_is_no_such_way(browser: Browser) -> None:
    client = browser()
    assert "/desk/login/provider" not in client.get("/desk/login").text
    for address in ("/desk/login/provider", "/desk/login/back"):
        assert client.get(address).status_code == 404
