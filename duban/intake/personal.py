"""Finds personal data in text, since evidence is counts and documents, never lists of children.

What is found holds a file for a person to look at; it proves nothing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date

# Provinces by the first two digits; 83 is for residents from Taiwan.
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"

# A school register number (学籍号) is the same with a G or L before it.
_ID_NUMBER = re.compile(
    rf"(?<![0-9A-Za-z])[GL]?({_PROVINCE}\d{{4}})[ -]?((?:19|20)\d{{6}})[ -]?(\d{{3}}[\dX])"
    r"(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_OLD_ID_NUMBER = re.compile(
    rf"(?:身份证|证件|公民身份)[^\d\n]{{0,12}}({_PROVINCE}\d{{4}})(\d{{6}})\d{{3}}(?![0-9A-Za-z])"
)
# Neither part of a longer or broken number, nor an amount of something.
_MOBILE = re.compile(
    r"(?<![\dA-Za-z=_-])(?<!\d[.,])(?<![A-Za-z]/)(?:(?:\+|00)?86[ -]?)?1[3-9]\d([ -]?)\d{4}\1\d{4}"
    r"(?![\dA-Za-z%‰_-]|/[A-Za-z]|[.,]\d|\s*[元万亿人名次户所个平吨件份条])"
)
_CARD = re.compile(
    r"(?<![\dA-Za-z=_-])(?<!\d[.,])(?:62\d{14,17}|4\d{15}|5[1-5]\d{14}"
    r"|62\d\d(?: \d{4}){3}(?: \d{1,3})?)(?![\dA-Za-z]|[.,]\d)"
)

_SPACED = re.compile(r"姓[ \u3000]+名")
_PERSON = re.compile(r"(?:学生|孩子|儿童|幼儿|患者|来访者)?姓名")
_PRIVATE = re.compile(
    r"班级|所在班|年级班|学号|学籍|身份证|证件号|出生|诊断|病情|病史|症状|筛查结果|测评结果|预警等级"
    r"|监护人|家长姓名|家长电话|家庭住址|家庭地址|家庭情况|父亲|母亲"
)
_TRAITS = re.compile(r"性别|年龄|民族")
_WORK = re.compile(r"职务|职称|岗位|单位|任教|学科|学历|专业|签到")
_CELL = re.compile(r"[\t |｜,，]+")
_NAME = re.compile(r"[\u4e00-\u9fa5]{1,4}(?:·[\u4e00-\u9fa5]{1,8})?[某*＊×xX]{0,2}")
_LIST = re.compile(
    r"(?:学生|同学|儿童|幼儿|患者|班)[^。；\n]{0,12}(?:名单|姓名)[^。；\n]{0,6}[:：]\s*"
    r"(?:[\u4e00-\u9fa5]{2,4}[、，, ]+){2,}[\u4e00-\u9fa5]{2,4}"
)
_MAX_HEADING = 12
_ROWS_BELOW = 4

HIDDEN = "***"
"""Stands for a text that is not shown at all, in every language."""


def suspects(text: str) -> tuple[str, ...]:
    """The kinds of personal data in a text, sorted: bank-card, id-number, roster, telephone.

    Office telephones are no personal data and are not found; mobile numbers are.
    """
    plain = _plain(text)
    found = {kind for kind, _, _ in _numbers(plain)}
    if _LIST.search(plain) or _has_table(plain):
        found.add("roster")
    return tuple(sorted(found))


def masked(text: str) -> str:
    """The text with the middle of every number found hidden; names of people stay."""
    pieces: list[str] = []
    done = 0
    for _, start, end in sorted(set(_numbers(_plain(text))), key=lambda found: found[1:]):
        if start >= done:
            pieces += text[done:start], _hidden(text[start:end])
            done = end
    return "".join(pieces) + text[done:]


def hide(text: str, nothing: str = HIDDEN) -> str:
    """The text with what may be personal data hidden; `nothing` in place of a list of people."""
    return nothing if "roster" in suspects(text) else masked(text)


def _hidden(number: str) -> str:
    """Keeps three characters before and four behind, as is customary."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"


def _plain(text: str) -> str:
    """NFKC, but only where one character stays one, so that places in the text keep their count."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    normal = {ord(one): unicodedata.normalize("NFKC", one) for one in set(text)}
    return text.translate({code: one for code, one in normal.items() if len(one) == 1})


def _numbers(plain: str) -> Iterator[tuple[str, int, int]]:
    for kind, pattern, is_one in _NUMBERS:
        for match in pattern.finditer(plain):
            if is_one(match):
                start = match.start(1) if pattern is _OLD_ID_NUMBER else match.start()
                yield kind, start, match.end()


def _is_id_number(match: re.Match[str]) -> bool:
    digits = "".join(match.groups()).upper()
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    return _is_date(digits[6:14]) and _CHECKS[total % 11] == digits[17]


def _is_old_id_number(match: re.Match[str]) -> bool:
    """Fifteen digits have no check digit, so they count only behind the words for it."""
    return _is_date(f"19{match[2]}")


def _is_date(digits: str) -> bool:
    try:
        date.fromisoformat(digits)
    except ValueError:
        return False
    return True


def _is_card(match: re.Match[str]) -> bool:
    digits = [int(one) for one in match[0] if one != " "][::-1]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _always(_: re.Match[str]) -> bool:
    return True


_NUMBERS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    ("id-number", _ID_NUMBER, _is_id_number),
    ("id-number", _OLD_ID_NUMBER, _is_old_id_number),
    ("telephone", _MOBILE, _always),
    ("bank-card", _CARD, _is_card),
)


def _has_table(plain: str) -> bool:
    """A row of headings with 姓名 among them, and names below it: an empty form is no roster."""
    plain = _SPACED.sub("姓名", plain)
    if "姓名" not in plain:
        return False
    rows = [cells for line in plain.splitlines() if (cells := _cells(line))]
    return any(
        _is_heading(row) and any(map(_names_someone, rows[at + 1 : at + 1 + _ROWS_BELOW]))
        for at, row in enumerate(rows)
    )


def _cells(line: str) -> list[str]:
    return [cell for cell in _CELL.split(line.strip()) if cell]


def _is_heading(row: list[str]) -> bool:
    if any(len(cell) > _MAX_HEADING for cell in row) or not any(map(_PERSON.fullmatch, row)):
        return False
    if any(map(_PRIVATE.search, row)):
        return True
    return any(map(_TRAITS.search, row)) and not any(map(_WORK.search, row))


def _names_someone(row: list[str]) -> bool:
    return len(row) > 1 and any(len(cell) > 1 and _NAME.fullmatch(cell) for cell in row)
