"""Looks at what people upload before anyone else does.

`first_look` judges name and first bytes while the upload arrives; an `Inspector` then reads the
stored file in a limited process of its own and says what may be kept. A picture is kept as bare
pixels, a document as it came. The parsers are never loaded here.
"""

from duban.intake.inspection import inspect
from duban.intake.inspector import CannotInspect, Inspector
from duban.intake.kinds import first_look
from duban.intake.likeness import near
from duban.intake.limits import Limits
from duban.intake.names import clean_name, content_disposition, kept_name
from duban.intake.personal import HIDDEN, hide, masked, suspects
from duban.intake.verdict import MAX_BYTES, Refusal, Verdict

__all__ = [
    "HIDDEN",
    "MAX_BYTES",
    "CannotInspect",
    "Inspector",
    "Limits",
    "Refusal",
    "Verdict",
    "clean_name",
    "content_disposition",
    "first_look",
    "hide",
    "inspect",
    "kept_name",
    "masked",
    "near",
    "suspects",
]
