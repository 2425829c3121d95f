"""Mail against a server that answers, refuses, hangs and drops as it is told."""

import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from duban.channels import Fate
from duban.channels import mail as module
from duban.channels.mail import Mail
from tests.duban.channels.conftest import MAIL, MakeParcel
from tests.servers import Answer, Drip, Drop, Hang, SmtpSink, Stage

TO = "youth@example.org"
DEADLINE, SOON = 5.0, 0.3  # seconds; the latter where the server keeps us waiting
A, T, P, U = Fate.ACCEPTED, Fate.TEMPORARY, Fate.PERMANENT, Fate.AMBIGUOUS


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def mail(sink: SmtpSink) -> Iterator[Mail]:
    channel = Mail(sink.sender, DEADLINE)
    yield channel
    channel.close()


def test_the_letters_own_bytes_go_to_one_recipient_over_one_connection(
    sink: SmtpSink, mail: Mail, make_parcel: MakeParcel
):
    for _ in range(3):
        assert mail.send(make_parcel(), TO).fate is A
    assert [(m.sender, m.recipients, m.content) for m in sink.mails] == [
        ("duban@example.org", (TO,), MAIL)
    ] * 3
    assert sink.copies == {"<a1@example.org>": 3}
    assert sink.connected == 1


@pytest.mark.parametrize(
    ("payload", "arrives"),
    [
        (b"a: b\r\n\r\n.\r\n..\r\n.x\r\n", b"a: b\r\n\r\n.\r\n..\r\n.x\r\n"),
        (b".a\nb\rc", b".a\r\nb\r\nc\r\n"),
        (b"\n.\nMAIL FROM:<x@y>\n", b"\r\n.\r\nMAIL FROM:<x@y>\r\n"),
        ("信\r\n".encode(), "信\r\n".encode()),
        (b"", b"\r\n"),
    ],
)
def test_no_line_of_a_letter_can_end_it(
    payload: bytes, arrives: bytes, sink: SmtpSink, mail: Mail, make_parcel: MakeParcel
):
    assert mail.send(make_parcel(payload), TO).fate is A
    assert [m.content for m in sink.mails] == [arrives]


@pytest.mark.parametrize(
    ("stage", "answer", "fate"),
    [
        ("connect", "421 busy", T),
        ("connect", "554 go away", T),
        ("connect", Drop(), T),
        ("connect", Drop(reset=True), T),
        ("ehlo", Drop(), T),
        ("mail", "421 bye", T),
        ("mail", "451 later", T),
        ("mail", "530 log in first", T),
        ("mail", "535 who are you", T),
        ("mail", "550 not your address", T),
        ("mail", Drop(), T),
        ("rcpt", "251 will forward", A),
        ("rcpt", "421 bye", T),
        ("rcpt", "450 greylisted", T),
        ("rcpt", "451 later", T),
        ("rcpt", "521 no mail here", P),
        ("rcpt", "550 no such mailbox", P),
        ("rcpt", "550 5.1.1 no such mailbox", P),
        ("rcpt", "551 moved", P),
        ("rcpt", "553 bad name", P),
        ("rcpt", "530 log in first", T),
        ("rcpt", "552 mailbox full", T),
        ("rcpt", "554 5.7.1 relaying denied", T),
        ("rcpt", Drop(), T),
        ("data", "421 bye", T),
        ("data", "451 later", T),
        ("data", "550 no", P),
        ("data", "554 no", P),
        ("data", Drop(), T),
        ("dot", "421 bye", T),
        ("dot", "452 disk full", T),
        ("dot", "550 spam", P),
        ("dot", "552 too big", T),
        ("dot", "554 spam", P),
        ("dot", Drop(), U),
        ("dot", Drop(reset=True), U),
    ],
)
def test_every_answer_has_its_meaning(
    stage: Stage, answer: Answer, fate: Fate, sink: SmtpSink, make_parcel: MakeParcel
):
    sink.next(stage, answer)
    mail = Mail(sink.sender, DEADLINE)
    outcome = mail.send(make_parcel(), TO)
    assert outcome.fate is fate
    assert len(sink.mails) == (fate in (A, U))
    if isinstance(answer, str):
        assert fate is A or answer[:3] in outcome.detail
    assert mail.send(make_parcel(), TO).fate is A, "what failed must not spoil the next"


@pytest.mark.parametrize("how", [Hang(), Drip("250 " + "x" * 500, pause=0.05)])
@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "dot"])
def test_a_server_that_hangs_or_drips_is_left_at_the_deadline(
    stage: Stage, how: Answer, sink: SmtpSink, make_parcel: MakeParcel
):
    sink.next(stage, how)
    began = monotonic()
    outcome = Mail(sink.sender, SOON).send(make_parcel(), TO)
    assert outcome.fate is (U if stage == "dot" else T)
    assert "timed out" in outcome.detail
    assert monotonic() - began < 15


def test_a_server_that_stops_reading_is_left_at_the_deadline(
    sink: SmtpSink, make_parcel: MakeParcel
):
    sink.next("data", Hang("354 go on"))
    outcome = Mail(sink.sender, SOON).send(make_parcel(b"x" * 30_000_000), TO)
    assert outcome.fate is T
    assert sink.mails == []


def test_the_deadline_bounds_the_whole_letter_not_each_step(
    sink: SmtpSink, make_parcel: MakeParcel
):
    for stage in ("connect", "mail", "rcpt"):
        sink.next(stage, Drip("220 ok" if stage == "connect" else "250 ok", pause=0.025))
    outcome = Mail(sink.sender, SOON).send(make_parcel(), TO)
    assert (outcome.fate, sink.mails) == (T, [])


def test_an_unreachable_server_is_a_temporary_failure(make_parcel: MakeParcel):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mailto://127.0.0.1:{taken.getsockname()[1]}/?mode=insecure&from=d@example.org"
        outcome = Mail(url, DEADLINE).send(make_parcel(), TO)
    assert outcome.fate is T
    assert "refused" in outcome.detail


def test_a_server_that_does_not_answer_the_handshake_is_left_at_the_deadline(
    trust: None, make_parcel: MakeParcel
):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"mailto://127.0.0.1:{silent.getsockname()[1]}/?mode=ssl&from=d@example.org"
        outcome = Mail(url, SOON).send(make_parcel(), TO)
    assert outcome.fate is T
    assert "timed out" in outcome.detail


def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew_unseen(
    sink: SmtpSink, mail: Mail, make_parcel: MakeParcel
):
    assert mail.send(make_parcel(), TO).fate is A
    sink.hang_up()
    assert mail.send(make_parcel(), TO).fate is A
    sink.next("mail", "421 idle too long")
    assert mail.send(make_parcel(), TO).fate is A
    assert (len(sink.mails), sink.connected) == (3, 3)


def test_after_a_refusal_nothing_more_is_said_on_that_connection(
    sink: SmtpSink, mail: Mail, make_parcel: MakeParcel
):
    sink.refused = {"nobody@example.org"}
    fates = [mail.send(make_parcel(), to).fate for to in (TO, "nobody@example.org", TO)]
    assert fates == [A, P, A]
    assert sum(line.startswith("mail ") for line in sink.said) == 3
    assert sink.connected == 2


def test_a_kept_connection_that_hangs_costs_no_more_than_the_deadline(
    sink: SmtpSink, make_parcel: MakeParcel
):
    mail = Mail(sink.sender, 1)
    assert mail.send(make_parcel(), TO).fate is A
    sink.next("mail", Hang())
    outcome = mail.send(make_parcel(), TO)
    assert (outcome.fate, outcome.detail) == (T, "not handed over: timed out")
    assert mail.send(make_parcel(), TO).fate is A
    assert len(sink.mails) == 2


def test_a_connection_left_alone_for_long_is_not_trusted_again(
    sink: SmtpSink, mail: Mail, make_parcel: MakeParcel, monkeypatch: pytest.MonkeyPatch
):
    assert mail.send(make_parcel(), TO).fate is A
    monkeypatch.setattr(module, "IDLE", 0)
    assert mail.send(make_parcel(), TO).fate is A
    assert sink.connected == 2


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "ssl"])
def test_an_account_speaks_under_tls_and_with_its_password(
    implicit: bool, certificate: Path, trust: None, make_parcel: MakeParcel
):
    account = ("duban", "p@ss:w/rd")
    with SmtpSink(certificate=certificate, implicit=implicit, account=account) as sink:
        mail = Mail(sink.sender.replace("p@ss:w/rd", "p%40ss%3Aw%2Frd"), 2)
        assert [mail.send(make_parcel(), TO).fate for _ in range(2)] == [A, A]
        mail.close()
        assert [line for line in sink.said if line.startswith("AUTH")] == [
            "AUTH PLAIN AGR1YmFuAHBAc3M6dy9yZA=="
        ]


def test_a_refused_password_is_our_fault_and_not_repeated(
    certificate: Path, trust: None, make_parcel: MakeParcel
):
    with SmtpSink(certificate=certificate, account=("duban", "hunter2")) as sink:
        url = sink.sender
        sink.account = ("duban", "changed")
        outcome = Mail(url, 2).send(make_parcel(), TO)
    assert outcome.fate is T
    assert outcome.detail == "535: our account was refused; check DUBAN_MAIL_SENDER"


def test_a_server_that_nobody_vouches_for_is_told_nothing(
    certificate: Path, make_parcel: MakeParcel
):
    with SmtpSink(certificate=certificate, account=("duban", "hunter2")) as sink:
        outcome = Mail(sink.sender + "&verify=no", 2).send(make_parcel(), TO)
        assert [line.split()[0].upper() for line in sink.said] == ["EHLO", "STARTTLS"]
    assert outcome.fate is T
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail


def test_a_server_without_the_tls_that_was_asked_for_gets_no_letter(
    sink: SmtpSink, make_parcel: MakeParcel
):
    url = sink.sender.replace("insecure", "starttls")
    outcome = Mail(url, DEADLINE).send(make_parcel(), TO)
    assert (outcome.fate, sink.mails) == (T, [])
    assert "STARTTLS" in outcome.detail


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "no mail account: set DUBAN_MAIL_SENDER"),
        ("", "no mail account: set DUBAN_MAIL_SENDER"),
        ("json://s3cret", "DUBAN_MAIL_SENDER is no mailto(s):// account"),
        ("s3cret", "DUBAN_MAIL_SENDER is no mailto(s):// account"),
        ("mailto://s3cret", "DUBAN_MAIL_SENDER is no mailto(s):// account"),
        (
            "mailto://a:s3cret@example.org?mode=s3cret",
            "DUBAN_MAIL_SENDER is no mailto(s):// account",
        ),
    ],
)
def test_without_a_usable_account_a_letter_waits_and_says_what_to_set(
    url: str | None, says: str, make_parcel: MakeParcel
):
    outcome = Mail(url).send(make_parcel(), TO)
    assert (outcome.fate, outcome.detail) == (T, says)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "youth",
        "a@b@c",
        "a@x.org, b@x.org",
        "a@x.org\r\nRCPT TO:<b@x.org>",
        "<a@x.org>",
        "张@例子.中国",
        "https://hooks.example.org/s3cret@x",
    ],
)
def test_what_is_no_plain_address_is_the_end_and_is_not_repeated(
    address: str, sink: SmtpSink, mail: Mail, make_parcel: MakeParcel
):
    outcome = mail.send(make_parcel(), address)
    assert (outcome.fate, sink.said) == (P, [])
    assert outcome.detail == "not a plain ASCII e-mail address"
