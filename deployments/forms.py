"""The acts of coordinators as deployments, each with a form for the Prefect UI.

The form is Prefect's own, made from the flow's types; here it gets its titles, and drop-downs of
what there is. Optional fields are left out when they are empty, since the form of Prefect 3.8.8
shows `T | None` as a switch between two types.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from prefect import Flow
from prefect.utilities.callables import parameter_schema

from duban.forms import FormWords, form_words
from duban.registry import Registry
from duban.settings import Decisions
from duban.words import words
from flows.acting import PORTAL_ONLY
from flows.call import call
from flows.export import export
from flows.extend import extend
from flows.hold import hold
from flows.open_period import open_period
from flows.rebuild_mirror import rebuild_mirror
from flows.rehearse import rehearse
from flows.release import release
from flows.reopen import reopen
from flows.report import report
from flows.review import review
from flows.send_again import send_again
from flows.waive import waive
from tasks.acts import offered_clauses

Schema = dict[str, Any]

ACTS: tuple[Flow[..., Any], ...] = (
    review,
    extend,
    waive,
    reopen,
    call,
    send_again,
    hold,
    release,
    open_period,
    rehearse,
    report,
    export,
    rebuild_mirror,
)

NO_NUMBERS = r"^(?![\s\S]*\d{11})"
"""Keeps mobile and identity numbers out of what Prefect stores of a run."""

_FREE = frozenset({"reason", "said"})


def acts_offered(decisions: Decisions) -> Iterable[Flow[..., Any]]:
    """The acts that the Prefect UI offers under the setting."""
    return (one for one in ACTS if decisions == "anywhere" or one.name not in PORTAL_ONLY)


def form_name(flow: Flow[..., Any], registry: Registry) -> str:
    """The name of the act's deployment, which sorts after the clauses'."""
    f = form_words(registry.language)
    return f.name.format(title=f.forms[flow.name].title)


def form_text(flow: Flow[..., Any], registry: Registry) -> str:
    """What the act does and how to undo it, in Markdown."""
    return form_words(registry.language).forms[flow.name].text


def form_schema(flow: Flow[..., Any], registry: Registry) -> Schema:
    """The schema of the act's form, with drop-downs of what there is."""
    f = form_words(registry.language)
    return schema_of(flow, f, _offered(f, registry))


def schema_of(
    flow: Flow[..., Any], f: FormWords, offered: Mapping[str, Sequence[str]] | None = None
) -> Schema:
    """The schema of a flow's form with its titles.

    Args:
        offered: what drop-downs show, by the field's name.
    """
    schema: Schema = parameter_schema(flow.fn).model_dump(mode="json")
    fields = cast("dict[str, Schema]", schema["properties"])
    schema["properties"] = {
        name: _field(flow.name, name, _plain(made), f, offered or {})
        for name, made in fields.items()
    }
    return schema


def _plain(made: Schema) -> Schema:
    """One type in place of `T | None`; what may be left out has no default that is nothing."""
    options = cast("list[Schema]", made.get("anyOf", []))
    nothing: Schema = {}
    typed = next((one for one in options if one.get("type") != "null"), nothing)
    kept = {key: value for key, value in made.items() if key != "anyOf"}
    if kept.get("default") in (None, "", []):
        kept.pop("default", None)
    return {**typed, **kept}


def _field(
    act: str, name: str, made: Schema, f: FormWords, offered: Mapping[str, Sequence[str]]
) -> Schema:
    told = f.field(act, name)
    schema = {**made, "title": told.title, "description": told.hint} if told else made
    choices = offered.get(name)
    if choices and made["type"] == "array":
        return {**schema, "items": {"type": "string", "enum": list(choices)}}
    if choices:
        return {**schema, "enum": list(choices)}
    return {**schema, "pattern": NO_NUMBERS} if name in _FREE else schema


def _offered(f: FormWords, registry: Registry) -> dict[str, Sequence[str]]:
    """What the drop-downs show, by the field's name."""
    return {
        "decision": [f.choices["accept"], f.choices["return"]],
        "kind": [f.choices["waive"], f.choices["not-applicable"]],
        "codes": list(words(registry.language).returns.values()),
        "agency": sorted(agency.name for agency in registry.agencies.values()),
        "clause": list(offered_clauses(registry)),
    }
