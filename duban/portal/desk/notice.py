"""The notice's text with every clause in its place, in the light of its duties."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from duban.ledger.browsing import Selection, State, Today, tally
from duban.portal.desk.board import Cell, matrix
from duban.portal.desk.frame import show
from duban.portal.who import APerson, Person
from duban.registry import LoadedNotice
from duban.trace import sentences, trace

router = APIRouter()

_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the text in which the same quotes overlap.

    Attributes:
        clauses: ids of the clauses whose quotes cover it, the shortest quote first.
        begins: those whose quote begins here.
        why: why it lays a duty on nobody, if clauses.yaml says so.
    """

    text: str
    clauses: tuple[str, ...]
    begins: tuple[str, ...]
    why: str

    @property
    def uncovered(self) -> bool:
        """It has words that may lay a duty on somebody, and nothing says that or whose."""
        return not self.clauses and not self.why and bool(_WORD.search(self.text))


def segments(notice: LoadedNotice) -> Iterator[Segment]:
    """The whole text in order, cut wherever a quote or a sentence begins, or a quote ends."""
    text, file = notice.text, notice.file
    quotes = [(clause.id, clause.quote) for clause in file.clauses]
    spans = [(*_place(text, quote), name) for name, quote in quotes]
    idle = [(*_place(text, passage.quote), passage.why) for passage in file.not_directive]
    cuts = {0, len(text)} | {start for start, _ in sentences(text)}
    cuts |= {cut for start, end, _ in (*spans, *idle) for cut in (start, end)}
    order = sorted(cuts)
    for start, end in pairwise(order):
        here = sorted((b - a, name, a) for a, b, name in spans if a <= start and end <= b)
        why = next((why for a, b, why in idle if a <= start and end <= b), "")
        names = tuple(name for _, name, _ in here)
        begins = tuple(name for _, name, a in here if a == start)
        yield Segment(text[start:end], names, begins, "" if names else why)


def _place(text: str, quote: str) -> tuple[int, int]:
    start = text.index(quote)
    return start, start + len(quote)


def _cells(person: Person, notice_id: str) -> dict[str, Cell]:
    """The lights of each clause's duties, by the clause's id."""
    selection = Selection(notice=notice_id, within=person.signed.region or "")
    counted = Today(person.ledger, person.now).counted(selection)
    rows = matrix(person.ledger, counted, person.now).rows
    return {row.clause.partition("/")[2]: row.whole for row in rows}


@dataclass(frozen=True, slots=True)
class Summary:
    """A notice in the list of notices."""

    notice: LoadedNotice
    tracked: int
    uncovered: int
    duties: int
    overdue: int


def _summary(person: Person, notice: LoadedNotice) -> Summary:
    selection = Selection(notice=notice.id, within=person.signed.region or "")
    counted = Today(person.ledger, person.now).counted(selection)
    return Summary(
        notice,
        sum(clause.tracked for clause in notice.file.clauses),
        sum(sentence.uncovered for sentence in trace(notice.text, notice.file)),
        sum(one.count for one in counted),
        tally(counted, person.now)[State.OVERDUE],
    )


@router.get("/desk/notices", response_class=HTMLResponse)
def notice_list(person: APerson) -> HTMLResponse:
    """The notices that are loaded."""
    found = [_summary(person, notice) for notice in person.ledger.registry.notices.values()]
    return show(person, "desk/notices.html", {"notices": found})


@router.get("/desk/notices/{notice_id}", response_class=HTMLResponse)
def notice_page(person: APerson, notice_id: Annotated[str, Path(max_length=120)]) -> HTMLResponse:
    """A notice with its clauses highlighted."""
    notice = person.ledger.registry.notices.get(notice_id)
    if notice is None:
        raise HTTPException(404)
    context = {
        "notice": notice,
        "head": notice.file.notice,
        "segments": _followed(list(segments(notice))),
        "cells": _cells(person, notice_id),
        "clauses": {clause.id: clause for clause in notice.file.clauses},
        "uncovered": sum(one.uncovered for one in trace(notice.text, notice.file)),
    }
    return show(person, "desk/notice.html", context)


def _followed(found: Sequence[Segment]) -> list[tuple[Segment, int]]:
    """Each uncovered segment with its number, so that the page can lead to it; else 0."""
    count = 0
    numbered: list[tuple[Segment, int]] = []
    for one in found:
        count += one.uncovered
        numbered.append((one, count if one.uncovered else 0))
    return numbered
