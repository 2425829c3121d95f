"""The pages for everybody: labels, contrast, keyboard, targets for thumbs, narrow screens."""

from datetime import date
from typing import Any, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from duban.evidence import Checked
from duban.ledger import acts, bulletins, petitions
from duban.ledger.accounts import Role
from duban.ledger.bulletins import period_called
from duban.ledger.petitions import Kind
from duban.reports import making
from tests.conftest import china
from tests.duban.ledger.conftest import days, run
from tests.duban.portal.browser.conftest import (
    DESKTOP,
    PHONE,
    World,
    keep,
    photo,
    status_of,
)

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "resultTypes": ["violations"],
}

# Links within a sentence are as large as its letters; a box to tick is as large as its label.
SMALL = """() => {
  const least = 44, found = [];
  for (const one of document.querySelectorAll('a, button, input, select, textarea, summary')) {
    if (one.type === 'hidden' || !one.checkVisibility() || one.matches('.skip')) continue;
    const within = one.tagName === 'A' && getComputedStyle(one).display === 'inline'
      && one.parentElement.textContent.trim() !== one.textContent.trim();
    const target = ['checkbox', 'radio', 'file'].includes(one.type) ? one.labels[0] : one;
    const { width, height } = target.getBoundingClientRect();
    if (!within && (width < least || height < least)) {
      found.push(`${width.toFixed(0)}×${height.toFixed(0)} ${one.outerHTML.slice(0, 120)}`);
    }
  }
  return found;
}"""

UNNAMED = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter((one) => one.type !== 'hidden' && !one.closest('[aria-hidden=true]'))
  .filter((one) => !one.labels?.length && !one.ariaLabel && one.ariaHidden !== 'true')
  .map((one) => one.outerHTML.slice(0, 120))"""

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

# The outline is on what has the focus, or on the label that stands for it.
FOCUS = """() => {
  const one = document.activeElement;
  const rings = [one, ...(one.labels || [])].map((each) => getComputedStyle(each));
  return {
    text: one.innerText || one.name || one.id,
    type: one.type || one.tagName,
    ring: rings.some((ring) => ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) > 1),
  };
}"""


def axe(page: Page) -> list[str]:
    """What is against WCAG 2.1 AA, with the elements concerned."""
    found: dict[str, Any] = cast(Any, Axe()).run(page, options=RULES).response
    return [
        f"{rule['id']}: {[node['html'][:200] for node in rule['nodes'][:4]]}"
        for rule in found["violations"]
    ]


def faults(page: Page) -> list[str]:
    """What is wrong with a page for any visitor."""
    unnamed = [f"no label: {one}" for one in page.evaluate(UNNAMED)]
    return [*axe(page), *unnamed]


def faults_on_a_phone(page: Page) -> list[str]:
    """What is wrong with it for a thumb, too, also on the narrowest phone."""
    small = [f"small: {one}" for one in page.evaluate(SMALL)]
    wide = [width for width in (390, 320) if exceeds(page, width)]
    page.set_viewport_size({"width": 390, "height": 844})
    return [*faults(page), *small, *(f"wider than {width}" for width in wide)]


def exceeds(page: Page, width: int) -> bool:
    page.set_viewport_size({"width": width, "height": 844})
    return page.evaluate(TOO_WIDE) > 0


def unfold(page: Page) -> None:
    """Opens everything that is folded, to be looked at."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.fixture
def busy(world: World) -> World:
    """Something of every kind is there: late, returned, asked for, with a file, handed on."""
    ledger, schools = world.office.ledger, world.duty("东/教育", "2")
    page = world.phone()
    page.goto(f"/duties/{world.duty().id}")
    page.get_by_label("选择文件或拍照").set_input_files([photo("现场.jpg", 7)])
    expect(page.locator(".files .pill.green")).to_be_visible()
    page.get_by_label("课堂数").fill("12")
    page.get_by_label("姓名").fill("王芳")
    page.get_by_label("联系电话").fill("0351-1234567")
    page.get_by_role("button", name="提交", exact=True).click()
    page.get_by_role("heading", name="回执", exact=True).wait_for()
    hand_on(page)
    page.context.close()
    evidence = Checked({"share": [180, 200]}, ())
    acts.submit(ledger, schools.id, evidence, (), by="东/教育", now=world.clock())
    acts.send_back(
        ledger, schools.id, reason="缺少分县明细。", by="省", now=world.clock(), due_on=None
    )
    petitions.ask(
        ledger,
        world.duty("西/妇联").id,
        Kind.EXTENSION,
        reason="数据尚在核对",
        until=date(2026, 3, 30),
        leader="王主任",
        by="西/妇联",
        now=world.clock(),
    )
    world.deliver()
    return world


def hand_on(page: Page) -> None:
    page.goto("/hand-on")
    page.get_by_label("转交给谁").fill("王某某")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="生成链接").click()
    page.get_by_role("heading", name="链接已生成").wait_for()


def test_every_page_of_an_agency_is_for_everybody_and_for_thumbs(busy: World) -> None:
    found: dict[str, list[str]] = {}
    women = busy.phone()
    duty = busy.duty().id
    for path in ("/duties", "/hand-on", f"/duties/{duty}"):
        women.goto(path)
        unfold(women)
        keep(women, f"access{path.replace('/', '-')}")
        found[path] = faults_on_a_phone(women)
    women.get_by_role("link", name="查看回执").click()
    women.get_by_role("button", name="打印回执").wait_for()
    found["receipt"] = faults_on_a_phone(women)
    hand_on(women)
    found["handed"] = faults_on_a_phone(women)

    schools = busy.phone("东/教育")
    duty = busy.duty("东/教育", "2").id
    for step in ("", "/nil", "/not-applicable"):
        schools.goto(f"/duties/{duty}{step}")
        unfold(schools)
        keep(schools, f"access-returned{step.replace('/', '-')}")
        found[f"returned{step}"] = faults_on_a_phone(schools)
        schools.locator("main button.main").click()
        expect(schools.get_by_role("alert")).to_be_visible()
        schools.wait_for_load_state()
        found[f"refused{step}"] = faults_on_a_phone(schools)

    west = busy.phone("西/妇联")
    west.goto(f"/duties/{busy.duty('西/妇联').id}/extension")
    found["extension"] = faults_on_a_phone(west)
    for path in ("/", "/lost", "/a/nobody", "/desk/login"):
        west.goto(path)
        found[path] = faults_on_a_phone(west)
    number = issued(busy)
    for path in ("/duties", "/bulletins", f"/bulletins/{number}"):
        schools.goto(path)
        unfold(schools)
        keep(schools, f"access-issued{path.replace('/', '-')}")
        found[f"issued {path}"] = faults_on_a_phone(schools)
    assert {page: wrong for page, wrong in found.items() if wrong} == {}


def issued(world: World) -> int:
    """The bulletin of the quarter, drafted and issued."""
    ledger, quarter = world.office.ledger, period_called("2026Q1")
    drafted, now = china("2026-03-02"), china("2026-03-09")
    number, _ = bulletins.draft(ledger, quarter, at=drafted, by="省", now=drafted)
    making.issue(ledger, number, by="省", now=now)
    world.clock.set("2026-03-09", "11:00")
    return number


def test_every_page_of_the_desk_is_for_everybody(busy: World) -> None:
    run(busy.office, days("2026-03-30", "2026-04-07"))
    busy.clock.set("2026-04-08")
    quarter, now = period_called("2026Q1"), busy.clock()
    bulletins.draft(busy.office.ledger, quarter, at=now, by="省", now=now)
    bulletins.object_to(busy.office.ledger, 1, text="东市已报", by="省", now=now)
    page = busy.desk(Role.ADMINISTRATOR)
    women, letter = busy.duty().id, 1
    found: dict[str, list[str]] = {}
    for path in (
        "/desk",
        "/desk?as_of=2026-03-01",
        "/desk/duties",
        f"/desk/duties/{women}",
        "/desk/review",
        f"/desk/review/{women}",
        "/desk/decisions",
        "/desk/letters",
        f"/desk/letters/{letter}",
        "/desk/agencies",
        "/desk/agencies/东/妇联",
        "/desk/bulletins",
        "/desk/bulletins/1",
        "/desk/bulletins/1/duties?measure=required",
        "/desk/notices/small",
        "/desk/history",
        "/desk/account",
        "/desk/accounts",
    ):
        assert status_of(page, path) == 200, path
        unfold(page)
        found[path] = faults(page)
        if page.evaluate(TOO_WIDE) > 0:
            found[path].append("wider than the window")
    assert {page: wrong for page, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("how", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_keyboard_fills_in_and_submits_and_shows_where_it_is(
    world: World, how: dict[str, Any]
) -> None:
    page = world.open(**how)
    page.goto(world.link("东/妇联"))
    page.goto(f"/duties/{world.duty().id}")
    typed = {"classes": "12", "_person": "王芳", "_telephone": "0351-1234567"}
    passed: set[str] = set()
    shown: set[str] = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        passed.add(at["text"])
        if at["ring"]:  # a date has stops within, which the browser itself marks
            shown.add(at["text"])
        if at["text"] in typed:
            page.keyboard.type(typed.pop(at["text"]))
        if at["text"] == "提交":
            break
    assert not typed
    assert passed == shown
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="回执", exact=True)).to_be_visible()
