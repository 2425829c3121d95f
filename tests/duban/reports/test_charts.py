"""The pictures of a bulletin, drawn for real."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from duban.ledger.snapshots import Place, Snapshot
from duban.reports import charts as drawing
from duban.reports.charts import NoChineseFont, charts
from duban.reports.counting import figures
from duban.reports.figures import Figures
from tests.duban.reports.cases import ONE, QUARTER, snapshot_of


def opened(png: bytes) -> PngImagePlugin.PngImageFile:
    picture = Image.open(BytesIO(png))
    assert isinstance(picture, PngImagePlugin.PngImageFile)
    return picture


def test_there_is_one_for_the_regions_and_one_for_each_target(counted: Figures):
    made = charts(counted)
    assert [one.about for one in made] == ["", *(one.clause for one in counted.targets)]
    assert made[0].title == "各市完成率和按期率（牵头单位事项，%）"


def test_chinese_letters_are_drawn_and_none_is_missing(counted: Figures):
    """A letter that a font lacks is a warning, which is an error here; and it leaves no ink."""
    [regions, *_] = charts(counted)
    nameless = replace(
        counted, regions=[replace(one, name="", key=one.key) for one in counted.regions]
    )
    [without, *_] = charts(nameless)
    assert ink(regions.png) > ink(without.png) + 2000


def test_several_that_are_drawn_at_once_come_out_as_they_do_alone():
    chinese = figures(snapshot_of([ONE]), QUARTER)
    both = [chinese, replace(chinese, language="en")]
    alone = [charts(one) for one in both]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(charts, both * 20)) == alone * 20


def ink(png: bytes) -> int:
    """Dots of the last fifth, where the names stand, that are not white."""
    picture = opened(png).convert("L")
    foot = picture.crop((0, int(picture.height * 0.87), picture.width, picture.height))
    return sum(foot.histogram()[:200])


def test_a_picture_is_as_wide_as_the_type_area_and_says_nothing_of_its_making(counted: Figures):
    for one in charts(counted):
        picture = opened(one.png)
        assert picture.size == (1228, 520)
        assert "Software" not in picture.info
        assert len(one.png) < 150_000


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_figures_make_the_same_bytes(large: Snapshot, language: str):
    seen = replace(large, language=language)
    again = Snapshot.read(seen.packed())
    assert charts(figures(seen, QUARTER)) == charts(figures(again, QUARTER))


def test_many_regions_with_long_names_are_drawn_too():
    places = [Place(f"c{n}", f"某某某某自治州{n}", "city") for n in range(31)]
    facts = [replace(ONE, agency=f"{one.key}/妇联") for one in places]
    [one] = charts(figures(snapshot_of(facts, places=places), QUARTER))
    assert opened(one.png).size == (1228, 520)


def test_nothing_due_makes_no_picture():
    assert charts(figures(snapshot_of([]), QUARTER)) == []


def test_a_machine_without_chinese_letters_says_what_to_install(
    counted: Figures, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(drawing, "CHINESE", ("No Such Font",))
    with pytest.raises(NoChineseFont, match="fonts-noto-cjk"):
        charts(counted)
