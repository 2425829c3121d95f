"""Commands on the files: check and trace. They change no ledger."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from duban.cli.common import Json, console, registry
from duban.ledger.applied import digest_at
from duban.office import DIFFERS, has_ledger
from duban.registry import LoadedNotice, Registry
from duban.registry.files import digest_of, read_files
from duban.settings import load_settings
from duban.trace import Sentence, trace


def check(
    names: Annotated[
        bool, typer.Option("--names", help="Name every agency that cannot be reached.")
    ] = False,
) -> None:
    """Check agencies.yaml and every notice; tell who cannot be reached, and if edits wait."""
    settings = load_settings()
    found, texts = read_files(settings.agencies, settings.notices)
    tracked = found.tracked
    typer.echo(
        f"{len(found.notices)} notice(s), {len(found.clauses)} clauses ({len(tracked)} tracked), "
        f"{len(found.agencies)} agencies: all sound."
    )
    unreachable = found.unreachable
    if unreachable:
        typer.echo(
            f"{len(unreachable)} agencies have no address, so their letters stay in the drop "
            "folder; give them a contact in agencies.yaml:"
        )
        for region, unnamed in _by_region(found).items():
            typer.echo(f"  {region}: {', '.join(unnamed) if names else len(unnamed)}")
        if not names:
            typer.echo("`duban check --names` names them.")
    known = digest_at(settings.ledger_url) if has_ledger(settings) else ""
    if known and known != digest_of(texts):
        typer.echo(DIFFERS)


def _by_region(found: Registry) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for agency in found.unreachable:
        names.setdefault(agency.region_name, []).append(agency.name)
    return names


def trace_command(as_json: Json = False) -> None:
    """Show the notice sentence by sentence with the clauses that cover it.

    Exits with 1 when words are left that no quote covers and not_directive does not name.
    """
    found = registry()
    traced = {one.id: trace(one.text, one.file) for one in found.notices.values()}
    if as_json:
        plain = {name: [asdict(s) for s in sentences] for name, sentences in traced.items()}
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        for notice in found.notices.values():
            _print(notice, traced[notice.id])
    if any(sentence.uncovered for sentences in traced.values() for sentence in sentences):
        raise typer.Exit(1)


trace_command.__name__ = "trace"


def _print(notice: LoadedNotice, sentences: list[Sentence]) -> None:
    head = notice.file.notice
    table = Table(title=f"{head.number} {head.label}", show_lines=True, title_justify="left")
    table.add_column("clauses", width=14)
    table.add_column("sentence")
    for sentence in sentences:
        table.add_row(_cover(sentence), _marked(sentence))
    console().print(table)
    uncovered = [sentence for sentence in sentences if sentence.uncovered]
    quotes = sum(len(sentence.clauses) for sentence in sentences)
    typer.echo(
        f"{len(sentences)} sentences, {len(notice.file.clauses)} clauses in {quotes} places, "
        f"{len(uncovered)} directive sentences without a clause, wholly or in part."
    )
    if uncovered:
        typer.echo("Give each a clause in clauses.yaml, or name it under not_directive.")


def _cover(sentence: Sentence) -> str:
    if sentence.clauses:
        left = " [bold red]+?[/bold red]" if sentence.uncovered else ""
        return escape(" ".join(sentence.clauses)) + left
    if sentence.not_directive:
        return f"[dim]({sentence.not_directive})[/dim]"
    return "[bold red]NONE[/bold red]"


def _marked(sentence: Sentence) -> str:
    """The sentence with the words that nothing covers in red."""
    text = escape(sentence.text)
    if not sentence.clauses:
        return f"[dim]{text}[/dim]" if sentence.not_directive else text
    for words in sentence.rest:
        text = text.replace(escape(words), f"[bold red]{escape(words)}[/bold red]", 1)
    return text


COMMANDS = (check, trace_command)
