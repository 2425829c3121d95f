"""`duban links`, `link` and `unlink`, and what `send on` says of links that open nowhere else."""

import json
import re

import pytest

from duban.ledger.links import enter
from duban.office import Office, open_office
from tests.conftest import Project, china
from tests.duban.cli.conftest import Run

NOW = china("2026-03-01")
ADDRESS = re.compile(r"^http://127\.0\.0\.1:4280/a/([\w-]{43})$", re.MULTILINE)


def office(project: Project) -> Office:
    return open_office(project.settings())


def token(said: str) -> str:
    [found] = ADDRESS.findall(said)
    return found


def test_a_link_is_printed_again_until_it_is_reissued(run: Run, project: Project):
    first = token(run("link", "东市妇联", "--by", "王").text)
    assert token(run("link", "东/妇联", "--by", "王").text) == first
    second = token(run("link", "东/妇联", "--reissue", "--by", "王").text)
    ledger = office(project).ledger
    assert enter(ledger, first, NOW) is None
    door = enter(ledger, second, NOW)
    assert door is not None
    assert door.agency_id == "东/妇联"


def test_the_list_names_links_and_opens_nothing(run: Run):
    shown = [token(run("link", name, "--by", "王").text) for name in ("东/妇联", "西/妇联")]
    listed = run("links").text
    assert "1  东市妇联  issued" in listed
    assert "2 link(s)." in listed
    one = json.loads(run("links", "西/妇联", "--json").text)
    assert [(link["id"], link["agency"], link["holder"]) for link in one] == [(2, "西/妇联", "")]
    for secret in shown:
        assert secret not in listed + str(one)


def test_a_revoked_link_opens_nothing_and_is_listed_as_that(run: Run, project: Project):
    secret = token(run("link", "东/妇联", "--by", "王").text)
    assert run("unlink", "1", "--by", "王").text == "Link 1 opens nothing any more.\n"
    assert "revoked" in run("links").text
    assert enter(office(project).ledger, secret, NOW) is None
    again = run("unlink", "1", "--by", "王")
    assert again.code == 1
    assert "revoked already" in again.text


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        (None, True),
        ("http://localhost:4280", True),
        ("http://[::1]/duban", True),
        ("https://duban.example.cn/", False),
        ("http://10.0.0.5:4280", False),
    ],
)
def test_sending_warns_of_links_that_work_on_this_machine_only(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str | None, warned: bool
):
    monkeypatch.delenv("DUBAN_PORTAL_URL", raising=False)
    if url:
        monkeypatch.setenv("DUBAN_PORTAL_URL", url)
    said = run("send", "on", "--yes", "--by", "王").text
    assert ("set DUBAN_PORTAL_URL" in said) is warned
    assert "Sending is on" in said
