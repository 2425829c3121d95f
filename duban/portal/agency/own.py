"""What a guest may see: the one place that holds every question to the link's agency and duties."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from starlette.exceptions import HTTPException

from duban.duty import CLOSED, WAITING
from duban.ledger import Ledger, bulletins, links, reviewing, uploads
from duban.ledger.bulletins import BulletinView
from duban.ledger.database import reading
from duban.ledger.links import LinkView
from duban.ledger.papers import PaperView, papers
from duban.ledger.persons import links_of_versions
from duban.ledger.petitions import PetitionView, State, petitions
from duban.ledger.questions import DutyView, Event, duties, events
from duban.ledger.reviewing import Version
from duban.ledger.tables import Duty
from duban.ledger.uploads import FileView
from duban.portal.who import Guest

# What happened inside the office is no news to an agency.
_INTERNAL = frozenset(
    [
        "proposed",
        "declined",
        "redated",
        "unsaid",
        "held",
        "released",
        "sampled",
        "revealed",
        "persons-erased",
    ]
)
# What the agency that reports did, or was told, one that shares in the matter does not see.
_REPORTERS = frozenset(
    [
        "submitted",
        "nil-returned",
        "returned",
        "file-refused",
        "handed-on",
        "asked",
        "granted",
        "refused",
        "withdrawn",
        "acknowledged",
        "spoke",
        "approved",
        "called",
        "filled",
        "progress-noted",
        "problems-noted",
    ]
)


@dataclass(frozen=True, slots=True)
class Own:
    """A duty that a guest may see.

    Attributes:
        owed: the guest's agency owes it; else it only shares in it.
    """

    duty: DutyView
    owed: bool

    @property
    def waits(self) -> bool:
        """The agency that owes it has to act."""
        return self.duty.status in WAITING

    @property
    def takes(self) -> bool:
        """Evidence may be handed in."""
        return self.duty.status not in CLOSED


def own_duty(guest: Guest, duty_id: int) -> Own:
    """A duty that the link reaches.

    Raises:
        HTTPException: 404, the same as for one that is not there.
    """
    found = _own(guest, [duty_id])
    if not found:
        raise HTTPException(404)
    return found[0]


def owed_duty(guest: Guest, duty_id: int) -> Own:
    """The same, for what only the agency that owes the duty may do."""
    found = own_duty(guest, duty_id)
    if not found.owed:
        raise HTTPException(404)
    return found


def unclosed_duties(guest: Guest) -> list[Own]:
    """All that the link reaches and that is not closed."""
    return _own(guest, _candidates(guest, Duty.status.not_in(CLOSED)))


def closed_duties(guest: Guest, most: int) -> list[Own]:
    """Of what the link reaches and is closed, so many, the newest first."""
    found = _own(guest, _candidates(guest, Duty.status.in_(CLOSED), most))
    return sorted(found, key=lambda own: own.duty.closed_at or own.duty.opened_at, reverse=True)


def _own(guest: Guest, ids: Collection[int]) -> list[Own]:
    reached = reached_of(guest, ids)
    found = duties(guest.ledger, ids=sorted(reached)) if reached else []
    return [Own(duty, duty.agency.id == guest.door.agency_id) for duty in found]


def reached_of(guest: Guest, ids: Collection[int]) -> frozenset[int]:
    """Those of the duties that the link reaches."""
    with reading(guest.ledger.engine) as connection:
        return links.reached(connection, guest.ledger, guest.door, ids, guest.now)


def _candidates(guest: Guest, which: ColumnElement[bool], most: int | None = None) -> Sequence[int]:
    mine = _mine(guest)
    if guest.door.duties is not None:
        mine = Duty.id.in_(guest.door.duties)
    question = select(Duty.id).where(mine, which).order_by(Duty.closed_at.desc(), Duty.id.desc())
    with reading(guest.ledger.engine) as connection:
        return connection.scalars(question.limit(most)).all()


def _mine(guest: Guest) -> ColumnElement[bool]:
    """What the guest's agency owes, and what it shares in."""
    agency = guest.door.agency_id
    return or_(Duty.agency == agency, _shared(guest.ledger, agency))


def _shared(ledger: Ledger, agency: str) -> ColumnElement[bool]:
    """The duties of others in which an agency shares."""
    pairs = [
        and_(Duty.clause == placed.key, Duty.agency == reporter)
        for placed in ledger.registry.clauses.values()
        for reporter, sharing in placed.copied.items()
        if agency in {one.id for one in sharing}
    ]
    return or_(false(), *pairs)


def own_versions(guest: Guest, own: Own) -> list[Version]:
    """The versions of a duty's evidence that the link may show, the newest first.

    The agency's own link shows all that the agency handed in, one that was handed on only what
    came through itself.
    """
    found = [
        version
        for version in reviewing.versions(guest.ledger, own.duty.id)
        if version.submitted_by == guest.door.agency_id
    ]
    if guest.door.parent is None:
        return found
    through = links_of_versions(guest.ledger, own.duty.id)
    return [version for version in found if through.get(version.number) == guest.door.link_id]


def own_drafts(guest: Guest, duty_id: int) -> list[FileView]:
    """The files of the agency's draft for a duty that the link reaches."""
    return uploads.draft_files(guest.ledger, duty_id, guest.door.agency_id)


def own_file(guest: Guest, duty_id: int, file_id: int) -> FileView:
    """A file of the draft, or of a version that the link may show.

    Raises:
        HTTPException: 404, the same as for one that is not there.
    """
    own = own_duty(guest, duty_id)
    handed_in = (file for version in own_versions(guest, own) for file in version.files)
    for file in (*own_drafts(guest, duty_id), *handed_in):
        if file.id == file_id:
            return file
    raise HTTPException(404)


def own_papers(guest: Guest, duty_id: int) -> list[PaperView]:
    """The official papers to the guest's agency about a duty that the link reaches."""
    return [one for one in papers(guest.ledger, duty=duty_id) if _opens(guest, one)]


def own_paper(guest: Guest, paper_id: int) -> PaperView:
    """One of them.

    Raises:
        HTTPException: 404, the same as for one that is not there.
    """
    for one in papers(guest.ledger, paper=paper_id):
        if _opens(guest, one):
            return one
    raise HTTPException(404)


def _opens(guest: Guest, paper: PaperView) -> bool:
    """A link that was handed on opens no paper that speaks of other duties too."""
    mine = paper.recipient == guest.door.agency_id and paper.void_at is None
    reached = guest.door.duties
    return mine and (reached is None or (paper.duties != () and reached.issuperset(paper.duties)))


def own_bulletins(guest: Guest) -> list[BulletinView]:
    """The issued bulletins that the guest may read, the newest first.

    A bulletin goes to all units of the notices that it counts. A link that was handed on opens
    none: they speak of more than its duties.
    """
    begun = None if guest.door.duties is not None else _counted_since(guest)
    if begun is None:
        return []
    found = [
        one
        for one in bulletins.bulletins(guest.ledger)
        if one.state is bulletins.State.ISSUED and one.cut_off >= begun
    ]
    return sorted(found, key=lambda one: (one.ended_at or one.made_at, one.id), reverse=True)


def _counted_since(guest: Guest) -> datetime | None:
    """Since when bulletins count any duty of the notices under which the agency has one."""
    with reading(guest.ledger.engine) as connection:
        clauses = connection.scalars(select(Duty.clause).where(_mine(guest)).distinct())
        notices = {clause.partition("/")[0] for clause in clauses}
        under = [Duty.clause.startswith(f"{one}/", autoescape=True) for one in notices]
        return connection.scalar(select(func.min(Duty.opened_at)).where(or_(false(), *under)))


def own_bulletin(guest: Guest, bulletin_id: int) -> BulletinView:
    """One of them.

    Raises:
        HTTPException: 404, the same as for one that is not there.
    """
    for one in own_bulletins(guest):
        if one.id == bulletin_id:
            return one
    raise HTTPException(404)


def own_events(guest: Guest, own: Own) -> list[Event]:
    """What happened to a duty, as far as it concerns the guest's agency, the newest first."""
    hidden = _INTERNAL if own.owed else _INTERNAL | _REPORTERS
    mine = guest.door.agency_id
    found = _without_unsaid(events(guest.ledger, duty_id=own.duty.id))
    return [one for one in found if one.action not in hidden or one.actor == mine]


def _without_unsaid(found: Sequence[Event]) -> Iterator[Event]:
    """The events, the newest first, without the letters that a hold stopped before they left."""
    stopped: set[tuple[object, object]] = set()
    for one in reversed(found):
        turn = one.data.get("rung"), one.data.get("n")
        if one.action == "unsaid":
            stopped.add(turn)
        if one.action in ("spoke", "approved") and turn in stopped:
            stopped.remove(turn)
        else:
            yield one


def own_petitions(guest: Guest, own: Own) -> list[PetitionView]:
    """What the agency asks or asked for, the newest first; nothing where it only shares."""
    return petitions(guest.ledger, duty_ids=[own.duty.id])[::-1] if own.owed else []


def own_petition(guest: Guest, own: Own, petition_id: int) -> PetitionView:
    """One of them that awaits a decision.

    Raises:
        HTTPException: 404.
    """
    for one in own_petitions(guest, own):
        if one.id == petition_id and one.state is State.ASKED:
            return one
    raise HTTPException(404)


def own_links(guest: Guest) -> list[LinkView]:
    """The links that this one handed on and that still work."""
    mine = guest.door.link_id
    found = links.links_of(guest.ledger, guest.door.agency_id)
    return [link for link in found if link.parent == mine and link.works(guest.now)]


def own_link(guest: Guest, link_id: int) -> LinkView:
    """One of them.

    Raises:
        HTTPException: 404.
    """
    for link in own_links(guest):
        if link.id == link_id:
            return link
    raise HTTPException(404)
