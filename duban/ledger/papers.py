"""Official papers: numbered without gaps or repeats, kept as they were made, proved to be so."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from duban.batches import batches
from duban.channels import Enclosure
from duban.errors import DubanError
from duban.ledger import Ledger
from duban.ledger.change import Change, insert_or_skip
from duban.ledger.database import reading
from duban.ledger.tables import History, Paper, PaperDuty, PaperSeries
from duban.paper.facts import Facts, number_text
from duban.paper.texts import texts
from duban.paper.written import file_name, write
from duban.registry.papers import PaperKind

_ROWS = 50


class NoSuchPaper(DubanError):
    """There is no paper of that number; `duban paper list` lists them."""


class PaperAltered(DubanError):
    """The paper's bytes are not those that were made; `duban audit verify` tells more."""


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A paper that is to be made.

    Attributes:
        series: what stands before the year in its number.
        recipient: the id of the agency that it is written to.
        day: the civil day that it is dated, whose year its number has.
        digest: SHA-256 of all that it says.
        write: makes its bytes of its number.
        letter_id: the letter that it goes with, if any.
    """

    kind: PaperKind
    language: str
    series: str
    recipient: str
    day: date
    digest: str
    write: Callable[[str], bytes]
    duties: tuple[int, ...] = ()
    letter_id: int | None = None


def told_of(facts: Facts, series: str, recipient: str, letter_id: int | None = None) -> NewPaper:
    """The paper that says these facts."""
    return NewPaper(
        kind=facts.kind,
        language=facts.language,
        series=series,
        recipient=recipient,
        day=facts.day,
        digest=facts.digest,
        write=partial(write, facts),
        duties=tuple(matter.duty for matter in facts.matters),
        letter_id=letter_id,
    )


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper as screens show it: `number` is its document number, `size` counts bytes."""

    id: int
    kind: PaperKind
    language: str
    number: str
    recipient: str
    letter_id: int | None
    day: date
    made_at: datetime
    made_by: str
    sha256: str
    size: int
    void_at: datetime | None
    duties: tuple[int, ...]

    @property
    def name(self) -> str:
        """What sort of paper it is, in its own language."""
        return texts(self.language).names[self.kind]

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return file_name(self.language, self.kind, self.number)


# Making


def make(made: Change, wanted: Sequence[NewPaper]) -> list[int]:
    """Makes papers as part of a change, and takes their numbers; their ids.

    A change that fails gives its numbers back.
    """
    numbers = _numbers(made.connection, wanted)
    return [_keep(made, one, number) for one, number in zip(wanted, numbers, strict=True)]


def _numbers(connection: Connection, wanted: Sequence[NewPaper]) -> list[int]:
    """The number of each."""
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, one in enumerate(wanted):
        places[one.series, one.day.year].append(place)
    found = [0] * len(wanted)
    # In the order of their names, so that two who take of several never wait for each other.
    for (series, year), of_series in sorted(places.items()):
        first = take_numbers(connection, series, year, len(of_series))
        for n, place in enumerate(of_series):
            found[place] = first + n
    return found


def take_numbers(connection: Connection, series: str, year: int, count: int = 1) -> int:
    """Takes so many numbers of a series and year that follow each other; the first of them.

    Whoever comes next waits until this transaction has ended, and goes on from where it left.
    """
    statement = (
        insert_or_skip(connection)(PaperSeries)
        .values(series=series, year=year, last=count)
        .on_conflict_do_update(
            index_elements=["series", "year"], set_={"last": PaperSeries.last + count}
        )
        .returning(PaperSeries.last)
    )
    return connection.execute(statement).scalar_one() - count + 1


def _keep(made: Change, one: NewPaper, number: int) -> int:
    told = number_text(one.language, one.series, one.day.year, number)
    content = one.write(told)
    sha256 = hashlib.sha256(content).hexdigest()
    statement = insert(Paper).values(
        kind=one.kind.value,
        series=one.series,
        year=one.day.year,
        number=number,
        language=one.language,
        recipient=one.recipient,
        letter_id=one.letter_id,
        day=one.day,
        made_at=made.at,
        made_by=made.actor,
        facts=one.digest,
        sha256=sha256,
        content=content,
    )
    paper = made.connection.execute(statement.returning(Paper.id)).scalar_one()
    if one.duties:
        rows = [{"paper_id": paper, "duty_id": duty} for duty in one.duties]
        made.connection.execute(insert(PaperDuty), rows)
    made.record("paper", paper=paper, number=told, sha256=sha256, duties=list(one.duties))
    return paper


def standing(connection: Connection, letters: Collection[int]) -> Mapping[int, str]:
    """What the paper of each letter says, as the digest of its facts, by the letter's number."""
    question = select(Paper.letter_id, Paper.facts).where(
        Paper.letter_id.in_(letters), Paper.void_at.is_(None)
    )
    return {row.letter_id: row.facts for row in connection.execute(question)}


def void(made: Change, letters: Collection[int]) -> None:
    """Makes void what was to go with letters, as part of a change; the numbers stay used."""
    statement = (
        update(Paper)
        .where(Paper.letter_id.in_(letters), Paper.void_at.is_(None))
        .values(void_at=made.at)
        .returning(Paper.id, Paper.language, Paper.series, Paper.year, Paper.number)
    )
    for row in sorted(made.connection.execute(statement).tuples()):
        made.record("paper-void", paper=row[0], number=number_text(*row[1:]))


# Looking


def enclosures(connection: Connection, letters: Collection[int]) -> Mapping[int, Enclosure]:
    """What goes with each letter, by the letter's number."""
    question = select(*_COLUMNS, Paper.content).where(
        Paper.letter_id.in_(letters), Paper.void_at.is_(None)
    )
    return {
        row.letter_id: Enclosure(_view(row, ()).file_name, row.content)
        for row in connection.execute(question)
    }


def papers(
    ledger: Ledger,
    *,
    paper: int | None = None,
    duty: int | None = None,
    letter: int | None = None,
    most: int | None = None,
) -> list[PaperView]:
    """Papers, the newest first: all of them, or one, or those of a duty or a letter."""
    question = select(*_COLUMNS).order_by(Paper.id.desc()).limit(most)
    if paper is not None:
        question = question.where(Paper.id == paper)
    if letter is not None:
        question = question.where(Paper.letter_id == letter)
    if duty is not None:
        speaking = select(PaperDuty.paper_id).where(PaperDuty.duty_id == duty)
        question = question.where(Paper.id.in_(speaking))
    with reading(ledger.engine) as connection:
        rows = connection.execute(question).all()
        duties = _duties(connection, [row.id for row in rows])
    return [_view(row, duties[row.id]) for row in rows]


def content_of(ledger: Ledger, paper: int) -> bytes:
    """A paper's bytes, as they were made.

    Raises:
        NoSuchPaper, PaperAltered
    """
    with reading(ledger.engine) as connection:
        question = select(Paper.content, Paper.sha256).where(Paper.id == paper)
        row = connection.execute(question).one_or_none()
    if row is None:
        raise NoSuchPaper
    if hashlib.sha256(row.content).hexdigest() != row.sha256:
        raise PaperAltered
    return row.content


_COLUMNS = (
    Paper.id,
    Paper.kind,
    Paper.language,
    Paper.series,
    Paper.year,
    Paper.number,
    Paper.recipient,
    Paper.letter_id,
    Paper.day,
    Paper.made_at,
    Paper.made_by,
    Paper.sha256,
    func.length(Paper.content).label("size"),
    Paper.void_at,
)


def _duties(connection: Connection, ids: Sequence[int]) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    question = select(PaperDuty.paper_id, PaperDuty.duty_id).where(PaperDuty.paper_id.in_(ids))
    for paper, duty in connection.execute(question.order_by(PaperDuty.duty_id)):
        found[paper] += (duty,)
    return found


def _view(row: Row[Any], duties: tuple[int, ...]) -> PaperView:
    return PaperView(
        id=row.id,
        kind=PaperKind(row.kind),
        language=row.language,
        number=number_text(row.language, row.series, row.year, row.number),
        recipient=row.recipient,
        letter_id=row.letter_id,
        day=row.day,
        made_at=row.made_at,
        made_by=row.made_by,
        sha256=row.sha256,
        size=row.size,
        void_at=row.void_at,
        duties=duties,
    )


# Proving


def faults(connection: Connection) -> Iterator[str]:
    """Papers that were altered, put in or removed, and numbers that were left out."""
    told = {data["paper"]: data for data in connection.scalars(_MADE)}
    ids = connection.scalars(select(Paper.id).order_by(Paper.id)).all()
    for batch in batches(ids, _ROWS):
        for row in connection.execute(select(*_COLUMNS, Paper.content).where(Paper.id.in_(batch))):
            data = told.pop(row.id, None)
            if data is None:
                yield f"Paper {row.id} was put in."
            elif (data["number"], data["sha256"]) != _proof(row):
                yield f"Paper {row.id} ({data['number']}) was altered."
    yield from (f"Paper {paper} ({data['number']}) was removed." for paper, data in told.items())
    for series, year, last, count in connection.execute(_COUNTED):
        if last != count:
            yield f"Of {series} {year}, {last} numbers were given out and {count} papers are there."


def _proof(row: Row[Any]) -> tuple[str, str]:
    return _view(row, ()).number, hashlib.sha256(row.content).hexdigest()


_MADE = select(History.data).where(History.action == "paper")
# Numbers are positive and never repeat, so that as many as the last leave no gap.
_COUNTED = (
    select(PaperSeries.series, PaperSeries.year, PaperSeries.last, func.count(Paper.id))
    .outerjoin(Paper, (Paper.series == PaperSeries.series) & (Paper.year == PaperSeries.year))
    .group_by(PaperSeries.series, PaperSeries.year, PaperSeries.last)
    .order_by(PaperSeries.series, PaperSeries.year)
)
