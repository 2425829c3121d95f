"""The forms of the acts: what they offer, what they refuse, and one filled in a real Chromium."""

import json
import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pendulum
import pytest
from playwright.sync_api import expect, sync_playwright
from prefect.utilities.schema_tools import is_valid_schema, validate

from deployments.forms import ACTS, PORTAL_ONLY, acts_offered, form_schema, form_text
from deployments.register import specs
from deployments.screenshots import sign_in_to_prefect
from duban.evidence import check_evidence
from duban.forms import EN, ZH, code_of, form_words, why_returned
from duban.ledger.acts import submit
from duban.ledger.questions import duties, events
from duban.registry import Registry
from duban.words import words
from tasks.stage import DeploymentSpec, RunRef
from tasks.stage.executed import TAG
from tests.conftest import Project
from tests.deployments.test_pages import CHROMIUM, keep
from tests.deployments.test_up import Running

TODAY = date(2026, 11, 24)
NEVER = ("secret", "password", "token", "auth", "key", "database", "url")


@pytest.fixture(params=["zh", "en"])
def registry(request: pytest.FixtureRequest, project: Project) -> Registry:
    """The small notice in each language."""
    project.edit(project.clauses, "language: zh", f"language: {request.param}")
    return project.load()


def all_specs(registry: Registry) -> list[DeploymentSpec]:
    return list(specs(registry, Path(), TODAY))


def fields(spec: DeploymentSpec) -> dict[str, dict[str, Any]]:
    return spec.parameter_openapi_schema["properties"]


def faults(act: str, small: Registry, **given: Any) -> list[str]:
    """What the server finds wrong with a form."""
    [flow] = [one for one in ACTS if one.name == act]
    return [one.message for one in validate(given, form_schema(flow, small))]


def test_every_parameter_of_every_deployment_has_a_title_and_says_what_to_put_in(
    registry: Registry,
) -> None:
    chinese = registry.language == "zh"
    for spec in all_specs(registry):
        assert spec.description, spec.name
        for name, made in fields(spec).items():
            title, hint = made["title"], made["description"]
            assert title not in (name, ""), f"{spec.name}: {name}"
            assert len(hint) > 5, f"{spec.name}: {name}"
            assert any("一" <= sign <= "鿿" for sign in title) is chinese, f"{spec.name}: {name}"


def test_no_form_asks_for_a_secret(registry: Registry) -> None:
    names = {name for spec in all_specs(registry) for name in fields(spec)}
    assert not [name for name in names if any(part in name for part in NEVER)]
    assert "staff_code" in names


def test_both_languages_say_the_same_things() -> None:
    for part in (
        "forms",
        "standing",
        "fields",
        "choices",
        "answers",
        "done",
        "faults",
        "links",
        "columns",
    ):
        assert getattr(ZH, part).keys() == getattr(EN, part).keys(), part
    assert ZH.answers.keys() == ZH.done.keys()
    assert {flow.name for flow in ACTS} == ZH.forms.keys()


def test_every_form_is_one_that_prefect_understands_and_shows_as_plain_fields(
    registry: Registry,
) -> None:
    for flow in ACTS:
        schema = form_schema(flow, registry)
        is_valid_schema(schema)
        for made in schema["properties"].values():
            assert made["type"] in ("string", "integer", "array", "boolean")
            assert "anyOf" not in made
            assert made.get("default", 1) is not None


def test_drop_downs_offer_what_there_is(registry: Registry) -> None:
    w, f = words(registry.language), form_words(registry.language)
    by_name = {flow.name: form_schema(flow, registry)["properties"] for flow in ACTS}
    assert by_name["review"]["decision"]["enum"] == [f.choices["accept"], f.choices["return"]]
    assert by_name["review"]["codes"]["items"]["enum"] == list(w.returns.values())
    assert by_name["waive"]["kind"]["enum"] == [f.choices["waive"], f.choices["not-applicable"]]
    clauses = by_name["open_period"]["clause"]["enum"]
    assert clauses[0] == "1 家长课堂"
    assert len(clauses) == len(registry.tracked)
    agencies = by_name["hold"]["agency"]["enum"]
    assert set(agencies) == {one.name for one in registry.agencies.values()}


def test_what_a_drop_down_offers_means_the_same_in_both_languages() -> None:
    for language in ("zh", "en"):
        for offered in (form_words(language).choices, words(language).returns):
            assert {code: code_of(said) for code, said in offered.items()} == {
                code: code for code in offered
            }
    assert code_of("张三") == "张三"


def test_days_are_picked_and_what_is_needed_is_marked(small: Registry) -> None:
    by_name = {flow.name: form_schema(flow, small) for flow in ACTS}
    extend = by_name["extend"]
    assert extend["properties"]["due_on"]["format"] == "date"
    assert set(extend["required"]) == {"duty", "due_on", "reason", "staff_code"}
    assert set(by_name["review"]["required"]) == {"duty", "decision", "staff_code"}
    assert set(by_name["hold"]["required"]) == {"until", "reason", "staff_code"}
    assert list(by_name["review"]["properties"])[-1] == "staff_code"


GOOD = {"duty": 3, "kind": "免办", "reason": "无此项工作", "staff_code": "1024"}


def test_a_good_form_is_taken(small: Registry) -> None:
    assert faults("waive", small, **GOOD) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"duty": 0},
        {"duty": "三"},
        {"kind": "随便"},
        {"reason": ""},
        {"reason": "电话 13800138000"},
        {"reason": "长" * 501},
        {"staff_code": "张三"},
        {"staff_code": "1"},
        {"staff_code": "admin@x"},
        {"staff_code": None},
    ],
)
def test_a_wrong_value_is_refused_before_there_is_a_run(
    small: Registry, wrong: dict[str, Any]
) -> None:
    assert len(faults("waive", small, **{**GOOD, **wrong})) == 1


def test_every_form_says_how_to_undo_it_and_where_reasons_go(registry: Registry) -> None:
    for flow in ACTS:
        text = form_text(flow, registry)
        assert "\n\n" in text
        free = {"reason", "said"} & form_schema(flow, registry)["properties"].keys()
        for name in free:
            hint = form_schema(flow, registry)["properties"][name]["description"]
            assert ("个人信息" in hint) or ("personal data" in hint)


def test_forms_sort_after_the_clauses(registry: Registry) -> None:
    names = [spec.name for spec in all_specs(registry)]
    forms = {name for name in names if " · " in name}
    assert len(forms) == len(ACTS)
    assert max(name for name in names if name[0].isdigit()) < min(forms)


def test_where_the_portal_decides_its_acts_are_not_offered(small: Registry) -> None:
    assert {flow.name for flow in ACTS} - {
        flow.name for flow in acts_offered("portal")
    } == PORTAL_ONLY
    titles = {spec.name for spec in specs(small, Path(), TODAY, "portal")}
    assert "办理 · 审核" not in titles
    assert "办理 · 暂停催办" in titles


def test_a_return_is_told_in_the_notices_language() -> None:
    assert why_returned("zh", ["no-seal", "other"], "请补盖") == "缺少公章；请补盖。"
    assert why_returned("en", ["no-seal"], "") == "the seal is missing."
    assert why_returned("zh", ["other"], "") == ""


# In the pages


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole product on the small notice, mirrored."""
    folder = tmp_path_factory.mktemp("up")
    up = Running(folder / "var", Project.write(folder))
    up.start()
    try:
        up.wait_for("duban mirrored", 300)
        yield up
    finally:
        if up.process:
            up.process.terminate()
            up.process.wait(60)


def handed_in(running: Running) -> int:
    """A duty that was overdue and whose evidence awaits review."""
    ledger = running.ledger
    late = next(one for one in duties(ledger) if one.number == "2" and one.agency.region == "东")
    checked = check_evidence(late.clause, {"share": "95/100"}, [])
    submit(ledger, late.id, checked, [], by=late.agency.id, now=pendulum.now("UTC"))
    ledger.engine.dispose()
    return late.id


def ended(running: Running, form: str) -> RunRef:
    """The form's only run, once a worker has carried it out."""
    end = time.monotonic() + 120
    with running.stage as stage:
        while True:
            found = [one for one in stage.read_runs([TAG]) if one.deployment_id == form]
            if found and found[0].state_type in ("COMPLETED", "FAILED", "CRASHED"):
                return found[0]
            assert time.monotonic() < end, found
            time.sleep(0.5)


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.timeout(420)
@pytest.mark.skipif(
    not CHROMIUM and not os.environ.get("CI"),
    reason="NO CHROMIUM, so nothing is seen of the pages: install the package chromium",
)
def test_a_review_filled_in_on_the_page_turns_the_duty_green(running: Running) -> None:
    number = handed_in(running)
    with running.stage as stage:
        forms = {one.name: one.id for one in stage.deployments(TAG)}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        pages = f"http://127.0.0.1:{running.port}"
        context = chromium.new_context(base_url=pages, locale="zh-CN")
        sign_in_to_prefect(context, pages, running.auth)
        page = context.new_page()
        page.set_default_timeout(60_000)
        given = quote(json.dumps({"duty": number}))
        form = f"/v2/deployments/deployment/{forms['办理 · 审核']}/run?parameters={given}"
        page.goto(form)
        expect(page.get_by_label("事项编号")).to_have_value(str(number))
        page.get_by_label("工号").fill("张三")
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_text("'decision' is a required property").first).to_be_visible()
        expect(page.get_by_text("does not match").first).to_be_visible()
        keep(page, "form-refused")
        # While the page shows faults, a first Submit only looks again; a fresh form is taken.
        page.goto(form)
        page.get_by_label("Select 审核决定").click()
        page.get_by_role("option", name="通过，销号").click()
        page.get_by_label("工号").fill("1024")
        keep(page, "form-filled")
        page.get_by_role("button", name="Submit").click()
        page.wait_for_url("**?tab=Runs")
        run = ended(running, forms["办理 · 审核"])
        assert (run.name, run.state_name) == (f"审核 · #{number} 2 东市教育局 一次性", "已通过")
        page.goto(f"/v2/runs/flow-run/{run.id}")
        expect(page.get_by_text("已审核通过，销号（登记人 1024，自报）").first).to_be_visible()
        keep(page, "form-done")
        page.goto(f"/v2/runs?tags={quote('状态:销号')}")
        expect(page.get_by_text("AcceptedLate", exact=True).first).to_be_visible(timeout=120_000)
        keep(page, "form-green")
        chromium.close()
    [event] = [one for one in events(running.ledger, duty_id=number) if one.action == "accepted"]
    assert event.actor == "工号 1024（自报）"
