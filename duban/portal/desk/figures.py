"""Evidence as a reviewer reads it: against the target, and against what was reported before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from duban.registry import Clause
from duban.registry.evidence import EvidenceField, FilesField, IntegerField, RatioField, UrlField


@dataclass(frozen=True, slots=True)
class Figure:
    """A field that was filled in, or left out.

    Attributes:
        share: of a ratio, in per cent.
        target: the per cent that the clause asks for, where it asks for any.
        met: whether the share reaches it.
        earlier: what the field said in the evidence it is compared with.
        change: the difference, of counts and of shares (in percentage points).
        address: where a web address leads.
        hidden: whether something in it is not shown.
    """

    key: str
    label: str
    value: str
    share: str = ""
    target: str = ""
    met: bool = True
    earlier: str = ""
    change: str = ""
    address: str = ""
    hidden: bool = False


def figures(
    clause: Clause,
    given: Mapping[str, Any],
    earlier: Mapping[str, Any] | None = None,
    *,
    mask: Callable[[str], str] | None = None,
) -> list[Figure]:
    """The typed fields of a clause in their order, without its files.

    Args:
        earlier: the evidence that it is compared with.
        mask: what is made of a text that must not be shown as it is.
    """
    fields = [field for field in clause.evidence if not isinstance(field, FilesField)]
    return [_figure(clause, field, given, earlier or {}, mask) for field in fields]


def _figure(
    clause: Clause,
    field: EvidenceField,
    given: Mapping[str, Any],
    earlier: Mapping[str, Any],
    mask: Callable[[str], str] | None,
) -> Figure:
    plain, before = (_written(field, values.get(field.key)) for values in (given, earlier))
    value = mask(plain) if mask else plain
    target = _target(clause, field)
    ratio = field if isinstance(field, RatioField) and plain else None
    share = ratio.percent(given) if ratio else 0.0
    return Figure(
        key=field.key,
        label=field.label,
        value=value,
        share=f"{share:.1f}%" if ratio else "",
        target=f"{target:g}%" if target is not None else "",
        met=target is None or share >= target,
        earlier=mask(before) if mask else before,
        change=_change(field, given, earlier) if plain and before else "",
        address=plain if isinstance(field, UrlField) and value == plain else "",
        hidden=value != plain,
    )


def _written(field: EvidenceField, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(field, RatioField):
        return f"{value[0]}/{value[1]}"
    unit = field.unit if isinstance(field, IntegerField) else ""
    return f"{value} {unit}".strip()


def _target(clause: Clause, field: EvidenceField) -> float | None:
    wanted = clause.target
    return wanted.at_least if wanted and wanted.field == field.key else None


def _change(field: EvidenceField, given: Mapping[str, Any], earlier: Mapping[str, Any]) -> str:
    if isinstance(field, IntegerField):
        return f"{given[field.key] - earlier[field.key]:+d}"
    if isinstance(field, RatioField):
        return f"{field.percent(given) - field.percent(earlier):+.1f}%"
    return ""
