"""The 台账 that goes out: what a coordinator expects to see, and nothing of a person."""

from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook
from sqlalchemy import insert

from duban.duty import Light
from duban.evidence import Checked, keep_file
from duban.ledger import acts, uploads
from duban.ledger.acts import Cover
from duban.ledger.browsing import Selection, State, Today
from duban.ledger.questions import duties
from duban.ledger.tables import Setting
from duban.office import Office
from duban.sheets import going
from duban.xlsx import FILLS
from tests.conftest import china
from tests.duban.ledger.conftest import run
from tests.duban.sheets.conftest import HEAD, NOW, exported, number_of, shown

TITLES = [
    "编号",
    "亮灯",
    "督办事项",
    "来源文件及条款",
    "目标要求",
    "牵头单位",
    "配合单位",
    "责任单位",
    "联系科室",
    "立项日期",
    "原定完成时限",
    "现行完成时限",
    "周期",
    "状态",
    "进展情况",
    "指标1",
    "填报1",
    "指标2",
    "填报2",
    "存在问题",
    "佐证材料",
    "实际完成",
    "延期次数",
    "延期原因",
    "催办记录",
    "审核意见",
    "销号日期",
    "事项号",
    "版本标记",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "台账.xlsx"


def page_of(path: Path, sheet: int = 0) -> Any:
    """A sheet with its looks, whose types openpyxl does not tell."""
    return load_workbook(path).worksheets[sheet]


def test_it_has_the_customary_columns_of_which_two_are_hidden(office: Office, path: Path):
    page = page_of(exported(office.ledger, path))
    assert [cell.value for cell in page[HEAD]] == TITLES
    hidden = [one for one in page.column_dimensions.values() if one.hidden]
    assert [TITLES[one.min - 1 : one.max] for one in hidden] == [["事项号", "版本标记"]]
    assert page.freeze_panes == "D4"
    assert page.auto_filter.ref == f"A3:AC{HEAD + len(duties(office.ledger))}"


def test_a_line_says_what_the_ledger_knows_of_a_duty(office: Office, path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    acts.extend(ledger, duty, due_on=date(2026, 4, 20), reason="汛期", by="李四", now=NOW)
    run(office, ["2026-03-03", "2026-04-13"])
    acts.submit(
        ledger, duty, Checked({"classes": 3, "note": "两期"}, ()), [], by="东/妇联", now=NOW
    )
    acts.send_back(ledger, duty, reason="缺附件", by="李四", now=NOW)
    line = shown(exported(ledger, path))[f"{duty}"]
    del line["事项号"], line["版本标记"]
    assert line == {
        "编号": f"1-{duty}",
        "来源文件及条款": "省教〔2025〕1号 一",
        "督办事项": "家长课堂",
        "目标要求": "妇联每季度报告家长课堂",
        "牵头单位": "东市妇联",
        "配合单位": "东市教育局",
        "责任单位": "东市妇联",
        "联系科室": "",
        "立项日期": date(2026, 3, 2),
        "原定完成时限": date(2026, 3, 20),
        "现行完成时限": date(2026, 4, 20),
        "周期": "2026年第一季度",
        "状态": "退回",
        "亮灯": "绿灯",
        "进展情况": "",
        "指标1": "课堂数（堂）",
        "填报1": 3,
        "指标2": "说明",
        "填报2": "两期",
        "存在问题": "",
        "佐证材料": "",
        "实际完成": "",
        "延期次数": 1,
        "延期原因": "1. 2026-03-02：汛期",
        "催办记录": "1次，最近2026-04-13",
        "审核意见": "退回：缺附件 限 2026-04-20 前重报",
        "销号日期": "",
    }


def test_targets_soft_duties_and_lateness_stand_beside_what_they_are_about(
    office: Office, path: Path
):
    lines = shown(exported(office.ledger, path))
    share = lines[f"{number_of(office.ledger, '东/教育', '2')}"]
    assert share["目标要求"] == "2025年底心理教师配备率达到95%（不低于95%）"
    assert share["状态"] == "待报，超期61天"
    assert share["指标1"] == "配备率（已配备/学校）"
    soft = lines[f"{number_of(office.ledger, '东/共青团', '3')}"]
    assert soft["目标要求"] == "鼓励共青团每月开展活动（倡导性）"


def test_lights_are_fills(office: Office, path: Path):
    ledger = office.ledger
    accepted = number_of(ledger, "东/妇联", "1")
    acts.submit(ledger, accepted, Checked({"classes": 3}, ()), [], by="东/妇联", now=NOW)
    acts.accept(ledger, accepted, by="李四", now=NOW)
    page = page_of(exported(ledger, path))
    colours = {"红灯": Light.RED, "黄灯": Light.YELLOW, "绿灯": Light.GREEN, "已办结": Light.GREY}
    cells = [page.cell(n, 2) for n in range(HEAD + 1, page.max_row + 1)]
    assert {cell.value for cell in cells} >= {"红灯", "绿灯", "已办结"}
    for cell in cells:
        assert cell.fill.fgColor.rgb == f"FF{FILLS[colours[cell.value]].removeprefix('#')}"


def test_only_figures_and_remarks_of_waiting_duties_can_be_typed_into(office: Office, path: Path):
    ledger = office.ledger
    waiting, closed = (number_of(ledger, f"{one}/妇联", "1") for one in "东西")
    acts.waive(ledger, closed, reason="撤并", by="李四", now=NOW, not_applicable=True)
    page = page_of(exported(ledger, path))
    free: dict[int, list[str]] = {}
    for n in range(HEAD + 1, page.max_row + 1):
        number = page.cell(n, len(TITLES) - 1).value
        free[number] = [
            title for c, title in enumerate(TITLES, 1) if not page.cell(n, c).protection.locked
        ]
    assert page.protection.sheet
    assert free[waiting] == ["进展情况", "填报1", "填报2", "存在问题"]
    assert free[closed] == []


def test_excel_says_at_once_what_does_not_fit(office: Office, path: Path):
    duty = number_of(office.ledger, "东/妇联", "1")
    page = page_of(exported(office.ledger, path))
    line = next(
        n for n in range(4, page.max_row + 1) if page.cell(n, len(TITLES) - 1).value == duty
    )
    rules = {
        (rule.type, rule.operator, rule.formula1, rule.formula2, rule.error)
        for rule in page.data_validations.dataValidation
        if f"Q{line}" in rule.sqref
    }
    assert rules == {("whole", None, "0", "500", "填0至500之间的整数。")}


def test_a_sheet_for_each_region_on_request(office: Office, path: Path):
    exported(office.ledger, path, by_region=True)
    assert CalamineWorkbook.from_filelike(BytesIO(path.read_bytes())).sheet_names == [
        "东市",
        "西市",
    ]
    east, west = shown(path, 0), shown(path, 1)
    assert {line["责任单位"] for line in west.values()} == {
        "西市妇联",
        "西市教育局",
        "共青团西市委",
    }
    assert len(east) + len(west) == len(duties(office.ledger))
    assert f"共{len(east)}项，" in page_of(path).cell(2, 1).value


def test_a_selection_holds_what_the_list_of_the_desk_holds(office: Office, path: Path):
    selection = Selection(state=State.OVERDUE)
    found = Today(office.ledger, NOW).page(selection, "clause", 0)
    assert found
    assert [*shown(exported(office.ledger, path, selection))] == [f"{one.id}" for one in found]


def test_nothing_found_is_a_sheet_with_headings_alone(office: Office, path: Path):
    page = page_of(exported(office.ledger, path, Selection(text="没有")))
    assert page.max_row == HEAD
    assert page.cell(2, 1).value.startswith("共0项，2026-03-02 09:00导出。")


def test_a_look_back_shows_the_day_and_cannot_be_typed_into(office: Office, path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    acts.waive(ledger, duty, reason="撤并", by="李四", now=china("2026-03-05"))
    uploads.save_draft(ledger, number_of(ledger, "西/妇联", "1"), "西/妇联", {"classes": "8"}, NOW)
    lines = shown(exported(ledger, path, as_of=date(2026, 3, 4)))
    assert (lines[f"{duty}"]["状态"], lines[f"{duty}"]["审核意见"]) == ("待报", "")
    assert {line["版本标记"] for line in lines.values()} == {"past"}
    assert {line["填报1"] for line in lines.values()} == {""}
    page = page_of(path)
    assert page.cell(1, 1).value == "督办台账（截至2026-03-04）"
    assert all(page.cell(4, n).protection.locked for n in range(1, len(TITLES) + 1))


def test_a_simulation_says_so_in_its_title_on_each_sheet(office: Office, path: Path):
    with office.ledger.engine.begin() as connection:
        connection.execute(insert(Setting).values(name="label", value="模拟演示"))
    book = load_workbook(exported(office.ledger, path, by_region=True))
    assert {one["A1"].value for one in book.worksheets} == {"【模拟演示】督办台账"}
    assert book.properties.title == "【模拟演示】督办台账"
    past = page_of(exported(office.ledger, path, as_of=date(2026, 3, 1)))
    assert past.cell(1, 1).value == "【模拟演示】督办台账（截至2026-03-01）"


def test_it_speaks_english_too(office: Office, path: Path):
    page = page_of(exported(office.ledger, path, language="en"))
    assert page.title == "Ledger"
    assert [cell.value for cell in page[HEAD]][:3] == ["No.", "Light", "Matter"]
    assert page.cell(HEAD + 1, 2).value in ("red", "yellow", "green")


def test_no_person_and_no_address_leaves_with_it(office: Office, path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    cover = Cover(person="王芳", telephone="0351-7654321", suspect="telephone")
    acts.submit(
        ledger,
        duty,
        Checked({"classes": 3, "note": "请找李雷13812345678"}, ()),
        [],
        by="东/妇联",
        now=NOW,
        cover=cover,
    )
    other = number_of(ledger, "西/妇联", "1")
    uploads.save_draft(ledger, other, "西/妇联", {"note": "电话13912345678"}, NOW)
    nil = number_of(ledger, "西/教育", "2")
    acts.submit(
        ledger,
        nil,
        Checked({}, ()),
        [],
        by="西/教育",
        now=NOW,
        cover=Cover(statement="赵六13712345678没有", suspect="telephone"),
    )
    exported(ledger, path)
    with ZipFile(path) as file:
        whole = "".join(file.read(name).decode() for name in file.namelist())
    for private in ("王芳", "7654321", "李雷", "13812345678", "13912345678", "赵六"):
        assert private not in whole
    assert "youth@example.org" not in whole
    assert shown(path)[f"{duty}"]["填报1"] == 3


def test_reasons_opinions_and_names_of_files_leave_without_numbers_of_a_person(
    office: Office, path: Path, tmp_path: Path
):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    until, reason = date(2026, 4, 20), "联系人13812345678"
    acts.extend(ledger, duty, due_on=until, reason=reason, by="李四", now=NOW)
    source = tmp_path / "方案 13912345678.pdf"
    source.write_bytes(b"%PDF-1.7")
    kept = keep_file(tmp_path / "files", "proof", source)
    acts.submit(ledger, duty, Checked({"classes": 3}, ()), [kept], by="东/妇联", now=NOW)
    acts.send_back(ledger, duty, reason="学生名单：张三、李四、王五", by="李四", now=NOW)
    nil = number_of(ledger, "西/教育", "2")
    cover = Cover(statement="请问13712345678")  # as the command line hands it in, unsearched
    acts.submit(ledger, nil, Checked({}, ()), [], by="西/教育", now=NOW, cover=cover)
    lines = shown(exported(ledger, path))
    line = lines[f"{duty}"]
    assert line["延期原因"] == "1. 2026-03-02：联系人138****5678"
    assert line["审核意见"].startswith("退回：*** ")
    assert line["佐证材料"] == "方案 139****5678.pdf"
    assert "137****5678" in lines[f"{nil}"]["佐证材料"]


def test_an_agency_sees_no_files_of_those_that_share_in_its_duty(
    office: Office, path: Path, tmp_path: Path
):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    for agency, name in (("东/妇联", "妇联.pdf"), ("东/教育", "教育.pdf")):
        source = tmp_path / name
        source.write_bytes(b"%PDF-1.7")
        kept = keep_file(tmp_path / "files", "proof", source)
        acts.submit(ledger, duty, Checked({"classes": 3}, ()), [kept], by=agency, now=NOW)
    assert shown(exported(ledger, path))[f"{duty}"]["佐证材料"] == "教育.pdf"
    own = shown(exported(ledger, path, Selection(agency="东/妇联"), own=True))
    assert own[f"{duty}"]["佐证材料"] == "妇联.pdf"


def test_progress_is_told_while_rows_are_written(
    office: Office, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("duban.sheets.gathering.BATCH", 4)
    when = going.moment_of(office.ledger, NOW, None)
    told = [*going.export(when, Selection(), path, at=NOW, language="zh")]
    total = len(duties(office.ledger))
    assert [one.rows for one in told] == [*range(0, total, 4), total]
    assert {one.of for one in told} == {total}


def test_a_duty_that_moves_while_pages_are_read_stands_there_once(
    office: Office, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("duban.sheets.gathering._PAGE", 3)
    monkeypatch.setattr("duban.sheets.gathering.BATCH", 3)
    ledger = office.ledger
    when = going.moment_of(ledger, NOW, None)
    first = number_of(ledger, "东/妇联", "1")
    steps = going.export(when, Selection(), path, at=NOW, language="zh")
    next(steps)
    next(steps)
    acts.extend(
        ledger,
        first,
        due_on=NOW.date() + timedelta(days=300),
        reason="汛期",
        by="李四",
        now=NOW,
    )
    for _ in steps:
        pass
    book = CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
    numbers = [row[-2] for row in book.get_sheet_by_index(0).to_python()[HEAD:]]
    assert len(numbers) == len(set(numbers))
