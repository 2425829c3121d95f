"""What people do to a duty, and everything that is kept of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select

from duban.duty import IllegalAct, Status, on_time
from duban.errors import DubanError
from duban.evidence import Checked, KeptFile
from duban.ledger import Ledger, acts
from duban.ledger.acts import DueDateRefused, NoSuchDuty, NotItsDuty, Receipt
from duban.ledger.database import reading
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties, events, head_seq, latest_evidence
from duban.ledger.tables import Duty, Letter, Submission
from tests.conftest import china

OPENED = china("2026-01-05")
NOW = china("2026-03-02")
PROOF = KeptFile("proof", "汇总.pdf", 8, "ab" * 32, "cd" * 16)


@pytest.fixture
def duty(ledger: Ledger) -> int:
    """The first quarter's duty of 东/妇联, due on 20 March."""
    open_missing(ledger, OPENED, clause="small/1")
    return look(ledger, agency="东/妇联").id


def look(ledger: Ledger, *, agency: str | None = None, number: int | None = None) -> DutyView:
    [found] = duties(ledger, agency=agency, ids=None if number is None else [number])
    return found


def submit(
    ledger: Ledger, duty: int, now: datetime = NOW, by: str = "东/妇联", classes: int = 3
) -> Receipt:
    return acts.submit(ledger, duty, Checked({"classes": classes}, ()), [], by=by, now=now)


def send_back(ledger: Ledger, duty: int, now: datetime = NOW, due_on: date | None = None) -> None:
    acts.send_back(ledger, duty, reason="缺盖章", by="省教育厅", now=now, due_on=due_on)


def extend(ledger: Ledger, duty: int, now: datetime = NOW) -> None:
    acts.extend(ledger, duty, due_on=date(2026, 4, 30), reason="疫情", by="省", now=now)


def waive(ledger: Ledger, duty: int, now: datetime = NOW) -> None:
    acts.waive(ledger, duty, reason="撤并", by="省教育厅", now=now)


def reopen(ledger: Ledger, duty: int, now: datetime = NOW) -> None:
    acts.reopen(ledger, duty, reason="误销", by="省教育厅", now=now)


def accept(ledger: Ledger, duty: int, now: datetime = NOW) -> None:
    acts.accept(ledger, duty, by="省教育厅", now=now)


def not_applicable(ledger: Ledger, duty: int, now: datetime = NOW) -> None:
    acts.waive(ledger, duty, reason="无此类学校", by="省", now=now, not_applicable=True)


ActOn = Callable[[Ledger, int], object]
WAYS: dict[Status, list[ActOn]] = {
    Status.OPEN: [],
    Status.SUBMITTED: [submit],
    Status.RETURNED: [submit, send_back],
    Status.ACCEPTED: [submit, accept],
    Status.WAIVED: [waive],
    Status.NOT_APPLICABLE: [not_applicable],
}
RESULTS: dict[ActOn, dict[Status, Status]] = {
    submit: dict.fromkeys((Status.OPEN, Status.RETURNED, Status.SUBMITTED), Status.SUBMITTED),
    accept: {Status.SUBMITTED: Status.ACCEPTED},
    send_back: {Status.SUBMITTED: Status.RETURNED},
    extend: {Status.OPEN: Status.OPEN, Status.RETURNED: Status.RETURNED},
    waive: dict.fromkeys((Status.OPEN, Status.RETURNED, Status.SUBMITTED), Status.WAIVED),
    not_applicable: dict.fromkeys(
        (Status.OPEN, Status.RETURNED, Status.SUBMITTED), Status.NOT_APPLICABLE
    ),
    reopen: dict.fromkeys((Status.ACCEPTED, Status.WAIVED, Status.NOT_APPLICABLE), Status.OPEN),
}


@pytest.mark.parametrize("status", Status)
def test_every_act_from_a_status_is_recorded_or_refused_without_a_trace(
    ledger: Ledger, status: Status
):
    open_missing(ledger, OPENED)
    everybody = [duty.id for duty in duties(ledger, clause="small/1")]
    open_missing(ledger, china("2026-04-01"), clause="small/1")  # enough duties for each act
    everybody = [duty.id for duty in duties(ledger)][: len(RESULTS)]
    for number, (act, results) in zip(everybody, RESULTS.items(), strict=True):
        agency = look(ledger, number=number).agency.id
        for step in WAYS[status]:
            _as(agency, step, ledger, number)
        before, seq = look(ledger, number=number), head_seq(ledger)
        assert before.status is status
        if status in results:
            _as(agency, act, ledger, number)
            assert look(ledger, number=number).status is results[status]
            assert head_seq(ledger) == seq + 1
        else:
            with pytest.raises(IllegalAct):
                _as(agency, act, ledger, number)
            assert look(ledger, number=number) == before
            assert head_seq(ledger) == seq


def _as(agency: str, act: ActOn, ledger: Ledger, number: int) -> None:
    if act is submit:
        submit(ledger, number, by=agency)
    elif act is extend:
        later = date(2028, 1, 1)
        acts.extend(ledger, number, due_on=later, reason="x", by="省", now=NOW)
    else:
        act(ledger, number)


def test_every_version_of_the_evidence_is_kept(ledger: Ledger, duty: int):
    first = submit(ledger, duty, classes=3)
    send_back(ledger, duty)
    second = submit(ledger, duty, classes=4)
    assert (first.version, second.version) == (1, 2)
    assert first.number != second.number
    with reading(ledger.engine) as connection:
        rows = connection.execute(select(Submission.number, Submission.fields)).all()
    assert sorted((row.number, row.fields["classes"]) for row in rows) == [(1, 3), (2, 4)]
    assert latest_evidence(ledger, [duty])[duty].fields == {"classes": 4}


def test_files_are_kept_with_their_submission(ledger: Ledger, duty: int):
    acts.submit(ledger, duty, Checked({"classes": 1}, ()), [PROOF], by="东/妇联", now=NOW)
    assert latest_evidence(ledger, [duty])[duty].files == (("proof", "汇总.pdf"),)
    [*_, last] = events(ledger, duty_id=duty)
    assert last.data["files"] == [PROOF.sha256]
    assert "classes" not in str(last.data)  # the chain holds the values' hash only


def test_who_shares_in_the_clause_may_submit_and_nobody_else(ledger: Ledger, duty: int):
    assert submit(ledger, duty, by="东/教育").version == 1
    for other in ("西/妇联", "东/共青团", "省/教育"):
        with pytest.raises(NotItsDuty, match=f"belongs to 东/妇联, not to {other}"):
            submit(ledger, duty, by=other)


def test_a_duty_that_is_not_there_is_named(ledger: Ledger):
    with pytest.raises(NoSuchDuty, match="no duty 999"):
        submit(ledger, 999)


@pytest.mark.parametrize(
    ("submitted", "timely"),
    [("2026-03-20", True), ("2026-03-21", False)],
)
def test_on_time_is_when_it_was_submitted_not_when_it_was_accepted(
    ledger: Ledger, duty: int, submitted: str, timely: bool
):
    submit(ledger, duty, china(submitted, "12:00"))
    accept(ledger, duty, china("2026-06-01"))
    found = look(ledger, number=duty)
    assert on_time(found.standing) is timely
    assert found.closed_at == china("2026-06-01")


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-20", "2026-03-27"),  # five working days
        ("2026-03-30", "2026-04-07"),  # over 清明, 4 to 6 April
        ("2026-03-02", "2026-03-20"),  # never before the day it was due anyway
    ],
)
def test_a_returned_duty_gets_five_working_days(ledger: Ledger, duty: int, now: str, due: str):
    submit(ledger, duty, china(now))
    send_back(ledger, duty, china(now))
    found = look(ledger, number=duty)
    assert found.due_at == china(due, "23:59:59")
    assert found.original_due_at == china("2026-03-20", "23:59:59")
    assert found.standing.submitted_at is None


def test_a_returned_duty_gets_the_day_the_reviewer_names(ledger: Ledger, duty: int):
    submit(ledger, duty)
    send_back(ledger, duty, due_on=date(2026, 3, 5))
    assert look(ledger, number=duty).due_at == china("2026-03-05", "23:59:59")


@pytest.mark.parametrize("day", [date(2026, 3, 2), date(2026, 3, 1)])
def test_a_new_day_must_lie_ahead(ledger: Ledger, duty: int, day: date):
    submit(ledger, duty)
    before = look(ledger, number=duty)
    with pytest.raises(DueDateRefused, match="not after today"):
        send_back(ledger, duty, due_on=day)
    assert look(ledger, number=duty) == before


def test_an_extension_needs_a_later_day(ledger: Ledger, duty: int):
    with pytest.raises(DueDateRefused, match="already due on 2026-03-20"):
        acts.extend(ledger, duty, due_on=date(2026, 3, 20), reason="x", by="省", now=NOW)


def test_an_extension_keeps_the_first_date_and_begins_a_new_round(ledger: Ledger, duty: int):
    extend(ledger, duty)
    found = look(ledger, number=duty)
    assert found.due_at == china("2026-04-30", "23:59:59")
    assert found.original_due_at == china("2026-03-20", "23:59:59")
    assert found.revision == 2
    assert round_of(ledger, duty) == 2
    assert kinds_to(ledger, "东/妇联") == ["assign", "extension"]
    [*_, last] = events(ledger, duty_id=duty)
    assert (last.action, last.text) == ("extended", "疫情")


def round_of(ledger: Ledger, duty: int) -> int:
    with reading(ledger.engine) as connection:
        return connection.execute(select(Duty.round).where(Duty.id == duty)).scalar_one()


def kinds_to(ledger: Ledger, agency: str) -> list[str]:
    question = select(Letter.kind).where(Letter.recipient == agency).order_by(Letter.id)
    with reading(ledger.engine) as connection:
        return list(connection.scalars(question))


def test_a_return_and_a_reopening_begin_rounds_with_letters_of_their_own(ledger: Ledger, duty: int):
    submit(ledger, duty)
    send_back(ledger, duty)
    submit(ledger, duty)
    accept(ledger, duty)
    reopen(ledger, duty)
    assert round_of(ledger, duty) == 3
    # Nothing was delivered meanwhile, so that both receipts go with one letter.
    assert kinds_to(ledger, "东/妇联") == ["assign", "receipt", "return", "reopen"]
    assert look(ledger, number=duty).closed_at is None


def test_an_accepted_finish_ends_the_reports_and_begins_the_reviews(ledger: Ledger):
    open_missing(ledger, OPENED, clause="small/4")
    [duty] = duties(ledger, agency="东/妇联")
    evidence = Checked({"adopted_on": "2026-02-01", "progress": "已出台"}, ())
    acts.submit(ledger, duty.id, evidence, [], by="东/妇联", now=NOW)
    accept(ledger, duty.id)
    open_missing(ledger, china("2027-02-02"), clause="small/4")
    periods = {(one.cycle, one.period) for one in duties(ledger, agency="东/妇联")}
    assert periods == {("report", "2026Q1"), ("review", "2027")}
    reopen(ledger, duty.id, china("2027-02-03"))  # a wrong acceptance undone
    open_missing(ledger, china("2027-02-03"), clause="small/4")
    assert ("report", "2027Q1") in {
        (one.cycle, one.period) for one in duties(ledger, agency="东/妇联")
    }


def test_a_notice_that_was_taken_out_is_named(ledger: Ledger, duty: int):
    submit(ledger, duty)
    without = Ledger(ledger.engine, replace(ledger.registry, notices={}, clauses={}))
    with pytest.raises(DubanError, match="belongs to the notice small, which is not loaded"):
        send_back(without, duty)
    assert duties(without) == []
