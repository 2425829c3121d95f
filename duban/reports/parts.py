"""A bulletin's text in its order, for pages: headings, sentences and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from duban.reports import prose
from duban.reports.figures import TargetFigures
from duban.reports.problems import asks, problems
from duban.reports.tables import (
    Table,
    clauses_table,
    departments_table,
    others_table,
    regions_table,
    target_table,
    whole_table,
)
from duban.reports.texts import numeral
from duban.reports.voice import Voice

SECTION, WITHIN, RUN_IN = 2, 3, 4
"""Levels of headings: a section, what lies within one, what begins the line of its sentence."""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands below it: sentences, then a table.

    Attributes:
        listed: the sentences are numbered.
    """

    title: str = ""
    level: int = SECTION
    sentences: Sequence[str] = ()
    table: Table | None = None
    listed: bool = False


def parts(voice: Voice) -> Iterator[Part]:
    """All of it, below the title and the opening sentence."""
    for n, (key, found) in enumerate(_sections(voice).items(), start=1):
        first, *within = found
        yield replace(first, title=_heading(voice, "heading", n, voice.t.sections[key]))
        for m, one in enumerate(within, start=1):
            yield replace(one, title=_heading(voice, "sub", m, one.title))


def _heading(voice: Voice, key: str, n: int, title: str) -> str:
    return voice.t.says[key].format(numeral=numeral(voice.t, n), title=title)


def _sections(voice: Voice) -> Mapping[str, Sequence[Part]]:
    """Each section by its key in `Texts.sections`: its own part, then those within it."""
    figures, t = voice.figures, voice.t
    leagues = (figures.region_league, figures.department_league)
    regions, departments = (prose.league(voice, one) for one in leagues)
    return {
        "whole": [Part(sentences=prose.whole(voice), table=whole_table(figures, t))],
        "regions": [Part(sentences=[regions], table=regions_table(figures, t))],
        "departments": [Part(sentences=[departments], table=departments_table(figures, t))],
        "targets": _targets(voice),
        "problems": _problems(voice),
        "asks": [Part(sentences=asks(voice))],
        "others": [Part(table=others_table(figures, t))],
        "clauses": [Part(table=clauses_table(figures, t))],
        "notes": [Part(sentences=prose.notes(voice), listed=True)],
    }


def _targets(voice: Voice) -> list[Part]:
    found = [_target(voice, one) for one in voice.figures.targets]
    return [Part(sentences=() if found else [voice.t.says["no-targets"]]), *found]


def _target(voice: Voice, one: TargetFigures) -> Part:
    table = target_table(voice.figures, one, voice.t)
    return Part(voice.text(one.title), WITHIN, prose.target(voice, one), table)


def _problems(voice: Voice) -> list[Part]:
    found = [Part(one.title, RUN_IN, [one.sentence]) for one in problems(voice)]
    return [Part(sentences=() if found else [voice.t.says["no-problem"]]), *found]
