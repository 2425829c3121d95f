"""Takes in files: streamed to the disk, looked at from the first bytes on, added to the draft."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from duban.errors import DubanError
from duban.evidence import KeptFile, Writing
from duban.intake import Refusal, clean_name, first_look, kept_name
from duban.ledger import uploads
from duban.ledger.folder import bytes_of, discard
from duban.ledger.uploads import FileView
from duban.portal.agency.own import Own, own_drafts
from duban.portal.who import Guest
from duban.registry.evidence import FilesField

Result = TypeVar("Result")

BLOCK = 64 * 1024
"""Bytes that are held in memory of one upload; the first look needs 4096."""


_DISK = ThreadPoolExecutor(4, "upload")
"""A few threads of their own: were uploads to wait for the disk in those that make pages, nobody
would get a page while many send files."""


async def _at_the_disk(work: Callable[..., Result], *arguments: Any) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_DISK, partial(work, *arguments))


class NotTaken(DubanError):
    """A file is of no kind that is taken here; `code` is that of a refusal."""

    def __init__(self, code: Refusal) -> None:
        self.code = code.value
        super().__init__(f"The file is refused: {code}.")


def files_field(own: Own, key: str) -> FilesField:
    """The field of a duty's clause that asks for files.

    Raises:
        HTTPException: 404.
    """
    field = own.duty.clause.field(key)
    if not isinstance(field, FilesField):
        raise HTTPException(404)
    return field


async def receive(
    guest: Guest, own: Own, field: FilesField, name: str, stream: AsyncIterable[bytes]
) -> FileView:
    """Takes in one file as it comes over the network.

    What is refused is read to its end all the same, for a browser hears no answer before that.

    Raises:
        NotTaken, FileTooBig, UploadRefused, IllegalAct: nothing was kept.
    """
    blocks = _grouped(stream)
    try:
        kept = await _write(guest, field, name, blocks)
    except DubanError:
        async for _ in blocks:
            pass
        raise
    return await _at_the_disk(_add, guest, own, kept)


async def _write(
    guest: Guest, field: FilesField, name: str, blocks: AsyncIterator[bytes]
) -> KeptFile:
    name = clean_name(name)
    head = await anext(blocks, b"")
    _look(name, head, field)
    with Writing(guest.office.settings.files, field.key, name) as writing:
        await _at_the_disk(writing.write, head)
        async for block in blocks:
            await _at_the_disk(writing.write, block)
        return await _at_the_disk(writing.finish)


async def _grouped(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in blocks worth a trip to a thread."""
    waiting = bytearray()
    async for piece in stream:
        waiting += piece
        if len(waiting) >= BLOCK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def take(guest: Guest, own: Own, field: FilesField, upload: UploadFile) -> FileView:
    """Takes in a file that a form without script brought.

    Raises:
        NotTaken, FileTooBig, UploadRefused, IllegalAct: nothing was kept.
    """
    name = clean_name(upload.filename or "")
    blocks: Iterator[bytes] = iter(lambda: upload.file.read(BLOCK), b"")
    head = next(blocks, b"")
    _look(name, head, field)
    return _add(guest, own, _write_all(guest, field.key, name, chain((head,), blocks)))


def copy(guest: Guest, own: Own, file: FileView) -> FileView:
    """Adds a copy of a file that was handed in before to the draft.

    Raises:
        HTTPException: 404 unless its bytes passed inspection and are there.
        UploadRefused, IllegalAct: nothing was kept.
    """
    path = bytes_of(guest.office.settings.files, file.stored_as)
    if file.state != "fine" or not path.is_file():
        raise HTTPException(404)
    with path.open("rb") as source:
        blocks = iter(lambda: source.read(BLOCK), b"")
        kept = _write_all(guest, file.field, kept_name(file.name, file.kind), blocks)
    return _add(guest, own, kept)


def _write_all(guest: Guest, key: str, name: str, blocks: Iterable[bytes]) -> KeptFile:
    with Writing(guest.office.settings.files, key, name) as writing:
        for block in blocks:
            writing.write(block)
        return writing.finish()


def _look(name: str, head: bytes, field: FilesField) -> None:
    if refusal := first_look(name, head, field.kinds):
        raise NotTaken(refusal)


def _add(guest: Guest, own: Own, kept: KeptFile) -> FileView:
    """Puts what lies in the folder into the draft; the same file twice is one."""
    agency, folder = guest.door.agency_id, guest.office.settings.files
    try:
        if twin := _twin(own_drafts(guest, own.duty.id), kept):
            discard(folder, kept.stored_as)
            return twin
        number = uploads.begin(guest.ledger, own.duty.id, agency, kept, guest.now)
    except DubanError:
        discard(folder, kept.stored_as)
        raise
    return next(file for file in own_drafts(guest, own.duty.id) if file.id == number)


def _twin(drafts: Iterable[FileView], kept: KeptFile) -> FileView | None:
    """A lost answer makes a browser send again what had arrived."""
    for file in drafts:
        if (file.field, file.sha256) == (kept.field, kept.sha256) and file.state != "refused":
            return file
    return None
