"""The XML parts of a docx or xlsx: what they ask the reading program to do, and their text."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from duban.intake.verdict import Refusal, Refused

MAX_TEXT = 4_000_000
_LINKS = {"", "http", "https", "mailto", "tel", "file"}
_DDE = re.compile(r"(?<![A-Z0-9])DDE(?:AUTO)?(?![A-Z0-9])", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_CALLS = re.compile(
    r"\|\s*'|\w\|[^|!]*!|\b(?:_xlfn\.)?WEBSERVICE\s*\(|\b(?:CALL|REGISTER(?:\.ID)?|EXEC)\s*\(", re.I
)
_LIVE = {"ddeLink", "oleLink", "oleObject", "OLEObject", "altChunk"}
_COLLECTED = {"t", "v", "f", "instrText", "delInstrText"}
_MACRO_TYPES = re.compile(r"macroenabled|vbaproject|macrosheet|vbadata", re.IGNORECASE)
_LIVE_TYPES = re.compile(r"activex|oleobject|ms-office\.webextension", re.IGNORECASE)


def local(tag: str) -> str:
    """A tag without its namespace: transitional and strict files differ only there."""
    return tag.rpartition("}")[2]


class Part:
    """Receives what the parser reads of a part; the base takes any XML and keeps nothing."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element opens."""

    def end(self, tag: str) -> None:
        """An element closes."""

    def data(self, text: str) -> None:
        """Characters between tags."""

    def close(self) -> None:
        """The part is over."""


class ContentTypes(Part):
    """[Content_Types].xml, which says what each part is."""

    def __init__(self) -> None:
        self._by_part: dict[str, str] = {}
        self._by_ending: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The type of a part in lower case; "" when none is given. Names know no case here."""
        lower = name.lower()
        return self._by_part.get(lower) or self._by_ending.get(lower.rpartition(".")[2], "")

    def is_xml(self, name: str) -> bool:
        """Whether any program would read the part as XML."""
        given = self.of(name)
        return name.lower().endswith((".xml", ".vml")) or given.endswith(("+xml", "/xml"))

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Keeps the types of parts.

        Raises:
            Refused: as MACROS or ACTIVE when one of the types is a program.
        """
        given = attributes.get("ContentType", "")
        if _MACRO_TYPES.search(given):
            raise Refused(Refusal.MACROS, "a part for macros")
        if _LIVE_TYPES.search(given) and local(tag) == "Override":
            raise Refused(Refusal.ACTIVE, "a part that is a program")
        if local(tag) == "Override":
            self._by_part[attributes.get("PartName", "").lstrip("/").lower()] = given.lower()
        elif local(tag) == "Default":
            self._by_ending[attributes.get("Extension", "").lower()] = given.lower()


class Relationships(Part):
    """A .rels part: which other parts or places belong to this one.

    Nothing may be fetched from elsewhere. Hyperlinks are let through, since they act only when
    clicked: to web pages, mail addresses, telephones and local files, never to another machine's
    share.
    """

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Raises Refused as MACROS, ACTIVE or EXTERNAL."""
        if local(tag) != "Relationship":
            return
        kind = attributes.get("Type", "").rpartition("/")[2].lower()
        if kind in ("vbaproject", "xlmacrosheet", "xlintlmacrosheet"):
            raise Refused(Refusal.MACROS, "a relationship to macros")
        if kind in ("oleobject", "control", "activexcontrolbinary", "afchunk", "webextension"):
            raise Refused(Refusal.ACTIVE, f"a relationship of type {kind}")
        if attributes.get("TargetMode", "").lower() == "external":
            _check_external(kind, attributes.get("Target", ""))


def _check_external(kind: str, target: str) -> None:
    if kind != "hyperlink":
        raise Refused(Refusal.EXTERNAL, f"an external relationship of type {kind[:40]}")
    plain = target.strip().replace("\\", "/").lower()
    scheme = plain.partition(":")[0] if ":" in plain.partition("/")[0] else ""
    elsewhere = plain.startswith("//") or (scheme == "file" and _has_host(plain))
    if elsewhere or (scheme not in _LINKS and len(scheme) > 1):
        raise Refused(Refusal.EXTERNAL, "a hyperlink that is no web, mail or local address")


def _has_host(plain: str) -> bool:
    parts = urlsplit(plain)
    return bool(parts.netloc) or parts.path.startswith("//")


class Body(Part):
    """A part with content: fields and formulas are checked, text is collected in rows and cells."""

    def __init__(self, shared: list[str]) -> None:
        self.pieces: list[str] = []
        self.shared = shared
        self._size = 0
        self._inside = ""
        self._field: list[str] = []
        self._formula: list[str] = []
        self._value: list[str] = []
        self._type = ""
        self._cells = 0
        self._closers: dict[str, Callable[[], None]] = {
            "p": self._close_paragraph,
            "tc": self._close_cell,
            "tr": self._close_row,
            "c": self._close_value,
            "f": self._close_formula,
            "row": self._close_row,
            "si": self._close_shared,
            "tab": lambda: self._add("\t"),
        }

    @property
    def text(self) -> str:
        """What a reader would see, a line per paragraph or row, a tab between cells."""
        return "".join(self.pieces)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Raises Refused as ACTIVE at an element that runs something."""
        name = local(tag)
        if name in _LIVE:
            raise Refused(Refusal.ACTIVE, f"an element {name}")
        if name in _COLLECTED:
            self._inside = name
        elif name == "c":
            self._type = attributes.get("t", "")
        elif name == "tc":
            self._cells += 1
        elif name == "fldChar":
            self._field.append(" ")
        elif name == "fldSimple":
            self._field += (f" {one} " for key, one in attributes.items() if local(key) == "instr")

    def data(self, text: str) -> None:
        """Characters go where the element that holds them says."""
        if self._inside == "f":
            self._formula.append(text)
        elif self._inside == "v":
            self._value.append(text)
        elif self._inside == "t":
            self._add(text)
        elif self._inside:
            self._field.append(text)

    def end(self, tag: str) -> None:
        """Raises Refused as ACTIVE at the end of a formula that calls outside."""
        name = local(tag)
        if name in _COLLECTED:
            self._inside = ""
        if close := self._closers.get(name):
            close()

    def close(self) -> None:
        """A field may be spread over any number of runs, so it is judged at the end.

        Raises:
            Refused: as ACTIVE.
        """
        if _DDE.search("".join(self._field)):
            raise Refused(Refusal.ACTIVE, "a DDE field")

    def _add(self, text: str) -> None:
        if self._size < MAX_TEXT:
            self.pieces.append(text)
            self._size += len(text)

    def _close_paragraph(self) -> None:
        self._add(" " if self._cells else "\n")

    def _close_cell(self) -> None:
        self._cells -= 1
        self._add("\t")

    def _close_row(self) -> None:
        self._add("\n")

    def _close_value(self) -> None:
        value = "".join(self._value)
        self._value.clear()
        if self._type == "s" and value.isdecimal():
            at = int(value[:9])
            value = self.shared[at] if at < len(self.shared) else ""
        self._add(f"{value}\t")

    def _close_formula(self) -> None:
        formula = _QUOTED.sub("", "".join(self._formula))
        self._formula.clear()
        if _CALLS.search(formula):
            raise Refused(Refusal.ACTIVE, "a formula that calls another program")

    def _close_shared(self) -> None:
        self.shared.append(self.text)
        self.pieces.clear()
