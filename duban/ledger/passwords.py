"""Passwords: what is too easy to guess, the one way they are kept, and one-time ones."""

import re
import secrets
from enum import StrEnum
from functools import cache
from itertools import pairwise
from threading import BoundedSemaphore
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

SHORTEST, LONGEST = 12, 128
_AT_ONCE = BoundedSemaphore(2)  # each hashing takes 64 MB; a flood of logins must not take all
_HASHER = PasswordHasher()


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "short"
    LONG = "long"
    PATTERN = "pattern"
    COMMON = "common"


def weakness(password: str, *known: str) -> Weakness | None:
    """What makes a password too easy to guess, if anything does.

    Args:
        known: what an attacker knows of the person, such as login and name.
    """
    plain = _normal(password)
    if len(plain) < SHORTEST:
        return Weakness.SHORT
    if len(plain) > LONGEST:
        return Weakness.LONG
    folded = plain.casefold()
    if _is_pattern(folded):
        return Weakness.PATTERN
    return Weakness.COMMON if _is_common(folded, known) else None


_KEYS = ("`1234567890-=", " qwertyuiop[]", " asdfghjkl;'", " zxcvbnm,./")
_PLACE = {key: (x, y) for y, row in enumerate(_KEYS) for x, key in enumerate(row) if key != " "}
_BLOCKS = re.compile(r"(.{1,8}?)\1+.{0,3}")
_FEWEST_DIFFERENT = 5


def _is_pattern(text: str) -> bool:
    """Few different characters, a block repeated, or mostly walks over alphabet and keyboard."""
    if len(set(text)) < _FEWEST_DIFFERENT or _BLOCKS.fullmatch(text):
        return True
    steps = sum(_is_step(one, other) for one, other in pairwise(text))
    return steps >= 0.6 * (len(text) - 1)


def _is_step(one: str, other: str) -> bool:
    if abs(ord(one) - ord(other)) <= 1:
        return True
    here, there = _PLACE.get(one), _PLACE.get(other)
    if here is None or there is None:
        return False
    return all(abs(a - b) <= 1 for a, b in zip(here, there, strict=True))


_WORDS = (
    *("password", "passwort", "passwd", "pass", "secret", "login", "welcome", "letmein", "hello"),
    *("iloveyou", "admin", "administrator", "root", "user", "guest", "test", "default", "change"),
    *("changeme", "master", "monkey", "dragon", "football", "sunshine", "princess", "computer"),
    *("internet", "qwerty", "asdf", "zxcv", "abcd", "abc", "123", "duban", "prefect", "portal"),
    *("government", "china", "zhongguo", "beijing", "shanxi", "taiyuan", "jiaoyu", "woaini"),
    *("mima", "wangji", "nihao", "zhengfu", "xitong", "guanli", "guanliyuan", "dangan", "me"),
    *("督办", "密码", "管理员", "山西", "太原", "教育", "中国", "你好", "我爱你", "系统", "测试"),
)
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_YEARS = re.compile(r"(19|20)\d\d([01]?\d[0-3]?\d)?")
_FEWEST_LEFT = 6


def _is_common(text: str, known: tuple[str, ...]) -> bool:
    """What is left after the words that everybody tries first is short."""
    own = (part for one in known for part in re.split(r"\W+", _normal(one).casefold()))
    words = sorted({*_WORDS, *(part for part in own if len(part) > 1)}, key=len, reverse=True)
    without_years = _YEARS.sub("", text)
    return any(
        _left(way, words) < _FEWEST_LEFT
        for way in (without_years, without_years.translate(_LOOKALIKES))
    )


def _left(text: str, words: list[str]) -> int:
    for word in words:
        text = text.replace(word, " ")
    return len(set(re.sub(r"[\W_]", "", text)))


def _normal(text: str) -> str:
    """The same password from another keyboard is the same."""
    return normalize("NFKC", text)


def hash_password(password: str) -> str:
    """What is kept of a password: Argon2id with the library's present parameters."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password; takes as long when there is none to compare with."""
    try:
        with _AT_ONCE:
            _HASHER.verify(stored or _nobodys(_HASHER), _normal(password))
    except VerificationError:
        return False
    return stored is not None


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash(secrets.token_urlsafe())


def is_outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


_CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread on paper


def one_time() -> str:
    """A password to hand over on paper: four groups of four, 79 bits."""
    while True:  # dice may fall into a pattern that nobody would be allowed to choose
        made = "-".join("".join(secrets.choice(_CLEAR) for _ in range(4)) for _ in range(4))
        if weakness(made) is None:
            return made
