"""The demo without its pages, on two cities: every state occurs, and nothing leaves the machine."""

import random
import smtplib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from deployments.demo import (
    BOUNCING,
    LABEL,
    NotTheDemo,
    cast_of,
    guide,
    open_demo,
    replay_year,
    settings_for,
)
from deployments.papers import Matter, minutes, photo, photographs, report, scan, table
from deployments.replay import PLOTS, Replay, fill, story
from deployments.scenes import nobody
from deployments.sink import Sink
from duban.duty import Status
from duban.evidence import check_evidence
from duban.intake import suspects
from duban.ledger.alike import alike
from duban.ledger.approvals import proposals
from duban.ledger.change import first_broken_link
from duban.ledger.database import reading
from duban.ledger.folder import bytes_of
from duban.ledger.holds import holds_in_force
from duban.ledger.label import InEarnest, mark
from duban.ledger.links import links_of
from duban.ledger.persons import links_of_versions
from duban.ledger.petitions import Kind, State, petitions
from duban.ledger.questions import duties, events
from duban.ledger.reviewing import Flag, queue
from duban.ledger.tasks import open_tasks
from duban.mirror import Background, StateName, card, face, state_name
from duban.office import Office, Simulated, open_office
from duban.registry import Registry
from duban.registry.evidence import FilesField, RatioField
from duban.reports.charts import Chart, NoChineseFont
from duban.reports.figures import Figures
from duban.settings import Settings
from tests.conftest import PROJECT, Project, china
from tests.deployments.test_pages import of_cities

NOW = china("2026-03-20", "12:00")
MARCH = date(2026, 3, 2)
GPS = 0x8825
pytestmark = pytest.mark.timeout(300)


def settings_in(folder: Path, port: int) -> Settings:
    (folder / "agencies.yaml").write_text(of_cities("太原", "大同"), encoding="utf-8")
    (folder / "var-demo").mkdir()
    given = Settings(agencies=folder / "agencies.yaml", notices=PROJECT / "deployments")
    return settings_for(given, folder / "var-demo", port)


def opened(folder: Path, settings: Settings) -> Office:
    return open_demo(settings, source=folder / "agencies.yaml", now=NOW)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The demo's folder after its replay, with its mail server."""
    folder = tmp_path_factory.mktemp("demo")
    with Sink(folder / "var-demo" / "mail", refused=BOUNCING) as sink:
        office = opened(folder, settings_in(folder, sink.port))
        replay_year(office, now=NOW)
        yield office
        office.ledger.engine.dispose()


def test_every_state_and_every_status_occurs(played: Office) -> None:
    found = duties(played.ledger)
    assert {duty.status for duty in found} == set(Status)
    assert {state_name(duty, NOW) for duty in found} == set(get_args(StateName))


def test_everything_that_a_chase_can_bring_has_happened(played: Office) -> None:
    happened = {event.action for event in events(played.ledger)}
    assert {
        "opened", "spoke", "letter", "submitted", "returned", "accepted", "extended", "waived",
        "reopened", "held", "called", "proposed", "approved", "suspended",
        "acknowledged", "asked", "granted", "refused", "withdrawn", "handed-on", "nil-returned",
        "file-refused",
    } <= happened  # fmt: skip
    assert proposals(played.ledger)
    assert [one.agency for one in holds_in_force(played.ledger, NOW)] == [
        cast_of(played.ledger.registry)[1]
    ]


def test_the_address_that_bounces_is_suspended_and_a_task_asks_for_another(played: Office) -> None:
    bouncing = played.ledger.registry.agencies[cast_of(played.ledger.registry)[0]]
    suspended = [event for event in events(played.ledger) if event.action == "suspended"]
    assert [event.data["agency"] for event in suspended] == [bouncing.id]
    assert bouncing.name in {task.about for task in open_tasks(played.ledger)}


def test_the_history_is_whole(played: Office) -> None:
    with reading(played.ledger.engine) as connection:
        assert first_broken_link(connection) is None


def test_every_letter_says_that_it_is_simulated(played: Office) -> None:
    mails = list((played.settings.home / "mail").glob("*.eml"))
    assert len(mails) > 100
    assert not [one for one in mails if BOUNCING.encode() in one.read_bytes()]
    kept = mails + list(played.settings.letters.rglob("*.eml"))
    subjects = [message_from_bytes(one.read_bytes(), policy=default)["Subject"] for one in kept]
    assert all(one.startswith(f"【{LABEL}】") for one in subjects)


def test_runs_cards_and_the_guide_say_that_it_is_simulated(played: Office) -> None:
    duty = duties(played.ledger)[0]
    shown = face(duty, NOW, played.label)
    assert LABEL in shown.tags
    assert shown.name.startswith(LABEL)
    assert LABEL in card(duty, Background(label=played.label))
    assert LABEL in "\n".join(guide(played, "http://127.0.0.1:4200", now=NOW))


def test_a_simulation_is_never_switched_to_real_channels(played: Office) -> None:
    with pytest.raises(Simulated, match="reach nobody"):
        played.arm(True, by="t", now=NOW)
    elsewhere = "mailto://user:pass@mail.example.org"
    beside = "mailto://127.0.0.1:25/?mode=insecure&from=a@b.example&smtp=mail.example.org"
    for account in (None, elsewhere, beside):
        settings = played.settings.model_copy(update={"mail_sender": account})
        other = Office(settings, played.ledger)
        assert not other.armed()
        assert {*other.channels.values()} == {other.channels["drop"], other.channels["mail"]}


def test_a_second_start_goes_on_with_what_is_there(
    played: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(events(played.ledger))
    again = opened(played.settings.home.parent, played.settings)
    replay_year(again, now=NOW + timedelta(days=1))
    assert "going on" in capsys.readouterr().out
    assert len(events(again.ledger)) == before
    again.ledger.engine.dispose()


def test_a_replay_that_was_broken_off_begins_anew(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, 1)
    office = opened(tmp_path, settings)
    office.tick(china("2026-01-05"))
    assert duties(office.ledger)
    office.ledger.engine.dispose()
    again = opened(tmp_path, settings)
    assert not duties(again.ledger)
    assert again.label == LABEL
    again.ledger.engine.dispose()


def test_a_ledger_in_earnest_is_left_alone(project: Project) -> None:
    real = open_office(project.settings())
    real.tick(china("2026-01-05"))
    files = sorted(real.settings.home.iterdir())
    with pytest.raises(NotTheDemo, match="no simulation"):
        open_demo(
            settings_for(project.settings(), real.settings.home, 1),
            source=project.agencies,
            now=NOW,
        )
    with pytest.raises(InEarnest):
        mark(real.ledger, LABEL, NOW)
    assert not real.label
    assert sorted(real.settings.home.iterdir()) == files
    real.ledger.engine.dispose()


def test_the_same_days_make_the_same_year(project: Project, tmp_path: Path) -> None:
    assert _short_year(project, tmp_path / "a") == _short_year(project, tmp_path / "b")


def _short_year(
    project: Project, home: Path, begin: date = date(2026, 1, 1)
) -> Sequence[tuple[object, ...]]:
    home.mkdir()
    desk = home / "desk"
    desk.mkdir()
    with Sink(home / "mail", refused=BOUNCING) as sink:
        settings = settings_for(project.settings(), home, sink.port)
        office = open_demo(settings, source=project.agencies, now=NOW)
        Replay(office, "东/妇联", desk).play(begin, date(2026, 1, 23), print)
    told = [
        (one.at, one.actor, one.action, one.duty_id, one.text, one.data.get("evidence_sha256"))
        for one in events(office.ledger)
    ]
    office.ledger.engine.dispose()
    return told


def test_without_a_chinese_font_the_year_goes_on_and_its_bulletin_stays_a_draft(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(figures: Figures) -> list[Chart]:
        del figures
        raise NoChineseFont

    monkeypatch.setattr("duban.reports.making.charts", without)
    told = _short_year(project, tmp_path / "a", begin=date(2025, 12, 29))
    actions = [action for _, _, action, *_ in told]
    assert "bulletin-drafted" in actions
    assert "bulletin-issued" not in actions


def test_acts_follow_each_other_on_working_days() -> None:
    for number, beats in enumerate(PLOTS):
        days = list(story(date(2026, 1, 1), date(2026, 2, 1), beats, random.Random(number)))
        assert [act for _, act in days] == [beat.act for beat in beats]
        assert all(one[0] < next_one[0] for one, next_one in pairwise(days))
        assert all(day.weekday() < 5 for day, _ in days)


def test_the_evidence_fits_every_clause_of_the_notice(shanxi: Registry, tmp_path: Path) -> None:
    papers = tmp_path / "佐证.pdf"
    papers.write_bytes(b"%PDF-1.4")
    for placed in shanxi.tracked:
        for number in range(6):
            values = fill(placed.clause, MARCH, random.Random(number))
            files = [
                (one.key, papers) for one in placed.clause.evidence if isinstance(one, FilesField)
            ]
            assert check_evidence(placed.clause, values, files).values.keys() == values.keys()


def test_some_cities_reach_the_target_and_some_do_not(shanxi: Registry) -> None:
    clause = next(one.clause for one in shanxi.tracked if one.clause.target)
    reached = {
        clause.is_done({target.key: target.read(fill(clause, MARCH, random.Random(n))[target.key])})
        for target in clause.evidence
        if isinstance(target, RatioField)
        for n in range(20)
    }
    assert reached == {True, False}


def test_the_mail_server_refuses_one_address_and_keeps_what_others_get(tmp_path: Path) -> None:
    with (
        Sink(tmp_path, refused=BOUNCING) as sink,
        smtplib.SMTP("127.0.0.1", sink.port) as line,
    ):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            line.sendmail("a@demo.invalid", [BOUNCING], "Subject: 1\r\n\r\nx")
        line.sendmail("a@demo.invalid", ["001@demo.invalid"], "Subject: 2\r\n\r\n.dot\r\n")
    (kept,) = tmp_path.iterdir()
    assert kept.name == "00001-001.eml"
    assert kept.read_bytes() == b"Subject: 2\r\n\r\n.dot\r\n"


def test_the_number_that_nobody_has_is_noticed() -> None:
    assert suspects(nobody()) == ("id-number",)


def test_requests_wait_for_an_answer_and_others_have_got_one(played: Office) -> None:
    found = Counter((one.kind, one.state) for one in petitions(played.ledger))
    assert found[Kind.EXTENSION, State.ASKED] >= 2
    assert found[Kind.NOT_APPLICABLE, State.ASKED] >= 1
    assert {state for kind, state in found if kind is Kind.EXTENSION} == set(State)
    assert (Kind.NOT_APPLICABLE, State.GRANTED) in found
    assert (Kind.NOT_APPLICABLE, State.REFUSED) in found


def test_reviewers_find_papers_of_every_kind_and_in_every_state(played: Office) -> None:
    found = queue(played.ledger, NOW)
    assert 10 <= len(found) <= 25
    assert {Flag.SUSPECT, Flag.NIL, Flag.REFUSED} <= {flag for one in found for flag in one.flags}
    assert any(one.version.number > 1 for one in found)
    files = [file for one in found for file in one.version.files]
    assert {file.kind for file in files if file.state == "fine"} >= {"pdf", "docx", "jpg"}
    assert {file.state for file in files} == {"fine", "refused"}


def test_a_warning_is_given_for_some_papers_and_not_for_all(played: Office) -> None:
    files = [file for one in queue(played.ledger, NOW) for file in one.version.files]
    found = alike(played.ledger, [file.id for file in files])
    assert 0 < len(found) < len(files) * 2 / 3
    assert {match.how for matches in found.values() for match in matches} == {"same", "near"}
    own = {file.id: file.agency for file in files}
    assert {match.agency == own[at] for at, matches in found.items() for match in matches} == {
        False,
        True,
    }


def test_a_photograph_says_where_it_was_taken_until_it_is_inspected(played: Office) -> None:
    with Image.open(BytesIO(photo(random.Random(1)))) as image:
        assert image.getexif().get_ifd(GPS)
    files = [file for one in queue(played.ledger, NOW) for file in one.version.files]
    pictures = [file for file in files if file.kind == "jpg"]
    assert pictures
    for file in pictures:
        with Image.open(bytes_of(played.settings.files, file.stored_as)) as image:
            assert not image.getexif()


def test_no_two_papers_look_alike_unless_they_are_meant_to() -> None:
    matter = Matter("甲", "乙", "2026", MARCH)
    for make in (report, table, minutes, scan, photographs):
        made = [one.content for n in range(12) for one in make(matter, random.Random(n))]
        assert len(set(made)) == len(made)
        again = [one.content for n in range(12) for one in make(matter, random.Random(n))]
        assert again == made


def test_some_evidence_comes_through_a_link_that_was_handed_on(played: Office) -> None:
    handed = {one.id for one in links_of(played.ledger) if one.parent is not None}
    ways = {
        link
        for duty in duties(played.ledger)
        for link in links_of_versions(played.ledger, duty.id).values()
    }
    assert ways & handed
    assert ways - handed
