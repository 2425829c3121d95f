"""Coordinators find official papers by the duty and by the letter, within what they look after."""

from duban.ledger.accounts import Role
from duban.ledger.change import change
from duban.ledger.papers import content_of, papers, void
from duban.office import Office
from tests.duban.portal.conftest import Browser, Clock
from tests.duban.portal.desk.signed import seat


def test_the_duty_and_the_letter_lead_to_it(browser: Browser, office: Office, clock: Clock):
    desk = seat(browser, office, clock)
    paper = papers(office.ledger)[0]
    link = f'<a href="/desk/papers/{paper.id}">督办单 {paper.number}</a>'
    for address in (f"/desk/duties/{paper.duties[0]}", f"/desk/letters/{paper.letter_id}"):
        page = desk.see(address)
        assert link in page
        assert paper.sha256 in page
    answer = desk.client.get(f"/desk/papers/{paper.id}")
    assert answer.content == content_of(office.ledger, paper.id)
    assert answer.headers["cache-control"] == "no-store"


def test_that_of_another_region_is_not_there(browser: Browser, office: Office, clock: Clock):
    desk = seat(browser, office, clock, Role.CITY, "东")
    for paper in papers(office.ledger):
        wanted = 200 if paper.recipient.startswith("东/") else 404
        desk.see(f"/desk/papers/{paper.id}", wanted)
    desk.see("/desk/papers/99", 404)


def test_a_void_one_says_so_and_can_be_looked_at(browser: Browser, office: Office, clock: Clock):
    desk = seat(browser, office, clock)
    paper = papers(office.ledger)[0]
    assert paper.letter_id
    with change(office.ledger.engine, clock(), "duban") as made:
        void(made, [paper.letter_id])
    assert "未发出即作废" in desk.see(f"/desk/letters/{paper.letter_id}")
    assert desk.client.get(f"/desk/papers/{paper.id}").status_code == 200
    told = desk.see("/desk/history")
    assert f"{paper.number}未发出即作废，号不再用" in told
    assert f"制发{paper.number}" in told
