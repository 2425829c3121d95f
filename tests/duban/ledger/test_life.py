"""The life of a duty, in any order of acts: what must hold holds after each of them."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from duban.duty import CLOSED, WAITING, Act, IllegalAct, Status, after
from duban.errors import DubanError
from duban.evidence import Checked
from duban.ladder import ROUND_OPENERS, Kind
from duban.ledger import Ledger, acts
from duban.ledger.approvals import approve, call, decline, proposals
from duban.ledger.change import first_broken_link
from duban.ledger.chase import chase
from duban.ledger.database import make_engine, reading
from duban.ledger.holds import hold
from duban.ledger.opening import open_missing
from duban.ledger.questions import events
from duban.ledger.tables import Duty, Letter, Mention, Submission
from duban.registry import Registry
from tests.conftest import at, china
from tests.duban.ledger.conftest import nowhere

BEGIN = date(2026, 1, 5)
STATUS_EVENTS = ("submitted", "returned", "accepted", "waived", "reopened")


def machine(template: Path, registry: Registry) -> type[RuleBasedStateMachine]:
    """The state machine on a small registry; each run begins with an empty ledger."""

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.folder = tempfile.TemporaryDirectory()
            path = Path(self.folder.name) / "ledger.db"
            shutil.copyfile(template, path)
            self.ledger = Ledger(make_engine(f"sqlite:///{path}"), registry)
            self.post = nowhere(self.ledger)
            self.day, self.minute = BEGIN, 0
            self.acts = 0

        def teardown(self) -> None:
            self.ledger.engine.dispose()
            self.folder.cleanup()

        @property
        def now(self) -> datetime:
            return china(f"{self.day}", "09:00") + timedelta(minutes=self.minute)

        @property
        def duty(self) -> Duty:
            with reading(self.ledger.engine) as connection:
                row = (
                    connection.execute(select(Duty.__table__).where(Duty.id == 1)).mappings().one()
                )
                return Duty(**row)

        @initialize()
        def open(self) -> None:
            open_missing(self.ledger, self.now, clause="small/1")
            self.post.deliver(at(self.now))

        def attempt(self, act: Act, do: Callable[[], object]) -> None:
            """Done exactly when the rule allows it; refused without a trace otherwise."""
            self.minute += 1
            before, seq = self.duty.status, len(events(self.ledger))
            try:
                expected = after(act, Status(before))
            except IllegalAct:
                with pytest.raises(DubanError):
                    do()
                assert (self.duty.status, len(events(self.ledger))) == (before, seq)
                return
            do()
            self.acts += act is not Act.EXTEND
            assert self.duty.status == expected

        @rule()
        def submit(self) -> None:
            evidence = Checked({"classes": 1}, ())
            by = self.duty.agency
            self.attempt(
                Act.SUBMIT,
                lambda: acts.submit(self.ledger, 1, evidence, [], by=by, now=self.now),
            )

        @rule()
        def accept(self) -> None:
            self.attempt(Act.ACCEPT, lambda: acts.accept(self.ledger, 1, by="t", now=self.now))

        @rule()
        def send_back(self) -> None:
            self.attempt(
                Act.RETURN, lambda: acts.send_back(self.ledger, 1, reason="x", by="t", now=self.now)
            )

        @rule(days=st.integers(1, 40))
        def extend(self, days: int) -> None:
            due = max(self.duty.due_at.date(), self.day) + timedelta(days=days + 1)
            self.attempt(
                Act.EXTEND,
                lambda: acts.extend(self.ledger, 1, due_on=due, reason="x", by="t", now=self.now),
            )

        @rule()
        def waive(self) -> None:
            self.attempt(
                Act.WAIVE, lambda: acts.waive(self.ledger, 1, reason="x", by="t", now=self.now)
            )

        @rule()
        def reopen(self) -> None:
            self.attempt(
                Act.REOPEN, lambda: acts.reopen(self.ledger, 1, reason="x", by="t", now=self.now)
            )

        @rule()
        def call(self) -> None:
            self.minute += 1
            if self.duty.status in WAITING:
                call(self.ledger, 1, said="x", by="t", now=self.now)

        @rule(days=st.integers(0, 20))
        def hold(self, days: int) -> None:
            until = self.day + timedelta(days=days)
            hold(
                self.ledger,
                agency=self.duty.agency,
                clause=None,
                until=until,
                reason="x",
                by="t",
                now=self.now,
            )

        @rule(yes=st.booleans())
        def decide(self, yes: bool) -> None:
            for duty in {one.duty_id for one in proposals(self.ledger)}:
                if yes:
                    approve(self.ledger, [duty], by="t", now=self.now)
                else:
                    decline(self.ledger, [duty], reason="x", by="t", now=self.now)

        @rule(days=st.sampled_from([1, 1, 2, 7, 30, 200]))
        def pass_days(self, days: int) -> None:
            """Days on which the machine was off, then a morning."""
            self.day, self.minute = self.day + timedelta(days=days), 0
            letters = self.letters()
            chase(self.ledger, self.now)
            self.post.deliver(at(self.now))
            assert self.receipts() == dict.fromkeys(self.versions(), "sent")
            new = self.letters() - letters
            assert len(new) <= 2 + len(ROUND_OPENERS)
            for kind in {one[1] for one in new} & {"remind", "chase", "formal", "circular"}:
                assert [one[1] for one in new].count(kind) == 1  # never a burst

        def letters(self) -> set[tuple[int, str]]:
            """Letters to the duty's agency that went out, besides receipts."""
            question = select(Letter.id, Letter.kind).where(
                Letter.recipient == self.duty.agency,
                Letter.state == "sent",
                Letter.kind != Kind.RECEIPT,
            )
            with reading(self.ledger.engine) as connection:
                return {(number, kind) for number, kind in connection.execute(question)}

        def versions(self) -> list[int]:
            with reading(self.ledger.engine) as connection:
                return list(connection.scalars(select(Submission.number).order_by(Submission.id)))

        def receipts(self) -> dict[int, str]:
            """The state of the letter that a version's receipt went with."""
            question = (
                select(Mention.n, Letter.state)
                .join(Letter, Letter.id == Mention.letter_id)
                .where(Mention.rung == Kind.RECEIPT, Mention.said)
                .where(Letter.recipient == self.duty.agency)
            )
            with reading(self.ledger.engine) as connection:
                return dict(connection.execute(question).tuples().all())

        @invariant()
        def every_version_has_its_receipt(self) -> None:
            assert sorted(self.receipts()) == self.versions()

        @invariant()
        def history_tells_every_change(self) -> None:
            told = [e for e in events(self.ledger, duty_id=1) if e.action in STATUS_EVENTS]
            assert len(told) == self.acts

        @invariant()
        def the_chain_is_whole(self) -> None:
            with reading(self.ledger.engine) as connection:
                assert first_broken_link(connection) is None

        @invariant()
        def what_waits_is_looked_at_and_what_is_closed_is_not(self) -> None:
            found = self.duty
            if found.status in CLOSED or found.status == Status.SUBMITTED:
                assert found.next_on is None or found.status == Status.ACCEPTED

        @invariant()
        def every_round_has_one_first_letter_and_nothing_before_it(self) -> None:
            for row in self.said():
                if row.rung in ROUND_OPENERS:
                    assert row.n == 1
            rounds = [row.round for row in self.said() if row.rung in ROUND_OPENERS]
            assert len(rounds) == len(set(rounds))

        def said(self) -> list[Any]:
            question = select(Mention.__table__).where(
                Mention.duty_id == 1, Mention.recipient == self.duty.agency
            )
            with reading(self.ledger.engine) as connection:
                return list(connection.execute(question.order_by(Mention.id)).all())

        @invariant()
        def no_turn_is_said_twice(self) -> None:
            question = (
                select(func.count())
                .select_from(Mention)
                .group_by(
                    Mention.duty_id, Mention.round, Mention.rung, Mention.n, Mention.recipient
                )
            )
            with reading(self.ledger.engine) as connection:
                assert set(connection.scalars(question)) <= {1}

    return Life


@pytest.mark.parametrize(
    ("lives", "acts_each"),
    [
        (25, 25),
        pytest.param(1000, 60, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_in_any_order_of_acts(sqlite_template: Path, small: Registry, lives: int, acts_each: int):
    run_state_machine_as_test(
        machine(sqlite_template, small),
        settings=settings(
            max_examples=lives,
            stateful_step_count=acts_each,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
