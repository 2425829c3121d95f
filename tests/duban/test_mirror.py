"""A duty's card: what it shows, where it leads, and what it keeps back."""

import pytest

from duban.evidence import Checked
from duban.ledger import Ledger, acts
from duban.ledger.acts import Cover
from duban.ledger.opening import open_missing
from duban.ledger.questions import duties, latest_evidence
from duban.mirror import card
from tests.conftest import china

NOW = china("2026-01-05")
PORTAL = "https://duban.example.cn"


@pytest.fixture
def duty(ledger: Ledger) -> int:
    open_missing(ledger, NOW, clause="small/1")
    return duties(ledger, agency="东/妇联")[0].id


def shown(ledger: Ledger, duty: int, suspect: str = "", portal: str = PORTAL) -> str:
    """The card after evidence came."""
    cover = Cover(suspect=suspect)
    evidence = Checked({"classes": 317}, ())
    acts.submit(ledger, duty, evidence, [], by="东/妇联", now=NOW, cover=cover)
    [view] = duties(ledger, ids=[duty])
    return card(view, latest_evidence(ledger, [duty])[duty], portal=portal)


def test_a_card_shows_what_came_and_leads_to_the_portal(ledger: Ledger, duty: int):
    text = shown(ledger, duty)
    assert "- 课堂数: 317" in text
    assert f"[在督办门户中办理](https://duban.example.cn/desk/duties/{duty})" in text


def test_a_card_keeps_back_what_may_be_personal(ledger: Ledger, duty: int):
    text = shown(ledger, duty, suspect="phone")
    assert "317" not in text
    assert "疑似含个人信息，请在门户中查看" in text


def test_a_card_without_a_portal_leads_nowhere(ledger: Ledger, duty: int):
    assert "](" not in shown(ledger, duty, portal="")
