"""Accounts of those who coordinate: their roles, and what an administrator does with them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from unicodedata import normalize

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from duban import tokens
from duban.errors import DubanError
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.passwords import hash_password, one_time
from duban.ledger.tables import Account, Session

FIRST = "admin"
_LOGIN = re.compile(r"[\w.@+-]{2,60}")


class Role(StrEnum):
    """What an account is for; one of a city, or a reader of one, reaches that region only."""

    ADMINISTRATOR = "administrator"
    PROVINCIAL = "provincial"
    CITY = "city"
    READER = "reader"


class Act(StrEnum):
    """What a role may do where it reaches."""

    READ = "read"
    DECIDE = "decide"
    LINKS = "links"
    CONTACTS = "contacts"
    ACCOUNTS = "accounts"


_COORDINATES = frozenset({Act.READ, Act.DECIDE, Act.LINKS, Act.CONTACTS})
_ALLOWED = {
    Role.ADMINISTRATOR: frozenset(Act),
    Role.PROVINCIAL: _COORDINATES,
    Role.CITY: _COORDINATES,
    Role.READER: frozenset({Act.READ}),
}
_WITH_REGION = {Role.CITY: {True}, Role.READER: {True, False}}
"""Whether a role is bound to a region; the others never are."""


def may(role: Role, act: str) -> bool:
    """Whether a role may do this at all; where is another question."""
    return act in _ALLOWED[role]


class Reason(StrEnum):
    """Why an act on an account was refused."""

    LOGIN = "login"
    NAME = "name"
    REGION = "region"
    TAKEN = "taken"
    UNKNOWN = "unknown"
    LAST = "last"
    NO_PASSWORD = "no_password"


_SAYS = {
    Reason.LOGIN: "A login is 2 to 60 letters, digits or one of . _ - @ +.",
    Reason.NAME: "A person's name of at most 60 characters is needed.",
    Reason.REGION: "A city coordinator needs a region of agencies.yaml; a reader may have one; "
    "administrators and provincial coordinators have none.",
    Reason.TAKEN: "There is an account with this login, or tied to this identity, already.",
    Reason.UNKNOWN: "There is no such account; `duban account list` shows them.",
    Reason.LAST: "This is the last administrator; make another one first.",
    Reason.NO_PASSWORD: "This account comes in through the identity provider and has no password.",
}


class AccountRefused(DubanError):
    """Nothing was changed; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(_SAYS[reason])


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as administrators see it; times are instants."""

    login: str
    name: str
    role: Role
    region: str | None
    made_at: datetime
    disabled_at: datetime | None
    wait_until: datetime | None
    must_change: bool
    has_password: bool
    has_totp: bool
    is_tied: bool


def accounts(ledger: Ledger) -> list[AccountView]:
    """Every account, those in use first."""
    question = select(Account.__table__).order_by(Account.disabled_at.is_not(None), Account.login)
    with reading(ledger.engine) as connection:
        return [_view(Account(**row)) for row in connection.execute(question).mappings()]


def account_of(ledger: Ledger, login: str) -> AccountView:
    """One account.

    Raises:
        AccountRefused: there is none of that login.
    """
    found = [one for one in accounts(ledger) if one.login == fold(login)]
    if not found:
        raise AccountRefused(Reason.UNKNOWN)
    return found[0]


def _view(row: Account) -> AccountView:
    return AccountView(
        login=row.login,
        name=row.name,
        role=Role(row.role),
        region=row.region,
        made_at=row.made_at,
        disabled_at=row.disabled_at,
        wait_until=row.wait_until,
        must_change=row.must_change,
        has_password=row.password is not None,
        has_totp=row.totp is not None,
        is_tied=row.subject is not None,
    )


def fold(login: str) -> str:
    """A login as it is kept: case and the width of its letters make no other person.

    Empty for what can be nobody's.
    """
    folded = normalize("NFKC", login).strip().casefold()
    return folded if _LOGIN.fullmatch(folded) else ""


def first_administrator(ledger: Ledger, now: datetime) -> str | None:
    """Makes the account `admin` when there is none at all; its one-time password, to be shown once.

    None when there are accounts already.
    """
    if accounts(ledger):
        return None
    role = Role.ADMINISTRATOR
    try:
        return add(
            ledger, login=FIRST, name="管理员", role=role, region=None, by="first-start", now=now
        )
    except AccountRefused:
        return None  # another process was faster


def add(
    ledger: Ledger,
    *,
    login: str,
    name: str,
    role: Role,
    region: str | None,
    by: str,
    now: datetime,
    provider: bool = False,
) -> str | None:
    """Makes an account; its one-time password, to be handed over once.

    Args:
        provider: the person comes in through the identity provider, so there is no password;
            the first one whom the provider calls by this login is tied to the account.

    Raises:
        AccountRefused: nothing was made.
    """
    _check(ledger, login, name, role, region)
    password = None if provider else one_time()
    row = Account(
        login=fold(login),
        name=name.strip(),
        role=role,
        region=region,
        password=hash_password(password) if password else None,
        must_change=not provider,
        made_at=now,
    )
    try:
        with change(ledger.engine, now, by) as made:
            made.session.add(row)
            made.session.flush()
            note(made, row, "added", role=role, region=region, provider=provider)
    except IntegrityError:
        raise AccountRefused(Reason.TAKEN) from None
    return password


def _check(ledger: Ledger, login: str, name: str, role: Role, region: str | None) -> None:
    if not fold(login):
        raise AccountRefused(Reason.LOGIN)
    if not (0 < len(name.strip()) <= 60 and name.isprintable()):
        raise AccountRefused(Reason.NAME)
    _check_region(ledger, role, region)


def _check_region(ledger: Ledger, role: Role, region: str | None) -> None:
    wanted = _WITH_REGION.get(role, {False})
    if (region is not None) not in wanted or (region and region not in regions(ledger)):
        raise AccountRefused(Reason.REGION)


def regions(ledger: Ledger) -> dict[str, str]:
    """The names of the regions that have agencies, by id."""
    return {one.region: one.region_name for one in ledger.registry.agencies.values()}


def reset_password(ledger: Ledger, login: str, *, by: str, now: datetime) -> str:
    """A new one-time password in place of the one that was lost; ends all stays and waiting.

    Raises:
        AccountRefused: there is no such account, or it has no password.
    """
    password = one_time()
    hashed = hash_password(password)

    def do(made: Change, row: Account) -> None:
        if row.password is None:
            raise AccountRefused(Reason.NO_PASSWORD)
        row.password, row.must_change = hashed, True
        row.failures, row.wait_until = 0, None
        note(made, row, "password-reset")

    _on(ledger, login, do, by=by, now=now)
    return password


def reset_totp(ledger: Ledger, login: str, *, by: str, now: datetime) -> None:
    """Takes away the second factor of one who lost the telephone; ends all stays."""

    def do(made: Change, row: Account) -> None:
        row.totp = None
        note(made, row, "totp-reset")

    _on(ledger, login, do, by=by, now=now)


def set_role(
    ledger: Ledger, login: str, role: Role, region: str | None, *, by: str, now: datetime
) -> None:
    """Gives another role, and the region that goes with it; ends all stays.

    Raises:
        AccountRefused: unknown, a region that does not fit, or the last administrator.
    """
    _check_region(ledger, role, region)

    def do(made: Change, row: Account) -> None:
        if role is not Role.ADMINISTRATOR:
            _spare_last(made, row)
        row.role, row.region = role, region
        note(made, row, "role", role=role, region=region)

    _on(ledger, login, do, by=by, now=now)


def tie(ledger: Ledger, login: str, issuer: str, subject: str, *, by: str, now: datetime) -> None:
    """Ties an account to a person at the identity provider; an empty subject unties it."""

    def do(made: Change, row: Account) -> None:
        row.subject = subject_key(issuer, subject) if subject else None
        note(made, row, "tied" if subject else "untied")

    try:
        _on(ledger, login, do, by=by, now=now)
    except IntegrityError:
        raise AccountRefused(Reason.TAKEN) from None


def subject_key(issuer: str, subject: str) -> str:
    """What is kept of a person at a provider: the same subject elsewhere is somebody else."""
    return tokens.digest(f"{issuer}\n{subject}")


def disable(ledger: Ledger, login: str, *, by: str, now: datetime) -> None:
    """Shuts an account; its stays end at once.

    Raises:
        AccountRefused: there is no such account, or it is the last administrator.
    """

    def do(made: Change, row: Account) -> None:
        _spare_last(made, row)
        row.disabled_at = row.disabled_at or now
        note(made, row, "disabled")

    _on(ledger, login, do, by=by, now=now)


def enable(ledger: Ledger, login: str, *, by: str, now: datetime) -> None:
    """Opens a disabled account again."""

    def do(made: Change, row: Account) -> None:
        row.disabled_at = None
        note(made, row, "enabled")

    _on(ledger, login, do, by=by, now=now)


def _on(
    ledger: Ledger, login: str, do: Callable[[Change, Account], None], *, by: str, now: datetime
) -> None:
    """Changes one account; whoever was in under what it was before must sign in anew."""
    question = select(Account).where(Account.login == fold(login)).with_for_update()
    with change(ledger.engine, now, by) as made:
        row = made.session.scalar(question)
        if row is None:
            raise AccountRefused(Reason.UNKNOWN)
        do(made, row)
        end_sessions(made, row)


def _spare_last(made: Change, row: Account) -> None:
    """There must always be somebody who can manage accounts."""
    question = (
        select(Account)
        .where(Account.role == Role.ADMINISTRATOR, Account.disabled_at.is_(None))
        .order_by(Account.id)
        .with_for_update()
    )
    if [one.id for one in made.session.scalars(question)] == [row.id]:
        raise AccountRefused(Reason.LAST)


def end_sessions(made: Change, row: Account) -> None:
    """Ends every stay of an account."""
    made.connection.execute(delete(Session).where(Session.account_id == row.id))


def note(made: Change, row: Account, what: str, **data: Any) -> None:
    """Writes an act on an account into the history; never a secret."""
    made.record("account", None, None, what=what, account=row.login, **data)
