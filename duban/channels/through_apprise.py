"""Any address that Apprise speaks: mail through a mailto(s):// sender, robots, webhooks."""

import email
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import default
from urllib.parse import quote

from apprise import Apprise, NotifyFormat

from duban.channels import Fate, Outcome, Parcel

_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class ThroughApprise:
    """Sends to the recipient's channel address; mail addresses go through the sender's URL.

    Args:
        mail_sender: an Apprise mailto:// or mailtos:// URL of the sending account, or None.
        environment: where the `${NAME}`s of addresses are looked up.
    """

    def __init__(self, mail_sender: str | None, environment: Mapping[str, str]) -> None:
        self.mail_sender = mail_sender
        self.environment = environment

    def send(self, parcel: Parcel) -> Outcome:
        """One letter to one address. Apprise tells only yes or no, so a no is temporary."""
        url = self._url(parcel.recipient.contact.channel or "")
        if url is None:
            return Outcome(Fate.TEMPORARY, "no mail account: set DUBAN_MAIL_SENDER")
        service = Apprise()
        if not service.add(url):  # pyright: ignore[reportUnknownMemberType]
            return Outcome(Fate.PERMANENT, "the address is not one that Apprise understands")
        letter = email.message_from_bytes(parcel.payload, policy=default)
        body, form = _body(letter, html=url.startswith("mailto"))
        sent = service.notify(body=body, title=str(letter["Subject"]), body_format=form)
        return Outcome(Fate.ACCEPTED if sent else Fate.TEMPORARY, "" if sent else "refused")

    def _url(self, channel: str) -> str | None:
        if "://" in channel:
            return _REFERENCE.sub(lambda match: self.environment.get(match[1], ""), channel)
        if not self.mail_sender:
            return None
        joiner = "&" if "?" in self.mail_sender else "?"
        return f"{self.mail_sender}{joiner}to={quote(channel)}"


def _body(letter: EmailMessage, *, html: bool) -> tuple[str, NotifyFormat]:
    part = letter.get_body(("html",) if html else ("plain",))
    assert part is not None, "every letter has both parts"
    return part.get_content(), NotifyFormat.HTML if html else NotifyFormat.TEXT
