"""Commands on the chase: why it speaks, what it plans and achieved; silence, calls, approval."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Any

import pendulum
import typer

from duban.cli.common import (
    By,
    DutyName,
    Json,
    ReasonText,
    civil_day,
    console,
    find_agency,
    find_clause,
    find_duty,
    office,
    table,
)
from duban.errors import DubanError
from duban.ladder import ENDLESS, Kind, Occurrence, Reason
from duban.ledger import Ledger, approvals, holds
from duban.ledger.effect import effect as effect_of
from duban.ledger.explain import Explained
from duban.ledger.explain import explain as explain_duty
from duban.ledger.pausing import pauses
from duban.ledger.questions import DutyView
from duban.ledger.tables import Hold
from duban.ledger.tasks import open_tasks
from duban.office import Office
from duban.plan import PlannedDay
from duban.plan import plan as plan_days
from duban.registry import Registry
from duban.registry.files import read_files
from duban.words import Words, rung_words, until_words, words

Duties = Annotated[list[str] | None, typer.Argument(metavar="DUTY…", help="Their numbers.")]
MOST_DAYS = 370


def explain(
    duty: DutyName,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day; today unless given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what the chase decides about a duty on a day, and why.

    A day behind is told as that morning saw it; a day ahead as it will be if nothing comes.
    """
    here = office()
    found = find_duty(here, duty)
    now = pendulum.now("UTC")
    day = civil_day(on) if on else now.astimezone(found.notice.zone).date()
    told = explain_duty(here.ledger, found.id, day, now)
    if as_json:
        typer.echo(json.dumps(_explained(told), ensure_ascii=False, indent=2))
        return
    w = words(found.notice.language)
    for label, value in _lines(here.ledger.registry, found, told, w):
        typer.echo(f"{label}{w.labels['colon']}{value}")


def _lines(
    registry: Registry, duty: DutyView, told: Explained, w: Words
) -> Iterable[tuple[str, str]]:
    chased, step = told.facts.chased, told.step
    ladder = told.facts.ladder
    yield w.labels["duty"], f"{duty.id}  {duty.number} {duty.clause.title}  {duty.agency.name}"
    yield w.labels["day"], f"{told.day}{w.labels['foreseen'] if told.foreseen else ''}"
    awaits = _awaits(told, w)
    silent = step.reason is Reason.PROPOSED and step.propose is None
    yield w.labels["decision"], (silent and awaits) or w.reasons[step.reason]
    for label, one in (("speaks", step.speak), ("proposes", step.propose)):
        if one:
            yield w.labels[label], _occurrence(one, w)
    for one in step.superseded:
        yield w.labels["superseded"], _occurrence(one, w)
    next_on = str(step.next_on or "")
    ahead = w.join.join(filter(None, (next_on, awaits)))
    yield w.labels["next_look"], ahead or w.labels["not_by_date"]
    yield w.labels["due"], str(chased.due_on)
    yield w.labels["told"], str(chased.told_on or w.labels["not_yet"])
    yield w.labels["spoken"], _spoken(chased.spoken, w)
    if chased.held_until:
        yield w.labels["held_until"], until_words(w, chased.held_until)
    yield w.labels["ladder"], f"{ladder.name} {ladder.note}".strip()
    for one in told.said:
        name = registry.name_of(one.recipient)
        state = w.letter_states.get(one.state, one.state)
        yield w.labels["said"], f"{one.rung}#{one.n} → {name} {state}"


def _awaits(told: Explained, w: Words) -> str:
    rung = told.facts.awaiting
    return w.card["awaits"].format(rung=rung_words(rung, w)) if rung else ""


def _occurrence(one: Occurrence, w: Words) -> str:
    return f"{rung_words(one.rung, w)} ({one.rung.name}#{one.n}, {one.day})"


def _spoken(spoken: Any, w: Words) -> str:
    told = [f"{name} {day}" for name, day in sorted(spoken.items(), key=lambda one: one[1])]
    return w.join.join(told) or w.labels["nothing"]


def _explained(told: Explained) -> dict[str, Any]:
    step, chased = told.step, told.facts.chased

    def plain(one: Occurrence | None) -> dict[str, Any] | None:
        return one and {
            "rung": one.rung.name,
            "kind": one.rung.kind.value,
            "n": one.n,
            "day": one.day.isoformat(),
        }

    return {
        "duty": told.facts.id,
        "day": told.day.isoformat(),
        "foreseen": told.foreseen,
        "reason": step.reason.value,
        "speaks": plain(step.speak),
        "proposes": plain(step.propose),
        "awaiting": chased.awaiting or None,
        "superseded": [plain(one) for one in step.superseded],
        "next_look": step.next_on and step.next_on.isoformat(),
        "ladder": told.facts.ladder.name,
        "due_on": chased.due_on.isoformat(),
        "told_on": chased.told_on and chased.told_on.isoformat(),
        "held_until": chased.held_until and chased.held_until.isoformat(),
        "spoken": {name: day.isoformat() for name, day in chased.spoken.items()},
        "said": [asdict(one) for one in told.said],
    }


def plan(
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Today unless given.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="30 days on unless given.")
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="As if the files of the folder were applied already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Preview what will open and which letters would go to whom on which day; touches nothing.

    It runs the coming days on a copy, as if no evidence came and nothing were approved.
    """
    here = office()
    begin, end = _bounds(here, first, last)
    ledger = _as_filed(here) if files else here.ledger
    found = plan_days(ledger, begin, end, pendulum.now("UTC"))
    if as_json:
        days = [asdict(one) for one in found]
        typer.echo(json.dumps(days, ensure_ascii=False, indent=2, default=str))
        return
    print_plan(ledger.registry, found)


def _as_filed(here: Office) -> Ledger:
    """The ledger under the files of the folder."""
    registry, _ = read_files(here.settings.agencies, here.settings.notices)
    return Ledger(here.ledger.engine, registry)


def _bounds(here: Office, first: str | None, last: str | None) -> tuple[date, date]:
    today = here.ledger.registry.today(pendulum.now("UTC"))
    begin = civil_day(first) if first else today
    end = civil_day(last) if last else begin + timedelta(days=30)
    if begin < today:
        raise DubanError(f"A plan looks ahead; --from must not lie before today, {today}.")
    if end < begin or end - today > timedelta(days=MOST_DAYS):
        raise DubanError(f"--to must lie between {begin} and {MOST_DAYS} days from today.")
    return begin, end


def print_plan(registry: Registry, days: Iterable[PlannedDay]) -> int:
    """Prints each day as it is found, with its letters by kind; returns how many letters."""
    w = words(registry.language)
    letters = 0
    for one in days:
        letters += len(one.letters)
        typer.echo(_day_line(one, w))
        for name, kinds in _by_recipient(one, w):
            typer.echo(f"    {name}  {kinds}")
    typer.echo(w.labels["plan_total"].format(n=letters))
    return letters


def _day_line(one: PlannedDay, w: Words) -> str:
    counts = [
        w.labels[label].format(n=n)
        for label, n in (
            ("plan_opens", one.opens),
            ("plan_letters", len(one.letters)),
            ("plan_proposed", one.proposed),
        )
        if n
    ]
    return f"{one.day}  {w.join.join(counts)}"


def _by_recipient(one: PlannedDay, w: Words) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for letter in one.letters:
        kind = w.kinds[letter.kind]
        found.setdefault(letter.name, []).append(f"{kind}({letter.duties}) {letter.channel}")
    return [(name, w.join.join(kinds)) for name, kinds in found.items()]


def effect(
    by: Annotated[
        str, typer.Option("--by", metavar="rung|agency", help="What to sum by.")
    ] = "rung",
    as_json: Json = False,
) -> None:
    """Show after which rung evidence came, how often and how soon."""
    if by not in ("rung", "agency"):
        raise DubanError(f"'{by}' is nothing to sum by; write rung or agency.")
    here = office()
    found = effect_of(here.ledger, by=by)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    w = words(here.ledger.registry.language)
    shown = table(w, by, "effect_spoken", "effect_answered", "effect_share", "effect_days")
    for one in found:
        days = "·" if one.median_days is None else f"{one.median_days:g}"
        name = _effect_name(here.ledger.registry, one.name)
        shown.add_row(name, str(one.spoken), str(one.answered), f"{one.share:.0f}%", days)
    console().print(shown)
    typer.echo(w.labels["effect_note"])


def _effect_name(registry: Registry, name: str) -> str:
    w = words(registry.language)
    return w.kinds[Kind(name)] if name in set(Kind) else registry.name_of(name)


def hold(
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last silent day.")],
    reason: ReasonText,
    by: By,
    agency: Annotated[str | None, typer.Option(help="Silence towards this agency.")] = None,
    clause: Annotated[str | None, typer.Option(help="Silence about this clause.")] = None,
) -> None:
    """Be silent towards an agency, or about a clause, until a day; both: where they meet."""
    here = office()
    registry = here.ledger.registry
    number = holds.hold(
        here.ledger,
        agency=find_agency(registry, agency).id if agency else None,
        clause=find_clause(registry, clause).key if clause else None,
        until=civil_day(until),
        reason=reason,
        by=by,
        now=pendulum.now("UTC"),
    )
    typer.echo(f"Hold {number} is in force until {until}; `duban release {number}` ends it.")


def release(
    number: Annotated[int, typer.Argument(metavar="HOLD", help="Its number.")], by: By
) -> None:
    """End a hold before its day."""
    ledger = office().ledger
    paused = number in pauses(ledger).held.values()
    holds.release(ledger, number, by=by, now=pendulum.now("UTC"))
    typer.echo(f"Hold {number} is released; the next chase says what is due.")
    if paused:
        typer.echo("It came from a pause in Prefect; `duban up` resumes the clause there too.")


def holds_command(as_json: Json = False) -> None:
    """List the holds that are in force."""
    here = office()
    found = holds.holds_in_force(here.ledger, pendulum.now("UTC"))
    if as_json:
        typer.echo(json.dumps([_hold(one) for one in found], ensure_ascii=False, indent=2))
        return
    w = words(here.ledger.registry.language)
    for one in found:
        row = {**_hold(one), "until": until_words(w, one.until)}
        typer.echo("  ".join(str(value) for value in row.values() if value))
    typer.echo(f"{len(found)} hold(s) in force.")


def _hold(one: Hold) -> dict[str, object]:
    """For programs; `until` is null where only somebody ends it."""
    return {
        "hold": one.id,
        "agency": one.agency,
        "clause": one.clause,
        "until": None if one.until == ENDLESS else one.until.isoformat(),
        "reason": one.reason,
        "by": one.made_by,
    }


holds_command.__name__ = "holds"


def call(
    duty: DutyName,
    said: Annotated[str, typer.Option("--said", help="With whom, and what was agreed.")],
    by: By,
) -> None:
    """Record a telephone call; the rung whose turn it was counts as spoken."""
    here = office()
    found = find_duty(here, duty)
    rung = approvals.call(here.ledger, found.id, said=said, by=by, now=pendulum.now("UTC"))
    w = words(found.notice.language)
    typer.echo(f"The call about duty {found.id} is recorded as {w.kinds.get(rung, rung)}.")  # pyright: ignore[reportArgumentType, reportCallIssue]


def proposals(as_json: Json = False) -> None:
    """List the formal letters that await a coordinator's approval."""
    here = office()
    found = approvals.proposals(here.ledger)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, default=str))
        return
    registry = here.ledger.registry
    for one in found:
        rung = registry.ladder(one.clause, one.agency).rung(one.rung)
        w = words(registry.language)
        name = (rung.title or w.kinds[rung.kind]) if rung else one.rung
        placed = registry.clauses.get(one.clause)
        title = f"{placed.number} {placed.clause.title}" if placed else one.clause
        typer.echo(f"{one.duty_id}  {name}  {registry.name_of(one.agency)}  {title}  {one.day}")
    typer.echo(f"{len(found)} await approval: `duban approve DUTY… --by NAME`, or `--all`.")


def approve(
    by: By,
    duty: Duties = None,
    every: Annotated[bool, typer.Option("--all", help="All that await approval.")] = False,
) -> None:
    """Send the formal letters proposed for these duties."""
    here = office()
    ids = _chosen(here, duty, every)
    count = approvals.approve(here.ledger, ids, by=by, now=pendulum.now("UTC"))
    typer.echo(f"{count} approved; the next delivery sends them.")


def decline(
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Why not; noted.")] = "",
    duty: Duties = None,
    every: Annotated[bool, typer.Option("--all", help="All that await approval.")] = False,
) -> None:
    """Stop the formal letters proposed for these duties; the ladder goes on."""
    here = office()
    ids = _chosen(here, duty, every)
    count = approvals.decline(here.ledger, ids, reason=reason, by=by, now=pendulum.now("UTC"))
    typer.echo(f"{count} declined.")


def _chosen(here: Office, named: Sequence[str] | None, every: bool) -> list[int]:
    if every and not named:
        return sorted(one.duty_id for one in approvals.proposals(here.ledger))
    if not named or every:
        raise DubanError("Name the duties, or write --all.")
    return [find_duty(here, one).id for one in named]


def tasks(as_json: Json = False) -> None:
    """List what only a coordinator can do: addresses, undelivered letters, approvals."""
    here = office()
    found = open_tasks(here.ledger)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, default=str))
        return
    for one in found:
        typer.echo(f"{one.what}  {one.about}  {one.command}")
    typer.echo(f"{len(found)} open task(s).")


COMMANDS = (
    explain,
    plan,
    effect,
    hold,
    release,
    holds_command,
    call,
    proposals,
    approve,
    decline,
    tasks,
)
