"""Every hostile file is refused, for the right reason, in no time, and leaves nothing behind."""

import time
from collections import Counter
from pathlib import Path

import pytest

from duban.intake import MAX_BYTES, Refusal, Verdict, first_look, inspect
from tests.duban.intake.honest import KINDS, docx, sample
from tests.duban.intake.hostile import CORPUS, JPEG, PLAIN, Make

SECONDS = 3.0
BOMB_SECONDS = 1.0


@pytest.mark.parametrize("what", CORPUS)
def test_a_hostile_file_is_refused(what: str, tmp_path: Path):
    name, why, make = CORPUS[what]
    source = tmp_path / "source"
    data = make()
    source.write_bytes(data)
    assert first_look(name, data[:4096], KINDS) in (None, why)
    # Work, not waiting: other tests may run on the same cores.
    began = time.process_time()
    verdict = inspect(source, name, KINDS, tmp_path / "kept", tmp_path / "previews")
    took = time.process_time() - began
    assert (verdict.refused, verdict.kind, verdict.size) == (why, "", 0), verdict
    assert 0 < len(verdict.detail) < 80
    assert took < (BOMB_SECONDS if why is Refusal.BOMB else SECONDS)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [source]


def test_the_corpus_is_large_and_covers_every_reason_of_a_parser():
    reasons = Counter(why for _, why, _ in CORPUS.values())
    assert len(CORPUS) >= 190
    of_the_process = {Refusal.TIMED_OUT, Refusal.TOO_HEAVY}
    assert set(reasons) == set(Refusal) - of_the_process


@pytest.mark.parametrize(
    ("name", "made", "kinds", "expected"),
    [
        ("a.PDF", PLAIN, ("pdf",), None),
        ("a.pdf", PLAIN, (".PDF",), None),
        ("a.pdf", PLAIN, ("docx", "jpg"), Refusal.NOT_ASKED),
        ("a.jpeg", JPEG, ("jpg",), None),
        ("a.jpg", JPEG, ("jpeg",), None),
        ("a.png", JPEG, ("png",), Refusal.WRONG_KIND),
        ("a.heic", lambda: sample("HEIF"), ("png",), None),
        ("a.webp", lambda: sample("WEBP"), ("jpg",), None),
        ("a.heic", lambda: sample("HEIF"), ("pdf",), Refusal.NOT_ASKED),
        ("a.webp", lambda: sample("WEBP"), ("docx",), Refusal.NOT_ASKED),
        ("a.mp4", b"\0\0\0\x18ftypmp42", ("mp4",), Refusal.NOT_ASKED),
        ("a.docx", docx(), ("docx",), None),
        ("a.docx", docx(), (), Refusal.NOT_ASKED),
        ("a.xlsx", b"PK", ("xlsx",), Refusal.WRONG_KIND),
        ("a", PLAIN, ("pdf",), Refusal.NOT_ASKED),
    ],
)
def test_a_first_look_goes_by_ending_and_first_bytes(
    name: str, made: bytes | Make, kinds: tuple[str, ...], expected: Refusal | None
):
    data = made if isinstance(made, bytes) else made()
    assert first_look(name, data[:4096], kinds) is expected


def test_the_size_is_the_one_that_evidence_is_held_to():
    from duban.evidence import MAX_FILE_BYTES

    assert MAX_BYTES == MAX_FILE_BYTES


def test_a_parser_s_message_never_reaches_the_verdict(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(JPEG[:-2000])
    verdict = inspect(source, "a.jpg", KINDS, tmp_path / "kept", tmp_path / "previews")
    assert verdict == Verdict(refused=Refusal.DAMAGED, detail="OSError")


def test_a_file_is_never_written_over_itself(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(JPEG)
    with pytest.raises(ValueError, match="target is the source"):
        inspect(source, "a.jpg", KINDS, source, tmp_path / "previews")
    assert source.read_bytes() == JPEG


def test_a_full_disk_is_not_the_file_s_fault(tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(JPEG)
    with pytest.raises(FileNotFoundError):
        inspect(source, "a.jpg", KINDS, tmp_path / "no" / "folder", tmp_path / "previews")
