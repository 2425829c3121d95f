"""Official papers for coordinators, the void ones too."""

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from duban.ledger.papers import papers
from duban.portal.desk.files import HEADERS
from duban.portal.desk.review import Number
from duban.portal.saving import saved
from duban.portal.who import APerson

router = APIRouter(prefix="/desk/papers")


@router.get("/{paper_id}")
def download(person: APerson, paper_id: Number) -> Response:
    """The paper as it was made; 404 unless it went to an agency that the person sees."""
    found = papers(person.ledger, paper=paper_id)
    if not found or not person.sees(found[0].recipient):
        raise HTTPException(404)
    return saved(person.ledger, found[0], HEADERS)
