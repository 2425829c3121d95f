"""What a duty is at a moment: every act on every status, and what derives from dates."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.duty import (
    CLOSED,
    WAITING,
    Act,
    IllegalAct,
    Light,
    Standing,
    Status,
    after,
    days_late,
    due_soon,
    light,
    on_time,
    overdue,
)
from tests.conftest import SHANGHAI, china

DUE = china("2026-03-20", "23:59")

LEGAL = {
    (Act.SUBMIT, Status.OPEN): Status.SUBMITTED,
    (Act.SUBMIT, Status.RETURNED): Status.SUBMITTED,
    (Act.SUBMIT, Status.SUBMITTED): Status.SUBMITTED,  # a better version before the review
    (Act.ACCEPT, Status.SUBMITTED): Status.ACCEPTED,
    (Act.RETURN, Status.SUBMITTED): Status.RETURNED,
    (Act.EXTEND, Status.OPEN): Status.OPEN,
    (Act.EXTEND, Status.RETURNED): Status.RETURNED,
    (Act.WAIVE, Status.OPEN): Status.WAIVED,
    (Act.WAIVE, Status.RETURNED): Status.WAIVED,
    (Act.WAIVE, Status.SUBMITTED): Status.WAIVED,
    (Act.NOT_APPLICABLE, Status.OPEN): Status.NOT_APPLICABLE,
    (Act.NOT_APPLICABLE, Status.RETURNED): Status.NOT_APPLICABLE,
    (Act.NOT_APPLICABLE, Status.SUBMITTED): Status.NOT_APPLICABLE,
    (Act.REOPEN, Status.ACCEPTED): Status.OPEN,  # undoes a wrong acceptance
    (Act.REOPEN, Status.WAIVED): Status.OPEN,
    (Act.REOPEN, Status.NOT_APPLICABLE): Status.OPEN,
}


@pytest.mark.parametrize(("act", "status"), list(product(Act, Status)))
def test_every_act_on_every_status_is_allowed_or_refused(act: Act, status: Status):
    if (act, status) in LEGAL:
        assert after(act, status) is LEGAL[act, status]
        return
    with pytest.raises(IllegalAct, match=f"is {status}; {act} needs") as refused:
        after(act, status)
    assert all(fit.value in str(refused.value) for found, fit in LEGAL if found is act)


@pytest.mark.parametrize(
    ("status", "soft", "hours_to_due", "expected"),
    [
        (Status.OPEN, False, 24 * 8, Light.GREEN),
        (Status.OPEN, False, 24 * 7, Light.YELLOW),  # seven days to the second
        (Status.OPEN, False, 0, Light.YELLOW),  # the last second is still on time
        (Status.OPEN, False, -1, Light.RED),
        (Status.RETURNED, False, -1, Light.RED),
        (Status.SUBMITTED, False, -1, Light.GREEN),  # the reviewer's time is not charged
        (Status.OPEN, True, -1, Light.YELLOW),  # soft: never red
        (Status.OPEN, True, 1, Light.YELLOW),
        (Status.ACCEPTED, False, -1, Light.GREY),
        (Status.WAIVED, False, -1, Light.GREY),
        (Status.NOT_APPLICABLE, False, 1, Light.GREY),
    ],
)
def test_the_light(status: Status, soft: bool, hours_to_due: int, expected: Light):
    now = DUE - timedelta(hours=hours_to_due)
    assert light(Standing(status, DUE, soft), now) is expected


@given(
    st.sampled_from(Status),
    st.booleans(),
    st.timedeltas(timedelta(days=-400), timedelta(days=400)),
)
def test_overdue_and_due_soon_exclude_each_other_and_need_an_agency_to_act(
    status: Status, soft: bool, away: timedelta
):
    duty, now = Standing(status, DUE, soft), DUE + away
    assert not (overdue(duty, now) and due_soon(duty, now))
    if status not in WAITING:
        assert not overdue(duty, now)
        assert not due_soon(duty, now)
    if soft:
        assert not overdue(duty, now)
    assert (light(duty, now) is Light.GREY) == (status in CLOSED)
    assert (light(duty, now) is Light.RED) == overdue(duty, now)


@pytest.mark.parametrize(
    ("status", "submitted", "now", "late"),
    [
        (Status.OPEN, None, DUE, 0),
        (Status.OPEN, None, DUE + timedelta(minutes=2), 1),  # past midnight is a civil day
        (Status.OPEN, None, china("2026-04-01", "00:00"), 12),
        (Status.SUBMITTED, china("2026-03-22"), china("2026-05-01"), 2),  # stops at submission
        (Status.ACCEPTED, china("2026-03-22"), china("2026-05-01"), 2),
        (Status.ACCEPTED, china("2026-03-20"), china("2026-05-01"), 0),
        (Status.WAIVED, None, china("2026-05-01"), 0),  # nobody was late
    ],
)
def test_days_late_are_civil_days_up_to_the_evidence(
    status: Status, submitted: datetime | None, now: datetime, late: int
):
    assert days_late(Standing(status, DUE, False, submitted), now, SHANGHAI) == late


@pytest.mark.parametrize(
    ("submitted", "expected"),
    [(DUE, True), (DUE + timedelta(seconds=1), False), (None, False)],
)
def test_on_time_is_judged_by_the_submission(submitted: datetime | None, expected: bool):
    assert on_time(Standing(Status.ACCEPTED, DUE, False, submitted)) is expected
