"""What chase.yaml and calendar.yaml say, and how each slip in them is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from duban.calendar import WorkCalendar
from duban.errors import InvalidRegistry
from duban.ladder import SOLEMN, Anchor, Audience, Chased, Counting, Kind, decide
from duban.registry.load import load_policy
from duban.registry.policy import Policy, Quiet
from tests.conftest import SHANGHAI, Project, china

OWN = """\
ladder: weekly

ladders:
  weekly:
    note: 每周一次
    rungs:
    - {name: ask, kind: inquire, days: 1, anchor: told, title: 问进度}
    - {name: chase, kind: chase, days: 1, every: 7, times: 4, backoff: 2, counting: working}
    - {name: formal, kind: formal, days: 5, anchor: previous, to: [agency, superior], approval: false}
"""  # noqa: E501

LADDER = """\
ladders:
  weekly:
    rungs:
    - {{name: first, kind: remind, days: -3}}
    - {{{rung}}}
"""

DAYS = """\
announced: [2027]
days:
- {from: 2026-03-09, to: 2026-03-10, working: false, regions: [东], why: 市里放假}
- {from: 2026-07-10, to: 2026-08-31, working: false, school: true, why: 暑假}
- {from: 2026-03-14, working: true, why: 补班}
"""


@pytest.fixture
def chase(project: Project) -> Path:
    return project.folder / "deployments" / "chase.yaml"


@pytest.fixture
def days(project: Project) -> Path:
    return project.folder / "deployments" / "calendar.yaml"


def fault(load: Callable[[], object]) -> str:
    """The one problem that keeps it from loading."""
    with pytest.raises(InvalidRegistry) as refused:
        load()
    [problem] = refused.value.problems
    return str(problem)


# The presets.


def test_the_presets_load_without_any_file(tmp_path: Path):
    policy = load_policy(tmp_path)
    assert list(policy.ladders) == ["default", "三色督办", "13710"]
    assert policy == Policy(policy.ladders)


def test_the_presets_ask_for_approval_of_what_is_solemn_only(tmp_path: Path):
    for ladder in load_policy(tmp_path).ladders.values():
        assert ladder.note
        for rung in ladder.rungs:
            assert rung.approval == (rung.kind in SOLEMN)


def test_every_preset_ends_with_everybody_hearing_of_it(tmp_path: Path):
    for ladder in load_policy(tmp_path).ladders.values():
        assert ladder.rungs[-1].kind is Kind.CIRCULAR
        assert ladder.rungs[-1].to == tuple(Audience)


# An office's own choice.


def test_a_ladder_of_ones_own_stands_beside_the_presets(project: Project, chase: Path):
    chase.write_text(OWN, encoding="utf-8")
    policy = project.load().policy
    assert list(policy.ladders) == ["default", "三色督办", "13710", "weekly"]
    ask, again, formal = policy.ladders["weekly"].rungs
    assert (ask.anchor, ask.days, ask.title, ask.times) == (Anchor.TOLD, 1, "问进度", 1)
    assert (again.counting, again.every, again.times, again.backoff) == (Counting.WORKING, 7, 4, 2)
    assert (formal.to, formal.approval) == ((Audience.AGENCY, Audience.SUPERIOR), False)


def test_a_ladder_takes_the_place_of_the_preset_of_its_name(project: Project, chase: Path):
    text = OWN.replace("ladder: weekly", "ladder: default").replace("  weekly:", "  default:")
    chase.write_text(text, encoding="utf-8")
    policy = project.load().policy
    assert list(policy.ladders) == ["default", "三色督办", "13710"]
    assert policy.ladders[policy.default].note == "每周一次"
    assert [rung.name for rung in policy.ladders["default"].rungs] == ["ask", "chase", "formal"]


def test_a_clause_s_ladder_goes_before_its_agency_s_and_that_before_the_rule(
    project: Project, chase: Path
):
    chase.write_text(OWN, encoding="utf-8")
    project.edit(project.agencies, "  东/共青团: {", '  东/共青团: {ladder: "13710", ')
    project.edit(project.clauses, "  title: 学年检查\n", "  title: 学年检查\n  ladder: 三色督办\n")
    registry = project.load()
    assert registry.ladder("small/5", "东/共青团").name == "三色督办"
    assert registry.ladder("small/3", "东/共青团").name == "13710"
    assert registry.ladder("small/1", "东/妇联").name == "weekly"
    assert registry.ladder("small/gone", "东/gone").name == "weekly"  # a clause that was taken out


def test_quiet_hours_and_the_weekly_limit_are_read(project: Project, chase: Path):
    chase.write_text('quiet: {after: "21:00", before: "07:30"}\nletters_a_week: 3\n')
    policy = project.load().policy
    assert policy.letters_a_week == 3
    assert policy.quiet == Quiet(after="21:00", before="07:30")


@pytest.mark.parametrize(
    ("quiet", "hours"),
    [
        (Quiet(), {0, 7, 20, 23}),
        (Quiet(after="12:00", before="14:00"), {12, 13}),
        (Quiet(after="00:00", before="08:00"), {0, 7}),
        (Quiet(after="08:00", before="08:00"), set[int]()),  # no quiet hours at all
    ],
)
def test_quiet_begins_with_its_first_minute_and_ends_before_its_last(quiet: Quiet, hours: set[int]):
    asked = (0, 7, 8, 11, 12, 13, 14, 19, 20, 23)
    assert {hour for hour in asked if quiet.at(china("2026-03-20", f"{hour:02}:00"), SHANGHAI)} == (
        hours
    )


def test_quiet_hours_are_read_in_the_notice_s_zone():
    utc = datetime.fromisoformat("2026-03-20T12:30+00:00")  # 20:30 in Shanghai
    assert Quiet().at(utc, SHANGHAI)
    assert not Quiet().at(utc - timedelta(hours=1), SHANGHAI)


def test_local_days_school_holidays_and_announced_years_are_read(project: Project, days: Path):
    days.write_text(DAYS, encoding="utf-8")
    registry = project.load()
    east, west = (registry.calendar("small/1", f"{region}/妇联") for region in "东西")
    assert (east.working(date(2026, 3, 9)), west.working(date(2026, 3, 9))) == (False, True)
    assert east.add(date(2026, 3, 8), 1).day == date(2026, 3, 11)
    assert west.working(date(2026, 3, 14))  # a Saturday
    school = registry.calendar("small/1", "东/妇联", school=True)
    assert (east.working(date(2026, 7, 15)), school.working(date(2026, 7, 15))) == (True, False)
    assert not east.provisional(date(2027, 5, 6))
    assert east.provisional(date(2028, 5, 8))


def test_regions_with_the_same_days_share_a_calendar_and_what_was_looked_up_in_it(
    project: Project, days: Path
):
    days.write_text(DAYS, encoding="utf-8")
    policy = project.load().policy
    east, west, province = (policy.calendar(WorkCalendar.CHINA, region) for region in "东西省")
    assert west is province
    assert west is not east
    assert policy.calendar(WorkCalendar.CHINA, "东") is east
    assert policy.calendar(WorkCalendar.CHINA, "东", school=True) is not east
    assert policy.calendar(WorkCalendar.WEEKDAYS, "西") is not west


# Slips. Each is told once, with the line it stands on.


@pytest.mark.parametrize(
    ("rung", "says"),
    [
        (
            "name: first, kind: chase, days: 1",
            "rung 'first' stands twice: rename one",
        ),
        (
            "name: return, kind: chase, days: 1",
            "the name 'return' has a meaning already: choose another",
        ),
        (
            "name: a, kind: chase, days: 1, times: 2",
            "it repeats without a gap: say every how many days",
        ),
        (
            "name: a, kind: chase, days: 1, times: 9, every: 7, backoff: 4",
            "it repeats for over ten years: write fewer times or less backoff",
        ),
        (
            "name: a, kind: assign, days: 1",
            "kind: 'assign' is no tone: write one of inquire, remind, chase, formal, circular",
        ),
        (
            "name: a, kind: chase, days: -1, anchor: told",
            "it must come after 'told': write days from 1 on",
        ),
        (
            "name: a, kind: chase, days: 0, anchor: previous",
            "it must come after 'previous': write days from 1 on",
        ),
        (
            "name: a, kind: remind, days: 2",
            "'remind' is never said after the due day: write kind: chase",
        ),
        (
            "name: a, kind: [chase], days: 1",
            "kind: '['chase']' is no tone: write one of inquire, remind, chase, formal, circular",
        ),
        ("name: a, kind: chase", "days: is missing: add it"),
        ("name: a, kind: chase, days: soon", "days: Input should be a valid integer"),
        ("name: a, kind: chase, days: 367", "days: Input should be less than or equal to 366"),
        (
            "name: a, kind: chase, days: 1, to: []",
            "nobody hears it: write to: [agency], or leave to out",
        ),
        ("name: a, kind: chase, days: 1, to: [mayor]", "to.0: Input should be 'agency', "),
        ("name: a, kind: chase, days: 1, titel: x", "titel: is no key here: take it out"),
    ],
)
def test_a_slip_in_a_rung_is_told_with_its_line(
    project: Project, chase: Path, rung: str, says: str
):
    chase.write_text(LADDER.format(rung=rung), encoding="utf-8")
    found = fault(project.load)
    assert says in found
    line = 2 if "stands twice" in says else 5  # the ladder's, or the rung's
    assert found.startswith(f"{chase}:{line}: ")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "quiet: {after: '20:00'}\nladder: strict\n",
            2,
            "ladder 'strict' is not known: write one of default, 三色督办, 13710",
        ),
        (
            "ladders:\n  a:\n    rungs:\n    - {name: a, kind: chase, days: 1, anchor: previous}\n",
            2,
            "the first rung has none before it: anchor it to due or told",
        ),
        ("ladders:\n  a:\n    rungs: []\n", 2, "it has no rungs: write one, or take the ladder"),
        ("ladders:\n  a:\n    rungs: [{name: a, days: 1}]\n", 3, "kind: is missing: add it"),
        (
            "quiet: {after: '25:00'}\n",
            1,
            "quiet.after: '25:00' is no time of day: write one like 20:00",
        ),
        ("\nletters_a_week: 0\n", 2, "letters_a_week: Input should be greater than or equal to 1"),
        ("ladder: default\nladder: '13710'\n", 2, "'ladder' stands twice: keep one of the two"),
        ("ladders: {\n", 2, "not readable as YAML"),
        ("", 1, "the file: is empty: fill it in"),
    ],
)
def test_a_slip_in_chase_yaml_is_told_with_its_line(
    project: Project, chase: Path, text: str, line: int, says: str
):
    chase.write_text(text, encoding="utf-8")
    found = fault(project.load)
    assert found.startswith(f"{chase}:{line}: ")
    assert says in found


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("[东]", "[南]", 3, "'南' is no region: name one of regions"),
        ("to: 2026-03-10", "to: 2026-03-08", 3, "it ends before it begins: swap from and to"),
        ("to: 2026-08-31", "to: 2029-08-31", 4, "it lasts longer than a year: write a line for"),
        ("working: false, school", "working: true, school", 4, "school marks holidays of schools"),
        ("from: 2026-03-14", "from: 2026-02-30", 5, "from: Input should be a valid date"),
        ("from: 2026-03-14, ", "", 5, "from: is missing: add it"),
        (", why: 补班", "", 5, "why: is missing: add it"),
        ("working: true", "working: perhaps", 5, "working: Input should be a valid boolean"),
        ("[2027]", "[soon]", 1, "announced.0: Input should be a valid integer"),
    ],
)
def test_a_slip_in_calendar_yaml_is_told_with_its_line(
    project: Project, days: Path, old: str, new: str, line: int, says: str
):
    days.write_text(DAYS, encoding="utf-8")
    project.edit(days, old, new)
    found = fault(project.load)
    assert found.startswith(f"{days}:{line}: ")
    assert says in found


def test_an_agency_and_a_clause_can_only_name_a_ladder_that_is_there(project: Project):
    project.edit(project.agencies, "  东/共青团: {", "  东/共青团: {ladder: strict, ")
    assert "ladder 'strict' is not known: write one of default, 三色督办, 13710" in (
        fault(project.load)
    )
    project.edit(project.agencies, "ladder: strict, ", "")
    project.edit(project.clauses, "  title: 学年检查\n", "  title: 学年检查\n  ladder: strict\n")
    found = fault(project.load)
    assert found.startswith(str(project.clauses))
    assert "ladder 'strict' is not known" in found


# Where a due day goes.


def test_a_printed_deadline_is_never_shifted(project: Project):
    due = "due: 2025-12-31, basis: text"
    project.edit(project.clauses, due, due + ", shift: next")
    found = fault(project.load)
    assert found.startswith(str(project.clauses))
    assert "the notice prints this deadline, so it is not shifted: take out shift" in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2025-12-31, basis: text", "2025-12-31, basis: policy, shift: next-2"),
        ("2025-12-31, basis: text", "2025-12-31, basis: text, shift: none"),
        ("due: M1-20, basis: text", "due: M1-20, basis: text, shift: previous"),
    ],
)
def test_a_deadline_that_is_a_choice_or_recurs_may_be_shifted(project: Project, old: str, new: str):
    project.edit(project.clauses, old, new)
    project.load()


def test_an_unknown_shift_is_told(project: Project):
    project.edit(project.clauses, "due: M1-20, basis", "due: M1-20, shift: later, basis")
    assert "'later' is no shift: write none, previous, next or next-2" in fault(project.load)


def test_the_longest_ladder_that_may_be_written_can_be_walked(project: Project, chase: Path):
    """Repeats and their growing gaps never run off the end of the calendar."""
    rung = "name: a, kind: chase, days: 366, times: 8, every: 1, backoff: 3, counting: working"
    chase.write_text(LADDER.format(rung=rung), encoding="utf-8")
    policy = project.load().policy
    calendar = policy.calendar(WorkCalendar.CHINA, "东")
    duty = Chased(
        waiting=True, closed=False, soft=False, due_on=date(2026, 3, 20), told_on=date(2026, 1, 5)
    )
    heard = replace(duty, heard_on=date(2026, 3, 20))
    assert decide(heard, policy.ladders["weekly"], calendar, date(2026, 3, 23)).next_on == (
        calendar.add(date(2026, 3, 20), 366).day
    )
