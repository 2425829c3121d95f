"""What a 台账 that comes back may not do: each line that is refused says why."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from duban.evidence import Checked
from duban.ledger import Ledger, acts, uploads
from duban.office import Office
from duban.sheets import coming
from duban.sheets.judged import Judged, Preview, Verdict, preview_path, write_copy
from duban.sheets.texts import ZH
from tests.conftest import china
from tests.duban.ledger.conftest import run, said
from tests.duban.sheets.conftest import HEAD, NOW, exported, number_of, typed_in

Page = Any
ANEW = "；请重新导出再填。"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is judged is asked of the ledger as in test_round_trip.py, which has both databases."""
    return sqlite_url


@pytest.fixture
def duty(office: Office) -> int:
    """东市妇联's report on 家长课堂: a whole number up to 500, files, a text of 20 characters."""
    return number_of(office.ledger, "东/妇联", "1")


@pytest.fixture
def sheet(office: Office, tmp_path: Path) -> Path:
    return exported(office.ledger, tmp_path / "台账.xlsx")


def judged(ledger: Ledger, path: Path, duty: int, **more: Any) -> Judged:
    """What becomes of the line of a duty."""
    seen = coming.judge(ledger, path, more.pop("language", "zh"), **more)
    [found] = [one for one in seen.rows if one.row.texts["duty"] == f"{duty}"]
    return found


def told(one: Judged) -> tuple[Verdict, list[str]]:
    return one.verdict, [*one.reasons]


def edited(path: Path, edit: Callable[[Page, dict[str, int]], None]) -> Path:
    """The file after its first sheet was edited, with the column of each heading."""
    book: Any = load_workbook(path)
    page = book.worksheets[0]
    edit(page, {cell.value: cell.column for cell in page[HEAD]})
    book.save(path)
    return path


def line_of(page: Page, columns: dict[str, int], duty: int) -> int:
    column = columns["事项号"]
    return next(n for n in range(4, page.max_row + 1) if page.cell(n, column).value == duty)


def extend(ledger: Ledger, duty: int) -> None:
    acts.extend(ledger, duty, due_on=date(2026, 4, 20), reason="汛期", by="李四", now=NOW)


def submit(ledger: Ledger, duty: int) -> None:
    acts.submit(ledger, duty, Checked({"classes": 3}, ()), [], by="东/妇联", now=NOW)


def returned(ledger: Ledger, duty: int) -> None:
    submit(ledger, duty)
    acts.send_back(ledger, duty, reason="数字不对", by="李四", now=NOW, due_on=date(2026, 3, 20))


def accepted(ledger: Ledger, duty: int) -> None:
    submit(ledger, duty)
    acts.accept(ledger, duty, by="李四", now=NOW)


def waived(ledger: Ledger, duty: int) -> None:
    acts.waive(ledger, duty, reason="撤并", by="李四", now=NOW, not_applicable=True)


def reopened(ledger: Ledger, duty: int) -> None:
    """As at the export but for the version that came and went."""
    accepted(ledger, duty)
    acts.reopen(ledger, duty, reason="有误", by="李四", now=NOW)


def typing(ledger: Ledger, duty: int) -> None:
    uploads.save_draft(ledger, duty, "东/妇联", {"classes": "4"}, NOW)


STALE: list[tuple[Callable[[Ledger, int], None], str]] = [
    (extend, f"导出后完成时限由2026-03-20改为2026-04-20{ANEW}"),
    (submit, "佐证材料已报送，待审核；表格不改动已报送的内容。"),
    (returned, f"导出后状态由“待报”变为“退回”{ANEW}"),
    (accepted, "事项已是“销号”，不能再填。"),
    (waived, "事项已是“不适用”，不能再填。"),
    (reopened, f"导出后报送过新版本{ANEW}"),
    (typing, f"导出后填报草稿或者进展、问题已有改动{ANEW}"),
]


@pytest.mark.parametrize(("happens", "reason"), STALE, ids=lambda one: getattr(one, "__name__", ""))
def test_a_line_older_than_its_duty_is_refused_with_the_reason(
    office: Office,
    duty: int,
    sheet: Path,
    happens: Callable[[Ledger, int], None],
    reason: str,
):
    happens(office.ledger, duty)
    typed_in(sheet, {duty: {"填报1": 7, "进展情况": "已开课"}})
    assert told(judged(office.ledger, sheet, duty)) == (Verdict.STALE, [reason])


@pytest.mark.parametrize("happens", [happens for happens, _ in STALE], ids=lambda one: one.__name__)
def test_a_line_nobody_typed_into_may_be_as_old_as_it_likes(
    office: Office, duty: int, sheet: Path, happens: Callable[[Ledger, int], None]
):
    happens(office.ledger, duty)
    assert judged(office.ledger, sheet, duty).verdict is Verdict.UNCHANGED


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (5, "西/妇联", f"导出后责任单位换成了东市妇联{ANEW}"),
        (6, "0" * 64, f"导出后条款内容有调整{ANEW}"),
    ],
)
def test_a_stamp_of_another_agency_or_another_wording_is_stale(
    office: Office, duty: int, sheet: Path, place: int, value: str, reason: str
):
    def restamp(page: Page, columns: dict[str, int]) -> None:
        cell = page.cell(line_of(page, columns, duty), columns["版本标记"])
        stamp = json.loads(cell.value)
        stamp[place] = value
        cell.value = json.dumps(stamp, ensure_ascii=False)

    typed_in(edited(sheet, restamp), {duty: {"进展情况": "已开课"}})
    assert told(judged(office.ledger, sheet, duty)) == (Verdict.STALE, [reason])


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ({"填报1": 501}, "课堂数：501 超出范围，应在 0 至 500 之间"),
        ({"填报1": -1}, "课堂数：-1 超出范围，应在 0 至 500 之间"),
        ({"填报1": 1.5}, "课堂数：“1.5”不是整数，请只填数字，例如 1234"),
        ({"填报1": "十二"}, "课堂数：“十二”不是整数，请只填数字，例如 1234"),
        ({"填报1": date(2026, 3, 1)}, "课堂数：“2026-03-01”不是整数，请只填数字，例如 1234"),
        ({"填报1": True}, "课堂数：“TRUE”不是整数，请只填数字，例如 1234"),
        ({"填报2": "很" * 21}, "说明：共21字，最多20字，请精简"),
        ({"进展情况": "多" * 2001}, "“进展情况”超过2000字。"),
        (
            {"存在问题": "请联系王某13812345678"},
            "“存在问题”疑似写有证件号、手机号、银行卡号或者人员名单；请改写数量和情况。",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_its_line(
    office: Office, duty: int, sheet: Path, typed: dict[str, Any], reason: str
):
    typed_in(sheet, {duty: typed})
    verdict, reasons = told(judged(office.ledger, sheet, duty))
    assert verdict is Verdict.WRONG
    assert reasons == [reason]


def test_a_value_where_the_clause_asks_none_is_not_lost_without_a_word(office: Office, sheet: Path):
    """Clause 2 asks one figure, others in the same sheet two."""
    duty = number_of(office.ledger, "东/教育", "2")
    typed_in(sheet, {duty: {"填报2": "多了"}})
    assert told(judged(office.ledger, sheet, duty)) == (
        Verdict.WRONG,
        ["这一行没有第2项指标，不要在那里填写。"],
    )


def test_all_that_is_wrong_in_a_line_is_told_at_once(office: Office, duty: int, sheet: Path):
    typed_in(sheet, {duty: {"填报1": 501, "填报2": "很" * 21, "存在问题": "多" * 2001}})
    assert len(judged(office.ledger, sheet, duty).reasons) == 3


def test_one_line_that_is_wrong_keeps_all_others_out(office: Office, duty: int, sheet: Path):
    other = number_of(office.ledger, "西/妇联", "1")
    typed_in(sheet, {duty: {"填报1": 501}, other: {"填报1": 5}})
    seen = coming.judge(office.ledger, sheet, "zh")
    assert not seen.sound
    with pytest.raises(AssertionError):
        coming.bring_in(office.ledger, seen, by="张三", now=NOW)
    assert uploads.draft_of(office.ledger, other, "西/妇联") == {}


def test_a_duty_that_stands_there_twice_is_refused_twice(office: Office, duty: int, sheet: Path):
    def double(page: Page, columns: dict[str, int]) -> None:
        line = line_of(page, columns, duty)
        page.append([cell.value for cell in page[line]])

    seen = coming.judge(office.ledger, edited(sheet, double), "zh")
    wrong = [one for one in seen.rows if one.verdict is Verdict.WRONG]
    assert [told(one)[1] for one in wrong] == [[f"事项{duty}在表中出现了两次；请只留一行。"]] * 2


def test_lines_of_which_only_some_columns_were_sorted_are_refused(office: Office, sheet: Path):
    def shift(page: Page, columns: dict[str, int]) -> None:
        column = columns["版本标记"]
        stamps = [page.cell(n, column).value for n in range(4, page.max_row + 1)]
        for n, stamp in enumerate([*stamps[1:], stamps[0]], 4):
            page.cell(n, column).value = stamp

    seen = coming.judge(office.ledger, edited(sheet, shift), "zh")
    reason = "版本标记与事项号不符，可能是只排序了部分列；请重新导出再填。"
    assert {tuple(one.reasons) for one in seen.rows} == {(reason,)}


@pytest.mark.parametrize("value", ["", "x", "[]", "[1]", "[1,2,3,4,5,6,7,8,9]", "null", "1e999"])
def test_a_stamp_somebody_changed_is_refused(office: Office, duty: int, sheet: Path, value: str):
    typed_in(sheet, {duty: {"版本标记": value, "进展情况": "已开课"}})
    assert judged(office.ledger, sheet, duty).verdict is Verdict.WRONG


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "abc", "９", "9" * 30])
def test_a_line_without_a_number_of_a_duty_is_refused(
    office: Office, duty: int, sheet: Path, value: str
):
    def renumber(page: Page, columns: dict[str, int]) -> None:
        page.cell(line_of(page, columns, duty), columns["事项号"]).value = value

    seen = coming.judge(office.ledger, edited(sheet, renumber), "zh")
    [wrong] = [one for one in seen.rows if one.verdict is Verdict.WRONG]
    assert wrong.reasons == ["这一行没有事项号；请从导出的表中填写，不要另起行。"]


def test_of_a_duty_that_is_not_theirs_nobody_learns_whether_it_is_there(
    office: Office, duty: int, sheet: Path
):
    ledger = office.ledger
    west = number_of(ledger, "西/妇联", "1")
    typed_in(sheet, {west: {"填报1": 5}})
    mine: coming.Takes = lambda one: one.agency.id == "东/妇联"  # noqa: E731
    assert judged(ledger, sheet, duty, takes=mine).verdict is Verdict.UNCHANGED
    one = judged(ledger, sheet, west, takes=mine)
    assert told(one) == (Verdict.WRONG, [f"没有事项{west}，或者这一事项不由你填报。"])
    assert one.changes == ()

    def renumber(page: Page, columns: dict[str, int]) -> None:
        page.cell(line_of(page, columns, west), columns["事项号"]).value = 9_999

    absent = judged(ledger, edited(sheet, renumber), 9_999, takes=mine)
    assert absent.reasons[0] == one.reasons[0].replace(f"{west}", "9999")


def test_a_look_back_is_not_taken(office: Office, tmp_path: Path):
    duty = number_of(office.ledger, "东/教育", "2")
    path = exported(office.ledger, tmp_path / "then.xlsx", as_of=date(2026, 3, 2))
    seen = coming.judge(office.ledger, path, "zh")
    assert {tuple(one.reasons) for one in seen.rows} == {
        ("这张表是某一天的历史台账，只供查看，不能导入。",)
    }
    assert f"{duty}" in {one.row.texts["duty"] for one in seen.rows}


def test_reasons_are_told_in_english_too(office: Office, duty: int, tmp_path: Path):
    path = exported(office.ledger, tmp_path / "ledger.xlsx", language="en")
    extend(office.ledger, duty)

    def fill(page: Page, columns: dict[str, int]) -> None:
        lines = range(HEAD + 1, page.max_row + 1)
        at = next(n for n in lines if page.cell(n, columns["Duty"]).value == duty)
        page.cell(at, columns["Progress"]).value = "three classes"

    one = judged(office.ledger, edited(path, fill), duty, language="en")
    assert one.reasons == [
        "Since the export the due day moved from 2026-03-20 to 2026-04-20; export anew."
    ]


def test_the_copy_of_a_preview_says_in_front_of_every_line_what_becomes_of_it(
    office: Office, duty: int, sheet: Path
):
    other = number_of(office.ledger, "西/妇联", "1")
    typed_in(sheet, {duty: {"填报1": 501}, other: {"填报1": 5, "进展情况": "=已开课"}})
    seen: Preview = coming.judge(office.ledger, sheet, "zh")
    copy = preview_path(sheet, ZH)
    write_copy(copy, seen, coming.columns(seen))
    book: Any = load_workbook(copy)
    heads, *rows = book.worksheets[0].iter_rows(values_only=True)
    assert heads[:4] == ("核对结果", "改动或原因", "编号", "督办事项")
    by_number = {row[2]: row for row in rows}
    assert by_number[f"1-{duty}"][:2] == ("有误", "课堂数：501 超出范围，应在 0 至 500 之间")
    assert by_number[f"1-{other}"][:2] == (
        "改动",
        "进展情况：（空）→=已开课\n课堂数：（空）→5",
    )
    assert len(rows) == len(seen.rows)
    assert seen.summary == (f"共{len(rows)}行：新增0，改动1，未变{len(rows) - 2}，已过时0，有误1。")


def test_a_draft_is_no_evidence_and_the_chase_goes_on(office: Office, duty: int, sheet: Path):
    typed_in(sheet, {duty: {"填报1": 5}})
    seen = coming.judge(office.ledger, sheet, "zh")
    coming.bring_in(office.ledger, seen, by="张三", now=china("2026-03-03"))
    run(office, ["2026-03-13"])
    assert said(office, duty) == [("2026-03-13", "remind-7", "东/妇联")]
