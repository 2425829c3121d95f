"""What an agency asks for, and that it says it has received a duty."""

from datetime import date, datetime

import pytest
from sqlalchemy import select, update

from duban.duty import IllegalAct, Status
from duban.errors import DubanError
from duban.ladder import Kind as LetterKind
from duban.ledger import Ledger, acts
from duban.ledger.acts import DueDateRefused, NotItsDuty
from duban.ledger.chase import chase
from duban.ledger.database import reading
from duban.ledger.petitions import (
    Kind,
    NoSuchPetition,
    PetitionRefused,
    State,
    acknowledge,
    ask,
    decide,
    petition,
    petitions,
    withdraw,
)
from duban.ledger.questions import DutyView, duties, events, head_seq
from duban.ledger.tables import Letter, Mention, Petition
from duban.office import Office
from duban.words import EN, ZH, event_words
from tests.conftest import SHANGHAI, china
from tests.duban.ledger.conftest import duty_of, said, submit

NOW = china("2026-03-02")
UNTIL = date(2026, 4, 10)


@pytest.fixture
def duty(first_quarter: Office) -> int:
    """Due on Friday, 20 March."""
    return duty_of(first_quarter, "东/妇联", "1")


def look(ledger: Ledger, number: int) -> DutyView:
    [found] = duties(ledger, ids=[number])
    return found


def ask_extension(
    ledger: Ledger,
    duty: int,
    *,
    until: date | None = UNTIL,
    reason: str = "开学推迟",
    leader: str = "李主任",
    by: str = "东/妇联",
    now: datetime = NOW,
) -> int:
    return ask(
        ledger,
        duty,
        Kind.EXTENSION,
        reason=reason,
        until=until,
        leader=leader,
        by=by,
        now=now,
    )


def ask_not_applicable(ledger: Ledger, duty: int, now: datetime = NOW) -> int:
    return ask(ledger, duty, Kind.NOT_APPLICABLE, reason="本市无此类学校", by="东/妇联", now=now)


def actions(ledger: Ledger, duty: int) -> list[str]:
    return [one.action for one in events(ledger, duty_id=duty) if one.action != "spoke"]


def test_an_extension_is_asked_for_and_granted_with_its_letter(ledger: Ledger, duty: int):
    number = ask_extension(ledger, duty)
    [asked] = petitions(ledger, state=State.ASKED)
    assert (asked.id, asked.duty_id, asked.agency) == (number, duty, "东/妇联")
    assert (asked.kind, asked.until, asked.leader) == (Kind.EXTENSION, UNTIL, "李主任")
    assert look(ledger, duty).due_at == china("2026-03-20", "23:59:59")
    decide(ledger, number, grant=True, answer="同意", by="省教育厅", now=china("2026-03-03"))
    after = look(ledger, duty)
    assert after.due_at == china("2026-04-10", "23:59:59")
    assert after.original_due_at == china("2026-03-20", "23:59:59")
    done = petition(ledger, number)
    assert (done.state, done.decided_by, done.answer) == (State.GRANTED, "省教育厅", "同意")
    assert actions(ledger, duty) == ["opened", "asked", "granted", "extended"]
    with reading(ledger.engine) as connection:
        letters = select(Letter.kind).join(Mention, Mention.letter_id == Letter.id)
        told = connection.scalars(letters.where(Mention.duty_id == duty, Mention.round == 2)).all()
    assert told == [LetterKind.EXTENSION]


def test_the_coordinator_may_set_another_day_but_none_before_the_due_day(ledger: Ledger, duty: int):
    number = ask_extension(ledger, duty)
    seq = head_seq(ledger)
    with pytest.raises(DueDateRefused):
        decide(ledger, number, grant=True, by="省", now=NOW, due_on=date(2026, 3, 20))
    assert (petition(ledger, number).state, head_seq(ledger)) == (State.ASKED, seq)
    decide(ledger, number, grant=True, by="省", now=NOW, due_on=date(2026, 3, 27))
    assert look(ledger, duty).due_at == china("2026-03-27", "23:59:59")
    assert petition(ledger, number).until == UNTIL


def test_not_applicable_closes_the_duty_when_it_is_granted(ledger: Ledger, duty: int):
    decide(ledger, ask_not_applicable(ledger, duty), grant=True, by="省", now=NOW)
    assert look(ledger, duty).status is Status.NOT_APPLICABLE
    assert [e.text for e in events(ledger, duty_id=duty)][-1] == "本市无此类学校"
    assert actions(ledger, duty) == ["opened", "asked", "granted", "waived"]


def test_a_refusal_needs_its_reason_and_stands_in_the_history(ledger: Ledger, duty: int):
    number = ask_not_applicable(ledger, duty)
    with pytest.raises(PetitionRefused, match="refusal needs") as refused:
        decide(ledger, number, grant=False, by="省", now=NOW, answer=" ")
    assert refused.value.code == "no-answer"
    decide(ledger, number, grant=False, by="省", now=NOW, answer="已有两所学校")
    assert look(ledger, duty).status is Status.OPEN
    last = events(ledger, duty_id=duty)[-1]
    assert event_words(ZH, last, SHANGHAI) == "不同意认定不适用的申请：已有两所学校"
    with pytest.raises(NoSuchPetition):
        decide(ledger, number, grant=True, by="省", now=NOW)
    ask_not_applicable(ledger, duty)  # with better reasons


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("no-reason", {"reason": "  "}),
        ("no-leader", {"leader": ""}),
        ("no-day", {"until": None}),
        ("not-later", {"until": date(2026, 3, 20)}),
        ("too-late", {"now": china("2026-03-21")}),
        ("too-long", {"reason": "因" * 2001}),
        ("too-long", {"leader": "李" * 61}),
    ],
)
def test_what_is_asked_for_wrongly_is_refused_with_a_code(
    ledger: Ledger, duty: int, code: str, fault: dict[str, object]
):
    seq = head_seq(ledger)
    with pytest.raises(PetitionRefused) as refused:
        ask_extension(ledger, duty, **fault)  # pyright: ignore[reportArgumentType]
    assert refused.value.code == code
    assert (petitions(ledger), head_seq(ledger)) == ([], seq)


def test_an_extension_can_be_asked_for_up_to_the_due_instant(ledger: Ledger, duty: int):
    assert ask_extension(ledger, duty, now=china("2026-03-20", "23:59:59"))


def test_the_same_is_asked_for_once_at_a_time(ledger: Ledger, duty: int):
    number = ask_extension(ledger, duty)
    with pytest.raises(PetitionRefused) as refused:
        ask_extension(ledger, duty)
    assert refused.value.code == "twice"
    ask_not_applicable(ledger, duty)
    withdraw(ledger, number, by="东/妇联", now=NOW)
    ask_extension(ledger, duty)


@pytest.mark.parametrize("agency", ["西/妇联", "东/教育"])
def test_only_the_agency_that_owes_a_duty_speaks_for_it(ledger: Ledger, duty: int, agency: str):
    with pytest.raises(NotItsDuty):
        ask_extension(ledger, duty, by=agency)
    with pytest.raises(NotItsDuty):
        acknowledge(ledger, duty, by=agency, now=NOW)
    number = ask_extension(ledger, duty)
    with pytest.raises(NotItsDuty):
        withdraw(ledger, number, by=agency, now=NOW)
    assert petition(ledger, number).state is State.ASKED


def test_evidence_overtakes_what_was_asked_for(first_quarter: Office, duty: int):
    ledger = first_quarter.ledger
    numbers = [ask_extension(ledger, duty), ask_not_applicable(ledger, duty)]
    submit(first_quarter, duty, "2026-03-02", "11:00")
    assert [petition(ledger, one).state for one in numbers] == [State.WITHDRAWN] * 2
    assert sorted(actions(ledger, duty)[-3:]) == ["submitted", "withdrawn", "withdrawn"]
    later = ask_not_applicable(ledger, duty, china("2026-03-02", "12:00"))
    with pytest.raises(PetitionRefused) as refused:
        ask_extension(ledger, duty)
    assert refused.value.code == "not-waiting"
    acts.send_back(ledger, duty, reason="缺", by="省", now=china("2026-03-03"))
    assert petition(ledger, later).state is State.ASKED


@pytest.mark.parametrize("decision", ["waive", "accept", "extend"])
def test_a_decision_overtakes_what_was_asked_for(first_quarter: Office, duty: int, decision: str):
    ledger = first_quarter.ledger
    if decision == "accept":
        submit(first_quarter, duty, "2026-03-02", "08:00")
        number = ask_not_applicable(ledger, duty)
        acts.accept(ledger, duty, by="省", now=NOW)
    elif decision == "waive":
        number = ask_extension(ledger, duty)
        acts.waive(ledger, duty, reason="撤并", by="省", now=NOW)
    else:
        number = ask_extension(ledger, duty)
        acts.extend(ledger, duty, due_on=date(2026, 4, 1), reason="疫情", by="省", now=NOW)
    overtaken = petition(ledger, number)
    assert (overtaken.state, overtaken.decided_by) == (State.WITHDRAWN, "duban")


def test_the_chase_goes_on_while_nobody_decides(first_quarter: Office, duty: int):
    ask_extension(first_quarter.ledger, duty, now=china("2026-01-02"))
    for day in ("2026-03-13", "2026-03-17", "2026-03-23"):
        chase(first_quarter.ledger, china(day))
        first_quarter.post.deliver(lambda day=day: china(day))
    assert {rung for _, rung, _ in said(first_quarter, duty)}


def test_petitions_are_found_by_state_region_and_duty(ledger: Ledger, duty: int):
    other = next(one.id for one in duties(ledger, agency="西/妇联", clause="small/1"))
    ask_extension(ledger, duty)
    ask_extension(ledger, other, by="西/妇联")
    assert [one.duty_id for one in petitions(ledger, region="西")] == [other]
    assert [one.duty_id for one in petitions(ledger, duty_ids=[duty])] == [duty]
    assert petitions(ledger, state=State.GRANTED) == []
    assert len(petitions(ledger)) == 2
    with pytest.raises(NoSuchPetition):
        petition(ledger, 99)


def test_a_duty_is_acknowledged_once(ledger: Ledger, duty: int):
    assert acknowledge(ledger, duty, by="东/妇联", now=NOW)
    seq = head_seq(ledger)
    assert not acknowledge(ledger, duty, by="东/妇联", now=china("2026-03-05"))
    assert (look(ledger, duty).acknowledged_at, head_seq(ledger)) == (NOW, seq)
    assert event_words(ZH, events(ledger, duty_id=duty)[-1], SHANGHAI) == "签收"


def test_a_closed_duty_is_not_acknowledged(ledger: Ledger, duty: int):
    acts.waive(ledger, duty, reason="撤并", by="省", now=NOW)
    with pytest.raises(IllegalAct):
        acknowledge(ledger, duty, by="东/妇联", now=NOW)
    with pytest.raises(PetitionRefused):
        ask_not_applicable(ledger, duty)


def test_both_languages_tell_what_was_asked(ledger: Ledger, duty: int):
    withdraw(ledger, ask_extension(ledger, duty), by="东/妇联", now=NOW)
    asked, withdrawn = events(ledger, duty_id=duty)[-2:]
    assert event_words(ZH, asked, SHANGHAI) == "申请延期至 2026-04-10：开学推迟"
    assert event_words(EN, withdrawn, SHANGHAI) == "Withdrawn: an extension to 2026-04-10"
    assert "李主任" not in str([one.data for one in events(ledger)])


def test_two_who_decide_at_once_leave_one_answer(ledger: Ledger, duty: int):
    number = ask_extension(ledger, duty)
    with ledger.engine.begin() as connection:
        connection.execute(update(Petition).values(state="refused", decided_by="甲"))
    with pytest.raises(DubanError):
        decide(ledger, number, grant=True, by="乙", now=NOW)
    assert look(ledger, duty).due_at == china("2026-03-20", "23:59:59")
