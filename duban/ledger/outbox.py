"""The outbox: claims letters, hands them to a channel outside the transaction, marks each one.

A crash between sending and marking sends the same bytes once more, and never loses a letter.
What a letter says is checked when it is claimed. Evidence that is accepted after that does not call
it back: it leaves within the lease, so at most two minutes later.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Row, Table, bindparam, func, insert, or_, select, update

from duban.channels import Channel, Enclosure, Fate, Form, Outcome, Parcel
from duban.ladder import Kind
from duban.ledger import Ledger
from duban.ledger.change import Change, change, insert_or_skip
from duban.ledger.database import reading
from duban.ledger.links import Portal, tokens_of
from duban.ledger.papers import enclosures, void
from duban.ledger.parts import carry_over
from duban.ledger.retry import LONGEST_PAUSE, MOST_ATTEMPTS, pause
from duban.ledger.routes import SUSPENDED, Pacer, Route, Routes, suspensions
from duban.ledger.tables import Attempt, Letter, Mention, Suspension
from duban.ledger.tasks import open_task, untell
from duban.ledger.undelivered import revive
from duban.ledger.writing import Wanted, Writer, Written
from duban.letters import enclosed, filled, links_in
from duban.registry import Agency
from duban.words import words

LEASE = timedelta(minutes=2)
RESERVE = timedelta(seconds=45)  # longer than any channel takes over one letter
BATCH = 20
_TOKEN = re.compile(r"/a/[\w-]{8,}")

_letters = cast(Table, Letter.__table__)
_attempts = cast(Table, Attempt.__table__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter that this process holds until its lease ends; `fence` proves it."""

    id: int
    kind: str
    fence: int
    attempts: int
    attempt: int
    not_before: datetime
    lease_until: datetime
    route: Route
    parcel: Parcel


@dataclass(frozen=True, slots=True)
class After:
    """What a letter is to be after an attempt; `anew` forgets its bytes."""

    state: str
    not_before: datetime | None = None
    sent_at: datetime | None = None
    sent_via: str | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one delivery did, in letters."""

    accepted: int = 0
    put_off: int = 0
    dead: int = 0
    unreachable: int = 0

    def __str__(self) -> str:
        told = f"{self.accepted} delivered, {self.put_off} put off, {self.dead} undeliverable"
        return f"{told}, {self.unreachable} unreachable" if self.unreachable else told


@dataclass(slots=True)
class _Count:
    """What became of letters so far in a delivery."""

    tried: int = 0
    states: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, state: str) -> None:
        self.tried += 1
        self.states[state] = self.states.get(state, 0) + 1

    def delivery(self, put_off: int) -> Delivery:
        """`put_off`: those that were not tried."""
        found = [self.states.get(name, 0) for name in ("sent", "pending", "dead", "unreachable")]
        return Delivery(found[0], found[1] + put_off, found[2], found[3])


class Post:
    """Delivers what is due, through the drop folder unless sending is armed.

    Args:
        channels: by the names that `duban.channels.channel_name` gives, `drop` among them.
        armed: whether real channels may be used; asked before each batch.
        sender: the From address.
        environment: where the `${NAME}`s of addresses are looked up.
        label: marks letters that are not meant in earnest.
        portal: where the links of letters lead; without one they carry none.
    """

    def __init__(
        self,
        ledger: Ledger,
        channels: Mapping[str, Channel],
        armed: Callable[[], bool],
        sender: str,
        environment: Mapping[str, str],
        label: str = "",
        portal: Portal | None = None,
    ) -> None:
        self.ledger = ledger
        self.portal = portal
        self.channels = channels
        self.armed = armed
        self.environment = environment
        self.writer = Writer(ledger, sender, label, portal)

    def deliver(self, clock: Callable[[], datetime], limit: int | None = None) -> Delivery:
        """Delivers every letter that is due, batch by batch.

        Args:
            clock: the time; a replay's stands still. Letters dated later stay.
            limit: at most so many letters.
        """
        self._prepare(clock())
        count, pacer = _Count(), Pacer()
        while room := BATCH if limit is None else min(BATCH, limit - count.tried):
            batch = self._claim(clock(), room, pacer)
            if batch is None:
                break
            for letter in batch:
                state = self._send(letter, clock)
                count.add(state)
                pacer.note(letter.route.via, failed=state == "pending")
        return count.delivery(pacer.put_off)

    def _prepare(self, now: datetime) -> None:
        _mend(self.ledger, now)
        if self.armed():
            revive(self.ledger, self._routes, now)

    def _routes(self, connection: Connection, *, armed: bool = True) -> Routes:
        return Routes(armed, self.environment, suspensions(connection) if armed else ())

    def _claim(self, now: datetime, room: int, pacer: Pacer) -> Sequence[Claimed] | None:
        """One transaction: pick, lease, freeze the bytes. None when no letter is due."""
        armed = self.armed()
        with change(self.ledger.engine, now, "duban") as made:
            rows = made.connection.execute(_CLAIMABLE, {"now": now, "room": room}).all()
            if not rows:
                return None
            routes = self._routes(made.connection, armed=armed)
            chosen = self._chosen(made, rows, routes, pacer)
            written = self._written(made, chosen)
            return self._lease(made, chosen, written)

    def _chosen(
        self, made: Change, rows: Sequence[Row[Any]], routes: Routes, pacer: Pacer
    ) -> list[tuple[Wanted, Route]]:
        """Those that may go now. One for a paced address goes alone: its attempt is its sending.

        Deliverers that look at the same moment may exceed a pace by one letter each; the channels'
        paces leave room for that.
        """
        chosen: list[tuple[Wanted, Route]] = []
        for row in rows:
            recipient = self.ledger.registry.agencies.get(row.recipient)
            if recipient is None:
                _suppress(made, [row.id])
                continue
            route = routes.to(recipient)
            wanted = Wanted(row, recipient, self.channels[route.via])
            pace = wanted.channel.pace
            if pace and chosen:
                continue
            if later := pacer.later(made.connection, route, pace, made.at):
                _put_off(made, row.id, later)
                continue
            chosen.append((wanted, route))
            if pace:
                break
        return chosen

    def _written(
        self, made: Change, chosen: Sequence[tuple[Wanted, Route]]
    ) -> Mapping[int, Written]:
        """The bytes of each letter: the frozen ones, or those that are written now."""
        frozen = {
            one.row.id: Written(one.row.payload)
            for one, _ in chosen
            if one.row.payload is not None and one.row.form == one.channel.form
        }
        fresh = [one for one, _ in chosen if one.row.id not in frozen]
        written = self.writer.write(made, fresh)
        ids = {one.row.id for one, _ in chosen}
        for one in fresh:
            if left := written.get(one.row.id):
                untell(made.connection, left.tasks)
                carry_over(made, one.row, left.mentions, ids)
        _leave_out(made, written)
        return {**frozen, **written}

    def _lease(
        self,
        made: Change,
        chosen: Sequence[tuple[Wanted, Route]],
        written: Mapping[int, Written],
    ) -> Sequence[Claimed]:
        _suppress(made, [one.row.id for one, _ in chosen if one.row.id not in written])
        going = [(one, route) for one, route in chosen if one.row.id in written]
        if not going:
            return []
        taken = [
            {
                "letter": one.row.id,
                "lease": made.at + LEASE,
                "bytes": written[one.row.id].payload,
                "as_form": one.channel.form.value,
            }
            for one, _ in going
        ]
        made.connection.execute(_TAKE, taken)
        begun = _begin(made, going)
        papers = enclosures(made.connection, [one.row.id for one, _ in going])
        return [
            self._claimed(
                made, one, route, begun[one.row.id], written[one.row.id], papers.get(one.row.id)
            )
            for one, route in going
        ]

    def _claimed(
        self,
        made: Change,
        one: Wanted,
        route: Route,
        attempt: int,
        written: Written,
        paper: Enclosure | None,
    ) -> Claimed:
        return Claimed(
            id=one.row.id,
            kind=one.row.kind,
            fence=one.row.fence + 1,
            attempts=one.row.attempts + 1,
            attempt=attempt,
            not_before=one.row.not_before,
            lease_until=made.at + LEASE,
            route=route,
            parcel=self._parcel(one, self._filled(made.connection, one, written.payload), paper),
        )

    def _filled(self, connection: Connection, one: Wanted, payload: bytes) -> bytes:
        """The letter as it leaves: the tokens of the recipient's links stand nowhere before."""
        links = links_in(payload) if self.portal else None
        if self.portal is None or not links:
            return payload
        return filled(payload, tokens_of(connection, self.portal.key, links, one.recipient.id))

    def _parcel(self, one: Wanted, payload: bytes, paper: Enclosure | None) -> Parcel:
        """A mail holds its paper; the other channels are handed it, and carry it if they can."""
        if paper and one.channel.form is Form.MAIL:
            payload = enclosed(payload, paper.name, paper.content)
        part = "" if one.row.part == 1 else f"-{one.row.part}"
        kind = words(self.ledger.registry.language).kinds[one.kind]
        return Parcel(
            name=f"{one.recipient.name}-{kind}{part}",
            day=one.row.day.isoformat(),
            recipient=one.recipient,
            payload=payload,
            form=one.channel.form,
            enclosure=paper,
        )

    def _send(self, letter: Claimed, clock: Callable[[], datetime]) -> str:
        """Sends one letter and marks it; its state after that.

        A letter whose lease is about to end is given back unsent: another might begin with it.
        """
        if clock() > letter.lease_until - RESERVE:
            return self._give_back(letter, clock())
        outcome = self.channels[letter.route.via].send(letter.parcel, letter.route.address)
        return self._settle(letter, replace(outcome, detail=_unlinked(outcome.detail)), clock())

    def _give_back(self, letter: Claimed, now: datetime) -> str:
        """It was not tried, so this counts as no attempt; one never tried is written anew."""
        values = {"letter": letter.id, "held": letter.fence, "before": letter.attempts - 1}
        with change(self.ledger.engine, now, "duban") as made:
            made.connection.execute(_SETTLE_ATTEMPT, _settled(letter, "unsent"))
            held = made.connection.execute(_GIVE_BACK, values).rowcount == 1
            if held and letter.attempts == 1:
                made.connection.execute(_FORGET, {"letter": letter.id})
        return "given back" if held else "lost"

    def _settle(self, letter: Claimed, outcome: Outcome, now: datetime) -> str:
        """Marks one letter; a worker whose lease was taken over marks nothing but its attempt."""
        closed = now + min(outcome.pause, LONGEST_PAUSE) if outcome.pause else None
        after = _after(letter, outcome, now, closed)
        with change(self.ledger.engine, now, "duban") as made:
            made.connection.execute(
                _SETTLE_ATTEMPT, _settled(letter, outcome.fate, outcome.detail, closed)
            )
            if not _mark(made, letter, after):
                return "lost"
            _follow(made, letter, outcome, after.state)
        return "refused" if _refused(letter, outcome) else after.state


def _unlinked(detail: str) -> str:
    """Servers that refuse a letter may quote the address in it, which opens something."""
    return _TOKEN.sub("/a/…", detail)


def next_at(ledger: Ledger) -> datetime | None:
    """The earliest moment at which a waiting letter can go; None when none waits."""
    question = select(func.min(func.coalesce(Letter.lease_until, Letter.not_before))).where(
        Letter.state == "pending"
    )
    with reading(ledger.engine) as connection:
        return connection.scalar(question)


# Statements are built once: building one takes longer than running it.
_CLAIMABLE = (
    select(_letters)
    .where(
        _letters.c.state == "pending",
        _letters.c.not_before <= bindparam("now"),
        or_(_letters.c.lease_until.is_(None), _letters.c.lease_until < bindparam("now")),
    )
    .order_by(_letters.c.not_before, _letters.c.id)
    .limit(bindparam("room"))
    .with_for_update(skip_locked=True)
)
_BEGIN = insert(_attempts).returning(_attempts.c.letter_id, _attempts.c.id)
_TAKE = (
    update(_letters)
    .where(_letters.c.id == bindparam("letter"))
    .values(
        fence=_letters.c.fence + 1,
        attempts=_letters.c.attempts + 1,
        lease_until=bindparam("lease"),
        payload=bindparam("bytes"),
        form=bindparam("as_form"),
    )
)
_MARK = (
    update(_letters)
    .where(_letters.c.id == bindparam("letter"), _letters.c.fence == bindparam("held"))
    .values(
        lease_until=None,
        state=bindparam("as_state"),
        sent_at=bindparam("at"),
        sent_via=bindparam("way"),
        not_before=bindparam("earliest"),
    )
)
_GIVE_BACK = (
    update(_letters)
    .where(_letters.c.id == bindparam("letter"), _letters.c.fence == bindparam("held"))
    .values(lease_until=None, attempts=bindparam("before"))
)
_FORGET = update(_letters).where(_letters.c.id == bindparam("letter")).values(payload=None)
_SETTLE_ATTEMPT = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt"))
    .values(outcome=bindparam("became"), detail=bindparam("told"), closed_until=bindparam("closed"))
)


def _settled(
    letter: Claimed, became: str, detail: str = "", closed: datetime | None = None
) -> dict[str, Any]:
    return {"attempt": letter.attempt, "became": f"{became}", "told": detail, "closed": closed}


def _begin(made: Change, going: Sequence[tuple[Wanted, Route]]) -> Mapping[int, int]:
    """Writes down that these letters are about to be tried; the attempts by letter."""
    rows = [
        {
            "letter_id": one.row.id,
            "at": made.at,
            "via": route.via,
            "address": route.mark,
            "outcome": "begun",
            "detail": "",
        }
        for one, route in going
    ]
    return dict(made.connection.execute(_BEGIN, rows).tuples().all())


def _mark(made: Change, letter: Claimed, after: After) -> bool:
    """Ends the lease with what became of the letter; False when another holds it by now."""
    values = {
        "letter": letter.id,
        "held": letter.fence,
        "as_state": after.state,
        "at": after.sent_at,
        "way": after.sent_via,
        "earliest": after.not_before or letter.not_before,
    }
    if made.connection.execute(_MARK, values).rowcount != 1:
        return False
    if after.anew:
        made.connection.execute(_FORGET, {"letter": letter.id})
    return True


def _after(letter: Claimed, outcome: Outcome, now: datetime, closed: datetime | None) -> After:
    """What an outcome makes of a letter."""
    if outcome.fate is Fate.ACCEPTED:
        sent = After("sent", sent_at=now, sent_via=letter.route.via)
        return After("unreachable") if _in_trouble(letter) else sent
    if _refused(letter, outcome):
        # The address is suspended with this, so that the next claim finds the drop folder.
        return After("pending", anew=True)
    if outcome.fate is Fate.PERMANENT or letter.attempts >= MOST_ATTEMPTS:
        return After("dead")
    later = max(now + pause(letter.attempts), closed or now)
    # What surely did not arrive is written anew from what is open then.
    return After("pending", later, anew=outcome.fate is Fate.TEMPORARY)


def _refused(letter: Claimed, outcome: Outcome) -> bool:
    """A real address refused for good."""
    return outcome.fate is Fate.PERMANENT and bool(letter.route.mark)


def _in_trouble(letter: Claimed) -> bool:
    """A list of tasks in the drop folder is delivered: it would only make a task about itself."""
    return bool(letter.route.trouble) and letter.kind != Kind.TASKS


def _follow(made: Change, letter: Claimed, outcome: Outcome, state: str) -> None:
    """What else a marked letter brings about: history, a suspension, a coordinator's task."""
    agency = letter.parcel.recipient
    if state != "pending":
        made.record("letter", letter=letter.id, state=state, via=letter.route.via)
    if state == "unreachable":
        open_task(made, letter.route.trouble, agency.id)
    if state == "dead":
        open_task(made, "undeliverable", f"{letter.id}")
    if _refused(letter, outcome):
        _suspend(made, agency, letter.route.mark, outcome.detail)


def _suspend(made: Change, agency: Agency, mark: str, detail: str) -> None:
    if (agency.id, mark) in suspensions(made.connection):
        return
    row = {"agency": agency.id, "address": mark, "since": made.at, "detail": detail}
    statement = insert_or_skip(made.connection)(Suspension).on_conflict_do_nothing()
    made.connection.execute(statement, [row])
    made.record("suspended", agency=agency.id, address=mark)
    open_task(made, SUSPENDED, agency.id)


def _leave_out(made: Change, written: Mapping[int, Written]) -> None:
    """Notes which mentions go unsaid: they were answered, or outdone, before their letter went."""
    said = [mention for one in written.values() for mention in one.said]
    if said:
        statement = update(Mention).where(
            Mention.letter_id.in_(written.keys()), Mention.said, Mention.id.not_in(said)
        )
        made.connection.execute(statement.values(said=False))


def _suppress(made: Change, letters: Sequence[int]) -> None:
    if letters:
        void(made, letters)
        statement = update(_letters).where(_letters.c.id.in_(letters))
        made.connection.execute(statement.values(state="suppressed", lease_until=None))


def _put_off(made: Change, letter: int, until: datetime) -> None:
    """It was not tried, so that nothing of it is frozen and more may join it."""
    statement = update(_letters).where(_letters.c.id == letter)
    made.connection.execute(statement.values(not_before=until, lease_until=None))


def _mend(ledger: Ledger, now: datetime) -> None:
    """Frees what a clock that was put ahead would hold for as long as it was ahead.

    No lease is longer than LEASE; no letter waits longer than LONGEST_PAUSE once its day is over.
    """
    over = _letters.c.day < now.astimezone(UTC).date()
    leased = _letters.c.lease_until > now + 2 * LEASE
    stuck = (_letters.c.not_before > now + LONGEST_PAUSE) & over
    held = (_letters.c.state == "pending") & or_(leased, stuck)
    with reading(ledger.engine) as connection:
        found = connection.scalar(select(_letters.c.id).where(held).limit(1))
    if found is not None:
        with change(ledger.engine, now, "duban") as made:
            statement = update(_letters).where(held)
            made.connection.execute(statement.values(lease_until=None, not_before=now))
