"""The daily boards: their numbers, counted another way, and what they leave out."""

import base64
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import insert

from duban.board import asked
from duban.board.asked import Checked, Delivery, Reported, listed, pursued, reported
from duban.board.day import Day
from duban.board.delivery import delivery, opened
from duban.board.lists import Listed, due, overdue, under_review
from duban.board.making import boards
from duban.board.markdown import Board, Places
from duban.board.picture import DRAWN, picture
from duban.board.scoreboard import scoreboard
from duban.board.targets import progress, targets
from duban.duty import Light, Status
from duban.evidence import Checked as CheckedEvidence
from duban.ledger import Ledger, acts
from duban.ledger.browsing import Selection, State, Today
from duban.ledger.chase import chase
from duban.ledger.database import make_engine
from duban.ledger.opening import open_missing
from duban.ledger.questions import DutyView, duties
from duban.ledger.tables import Attempt, Duty, Letter, Task, Tick
from duban.markdown import link, plain
from duban.mirror import face
from duban.registry import Registry, load_registry
from duban.words import EN, ZH, Words
from tests.conftest import PROJECT, SHANGHAI, at, china
from tests.duban.ledger.conftest import nowhere
from tests.duban.ledger.test_browsing import NOW, fill, random_duties

PLACES = Places("http://portal", "http://prefect")


def day_of(w: Words = ZH, label: str = "") -> Day:
    return Day(NOW, SHANGHAI, w, PLACES, label)


@pytest.fixture
def on_sqlite(sqlite_url: str, small: Registry) -> Iterator[Ledger]:
    engine = make_engine(sqlite_url)
    yield Ledger(engine, small)
    engine.dispose()


def late_board(ledger: Ledger) -> Board:
    late = listed(ledger, State.OVERDUE, NOW)
    return overdue(day_of(), late, pursued(ledger, late.duties, NOW, ZH))


def rows(markdown: str) -> list[list[str]]:
    """The cells of all tables, without their links; heads too."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if "---" not in line]
    return [[unlinked(cell.strip()) for cell in line] for line in cells]


def unlinked(text: str) -> str:
    return re.sub(r"\[((?:[^\]\\]|\\.)*)\]\([^)]*\)", r"\1", text).replace("*", "")


def numbered(board: Board) -> list[int]:
    """The duties of a list in its order."""
    return [int(row[0]) for row in rows(board.markdown) if row[0].isdigit()]


def test_the_lists_hold_the_duties_that_the_rules_name(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 1, 400)
    day = day_of()

    def ids(rule: Callable[[DutyView], bool]) -> list[int]:
        chosen = sorted(filter(rule, found), key=lambda duty: (duty.due_at, duty.id))
        return [d.id for d in chosen if not d.standing.soft] + [
            d.id for d in chosen if d.standing.soft
        ]

    late = late_board(on_sqlite)
    assert numbered(late) == ids(lambda duty: duty.overdue(NOW))
    assert late.told == f"{len(numbered(late))} 项"
    soon = due(day, State.DUE_SOON, listed(on_sqlite, State.DUE_SOON, NOW))
    assert numbered(soon) == ids(lambda duty: duty.due_soon(NOW))
    waiting = {Status.OPEN, Status.RETURNED}
    following = due(day, State.DUE_NEXT, listed(on_sqlite, State.DUE_NEXT, NOW))
    month = NOW + timedelta(days=30)
    assert numbered(following) == ids(lambda d: d.status in waiting and NOW <= d.due_at <= month)
    assert set(numbered(soon)) < set(numbered(following))
    waits = under_review(day, listed(on_sqlite, State.SUBMITTED, NOW))
    assert sorted(numbered(waits)) == sorted(d.id for d in found if d.status is Status.SUBMITTED)


def test_a_row_tells_the_matter_the_agency_the_day_and_how_late(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 2, 200)
    late = late_board(on_sqlite)
    by_id = {duty.id: duty for duty in found}
    told = pursued(on_sqlite, found, NOW, ZH)
    assert any(one.next for one in told.values())
    for number, clause, agency, _, due_day, last, ahead, days in rows(late.markdown)[1:]:
        duty = by_id[int(number)]
        assert (last, ahead) == (told[duty.id].last, told[duty.id].next)
        assert clause == f"{duty.number} {duty.clause.title}"
        assert agency == duty.agency.name
        assert due_day == f"{duty.due_at.astimezone(SHANGHAI):%Y-%m-%d}"
        assert int(days) == duty.days_late(NOW)


def test_an_overdue_duty_tells_what_was_said_last_and_what_comes_next(ledger: Ledger) -> None:
    open_missing(ledger, china("2025-12-01"), clause="small/2")
    nowhere(ledger).deliver(at(china("2025-12-01")))
    chase(ledger, NOW)
    nowhere(ledger).deliver(at(NOW))
    late = listed(ledger, State.OVERDUE, NOW)
    told = pursued(ledger, late.duties, NOW, ZH)
    assert late.duties
    for one in told.values():
        assert one.last.startswith("2026-03-02 催办已存入投递文件夹，致")
        assert one.next == "通报待批准"


def test_soft_duties_stand_apart_and_are_never_overdue(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 3, 200)
    soft = {duty.id for duty in found if duty.standing.soft}
    late = late_board(on_sqlite)
    assert not soft & set(numbered(late))
    soon = due(day_of(), State.DUE_SOON, listed(on_sqlite, State.DUE_SOON, NOW))
    above, _, below = soon.markdown.partition("**倡导性事项（不计超期）**")
    assert soft.isdisjoint(numbered(replace(soon, markdown=above)))
    assert soft.issuperset(numbered(replace(soon, markdown=below)))
    assert numbered(replace(soon, markdown=below))


def test_a_long_list_is_cut_and_leads_on_to_the_portal(
    on_sqlite: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = fill(on_sqlite, 4, 200)
    late = sum(duty.overdue(NOW) for duty in found)
    monkeypatch.setattr(asked, "ROWS", 5)
    cut = listed(on_sqlite, State.OVERDUE, NOW)
    assert cut == Listed(cut.duties[:5], late)
    board = overdue(day_of(), cut, pursued(on_sqlite, cut.duties, NOW, ZH))
    assert len(numbered(board)) == 5
    rest = "http://portal/desk/duties?state=overdue&sort=due"
    assert f"另有 {late - 5} 项未列出，见[门户清单]({rest})。" in board.markdown
    assert board.told == f"{late} 项"


def test_an_empty_list_says_so() -> None:
    board = overdue(day_of(), Listed([], 0), {})
    assert board.markdown == "无。"
    assert board.description.startswith("2026-03-02 · 超期 · 0 项 · [门户清单](")


def test_the_label_of_a_simulation_stands_first() -> None:
    assert overdue(day_of(label="模拟"), Listed([], 0), {}).description.startswith(
        "模拟 · 2026-03-02"
    )


def test_the_scoreboard_counts_what_the_rules_say(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 5, 500)
    counted = Today(on_sqlite, NOW).counted(Selection())
    board = scoreboard(day_of(), on_sqlite.registry, counted)
    names = {"东市": "东", "西市": "西", "某省": "省", "北": "北"}
    shown = {row[0]: row[1:] for row in rows(board.markdown)}
    for name, region in names.items():
        own = [duty for duty in found if duty.agency.region == region]
        assert shown[name][:5] == [f"{n or '·'}" for n in five(own)]
        soft = [one for one in own if one.standing.soft]
        assert shown[name][6] == f"{five(soft)[0]}"
        binding = five([one for one in own if not one.standing.soft])
        assert shown[name][5] == f"{100 * binding[1] / binding[0]:.0f}%"
    assert f"应办 {five(found)[0]} · 超期 {five(found)[4]}" == board.told


def five(own: list[DutyView]) -> tuple[int, ...]:
    """Required, accepted, submitted, due soon, overdue."""
    excused = {Status.WAIVED, Status.NOT_APPLICABLE}
    return (
        sum(duty.status not in excused for duty in own),
        sum(duty.status is Status.ACCEPTED for duty in own),
        sum(duty.status is Status.SUBMITTED for duty in own),
        sum(duty.due_soon(NOW) for duty in own),
        sum(duty.overdue(NOW) for duty in own),
    )


def test_a_cell_tells_the_worst_light_of_a_department_in_a_region(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 6, 300)
    counted = Today(on_sqlite, NOW).counted(Selection())
    board = scoreboard(day_of(), on_sqlite.registry, counted)
    head, *cells = [row for row in rows(board.markdown) if "\u00a0" in "".join(row) or "东" in row]
    for row in cells:
        for region, cell in zip(head[1:], row[1:], strict=True):
            own = [
                duty
                for duty in found
                if duty.agency.region == region and row[0] in (duty.agency.department, "合计")
            ]
            lights = [duty.light(NOW) for duty in own]
            worst = min(lights, key=list(Light).index, default=None)
            if worst is None:
                assert cell == ""
            elif worst is Light.GREY:
                assert cell == f"{len(own)}"
            else:
                assert cell == f"{ZH.lights[worst]}\u00a0{lights.count(worst)}/{len(own)}"


def test_many_regions_are_laid_out_in_several_tables(shanxi: Registry, sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    ledger = Ledger(engine, shanxi)
    open_missing(ledger, NOW)
    counted = Today(ledger, NOW).counted(Selection())
    tables = scoreboard(day_of(), shanxi, counted).markdown.split("\n\n")
    widths = [
        len(rows(one)[0]) - 1 for one in tables if one.startswith("| 部门") and "应办" not in one
    ]
    assert widths == [6, 6]
    engine.dispose()


# Targets


def figures(
    clause: str,
    agency: str,
    period: str,
    status: Status,
    given: tuple[int, int] | None,
    month: int = 1,
) -> Reported:
    at = china(f"2026-{month:02}-15")
    return Reported(clause, agency, period, status, False, china("2026-01-01"), at, given)


STAFFED = "shanxi-2023-6/2.2"


def on_staffing(shanxi: Registry) -> list[Reported]:
    """Two cities that reported, one that waits, one without a word, in the first half of 2026."""
    taiyuan, datong, yangquan, changzhi = (
        f"{city}/教育" for city in ("太原", "大同", "阳泉", "长治")
    )
    assert taiyuan in shanxi.agencies
    return [
        figures(STAFFED, taiyuan, "2026Q1", Status.ACCEPTED, (90, 100), 3),
        figures(STAFFED, taiyuan, "2026Q2", Status.ACCEPTED, (96, 100), 6),
        figures(STAFFED, datong, "2026Q1", Status.ACCEPTED, (150, 200), 3),
        figures(STAFFED, datong, "2026Q2", Status.SUBMITTED, (160, 200), 6),
        figures(STAFFED, yangquan, "once", Status.SUBMITTED, (40, 50), 2),
        figures(STAFFED, yangquan, "2026Q2", Status.OPEN, None),
        figures(STAFFED, changzhi, "2026Q2", Status.RETURNED, (1, 2), 5),
    ]


def test_progress_is_that_of_the_newest_accepted_figures(shanxi: Registry) -> None:
    first, second = progress(shanxi, on_staffing(shanxi))
    assert (first.placed.number, first.at_least) == ("2.2", 95)
    assert (second.placed.number, second.at_least) == ("2.3", 60)
    board = targets(day_of(), [first])
    table = {row[0]: row[1:] for row in rows(board.markdown.partition("各期")[0])}
    assert table["合计"] == ["2026Q2", "246/300", "82.0%", "-13.0", "+2.0", ""]
    assert table["大同市"] == ["2026Q1", "150/200", "75.0%", "-20.0", "", "160/200 (80.0%)"]
    assert table["太原市"] == ["2026Q2", "96/100", "96.0%", "+1.0", "+6.0", ""]
    assert table["阳泉市"] == ["", "–", "", "", "", "40/50 (80.0%)"]
    assert [row[0] for row in rows(board.markdown)[1:4]] == ["合计", "大同市", "太原市"]
    assert board.told == "2.2 82.0%/95%"


def test_a_share_short_of_its_target_shows_that_it_is(shanxi: Registry) -> None:
    given = [figures(STAFFED, "太原/教育", "2026Q1", Status.ACCEPTED, (9496, 10000), 3)]
    [first, *_] = progress(shanxi, given)
    board = targets(day_of(), [first])
    table = {row[0]: row[1:] for row in rows(board.markdown.partition("各期")[0])}
    assert table["太原市"] == ["2026Q1", "9496/10000", "94.96%", "-0.04", "", ""]
    assert board.told == "2.2 94.96%/95%"


def test_who_has_not_reported_is_named(shanxi: Registry) -> None:
    board = targets(day_of(), progress(shanxi, on_staffing(shanxi))[:1])
    assert "2026Q2 尚未报送：阳泉市、长治市。" in board.markdown
    assert "暂无已审数据：阳泉市、长治市、" in board.markdown
    assert "2/11 家有已审数据，各取最新一期" in board.markdown


def test_the_history_shows_each_period_and_the_total_as_of_it(shanxi: Registry) -> None:
    board = targets(day_of(), progress(shanxi, on_staffing(shanxi))[:1])
    history = {row[0]: row[1:] for row in rows(board.markdown.partition("各期")[2])}
    assert history["地区"] == ["2026Q1", "2026Q2"]
    assert history["合计"] == ["240/300 (80.0%)", "246/300 (82.0%)"]
    assert history["太原市"] == ["90/100 (90.0%)", "96/100 (96.0%)"]
    assert history["大同市"] == ["150/200 (75.0%)", ""]


def test_an_agency_that_is_no_more_leaves_the_board_when_its_heir_has_later_figures(
    shanxi: Registry,
) -> None:
    gone = replace(
        figures(STAFFED, "太原/旧局", "2026Q1", Status.ACCEPTED, (50, 100)), heirs=("太原/教育",)
    )
    [before] = progress(shanxi, [gone])[:1]
    assert [line.name for line in before.with_figures] == ["太原/旧局"]
    after = figures(STAFFED, "太原/教育", "2026Q2", Status.ACCEPTED, (90, 120))
    [found] = progress(shanxi, [gone, after])[:1]
    assert [line.agency for line in found.with_figures] == ["太原/教育"]
    assert {name: str(ratio) for name, ratio in found.whole.items()} == {
        "2026Q1": "50/100",
        "2026Q2": "90/120",
    }


def test_figures_come_from_the_ledger_in_one_look(ledger: Ledger) -> None:
    open_missing(ledger, china("2025-12-01"), clause="small/2")
    east, west = sorted(duties(ledger), key=lambda duty: duty.agency.id)
    for upper in (20, 30):
        done = CheckedEvidence({"share": [upper, 40]}, ())
        acts.submit(ledger, east.id, done, [], by="东/教育", now=china("2025-12-20"))
    acts.accept(ledger, east.id, by="admin", now=china("2025-12-21"))
    found = {one.agency: one for one in reported(ledger, china("2026-01-01"))}
    assert found[east.agency.id].figures == (30, 40)
    assert found[east.agency.id].status is Status.ACCEPTED
    assert (found[west.agency.id].figures, found[west.agency.id].submitted_at) == (None, None)
    (target,) = progress(ledger.registry, list(found.values()))
    assert {name: f"{ratio}" for name, ratio in target.whole.items()} == {"2025Q4": "30/40"}
    assert [line.name for line in target.lines] == ["东市", "西市"]


def drawing(board: Board) -> str:
    found = re.search(r"\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", board.markdown)
    assert found
    return base64.b64decode(found[1]).decode()


def test_the_picture_is_in_letters_that_the_reader_has(shanxi: Registry) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = drawing(picture(day_of(), progress(shanxi, on_staffing(shanxi))))
    for text in ("2.2 心理健康教师配备达95%", "目标 95%", "合计", "大同市", "75.0%", "96.0%"):
        assert f">{text}</text>" in svg, text
    assert "Noto Sans CJK SC" in svg
    assert "DejaVu" not in svg
    assert "站点" not in svg  # nobody has reported of the other target


def test_the_same_figures_make_the_same_picture(shanxi: Registry) -> None:
    found = progress(shanxi, on_staffing(shanxi))
    assert picture(day_of(), found) == picture(day_of(), found)


def test_without_figures_there_is_no_picture_but_a_word(shanxi: Registry) -> None:
    board = picture(day_of(), progress(shanxi, []))
    assert board.markdown == "暂无已审数据，图待首批数据审核后生成。"


def test_a_picture_of_many_shows_those_with_the_lowest_rates(shanxi: Registry) -> None:
    many = [
        figures(STAFFED, f"县{n}/教育", "2026Q2", Status.ACCEPTED, (n, 100)) for n in range(1, 51)
    ]
    board = picture(day_of(), progress(shanxi, many))
    svg = drawing(board)
    assert ">县1/教育</text>" in svg
    assert f">县{DRAWN}/教育</text>" in svg
    assert f">县{DRAWN + 1}/教育</text>" not in svg
    assert f"另有 {50 - DRAWN} 家比率更高，未画出。" in board.markdown


# Delivery, opening, overview


def test_delivery_tells_how_letters_fare_and_nothing_that_was_said(ledger: Ledger) -> None:
    before, long_ago = NOW - timedelta(hours=3), NOW - timedelta(days=8)
    with ledger.engine.begin() as connection:
        letters = [
            {"id": n, "state": state, "part": n, **LETTER}
            for n, state in enumerate(("sent", "sent", "pending", "dead"), 1)
        ]
        connection.execute(insert(Letter), letters)
        tries = [
            {"letter_id": 1, "at": at, "via": "mail", "outcome": fate, "detail": "for li@example"}
            for at, fate in (
                (before, "accepted"),
                (before, "accepted"),
                (before, "temporary"),
                (before, "begun"),
                (long_ago, "permanent"),
            )
        ]
        connection.execute(insert(Attempt), tries)
        chore: dict[str, Any] = {
            "subject": "4",
            "data": {},
            "opened_at": before,
            "kind": "undeliverable",
        }
        connection.execute(insert(Task), [chore])
    board = delivery(day_of(), asked.delivery(ledger, NOW), armed=False, without=3)
    assert ["mail", "4", "2", "1", "·", "·", "1"] in rows(board.markdown)
    assert board.told == "待发 1 · 已发 2 · 投递失败 1"
    assert "对外发函未开启" in board.markdown
    assert "最早的应于 2026-03-01 10:00 发出" in board.markdown
    assert "处理投递失败的函件：多次投递未成功：1" in board.markdown
    assert "没有联系地址的单位 3 家" in board.markdown
    assert "example" not in board.markdown


LETTER: dict[str, Any] = {
    "recipient": "东/妇联",
    "channel": "mail",
    "day": NOW.date(),
    "kind": "assign",
    "not_before": china("2026-03-01", "10:00"),
    "attempts": 0,
    "fence": 0,
}


def test_a_quiet_outbox_is_told_in_few_words() -> None:
    board = delivery(day_of(), Delivery({}, None, {}, {}, 0), armed=True, without=0)
    assert "对外发函已开启。" in board.markdown
    assert board.markdown.count("无。") == 2


def test_what_was_expected_and_opened_is_told_by_civil_day(ledger: Ledger) -> None:
    looks = [
        (china("2026-03-01", "23:30"), "all", 10, 4),
        (china("2026-03-02", "00:30"), "all", 12, 2),
        (china("2026-03-02", "08:00"), "small/1", 2, 1),
        (china("2026-03-02", "09:00"), "all", 13, 0),
        (china("2026-01-02"), "all", 9, 9),
        (china("2026-03-03"), "all", 99, 99),
    ]
    columns = ("at", "scope", "expected", "opened")
    with ledger.engine.begin() as connection:
        connection.execute(insert(Tick), [dict(zip(columns, one, strict=True)) for one in looks])
    found = asked.checked(ledger, NOW)
    assert found == [
        Checked(china("2026-03-02").date(), 3, 13, 3),
        Checked(china("2026-03-01").date(), 1, 10, 4),
    ]
    board = opened(day_of(), found)
    assert board.told == "应有 13 项，当日新立 3 项"
    assert rows(board.markdown)[1:] == [
        ["2026-03-02", "3", "13", "3"],
        ["2026-03-01", "1", "10", "4"],
    ]


def test_before_the_first_look_the_board_says_so() -> None:
    assert opened(day_of(), []).told == "尚未检查。"


KEYS = [
    "board",
    "overdue",
    "due-7",
    "due-30",
    "under-review",
    "scoreboard",
    "targets",
    "targets-picture",
    "delivery",
    "opened",
]


def test_the_overview_leads_to_every_board(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 7, 300)
    first, *others = boards(on_sqlite, day_of(), armed=False)
    assert [one.key for one in (first, *others)] == KEYS
    for other in others:
        assert f"[{other.title}](http://prefect/v2/artifacts/key/{other.key})" in first.markdown
    [forms] = re.findall(r"\[办理\]\((http://prefect/v2/deployments[^)]*)\)", first.markdown)
    assert query_of(forms)["flowOrDeploymentName"] == ["办理"]
    late = sum(duty.overdue(NOW) for duty in found)
    assert first.told.startswith("合计 300")
    assert f"超期 {late} ·" in first.told
    soft = sum(duty.light(NOW) is Light.YELLOW and duty.due_at < NOW for duty in found)
    assert f"倡导性事项到期未报 {soft} 项，不计超期。" in first.markdown
    by_clause = {row[0]: row[1] for row in rows(first.markdown)[1:]}
    for placed in on_sqlite.registry.tracked:
        own = sum(duty.clause_key == placed.key for duty in found)
        assert by_clause[f"{placed.number} {placed.clause.title}"] == f"{own}"


def query_of(address: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(f"{address}").query)


def test_links_into_prefect_name_tags_that_runs_bear(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 8, 300)
    faces = [face(duty, NOW) for duty in found]
    tags = {tag for one in faces for tag in one.tags}
    for board in boards(on_sqlite, day_of(), armed=False):
        text = f"{board.description} {board.markdown}"
        for address in re.findall(r"\((http://prefect/v2/runs[^)]*)\)", text):
            (tag,) = query_of(address)["tags"]
            assert tag in tags, address
            assert "," not in tag  # the pages would take that for two tags, either of them


def test_boards_of_an_english_notice_are_in_english(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = PROJECT / "deployments"
    english = load_registry(folder / "example-en" / "agencies.yaml", folder, {})
    engine = make_engine(sqlite_url)
    ledger = Ledger(engine, english)
    now = china("2026-11-24")
    open_missing(ledger, now)
    day = Day(now, english.first_notice.zone, EN, PLACES)
    for board in boards(ledger, day, armed=False):
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", board.markdown + board.description)
    engine.dispose()


def test_both_languages_have_the_same_words_for_boards() -> None:
    assert ZH.boards.keys() == EN.boards.keys()
    for key, text in ZH.boards.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", EN.boards[key])), key


def test_a_regions_name_leads_to_its_overdue_runs(on_sqlite: Ledger) -> None:
    found = fill(on_sqlite, 8, 300)
    late = [face(duty, NOW) for duty in found if duty.overdue(NOW)]
    counted = Today(on_sqlite, NOW).counted(Selection())
    text = scoreboard(day_of(), on_sqlite.registry, counted).markdown
    for name, region in (("东市", "东"), ("西市", "西")):
        (address,) = re.findall(rf"\[{name}\]\((http://prefect[^)]*)\)", text)
        query = query_of(address)
        (tag,), (named,) = query["tags"], query["flow-run-search"]
        assert sum(tag in one.tags and named in one.name for one in late) == sum(
            duty.overdue(NOW) and duty.agency.region == region for duty in found
        )
    # The names of the province's agencies do not tell them from others.
    (address,) = re.findall(r"\[某省\]\(([^)]*)\)", text)
    assert query_of(address) == {"region": ["省"], "state": ["overdue"]}


@pytest.mark.parametrize("text", ["a|b", "[x](javascript:1)", "<img src=x>", "*_`~", "a\nb"])
def test_nothing_in_a_cell_is_taken_for_markdown(text: str) -> None:
    assert not re.search(r"(?<!\\)[|\[\]<>*_`~]", plain(text))
    assert "\n" not in plain(text)
    assert link(text, "http://portal").count("](") == 1 + plain(text).count("](")


def test_a_duty_of_an_agency_that_left_is_counted_under_its_id(on_sqlite: Ledger) -> None:
    fill(on_sqlite, 9, 1)
    row = next(iter(random_duties(on_sqlite, 10, 1)))
    with on_sqlite.engine.begin() as connection:
        row |= {"agency": "北/旧局", "status": "open", "due_at": NOW - timedelta(days=3)}
        connection.execute(insert(Duty), [{**row, "soft": False}])
    board = late_board(on_sqlite)
    assert "北/旧局" in [row[2] for row in rows(board.markdown)]
