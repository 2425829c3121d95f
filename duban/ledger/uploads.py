"""What an agency has sent or typed for a duty before it hands it in; and the files of a duty."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import RowMapping, Select, delete, select

from duban.duty import Act, Status, after
from duban.errors import DubanError
from duban.evidence import KeptFile
from duban.ledger import Ledger
from duban.ledger.acts import check_agency, clause_of, locked_duty
from duban.ledger.change import Change, change, insert_or_skip
from duban.ledger.database import reading
from duban.ledger.folder import discard
from duban.ledger.tables import Draft, Duty, EvidenceFile
from duban.registry.evidence import FilesField

MOST_BYTES = 100 * 2**20
"""Of the files of one draft. Versions handed in before do not count, or a returned duty could not
be answered any more."""

MOST_DRAFTS = 60
"""Files of one draft, refused ones too."""

MOST_TYPED = 64 * 1024
"""Bytes of what was typed, as JSON."""

_FAULTS = {
    "no-such-field": "The duty does not ask for files of this kind.",
    "too-many": "There are as many files as the duty takes; take one out first.",
    "too-big": f"The files of a duty may have {MOST_BYTES // 2**20} MB together.",
    "too-long": f"What was typed has more than {MOST_TYPED // 1024} KB.",
}


class UploadRefused(DubanError):
    """A file or a text that cannot be kept with the draft; nothing was recorded.

    `code` says why, for screens with words of their own.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(_FAULTS[code])


class NoSuchDraft(DubanError):
    """There is no such file in the draft; it was handed in or taken out already."""


@dataclass(frozen=True, slots=True)
class FileView:
    """A file as screens show it; see `duban.ledger.tables.EvidenceFile`."""

    id: int
    duty_id: int
    submission_id: int | None
    agency: str
    field: str
    name: str
    size: int
    sha256: str
    stored_as: str
    received_at: datetime
    state: str
    refusal: str
    kind: str
    kept_sha256: str | None
    kept_size: int | None
    picture_hash: str
    pages: int
    suspect: str

    @property
    def draft(self) -> bool:
        """Whether it is not handed in yet."""
        return self.submission_id is None


def begin(ledger: Ledger, duty_id: int, agency: str, kept: KeptFile, now: datetime) -> int:
    """Adds a file that lies in the folder to an agency's draft; its number.

    Raises:
        NoSuchDuty, NotItsDuty, IllegalAct, UploadRefused: nothing was recorded, and the bytes are
            the caller's to take away.
    """
    with change(ledger.engine, now, agency) as made:
        duty = _writable(made, ledger, duty_id, agency)
        _check_room(made, duty, agency, kept)
        row = EvidenceFile(
            duty_id=duty_id,
            agency=agency,
            field=kept.field,
            name=kept.name,
            size=kept.size,
            sha256=kept.sha256,
            stored_as=kept.stored_as,
            received_at=now,
        )
        made.session.add(row)
        made.session.flush()
        return row.id


def _writable(made: Change, ledger: Ledger, duty_id: int, agency: str) -> Duty:
    duty = locked_duty(made, duty_id)
    check_agency(ledger, duty, agency)
    after(Act.SUBMIT, Status(duty.status))
    return duty


def _check_room(made: Change, duty: Duty, agency: str, kept: KeptFile) -> None:
    field = clause_of(made.session, duty).field(kept.field)
    if not isinstance(field, FilesField):
        raise UploadRefused("no-such-field")
    question = select(EvidenceFile.field, EvidenceFile.size, EvidenceFile.state)
    rows = made.connection.execute(question.where(*_draft_of(duty.id, agency))).all()
    sound = [row for row in rows if row.state != "refused"]
    beside = sum(row.field == kept.field for row in sound)
    if beside >= field.max or len(rows) >= MOST_DRAFTS:
        raise UploadRefused("too-many")
    if sum(row.size for row in sound) + kept.size > MOST_BYTES:
        raise UploadRefused("too-big")


def _draft_of(duty_id: int, agency: str):
    return (
        EvidenceFile.duty_id == duty_id,
        EvidenceFile.agency == agency,
        EvidenceFile.submission_id.is_(None),
    )


def take_out(ledger: Ledger, folder: Path, file_id: int, agency: str, now: datetime) -> None:
    """Takes a file out of an agency's draft: the row first, then its bytes.

    Raises:
        NoSuchDraft: nothing was taken out.
    """
    mine = (EvidenceFile.id == file_id, EvidenceFile.agency == agency)
    statement = delete(EvidenceFile).where(*mine, EvidenceFile.submission_id.is_(None))
    with change(ledger.engine, now, agency) as made:
        gone = made.connection.scalar(statement.returning(EvidenceFile.stored_as))
    if gone is None:
        raise NoSuchDraft
    discard(folder, gone)


def files_of(ledger: Ledger, duty_id: int) -> list[FileView]:
    """Every file of a duty, drafts too, in the order in which they came."""
    return _views(ledger, _FILES.where(EvidenceFile.duty_id == duty_id))


def draft_files(ledger: Ledger, duty_id: int, agency: str) -> list[FileView]:
    """The files of an agency's draft, refused ones too, in the order in which they came."""
    return _views(ledger, _FILES.where(*_draft_of(duty_id, agency)))


def file(ledger: Ledger, file_id: int) -> FileView | None:
    """One file; None when there is none of that number."""
    return next(iter(_views(ledger, _FILES.where(EvidenceFile.id == file_id))), None)


_FILES = select(EvidenceFile.__table__).order_by(EvidenceFile.id)


def _views(ledger: Ledger, question: Select[tuple[object, ...]]) -> list[FileView]:
    with reading(ledger.engine) as connection:
        return [_view(row) for row in connection.execute(question).mappings()]


def _view(row: RowMapping) -> FileView:
    return FileView(**{str(name): value for name, value in row.items()})


def save_draft(
    ledger: Ledger, duty_id: int, agency: str, fields: Mapping[str, str], now: datetime
) -> None:
    """Keeps what an agency has typed, as raw text by field key, in place of what it had before.

    Raises:
        NoSuchDuty, NotItsDuty, IllegalAct, UploadRefused: nothing was kept.
    """
    typed = dict(fields)
    if len(json.dumps(typed, ensure_ascii=False).encode()) > MOST_TYPED:
        raise UploadRefused("too-long")
    with change(ledger.engine, now, agency) as made:
        _writable(made, ledger, duty_id, agency)
        statement = insert_or_skip(made.connection)(Draft).values(
            duty_id=duty_id, agency=agency, fields=typed, saved_at=now
        )
        made.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["duty_id", "agency"], set_={"fields": typed, "saved_at": now}
            )
        )


def draft_of(ledger: Ledger, duty_id: int, agency: str) -> dict[str, str]:
    """What an agency has typed for a duty; empty when that is nothing."""
    question = select(Draft.fields).where(Draft.duty_id == duty_id, Draft.agency == agency)
    with reading(ledger.engine) as connection:
        return connection.scalar(question) or {}


def drop_draft(ledger: Ledger, duty_id: int, agency: str, now: datetime) -> None:
    """Forgets what an agency has typed; its files stay until they are taken out."""
    with change(ledger.engine, now, agency) as made:
        statement = delete(Draft).where(Draft.duty_id == duty_id, Draft.agency == agency)
        made.connection.execute(statement)
