"""The inspecting process: the same verdicts, hard limits, and nothing left running."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Timer

import psutil
import pytest
from PIL import Image

from duban.intake import CannotInspect, Inspector, Limits, Refusal, Verdict, inspect
from tests.duban.intake.honest import KINDS, docx, photo, sample, saved, text_pdf, xlsx
from tests.duban.intake.hostile import CORPUS

SAMPLE = (
    "400 MB of zeros in an xlsx",
    "220 MB, well packed",
    "macros in a docx",
    "a locked docx",
    "a billion laughs in word/document.xml",
    "JavaScript in a stream object",
    "a PDF with a password",
    "a stream of 300 MB",
    "65,000 by 65,000",
    "half a HEIC",
    "a zip behind a PNG",
)


SECRETS = ("DUBAN_KEY", "PREFECT_API_AUTH_STRING", "SMTP_PASSWORD")


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    with Inspector() as inspector, pytest.MonkeyPatch.context() as patch:
        for name in SECRETS:
            patch.setenv(name, "canary")
        look(inspector, tmp_path_factory.mktemp("first"), "a.docx", docx())
        yield inspector


def wide(mode: str) -> bytes:
    """39 million pixels in a few megabytes."""
    image = Image.radial_gradient("L").resize((7_800, 5_000))
    return saved(image.convert(mode), "PNG", compress_level=1)


@pytest.fixture(scope="module")
def largest() -> bytes:
    return wide("L")


@pytest.fixture(scope="module")
def heaviest() -> bytes:
    return wide("RGB")


def look(inspector: Inspector, folder: Path, name: str, data: bytes) -> Verdict:
    folder.mkdir(exist_ok=True)
    (folder / "source").write_bytes(data)
    return inspector.inspect(folder / "source", name, KINDS, folder / "kept", folder / "previews")


def running(inspector: Inspector) -> list[psutil.Process]:
    """The server of this inspector and its children."""
    mine = [one for one in psutil.Process().children() if serves(one, inspector.limits)]
    return [*mine, *(child for one in mine for child in one.children())]


def serves(process: psutil.Process, limits: Limits) -> bool:
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:  # it has just ended, as the servers of other inspectors do
        return False
    return "duban.intake" in command and json.loads(command[-1])["memory"] == limits.memory


def gone(process: psutil.Process, seconds: float = 30) -> bool:
    """Whether it ends in time."""
    until = time.monotonic() + seconds
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
    return True


@pytest.mark.parametrize("what", SAMPLE)
def test_a_hostile_file_is_refused_in_the_other_process_too(
    what: str, inspector: Inspector, tmp_path: Path
):
    name, why, make = CORPUS[what]
    assert look(inspector, tmp_path, name, make()).refused == why
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.jpg", lambda: sample("JPEG")),
        ("a.heic", lambda: sample("HEIF")),
        ("a.webp", lambda: sample("WEBP")),
        ("a.docx", docx),
        ("a.xlsx", lambda: xlsx([["姓名", "学号"], ["王小明", "20250101"]])),
        ("a.pdf", lambda: text_pdf(["手机 13812345678"], pages=2)),
    ],
)
def test_the_verdict_is_the_one_of_an_inspection_here(
    name: str, make: Callable[[], bytes], inspector: Inspector, tmp_path: Path
):
    there = look(inspector, tmp_path, name, make())
    kept = (tmp_path / "kept").read_bytes()
    here = inspect(tmp_path / "source", name, KINDS, tmp_path / "here", tmp_path / "p")
    assert there == here
    assert (there.refused, kept) == ("", (tmp_path / "here").read_bytes())
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0


HONEST: dict[str, Callable[[], bytes]] = {
    "a.jpg": lambda: sample("JPEG"),
    "a.png": lambda: sample("PNG"),
    "a.webp": lambda: sample("WEBP"),
    "a.heic": lambda: sample("HEIF"),
    "a.pdf": lambda: text_pdf(["统计表"], pages=2),
    "a.docx": docx,
    "a.xlsx": xlsx,
}


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, moved or lost."""
    new = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(new))
        match chance.randrange(4):
            case 0:
                new[at] = chance.randrange(256)
            case 1:
                new[at : at + chance.randint(1, 40)] = b""
            case 2:
                new[at:at] = chance.randbytes(chance.randint(1, 40))
            case _:
                new[at : at + 4] = b"\xff\xff\xff\x7f"
        new = new or bytearray(b"x")
    return bytes(new)


@pytest.mark.parametrize("name", HONEST)
def test_a_spoilt_file_gets_a_verdict_and_is_kept_only_if_it_can_be_read(
    name: str, inspector: Inspector, tmp_path: Path
):
    chance, data = random.Random(name), HONEST[name]()
    for at in range(8):
        folder = tmp_path / str(at)
        verdict = look(inspector, folder, name, spoilt(data, chance))
        assert bool(verdict.refused) != (folder / "kept").exists()


def test_the_largest_picture_fits_the_limits(inspector: Inspector, heaviest: bytes, tmp_path: Path):
    assert look(inspector, tmp_path, "a.png", heaviest).kind == "png"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(memory=320 * 2**20), Refusal.TOO_HEAVY),
        (Limits(cpu_seconds=2), Refusal.TIMED_OUT),
    ],
    ids=["memory", "work"],
)
def test_a_child_over_its_limit_is_ended_and_the_next_file_is_inspected(
    limits: Limits, why: Refusal, heaviest: bytes, tmp_path: Path
):
    with Inspector(limits) as inspector:
        assert look(inspector, tmp_path, "a.png", heaviest).refused == why
        assert left_in(tmp_path) == ["source"]
        assert look(inspector, tmp_path, "a.docx", docx()).kind == "docx"


def test_a_child_that_hangs_is_ended_in_time(largest: bytes, tmp_path: Path):
    with Inspector(Limits(memory=1400 * 2**20, wall_seconds=3)) as inspector:
        look(inspector, tmp_path / "a", "a.docx", docx())
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(look, inspector, tmp_path / "b", "a.png", largest)
            child = awaited_child(inspector)
            child.suspend()
            assert answer.result(timeout=20).refused == Refusal.TIMED_OUT
        assert gone(child)
        assert left_in(tmp_path / "b") == ["source"]
        assert look(inspector, tmp_path / "c", "a.docx", docx()).kind == "docx"


def test_a_server_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    grace = "duban.intake.inspector._GRACE_SECONDS"
    with Inspector(Limits(memory=1401 * 2**20, wall_seconds=2)) as inspector:
        look(inspector, tmp_path, "a.docx", docx())
        monkeypatch.setattr(grace, 0)
        server = running(inspector)[0]
        server.suspend()
        Timer(1, lambda: monkeypatch.setattr(grace, 60)).start()
        assert look(inspector, tmp_path, "a.docx", docx()).kind == "docx"
    assert gone(server)


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_file_that_may_not_be_written_is_no_verdict(tmp_path: Path):
    with Inspector(Limits(file_bytes=4096)) as inspector:
        with pytest.raises(CannotInspect, match="could not run: File too large"):
            look(inspector, tmp_path, "a.jpg", saved(photo(), "JPEG"))
        assert look(inspector, tmp_path, "a.docx", docx()).kind == "docx"


def test_a_killed_server_is_started_again(inspector: Inspector, tmp_path: Path):
    running(inspector)[0].send_signal(signal.SIGKILL)
    assert look(inspector, tmp_path, "a.docx", docx()).kind == "docx"


def test_a_child_killed_from_outside_refuses_only_its_own_file(
    inspector: Inspector, largest: bytes, tmp_path: Path
):
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(look, inspector, tmp_path / "b", "a.png", largest)
        awaited_child(inspector).send_signal(signal.SIGSEGV)
        assert answer.result().refused == Refusal.DAMAGED
    assert look(inspector, tmp_path, "a.docx", docx()).kind == "docx"


def awaited_child(inspector: Inspector) -> psutil.Process:
    """The child that inspects, as soon as it does."""
    until = time.monotonic() + 30
    while len(found := running(inspector)) < 2:
        assert time.monotonic() < until, "no child was forked"
        time.sleep(0.01)
    return found[1]


def test_closing_ends_everything_at_once_also_in_the_middle_of_a_file(
    largest: bytes, tmp_path: Path
):
    inspector = Inspector(Limits(memory=1402 * 2**20))
    look(inspector, tmp_path, "a.docx", docx())
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(look, inspector, tmp_path / "b", "a.png", largest)
        awaited_child(inspector)
        processes = running(inspector)
        inspector.close()
        with pytest.raises(CannotInspect, match="closed"):
            answer.result(timeout=10)
    assert all(gone(process) for process in processes)
    with pytest.raises(CannotInspect, match="closed"):
        look(inspector, tmp_path, "a.docx", docx())


PARENT = """
import sys, threading
from pathlib import Path
from duban.intake import Inspector, Limits
folder, name = Path(sys.argv[1]), sys.argv[2]
inspector = Inspector(Limits(memory=1403 << 20))
def look(name, source):
    inspector.inspect(folder / source, name, ["docx", "png"], folder / "k", folder / "p")
look("a.docx", "docx")
threading.Thread(target=look, args=("a.png", "png"), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""


def test_the_server_and_its_child_end_when_their_parent_is_killed(largest: bytes, tmp_path: Path):
    (tmp_path / "docx").write_bytes(docx())
    (tmp_path / "png").write_bytes(largest)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), "a"], stdout=subprocess.PIPE, bufsize=0
    )
    assert parent.stdout
    with parent, parent.stdout as out:
        assert out.readline() == b"ready\n"
        time.sleep(0.2)
        below = psutil.Process(parent.pid).children(recursive=True)
        assert below
        parent.kill()
    assert all(gone(process) for process in below)


def test_no_secret_of_the_environment_is_handed_on(inspector: Inspector):
    environment = running(inspector)[0].environ()
    assert "PATH" in environment
    assert "canary" not in environment.values()
    assert not any(name.startswith(("DUBAN", "PREFECT")) for name in environment)


def test_many_threads_may_use_one_inspector(inspector: Inspector, tmp_path: Path):
    def one(at: int) -> str:
        kind = "docx" if at % 2 else "xlsx"
        data = docx() if at % 2 else xlsx()
        return look(inspector, tmp_path / str(at), f"a.{kind}", data).kind

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(24))) == ["xlsx", "docx"] * 12


def test_the_parsers_are_not_loaded_where_people_are_served():
    look = (
        "import duban.intake, sys;"
        "print({'PIL', 'numpy', 'pikepdf', 'pypdfium2', 'pillow_heif', 'olefile'}"
        " & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "set()\n"


def test_a_server_that_cannot_live_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Inspector() as inspector, pytest.raises(CannotInspect, match="neither taken nor refused"):
        look(inspector, tmp_path, "a.docx", docx())


def test_an_answer_that_is_no_verdict_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    liar = tmp_path / "liar"
    liar.write_text('#!/bin/sh\nread line\necho \'{"kind": 3, "refused": []}\'\nread line\n')
    liar.chmod(0o700)
    monkeypatch.setattr(sys, "executable", os.fspath(liar))
    with Inspector() as inspector, pytest.raises(CannotInspect):
        look(inspector, tmp_path / "b", "a.docx", docx())


def test_an_inspector_closed_before_its_first_file_and_twice_is_no_matter():
    inspector = Inspector()
    Timer(0, inspector.close).run()
    inspector.close()
