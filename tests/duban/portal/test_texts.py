"""What the portal says: every Chinese message has its English, and visitors get their language."""

import ast
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from jinja2.ext import babel_extract

import duban.portal
from duban.ledger.accounts import Role
from duban.office import Office
from duban.portal.pages import catalogue as load
from tests.duban.portal.conftest import Browser, Clock, enter, sign_in

PORTAL = Path(duban.portal.__file__).parent
TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))
MODULES = sorted(PORTAL.rglob("*.py"))

Message = str | tuple[str, ...]

HAN = re.compile(r"[\u3400-\u9fff]")
CHINESE = re.compile(r"[\u2e80-\u2fff\u3001-\u9fff\uff01-\uffef]")
PLACE = re.compile(r"\{\w*\}|%\(\w+\)s|%%")
MARKS = {"_", "gettext", "ngettext", "text"}
UNSEEN = {
    "templates/base.html": {"中文"},  # the switch names each language in itself
    "templates/agency/duty.html": {"盖章"},  # looked for in labels
    "agency/forms.py": {r"[+()\d（）\- 转,，/]{5,40}"},
}
SAID_TOGETHER = "desk/faults.py"  # its sentences are marked where they are looked up


def place(path: Path) -> str:
    return path.relative_to(PORTAL).as_posix()


def constants(path: Path) -> Iterator[tuple[str, bool]]:
    """The Chinese strings of a module without its docstrings, and whether each is marked."""
    tree = ast.parse(path.read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    told = {id(arg) for call in calls if name_of(call.func) in MARKS for arg in call.args}
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for node in strings:
        text = str(node.value)
        if (
            id(node) not in docs
            and CHINESE.search(text)
            and text not in UNSEEN.get(place(path), ())
        ):
            yield text, id(node) in told


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def unmarked(path: Path) -> Iterator[str]:
    """The Chinese that a template shows in every language."""
    whole = Environment(extensions=["jinja2.ext.i18n"]).parse(path.read_text())
    told = {
        id(arg)
        for call in whole.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in MARKS
        for arg in call.args
    }
    shown = [node.data for node in whole.find_all(nodes.TemplateData)]
    shown += [str(node.value) for node in whole.find_all(nodes.Const) if id(node) not in told]
    yield from (
        one for one in shown if CHINESE.search(one) and one not in UNSEEN.get(place(path), ())
    )


def extracted(path: Path) -> Iterator[Message]:
    """The messages of a template."""
    keywords = ("_", "gettext", "ngettext")
    found = babel_extract(BytesIO(path.read_bytes()), keywords, (), {"newstyle_gettext": "true"})
    for _line, _function, message, _comments in found:
        parts = (
            (message,) if isinstance(message, str) else tuple(one for one in message or () if one)
        )
        yield parts[0] if len(parts) == 1 else parts


def catalogue() -> dict[Message, Message]:
    with (PORTAL / "locale" / "en.po").open("rb") as file:
        known = read_po(file, locale="en")
    return {plain(message.id): plain(message.string) for message in known if message.id}


def plain(text: str | Sequence[str] | None) -> Message:
    return text if isinstance(text, str) else tuple(text or ("",))


def forms(message: Message) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else message


def places(text: str) -> list[str]:
    return sorted(PLACE.findall(text))


def test_every_message_has_its_english_and_none_is_left_over():
    said = {one for path in TEMPLATES for one in extracted(path)}
    said |= {
        text for path in MODULES for text, marked in constants(path) if marked or HAN.search(text)
    }
    known = catalogue()
    assert said - known.keys() == set()
    assert known.keys() - said == set()


def test_a_translation_keeps_the_placeholders_and_holds_no_chinese():
    for message, english in catalogue().items():
        for one in forms(english):
            assert one.strip(), message
            assert places(one) == places(forms(message)[0]), message
            assert CHINESE.sub("", one) == one or "“太原市妇联”" in one, message


def test_what_a_template_says_can_be_filled_in():
    class Anything(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return key

    known = catalogue()
    for path in TEMPLATES:
        for message in extracted(path):
            for one in (*forms(message), *forms(known[message])):
                assert "%(" not in one % Anything(), message


@pytest.mark.parametrize("path", TEMPLATES, ids=place)
def test_a_template_shows_no_chinese_that_is_not_marked(path: Path):
    assert list(unmarked(path)) == []


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_module_shows_no_chinese_that_is_not_marked(path: Path):
    loose = [text for text, marked in constants(path) if HAN.search(text) and not marked]
    assert loose == [] or place(path) == SAID_TOGETHER


# A visitor's language

HOME = {"zh": "督办事项办理", "en": "Duties of agencies"}


def shown(page: str) -> str:
    """The language a page is in, by its words and by what it says of itself."""
    [found] = [language for language, words in HOME.items() if words in page]
    assert f'<html lang="{"zh-CN" if found == "zh" else found}">' in page
    return found


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("EN-us", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.1, zh;q=0.9", "zh"),
        ("zh; q=0.1, en; q=0.9", "en"),
        ("fr, en;q=0.4, zh;q=0.3", "en"),
        ("fr, de;q=0.5", "zh"),
        ("en;q=0", "zh"),
        ("en;q=much, zh;q=0.1", "zh"),
        ("enm", "zh"),
        ("*", "zh"),
        (";;,q=,,", "zh"),
    ],
)
def test_a_page_is_in_the_language_the_browser_likes_best(
    browser: Browser, accepted: str | None, language: str
):
    client = browser()
    client.headers.pop("accept-language", None)
    if accepted is not None:
        client.headers["accept-language"] = accepted
    assert shown(client.get("/").text) == language


def test_the_switch_outweighs_the_browser_and_is_remembered(browser: Browser):
    client = browser()
    client.headers["accept-language"] = "en"
    assert shown(client.get("/language/zh", params={"back": "/"}).text) == "zh"
    assert shown(client.get("/").text) == "zh"
    assert shown(client.get("/language/en").text) == "en"


def test_a_language_cookie_of_no_language_of_ours_is_overlooked(browser: Browser):
    client = browser()
    client.cookies.set("lang", "../en")
    assert shown(client.get("/").text) == "zh"


@pytest.mark.parametrize("code", ["fr", "EN", "zh-CN", "%2e%2e", "en%00", "e" * 99])
def test_a_switch_to_another_language_leads_nowhere(browser: Browser, code: str):
    client = browser()
    assert client.get(f"/language/{code}").status_code == 404
    assert "lang" not in client.cookies


@pytest.mark.parametrize(
    "back", ["/", "/lost", "/duties/3", "/desk/login", "/desk/duties?state=overdue"]
)
def test_the_switch_goes_back_to_where_it_was_used(browser: Browser, back: str):
    answer = browser().get("/language/en", params={"back": back}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, back)


@pytest.mark.parametrize(
    "back",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "\\\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "elsewhere.example",
        "",
        "/a/token",
        "/督办",
    ],
)
def test_the_switch_goes_nowhere_else(browser: Browser, back: str):
    answer = browser().get("/language/en", params={"back": back}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_agencies_and_coordinators_are_served_in_english(
    browser: Browser, office: Office, clock: Clock
):
    guest = enter(browser, office, clock, "东/妇联")
    guest.headers["accept-language"] = "en"
    page = guest.get("/duties").text
    assert "to be dealt with" in page
    assert "需要办理" not in page
    desk = browser()
    desk.cookies.set("duban-desk", sign_in(office, clock, "zhang", Role.PROVINCIAL))
    desk.headers["accept-language"] = "en"
    for address, words in (("/desk", "Board"), ("/desk/review", "Awaiting review")):
        page = desk.get(address).text
        assert words in page
        assert "总览" not in page


def test_counts_are_told_in_the_singular_and_the_plural():
    told = load("en").ngettext
    days = ("%(num)s 个工作日", "%(num)s 个工作日")
    assert [told(*days, n) % {"num": n} for n in (1, 2)] == ["1 working day", "2 working days"]
