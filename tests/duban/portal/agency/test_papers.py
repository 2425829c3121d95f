"""An agency finds its official papers on the duty's page, and nobody else's."""

from urllib.parse import quote

from sqlalchemy import update

from duban.ledger.papers import PaperView, content_of, papers
from duban.ledger.tables import Paper
from duban.office import Office
from duban.registry.papers import WORD
from tests.duban.portal.agency.conftest import Come, Desk
from tests.duban.portal.agency.test_handing_on import hand_on
from tests.duban.portal.conftest import Browser


def slip(office: Office, agency: str = "东/妇联") -> PaperView:
    [found] = [one for one in papers(office.ledger) if one.recipient == agency]
    return found


def test_its_page_leads_to_the_paper_as_it_was_made(guest: Desk, office: Office):
    paper = slip(office)
    page = guest.read()
    assert f'<a href="/papers/{paper.id}">督办单 {paper.number}</a>' in page
    answer = guest.client.get(f"/papers/{paper.id}")
    assert answer.content == content_of(office.ledger, paper.id)
    assert answer.headers["content-type"] == WORD
    assert quote(paper.file_name) in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert guest.client.head(f"/papers/{paper.id}").status_code == 200


def test_another_agencys_paper_is_not_there_even_for_one_that_shares(come: Come, office: Office):
    theirs = slip(office)
    for other in ("西/妇联", "东/教育"):
        visitor = come(other, "1", owner="东/妇联" if other == "东/教育" else None)
        assert visitor.client.get(f"/papers/{theirs.id}").status_code == 404
        assert theirs.number not in visitor.read()
    assert come().client.get("/papers/99").status_code == 404


def test_a_void_one_is_not_shown(guest: Desk, office: Office):
    paper = slip(office)
    with office.ledger.engine.begin() as connection:
        connection.execute(update(Paper).values(void_at=paper.made_at))
    assert guest.client.get(f"/papers/{paper.id}").status_code == 404
    assert paper.number not in guest.read()


def test_a_link_that_was_handed_on_opens_only_what_speaks_of_its_duties_alone(
    guest: Desk, browser: Browser, office: Office
):
    paper = slip(office)
    client = browser()
    client.get(hand_on(guest))
    assert paper.duties == (guest.duty,)
    assert client.get(f"/papers/{paper.id}").status_code == 200
    other = next(one for one in papers(office.ledger) if one.recipient != paper.recipient)
    with office.ledger.engine.begin() as connection:
        rows = Paper.metadata.tables["paper_duty"]
        connection.execute(rows.insert().values(paper_id=paper.id, duty_id=other.duties[0]))
    assert client.get(f"/papers/{paper.id}").status_code == 404
    assert guest.client.get(f"/papers/{paper.id}").status_code == 200


def test_an_altered_one_is_handed_to_nobody(guest: Desk, office: Office):
    paper = slip(office)
    with office.ledger.engine.begin() as connection:
        connection.execute(update(Paper).where(Paper.id == paper.id).values(content=b"PK"))
    assert guest.client.get(f"/papers/{paper.id}").status_code == 500
