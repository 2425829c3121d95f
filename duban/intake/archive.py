"""A zip archive read in one pass, without trusting what it says of itself."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_END
from itertools import pairwise
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from duban.intake.verdict import MAX_ENTRIES, MAX_INFLATED, MAX_RATIO, Refusal, Refused

_BLOCK = 1 << 16
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
_DIRECTORY_PER_ENTRY = 1 << 10
# Below this much, a high ratio is only a short file with much white space in it.
_FREE_RATIO = 2**20


@dataclass
class Budget:
    """How much may still come out of a file of `packed` bytes, in all its archives together."""

    packed: int
    inflated: int = 0
    entries: int = 0

    def spend(self, count: int) -> None:
        """Counts bytes that came out; Refused as BOMB when it is too many."""
        self.inflated += count
        if self.inflated > MAX_INFLATED:
            raise Refused(Refusal.BOMB, f"inflates to over {MAX_INFLATED} bytes")
        if self.inflated > max(_FREE_RATIO, MAX_RATIO * self.packed):
            raise Refused(Refusal.BOMB, f"inflates over {MAX_RATIO} times")

    def enter(self, count: int) -> None:
        """Counts entries; Refused as BOMB when there are too many."""
        self.entries += count
        if self.entries > MAX_ENTRIES:
            raise Refused(Refusal.BOMB, f"over {MAX_ENTRIES} entries")


class Archive:
    """The entries of a zip archive, none of which is ever written to disk."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        """Checks the frame of the archive before the directory is read, then the directory.

        Raises:
            Refused, and BadZipFile on damage.
        """
        self._file, self.budget = file, budget
        promised = _promised_entries(file)
        budget.enter(promised)
        found = ZipFile(file).infolist()
        if len(found) != promised:
            raise Refused(Refusal.DAMAGED, "a directory of another length than it says")
        self.entries = [one for one in found if not one.is_dir()]
        _check_names(self.entries)
        _check_places(self.entries)

    def blocks(self, entry: ZipInfo) -> Iterator[bytes]:
        """The content of an entry in blocks of at most 64 KB, counted while it is inflated."""
        self._file.seek(self._start(entry))
        inflate = zlib.decompressobj(-15) if entry.compress_type == ZIP_DEFLATED else None
        left, total, check = entry.compress_size, 0, 0
        while left:
            block = self._file.read(min(left, _BLOCK))
            left -= len(block)
            if not block:
                raise Refused(Refusal.DAMAGED, "an entry is cut off")
            for piece in _inflated(inflate, block) if inflate else (block,):
                total, check = total + len(piece), zlib.crc32(piece, check)
                self.budget.spend(len(piece))
                yield piece
        if total != entry.file_size or (inflate and not inflate.eof):
            raise Refused(Refusal.DAMAGED, "an entry is not of the size it says")
        if check != entry.CRC:
            raise Refused(Refusal.DAMAGED, "an entry with a wrong checksum")

    def _start(self, entry: ZipInfo) -> int:
        """Where the content begins; the header before it must agree with the directory."""
        self._file.seek(entry.header_offset)
        found = _LOCAL.unpack(self._file.read(_LOCAL.size))
        mark, flags, method, name, extra = found[0], found[2], found[3], found[9], found[10]
        given = self._file.read(name)
        known = {entry.orig_filename.encode(code, "replace") for code in ("utf-8", "cp437")}
        if mark != b"PK\x03\x04" or method != entry.compress_type or given not in known:
            raise Refused(Refusal.DAMAGED, "an entry and the directory disagree")
        if flags & 1:
            raise Refused(Refusal.ENCRYPTED, "an encrypted entry")
        return entry.header_offset + _LOCAL.size + name + extra


def _inflated(inflate: Any, block: bytes) -> Iterator[bytes]:
    while block and not inflate.eof:
        yield inflate.decompress(block, _BLOCK)
        block = inflate.unconsumed_tail


def _promised_entries(file: BinaryIO) -> int:
    """How many entries the end of the archive speaks of; it must be the end of the file too."""
    size = file.seek(0, SEEK_END)
    file.seek(max(0, size - _END.size))
    found = file.read()
    if len(found) != _END.size or not found.startswith(b"PK\x05\x06"):
        raise Refused(Refusal.DAMAGED, "does not end as a zip archive does")
    _, disk, _, _, count, directory, start, _ = _END.unpack(found)
    if disk or 0xFFFF in (count, disk) or 0xFFFFFFFF in (directory, start):
        raise Refused(Refusal.BOMB, "a zip archive in parts or for over 65,534 entries")
    if start + directory + _END.size != size:
        raise Refused(Refusal.POLYGLOT, "bytes before or after the archive")
    if directory > max(count, 1) * _DIRECTORY_PER_ENTRY:
        raise Refused(Refusal.BOMB, "a directory larger than its entries need")
    return count


def _check_names(entries: list[ZipInfo]) -> None:
    names = [entry.orig_filename for entry in entries]
    if len({name.lower() for name in names}) != len(names):
        raise Refused(Refusal.DAMAGED, "two entries of one name")
    for name in names:
        if name.startswith("/") or set("\\:\0") & set(name) or ".." in name.split("/"):
            raise Refused(Refusal.DAMAGED, "an entry name that leaves the archive")


def _check_places(entries: list[ZipInfo]) -> None:
    """Entries lie one behind another: shared bytes are how small archives grow without end."""
    entries = sorted(entries, key=lambda entry: entry.header_offset)
    for entry in entries:
        if entry.flag_bits & 1:
            raise Refused(Refusal.ENCRYPTED, "an encrypted entry")
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Refused(Refusal.DAMAGED, f"compression method {entry.compress_type}")
    if entries and entries[0].header_offset:
        raise Refused(Refusal.POLYGLOT, "bytes before the archive")
    for one, after in pairwise(entries):
        if one.header_offset + _LOCAL.size + one.compress_size > after.header_offset:
            raise Refused(Refusal.BOMB, "entries that overlap")
