"""Hands out official papers as files to be saved."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response

from duban.intake import content_disposition
from duban.ledger import Ledger
from duban.ledger.papers import PaperAltered, PaperView, content_of
from duban.registry.papers import WORD


def saved(ledger: Ledger, paper: PaperView, headers: Mapping[str, str]) -> Response:
    """A paper under its name; one that was altered since is handed to nobody."""
    try:
        content = content_of(ledger, paper.id)
    except PaperAltered as error:
        raise HTTPException(500) from error
    named = {"Content-Disposition": content_disposition(paper.file_name)}
    return Response(content, media_type=WORD, headers={**headers, **named})
