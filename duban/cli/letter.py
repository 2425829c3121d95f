"""The command that shows what letters look like, written of the first notice's own clauses."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

import typer

from duban.channels import Form
from duban.cli.common import registry
from duban.errors import DubanError
from duban.ladder import INFORMING, ROUND_OPENERS, Kind
from duban.ledger.links import LIFE
from duban.letters import (
    Answered,
    Handed,
    Item,
    Items,
    LetterHead,
    TaskItem,
    ordered,
    placeholder,
    write_mail,
    write_markdown,
    write_text,
)
from duban.period import Every, Period, period_of
from duban.registry import Agency, Cycle, PlacedClause, Registry
from duban.words import words

Language = Literal["zh", "en"]

WRITERS = {Form.MAIL: write_mail, Form.MARKDOWN: write_markdown, Form.TEXT: write_text}
MOST_ITEMS = 2
EARLY, LATE = timedelta(days=-10), timedelta(days=17)
WEEK = timedelta(days=7)

_BEFORE_DUE = (*ROUND_OPENERS, *INFORMING, Kind.INQUIRE, Kind.REMIND)
_PORTAL = "https://duban.example.org"
_NUMBERED = {"undeliverable": 8, "bulletin": 3}
"""What is named by its number, a letter or a bulletin; the rest by the agency."""
_TO_DESK = (Kind.TASKS, Kind.ESCALATE)
_LABELS: dict[Language, str] = {"zh": "样函", "en": "sample"}
_REASONS: dict[Language, dict[Kind, str]] = {
    "zh": {
        Kind.RETURN: "汇总表未加盖公章，且与所报数字不符。",
        Kind.EXTENSION: "已按申请同意延期。",
        Kind.REOPEN: "经抽查，所报情况与实际不符。",
        Kind.ANSWER: "各市进度一致，不宜单独调整。",
    },
    "en": {
        Kind.RETURN: "The table is not signed, and its figures differ from those sent.",
        Kind.EXTENSION: "Granted as asked for.",
        Kind.REOPEN: "A spot check did not bear the figures out.",
        Kind.ANSWER: "All districts keep to the same day.",
    },
}


def letter(
    kind: Annotated[
        Kind | None, typer.Argument(help="Only this kind; every kind unless given.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Made up, of real clauses; nothing is sent.")
    ] = False,
    language: Annotated[
        Language | None, typer.Option(help="The first notice's unless given.")
    ] = None,
    form: Annotated[Form, typer.Option(help="As mail, or as robots get it.")] = Form.TEXT,
) -> None:
    """Print sample letters: what each kind says, of the first notice's clauses."""
    if not sample:
        raise DubanError("This command prints samples only; write `duban letter --sample`.")
    known = registry()
    spoken: Language = language or ("en" if known.language == "en" else "zh")
    for one in [kind] if kind else list(Kind):
        payload = WRITERS[form](*sample_letter(known, one, spoken))
        typer.echo(f"{payload.decode().rstrip()}\n")


def sample_letter(known: Registry, kind: Kind, language: Language) -> tuple[LetterHead, Items]:
    """A letter that never was; of the same registry always the same one.

    Raises:
        DubanError: no clause of the registry is chased.
    """
    agency, clauses = _shown(known)
    days = [_cycle(placed).due_on(_period(placed)) for placed in clauses]
    day = min(days) + EARLY if kind in _BEFORE_DUE else max(days) + LATE
    recipient = _recipient(known, kind, agency, clauses[0])
    link, until = _way_in(known, kind, recipient, day)
    head = LetterHead(
        key=f"sample-{kind}-{language}",
        kind=kind,
        recipient=recipient,
        coordinator=known.coordinator,
        day=day,
        written_at=datetime.combine(day, time(9), clauses[0].notice.zone),
        sender="duban@example.org",
        address="agency@example.org",
        label=_LABELS[language],
        language=language,
        link=link,
        link_until=until,
    )
    if kind is Kind.LINK:
        return head, []
    if kind is Kind.TASKS:
        return head, _tasks(agency, language)
    items = [_item(n, head, agency, placed) for n, placed in enumerate(clauses, start=1)]
    return head, ordered(items)


def _way_in(known: Registry, kind: Kind, recipient: Agency, day: date) -> tuple[str, date | None]:
    """A link that opens nothing; those who coordinate sign in, superiors have no part."""
    if kind in _TO_DESK:
        return (f"{_PORTAL}/desk" if recipient.id == known.coordinator.id else ""), None
    return f"{_PORTAL}/a/{placeholder(1)}", day + LIFE


def _tasks(agency: Agency, language: Language) -> list[TaskItem]:
    return [
        TaskItem(what, agency.name, command.format(subject=_NUMBERED.get(kind, agency.id)))
        for kind, (what, command) in words(language).tasks.items()
    ]


def _shown(known: Registry) -> tuple[Agency, list[PlacedClause]]:
    """An agency, one with a superior of its own if there is, and the firm clauses it reports on."""
    clauses = sorted(known.tracked, key=lambda placed: placed.clause.soft)
    agencies = [agency for placed in clauses for agency in placed.reporters]
    if not agencies:
        raise DubanError("No clause is chased, so there is nothing that a letter could say.")
    here = (None, known.coordinator.id)
    agency = next((one for one in agencies if one.superior not in here), agencies[0])
    return agency, [placed for placed in clauses if agency in placed.reporters][:MOST_ITEMS]


def _cycle(placed: PlacedClause) -> Cycle:
    cycles = placed.clause.cycles
    return next((cycle for cycle in cycles if cycle.every is not Every.ONCE), cycles[0])


def _period(placed: PlacedClause) -> Period:
    return period_of(_cycle(placed).every, placed.notice.issued).next


def _recipient(known: Registry, kind: Kind, agency: Agency, placed: PlacedClause) -> Agency:
    match kind:
        case Kind.TASKS:
            return known.coordinator
        case Kind.ESCALATE:
            return known.agencies[agency.superior] if agency.superior else known.coordinator
        case Kind.COPY:
            return next(iter(placed.copied.get(agency.id, ())), known.coordinator)
        case _:
            return agency


def _item(n: int, head: LetterHead, agency: Agency, placed: PlacedClause) -> Item:
    cycle, period = _cycle(placed), _period(placed)
    due_on = cycle.due_on(period)
    late = max((head.day - due_on).days, 0)
    language: Language = "en" if head.language == "en" else "zh"
    return Item(
        duty_id=n,
        clause=placed.clause,
        notice=placed.notice.model_copy(update={"language": language}),
        agency=agency.name,
        period=period.name,
        due_on=due_on,
        cut_off=cycle.cut_off,
        late_days=late,
        reason=_REASONS[language].get(head.kind, ""),
        said_on=(head.day - 2 * WEEK, head.day - WEEK) if late else (),
        telephone=agency.contact.telephone,
        handed=_handed(n, head) if head.kind is Kind.RECEIPT else None,
        answered=_answered(n, head, due_on) if head.kind is Kind.ANSWER else None,
    )


def _handed(n: int, head: LetterHead) -> Handed:
    return Handed(f"{head.day:%Y%m%d}-{n}-3F9A2C", n, head.written_at, on_time=True)


def _answered(n: int, head: LetterHead, due_on: date) -> Answered:
    """More time first, then that the duty is none of the agency's."""
    return Answered(head.day - WEEK, due_on + WEEK if n == 1 else None, granted=False)


COMMANDS = (letter,)
