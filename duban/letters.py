"""Writes letters: pure, from what is owed to the bytes that a mail program opens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from duban.ladder import Kind
from duban.registry import Agency, Clause, Notice
from duban.words import asked_words, civil_words, period_words, words


@dataclass(frozen=True, slots=True)
class Item:
    """One duty as a letter speaks of it. `reason` is why it was returned, extended or reopened."""

    duty_id: int
    clause: Clause
    notice: Notice
    agency: str
    period: str
    due_on: date
    cut_off: str
    late_days: int
    reason: str = ""

    @property
    def asks(self) -> list[str]:
        """What evidence the clause asks for, a phrase a field."""
        w = words(self.notice.language)
        return [asked_words(w, field.model_dump(mode="json")) for field in self.clause.evidence]

    @property
    def period_name(self) -> str:
        """The period as a person reads it."""
        return period_words(words(self.notice.language), self.period)

    @property
    def due_day(self) -> str:
        """The due day in prose, with its time when the day does not end it."""
        day = civil_words(self.notice.language, self.due_on)
        return day if self.cut_off == "24:00" else f"{day} {self.cut_off}"


@dataclass(frozen=True, slots=True)
class LetterHead:
    """Who writes to whom, when and why. `number` makes the Message-ID."""

    number: int
    kind: Kind
    recipient: Agency
    coordinator: Agency
    day: date
    written_at: datetime
    sender: str
    address: str


_templates = Environment(
    loader=PackageLoader("duban", "templates"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_letter(head: LetterHead, items: Sequence[Item]) -> bytes:
    """The whole letter as RFC 5322 bytes: plain text and HTML from the same words.

    Args:
        items: at least one; sorted here by due day and clause.
    """
    language = items[0].notice.language
    ordered = sorted(items, key=lambda item: (item.due_on, item.clause.id, item.agency))
    context = {
        "head": head,
        "items": ordered,
        "kind": words(language).kinds[head.kind],
        "day": civil_words(language, head.day),
        "notices": list(dict.fromkeys(_named(item.notice) for item in ordered)),
    }
    body = _templates.get_template(f"letter.{language}.txt.j2").render(context)
    subject, _, text = body.strip().partition("\n")
    return _message(head, subject, text.strip() + "\n", language)


def _named(notice: Notice) -> str:
    """A notice as prose names it: 某省教育厅省教〔2025〕1号, Riverside District Circular 7."""
    return f"{notice.issuer}{' ' if notice.language == 'en' else ''}{notice.number}"


def _message(head: LetterHead, subject: str, text: str, language: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message["From"] = head.sender
    message["To"] = head.address
    message["Date"] = format_datetime(head.written_at)
    message["Message-ID"] = f"<letter-{head.number}@duban.invalid>"
    message.set_content(text, cte="base64")
    html = _templates.get_template("letter.html.j2").render(
        subject=subject, blocks=_blocks(text), language=language
    )
    message.add_alternative(html, subtype="html", cte="base64")
    # The boundary is part of the bytes; a repeat after a crash must send the same ones.
    message.set_boundary(f"letter-{head.number}")
    return message.as_bytes()


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    """Paragraphs of the text as (kind, lines): a numbered item, its details, or prose."""
    return [
        ("item" if re.match(r"\d+\. ", lines[0]) else "prose", lines)
        for paragraph in text.strip().split("\n\n")
        if (lines := [line.strip() for line in paragraph.splitlines() if line.strip()])
    ]
