"""Issued bulletins (通报) for the agencies of their notices, each with its own lines on top.

A bulletin is circulated to all of them, so each reads the whole text and its tables. Drafts and
objections are the coordinators' alone, and of the duties one by one an agency gets its own.
"""

from dataclasses import replace
from io import BytesIO

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from duban.intake import content_disposition
from duban.ledger.papers import papers
from duban.portal.agency.duty import DutyId
from duban.portal.agency.files import APART
from duban.portal.agency.listing import render
from duban.portal.agency.own import own_bulletin, own_bulletins, reached_of
from duban.portal.agency.routes import page
from duban.portal.agency.said import bulletin_title
from duban.portal.saving import saved
from duban.portal.sheets import XLSX
from duban.portal.who import AGuest
from duban.reports import making, parts, prose
from duban.reports.asked import Measure
from duban.reports.mine import mine
from duban.reports.tables import shown
from duban.reports.voice import Voice

router = APIRouter()


@page(router, "/bulletins")
def show_all(guest: AGuest) -> Response:
    """Those that the agency may read; not for somebody the link was handed on to."""
    if guest.door.parent is not None:
        raise HTTPException(404)
    found = [(one, bulletin_title(guest, one)) for one in own_bulletins(guest)]
    return render(guest, "agency/bulletins.html", {"bulletins": found})


@page(router, "/bulletins/{bulletin_id}")
def show(guest: AGuest, bulletin_id: DutyId) -> Response:
    """One of them: what concerns the agency, then the whole text."""
    view = own_bulletin(guest, bulletin_id)
    found = making.cut(guest.ledger, view.id)
    voice, own = Voice(found.figures), mine(found.seen, found.figures, guest.door.agency_id)
    context = {
        "view": view,
        "figures": found.figures,
        "title": voice.title,
        "opening": prose.opening(voice),
        "parts": list(parts.parts(voice)),
        "nothing": voice.t.says["nothing"],
        "levels": parts,
        "shown": shown,
        "mine": own,
        "reached": reached_of(guest, [one.fact.id for one in own.duties]),
        "M": Measure,
    }
    return render(guest, "agency/bulletin.html", context)


@page(router, "/bulletins/{bulletin_id}/bulletin.docx")
def download_document(guest: AGuest, bulletin_id: DutyId) -> Response:
    """The bulletin for Word, as it was issued."""
    number = own_bulletin(guest, bulletin_id).paper_id
    if number is None:
        raise HTTPException(404)
    [paper] = papers(guest.ledger, paper=number)
    return saved(guest.ledger, paper, APART)


@page(router, "/bulletins/{bulletin_id}/bulletin.xlsx")
def download_workbook(guest: AGuest, bulletin_id: DutyId) -> Response:
    """The bulletin for Excel: all its tables, and of the duties one by one the agency's own."""
    view = own_bulletin(guest, bulletin_id)
    found, made = making.cut(guest.ledger, view.id), BytesIO()
    own = [one for one in found.seen.facts if one.agency == guest.door.agency_id]
    making.workbook(replace(found, seen=replace(found.seen, facts=own)), made)
    named = {"Content-Disposition": content_disposition(making.file_name(view, ".xlsx"))}
    return Response(made.getvalue(), media_type=XLSX, headers={**APART, **named})
