"""The command line from check to reopen: what it says, and its exit codes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unicodedata import east_asian_width

import pytest

from duban.ledger.opening import open_missing
from duban.office import open_office
from duban.settings import load_settings
from tests.conftest import PROJECT, Project, china
from tests.duban.cli.conftest import Run, Said

NEW_YEAR = ("--as-of", "2026-01-01")
LATE = ("--as-of", "2026-03-25")
DUTY = "1:东市妇联:2026Q1"


@pytest.fixture
def opened(run: Run, tick: Callable[[str], None]) -> Run:
    tick("2026-01-01")
    return run


def test_check_says_that_all_is_sound_and_who_cannot_be_reached(run: Run):
    said = run("check")
    assert said.code == 0
    assert "1 notice(s), 7 clauses (6 tracked), 8 agencies: all sound." in said.text
    assert "7 agencies have no address" in said.text
    assert "  西市: 3\n" in said.text
    named = run("check", "--names").text
    assert "西市: 西市教育局, 西市妇联, 共青团西市委" in named
    assert "共青团东市委" not in named  # it has one


def test_check_tells_every_fault_with_its_line_and_makes_no_ledger(run: Run, project: Project):
    project.edit(project.agencies, "coordinator: 省/教育", "coordinator: 省/体育")
    project.edit(project.clauses, "quote: 妇联要制定", "quote: 妇联应制定")
    for command in (["check"], ["trace"], ["tick"], ["status"]):
        said = run(*command)
        assert said.code == 1
        assert said.text.splitlines() == [
            "agencies.yaml:2: coordinator '省/体育' is no agency: write region/department",
            "deployments/small/clauses.yaml:52: the quote of clause 4 is not in notice.txt: "
            "copy it from there to the letter",
        ]
    assert not (project.folder / "var").exists()


def test_trace_covers_the_whole_notice(run: Run):
    said = run("trace")
    assert said.code == 0
    assert "8 sentences, 7 clauses in 7 places, 0 directive sentences without" in said.text


def test_trace_for_programs(run: Run):
    said = run("trace", "--json")
    sentences = json.loads(said.text)["small"]
    assert sentences[0]["not_directive"] == "heading"
    assert sentences[1] == {
        "start": 10,
        "text": "妇联每季度报告家长课堂。",
        "clauses": ["1"],
        "not_directive": None,
        "rest": [],
    }


def test_trace_exits_with_1_when_a_clause_is_missing(run: Run, project: Project):
    text = project.clauses.read_text(encoding="utf-8")
    start, end = text.index("- id: 3\n"), text.index("- id: 4\n")
    project.clauses.write_text(text[:start] + text[end:], encoding="utf-8")
    said = run("trace")
    assert said.code == 1
    assert "NONE" in said.text
    assert "1 directive sentences without a clause" in said.text
    assert run("trace", "--json").code == 1


def test_ticking_twice_opens_nothing_twice(run: Run):
    first, second = run("tick", *NEW_YEAR), run("tick", *NEW_YEAR)
    assert first.text.startswith("expected 14, opened 14; ")
    assert second.text.startswith("expected 14, opened 0; ")
    assert second.text.endswith("letters: 0 delivered, 0 put off, 0 undeliverable\n")


def test_backfill_opens_earlier_periods(opened: Run):
    assert "opened 2;" in opened("tick", *NEW_YEAR, "--backfill", "2025-12-01").text
    assert "opened 0;" in opened("tick", *NEW_YEAR, "--backfill", "2025-12-01").text


def width(line: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in line)


def table_of(said: Said) -> list[str]:
    """The lines of a table, from its upper frame to its lower."""
    return [line for line in said.text.splitlines() if line and line[0] in "┏┃┡│├└"]


@pytest.mark.parametrize(
    "filters",
    [(), ("--overdue",), ("--agency", "东市妇联"), ("--agency", "东/妇联"), ("--clause", "1")],
)
def test_status_tables_are_aligned_and_fit_a_hundred_columns(opened: Run, filters: tuple[str, ...]):
    table = table_of(opened("status", *LATE, *filters))
    assert len(table) >= 5
    assert len({width(line) for line in table}) == 1, "\n".join(table)
    assert width(table[0]) <= 100


def test_the_real_notices_tables_are_aligned_too(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DUBAN_AGENCIES", str(PROJECT / "agencies.yaml"))
    monkeypatch.setenv("DUBAN_NOTICES", str(PROJECT / "deployments"))
    office = open_office(load_settings())
    open_missing(office.ledger, china("2026-11-24"))  # no delivery: 900 files take their time
    office.ledger.engine.dispose()
    for filters in ((), ("--overdue",), ("--clause", "3.4c")):
        table = table_of(run("status", "--as-of", "2026-11-24", *filters))
        assert len({width(line) for line in table}) == 1
        assert width(table[0]) <= 100


def numbers(said: Said) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(said.text)
    return found


def test_status_filters_by_overdue_agency_and_clause(opened: Run):
    everything = numbers(opened("status", *LATE, "--json"))
    overdue = numbers(opened("status", *LATE, "--overdue", "--json"))
    assert len(everything) == 14
    assert overdue == [one for one in everything if one["overdue"]]
    assert {one["clause"] for one in overdue} == {"small/1", "small/2", "small/4"}  # 3 is soft
    hers = numbers(opened("status", *LATE, "--agency", "东市妇联", "--json"))
    assert hers == [one for one in everything if one["agency"] == "东/妇联"]
    first = numbers(opened("status", *LATE, "--clause", "1", "--json"))
    assert first == [one for one in everything if one["clause"] == "small/1"]


def test_status_for_programs_says_all(opened: Run):
    [duty] = numbers(opened("status", *LATE, "--clause", "1", "--agency", "东市妇联", "--json"))
    del duty["duty"]
    assert duty == {
        "clause": "small/1",
        "title": "家长课堂",
        "cycle": "report",
        "agency": "东/妇联",
        "agency_name": "东市妇联",
        "period": "2026Q1",
        "status": "open",
        "overdue": True,
        "due_soon": False,
        "light": "red",
        "provisional": False,
        "due_at": "2026-03-20T23:59:59+08:00",
        "original_due_at": "2026-03-20T23:59:59+08:00",
        "submitted_at": None,
        "days_late": 5,
        "soft": False,
    }


def test_a_look_into_the_past_shows_only_what_was_there(opened: Run):
    assert numbers(opened("status", "--as-of", "2025-12-31", "--json")) == []


@pytest.mark.parametrize("moment", ["tomorrow", "2026-13-01", "2026-02-30", "24.11.2026", ""])
@pytest.mark.parametrize("command", [["tick"], ["status"], ["show", "1"]])
def test_a_moment_that_is_none_is_refused(run: Run, command: list[str], moment: str):
    said = run(*command, "--as-of", moment)
    assert (said.code, said.text) == (1, f"'{moment}' is no date; write one like 2026-11-24.")


def test_a_moment_may_have_a_time(opened: Run):
    filters = ("--clause", "5", "--overdue", "--json")
    before = opened("status", "--as-of", "2026-06-15T17:30", *filters)
    after = opened("status", "--as-of", "2026-06-15T17:31", *filters)
    elsewhere = opened("status", "--as-of", "2026-06-15T09:31+00:00", *filters)
    assert [len(numbers(said)) for said in (before, after, elsewhere)] == [0, 2, 2]


def test_bad_evidence_is_refused_with_all_faults_and_changes_nothing(opened: Run, project: Project):
    before = opened("show", DUTY, *LATE)
    proof = project.folder / "proof.exe"
    proof.write_bytes(b"MZ")
    said = opened(
        "submit", DUTY, "--by", "东市妇联",
        "--field", "classes=501", "--field", "note=" + "一" * 21, "--field", "x=1",
        "--file", str(proof),
    )  # fmt: skip
    assert said.code == 1
    assert said.text.splitlines() == [
        "classes (课堂数): 501 is out of bounds; 0 to 500",
        "note (说明): 21 characters; write at most 20",
        "x: not asked for; the fields are classes, note",
        "proof.exe: no pdf, docx, xlsx, jpg, jpeg, png",
    ]
    assert opened("show", DUTY, *LATE) == before
    assert not list((project.folder / "var").glob("files/*"))


def submit(run: Run, duty: str = DUTY, by: str = "东市妇联", *more: str) -> Said:
    return run("submit", duty, "--by", by, "--field", "classes=3", *more)


def test_from_submission_to_acceptance_and_back(opened: Run, project: Project):
    proof = project.folder / "汇总.pdf"
    proof.write_bytes(b"%PDF-1.7")
    said = submit(opened, DUTY, "东/妇联", "--file", f"proof={proof}")
    assert said.code == 0
    assert re.fullmatch(r"Received as version 1; receipt \d{8}-\d+-[0-9A-F]{6}\.\n", said.text)
    [kept] = (project.folder / "var" / "files").iterdir()
    assert kept.read_bytes() == b"%PDF-1.7"

    returned = opened(
        "review", DUTY, "return", "--reason", "缺盖章", "--due", "2099-01-01", "--by", "王"
    )
    assert returned.code == 0
    assert "is returned; the agency gets a letter" in returned.text
    assert submit(opened).text.startswith("Received as version 2;")
    assert opened("review", DUTY, "accept", "--by", "王").code == 0
    assert opened("reopen", DUTY, "--reason", "误销", "--by", "王").code == 0
    assert opened("waive", DUTY, "--reason", "撤并", "--by", "王").code == 0
    assert opened("reopen", DUTY, "--reason", "恢复", "--by", "王").code == 0
    extended = opened("extend", DUTY, "--to", "2099-12-31", "--reason", "疫情", "--by", "王")
    assert "is now due on 2099-12-31" in extended.text

    shown = opened("show", DUTY).text
    for line in (
        "立项交办，时限 2026-03-20",
        "报送第 1 版佐证材料，回执号",
        "退回：缺盖章 限 2099-01-01 前重报",
        "报送第 2 版佐证材料，回执号",
        "审核通过，销号。",
        "重启：误销",
        "免办：撤并",
        "延期至 2099-12-31（原为 2099-01-01）：疫情",
        "“妇联每季度报告家长课堂”",
        "课堂数: 3",
    ):
        assert line in shown
    assert opened("verify").text == "The history is whole.\n"


def test_evidence_is_shown_as_it_was_typed_under_its_label(opened: Run, project: Project):
    (project.folder / "汇总.pdf").write_bytes(b"%PDF-1.7")
    said = submit(opened, DUTY, "东/妇联", "--file", f"proof={project.folder / '汇总.pdf'}")
    assert said.code == 0
    [share, *_] = numbers(opened("status", *LATE, "--clause", "2", "--json"))
    given = ("--by", share["agency"], "--field", "share=19/20")
    assert opened("submit", str(share["duty"]), *given).code == 0
    assert "  配备率: 19/20\n" in opened("show", str(share["duty"])).text
    assert "  proof: 汇总.pdf\n" not in opened("show", DUTY).text
    assert ": 汇总.pdf\n" in opened("show", DUTY).text


def test_not_applicable_is_counted_apart(opened: Run):
    opened("waive", DUTY, "--reason", "x", "--by", "王", "--not-applicable")
    [duty] = numbers(opened("status", *LATE, "--clause", "1", "--agency", "东/妇联", "--json"))
    assert duty["status"] == "not-applicable"


def test_evidence_that_the_ledger_refuses_leaves_no_file(opened: Run, project: Project):
    proof = project.folder / "汇总.pdf"
    proof.write_bytes(b"%PDF-1.7")
    for _ in range(2):
        said = submit(opened, DUTY, "西市妇联", "--file", str(proof))
        assert said.code == 1
        assert "belongs to 东/妇联, not to 西/妇联" in said.text
    opened("waive", DUTY, "--reason", "x", "--by", "王")
    said = submit(opened, DUTY, "东市妇联", "--file", str(proof))
    assert said.code == 1
    assert "The duty is waived; submit needs one that is" in said.text
    assert not list((project.folder / "var").glob("files/*"))


@pytest.mark.parametrize(
    "name", ["1:东市妇联:2026Q1", "small/1:东/妇联:2026Q1", "1:东/妇联:2026Q1"]
)
def test_a_duty_is_named_by_clause_agency_and_period(opened: Run, name: str):
    shown = opened("show", name, *LATE)
    assert shown.code == 0
    number = shown.text.split()[1]
    assert opened("show", number, *LATE) == opened("show", f"#{number}", *LATE) == shown


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("999", "There is no duty 999; `duban status` lists them."),
        ("1:东市妇联:2027Q1", "There is no duty 1:东市妇联:2027Q1; `duban status` lists them."),
        ("1", "家长课堂|配备率|每月活动|制定方案|学年检查|半年总结"),  # a number is a duty's
        ("家长课堂", "'家长课堂' is no duty; write its number, or CLAUSE:AGENCY:PERIOD."),
        ("1:2026Q1", "'1:2026Q1' is no duty; write its number, or CLAUSE:AGENCY:PERIOD."),
        ("9:东市妇联:2026Q1", "There is no clause '9'. `duban status` lists them."),
        ("1:妇联:2026Q1", "There is no agency '妇联'. Did you mean 省妇联, 东市妇联, 西市妇联?"),
    ],
)
def test_a_duty_that_is_not_found_says_how_to_find_it(opened: Run, name: str, says: str):
    said = opened("show", name, *LATE)
    assert re.search(says if "|" in says else re.escape(says), said.text)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["review", DUTY, "approve", "--by", "王"], "'approve' is no decision; write accept or"),
        (["review", DUTY, "accept", "--by", "王"], "The duty is open; accept needs one that is"),
        (["review", DUTY, "return", "--by", "王"], "A reason is needed; write --reason TEXT."),
        (["waive", DUTY, "--reason", " ", "--by", "王"], "A reason is needed"),
        (["extend", DUTY, "--to", "soon", "--reason", "x", "--by", "王"], "'soon' is no date"),
        (["extend", DUTY, "--to", "2020-01-01", "--reason", "x", "--by", "王"], "not after today"),
        (["reopen", DUTY, "--reason", "x", "--by", "王"], "The duty is open; reopen needs one"),
        (["submit", DUTY, "--by", "谁"], "There is no agency '谁'."),
        (["submit", DUTY, "--by", "东市妇联", "--field", "3"], "'3' is no field; write --field"),
        (["tick", "--backfill", "x"], "'x' is no date; write 2025-01-01"),
        (["send", "maybe"], "'maybe' is no switch; write on, off, status or test."),
        (["status", "--agency", "谁"], "There is no agency '谁'."),
        (["status", "--clause", "99"], "There is no clause '99'."),
    ],
)
def test_a_slip_is_told_in_one_sentence(opened: Run, command: list[str], says: str):
    said = opened(*command)
    assert said.code == 1
    assert says in said.text
    assert "Traceback" not in said.text


def test_sending_is_off_until_it_is_switched_on(run: Run):
    assert "Sending is off: every letter stays in var/letters." in run("send", "status").text
    assert "Sending is on: 1 agencies are reached" in run("send", "on", "--yes", "--by", "王").text
    assert "Sending is on" in run("send", "status").text
    assert "Sending is off" in run("send", "off").text


def test_square_brackets_are_only_square_brackets(run: Run, project: Project):
    """What a person wrote is never read as a colour."""
    project.edit(project.clauses, "title: 家长课堂", "title: '家长[red]课堂[/x]'")
    project.edit(project.clauses, "label: 课堂数", "label: '课堂[/b]数'")
    run("tick", *NEW_YEAR)
    assert "家长[red]课堂[/x]" in run("show", DUTY, *LATE).text
    assert "课堂[/b]数" in run("show", DUTY, *LATE).text
    assert "[red]" in run("status", *LATE).text
    assert "[red]" in run("status", *LATE, "--clause", "1").text


def test_the_installed_command_tells_a_slip_without_a_traceback(project: Project, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    done = subprocess.run(
        [Path(sys.executable).with_name("duban"), "status"],
        cwd=tmp_path / "elsewhere",
        env={"PATH": os.environ["PATH"], "DUBAN_PREFECT_PORT": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "agencies.yaml:1: there is no such file: create it, or check the path and "
        "that it is UTF-8\n"
    )


def test_a_setting_that_cannot_be_used_is_named(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DUBAN_PREFECT_PORT", "99999")
    said = run("status")
    assert said.code == 1
    assert said.text.startswith("DUBAN_PREFECT_PORT: ")
