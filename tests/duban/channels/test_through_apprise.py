"""Apprise against a real mail server on loopback."""

import email
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from duban.channels import Fate, Parcel
from duban.channels.through_apprise import ThroughApprise
from duban.office import Office
from duban.registry import Agency, Contact
from tests.conftest import china

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # Apprise's own import


class Mailbox:
    """Takes every mail but those to addresses it was told to refuse."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refused = {"nobody@example.org"}

    async def handle_RCPT(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=default)
        self.mails.append((list(envelope.rcpt_tos), message))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def sender(mailbox: Mailbox) -> Iterator[str]:
    """The Apprise address of an account on the server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"mailto://127.0.0.1:{port}/?mode=insecure&from=duban@example.org"
    controller.stop()


def agency(channel: str | None) -> Agency:
    return Agency(
        id="东/共青团",
        name="共青团东市委",
        region="东",
        region_name="东市",
        level="city",
        department="共青团",
        superior=None,
        contact=Contact(channel=channel),
    )


def parcel(channel: str) -> Parcel:
    message = EmailMessage()
    message["Subject"] = "【交办】小事"
    message.set_content("妇联每季度报告")
    message.add_alternative("<p>妇联每季度报告</p>", subtype="html")
    return Parcel("共青团-交办", "2026-01-05", agency(channel), message.as_bytes())


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_a_letter_arrives_at_the_agencys_address(mailbox: Mailbox, sender: str):
    outcome = ThroughApprise(sender, {}).send(parcel("youth@example.org"))
    assert outcome.fate is Fate.ACCEPTED
    [(to, message)] = mailbox.mails
    assert to == ["youth@example.org"]
    assert message["Subject"] == "【交办】小事"
    assert "妇联每季度报告" in html_of(message)


def test_a_refused_address_is_put_off_and_nothing_secret_is_said(mailbox: Mailbox, sender: str):
    outcome = ThroughApprise(sender, {}).send(parcel("nobody@example.org"))
    assert (outcome.fate, outcome.detail) == (Fate.TEMPORARY, "refused")
    assert mailbox.mails == []


def test_an_unreachable_server_is_a_temporary_failure():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mailto://127.0.0.1:{taken.getsockname()[1]}/?mode=insecure&from=d@example.org"
        assert ThroughApprise(url, {}).send(parcel("a@example.org")).fate is Fate.TEMPORARY


def test_without_a_mail_account_a_letter_waits_and_says_what_to_set():
    outcome = ThroughApprise(None, {}).send(parcel("youth@example.org"))
    assert outcome.fate is Fate.TEMPORARY
    assert "DUBAN_MAIL_SENDER" in outcome.detail


def test_an_address_that_apprise_does_not_know_is_the_end():
    outcome = ThroughApprise(None, {"KEY": "s3cret"}).send(parcel("nosuch://${KEY}"))
    assert outcome.fate is Fate.PERMANENT
    assert "s3cret" not in outcome.detail


def test_a_secret_is_taken_from_the_environment(mailbox: Mailbox, sender: str):
    through = ThroughApprise(None, {"ACCOUNT": sender.removeprefix("mailto://")})
    outcome = through.send(parcel("mailto://${ACCOUNT}&to=youth@example.org"))
    assert outcome.fate is Fate.ACCEPTED
    assert [to for to, _ in mailbox.mails] == [["youth@example.org"]]


def test_an_armed_office_mails_who_has_an_address_and_drops_the_rest(
    office: Office, mailbox: Mailbox, sender: str
):
    settings = office.settings.model_copy(update={"mail_sender": sender})
    office = Office(settings, office.ledger)
    office.arm(True, by="王", now=china("2026-01-05"))
    assert office.tick(china("2026-01-05")).delivery.accepted == 8
    [(to, message)] = mailbox.mails
    assert to == ["youth@example.org"]
    assert "鼓励共青团每月开展活动" in html_of(message)
    assert len(list(settings.letters.glob("*/*.eml"))) == 7
