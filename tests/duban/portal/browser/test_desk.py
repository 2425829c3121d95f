"""A coordinator at the desk: signing in, the board, review, decisions, letters, the notice."""

from datetime import timedelta

from playwright.sync_api import Page, expect
from pyotp.totp import TOTP

from duban.duty import Status
from duban.evidence import Checked
from duban.ledger import acts
from duban.ledger.accounts import Role, first_administrator
from duban.ledger.questions import events
from tests.duban.ledger.conftest import days, run
from tests.duban.portal.browser.conftest import DESKTOP, World, keep, status_of, text_of
from tests.duban.portal.conftest import PASSWORD


def report(world: World, agency: str, clause: str = "1") -> int:
    """An agency hands in what a clause asks for; the number of the duty."""
    duty = world.duty(agency, clause)
    values = {"classes": 12} if clause == "1" else {"share": [190, 200]}
    acts.submit(world.office.ledger, duty.id, Checked(values, ()), (), by=agency, now=world.clock())
    return duty.id


def log_in(page: Page, password: str, code: str = "") -> None:
    page.get_by_label("登录名").fill("admin")
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_label("动态码").fill(code)
    page.get_by_role("button", name="登录", exact=True).click()


def test_the_first_administrator_signs_in_changes_the_password_and_sets_up_a_second_factor(
    world: World,
) -> None:
    once = first_administrator(world.office.ledger, world.clock())
    assert once
    page = world.open(**DESKTOP)
    page.goto("/desk/duties")
    log_in(page, once)
    page.goto("/desk")  # nothing else is open before the password is changed
    expect(page).to_have_url(f"{world.url}/desk/account")
    page.get_by_label("现用密码").fill(once)
    page.get_by_label("新密码", exact=True).fill(PASSWORD)
    page.get_by_label("再次填写新密码").fill(PASSWORD)
    page.get_by_role("button", name="修改密码").click()
    expect(page.get_by_text("密码已修改")).to_be_visible()

    secret = page.locator("#factor-title ~ p code").inner_text().replace(" ", "")
    factor = TOTP(secret)
    page.get_by_label("验证器显示的数字").fill(factor.at(world.clock()))
    page.locator("form[action$=factor]").get_by_label("现用密码").fill(PASSWORD)
    page.get_by_role("button", name="启用动态码").click()
    expect(page.get_by_text("动态码已启用")).to_be_visible()

    page.get_by_role("button", name="退出").click()
    expect(page).to_have_url(f"{world.url}/desk/login")
    page.go_back()  # the browser kept nothing of what was shown
    expect(page.get_by_role("heading", name="督办工作台登录")).to_be_visible()
    page.goto("/desk")
    log_in(page, PASSWORD)
    expect(page.get_by_role("alert")).to_be_visible()
    world.clock.now += timedelta(minutes=1)
    log_in(page, PASSWORD, factor.at(world.clock()))
    expect(page).to_have_url(f"{world.url}/desk")
    expect(page.get_by_role("heading", name="总览")).to_be_visible()


def test_a_red_cell_leads_to_its_duty_and_turns_once_the_evidence_is_accepted_by_keyboard(
    world: World,
) -> None:
    page = world.desk()
    page.goto("/desk")
    cell = page.locator(".board tr", has_text="配备率95%").locator("td").first
    expect(cell.locator("a.red")).to_have_text("红1")
    keep(page, "desk-board")
    cell.locator("a.red").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("东市教育局")
    keep(page, "desk-list")
    rows.get_by_role("link", name="配备率95%").click()
    expect(page.get_by_text("超期 61 天")).to_be_visible()
    keep(page, "desk-duty")

    report(world, "东/教育", "2")
    report(world, "东/妇联")
    page.goto("/desk/review")
    keep(page, "desk-queue")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(page.locator("a[data-row]").first).to_be_focused()
    page.keyboard.press("Enter")
    first = page.get_by_role("heading", level=1).inner_text()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(first)
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    page.keyboard.press("r")
    expect(page.get_by_label("具体要求")).to_be_focused()
    page.keyboard.type("aj")  # letters in a field are text
    expect(page.get_by_label("具体要求")).to_have_value("aj")
    page.goto("/desk/review?clause=small/2")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_text("95.0%")).to_be_visible()
    keep(page, "desk-review")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已审核通过：")).to_be_visible()
    page.goto("/desk")
    expect(cell.locator("a.red")).to_have_count(0)
    expect(cell.locator("a.grey")).to_have_count(1)
    assert world.duty("东/教育", "2").status is Status.ACCEPTED


def test_a_return_with_its_reasons_reaches_the_agency_and_stands_in_the_outbox(
    world: World,
) -> None:
    number = report(world, "东/妇联")
    page = world.desk()
    page.goto(f"/desk/review/{number}")
    page.get_by_role("button", name="退回重报").click()
    expect(page.get_by_role("alert")).to_contain_text("请选择退回原因")
    page.get_by_label("缺少公章").check()
    page.get_by_label("具体要求").fill("请补盖公章后重报")
    page.get_by_role("button", name="退回重报").click()
    expect(page.get_by_text("已退回：")).to_be_visible()
    world.deliver()
    assert "缺少公章" in text_of(world.letters("东/妇联")[-1])

    page.goto("/desk/letters")
    row = page.locator("tbody tr", has_text="退回")
    expect(row).to_contain_text("东市妇联")
    expect(row).to_contain_text("已发")
    keep(page, "desk-letters")
    row.get_by_role("link", name="东市妇联").click()
    expect(page.get_by_text("请补盖公章后重报")).to_be_visible()
    expect(page.get_by_text("对方已接收")).to_be_visible()
    token = world.link("东/妇联").rpartition("/")[2]
    assert token not in page.content()  # the copy at the desk opens nothing
    keep(page, "desk-letter")


def test_the_rest_of_a_sample_is_accepted_together(world: World) -> None:
    numbers = [report(world, agency) for agency in ("东/妇联", "西/妇联")]
    numbers.append(report(world, "东/教育", "2"))
    page = world.desk()
    page.goto("/desk/review")
    page.get_by_label("抽查（件数").fill("1")
    page.get_by_role("button", name="随机抽取").click()
    expect(page.get_by_role("heading", name="抽查 1/3")).to_be_visible()
    together = page.get_by_role("button", name="批量通过所勾选的事项")
    expect(together).to_be_disabled()
    page.locator("a[data-row]").first.click()
    page.get_by_role("button", name="审核通过，销号").click()
    expect(page.get_by_text("已审核通过：")).to_be_visible()
    keep(page, "desk-sample")
    together.click()
    expect(page.get_by_role("heading", name="确认批量通过")).to_be_visible()
    page.get_by_role("button", name="确认通过").click()
    expect(page.get_by_text("已批量审核通过 2 项。")).to_be_visible()
    said = [e.text for n in numbers for e in events(world.office.ledger, duty_id=n)]
    assert sum(text == "批量审核通过（抽查 1/3 项，均未退回）" for text in said) == 2


def test_a_bulletin_is_drafted_and_its_number_leads_to_the_duties(world: World) -> None:
    world.clock.set("2026-04-08")
    page = world.desk()
    page.goto("/desk/bulletins")
    page.get_by_label("统计期间").fill("2026Q1")
    page.get_by_role("button", name="拟写草稿").click()
    expect(page.get_by_role("heading", name="季度通报 2026年第一季度 草稿")).to_be_visible()
    keep(page, "desk-bulletin")
    east = page.get_by_role("row", name="东市").first
    east.get_by_role("link").first.click()
    expect(page.get_by_role("row")).to_have_count(2)  # its heading, and one duty
    expect(page.get_by_role("cell", name="东市妇联")).to_be_visible()


def test_a_formal_letter_is_approved_and_a_call_recorded(world: World) -> None:
    run(world.office, days("2026-03-30", "2026-04-07"))
    world.clock.set("2026-04-08")
    page = world.desk()
    page.goto("/desk/decisions")
    keep(page, "desk-decisions")
    proposal = page.locator("#letters ~ form tbody tr", has_text="东市妇联")
    proposal.get_by_role("checkbox").check()
    page.get_by_role("button", name="批准发出").click()
    expect(page.get_by_text("已批准发出。")).to_be_visible()
    expect(proposal).to_have_count(0)
    world.deliver()
    page.goto("/desk/letters?kind=formal")
    row = page.locator("tbody tr", has_text="东市妇联")
    expect(row).to_contain_text("已发")
    assert "督办函" in str(world.letters("东/妇联")[-1]["Subject"])

    page.goto(f"/desk/duties/{world.duty().id}")
    page.locator("summary", has_text="电话催办").click()
    page.get_by_label("与谁通话，约定了什么").fill("与王主任通话，约定周五前报送。")
    page.get_by_role("button", name="记录", exact=True).click()
    expect(page.get_by_text("电话催办已记录。")).to_be_visible()
    expect(page.locator(".timeline").last).to_contain_text("与王主任通话，约定周五前报送。")


def test_a_phrase_of_the_notice_leads_to_its_duties(world: World) -> None:
    page = world.desk(Role.READER)
    page.goto("/desk/notices/small")
    keep(page, "desk-notice")
    phrase = page.locator(".notice-text mark", has_text="2025年底心理教师配备率达到95%")
    expect(phrase).to_have_class("red")
    phrase.get_by_role("link").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 项")


def test_a_city_coordinator_meets_nothing_of_another_city(world: World) -> None:
    report(world, "西/妇联")
    page = world.desk(Role.CITY, "东")
    west = world.duty("西/妇联").id
    for path in ("", "/duties", "/review", "/decisions", "/letters", "/agencies", "/history"):
        page.goto(f"/desk{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert "西市" not in page.content(), path
    for path in (f"/duties/{west}", f"/review/{west}", "/agencies/西/妇联"):
        assert status_of(page, f"/desk{path}") == 404, path
    page.goto(f"/desk/duties/{world.duty('东/妇联').id}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("家长课堂")
