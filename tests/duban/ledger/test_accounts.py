"""Accounts, passwords, second factors and sessions."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from pyotp.totp import TOTP
from sqlalchemy import func, inspect, select, text

from duban import tokens
from duban.ledger import Ledger, accounts, passwords, second_factor, sessions
from duban.ledger.accounts import AccountRefused, Act, Reason, Role, may
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading
from duban.ledger.passwords import Weakness, weakness
from duban.ledger.sessions import Entered, Refused, Signed, WeakPassword, WrongCode, WrongPassword
from duban.ledger.tables import History
from tests.conftest import china

NOW = china("2026-01-05")
KEY = b"k" * 64
GOOD = "杏花春雨江南2月的一个早晨"
BETTER = "骏马秋风塞北7月的一个傍晚"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing as light as can be; one test looks at the real parameters."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)


def somebody(ledger: Ledger, login: str = "wang", role: Role = Role.PROVINCIAL) -> str:
    """An account with a password of its own; the token of its stay."""
    region = "东" if role is Role.CITY else None
    once = accounts.add(ledger, login=login, name="王芳", role=role, region=region, by="t", now=NOW)
    assert once
    token = enter(ledger, login, once)
    return sessions.change_password(ledger, signed(ledger, token), once, GOOD, NOW)


def enter(ledger: Ledger, login: str, password: str, code: str = "", at: datetime = NOW) -> str:
    found = sessions.log_in(ledger, KEY, login, password, code, at)
    assert isinstance(found, Entered)
    return found.token


def signed(ledger: Ledger, token: str, at: datetime = NOW) -> Signed:
    found = sessions.who(ledger, token, at)
    assert found is not None
    return found


def fail(ledger: Ledger, times: int, at: datetime = NOW) -> Refused:
    for _ in range(times - 1):
        sessions.log_in(ledger, KEY, "wang", "wrong", "", at)
    found = sessions.log_in(ledger, KEY, "wang", "wrong", "", at)
    assert isinstance(found, Refused)
    return found


def deeds(ledger: Ledger) -> list[str]:
    question = select(History.action, History.data).order_by(History.seq)
    with reading(ledger.engine) as connection:
        return [row.data.get("what", row.action) for row in connection.execute(question)]


def set_up_factor(ledger: Ledger, token: str, at: datetime = NOW) -> TOTP:
    """The app on the telephone of `wang`."""
    person = signed(ledger, token, at)
    nonce = sessions.enrolment(ledger, person, token)
    app = TOTP(second_factor.secret(KEY, nonce))
    sessions.set_totp(ledger, KEY, person, nonce, GOOD, app.at(at), at)
    return app


def test_the_first_start_makes_one_administrator_and_no_second_start_does(ledger: Ledger) -> None:
    once = accounts.first_administrator(ledger, NOW)
    assert once
    assert accounts.first_administrator(ledger, NOW) is None
    [only] = accounts.accounts(ledger)
    assert (only.login, only.role, only.must_change) == ("admin", Role.ADMINISTRATOR, True)
    entered = sessions.log_in(ledger, KEY, "ADMIN", once, "", NOW)
    assert isinstance(entered, Entered)
    assert entered.must_change


def test_a_one_time_password_is_gone_once_another_is_set(ledger: Ledger) -> None:
    once = accounts.first_administrator(ledger, NOW) or ""
    token = enter(ledger, "admin", once)
    after = sessions.change_password(ledger, signed(ledger, token), once, GOOD, NOW)
    assert sessions.who(ledger, token, NOW) is None
    assert not signed(ledger, after).must_change
    assert isinstance(sessions.log_in(ledger, KEY, "admin", once, "", NOW), Refused)


def test_every_sign_in_has_a_token_of_its_own(ledger: Ledger) -> None:
    first = somebody(ledger)
    assert enter(ledger, "wang", GOOD) != enter(ledger, "wang", GOOD) != first


def test_an_idle_stay_ends_after_half_an_hour_and_any_after_twelve(ledger: Ledger) -> None:
    token = somebody(ledger)
    assert sessions.who(ledger, token, NOW + sessions.IDLE) is None
    moment = NOW
    while moment < NOW + sessions.LONGEST - 20 * MINUTE:
        moment += 20 * MINUTE
        if moment < NOW + sessions.LONGEST:
            assert signed(ledger, token, moment)
    assert sessions.who(ledger, token, NOW + sessions.LONGEST) is None


def test_being_seen_is_written_once_a_minute_at_most(ledger: Ledger) -> None:
    token = somebody(ledger)
    signed(ledger, token, NOW + 59 * SECOND)
    assert sessions.who(ledger, token, NOW + sessions.IDLE) is None
    signed(ledger, token, NOW + 60 * SECOND)
    assert signed(ledger, token, NOW + sessions.IDLE)


def test_a_new_stay_sweeps_away_the_ones_that_ended(ledger: Ledger) -> None:
    somebody(ledger)
    enter(ledger, "wang", GOOD, at=NOW + sessions.LONGEST)
    with reading(ledger.engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM session")) == 1


def test_after_five_failures_even_the_right_password_has_to_wait(ledger: Ledger) -> None:
    somebody(ledger)
    assert fail(ledger, 4).wait_until is None
    assert fail(ledger, 1).wait_until == NOW + 32 * SECOND
    refused = sessions.log_in(ledger, KEY, "wang", GOOD, "", NOW + 31 * SECOND)
    assert refused == Refused(NOW + 32 * SECOND)
    assert enter(ledger, "wang", GOOD, at=NOW + 32 * SECOND)
    assert fail(ledger, 4, NOW + MINUTE).wait_until is None


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(ledger: Ledger) -> None:
    somebody(ledger)
    moment, waits = NOW, list[timedelta]()
    refused = fail(ledger, 5)
    for _ in range(7):
        assert refused.wait_until is not None
        waits.append(refused.wait_until - moment)
        moment = refused.wait_until
        refused = fail(ledger, 1, moment)
    assert [wait.total_seconds() for wait in waits] == [32, 64, 128, 256, 512, 900, 900]


def test_a_flood_of_attempts_adds_one_row_of_history_a_wait(ledger: Ledger) -> None:
    somebody(ledger)
    before = len(deeds(ledger))
    fail(ledger, 12)
    for n in range(5):
        sessions.log_in(ledger, KEY, f"nobody{n}", "wrong", "", NOW)
    assert deeds(ledger)[before:] == ["sign-in-refused"]


def test_attempts_at_once_are_counted_like_attempts_in_turn(ledger: Ledger) -> None:
    somebody(ledger)
    before = len(deeds(ledger))
    words = ["wrong"] * 12 + [GOOD] * 4
    with ThreadPoolExecutor(8) as pool:
        attempts = [
            pool.submit(sessions.log_in, ledger, KEY, "wang", word, "", NOW) for word in words
        ]
    entered = [one for one in attempts if isinstance(one.result(), Entered)]
    # Whoever comes in sets the count back, so that a wait may begin once more after each.
    assert deeds(ledger)[before:].count("sign-in-refused") <= 1 + len(entered)


def test_one_code_lets_in_one_of_several_who_send_it_at_once(ledger: Ledger) -> None:
    app = set_up_factor(ledger, somebody(ledger))
    later = NOW + MINUTE
    code = app.at(later)
    with ThreadPoolExecutor(4) as pool:
        attempts = [
            pool.submit(sessions.log_in, ledger, KEY, "wang", GOOD, code, later) for _ in range(4)
        ]
    assert [isinstance(one.result(), Entered) for one in attempts].count(True) == 1


def test_a_login_that_nobody_has_costs_the_same_hashing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody(ledger)
    seen: list[bool] = []
    real = passwords.matches

    def counted(stored: str | None, password: str) -> bool:
        seen.append(stored is None)
        return real(stored, password)

    monkeypatch.setattr(sessions, "matches", counted)
    for login in ("wang", "nobody", "", "no\0body", "x" * 5000):
        assert sessions.log_in(ledger, KEY, login, "wrong", "", NOW) == Refused()
    assert seen == [False, True, True, True, True]


def test_passwords_are_hashed_with_argon2id_as_its_authors_advise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher())
    stored = passwords.hash_password(GOOD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches(stored, GOOD)
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated(PasswordHasher(time_cost=1).hash(GOOD))


def test_a_password_hashed_with_old_parameters_is_hashed_anew(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody(ledger)
    monkeypatch.setattr(sessions, "is_outdated", lambda _stored: True)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    question = text("SELECT password FROM account")
    with ledger.engine.connect() as connection:
        before = connection.scalar(question)
    enter(ledger, "wang", GOOD)
    with ledger.engine.connect() as connection:
        assert connection.scalar(question) != before
    enter(ledger, "wang", GOOD)


def test_disabling_ends_a_stay_at_once_and_shuts_the_door(ledger: Ledger) -> None:
    token = somebody(ledger)
    accounts.disable(ledger, "wang", by="admin", now=NOW)
    assert sessions.who(ledger, token, NOW) is None
    assert isinstance(sessions.log_in(ledger, KEY, "wang", GOOD, "", NOW), Refused)
    accounts.enable(ledger, "wang", by="admin", now=NOW)
    assert sessions.who(ledger, token, NOW) is None
    assert enter(ledger, "wang", GOOD)


def test_another_role_or_password_or_factor_ends_every_stay(ledger: Ledger) -> None:
    first = somebody(ledger)
    accounts.set_role(ledger, "wang", Role.CITY, "西", by="admin", now=NOW)
    assert sessions.who(ledger, first, NOW) is None
    second = enter(ledger, "wang", GOOD)
    assert signed(ledger, second).region == "西"
    accounts.reset_totp(ledger, "wang", by="admin", now=NOW)
    assert sessions.who(ledger, second, NOW) is None
    third = enter(ledger, "wang", GOOD)
    once = accounts.reset_password(ledger, "wang", by="admin", now=NOW)
    assert sessions.who(ledger, third, NOW) is None
    assert signed(ledger, enter(ledger, "wang", once)).must_change


def test_a_reset_ends_the_waiting_too(ledger: Ledger) -> None:
    somebody(ledger)
    fail(ledger, 5)
    once = accounts.reset_password(ledger, "wang", by="admin", now=NOW)
    assert enter(ledger, "wang", once)


def test_signing_out_ends_the_stay_and_doing_it_again_is_fine(ledger: Ledger) -> None:
    token = somebody(ledger)
    for _ in range(2):
        sessions.log_out(ledger, token)
        assert sessions.who(ledger, token, NOW) is None


def test_the_last_administrator_stays(ledger: Ledger) -> None:
    accounts.first_administrator(ledger, NOW)
    for act in (
        lambda: accounts.disable(ledger, "admin", by="t", now=NOW),
        lambda: accounts.set_role(ledger, "admin", Role.READER, None, by="t", now=NOW),
    ):
        with pytest.raises(AccountRefused) as caught:
            act()
        assert caught.value.reason is Reason.LAST
    somebody(ledger, "li", Role.ADMINISTRATOR)
    accounts.disable(ledger, "admin", by="li", now=NOW)


@pytest.mark.parametrize(
    ("login", "name", "role", "region", "reason"),
    [
        ("w", "王芳", Role.READER, None, Reason.LOGIN),
        ("wang fang", "王芳", Role.READER, None, Reason.LOGIN),
        ("wang\0", "王芳", Role.READER, None, Reason.LOGIN),
        ("wang", " ", Role.READER, None, Reason.NAME),
        ("wang", "王\0芳", Role.READER, None, Reason.NAME),
        ("wang", "王芳", Role.CITY, None, Reason.REGION),
        ("wang", "王芳", Role.CITY, "北", Reason.REGION),
        ("wang", "王芳", Role.PROVINCIAL, "东", Reason.REGION),
        ("wang", "王芳", Role.ADMINISTRATOR, "东", Reason.REGION),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    ledger: Ledger, login: str, name: str, role: Role, region: str | None, reason: Reason
) -> None:
    with pytest.raises(AccountRefused) as caught:
        accounts.add(ledger, login=login, name=name, role=role, region=region, by="t", now=NOW)
    assert caught.value.reason is reason
    assert accounts.accounts(ledger) == []


def test_a_login_is_one_persons_whatever_its_case_or_width(ledger: Ledger) -> None:
    somebody(ledger)
    with pytest.raises(AccountRefused) as caught:
        somebody(ledger, "ＷＡＮＧ")
    assert caught.value.reason is Reason.TAKEN
    assert enter(ledger, " Ｗang ", GOOD)


def test_what_is_asked_of_nobody_is_refused(ledger: Ledger) -> None:
    for login in ("nobody", "no\0body", ""):
        with pytest.raises(AccountRefused) as caught:
            accounts.disable(ledger, login, by="t", now=NOW)
        assert caught.value.reason is Reason.UNKNOWN


def test_each_role_may_do_what_the_table_says() -> None:
    coordinates = {Act.READ, Act.DECIDE, Act.LINKS, Act.CONTACTS}
    expected = {
        Role.ADMINISTRATOR: set(Act),
        Role.PROVINCIAL: coordinates,
        Role.CITY: coordinates,
        Role.READER: {Act.READ},
    }
    assert {role: {act for act in Act if may(role, act)} for role in Role} == expected


def test_a_city_coordinator_reaches_the_own_city_only(ledger: Ledger) -> None:
    person = signed(ledger, somebody(ledger, role=Role.CITY))
    assert person.reaches("东")
    assert not person.reaches("西")
    assert signed(ledger, somebody(ledger, "li")).reaches("西")


def test_a_code_is_needed_once_the_factor_is_set_and_each_only_once(ledger: Ledger) -> None:
    app = set_up_factor(ledger, somebody(ledger))
    assert isinstance(sessions.log_in(ledger, KEY, "wang", GOOD, "", NOW), Refused)
    used = sessions.log_in(ledger, KEY, "wang", GOOD, app.at(NOW), NOW)
    assert isinstance(used, Refused)
    later = NOW + MINUTE
    code = app.at(later)
    assert enter(ledger, "wang", GOOD, f"{code[:3]} {code[3:]}", later)
    assert isinstance(sessions.log_in(ledger, KEY, "wang", GOOD, code, later), Refused)


@pytest.mark.parametrize(("drift", "good"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_telephones_clock_may_be_one_step_off(ledger: Ledger, drift: int, good: bool) -> None:
    app = set_up_factor(ledger, somebody(ledger))
    later = NOW + 10 * MINUTE
    code = app.at(later + drift * timedelta(seconds=second_factor.STEP_SECONDS))
    assert isinstance(sessions.log_in(ledger, KEY, "wang", GOOD, code, later), Entered) is good


def test_wrong_codes_wait_like_wrong_passwords(ledger: Ledger) -> None:
    app = set_up_factor(ledger, somebody(ledger))
    for _ in range(5):
        sessions.log_in(ledger, KEY, "wang", GOOD, "000000", NOW)
    moment = NOW + 31 * SECOND
    assert sessions.log_in(ledger, KEY, "wang", GOOD, app.at(moment), moment) == Refused(
        NOW + 32 * SECOND
    )


def test_a_factor_is_set_only_by_who_knows_password_and_code(ledger: Ledger) -> None:
    token = somebody(ledger)
    person = signed(ledger, token)
    nonce = sessions.enrolment(ledger, person, token)
    code = TOTP(second_factor.secret(KEY, nonce)).at(NOW)
    with pytest.raises(WrongPassword):
        sessions.set_totp(ledger, KEY, person, nonce, "wrong", code, NOW)
    with pytest.raises(WrongCode):
        sessions.set_totp(ledger, KEY, person, nonce, GOOD, "000000", NOW)
    assert not signed(ledger, token).has_totp
    sessions.set_totp(ledger, KEY, person, nonce, GOOD, code, NOW)
    assert signed(ledger, token).has_totp
    with pytest.raises(WrongPassword):
        sessions.drop_totp(ledger, person, "wrong", NOW)
    sessions.drop_totp(ledger, person, GOOD, NOW)
    assert sessions.enrolment(ledger, person, token) != nonce


def test_an_enrolment_shows_the_same_secret_until_it_is_done(ledger: Ledger) -> None:
    token = somebody(ledger)
    person = signed(ledger, token)
    first = sessions.enrolment(ledger, person, token)
    assert sessions.enrolment(ledger, person, token) == first
    assert sessions.enrolment(ledger, person, enter(ledger, "wang", GOOD)) != first


def test_the_picture_of_a_factor_is_a_plain_svg() -> None:
    picture = second_factor.picture(KEY, "nonce", "wang")
    assert b"<svg" in picture
    assert b"<script" not in picture


def test_guessing_the_old_password_inside_a_stay_counts_too(ledger: Ledger) -> None:
    person = signed(ledger, somebody(ledger))
    for _ in range(5):
        with pytest.raises(WrongPassword):
            sessions.change_password(ledger, person, "wrong", BETTER, NOW)
    with pytest.raises(WrongPassword):
        sessions.change_password(ledger, person, GOOD, BETTER, NOW)
    sessions.change_password(ledger, person, GOOD, BETTER, NOW + MINUTE)


def test_a_weak_or_unchanged_password_is_refused(ledger: Ledger) -> None:
    person = signed(ledger, somebody(ledger))
    for new in ("short", "wang-wang-1234567", GOOD):
        with pytest.raises(WeakPassword):
            sessions.change_password(ledger, person, GOOD, new, NOW)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", Weakness.SHORT),
        ("八个汉字太短了呀", Weakness.SHORT),
        ("x1" * 65, Weakness.LONG),
        ("aaaaaaaaaaaaaaaa", Weakness.PATTERN),
        ("abcabcabcabcabc", Weakness.PATTERN),
        ("123456789012345", Weakness.PATTERN),
        ("1qaz2wsx3edc4rfv", Weakness.PATTERN),
        ("qwertyuiop[]", Weakness.PATTERN),
        ("１２３４５６７８９０１２", Weakness.PATTERN),
        ("Password2026!", Weakness.COMMON),
        ("P@ssw0rd20260105", Weakness.COMMON),
        ("duban-admin-2026", Weakness.COMMON),
        ("督办系统管理员密码2026", Weakness.COMMON),
        ("zhangwei-zhangwei-9", Weakness.COMMON),
        ("correct horse battery", None),
        ("杏花春雨江南2月的一个早晨", None),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, why: Weakness | None) -> None:
    assert weakness(password, "zhangwei", "张伟") == why


@given(st.text(max_size=200))
def test_any_text_is_judged(password: str) -> None:
    assert weakness(password, "wang", "王芳") in (None, *Weakness)


def test_one_time_passwords_are_good_ones_and_differ() -> None:
    made = {passwords.one_time() for _ in range(1000)}
    assert len(made) == 1000
    assert {weakness(one) for one in made} == {None}


def test_the_identity_provider_brings_in_whom_an_administrator_expected(ledger: Ledger) -> None:
    accounts.add(
        ledger,
        login="wang",
        name="王芳",
        role=Role.PROVINCIAL,
        region=None,
        by="admin",
        now=NOW,
        provider=True,
    )
    issuer, claims = "https://id.example", {"sub": "s-1", "preferred_username": "Wang"}
    entered = sessions.log_in_by_subject(ledger, issuer, claims, NOW)
    assert isinstance(entered, Entered)
    assert signed(ledger, entered.token).login == "wang"
    impostor = {"sub": "s-2", "preferred_username": "wang"}
    assert sessions.log_in_by_subject(ledger, issuer, impostor, NOW) == Refused()
    elsewhere = sessions.log_in_by_subject(ledger, "https://other.example", claims, NOW)
    assert elsewhere == Refused()
    renamed = {"sub": "s-1", "preferred_username": "fang"}
    assert isinstance(sessions.log_in_by_subject(ledger, issuer, renamed, NOW), Entered)
    accounts.disable(ledger, "wang", by="admin", now=NOW)
    assert sessions.log_in_by_subject(ledger, issuer, claims, NOW) == Refused()


def test_the_identity_provider_cannot_take_an_account_with_a_password(ledger: Ledger) -> None:
    somebody(ledger)
    issuer, claims = "https://id.example", {"sub": "s-1", "preferred_username": "wang"}
    assert sessions.log_in_by_subject(ledger, issuer, claims, NOW) == Refused()
    accounts.tie(ledger, "wang", issuer, "s-1", by="admin", now=NOW)
    assert isinstance(sessions.log_in_by_subject(ledger, issuer, claims, NOW), Entered)
    somebody(ledger, "li")
    with pytest.raises(AccountRefused) as caught:
        accounts.tie(ledger, "li", issuer, "s-1", by="admin", now=NOW)
    assert caught.value.reason is Reason.TAKEN
    accounts.tie(ledger, "wang", issuer, "", by="admin", now=NOW)
    assert sessions.log_in_by_subject(ledger, issuer, claims, NOW) == Refused()


def test_only_a_verified_address_names_an_account(ledger: Ledger) -> None:
    accounts.add(
        ledger,
        login="wang@example.org",
        name="王芳",
        role=Role.READER,
        region="东",
        by="admin",
        now=NOW,
        provider=True,
    )
    claims = {"sub": "s-1", "email": "wang@example.org"}
    assert sessions.log_in_by_subject(ledger, "i", claims, NOW) == Refused()
    verified = {**claims, "email_verified": True}
    assert isinstance(sessions.log_in_by_subject(ledger, "i", verified, NOW), Entered)
    with pytest.raises(AccountRefused) as caught:
        accounts.reset_password(ledger, "wang@example.org", by="admin", now=NOW)
    assert caught.value.reason is Reason.NO_PASSWORD


def test_no_secret_stands_in_any_table(ledger: Ledger) -> None:
    once = accounts.first_administrator(ledger, NOW) or ""
    early = enter(ledger, "admin", once)
    token = sessions.change_password(ledger, signed(ledger, early), once, GOOD, NOW)
    person = signed(ledger, token)
    nonce = sessions.enrolment(ledger, person, token)
    secret = second_factor.secret(KEY, nonce)
    sessions.set_totp(ledger, KEY, person, nonce, GOOD, TOTP(secret).at(NOW), NOW)
    kept = _everything(ledger)
    assert tokens.digest(token) in kept
    for canary in (once, GOOD, early, token, secret):
        assert canary not in kept


def _everything(ledger: Ledger) -> str:
    with reading(ledger.engine) as connection:
        names = inspect(connection).get_table_names()
        return "\n".join(
            str(row) for name in names for row in connection.execute(text(f"SELECT * FROM {name}"))
        )


def test_every_act_is_in_the_history_and_the_chain_holds(ledger: Ledger) -> None:
    token = somebody(ledger)
    set_up_factor(ledger, token)
    accounts.reset_totp(ledger, "wang", by="admin", now=NOW)
    accounts.set_role(ledger, "wang", Role.READER, "东", by="admin", now=NOW)
    accounts.disable(ledger, "wang", by="admin", now=NOW)
    assert deeds(ledger) == [
        *("added", "signed-in", "password-changed", "totp-set"),
        *("totp-reset", "role", "disabled"),
    ]
    with reading(ledger.engine) as connection:
        assert first_broken_link(connection) is None
        assert connection.scalar(select(func.count()).where(History.actor == "admin")) == 3
