"""The notice's text with its clauses in place."""

import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.accounts import Role
from duban.ledger.questions import duties
from duban.office import Office
from duban.portal.app import create_app
from duban.portal.desk.notice import segments
from duban.registry import Registry
from duban.trace import trace
from tests.conftest import Project
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import Seat, seat


@pytest.fixture
def coordinator(browser: Browser, office: Office, clock: Clock) -> Seat:
    return seat(browser, office, clock)


def test_the_pieces_make_the_whole_text_and_each_quote(shanxi: Registry) -> None:
    for notice in shanxi.notices.values():
        found = list(segments(notice))
        assert "".join(one.text for one in found) == notice.text
        for clause in notice.file.clauses:
            quoted = "".join(one.text for one in found if clause.id in one.clauses)
            assert quoted == clause.quote
            assert sum(clause.id in one.begins for one in found) == 1


def test_what_no_quote_covers_is_the_same_as_in_the_trace(project: Project) -> None:
    project.edit(project.clauses, "quote: 妇联每季度报告家长课堂", "quote: 每季度报告")
    project.edit(project.clauses, "quote: 妇联要制定工作方案", "quote: 制定工作方案")
    [notice] = project.load().notices.values()
    rest = [words for one in trace(notice.text, notice.file) for words in one.rest]
    shown = [one.text for one in segments(notice) if one.uncovered]
    assert rest == ["妇联", "家长课堂。", "妇联要"]
    assert [re.sub(r"\s", "", one) for one in shown] == rest


def test_quotes_that_overlap_or_lie_within_another_are_cut_where_they_meet(
    project: Project,
) -> None:
    project.edit(project.clauses, "quote: 鼓励共青团每月开展活动", "quote: 共青团每月")
    project.edit(
        project.clauses, "quote: 共青团每学年组织一次检查", "quote: 鼓励共青团每月开展活动"
    )
    project.edit(project.clauses, "quote: 妇联要制定工作方案", "quote: 每月开展活动")
    [notice] = project.load().notices.values()
    pieces = {one.text: one.clauses for one in segments(notice) if "5" in one.clauses}
    assert pieces == {
        "鼓励": ("5",),
        "共青团": ("3", "5"),
        "每月": ("3", "4", "5"),
        "开展活动": ("4", "5"),
    }


def test_each_phrase_stands_in_the_light_of_its_duties_and_leads_to_them(
    coordinator: Seat,
) -> None:
    page = coordinator.see("/desk/notices/small")
    late, waiting = "2025年底心理教师配备率达到95%", "妇联每季度报告家长课堂"
    assert re.search(rf'<mark class="red"><a href="/desk/duties\?clause=small/2"[^>]*>{late}', page)
    assert re.search(rf'<mark class="green"><a [^>]*>{waiting}', page)
    assert re.search(r'<mark class="none"><a [^>]*>鼓励共青团每月开展活动', page)
    assert 'id="c-1"' in page
    assert 'href="#c-1"' in page
    for address, lit in re.findall(r'<a class="pill \w+" href="([^"]+)">\S+ (\d+)</a>', page):
        assert f"{lit} 项" in coordinator.see(address.replace("&amp;", "&"))


def test_what_lays_a_duty_on_nobody_is_told_from_what_nobody_looked_at(
    office: Office, project: Project, clock: Clock
) -> None:
    project.edit(project.clauses, "quote: 妇联要制定工作方案", "quote: 制定工作方案")
    edited = replace(office, ledger=Ledger(office.ledger.engine, project.load()))
    app = create_app(edited, clock)
    page = seat(lambda: TestClient(app), edited, clock).see("/desk/notices/small")
    assert re.search(r'<span class="uncovered" id="u-1"[^>]*>妇联要</span>', page)
    assert "有 1 句尚未标注" in page
    assert re.search(r'<span class="idle" title="标题">关于做好小事的通知</span>', page)


def test_a_city_coordinator_sees_the_light_of_the_own_city(
    browser: Browser, office: Office, clock: Clock
) -> None:
    east = next(
        duty for duty in duties(office.ledger, clause="small/2") if duty.agency.region == "东"
    )
    share = Checked({"share": [1, 1]}, ())
    acts.submit(office.ledger, east.id, share, [], by="东/教育", now=clock())
    acts.accept(office.ledger, east.id, by="admin", now=clock())
    for region, light in (("东", "grey"), ("西", "red")):
        page = seat(browser, office, clock, Role.CITY, region).see("/desk/notices/small")
        assert re.search(rf'<mark class="{light}"><a [^>]*>2025年底', page)


def test_the_list_of_notices_leads_to_each(coordinator: Seat) -> None:
    page = coordinator.see("/desk/notices")
    assert 'href="/desk/notices/small"' in page
    assert "省教〔2025〕1号" in page
    assert coordinator.see("/desk/duties?notice=small&state=overdue").count("未变") == 2
    coordinator.see("/desk/notices/unknown", 404)
