"""Official papers: one with each formal letter, numbered without gaps, the same at every resend."""

import email
import hashlib
import io
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from docx import Document
from sqlalchemy import delete, func, select, update

from duban.channels import Channel, Fate, Form, Outcome, Pace, Parcel
from duban.ledger import Ledger, acts
from duban.ledger.approvals import approve, call
from duban.ledger.audit import verify
from duban.ledger.change import change
from duban.ledger.chase import chase
from duban.ledger.database import make_engine, reading
from duban.ledger.label import mark
from duban.ledger.opening import open_missing
from duban.ledger.outbox import LEASE, Post
from duban.ledger.papers import (
    NewPaper,
    NoSuchPaper,
    PaperAltered,
    PaperView,
    content_of,
    enclosures,
    make,
    papers,
    standing,
)
from duban.ledger.petitions import Kind, ask, decide
from duban.ledger.questions import duties
from duban.ledger.tables import History, Letter, Paper, PaperSeries
from duban.office import Office
from duban.registry import Registry
from duban.registry.papers import PaperKind, PapersFile
from tests.conftest import at, china
from tests.duban.ledger.conftest import days, duty_of, run, submit

NOW = china("2026-01-05")
MINE = "东/妇联"


class Wire:
    """Keeps what it was given, and answers as told; accepts when not told."""

    limit: int | None = None
    pace: Pace | None = None

    def __init__(self, *answers: Fate, form: Form = Form.MAIL) -> None:
        self.answers = list(answers)
        self.form = form
        self.parcels: list[Parcel] = []

    def send(self, parcel: Parcel, address: str) -> Outcome:
        del address
        self.parcels.append(parcel)
        return Outcome(self.answers.pop(0) if self.answers else Fate.ACCEPTED)


def post(ledger: Ledger, wire: Wire) -> Post:
    channel: Channel = wire
    return Post(ledger, {"drop": channel}, lambda: False, "duban@localhost", {})


def ruled(ledger: Ledger, **rules: Any) -> Ledger:
    """The same ledger with other rules for papers."""
    policy = replace(ledger.registry.policy, papers=PapersFile(**rules))
    return Ledger(ledger.engine, replace(ledger.registry, policy=policy))


def words_of(content: bytes) -> str:
    made = cast(Any, Document(io.BytesIO(content)))
    cells = [cell for table in made.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(one.text for one in made.paragraphs), *(cell.text for cell in cells)])


def opened(payload: bytes) -> EmailMessage:
    return email.message_from_bytes(payload, policy=default)


def of_kind(ledger: Ledger, kind: PaperKind) -> list[PaperView]:
    return [one for one in papers(ledger) if one.kind is kind][::-1]


def only_letter_to(ledger: Ledger, recipient: str) -> int:
    """Of the letters that wait, only the one to this agency remains."""
    with ledger.engine.begin() as connection:
        others = (Letter.recipient != recipient) | (Letter.kind != "assign")
        connection.execute(update(Letter).where(others).values(state="suppressed"))
        return connection.execute(select(Letter.id).where(Letter.state == "pending")).scalar_one()


# With letters


def test_a_first_letter_carries_its_slip(ledger: Ledger):
    open_missing(ledger, NOW)
    letter = only_letter_to(ledger, MINE)
    wire = Wire()
    post(ledger, wire).deliver(at(NOW))
    [paper] = papers(ledger)
    assert (paper.kind, paper.number) == (PaperKind.SLIP, "省教督办〔2026〕1号")
    assert (paper.recipient, paper.letter_id, paper.day) == (MINE, letter, date(2026, 1, 5))
    assert paper.duties == tuple(sorted(duty.id for duty in duties(ledger, agency=MINE)))
    content = content_of(ledger, paper.id)
    assert (paper.size, paper.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    [enclosed] = opened(wire.parcels[0].payload).iter_attachments()
    assert enclosed.get_filename() == "督办单 省教督办〔2026〕1号.docx"
    assert enclosed.get_content() == content
    body = opened(wire.parcels[0].payload).get_body(("plain",))
    assert body is not None
    assert "附件：督办单（Word 文件）。" in str(body.get_content())
    told = words_of(content)
    for duty in duties(ledger, agency=MINE):
        assert f"“{duty.clause.quote}”" in told
        assert f"编号{duty.id}" in told
    assert "省教育厅" in told
    assert "2026年1月5日" in told


def test_the_history_vouches_for_a_paper(first_quarter: Office):
    ledger = first_quarter.ledger
    with reading(ledger.engine) as connection:
        told = connection.scalars(select(History.data).where(History.action == "paper")).all()
    assert [(one["paper"], one["number"], one["sha256"]) for one in told] == [
        (one.id, one.number, one.sha256) for one in papers(ledger)[::-1]
    ]
    assert verify(ledger) == []


def test_each_formal_rung_has_its_paper_and_the_others_have_none(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    run(first_quarter, days("2026-03-10", "2026-04-07"))
    approve(ledger, [duty], by="王", now=china("2026-04-08"))
    run(first_quarter, ["2026-04-08"])
    about = papers(ledger, duty=duty)[::-1]
    assert [(f"{one.day}", one.kind.value) for one in about] == [
        ("2026-01-01", "slip"),
        ("2026-03-23", "chase"),
        ("2026-03-30", "chase"),
        ("2026-04-07", "chase"),
        ("2026-04-08", "formal"),
    ]
    told = words_of(content_of(ledger, about[-1].id))
    assert "现予正式督办" in told
    assert "（已超期19天）" in told
    assert "抄送：省妇联。" in told
    said = "催办情况：2026年1月1日交办；3月13日、3月17日提醒；3月23日、3月30日、4月7日催办。"
    assert said in told
    assert verify(ledger) == []


def test_only_what_left_on_an_earlier_day_counts_as_history(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    run(first_quarter, days("2026-03-10", "2026-04-07"))
    with ledger.engine.begin() as connection:
        lost = (Letter.kind == "chase") & (Letter.day == date(2026, 3, 30))
        connection.execute(update(Letter).where(lost).values(state="dead"))
    approve(ledger, [duty], by="王", now=china("2026-04-07", "10:00"))
    call(ledger, duty, said="约定下周", by="王", now=china("2026-04-07", "10:01"))
    run(first_quarter, ["2026-04-07"], "11:00")
    [paper] = of_kind(ledger, PaperKind.FORMAL)
    told = words_of(content_of(ledger, paper.id))
    assert "催办情况：2026年1月1日交办；3月13日、3月17日提醒；3月23日催办。" in told


def test_a_telephone_call_counts_as_history(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    call(ledger, duty, said="约定下周", by="王", now=china("2026-03-20"))
    run(first_quarter, ["2026-03-23"])
    told = words_of(content_of(ledger, papers(ledger, duty=duty)[0].id))
    assert "2026年1月1日交办；3月20日电话催办。" in told
    assert "约定下周" not in told  # what was said is erasable, a paper is not


def test_numbers_run_on_by_series_and_begin_anew_with_the_year(ledger: Ledger):
    with change(ledger.engine, NOW, "王") as made:
        make(made, [plain("甲"), plain("乙"), plain("甲"), plain("甲", date(2027, 1, 1))])
    with change(ledger.engine, NOW, "王") as made:
        make(made, [plain("甲")])
    found = [one.number for one in papers(ledger)[::-1]]
    assert found == [
        "甲〔2026〕1号",
        "乙〔2026〕1号",
        "甲〔2026〕2号",
        "甲〔2027〕1号",
        "甲〔2026〕3号",
    ]


def plain(series: str, day: date = date(2026, 1, 5)) -> NewPaper:
    """A paper of few words, which costs nothing to make."""
    return NewPaper(PaperKind.SLIP, "zh", series, MINE, day, "", lambda number: number.encode())


@pytest.mark.parametrize("given", [{"prefix": "晋教"}, {"series": {"slip": "晋教督办"}}])
def test_the_office_says_how_its_numbers_begin(ledger: Ledger, given: dict[str, Any]):
    there = ruled(ledger, **given)
    open_missing(there, NOW)
    post(there, Wire()).deliver(at(NOW))
    assert {one.number.partition("〔")[0] for one in papers(there)} == {"晋教督办"}


def test_an_office_may_do_without_papers(ledger: Ledger):
    there = ruled(ledger, attach=())
    open_missing(there, NOW)
    wire = Wire()
    post(there, wire).deliver(at(NOW))
    assert papers(there) == []
    assert {opened(one.payload).get_content_type() for one in wire.parcels} == {
        "multipart/alternative"
    }


def test_a_simulation_marks_its_papers(ledger: Ledger):
    mark(ledger, "模拟演示", NOW)
    open_missing(ledger, NOW)
    channel: Channel = Wire()
    Post(ledger, {"drop": channel}, lambda: False, "d@localhost", {}, "模拟演示").deliver(at(NOW))
    told = words_of(content_of(ledger, papers(ledger)[0].id))
    assert told.startswith("【模拟演示】本件不作公文使用")


def test_a_robot_is_handed_the_paper_and_its_letter_keeps_within_its_limit(ledger: Ledger):
    open_missing(ledger, NOW)
    only_letter_to(ledger, MINE)
    wire = Wire(form=Form.TEXT)
    post(ledger, wire).deliver(at(NOW))
    [parcel] = wire.parcels
    [paper] = papers(ledger)
    assert parcel.enclosure is not None
    assert parcel.enclosure.content == content_of(ledger, paper.id)
    assert "附件" not in parcel.payload.decode()


# Again


def test_what_may_have_arrived_is_sent_again_byte_for_byte(ledger: Ledger):
    open_missing(ledger, NOW)
    only_letter_to(ledger, MINE)
    wire = Wire(Fate.AMBIGUOUS)
    post(ledger, wire).deliver(at(NOW))
    run_again(ledger, wire)
    first, second = wire.parcels
    assert first.payload == second.payload
    assert b"multipart/mixed" in first.payload
    assert len(papers(ledger)) == 1


def run_again(ledger: Ledger, wire: Wire) -> None:
    """Delivers once more when all pauses are over."""
    post(ledger, wire).deliver(at(NOW + timedelta(hours=20)))


def test_a_crash_between_sending_and_marking_sends_the_same_bytes(ledger: Ledger):
    class PowerCut(Exception):
        pass

    class Falling(Wire):
        def send(self, parcel: Parcel, address: str) -> Outcome:
            super().send(parcel, address)
            raise PowerCut

    open_missing(ledger, NOW)
    only_letter_to(ledger, MINE)
    falling, wire = Falling(), Wire()
    with pytest.raises(PowerCut):
        post(ledger, falling).deliver(at(NOW))
    post(ledger, wire).deliver(at(NOW + LEASE + timedelta(seconds=1)))
    assert [one.payload for one in falling.parcels] == [one.payload for one in wire.parcels]
    assert len(papers(ledger)) == 1


def test_a_letter_written_anew_keeps_a_paper_that_says_the_same(ledger: Ledger):
    open_missing(ledger, NOW)
    only_letter_to(ledger, MINE)
    wire = Wire(Fate.TEMPORARY)
    post(ledger, wire).deliver(at(NOW))
    run_again(ledger, wire)
    assert len(wire.parcels) == 2
    [paper] = papers(ledger)
    assert (paper.number, paper.void_at) == ("省教督办〔2026〕1号", None)


def test_one_that_would_say_something_else_is_void_and_its_number_stays_used(ledger: Ledger):
    open_missing(ledger, NOW)
    only_letter_to(ledger, MINE)
    wire = Wire(Fate.TEMPORARY)
    post(ledger, wire).deliver(at(NOW))
    [answered, *_] = duties(ledger, agency=MINE)
    acts.waive(ledger, answered.id, reason="不再要求", by="王", now=NOW)
    run_again(ledger, wire)
    new, old = papers(ledger)
    assert (old.number, new.number) == ("省教督办〔2026〕1号", "省教督办〔2026〕2号")
    assert old.void_at is not None
    assert new.void_at is None
    assert answered.id in old.duties
    assert answered.id not in new.duties
    [enclosed] = opened(wire.parcels[-1].payload).iter_attachments()
    assert enclosed.get_content() == content_of(ledger, new.id)
    assert verify(ledger) == []


def test_the_paper_of_a_letter_that_never_left_is_void(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    chase(ledger, china("2026-03-23"))
    post(ledger, Wire(*[Fate.TEMPORARY] * 9)).deliver(at(china("2026-03-23")))
    submit(first_quarter, duty, "2026-03-23", "11:00")
    post(ledger, Wire()).deliver(at(china("2026-03-24")))
    [paper] = [one for one in papers(ledger, duty=duty) if one.kind is PaperKind.CHASE]
    assert paper.void_at is not None
    assert paper.letter_id is not None
    with reading(ledger.engine) as connection:
        assert standing(connection, [paper.letter_id]) == {}
        assert enclosures(connection, [paper.letter_id]) == {}
    assert verify(ledger) == []


# Requests for more time


def asked(ledger: Ledger, duty: int) -> int:
    until = date(2026, 4, 10)
    now = china("2026-03-02")
    return ask(
        ledger,
        duty,
        Kind.EXTENSION,
        reason="开学推迟",
        by=MINE,
        now=now,
        until=until,
        leader="李主任",
    )


def test_a_granted_extension_is_answered_with_its_letter(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    petition = asked(ledger, duty)
    decide(ledger, petition, grant=True, by="王", now=china("2026-03-03"))
    assert of_kind(ledger, PaperKind.EXTENSION) == []
    run(first_quarter, ["2026-03-03"])
    [paper] = of_kind(ledger, PaperKind.EXTENSION)
    assert paper.number == "省教督复〔2026〕1号"
    assert paper.letter_id is not None
    told = words_of(content_of(ledger, paper.id))
    assert "办理时限由2026年3月20日延至2026年4月10日" in told
    assert "你单位于2026年3月2日申请延至2026年4月10日" in told
    assert "李主任" not in told  # no person is named
    assert "开学推迟" not in told


def test_an_extension_that_nobody_asked_for_is_told_as_a_new_day(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    now = china("2026-03-03")
    acts.extend(ledger, duty, due_on=date(2026, 4, 10), reason="统一调整", by="王", now=now)
    run(first_quarter, ["2026-03-03"])
    [paper] = of_kind(ledger, PaperKind.EXTENSION)
    assert "由2026年3月20日调整为2026年4月10日" in words_of(content_of(ledger, paper.id))


def test_a_refusal_goes_with_the_letter_that_tells_it(first_quarter: Office):
    ledger, duty = first_quarter.ledger, duty_of(first_quarter, MINE, "1")
    petition, wire = asked(ledger, duty), Wire()
    now = china("2026-03-03")
    decide(ledger, petition, grant=False, answer="各市进度一致。", by="王", now=now)
    post(ledger, wire).deliver(at(now))
    [paper] = of_kind(ledger, PaperKind.REFUSAL)
    assert (paper.duties, paper.recipient, paper.day) == ((duty,), MINE, date(2026, 3, 3))
    told = words_of(content_of(ledger, paper.id))
    assert "你单位2026年3月2日关于“家长课堂”延期至2026年4月10日办理的申请收悉" in told
    assert "理由：各市进度一致。" in told
    assert "办理时限仍为2026年3月20日" in told
    # It shares the series of what grants, so that answers follow each other.
    assert paper.number == "省教督复〔2026〕1号"
    [parcel] = wire.parcels
    [enclosed] = [part.get_filename() for part in opened(parcel.payload).iter_attachments()]
    assert enclosed == paper.file_name


def test_an_answer_to_anything_else_has_no_paper(first_quarter: Office):
    ledger, wire = first_quarter.ledger, Wire()
    for agency, grant in ((MINE, True), ("西/妇联", False)):
        duty = duty_of(first_quarter, agency, "1")
        now = china("2026-03-02")
        petition = ask(ledger, duty, Kind.NOT_APPLICABLE, reason="无", by=agency, now=now)
        decide(ledger, petition, grant=grant, answer="x", by="王", now=now)
    post(ledger, wire).deliver(at(china("2026-03-03")))
    assert len(wire.parcels) == 2
    assert of_kind(ledger, PaperKind.REFUSAL) == []
    assert not any(list(opened(one.payload).iter_attachments()) for one in wire.parcels)


# Numbers


def test_many_at_once_take_every_number_once(database_url: str, small: Registry):
    """Some changes fail after they took their numbers; series are asked for in any order."""
    dice = random.Random(7)
    plans = [[dice.choice("甲乙丙") for _ in range(dice.randint(1, 4))] for _ in range(40)]
    fails = [dice.random() < 0.3 for _ in plans]
    start = threading.Barrier(4)

    def work(share: Sequence[int]) -> None:
        engine = make_engine(database_url)
        start.wait()
        for place in share:
            _change(engine, plans[place], fail=fails[place])
        engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [range(first, len(plans), 4) for first in range(4)]))
    engine = make_engine(database_url)
    ledger = Ledger(engine, small)
    done = [plan for plan, failed in zip(plans, fails, strict=True) if not failed]
    kept = [series for plan in done for series in plan]
    assert sorted(one.number for one in papers(ledger)) == sorted(
        f"{series}〔2026〕{n + 1}号" for series in "甲乙丙" for n in range(kept.count(series))
    )
    assert verify(ledger) == []
    engine.dispose()


class Failed(Exception):
    """What a change was cut short by."""


def _change(engine: Any, plan: Sequence[str], *, fail: bool) -> None:
    try:
        with change(engine, NOW, "王") as made:
            make(made, [plain(series) for series in plan])
            if fail:
                raise Failed
    except Failed:
        pass


def test_two_deliverers_at_once_leave_no_gap(database_url: str, small: Registry):
    engine = make_engine(database_url)
    open_missing(Ledger(engine, small), NOW)

    def work(_: int) -> None:
        own = make_engine(database_url)
        post(Ledger(own, small), Wire()).deliver(at(NOW))
        own.dispose()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    ledger = Ledger(engine, small)
    found = of_kind(ledger, PaperKind.SLIP)
    assert sorted(one.number for one in found) == sorted(
        f"省教督办〔2026〕{n}号" for n in range(1, len(found) + 1)
    )
    with reading(engine) as connection:
        sent = select(func.count()).where(Letter.kind == "assign", Letter.state == "sent")
        assert len(found) == connection.execute(sent).scalar_one() > 3
    assert verify(ledger) == []
    engine.dispose()


# Proof


THE_FIRST = update(Paper).where(Paper.id == 1)
OTHER = {"content": b"PK", "sha256": hashlib.sha256(b"PK").hexdigest()}
ALTERED = "Paper 1 (省教督办〔2026〕1号) was altered."


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (THE_FIRST.values(content=b"PK"), ALTERED),
        # With a hash that fits: the history has the one that was made.
        (THE_FIRST.values(OTHER), ALTERED),
        (THE_FIRST.values(number=9), ALTERED),
        (
            update(PaperSeries).values(last=7),
            "Of 省教督办 2026, 7 numbers were given out and 2 papers are there.",
        ),
    ],
)
def test_what_was_done_to_papers_shows(first_quarter: Office, damage: Any, told: str):
    with first_quarter.ledger.engine.begin() as connection:
        connection.execute(damage)
    assert told in verify(first_quarter.ledger)


def test_a_paper_that_was_removed_shows_and_so_does_its_number(first_quarter: Office):
    ledger = first_quarter.ledger
    for table in ("paper_duty", "paper"):
        key = "paper_id" if table == "paper_duty" else "id"
        with ledger.engine.begin() as connection:
            found = Paper.metadata.tables[table]
            connection.execute(delete(found).where(found.c[key] == 2))
    assert verify(ledger) == [
        "Paper 2 (省教督办〔2026〕2号) was removed.",
        "Of 省教督办 2026, 2 numbers were given out and 1 papers are there.",
    ]


def test_bytes_that_are_not_those_that_were_made_are_not_handed_out(first_quarter: Office):
    ledger = first_quarter.ledger
    with ledger.engine.begin() as connection:
        connection.execute(update(Paper).where(Paper.id == 1).values(content=b"PK"))
    with pytest.raises(PaperAltered):
        content_of(ledger, 1)
    assert content_of(ledger, 2)
    with pytest.raises(NoSuchPaper):
        content_of(ledger, 99)
