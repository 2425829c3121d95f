"""Personal data in text: measured on texts made for it, and the single rules one by one."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.intake import HIDDEN, hide, masked, suspects

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
AREAS = ("140105", "140202", "110101", "310115", "440304", "650102", "810000")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN_NAMES = ("小明", "子涵", "欣怡", "浩然", "伟", "芳", "梓轩", "雨桐", "建国", "静")
TO_WIDE = {ord(one): ord(one) + 0xFEE0 for one in "0123456789X"}


def id_number(chance: random.Random) -> str:
    born = date(1960, 1, 1) + timedelta(days=chance.randint(0, 23_000))
    digits = f"{chance.choice(AREAS)}{born:%Y%m%d}{chance.randint(0, 999):03}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True))
    return digits + "10X98765432"[total % 11]


def mobile(chance: random.Random) -> str:
    return f"1{chance.choice('356789')}{chance.randint(0, 999_999_999):09}"


def card(chance: random.Random) -> str:
    digits = f"62{chance.randint(0, 10**14 - 1):014}"
    total = sum(
        sum(divmod(int(digit) * (2 if at % 2 else 1), 10))
        for at, digit in enumerate(reversed(f"{digits}0"))
    )
    return f"{digits}{-total % 10}"


def name(chance: random.Random) -> str:
    return chance.choice(SURNAMES) + chance.choice(GIVEN_NAMES)


def roster(chance: random.Random) -> str:
    gap = chance.choice(["\t", "  ", " | "])
    head = chance.choice(
        [
            ["姓名", "班级"],
            ["序号", "姓名", "学号", "得分"],
            ["学生姓名", "性别", "诊断"],
            ["姓 名", "出生年月", "家庭住址"],
            ["姓名", "年级班级", "监护人"],
        ]
    )
    rows = [[name(chance) if "名" in cell else "某项" for cell in head] for _ in range(3)]
    return "\n".join(gap.join(row) for row in [head, *rows])


def listed(chance: random.Random) -> str:
    names = "、".join(name(chance) for _ in range(chance.randint(3, 9)))
    return f"重点关注学生名单：{names}。"


def around(
    kind: str, number: Callable[[random.Random], str], *frames: str
) -> list[tuple[str, str]]:
    """A hundred texts with one such number in each."""
    chance = random.Random(kind)
    texts = [chance.choice(frames).format(number(chance)) for _ in range(100)]
    return [
        (kind, text.translate(TO_WIDE) if at % 5 == 0 else text) for at, text in enumerate(texts)
    ]


def personal() -> list[tuple[str, str]]:
    chance = random.Random(9)
    return [
        *around(
            "id-number",
            id_number,
            "身份证号：{}",
            "（{}）",
            "王某，{}，男",
            "学籍号G{}",
            "L{} 转入",
        ),
        *around(
            "telephone",
            mobile,
            "联系电话：{}",
            "手机{}。",
            "{}（王老师）",
            "电话 +86 {}",
            "{}、其他",
        ),
        *around("bank-card", card, "卡号：{}", "账户{}，户名王某", "{}"),
        *(("roster", roster(chance)) for _ in range(60)),
        *(("roster", listed(chance)) for _ in range(20)),
    ]


INNOCENT = (
    "2026年第三季度，全市共举办家长课堂{n}场，参加{n}人次。",
    "拨付经费{n}00000000元，其中市级{n}元。",
    "办公电话：0351-{seven}，传真：0351-{seven}。",
    "并教基〔2025〕{n}号，印发日期2025年11月{d}日。",
    "统一社会信用代码：91140100{n6}78901A",
    "统计时间20250101至20251231，覆盖率{n}.{d}%。",
    "青少年服务热线12355，心理援助热线12356，{n}人拨打。",
    "订单编号2025{n6}{n6}{n6}，流水号{n6}{n6}{n6}{n6}。",
    "均值0.138{n6}45678，标准差1.5{n6}9012345。",
    "学校\t班级数\t学生数\n一中\t{d}\t{n}\n二中\t{d}\t{n}",
    "请各校如实填写姓名、班级、学号等信息，不得公开。",
    "姓名\t职务\t单位\t签到\n王建国\t科长\t教育局\t已签\n李静\t主任\t妇联\t已签",
    "姓名\t性别\t单位\t职称\n王建国\t男\t市一中\t高级\n李静\t女\t二中\t一级",
    "姓名\t班级\t学号\n\t\t\n",
    "参会单位名单：市教育局、市妇联、团市委、市卫健委。",
    "网址 https://example.org/a/138{n6}12/show?id=1591{n6}2",
    "文件哈希 a138{n6}123f，版本 v1.3.{d}，编码 GB13{n6}9012。",
    "产生数据13{n6}123条、13{n6}123人次。",
    "学生人数、教师人数和专职心理教师人数分别为{n}、{n}、{d}。",
    "档案号 140105-{n6}-{n}，工程编号 1401052025{n6}",
)


def innocent() -> list[str]:
    chance = random.Random(4)
    return [
        frame.format(
            n=chance.randint(1, 9999),
            d=chance.randint(1, 28),
            n6=chance.randint(100_000, 999_999),
            seven=chance.randint(2_000_000, 8_999_999),
        )
        for frame in INNOCENT
        for _ in range(20)
    ]


def test_what_is_personal_is_found_and_what_is_not_is_left(
    record_property: Callable[[str, object], None],
):
    bad, good = personal(), innocent()
    missed = [text for kind, text in bad if kind not in suspects(text)]
    wrong = [text for text in good if suspects(text)]
    beside = [(kind, text) for kind, text in bad if set(suspects(text)) - {kind}]
    found = len(bad) - len(missed)
    precision, recall = found / (found + len(wrong)), found / len(bad)
    print(f"{len(bad)} + {len(good)} texts: precision {precision:.3f}, recall {recall:.3f}")
    record_property("precision", precision)
    record_property("recall", recall)
    assert len(bad) + len(good) >= 700
    assert (missed[:5], wrong[:5]) == ([], [])
    assert len(beside) <= len(bad) // 50, beside[:5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11010519491231002X", ("id-number",)),
        ("11010519491231002x", ("id-number",)),
        ("110105 19491231 002X", ("id-number",)),
        ("１１０１０５１９４９１２３１００２Ｘ", ("id-number",)),
        ("110105194912310021", ()),  # the check digit is wrong
        ("110105194913310020", ()),  # no thirteenth month
        ("990105194912310020", ()),  # no such province
        ("a11010519491231002X", ()),
        ("身份证号：110105491231002", ("id-number",)),
        ("数量110105491231002", ()),
        ("身份证号：110105491331002", ()),
        ("138-1234-5678", ("telephone",)),
        ("138 1234 5678", ("telephone",)),
        ("+86 13812345678", ("telephone",)),
        ("8613812345678", ("telephone",)),
        ("13812345678;13912345678", ("telephone",)),
        ("13812345678/13912345678", ("telephone",)),
        ("张三,13812345678", ("telephone",)),
        ("张三/13812345678", ("telephone",)),
        ("1,13812345678", ()),
        ("?id=13812345678", ()),
        ("12812345678", ()),
        ("138123456789", ()),
        ("138-12345678", ()),
        ("13812345678元", ()),
        ("13812345678.50", ()),
        ("0.13812345678", ()),
        ("6222021234567890128", ("bank-card",)),
        ("6222021234567890129", ()),  # its last digit does not follow from the others
        ("4111 1111 1111 1111", ()),
        ("4111111111111111", ("bank-card",)),
        ("联系人：张三，13812345678，证件11010519491231002X", ("id-number", "telephone")),
        ("姓名 班级\n张三 三（2）班", ("roster",)),
        ("姓　名　班级\n张某某　三（2）班", ("roster",)),
        ("姓名 班级\n", ()),
        ("姓名 班级", ()),
        ("班级 人数\n三（2）班 45", ()),
        ("姓名 性别 年龄\n张三 男 12", ("roster",)),
        ("姓名 性别 职务\n张三 男 科长", ()),
        ("", ()),
    ],
)
def test_each_rule_by_itself(text: str, expected: tuple[str, ...]):
    assert suspects(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("身份证11010519491231002X。", "身份证110***********002X。"),
        ("电话13812345678，办公室0351-1234567", "电话138****5678，办公室0351-1234567"),
        ("１３８１２３４５６７８", "１３８****５６７８"),
        ("㎡后13812345678", "㎡后138****5678"),
        ("共1200人", "共1200人"),
        ("", ""),
    ],
)
def test_what_is_found_is_hidden_but_for_its_ends(text: str, expected: str):
    assert masked(text) == expected


def test_a_list_of_people_is_hidden_as_a_whole_and_numbers_by_their_middle():
    assert hide("电话13812345678") == "电话138****5678"
    assert hide("困境儿童名单：张三、李四、王五") == HIDDEN
    assert hide("困境儿童名单：张三、李四、王五", "（已隐藏）") == "（已隐藏）"
    assert hide("汛期道路中断") == "汛期道路中断"


def test_nothing_found_is_left_to_see_after_masking():
    for kind, text in personal():
        if kind != "roster":
            assert suspects(masked(text)) == ()


@given(st.text(alphabet="0123456789Xx -姓名班级学号张三\t\n㎡１２", max_size=120))
def test_any_text_keeps_its_length(text: str):
    assert len(masked(text)) == len(text)
    suspects(text)


def test_a_long_text_is_read_quickly():
    import time

    text = "姓名 班级 1 13812345 110105194912 数据统计，" * 40_000
    began = time.process_time()
    suspects(text)
    assert time.process_time() - began < 3
