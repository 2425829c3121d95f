"""The duties as they stood at any moment of the past."""

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from duban.errors import DubanError
from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover
from duban.ledger.audit import verify
from duban.ledger.change import change
from duban.ledger.database import make_engine
from duban.ledger.handover import hand_over
from duban.ledger.opening import open_missing
from duban.ledger.past import duties_as_of
from duban.ledger.petitions import Kind, acknowledge, ask, decide, petitions
from duban.ledger.questions import DutyView, duties
from duban.ledger.recount import recount
from duban.registry import Registry
from tests.conftest import china

BEGIN = china("2026-01-05")
Do = Callable[[Ledger, DutyView, datetime, random.Random], object]


def submit(ledger: Ledger, duty: DutyView, now: datetime, chance: random.Random) -> None:
    cover = Cover(statement="本季度无") if chance.random() < 0.3 else None
    evidence = Checked({"classes": 1, "progress": "x", "summary": "x"}, ())
    by = duty.agency.id
    acts.submit(ledger, duty.id, evidence, [], by=by, now=now, cover=cover)


def _later(duty: DutyView, now: datetime, chance: random.Random) -> date:
    return max(duty.due_at, now).date() + timedelta(days=chance.randint(2, 30))


def extend(ledger: Ledger, duty: DutyView, now: datetime, chance: random.Random) -> None:
    due_on = _later(duty, now, chance)
    acts.extend(ledger, duty.id, due_on=due_on, reason="x", by="省", now=now)


def petition(ledger: Ledger, duty: DutyView, now: datetime, chance: random.Random) -> None:
    kind = chance.choice(list(Kind))
    until, by = _later(duty, now, chance), duty.agency.id
    number = ask(ledger, duty.id, kind, reason="x", until=until, leader="李", by=by, now=now)
    if chance.random() < 0.7:
        grant = chance.random() < 0.6
        decide(ledger, number, grant=grant, answer="x", by="省", now=now)


ACTS: list[Do] = [
    submit,
    submit,
    extend,
    petition,
    lambda ledger, duty, now, _: acts.accept(ledger, duty.id, by="省", now=now),
    lambda ledger, duty, now, _: acts.send_back(ledger, duty.id, reason="x", by="省", now=now),
    lambda ledger, duty, now, _: acts.waive(ledger, duty.id, reason="x", by="省", now=now),
    lambda ledger, duty, now, _: acts.reopen(ledger, duty.id, reason="x", by="省", now=now),
    lambda ledger, duty, now, _: acknowledge(ledger, duty.id, by=duty.agency.id, now=now),
]


def sure(views: list[DutyView]) -> list[DutyView]:
    """Without the one thing that the history does not tell."""
    return [replace(one, provisional=False) for one in views]


@pytest.fixture
def lived(sqlite_template: Path, small: Registry, tmp_path: Path) -> Ledger:
    shutil.copyfile(sqlite_template, tmp_path / "ledger.db")
    return Ledger(make_engine(f"sqlite:///{tmp_path / 'ledger.db'}"), small)


@pytest.mark.parametrize("seed", range(6))
def test_after_any_life_every_moment_of_it_is_as_it_was(lived: Ledger, seed: int):
    chance, now = random.Random(seed), BEGIN
    open_missing(lived, now)
    seen: list[tuple[datetime, list[DutyView]]] = [(now, duties(lived))]
    for _ in range(60):
        now += timedelta(hours=chance.choice([1, 1, 5, 24, 24 * 20]))
        open_missing(lived, now)
        duty = chance.choice(duties(lived))
        with suppress(DubanError):  # what the rules do not allow leaves no trace
            chance.choice(ACTS)(lived, duty, now, chance)
        seen.append((now, duties(lived)))
    assert petitions(lived)
    for moment, then in seen:
        assert sure(duties_as_of(lived, moment)) == sure(then)
    assert verify(lived) == []
    lived.engine.dispose()


def test_a_duty_handed_over_was_once_another_agencys(lived: Ledger):
    open_missing(lived, BEGIN, clause="small/1")
    gone = {key: one for key, one in lived.registry.agencies.items() if key != "东/妇联"}
    merged = Ledger(lived.engine, replace(lived.registry, agencies=gone))
    acknowledge(lived, duties(lived, agency="东/妇联")[0].id, by="东/妇联", now=BEGIN)
    hand_over(merged, "东/妇联", "东/教育", reason="合并", by="省", now=china("2026-02-01"))
    before = duties_as_of(merged, china("2026-01-31"))
    after = duties_as_of(merged, china("2026-02-01"))
    assert [one.agency.id for one in before] == ["东/妇联", "西/妇联"]
    assert [one.agency.id for one in after] == ["东/教育", "西/妇联"]
    assert before[0].acknowledged_at == BEGIN
    assert sure(after) == sure(duties(merged))
    assert verify(merged) == []
    lived.engine.dispose()


def test_a_shift_after_holidays_were_announced_is_known_from_its_day(lived: Ledger):
    open_missing(lived, BEGIN, clause="small/1")
    [one, _] = duties(lived)
    with change(lived.engine, china("2026-02-01"), "duban") as made:
        duty = acts.locked_duty(made, one.id)
        before, duty.due_at = duty.due_at, china("2026-03-23", "23:59:59")
        duty.original_due_at, duty.revision = duty.due_at, 2
        made.record("shifted", one.id, due=duty.due_at.isoformat(), before=before.isoformat())
    assert recount(lived, china("2026-02-02")) == 0
    assert duties_as_of(lived, BEGIN)[0].original_due_at == before
    assert sure(duties_as_of(lived, china("2026-02-02"))) == sure(duties(lived))
    assert duties_as_of(lived, china("2026-01-01")) == []
    lived.engine.dispose()
