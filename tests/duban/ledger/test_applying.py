"""Edited files are put in force: what that does is told exactly, then done, whole or not at all."""

import shutil
from collections.abc import Callable, Generator, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from email import message_from_bytes
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, make_url, select

from duban.channels import Channel
from duban.channels.drop import DropFolder
from duban.duty import Status
from duban.errors import InvalidRegistry
from duban.evidence import Checked
from duban.expect import expected_duties
from duban.ledger import Ledger, acts
from duban.ledger.amending import Amendment, Changed, Left, Move, Reading, Standing, amendment
from duban.ledger.applied import adopt, in_force
from duban.ledger.applying import Done, Orders, Proposal
from duban.ledger.audit import verify
from duban.ledger.database import make_engine, reading
from duban.ledger.holds import hold
from duban.ledger.opening import open_missing
from duban.ledger.outbox import Post
from duban.ledger.past import duties_as_of
from duban.ledger.questions import duties, events
from duban.ledger.tables import Duty, Letter, Mention
from duban.registry import Registry
from duban.registry.files import Files, read_files
from tests.conftest import CLAUSES, Project, at, china
from tests.duban.ledger.conftest import nowhere

YESTERDAY, NOW = china("2026-02-01"), china("2026-02-02")
EAST, WEST, BOTH = "东/妇联", "西/妇联", {"东/妇联", "西/妇联"}
EVERYTHING = Orders("王", move=True, close=True, reason="修订")

Edit = Callable[[Project], None]


def agencies(old: str, new: str) -> Edit:
    return lambda project: project.edit(project.agencies, old, new)


def clauses(old: str, new: str) -> Edit:
    return lambda project: project.edit(project.clauses, old, new)


def policy(name: str, text: str) -> Edit:
    return lambda project: _write(project.folder / "deployments" / name, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def without_clause(number: int) -> Edit:
    def edit(project: Project) -> None:
        text = project.clauses.read_text(encoding="utf-8")
        start, end = text.index(f"- id: {number}\n"), text.index(f"- id: {number + 1}\n")
        _write(project.clauses, text[:start] + text[end:])

    return edit


def another_notice(project: Project) -> None:
    folder, words = project.folder / "deployments" / "second", "妇联每月报告一次。"
    head = CLAUSES[: CLAUSES.index("clauses:")].format(sha256=sha256(words.encode()).hexdigest())
    clause = CLAUSES[CLAUSES.index("- id: 3") : CLAUSES.index("- id: 4")].format()
    clause = clause.replace("鼓励共青团每月开展活动", "妇联每月报告一次").replace("共青团", "妇联")
    _write(folder / "notice.txt", words)
    _write(folder / "clauses.yaml", f"{head}clauses:\n{clause}")
    project.edit(project.agencies, "notices: [small]", "notices: [small, second]")


def amended_text(old: str, new: str) -> Edit:
    def edit(project: Project) -> None:
        before = sha256(project.notice.read_bytes()).hexdigest()
        project.edit(project.notice, old, new)
        project.edit(project.clauses, before, sha256(project.notice.read_bytes()).hexdigest())

    return edit


NEW_CITY = agencies("departments:\n", "  南: {name: 南市, level: city, within: 省}\ndepartments:\n")
RENAMED = agencies('city: "{region}妇联"', 'city: "{region}妇女联合会"')
EARLIER = clauses("due: M3-20, basis: text", "due: M3-10, basis: text")
LATER = clauses("due: M3-20, basis: text", "due: M3-30, basis: text")
SHIFTED = clauses("due: M3-20, basis: text", "due: M3-21, shift: next, basis: text")
MONTHLY = clauses(
    "every: quarter, opens: M1-01, due: M3-20, b", "every: month, opens: M1-01, due: M1-20, b"
)
OTHER_LEAD = clauses(
    "[{name: 妇联, role: lead}, {name: 教育, role: co-responsible}]",
    "[{name: 教育, role: lead}, {name: 妇联, role: co-responsible}]",
)
ASKS_MORE = clauses("label: 汇总表, required: false", "label: 汇总表, required: true")
ENDED = clauses("until: 2026-06-30", "until: 2025-12-31")
NO_EAST = agencies("agencies:\n", "agencies:\n  东/妇联: {acted_by: 东/教育}\n")


def standing(registry: Registry, now: datetime = NOW, **changed: object) -> list[Standing]:
    """The duties of a ledger that was opened just now."""
    return [
        replace(
            Standing(
                number,
                one.clause,
                one.version,
                one.cycle,
                one.agency,
                one.period,
                Status.OPEN,
                one.opens_on,
                one.due_at,
                one.due_at,
                one.soft,
                one.provisional,
                begun=False,
            ),
            **changed,  # pyright: ignore[reportArgumentType]
        )
        for number, one in enumerate(expected_duties(registry, now, {}), 1)
    ]


def amend(project: Project, edit: Edit, now: datetime = NOW, **changed: object) -> Amendment:
    """What an edit would do to a ledger that was opened just now."""
    before = project.load()
    edit(project)
    after = project.load()
    held = standing(before, now, **changed)
    keys = {(one.clause, one.cycle, one.agency, one.period) for one in held}
    missing = [one for one in expected_duties(after, now, {}) if one.key not in keys]
    return amendment(before, after, missing, held)


def opened(found: Amendment) -> list[str]:
    return sorted(f"{one.clause.partition('/')[2]} {one.agency}" for one in found.opens)


def closed(found: Amendment) -> set[tuple[str, str, Left]]:
    return {(one.duty.clause, one.duty.agency, one.left) for one in found.closes}


def moved(found: Amendment) -> set[tuple[str, str, str]]:
    return {(one.duty.clause, one.duty.agency, f"{one.due_at:%m-%d}") for one in found.moves}


def test_a_new_city_opens_the_duties_of_its_agencies_and_nothing_else(project: Project):
    found = amend(project, NEW_CITY)
    assert found.differences.agencies == Changed(new=("南/教育", "南/妇联", "南/共青团"))
    assert not found.differences.clauses  # that their clauses have one agency more is no news
    by_women = ["1 南/妇联", "4 南/妇联", "6 南/妇联"]
    others = ["2 南/教育", "3 南/共青团", "5 南/共青团", "6 南/教育"]
    assert opened(found) == sorted(by_women + others)
    assert not found.moves
    assert not found.closes


def test_a_renamed_department_changes_recipients_and_no_duty(project: Project):
    found = amend(project, RENAMED)
    assert found.recipients == {EAST: ("name",), WEST: ("name",)}
    assert not (found.opens)
    assert not (found.moves)
    assert not (found.closes)
    assert not (found.differences.clauses)


def test_another_address_superior_or_telephone_is_told_by_its_name(project: Project):
    found = amend(
        project,
        agencies(
            "{contact: {channel: youth@example.org}}",
            "{superior: 省/教育, contact: {channel: a@b.cn, telephone: '1'}}",
        ),
    )
    assert found.recipients == {"东/共青团": ("superior", "telephone", "channel")}


def test_an_earlier_due_day_moves_the_clauses_duties(project: Project):
    found = amend(project, EARLIER)
    assert found.differences.clauses == Changed(changed={"small/1": ("cycles",)})
    assert moved(found) == {("small/1", EAST, "03-10"), ("small/1", WEST, "03-10")}
    assert len(found.dates) == 2
    assert not found.wordings
    assert not found.opens
    assert not found.closes
    assert found.late_at_once(china("2026-03-11")) == 2
    assert found.late_at_once(NOW) == 0


def test_what_a_clause_asks_for_changes_the_wording_and_no_day(project: Project):
    found = amend(project, ASKS_MORE)
    assert found.differences.clauses.changed == {"small/1": ("evidence",)}
    assert {one.duty.agency for one in found.wordings} == BOTH
    assert not found.dates


def test_a_clause_that_left_would_close_its_duties(project: Project):
    found = amend(project, without_clause(3))
    assert found.differences.clauses == Changed(left=("small/3",))
    assert closed(found) == {
        ("small/3", "东/共青团", Left.CLAUSE),
        ("small/3", "西/共青团", Left.CLAUSE),
    }


def test_another_lead_closes_the_duties_of_the_one_and_opens_those_of_the_other(project: Project):
    found = amend(project, OTHER_LEAD)
    assert found.differences.clauses.changed == {"small/1": ("departments", "agencies")}
    assert closed(found) == {("small/1", EAST, Left.AGENCY), ("small/1", WEST, Left.AGENCY)}
    assert opened(found) == ["1 东/教育", "1 西/教育"]


def test_an_agency_that_left_closes_its_duties(project: Project):
    found = amend(project, NO_EAST)
    assert found.differences.agencies.left == (EAST,)
    assert closed(found) == {(f"small/{n}", EAST, Left.AGENCY) for n in (1, 4, 6)}
    assert opened(found) == ["1 东/教育", "4 东/教育"]  # 6 it owes already


def test_another_period_closes_and_opens(project: Project):
    found = amend(project, MONTHLY)
    assert closed(found) == {("small/1", EAST, Left.PERIOD), ("small/1", WEST, Left.PERIOD)}
    assert {one.period for one in found.opens} == {"2026-02"}


def test_a_cycle_that_ended_before_closes_what_it_opened_since(project: Project):
    found = amend(project, ENDED)
    assert {left for *_, left in closed(found)} == {Left.PERIOD}
    assert {clause for clause, *_ in closed(found)} == {"small/6"}


def test_a_new_notice_opens_its_duties(project: Project):
    found = amend(project, another_notice)
    assert found.differences.notices == Changed(new=("second",))
    assert found.differences.clauses.new == ("second/3",)
    assert opened(found) == ["3 东/妇联", "3 西/妇联"]


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (policy("chase.yaml", "ladder: '13710'\n"), "ladders"),
        (policy("chase.yaml", "letters_a_week: 3\n"), "limits"),
        (policy("calendar.yaml", "announced: [2027]\n"), "calendar"),
    ],
)
def test_the_rules_of_the_chase_are_named_and_move_nothing(project: Project, edit: Edit, part: str):
    found = amend(project, edit)
    assert found.differences.policy == (part,)
    assert not (found.opens)
    assert not (found.moves)
    assert not (found.closes)


def test_a_comment_changes_nothing_but_is_not_the_same(project: Project):
    found = amend(project, agencies("regions:\n", "# two cities\nregions:\n"))
    assert not found.differences
    assert found.anything(move=False, close=False)


def test_an_amended_text_whose_quotes_hold_is_a_changed_notice(project: Project):
    found = amend(project, amended_text("大家都要重视。", "大家都要重视。完。"))
    assert found.differences.notices.changed == {"small": ("text",)}
    assert not found.differences.clauses


def test_an_amended_text_tells_every_quote_that_no_longer_holds(project: Project):
    project.edit(project.notice, "每季度报告", "每月报告")
    project.edit(project.notice, "妇联要制定", "妇联应制定")
    with pytest.raises(InvalidRegistry) as error:
        project.load()
    told = [f"{one.what}: {one.hint}" for one in error.value.problems]
    assert told[0].startswith("notice.txt is not the text these clauses were read from: restore")
    assert told[1:] == [
        f"the quote of clause {clause} no longer holds, “{quote}”: "
        "quote what notice.txt says now, or take the clause out"
        for clause, quote in (("1", "妇联每季度报告家长课堂"), ("4", "妇联要制定工作方案"))
    ]


def test_a_provisional_day_follows_the_calendar_by_itself(project: Project):
    SHIFTED(project)
    announce = policy(
        "calendar.yaml",
        "announced: [2027]\ndays:\n- {from: 2027-03-21, working: true, why: 调休}\n",
    )
    found = amend(project, announce, now=china("2027-02-02"))
    assert found.differences.policy == ("calendar",)
    assert {one.due_at.date() for one in found.recounts} == {date(2027, 3, 21)}
    assert {one.duty.due_at.date() for one in found.recounts} == {date(2027, 3, 22)}
    assert not found.moves


def test_what_is_under_review_is_counted_and_never_concerned(project: Project):
    found = amend(project, EARLIER, status=Status.SUBMITTED)
    assert (found.moves, found.closes, found.untouched) == ((), (), 2)


@pytest.mark.parametrize(
    ("edit", "extended", "due"),
    [(EARLIER, "2026-03-25", None), (LATER, "2026-03-25", "03-30"), (LATER, "2026-04-10", None)],
)
def test_a_day_that_somebody_set_stays_unless_the_clauses_own_is_later(
    project: Project, edit: Edit, extended: str, due: str | None
):
    before = project.load()
    edit(project)
    [duty] = [one for one in standing(before) if (one.clause, one.agency) == ("small/1", EAST)]
    found = Reading(project.load()).of(replace(duty, due_at=china(extended)))
    assert isinstance(found, Move)
    assert (f"{found.due_at:%m-%d}" if found.dated else None) == due


def test_a_duty_for_which_something_came_keeps_its_wording(project: Project):
    found = amend(project, ASKS_MORE, begun=True)
    assert not found.moves
    [one, other] = amend(project, EARLIER, begun=True).moves
    assert (one.version, other.version) == (one.duty.version, other.duty.version)
    assert one.dated
    assert other.dated


# What is done to a ledger.


def files_of(project: Project) -> tuple[Registry, Files]:
    return read_files(project.agencies, project.folder / "deployments", {})


def proposal(ledger: Ledger, project: Project, edit: Edit | None = None) -> Proposal:
    """The project's files against a ledger, after an edit."""
    if edit:
        edit(project)
    return Proposal.of(ledger.engine, *files_of(project))


def apply(ledger: Ledger, found: Proposal, orders: Orders = EVERYTHING) -> Done:
    """Puts the files in force, in this process too."""
    done = found.apply(found.amendment(NOW), orders, NOW)
    ledger.registry = found.after
    return done


@pytest.fixture
def begun(ledger: Ledger, project: Project) -> Ledger:
    """The small notice is in force; its duties were opened and told yesterday."""
    found = proposal(ledger, project)
    found.apply(found.amendment(YESTERDAY), Orders("王"), YESTERDAY)
    nowhere(ledger).deliver(at(YESTERDAY))
    return ledger


def test_applying_twice_has_nothing_left_to_do(begun: Ledger, project: Project):
    found = proposal(begun, project, NEW_CITY)
    assert apply(begun, found, Orders("王")) == Done(7, 0, 0)
    again = proposal(begun, project)
    assert again.same
    assert not again.amendment(NOW).anything(move=True, close=True)


def test_without_being_told_to_nothing_that_is_open_moves_or_closes(
    begun: Ledger, project: Project
):
    before = rows(begun)
    EARLIER(project)
    both = proposal(begun, project, without_clause(3))
    shown = both.amendment(NOW)
    assert (len(shown.dates), len(shown.closes)) == (2, 2)
    assert apply(begun, both, Orders("王")) == Done(0, 0, 0)
    assert rows(begun) == before
    later = proposal(begun, project).amendment(NOW)
    assert not later.anything(move=False, close=False)
    assert later.anything(move=True, close=False)  # it can be said later
    assert apply(begun, proposal(begun, project)) == Done(0, 2, 2)


def rows(ledger: Ledger) -> list[dict[str, object]]:
    with reading(ledger.engine) as connection:
        found = connection.execute(select(Duty.__table__).order_by(Duty.id)).mappings()
        return [{**row, "next_on": None} for row in found]  # the chase may look at any time


def test_a_moved_duty_has_its_new_day_in_history_and_is_looked_at_today(
    begun: Ledger, project: Project
):
    [duty] = duties(begun, agency=EAST, clause="small/1")
    apply(begun, proposal(begun, project, EARLIER))
    [after] = duties(begun, ids=[duty.id])
    assert after.due_at == after.original_due_at == china("2026-03-10", "23:59:59")
    assert (after.revision, after.clause.cycle("report").due) == (2, "M3-10")
    last = events(begun, duty_id=duty.id)[-1]
    assert (last.action, last.actor, last.text) == ("moved", "王", "修订")
    assert last.data["before"] == duty.due_at.isoformat()
    with reading(begun.engine) as connection:
        assert connection.scalar(select(Duty.next_on).where(Duty.id == duty.id)) == date(2026, 2, 2)
    assert verify(begun) == []
    [then] = [one for one in duties_as_of(begun, YESTERDAY) if one.id == duty.id]
    assert then.due_at == duty.due_at


@pytest.mark.parametrize(("edit", "kind"), [(EARLIER, "assign"), (LATER, "extension")])
def test_an_earlier_day_is_assigned_again_and_a_later_one_told_as_an_extension(
    begun: Ledger, project: Project, edit: Edit, kind: str
):
    apply(begun, proposal(begun, project, edit))
    told = select(Mention.recipient, Mention.rung, Letter.kind).join(Letter).where(Mention.n == 2)
    with reading(begun.engine) as connection:
        found = connection.execute(told.order_by(Mention.recipient)).all()
    assert found == [(EAST, "assign", kind), (WEST, "assign", kind)]
    assert nowhere(begun).deliver(at(NOW)).accepted == 2


@pytest.mark.parametrize("edit", [EARLIER, LATER])
def test_a_letter_on_a_day_that_moved_says_why(
    begun: Ledger, project: Project, tmp_path: Path, edit: Edit
):
    apply(begun, proposal(begun, project, edit))
    assert texts_of(begun, tmp_path).count("说明：修订") == 2


def test_an_extension_that_was_granted_before_does_not_explain_a_day_that_moved(
    begun: Ledger, project: Project, tmp_path: Path
):
    [east] = [one for one in duties(begun, clause="small/1") if one.agency.id == EAST]
    granted = date(2026, 3, 25)
    acts.extend(begun, east.id, due_on=granted, reason="疫情", by="王", now=YESTERDAY)
    assert "说明：疫情" in texts_of(begun, tmp_path / "first")
    apply(begun, proposal(begun, project, LATER), replace(EVERYTHING, reason=""))
    told = texts_of(begun, tmp_path / "second")
    assert "东市妇联：" in told
    assert "说明：" not in told


def texts_of(ledger: Ledger, folder: Path) -> str:
    """What all letters say that leave now."""
    channel: Channel = DropFolder(folder)
    post = Post(ledger, {"drop": channel}, lambda: False, "duban@localhost", {})
    assert post.deliver(at(NOW)).accepted
    mails = (message_from_bytes(one.read_bytes(), policy=SMTP) for one in folder.rglob("*.eml"))
    bodies = (mail.get_body(("plain",)) for mail in mails)
    return "\n".join(body.get_content() for body in bodies if body)


def test_a_letter_that_waits_to_be_written_says_the_new_day_by_itself(
    ledger: Ledger, project: Project
):
    apply(ledger, proposal(ledger, project), Orders("王"))
    apply(ledger, proposal(ledger, project, EARLIER))
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(Mention.id).where(Mention.n == 2)) is None


def test_a_held_duty_moves_in_silence(begun: Ledger, project: Project):
    hold(begun, agency=EAST, clause=None, until=date(2026, 2, 9), reason="疫情", by="王", now=NOW)
    apply(begun, proposal(begun, project, EARLIER))
    with reading(begun.engine) as connection:
        told = connection.scalars(select(Mention.recipient).where(Mention.n == 2)).all()
    assert told == [WEST]


def test_a_closed_duty_says_what_left_the_files(begun: Ledger, project: Project):
    found = proposal(begun, project, without_clause(3))
    apply(begun, found, Orders("王", close=True))
    left = [one for one in rows(begun) if one["clause"] == "small/3"]
    assert {one["status"] for one in left} == {"waived"}
    last = events(begun, duty_id=left[0]["id"])[-1]  # pyright: ignore[reportArgumentType]
    assert (last.action, last.text) == ("waived", "条款已从文件中撤下")


def test_an_earlier_version_comes_back_the_same_way(begun: Ledger, project: Project):
    first = in_force(begun.engine)
    assert first is not None
    apply(begun, proposal(begun, project, EARLIER))
    back = Proposal.of(begun.engine, first.load({}), first.files)
    assert moved(back.amendment(NOW)) == {("small/1", EAST, "03-20"), ("small/1", WEST, "03-20")}
    apply(begun, back)
    assert not Proposal.of(begun.engine, first.load({}), first.files).amendment(NOW).moves


MANY = 1000


@contextmanager
def dying_at(engine: Engine, commit: int) -> Generator[None]:
    """The process dies before its so-manieth commit."""
    left = [commit]

    def count(_connection: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    event.listen(engine, "commit", count)
    try:
        yield
    finally:
        event.remove(engine, "commit", count)


def survives(found: Proposal, commit: int) -> bool:
    """Whether applying makes it past so many commits."""
    try:
        with dying_at(found.engine, commit):
            found.apply(found.amendment(NOW), EVERYTHING, NOW)
    except KeyboardInterrupt:
        return False
    return True


def test_a_death_before_any_commit_leaves_one_registry_whole_and_applying_again_finishes(
    sqlite_url: str, small: Registry, project: Project, tmp_path: Path
):
    before = Ledger(make_engine(sqlite_url), small)
    base = adopt(before.engine, files_of(project)[1], NOW)
    open_missing(before, NOW)
    before.engine.dispose()
    for edit in (EARLIER, without_clause(3), NEW_CITY):
        edit(project)
    after, files = files_of(project)
    whole, commit = False, 0
    while not whole:
        commit += 1
        shutil.copyfile(make_url(sqlite_url).database or "", tmp_path / "copy.db")
        engine = make_engine(f"sqlite:///{tmp_path / 'copy.db'}")
        found = Proposal(engine, base, small, after, files)
        whole = survives(found, commit)
        kept = in_force(engine)
        assert kept is not None
        assert kept.files in (base.files, files)
        assert survives(replace(found, base=kept), MANY)
        done = replace(found, base=in_force(engine))
        assert not done.amendment(NOW).anything(move=True, close=True)
        told = [one.action for one in events(Ledger(engine, after))]
        assert (told.count("moved"), told.count("waived")) == (2, 2)
        engine.dispose()
    assert commit > 10


EDITS = {
    "city": NEW_CITY,
    "name": RENAMED,
    "day": EARLIER,
    "asks": ASKS_MORE,
    "gone": without_clause(3),
    "ended": ENDED,
    "ladder": policy("chase.yaml", "ladder: '13710'\n"),
}


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chosen=st.sets(st.sampled_from(sorted(EDITS)), min_size=1))
def test_every_waiting_duty_is_then_what_a_new_ledger_would_hold(
    sqlite_template: Path, chosen: Set[str]
):
    with TemporaryDirectory() as folder:
        project = Project.write(Path(folder) / "project")
        url = Path(folder) / "ledger.db"
        url.write_bytes(sqlite_template.read_bytes())
        ledger = Ledger(make_engine(f"sqlite:///{url}"), project.load())
        apply(ledger, proposal(ledger, project), Orders("王"))
        handed_in = duty_of_first(ledger, WEST)
        evidence = Checked({"classes": 1}, ())
        acts.submit(ledger, handed_in, evidence, [], by=WEST, now=NOW)
        before = next(row for row in rows(ledger) if row["id"] == handed_in)
        for name in sorted(chosen):
            EDITS[name](project)
        apply(ledger, proposal(ledger, project))
        fresh = {one.key: one for one in expected_duties(ledger.registry, NOW, {})}
        for row in rows(ledger):
            if row["id"] == handed_in:
                assert row == before
            elif row["status"] == "open":
                one = fresh.pop((row["clause"], row["cycle"], row["agency"], row["period"]))  # pyright: ignore[reportArgumentType]
                was = row["version"], row["soft"], row["opens_on"], row["due_at"]
                assert was == (one.version, one.soft, one.opens_on, one.due_at)
                assert row["original_due_at"] == one.due_at
        assert len(fresh) == 1  # the one that was handed in
        ledger.engine.dispose()


def duty_of_first(ledger: Ledger, agency: str) -> int:
    return duties(ledger, agency=agency, clause="small/1")[0].id
