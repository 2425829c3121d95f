"""Letters that carry links, and those that answer an agency: receipt, answer, link."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import delete, insert, select, update

from duban.channels import Channel, Fate, Outcome, Parcel
from duban.channels.drop import DropFolder
from duban.evidence import Checked
from duban.ladder import Kind
from duban.ledger import Ledger, acts, letterbox, petitions
from duban.ledger.acts import Cover
from duban.ledger.change import change
from duban.ledger.database import reading
from duban.ledger.explain import explain
from duban.ledger.holds import hold
from duban.ledger.letterbox import NewMention, begin_letter
from duban.ledger.links import Portal, enter, links_of, revoke, send_link
from duban.ledger.opening import open_missing
from duban.ledger.outbox import LEASE, Delivery, Post
from duban.ledger.questions import duties
from duban.ledger.tables import Attempt, Base, Duty, Letter, Mention, Setting
from duban.ledger.tasks import open_task
from duban.letters import placeholder
from duban.office import Office
from duban.registry import Registry
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, duty_of, run, said
from tests.duban.ledger.test_outbox import (
    LATER,
    NOW,
    WOMEN,
    PowerCut,
    Robot,
    Wire,
    only,
    opened,
    plain,
    reached_at,
)

SCHOOLS = "东/教育"
PORTAL = Portal("https://duban.example.cn", b"k" * 32)
ADDRESS = re.compile(r"https://duban\.example\.cn/a/([\w-]{43})(?![\w-])")


class Prompt(Robot):
    """A robot that takes everything at once."""

    pace = None


def post(ledger: Ledger, *wires: Channel, armed: bool = False, portal: Portal = PORTAL) -> Post:
    """`wires`: the drop folder, then a robot."""
    names = ("drop", "wecombot", "mail")
    channels: Mapping[str, Channel] = dict(zip(names, wires, strict=False))
    key = {"KEY": "s3cret"}
    return Post(ledger, channels, lambda: armed, "d@example.org", key, portal=portal)


def hand_in(
    ledger: Ledger,
    clause: str = "1",
    now: datetime = NOW,
    by: str = WOMEN,
    cover: Cover | None = None,
) -> str:
    [duty] = duties(ledger, agency=WOMEN, clause=f"small/{clause}")
    done = acts.submit(ledger, duty.id, Checked({}, ()), [], by=by, now=now, cover=cover)
    return done.number


def tokens(payload: bytes) -> set[str]:
    """The tokens in a mail's text and HTML, or in a robot's message."""
    if payload.startswith(b"From: "):
        html = opened(payload).get_body(("html",))
        assert html is not None
        bodies = [plain(payload), str(html.get_content())]
        assert ADDRESS.findall(bodies[0]) * 2 == ADDRESS.findall(bodies[1])  # button and text
    else:
        bodies = [payload.decode()]
    return {token for body in bodies for token in ADDRESS.findall(body)}


def token(payload: bytes) -> str:
    [found] = tokens(payload)
    return found


def letters(ledger: Ledger, kind: Kind = Kind.RECEIPT) -> Sequence[Letter]:
    question = select(Letter.__table__).where(Letter.kind == kind).order_by(Letter.id)
    with reading(ledger.engine) as connection:
        return [Letter(**row) for row in connection.execute(question).mappings()]


def everything(ledger: Ledger) -> str:
    """Every value of every table; the bodies of frozen mails and papers as they read."""
    with reading(ledger.engine) as connection:
        return "".join(
            repr([_legible(value) for value in row])
            for table in Base.metadata.sorted_tables
            for row in connection.execute(select(table))
        )


def _legible(value: object) -> object:
    if not isinstance(value, bytes):
        return value
    if value.startswith(b"PK"):  # a paper
        return ZipFile(BytesIO(value)).read("word/document.xml").decode()
    return plain(value) if value.startswith(b"From: ") else value.decode()


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """东/妇联 was told of its duties; nothing waits."""
    open_missing(ledger, NOW)
    with ledger.engine.begin() as connection:
        connection.execute(update(Letter).values(state="sent", sent_at=NOW, attempts=1))
    return ledger


@pytest.fixture
def assigned(ledger: Ledger) -> Ledger:
    """One letter waits, to 东/妇联."""
    open_missing(ledger, NOW)
    return only(ledger, WOMEN)


# The link in a letter


def test_a_letter_leaves_with_a_link_that_works_and_lies_in_the_ledger_without(assigned: Ledger):
    wire = Wire()
    post(assigned, wire).deliver(at(NOW))
    secret = token(wire.payloads[0])
    door = enter(assigned, secret, NOW)
    assert door is not None
    assert (door.agency_id, door.duties) == (WOMEN, None)
    assert "有效期至2026年7月4日" in plain(wire.payloads[0])
    kept = everything(assigned)
    assert placeholder(door.link_id) in kept
    assert secret not in kept


def test_a_robot_gets_the_link_within_its_limit(assigned: Ledger):
    ledger = reached_at(assigned, {WOMEN: "wecombot://${KEY}"})
    robot = Prompt()
    post(ledger, Wire(), robot, armed=True).deliver(at(NOW))
    text = robot.payloads[0].decode()
    assert f"[办理入口](https://duban.example.cn/a/{token(robot.payloads[0])})" in text
    assert len(robot.payloads[0]) <= 4096
    [frozen] = [one.payload for one in letters(ledger, Kind.ASSIGN) if one.payload]
    assert len(frozen) == len(robot.payloads[0])


def test_the_same_letter_leaves_with_the_same_bytes_after_a_crash(assigned: Ledger):
    wire = Wire(PowerCut())
    with pytest.raises(PowerCut):
        post(assigned, wire).deliver(at(NOW))
    post(assigned, wire).deliver(at(NOW + 2 * LEASE))
    assert len(wire.payloads) == 2
    assert wire.payloads[0] == wire.payloads[1]
    assert len(links_of(assigned, WOMEN)) == 1


def test_a_link_that_was_revoked_before_a_repeat_goes_out_dead(assigned: Ledger):
    wire = Wire(PowerCut())
    with pytest.raises(PowerCut):
        post(assigned, wire).deliver(at(NOW))
    revoke(assigned, links_of(assigned, WOMEN)[0].id, by="王", now=NOW)
    post(assigned, wire).deliver(at(NOW + 2 * LEASE))
    assert wire.payloads[0] == wire.payloads[1]
    assert enter(assigned, token(wire.payloads[1]), NOW) is None


def test_all_letters_to_an_agency_carry_one_link_and_each_agency_has_its_own(ledger: Ledger):
    open_missing(ledger, NOW)
    wire = Wire()
    post(ledger, wire).deliver(at(NOW))
    by_agency: dict[str, set[str]] = {}
    for parcel in wire.parcels:
        by_agency.setdefault(parcel.recipient.id, set()).add(token(parcel.payload))
    assert all(len(found) == 1 for found in by_agency.values())
    assert len({one for found in by_agency.values() for one in found}) == len(by_agency)
    assert len(wire.parcels) > len(by_agency)  # an assignment and a copy among them


def test_a_suppressed_letter_issues_no_link(assigned: Ledger):
    for clause in ("1", "4", "6"):
        hand_in(assigned, clause)
    only(assigned, WOMEN)
    assert post(assigned, Wire()).deliver(at(NOW)) == Delivery()
    assert links_of(assigned) == []


def test_anothers_placeholder_in_a_reason_stays_what_it_is(told: Ledger):
    send_link(told, SCHOOLS, now=NOW)
    wire = Wire()
    post(told, wire).deliver(at(NOW))
    foreign = links_of(told, SCHOOLS)[0].id
    hand_in(told)
    [duty] = duties(told, agency=WOMEN, clause="small/1")
    trick = f"https://duban.example.cn/a/{placeholder(foreign)}"
    acts.send_back(told, duty.id, reason=trick, by="王", now=NOW)
    post(told, wire).deliver(at(LATER))
    text = next(plain(p.payload) for p in wire.parcels if "退回意见" in plain(p.payload))
    assert trick in text


def test_the_coordinator_is_led_to_the_desk_and_a_superior_nowhere(told: Ledger):
    [duty] = duties(told, agency=WOMEN, clause="small/1")
    registry = told.registry
    with change(told.engine, NOW, "test") as made:
        open_task(made, "no-contact", WOMEN)
        begin_letter(made, told, duty.notice, registry.coordinator, Kind.TASKS)
        above = (registry.coordinator, registry.agencies["省/妇联"])
        day = NOW.date()
        asked = [NewMention(duty.id, one, Kind.ESCALATE, 1, "formal", 1, day) for one in above]
        letterbox.post(made, told, duty.notice, asked)
    wire = Wire()
    post(told, wire).deliver(at(NOW))
    texts = {parcel.name: plain(parcel.payload) for parcel in wire.parcels}
    assert {name: "https://duban.example.cn/desk" in text for name, text in texts.items()} == {
        "省教育厅-待办": True,
        "省教育厅-提请督促": True,
        "省妇联-提请督促": False,
    }
    assert not any("/a/" in text for text in texts.values())
    assert links_of(told) == []


def test_a_server_that_quotes_the_link_has_it_cut_out(assigned: Ledger):
    class Quoting(Wire):
        def send(self, parcel: Parcel, address: str) -> Outcome:
            del address
            quoted = f"https://duban.example.cn/a/{token(parcel.payload)}"
            return Outcome(Fate.TEMPORARY, f"554 blocked: {quoted}")

    post(assigned, Quoting()).deliver(at(NOW))
    with reading(assigned.engine) as connection:
        detail = connection.scalar(select(Attempt.detail))
    assert detail == "554 blocked: https://duban.example.cn/a/…"


def test_the_drop_folder_holds_letters_that_work(assigned: Ledger, tmp_path: Path):
    post(assigned, DropFolder(tmp_path)).deliver(at(NOW))
    [file] = tmp_path.rglob("*.eml")
    assert enter(assigned, token(file.read_bytes()), NOW)


# Receipts


def test_a_receipt_says_what_came_and_goes_to_whoever_sent_it(told: Ledger):
    number = hand_in(told, by=SCHOOLS)
    wire = Wire()
    assert post(told, wire).deliver(at(NOW)) == Delivery(accepted=1)
    [parcel] = wire.parcels
    text = plain(parcel.payload)
    assert (parcel.recipient.id, parcel.name) == (SCHOOLS, "东市教育局-回执")
    assert "已收到你单位报送的下列 1 项佐证材料" in text
    assert f"回执号：{number}（第 1 版）" in text
    assert "收到时间：2026年1月5日 09:00" in text
    assert "时限：2026年3月20日（按时报送）" in text
    assert enter(told, token(parcel.payload), NOW)


@pytest.mark.parametrize(
    ("clause", "day", "time", "words"),
    [
        ("1", "2026-03-20", "23:59", "（按时报送）"),
        ("1", "2026-03-21", "00:01", "（超期 1 天报送）"),
        ("1", "2026-04-01", "12:00", "（超期 12 天报送）"),
    ],
)
def test_a_receipt_says_whether_it_came_in_time(
    told: Ledger, clause: str, day: str, time: str, words: str
):
    now = china(day, time)
    hand_in(told, clause, now)
    wire = Wire()
    post(told, wire).deliver(at(now))
    assert words in plain(wire.payloads[0])


def test_an_hour_that_was_missed_is_named_as_that(told: Ledger):
    [duty] = duties(told, agency="东/共青团", clause="small/5")
    now = china("2026-06-15", "17:31")
    acts.submit(told, duty.id, Checked({}, ()), [], by="东/共青团", now=now)
    wire = Wire()
    post(told, wire).deliver(at(now))
    assert "时限：2026年6月15日 17:30（已过当日截止时间）" in plain(wire.payloads[0])


def test_a_receipt_of_a_soft_duty_or_a_past_round_tells_no_lateness(told: Ledger):
    [soft] = duties(told, agency="东/共青团", clause="small/3")
    acts.submit(told, soft.id, Checked({}, ()), [], by="东/共青团", now=NOW)
    hand_in(told)
    [duty] = duties(told, agency=WOMEN, clause="small/1")
    acts.send_back(told, duty.id, reason="缺盖章", by="王", now=NOW)
    wire = Wire()
    post(told, wire).deliver(at(NOW))
    receipts = [plain(p.payload) for p in wire.parcels if p.name.endswith("回执")]
    assert len(receipts) == 2
    assert not any("时限：" in text for text in receipts)


def test_a_nil_return_is_acknowledged_as_one(told: Ledger):
    hand_in(told, cover=Cover(statement="本季度无此项工作"))
    wire = Wire()
    post(told, wire).deliver(at(NOW))
    assert "（第 1 版，零报告）" in plain(wire.payloads[0])


def test_versions_that_come_before_the_letter_goes_are_in_one(told: Ledger):
    numbers = [hand_in(told), hand_in(told), hand_in(told, "4")]
    wire = Wire()
    assert post(told, wire).deliver(at(NOW)) == Delivery(accepted=1)
    text = plain(wire.payloads[0])
    assert "下列 3 项佐证材料" in text
    assert all(number in text for number in numbers)


def test_a_second_receipt_on_a_day_is_a_further_part_the_same_day(told: Ledger):
    wire = Wire()
    for n in range(3):
        now = NOW + n * timedelta(minutes=5)
        hand_in(told, now=now)
        post(told, wire).deliver(at(now))
    assert [(one.day, one.part, one.state) for one in letters(told)] == [
        (NOW.date(), n, "sent") for n in (1, 2, 3)
    ]
    assert [parcel.name for parcel in wire.parcels] == [
        "东市妇联-回执",
        "东市妇联-回执-2",
        "东市妇联-回执-3",
    ]


def test_a_receipt_waits_for_no_working_day_and_no_morning(told: Ledger):
    with change(told.engine, NOW, "test") as made:
        made.session.merge(Setting(name="send", value="on"))
    night = china("2026-01-10", "23:30")  # a Saturday
    hand_in(told, now=night)
    [one] = letters(told)
    assert (one.day, one.not_before) == (night.date(), night)


def test_a_receipt_is_given_though_the_duty_is_closed_or_held_since(told: Ledger):
    hand_in(told)
    [duty] = duties(told, agency=WOMEN, clause="small/1")
    acts.accept(told, duty.id, by="王", now=NOW)
    hold(
        told,
        agency=WOMEN,
        clause=None,
        until=china("2026-02-01").date(),
        reason="x",
        by="王",
        now=NOW,
    )
    wire = Wire()
    assert post(told, wire).deliver(at(NOW)) == Delivery(accepted=1)
    assert "回执号" in plain(wire.payloads[0])


def test_a_receipt_too_long_for_a_robot_goes_on_in_a_further_part(told: Ledger):
    class Short(Prompt):
        limit = 900

    ledger = reached_at(told, {WOMEN: "wecombot://${KEY}"})
    numbers = [hand_in(ledger, clause) for clause in ("1", "4", "6", "1", "4", "6")]
    robot = Short()
    post(ledger, Wire(), robot, armed=True).deliver(at(NOW))
    said_ = [payload.decode() for payload in robot.payloads]
    assert len(said_) > 1
    assert all(len(payload) <= 900 for payload in robot.payloads)
    assert [sum(number in text for text in said_) for number in numbers] == [1] * 6


def test_a_receipt_is_no_word_of_the_chase(first_quarter: Office):
    """After a return the ladder goes its way as if no receipt had been given."""
    east, west = (duty_of(first_quarter, agency, "1") for agency in ("东/妇联", "西/妇联"))
    ledger = first_quarter.ledger
    for duty, by in ((east, "东/妇联"), (west, "西/妇联")):
        acts.submit(ledger, duty, Checked({}, ()), [], by=by, now=china("2026-02-02", "10:00"))
    with ledger.engine.begin() as connection:  # as the ledger was before there were receipts
        connection.execute(
            update(Letter)
            .where(Letter.recipient == "西/妇联", Letter.kind == Kind.RECEIPT)
            .values(state="suppressed")
        )
        connection.execute(
            delete(Mention).where(Mention.duty_id == west, Mention.rung == Kind.RECEIPT)
        )
    for duty in (east, west):
        acts.send_back(ledger, duty, reason="x", by="王", now=china("2026-02-03", "10:00"))
    run(first_quarter, days("2026-02-03", "2026-05-29"))
    mine, others = said(first_quarter, east), said(first_quarter, west)
    assert [one[:2] for one in mine] == [one[:2] for one in others]
    assert len(mine) > 5
    with reading(ledger.engine) as connection:
        question = select(Duty.id, Duty.next_on).where(Duty.id.in_((east, west)))
        ahead = dict(connection.execute(question).tuples().all())
    assert ahead[east] == ahead[west]
    told = explain(ledger, east, china("2026-02-02").date(), china("2026-05-29"))
    assert [one.rung for one in told.said] == ["receipt"]
    chased = replace(told.facts.chased, told_on=None)
    other = explain(ledger, west, china("2026-02-02").date(), china("2026-05-29"))
    assert chased == replace(other.facts.chased, told_on=None)


# The answer to what was asked for


def refuse(ledger: Ledger, clause: str = "1", now: datetime = NOW, *, grant: bool = False) -> int:
    """What 东/妇联 asked to be told not applicable is decided; the petition's number."""
    [duty] = duties(ledger, agency=WOMEN, clause=f"small/{clause}")
    asked = petitions.ask(
        ledger, duty.id, petitions.Kind.NOT_APPLICABLE, reason="无", by=WOMEN, now=now
    )
    petitions.decide(ledger, asked, grant=grant, answer="已有学校", by="王", now=now)
    return asked


@pytest.mark.parametrize("grant", [False, True])
def test_an_answer_goes_out_once_with_what_was_decided(told: Ledger, grant: bool):
    refuse(told, grant=grant)
    wire = Wire()
    post(told, wire).deliver(at(NOW))
    [parcel] = wire.parcels
    decided = "同意认定为不适用，本事项无须" if grant else "不同意认定为不适用，本事项仍须办理"
    assert decided in plain(parcel.payload)
    assert "已有学校" in plain(parcel.payload)
    assert post(told, wire).deliver(at(LATER)) == Delivery()
    [letter] = letters(told, Kind.ANSWER)
    assert (letter.recipient, letter.state) == (WOMEN, "sent")


def test_an_answer_goes_at_night_on_a_holiday_under_a_hold(told: Ledger):
    with told.engine.begin() as connection:
        connection.execute(insert(Setting).values(name="send", value="on"))
    ledger = reached_at(told, {WOMEN: "wecombot://${KEY}"})
    night = china("2026-10-02", "03:00")
    refuse(ledger, now=night)
    until = china("2026-12-31").date()
    hold(ledger, agency=WOMEN, clause=None, until=until, reason="x", by="王", now=night)
    robot = Prompt()
    post(ledger, Wire(), robot, armed=True).deliver(at(night))
    assert ["不同意认定为不适用" in one.payload.decode() for one in robot.parcels] == [True]


def test_an_answer_survives_a_crash_and_says_the_same_though_evidence_came_meanwhile(
    told: Ledger,
):
    refuse(told)
    wire = Wire(PowerCut())
    with pytest.raises(PowerCut):
        post(told, wire).deliver(at(NOW))
    hand_in(told, now=NOW + timedelta(minutes=1))
    after = Wire()
    post(told, after).deliver(at(NOW + LEASE + timedelta(minutes=1)))
    answers = [one for one in after.parcels if "申请答复" in opened(one.payload)["Subject"]]
    assert [one.payload for one in answers] == [wire.parcels[0].payload]
    assert [one.state for one in letters(told, Kind.ANSWER)] == ["sent"]


def test_two_answers_of_the_same_moment_share_a_letter_and_a_later_one_has_its_own(told: Ledger):
    refuse(told, "1")
    refuse(told, "4")
    wire = Wire()
    post(told, wire).deliver(at(NOW))
    refuse(told, "1", LATER)
    post(told, wire).deliver(at(LATER))
    assert [opened(one.payload)["Subject"].count("2 项") for one in wire.parcels] == [1, 0]
    assert [(one.day, one.part) for one in letters(told, Kind.ANSWER)] == [
        (NOW.date(), 1),
        (NOW.date(), 2),
    ]


def test_nobody_is_answered_who_is_no_agency_any_more(told: Ledger, small: Registry):
    agencies = {key: one for key, one in small.agencies.items() if key != WOMEN}
    refuse(Ledger(told.engine, replace(small, agencies=agencies)))
    assert letters(told, Kind.ANSWER) == []


def test_an_answer_is_no_word_of_the_chase(first_quarter: Office):
    """After a refusal the ladder goes its way as if nobody had asked."""
    ledger = first_quarter.ledger
    east, west = (duty_of(first_quarter, agency, "1") for agency in (WOMEN, "西/妇联"))
    refuse(ledger, now=china("2026-02-02", "10:00"))
    run(first_quarter, days("2026-02-02", "2026-05-29"))
    mine, others = said(first_quarter, east), said(first_quarter, west)
    assert [one[:2] for one in mine] == [one[:2] for one in others]
    assert len(mine) > 5


# The link that was lost


def test_a_lost_link_comes_by_letter_and_works(told: Ledger):
    send_link(told, WOMEN, now=NOW)
    wire = Wire()
    assert post(told, wire).deliver(at(NOW)) == Delivery(accepted=1)
    [parcel] = wire.parcels
    assert parcel.name == "东市妇联-办理链接"
    assert "现重新发送你单位督办事项的办理链接" in plain(parcel.payload)
    assert enter(told, token(parcel.payload), NOW)
