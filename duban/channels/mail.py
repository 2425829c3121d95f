"""Mail over one kept connection: the letter's own bytes, one recipient at a time."""

import re
import smtplib
import socket
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any, cast

from duban.channels import Fate, Form, Outcome, Pace, Parcel
from duban.channels.network import Deadline, hush, shown, trusted

IDLE = 60.0
"""Seconds after which a kept connection is not used again."""

_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_OURS = {500, 501, 502, 503, 504, 530, 535}
"""Refusals that blame the way we speak or our account, whoever the recipient is."""
_FULL = 552


@dataclass(frozen=True, slots=True)
class _Account:
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    mode: str
    sender: str


class Mail:
    """Sends from the account of an Apprise mailto(s):// URL, which also knows large providers.

    Args:
        sender_url: the account, with its password; None if there is none.
        deadline: seconds one letter may take, connecting included.
    """

    form = Form.MAIL
    limit: int | None = None
    pace: Pace | None = None

    def __init__(self, sender_url: str | None, deadline: float = 30.0) -> None:
        hush()
        self._sender_url = sender_url
        self._seconds = deadline
        self._line: _Line | None = None
        self._used = 0.0

    def send(self, parcel: Parcel, address: str) -> Outcome:
        """Gives one letter to the account's server."""
        if not self._sender_url:
            return Outcome(Fate.TEMPORARY, "no mail account: set DUBAN_MAIL_SENDER")
        if self._account is None:
            return Outcome(Fate.TEMPORARY, "DUBAN_MAIL_SENDER is no mailto(s):// account")
        if not _PLAIN.fullmatch(address):
            return Outcome(Fate.PERMANENT, "not a plain ASCII e-mail address")
        outcome = self._attempt(self._account, parcel.payload, address)
        if outcome.fate is not Fate.ACCEPTED:
            self._hang_up()
        return outcome

    def close(self) -> None:
        """Takes leave of the server; the next letter connects anew."""
        if self._line:
            with suppress(OSError, smtplib.SMTPException):
                self._line.deadline = Deadline(1.0)
                self._line.quit()
        self._hang_up()

    @cached_property
    def _account(self) -> _Account | None:
        return _read_account(self._sender_url or "")

    def _attempt(self, account: _Account, payload: bytes, address: str) -> Outcome:
        try:
            line = self._begin(account, Deadline(self._seconds))
            return self._hand_over(line, payload, address)
        except smtplib.SMTPAuthenticationError as error:
            said = f"{error.smtp_code}: our account was refused; check DUBAN_MAIL_SENDER"
            return Outcome(Fate.TEMPORARY, said)
        except smtplib.SMTPResponseException as error:
            return self._refused("our account or server", error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            return Outcome(Fate.TEMPORARY, self._shown(f"not handed over: {error}"))

    def _begin(self, account: _Account, deadline: Deadline) -> "_Line":
        """A connection on which MAIL is accepted, the kept one if it still is any good."""
        if self._line and monotonic() - self._used < IDLE:
            self._line.deadline = deadline
            with suppress(OSError, smtplib.SMTPException):
                if self._line.mail(account.sender)[0] == 250:
                    return self._line
        self._hang_up()
        self._line = _connect(account, deadline)
        code, said = self._line.mail(account.sender)
        if code != 250:
            raise smtplib.SMTPResponseException(code, said)
        return self._line

    def _hand_over(self, line: "_Line", payload: bytes, address: str) -> Outcome:
        code, said = line.rcpt(address)
        if code not in (250, 251):
            return self._refused("RCPT", code, said, final=_final(code, said))
        code, said = line.docmd("DATA")
        if code != 354:
            return self._refused("DATA", code, said, final=code in (550, 554))
        line.send(_dotted(payload))
        try:
            code, said = line.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Outcome(Fate.AMBIGUOUS, self._shown(f"no answer after the letter: {error}"))
        if code != 250:
            return self._refused("the letter", code, said, final=code in (550, 554))
        self._used = monotonic()
        return Outcome(Fate.ACCEPTED, self._shown(_text(said)))

    def _refused(self, stage: str, code: int, said: bytes | str, *, final: bool = False) -> Outcome:
        detail = self._shown(f"{code} to {stage}: {_text(said)}")
        return Outcome(Fate.PERMANENT if final else Fate.TEMPORARY, detail)

    def _shown(self, text: str) -> str:
        account = self._account
        return shown(text, (account.password or "",) if account else ())

    def _hang_up(self) -> None:
        if self._line:
            self._line.close()
        self._line = None


class _Line(smtplib.SMTP):
    """A connection whose every wait ends at the deadline of the letter under way."""

    def __init__(self, account: _Account, deadline: Deadline) -> None:
        self.deadline = deadline
        self._tls_first = account.mode == "ssl"
        super().__init__(account.host, account.port, timeout=deadline.left)

    def __del__(self) -> None:
        self.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        return trusted().wrap_socket(plain, server_hostname=host) if self._tls_first else plain

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = BufferedReader(_Replies(self.sock, self))
        return super().getreply()


class _Replies(RawIOBase):
    """What the server says; a line that drips in may not outlast the deadline either.

    The bound set here holds for what is sent next, too.
    """

    def __init__(self, source: socket.socket, line: _Line) -> None:
        self._source = source
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._source.settimeout(self._line.deadline.left)
        return self._source.recv_into(buffer)


def _connect(account: _Account, deadline: Deadline) -> _Line:
    line = _Line(account, deadline)
    try:
        if account.mode == "starttls":
            line.starttls(context=trusted())
        line.ehlo_or_helo_if_needed()
        if account.user and account.password:
            line.login(account.user, account.password)
    except BaseException:
        line.close()
        raise
    return line


def _read_account(url: str) -> _Account | None:
    service = _reader()
    parsed = cast("dict[str, Any] | None", service.parse_url(url))
    if not parsed or parsed.get("schema") not in ("mailto", "mailtos"):
        return None
    try:
        found = service(**parsed)
    except TypeError:
        return None
    return _Account(
        host=found.smtp_host,
        port=found.port,
        user=found.user,
        password=found.password,
        mode=found.secure_mode,
        sender=found.from_addr[1],
    )


def _reader() -> Any:
    """Apprise's mail plugin, loaded late since that takes a third of a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own imports
        from apprise.plugins.email import NotifyEmail
    return NotifyEmail


def _final(code: int, said: bytes) -> bool:
    """Whether a refused recipient never will be taken; one refused for our sake may be."""
    ours = code in _OURS or code == _FULL or said.startswith(b"5.7.")
    return code >= 500 and not ours


def _dotted(payload: bytes) -> bytes:
    """The letter as DATA carries it: CRLF everywhere, a leading dot doubled, the dot at the end."""
    text = _LINE_END.sub(b"\r\n", payload)
    text = (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:]
    return text + (b".\r\n" if text.endswith(b"\r\n") else b"\r\n.\r\n")


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode(errors="replace")
