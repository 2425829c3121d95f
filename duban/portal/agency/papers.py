"""An agency's official papers, to be saved and printed."""

from fastapi import APIRouter
from starlette.responses import Response

from duban.portal.agency.duty import DutyId
from duban.portal.agency.files import APART
from duban.portal.agency.own import own_paper
from duban.portal.agency.routes import page
from duban.portal.saving import saved
from duban.portal.who import AGuest

router = APIRouter()


@page(router, "/papers/{paper_id}")
def download(guest: AGuest, paper_id: DutyId) -> Response:
    """The paper as it was made."""
    return saved(guest.ledger, own_paper(guest, paper_id), APART)
