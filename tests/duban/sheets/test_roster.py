"""The roster goes out as a sheet and comes back into agencies.yaml, whose other lines stay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from duban.errors import InvalidRegistry
from duban.registry.agencies import Contact
from duban.sheets import roster
from duban.sheets.judged import Preview, Verdict
from duban.sheets.roster import holds_secret
from duban.sheets.written import AgenciesFile, RosterChanged
from tests.conftest import Project, china

NOW = china("2026-11-24")
TITLES = ("单位编号", "单位名称", "联系科室", "联系电话", "通知渠道", "群成员标识")
HEAD = 3
SET = {"KEY": "s3cret"}

Typed = Mapping[str, Mapping[str, Any]]
"""What somebody types, by agency and heading."""


@pytest.fixture
def kept(project: Project) -> AgenciesFile:
    return read(project)


def read(project: Project) -> AgenciesFile:
    return AgenciesFile.at(project.agencies, project.folder / "deployments")


def exported(kept: AgenciesFile, path: Path, *, blank: bool = False, language: str = "zh") -> Path:
    agencies = kept.registry().agencies.values()
    roster.write_roster(path, agencies, language, blank=blank, now=NOW)
    return path


def typed_in(path: Path, given: Typed) -> Path:
    book: Any = load_workbook(path)
    page = book.worksheets[0]
    for row in page.iter_rows(min_row=HEAD + 1):
        for title, value in given.get(row[0].value, {}).items():
            row[TITLES.index(title)].value = value
    book.save(path)
    return path


def judged(kept: AgenciesFile, path: Path, environment: Mapping[str, str] = SET) -> Preview:
    return roster.judge(path, kept.registry().agencies, "zh", environment)


def written(kept: AgenciesFile, path: Path) -> None:
    """Brings the sheet in, as the command does."""
    seen = judged(kept, path)
    assert seen.sound, [one.reasons for one in seen.rows]
    kept.write(kept.edited({one.name: roster.new_contact(one) for one in seen.acting}))


def reasons(seen: Preview) -> dict[str, list[str]]:
    return {one.name: [*one.reasons] for one in seen.rows if one.reasons}


PROSE = st.text("甲乙丙办公室AZ09 （）-", min_size=1, max_size=12).map(str.strip).filter(bool)
TELEPHONE = st.from_regex(r"0[0-9]{2,3}-[0-9]{7,8}", fullmatch=True)
CONTACTS = st.fixed_dictionaries(
    {},
    optional={
        "联系科室": PROSE.filter(lambda text: text != "无"),
        "联系电话": TELEPHONE,
        "通知渠道": st.sampled_from(["a@example.org", "feishu://${KEY}"]),
        "群成员标识": PROSE.filter(lambda text: text != "无"),
    },
)
AGENCIES = ["省/教育", "省/妇联", "东/教育", "东/妇联", "东/共青团", "西/教育", "西/共青团"]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given=st.dictionaries(st.sampled_from(AGENCIES), CONTACTS))
def test_what_is_typed_is_what_the_next_export_says_and_nothing_else_changes(
    tmp_path: Path, given: Typed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEY", "s3cret")
    folder = tmp_path / f"{len([*tmp_path.iterdir()])}"
    project = Project.write(folder)
    path = exported(read(project), folder / "roster.xlsx")
    before = lines(path)
    written(read(project), typed_in(path, given))
    after = lines(exported(read(project), path))
    assert after == {name: {**line, **given.get(name, {})} for name, line in before.items()}


def lines(path: Path) -> dict[str, dict[str, Any]]:
    page: Any = load_workbook(path).worksheets[0]
    rows = page.iter_rows(min_row=HEAD + 1, values_only=True)
    return {row[0]: {t: v for t, v in zip(TITLES, row, strict=True) if v} for row in rows}


def test_a_sheet_nobody_typed_into_changes_nothing_and_neither_does_one_the_second_time(
    kept: AgenciesFile, project: Project, tmp_path: Path
):
    path = exported(kept, tmp_path / "roster.xlsx")
    assert {one.verdict for one in judged(kept, path).rows} == {Verdict.UNCHANGED}
    written(kept, typed_in(path, {"东/妇联": {"联系电话": "0351-1234567"}}))
    content = project.agencies.read_bytes()
    again = read(project)
    assert {one.verdict for one in judged(again, path).rows} == {Verdict.UNCHANGED}
    written(again, path)
    assert project.agencies.read_bytes() == content


def test_a_template_is_empty_and_empty_cells_change_nothing(kept: AgenciesFile, tmp_path: Path):
    path = exported(kept, tmp_path / "roster.xlsx", blank=True)
    assert all(set(line) <= {"单位编号", "单位名称"} for line in lines(path).values())
    assert {one.verdict for one in judged(kept, path).rows} == {Verdict.UNCHANGED}


def test_signs_of_a_chinese_keyboard_are_written_as_telephones_and_addresses_are(
    kept: AgenciesFile, tmp_path: Path
):
    path = typed_in(
        exported(kept, tmp_path / "roster.xlsx"),
        {
            "东/妇联": {"联系电话": "０３５１－１２３４５６７", "通知渠道": "fl＠example．org"},
            "西/教育": {"联系电话": "0352—7654321"},
        },
    )
    written(kept, path)
    after = {one.name: roster.new_contact(one) for one in judged(kept, path).acting}
    assert after["东/妇联"] == {"telephone": "0351-1234567", "channel": "fl@example.org"}
    assert after["西/教育"] == {"telephone": "0352-7654321"}


def test_a_telephone_that_stands_there_is_no_change_however_wide(
    kept: AgenciesFile, project: Project, tmp_path: Path
):
    kept.write(kept.edited({"西/妇联": {"telephone": "0352（总机）"}}))
    kept = read(project)
    path = exported(kept, tmp_path / "roster.xlsx")
    assert {one.verdict for one in judged(kept, path).rows} == {Verdict.UNCHANGED}


def test_every_row_is_new_changed_or_unchanged(kept: AgenciesFile, tmp_path: Path):
    path = typed_in(
        exported(kept, tmp_path / "roster.xlsx"),
        {
            "东/妇联": {"联系电话": "0351-1234567"},
            "东/共青团": {"通知渠道": "new@example.org"},
        },
    )
    found = {one.name: (one.verdict, one.changes) for one in judged(kept, path).rows}
    assert found["东/妇联"][0] is Verdict.NEW
    assert found["东/共青团"][0] is Verdict.CHANGED
    [change] = found["东/共青团"][1]
    assert (change.old, change.new) == ("youth@example.org", "new@example.org")
    assert found["西/妇联"] == (Verdict.UNCHANGED, ())


def test_none_empties_a_cell_but_never_the_office(
    kept: AgenciesFile, project: Project, tmp_path: Path
):
    path = exported(kept, tmp_path / "roster.xlsx")
    typed_in(path, {"东/共青团": {"通知渠道": "无"}})
    written(kept, path)
    assert read(project).registry().agencies["东/共青团"].contact == Contact()
    assert "agencies" in project.agencies.read_text(encoding="utf-8")
    path = typed_in(exported(read(project), path), {"东/妇联": {"联系科室": "无"}})
    assert reasons(judged(read(project), path)) == {"东/妇联": ["联系科室不能清空；不改就留空白。"]}


def test_everything_else_in_the_file_stays_as_a_person_wrote_it(
    kept: AgenciesFile, project: Project, tmp_path: Path
):
    project.edit(project.agencies, "regions:", "# 各市名称以民政部门公布为准\nregions:")
    kept = read(project)
    path = typed_in(
        exported(kept, tmp_path / "roster.xlsx"), {"西/妇联": {"联系电话": "0352-7654321"}}
    )
    written(kept, path)
    after = project.agencies.read_text(encoding="utf-8")
    added = "  西/妇联: {contact: {telephone: 0352-7654321}}\n"
    assert added in after
    assert after.replace(added, "").encode() == kept.before


def test_windows_line_ends_stay(project: Project, tmp_path: Path):
    content = project.agencies.read_bytes().replace(b"\n", b"\r\n")
    project.agencies.write_bytes(content)
    kept = read(project)
    path = typed_in(
        exported(kept, tmp_path / "roster.xlsx"), {"西/妇联": {"联系电话": "0352-7654321"}}
    )
    written(kept, path)
    after = project.agencies.read_bytes()
    assert after.count(b"\r\n") == after.count(b"\n") == content.count(b"\n") + 1


def test_a_file_edited_meanwhile_is_not_overwritten(
    kept: AgenciesFile, project: Project, tmp_path: Path
):
    project.edit(project.agencies, "东市", "东城市")
    content = project.agencies.read_bytes()
    with pytest.raises(RosterChanged):
        kept.write(kept.edited({"西/妇联": {"telephone": "0352-7654321"}}))
    assert project.agencies.read_bytes() == content


def test_what_would_not_hold_together_is_not_written(kept: AgenciesFile, project: Project):
    content = project.agencies.read_bytes()
    with pytest.raises(InvalidRegistry):
        kept.edited({"西/妇联": {"channel": "nonsense"}})
    assert project.agencies.read_bytes() == content


@pytest.mark.parametrize(
    ("title", "value", "reason"),
    [
        ("联系电话", "abc", "“abc”不像电话号码。"),
        ("联系电话", "1" * 41, "“联系电话”超过40字。"),
        ("联系电话", "http://a.example", "网址和渠道地址只能填在“通知渠道”一栏。"),
        ("联系科室", "室" * 61, "“联系科室”超过60字。"),
        ("通知渠道", "nonsense", "“nonsense”不是邮箱，也不是带“${变量名}”的渠道地址。"),
        ("通知渠道", "feishu://${MISSING}", "环境变量MISSING没有设置；请先设置，再导入。"),
        (
            "通知渠道",
            "wecombot://693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa",
            "通知渠道里写有密钥；请把密钥放进环境变量，表中只写“${变量名}”。",
        ),
        ("单位名称", "西市妇联", "单位编号和单位名称对不上：东/妇联是东市妇联。"),
    ],
)
def test_what_is_wrong_is_told_in_its_row(
    kept: AgenciesFile, tmp_path: Path, title: str, value: str, reason: str
):
    path = typed_in(exported(kept, tmp_path / "roster.xlsx"), {"东/妇联": {title: value}})
    seen = judged(kept, path)
    assert reasons(seen) == {"东/妇联": [reason]}
    assert not seen.sound


def test_a_secret_that_somebody_wrote_out_is_not_spread(kept: AgenciesFile, tmp_path: Path):
    secret = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
    path = typed_in(
        exported(kept, tmp_path / "roster.xlsx"), {"东/妇联": {"通知渠道": f"wecombot://{secret}"}}
    )
    seen = judged(kept, path)
    assert secret not in f"{[(one.row, one.reasons, one.changes) for one in seen.rows]}"


@pytest.mark.parametrize(
    ("channel", "secret"),
    [
        ("wecombot://${KEY}", False),
        ("mailtos://${USER}:${PASSWORD}@smtp.example.org:465?to=a@example.org", False),
        ("feishu://${KEY}/?format=text", False),
        ("mailtos://user:hunter2@smtp.example.org?to=${TO}", True),
        ("dingtalk://${KEY}/?secret=SECabc123", True),
        ("json://${HOST}/4f9a8b7c6d5e4f3a2b1c", True),
        ("wecombot://693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa", True),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/${CHANNEL}", True),
    ],
)
def test_a_channel_may_name_secrets_but_not_hold_one(channel: str, secret: bool):
    assert holds_secret(channel) is secret


def test_an_agency_that_is_unknown_unnamed_or_twice_there_is_told(
    kept: AgenciesFile, tmp_path: Path
):
    path = exported(kept, tmp_path / "roster.xlsx")
    book: Any = load_workbook(path)
    page = book.worksheets[0]
    page.append(["东/妇联", "东市妇联"])
    page.append(["南/妇联", "南市妇联"])
    page.append([None, None, "办公室"])
    page.append([None, "西市妇联", None, "0352-7654321"])
    book.save(path)
    seen = judged(kept, path)
    twice = "这个单位在表中出现了两次；请只留一行。"
    told = [(one.name, list(one.reasons)) for one in seen.rows if one.reasons]
    assert told == [
        ("东/妇联", [twice]),
        ("西/妇联", [twice]),
        ("东/妇联", [twice]),
        ("南/妇联", ["没有这个单位；单位编号形如“太原/妇联”，可从模板中复制。"]),
        ("", ["单位编号和单位名称都没有填写。"]),
        ("西/妇联", [twice]),
    ]


def test_the_sheet_says_how_it_is_filled_in(kept: AgenciesFile, tmp_path: Path):
    for language, title in (("zh", "填写说明"), ("en", "How to")):
        path = exported(kept, tmp_path / f"{language}.xlsx", language=language)
        book: Any = load_workbook(path)
        assert book.sheetnames[1] == title
        told = " ".join(row[0].value for row in book.worksheets[1].iter_rows())
        assert "${" in told
        assert "${{" not in told
