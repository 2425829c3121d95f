"""A 台账 that goes out and comes back: what was typed is what the ledger says then, and no more."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from duban.evidence import Checked
from duban.ledger import Ledger, acts, uploads
from duban.ledger.acts import Cover
from duban.ledger.browsing import Selection
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading
from duban.ledger.questions import duties, events
from duban.ledger.tables import Base, EvidenceFile, History, Submission
from duban.office import Office
from duban.sheets import coming
from duban.sheets.coming import MovedOn
from duban.sheets.judged import Preview, Verdict
from tests.conftest import china
from tests.duban.sheets.conftest import NOW, exported, number_of, shown, typed_in
from tests.libreoffice import converted

LATER = china("2026-03-03")


def brought_in(ledger: Ledger, path: Path, by: str = "张三") -> Preview:
    """The preview of a file, which is brought in if it is sound."""
    seen = coming.judge(ledger, path, "zh")
    if seen.sound:
        coming.bring_in(ledger, seen, by=by, now=LATER)
    return seen


def everything(ledger: Ledger) -> dict[str, list[Any]]:
    with reading(ledger.engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


def verdicts(seen: Preview) -> set[Verdict]:
    return {one.verdict for one in seen.rows}


# Texts as they come out of a cell: trimmed, with plain line ends, without what nobody sees.
PROSE = st.text(
    st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="_"), max_size=20
).map(str.strip)
NOTE = PROSE.filter(bool) | st.sampled_from(["=1+1", "+861", "-3", "@甲", "＝和", "多行\n第二行"])
FIGURES: Mapping[str, st.SearchStrategy[Any]] = {
    "1": st.integers(0, 500),
    "2": st.integers(0, 900).map(lambda n: f"{n}/900"),
    "3": st.just("https://example.org/") | st.just(""),
    "4": st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    "5": st.integers(0, 10**9),
    "6": PROSE,
}
"""What may be typed into the first figure of each clause."""

LINES = st.fixed_dictionaries(
    {},
    optional={"进展情况": NOTE, "存在问题": NOTE, "填报1": st.just(...)},
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_typed_is_what_the_next_export_says_and_nothing_else_changes(
    office: Office, tmp_path: Path, data: st.DataObject
):
    ledger = office.ledger
    path = exported(ledger, tmp_path / "台账.xlsx")
    before = shown(path)
    given: dict[int, dict[str, Any]] = {}
    for duty in duties(ledger):
        typed = dict(data.draw(LINES))
        if "填报1" in typed:
            typed["填报1"] = data.draw(FIGURES[duty.clause.id])
        given[duty.id] = typed
    seen = brought_in(ledger, typed_in(path, given))
    assert seen.sound, [one.reasons for one in seen.rows]
    after = shown(exported(ledger, path))
    for number, typed in given.items():
        line = before[f"{number}"] | typed
        if typed:
            del line["版本标记"]
        assert {key: after[f"{number}"][key] for key in line} == line


def test_a_sheet_nobody_typed_into_changes_nothing(office: Office, tmp_path: Path):
    path = exported(office.ledger, tmp_path / "台账.xlsx")
    before = everything(office.ledger)
    seen = brought_in(office.ledger, path)
    assert verdicts(seen) == {Verdict.UNCHANGED}
    assert len(seen.rows) == len(duties(office.ledger))
    assert everything(office.ledger) == before


def test_a_sheet_that_libreoffice_saved_again_changes_nothing(office: Office, tmp_path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    first = typed_in(
        exported(ledger, tmp_path / "台账.xlsx"),
        {duty: {"进展情况": "=已开课\n两期", "填报1": 12, "填报2": "0012"}},
    )
    assert brought_in(ledger, first).sound
    [again] = converted([exported(ledger, tmp_path / "again.xlsx")], "xlsx", tmp_path)
    before = everything(ledger)
    assert verdicts(brought_in(ledger, again)) == {Verdict.UNCHANGED}
    assert everything(ledger) == before


def test_a_sheet_brought_in_twice_changes_nothing_the_second_time(office: Office, tmp_path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    path = typed_in(
        exported(ledger, tmp_path / "台账.xlsx"),
        {duty: {"进展情况": "已开课", "存在问题": "师资不足", "填报1": 12}},
    )
    assert Verdict.CHANGED in verdicts(brought_in(ledger, path))
    before = everything(ledger)
    assert verdicts(brought_in(ledger, path)) == {Verdict.UNCHANGED}
    assert everything(ledger) == before


def test_figures_become_the_draft_that_the_agency_submits_and_remarks_go_into_history(
    office: Office, tmp_path: Path
):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    uploads.save_draft(ledger, duty, "东/妇联", {"note": "说明", "_dated": "2026-02-27"}, NOW)
    path = typed_in(
        exported(ledger, tmp_path / "台账.xlsx"),
        {duty: {"填报1": 12, "进展情况": "已开课", "存在问题": "师资不足"}},
    )
    brought_in(ledger, path, by="张三")
    kept = {"classes": "12", "note": "说明", "_dated": "2026-02-27"}
    assert uploads.draft_of(ledger, duty, "东/妇联") == kept
    told = [
        (e.actor, e.action, e.text or e.data) for e in events(ledger, duty_id=duty) if e.at == LATER
    ]
    assert told == [
        ("张三", "progress-noted", "已开课"),
        ("张三", "problems-noted", "师资不足"),
        ("张三", "filled", {"figures": ["classes"]}),
    ]
    [one] = duties(ledger, ids=[duty])
    assert one.status == "open"
    with reading(ledger.engine) as connection:
        assert first_broken_link(connection) is None


def test_an_empty_cell_empties_a_figure_and_leaves_a_remark(office: Office, tmp_path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    path = exported(ledger, tmp_path / "台账.xlsx")
    brought_in(ledger, typed_in(path, {duty: {"填报1": 12, "进展情况": "已开课"}}))
    path = exported(ledger, path)
    brought_in(ledger, typed_in(path, {duty: {"填报1": None, "进展情况": None}}))
    line = shown(exported(ledger, path))[f"{duty}"]
    assert (line["填报1"], line["进展情况"]) == ("", "已开课")


def test_columns_that_were_taken_out_say_nothing(office: Office, tmp_path: Path):
    from openpyxl import load_workbook

    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    uploads.save_draft(ledger, duty, "东/妇联", {"classes": "12"}, NOW)
    path = exported(ledger, tmp_path / "台账.xlsx")
    book: Any = load_workbook(path)
    page = book.worksheets[0]
    for column in range(page.max_column, 0, -1):
        if page.cell(3, column).value not in ("事项号", "版本标记", "进展情况"):
            page.delete_cols(column)
    book.save(path)
    brought_in(ledger, typed_in(path, {duty: {"进展情况": "已开课"}}))
    assert uploads.draft_of(ledger, duty, "东/妇联") == {"classes": "12"}
    assert shown(exported(ledger, path))[f"{duty}"]["进展情况"] == "已开课"


def test_evidence_is_never_touched(office: Office, tmp_path: Path):
    """Neither what is under review nor the version that is to be mended."""
    ledger = office.ledger
    east, west = (number_of(ledger, f"{one}/妇联", "1") for one in "东西")
    for duty, agency in ((east, "东/妇联"), (west, "西/妇联")):
        checked = Checked({"classes": 3, "note": "初稿"}, ())
        cover = Cover(dated=date(2026, 2, 27))
        acts.submit(ledger, duty, checked, [], by=agency, now=NOW, cover=cover)
    acts.send_back(ledger, west, reason="数字不对", by="李四", now=NOW)
    before = handed_in(ledger)
    path = exported(ledger, tmp_path / "台账.xlsx")
    given = {duty: {"填报1": 9, "填报2": None} for duty in (east, west)}
    seen = brought_in(ledger, typed_in(path, given))
    [refused] = [one for one in seen.rows if one.verdict is Verdict.STALE]
    assert refused.name == f"1-{east}"
    assert refused.reasons == ["佐证材料已报送，待审核；表格不改动已报送的内容。"]
    brought_in(ledger, typed_in(exported(ledger, path), {west: {"填报1": 9}}))
    assert handed_in(ledger) == before
    kept = {"classes": "9", "note": "初稿", "_dated": "2026-02-27"}
    assert uploads.draft_of(ledger, west, "西/妇联") == kept


def handed_in(ledger: Ledger) -> list[Any]:
    with reading(ledger.engine) as connection:
        return [
            [tuple(row) for row in connection.execute(select(table.__table__))]
            for table in (Submission, EvidenceFile)
        ]


def test_a_thousand_lines_are_brought_in_by_several_transactions(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(coming, "DUTIES_PER_CHANGE", 3)
    ledger = office.ledger
    numbers = [one.id for one in duties(ledger)]
    assert len(numbers) > 9
    given = {number: {"进展情况": f"第{number}项"} for number in numbers}
    brought_in(ledger, typed_in(exported(ledger, tmp_path / "台账.xlsx"), given))
    found = shown(exported(ledger, tmp_path / "again.xlsx"))
    assert {f"{n}": line["进展情况"] for n, line in given.items()} == {
        n: line["进展情况"] for n, line in found.items()
    }


def test_a_duty_that_moved_on_while_the_preview_was_looked_at_stops_its_transaction(
    office: Office, tmp_path: Path
):
    ledger = office.ledger
    east, west = (number_of(ledger, f"{one}/妇联", "1") for one in "东西")
    given = {duty: {"填报1": 7, "进展情况": "已开课"} for duty in (east, west)}
    path = typed_in(exported(ledger, tmp_path / "台账.xlsx"), given)
    seen = coming.judge(ledger, path, "zh")
    acts.extend(
        ledger, west, due_on=date(2026, 4, 20), reason="汛期", by="李四", now=china("2026-03-02")
    )
    before = everything(ledger)
    with pytest.raises(MovedOn):
        coming.bring_in(ledger, seen, by="张三", now=LATER)
    assert everything(ledger) == before
    again = coming.judge(ledger, path, "zh")
    stale = {one.name: list(one.reasons) for one in again.rows if one.verdict is Verdict.STALE}
    assert stale == {f"1-{west}": ["导出后完成时限由2026-03-20改为2026-04-20；请重新导出再填。"]}


def test_an_export_for_another_region_holds_that_region_alone(office: Office, tmp_path: Path):
    path = exported(office.ledger, tmp_path / "台账.xlsx", Selection(region="东"))
    assert {line["责任单位"] for line in shown(path).values()} == {
        "东市妇联",
        "东市教育局",
        "共青团东市委",
    }


def test_nothing_but_history_drafts_and_their_chain_changes(office: Office, tmp_path: Path):
    ledger = office.ledger
    duty = number_of(ledger, "东/妇联", "1")
    before = everything(ledger)
    path = typed_in(
        exported(ledger, tmp_path / "台账.xlsx"), {duty: {"填报1": 12, "进展情况": "已开课"}}
    )
    brought_in(ledger, path)
    after = everything(ledger)
    changed = {name for name, rows in after.items() if rows != before[name]}
    assert changed == {"draft", "history", "history_text", "chain_head"}
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(History)) == (
            len(before["history"]) + 2
        )
