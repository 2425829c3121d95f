"""What an agency hands in: every field type, good and bad; files; and nothing half-kept."""

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from duban.evidence import (
    MAX_FILE_BYTES,
    Checked,
    EvidenceRefused,
    FileTooBig,
    check_evidence,
    check_sent,
    keep_file,
    keeping,
)
from duban.registry import Clause, Registry
from duban.registry.evidence import EvidenceField, Fault, FilesField
from duban.words import words

FIELDS: TypeAdapter[EvidenceField] = TypeAdapter(EvidenceField)
TYPES: dict[str, dict[str, object]] = {
    "text": {"max_length": 5},
    "integer": {"max": 22},
    "integer from 3": {"min": 3},
    "integer large": {},
    "ratio": {"numerator": "有", "denominator": "全部"},
    "date": {},
    "url": {},
}


@cache
def field_of(type_: str) -> EvidenceField:
    settings = {"type": type_.split()[0], "key": "k", "label": "L", **TYPES[type_]}
    return FIELDS.validate_python(settings)


def read(type_: str, given: str) -> object:
    field = field_of(type_)
    assert not isinstance(field, FilesField)
    return field.read(given)


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        ("text", " 五个字符长 ", "五个字符长"),  # characters are counted, not bytes
        ("integer", "0", 0),
        ("integer", " 22 ", 22),
        ("ratio", "950/1000", [950, 1000]),
        ("ratio", "0/1", [0, 1]),
        ("ratio", "7 / 7", [7, 7]),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026年2月1日", "2026-02-01"),
        ("date", "２０２６/２/１", "2026-02-01"),
        ("integer", "２２", 22),  # a Chinese keyboard's digits
        ("integer large", "１，２３４", 1234),
        ("integer large", "12,345,678", 12345678),
        ("ratio", "９５０／１０００", [950, 1000]),
        ("text", "一\r\n二\x00", "一\n二"),
        ("url", "https://example.org/a?b=1", "https://example.org/a?b=1"),
        ("url", "http://教育.中国/", "http://教育.中国/"),
    ],
)
def test_what_fits_is_read(type_: str, given: str, expected: object):
    assert read(type_, given) == expected


@pytest.mark.parametrize(
    ("type_", "given", "told"),
    [
        ("text", "六个字符太长", "too-long"),
        ("integer", "-1", "outside"),
        ("integer", "23", "outside"),
        ("integer from 3", "2", "too-small"),
        ("integer", "2.5", "no-whole"),
        ("integer", "二", "no-whole"),
        ("integer", "1,23", "no-whole"),
        ("integer large", "9" * 16, "no-whole"),
        ("ratio", "95%", "no-ratio"),
        ("ratio", "95/", "no-ratio"),
        ("ratio", "8/7", "over-whole"),
        ("ratio", "0/0", "of-nothing"),  # a share of nothing is no share
        ("ratio", "-1/2", "over-whole"),
        ("ratio", "a/2", "no-whole"),
        ("ratio", "1/2/3", "no-whole"),
        ("date", "2026-02-29", "no-date"),
        ("date", "明天", "no-date"),
        ("url", "example.org", "no-address"),
        ("url", "javascript:alert(1)", "no-address"),
        ("url", "https://", "no-address"),
        ("url", "file:///etc/passwd", "no-address"),
        ("url", "https://[broken", "no-address"),  # whatever it says, it is a refusal and no crash
    ],
)
def test_what_does_not_fit_is_told(type_: str, given: str, told: str):
    with pytest.raises(Fault) as fault:
        read(type_, given)
    assert fault.value.code == told
    for language in ("zh", "en"):
        assert words(language).unfit[told].format(**fault.value.values)


@given(st.sampled_from([*TYPES]), st.text(max_size=40))
def test_no_text_whatever_breaks_a_field(type_: str, given: str):
    with suppress(ValueError):
        read(type_, given)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_ratio_comes_back_as_it_was_written(numerator: int, more: int):
    denominator = numerator + more
    assert read("ratio", f"{numerator}/{denominator}") == [numerator, denominator]


@pytest.fixture
def clause(small: Registry) -> Clause:
    """classes (1 to 500), proof (up to 2 files, optional), note (20 characters, optional)."""
    return small.clauses["small/1"].clause


def a_file(folder: Path, name: str, content: bytes = b"%PDF-1.7") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_evidence_that_fits_is_values_and_placed_files(clause: Clause, tmp_path: Path):
    proof = a_file(tmp_path, "汇总.PDF")
    checked = check_evidence(clause, {"classes": "12", "note": "  "}, [(None, proof)])
    assert checked.values == {"classes": 12}  # an empty optional field is left out
    assert checked.files == (("proof", proof),)


def test_all_faults_are_told_at_once(clause: Clause, tmp_path: Path):
    files = [
        (None, tmp_path / "missing.pdf"),
        (None, a_file(tmp_path, "run.exe")),
        (None, a_file(tmp_path, "empty.pdf", b"")),
        ("photos", a_file(tmp_path, "photo.jpg")),
    ]
    fields = {"note": "一" * 21, "teachers": "4"}
    with pytest.raises(EvidenceRefused) as refused:
        check_evidence(clause, fields, files)
    assert str(refused.value).splitlines() == [
        "note (说明): 21 characters; write at most 20",
        "teachers: not asked for; the fields are classes, note",
        "missing.pdf: there is no such file",
        "run.exe: no pdf, docx, xlsx, jpg, jpeg, png",
        "empty.pdf: the file is empty; export it again",
        "photo.jpg: say which field it is for; files fields are proof",
        "classes (课堂数): missing; it is required",
    ]


def test_a_faulty_field_is_not_also_missing(clause: Clause):
    with pytest.raises(EvidenceRefused) as refused:
        check_evidence(clause, {"classes": "many"}, [])
    [complaint] = refused.value.complaints
    assert (complaint.key, complaint.fault.code) == ("classes", "no-whole")


def test_files_that_were_sent_before_are_counted(clause: Clause):
    assert check_sent(clause, {"classes": "1"}, {"proof": 2}).values == {"classes": 1}
    with pytest.raises(EvidenceRefused) as refused:
        check_sent(clause, {}, {"proof": 3})
    codes = {one.key: one.told(words("zh")) for one in refused.value.complaints}
    assert codes == {
        "proof": "现有 3 个文件，应为 1 至 2 个",
        "classes": "这一项必填，还没有填写",
    }


def test_too_many_files_are_refused(clause: Clause, tmp_path: Path):
    files = [(None, a_file(tmp_path, f"{n}.pdf")) for n in range(3)]
    with pytest.raises(EvidenceRefused, match=r"proof \(汇总表\): 3 files; it must be 1 to 2"):
        check_evidence(clause, {"classes": "1"}, files)


def test_a_file_over_20_mb_is_refused(clause: Clause, tmp_path: Path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(EvidenceRefused, match=r"large.pdf: over 20 MB"):
        check_evidence(clause, {"classes": "1"}, [(None, path)])
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES)
    assert check_evidence(clause, {"classes": "1"}, [(None, path)]).files


def test_a_clause_without_a_files_field_takes_no_file(small: Registry, tmp_path: Path):
    clause = small.clauses["small/2"].clause
    with pytest.raises(EvidenceRefused, match="files fields are none"):
        check_evidence(clause, {"share": "1/2"}, [(None, a_file(tmp_path, "a.pdf"))])


def test_a_files_field_is_no_text_field(clause: Clause):
    with pytest.raises(EvidenceRefused, match="proof: not asked for"):
        check_evidence(clause, {"classes": "1", "proof": "see attached"}, [])


@pytest.mark.parametrize(
    ("number", "values", "done"),
    [
        ("2", {"share": [95, 100]}, True),
        ("2", {"share": [949, 1000]}, False),
        ("2", {}, False),
        ("4", {"adopted_on": "2026-03-01", "progress": "x"}, True),
        ("4", {"progress": "x"}, False),
        ("1", {"classes": 9}, False),  # nothing there is ever finished
    ],
)
def test_evidence_shows_whether_the_matter_is_done(
    small: Registry, number: str, values: dict[str, object], done: bool
):
    assert small.clauses[f"small/{number}"].clause.is_done(values) is done


def test_the_hash_of_values_does_not_depend_on_their_order():
    one, other = Checked({"a": 1, "b": "二"}, ()), Checked({"b": "二", "a": 1}, ())
    assert one.sha256 == other.sha256 != Checked({"a": 1}, ()).sha256


def test_a_file_is_kept_under_a_random_name_with_its_hash(tmp_path: Path):
    content = b"%PDF" + b"x" * (1 << 20)
    source, folder = a_file(tmp_path, "../汇总.pdf".removeprefix("../"), content), tmp_path / "kept"
    one, other = keep_file(folder, "proof", source), keep_file(folder, "proof", source)
    for kept in (one, other):
        assert (kept.name, kept.size, kept.field) == ("汇总.pdf", len(content), "proof")
        assert kept.sha256 == hashlib.sha256(content).hexdigest()
        assert (folder / kept.stored_as).read_bytes() == content
        assert kept.stored_as.isalnum()
    assert {path.name for path in folder.iterdir()} == {one.stored_as, other.stored_as}


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path):
    folder = tmp_path / "kept"
    with pytest.raises(OSError, match="gone"):
        keep_file(folder, "proof", tmp_path / "gone.pdf")
    assert not folder.exists()


def test_a_file_that_turns_out_too_big_leaves_nothing(tmp_path: Path):
    path, folder = tmp_path / "large.pdf", tmp_path / "kept"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(FileTooBig):
        keep_file(folder, "proof", path)
    assert not list(folder.iterdir())


def test_files_of_evidence_that_is_refused_are_taken_away_again(tmp_path: Path):
    folder = tmp_path / "kept"
    files = [("proof", a_file(tmp_path, "a.pdf")), ("proof", a_file(tmp_path, "b.pdf"))]
    with keeping(folder, files) as kept:
        assert [file.name for file in kept] == ["a.pdf", "b.pdf"]
    before = sorted(folder.iterdir())
    with pytest.raises(EvidenceRefused), keeping(folder, files):
        raise EvidenceRefused
    assert sorted(folder.iterdir()) == before
