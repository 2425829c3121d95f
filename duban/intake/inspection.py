"""One file, read to the end and judged; meant for a process that may die of it."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from duban.intake.keeping import clear, whole
from duban.intake.kinds import HEAD_BYTES, OLE, bears_out, first_look, kind_of_name, looks_like
from duban.intake.personal import suspects
from duban.intake.verdict import MAX_BYTES, Found, Refusal, Refused, Verdict


def inspect(source: Path, name: str, kinds: Sequence[str], target: Path, previews: Path) -> Verdict:
    """Judges the bytes at `source`, which came under `name`, in this process.

    What is to be kept is written to `target`, another file: documents as they are, pictures as
    bare pixels. Previews are `<n>.jpg` in `previews`, from 1. A refusal leaves neither.

    Raises:
        OSError: when a file cannot be read or written; that is not the file's fault.
        ValueError: when source and target are one file.
    """
    if source.absolute() == target.absolute():
        raise ValueError("the target is the source")
    try:
        found = _examine(source, name, kinds, target, previews)
        return _kept(found, target)
    except Refused as refused:
        verdict = Verdict(refused=refused.why, detail=str(refused))
    except (MemoryError, RecursionError):
        verdict = Verdict(refused=Refusal.TOO_HEAVY, detail="out of memory")
    except Exception as error:
        # A parser may raise anything on hostile bytes, and its message may quote them.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        verdict = Verdict(refused=Refusal.DAMAGED, detail=type(error).__name__)
    clear(target, previews)
    return verdict


def _examine(source: Path, name: str, kinds: Sequence[str], target: Path, previews: Path) -> Found:
    kind = _claimed(source, name, kinds)
    # Each parser is loaded only where it is used: never in the process that serves people.
    if kind == "pdf":
        from duban.intake import pdfs

        found = pdfs.examine(source, previews)
    elif kind in ("docx", "xlsx"):
        from duban.intake import packages

        found = packages.examine(source, kind)
    else:
        from duban.intake import pictures

        return pictures.examine(source, kind, target, previews)
    with source.open("rb") as reader, whole(target) as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
    return found


def _claimed(source: Path, name: str, kinds: Sequence[str]) -> str:
    """The kind that name and first bytes agree on."""
    size = source.stat().st_size
    if size > MAX_BYTES:
        raise Refused(Refusal.TOO_BIG, f"{size} bytes, at most {MAX_BYTES}")
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if why := first_look(name, head, kinds):
        raise Refused(why, f"looks like {looks_like(head)}" if head else "no bytes")
    kind = kind_of_name(name, kinds)
    if not bears_out(kind, head) and head.startswith(OLE):
        raise _compound(source)
    return kind


def _compound(source: Path) -> Refused:
    """An OLE file under a new name: a locked document, or one of the formats before 2007."""
    import olefile

    try:
        with cast(Any, olefile).OleFileIO(source) as ole:
            locked = bool(ole.exists("EncryptedPackage"))
    except Exception as error:
        return Refused(Refusal.DAMAGED, type(error).__name__)
    if locked:
        return Refused(Refusal.ENCRYPTED, "an encrypted package")
    return Refused(Refusal.OLD_FORMAT, "an OLE file")


def _kept(found: Found, target: Path) -> Verdict:
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Verdict(
        kind=found.kind,
        sha256=digest,
        size=target.stat().st_size,
        picture_hash=found.picture_hash,
        pages=found.pages,
        suspect=suspects(found.text),
    )
