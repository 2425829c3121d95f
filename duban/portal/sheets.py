"""The 台账 in the portal: taken along as a workbook, sent back, looked at, then brought in.

A workbook that was sent waits in the data folder until its sender says yes to the preview; the
next one takes its place, and a day later it is removed.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response, StreamingResponse

from duban import tokens
from duban.intake import content_disposition
from duban.ledger.browsing import Selection, Then, Today
from duban.portal.who import Known
from duban.sheets import coming, going
from duban.sheets.judged import Judged, Preview, Verdict
from duban.sheets.reading import SheetUnreadable

MOST_BYTES = 5 * 2**20
"""Of a workbook that is sent: some tens of thousands of lines."""
MOST_ROWS = 10_000
"""Lines that are written while somebody waits; the command line writes any number."""
MOST_SHOWN = 200
"""Lines of a preview on a page."""

_BLOCK = 1 << 16
_KEPT_SECONDS = 24 * 3600
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(
    visit: Known, when: Today | Then, selection: Selection, *, own: bool = False
) -> Response:
    """The 台账 of a selection; it goes to the disk, and from there block by block."""
    language = visit.pages.language(visit.request)
    file = TemporaryFile()  # noqa: SIM115  # the answer closes it
    for _ in going.export(when, selection, file, at=visit.now, language=language, own=own):
        pass
    file.seek(0)
    day = visit.ledger.registry.today(when.now)
    headers = {"Content-Disposition": content_disposition(f"{visit.text('督办台账')}-{day}.xlsx")}
    return StreamingResponse(_blocks(file), media_type=XLSX, headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block


@dataclass(frozen=True, slots=True)
class Sent:
    """A workbook that was sent and what it would do; `digest` says which one that is."""

    preview: Preview
    digest: str

    @property
    def shown(self) -> list[Judged]:
        """The lines that change something or cannot, as many as a page takes."""
        return self._told[:MOST_SHOWN]

    @property
    def more(self) -> int:
        """How many lines are not shown."""
        return len(self._told) - len(self.shown)

    @property
    def _told(self) -> list[Judged]:
        return [one for one in self.preview.rows if one.verdict is not Verdict.UNCHANGED]

    @property
    def context(self) -> Mapping[str, object]:
        """What the template needs."""
        return {"sent": self, "preview": self.preview, "t": self.preview.texts}


def keep(visit: Known, form: FormData) -> Path:
    """Keeps the workbook that a form brought.

    Raises:
        SheetUnreadable: there is none.
    """
    given = form.get("sheet")
    if not isinstance(given, UploadFile) or not given.filename:
        raise SheetUnreadable("none", "There is no file.")
    path = _place(visit)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(path.parent)
    with path.open("wb") as file:
        shutil.copyfileobj(given.file, file)
    return path


def look(visit: Known, takes: coming.Takes) -> Sent:
    """What the workbook that waits would do now.

    Raises:
        SheetUnreadable: it cannot be read, or there is none.
    """
    path = _place(visit)
    preview = coming.judge(visit.ledger, path, visit.pages.language(visit.request), takes)
    return Sent(preview, hashlib.sha256(path.read_bytes()).hexdigest())


def bring_in(visit: Known, form: FormData, takes: coming.Takes, *, by: str) -> Sent | None:
    """Brings in what was looked at; what there is to see instead if that is not so any more.

    Raises:
        SheetUnreadable, MovedOn: not all of it was brought in.
    """
    sent = look(visit, takes)
    if not sent.preview.sound or form.get("digest") != sent.digest:
        return sent
    coming.bring_in(visit.ledger, sent.preview, by=by, now=visit.now)
    _place(visit).unlink(missing_ok=True)
    return None


def fault(visit: Known, error: Exception) -> str:
    """Why a workbook was not taken, and what to do."""
    _ = visit.text
    told = {
        "none": _("请先选择要导入的台账文件。"),
        "path": _("上传的台账已过保存期限，请重新上传。"),
        "size": _("文件过大，请只保留需要填写的行。"),
        "damaged": _(
            "这个文件不能读取。请另存为不带密码的 .xlsx 文件，删去表格以外的空白行列，再上传。"
        ),
        "empty": _("没有找到可以导入的行。请使用从这里下载的台账，保留各栏标题和隐藏的列。"),
    }
    moved = _("核对期间有的事项发生了变化，请重新上传核对。")
    return told.get(getattr(error, "why", ""), moved)


def _place(visit: Known) -> Path:
    """Where the workbook of this visitor waits; nobody else can name it."""
    name = tokens.derived(visit.office.key, "sheet", visit.credential)
    return visit.office.settings.home / "sheets" / f"{name}.xlsx"


def _sweep(folder: Path) -> None:
    """Removes what nobody said yes to within a day."""
    before = time.time() - _KEPT_SECONDS
    for path in folder.glob("*.xlsx"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
