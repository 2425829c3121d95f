"""Letters as pure bytes: the same facts make the same letter, in either language and every form."""

import email
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duban.ladder import PROMPT, Kind
from duban.letters import (
    MOST_THREADS,
    Answered,
    Handed,
    Item,
    LetterHead,
    TaskItem,
    Write,
    enclosed,
    filled,
    links_in,
    ordered,
    placeholder,
    within,
    write_mail,
    write_markdown,
    write_text,
)
from duban.registry import Registry, load_registry
from duban.registry.papers import WORD
from duban.tokens import LENGTH
from duban.words import words
from tests.conftest import PROJECT, china

FAMILY = "👨‍👩‍👧‍👦"
DUTIES = [kind for kind in Kind if kind not in PROMPT | {Kind.TASKS}]
LINK = f"https://duban.example.cn/a/{placeholder(12)}"
TOKEN = "Zk9_-" + "x" * 38
ROBOTS = [write_markdown, write_text]
TASK = TaskItem("补全联系方式", "某市教育局", "duban tasks")


def item(registry: Registry, number: str = "1", due: date = date(2026, 3, 20)) -> Item:
    placed = registry.find_clause(number)
    assert placed is not None
    agency = placed.reporters[0].name
    return Item(7, placed.clause, placed.notice, agency, "2026Q1", due, "24:00", 0)


def quoting(one: Item, quote: str) -> Item:
    return replace(one, clause=one.clause.model_copy(update={"quote": quote}))


def head(registry: Registry, kind: Kind = Kind.CHASE) -> LetterHead:
    return LetterHead(
        key="0123456789abcdef",
        kind=kind,
        recipient=next(iter(registry.agencies.values())),
        coordinator=registry.coordinator,
        day=date(2026, 3, 21),
        written_at=china("2026-03-21"),
        sender="督办 <duban@example.cn>",
        address="a@example.org",
    )


def read(payload: bytes) -> tuple[EmailMessage, str, str]:
    """The message, its plain text, and its HTML."""
    message = email.message_from_bytes(payload, policy=default)
    assert not [fault for part in message.walk() for fault in part.defects]
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return message, str(plain.get_content()), str(html.get_content())


def text(one: LetterHead, items: Sequence[Item] | Sequence[TaskItem]) -> str:
    return write_text(one, items).decode()


@pytest.fixture(scope="module")
def example() -> Registry:
    folder = PROJECT / "deployments"
    return load_registry(folder / "example-en" / "agencies.yaml", folder, {})


@pytest.mark.parametrize("kind", DUTIES)
def test_every_kind_is_written_in_both_languages(small: Registry, example: Registry, kind: Kind):
    for registry, language in ((small, "zh"), (example, "en")):
        one = replace(item(registry), late_days=3, reason="缺盖章")
        message, plain, html = read(write_mail(head(registry, kind), [one]))
        assert words(language).kinds[kind].lower() in str(message["Subject"]).lower()
        assert message["Message-ID"] == "<0123456789abcdef@example.cn>"
        assert message["Date"].datetime == china("2026-03-21")
        assert message["Auto-Submitted"] == "auto-generated"
        for form in (plain, html, write_markdown(head(registry, kind), [one]).decode()):
            assert one.clause.quote in form
            assert one.due_day in form
            assert "缺盖章" in form


def test_a_letter_of_tasks_names_the_command_that_does_each(small: Registry):
    message, plain, html = read(write_mail(head(small, Kind.TASKS), [TASK]))
    assert message["Subject"] == "【待办】需处理事项 1 项（2026年3月21日）"
    assert "References" not in message
    for form in (plain, html):
        assert "某市教育局" in form
        assert "duban tasks" in form
    assert "`duban tasks`" in write_markdown(head(small, Kind.TASKS), [TASK]).decode()
    english = replace(head(small, Kind.TASKS), language="en")
    assert "Only you can do the following:" in text(english, [TASK])


def test_the_same_facts_make_the_same_bytes(small: Registry):
    items = [item(small, "1"), item(small, "4")]
    for write in (write_mail, write_markdown, write_text):
        assert write(head(small), items) == write(head(small), items)


def test_what_is_due_first_stands_first(small: Registry):
    items = [item(small, "1"), item(small, "4", date(2026, 1, 1)), item(small, "3")]
    assert [one.clause.id for one in ordered(items)] == ["4", "1", "3"]
    assert ordered(items) == ordered(items[::-1])


def test_a_letter_keeps_the_order_it_is_given(small: Registry):
    plain = text(head(small), [item(small, "3"), item(small, "1")])
    assert plain.index("1. 每月活动") < plain.index("2. 家长课堂")


def test_what_was_past_its_date_before_it_was_assigned_is_asked_for_soon(
    small: Registry, example: Registry
):
    plain = text(head(small, Kind.ASSIGN), [item(small), replace(item(small), late_days=9)])
    assert "请按时限报送佐证材料；交办前时限已经届满的，请抓紧办理，尽快报送。" in plain
    assert "（交办前已届满）" in plain
    assert "届满" not in text(head(small, Kind.ASSIGN), [item(small)])
    english = text(head(example, Kind.ASSIGN), [replace(item(example), late_days=9)])
    assert "(past before it was assigned)" in english


def test_a_copy_names_who_reports_and_asks_for_nothing(small: Registry):
    plain = text(head(small, Kind.COPY), [item(small)])
    assert "牵头单位：东市妇联" in plain
    assert "请报送" not in plain


def test_an_escalation_says_who_owes_what_and_what_was_said_already(small: Registry):
    one = replace(
        item(small),
        late_days=9,
        telephone="0351-1234",
        said_on=(date(2026, 3, 2), date(2026, 3, 9)),
    )
    superior = replace(head(small, Kind.ESCALATE), recipient=small.agencies["省/妇联"])
    plain = text(superior, [one])
    assert "贵单位系统内下列责任单位的 1 项督办事项逾期未报，请予督促" in plain
    assert "责任单位：东市妇联，电话 0351-1234" in plain
    assert "时限：2026年3月20日（已超期 9 天）" in plain
    assert "此前已于3月2日、3月9日两次函告该单位" in plain
    coordinator = replace(superior, recipient=small.coordinator)
    assert "贵单位系统内" not in text(coordinator, [one])


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([date(2025, 12, 30)], "此前已于2025年12月30日函告\n"),
        ([date(2026, 3, d) for d in (1, 2, 3)], "此前已于3月1日、3月2日、3月3日三次函告\n"),
        ([date(2026, 3, d) for d in range(1, 10)], "此前已 9 次函告，最近一次为3月9日\n"),
    ],
)
def test_earlier_letters_are_named_by_their_days_or_counted(
    small: Registry, days: list[date], said: str
):
    assert said in text(head(small), [replace(item(small), said_on=tuple(days))])


def test_the_rungs_own_name_is_the_subject_where_all_share_it(small: Registry):
    blue = replace(item(small), title="蓝色督办单")
    assert text(head(small), [blue, blue]).startswith("【蓝色督办单】")
    mixed = text(head(small), [blue, item(small)])
    assert mixed.startswith("【催办】")
    assert "（编号 7，2026年第一季度，蓝色督办单）" in mixed


def test_a_label_and_a_further_part_show_in_subject_and_body(small: Registry):
    one = replace(head(small), label="模拟", part=2)
    plain = text(one, [item(small)])
    assert plain.splitlines()[0] == "【模拟】【催办】小事督办事项 1 项（2026年3月21日）（续1）"
    assert "本函为模拟，无须办理。" in plain


def test_a_due_time_stands_only_where_the_day_does_not_end_it(small: Registry):
    assert item(small).due_day == "2026年3月20日"
    assert replace(item(small), cut_off="17:30").due_day == "2026年3月20日 17:30"


def test_a_notice_is_named_as_its_language_does(small: Registry, example: Registry):
    assert "根据某省教育厅省教〔2025〕1号，" in text(head(small, Kind.ASSIGN), [item(small)])
    english = text(head(example, Kind.ASSIGN), [item(example)])
    assert "Under Riverside District School Board Circular 7/2026 the" in english


# Receipts, answers and links


def test_a_receipt_says_number_version_and_when_and_asks_for_nothing(
    small: Registry, example: Registry
):
    handed = Handed("20260322-7-ABCDEF", 2, china("2026-03-22", "08:05"), False, late_days=2)
    chinese = replace(item(small), handed=handed)
    plain = text(head(small, Kind.RECEIPT), [chinese])
    assert plain.splitlines()[0] == "【回执】已收到小事佐证材料 1 项（2026年3月21日）"
    assert "回执号：20260322-7-ABCDEF（第 2 版）" in plain
    assert "收到时间：2026年3月22日 08:05" in plain
    assert "时限：2026年3月20日（超期 2 天报送）" in plain
    assert "请报送" not in plain
    english = text(head(example, Kind.RECEIPT), [replace(item(example), handed=handed)])
    assert "Receipt: 20260322-7-ABCDEF (version 2)" in english
    assert "Received: 22 March 2026 08:05" in english
    assert "(2 days late)" in english
    nil = replace(item(small), handed=replace(handed, on_time=True, nil=True))
    assert "（第 2 版，零报告）" in text(head(small, Kind.RECEIPT), [nil])


def test_an_answer_says_what_was_asked_for_what_was_decided_and_why(
    small: Registry, example: Registry
):
    asked_on, until = date(2026, 3, 2), date(2026, 4, 10)

    def told(until: date | None, *, granted: bool, late: int = 0, reason: str = "已有学校") -> str:
        answered = Answered(asked_on, until, granted=granted)
        one = replace(item(small), answered=answered, late_days=late, reason=reason)
        return text(head(small, Kind.ANSWER), [one])

    later = told(until, granted=False, late=1)
    assert later.splitlines()[0] == "【申请答复】小事督办事项 1 项（2026年3月21日）"
    assert "答复：不同意延期，请按时限报送佐证材料" in later
    assert "申请：2026年3月2日申请延期至2026年4月10日" in later
    assert "时限：2026年3月20日（已超期 1 天）" in later
    assert "理由：已有学校" in later
    needed = told(None, granted=False)
    assert "答复：不同意认定为不适用，本事项仍须办理" in needed
    assert "申请：2026年3月2日申请认定为不适用" in needed
    released = told(None, granted=True, reason="")
    assert "答复：同意认定为不适用，本事项无须办理和报送" in released
    assert "时限" not in released
    assert "说明" not in released
    refused = Answered(asked_on, until, granted=False)
    english = text(head(example, Kind.ANSWER), [replace(item(example), answered=refused)])
    assert "Answer: the time is not extended; please send the evidence" in english
    assert "You asked on 2 March 2026: to extend the time to 10 April 2026" in english


@pytest.mark.parametrize("kind", [Kind.CHASE, Kind.COPY, Kind.LINK])
def test_the_link_stands_by_itself_before_the_contact(small: Registry, kind: Kind):
    one = replace(head(small, kind), link=LINK, link_until=date(2026, 12, 31))
    items = [] if kind is Kind.LINK else [item(small)]
    _, plain, html = read(write_mail(one, items))
    rows = plain.splitlines()
    here = rows.index(LINK)  # alone on its line, so that no program takes more for the address
    assert rows[here - 1] == "办理入口："
    assert rows[here + 1].endswith("请勿转发给无关人员；有效期至2026年12月31日。")
    assert rows[here + 3].startswith("联系单位：")
    assert f'<a href="{LINK}"' in html
    assert f">{LINK}</div>" in html
    assert f"[办理入口]({LINK})  \n" in write_markdown(one, items).decode()
    assert f"\n{LINK}\n" in write_text(one, items).decode()


def test_a_letter_without_a_link_says_nothing_of_it(small: Registry):
    for form in read(write_mail(head(small), [item(small)]))[1:]:
        assert "办理入口" not in form
        assert "督办门户" not in form


def test_the_desk_is_told_to_sign_in(small: Registry, example: Registry):
    desk = "https://duban.example.cn/desk"
    assert f"督办门户：\n{desk}\n请用本人账号登录。" in text(
        replace(head(small, Kind.TASKS), link=desk), [TASK]
    )
    english = replace(head(example, Kind.TASKS), link=desk, language="en")
    assert f"The portal:\n{desk}\nSign in with your own account." in text(english, [TASK])


def test_a_placeholder_is_as_long_as_a_token():
    assert len(placeholder(1)) == len(placeholder(10**18)) == len(TOKEN) == LENGTH


@pytest.mark.parametrize("write", [write_mail, *ROBOTS])
def test_a_letter_is_filled_with_its_token_and_changes_nothing_else(small: Registry, write: Write):
    one = replace(head(small), link=LINK, link_until=date(2026, 12, 31))
    payload = write(one, [item(small)])
    assert links_in(payload) == {12}
    whole = filled(payload, {12: TOKEN})
    there = replace(one, link=LINK.replace(placeholder(12), TOKEN))
    assert whole == write(there, [item(small)])
    assert len(whole) == len(payload)
    assert links_in(whole) == set()
    assert filled(payload, {}) == filled(payload, {13: TOKEN}) == payload


def test_a_long_mail_is_filled_too(small: Registry):
    one = replace(head(small, Kind.RETURN), link=LINK)
    long = replace(item(small), reason="长" * 5000)
    whole = filled(write_mail(one, [long]), {12: TOKEN})
    _, plain, html = read(whole)
    assert TOKEN in plain
    assert html.count(TOKEN) == 2
    assert max(map(len, whole.split(b"\r\n"))) <= 78


# What people write stays what they wrote


def test_an_enclosed_paper_opens_beside_the_same_letter(small: Registry):
    name, content = "督办函 晋教督函〔2026〕12号.docx", bytes(range(256)) * 99
    letter = filled(write_mail(replace(head(small), link=LINK), [item(small)]), {12: TOKEN})
    whole = enclosed(letter, name, content)
    message, plain, html = read(whole)
    assert message.get_content_type() == "multipart/mixed"
    assert (plain, html) == read(letter)[1:]
    assert TOKEN in plain
    [paper] = message.iter_attachments()
    assert (paper.get_filename(), paper.get_content()) == (name, content)
    assert paper.get_content_type() == WORD
    for header in ("Message-ID", "Subject", "Date", "To"):
        assert message[header] == read(letter)[0][header]
    assert enclosed(letter, name, content) == whole != enclosed(letter, name, content + b"1")
    assert max(len(line) for line in whole.split(b"\r\n")) <= 300
    assert b"\n" not in whole.replace(b"\r\n", b"")


def test_a_letter_says_where_its_paper_is(small: Registry, example: Registry):
    one = replace(head(small), paper="督办函", link=LINK)
    assert "附件：督办函（Word 文件）。" in text(replace(one, enclosed=True), [item(small)])
    assert "督办函请从下面的办理入口下载。" in text(one, [item(small)])
    # A robot's letter that leads nowhere promises nothing.
    assert "督办函" not in text(replace(one, link=""), [item(small)])
    other = replace(head(example), paper="supervision letter", link=LINK)
    known = item(example, next(iter(example.clauses)))
    assert "The supervision letter can be downloaded below." in text(other, [known])
    assert "Enclosed: supervision letter (Word file)." in text(
        replace(other, enclosed=True), [known]
    )


def test_what_a_person_wrote_is_no_html(small: Registry):
    one = replace(item(small), reason="<script>alert(1)</script>")
    _, plain, html = read(write_mail(head(small, Kind.RETURN), [one]))
    assert "<script>" in plain
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_what_a_person_wrote_is_no_template(small: Registry):
    one = replace(item(small), reason="{{7*7}}{% raw %}")
    _, plain, html = read(write_mail(head(small, Kind.RETURN), [one]))
    assert "{{7*7}}{% raw %}" in plain
    assert "{{7*7}}{% raw %}" in html


def test_what_a_person_wrote_is_no_markup_of_a_robot(small: Registry):
    one = replace(item(small), reason="**粗** [点](http://x.example) `码` # 题 > 引 <@all>")
    written = write_markdown(head(small, Kind.RETURN), [one]).decode()
    [line] = [row for row in written.splitlines() if "粗" in row]
    assert not re.search(r"[*\[\]`#<>]", line)


@pytest.mark.parametrize("write", ROBOTS)
def test_only_the_recipient_is_called(small: Registry, write: Write):
    one = replace(item(small), reason='<@all> <at user_id="all"></at>')
    written = write(replace(head(small), userid="zhang_3"), [one]).decode()
    assert written.endswith("\n\n<@zhang_3>")
    assert written.count("<") == 1
    assert "<" not in write(head(small), [one]).decode()


def test_a_line_break_in_a_reason_makes_no_block_of_its_own(small: Registry):
    one = replace(item(small), reason="缺盖章\nsign 假厅\u2028item 9. 假\r\n\r\n假")
    plain = text(head(small, Kind.RETURN), [one])
    assert "退回意见：缺盖章 sign 假厅 item 9. 假 假\n" in plain


def test_nothing_that_comes_in_makes_a_header(small: Registry):
    evil = "x\r\nBcc: thief@example.org\r\n\r\n"
    one = replace(
        head(small), key=evil, label=evil, sender=f"督办{evil} <a@b.cn>", address=f"c@d.cn{evil}"
    )
    message, _, _ = read(write_mail(one, [replace(item(small), title=evil)]))
    assert "Bcc" not in message
    assert set(message.keys()) >= {"From", "To", "Subject", "Message-ID"}


# Mail


def test_mail_programs_thread_by_duty(small: Registry):
    items = [replace(item(small), duty_id=number) for number in (5, 7, 5, *range(100, 130))]
    message, _, _ = read(write_mail(head(small), items))
    assert message["In-Reply-To"] == "<duty-5@example.cn>"
    references = str(message["References"]).split()
    assert references[:3] == [f"<duty-{n}@example.cn>" for n in (5, 7, 100)]
    assert len(references) == MOST_THREADS


@pytest.mark.parametrize(
    ("address", "name", "mailbox"),
    [
        ("a@example.org", "", "a@example.org"),
        ("督办 <a@example.org>", "督办", "a@example.org"),
        ('"Li, Wei" <a@example.org>', "Li, Wei", "a@example.org"),
        ("a@例子.中国", "", "a@xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_addresses_are_written_so_that_mail_programs_read_them(
    small: Registry, address: str, name: str, mailbox: str
):
    one = replace(head(small), sender=address, address=address)
    message, _, _ = read(write_mail(one, [item(small)]))
    for header in (message["From"], message["To"]):
        [found] = header.addresses
        assert (found.display_name, found.addr_spec) == (name, mailbox)


def test_a_long_name_is_written_as_several_words_that_join(small: Registry):
    one = replace(head(small), address="很长" * 40 + " <a@example.org>")
    message = email.message_from_bytes(write_mail(one, [item(small)]))
    assert str(make_header(decode_header(message["To"]))) == one.address


def test_a_recipient_without_an_address_is_a_group_of_nobody(small: Registry):
    message, _, _ = read(write_mail(replace(head(small), address="东市妇联:;"), [item(small)]))
    [group] = message["To"].groups
    assert (group.display_name, group.addresses) == ("东市妇联", ())


@pytest.mark.parametrize("label", ["很长的标签" * 30, "=?utf-8?b?eA==?=", "é" * 200])
def test_a_subject_of_any_length_comes_back_whole(small: Registry, label: str):
    message, _, _ = read(write_mail(replace(head(small), label=label), [item(small)]))
    assert label in str(message["Subject"])


def test_a_long_english_subject_comes_back_whole(example: Registry):
    label = "of no consequence " * 20
    message, _, _ = read(write_mail(replace(head(example), label=label), [item(example)]))
    assert label.strip() in str(message["Subject"])


def test_lines_stay_within_what_mail_servers_take(small: Registry):
    one = replace(item(small), reason="长" * 5000)
    payload = write_mail(replace(head(small, Kind.RETURN), label="签" * 200), [one])
    assert max(map(len, payload.split(b"\r\n"))) <= 78
    assert payload.isascii()
    assert b"\n" not in payload.replace(b"\r\n", b"")
    assert "长" * 5000 in read(payload)[1]


# Limits of robots


@pytest.mark.parametrize("write", ROBOTS)
@pytest.mark.parametrize("filler", ["汉", "😀", FAMILY, "🇨🇳", "é"])
@pytest.mark.parametrize("limit", [2048, 4095, 4096, 4097])
def test_a_quote_that_is_too_long_is_cut_between_characters(
    small: Registry, write: Write, filler: str, limit: int
):
    one = quoting(item(small), filler * 3000)
    payload, carried = within(head(small), [one], write, limit)
    written = payload.decode()
    assert carried == 1
    assert limit - 40 < len(payload) <= limit or filler == "🇨🇳"  # a run of flags is cut whole
    assert "1. 家长课堂（编号 7，" in written
    assert "时限：2026年3月20日" in written
    assert re.search(f"“(?:{filler})*…”", written)
    assert "请报送：课堂数（堂）" in written


@pytest.mark.parametrize("write", ROBOTS)
def test_a_letter_of_exactly_the_limit_is_left_alone(small: Registry, write: Write):
    def of(length: int) -> list[Item]:
        return [item(small, "3"), replace(item(small), reason="x" * length)]

    short = len(write(head(small), of(1)))
    items = of(4096 - short + 1)
    whole = write(head(small), items)
    assert len(whole) == 4096
    assert within(head(small), items, write, 4097) == (whole, 2)
    assert within(head(small), items, write, 4096) == (whole, 2)
    assert within(head(small), items, write, 4095) == (write(head(small), items[:1]), 1)


@pytest.mark.parametrize("write", ROBOTS)
def test_the_quote_goes_first_then_what_is_asked_then_the_reason(small: Registry, write: Write):
    one = replace(item(small), reason="缺" * 200)
    asked, reason = "；".join(one.asks), one.reason
    seen = [
        (asked in written, reason in written, "1. 家长课堂" in written, "3月20日" in written)
        for limit in range(1500, 400, -50)
        for written in [within(head(small, Kind.RETURN), [one], write, limit)[0].decode()]
    ]
    assert seen[0] == (True, True, True, True)
    assert all(before >= after for before, after in pairwise(seen))
    assert (False, True, True, True) in seen
    assert seen[-1] == (False, False, True, True)


@pytest.mark.parametrize("write", ROBOTS)
def test_a_task_that_is_too_long_is_cut(small: Registry, write: Write):
    one = replace(TASK, about=FAMILY * 500)
    payload, carried = within(head(small, Kind.TASKS), [one, TASK], write, 2048)
    assert carried == 1
    assert len(payload) <= 2048
    assert re.search(f"(?:{FAMILY})…$", payload.decode())


@given(
    lengths=st.lists(st.integers(0, 900), min_size=1, max_size=60),
    filler=st.sampled_from(["汉", "a", FAMILY, "<"]),
    limit=st.integers(1000, 5000),
    write=st.sampled_from(ROBOTS),
)
@settings(max_examples=60, deadline=None)
def test_no_duty_is_lost_or_said_twice_over_the_parts_of_a_letter(
    small: Registry, lengths: list[int], filler: str, limit: int, write: Write
):
    items = [
        replace(quoting(item(small), f"妇联{filler * length}"), duty_id=number)
        for number, length in enumerate(lengths, start=1)
    ]
    found, part, left = list[str](), 0, items
    while left:
        part += 1
        payload, carried = within(replace(head(small), part=part), left, write, limit)
        assert len(payload) <= limit
        said = re.findall(r"编号 (\d+)，", payload.decode())
        assert len(said) == carried
        found += said
        left = left[carried:]
    assert found == [str(number) for number in range(1, len(items) + 1)]


@pytest.mark.parametrize("write", ROBOTS)
def test_a_part_carries_as_much_as_it_can(small: Registry, write: Write):
    items = [replace(item(small), duty_id=number) for number in range(200)]
    payload, carried = within(head(small), items, write, 4096)
    assert payload == write(head(small), items[:carried])
    assert len(write(head(small), items[: carried + 1])) > 4096
