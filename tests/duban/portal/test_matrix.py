"""Nobody reaches what is not theirs: every visitor at every route with every method.

What a visitor may reach is written down here from the rules, not asked of the portal.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from duban.evidence import Checked, keep_file
from duban.ledger import acts, bulletins, holds, links, petitions, uploads
from duban.ledger.accounts import Role
from duban.ledger.acts import Cover
from duban.ledger.database import reading
from duban.ledger.links import Door
from duban.ledger.papers import papers
from duban.ledger.questions import duties
from duban.ledger.tables import Letter
from duban.office import Office
from duban.period import Every, period_of
from duban.portal.app import create_app
from duban.portal.guard import csrf_of
from tests.duban.portal.conftest import Clock, sign_in

OWNERS = {"东/妇联": "1", "西/妇联": "1", "东/教育": "2", "西/教育": "2"}
"""Each agency and the clause under which it owes a duty; 教育 shares in clause 1 of its city."""
SAFE = ("GET", "HEAD", "OPTIONS")
ALL = (*SAFE, "POST", "PUT", "PATCH", "DELETE")
OPEN = re.compile(
    r"/|/health|/lost|/leave|/language/.*|/a/.*|/feed/.*|/desk/(login.*|logout)|/static.*"
)
"""What needs no right: each of these routes looks at its own secret, or at none."""
OWN_ACCOUNT = re.compile(r"/desk/account(/.*)?")
ACCOUNTS = re.compile(r"/desk/accounts(/.*)?")
WHOLE = re.compile(r"/(sheet|bulletins)(/.*)?")
"""What speaks of more than single duties: a link that was handed on opens none of it."""
DRAFTS = re.compile(r"/bulletins/1(/.*)?")
"""The bulletin is a draft, and those are for the desk alone."""


def mark(owner: str) -> str:
    """A word that stands in everything of an agency, and nowhere else."""
    return f"暗记{owner.replace('/', '')}"


@dataclass
class Visitor:
    """Somebody at the door; `reaches` are the agencies whose matters are theirs to see."""

    name: str
    client: TestClient
    csrf: str
    reaches: frozenset[str] = frozenset()
    desk: Role | None = None
    guest: bool = False
    handed: bool = False


@dataclass
class World:
    """The portal with something of everybody in it."""

    visitors: list[Visitor]
    values: dict[str, dict[str, object]]
    watch: sqlite3.Connection
    routes: list[APIRoute] = field(default_factory=list[APIRoute])

    def version(self) -> int:
        """Changes with every commit of another connection."""
        return int(self.watch.execute("PRAGMA data_version").fetchone()[0])


FIXED: Mapping[str, object] = {
    "notice_id": "small",
    "bulletin_id": 1,
    "objection_id": 1,
    "page": 1,
    "deed": "disable",
    "code": "en",
    "token": "x" * 43,
    "name": "portal.css",
    "path": "portal.css",
}


@pytest.fixture(scope="module")
def world(
    sqlite_template: Path, small: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    import shutil

    from duban.ledger import Ledger
    from duban.ledger.database import make_engine
    from duban.registry import Registry
    from tests.conftest import Project
    from tests.duban.portal.conftest import open_quarter

    assert isinstance(small, Registry)
    folder = tmp_path_factory.mktemp("matrix")
    shutil.copyfile(sqlite_template, folder / "ledger.db")
    url = f"sqlite:///{folder / 'ledger.db'}"
    project = Project.write(folder / "project")
    office = Office(project.settings(url), Ledger(make_engine(url), small))
    open_quarter(office)
    clock = Clock()
    values = _furnish(office, clock)
    app = create_app(office, clock)
    with ExitStack() as open_ones:
        visitors = _visitors(office, app, clock, values, open_ones)
        watch = open_ones.enter_context(closing(sqlite3.connect(folder / "ledger.db")))
        found = [one for one in app.routes if isinstance(one, APIRoute)]
        yield World(visitors, values, watch, found)
    office.ledger.engine.dispose()


def _furnish(office: Office, clock: Clock) -> dict[str, dict[str, object]]:
    """Something of every kind for each agency, with its mark in it."""
    values: dict[str, dict[str, object]] = {}
    _bulletin(office, clock)
    for owner, clause in OWNERS.items():
        [duty] = duties(office.ledger, agency=owner, clause=f"small/{clause}")
        petition = petitions.ask(
            office.ledger,
            duty.id,
            petitions.Kind.NOT_APPLICABLE,
            reason=mark(owner),
            by=owner,
            now=clock(),
        )
        file_id = _file(office, clock, duty.id, owner) if clause == "1" else 0
        fields = {"classes": 3, "note": mark(owner)} if clause == "1" else {"share": [9, 10]}
        cover = Cover(person=mark(owner), telephone="0351-1", drafts=(file_id,) if file_id else ())
        acts.submit(
            office.ledger, duty.id, Checked(fields, ()), [], by=owner, now=clock(), cover=cover
        )
        draft = _file(office, clock, duty.id, owner) if clause == "1" else 0
        uploads.save_draft(office.ledger, duty.id, owner, {"note": mark(owner)}, clock())
        token = links.issue(office.ledger, office.key, owner, by="test", now=clock())
        door = links.enter(office.ledger, token, clock())
        assert door
        link_id, handed = _hand_on(office, door, duty.id, owner, clock)
        values[owner] = {
            "duty_id": duty.id,
            "file_id": file_id,
            "draft": draft,
            "petition_id": petition,
            "link_id": link_id,
            "letter_id": _letter(office, owner),
            "paper_id": _paper(office, owner),
            "region": owner[0],
            "department": owner[2:],
            "hold_id": _hold(office, owner, clock),
            "number": 1,
            "key": "proof",
            "field": "proof",
            "token of link": token,
            "token of handed": handed,
        }
    return values


def _bulletin(office: Office, clock: Clock) -> None:
    """A draft that somebody objected to; it is everybody's at the desk."""
    period = period_of(Every.MONTH, clock().date())
    number, _ = bulletins.draft(office.ledger, period, at=clock(), by="test", now=clock())
    bulletins.object_to(office.ledger, number, text="有误", by="test", now=clock())


def _hand_on(office: Office, door: Door, duty: int, owner: str, clock: Clock) -> tuple[int, str]:
    until = clock().date() + timedelta(days=20)
    return links.hand_on(
        office.ledger, office.key, door, [duty], mark(owner), until=until, now=clock()
    )


def _hold(office: Office, owner: str, clock: Clock) -> int:
    until = clock().date() + timedelta(days=9)
    return holds.hold(
        office.ledger,
        agency=owner,
        clause=None,
        until=until,
        reason=mark(owner),
        by="test",
        now=clock(),
    )


def _file(office: Office, clock: Clock, duty: int, owner: str) -> int:
    source = office.settings.home / f"{mark(owner)}.pdf"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(b"%PDF-1.4 " + mark(owner).encode())
    kept = keep_file(office.settings.files, "proof", source)
    return uploads.begin(office.ledger, duty, owner, kept, clock())


def _letter(office: Office, owner: str) -> int:
    from sqlalchemy import select

    with reading(office.ledger.engine) as connection:
        found = connection.scalar(select(Letter.id).where(Letter.recipient == owner).limit(1))
    assert found
    return found


def _paper(office: Office, owner: str) -> int:
    [found] = [one for one in papers(office.ledger) if one.recipient == owner]
    return found.id


def _visitors(
    office: Office,
    app: FastAPI,
    clock: Clock,
    values: Mapping[str, Mapping[str, object]],
    open_ones: ExitStack,
) -> list[Visitor]:
    def client() -> TestClient:
        made = TestClient(app, base_url="http://127.0.0.1:4280", follow_redirects=False)
        return open_ones.enter_context(made)

    made = [Visitor("nobody", client(), "")]
    shares = {"东/教育": "东/妇联", "西/教育": "西/妇联"}
    for owner, own in values.items():
        for kind in ("link", "handed") if owner in ("东/妇联", "西/教育") else ("link",):
            token = str(own[f"token of {kind}"])
            one = client()
            one.cookies.set("duban-link", token)
            reaches = {owner, shares.get(owner, owner)} if kind == "link" else {owner}
            made.append(
                Visitor(
                    f"{kind} of {owner}",
                    one,
                    csrf_of(office.key, token),
                    frozenset(reaches),
                    guest=True,
                    handed=kind == "handed",
                )
            )
    for role, region in (
        (Role.ADMINISTRATOR, None),
        (Role.PROVINCIAL, None),
        (Role.CITY, "东"),
        (Role.READER, None),
        (Role.READER, "西"),
    ):
        token = _session(office, clock, role, region)
        one = client()
        one.cookies.set("duban-desk", token)
        reaches = {owner for owner in OWNERS if region in (None, owner[0])}
        name = f"{role} {region or ''}".strip()
        made.append(Visitor(name, one, csrf_of(office.key, token), frozenset(reaches), desk=role))
    return made


def _session(office: Office, clock: Clock, role: Role, region: str | None) -> str:
    login = f"{role}.{'east' if region == '东' else 'west' if region else 'all'}"
    return sign_in(office, clock, login, role, region)


def _targets(world: World) -> Iterator[tuple[APIRoute, str, str | None]]:
    """Each route with the values of each agency; the owner is None where nobody's is asked for."""
    for route in world.routes:
        names = re.findall(r"{(\w+)(?::\w+)?}", route.path)
        unknown = [n for n in names if n not in FIXED and n not in world.values["东/妇联"]]
        if "login" in names or "account_id" in names:
            unknown = []
        assert not unknown, f"{route.path}: say in this test what {unknown} stands for"
        owned = [n for n in names if n not in FIXED and n in world.values["东/妇联"]]
        if not owned:
            yield route, _address(route, FIXED), None
            continue
        for owner, values in world.values.items():
            if "file_id" in owned and not values["file_id"]:
                continue
            yield route, _address(route, {**FIXED, **values}), owner


def methods_of(route: APIRoute) -> set[str]:
    """The methods that a route names."""
    return set(route.methods or ())


def _address(route: APIRoute, values: Mapping[str, object]) -> str:
    """The route's path with these values; a file that is sent has a name."""
    pattern = r"{(\w+)(?::\w+)?}"
    path = re.sub(pattern, lambda found: str(values.get(found[1], "1")), route.path)
    return f"{path}?name=1.pdf" if "PUT" in methods_of(route) else path


def _may(visitor: Visitor, path: str, owner: str | None, method: str) -> bool:
    """What the rules say of a visitor at a page of an owner."""
    path = path.partition("?")[0]
    if OPEN.fullmatch(path):
        return True
    if path.startswith("/desk"):
        if visitor.desk is None:
            return False
        if ACCOUNTS.fullmatch(path):
            return visitor.desk is Role.ADMINISTRATOR
        if method not in SAFE and visitor.desk is Role.READER:
            return bool(OWN_ACCOUNT.fullmatch(path))
        return owner is None or owner in visitor.reaches
    if DRAFTS.fullmatch(path) or (visitor.handed and WHOLE.fullmatch(path)):
        return False
    return visitor.guest and (owner is None or owner in visitor.reaches)


def _acts(world: World, allowed: bool) -> Iterator[tuple[Visitor, str, str]]:
    """(visitor, method, address) of each act that is allowed to the visitor, or is not.

    What an act asks before it looks whose the matter is, it asks alike of every owner's: where it
    is allowed, the first owner's stands for all.
    """
    seen = set[tuple[str, str, str]]()
    for route, path, owner in _targets(world):
        for method in methods_of(route) - set(SAFE):
            for visitor in world.visitors:
                key = visitor.name, method, route.path
                if _may(visitor, path, owner, method) is not allowed or key in seen:
                    continue
                if allowed:
                    seen.add(key)
                yield visitor, method, path


def _marks(text: str) -> set[str]:
    return {owner for owner in OWNERS if mark(owner) in text}


def test_a_page_that_is_not_theirs_is_not_there(world: World) -> None:
    looked = Counter[str]()
    headed = set[tuple[str, str, bool]]()
    for route, path, owner in _targets(world):
        for visitor in world.visitors:
            allowed = _may(visitor, path, owner, "GET")
            # HEAD is GET without its body: once for what is theirs and once for what is not.
            key = route.path, visitor.name, allowed
            methods = {*methods_of(route), "HEAD"} & ({"GET"} if key in headed else {"GET", "HEAD"})
            headed.add(key)
            before = world.version()
            for method in methods:
                answer = visitor.client.request(method, path)
                looked[method] += 1
                told = f"{visitor.name} {method} {path}: {answer.status_code}"
                assert answer.status_code < 500, told
                if not allowed:
                    assert answer.status_code in (303, 404, 405), told
                    assert not _marks(answer.text), told
                    if answer.status_code == 303:
                        assert answer.headers["location"].startswith("/desk/login"), told
                assert _marks(answer.text) <= visitor.reaches, told
                if path.startswith("/desk"):
                    continue
                assert world.version() == before, f"{told} changed the ledger"
    assert looked["GET"] > 500
    assert looked["HEAD"] > 500


def test_an_act_that_is_not_theirs_changes_nothing(world: World) -> None:
    tried = 0
    for visitor, method, path in _acts(world, allowed=False):
        before = world.version()
        answer = visitor.client.request(
            method, path, data={"csrf": visitor.csrf}, headers={"X-CSRF": visitor.csrf}
        )
        tried += 1
        told = f"{visitor.name} {method} {path}: {answer.status_code}"
        assert answer.status_code in (303, 403, 404), told
        assert not _marks(answer.text), told
        assert world.version() == before, f"{told} changed the ledger"
    assert tried > 300


def test_an_act_without_the_forms_own_secret_changes_nothing(world: World) -> None:
    for visitor, method, path in _acts(world, allowed=True):
        if OPEN.fullmatch(path):
            continue
        for secret in ("", "é" * 43):
            before = world.version()
            answer = visitor.client.request(method, path, data={"csrf": secret})
            told = f"{visitor.name} {method} {path}: {answer.status_code}"
            assert answer.status_code == 403, told
            assert world.version() == before, f"{told} changed the ledger"


def test_an_act_that_another_site_began_changes_nothing(world: World) -> None:
    for visitor, method, path in _acts(world, allowed=True):
        for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
            before = world.version()
            answer = visitor.client.request(
                method, path, data={"csrf": visitor.csrf}, headers=foreign
            )
            told = f"{visitor.name} {method} {path} {foreign}: {answer.status_code}"
            assert answer.status_code in (303, 403, 404, 429), told
            assert world.version() == before, f"{told} changed the ledger"


def test_methods_that_a_route_does_not_name_do_nothing(world: World) -> None:
    strongest = next(one for one in world.visitors if one.desk is Role.ADMINISTRATOR)
    guest = next(one for one in world.visitors if one.guest)
    for pattern, path in {route.path: path for route, path, _ in _targets(world)}.items():
        named = {
            name for other in world.routes if other.path == pattern for name in methods_of(other)
        }
        for method in set(ALL) - named - {"HEAD"}:
            for visitor in (strongest, guest):
                before = world.version()
                answer = visitor.client.request(method, path, headers={"X-CSRF": visitor.csrf})
                told = f"{visitor.name} {method} {path}: {answer.status_code}"
                assert answer.status_code in (303, 403, 404, 405), told
                assert world.version() == before, told
