"""How a duty looks on the stage: its face, its card, its timeline; what these keep back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, insert

from duban.evidence import Checked
from duban.ladder import Kind
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover
from duban.ledger.approvals import call, decline
from duban.ledger.change import change
from duban.ledger.chase import chase
from duban.ledger.database import make_engine
from duban.ledger.holds import hold, release
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties, latest_evidence
from duban.ledger.tables import MirrorRun
from duban.ledger.timeline import Told, last_letters, prospects, unlogged
from duban.mirror import (
    Background,
    Door,
    Face,
    card,
    card_digest,
    delivery_words,
    face,
    kept_since,
    line,
    overdue_tag,
    refresh_on,
    runs_link,
)
from duban.office import Office
from duban.registry import Registry
from duban.words import EN, ZH, words
from tests.conftest import SHANGHAI, Project, china

NOW = china("2026-01-05")
LATE = china("2026-04-01")
PORTAL = "https://duban.example.cn"


@pytest.fixture
def ledger(sqlite_url: str, small: Registry) -> Iterator[Ledger]:
    engine = make_engine(sqlite_url)
    yield Ledger(engine, small)
    engine.dispose()


@pytest.fixture
def office(ledger: Ledger, sqlite_url: str, project: Project) -> Office:
    return Office(project.settings(sqlite_url), ledger)


@pytest.fixture
def duty(ledger: Ledger) -> int:
    """东市妇联's of the first quarter, due on 20 March."""
    open_missing(ledger, NOW, clause="small/1")
    return duties(ledger, agency="东/妇联")[0].id


def view(ledger: Ledger, duty: int) -> DutyView:
    return duties(ledger, ids=[duty])[0]


def face_of(ledger: Ledger, duty: int, now: datetime = NOW) -> Face:
    return face(view(ledger, duty), now)


def shown(ledger: Ledger, duty: int, now: datetime = NOW, portal: str = PORTAL) -> str:
    return card(view(ledger, duty), beside(ledger, duty, now, portal), now)


def beside(ledger: Ledger, duty: int, now: datetime, portal: str = PORTAL) -> Background:
    return Background(
        latest_evidence(ledger, [duty]).get(duty),
        prospects(ledger, [duty], now)[duty],
        last_letters(ledger, [duty]).get(duty),
        ledger.registry.name_of,
        portal,
    )


def with_doors(ledger: Ledger, duty: int) -> str:
    acts = ("review", "extend", "waive", "reopen", "call", "hold")
    doors = {act: Door(act, f"id-{act}") for act in acts}
    return card(view(ledger, duty), replace(beside(ledger, duty, NOW), doors=doors), NOW)


def hand_in(ledger: Ledger, duty: int, now: datetime = NOW, cover: Cover | None = None) -> None:
    evidence = Checked({} if cover and cover.nil else {"classes": 317}, ())
    acts.submit(ledger, duty, evidence, [], by="东/妇联", now=now, cover=cover or Cover())


def row(text: str, label: str) -> str:
    """What a card says in the row of that name; empty without one."""
    found = [one for one in text.splitlines() if one.startswith(f"| {label} |")]
    return found[0].split(" | ")[1].removesuffix(" |") if found else ""


# The face.


def test_a_run_is_named_by_whom_for_what_and_by_when(ledger: Ledger, duty: int):
    assert face_of(ledger, duty).name == "东市妇联 · 2026Q1 · 03-20止"


def test_the_parameters_are_what_a_person_asks_first(ledger: Ledger, duty: int):
    assert face_of(ledger, duty).parameters == {
        "编号": duty,
        "条款": "1 家长课堂",
        "责任单位": "东市妇联",
        "地区": "东市",
        "周期": "2026Q1",
        "时限": "2026-03-20",
    }


def test_what_is_overdue_has_a_tag_for_its_city_its_department_and_its_clause(
    ledger: Ledger, duty: int
):
    early, late = face_of(ledger, duty), face_of(ledger, duty, LATE)
    assert {"部门:妇联", "单位:东市妇联", "市:东", "条款:1", "状态:待报"} <= set(early.tags)
    assert set(late.tags) - set(early.tags) == {
        "状态:超期", "灯:红", "超期:东", "超期:妇联", "超期:1",
    }  # fmt: skip
    assert overdue_tag(ZH, "东") in late.tags
    assert overdue_tag(ZH) in late.tags
    assert overdue_tag(EN) == "status:overdue"


def test_a_link_to_the_runs_of_tags_is_one_address():
    link = urlsplit(runs_link("http://127.0.0.1:4200", "超期:太原", "灯:黄"))
    assert link.path == "/v2/runs"
    assert parse_qs(link.query) == {"tags": ["超期:太原,灯:黄"]}


def test_the_state_says_the_due_instant_and_how_late_the_evidence_came(ledger: Ledger, duty: int):
    assert face_of(ledger, duty).message == "时限 2026-03-20 24:00"
    until = date(2026, 3, 30)
    acts.extend(ledger, duty, due_on=until, reason="放假", by="李", now=NOW)
    hand_in(ledger, duty, china("2026-04-02"))
    assert face_of(ledger, duty).message == (
        "时限 2026-03-30 24:00（原时限 2026-03-20） · 迟报 3 天（按原时限 13 天）"
    )


def test_a_nil_return_shows_in_the_state_and_on_the_card(ledger: Ledger, duty: int):
    hand_in(ledger, duty, cover=Cover(statement="本季度无家长课堂"))
    assert face_of(ledger, duty).message.endswith(" · 零报告")
    text = shown(ledger, duty)
    assert row(text, "状态") == "待审（零报告）"
    assert "**已报材料**（零报告）" in text
    assert "本季度无家长课堂" not in text  # a name may stand in it
    assert "- （内容请在工作台查看）" in text


def test_the_order_of_tags_means_nothing_to_a_digest(ledger: Ledger, duty: int):
    one = face_of(ledger, duty)
    turned = replace(one, tags=one.tags[::-1])
    assert turned.digest == one.digest


@pytest.mark.parametrize(
    ("crowded", "since"),
    [(False, china("2025-01-01", "00:00")), (True, china("2026-11-17"))],
)
def test_a_closed_duty_is_shown_to_the_end_of_the_next_year_or_a_week(
    crowded: bool, since: datetime
):
    assert kept_since(china("2026-11-24"), SHANGHAI, crowded=crowded) == since


# The card.


def test_a_card_shows_what_came_and_leads_to_the_portal(ledger: Ledger, duty: int):
    hand_in(ledger, duty)
    text = shown(ledger, duty)
    assert "- 课堂数：317" in text
    assert f"[在督办门户中办理](https://duban.example.cn/desk/duties/{duty})" in text


def test_a_card_opens_the_forms_that_fit_with_the_duty_filled_in(ledger: Ledger, duty: int):
    offered = re.findall(r"\[(\w+)\]\(/v2", with_doors(ledger, duty))
    hand_in(ledger, duty)
    assert offered == ["extend", "waive", "call"]
    form = f"/v2/deployments/deployment/id-review/run?parameters=%7B%22duty%22%3A{duty}%7D"
    assert f"[review]({form})" in with_doors(ledger, duty)
    acts.accept(ledger, duty, by="张三", now=NOW)
    assert re.findall(r"\[(\w+)\]\(/v2", with_doors(ledger, duty)) == ["reopen"]


def test_a_card_keeps_back_what_may_be_personal(ledger: Ledger, duty: int):
    hand_in(ledger, duty, cover=Cover(suspect="phone"))
    text = shown(ledger, duty)
    assert "317" not in text
    assert "疑似含个人信息，请在门户中查看" in text


def test_a_card_without_a_portal_leads_nowhere(ledger: Ledger, duty: int):
    assert "](" not in shown(ledger, duty, portal="")


def test_a_card_tells_the_days_late_against_both_due_days_as_of_a_day(ledger: Ledger, duty: int):
    until = date(2026, 3, 30)
    acts.extend(ledger, duty, due_on=until, reason="放假", by="李", now=NOW)
    text = shown(ledger, duty, LATE)
    assert row(text, "时限") == "2026年3月30日（原时限 2026-03-20）"
    assert row(text, "超期") == "截至 2026-04-01，超期 2 天（按原时限 12 天）"


def test_a_card_is_the_same_the_next_day_but_for_the_days_late(ledger: Ledger, duty: int):
    next_day = china("2026-04-02")
    assert shown(ledger, duty, LATE) != shown(ledger, duty, next_day)
    digests = {
        card_digest(view(ledger, duty), beside(ledger, duty, now)) for now in (LATE, next_day)
    }
    assert len(digests) == 1


def test_only_the_card_of_an_overdue_duty_grows_old_in_a_week(ledger: Ledger, duty: int):
    one = view(ledger, duty)
    assert refresh_on(one, None, NOW) is None
    assert refresh_on(one, None, LATE) == date(2026, 4, 8)


def test_what_comes_next_counts_from_the_delivery_of_the_first_letter(
    office: Office, ledger: Ledger, duty: int
):
    assert row(shown(ledger, duty), "下一步") == "待首函送达后起算"
    office.post.deliver(lambda: NOW)
    assert row(shown(ledger, duty), "下一步") == "2026-03-13 提醒"


def test_a_turn_that_has_come_is_told_by_its_own_day(office: Office, ledger: Ledger, duty: int):
    office.post.deliver(lambda: NOW)
    assert row(shown(ledger, duty, china("2026-03-14")), "下一步") == "提醒，2026-03-13 已到级次"


def test_a_hold_is_told_with_what_follows_it(office: Office, ledger: Ledger, duty: int):
    office.post.deliver(lambda: NOW)
    until = date(2026, 3, 15)
    number = hold(
        ledger, agency=None, clause="small/1", until=until, reason="普查", by="李", now=NOW
    )
    assert row(shown(ledger, duty), "下一步") == "暂停至 2026-03-15、其后 2026-03-16 提醒"
    one = view(ledger, duty)
    assert refresh_on(one, prospects(ledger, [duty], NOW)[duty], NOW) == date(2026, 3, 16)
    release(ledger, number, by="李", now=NOW)
    assert row(shown(ledger, duty), "下一步") == "2026-03-13 提醒"


def test_a_formal_letter_that_awaits_approval_is_what_comes_next(
    office: Office, ledger: Ledger, duty: int
):
    office.post.deliver(lambda: NOW)
    for day in (date(2026, 3, 13) + timedelta(days=n) for n in range(60)):
        chase(ledger, china(f"{day}"))
        if day == date(2026, 4, 8):
            told = row(shown(ledger, duty, china("2026-04-08")), "下一步")
            assert told == "2026-04-13 催办、督办函待批准"
    assert row(shown(ledger, duty, china("2026-05-12")), "下一步") == "通报待批准"
    decline(ledger, [duty], reason="已约谈", by="李", now=china("2026-05-12"))
    assert row(shown(ledger, duty, china("2026-05-12")), "下一步") == "阶梯已走完"


def test_what_is_under_review_is_not_chased(ledger: Ledger, duty: int):
    hand_in(ledger, duty)
    assert row(shown(ledger, duty), "下一步") == "材料待审，不催办"
    acts.accept(ledger, duty, by="李", now=NOW)
    assert row(shown(ledger, duty), "下一步") == ""


def test_a_card_tells_the_last_letter_and_whether_it_arrived(
    office: Office, ledger: Ledger, duty: int
):
    assert row(shown(ledger, duty), "最近函件") == "2026-01-05 交办待发，致东市妇联"
    office.post.deliver(lambda: NOW)
    assert row(shown(ledger, duty), "最近函件") == "2026-01-05 交办已存入投递文件夹，致东市妇联"
    call(ledger, duty, said="答应周五报", by="李", now=china("2026-03-25"))
    assert row(shown(ledger, duty), "最近函件") == "2026-03-25 电话催办东市妇联"


# The timeline.


def timeline(ledger: Ledger, duty: int) -> list[str]:
    """The lines of a run that nothing was written into yet."""
    row = {"duty_id": duty, "run_id": "x", "revision": "", "state": "", "face": "", "card": ""}
    with ledger.engine.begin() as connection:
        connection.execute(delete(MirrorRun))
        connection.execute(insert(MirrorRun), row)
    one = view(ledger, duty)
    w, name_of = words(one.notice.language), ledger.registry.name_of
    found = unlogged(ledger, [duty]).get(duty, [])
    return [line(said, w, one.notice.zone, name_of) for said in found]


def test_the_timeline_tells_each_letter_hold_and_act_in_order(
    office: Office, ledger: Ledger, duty: int
):
    office.post.deliver(lambda: NOW)
    number = hold(
        ledger,
        agency="东/妇联",
        clause=None,
        until=date(2026, 1, 20),
        reason="普查",
        by="李",
        now=china("2026-01-06"),
    )
    release(ledger, number, by="李", now=china("2026-01-07"))
    call(ledger, duty, said="答应周五报", by="李", now=china("2026-01-08"))
    hand_in(ledger, duty, china("2026-01-09"))
    assert timeline(ledger, duty)[:-1] == [
        "立项交办，时限 2026-03-20",
        "交办已存入投递文件夹，致东市妇联",
        "抄送已存入投递文件夹，致东市教育局",
        "暂停催办至 2026-01-20：普查 — 李",
        "恢复催办 — 李",
        "电话催办：答应周五报 — 李",
    ]
    assert timeline(ledger, duty)[-1].endswith("— 东市妇联")


def test_the_timeline_tells_no_number_of_a_person_and_nobodys_name(ledger: Ledger, duty: int):
    call(ledger, duty, said="身份证11010519491231002X，13800138000", by="李", now=NOW)
    call(ledger, duty, said="困境儿童名单：张三、李四、王五", by="13800138000", now=NOW)
    with change(ledger.engine, NOW, "东/妇联") as made:
        made.record("handed-on", duty, "王老师", link=3)
        made.record("file-refused", duty, "王小明的照片.png", file=1, why="type")
    assert timeline(ledger, duty)[-4:] == [
        "电话催办：身份证110***********002X，138****8000 — 李",
        "电话催办：*** — 138****8000",
        "转交***办理（链接 3） — 东市妇联",
        "所报文件未通过检验：*** — 东市妇联",
    ]


def test_the_card_shows_an_office_telephone_but_no_mobile_number(ledger: Ledger, duty: int):
    one = view(ledger, duty)
    for given, said in (("0351-1234567", "0351-1234567"), ("13800138000", "138****8000")):
        contact = one.agency.contact.model_copy(update={"telephone": given})
        reached = replace(one, agency=one.agency.model_copy(update={"contact": contact}))
        assert row(card(reached, Background()), "联系电话") == said


def test_a_hold_elsewhere_or_before_its_time_is_not_in_the_timeline(ledger: Ledger):
    until, early = date(2026, 1, 20), china("2025-12-30")
    hold(ledger, agency=None, clause="small/1", until=until, reason="早", by="李", now=early)
    open_missing(ledger, NOW)
    hold(ledger, agency="西/妇联", clause=None, until=until, reason="别处", by="李", now=NOW)
    duty = duties(ledger, agency="东/妇联")[0].id
    assert not [one for one in timeline(ledger, duty) if "暂停" in one]


@pytest.mark.parametrize(
    ("state", "via", "why", "said"),
    [
        ("sent", "mail", "", "催办已送达东市妇联（电子邮件）"),
        ("sent", "hand", "", "催办已当面送达东市妇联"),
        ("unreachable", "drop", "no-contact", "没有可用的联系地址"),
        ("unreachable", "drop", "suspended", "地址被对方拒收，已暂停使用"),
        ("dead", "mail", "permanent", "催办未能送达东市妇联：被对方拒收"),
        ("dead", "mail", "ambiguous", "多次投递，均无回音"),
        ("resent", "", "", "重新投递催办，致东市妇联"),
    ],
)
def test_every_outcome_of_a_letter_has_words(state: str, via: str, why: str, said: str):
    told = Told(1, NOW, 1, Kind.CHASE, "东/妇联", state, via, why)
    names = {"东/妇联": "东市妇联"}
    assert said in delivery_words(told, ZH, lambda name: names.get(name, name))
    assert "{" not in delivery_words(told, EN, str)
