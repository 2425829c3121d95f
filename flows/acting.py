"""What the flows that act for a coordinator share: the fields of their forms, and how runs end.

Trigger of all of them: a person fills in the form of their deployment in the Prefect UI. A run is
carried out once: one that is retried says so and does nothing. It ends COMPLETED with what was
done, or FAILED with why nothing was.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import signature
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, validate_call
from pydantic import ValidationError as Unfit
from pydantic_core import ErrorDetails, PydanticCustomError

from duban.errors import DubanError
from duban.forms import RETURNS, FormWords, code_of, form_words
from duban.intake import hide, suspects
from duban.ledger.questions import duties
from tasks.acts import Told, name_of
from tasks.work import office

PORTAL_ONLY = frozenset({"review", "extend", "waive", "reopen"})
"""What is left to the portal where the setting `decisions` says so."""

MOST_TEXT = 500


def _known(code: str) -> str:
    if code not in RETURNS:
        raise ValueError(code)
    return code


def _no_person(text: str) -> str:
    if suspects(text):
        raise PydanticCustomError("personal", "personal data")
    return text


def _text(least: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=MOST_TEXT)


Number = Annotated[int, Field(ge=1, lt=2**53)]
NobodysData = AfterValidator(_no_person)
"""Refuses personal data by itself, as the check of the form can be switched off and sees less."""
StaffCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z\-]{2,20}$"),
    NobodysData,
]
Reason = Annotated[str, _text(2), NobodysData]
Remark = Annotated[str, _text(0), NobodysData]
Chosen = Annotated[str, StringConstraints(max_length=200), NobodysData]
"""What a drop-down offers from agencies.yaml or the notices."""
Decision = Annotated[Literal["accept", "return"], BeforeValidator(code_of)]
Closing = Annotated[Literal["waive", "not-applicable"], BeforeValidator(code_of)]
ReturnCode = Annotated[str, BeforeValidator(code_of), AfterValidator(_known)]
Days = Annotated[int, Field(ge=1, le=60)]


def acting(
    act: str,
) -> Callable[[Callable[..., Awaitable[Told]]], Callable[..., Awaitable[State[Any]]]]:
    """Makes a flow of a function that acts: its fields are checked, its run ends as it is told."""

    def decorate(does: Callable[..., Awaitable[Told]]) -> Callable[..., Awaitable[State[Any]]]:
        checked, names = validate_call(does), list(signature(does).parameters)

        @wraps(does)
        async def carry_out(*given: Any, **fields: Any) -> State[Any]:
            named = dict(zip(names, given, strict=False))  # so that a fault names its field
            await _blot_out()
            try:
                _may_act(act)
                told = await checked(**named, **fields)
            except Unfit as error:
                told = _refused(_sentence(act, error.errors(include_input=False)[0]))
            except DubanError as error:
                told = _refused(str(error))
            return await _ended(told)

        return carry_out

    return decorate


def named(act: str) -> Callable[[], str]:
    """Names a run by its act and what it is about."""

    def name() -> str:
        try:
            return f"{_words().forms[act].title} · {_about(_given())}".rstrip(" ·")
        except DubanError:  # the run itself says what is wrong
            return act

    return name


def _given() -> dict[str, Any]:
    """What was put into the form of this run."""
    return flow_run.parameters or {}


async def _blot_out() -> None:
    """Hides personal data in what Prefect keeps of the form, where that let it through."""
    given = _given()
    clean = nobodys(given)
    if clean != given:
        async with get_client() as client:
            await client.update_flow_run(UUID(flow_run.id), parameters=clean)


def nobodys(given: Any) -> Any:
    """The same without personal data, however it lies within."""
    if isinstance(given, str):
        return hide(given)
    if isinstance(given, dict):
        fields = cast("dict[str, Any]", given)
        return {name: nobodys(one) for name, one in fields.items()}
    return [nobodys(one) for one in cast("list[Any]", given)] if isinstance(given, list) else given


def _about(fields: dict[str, Any]) -> str:
    number = fields.get("duty")
    found = duties(office().ledger, ids=[number]) if isinstance(number, int) else []
    if found:
        return f"#{number} {name_of(found[0])}"
    given = (fields.get(name) for name in ("duty", "letter", "hold", "agency", "clause", "day"))
    return " ".join(hide(str(one))[:60] for one in given if one)


def _words() -> FormWords:
    return form_words(office().ledger.registry.language)


def _may_act(act: str) -> None:
    """Raises DubanError for a run that was started before, and where only the portal decides."""
    if (flow_run.run_count or 0) > 1:
        raise DubanError(_words().faults["again"])
    settings = office().settings
    if act in PORTAL_ONLY and settings.decisions == "portal":
        number = _given().get("duty", "")
        page = f"{settings.portal}/desk/{'review' if act == 'review' else 'duties'}/{number}"
        title = _words().forms[act].title
        raise DubanError(_words().faults["portal"].format(act=title, page=page))


def _sentence(act: str, fault: ErrorDetails) -> str:
    """What is wrong with one field of a form that was filled in past the form's own checks."""
    f = _words()
    name = str(fault["loc"][0]) if fault["loc"] else ""
    about = f.field(act, name)
    if about is None:
        return f.faults["unfit"].format(title=name, hint=fault["msg"])
    kind = "missing" if fault["type"].startswith("missing") else fault["type"]
    told = f.faults[kind if kind in ("missing", "personal") else "unfit"]
    return told.format(title=about.title, hint=about.hint)


def _refused(sentence: str) -> Told:
    return Told(False, _words().refused, sentence)


async def _ended(told: Told) -> State[Any]:
    """The run's last state, with its sentence in the log and on a card that leads on."""
    log = get_run_logger()
    (log.info if told.done else log.error)(told.sentence)
    lines = [f"**{told.name}**", told.sentence]
    lines += [f"[{said}]({address})" for said, address in told.links.items()]
    for sheet in told.sheets:
        said = {"key": sheet.key, "description": sheet.description}
        await acreate_markdown_artifact(sheet.markdown, **said)
    if told.rows:
        table = [dict(row) for row in told.rows]
        await acreate_table_artifact(table, key="rehearsal", description=told.sentence)
    else:
        await acreate_markdown_artifact("\n\n".join(lines), key="acts", description=told.sentence)
    type = StateType.COMPLETED if told.done else StateType.FAILED
    return State(type=type, name=told.name, message=told.sentence)
