"""What an inspection says of a file, and the figures it goes by."""

from dataclasses import dataclass
from enum import StrEnum

MAX_BYTES = 20 * 2**20
MAX_INFLATED = 200 * 2**20
MAX_ENTRIES = 2_000
MAX_RATIO = 100
MAX_PIXELS = 40_000_000
MAX_PAGES = 500
PREVIEW_PAGES = 10


class Refusal(StrEnum):
    """Why a file is not taken; what the person is told is written elsewhere, per code."""

    NOT_ASKED = "not-asked"  # a kind of file that is not taken here
    WRONG_KIND = "wrong-kind"  # the content is not what the name's ending says
    EMPTY = "empty"
    TOO_BIG = "too-big"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    OLD_FORMAT = "old-format"  # .doc, .xls
    MACROS = "macros"
    ACTIVE = "active"  # scripts, programs, embedded objects, DDE
    EXTERNAL = "external"  # parts fetched from elsewhere when the file is opened
    POLYGLOT = "polyglot"  # one file that is also another
    BOMB = "bomb"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_MANY_PAGES = "too-many-pages"
    TOO_HEAVY = "too-heavy"  # needed more memory than an inspection gets
    TIMED_OUT = "timed-out"


class Refused(Exception):
    """Inside the inspection: this file is not taken. The message is technical and short."""

    def __init__(self, why: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.why = why


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one inspection.

    `kind` is what is kept: jpg, png, pdf, docx or xlsx ("" when refused). HEIC and WEBP are kept
    as JPEG, since the offices that read them cannot open them. `sha256` and `size` (bytes) are of
    what is kept. `picture_hash` is 64 hex digits, see `near`, or empty. `pages` counts previews.
    `detail` never quotes the file.
    """

    kind: str = ""
    refused: str = ""
    detail: str = ""
    sha256: str = ""
    size: int = 0
    picture_hash: str = ""
    pages: int = 0
    suspect: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What one of the parsers found in a file that it takes."""

    kind: str
    text: str = ""
    picture_hash: str = ""
    pages: int = 0
