"""Coming in and staying in: passwords, second factors, sessions, and an account's own acts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, delete, or_, select, update

from duban import tokens
from duban.errors import DubanError
from duban.ledger import Ledger, second_factor
from duban.ledger.accounts import Role, end_sessions, fold, may, note, subject_key
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.passwords import Weakness, hash_password, is_outdated, matches, weakness
from duban.ledger.tables import Account, Session

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
_SEEN_EVERY = timedelta(minutes=1)
FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in. `token` is for the cookie; it stands nowhere else."""

    token: str
    must_change: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in. Before `wait_until` nothing is looked at; pages must not tell it to strangers."""

    wait_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody who is in; `region` bounds what is reached, None reaches all."""

    account_id: int
    login: str
    name: str
    role: Role
    region: str | None
    must_change: bool
    has_password: bool
    has_totp: bool

    def may(self, act: str) -> bool:
        """Whether the role may do this where it reaches."""
        return may(self.role, act)

    def reaches(self, region: str) -> bool:
        """Whether what belongs to this region is theirs to see."""
        return self.region in (None, region)


class WrongPassword(DubanError):
    """The present password is not right, or there were too many wrong ones just now."""


class WrongCode(DubanError):
    """The code of the second factor is not right, or was used before."""


class WeakPassword(DubanError):
    """The new password is too easy to guess; use twelve characters or more that nobody expects."""

    def __init__(self, why: Weakness) -> None:
        self.why = why
        super().__init__()


def log_in(
    ledger: Ledger, key: bytes, login: str, password: str, code: str, now: datetime
) -> Entered | Refused:
    """Lets in who knows the password and, where one is set up, has the second factor.

    A login that nobody has takes as long as a wrong password. After five failures in a row nothing
    is looked at for 2^n seconds, at most a quarter of an hour.
    """
    given = fold(login)
    with reading(ledger.engine) as connection:
        stored = connection.execute(
            select(Account.id, Account.password).where(Account.login == given)
        ).first()
    right = matches(stored.password if stored else None, password)
    if stored is None:
        return Refused()
    with change(ledger.engine, now, given) as made:
        row = _locked(made, stored.id)
        right &= row.password == stored.password  # it may have changed while this was compared
        if not _counts(made, row, lambda: right and _has_factor(made, row, key, code)):
            return Refused(row.wait_until)
        if row.password and is_outdated(row.password):
            row.password = hash_password(password)
        return _enter(made, row, "password")


def log_in_by_subject(
    ledger: Ledger, issuer: str, claims: Mapping[str, Any], now: datetime
) -> Entered | Refused:
    """Lets in whom the identity provider has vouched for, if an account is tied to that person.

    An account without a password that is not tied yet is tied to the first who is called by its
    login there, or has it as verified e-mail address. No account is made.
    """
    subject = subject_key(issuer, str(claims["sub"]))
    with change(ledger.engine, now, "identity-provider") as made:
        row = made.session.scalar(select(Account).where(Account.subject == subject))
        row = row or _untied(made, claims)
        if row is None or row.disabled_at is not None:
            return Refused()
        made.actor = row.login
        if row.subject is None:
            row.subject = subject
            note(made, row, "tied")
        return _enter(made, row, "provider")


def _untied(made: Change, claims: Mapping[str, Any]) -> Account | None:
    names = {fold(str(claims.get("preferred_username") or ""))}
    if claims.get("email_verified") is True:
        names.add(fold(str(claims.get("email") or "")))
    question = select(Account).where(
        Account.login.in_(names), Account.password.is_(None), Account.subject.is_(None)
    )
    found = made.session.scalars(question.with_for_update()).all()
    return found[0] if len(found) == 1 else None


def _locked(made: Change, account_id: int) -> Account:
    return made.session.get_one(Account, account_id, with_for_update=True)


def _counts(made: Change, row: Account, passes: Callable[[], bool]) -> bool:
    """Whether an attempt passes; counts it if not. While waiting nothing is even looked at."""
    if row.wait_until is not None and row.wait_until > made.at:
        return False
    if row.disabled_at is None and passes():
        row.failures, row.wait_until = 0, None
        return True
    row.failures += 1
    if row.failures >= FREE_FAILURES:
        row.wait_until = made.at + wait_after(row.failures)
        # One row of history a wait, so that a flood of attempts cannot make it grow.
        made.record("sign-in-refused", None, None, account=row.login, failures=row.failures)
    return False


def wait_after(failures: int) -> timedelta:
    """How long nothing is looked at after so many failures in a row."""
    return min(timedelta(seconds=2 ** min(failures, 20)), LONGEST_WAIT)


def _has_factor(made: Change, row: Account, key: bytes, code: str) -> bool:
    """Whether the code is the second factor's, if there is one; it is used up."""
    if row.totp is None:
        return True
    step = second_factor.matching_step(key, row.totp, code, made.at, after=row.totp_step)
    row.totp_step = step or row.totp_step
    return step is not None


def _enter(made: Change, row: Account, how: str) -> Entered:
    made.record("signed-in", None, None, account=row.login, how=how)
    return Entered(_begin(made, row), row.must_change)


def _begin(made: Change, row: Account) -> str:
    """A new stay under a new token, whatever cookie the visitor came with."""
    token, now = tokens.fresh(), made.at
    made.connection.execute(
        delete(Session).where(or_(Session.ends_at <= now, Session.seen_at <= now - IDLE))
    )
    made.session.add(
        Session(
            token_sha256=tokens.digest(token),
            account_id=row.id,
            begun_at=now,
            seen_at=now,
            ends_at=now + LONGEST,
        )
    )
    return token


def log_out(ledger: Ledger, token: str) -> None:
    """Ends a stay; one that has ended already is fine."""
    with ledger.engine.begin() as connection:
        connection.execute(delete(Session).where(Session.token_sha256 == tokens.digest(token)))


def who(ledger: Ledger, token: str, now: datetime) -> Signed | None:
    """Who is in by this token: idle for less than 30 minutes, in for less than 12 hours.

    That they were seen is written once a minute at most.
    """
    digest = tokens.digest(token)
    question = (
        select(Account.__table__, Session.seen_at)
        .join(Session, Session.account_id == Account.id)
        .where(Session.token_sha256 == digest, Session.ends_at > now)
        .where(Session.seen_at > now - IDLE, Account.disabled_at.is_(None))
    )
    with reading(ledger.engine) as connection:
        row = connection.execute(question).first()
    if row is None:
        return None
    if now - row.seen_at >= _SEEN_EVERY:
        _see(ledger, digest, now)
    return _signed(row)


def _see(ledger: Ledger, digest: str, now: datetime) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(
            update(Session).where(Session.token_sha256 == digest).values(seen_at=now)
        )


def _signed(row: Row[Any]) -> Signed:
    return Signed(
        account_id=row.id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        region=row.region,
        must_change=row.must_change,
        has_password=row.password is not None,
        has_totp=row.totp is not None,
    )


def change_password(ledger: Ledger, signed: Signed, old: str, new: str, now: datetime) -> str:
    """Sets another password; ends every stay of the account, and begins one under a new token.

    Raises:
        WeakPassword: the new one is too easy to guess, or is the old one.
        WrongPassword: the old one is not right; it counts as a failure to sign in.
    """
    found = weakness(new, signed.login, signed.name)
    if found or new == old:
        raise WeakPassword(found or Weakness.COMMON)
    hashed = hash_password(new)

    def do(made: Change, row: Account) -> str:
        row.password, row.must_change = hashed, False
        end_sessions(made, row)
        note(made, row, "password-changed")
        return _begin(made, row)

    return _knowing(ledger, signed, old, do, now)


def enrolment(ledger: Ledger, signed: Signed, token: str) -> str:
    """The nonce of the second factor that this stay may set up."""
    with reading(ledger.engine) as connection:
        step = connection.scalar(select(Account.totp_step).where(Account.id == signed.account_id))
    return second_factor.nonce_for(token, step or 0)


def set_totp(
    ledger: Ledger, key: bytes, signed: Signed, nonce: str, password: str, code: str, now: datetime
) -> None:
    """Sets up the second factor once its app shows the right code.

    Raises:
        WrongPassword: it counts as a failure to sign in.
        WrongCode: the app was not given this secret, or its clock is wrong.
    """

    def do(made: Change, row: Account) -> bool:
        step = second_factor.matching_step(key, nonce, code, now, after=row.totp_step)
        if step is None:
            return False
        row.totp, row.totp_step = nonce, step
        note(made, row, "totp-set")
        return True

    if not _knowing(ledger, signed, password, do, now):
        raise WrongCode


def drop_totp(ledger: Ledger, signed: Signed, password: str, now: datetime) -> None:
    """Gives up the second factor.

    Raises:
        WrongPassword: it counts as a failure to sign in.
    """

    def do(made: Change, row: Account) -> None:
        row.totp = None
        note(made, row, "totp-dropped")

    _knowing(ledger, signed, password, do, now)


def _knowing(
    ledger: Ledger, signed: Signed, password: str, do: Callable[[Change, Account], T], now: datetime
) -> T:
    """Does what only the account's owner may do, who knows its password."""
    with reading(ledger.engine) as connection:
        stored = connection.scalar(select(Account.password).where(Account.id == signed.account_id))
    right = matches(stored, password)
    with change(ledger.engine, now, signed.login) as made:
        row = _locked(made, signed.account_id)
        if _counts(made, row, lambda: right and row.password == stored):
            return do(made, row)
    raise WrongPassword
