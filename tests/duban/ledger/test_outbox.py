"""The outbox: what every fate of an attempt leads to, crashes and late workers among them."""

import email
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from duban.channels import Fate, Form, Outcome, Pace, Parcel, digest
from duban.evidence import Checked
from duban.ladder import Kind
from duban.ledger import Ledger, acts
from duban.ledger.change import change, first_broken_link
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.outbox import LEASE, RESERVE, Delivery, Post, next_at
from duban.ledger.questions import duties, outbox
from duban.ledger.retry import LONGEST_PAUSE, MOST_ATTEMPTS, pause
from duban.ledger.routes import Routes
from duban.ledger.tables import Attempt, Base, History, Letter, Mention, Suspension, Task
from duban.ledger.tasks import open_task, open_tasks
from duban.ledger.undelivered import NothingSuspended, NotUndelivered, handed, lift, resend
from duban.office import Office
from duban.registry import Contact
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, run

NOW = china("2026-01-05")
LATER = NOW + timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
WOMEN = "东/妇联"
ROBOT = "wecombot://${KEY}"
Answer = Fate | Outcome | Exception | Callable[[], Fate]


class PowerCut(Exception):
    """The process ends between sending and marking."""


class Wire:
    """A channel that keeps what it was given and answers as told, accepting when not told."""

    form = Form.MAIL
    limit: int | None = None
    pace: Pace | None = None

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.parcels: list[Parcel] = []
        self.addresses: list[str] = []

    def send(self, parcel: Parcel, address: str) -> Outcome:
        self.parcels.append(parcel)
        self.addresses.append(address)
        answer = self.answers.pop(0) if self.answers else Fate.ACCEPTED
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Outcome):
            return answer
        return Outcome(answer if isinstance(answer, Fate) else answer(), "as told")

    @property
    def payloads(self) -> list[bytes]:
        return [parcel.payload for parcel in self.parcels]


class Robot(Wire):
    """A robot in a group: markdown, and no more than three a minute."""

    form = Form.MARKDOWN
    limit = 4096
    pace = Pace(3, MINUTE)


def only(ledger: Ledger, recipient: str, kind: str = "assign") -> Ledger:
    """Of the letters that wait, only those remain."""
    with ledger.engine.begin() as connection:
        connection.execute(
            update(Letter)
            .where((Letter.recipient != recipient) | (Letter.kind != kind))
            .values(state="suppressed")
        )
    return ledger


def reached_at(ledger: Ledger, addresses: Mapping[str, str | None]) -> Ledger:
    """The same ledger, whose agencies have these addresses."""
    registry = ledger.registry
    changed = {
        name: registry.agencies[name].model_copy(update={"contact": Contact(channel=channel)})
        for name, channel in addresses.items()
    }
    agencies = {**registry.agencies, **changed}
    coordinator = agencies[registry.coordinator.id]
    return Ledger(ledger.engine, replace(registry, agencies=agencies, coordinator=coordinator))


@pytest.fixture
def one_letter(ledger: Ledger) -> Ledger:
    """One letter waits: to 东/妇联, with the duties of clauses 1, 4 and 6."""
    open_missing(ledger, NOW)
    return only(ledger, WOMEN)


@pytest.fixture
def one_mail(one_letter: Ledger) -> Ledger:
    """The same, and 东/妇联 has a mail address."""
    return reached_at(one_letter, {WOMEN: "women@example.org"})


@pytest.fixture
def one_robot(one_letter: Ledger) -> Ledger:
    """The same, and 东/妇联 has a robot."""
    return reached_at(one_letter, {WOMEN: ROBOT})


def post(ledger: Ledger, wire: Wire, **more: Wire) -> Post:
    """Disarmed, so that all goes through the drop folder, which is `wire`."""
    return Post(ledger, {"drop": wire, **more}, lambda: False, "d@example.org", {})


def armed(ledger: Ledger, **channels: Wire) -> Post:
    """Armed; without a `drop` of its own, a drop folder that takes everything."""
    known = {"drop": Wire(), "mail": Wire(), "wecombot": Robot()} | channels
    return Post(ledger, known, lambda: True, "d@example.org", {"KEY": "s3cret"})


def letters(ledger: Ledger, recipient: str = WOMEN, kind: str = "assign") -> list[Letter]:
    question = (
        select(Letter.__table__)
        .where(Letter.recipient == recipient, Letter.kind == kind)
        .order_by(Letter.id)
    )
    with reading(ledger.engine) as connection:
        return [Letter(**row) for row in connection.execute(question).mappings()]


def letter(ledger: Ledger) -> Letter:
    [found] = letters(ledger)
    return found


def attempts(ledger: Ledger) -> list[str]:
    with reading(ledger.engine) as connection:
        return list(connection.scalars(select(Attempt.outcome).order_by(Attempt.id)))


def tasks(ledger: Ledger) -> list[tuple[str, str]]:
    question = select(Task.kind, Task.subject).where(Task.closed_at.is_(None)).order_by(Task.id)
    with reading(ledger.engine) as connection:
        return [(kind, subject) for kind, subject in connection.execute(question)]


def recorded(ledger: Ledger, action: str) -> list[Mapping[str, object]]:
    question = select(History.data).where(History.action == action).order_by(History.seq)
    with reading(ledger.engine) as connection:
        assert first_broken_link(connection) is None
        return list(connection.scalars(question))


def submit(ledger: Ledger, clause: str) -> None:
    """Hands in evidence; its receipt is left out, since it is a letter of its own."""
    [duty] = duties(ledger, agency=WOMEN, clause=f"small/{clause}")
    acts.submit(ledger, duty.id, Checked({}, ()), [], by=WOMEN, now=NOW)
    with ledger.engine.begin() as connection:
        connection.execute(
            update(Letter).where(Letter.kind == Kind.RECEIPT).values(state="suppressed")
        )


def opened(payload: bytes) -> EmailMessage:
    return email.message_from_bytes(payload, policy=default)


def plain(payload: bytes) -> str:
    part = opened(payload).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_an_accepted_letter_is_sent_once(one_letter: Ledger):
    wire = Wire()
    assert post(one_letter, wire).deliver(at(NOW)) == Delivery(accepted=1)
    assert post(one_letter, wire).deliver(at(LATER)) == Delivery()
    sent = letter(one_letter)
    assert (sent.state, sent.sent_at, sent.sent_via, sent.attempts) == ("sent", NOW, "drop", 1)
    assert len(wire.parcels) == 1
    assert recorded(one_letter, "letter") == [{"letter": sent.id, "state": "sent", "via": "drop"}]


def test_a_temporary_failure_is_tried_later_and_written_anew(one_letter: Ledger):
    wire = Wire(Fate.TEMPORARY)
    assert post(one_letter, wire).deliver(at(NOW)) == Delivery(put_off=1)
    assert (letter(one_letter).state, letter(one_letter).payload) == ("pending", None)
    assert outbox(one_letter).trouble == "as told"
    submit(one_letter, "1")
    assert post(one_letter, wire).deliver(at(LATER)) == Delivery(accepted=1)
    first, second = map(plain, wire.payloads)
    assert "家长课堂" in first
    assert "家长课堂" not in second
    assert "制定方案" in second
    assert attempts(one_letter) == ["temporary", "accepted"]


def test_a_temporary_failure_with_nothing_left_to_say_ends_there(one_letter: Ledger):
    wire = Wire(Fate.TEMPORARY)
    post(one_letter, wire).deliver(at(NOW))
    for clause in ("1", "4", "6"):
        submit(one_letter, clause)
    assert post(one_letter, wire).deliver(at(LATER)) == Delivery()
    assert letter(one_letter).state == "suppressed"


def test_after_an_ambiguous_outcome_the_same_bytes_go_again(one_letter: Ledger):
    wire = Wire(Fate.AMBIGUOUS)
    assert post(one_letter, wire).deliver(at(NOW)) == Delivery(put_off=1)
    submit(one_letter, "1")
    assert post(one_letter, wire).deliver(at(LATER)) == Delivery(accepted=1)
    assert wire.payloads[0] == wire.payloads[1]


def test_the_bytes_of_one_channel_do_not_go_through_another(one_mail: Ledger):
    assert armed(one_mail, mail=Wire(Fate.AMBIGUOUS)).deliver(at(NOW)) == Delivery(put_off=1)
    robot = Robot()
    moved = reached_at(one_mail, {WOMEN: ROBOT})
    assert armed(moved, wecombot=robot).deliver(at(LATER)) == Delivery(accepted=1)
    assert robot.payloads[0].decode().startswith("### ")


def test_a_letter_is_given_up_after_twelve_attempts(one_letter: Ledger):
    wire = Wire(*[Fate.TEMPORARY] * 20)
    for n in range(20):
        post(one_letter, wire).deliver(at(NOW + n * timedelta(hours=7)))
    assert len(wire.parcels) == MOST_ATTEMPTS == 12
    assert letter(one_letter).state == "dead"
    assert outbox(one_letter).dead == 1
    assert tasks(one_letter) == [("undeliverable", f"{letter(one_letter).id}")]
    [told] = open_tasks(one_letter)
    assert told.about == "东市妇联、交办、2026-01-05"
    assert told.command == f"duban resend {letter(one_letter).id} --by 姓名"


def test_a_letter_given_up_can_be_sent_again_from_the_start(one_letter: Ledger):
    for n in range(12):
        post(one_letter, Wire(Fate.TEMPORARY)).deliver(at(NOW + n * timedelta(hours=7)))
    after = NOW + timedelta(days=5)
    resend(one_letter, letter(one_letter).id, by="王", now=after)
    assert (letter(one_letter).state, letter(one_letter).attempts) == ("pending", 0)
    assert tasks(one_letter) == []
    assert post(one_letter, Wire()).deliver(at(after)) == Delivery(accepted=1)
    with pytest.raises(NotUndelivered):
        resend(one_letter, letter(one_letter).id, by="王", now=after)


def test_a_letter_delivered_by_hand_is_sent(one_mail: Ledger):
    there = reached_at(one_mail, {WOMEN: None})
    assert armed(there).deliver(at(NOW)) == Delivery(unreachable=1)
    handed(there, letter(there).id, by="王", now=LATER)
    sent = letter(there)
    assert (sent.state, sent.sent_at, sent.sent_via) == ("sent", LATER, "hand")
    assert tasks(there) == []
    assert recorded(there, "letter")[-1] == {"letter": sent.id, "state": "sent", "via": "hand"}
    with pytest.raises(NotUndelivered):
        handed(there, sent.id, by="王", now=LATER)


@pytest.mark.parametrize(
    ("attempt", "bound"),
    [(1, timedelta(seconds=30)), (2, timedelta(minutes=1)), (12, LONGEST_PAUSE)],
)
def test_pauses_grow_to_six_hours(attempt: int, bound: timedelta):
    assert all(timedelta(0) <= pause(attempt) <= bound for _ in range(100))


def test_a_crash_between_sending_and_marking_sends_the_same_bytes_once_more(one_letter: Ledger):
    wire = Wire(PowerCut())
    with pytest.raises(PowerCut):
        post(one_letter, wire).deliver(at(NOW))
    assert attempts(one_letter) == ["begun"]
    submit(one_letter, "1")  # frozen is frozen: the first may have arrived
    assert post(one_letter, wire).deliver(at(NOW + LEASE)) == Delivery()  # the lease still holds
    assert post(one_letter, wire).deliver(at(LATER)) == Delivery(accepted=1)
    assert post(one_letter, wire).deliver(at(LATER + timedelta(days=1))) == Delivery()
    assert wire.payloads[0] == wire.payloads[1]
    assert opened(wire.payloads[0])["Message-ID"] == opened(wire.payloads[1])["Message-ID"]
    assert attempts(one_letter) == ["begun", "accepted"]  # what a crash left may have arrived


def test_an_expired_lease_is_taken_over_and_the_late_worker_marks_nothing(one_letter: Ledger):
    quick = Wire()

    def meanwhile() -> Fate:
        assert post(one_letter, quick).deliver(at(LATER)) == Delivery(accepted=1)
        return Fate.PERMANENT  # comes too late to count

    assert post(one_letter, Wire(meanwhile)).deliver(at(NOW)) == Delivery()
    sent = letter(one_letter)
    assert (sent.state, sent.sent_at, sent.fence) == ("sent", LATER, 2)
    assert attempts(one_letter) == ["permanent", "accepted"]  # both tries are on record
    assert tasks(one_letter) == []


def test_a_held_letter_is_nobody_elses(one_letter: Ledger):
    other = Wire()

    def meanwhile() -> Fate:
        assert post(one_letter, other).deliver(at(NOW)) == Delivery()
        return Fate.ACCEPTED

    assert post(one_letter, Wire(meanwhile)).deliver(at(NOW)) == Delivery(accepted=1)
    assert other.parcels == []


def test_a_letter_whose_lease_is_about_to_end_is_given_back_unsent(ledger: Ledger):
    open_missing(ledger, NOW)
    now = NOW

    def clock() -> datetime:
        return now

    def slow() -> Fate:
        nonlocal now
        now += LEASE - RESERVE + timedelta(seconds=1)
        return Fate.ACCEPTED

    wire = Wire(*[slow] * 8)
    assert post(ledger, wire).deliver(clock) == Delivery(accepted=8)
    assert len({parcel.name for parcel in wire.parcels}) == len(wire.parcels) == 8
    assert attempts(ledger).count("unsent") == sum(range(8))
    with reading(ledger.engine) as connection:
        assert set(connection.scalars(select(Letter.attempts))) == {1}


def test_two_deliverers_share_the_outbox(ledger: Ledger):
    open_missing(ledger, NOW)
    theirs = Wire()

    def meanwhile() -> Fate:
        post(ledger, theirs).deliver(at(NOW), limit=3)
        return Fate.ACCEPTED

    ours = Wire(meanwhile)
    post(ledger, ours).deliver(at(NOW), limit=2)
    post(ledger, ours).deliver(at(NOW))
    names = [parcel.name for parcel in ours.parcels + theirs.parcels]
    assert len(names) == len(set(names)) == 8
    assert len(theirs.parcels) == 3


def test_evidence_that_comes_between_claim_and_send_does_not_call_the_letter_back(
    one_letter: Ledger,
):
    """The bound that is stated: what was claimed leaves, and nothing after it speaks again."""

    def meanwhile() -> Fate:
        for clause in ("1", "4", "6"):
            submit(one_letter, clause)
        return Fate.TEMPORARY

    wire = Wire(meanwhile)
    assert post(one_letter, wire).deliver(at(NOW)) == Delivery(put_off=1)
    assert post(one_letter, wire).deliver(at(LATER)) == Delivery()
    assert len(wire.parcels) == 1
    assert letter(one_letter).state == "suppressed"


def test_one_bad_address_holds_up_nobody_else(ledger: Ledger):
    open_missing(ledger, NOW)
    wire = Wire(Fate.PERMANENT, Fate.TEMPORARY, Fate.AMBIGUOUS)
    done = post(ledger, wire).deliver(at(NOW))
    assert (done.dead, done.put_off, done.accepted) == (1, 2, 5)


def test_only_armed_sending_leaves_through_a_real_channel(ledger: Ledger):
    open_missing(ledger, NOW)
    drop, mail = Wire(), Wire()
    Post(ledger, {"drop": drop, "mail": mail}, lambda: False, "d@example.org", {}).deliver(at(NOW))
    assert len(drop.parcels) == 8
    assert mail.parcels == []
    assert tasks(ledger) == []


def test_armed_who_has_an_address_gets_mail_and_the_rest_are_tasks(ledger: Ledger):
    open_missing(ledger, NOW)
    drop, mail = Wire(), Wire()
    done = armed(ledger, drop=drop, mail=mail).deliver(at(NOW))
    assert {parcel.recipient.id for parcel in mail.parcels} == {"东/共青团"}
    assert mail.addresses == ["youth@example.org"] * len(mail.parcels)
    assert done == Delivery(accepted=len(mail.parcels), unreachable=len(drop.parcels))
    without = {parcel.recipient.id for parcel in drop.parcels}
    assert sorted(tasks(ledger)) == [("no-contact", name) for name in sorted(without)]
    assert {one.state for one in letters(ledger)} == {"unreachable"}


def test_a_contact_sends_what_lay_in_the_drop_folder_and_closes_the_task(one_mail: Ledger):
    assert armed(reached_at(one_mail, {WOMEN: None})).deliver(at(NOW)) == Delivery(unreachable=1)
    submit(one_mail, "1")
    mail = Wire()
    assert armed(one_mail, mail=mail).deliver(at(LATER)) == Delivery(accepted=1)
    assert "家长课堂" not in plain(mail.payloads[0])  # written anew
    assert tasks(one_mail) == []
    assert armed(one_mail, mail=mail).deliver(at(LATER)) == Delivery()


def test_a_refused_address_is_suspended_and_its_letters_can_be_printed(one_mail: Ledger):
    drop = Wire()
    mail = Wire(Fate.PERMANENT)
    assert armed(one_mail, drop=drop, mail=mail).deliver(at(NOW)) == Delivery(unreachable=1)
    assert (len(mail.parcels), len(drop.parcels)) == (1, 1)
    assert letter(one_mail).state == "unreachable"
    assert tasks(one_mail) == [("suspended", WOMEN)]
    with reading(one_mail.engine) as connection:
        [row] = connection.execute(select(Suspension.agency, Suspension.address)).all()
    assert tuple(row) == (WOMEN, digest("women@example.org"))
    assert armed(one_mail, mail=mail).deliver(at(LATER)) == Delivery()
    assert len(mail.parcels) == 1


def test_a_lifted_suspension_sends_what_was_kept(one_mail: Ledger):
    armed(one_mail, mail=Wire(Fate.PERMANENT)).deliver(at(NOW))
    lift(one_mail, WOMEN, by="王", now=LATER)
    assert tasks(one_mail) == []
    assert armed(one_mail).deliver(at(LATER)) == Delivery(accepted=1)
    with pytest.raises(NothingSuspended):
        lift(one_mail, WOMEN, by="王", now=LATER)


def test_a_new_address_sends_what_the_old_one_refused(one_mail: Ledger):
    armed(one_mail, mail=Wire(Fate.PERMANENT)).deliver(at(NOW))
    mail = Wire()
    moved = reached_at(one_mail, {WOMEN: "office@example.org"})
    assert armed(moved, mail=mail).deliver(at(LATER)) == Delivery(accepted=1)
    assert mail.addresses == ["office@example.org"]
    assert tasks(moved) == []


def test_an_address_that_refuses_again_after_lifting_is_suspended_again(one_mail: Ledger):
    armed(one_mail, mail=Wire(Fate.PERMANENT)).deliver(at(NOW))
    lift(one_mail, WOMEN, by="王", now=NOW)
    again = armed(one_mail, mail=Wire(Fate.PERMANENT)).deliver(at(NOW + MINUTE))
    assert again == Delivery(unreachable=1)
    assert tasks(one_mail) == [("suspended", WOMEN)]


def test_a_robot_is_not_asked_for_more_than_its_pace_across_restarts(ledger: Ledger):
    open_missing(ledger, NOW)
    there = reached_at(ledger, dict.fromkeys(ledger.registry.agencies, ROBOT))
    robot = Robot()
    sent: list[datetime] = []
    now = NOW
    while (due := next_at(there)) is not None:
        now = max(now, due)
        before = len(robot.parcels)
        armed(there, wecombot=robot).deliver(at(now))  # each time a new process would begin
        sent += [now] * (len(robot.parcels) - before)
    assert len(sent) >= 8
    assert all(later - earlier >= MINUTE for earlier, later in zip(sent, sent[3:], strict=False))
    assert sent[-1] - NOW <= MINUTE * (len(sent) // 3) + timedelta(seconds=10)
    assert set(robot.addresses) == {"wecombot://s3cret"}
    assert all(row.state == "sent" for row in letters(there))


def test_a_pace_costs_no_attempt_and_what_waits_is_spread(ledger: Ledger):
    open_missing(ledger, NOW)
    there = reached_at(ledger, dict.fromkeys(ledger.registry.agencies, ROBOT))
    done = armed(there).deliver(at(NOW))
    assert (done.accepted, done.put_off) == (3, 5)
    with reading(there.engine) as connection:
        waiting = connection.execute(
            select(Letter.not_before, Letter.attempts, Letter.payload)
            .where(Letter.state == "pending")
            .order_by(Letter.not_before)
        ).all()
    assert {(row.attempts, row.payload) for row in waiting} == {(0, None)}
    minutes = [(row.not_before - NOW) // MINUTE for row in waiting]
    assert minutes == [1, 1, 1, 2, 2]


def test_a_robot_that_closes_for_ten_minutes_is_left_alone_across_restarts(one_robot: Ledger):
    closed = Outcome(Fate.TEMPORARY, "130101", timedelta(minutes=10))
    assert armed(one_robot, wecombot=Robot(closed)).deliver(at(NOW)) == Delivery(put_off=1)
    resting = Robot()
    for minutes in (1, 5, 9):
        armed(one_robot, wecombot=resting).deliver(at(NOW + timedelta(minutes=minutes)))
    assert resting.parcels == []
    open_missing(one_robot, NOW + timedelta(days=40), clause="small/3")  # others are not held up
    later = NOW + timedelta(minutes=11)
    assert armed(one_robot, wecombot=resting).deliver(at(later)) == Delivery(accepted=1)


def test_a_closed_address_closes_for_every_letter_that_goes_there(ledger: Ledger):
    open_missing(ledger, NOW)
    there = reached_at(ledger, dict.fromkeys(ledger.registry.agencies, ROBOT))
    robot = Robot(Outcome(Fate.TEMPORARY, "130101", timedelta(minutes=10)))
    armed(there, wecombot=robot).deliver(at(NOW))
    armed(there, wecombot=robot).deliver(at(NOW + timedelta(minutes=9)))
    assert len(robot.parcels) == 1
    due = next_at(there)
    assert due is not None
    assert due >= NOW + timedelta(minutes=10)


def test_what_a_robot_has_no_room_for_goes_in_further_parts(one_robot: Ledger):
    robot = Robot()
    robot.limit = 700
    armed(one_robot, wecombot=robot).deliver(at(NOW))
    parts = letters(one_robot)
    assert [row.part for row in parts] == list(range(1, len(parts) + 1))
    assert len(parts) > 1
    assert {row.state for row in parts} == {"sent"}
    assert all(len(payload) <= 700 for payload in robot.payloads)
    text = "".join(payload.decode() for payload in robot.payloads)
    for title in ("家长课堂", "制定方案", "半年总结"):
        assert text.count(f". {title}") == 1
    with reading(one_robot.engine) as connection:
        counted = select(func.count()).where(Mention.letter_id.in_([row.id for row in parts]))
        assert connection.scalar(counted) == 3


def test_a_part_that_waits_takes_what_the_part_before_it_has_no_room_for(one_robot: Ledger):
    robot = Robot(Fate.TEMPORARY)
    robot.limit = 1000
    armed(one_robot, wecombot=robot).deliver(at(NOW), limit=1)
    assert [row.part for row in letters(one_robot)] == [1, 2]
    robot.limit = 700
    armed(one_robot, wecombot=robot).deliver(at(LATER), limit=1)
    assert len(letters(one_robot)) in (2, 3)
    for n in range(2, 9):
        armed(one_robot, wecombot=robot).deliver(at(LATER + n * MINUTE))
    text = "".join(payload.decode() for payload in robot.payloads[1:])
    for title in ("家长课堂", "制定方案", "半年总结"):
        assert text.count(f". {title}") == 1


def test_a_letter_says_which_letters_told_of_it_before(first_quarter: Office):
    run(first_quarter, days("2026-03-01", "2026-03-31"))
    chased = sorted(first_quarter.settings.letters.glob("*/东市妇联-催办*.eml"))
    assert "此前已于1月1日、3月13日" in plain(chased[0].read_bytes())


def test_after_an_outage_only_the_latest_rung_is_spoken(first_quarter: Office):
    broken = first_quarter.settings.letters
    broken.rename(broken.with_name("kept"))
    broken.write_text("a file where the folder should be")
    run(first_quarter, days("2026-03-01", "2026-03-25"))
    broken.unlink()
    run(first_quarter, ["2026-03-26"])
    names = [path.name for path in sorted(broken.glob("*/*.eml"))]
    assert len([name for name in names if name.startswith("东市妇联")]) == 1


@pytest.mark.parametrize("address", ["boss@example.org", None])
def test_the_coordinator_is_told_what_only_a_coordinator_can_do(
    ledger: Ledger, address: str | None
):
    coordinator = ledger.registry.coordinator.id
    there = reached_at(ledger, {coordinator: address})
    with change(there.engine, NOW, "test") as made:
        open_task(made, "no-contact", WOMEN)
        made.session.add(
            Letter(
                recipient=coordinator,
                channel="mail" if address else "drop",
                day=date(2026, 1, 5),
                kind=Kind.TASKS.value,
                state="pending",
                not_before=NOW,
            )
        )
    wire = Wire()
    done = armed(there, **{"mail" if address else "drop": wire}).deliver(at(NOW))
    assert done == Delivery(accepted=1)  # never a task about itself
    assert "东市妇联" in plain(wire.payloads[0])
    assert tasks(there) == [("no-contact", WOMEN)]


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=365)])
def test_a_clock_put_back_sends_nothing_again_and_holds_nothing_up(ledger: Ledger, jump: timedelta):
    open_missing(ledger, NOW)
    ahead = NOW + jump
    wire = Wire(Fate.TEMPORARY, Fate.AMBIGUOUS, PowerCut())
    with pytest.raises(PowerCut):
        post(ledger, wire).deliver(at(ahead))
    seen = len(wire.parcels)
    soon = NOW + LONGEST_PAUSE + timedelta(days=2)
    for moment in (NOW, NOW + timedelta(hours=2), soon, soon + LONGEST_PAUSE):
        post(ledger, wire).deliver(at(moment))
    names = [parcel.name for parcel in wire.parcels[seen:]]
    assert len(names) == len(set(names))
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).where(Letter.state == "pending")) == 0
    assert post(ledger, wire).deliver(at(ahead + timedelta(days=1))) == Delivery()


def test_a_clock_put_back_does_not_close_a_robot(one_robot: Ledger):
    closed = Outcome(Fate.TEMPORARY, "130101", timedelta(minutes=10))
    ahead = NOW + timedelta(days=365)
    armed(one_robot, wecombot=Robot(closed)).deliver(at(ahead))
    assert armed(one_robot).deliver(at(NOW + timedelta(days=2))) == Delivery(accepted=1)


def test_the_earliest_moment_at_which_a_letter_can_go_is_known(one_letter: Ledger):
    assert next_at(one_letter) == NOW
    with pytest.raises(PowerCut):
        post(one_letter, Wire(PowerCut())).deliver(at(NOW))
    assert next_at(one_letter) == NOW + LEASE
    post(one_letter, Wire(Fate.TEMPORARY)).deliver(at(LATER))
    due = next_at(one_letter)
    assert due is not None
    assert LATER < due <= LATER + timedelta(minutes=1)
    post(one_letter, Wire()).deliver(at(due))
    assert next_at(one_letter) is None


def test_a_limit_bounds_one_delivery(ledger: Ledger):
    open_missing(ledger, NOW)
    assert post(ledger, Wire()).deliver(at(NOW), limit=3) == Delivery(accepted=3)
    assert post(ledger, Wire()).deliver(at(NOW), limit=0) == Delivery()


def test_a_long_backlog_goes_in_its_order_and_a_bad_address_waits_behind(ledger: Ledger):
    """Ten thousand rows: every letter is claimed in a look at a few rows, the oldest first."""
    backlog(ledger, 10_000)
    wire = Wire(Fate.TEMPORARY)
    post(ledger, wire).deliver(at(NOW), limit=100)
    days = [parcel.day for parcel in wire.parcels]
    assert days == sorted(days)
    assert len(days) == 100
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).where(Letter.state == "sent")) == 99


def test_a_channel_that_keeps_failing_rests_and_spends_nobodys_attempts(ledger: Ledger):
    """A server that hangs would cost every letter of a backlog its half minute."""
    backlog(ledger, 100)
    down = Wire(*[Fate.TEMPORARY] * 1000)
    done = post(ledger, down).deliver(at(NOW))
    assert (len(down.parcels), done) == (20, Delivery(put_off=100))
    with reading(ledger.engine) as connection:
        untried = select(func.count()).where(Letter.state == "pending", Letter.attempts == 0)
        assert connection.scalar(untried) == 80
    assert post(ledger, Wire()).deliver(at(LATER)) == Delivery(accepted=100)


def backlog(ledger: Ledger, count: int) -> None:
    """Copies the first duty's letter to a day of its own, many times."""
    open_missing(ledger, NOW, clause="small/1")
    [duty] = duties(ledger, agency=WOMEN)
    with ledger.engine.begin() as connection:
        connection.execute(update(Letter).values(state="suppressed"))
        rows = [
            {
                "id": 1000 + n,
                "recipient": WOMEN,
                "channel": "drop",
                "kind": "assign",
                "day": date(2000, 1, 1) + timedelta(days=n // 10),
                "part": n % 10 + 1,
                "state": "pending",
                "not_before": NOW - timedelta(seconds=count - n),
                "attempts": 0,
                "fence": 0,
            }
            for n in range(count)
        ]
        connection.execute(insert(Letter), rows)
        said = [
            {
                "duty_id": duty.id,
                "letter_id": 1000 + n,
                "recipient": WOMEN,
                "round": 1,
                "rung": "assign",
                "n": n + 2,
                "day": date(2026, 1, 5),
            }
            for n in range(min(count, 200))
        ]
        connection.execute(insert(Mention), said)


def test_no_secret_of_an_address_is_kept_or_shown(
    one_robot: Ledger, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    robot = Robot(Fate.TEMPORARY, Fate.PERMANENT)
    for moment in (NOW, LATER):
        armed(one_robot, wecombot=robot).deliver(at(moment))
    assert set(robot.addresses) == {"wecombot://s3cret"}
    assert "s3cret" not in "".join(everything(one_robot))
    assert "s3cret" not in caplog.text
    agency = one_robot.registry.agencies[WOMEN]
    routes = Routes(True, {"KEY": "s3cret"})
    assert routes.to(agency).address == "wecombot://s3cret"
    assert "s3cret" not in f"{routes} {routes.to(agency)}"


def everything(ledger: Ledger) -> Iterator[str]:
    """Every row of the ledger."""
    with reading(ledger.engine) as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield repr(tuple(row))


def test_a_fresh_ledger_is_disarmed_and_arming_is_recorded(office: Office):
    assert not office.armed()
    office.arm(True, by="王", now=NOW)
    assert office.armed()
    office.arm(False, by="王", now=NOW)
    assert not office.armed()


def test_a_dropped_letter_opens_in_a_mail_program(office: Office):
    office.tick(NOW)
    [path] = office.settings.letters.glob("2026-01-05/东市妇联-交办.eml")
    message = opened(path.read_bytes())
    assert message["Subject"] == "【交办】小事督办事项 3 项（2026年1月5日）"
    assert message["From"] == "duban@localhost"
    assert len(message.get_all("Message-ID") or []) == 1
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_filename() for part in message.iter_attachments()] == [
        "督办单 省教督办〔2026〕2号.docx"
    ]
    html = message.get_body(("html",))
    assert html is not None
    for text in (plain(path.read_bytes()), str(html.get_content())):
        for part in (
            "东市妇联：",
            "省教〔2025〕1号",
            "“妇联每季度报告家长课堂”",
            "时限：2026年3月20日",
            "课堂数（堂）",
            "省教育厅",
        ):
            assert part in text


def test_every_letter_has_a_message_id_of_its_own(office: Office):
    office.tick(NOW)
    paths = list(office.settings.letters.glob("*/*.eml"))
    ids = {opened(path.read_bytes())["Message-ID"] for path in paths}
    assert len(ids) == len(paths) == 8


def test_to_names_the_address_or_nobody_a_mail_program_would_try(office: Office):
    office.tick(NOW)
    to: dict[str, str] = {
        path.stem: str(opened(path.read_bytes())["To"])
        for path in office.settings.letters.glob("*/*交办.eml")
    }
    assert to["共青团东市委-交办"] == "youth@example.org"
    assert "@" not in to["东市妇联-交办"]


def test_a_full_disk_is_a_temporary_failure(office: Office, tmp_path: Path):
    office.settings.home.mkdir(parents=True)
    office.settings.letters.write_text("a file where the folder should be")
    done = office.tick(NOW)
    assert done.delivery == Delivery(put_off=8)
    office.settings.letters.unlink()
    assert office.tick(LATER).delivery == Delivery(accepted=8)


def test_a_letter_dated_later_stays(ledger: Ledger):
    open_missing(ledger, NOW)
    assert post(ledger, Wire()).deliver(at(NOW - timedelta(seconds=1))) == Delivery()
