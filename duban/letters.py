"""Writes letters: pure, from what is owed to the bytes of a mail or of a robot's message.

A language's template is the only source of words. It writes one line a block, whose first word
marks what the block is; plain text, HTML and markdown are made of the blocks. A value cannot begin
a block of its own, since no value keeps its line breaks.
"""

import re
import unicodedata
from binascii import a2b_base64, b2a_base64
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from duban.ladder import Kind
from duban.registry import Agency, Clause, Notice
from duban.registry.clauses import natural
from duban.registry.papers import WORD
from duban.words import asked_words, civil_words, period_prose, section_words, within_marks, words

MOST_THREADS = 20
"""A letter belongs to the threads of so many duties at most; headers are not for long lists."""


class Told(NamedTuple):
    """The long texts of an item, as much of them as it has room for."""

    reason: str
    asks: str
    quote: str


@dataclass(frozen=True, slots=True)
class Handed:
    """A version of evidence that came in; `at` is an instant in the notice's zone.

    `on_time` is None where there is no telling any more, since the due day was moved.
    """

    receipt: str
    version: int
    at: datetime
    on_time: bool | None
    late_days: int = 0
    nil: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What an agency asked for on the civil day `asked_on`, and whether it was granted.

    `until` is the day that it asked for, None where it asked to be told not applicable.
    """

    asked_on: date
    until: date | None
    granted: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One duty as a letter speaks of it.

    `reason` is why it was returned, extended, reopened or refused; `title` the rung's own name,
    such as 蓝色督办单; `said_on` the days on which this round was spoken of before, in order;
    `telephone` the agency's; `room` how many characters reason, asks and quote may have together,
    None for all of them; `handed` what a receipt is for, `answered` what an answer is to.
    """

    duty_id: int
    clause: Clause
    notice: Notice
    agency: str
    period: str
    due_on: date
    cut_off: str
    late_days: int
    reason: str = ""
    title: str = ""
    said_on: tuple[date, ...] = ()
    telephone: str = ""
    room: int | None = None
    handed: Handed | None = None
    answered: Answered | None = None

    @property
    def asks(self) -> list[str]:
        """What evidence the clause asks for, a phrase a field."""
        w = words(self.notice.language)
        return [asked_words(w, field.model_dump(mode="json")) for field in self.clause.evidence]

    @property
    def told(self) -> Told:
        """The long texts: for want of room the quote is cut first, the reason last."""
        quote = within_marks(self.clause.quote)
        told = Told(self.reason, _listed(self.notice.language, self.asks), quote)
        if self.room is None:
            return told
        left, cut = self.room, list[str]()
        for text in told:
            cut.append(_clip(text, left))
            left = max(left - len(text), 0)
        return Told(*cut)

    @property
    def section(self) -> str:
        """Where the clause stands in the notice, as prose cites it."""
        return section_words(self.notice.language, self.clause.section)

    @property
    def period_name(self) -> str:
        """The period in prose."""
        return period_prose(words(self.notice.language), self.period)

    @property
    def due_day(self) -> str:
        """The due day in prose, with its time when the day does not end it."""
        day = civil_words(self.notice.language, self.due_on)
        return day if self.cut_off == "24:00" else f"{day} {self.cut_off}"


@dataclass(frozen=True, slots=True)
class TaskItem:
    """Something only a coordinator can do: what it is, about whom, and the command that does it."""

    what: str
    about: str
    command: str


Items = Sequence[Item] | Sequence[TaskItem]
"""What a letter speaks of, in its order: tasks in one of the kind TASKS, nothing in one that brings
a link, duties in all others."""


@dataclass(frozen=True, slots=True)
class LetterHead:
    """Who writes to whom, when and why.

    `key` is the letter's own digest and makes the Message-ID; `label` marks what is not meant in
    earnest (模拟); `userid` is whom a robot calls; `language` is that of a letter without duties,
    while any other speaks its first notice's. `link` is where the recipient goes on, if anywhere:
    the agency's own link, which holds through the civil day `link_until`, or the desk. `paper` is
    what official paper goes with it, if one does, `enclosed` that it is in the letter itself.
    """

    key: str
    kind: Kind
    recipient: Agency
    coordinator: Agency
    day: date
    written_at: datetime
    sender: str
    address: str
    part: int = 1
    userid: str = ""
    label: str = ""
    language: str = "zh"
    link: str = ""
    link_until: date | None = None
    paper: str = ""
    enclosed: bool = False


class Line(NamedTuple):
    """A block of a letter: what it is, and its words."""

    mark: str
    text: str


class Draft(NamedTuple):
    """A letter's words before they take a form. Each paragraph has a line at least."""

    language: str
    subject: str
    paragraphs: list[list[Line]]


Write = Callable[[LetterHead, Items], bytes]


def rank(item: Item) -> tuple[object, ...]:
    """A duty's place in a letter: what is due first, then by clause and agency."""
    return item.due_on, natural(item.clause.id), item.agency, item.duty_id


def ordered(items: Iterable[Item]) -> list[Item]:
    """Duties in a letter's order."""
    return sorted(items, key=rank)


def write_mail(head: LetterHead, items: Items) -> bytes:
    """The letter as RFC 5322 bytes, always the same ones: plain text and HTML of the same words."""
    return _mail(head, _draft(head, items), _threads(items))


def write_markdown(head: LetterHead, items: Items) -> bytes:
    """The letter as UTF-8 in the markdown that robots have in common."""
    draft = _draft(head, items)
    parts = [f"### {_literal(draft.subject)}", *map(_markdown, draft.paragraphs), *_call(head)]
    return "\n\n".join(parts).encode()


def write_text(head: LetterHead, items: Items) -> bytes:
    """The letter as UTF-8 without any markup. What could call somebody through a robot does not."""
    draft = _draft(head, items)
    text = "\n\n".join([draft.subject, _plain(draft.paragraphs)]).replace("<", "＜")
    return "\n\n".join([text, *_call(head)]).encode()


def placeholder(link_id: int) -> str:
    """What stands for a link's token while a letter lies in the ledger; as long as the token."""
    return f"link-{link_id:038}"


_PLACEHOLDER = re.compile(rb"/a/link-(\d{38})(?!\w)")
_BODY = re.compile(rb"(?<=Content-Transfer-Encoding: base64\r\n\r\n)[A-Za-z0-9+/=\r\n]+(?=\r\n--)")


def links_in(payload: bytes) -> set[int]:
    """The numbers of the links whose tokens a letter waits for."""
    bodies = [a2b_base64(body) for body in _BODY.findall(payload)] or [payload]
    return {int(found) for body in bodies for found in _PLACEHOLDER.findall(body)}


def filled(payload: bytes, tokens: Mapping[int, str]) -> bytes:
    """The letter as it leaves, with the tokens of its links; the same ones make the same bytes.

    A placeholder without a token stays: whoever wrote it into a letter learns nothing by it.
    """

    def token(match: re.Match[bytes]) -> bytes:
        found = tokens.get(int(match[1]))
        return b"/a/" + found.encode() if found else match[0]

    def body(match: re.Match[bytes]) -> bytes:
        text = _PLACEHOLDER.sub(token, a2b_base64(match[0]))
        return "\r\n".join(_folded(text)).encode()

    if not tokens:
        return payload
    return _BODY.sub(body, payload) if _BODY.search(payload) else _PLACEHOLDER.sub(token, payload)


def enclosed(payload: bytes, name: str, content: bytes) -> bytes:
    """A mail with a Word file enclosed; the same file makes the same bytes.

    Args:
        payload: as `write_mail` made it; its links are filled in before, not after.
    """
    head, body = payload.split(b"\r\n\r\n", 1)
    *headers, kind = head.split(b"\r\nContent-Type: ")
    boundary = b"enclosed-" + kind.rpartition(b'"letter-')[2].rstrip(b'"')
    rows = [
        *headers,
        b'Content-Type: multipart/mixed; boundary="%b"' % boundary,
        b"",
        b"--%b" % boundary,
        b"Content-Type: " + kind,
        b"",
        body.removesuffix(b"\r\n"),
        b"--%b" % boundary,
        *(row.encode() for row in _file(name, content)),
        b"--%b--" % boundary,
        b"",
    ]
    return b"\r\n".join(rows)


def within(head: LetterHead, items: Items, write: Write, limit: int) -> tuple[bytes, int]:
    """The longest letter of the leading items that keeps within a robot's limit.

    An item that is too long alone loses of its quote, then of what it asks and why; at the very
    last the letter is cut between two characters. Number, title and due day come before all that.

    Args:
        items: at least one.
        write: `write_markdown` or `write_text`; a mail cut short would be no mail.
        limit: bytes; meant to be 1 KB or more.

    Returns:
        the payload, and how many items it carries; the others go into the next part.
    """
    carried, most, payload = 0, _hopeful(items, limit), b""
    tried = most
    while carried < most:
        written = write(head, items[:tried])
        if len(written) <= limit:
            carried, payload = tried, written
        else:
            most = tried - 1
        tried = (carried + most + 1) // 2
    return (payload, carried) if carried else (_alone(head, items[0], write, limit), 1)


def _hopeful(items: Items, limit: int) -> int:
    """How many items could fit at best, counting the least that each must say."""
    total = 0
    for n, item in enumerate(items):
        total += len(_least(item).encode())
        if total > limit:
            return n
    return len(items)


def _least(item: Item | TaskItem) -> str:
    if isinstance(item, TaskItem):
        return item.command
    return item.clause.title + (item.handed.receipt if item.handed else item.clause.quote)


def _alone(head: LetterHead, item: Item | TaskItem, write: Write, limit: int) -> bytes:
    if isinstance(item, TaskItem):
        return _cut(write(head, [item]), limit)

    def in_room(room: int) -> bytes:
        return write(head, [replace(item, room=room)])

    rooms = range(sum(map(len, item.told)))
    fitting = bisect_right(rooms, limit, key=lambda room: len(in_room(room)))
    return _cut(in_room(max(fitting - 1, 0)), limit)


def _cut(payload: bytes, limit: int) -> bytes:
    if len(payload) <= limit:
        return payload
    text = payload.decode()
    kept = payload[: limit - len("…".encode())].decode(errors="ignore")
    return _clip(text, len(kept)).encode()


def _clip(text: str, most: int) -> str:
    """At most so many characters and an ellipsis; what a reader sees as one character stays whole.

    `_clip("长文", 1)` is 长….
    """
    if len(text) <= most:
        return text
    while most and _joined(text[most - 1], text[most]):
        most -= 1
    return f"{text[:most]}…"


def _joined(before: str, after: str) -> bool:
    """Whether two characters are drawn as one: accents, emoji of several, flags."""
    flag = range(0x1F1E6, 0x1F200)
    return (
        unicodedata.category(after) in ("Mn", "Mc", "Me", "Cf", "Sk")
        or before == "\u200d"
        or (ord(before) in flag and ord(after) in flag)
    )


_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)  # what breaks a line, turns its direction, or cannot be encoded


def _one_line(value: object) -> str:
    return _UNSEEN.sub(" ", str(value))


_templates = Environment(
    loader=PackageLoader("duban", "templates"),
    autoescape=select_autoescape(["html.j2"], default=False),
    undefined=StrictUndefined,
    finalize=_one_line,
    trim_blocks=True,
    lstrip_blocks=True,
)

_OPENERS = ("label", "to", "say", "item", "link", "sign")
"""Marks that begin a paragraph; the others go on with it."""


def _draft(head: LetterHead, items: Items) -> Draft:
    duties = [item for item in items if isinstance(item, Item)]
    language = duties[0].notice.language if duties else head.language
    rendered = _templates.get_template(f"letter.{language}.j2").render(
        head=head,
        kind=head.kind.value,
        items=items,
        title=_title(head, duties, language),
        day=civil_words(language, head.day),
        civil=partial(civil_words, language),
        days=partial(_days, language, head.day),
        notices=list(dict.fromkeys(_named(item.notice) for item in duties)),
    )
    subject, *lines = (_line(row) for row in rendered.split("\n") if row.strip())
    paragraphs = list[list[Line]]()
    for line in lines:
        if line.mark in _OPENERS:
            paragraphs.append([])
        paragraphs[-1].append(line)
    return Draft(language, subject.text, paragraphs)


def _line(row: str) -> Line:
    mark, _, text = row.partition(" ")
    return Line(mark, text.strip())


def _title(head: LetterHead, duties: Sequence[Item], language: str) -> str:
    """The rung's own name where all duties share one, else the kind's."""
    shared = {item.title for item in duties}
    if len(shared) == 1 and shared != {""} and head.kind is not Kind.ESCALATE:
        return shared.pop()
    kind = words(language).kinds[head.kind]
    return kind[0].upper() + kind[1:]


def _days(language: str, today: date, days: Iterable[date]) -> list[str]:
    """Days before today in prose; the year stands where it is another one."""
    return [
        civil_words(language, day) if day.year != today.year else _in_year(language, day)
        for day in days
    ]


def _in_year(language: str, day: date) -> str:
    return f"{day.day} {day:%B}" if language == "en" else f"{day.month}月{day.day}日"


def _listed(language: str, phrases: Iterable[str]) -> str:
    return ("; " if language == "en" else "；").join(phrases)


def _named(notice: Notice) -> str:
    """A notice as prose names it: 某省教育厅省教〔2025〕1号, Riverside District Circular 7."""
    return f"{notice.issuer}{' ' if notice.language == 'en' else ''}{notice.number}"


def _plain(paragraphs: Iterable[Sequence[Line]]) -> str:
    return "\n\n".join(map(_plain_paragraph, paragraphs))


def _plain_paragraph(lines: Sequence[Line]) -> str:
    indent = "   " if lines[0].mark == "item" else ""
    return f"\n{indent}".join(line.text for line in lines)


_LITERAL = str.maketrans("*_`~[]<>#\\|", "＊＿｀～［］＜＞＃＼｜")
"""Robots do not agree on how a mark is escaped; its full-width twin is one nowhere."""

_MARKDOWN = {"item": "**{}**", "quote": "> {}", "code": "`{}`"}
_COLONS = "：: "


def _literal(text: str) -> str:
    return text.translate(_LITERAL)


def _markdown(lines: Sequence[Line]) -> str:
    # Two spaces break a line where a bare line end does not.
    return "  \n".join(_marked_down(lines))


def _marked_down(lines: Sequence[Line]) -> Iterator[str]:
    if lines[0].mark == "link":
        label, address, *lines = lines
        yield f"[{_literal(label.text.rstrip(_COLONS))}]({address.text})"
    yield from (_MARKDOWN.get(mark, "{}").format(_literal(text)) for mark, text in lines)


def _call(head: LetterHead) -> list[str]:
    userid = re.sub(r"[<>\s]", "", head.userid)
    return [f"<@{userid}>"] if userid else []


def _threads(items: Items) -> list[int]:
    duties = dict.fromkeys(item.duty_id for item in items if isinstance(item, Item))
    return list(duties)[:MOST_THREADS]


def _mail(head: LetterHead, draft: Draft, threads: Sequence[int]) -> bytes:
    """Put together by hand: the standard library's message takes four times as long.

    The boundary is part of the bytes, and a repeat after a crash must send the same ones. Both
    bodies are in Base64, whose lines never begin with it.
    """
    html = _templates.get_template("letter.html.j2").render(draft._asdict())
    boundary = f"letter-{_token(head.key)}"
    rows = [
        *_headers(head, draft, threads),
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        f"--{boundary}",
        *_body("plain", _plain(draft.paragraphs) + "\n"),
        f"--{boundary}",
        *_body("html", html),
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(rows).encode()


def _headers(head: LetterHead, draft: Draft, threads: Sequence[int]) -> list[str]:
    domain = _domain(head.sender)
    roots = [f"<duty-{duty}@{domain}>" for duty in threads]
    return [
        f"From: {_mailbox(head.sender)}",
        f"To: {_mailbox(head.address)}",
        f"Subject: {_encoded(draft.subject, 'Subject')}",
        f"Date: {format_datetime(head.written_at)}",
        f"Message-ID: <{_token(head.key)}@{domain}>",
        *(f"In-Reply-To: {root}" for root in roots[:1]),
        *(["References: " + "\r\n ".join(roots)] if roots else []),
        "Auto-Submitted: auto-generated",
        f"Content-Language: {draft.language}",
        "MIME-Version: 1.0",
    ]


def _body(subtype: str, text: str) -> list[str]:
    return [
        f"Content-Type: text/{subtype}; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        *_folded(text.replace("\n", "\r\n").encode()),
    ]


def _file(name: str, content: bytes) -> list[str]:
    return [
        f"Content-Type: {WORD}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment;\r\n filename*=utf-8''{quote(name, safe='')}",
        "",
        *_folded(content),
    ]


def _folded(text: bytes) -> list[str]:
    encoded = b2a_base64(text, newline=False).decode()
    return [encoded[start : start + 76] for start in range(0, len(encoded), 76)]


@lru_cache(maxsize=1 << 12)  # the same few addresses, letter after letter
def _mailbox(address: str) -> str:
    """An address, `Name <address>`, or `Name:;`, which stands for nobody, as a header holds it."""
    clean = _one_line(address).strip()
    if clean.endswith(":;"):
        return f"{_phrase(clean.removesuffix(':;'))}:;"
    name, mailbox = parseaddr(clean)
    local, _, domain = mailbox.rpartition("@")
    found = f"{local}@{_ascii(domain)}" if local else _ascii(domain)
    return f"{_phrase(name)} <{found}>" if name else found


def _phrase(name: str) -> str:
    plain = name.isascii() and "=?" not in name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"' if plain else _encoded(name, "To")


def _encoded(text: str, name: str) -> str:
    """The words of the header of that name as RFC 2047 has them, folded."""
    plain = text.isascii() and "=?" not in text
    return Header(text, None if plain else "utf-8", header_name=name).encode(linesep="\r\n")


@lru_cache
def _domain(sender: str) -> str:
    return _ascii(parseaddr(_one_line(sender))[1].rpartition("@")[2]) or "duban.invalid"


def _ascii(domain: str) -> str:
    """A domain as mail servers know it; one that has no such form as it is."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _token(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "", key)
