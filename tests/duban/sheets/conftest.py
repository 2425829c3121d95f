"""A ledger with a duty of every kind, its 台账 as a file, and somebody who types into it."""

import shutil
from collections.abc import Mapping
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from duban.ledger import Ledger
from duban.ledger.browsing import Selection
from duban.ledger.database import make_engine
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties
from duban.office import Office
from duban.registry import Registry
from duban.sheets import going
from tests.conftest import Project, at, china

NOW = china("2026-03-02")
HEAD = 3
"""The line of the headings."""

Typed = Mapping[str, Any]
"""What somebody types, by heading."""


@pytest.fixture(scope="session")
def told_sqlite(
    sqlite_template: Path, small: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A ledger with all that is open on 2 March 2026, to copy: to open it takes longest."""
    project = Project.write(tmp_path_factory.mktemp("told") / "project")
    path = project.folder / "ledger.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    engine = make_engine(url)
    _open(Office(project.settings(url), Ledger(engine, small)))
    engine.dispose()
    return path


def _open(office: Office) -> None:
    open_missing(office.ledger, NOW)
    office.post.deliver(at(NOW))


@pytest.fixture
def sqlite_url(told_sqlite: Path, tmp_path: Path) -> str:
    path = tmp_path / "ledger.db"
    shutil.copyfile(told_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def office(office: Office, database_url: str) -> Office:
    """All that is open on 2 March 2026, told to the agencies."""
    if not database_url.startswith("sqlite"):
        _open(office)
    return office


def number_of(ledger: Ledger, agency: str, clause: str) -> int:
    """An agency's first duty under a clause."""
    return duties(ledger, agency=agency, clause=f"small/{clause}")[0].id


def exported(
    ledger: Ledger,
    path: Path,
    selection: Selection | None = None,
    *,
    as_of: date | None = None,
    **more: Any,
) -> Path:
    """The 台账 of a selection."""
    when = going.moment_of(ledger, NOW, as_of)
    language = more.pop("language", "zh")
    for _ in going.export(when, selection or Selection(), path, at=NOW, language=language, **more):
        pass
    return path


def shown(path: Path, sheet: int = 0) -> dict[str, dict[str, Any]]:
    """The lines of a 台账 by 事项号, each by heading."""
    rows = (
        CalamineWorkbook.from_filelike(BytesIO(path.read_bytes()))
        .get_sheet_by_index(sheet)
        .to_python()
    )
    heads = [str(one) for one in rows[HEAD - 1]]
    lines = [dict(zip(heads, row, strict=True)) for row in rows[HEAD:]]
    return {f"{line['事项号']:.0f}": line for line in lines}


def typed_in(path: Path, given: Mapping[int, Typed], sheet: int = 0) -> Path:
    """The file after somebody typed into lines of these duties, as text stays text in Excel."""
    book: Any = load_workbook(path)
    page = book.worksheets[sheet]
    columns = {cell.value: cell.column for cell in page[HEAD]}
    for line in range(HEAD + 1, page.max_row + 1):
        found = given.get(page.cell(line, columns["事项号"]).value, {})
        for title, value in found.items():
            cell = page.cell(line, columns[title])
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
    book.save(path)
    return path
