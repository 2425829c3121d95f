"""Commands on the links by which agencies come in without an account."""

import json
from dataclasses import asdict
from typing import Annotated

import pendulum
import typer

from duban.cli.common import By, Json, find_agency, office
from duban.ledger import links as ledger_links
from duban.ledger.links import LinkView, Portal
from duban.registry import Registry
from duban.words import words

AgencyName = Annotated[str, typer.Argument(metavar="AGENCY", help="By name or id.")]


def links(
    agency: Annotated[
        str | None, typer.Argument(metavar="AGENCY", help="Only this one's; by name or id.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the links of agencies: whose, since when, until when. None of it opens anything."""
    here = office()
    registry = here.ledger.registry
    found = ledger_links.links_of(here.ledger, find_agency(registry, agency).id if agency else None)
    if as_json:
        plain = [asdict(one) for one in found]
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=str))
        return
    for one in found:
        typer.echo(_line(registry, one))
    typer.echo(f"{len(found)} link(s).")


def _line(registry: Registry, one: LinkView) -> str:
    w = words(registry.language)
    whose = registry.name_of(one.agency)
    held = w.brackets.format(one.holder) if one.holder else ""
    ended = f"revoked {registry.today(one.revoked_at)}" if one.revoked_at else ""
    issued, expires = registry.today(one.issued_at), registry.today(one.expires_at)
    return f"{one.id}  {whose}{held}  issued {issued}  until {expires}  {ended}".rstrip()


def link(
    agency: AgencyName,
    by: By,
    reissue: Annotated[
        bool, typer.Option("--reissue", help="Revoke all links of the agency; make a new one.")
    ] = False,
) -> None:
    """Print an agency's link, to pass on by telephone or WeChat. Whoever has it can report."""
    here = office()
    found = find_agency(here.ledger.registry, agency)
    give = ledger_links.reissue if reissue else ledger_links.tell
    token = give(here.ledger, here.key, found.id, by=by, now=pendulum.now("UTC"))
    typer.echo(Portal(here.settings.portal, here.key).door(token))


def unlink(
    number: Annotated[int, typer.Argument(metavar="LINK", help="Its number.")], by: By
) -> None:
    """Revoke a link, and every link that was handed on from it."""
    ledger_links.revoke(office().ledger, number, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Link {number} opens nothing any more.")


COMMANDS = (links, link, unlink)
