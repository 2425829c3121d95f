"""Files on their way through inspection, and crashes at each step of it."""

import fcntl
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from duban.evidence import Checked, keep_file
from duban.intake.verdict import Verdict
from duban.ledger import Ledger, acts, inspecting
from duban.ledger.acts import Cover
from duban.ledger.audit import verify, verify_files
from duban.ledger.folder import LOCK, bytes_of, pages_of
from duban.ledger.inspecting import inspect_waiting, settle, waiting
from duban.ledger.questions import events
from duban.ledger.sweeping import sweep_files
from duban.ledger.uploads import FileView, begin, file, files_of, take_out
from duban.office import Office
from tests.conftest import china
from tests.duban.ledger.conftest import duty_of

NOW = china("2026-03-02")
ME = "东/妇联"
PHOTO = b"photo with GPS"
BARE = b"bare pixels"


class Inspector:
    """Knows three kinds of file by their first word; `before` runs while it inspects."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.before = before

    def inspect(
        self, source: Path, name: str, kinds: Sequence[str], target: Path, previews: Path
    ) -> Verdict:
        self.asked.append((name, tuple(kinds)))
        self.before()
        content = source.read_bytes()
        if content.startswith(b"macro"):
            return Verdict(refused="macros", detail="vbaProject.bin")
        kept = BARE if content.startswith(b"photo") else content
        target.write_bytes(kept)
        (previews / "1.jpg").write_bytes(b"preview")
        digest = hashlib.sha256(kept).hexdigest()
        return Verdict("jpg", "", "", digest, len(kept), "0f" * 32, 1, ("telephone",))


@pytest.fixture
def duty(first_quarter: Office) -> int:
    return duty_of(first_quarter, ME, "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def upload(ledger: Ledger, duty: int, folder: Path, content: bytes) -> int:
    source = folder.parent / "现场.jpg"
    source.write_bytes(content)
    return begin(ledger, duty, ME, keep_file(folder, "proof", source), NOW)


def hand_in(ledger: Ledger, duty: int, *drafts: int) -> None:
    cover = Cover(drafts=drafts)
    acts.submit(ledger, duty, Checked({"classes": 1}, ()), [], by=ME, now=NOW, cover=cover)


def look(ledger: Ledger, number: int) -> FileView:
    found = file(ledger, number)
    assert found is not None
    return found


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {LOCK}


def test_a_picture_is_kept_as_inspection_left_it_with_both_hashes(
    ledger: Ledger, duty: int, folder: Path
):
    number = upload(ledger, duty, folder, PHOTO)
    inspector = Inspector()
    assert [one.id for one in waiting(ledger)] == [number]
    assert inspect_waiting(ledger, folder, inspector, NOW, 10) == 1
    assert inspector.asked == [("现场.jpg", ("pdf", "docx", "xlsx", "jpg", "jpeg", "png"))]
    found = look(ledger, number)
    assert (found.state, found.kind, found.pages) == ("fine", "jpg", 1)
    assert found.sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert found.kept_sha256 == hashlib.sha256(BARE).hexdigest()
    assert (found.kept_size, found.suspect, found.picture_hash) == (11, "telephone", "0f" * 32)
    assert bytes_of(folder, found.stored_as).read_bytes() == BARE
    assert (pages_of(folder, found.stored_as) / "1.jpg").read_bytes() == b"preview"
    assert names(folder) == {found.stored_as, f"{found.stored_as}.pages"}
    assert inspect_waiting(ledger, folder, inspector, NOW, 10) == 0


def test_a_refused_file_that_was_handed_in_shows_in_the_history(
    ledger: Ledger, duty: int, folder: Path
):
    handed_in = upload(ledger, duty, folder, b"macro one")
    hand_in(ledger, duty, handed_in)
    draft = upload(ledger, duty, folder, b"macro two")
    assert inspect_waiting(ledger, folder, Inspector(), NOW, 10) == 2
    for number in (handed_in, draft):
        assert (look(ledger, number).state, look(ledger, number).refusal) == ("refused", "macros")
    [told] = [one for one in events(ledger) if one.action == "file-refused"]
    assert (told.duty_id, told.text) == (duty, "现场.jpg")
    assert told.data == {"file": handed_in, "why": "macros"}
    sweep_files(ledger, folder, NOW)
    assert names(folder) == set()
    assert verify(ledger) == verify_files(ledger, folder) == []


def test_at_most_so_many_are_inspected_at_a_time_the_oldest_first(
    ledger: Ledger, duty: int, folder: Path
):
    first, second = (upload(ledger, duty, folder, b"document") for _ in range(2))
    assert inspect_waiting(ledger, folder, Inspector(), NOW, 1) == 1
    assert (look(ledger, first).state, look(ledger, second).state) == ("fine", "waiting")
    assert bytes_of(folder, look(ledger, first).stored_as).read_bytes() == b"document"


def test_bytes_that_are_not_those_received_are_never_let_through(
    ledger: Ledger, duty: int, folder: Path
):
    altered, missing = (upload(ledger, duty, folder, PHOTO) for _ in range(2))
    bytes_of(folder, look(ledger, altered).stored_as).write_bytes(b"another photo")
    bytes_of(folder, look(ledger, missing).stored_as).unlink()
    inspector = Inspector()
    assert inspect_waiting(ledger, folder, inspector, NOW, 10) == 0
    assert inspector.asked == []
    assert verify_files(ledger, folder) == [
        f"File {altered} of duty {duty} was altered.",
        f"File {missing} of duty {duty} is missing.",
    ]


def test_a_file_taken_out_while_it_is_inspected_stays_away(ledger: Ledger, duty: int, folder: Path):
    number = upload(ledger, duty, folder, PHOTO)
    inspector = Inspector(lambda: take_out(ledger, folder, number, ME, NOW))
    with pytest.raises(FileNotFoundError):
        inspect_waiting(ledger, folder, inspector, NOW, 10)
    assert inspect_waiting(ledger, folder, Inspector(), NOW, 10) == 0
    verdict = Verdict("jpg", sha256="0" * 64)
    assert not settle(ledger, number, verdict, NOW)
    assert files_of(ledger, duty) == []


def test_two_processes_do_not_inspect_at_once(ledger: Ledger, duty: int, folder: Path):
    upload(ledger, duty, folder, PHOTO)
    with (folder / LOCK).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert inspect_waiting(ledger, folder, Inspector(), NOW, 10) == 0
    assert inspect_waiting(ledger, folder, Inspector(), NOW, 10) == 1


class Killed(BaseException):
    """The process ends here."""


STEPS = ["settle", "settled", "previews", "bytes", "synced", "finish", "finished"]


def die_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the process end before, or (settled, finished) after, one of its steps."""

    def dying(run: Callable[..., object], *, after: bool) -> Callable[..., object]:
        def instead(*given: object) -> object:
            if after:
                run(*given)
            raise Killed

        return instead

    real_rename, real_replace = Path.rename, Path.replace
    if step in ("settle", "settled"):
        monkeypatch.setattr(inspecting, "settle", dying(settle, after=step == "settled"))
    elif step == "previews":
        monkeypatch.setattr(Path, "rename", dying(real_rename, after=False))
    elif step == "bytes":
        monkeypatch.setattr(Path, "replace", dying(real_replace, after=False))
    elif step == "synced":
        monkeypatch.setattr(Path, "replace", dying(real_replace, after=True))
    else:
        finish = inspecting._finish  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setattr(inspecting, "_finish", dying(finish, after=step == "finished"))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("content", [PHOTO, b"document"])
def test_a_crash_at_any_step_does_no_harm(
    ledger: Ledger, duty: int, folder: Path, step: str, content: bytes
):
    number = upload(ledger, duty, folder, content)
    with pytest.MonkeyPatch.context() as monkeypatch:
        die_at(step, monkeypatch)
        if step in ("bytes", "synced") and content != PHOTO:
            inspect_waiting(ledger, folder, Inspector(), NOW, 1)  # nothing to put in place
        else:
            with pytest.raises(Killed):
                inspect_waiting(ledger, folder, Inspector(), NOW, 1)
    found = look(ledger, number)
    held = bytes_of(folder, found.stored_as).read_bytes()
    assert verify_files(ledger, folder) == []
    # What anybody may look at is what inspection left, never what was received.
    assert found.state == "waiting" or held == (BARE if content == PHOTO else content)
    inspect_waiting(ledger, folder, Inspector(), NOW, 1)
    healed = look(ledger, number)
    assert (healed.state, healed.pages) == ("fine", 1)
    held = bytes_of(folder, found.stored_as).read_bytes()
    assert held == (BARE if content == PHOTO else content)
    assert healed.kept_sha256 == hashlib.sha256(held).hexdigest()
    assert (pages_of(folder, found.stored_as) / "1.jpg").read_bytes() == b"preview"
    assert verify_files(ledger, folder) == []
