"""The outbox: what every fate of an attempt leads to, crashes and late workers among them."""

import email
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import select

from duban.channels import Fate, Outcome, Parcel
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.outbox import LEASE, MOST_ATTEMPTS, Delivery, Post, pause
from duban.ledger.questions import duties, outbox
from duban.ledger.tables import Attempt, Letter
from duban.office import Office
from tests.conftest import china

NOW = china("2026-01-05")
LATER = NOW + timedelta(minutes=10)


class PowerCut(Exception):
    """The process ends between sending and marking."""


class Wire:
    """A channel that keeps what it was given and answers as told, accepting when not told."""

    def __init__(self, *answers: Fate | Exception | Callable[[], Fate]) -> None:
        self.answers = list(answers)
        self.parcels: list[Parcel] = []

    def send(self, parcel: Parcel) -> Outcome:
        self.parcels.append(parcel)
        answer = self.answers.pop(0) if self.answers else Fate.ACCEPTED
        if isinstance(answer, Exception):
            raise answer
        return Outcome(answer if isinstance(answer, Fate) else answer(), "as told")

    @property
    def payloads(self) -> list[bytes]:
        return [parcel.payload for parcel in self.parcels]


@pytest.fixture
def one_letter(ledger: Ledger) -> Ledger:
    """One letter waits: to 东/妇联, with the duties of clauses 1, 4 and 6."""
    open_missing(ledger, NOW)
    with ledger.engine.begin() as connection:
        connection.execute(
            Letter.__table__.update()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
            .where((Letter.recipient != "东/妇联") | (Letter.kind != "assign"))
            .values(state="suppressed")
        )
    return ledger


def post(ledger: Ledger, wire: Wire) -> Post:
    return Post(ledger, {"drop": wire, "apprise": Wire(PowerCut())}, lambda: False, "d@localhost")


def letter(ledger: Ledger) -> Letter:
    question = select(Letter.__table__).where(
        Letter.recipient == "东/妇联", Letter.kind == "assign"
    )
    with reading(ledger.engine) as connection:
        return Letter(**connection.execute(question).mappings().one())


def attempts(ledger: Ledger) -> list[str]:
    with reading(ledger.engine) as connection:
        return list(connection.scalars(select(Attempt.outcome).order_by(Attempt.id)))


def submit(ledger: Ledger, clause: str) -> None:
    [duty] = duties(ledger, agency="东/妇联", clause=f"small/{clause}")
    acts.submit(ledger, duty.id, Checked({}, ()), [], by="东/妇联", now=NOW)


def opened(payload: bytes) -> EmailMessage:
    return email.message_from_bytes(payload, policy=default)


def plain(payload: bytes) -> str:
    part = opened(payload).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_an_accepted_letter_is_sent_once(one_letter: Ledger):
    wire = Wire()
    assert post(one_letter, wire).deliver(NOW) == Delivery(accepted=1)
    assert post(one_letter, wire).deliver(LATER) == Delivery()
    sent = letter(one_letter)
    assert (sent.state, sent.sent_at, sent.sent_via, sent.attempts) == ("sent", NOW, "drop", 1)
    assert len(wire.parcels) == 1


def test_a_temporary_failure_is_tried_later_and_written_anew(one_letter: Ledger):
    wire = Wire(Fate.TEMPORARY)
    assert post(one_letter, wire).deliver(NOW) == Delivery(put_off=1)
    assert (letter(one_letter).state, letter(one_letter).payload) == ("pending", None)
    assert outbox(one_letter).trouble == "as told"
    submit(one_letter, "1")
    assert post(one_letter, wire).deliver(LATER) == Delivery(accepted=1)
    first, second = map(plain, wire.payloads)
    assert "家长课堂" in first
    assert "家长课堂" not in second
    assert "制定方案" in second
    assert attempts(one_letter) == ["temporary", "accepted"]


def test_a_temporary_failure_with_nothing_left_to_say_ends_there(one_letter: Ledger):
    wire = Wire(Fate.TEMPORARY)
    post(one_letter, wire).deliver(NOW)
    for clause in ("1", "4", "6"):
        submit(one_letter, clause)
    assert post(one_letter, wire).deliver(LATER) == Delivery()
    assert letter(one_letter).state == "suppressed"


def test_after_an_ambiguous_outcome_the_same_bytes_go_again(one_letter: Ledger):
    wire = Wire(Fate.AMBIGUOUS)
    assert post(one_letter, wire).deliver(NOW) == Delivery(put_off=1)
    submit(one_letter, "1")
    assert post(one_letter, wire).deliver(LATER) == Delivery(accepted=1)
    assert wire.payloads[0] == wire.payloads[1]


def test_a_permanent_failure_is_the_end(one_letter: Ledger):
    wire = Wire(Fate.PERMANENT)
    assert post(one_letter, wire).deliver(NOW) == Delivery(dead=1)
    assert post(one_letter, wire).deliver(LATER) == Delivery()
    assert letter(one_letter).state == "dead"
    assert outbox(one_letter).dead == 1


def test_a_letter_is_given_up_after_twelve_attempts(one_letter: Ledger):
    wire = Wire(*[Fate.TEMPORARY] * 20)
    for n in range(20):
        post(one_letter, wire).deliver(NOW + n * timedelta(hours=7))
    assert len(wire.parcels) == MOST_ATTEMPTS == 12
    assert letter(one_letter).state == "dead"


@pytest.mark.parametrize(
    ("attempt", "bound"),
    [(1, timedelta(seconds=30)), (2, timedelta(minutes=1)), (12, timedelta(hours=6))],
)
def test_pauses_grow_to_six_hours(attempt: int, bound: timedelta):
    assert all(timedelta(0) <= pause(attempt) <= bound for _ in range(100))


def test_a_crash_between_sending_and_marking_sends_the_same_bytes_once_more(one_letter: Ledger):
    wire = Wire(PowerCut())
    with pytest.raises(PowerCut):
        post(one_letter, wire).deliver(NOW)
    submit(one_letter, "1")  # frozen is frozen: the first may have arrived
    assert post(one_letter, wire).deliver(NOW + LEASE) == Delivery()  # the lease still holds
    assert post(one_letter, wire).deliver(LATER) == Delivery(accepted=1)
    assert post(one_letter, wire).deliver(LATER + timedelta(days=1)) == Delivery()
    assert wire.payloads[0] == wire.payloads[1]
    assert opened(wire.payloads[0])["Message-ID"] == opened(wire.payloads[1])["Message-ID"]


def test_an_expired_lease_is_taken_over_and_the_late_worker_marks_nothing(one_letter: Ledger):
    quick = Wire()

    def meanwhile() -> Fate:
        assert post(one_letter, quick).deliver(LATER) == Delivery(accepted=1)
        return Fate.PERMANENT  # comes too late to count

    assert post(one_letter, Wire(meanwhile)).deliver(NOW) == Delivery()
    sent = letter(one_letter)
    assert (sent.state, sent.sent_at, sent.fence) == ("sent", LATER, 2)
    assert attempts(one_letter) == ["accepted", "permanent"]  # both tries are on record


def test_a_held_letter_is_nobody_elses(one_letter: Ledger):
    other = Wire()

    def meanwhile() -> Fate:
        assert post(one_letter, other).deliver(NOW) == Delivery()
        return Fate.ACCEPTED

    assert post(one_letter, Wire(meanwhile)).deliver(NOW) == Delivery(accepted=1)
    assert other.parcels == []


def test_one_bad_address_holds_up_nobody_else(ledger: Ledger):
    open_missing(ledger, NOW)
    wire = Wire(Fate.PERMANENT, Fate.TEMPORARY, Fate.AMBIGUOUS)
    done = post(ledger, wire).deliver(NOW)
    assert (done.dead, done.put_off, done.accepted) == (1, 2, 5)


def youth_letters(parcels: list[Parcel]) -> list[str]:
    return [parcel.recipient.id for parcel in parcels if parcel.recipient.contact.channel]


@pytest.mark.parametrize("armed", [False, True])
def test_only_armed_sending_leaves_through_a_real_channel(ledger: Ledger, armed: bool):
    open_missing(ledger, NOW)
    drop, apprise = Wire(), Wire()
    Post(ledger, {"drop": drop, "apprise": apprise}, lambda: armed, "d@localhost").deliver(NOW)
    assert youth_letters(drop.parcels) == ([] if armed else ["东/共青团"])
    assert youth_letters(apprise.parcels) == (["东/共青团"] if armed else [])
    assert len(drop.parcels) + len(apprise.parcels) == 8
    assert drop.parcels, "who has no address gets a file either way"


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
    assert message.get_content_type() == "multipart/alternative"
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
    earlier: datetime = NOW - timedelta(seconds=1)
    assert post(ledger, Wire()).deliver(earlier) == Delivery()
