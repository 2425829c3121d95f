"""An agency on a phone, in WeChat: from the link in its letter to a receipt, and all the ways."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from duban.duty import Status
from duban.ledger import reviewing, uploads
from tests.duban.portal.browser.conftest import (
    DESKTOP,
    PHONE,
    World,
    html_of,
    keep,
    photo,
    status_of,
    text_of,
)


def start(page: Page, title: str = "家长课堂") -> None:
    """From the list to a duty."""
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_load_state()  # until then its scripts are not there


def sign(page: Page) -> None:
    """Fills in who it is."""
    page.get_by_label("姓名").fill("王芳")
    page.get_by_label("联系电话").fill("0351-1234567")


def attach(page: Page, *seeds: int) -> None:
    """Chooses photos from the camera roll, all at once."""
    photos = [photo(f"现场{seed}.jpg", seed) for seed in seeds]
    page.get_by_label("选择文件或拍照").set_input_files(photos)


def file(page: Page, name: str) -> Locator:
    """The row of a file in the form."""
    return page.locator("form[data-duty] .files > li").filter(has_text=name)


def submit(page: Page) -> str:
    """Hands in; the number of the receipt on the screen."""
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_role("heading", name="回执", exact=True)).to_be_visible()
    return page.locator(".receipt-number").inner_text()


def throttle(page: Page, upload: int) -> None:
    """Lets the page send no more than so many bytes a second."""
    session: Any = page.context.new_cdp_session(page)
    line = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": upload}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", line)


def test_an_agency_reports_from_the_link_in_its_letter_and_again_after_a_return(
    world: World,
) -> None:
    page = world.phone()
    expect(page).to_have_url(f"{world.url}/duties")  # the token has left the address
    keep(page, "agency-list")
    start(page)
    page.get_by_role("button", name="签收").click()
    expect(page.get_by_text("已签收。")).to_be_visible()
    expect(page.get_by_role("button", name="签收")).to_be_hidden()

    # Filled in wrongly: the fault stands beside the field, and nothing is lost.
    throttle(page, 400_000)
    page.evaluate(WATCH)
    attach(page, 1, 2)
    for name in ("现场1.jpg", "现场2.jpg"):
        expect(file(page, name).locator(".pill")).to_be_visible()
    reached = page.evaluate("window.reached")
    assert len({round(part, 2) for part in reached if 0 < part < 1}) >= 2, reached
    page.get_by_label("课堂数").fill("五百")
    page.get_by_label("说明").fill("含县区")
    sign(page)
    page.get_by_role("button", name="提交", exact=True).click()
    number = page.get_by_label("课堂数")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(number).to_have_accessible_description("“五百”不是整数，请只填数字，例如 1234")
    expect(number).to_have_value("五百")
    expect(page.get_by_label("说明")).to_have_value("含县区")
    expect(file(page, "现场1.jpg")).to_be_visible()
    keep(page, "agency-fault")

    # Mended, with one photo less.
    file(page, "现场2.jpg").get_by_role("button", name="移除").click()
    expect(file(page, "现场2.jpg")).to_have_count(0)
    number.fill("480")
    receipt = submit(page)
    keep(page, "agency-receipt")
    world.deliver()
    told = text_of(world.letters("东/妇联")[-1])
    assert receipt in told

    # Inspection goes on by itself, and the page follows it.
    page.get_by_role("link", name="查看本事项").click()
    sent = page.locator("#sent ~ details")
    expect(sent.get_by_text("检验通过")).to_be_visible()
    expect(sent.locator("img.face, span.face")).to_have_count(1)

    reason = send_back(world, receipt)
    page.goto("/duties")
    expect(page.get_by_role("heading", name="退回重报")).to_be_visible()
    expect(page.get_by_text(reason)).to_be_visible()
    start(page)
    expect(page.get_by_text("退回原因")).to_be_visible()
    expect(page.get_by_label("课堂数")).to_have_value("480")
    expect(page.get_by_label("姓名")).to_have_value("王芳")
    keep(page, "agency-returned")
    page.get_by_role("button", name="沿用").click()
    expect(file(page, "现场1.jpg")).to_be_visible()
    page.get_by_label("课堂数").fill("482")
    second = submit(page)
    assert second != receipt
    page.get_by_role("link", name="查看本事项").click()
    expect(page.locator("#sent ~ details dd a")).to_have_text([second, receipt])
    versions = reviewing.versions(world.office.ledger, world.duty().id)
    assert [version.fields["classes"] for version in versions] == [482, 480]
    assert [len(version.files) for version in versions] == [1, 1]


WATCH = """() => {
  window.reached = [];
  setInterval(() => {
    for (const bar of document.querySelectorAll('progress')) window.reached.push(bar.value);
  }, 20);
}"""


def send_back(world: World, receipt: str) -> str:
    """A coordinator returns what came; the reason given."""
    desk, reason = world.desk(), "缺少分县明细，请补充。"
    desk.goto("/desk/review")
    desk.locator("a[data-row]").click()
    expect(desk.get_by_text(receipt)).to_be_visible()
    desk.get_by_label("具体要求").fill(reason)
    desk.get_by_role("button", name="退回重报").click()
    expect(desk.get_by_text("已退回：")).to_be_visible()
    return reason


def test_a_nil_return_is_handed_in_with_a_statement(world: World) -> None:
    page = world.phone()
    start(page)
    page.get_by_role("link", name="零报告").click()
    sign(page)
    page.get_by_role("button", name="提交零报告").click()
    statement = page.get_by_label("情况说明")
    expect(statement).to_have_accessible_description(re.compile("请填写情况说明"))
    expect(page.get_by_label("姓名")).to_have_value("王芳")
    statement.fill("本季度未举办，已逐县核实。")
    keep(page, "agency-nil")
    page.get_by_role("button", name="提交零报告").click()
    expect(page.get_by_text("第 1 版（零报告）")).to_be_visible()
    [version] = reviewing.versions(world.office.ledger, world.duty().id)
    assert (version.nil, version.statement) == (True, "本季度未举办，已逐县核实。")


def test_an_extension_is_asked_for_on_the_phone_and_granted_at_the_desk(world: World) -> None:
    page = world.phone()
    start(page)
    page.get_by_role("link", name="申请延期").click()
    page.get_by_label("理由和目前进展").fill("三个县的数据尚在核对。")
    page.get_by_label("申请延期到").fill("2026-03-10")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_label("理由和目前进展")).to_have_value("三个县的数据尚在核对。")
    page.get_by_label("申请延期到").fill("2026-04-10")
    page.get_by_label("同意延期的负责同志").fill("李某某，副主任")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("申请已提交")).to_be_visible()
    expect(page.get_by_text("2026年3月20日").first).to_be_visible()

    desk = world.desk()
    desk.goto("/desk/decisions")
    expect(desk.get_by_text("李某某，副主任")).to_be_visible()
    desk.get_by_role("button", name="同意", exact=True).click()
    expect(desk.get_by_text("已同意该项申请。")).to_be_visible()

    page.goto("/duties")
    start(page)
    expect(page.locator(".due")).to_contain_text("2026年4月10日")
    page.get_by_text("时限是怎么定的").click()
    expect(page.get_by_text("2026年3月20日")).to_be_visible()


def test_not_applicable_is_asked_for_and_decided(world: World) -> None:
    page = world.phone()
    start(page)
    page.get_by_role("link", name="申请不适用").click()
    page.get_by_label("理由").fill("本市家长课堂由教育局承办。")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("等待决定")).to_be_visible()
    desk = world.desk()
    desk.goto("/desk/decisions")
    desk.get_by_role("button", name="同意", exact=True).click()
    expect(desk.get_by_text("已同意该项申请。")).to_be_visible()
    page.goto("/duties")
    expect(page.get_by_text("目前没有需要办理的事项")).to_be_visible()
    assert world.duty().status is Status.NOT_APPLICABLE


def test_a_duty_is_handed_on_by_a_link_that_reaches_it_alone_until_it_is_revoked(
    world: World,
) -> None:
    page = world.phone("东/教育")
    start(page, "配备率95%")
    page.get_by_role("link", name="转交办理").click()
    page.get_by_label("转交给谁").fill("王某某")
    page.get_by_role("button", name="生成链接").click()
    address = page.get_by_label("链接", exact=True).input_value()
    keep(page, "agency-handed")

    other = world.open(**PHONE)
    other.goto(address)
    expect(other.get_by_text("东市教育局将下列事项转交王某某办理")).to_be_visible()
    expect(other.locator(".items > li")).to_have_count(1)  # the agency itself has two
    start(other, "配备率95%")
    other.get_by_label("已配备").fill("190")
    other.get_by_label("学校").fill("200")
    expect(other.locator("output")).to_have_text("95.0%")
    expect(other.locator("output")).to_have_class("met")
    sign(other)
    submit(other)

    page.goto("/duties")
    start(page, "配备率95%")
    page.get_by_text("办理记录").click()
    expect(page.locator(".timeline")).to_contain_text("王某某")
    page.goto("/duties")
    page.get_by_role("button", name="作废").click()
    expect(page.get_by_text("转交的链接已作废，立即失效。")).to_be_visible()
    assert status_of(other, "/duties") == 404
    assert status_of(other, address) == 404


def test_what_was_typed_is_there_after_the_page_was_closed(world: World) -> None:
    page = world.phone()
    start(page)
    page.get_by_label("说明").fill("含县区")
    expect(page.locator("#kept")).to_contain_text("草稿已保存")
    page.close()
    again = world.phone()
    start(again)
    expect(again.get_by_label("说明")).to_have_value("含县区")


def test_leaving_the_page_at_once_loses_nothing_either(world: World) -> None:
    page = world.phone()
    start(page)
    page.get_by_label("说明").fill("一转身")
    page.goto("/duties")  # before the pause after typing is over
    while not uploads.draft_of(world.office.ledger, world.duty().id, "东/妇联"):
        page.wait_for_timeout(100)
    start(page)
    expect(page.get_by_label("说明")).to_have_value("一转身")


def test_a_lost_connection_loses_neither_text_nor_files(world: World) -> None:
    page = world.phone()
    start(page)
    page.context.set_offline(True)
    page.get_by_label("课堂数").fill("12")
    expect(page.locator("#kept")).to_contain_text("已暂存在本机")
    attach(page, 3)
    row = file(page, "现场3.jpg")
    expect(row.get_by_role("button", name="重试")).to_be_visible()
    expect(row).to_contain_text("没有传成，请检查网络后重试")
    keep(page, "agency-offline")

    page.context.set_offline(False)
    expect(row.locator(".pill")).to_be_visible()  # sent again by itself
    expect(page.locator("#kept")).to_contain_text("草稿已保存")
    page.reload()
    expect(page.get_by_label("课堂数")).to_have_value("12")
    expect(file(page, "现场3.jpg")).to_be_visible()


def test_what_was_typed_without_a_network_survives_the_page(world: World) -> None:
    page = world.phone()
    start(page)
    page.context.set_offline(True)
    page.get_by_label("课堂数").fill("13")
    expect(page.locator("#kept")).to_contain_text("已暂存在本机")
    page.close()
    page = page.context.new_page()
    page.context.set_offline(False)
    page.goto(f"/duties/{world.duty().id}")
    expect(page.get_by_label("课堂数")).to_have_value("13")
    expect(page.locator("#kept")).to_contain_text("草稿已保存")


def test_everything_works_without_scripts(world: World) -> None:
    page = world.phone(java_script_enabled=False)
    start(page)
    attach(page, 4, 5)
    page.get_by_label("课堂数").fill("多")
    sign(page)
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_text("不是整数").first).to_be_visible()
    file(page, "现场4.jpg").get_by_role("button", name="移除").click()
    expect(file(page, "现场4.jpg")).to_have_count(0)
    expect(file(page, "现场5.jpg")).to_be_visible()
    page.get_by_label("课堂数").fill("7")
    sign(page)  # a draft holds nothing personal
    submit(page)
    [version] = reviewing.versions(world.office.ledger, world.duty().id)
    assert [one.name for one in version.files] == ["现场5.jpg"]


def test_a_lost_link_is_sent_to_the_registered_address_and_opens(world: World) -> None:
    page = world.open(**PHONE)
    page.goto("/lost")
    page.get_by_label("单位名称或登记的邮箱").fill("西市妇联")
    page.get_by_role("button", name="发送链接").click()
    told = page.locator(".flash").inner_text()
    page.goto("/lost")
    page.get_by_label("单位名称或登记的邮箱").fill("某某局")
    page.get_by_role("button", name="发送链接").click()
    assert page.locator(".flash").inner_text() == told
    world.deliver()
    found = re.search(r'href="([^"]+/a/[^"]+)"', html_of(world.letters("西/妇联")[-1]))
    assert found
    page.goto(found[1])
    expect(page.get_by_role("heading", name="西市妇联")).to_be_visible()


def test_the_pages_speak_english_to_who_asks_for_it(world: World) -> None:
    page = world.open(**{**DESKTOP, "locale": "en-GB"})
    page.goto(world.link("东/妇联"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_text("需要办理 1 项")).to_be_visible()
