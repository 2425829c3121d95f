"""How official papers are numbered, and which letters carry one, as agencies.yaml writes it.

No rule gives a supervision office its series; these are the office's own choice.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from duban.registry.clauses import Notice, Strict

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
"""The media type of a paper."""


class PaperKind(StrEnum):
    """Kinds of official papers."""

    SLIP = "slip"  # 督办单, at 立项交办
    CHASE = "chase"  # 催办函
    FORMAL = "formal"  # 督办函
    CIRCULAR = "circular"  # 通报
    EXTENSION = "extension"  # 延期复函
    REFUSAL = "refusal"  # 不予延期复函


_SERIES = {
    "zh": {
        PaperKind.SLIP: "督办",
        PaperKind.CHASE: "督催",
        PaperKind.FORMAL: "督函",
        PaperKind.CIRCULAR: "督通",
        PaperKind.EXTENSION: "督复",
        PaperKind.REFUSAL: "督复",
    },
    "en": {
        PaperKind.SLIP: "Supervision Slip",
        PaperKind.CHASE: "Reminder",
        PaperKind.FORMAL: "Supervision Letter",
        PaperKind.CIRCULAR: "Circular",
        PaperKind.EXTENSION: "Decision",
        PaperKind.REFUSAL: "Decision",
    },
}


def _plain(text: str) -> str:
    if not text.isprintable() or set(text) & set("〔〕/\\"):
        raise ValueError(f"'{text}' cannot begin a document number; leave out 〔〕 and slashes")
    return text


Plain = Annotated[str, Field(max_length=30), AfterValidator(_plain)]
Series = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_plain)]


class PapersFile(Strict):
    """The part `papers` of agencies.yaml.

    `prefix` is the office's sign in every number (机关代字), the notice's own unless given;
    `series` what stands before the year instead, by kind. `attach` names the kinds that are made.
    """

    prefix: Plain | None = None
    series: dict[PaperKind, Series] = {}
    attach: tuple[PaperKind, ...] = tuple(PaperKind)

    def series_of(self, kind: PaperKind, notice: Notice) -> str:
        """What stands before the year in a paper's number: 晋教督办 in 晋教督办〔2026〕12号."""
        if kind in self.series:
            return self.series[kind]
        sign, found, _ = notice.number.partition("〔")
        prefix = self.prefix if self.prefix is not None else sign if found else ""
        gap = " " if notice.language == "en" and prefix else ""
        return f"{prefix}{gap}{_SERIES[notice.language][kind]}"[:60]
