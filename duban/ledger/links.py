"""The links by which agencies come in: issued, found again, handed on, revoked.

A token is made from a link's nonce and the key of the data folder, so that the same link can be
sent again, while the ledger keeps hashes only. No token, nonce or hash stands in the history.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from duban.errors import DubanError
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.change import Change, change
from duban.ledger.database import reading
from duban.ledger.letterbox import begin_letter
from duban.ledger.tables import Duty, Letter, Link, LinkDuty
from duban.registry import instant
from duban.tokens import derived, digest

LIFE = timedelta(days=180)
LEFT = timedelta(days=45)
"""A letter carries the link that is there while that lives at least so long; else a new one."""
LONG_CLOSED = timedelta(days=30)
"""A link that was handed on no longer reaches a duty that closed so long ago."""
MOST_SENT = 3
"""Letters with a lost link that an agency gets in a day."""
MOST_HOLDER = 60


class NoSuchLink(DubanError):
    """There is no such link, or it was revoked already; `duban links` lists them."""


class NotNarrower(DubanError):
    """What is handed on must lie within the link that hands it on, its duties and its end."""


class NobodyNamed(DubanError):
    """Say in at most 60 characters to whom the link is handed on."""


@dataclass(frozen=True, slots=True)
class Portal:
    """Where the links of letters lead, without a slash at its end, and what they are made with."""

    address: str
    key: bytes = field(repr=False)

    @property
    def desk(self) -> str:
        """Where coordinators sign in."""
        return f"{self.address}/desk"

    def door(self, token: str) -> str:
        """The address that a token opens."""
        return f"{self.address}/a/{token}"


@dataclass(frozen=True, slots=True)
class Door:
    """What a link opens.

    Attributes:
        agency_id: whose link it is.
        duties: the numbers that a handed-on link reaches; None for all of the agency's, those it
            owes and those it shares in.
        holder: to whom it was handed on; empty for the agency's own.
        parent: the link that handed it on.
        person, telephone: what was last typed through it.
    """

    link_id: int
    agency_id: str
    duties: frozenset[int] | None
    holder: str
    parent: int | None
    person: str | None
    telephone: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """An agency's own link that letters carry, and the instant of its end."""

    id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link as screens list it; nothing here opens anything."""

    id: int
    agency: str
    parent: int | None
    holder: str
    issued_at: datetime
    issued_by: str
    expires_at: datetime
    revoked_at: datetime | None
    duties: tuple[int, ...] = ()

    def works(self, now: datetime) -> bool:
        """Whether it opens something now."""
        return self.revoked_at is None and now <= self.expires_at


# Issuing


def standing(
    made: Change, ledger: Ledger, key: bytes, agencies: Collection[str]
) -> Mapping[str, Standing]:
    """The link of each agency that letters carry, found or issued as part of the change."""
    if not agencies:
        return {}
    rows = made.connection.execute(
        _STANDING, {"agencies": list(agencies), "until": made.at + LEFT}
    ).all()
    found = {row.agency: Standing(row.id, row.expires_at) for row in rows}
    for agency in sorted(set(agencies) - found.keys()):
        link = _issue(made, ledger, key, agency)
        found[agency] = Standing(link.id, link.expires_at)
    return found


def issue(ledger: Ledger, key: bytes, agency: str, *, by: str, now: datetime) -> str:
    """A new link for all of an agency's duties, beside those it has; its token."""
    with change(ledger.engine, now, by) as made:
        return _token(key, _issue(made, ledger, key, agency).nonce)


def tell(ledger: Ledger, key: bytes, agency: str, *, by: str, now: datetime) -> str:
    """The token of an agency's link, for somebody who passes it on by other ways than a letter."""
    with change(ledger.engine, now, by) as made:
        link = standing(made, ledger, key, [agency])[agency].id
        made.record("link-told", None, link=link, agency=agency)
        return tokens_of(made.connection, key, [link], agency)[link]


def reissue(ledger: Ledger, key: bytes, agency: str, *, by: str, now: datetime) -> str:
    """Revokes every link of an agency, those handed on too, and issues a new one; its token."""
    with change(ledger.engine, now, by) as made:
        _revoke(made, select(Link.id).where(Link.agency == agency, Link.revoked_at.is_(None)))
        return _token(key, _issue(made, ledger, key, agency).nonce)


def revoke(ledger: Ledger, link_id: int, *, by: str, now: datetime) -> None:
    """Revokes a link, and all that it handed on.

    Raises:
        NoSuchLink: nothing was changed.
    """
    with change(ledger.engine, now, by) as made:
        link = made.session.get(Link, link_id, with_for_update=True)
        if link is None or link.revoked_at is not None:
            raise NoSuchLink
        _revoke(made, _offspring(link_id))


def hand_on(
    ledger: Ledger,
    key: bytes,
    door: Door,
    duties: Collection[int],
    holder: str,
    *,
    until: date,
    now: datetime,
) -> tuple[int, str]:
    """A narrower link for a colleague or a unit below; it shows in the history of each duty.

    Args:
        duties: numbers, all within the door's own.
        holder: to whom.
        until: its last civil day in the first notice's zone.

    Returns:
        the link's number and its token.

    Raises:
        NobodyNamed, NotNarrower, NoSuchLink: nothing was recorded.
    """
    whom = " ".join(holder.split())
    if not 0 < len(whom) <= MOST_HOLDER:
        raise NobodyNamed
    end = instant(until, "24:00", ledger.registry.first_notice.zone)
    wanted = frozenset(duties)
    with change(ledger.engine, now, door.agency_id) as made:
        if not _works(_chain(made.connection, Link.id, door.link_id), now):
            raise NoSuchLink
        opened = reached(made.connection, ledger, door, wanted, now)
        if not wanted or wanted != opened or not now < end <= door.expires_at:
            raise NotNarrower
        link = _issue(made, ledger, key, door.agency_id, end=end, parent=door.link_id, holder=whom)
        rows = [{"link_id": link.id, "duty_id": duty} for duty in sorted(wanted)]
        made.connection.execute(insert(LinkDuty), rows)
        for duty in sorted(wanted):
            made.record("handed-on", duty, whom, link=link.id)
        return link.id, _token(key, link.nonce)


def send_link(ledger: Ledger, agency: str, *, now: datetime) -> None:
    """Has an agency's link sent again, to its registered address only.

    It says nothing, whether the agency is known or not and whether it has asked too often.
    """
    recipient = ledger.registry.agencies.get(agency)
    if recipient is None:
        return
    notice = ledger.registry.first_notice
    with change(ledger.engine, now, "duban") as made:
        sent = made.connection.execute(
            select(Letter.state, Letter.attempts)
            .where(Letter.recipient == agency, Letter.kind == Kind.LINK)
            .where(Letter.day == ledger.registry.today(now))
        ).all()
        if len(sent) < MOST_SENT and ("pending", 0) not in map(tuple, sent):
            begin_letter(made, ledger, notice, recipient, Kind.LINK)
            made.record("link-asked", None, agency=agency)


def _issue(
    made: Change,
    ledger: Ledger,
    key: bytes,
    agency: str,
    *,
    end: datetime | None = None,
    parent: int | None = None,
    holder: str = "",
) -> Link:
    nonce = secrets.token_hex(16)
    link = Link(
        agency=agency,
        parent_id=parent,
        holder=holder,
        nonce=nonce,
        token_sha256=digest(_token(key, nonce)),
        feed_sha256=digest(_feed(key, nonce)),
        issued_at=made.at,
        issued_by=made.actor,
        expires_at=end or _end(ledger, made.at),
    )
    made.session.add(link)
    made.session.flush()
    if parent is None:
        made.record("linked", None, link=link.id, agency=agency, until=link.expires_at.isoformat())
    return link


def _end(ledger: Ledger, now: datetime) -> datetime:
    day = ledger.registry.today(now) + LIFE
    return instant(day, "24:00", ledger.registry.first_notice.zone)


def _revoke(made: Change, ids: Any) -> None:
    statement = (
        update(Link)
        .where(Link.id.in_(ids), Link.revoked_at.is_(None))
        .values(revoked_at=made.at)
        .returning(Link.id, Link.agency)
        .execution_options(synchronize_session=False)
    )
    for link, agency in sorted(made.connection.execute(statement).tuples()):
        made.record("link-revoked", None, link=link, agency=agency)


def _offspring(link_id: int) -> Any:
    """The link, what it handed on, what that handed on, and so forth."""
    found = select(Link.id).where(Link.id == link_id).cte("offspring", recursive=True)
    child = aliased(Link)
    found = found.union_all(select(child.id).join(found, child.parent_id == found.c.id))
    return select(found.c.id)


# Coming in


def enter(ledger: Ledger, token: str, now: datetime) -> Door | None:
    """What a token opens; None when it is unknown, revoked or past its end, or its parent is."""
    return _enter(ledger, Link.token_sha256, token, now)


def by_feed(ledger: Ledger, token: str, now: datetime) -> Door | None:
    """The same for the token of a calendar feed, which opens nothing else."""
    return _enter(ledger, Link.feed_sha256, token, now)


def _enter(
    ledger: Ledger, column: InstrumentedAttribute[str], token: str, now: datetime
) -> Door | None:
    with reading(ledger.engine) as connection:
        chain = _chain(connection, column, digest(token))
        # Whoever left agencies.yaml is neither written to nor let in.
        if not _works(chain, now) or chain[0].agency not in ledger.registry.agencies:
            return None
        link = chain[0]
        duties = None if link.parent_id is None else _handed(connection, link.id, now)
    return Door(
        link_id=link.id,
        agency_id=link.agency,
        duties=duties,
        holder=link.holder,
        parent=link.parent_id,
        person=link.person,
        telephone=link.telephone,
        expires_at=link.expires_at,
    )


def _chain(
    connection: Connection, column: InstrumentedAttribute[Any], value: object
) -> Sequence[Row[Any]]:
    """A link and those that handed it on, itself first."""
    return connection.execute(_CHAINS[column.key], {"value": value}).all()


def _works(chain: Sequence[Row[Any]], now: datetime) -> bool:
    return bool(chain) and all(link.revoked_at is None and now <= link.expires_at for link in chain)


def _handed(connection: Connection, link_id: int, now: datetime) -> frozenset[int]:
    question = (
        select(LinkDuty.duty_id)
        .join(Duty, Duty.id == LinkDuty.duty_id)
        .where(LinkDuty.link_id == link_id)
        .where(or_(Duty.closed_at.is_(None), Duty.closed_at > now - LONG_CLOSED))
    )
    return frozenset(connection.scalars(question))


def reached(
    connection: Connection, ledger: Ledger, door: Door, duties: Iterable[int], now: datetime
) -> frozenset[int]:
    """Those of the duties that a door opens: owed by its agency, or shared in, and handed on."""
    wanted = set(duties)
    if door.duties is not None:
        wanted &= door.duties & _handed(connection, door.link_id, now)
    rows = connection.execute(select(Duty.id, Duty.clause, Duty.agency).where(Duty.id.in_(wanted)))
    return frozenset(
        duty for duty, clause, owner in rows if _concerns(ledger, door.agency_id, clause, owner)
    )


def _concerns(ledger: Ledger, agency: str, clause: str, owner: str) -> bool:
    placed = ledger.registry.clauses.get(clause)
    sharing = placed.copied.get(owner, ()) if placed else ()
    return agency == owner or agency in {one.id for one in sharing}


# Tokens


def tokens_of(
    connection: Connection, key: bytes, links: Collection[int], agency: str
) -> Mapping[int, str]:
    """The tokens of those of the links that are the agency's, by number."""
    if not links:
        return {}
    rows = connection.execute(_NONCES, {"links": list(links), "agency": agency})
    return {link: _token(key, nonce) for link, nonce in rows}


def feed_of(ledger: Ledger, key: bytes, link_id: int) -> str:
    """The token of a link's calendar feed.

    Raises:
        NoSuchLink: there is none.
    """
    with reading(ledger.engine) as connection:
        nonce = connection.scalar(select(Link.nonce).where(Link.id == link_id))
    if nonce is None:
        raise NoSuchLink
    return _feed(key, nonce)


def _token(key: bytes, nonce: str) -> str:
    return derived(key, "link", nonce)


def _feed(key: bytes, nonce: str) -> str:
    return derived(key, "feed", nonce)


# Screens


def links_of(ledger: Ledger, agency: str | None = None) -> list[LinkView]:
    """The links of an agency, or all of them, by agency and age."""
    question = select(
        Link.id,
        Link.agency,
        Link.parent_id,
        Link.holder,
        Link.issued_at,
        Link.issued_by,
        Link.expires_at,
        Link.revoked_at,
    ).order_by(Link.agency, Link.id)
    handed = select(LinkDuty.link_id, LinkDuty.duty_id).order_by(LinkDuty.duty_id)
    if agency is not None:
        question = question.where(Link.agency == agency)
        handed = handed.join(Link, Link.id == LinkDuty.link_id).where(Link.agency == agency)
    with reading(ledger.engine) as connection:
        duties: dict[int, list[int]] = {}
        for link, duty in connection.execute(handed):
            duties.setdefault(link, []).append(duty)
        rows = connection.execute(question)
        return [LinkView(*row, duties=tuple(duties.get(row.id, ()))) for row in rows]


# Statements are built once: building one takes longer than running it.
_AGENCIES: BindParameter[Any] = bindparam("agencies", expanding=True)
_LINKS: BindParameter[Any] = bindparam("links", expanding=True)
_STANDING = (
    select(Link.id, Link.agency, Link.expires_at)
    .where(Link.agency.in_(_AGENCIES), Link.parent_id.is_(None), Link.revoked_at.is_(None))
    .where(Link.expires_at >= bindparam("until"))
    .order_by(Link.expires_at, Link.id)
)
_NONCES = select(Link.id, Link.nonce).where(Link.id.in_(_LINKS), Link.agency == bindparam("agency"))


def _chain_from(column: InstrumentedAttribute[Any]) -> Any:
    columns = Link.__table__.columns
    chain = select(*columns).where(column == bindparam("value")).cte("chain", recursive=True)
    parent = aliased(Link)
    above = select(*(getattr(parent, one.key) for one in columns))
    chain = chain.union_all(above.join(chain, parent.id == chain.c.parent_id))
    # Numbers grow, so a link's own is the highest of its chain.
    return select(chain).order_by(chain.c.id.desc())


_CHAINS = {
    column.key: _chain_from(column) for column in (Link.id, Link.token_sha256, Link.feed_sha256)
}
