"""How papers are numbered and which are made, as agencies.yaml says it."""

import pytest

from duban.errors import InvalidRegistry
from duban.ledger.amending import differences
from duban.registry.papers import PaperKind, PapersFile
from tests.conftest import Project


def test_the_notices_own_sign_begins_a_number_unless_the_office_names_another(project: Project):
    notice = project.load().first_notice
    assert PapersFile().series_of(PaperKind.SLIP, notice) == "省教督办"
    assert PapersFile(prefix="晋教").series_of(PaperKind.FORMAL, notice) == "晋教督函"
    own = PapersFile(series={PaperKind.FORMAL: "晋教督查"})
    assert own.series_of(PaperKind.FORMAL, notice) == "晋教督查"
    assert own.series_of(PaperKind.SLIP, notice) == "省教督办"


def test_each_kind_has_a_series_and_both_answers_share_one(project: Project):
    notice = project.load().first_notice
    series = {kind: PapersFile().series_of(kind, notice) for kind in PaperKind}
    assert series[PaperKind.EXTENSION] == series[PaperKind.REFUSAL] == "省教督复"
    assert len(set(series.values())) == len(PaperKind) - 1


def test_a_number_of_another_form_lends_no_sign(project: Project):
    notice = project.load().first_notice
    english = notice.model_copy(update={"language": "en", "number": "Circular 7"})
    assert PapersFile().series_of(PaperKind.SLIP, english) == "Supervision Slip"
    assert PapersFile(prefix="RD").series_of(PaperKind.SLIP, english) == "RD Supervision Slip"


def test_the_file_sets_them_and_an_edit_is_told(project: Project):
    before = project.load()
    assert before.policy.papers == PapersFile()
    project.edit(
        project.agencies, "coordinator:", "papers: {prefix: 晋教, attach: [formal]}\ncoordinator:"
    )
    after = project.load()
    assert after.policy.papers.attach == (PaperKind.FORMAL,)
    assert differences(before, after).policy == ("papers",)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{prefix: 晋教〔2026〕}", "cannot begin a document number"),
        ("{series: {slip: a/b}}", "cannot begin a document number"),
        ("{series: {note: 甲}}", "note"),
        ("{attach: [copy]}", "should be 'slip', 'chase'"),
        ("{colour: red}", "colour"),
    ],
)
def test_what_makes_no_number_is_a_fault_with_its_line(project: Project, written: str, told: str):
    project.edit(project.agencies, "coordinator:", f"papers: {written}\ncoordinator:")
    with pytest.raises(InvalidRegistry) as found:
        project.load()
    [problem] = found.value.problems
    assert told in str(problem)
    assert "agencies.yaml:2" in str(problem)
