"""From the ledger to a bulletin and its papers: cut from its snapshot, issued, written out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import IO
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from duban.ledger import Ledger
from duban.ledger.bulletins import (
    BulletinRefused,
    BulletinView,
    State,
    bulletin,
    end,
    packed_of,
    period_called,
)
from duban.ledger.change import change
from duban.ledger.papers import NewPaper, content_of, make
from duban.ledger.snapshots import Snapshot
from duban.period import Every, Period, add_months, period_of
from duban.registry import clock
from duban.registry.papers import PaperKind
from duban.reports.asked import Sought
from duban.reports.charts import charts
from duban.reports.counting import figures
from duban.reports.document import docx
from duban.reports.figures import Figures
from duban.reports.workbook import write
from duban.words import words


@dataclass(frozen=True, slots=True)
class Cut:
    """A bulletin with the facts that it is cut from, and its figures."""

    view: BulletinView
    seen: Snapshot
    figures: Figures


def cut(ledger: Ledger, bulletin_id: int) -> Cut:
    """A bulletin's figures, made anew from its snapshot alone: they are the same ever after.

    Raises:
        NoSuchBulletin: there is none of that number.
    """
    view = bulletin(ledger, bulletin_id)
    return Cut(view, *_counted(packed_of(ledger, bulletin_id), view.period))


@lru_cache(maxsize=2)
def _counted(packed: bytes, period: str) -> tuple[Snapshot, Figures]:
    """Kept for a while: when a bulletin was issued, everybody opens the same one."""
    seen = Snapshot.read(packed)
    return seen, figures(seen, period_called(period))


def links_of(portal: str, bulletin_id: int) -> Callable[[Sought], str]:
    """Where the duties behind a number are listed."""

    def link(sought: Sought) -> str:
        query = urlencode(sought.query())
        return f"{portal}/desk/bulletins/{bulletin_id}/duties?{query}"

    return link


def state_words(language: str, view: BulletinView, zone: ZoneInfo) -> str:
    """A sentence that says whether it is a draft, until when objections are heard, and as of when
    it counts.
    """
    local = view.cut_off.astimezone(zone)
    at = f"{local:%Y-%m-%d} {clock(local)}"
    told = words(language).labels[f"bulletin_{view.state}"]
    given = {"day": view.objections_until, "n": view.open_objections, "number": view.number}
    return told.format(at=at, **given)


def file_name(view: BulletinView, suffix: str) -> str:
    """What a bulletin's file is called; plain ASCII, since it travels."""
    return f"bulletin-{view.period}-{view.id}{suffix}"


def document(ledger: Ledger, one: Cut) -> bytes:
    """A bulletin for Word: as it was issued, or as a draft that says it is one.

    Raises:
        PaperAltered, NoChineseFont
    """
    if one.view.paper_id is not None:
        return content_of(ledger, one.view.paper_id)
    state = state_words(one.seen.language, one.view, ZoneInfo(one.seen.zone))
    return docx(one.figures, number="", issued=None, draft=state, charts=charts(one.figures))


def workbook(one: Cut, target: Path | IO[bytes]) -> None:
    """A bulletin for Excel, with the duties that it counts."""
    write(target, one.figures, one.seen)


def ended(today: date) -> list[Period]:
    """The periods whose bulletin is due in a month: those that ended with the month before.

    The month, in January, April, July and October the quarter, in January the year.
    """
    last = period_of(Every.MONTH, add_months(today.replace(day=1), -1))
    assert last.start
    begins = today.replace(day=1)
    kinds = (period_of(every, last.start) for every in (Every.QUARTER, Every.YEAR))
    return [last, *(one for one in kinds if one.next.start == begins)]


def cut_off_of(ledger: Ledger, day: date | None, now: datetime) -> datetime:
    """The end of a civil day in the first notice's zone; of today, and unless given, now.

    What is due at 24:00 of that day is over by then, and what came in its last second has come.

    Raises:
        BulletinRefused: the day lies ahead.
    """
    if day is None:
        return now
    if day > ledger.registry.today(now):
        raise BulletinRefused("ahead")
    return min(now, datetime.combine(day, time.max, ledger.registry.first_notice.zone))


def issue(ledger: Ledger, bulletin_id: int, *, by: str, now: datetime) -> str:
    """Issues a draft: it gets its document number, and its paper is kept. The number.

    Raises:
        NoSuchBulletin, BulletinRefused, NoChineseFont: nothing was recorded, no number was used.
    """
    found, registry = cut(ledger, bulletin_id), ledger.registry
    notice, kind = registry.first_notice, PaperKind.CIRCULAR
    today = registry.today(now)
    pictures = charts(found.figures)  # before the change, which others wait for
    numbers: list[str] = []

    def write_numbered(number: str) -> bytes:
        numbers.append(number)
        return docx(found.figures, number=number, issued=today, draft="", charts=pictures)

    with change(ledger.engine, now, by) as made:
        row = end(made, ledger, bulletin_id, State.ISSUED)
        paper = NewPaper(
            kind=kind,
            language=found.seen.language,
            series=registry.policy.papers.series_of(kind, notice),
            recipient=registry.coordinator.id,
            day=today,
            digest=found.view.sha256,
            write=write_numbered,
        )
        [row.paper_id] = make(made, [paper])
    return numbers[0]
