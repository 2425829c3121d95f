"""Holds a notice against its clauses, sentence by sentence: what no clause covers is shown."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from duban.registry import Clause
from duban.registry.clauses import ClausesFile

_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the notice and what covers it.

    Attributes:
        start: its offset in the text, in characters.
        clauses: ids of the clauses whose quotes stand in it.
        not_directive: why it lays a duty on nobody, if clauses.yaml says so.
        rest: the words that neither a quote nor such a passage covers.
    """

    start: int
    text: str
    clauses: tuple[str, ...]
    not_directive: str | None
    rest: tuple[str, ...]

    @property
    def uncovered(self) -> bool:
        """Some of its words may lay a duty on somebody, and nothing says that or whose."""
        return bool(self.rest)


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    clause: str | None
    why: str | None


def trace(text: str, file: ClausesFile) -> list[Sentence]:
    """Every sentence of the text in order."""
    spans = list(_spans(text, file))
    return [_sentence(text, start, end, spans) for start, end in sentences(text)]


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence: ended by 。;!? or a full stop before a space, or a line."""
    start = 0
    for match in re.finditer(r"[。;!?\uff1b\uff01\uff1f\n]|\.(?=\s|$)|$", text):
        if _WORD.search(text, start, match.end()):
            lead = len(text[start : match.end()]) - len(text[start : match.end()].lstrip())
            yield start + lead, match.end() - (match[0] == "\n")
        start = match.end()


def _spans(text: str, file: ClausesFile) -> Iterator[_Span]:
    for clause in file.clauses:
        yield from _found(text, clause.quote, clause=clause)
    for passage in file.not_directive:
        yield from _found(text, passage.quote, why=passage.why)


def _found(
    text: str, quote: str, clause: Clause | None = None, why: str | None = None
) -> Iterator[_Span]:
    start = text.find(quote)
    if start >= 0:
        yield _Span(start, start + len(quote), clause.id if clause else None, why)


def _sentence(text: str, start: int, end: int, spans: Sequence[_Span]) -> Sentence:
    here = sorted(
        (span for span in spans if span.start < end and span.end > start),
        key=lambda span: span.start,
    )
    why = next((span.why for span in here if span.why), None)
    clauses = dict.fromkeys(span.clause for span in here if span.clause)
    return Sentence(
        start=start,
        text=text[start:end].strip(),
        clauses=tuple(clauses),
        not_directive=None if clauses else why,
        rest=tuple(_gaps(text, start, end, here)),
    )


def _gaps(text: str, start: int, end: int, here: Sequence[_Span]) -> Iterator[str]:
    at = start
    for span in here:
        if _WORD.search(text, at, max(at, span.start)):
            yield text[at : span.start].strip()
        at = max(at, span.end)
    if at < end and _WORD.search(text, at, end):
        yield text[at:end].strip()
