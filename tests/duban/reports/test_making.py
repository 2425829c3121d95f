"""From the ledger to an issued bulletin: numbered, kept, and the same ever after."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from threading import Barrier, Thread

import pytest
from docx import Document

from duban.ledger import Ledger, acts, bulletins
from duban.ledger.audit import verify
from duban.ledger.bulletins import BulletinRefused, State
from duban.ledger.papers import PaperView, papers
from duban.ledger.snapshots import snapshot
from duban.office import Office
from duban.period import Every, period_of
from duban.registry.papers import PaperKind
from duban.reports import making
from duban.reports.asked import Measure
from duban.reports.charts import charts
from duban.reports.counting import figures
from duban.reports.markdown import markdown
from tests.conftest import SHANGHAI, china
from tests.duban.ledger.conftest import duty_of, first_quarter, submit, told_quarters

__all__ = ["first_quarter", "told_quarters"]  # fixtures

QUARTER = period_of(Every.QUARTER, date(2026, 1, 1))
CUT_OFF, DRAFTED, AFTER = china("2026-04-01"), china("2026-04-08"), china("2026-04-14")


@pytest.fixture
def drafted(first_quarter: Office) -> Ledger:
    bulletins.draft(first_quarter.ledger, QUARTER, at=CUT_OFF, by="省", now=DRAFTED)
    return first_quarter.ledger


def text(content: bytes) -> str:
    document = Document(BytesIO(content))
    return "\n".join(paragraph.text for paragraph in document.paragraphs)


def issued_papers(ledger: Ledger) -> list[PaperView]:
    """Without those that went out with letters."""
    return [one for one in papers(ledger) if one.kind is PaperKind.CIRCULAR]


def test_an_issued_bulletin_has_a_number_and_its_paper_stays(drafted: Ledger) -> None:
    draft = text(making.document(drafted, making.cut(drafted, 1)))
    assert draft.startswith("草稿，数据截至 2026-04-01")
    assert making.issue(drafted, 1, by="张三", now=AFTER) == "省教督通〔2026〕1号"
    view = bulletins.bulletin(drafted, 1)
    told = making.state_words("zh", view, SHANGHAI)
    assert told == "已签发（省教督通〔2026〕1号），数据截至 2026-04-01 09:00"
    issued = making.document(drafted, making.cut(drafted, 1))
    assert "省教督通〔2026〕1号" in text(issued)
    assert "2026年4月14日" in text(issued)
    assert len(Document(BytesIO(issued)).inline_shapes) == len(
        charts(making.cut(drafted, 1).figures)
    )
    assert "草稿" not in text(issued)
    [paper] = issued_papers(drafted)
    assert bulletins.bulletin(drafted, 1).paper_id == paper.id
    assert verify(drafted) == []


def test_what_cannot_be_issued_uses_no_number(drafted: Ledger) -> None:
    for _ in range(2):
        with pytest.raises(BulletinRefused):
            making.issue(drafted, 1, by="张三", now=DRAFTED)
    assert issued_papers(drafted) == []
    assert making.issue(drafted, 1, by="张三", now=AFTER).endswith("1号")
    with pytest.raises(BulletinRefused):
        making.issue(drafted, 1, by="张三", now=AFTER)
    assert verify(drafted) == []


def test_of_two_who_end_a_draft_at_once_one_does(drafted: Ledger) -> None:
    both, refused = Barrier(2), list[str]()

    def end(act: Callable[[], object]) -> None:
        both.wait()
        try:
            act()
        except BulletinRefused as error:
            refused.append(error.code)

    acts = [
        lambda: making.issue(drafted, 1, by="张三", now=AFTER),
        lambda: bulletins.withdraw(drafted, 1, reason="有误", by="李四", now=AFTER),
    ]
    threads = [Thread(target=end, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["ended"]
    issued = bulletins.bulletin(drafted, 1).state is State.ISSUED
    assert len(issued_papers(drafted)) == issued
    assert verify(drafted) == []


def test_its_figures_come_out_the_same_whatever_happens_later(
    first_quarter: Office, drafted: Ledger
) -> None:
    def all_of_it(ledger: Ledger) -> tuple[str, bytes, bytes]:
        found = making.cut(ledger, 1)
        sheet = BytesIO()
        making.workbook(found, sheet)
        page = markdown(found.figures, making.links_of("", 1), state="")
        return page, sheet.getvalue(), making.document(ledger, found)

    before = all_of_it(drafted)
    duty = duty_of(first_quarter, "东/妇联", "1")
    submit(first_quarter, duty, "2026-04-09")
    acts.accept(drafted, duty, by="省", now=china("2026-04-10"))
    registry = drafted.registry
    fewer = {key: one for key, one in registry.agencies.items() if key != "西/妇联"}
    changed = Ledger(drafted.engine, replace(registry, agencies=fewer))
    assert all_of_it(changed) == before


def test_the_bulletins_of_a_month_are_of_what_ended_with_the_month_before() -> None:
    assert [one.name for one in making.ended(date(2026, 12, 5))] == ["2026-11"]
    assert [one.name for one in making.ended(date(2026, 10, 5))] == ["2026-09", "2026Q3"]
    january = [one.name for one in making.ended(date(2027, 1, 31))]
    assert january == ["2026-12", "2026Q4", "2026"]


def test_a_cut_off_is_the_end_of_its_day_and_never_ahead(drafted: Ledger) -> None:
    given = making.cut_off_of(drafted, date(2026, 4, 1), AFTER)
    assert china("2026-04-01", "23:59:59") < given < china("2026-04-02")
    view = replace(bulletins.bulletin(drafted, 1), cut_off=given)
    told = making.state_words("zh", view, drafted.registry.first_notice.zone)
    assert told.startswith("草稿，数据截至 2026-04-01 24:00，")
    assert making.cut_off_of(drafted, AFTER.date(), AFTER) == AFTER
    with pytest.raises(BulletinRefused):
        making.cut_off_of(drafted, date(2026, 4, 15), AFTER)


def test_what_was_due_on_the_day_of_the_cut_off_is_overdue_by_its_end(drafted: Ledger) -> None:
    last = date(2026, 3, 20)  # on which the quarter's duties are due
    at = making.cut_off_of(drafted, last, AFTER)
    lead = figures(snapshot(drafted, at), QUARTER).whole.lead
    required = lead[Measure.REQUIRED].value
    assert required > 0
    assert (lead[Measure.OVERDUE].value, lead[Measure.JUDGED].value) == (required, required)


def test_who_opens_the_same_bulletin_again_gets_what_was_counted(
    drafted: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = making.cut(drafted, 1)
    monkeypatch.setattr(making, "figures", None)
    assert making.cut(drafted, 1).figures is first.figures
