"""File names: whatever is given, what is shown and sent back is harmless and never empty."""

import random
import re
import unicodedata
from email.message import EmailMessage
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.intake import clean_name, content_disposition, kept_name

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
PIECES = [
    *("../", "..\\", "/etc/passwd", "C:\\Windows\\", "\\\\host\\share\\", "file:///", "~/", "./"),
    *("\0", "\r\n", "\n", "\t", "\x7f", "\x1b[31m", "\u2028", "\u2029", "\u200b", "\ufeff"),
    *(*BIDI, '"', "'", ";", "\\", "%0d%0a", "%2e%2e%2f", "filename*=", "<script>", "&#x202e;"),
    *("报告", "家长学校", "总结（终稿）", "①", "e\u0301", "\U0001f600", "\ud800", "\ue000"),
    *("a" * 130, "长" * 130, ".", "..", " ", "CON", "a.", ".pdf", ".docx", ".exe", "."),
    "\r\nSet-Cookie: a=b",
    "\u202egpj.exe",
]


def hostile_names(count: int = 200) -> list[str]:
    chance = random.Random(1)
    return ["".join(chance.choices(PIECES, k=chance.randint(0, 6))) for _ in range(count)]


def assert_harmless(name: str) -> None:
    assert 1 <= len(name) <= 120
    assert name not in (".", "..")
    assert name == name.strip(". ")
    assert not set(name) & set('/\\<>:"|?*%;\0\r\n\t')
    assert not {unicodedata.category(one) for one in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean_name(name) == name


@pytest.mark.parametrize("given_name", hostile_names())
def test_a_hostile_name_is_made_harmless(given_name: str):
    assert_harmless(clean_name(given_name))
    assert_sound(content_disposition(given_name), clean_name(given_name))


@given(st.text(max_size=300))
def test_any_name_is_made_harmless(given_name: str):
    assert_harmless(clean_name(given_name))
    assert_sound(content_disposition(given_name), clean_name(given_name))
    assert_harmless(kept_name(given_name, "jpg"))
    assert kept_name(given_name, "jpg").lower().endswith((".jpg", ".jpeg"))


def assert_sound(header: str, name: str) -> None:
    """One line of ASCII, of the one form that every browser reads alike, and truthful."""
    form = r"attachment; filename=\"[A-Za-z0-9._-]+\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)"
    found = re.fullmatch(form, header)
    assert found, header
    assert unquote(found[1]) == name
    # The standard library reads the same name from it.
    message = EmailMessage()
    message["Content-Disposition"] = header
    assert message["Content-Disposition"].content_disposition == "attachment"


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("报告.docx", "报告.docx"),
        ("太原市 2026年 总结（终稿）.pdf", "太原市 2026年 总结（终稿）.pdf"),
        ("C:\\Users\\wang\\桌面\\汇总表.xlsx", "汇总表.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("照片\u202egpj.exe", "照片gpj.exe"),
        ("a\r\nSet-Cookie: b.pdf", "aSet-Cookie_ b.pdf"),
        ("", "未命名"),
        ("...", "未命名"),
        ("/", "未命名"),
        ("\0", "未命名"),
        ("a" * 200 + ".docx", "a" * 115 + ".docx"),
        ("长" * 200, "长" * 120),
        (".htaccess", "htaccess"),
    ],
)
def test_a_name_keeps_what_is_harmless_in_it(given_name: str, expected: str):
    assert clean_name(given_name) == expected


@pytest.mark.parametrize(
    ("given_name", "kind", "expected"),
    [
        ("现场.heic", "jpg", "现场.jpg"),
        ("现场.HEIC", "jpg", "现场.jpg"),
        ("现场.JPEG", "jpg", "现场.JPEG"),
        ("现场.webp", "jpg", "现场.jpg"),
        ("现场", "jpg", "现场.jpg"),
        ("总结.v2.docx", "docx", "总结.v2.docx"),
        ("长" * 118 + ".webp", "jpg", "长" * 115 + ".jpg"),
    ],
)
def test_the_name_follows_what_is_kept(given_name: str, kind: str, expected: str):
    assert kept_name(given_name, kind) == expected


def test_the_header_carries_a_chinese_name_and_a_plain_one():
    assert content_disposition("报告 2026.docx") == (
        "attachment; filename=\"2026.docx\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%202026.docx"
    )
    assert content_disposition("报告.docx").startswith('attachment; filename="file.docx"; ')
    assert content_disposition("报告").startswith('attachment; filename="file"; ')
