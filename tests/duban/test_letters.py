"""Letters as pure bytes: the same facts make the same letter, in either language."""

import email
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from email.policy import default

import pytest

from duban.ladder import Kind
from duban.letters import Item, LetterHead, write_letter
from duban.registry import Registry, load_registry
from duban.words import words
from tests.conftest import PROJECT, china


def item(registry: Registry, number: str = "1", due: date = date(2026, 3, 20)) -> Item:
    placed = registry.find_clause(number)
    assert placed is not None
    agency = placed.reporters[0].name
    return Item(7, placed.clause, placed.notice, agency, "2026Q1", due, "24:00", 0)


def head(registry: Registry, kind: Kind) -> LetterHead:
    return LetterHead(
        number=12,
        kind=kind,
        recipient=next(iter(registry.agencies.values())),
        coordinator=registry.coordinator,
        day=date(2026, 3, 21),
        written_at=china("2026-03-21"),
        sender="duban@localhost",
        address="a@example.org",
    )


def read(payload: bytes) -> tuple[EmailMessage, str, str]:
    """The message, its plain text, and its HTML."""
    message = email.message_from_bytes(payload, policy=default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return message, str(plain.get_content()), str(html.get_content())


@pytest.fixture(scope="module")
def example() -> Registry:
    folder = PROJECT / "deployments"
    return load_registry(folder / "example-en" / "agencies.yaml", folder, {})


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_written_in_both_languages(small: Registry, example: Registry, kind: Kind):
    for registry, language in ((small, "zh"), (example, "en")):
        one = replace(item(registry), late_days=3, reason="缺盖章")
        message, plain, html = read(write_letter(head(registry, kind), [one]))
        assert words(language).kinds[kind].lower() in str(message["Subject"]).lower()
        assert one.clause.quote in plain
        assert one.clause.quote in html
        assert one.due_day in plain
        assert "缺盖章" in plain
        assert message["Message-ID"] == "<letter-12@duban.invalid>"
        assert message["Date"].datetime == china("2026-03-21")


def test_the_same_facts_make_the_same_bytes_in_any_order(small: Registry):
    items = [item(small, "1"), item(small, "4", date(2026, 1, 1)), item(small, "3")]
    one = write_letter(head(small, Kind.REMIND), items)
    assert one == write_letter(head(small, Kind.REMIND), items[::-1])
    _, plain, _ = read(one)
    assert plain.index("制定方案") < plain.index("家长课堂") < plain.index("每月活动")


def test_what_a_person_wrote_is_no_html(small: Registry):
    one = replace(item(small), reason="<script>alert(1)</script>")
    _, plain, html = read(write_letter(head(small, Kind.RETURN), [one]))
    assert "<script>" in plain
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_copy_names_who_reports_and_asks_for_nothing(small: Registry):
    _, plain, _ = read(write_letter(head(small, Kind.COPY), [item(small)]))
    assert "东市妇联" in plain
    assert "请报送" not in plain


def test_a_due_time_stands_only_where_the_day_does_not_end_it(small: Registry):
    assert item(small).due_day == "2026年3月20日"
    assert replace(item(small), cut_off="17:30").due_day == "2026年3月20日 17:30"


def test_a_long_line_stays_within_what_mail_servers_take(small: Registry):
    one = replace(item(small), reason="长" * 5000)
    payload = write_letter(head(small, Kind.RETURN), [one])
    assert max(map(len, payload.split(b"\r\n"))) <= 998
    assert "长" * 5000 in read(payload)[1]


def test_a_notice_is_named_as_its_language_does(small: Registry, example: Registry):
    _, chinese, _ = read(write_letter(head(small, Kind.ASSIGN), [item(small)]))
    assert "根据某省教育厅省教〔2025〕1号" in chinese
    _, english, _ = read(write_letter(head(example, Kind.ASSIGN), [item(example)]))
    assert "Under Riverside District School Board Circular 7/2026 the" in english
