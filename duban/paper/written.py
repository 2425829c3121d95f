"""Puts facts on the page: pure, the same bytes of the same facts and number."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from duban.paper.due import derivation, due_words
from duban.paper.facts import Facts, Matter, Plea, Told
from duban.paper.page import Page
from duban.paper.texts import Texts, texts
from duban.registry.papers import PaperKind
from duban.words import civil_words, period_prose, section_words, within_marks, words

MOST_DAYS = 4
"""So many days of one sort are listed one by one."""

COLOURS = {
    "红": ("C00000", "FBE5E5"),
    "橙": ("D9730D", "FDF0E3"),
    "黄": ("B8860B", "FDF6DC"),
    "蓝": ("1F5FA8", "E6EEF8"),
    "绿": ("2E7D32", "E8F3E9"),
}
"""The bar of a coloured slip and what lies behind its labels, by the first letter of its name."""

_PLEAS = (PaperKind.EXTENSION, PaperKind.REFUSAL)
_LETTERS = (PaperKind.CHASE, PaperKind.FORMAL, *_PLEAS)


def write(facts: Facts, number: str) -> bytes:
    """The paper as a Word file.

    Args:
        facts: with one matter at least.
        number: its document number, as `number_text` writes it.
    """
    t = texts(facts.language)
    page = Page(
        facts.language,
        title=title_of(facts),
        author=facts.issuer,
        day=facts.day,
        subject=number,
        letter=_is_letter(facts),
    )
    if facts.label:
        page.line(t.says["label"].format(label=facts.label), small=True)
    if facts.kind in _PLEAS:
        _plea(page, t, facts, number)
    elif _is_slip(facts):
        _slip(page, t, facts, number)
    else:
        _letter(page, t, facts, number)
    _end(page, t, facts)
    return page.content()


def name_of(facts: Facts) -> str:
    """What sort of paper it is: 督办函, or the rung's own name, 橙色督办单."""
    return facts.name or texts(facts.language).names[facts.kind]


def title_of(facts: Facts) -> str:
    """Its title: 某省教育厅关于督办“家长课堂”等 3 项工作的函."""
    t = texts(facts.language)
    if _is_slip(facts):
        return facts.name or t.titles["slip"]
    first, n = within_marks(facts.matters[0].title), len(facts.matters)
    matters = t.says["matters-one" if n == 1 else "matters"].format(title=first, n=n)
    return t.titles[_sort(facts)].format(issuer=facts.issuer, matters=matters)


def file_name(language: str, kind: PaperKind, number: str) -> str:
    """What the file is called: `督办函 晋教督函〔2026〕12号.docx`."""
    t = texts(language)
    return t.says["file"].format(name=t.names[kind], number=number)


def _is_slip(facts: Facts) -> bool:
    """A coloured slip (三色督办单) is one at whatever rung it comes."""
    return facts.kind is PaperKind.SLIP or facts.name.endswith(("督办单", "slip"))


def _is_letter(facts: Facts) -> bool:
    """Whether the standard's form for letters (信函格式) is its own."""
    return facts.kind in _LETTERS and not _is_slip(facts)


def _sort(facts: Facts) -> str:
    """A due day that moved without being asked for is no answer to anybody."""
    unasked = any(one.plea is None or one.plea.asked_on is None for one in facts.matters)
    return "adjusted" if facts.kind is PaperKind.EXTENSION and unasked else facts.kind.value


def _head(page: Page, t: Texts, facts: Facts, number: str) -> None:
    page.number(number)
    page.title(title_of(facts))
    page.to(t.says["to"].format(recipient=facts.recipient))


def _end(page: Page, t: Texts, facts: Facts) -> None:
    note = t.says["contact"].format(contact=facts.contact) if facts.contact else ""
    page.signature(facts.issuer, civil_words(t.language, facts.day), note)
    if facts.superior:
        page.copies(t.says["copies"], t.says["copied"].format(superior=facts.superior))


def _opening(t: Texts, facts: Facts, kind: PaperKind) -> str:
    notices = t.says["and"].join(dict.fromkeys(one.notice for one in facts.matters))
    one = "-one" if len(facts.matters) == 1 else ""
    return t.opens[f"{kind}{one}"].format(
        notices=notices,
        n=len(facts.matters),
        matter=within_marks(facts.matters[0].title),
        recipient=facts.recipient,
        day=civil_words(t.language, facts.day),
    )


# Slips


def _slip(page: Page, t: Texts, facts: Facts, number: str) -> None:
    bar, behind = COLOURS.get(facts.name[:1], ("", "F2F2F2"))
    page.number(number)
    if bar:
        page.band(facts.name, fill=bar)
    else:
        page.title(title_of(facts))
    page.text(_opening(t, facts, facts.kind))
    page.gap(6)
    for matter in facts.matters:
        page.form(list(_rows(t, facts, matter)), fill=behind)
    page.gap(10)
    _ask(page, t, facts)


def _ask(page: Page, t: Texts, facts: Facts) -> None:
    """What the recipient is to do now."""
    page.text(t.asks[_asked(facts)])
    page.text(t.asks["care"])


def _asked(facts: Facts) -> str:
    """A slip cannot ask for evidence by a date that was past before it was written."""
    late = [one.days_late(facts.day) > 0 for one in facts.matters]
    if facts.kind is not PaperKind.SLIP or not any(late):
        return facts.kind.value
    return "slip-late" if all(late) else "slip-some-late"


def _rows(t: Texts, facts: Facts, matter: Matter) -> Iterator[tuple[str, Sequence[str]]]:
    """A slip's lines; what there is nothing to say of is left out."""
    source = t.says["source"].format(notice=matter.notice, section=_section(t, matter))
    told = {
        "matter": [_named(t, matter)],
        "agency": [matter.agency],
        "shares": [t.says["and"].join(matter.shares)] if matter.shares else [],
        "basis": [source, _quoted(t, matter)],
        "due": [_due(t, facts, matter), derivation(t, matter.due)],
        "asks": list(matter.asks),
        "told": [_history(t, matter.told)] if matter.told else [],
    }
    yield from ((t.rows[key], lines) for key, lines in told.items() if lines)


def _named(t: Texts, matter: Matter) -> str:
    return t.says["matter"].format(title=matter.title, duty=matter.duty, period=_period(t, matter))


def _period(t: Texts, matter: Matter) -> str:
    return period_prose(words(t.language), matter.period)


def _based(t: Texts, matter: Matter) -> str:
    return t.says["basis"].format(notice=matter.notice, section=_section(t, matter))


def _section(t: Texts, matter: Matter) -> str:
    return section_words(t.language, matter.section)


def _quoted(t: Texts, matter: Matter) -> str:
    return t.says["quote"].format(quote=within_marks(matter.quote))


def _due(t: Texts, facts: Facts, matter: Matter) -> str:
    day = due_words(t, matter.due)
    if matter.soft:
        return day + t.says["soft"]
    late = matter.days_late(facts.day)
    told = t.says["late-before" if facts.kind is PaperKind.SLIP else "late"]
    return day + (told.format(n=late) if late else "")


def _history(t: Texts, told: Sequence[Told]) -> str:
    """When it was spoken of: 2026年1月5日交办；3月21日、3月28日催办。"""
    days = [one.day for one in told]
    said = [_after(t, day, before) for day, before in zip(days, [None, *days], strict=False)]
    pairs = zip((one.name for one in told), said, strict=True)
    groups = [
        (name, [day for _, day in found]) for name, found in groupby(pairs, lambda one: one[0])
    ]
    return t.says["semicolon"].join(_group(t, *group) for group in groups) + t.says["stop"]


def _group(t: Texts, name: str, days: Sequence[str]) -> str:
    if len(days) <= MOST_DAYS:
        return t.says["told"].format(days=t.says["and"].join(days), name=name)
    return t.says["told-many"].format(first=days[0], last=days[-1], n=len(days), name=name)


def _after(t: Texts, day: date, before: date | None) -> str:
    """A day in prose, without its year where the day before it in the text has the same."""
    if before is None or before.year != day.year:
        return civil_words(t.language, day)
    return t.says["day-of-year"].format(day=day.day, month=day.month, name=t.months[day.month - 1])


# Letters


def _letter(page: Page, t: Texts, facts: Facts, number: str) -> None:
    _head(page, t, facts, number)
    page.text(_opening(t, facts, facts.kind))
    page.heading(t.says["heading-matters"])
    for n, matter in enumerate(facts.matters, start=1):
        named = t.says["numbered"].format(n=numeral(t, n), title=matter.title)
        page.heading(named, level=2)
        _tell(page, t, facts, matter)
    page.heading(t.says["heading-asks"])
    _ask(page, t, facts)


def _tell(page: Page, t: Texts, facts: Facts, matter: Matter) -> None:
    """A matter in prose; the quote stands by itself."""
    numbered = t.says["number"].format(duty=matter.duty, period=_period(t, matter))
    page.text(f"{numbered}{_based(t, matter)}")
    page.quote(_quoted(t, matter))
    for key, text in (
        ("agency", matter.agency + t.says["stop"]),
        ("due", f"{_due(t, facts, matter)}{t.says['semicolon']}{derivation(t, matter.due)}"),
        ("asks", t.says["semicolon"].join(matter.asks) + t.says["stop"] if matter.asks else ""),
        ("told", _history(t, matter.told) if matter.told else ""),
    ):
        if text:
            page.text(t.says["row"].format(name=t.rows[key], text=text))


def numeral(t: Texts, n: int) -> str:
    """A number as headings write it: 十二 in Chinese.

    Args:
        n: from 1 to 99; beyond, digits stand.
    """
    if t.language == "en" or not 1 <= n <= 99:
        return str(n)
    tens, ones = divmod(n, 10)
    digits = "〇一二三四五六七八九"
    return f"{digits[tens] if tens > 1 else ''}{'十' if tens else ''}{digits[ones] if ones else ''}"


# Answers to requests for more time


def _plea(page: Page, t: Texts, facts: Facts, number: str) -> None:
    _head(page, t, facts, number)
    sort, first = _sort(facts), facts.matters[0]
    asked, several = first.plea, sort == "refusal" and len(facts.matters) > 1
    page.text(
        t.opens["extension" if several else sort].format(
            matter=within_marks(first.title),
            asked_on=_day(t, asked.asked_on if asked else None),
            until=_day(t, asked.until if asked else None),
        )
    )
    for matter in facts.matters:
        _decision(page, t, matter, sort, dated=several or sort == "extension")
    page.text(t.asks["refusal" if facts.kind is PaperKind.REFUSAL else "extension"])


def _decision(page: Page, t: Texts, matter: Matter, sort: str, *, dated: bool) -> None:
    """`dated`: it says itself what was asked for and when."""
    plea = matter.plea or Plea(matter.due.original)
    told = {"extension": "granted", "adjusted": "adjusted", "refusal": "refused"}[sort]
    decided = t.says[told].format(
        matter=within_marks(matter.title),
        duty=matter.duty,
        period=_period(t, matter),
        before=civil_words(t.language, plea.before),
        day=due_words(t, matter.due),
    )
    asked = dated and plea.asked_on is not None
    more = t.says["asked"].format(asked_on=_day(t, plea.asked_on), until=_day(t, plea.until))
    gap = " " if t.language == "en" else ""
    page.text(f"{decided}{gap}{more}" if asked else decided)
    if plea.answer:
        page.text(t.says["reason"].format(answer=plea.answer))
    page.text(_based(t, matter))
    page.quote(_quoted(t, matter))


def _day(t: Texts, day: date | None) -> str:
    return civil_words(t.language, day) if day else ""
