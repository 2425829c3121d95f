"""The Prefect pages as a coordinator sees them, in a real Chromium, on the real notice."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pendulum
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, expect, sync_playwright

from deployments.screenshots import sign_in_to_prefect, take
from duban.board.markdown import Places
from duban.ledger.browsing import Selection, State, Today
from duban.ledger.links import links_of
from duban.office import Office, open_office
from duban.period import Every
from duban.registry import Registry
from duban.words import ZH
from tasks.stage import EventSpec, Stage
from tasks.stage.executed import TAG
from tests.conftest import PROJECT, Project
from tests.deployments.test_up import Running
from tests.duban.portal.browser.conftest import DESKTOP, PHONE, photo
from tests.duban.portal.conftest import PASSWORD
from tests.servers import prefect_client

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = os.environ.get("DUBAN_SCREENSHOTS")  # a folder to keep pictures in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(420),
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CI"),
        reason="NO CHROMIUM, so nothing is seen of the pages: install the package chromium",
    ),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole product on the real notice in one of its cities, mirrored."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "agencies.yaml").write_text(of_cities("太原"), encoding="utf-8")
    (folder / "deployments").symlink_to(PROJECT / "deployments")
    up = Running(folder / "var", Project(folder))
    up.start()
    try:
        up.wait_for("duban mirrored", 300)
        yield up
    finally:
        if up.process:
            up.process.terminate()
            up.process.wait(60)


def of_cities(*names: str) -> str:
    """agencies.yaml without the other cities, whose runs would look the same."""
    lines = (PROJECT / "agencies.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    city = re.compile(r"  (\w+): \{name: \w+, level: city")
    return "".join(line for line in lines if not (found := city.match(line)) or found[1] in names)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{running.port}",
        viewport={"width": 1440, "height": 1000},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    sign_in_to_prefect(context, f"http://127.0.0.1:{running.port}", running.auth)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def keep(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.wait_for_timeout(1500)
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


def test_prefect_asks_who_comes_and_its_pages_speak_to_their_own_server_only(
    browser: Browser, running: Running
) -> None:
    context = browser.new_context(base_url=f"http://127.0.0.1:{running.port}")
    page = context.new_page()
    page.set_default_timeout(60_000)
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url))
    page.goto("/v2/deployments")
    secret = page.locator("input[type=password]")
    secret.fill("duban:guessed")
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_text("Invalid credentials").first).to_be_visible()
    secret.fill(running.auth)
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_text("2.1 shanxi-2023-6").first).to_be_visible()
    assert {urlsplit(one).netloc for one in asked} == {f"127.0.0.1:{running.port}"}
    context.close()


def overdue(running: Running) -> int:
    """How many are overdue today: the notice's own dates go on."""
    office = office_of(running)
    found = Today(office.ledger, pendulum.now("UTC")).count(Selection(state=State.OVERDUE))
    office.ledger.engine.dispose()
    return found


def office_of(running: Running) -> Office:
    """The office that runs, seen from beside it."""
    given = {"home": running.home, "portal_port": running.portal, "prefect_port": running.port}
    return open_office(running.project.settings().model_copy(update=given))


OVERDUE = f"/v2/runs?tags={quote('状态:超期')}&limit=100"  # in late December there are 85


def test_overdue_duties_are_one_link_and_red(page: Page, running: Running) -> None:
    page.goto(OVERDUE)
    run = page.get_by_text("太原市教育局 · 一次性 · 2025-12-31止").first
    expect(run).to_be_visible(timeout=60_000)
    badge = page.get_by_text("Overdue", exact=True).first
    expect(badge).to_be_visible()
    keep(page, "overdue")
    assert is_red(badge.evaluate(COLOURS))
    count = overdue(running)
    assert count > 0
    expect(page.get_by_text("Overdue", exact=True)).to_have_count(count)


def test_the_forms_are_one_link(page: Page, running: Running) -> None:
    page.goto(Places("", f"http://127.0.0.1:{running.port}").acts(ZH.boards["acts"]))
    for name in ("审核", "延期", "免办、不适用", "立即立项", "推演催办"):
        expect(page.get_by_text(f"办理 · {name}", exact=True).first).to_be_visible()
    assert page.get_by_text("shanxi-2023-6").count() == 0


COLOURS = """element => {
  const found = [];
  for (let at = element, n = 0; at && n < 4; at = at.parentElement, n++) {
    const style = getComputedStyle(at);
    found.push(style.backgroundColor, style.color);
  }
  for (const icon of (element.parentElement || element).querySelectorAll('svg')) {
    found.push(getComputedStyle(icon).color);
  }
  return found.join(' ');
}"""


def is_red(colours: str) -> bool:
    """Whether one of the colours has much more red than green and blue, in rgb or oklch."""
    for red, green, blue in re.findall(r"rgba?\((\d+), (\d+), (\d+)", colours):
        if int(red) > int(green) + 40 and int(red) > int(blue) + 40:
            return True
    hues = re.findall(r"oklch\([\d.%]+ ([\d.]+) ([\d.]+)", colours)
    return any(float(chroma) > 0.03 and float(hue) < 45 for chroma, hue in hues)


def test_a_duty_shows_its_timeline_and_its_card(page: Page) -> None:
    page.goto(OVERDUE)
    page.get_by_text("太原市妇联 · 一次性 · 2025-12-31止").first.click()
    expect(page.get_by_text("立项交办").first).to_be_visible(timeout=60_000)
    keep(page, "timeline")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("duty-").first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    expect(
        page.get_by_text("开展心理健康教育的家庭教育指导服务站点比例达到60%").first
    ).to_be_visible()
    keep(page, "card")


def test_every_repeating_clause_is_a_flow_with_its_schedule(
    page: Page, running: Running, shanxi: Registry
) -> None:
    repeating = [
        placed
        for placed in shanxi.tracked
        if any(cycle.every is not Every.ONCE for cycle in placed.clause.cycles)
    ]
    assert len(repeating) == 54
    page.goto("/v2/deployments?limit=100")
    expect(page.get_by_text("3.4c shanxi-2023-6").first).to_be_visible(timeout=60_000)
    text = page.inner_text("body")
    missing = [
        placed.number for placed in repeating if f"{placed.number} shanxi-2023-6" not in text
    ]
    assert not missing
    keep(page, "deployments")
    page.get_by_text("3.4c shanxi-2023-6").first.click()
    # The page says the schedule in words: at 08:00 on day 1, only in March.
    expect(page.get_by_text("March").first).to_be_visible(timeout=60_000)
    keep(page, "clause")


def test_the_dashboard_is_red_with_the_board_of_the_day(page: Page, running: Running) -> None:
    end = time.monotonic() + 120
    while True:
        page.goto("/v2/dashboard")
        page.wait_for_timeout(3000)
        if page.get_by_text("board").count():
            break
        assert time.monotonic() < end, page.inner_text("body")
    page.goto("/v2/runs?state=&limit=10")
    expect(page.get_by_text(f"超期 {overdue(running)}").first).to_be_visible(timeout=60_000)
    keep(page, "runs")
    page.goto("/v2/dashboard")
    expect(page.get_by_text("board").first).to_be_visible(timeout=60_000)
    keep(page, "dashboard")


LATE = "太原市妇联 · 一次性 · 2025-12-31止"


def test_accepted_evidence_turns_red_into_green_in_the_portal_and_in_prefect(
    page: Page, browser: Browser, running: Running
) -> None:
    page.goto(OVERDUE)
    page.get_by_text(LATE).first.click()
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("duty-").first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    address = page.locator("a[href*='/desk/duties/']").first.get_attribute("href")
    assert address
    assert address.startswith(f"http://127.0.0.1:{running.portal}/desk/duties/")

    desk = browser.new_context(**DESKTOP, locale="zh-CN").new_page()
    desk.goto(address)  # it leads on to there after signing in
    sign_in(desk, running)
    desk.goto(address)
    expect(desk.locator("h1 .pill.red")).to_be_visible()
    hand_in(browser, running, address.rpartition("/")[2])
    desk.goto(address)
    desk.get_by_role("link", name="审核材料").click()
    desk.get_by_role("button", name="审核通过，销号").click()
    expect(desk.get_by_text("已审核通过：")).to_be_visible()
    desk.goto(address)
    expect(desk.locator("h1 .pill.red")).to_have_count(0)
    keep(desk, "desk-accepted")

    run = desk.get_by_role("link", name="在 Prefect 中查看").get_attribute("href")
    assert run
    assert run.startswith(f"http://127.0.0.1:{running.port}/v2/runs/flow-run/")
    end = time.monotonic() + 60
    while not accepted(page, run):
        assert time.monotonic() < end, page.inner_text("body")
    keep(page, "accepted")
    page.goto(OVERDUE)
    expect(page.get_by_text("Overdue", exact=True).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text(LATE)).to_have_count(0)
    desk.context.close()


def sign_in(desk: Page, running: Running) -> None:
    """The first administrator signs in and chooses a password."""
    once = re.search(r"one-time password (\S+)", running.printed)
    assert once
    desk.get_by_label("登录名").fill("admin")
    desk.get_by_label("密码", exact=True).fill(once[1])
    desk.get_by_role("button", name="登录", exact=True).click()
    desk.get_by_label("现用密码").fill(once[1])
    desk.get_by_label("新密码", exact=True).fill(PASSWORD)
    desk.get_by_label("再次填写新密码").fill(PASSWORD)
    desk.get_by_role("button", name="修改密码").click()
    expect(desk.get_by_text("密码已修改")).to_be_visible()


def hand_in(browser: Browser, running: Running, duty: str) -> None:
    """The agency reports on its phone."""
    link = running.duban("link", "太原市妇联", "--by", "test").stdout.strip()
    phone = browser.new_context(**PHONE, locale="zh-CN").new_page()
    phone.goto(link)
    phone.goto(f"http://127.0.0.1:{running.portal}/duties/{duty}")
    phone.get_by_label("已开展的站点").fill("130")
    phone.get_by_label("站点总数").fill("200")
    phone.get_by_label("选择文件或拍照").set_input_files([photo("盖章表.jpg", 1)])
    phone.get_by_label("姓名").fill("王芳")
    phone.get_by_label("联系电话").fill("0351-1234567")
    expect(phone.locator(".files .pill")).to_be_visible(timeout=60_000)
    phone.get_by_role("button", name="提交", exact=True).click()
    expect(phone.get_by_role("heading", name="回执", exact=True)).to_be_visible(timeout=60_000)
    phone.context.close()


def accepted(page: Page, run: str) -> bool:
    """Whether the duty's run shows that, once it is read again."""
    page.goto(run)
    try:
        page.get_by_text("AcceptedLate", exact=True).first.wait_for(timeout=5_000)
    except TimeoutError:
        return False
    return True


def test_the_pictures_of_the_readme_are_taken_by_a_command(
    running: Running, tmp_path: Path
) -> None:
    office = office_of(running)
    before = open_doors(office)
    # Another thread, because this one is the browser's of the tests.
    with ThreadPoolExecutor(1) as thread:
        taken = thread.submit(take, office, pendulum.now("UTC"), tmp_path).result()
    assert {file.name for file in taken} >= {"portal-board.png", "portal-phone.png"}
    for file in taken:
        with Image.open(file) as picture:
            assert picture.width > 390
    assert open_doors(office) == before  # nothing that was made for the pictures goes on working
    office.ledger.engine.dispose()


def open_doors(office: Office) -> set[int]:
    """The links that work."""
    now = pendulum.now("UTC")
    return {link.id for link in links_of(office.ledger) if link.works(now)}


def test_an_escalation_has_a_worker_tell_the_coordinators(running: Running) -> None:
    api_url = f"http://127.0.0.1:{running.port}/api"
    with Stage(api_url, auth=running.auth) as stage:
        tell = next(one.id for one in stage.deployments(TAG) if one.name == "tell")
        about = {"prefect.resource.id": "duban.duty.1", "prefect.resource.name": "duty 1"}
        stage.emit([EventSpec(str(uuid4()), "duban.duty.escalated", pendulum.now("UTC"), about)])
    asked = {"flow_runs": {"deployment_id": {"any_": [tell]}, "state": {"type": {"any_": ENDED}}}}
    with prefect_client(api_url, running.auth) as api:
        end = time.monotonic() + 240  # it waits a minute for more, and for a worker
        while not (found := api.post("/flow_runs/filter", json=asked).json()):
            assert time.monotonic() < end, api.post("/flow_runs/filter", json={}).json()
            time.sleep(0.5)
    assert found[0]["state"]["type"] == "COMPLETED"
    assert found[0]["created_by"]["type"] == "AUTOMATION"
    assert found[0]["state"]["message"] == "没有新升级的事项"


ENDED = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
