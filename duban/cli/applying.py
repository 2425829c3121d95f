"""Commands that put edited files in force: apply shows first what that does; applied lists."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from duban.cli.common import AsOf, By, Json, console, moment, office
from duban.errors import DubanError
from duban.ledger.amending import Amendment, Changed, Close, Move
from duban.ledger.applied import Version, version, versions
from duban.ledger.applying import Orders, Proposal
from duban.ledger.database import open_database
from duban.ledger.label import label_of
from duban.registry import Registry
from duban.registry.files import Files, read_files
from duban.settings import Settings, load_settings
from duban.words import Words, words

SHOWN = 12
"""Names in a line of the plan; the rest is counted."""
MORNING = time(9)
Line: TypeAlias = tuple[str, int, Iterable[str]]
"""What it is, by its label; how many; which ones."""


def apply(
    move: Annotated[
        bool, typer.Option("--move", help="Move waiting duties to the clauses as they read now.")
    ] = False,
    close: Annotated[
        bool, typer.Option("--close", help="Close waiting duties that are gone from the files.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the history.")] = "",
    by: By = "cli",
    earlier: Annotated[
        int | None, typer.Option("--from", metavar="ID", help="Bring back what was in force then.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Put the edited files in force, after showing what that does.

    It opens what is then missing, with its letters. Duties that are open already stay as they are,
    unless --move or --close is given; those under review always do.
    """
    proposal = _proposal(load_settings(), earlier)
    if label := label_of(proposal.ledger):
        typer.echo(label, err=True)
    now = moment(as_of, proposal.after, MORNING)
    orders = Orders(by, move, close, reason.strip())
    shown = proposal.amendment(now)
    w = words(proposal.after.language)
    _print(Screen(proposal, w), shown, orders, now)
    if not shown.anything(move=move, close=close):
        typer.echo(w.amendment["nothing"])
        return
    typer.echo(w.amendment["summary"].format(**shown.counts(move=move, close=close)))
    if not dry_run:
        _confirm(yes)
        done = proposal.apply(shown, orders, now)
        typer.echo(f"Applied: {done.opened} opened, {done.moved} moved, {done.closed} closed.")


def _proposal(settings: Settings, earlier: int | None) -> Proposal:
    """The files, or those of an earlier version, against what is in force."""
    given = read_files(settings.agencies, settings.notices) if earlier is None else None
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = open_database(settings.ledger_url)
    return Proposal.of(engine, *(given or _kept(engine, earlier or 0)))


def _kept(engine: Engine, number: int) -> tuple[Registry, Files]:
    found = version(engine, number)
    return found.load(), found.files


def _confirm(yes: bool) -> None:
    if not yes and not (sys.stdin.isatty() and typer.confirm("Put this in force?")):
        raise DubanError("Nothing was applied. Add --yes to apply it after this plan.")


def _print(screen: "Screen", shown: Amendment, orders: Orders, now: datetime) -> None:
    """A line for each kind of change."""
    w = screen.words
    lines = [*screen.edited(shown), *screen.followed(shown, orders, now)]
    table = Table(header_style="bold", pad_edge=False)
    for label in ("what", "count", "which"):
        justify = "right" if label == "count" else "left"
        table.add_column(w.amendment[label], justify=justify, overflow="fold")
    for label, count, which in lines:
        table.add_row(w.amendment[label], str(count), escape(_some(which, w)))
    if lines:
        console().print(table)
        if any(label.endswith("-stay") for label, *_ in lines):
            typer.echo(w.amendment["stay"])
    elif not shown.same:
        typer.echo(w.amendment["text-only"])


def _some(which: Iterable[str], w: Words) -> str:
    """The first names, and how many there are in all."""
    names = list(which)
    told = w.join.join(names[:SHOWN])
    return f"{told} {w.amendment['more'].format(n=len(names))}" if len(names) > SHOWN else told


@dataclass(frozen=True)
class Screen:
    """Tells an amendment in the language of the first notice."""

    proposal: Proposal
    words: Words

    def edited(self, shown: Amendment) -> Iterator[Line]:
        """What differs in the files."""
        found = shown.differences
        yield from self._changed("notices", found.notices, self._notice)
        yield from self._changed("clauses", found.clauses, self._clause)
        yield from self._changed("agencies", found.agencies, self._agency)
        if found.policy:
            yield "policy", len(found.policy), map(self._part, found.policy)

    def _changed(self, what: str, found: Changed, name: Callable[[str], str]) -> Iterator[Line]:
        if found.new:
            yield f"{what}-new", len(found.new), map(name, found.new)
        if found.changed:
            label = "recipients" if what == "agencies" else f"{what}-changed"
            told = (
                name(key) + self.words.brackets.format(self.words.join.join(map(self._part, parts)))
                for key, parts in found.changed.items()
            )
            yield label, len(found.changed), told
        if found.left:
            yield f"{what}-left", len(found.left), map(name, found.left)

    def followed(self, shown: Amendment, orders: Orders, now: datetime) -> Iterator[Line]:
        """What becomes of duties."""
        stay, going = ("" if orders.move else "-stay"), ("" if orders.close else "-stay")
        if shown.opens:
            yield "opens", len(shown.opens), self._counted(one.clause for one in shown.opens)
        if shown.recounts:
            yield "recounts", len(shown.recounts), self._moves(shown.recounts)
        if shown.dates:
            yield f"moves{stay}", len(shown.dates), self._moves(shown.dates)
        if orders.move and (late := shown.late_at_once(now)):
            yield "late", late, ()
        if shown.wordings:
            clauses = (one.duty.clause for one in shown.wordings)
            yield f"rewords{stay}", len(shown.wordings), self._counted(clauses)
        if shown.closes:
            yield f"closes{going}", len(shown.closes), self._closes(shown.closes)
        if shown.untouched:
            yield "untouched", shown.untouched, ()

    def _counted(self, clauses: Iterable[str]) -> list[str]:
        return [f"{self._number(key)} ×{n}" for key, n in Counter(clauses).items()]

    def _moves(self, moves: Iterable[Move]) -> list[str]:
        found = Counter(
            (one.duty.clause, self._day(one.duty.due_at, one), self._day(one.due_at, one))
            for one in moves
        )
        return [
            f"{self._number(clause)} {was} → {due} ×{n}" for (clause, was, due), n in found.items()
        ]

    def _day(self, at: datetime, move: Move) -> str:
        return f"{at.astimezone(self._zone(move.duty.clause)):%Y-%m-%d}"

    def _zone(self, clause: str) -> ZoneInfo:
        return self.proposal.after.clauses[clause].notice.zone

    def _closes(self, closes: Iterable[Close]) -> list[str]:
        found = Counter((one.duty.clause, one.left) for one in closes)
        w = self.words
        return [
            f"{self._number(clause)} ×{n}{w.brackets.format(w.amendment[f'left-{left}'])}"
            for (clause, left), n in found.items()
        ]

    def _number(self, key: str) -> str:
        """A clause's number; with its notice where there is another of that number."""
        placed = next((one.clauses[key] for one in self._registries() if key in one.clauses), None)
        if placed is None:
            return key
        same = [one for one in self.proposal.after.clauses.values() if one.number == placed.number]
        return placed.number if len(same) <= 1 else key

    def _clause(self, key: str) -> str:
        placed = next(one.clauses[key] for one in self._registries() if key in one.clauses)
        return f"{self._number(key)} {placed.clause.title}"

    def _agency(self, key: str) -> str:
        names = [one.agencies[key].name for one in self._registries() if key in one.agencies]
        return names[0] if len(set(names)) == 1 else f"{names[1]} → {names[0]}"

    def _notice(self, key: str) -> str:
        found = next(one.notices[key] for one in self._registries() if key in one.notices)
        return f"{found.file.notice.number} {found.file.notice.label}"

    def _part(self, part: str) -> str:
        return self.words.amendment.get(f"part-{part}", part)

    def _registries(self) -> Iterator[Registry]:
        """The one to be, then the one that is."""
        yield self.proposal.after
        if self.proposal.before:
            yield self.proposal.before


def applied(as_json: Json = False) -> None:
    """List what was put in force, the newest first; `duban apply --from ID` brings one back."""
    here = office()
    found = versions(here.ledger.engine)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    registry = here.ledger.registry
    for one in found:
        at = one.at.astimezone(registry.first_notice.zone)
        told = _did(one, words(registry.language))
        typer.echo(f"{one.id}  {at:%Y-%m-%d %H:%M}  {one.by}  {one.digest[:12]}  {told}")


def _did(one: Version, w: Words) -> str:
    return w.amendment["summary"].format(**one.counts) if one.counts else w.amendment["adopted"]


COMMANDS = (apply, applied)
