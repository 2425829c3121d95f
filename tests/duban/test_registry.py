"""What the files say: the real ones hold together, and every fault is told with its line."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from duban.errors import InvalidRegistry
from duban.registry import Registry, load_registry
from duban.registry.agencies import AgenciesFile
from duban.registry.parsing import parse
from duban.registry.yamlfile import YamlFile
from tests.conftest import PROJECT, Project


def test_the_real_notice_loads(shanxi: Registry):
    assert len(shanxi.clauses) == 55
    assert len(shanxi.tracked) == 54
    assert len(shanxi.agencies) == 192
    assert shanxi.coordinator.name == "山西省教育厅"


def test_every_real_quote_is_exact(shanxi: Registry):
    loaded = shanxi.notices["shanxi-2023-6"]
    raw = (PROJECT / "deployments/shanxi-2023-6/notice.txt").read_bytes().decode("utf-8")
    assert raw == loaded.text
    assert all(clause.quote in raw for clause in loaded.file.clauses)
    assert all(passage.quote in raw for passage in loaded.file.not_directive)


@pytest.mark.parametrize(("number", "percent"), [("2.2", 95), ("2.3", 60)])
def test_the_real_targets_are_due_at_the_end_of_2025(shanxi: Registry, number: str, percent: float):
    placed = shanxi.find_clause(number)
    assert placed is not None
    assert placed.clause.target is not None
    assert placed.clause.target.at_least == percent
    target = placed.clause.cycle("target")
    assert (target.every, target.due) == ("once", "2025-12-31")
    assert f"{percent}%" in placed.clause.quote


@pytest.mark.parametrize("number", ["3.4c", "3.6a"])
def test_the_real_yearly_clauses_are_yearly(shanxi: Registry, number: str):
    placed = shanxi.find_clause(number)
    assert placed is not None
    assert "year" in {cycle.every.value for cycle in placed.clause.cycles}


def test_every_real_agency_can_escalate_to_its_province(shanxi: Registry):
    for agency in shanxi.agencies.values():
        above = f"山西/{agency.department}" if agency.level == "city" else None
        assert agency.superior == above


def test_the_english_example_loads_with_its_own_agencies():
    example = PROJECT / "deployments/example-en"
    found = load_registry(example / "agencies.yaml", PROJECT / "deployments", {})
    assert found.language == "en"
    assert len(found.clauses) == 6
    inspection = found.clauses["example-en/1"]
    assert "hillside/schools" in {one.id for one in inspection.reporters}  # acts for facilities
    assert "hillside/facilities" not in found.agencies


def test_the_small_notice_is_placed(small: Registry):
    first = small.clauses["small/1"]
    assert [agency.id for agency in first.reporters] == ["东/妇联", "西/妇联"]
    assert [agency.id for agency in first.copied["东/妇联"]] == ["东/教育"]
    each = small.clauses["small/6"]
    assert {agency.id for agency in each.reporters} == {"东/教育", "东/妇联", "西/教育", "西/妇联"}
    assert not any(each.copied.values())  # who reports for itself gets no copy
    assert small.clauses["small/7"].reporters == ()
    assert small.agencies["东/教育"].superior == "省/教育"
    assert small.agencies["东/共青团"].superior is None  # no such line in the province
    assert [agency.id for agency in small.agencies.values() if agency.contact.channel] == [
        "东/共青团"
    ]


def test_a_duty_is_led_by_its_agency_or_by_the_lead_that_it_stands_beside(small: Registry):
    def parts(clause: str, agency: str) -> list[list[str]]:
        found = small.clauses[clause].parts_of(small.agencies[agency])
        return [[one.id for one in part] for part in found]

    assert parts("small/1", "东/妇联") == [["东/妇联"], ["东/教育"]]
    each = replace(small.clauses["small/6"], leads=frozenset({"东/教育", "西/教育"}))
    assert each.parts_of(small.agencies["东/妇联"]) == (
        (small.agencies["东/教育"],),
        (small.agencies["东/妇联"],),
    )
    # Where none leads, everybody leads its own part.
    none = replace(each, leads=frozenset())
    assert none.parts_of(small.agencies["东/妇联"]) == ((small.agencies["东/妇联"],), ())


def test_a_clause_is_found_by_key_and_number_and_an_agency_by_id_and_name(small: Registry):
    assert small.find_clause("1") is small.find_clause("small/1") is small.clauses["small/1"]
    assert small.find_clause("9") is None
    assert (
        small.find_agency("东市妇联") is small.find_agency("东/妇联") is small.agencies["东/妇联"]
    )
    assert small.find_agency("南市妇联") is None


def test_a_version_changes_with_the_content_and_only_then(project: Project):
    before = {key: placed.clause.version for key, placed in project.load().clauses.items()}
    project.edit(project.clauses, "label: 课堂数", "label: 课堂总数")
    project.edit(project.clauses, "- id: 2\n", "# a remark\n- id: 2\n")
    after = {key: placed.clause.version for key, placed in project.load().clauses.items()}
    assert {key for key in before if before[key] != after[key]} == {"small/1"}


def test_clauses_are_in_natural_order(project: Project):
    project.edit(project.clauses, "- id: 3\n", "- id: 1.10\n")
    project.edit(project.clauses, "- id: 4\n", "- id: 1.9\n")
    numbers = [placed.clause.id for placed in project.load().clauses.values()]
    assert numbers == ["1", "1.9", "1.10", "2", "5", "6", "7"]


# File, what to replace in it, by what, the text whose line the fault must name, what it must say.
FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "unknown key": (
        "clauses", "  modality: soft", "  modality: soft\n  titel: x", "  titel",
        "titel: is no key here: take it out, or check its spelling",
    ),
    "unknown key in agencies": (
        "agencies", "coordinator:", "boss: x\ncoordinator:", "boss:", "boss: is no key here",
    ),
    "duplicate YAML key": (
        "clauses", "  section: 二\n", "  section: 二\n  section: 三\n", "  section: 三\n  title",
        "'section' stands twice: keep one of the two",
    ),
    "duplicate clause id": (
        "clauses", "- id: 2\n", "- id: 1\n", "- id: 1\n  section: 二",
        "clause id '1' stands twice: give each clause its own",
    ),
    "quote not in the notice": (
        "clauses", "quote: 妇联要制定", "quote: 妇联应制定", "  quote: 妇联应",
        "the quote of clause 4 is not in notice.txt: copy it from there to the letter",
    ),
    "passage not in the notice": (
        "clauses", "{quote: 关于做好小事", "{quote: 关于做好大事", "- {quote: 关于",
        "a not_directive quote is not in notice.txt: copy it",
    ),
    "changed notice text": (
        "notice", "大家都要重视。\n", "大家都要重视。\n\n", "",
        "notice.txt is not the text these clauses were read from: restore it, or review every",
    ),
    "department without an agency in a region": (
        "agencies", ', city: "{region}妇联"', "", "",
        "department '妇联' has no agency in 东: name it at that level in agencies.yaml, or say",
    ),
    "unknown department": (
        "clauses", "{name: 教育, role: co-", "{name: 体育, role: co-", "  departments: [{na",
        "'体育' is no department and nobody stands in for it: add it to departments or stand_ins",
    ),
    "due before opening": (
        "clauses", "opens: M1-01, due: M1-20", "opens: M1-21, due: M1-20",
        "  - {name: report, every: month",
        "due M1-20 comes before opens M1-21: swap or mend them",
    ),
    "a day that does not fit": (
        "clauses", "every: quarter, opens: M1-01, due: M3-20, basis",
        "every: quarter, opens: M1-01, due: 03-20, basis", "  - {name: report, every: quarter",
        "'03-20' is no day of a quarter: write one like M1-05",
    ),
    "malformed address": (
        "agencies", "channel: youth@example.org", "channel: youth at example", "  东/共青团",
        "'youth at example' is no address: write name@host or scheme://${NAME}",
    ),
    "literal secret in an Apprise address": (
        "agencies", "channel: youth@example.org", "channel: 'wecombot://s3cret'", "  东/共青团",
        "an Apprise address holds a secret: put that part into a ${NAME}",
    ),
    "missing environment variable": (
        "agencies", "channel: youth@example.org", "channel: 'wecombot://${YOUTH_KEY}'",
        "  东/共青团",
        "the environment variable YOUTH_KEY is not set: set it before starting, or take",
    ),
    "unknown coordinator": (
        "agencies", "coordinator: 省/教育", "coordinator: 省/体育", "coordinator:",
        "coordinator '省/体育' is no agency: write region/department",
    ),
    "missing notice folder": (
        "agencies", "[small]", "[small, large]", "notices:",
        "notice 'large' has no ",
    ),
    "broken YAML": (
        "clauses", "  title: 每月活动", "  title: 每月: 活动", "  title: 每月",
        "not readable as YAML (mapping values are not allowed here): mend the YAML",
    ),
    "a tracked clause without evidence": (
        "clauses", "  evidence:\n  - {key: summary, type: text, label: 总结}\n", "", "- id: 6",
        "a tracked clause needs evidence",
    ),
    "a target that is no ratio": (
        "clauses", "target: {field: share", "target: {field: shares", "- id: 2",
        "target names 'shares': it must be a ratio in evidence",
    ),
    "until done without anything that shows it": (
        "clauses", "  done: adopted_on\n", "", "- id: 4",
        "nothing says when it is done: name a field in done, or set a target",
    ),
    "a missing field": (
        "clauses", "  title: 制定方案\n", "", "- id: 4", "title: is missing: add it",
    ),
    "unknown time zone": (
        "clauses", "timezone: Asia/Shanghai", "timezone: Asia/Peking", "  timezone:",
        "no time zone is called 'Asia/Peking': write one like Asia/Shanghai",
    ),
    "an evidence type that does not exist": (
        "clauses", "type: integer, label: 检查", "type: number, label: 检查",
        "  - {key: schools", "'number'",
    ),
    "an agency that does not exist": (
        "agencies", "  东/共青团:", "  南/共青团:", "  南/共青团", "'南/共青团' is no agency",
    ),
    "a region within none": (
        "agencies", "within: 省}\n  西", "within: 国}\n  西", "  东:",
        "region '东' lies within '国', which is no region: name one of regions",
    ),
    "two agencies of one name": (
        "agencies", 'city: "{region}教育局"', 'city: "{region}妇联"', "  妇联: {names",
        "东/教育 and 东/妇联 bear the same name '东市妇联': give one of them another name",
    ),
}  # fmt: skip


def line_of(text: str, marker: str) -> int:
    """The line, counted from 1, on which the marker begins."""
    assert text.count(marker) >= 1
    return text[: text.index(marker)].count("\n") + 1


def problems(load: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidRegistry) as refused:
        load()
    assert str(refused.value).splitlines() == [str(one) for one in refused.value.problems]
    return [str(one) for one in refused.value.problems]


# Cases in which one slip makes the same fault in every city, or names no single line.
SEVERAL = {"department without an agency in a region", "changed notice text"}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in SEVERAL])
def test_one_slip_gives_one_problem_with_its_line_and_a_hint(project: Project, name: str):
    which, old, new, marker, says = FAULTS[name]
    file: Path = getattr(project, which)
    project.edit(file, old, new)
    found = problems(project.load)
    if name == "two agencies of one name":
        found = found[:1]  # each city has its own
    assert len(found) == 1, found
    place = f"{file}:{line_of(file.read_text(encoding='utf-8'), marker)}: "
    assert found[0].startswith(place)
    assert says in found[0]


def test_a_changed_notice_is_told_at_its_hash(project: Project):
    _, old, new, _, says = FAULTS["changed notice text"]
    project.edit(project.notice, old, new)
    [found] = problems(project.load)
    line = line_of(project.clauses.read_text(encoding="utf-8"), "  text_sha256")
    assert found.startswith(f"{project.clauses}:{line}: {says}")


def test_a_department_without_an_agency_is_told_for_each_region(project: Project):
    _, old, new, _, says = FAULTS["department without an agency in a region"]
    project.edit(project.agencies, old, new)
    found = problems(project.load)
    line = line_of(project.clauses.read_text(encoding="utf-8"), "  departments: [{name: 妇联")
    assert any(one.startswith(f"{project.clauses}:{line}: {says}") for one in found)
    assert any(one.startswith(f"{project.clauses}:{line}:") and "in 西" in one for one in found)


@pytest.mark.parametrize("which", ["agencies", "clauses"])
@pytest.mark.parametrize("text", ["", "# nothing here\n"])
def test_an_empty_file_says_so(project: Project, which: str, text: str):
    file: Path = getattr(project, which)
    file.write_text(text, encoding="utf-8")
    assert problems(project.load) == [
        f"{file}:1: the file: is empty: fill it in; the README shows how"
    ]


def test_a_missing_file_says_so(project: Project):
    project.agencies.unlink()
    assert problems(project.load) == [
        f"{project.agencies}:1: there is no such file: create it, or check the path and "
        "that it is UTF-8"
    ]


def test_a_file_that_is_not_utf_8_says_so(project: Project):
    project.clauses.write_bytes("标题: 家长课堂".encode("gb18030"))
    [found] = problems(project.load)
    assert "is not UTF-8 text" in found


def test_a_missing_notice_text_says_so(project: Project):
    project.notice.unlink()
    [found] = problems(project.load)
    assert "notice.txt cannot be read: put the notice's text there as UTF-8" in found


def test_all_faults_are_told_at_once_and_in_order(project: Project):
    for name in ("unknown coordinator", "malformed address"):
        which, old, new, _, _ = FAULTS[name]
        project.edit(getattr(project, which), old, new)
    # A malformed address is Pydantic's to tell: the file never becomes a model.
    assert len(problems(project.load)) == 1
    project.edit(project.agencies, "youth at example", "youth@example.org")
    for name in ("duplicate clause id", "quote not in the notice", "unknown department"):
        which, old, new, _, _ = FAULTS[name]
        project.edit(getattr(project, which), old, new)
    found = problems(project.load)
    assert [
        sum(says in one for one in found)
        for says in ("coordinator", "stands twice", "is not in notice.txt", "is no department")
    ] == [1, 1, 1, 1]
    assert found == sorted(found, key=lambda one: (one.split(":")[0], int(one.split(":")[1])))


def test_several_faults_of_form_are_told_at_once(project: Project):
    project.edit(project.clauses, "  title: 家长课堂", "  titel: 家长课堂")
    project.edit(project.clauses, "modality: soft", "modality: mild")
    project.edit(project.clauses, "due: M1-20", "due: 01-20")
    found = problems(project.load)
    assert len(found) == 4  # titel is no key, title is missing
    assert any("modality" in one for one in found)


def test_a_set_environment_variable_is_enough(project: Project):
    project.edit(project.agencies, "channel: youth@example.org", "channel: 'json://${KEY}/x'")
    found = project.load({"KEY": "localhost"})
    assert found.agencies["东/共青团"].contact.channel == "json://${KEY}/x"  # kept as written


def test_plain_scalars_are_read_as_text(project: Project):
    """`2.10` is a clause and not 2.1, and nobody's `no` becomes false."""
    project.edit(project.clauses, "- id: 3\n", "- id: 2.10\n")
    project.edit(project.clauses, "title: 每月活动", "title: 'no'")
    project.edit(project.clauses, "section: 三", "section: 0o17")
    found = project.load().clauses["small/2.10"].clause
    assert (found.title, found.section) == ("no", "0o17")


def test_the_cities_bear_the_codes_of_the_divisions_list(shanxi: Registry) -> None:
    with (PROJECT / "deployments/shanxi-2023-6/divisions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len([row for row in rows if row["level"] == "county"]) == 117
    listed = {row["name"]: row["code"] for row in rows if row["level"] != "county"}
    regions = parse(YamlFile(PROJECT / "agencies.yaml"), AgenciesFile).regions.values()
    assert {region.name: region.code for region in regions} == listed
    assert {agency.region_name for agency in shanxi.agencies.values()} == listed.keys()
